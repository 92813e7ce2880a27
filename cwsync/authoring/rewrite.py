"""Other values for fields of one resource, put into the text that people wrote: the rest of it stays as it is.

Whatever is not written in the resource itself (a default, a merged or repeated value, a variable) is overridden
there. No comment is lost: those within what goes are put above it. What comes out has to be read again and
compared by whoever asked for it: what a text means also depends on other files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from cwsync.authoring.emit import entry, flow
from cwsync.authoring.spans import Spans
from cwsync.kinds import Written
from cwsync.located import Document, Map, Seq, Value, at, load

Fields = Mapping[str, Written]


class NotWritable(Exception):  # noqa: N818 - not an error yet: there may be another way
    """The text has a form in which this cannot be written; the message says which."""


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    text: str


def rewritten(text: str, where: tuple[str, str], was: Fields, now: Fields, *, whole: bool = False) -> str:
    """The text (with "\\n" as line ends) in which the resource `where` (section, key) says `now` where it said `was`.

    With `whole` each field that differs is written anew, otherwise only what differs in it. Raises NotWritable.
    """
    resource, offset = _resource(load(text, ""), where)
    spans = Spans(text)
    if spans.content(offset).what == "*":
        raise NotWritable("the whole resource is an alias of another one")
    made = _Changes(spans, whole).in_map(resource, offset, was, now)
    edits = sorted(made, key=lambda one: (one.start, one.end))
    # From the end, so that offsets stay true; of several in one place the first comes first.
    for edit in edits[::-1]:
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _resource(documents: list[Document], where: tuple[str, str]) -> tuple[Map, int]:
    section, key = where
    for document in documents:
        resources, value = at(document, (section,)), at(document, where)
        if isinstance(resources, Map) and isinstance(value, Map):
            return value, resources.value_at(key)
    raise NotWritable("the resource is not a mapping of its own")


@dataclass(frozen=True)
class _Changes:
    """Makes the edits; `whole` takes every container as one value."""

    spans: Spans
    whole: bool

    def in_map(self, node: Map, offset: int, was: Fields, now: Fields) -> Iterator[_Edit]:
        differing = [
            key for key in {**was, **now} if key not in was or key not in now or was[key] != now[key]
        ]
        if not node and self._in_flow(offset):
            inner = ", ".join(flow_entry(key, now.get(key)) for key in differing)
            first = self.spans.content(offset)
            yield _Edit(first.end, first.end, inner)
            return
        own = [key for key in node if self._own(node, offset, key)]
        gone = [key for key in own if key in was and key not in now]
        if gone and (len(gone) == len(own) or (len(gone) > 1 and self._in_flow(offset))):
            raise NotWritable("most of what is written there would go")
        for key in differing:
            if not self._own(node, offset, key):
                yield self._inserted(node, offset, key, now)
            elif key not in now:
                yield from self._deleted(node, offset, key)
            elif self._plain(node[key]) != _text(now[key]):
                yield from self._value(node, offset, key, was.get(key), now[key])

    def _own(self, node: Map, offset: int, key: str) -> bool:
        """Whether a key is written in the mapping itself, not in one that is merged into it."""
        return key in node and offset <= node.key_at(key) < self.spans.end(offset, node)

    def _plain(self, value: Value) -> object:
        if isinstance(value, Map):
            return {key: self._plain(item) for key, item in value.items()}
        return [*map(self._plain, value)] if isinstance(value, Seq) else value

    def _value(self, node: Map, offset: int, key: str, was: Written, now: Written) -> Iterator[_Edit]:
        """Another value for a key: only what differs in it, where it has the form that it is expected to have."""
        value, start = node[key], node.value_at(key)
        first = self.spans.token(start)
        if not self.whole and first is not None and first.what != "*":
            try:
                if isinstance(value, Map) and isinstance(was, dict) and isinstance(now, dict):
                    yield from [*self.in_map(value, start, was, now)]
                    return
                if isinstance(value, Seq) and isinstance(was, list) and isinstance(now, list):
                    yield from [*self._in_list(value, start, was, now)]
                    return
            except NotWritable:
                pass
        yield from self._replaced(node, offset, key, now)

    def _replaced(self, node: Map, offset: int, key: str, now: Written) -> Iterator[_Edit]:
        key_at, start = node.key_at(key), node.value_at(key)
        first = self.spans.token(start)
        if first is None or first.what not in ("scalar", "*", "&", "[", "{", "-", "?"):
            colon = self.spans.text.index(":", key_at + len(key))
            yield _Edit(colon + 1, colon + 1, f" {flow(now, key)}")
            return
        end = self.spans.end(start, node[key])
        if self._in_flow(offset):
            yield _Edit(start, end, self._like(start, now, key))
            return
        column = self.spans.column(key_at)
        lines = [*entry(key, now, column)]
        simple = not isinstance(node[key], Map | Seq) or first.what in ("[", "{", "*")
        if simple and len(lines) == 1:
            yield from self._kept(key_at, self.spans.comments(start, end))
            yield _Edit(start, end, self._like(start, now, key))
        else:
            yield from self._kept(key_at, self.spans.comments(key_at, end))
            yield _Edit(key_at, end, "\n".join(lines)[column:])

    def _like(self, start: int, now: Written, key: str) -> str:
        """The value in one line, in the quotes that the text before it had."""
        made = flow(now, key)
        style = self.spans.content(start).style
        return (
            f"{style}{made}{style}" if style in ("'", '"') and isinstance(now, str) and made == now else made
        )

    def _kept(self, offset: int, comments: list[str]) -> Iterator[_Edit]:
        """Comments that would go, above the line that an offset is in."""
        line = self.spans.line(offset)
        indent = len(self.spans.text[line:]) - len(self.spans.text[line:].lstrip(" "))
        if comments:
            yield _Edit(line, line, "".join(f"{' ' * indent}{one}\n" for one in comments))

    def _in_flow(self, offset: int) -> bool:
        return self.spans.content(offset).what in ("{", "[")

    def _inserted(self, node: Map, offset: int, key: str, now: Fields) -> _Edit:
        """A new entry behind those that come before it; what may be left out is said to be not there by null."""
        value = now.get(key)
        order = [*now]
        own = [one for one in node if self._own(node, offset, one)]
        ahead = [one for one in order[: order.index(key) if key in now else None] if one in own]
        first = self.spans.content(offset)
        if first.what == "{":
            if ahead:
                end = self.spans.end(node.value_at(ahead[-1]), node[ahead[-1]])
                return _Edit(end, end, f", {flow_entry(key, value)}")
            empty = self.spans.text[first.end :].lstrip().startswith("}")
            return _Edit(first.end, first.end, flow_entry(key, value) + ("" if empty else ", "))
        column = self.spans.column(first.start)
        lines = "".join(line + "\n" for line in entry(key, value, column))
        if ahead or not self.spans.first_in_line(first.start):
            last = ahead[-1] if ahead else (own or [""])[0]
            if last not in node:
                raise NotWritable("there is no line of its own to write it below")
            return self._below(self._end(node, last), lines)
        line = self.spans.line(first.start)
        return _Edit(line, line, lines)

    def _end(self, node: Map, key: str) -> int:
        """Where an entry ends, whose value may be left out."""
        start = node.value_at(key)
        if self.spans.token(start) is None or start < node.key_at(key):
            return self.spans.text.index(":", node.key_at(key)) + 1
        return self.spans.end(start, node[key])

    def _below(self, offset: int, lines: str) -> _Edit:
        after = self.spans.next_line(offset)
        missing = "" if self.spans.text[:after].endswith("\n") else "\n"
        return _Edit(after, after, missing + lines)

    def _deleted(self, node: Map, offset: int, key: str) -> Iterator[_Edit]:
        key_at, end = node.key_at(key), self._end(node, key)
        own = [one for one in node if self._own(node, offset, one)]
        if not self._in_flow(offset):
            yield from self._line_deleted(key_at, end)
            return
        index = own.index(key)
        if index + 1 < len(own):
            yield _Edit(key_at, node.key_at(own[index + 1]), "")
        else:
            yield _Edit(self._end(node, own[index - 1]), end, "")

    def _line_deleted(self, start: int, end: int) -> Iterator[_Edit]:
        if not self.spans.first_in_line(start):
            raise NotWritable("it does not stand on lines of its own")
        after = self.spans.next_line(end)
        kept = "".join(
            f"{' ' * self.spans.column(start)}{one}\n" for one in self.spans.comments(start, after)
        )
        yield _Edit(self.spans.line(start), after, kept)

    def _in_list(self, node: Seq, offset: int, was: list[Written], now: list[Written]) -> Iterator[_Edit]:
        """Items that went, came or changed; the others stay where they are."""
        if len(node) != len(was):
            raise NotWritable("it has another number of items than was applied")
        if self._in_flow(offset) and not all(isinstance(item, Map) for item in node):
            raise NotWritable("a list in one line is written anew")
        if not now or (self._in_flow(offset) and len(was) != len(now)):
            raise NotWritable("what is left is written anew")
        was, now = self._as_written(node, was, now)
        matcher = SequenceMatcher(None, [*map(_key, was)], [*map(_key, now)], autojunk=False)
        for tag, old, old_end, new, new_end in matcher.get_opcodes():
            pairs = min(old_end - old, new_end - new) if tag != "equal" else old_end - old
            for index in range(pairs if tag != "equal" else 0):
                yield from self._item(node, old + index, was[old + index], now[new + index])
            for index in range(old + pairs, old_end):
                end = self.spans.end(node.marks[index], node[index])
                yield from self._line_deleted(self._dash(node, index), end)
            if new + pairs < new_end:
                yield self._items_inserted(node, old + pairs - 1, now[new + pairs : new_end])

    def _as_written(
        self, node: Seq, was: list[Written], now: list[Written]
    ) -> tuple[list[Written], list[Written]]:
        """Both in the order of the file, where the items are plain texts: some lists have none of their own."""
        if all(isinstance(item, dict) for item in (*was, *now)):
            return was, now
        items = {_key(item): item for item in was}
        written = [items.get(_key(item)) for item in map(self._plain, node) if isinstance(item, str)]
        if len(items) != len(was) or None in written or len(written) != len(was):
            raise NotWritable("its items are called otherwise")
        return written, [one for one in written if one in now] + [one for one in now if one not in was]

    def _item(self, node: Seq, index: int, was: Written, now: Written) -> Iterator[_Edit]:
        item, start = node[index], node.marks[index]
        if isinstance(item, Map) and isinstance(was, dict) and isinstance(now, dict):
            if self.spans.content(start).what == "*":
                yield _Edit(start, self.spans.end(start, item), flow(now))
            else:
                yield from self.in_map(item, start, was, now)
        elif isinstance(item, str) and isinstance(now, str):
            yield _Edit(start, self.spans.end(start, item), self._like(start, now, ""))
        else:
            raise NotWritable("an item has another form")

    def _dash(self, node: Seq, index: int) -> int:
        return self.spans.before(node.marks[index]).start

    def _items_inserted(self, node: Seq, behind: int, items: list[Written]) -> _Edit:
        column = self.spans.column(self._dash(node, 0))
        lines = "".join(
            line + "\n" for item in items for line in [*entry("-", [item], column - 2, block=True)][1:]
        )
        if behind < 0:
            line = self.spans.line(self._dash(node, 0))
            return _Edit(line, line, lines)
        return self._below(self.spans.end(node.marks[behind], node[behind]), lines)


def flow_entry(key: str, value: Written) -> str:
    return f"{key}: {flow(value, key)}"


def _key(item: Written) -> str:
    return json.dumps(item, sort_keys=True)


def _text(value: Written) -> object:
    """A value as located text has it."""
    if isinstance(value, dict):
        return {key: _text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [*map(_text, value)]
    return value if value is None or isinstance(value, str) else json.dumps(value)
