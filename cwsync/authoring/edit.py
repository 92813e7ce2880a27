"""Additions to cwsync.yaml, which people edit by hand: whatever stands there stays as it is.

Entries are put in as text, right below the key of their mapping or at the end of the file, and only where the
file then reads as before with nothing but the entries added. Where that cannot be done, nothing is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cwsync.authoring.emit import entry, flow, scalar
from cwsync.errors import CwsyncError
from cwsync.kinds import Written
from cwsync.located import Document, Map, Value, at, load

Entries = Mapping[str, Written]


def with_entries(text: str, path: tuple[str, ...], entries: Entries) -> str | None:
    """The text with entries in the mapping at `path`, which is made where it is missing; None where it is not safe."""
    before = _document(text)
    if before is None or not isinstance(before.value, Map):
        return None
    try:
        expected = _added(_plain(before.value), path, entries)
    except (TypeError, ValueError):
        return None
    end = "\r\n" if "\r\n" in text else "\n"
    made = _placed(before, path, entries).text(text, end)
    after = _document(made)
    return made if after is not None and _plain(after.value) == expected else None


@dataclass(frozen=True)
class _Insertion:
    """Text to put in at an offset; `lines` are whole lines of their own."""

    at: int
    lines: tuple[str, ...] = ()
    inline: str = ""

    def text(self, text: str, end: str) -> str:
        head, tail = text[: self.at], text[self.at :]
        if not self.lines:
            return head + self.inline + tail
        if head and not head.endswith("\n"):
            head += end
        return head + "".join(line + end for line in self.lines) + tail


def _placed(document: Document, path: tuple[str, ...], entries: Entries) -> _Insertion:
    text = document.source.text
    value, holder = at(document, path), at(document, path[:-1])
    if not path or not isinstance(holder, Map) or path[-1] not in holder:
        if not path:
            return _Insertion(len(text), tuple(_below(entries, 0)))
        if len(path) == 1:
            return _Insertion(len(text), ("", *entry(path[0], {**entries}, 0, block=True)))
        return _placed(document, path[:-1], {path[-1]: {**entries}})
    offset = holder.value_at(path[-1])
    if text[offset : offset + 1] == "{":
        more = ", " if value else ""
        inner = ", ".join(f"{scalar(key)}: {flow(item, key)}" for key, item in entries.items())
        return _Insertion(offset + 1, inline=f"{inner}{more}")
    key_at = holder.key_at(path[-1])
    column = document.source.place(key_at).column - 1
    if isinstance(value, Map) and value:
        column = document.source.place(value.key_at(next(iter(value)))).column - 3
    below = text.find("\n", key_at) + 1
    return _Insertion(below or len(text), tuple(_below(entries, column + 2)))


def _below(entries: Entries, indent: int) -> list[str]:
    return [line for key, item in entries.items() for line in entry(key, item, indent)]


def _document(text: str) -> Document | None:
    try:
        documents = load(text, "cwsync.yaml")
    except CwsyncError:
        return None
    return documents[0] if len(documents) == 1 else None


def _plain(value: Value) -> Written:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _added(value: Written, path: tuple[str, ...], entries: Entries) -> Written:
    """What the file must read as. Raises TypeError or ValueError where something stands in the way."""
    if value is None:
        value = {}
    if not isinstance(value, dict):
        raise TypeError(path)
    if path:
        return {**value, path[0]: _added(value.get(path[0]), path[1:], entries)}
    if value.keys() & entries.keys():
        raise ValueError(path)
    return {**value, **entries}
