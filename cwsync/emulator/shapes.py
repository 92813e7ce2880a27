"""What a JSON value must look like, to the key: a predicate, and the JSON Schema that says the same.

The service answers a wrong body with one fixed message and no reason, so a yes or no is all that is
needed. The schema is what /openapi.json publishes; where a predicate knows more than a schema can say
(two elements with one key, a day that no calendar has), the schema is the wider of the two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    holds: Callable[[Any], bool]
    schema: Schema

    def __call__(self, value: Any) -> bool:
        return self.holds(value)

    def but(self, more: Callable[[Any], bool], **schema: Any) -> Shape:
        """The values of this shape for which something more holds."""
        return Shape(lambda value: self.holds(value) and more(value), {**self.schema, **schema})


def _text(value: Any) -> bool:
    """A string that says something and that every store can hold."""
    return isinstance(value, str) and bool(value.strip()) and "\0" not in value and _encodable(value)


def _encodable(value: str) -> bool:
    # JSON can spell half a surrogate pair, which is no text in any encoding.
    return not any("\ud800" <= character <= "\udfff" for character in value)


def matching(pattern: str) -> Shape:
    """A string that the pattern fits as a whole."""
    fits = re.compile(pattern).fullmatch
    schema = {"type": "string", "pattern": f"^(?:{pattern})$"}
    return Shape(lambda value: isinstance(value, str) and fits(value) is not None, schema)


anything = Shape(lambda _value: True, {})
never = Shape(lambda _value: False, {"not": {}})
nothing = Shape(lambda value: value is None, {"type": "null"})
an_object = Shape(lambda value: isinstance(value, dict), {"type": "object"})
string = Shape(lambda value: isinstance(value, str), {"type": "string"})
text = Shape(_text, {"type": "string", "pattern": r"^[^\x00]*[^\s\x00][^\x00]*$"})
flag = Shape(lambda value: isinstance(value, bool), {"type": "boolean"})
# A connection's or integration's name: 60 characters, letters and digits at both ends (facts D).
name = matching(r"[^\W_](?:[\w \-]{0,58}[^\W_])?")
# An Anaplan action, file or process id: digits, in a string (facts B26).
digits = matching(r"[0-9]{1,30}")
# A user's id: 32 hexadecimal digits, or the same with dashes (facts B25).
guid = matching(r"(?:[0-9a-fA-F]-*){32}")


def whole(low: int, high: int) -> Shape:
    """An integer from low to high; true and false are not integers here."""
    return Shape(
        lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high,
        {"type": "integer", "minimum": low, "maximum": high},
    )


def one_of(*values: str) -> Shape:
    return Shape(lambda value: isinstance(value, str) and value in values, {"enum": list(values)})


def either(*shapes: Shape) -> Shape:
    return Shape(
        lambda value: any(shape(value) for shape in shapes), {"anyOf": [shape.schema for shape in shapes]}
    )


def listing(item: Shape, least: int = 0, most: int | None = None) -> Shape:
    bounds = {"minItems": least} | ({} if most is None else {"maxItems": most})
    return Shape(
        lambda value: (
            isinstance(value, list)
            and least <= len(value) <= (len(value) if most is None else most)
            and all(item(element) for element in value)
        ),
        {"type": "array", "items": item.schema, **bounds},
    )


def distinct(shape: Shape, key: Callable[[Any], Any] = lambda value: value) -> Shape:
    """A list of that shape in which no key comes twice."""
    return shape.but(lambda value: len({key(element) for element in value}) == len(value), uniqueItems=True)


def record(required: Mapping[str, Shape], optional: Mapping[str, Shape] | None = None) -> Shape:
    """An object with all the required keys, any of the optional ones, and no other."""
    every = {**required, **(optional or {})}
    return Shape(
        lambda value: (
            isinstance(value, dict)
            and value.keys() <= every.keys()
            and value.keys() >= required.keys()
            and all(every[key](element) for key, element in value.items())
        ),
        {**_properties(every), "required": list(required), "additionalProperties": False},
    )


def loose(known: Mapping[str, Shape]) -> Shape:
    """An object whose known keys, where it has them, fit; it may have any others."""
    return Shape(
        lambda value: (
            isinstance(value, dict) and all(known[key](value[key]) for key in value.keys() & known.keys())
        ),
        _properties(known),
    )


def _properties(shapes: Mapping[str, Shape]) -> dict[str, Any]:
    return {"type": "object", "properties": {key: shape.schema for key, shape in shapes.items()}}
