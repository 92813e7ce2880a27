"""One pydantic error, understood: its code, its path in the value, plain words, a way out."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from cwsync.checked.shapes import field_names, models_along, path_of, tag_of, tags_with
from cwsync.errors import CODES, suggest
from cwsync.located import Map, Seq, Value
from cwsync.secret import SecretSource


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes for the ways in which a value can be wrong; `misplaced` is a field of another form."""

    unknown: str = "CW201"
    missing: str = "CW202"
    wrong: str = "CW203"
    misplaced: str = "CW201"


# What stands in the place of the field's name in "... must be ...".
_MUST: dict[str, Callable[[dict[str, Any]], str]] = {
    "string_too_long": lambda c: f"is longer than {c['max_length']} characters",
    "too_long": lambda c: f"has {_items(c['actual_length'])}; at most {c['max_length']} are allowed",
    "too_short": lambda c: f"has {_items(c['actual_length'])}; at least {c['min_length']} are needed",
    "greater_than": lambda c: f"must be more than {c['gt']}",
    "greater_than_equal": lambda c: f"must be at least {c['ge']}",
    "less_than": lambda c: f"must be less than {c['lt']}",
    "less_than_equal": lambda c: f"must be at most {c['le']}",
    "flag": lambda c: f"must be {c['wanted']}",
    "whole": lambda c: "must be a whole number",  # noqa: ARG005 - as the others
}

_KIND_OF_VALUE = {
    "string_type": "a text",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "mapping_type": "a mapping",
    "is_instance_of": "a mapping",
}


class Finding:
    """What one of pydantic's error details says to a person."""

    def __init__(self, detail: ErrorDetails, start: Value, shape: object, codes: Codes) -> None:
        self._type = detail["type"]
        self._input = detail["input"]
        self._message = detail["msg"]
        self._context: dict[str, Any] = detail.get("ctx", {})
        self._models = models_along(shape, detail["loc"])
        loc = detail["loc"]
        self.at_key = bool(loc) and loc[-1] == "[key]"
        self.path = path_of(loc[:-1] if self.at_key else loc, start)
        self.secret = any(SecretSource in models for models in self._models)
        self.hint: str | None = None
        self.code = codes.wrong
        self.message = self._understand(codes)

    def _understand(self, codes: Codes) -> str:
        understood = {
            "literal_secret": self._literal_secret,
            "missing": self._missing,
            "extra_forbidden": self._unknown_field,
            "literal_error": self._not_listed,
            "enum": self._not_listed,
            "union_tag_invalid": self._tag,
            "union_tag_not_found": self._tag,
        }
        if self._type in CODES:
            return self._our_own()
        return understood.get(self._type, self._of_the_wrong_form)(codes)

    def _missing(self, codes: Codes) -> str:
        self.code = codes.missing
        self.hint = self._example()
        return f"{self._name()} is required"

    def _not_listed(self, _codes: Codes) -> str:
        return self._not_one_of(_quoted(self._context["expected"]), self._input)

    def _literal_secret(self, _codes: Codes) -> str:
        self.code, self.secret = "CW121", True
        self.hint = "write {fromEnv: NAME}, {fromFile: PATH} or {fromCommand: [PROGRAM, ...]}"
        return f"{self._name()} is a secret, and is written out here"

    def _our_own(self) -> str:
        self.code = self._type
        self.path = self.path + tuple(self._context.get("path", ()))
        self.hint = self._context.get("hint") or None
        return self._message

    def _unknown_field(self, codes: Codes) -> str:
        self.code = codes.unknown
        self.at_key = True
        mine = self._models[-2] if len(self._models) > 1 else []
        names = field_names(mine)
        if self.secret:
            self.hint = "write {fromEnv: NAME}, {fromFile: PATH} or {fromCommand: [PROGRAM, ...]}"
            return "a secret takes only fromEnv, fromFile or fromCommand"
        word = str(self.path[-1]) if self.path else ""
        if set(mine) < set(self._models[0]) and (others := tags_with(self._models[0], word)):
            self.code = codes.misplaced
            self.hint = f"the fields of {tag_of(mine[0])} are {', '.join(names)}"
            return f"'{_short(word)}' is a field of {', '.join(others)}, not of {tag_of(mine[0])}"
        self.hint = _did_you_mean(word, names, otherwise="the fields here are")
        return f"'{_short(word)}' is not a field here"

    def _tag(self, codes: Codes) -> str:
        field = self._context["discriminator"].strip("'")
        given = self._input.get(field) if isinstance(self._input, dict) else None
        if field.isidentifier():
            self.path = (*self.path, field)
        expected = _quoted(self._context.get("expected_tags", "")) or self._tags(field)
        if given is None:
            self.code = codes.missing
            self.hint = f"one of {', '.join(expected)}" if expected else None
            return f"{self._name()} is required"
        return self._not_one_of(expected, given)

    def _tags(self, field: str) -> list[str]:
        annotations = [m.model_fields[field].annotation for m in self._models[-1] if field in m.model_fields]
        return [str(value) for one in annotations for value in getattr(one, "__args__", ())]

    def _not_one_of(self, allowed: list[str], given: object) -> str:
        if not isinstance(given, str):
            return f"{self._name()} must be one of {', '.join(allowed)}"
        self.hint = _did_you_mean(given, allowed, otherwise="one of")
        return f"{self._name()} cannot be '{_short(given)}'"

    def _of_the_wrong_form(self, _codes: Codes) -> str:
        if self._type == "value_error":
            return str(self._context["error"])
        if self._type in _KIND_OF_VALUE:
            what = self._other_kind_of_value(_KIND_OF_VALUE[self._type])
        elif self._type == "string_too_short" or (self._type == "too_short" and not self._input):
            what = "must not be empty"
        elif self._type == "string_pattern_mismatch":
            what, self.hint = (
                "has a form that is not allowed here",
                f"it must match {self._context['pattern']}",
            )
        elif self._type in _MUST:
            what = _MUST[self._type](self._context)
        else:
            what = f"is wrong: {self._message[:1].lower()}{self._message[1:]}"
        return f"{self._name()} {what}"

    def _other_kind_of_value(self, wanted: str) -> str:
        if self._input is None:
            return f"is empty; it must be {wanted}"
        given = {Map: "a mapping", Seq: "a list"}.get(type(self._input), "a text")
        return f"must be {wanted}, not {given}"

    def _name(self) -> str:
        if not self.path:
            return "this"
        last = self.path[-1]
        if isinstance(last, str):
            return f"'{_short(last)}'"
        return f"item {last + 1} of '{self.path[-2]}'" if len(self.path) > 1 else f"item {last + 1}"

    def _example(self) -> str | None:
        owners: Iterable[type[BaseModel]] = self._models[-2] if len(self._models) > 1 else ()
        for model in owners:
            field = model.model_fields.get(str(self.path[-1]))
            if field is not None and field.examples and isinstance(field.examples[0], (str, int)):
                return f"for example {self.path[-1]}: {field.examples[0]}"
        return None


def follows(detail: ErrorDetails) -> bool:
    """Whether it only follows from others: a list is too short because what is wrong in it was not counted."""
    return detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]


def _items(count: int) -> str:
    return "1 item" if count == 1 else f"{count} items"


def _did_you_mean(word: str, choices: list[str], *, otherwise: str) -> str | None:
    if near := suggest(word, choices):
        return f"did you mean '{near}'?"
    return f"{otherwise} {', '.join(choices)}" if choices else None


def _quoted(listed: str) -> list[str]:
    """The values that pydantic lists as `'a', 'b' or 'c'`."""
    return [
        str(ast.literal_eval(one)) for one in re.findall(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", listed)
    ]


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
