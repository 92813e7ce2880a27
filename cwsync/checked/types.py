"""The types of fields: what a located text means is said by the field that takes it."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError

_WHOLE = re.compile(r"[-+]?[0-9]+")
_DIGITS_MEANT = 18  # larger than any number that a field takes, small enough to be turned into one at once


class _Accepts:
    """What an editor may accept in place of a text, as YAML writes it."""

    def __init__(self, *types: str) -> None:
        self.types = list(types)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        result = handler(schema)
        result["type"] = self.types
        return result


def _flag(value: object) -> object:
    if isinstance(value, bool):
        return value
    if value in ("true", "True", "TRUE"):
        return True
    if value in ("false", "False", "FALSE"):
        return False
    # YAML 1.1's words; no other value is repeated in the message
    meant = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}
    word = meant.get(value.lower()) if isinstance(value, str) else None
    wanted = f"{word}, not '{value}'" if word else "true or false"
    raise PydanticCustomError("flag", "must be {wanted}", {"wanted": wanted})


def _whole(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _WHOLE.fullmatch(value) and len(value) <= _DIGITS_MEANT:
        return int(value)
    raise PydanticCustomError("whole", "must be a whole number")


Text = Annotated[str, Field(coerce_numbers_to_str=True), _Accepts("string", "number")]
"""A text, kept as it is written: `12:45`, `007`, `on`."""

Id = Annotated[str, Field(coerce_numbers_to_str=True, min_length=1), _Accepts("string", "integer")]
"""An id of the service. It is a text, and may be written without quotes although it looks like a number."""

Flag = Annotated[bool, BeforeValidator(_flag)]
"""true or false, and none of YAML 1.1's other words for them."""

Whole = Annotated[int, BeforeValidator(_whole)]
"""A whole number in digits."""


def wrong(code: str, message: str, *path: str | int, hint: str = "") -> PydanticCustomError:
    """An error for a model's validator to raise: its own code, and the path from the model to the value."""
    return PydanticCustomError(code, message, {"path": path, "hint": hint})
