"""libyaml's events, built straight into located values.

Composing nodes first would take three times as long, and PyYAML's own loader turns `12:45` into 765,
keeps the last of two equal keys, and dies at deep nesting. Everything that is not needed here is
refused with its place: tags, recursion, keys that are not text.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Protocol, cast

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from cwsync.errors import CwsyncError, Problem
from cwsync.located.values import Document, Map, Seq, Source, Value
from cwsync.located.words import in_words

# Deeper than any manifest, and far from where recursion over the values would end.
MAX_DEPTH = 100
# Values of one file with what its aliases add: some twenty thousand resources, and about a second of
# reading. Each level of a "billion laughs" multiplies by ten.
MAX_VALUES = 500_000
# Repeating a long text through aliases costs, too: this many characters count as one more value.
CHARACTERS_PER_VALUE = 64
# A certificate chain or a long mapping note is some ten thousand characters.
MAX_SCALAR = 1_000_000
# One document a resource, for all the resources that fit.
MAX_DOCUMENTS = 25_000
# Nobody reads more about one file.
MAX_PROBLEMS = 100

_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_MERGE = "<<"


class Parser(Protocol):
    """What hands out the events of a text."""

    def get_event(self) -> Any: ...


def parser_for(text: str) -> Parser:
    """libyaml's parser, or PyYAML's own where PyYAML was built without libyaml: slower, same events."""
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    parser: Parser = loader(text)
    return parser


class _Anchor:
    """What an alias stands for, how many values it adds, and how deep they go."""

    __slots__ = ("height", "value", "values")

    def __init__(self, value: Value, values: int, height: int) -> None:
        self.value = value
        self.values = values
        self.height = height


class Builder:
    """Builds the documents of one file. `problems` collects what does not stop the reading.

    `depth` says how many mappings and lists are open around a value.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.documents: list[Document] = []
        self.problems: list[Problem] = []
        self._next: Callable[[], Any] = lambda: None
        self._anchors: dict[str, _Anchor | None] = {}
        self._values = 0
        self._deepest = 0

    def build(self, parser: Parser) -> list[Document]:
        """All documents that are not empty. Raises CwsyncError with all that is wrong in the file."""
        self._next = parser.get_event
        try:
            while (event := self._next()) is not None:
                if type(event) is DocumentStartEvent:
                    self._document(event)
        except yaml.YAMLError as error:
            self.problems.append(in_words(error, self.source))
        except CwsyncError as error:
            self.problems.extend(error.problems)
        if self.problems:
            raise CwsyncError(*self.problems)
        return self.documents

    def _document(self, event: Any) -> None:
        self._anchors = {}
        if len(self.documents) >= MAX_DOCUMENTS:
            raise self._stop("CW104", f"more than {MAX_DOCUMENTS:,} documents in one file", event)
        first = self._next()
        value = self._value(first, 0)
        if value is not None:
            self.documents.append(Document(value, self.source, first.start_mark.index))

    def _value(self, event: Any, depth: int) -> Value:
        if type(event) is ScalarEvent:
            text: str = event.value
            if event.tag is not None:
                self._refuse_tag(event)
            value = None if text in _NULLS and event.implicit[0] else text
            size = 1 if len(text) < CHARACTERS_PER_VALUE else self._size(event)
            self._values += size
            if self._values > MAX_VALUES:
                raise self._too_many(event)
            if event.anchor is not None:
                self._anchors[event.anchor] = _Anchor(value, size, 0)
            return value
        if type(event) is AliasEvent:
            return self._alias(event, depth)
        return self._open(event, depth)

    def _size(self, event: Any) -> int:
        """How many values a long text counts as."""
        if len(event.value) > MAX_SCALAR:
            raise self._stop("CW104", f"a text of more than {MAX_SCALAR:,} characters", event)
        return 1 + len(event.value) // CHARACTERS_PER_VALUE

    def _open(self, event: Any, depth: int) -> Map | Seq:
        """A mapping or a list, to its end."""
        if event.tag is not None:
            self._refuse_tag(event)
        if depth >= MAX_DEPTH:
            raise self._stop("CW104", f"nested more than {MAX_DEPTH} levels deep", event)
        fill = self._map if type(event) is MappingStartEvent else self._seq
        if event.anchor is None:
            self._count(1, event)
            if depth >= self._deepest:
                self._deepest = depth + 1
            return fill(event, depth + 1)
        self._anchors[event.anchor] = None
        before, around = self._values, self._deepest
        self._count(1, event)
        self._deepest = depth + 1
        value = fill(event, depth + 1)
        self._anchors[event.anchor] = _Anchor(value, self._values - before, self._deepest - depth)
        self._deepest = max(around, self._deepest)
        return value

    def _seq(self, event: Any, depth: int) -> Seq:
        into = Seq(self.source, event.start_mark.index)
        marks, next_event = into.marks, self._next
        while type(event := next_event()) is not SequenceEndEvent:
            into.append(self._value(event, depth))
            marks.append(event.start_mark.index)
        return into

    def _map(self, event: Any, depth: int) -> Map:
        into = Map(self.source, event.start_mark.index)
        marks, next_event = into.marks, self._next
        merge, merge_at = cast("Value", None), -1
        while type(event := next_event()) is not MappingEndEvent:
            key, key_at = self._key(event), event.start_mark.index
            merging = key == _MERGE and event.implicit[0]
            if key in into or (merging and merge_at >= 0):
                self._twice(key, into.key_at(key) if key in into else merge_at, key_at)
            value = self._value(event := next_event(), depth)
            if merging:
                merge, merge_at = value, key_at
            else:
                into[key] = value
                marks[key] = key_at << 32 | event.start_mark.index
        if merge_at >= 0:
            self._merge(into, merge, merge_at)
        return into

    def _key(self, event: Any) -> str:
        if type(event) is not ScalarEvent:
            raise self._no_key(event)
        text: str = event.value
        if event.tag is not None:
            self._refuse_tag(event)
        if len(text) > CHARACTERS_PER_VALUE:
            self._size(event)
        if text in _NULLS and event.implicit[0]:
            raise self._stop("CW105", "a key is missing, or is null: a key must be text", event)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchor(text, 1, 0)
        return sys.intern(text)

    def _no_key(self, event: Any) -> CwsyncError:
        if type(event) is not AliasEvent:
            if event.tag is not None:
                self._refuse_tag(event)
            return self._stop("CW105", "a key that is a mapping or a list: a key must be text", event)
        self._anchor(event)
        return self._stop(
            "CW105", f"'*{_short(str(event.anchor))}' as a key: a key must be written out", event
        )

    def _twice(self, key: str, first: int, second: int) -> None:
        message = f"'{_short(key)}' is given twice; the first is at {self.source.place(first)}"
        self._note(self.source.problem("CW103", message, second, hint="keep one of the two"))

    def _anchor(self, event: Any) -> _Anchor:
        name: str = event.anchor
        if name not in self._anchors:
            raise self._stop("CW102", f"'*{_short(name)}' refers to an anchor that is not set above", event)
        anchor = self._anchors[name]
        if anchor is None:
            raise self._stop("CW105", f"'*{_short(name)}' stands inside what it refers to", event)
        return anchor

    def _alias(self, event: Any, depth: int) -> Value:
        anchor = self._anchor(event)
        if depth + anchor.height > MAX_DEPTH:
            raise self._stop("CW104", f"nested more than {MAX_DEPTH} levels deep through aliases", event)
        self._count(anchor.values, event)
        self._deepest = max(self._deepest, depth + anchor.height)
        return anchor.value

    def _merge(self, into: Map, merge: Value, merge_at: int) -> None:
        """`<<`: keys of the mapping win over merged ones, and earlier merged ones over later."""
        for one in merge if type(merge) is Seq else [merge]:
            if type(one) is not Map:
                message = "'<<' takes a mapping or a list of mappings"
                self._note(self.source.problem("CW105", message, merge_at))
                return
            for key, value in one.items():
                if key not in into:
                    into[key] = value
                    into.marks[key] = one.marks[key]

    def _count(self, values: int, event: Any) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            raise self._too_many(event)

    def _too_many(self, event: Any) -> CwsyncError:
        message = f"more than {MAX_VALUES:,} values in one file, with what its aliases repeat"
        return self._stop("CW104", message, event)

    def _refuse_tag(self, event: Any) -> None:
        tag = _short(event.tag.replace("tag:yaml.org,2002:", "!!"))
        message = f"the tag '{tag}' has no meaning here"
        hint = "leave the tag out; a field's type decides how its value is read"
        self._note(self.source.problem("CW105", message, event.start_mark.index, hint=hint))

    def _note(self, problem: Problem) -> None:
        """Remember a problem and go on."""
        if len(self.problems) >= MAX_PROBLEMS:
            raise CwsyncError
        self.problems.append(problem)

    def _stop(self, code: str, message: str, event: Any) -> CwsyncError:
        return CwsyncError(self.source.problem(code, message, event.start_mark.index))


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
