"""The tenant as it is now: the lists, and the details of what is managed, read side by side.

What could not be read completely is said, kind by kind (`Snapshot.unread`), and never filled with
guesses: an absence in such a kind means nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cwsync.api import Client, NotFound, ServiceError, quote_id
from cwsync.kinds import KINDS, Desired, Kind, Observed, Snapshot, same_id
from cwsync.state import State

# Read in the list of another kind, or by a pointer in it.
_LISTED_WITH = {"schedule": "integration", "notification": "integration"}


@dataclass(frozen=True, slots=True)
class Reads:
    """What has to be read: whole lists, and by kind the ids whose details matter."""

    lists: frozenset[str]
    details: Mapping[str, frozenset[str]]


def reads_for(desired: Iterable[Desired], known: State) -> Reads:
    """The fewest reads that a plan of these needs (facts C6): nothing for what isn't managed."""
    wanted = list(desired)
    ours = [(entry.kind, entry.id) for entry in known.resources.values()]
    ours += [(deposed.kind, deposed.id) for deposed in known.deposed]
    kinds = {one.kind for one in wanted} | {kind for kind, _ in ours}
    kinds |= {ref.kind for one in wanted for ref in one.references() if ref.address is None}
    details: dict[str, set[str]] = {}
    for kind, id in ours:
        if KINDS[kind].detail is not None:
            details.setdefault(kind, set()).add(same_id(id))
    return Reads(
        frozenset(_LISTED_WITH.get(kind, kind) for kind in kinds),
        {kind: frozenset(ids) for kind, ids in details.items()},
    )


@dataclass(frozen=True, slots=True)
class _Detail:
    kind: Kind
    id: str
    item: Mapping[str, Any]


class _Reading:
    """One pass over the tenant. Worker threads only ever return values; what they return is put together here."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.objects: dict[str, dict[str, Observed]] = {}
        self.unread: dict[str, str] = {}
        self.items: dict[str, Mapping[str, Any]] = {}
        self.meta: dict[str, Any] = {}

    def lists(self, kinds: Iterable[str]) -> None:
        ordered = [KINDS[name] for name in KINDS if name in set(kinds)]
        for kind, outcome in zip(ordered, self.client.each(self._list, ordered), strict=True):
            if isinstance(outcome, str):
                self._unread(kind.name, outcome)
                continue
            items, meta = outcome
            self.meta |= meta
            if kind.listing is not None and kind.detail is not None:
                self.items |= {same_id(str(item[kind.listing.id_key])): item for item in items}
            found = (kind.from_wire(item) for item in items)
            # A list shows a kind that has details only in part: what its fields are is not known yet.
            partly = kind.detail is not None
            self.objects[kind.name] = {
                same_id(one.id): replace(one, fields=None) if partly else one for one in found if one
            }
            if kind.name == "integration":
                self._schedules(items)

    def _unread(self, kind: str, reason: str) -> None:
        self.unread.setdefault(kind, reason)
        for other, listed_with in _LISTED_WITH.items():
            if listed_with == kind:
                self.unread.setdefault(other, reason)

    def _list(self, kind: Kind) -> tuple[list[dict[str, Any]], dict[str, Any]] | str:
        assert kind.listing is not None
        listing = kind.listing
        try:
            found = self.client.list(listing.path, listing.key, dict(listing.params), id_key=listing.id_key)
        except ServiceError as error:
            return _reason(error)
        return found.items, found.meta

    def _schedules(self, items: Iterable[Mapping[str, Any]]) -> None:
        found = (KINDS["schedule"].from_wire(item) for item in items)
        self.objects["schedule"] = {same_id(one.id): one for one in found if one}

    def details(self, wanted: Mapping[str, frozenset[str]]) -> None:
        """One wave for the details of all kinds; a notification is found by its integration's pointer."""
        work = [
            _Detail(KINDS[kind], one.id, self.items.get(id, {}))
            for kind, objects in self.objects.items()
            for id, one in objects.items()
            if one.fields is None and id in wanted.get(kind, ())
        ]
        pointers = {
            one.notification for one in self.objects.get("integration", {}).values() if one.notification
        }
        work += [
            _Detail(KINDS["notification"], id, {})
            for id in sorted(pointers)
            if same_id(id) in wanted.get("notification", ())
        ]
        for detail, outcome in zip(work, self.client.each(self._detail, work), strict=True):
            if isinstance(outcome, str):
                self._unread(detail.kind.name, outcome)
            elif outcome is not None:
                self.objects.setdefault(detail.kind.name, {})[same_id(outcome.id)] = outcome

    def _detail(self, detail: _Detail) -> Observed | str | None:
        assert detail.kind.detail is not None
        path, key = detail.kind.detail
        try:
            reply = self.client.get(path.replace("{id}", quote_id(detail.id)))
        except NotFound as error:
            # A pointer may outlive its notification; an integration of the list that is gone already
            # means that the list is no longer true.
            return None if detail.kind.name == "notification" else _reason(error)
        except ServiceError as error:
            return _reason(error)
        found = reply.get(key)
        if not isinstance(found, dict):
            return f"GET {path.replace('{id}', detail.id)}: the reply has no {key}"
        return detail.kind.from_wire({**detail.item, **found})


def _reason(error: ServiceError) -> str:
    """Why this one read failed. Where nothing at all can be read, the error goes on."""
    if error.problem.code in ("CW301", "CW302"):
        raise error
    return error.problem.message


def read_tenant(client: Client, reads: Reads) -> Snapshot:
    """Read what `reads` asks for. Raises `ServiceError` where nothing can be read at all."""
    begun, calls = time.perf_counter(), client.stats.calls
    reading = _Reading(client)
    reading.lists(reads.lists)
    reading.details(reads.details)
    return _snapshot(reading, begun, calls)


def sweep(client: Client, before: Snapshot, kind: str) -> Snapshot:
    """The same picture with the details of every object of a kind: before deleting what they may use."""
    begun, calls = time.perf_counter(), client.stats.calls
    reading = _Reading(client)
    if kind in before.objects:
        reading.objects[kind] = dict(before.objects[kind])
    else:
        reading.lists([kind])
    bare = frozenset(id for id, one in reading.objects.get(kind, {}).items() if one.fields is None)
    reading.details({kind: bare})
    more = _snapshot(reading, begun, calls)
    return replace(
        before,
        objects={**more.objects, **before.objects, kind: more.objects.get(kind, {})},
        unread={**more.unread, **before.unread},
        calls=before.calls + more.calls,
        seconds=before.seconds + more.seconds,
    )


def _snapshot(reading: _Reading, begun: float, calls: int) -> Snapshot:
    now = reading.client.server_time()
    used, allowed = (reading.meta.get(key) for key in ("tenantCurrentCount", "tenantMaxAllowed"))
    return Snapshot(
        objects=reading.objects,
        unread=reading.unread,
        today=now.date().isoformat() if now else None,
        used=used if isinstance(used, int) else None,
        allowed=allowed if isinstance(allowed, int) else None,
        calls=reading.client.stats.calls - calls,
        seconds=time.perf_counter() - begun,
    )
