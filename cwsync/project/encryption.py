"""Whether a state is encrypted, and where the keys are found."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema, PydanticCustomError

from cwsync.project.written import Written
from cwsync.secret import SecretField

VARIABLE = "CWSYNC_STATE_KEY"


class Encryption(Written):
    """The keys of an encrypted state. Without `key`, the state is written in clear again."""

    key: SecretField | None = Field(
        None,
        description="Where the key is found that the state is encrypted with: 32 random bytes or more, as hex or "
        "base64, such as `openssl rand -base64 32` prints. Without it the state is written in clear again.",
        examples=[{"fromEnv": VARIABLE}, {"fromCommand": ["vault", "kv", "get", "-field=key", "kv/cwsync"]}],
    )
    previous: SecretField | None = Field(
        None,
        description="Where the key before that is found, while keys are changed: what it opens is written anew.",
        examples=[{"fromEnv": "CWSYNC_OLD_STATE_KEY"}],
    )

    @model_validator(mode="after")
    def _one_at_least(self) -> Encryption:
        if self.key is None and self.previous is None:
            raise PydanticCustomError(
                "encryption", "give key, previous, or both; or true or false in their place"
            )
        return self


class _OrFlag:
    """true and false are shorter."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [handler(schema), {"type": "boolean"}]}


def _meant(value: object) -> object:
    if value in (True, "true", "True", "TRUE"):
        return {"key": {"fromEnv": VARIABLE}}
    if value in (False, "false", "False", "FALSE"):
        return None
    return value


EncryptionField = Annotated[Encryption | None, BeforeValidator(_meant), _OrFlag()]
"""`true` is the key of CWSYNC_STATE_KEY, `false` is none at all."""
