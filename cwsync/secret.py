"""Secrets: where a value is to be found, and reading it at the moment it must be sent.

A manifest and `cwsync.yaml` only ever hold a `SecretSource`. The value itself is read late and kept
in a `SecretStr`, whose text shows in no repr, and goes nowhere but into a request.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from cwsync.errors import CwsyncError, fail

COMMAND_TIMEOUT_SECONDS = 30

SECRET_SETTINGS = ("password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key")
"""The settings of a connection to PostgreSQL that are secrets."""


class SecretSource(BaseModel):
    """Where a secret comes from: exactly one of an environment variable, a file or a command."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    fromEnv: str | None = Field(
        None, min_length=1, description="The name of an environment variable.", examples=["SALES_AWS_SECRET"]
    )
    fromFile: str | None = Field(
        None, min_length=1, description="A file, relative to cwsync.yaml.", examples=["secrets/sas.txt"]
    )
    fromCommand: tuple[str, ...] | None = Field(
        None,
        min_length=1,
        description="A program and its arguments; what it prints is the secret. No shell is involved.",
        examples=[["vault", "kv", "get", "-field=sas", "kv/lake"]],
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> SecretSource:
        if sum(source is not None for source in (self.fromEnv, self.fromFile, self.fromCommand)) != 1:
            raise PydanticCustomError("secret_source", "give exactly one of fromEnv, fromFile, fromCommand")
        return self

    def __str__(self) -> str:
        if self.fromEnv is not None:
            return f"the environment variable {self.fromEnv}"
        if self.fromFile is not None:
            return f"the file {self.fromFile}"
        return f"the command {(self.fromCommand or ('',))[0]}"

    def read(self, root: Path) -> SecretStr:
        """The value, without the line end that editors and commands add.

        Raises CW120 where it cannot be had. Neither the value nor what a command printed is ever
        part of the message.
        """
        if self.fromEnv is not None:
            value = os.environ.get(self.fromEnv)
            if not value:
                raise fail("CW120", f"{self} is not set", hint=f"export {self.fromEnv}=… before this command")
            return SecretStr(value)
        if self.fromFile is not None:
            return SecretStr(self._from_file(root / Path(self.fromFile).expanduser()))
        return SecretStr(self._from_command(root))

    def _from_file(self, path: Path) -> str:
        try:
            value = path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise fail("CW120", f"{self} cannot be read: {reason}") from None
        if not value:
            raise fail("CW120", f"{self} is empty")
        return value

    def _from_command(self, root: Path) -> str:
        import subprocess  # here: it takes milliseconds, and most commands start no program

        try:
            done = subprocess.run(  # noqa: S603 - the command is the project's own, and no shell reads it
                list(self.fromCommand or ()),
                cwd=root,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=COMMAND_TIMEOUT_SECONDS,
                check=False,
            )
            value = done.stdout.decode("utf-8").rstrip("\r\n")
        except subprocess.TimeoutExpired:
            raise fail("CW120", f"{self} gave no answer within {COMMAND_TIMEOUT_SECONDS} s") from None
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it did not print UTF-8 text"
            raise fail("CW120", f"{self} cannot be used: {reason}") from None
        if done.returncode or not value:
            raise fail("CW120", f"{self} failed with status {done.returncode} or printed nothing")
        return value

    def available(self, root: Path) -> SecretStr | None:
        """The value where it can be had now, else None: commands that do not write need no secrets."""
        try:
            return self.read(root)
        except CwsyncError:
            return None


def _refuse_literal(value: Any) -> Any:
    if isinstance(value, (str, int, float)):
        raise PydanticCustomError(
            "literal_secret",
            "a secret is written out here; write {{fromEnv: NAME}}, {{fromFile: PATH}} or {{fromCommand: [...]}}",
        )
    return value


SecretField = Annotated[SecretSource, BeforeValidator(_refuse_literal)]
"""A field that holds a secret. A value written out is refused, and never repeated."""
