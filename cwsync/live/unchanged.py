"""What a fast plan need not read: an object whose list shows it as it was when it was last read in full.

A change of an object gives it another modification date, as far as anybody has seen. Whether every change does
is not known, so this is for looking only: what is to be changed, and all that `drift` and `apply` look at, is
read in full.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from cwsync.kinds import Kind, Observed, same_id
from cwsync.live.wire import Item, observe
from cwsync.state import Entry, State


class LastRead:
    """What the state says of objects that were read in full, by kind and normalised id."""

    def __init__(self, state: State | None = None) -> None:
        self._entries: dict[tuple[str, str], Entry] = {}
        for entry in state.resources.values() if state else ():
            if entry.seen is not None:
                self._entries[entry.kind, same_id(entry.id)] = entry

    def assumed(
        self, kind: Kind, listed: Mapping[str, Observed], items: Mapping[str, Item]
    ) -> Iterable[Observed]:
        """Of what a list shows, the objects that are as they were: with the fields of the state."""
        for id, one in listed.items():
            entry = self._entries.get((kind.name, id))
            if entry and one.modified_at == entry.seen and _same_shape(kind, items[id], entry):
                fields: Any = entry.applied
                for pattern in entry.unread:  # what nobody was shown then is not shown now
                    fields = _without(fields, pattern.split("."))
                yield replace(one, fields=fields)


def _without(value: Any, pattern: list[str]) -> Any:
    """The value without what the pattern leads to; `value` itself stays as it is."""
    head, rest = pattern[0], pattern[1:]
    if isinstance(value, list) and head == "*":
        return [_without(item, rest) for item in value]
    if not isinstance(value, Mapping) or (head != "*" and head not in value):
        return value
    if not rest:
        return {key: item for key, item in value.items() if head not in ("*", key)}
    return {key: _without(item, rest) if head in ("*", key) else item for key, item in value.items()}


def _same_shape(kind: Kind, item: Item, entry: Entry) -> bool:
    """Whether what a list's item does tell is what was applied."""
    shown, listing = observe(kind, item), kind.listing
    assert shown is not None
    assert listing is not None
    told = (shown.fields or {}).items()
    plain = {name: value for name, value in told if value and not isinstance(value, list | dict)}
    sizes = {name: len(value) for name, value in entry.applied.items() if isinstance(value, list)}
    return all(entry.applied.get(name) == value for name, value in plain.items()) and all(
        sizes.get(name) == item[key] for key, name in listing.counts.items() if key in item
    )
