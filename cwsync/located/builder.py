"""libyaml's events, built straight into located values.

Composing nodes first would take three times as long, and PyYAML's own loader turns `12:45` into 765,
keeps the last of two equal keys, and dies at deep nesting. Everything that is not needed here is
refused with its place: tags, recursion, keys that are not text.
"""

from __future__ import annotations

import sys
from typing import Any, Protocol

import yaml
from yaml import events

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


class _Frame:
    """A mapping or sequence that is still open."""

    __slots__ = ("anchor", "before", "height", "into", "key", "key_at", "merge", "merge_at")

    def __init__(self, into: Map | Seq, anchor: str | None, before: int) -> None:
        self.into = into
        self.anchor = anchor
        self.before = before
        self.height = 1
        self.key: str | None = None
        self.key_at = 0
        self.merge: Value = None
        self.merge_at = -1


class Builder:
    """Builds the documents of one file. `problems` collects what does not stop the reading."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.documents: list[Document] = []
        self.problems: list[Problem] = []
        self._anchors: dict[str, _Anchor | None] = {}
        self._stack: list[_Frame] = []
        self._values = 0

    def build(self, parser: Parser) -> list[Document]:
        """All documents that are not empty. Raises CwsyncError with all that is wrong in the file."""
        handlers = {
            events.ScalarEvent: self._scalar,
            events.MappingStartEvent: self._open_map,
            events.SequenceStartEvent: self._open_seq,
            events.MappingEndEvent: self._close_map,
            events.SequenceEndEvent: self._close,
            events.AliasEvent: self._alias,
            events.DocumentStartEvent: self._document,
        }
        handle = handlers.get
        try:
            next_event = parser.get_event
            while (event := next_event()) is not None:
                handler = handle(type(event))
                if handler is not None:
                    handler(event)
        except yaml.YAMLError as error:
            self.problems.append(in_words(error, self.source))
        except CwsyncError as error:
            self.problems.extend(error.problems)
        if self.problems:
            raise CwsyncError(*self.problems)
        return self.documents

    def _document(self, event: events.Event) -> None:
        self._anchors = {}
        if len(self.documents) >= MAX_DOCUMENTS:
            raise self._stop("CW104", f"more than {MAX_DOCUMENTS:,} documents in one file", event)

    def _scalar(self, event: Any) -> None:
        text: str = event.value
        offset: int = event.start_mark.index
        if event.tag is not None:
            self._refuse_tag(event)
        if len(text) > MAX_SCALAR:
            raise self._stop("CW104", f"a text of more than {MAX_SCALAR:,} characters", event)
        plain = event.implicit[0]
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.key is None and type(frame.into) is Map:
            self._key(frame, event, plain=plain)
            return
        value = None if plain and text in _NULLS else text
        size = 1 + len(text) // CHARACTERS_PER_VALUE
        self._count(size, event)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchor(value, size, 0)
        self._add(value, offset)

    def _key(self, frame: _Frame, event: Any, *, plain: bool) -> None:
        text: str = event.value
        if plain and text in _NULLS:
            raise self._stop("CW105", "a key is missing, or is null: a key must be text", event)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchor(text, 1, 0)
        key = sys.intern(text)
        offset = event.start_mark.index
        into = frame.into
        first = frame.merge_at if plain and key == _MERGE else -1
        if key in into and type(into) is Map:
            first = into.key_at(key)
        if first >= 0:
            where = self.source.place(first)
            message = f"'{_short(key)}' is given twice; the first is at {where}"
            self._note(self.source.problem("CW103", message, offset, hint="keep one of the two"))
        frame.key, frame.key_at = key, offset
        if plain and key == _MERGE:
            frame.merge_at = offset

    def _add(self, value: Value, offset: int) -> None:
        if not self._stack:
            if value is not None:
                self.documents.append(Document(value, self.source, offset))
            return
        frame = self._stack[-1]
        into = frame.into
        if type(into) is Seq:
            into.append(value)
            into.marks.append(offset)
        elif type(into) is Map and frame.key is not None:
            if frame.key_at == frame.merge_at:
                frame.merge = value
            else:
                dict.__setitem__(into, frame.key, value)
                into.marks[frame.key] = frame.key_at << 32 | offset
            frame.key = None

    def _open_map(self, event: Any) -> None:
        self._open(Map(self.source, event.start_mark.index), event)

    def _open_seq(self, event: Any) -> None:
        self._open(Seq(self.source, event.start_mark.index), event)

    def _open(self, into: Map | Seq, event: Any) -> None:
        if event.tag is not None:
            self._refuse_tag(event)
        if self._stack and self._stack[-1].key is None and type(self._stack[-1].into) is Map:
            raise self._stop("CW105", "a key that is a mapping or a list: a key must be text", event)
        if len(self._stack) >= MAX_DEPTH:
            raise self._stop("CW104", f"nested more than {MAX_DEPTH} levels deep", event)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._stack.append(_Frame(into, event.anchor, self._values))
        self._count(1, event)

    def _close_map(self, event: Any) -> None:
        frame = self._stack[-1]
        if frame.merge_at >= 0:
            self._merge(frame)
        self._close(event)

    def _close(self, event: Any) -> None:  # noqa: ARG002 - every handler takes its event
        frame = self._stack.pop()
        if frame.anchor is not None:
            self._anchors[frame.anchor] = _Anchor(frame.into, self._values - frame.before, frame.height)
        if self._stack:
            self._stack[-1].height = max(self._stack[-1].height, frame.height + 1)
        self._add(frame.into, frame.into.start)

    def _alias(self, event: Any) -> None:
        name: str = event.anchor
        if name not in self._anchors:
            raise self._stop("CW102", f"'*{_short(name)}' refers to an anchor that is not set above", event)
        anchor = self._anchors[name]
        if anchor is None:
            raise self._stop("CW105", f"'*{_short(name)}' stands inside what it refers to", event)
        if self._stack and self._stack[-1].key is None and type(self._stack[-1].into) is Map:
            raise self._stop("CW105", f"'*{_short(name)}' as a key: a key must be written out", event)
        if len(self._stack) + anchor.height > MAX_DEPTH:
            raise self._stop("CW104", f"nested more than {MAX_DEPTH} levels deep through aliases", event)
        self._count(anchor.values, event)
        if self._stack:
            self._stack[-1].height = max(self._stack[-1].height, anchor.height + 1)
        self._add(anchor.value, event.start_mark.index)

    def _merge(self, frame: _Frame) -> None:
        """`<<`: keys of the mapping win over merged ones, and earlier merged ones over later."""
        into = frame.into
        merged = frame.merge if type(frame.merge) is Seq else [frame.merge]
        for one in merged:
            if type(one) is not Map or type(into) is not Map:
                message = "'<<' takes a mapping or a list of mappings"
                self._note(self.source.problem("CW105", message, frame.merge_at))
                return
            for key, value in one.items():
                if key not in into:
                    into[key] = value
                    into.marks[key] = one.marks[key]

    def _count(self, values: int, event: Any) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            message = f"more than {MAX_VALUES:,} values in one file, with what its aliases repeat"
            raise self._stop("CW104", message, event)

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
