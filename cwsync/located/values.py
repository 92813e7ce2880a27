"""Plain values that know where they stand in their file.

A mapping is a `Map` (a dict), a sequence a `Seq` (a list), so pydantic and everything else take them
as they are. **Every scalar is text**, exactly as written, except the plain `null`, `~` and nothing,
which are None. `12:45`, `on`, `2020-07-03`, `007` and `9E99` are text; whoever knows the field's type
turns them into what they mean (`cwsync.checked`).

Places are offsets into the file's text; lines and columns are worked out only when one is shown.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from cwsync.errors import Place, Problem

Value: TypeAlias = "str | Map | Seq | None"
Path: TypeAlias = tuple[str | int, ...]

# A longer line says little with a caret below it, and fills a screen.
LONGEST_LINE_SHOWN = 500

_LINE_END = re.compile(r"\r\n?|\n")

# A line is not shown when it gives a value to something whose name sounds like a secret, or holds an
# address with a password or a query. The message still says where. This errs on the side of silence.
_MAY_HOLD_A_SECRET = re.compile(
    r"""(?ix) (secret | pass | pwd | token | key | credential | sas | authenticate | basic) [\w-]* ["']?
        \s* : \s*+ (?! \{ | $ | \# )
    | :// \S* [@?]"""
)


class Source:
    """One file's text, and the way from an offset to a line and column."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *[end.end() for end in _LINE_END.finditer(self.text)]]

    @cached_property
    def may_hold_variables(self) -> bool:
        """Whether `${` can be in any text of the file: as it is, or with an escape."""
        return "$" in self.text or "\\" in self.text

    def place(self, offset: int) -> Place:
        """The place of the character at `offset`; lines and columns count from 1."""
        line = bisect_right(self._starts, offset)
        return Place(self.file, line, offset - self._starts[line - 1] + 1)

    def line(self, number: int) -> str | None:
        """The text of a line to show below a message; None where it may hold a secret or is too long."""
        start = self._starts[number - 1]
        end = self._starts[number] if number < len(self._starts) else len(self.text)
        if end - start > LONGEST_LINE_SHOWN:
            return None
        text = self.text[start:end].rstrip("\r\n")
        return None if _MAY_HOLD_A_SECRET.search(text) else text

    def problem(self, code: str, message: str, offset: int, *, hint: str | None = None) -> Problem:
        """A problem at `offset`, with its line."""
        place = self.place(offset)
        return Problem(code, message, place=place, hint=hint, source=self.line(place.line))


class Map(dict[str, Value]):
    """A mapping. `marks[key]` holds the offsets of the key and of its value, packed into one number."""

    __slots__ = ("borrowed", "marks", "source", "start")

    def __init__(self, source: Source, start: int) -> None:
        self.source = source
        self.start = start
        self.marks: dict[str, int] = {}
        self.borrowed: dict[str, Source] | None = None
        """For keys that `overlay` took from another mapping: the file that they come from."""

    def put(self, key: str, value: Value, key_at: int, value_at: int) -> None:
        """Set a key together with its places."""
        self[key] = value
        self.marks[key] = key_at << 32 | value_at

    def source_of(self, key: str) -> Source:
        return (self.borrowed or {}).get(key, self.source)

    def key_at(self, key: str) -> int:
        return self.marks[key] >> 32

    def value_at(self, key: str) -> int:
        return self.marks[key] & 0xFFFFFFFF


class Seq(list[Value]):
    """A sequence. `marks[index]` is the offset of the item."""

    __slots__ = ("marks", "source", "start")

    def __init__(self, source: Source, start: int) -> None:
        self.source = source
        self.start = start
        self.marks: list[int] = []


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: its value, and the file that it stands in."""

    value: Value
    source: Source = field(repr=False)
    start: int

    @property
    def file(self) -> str:
        return self.source.file


Root: TypeAlias = Document | Map | Seq


def place(root: Root, path: Path = (), *, key: bool = False) -> Place:
    """Where the value at `path` begins, or with `key` where its key begins.

    Where nothing is at `path` (a field that is missing, say) it is the place of the nearest parent
    that exists: of its key, where it has one.
    """
    source, offset = _locate(root, path, key=key)
    return source.place(offset)


def problem(
    code: str,
    message: str,
    root: Root,
    path: Path = (),
    *,
    key: bool = False,
    hint: str | None = None,
    address: str | None = None,
    hide: bool = False,
) -> Problem:
    """A problem at the value (or the key) at `path`, with its line; `hide` leaves the line out."""
    source, offset = _locate(root, path, key=key)
    at = source.place(offset)
    shown = None if hide else source.line(at.line)
    return Problem(code, message, place=at, hint=hint, source=shown, address=address)


def at(root: Document | Value, path: Path) -> Value:
    """The value at `path`, or None where there is none."""
    value: Value = root.value if isinstance(root, Document) else root
    for step in path:
        if not has(value, step):
            return None
        value = value[step]  # type: ignore[index] # has() has looked
    return value


def overlay(below: Map, above: Map) -> Map:
    """`above` with the keys that only `below` has, each keeping its place; neither is changed."""
    result = clone(above)
    borrowed = dict(above.borrowed or {})
    for key, value in below.items():
        if key not in result:
            result[key] = value
            result.marks[key] = below.marks[key]
            borrowed[key] = below.source_of(key)
    result.borrowed = borrowed or None
    return result


def clone(original: Map) -> Map:
    """A shallow copy with the same places."""
    result = Map(original.source, original.start)
    result.update(original)
    result.marks = dict(original.marks)
    result.borrowed = original.borrowed
    return result


def has(value: Value, step: str | int) -> bool:
    """Whether the value is a mapping with this key, or a list with this index."""
    if isinstance(value, Map):
        return step in value
    return isinstance(value, Seq) and isinstance(step, int) and 0 <= step < len(value)


def _locate(root: Root, path: Path, *, key: bool) -> tuple[Source, int]:
    value: Value = root.value if isinstance(root, Document) else root
    source = root.source
    value_at = key_at = root.start
    for step in path:
        if isinstance(value, Map) and isinstance(step, str) and step in value:
            source, key_at, value_at = value.source_of(step), value.key_at(step), value.value_at(step)
            value = value[step]
        elif isinstance(value, Seq) and isinstance(step, int) and 0 <= step < len(value):
            source, key_at, value_at = value.source, value.marks[step], value.marks[step]
            value = value[step]
        else:
            return source, key_at
    return source, key_at if key else value_at
