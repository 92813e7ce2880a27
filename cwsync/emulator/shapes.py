"""Predicates over JSON values: what a body must look like, to the key.

The service answers a wrong body with one fixed message and no reason, so a predicate is all that
is needed: it says yes or no.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Shape = Callable[[Any], bool]


def text(value: Any) -> bool:
    """A string that says something and that every store can hold."""
    return isinstance(value, str) and bool(value.strip()) and "\0" not in value and _encodable(value)


def _encodable(value: str) -> bool:
    # JSON can spell half a surrogate pair, which is no text in any encoding.
    return not any("\ud800" <= character <= "\udfff" for character in value)


def name(value: Any) -> bool:
    """A connection's or integration's name: 60 characters, letters and digits at both ends (facts D)."""
    return (
        text(value)
        and len(value) <= 60
        and value[0].isalnum()
        and value[-1].isalnum()
        and all(character.isalnum() or character in " -_" for character in value)
    )


def flag(value: Any) -> bool:
    return isinstance(value, bool)


def digits(value: Any) -> bool:
    """An Anaplan action, file or process id: digits, in a string (facts B26)."""
    return isinstance(value, str) and re.fullmatch(r"[0-9]{1,30}", value) is not None


def guid(value: Any) -> bool:
    """A user's id: 32 hexadecimal digits, or the same with dashes (facts B25)."""
    return isinstance(value, str) and re.fullmatch(r"[0-9a-fA-F]{32}", value.replace("-", "")) is not None


def whole(low: int, high: int) -> Shape:
    """An integer from low to high; true and false are not integers here."""
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def one_of(*values: str) -> Shape:
    return lambda value: isinstance(value, str) and value in values


def either(*shapes: Shape) -> Shape:
    return lambda value: any(shape(value) for shape in shapes)


def listing(item: Shape, least: int = 0, most: int | None = None) -> Shape:
    return lambda value: (
        isinstance(value, list)
        and least <= len(value) <= (len(value) if most is None else most)
        and all(item(element) for element in value)
    )


def distinct(shape: Shape, key: Callable[[Any], Any] = lambda value: value) -> Shape:
    """A list of that shape in which no key comes twice."""
    return lambda value: shape(value) and len({key(element) for element in value}) == len(value)


def record(required: Mapping[str, Shape], optional: Mapping[str, Shape] | None = None) -> Shape:
    """An object with all the required keys, any of the optional ones, and no other."""
    every = {**required, **(optional or {})}
    return lambda value: (
        isinstance(value, dict)
        and value.keys() <= every.keys()
        and value.keys() >= required.keys()
        and all(every[key](element) for key, element in value.items())
    )
