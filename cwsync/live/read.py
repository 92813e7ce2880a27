"""The tenant as it is now: the lists, and the details of what is managed, read side by side.

What could not be read completely is said, kind by kind (`Snapshot.unread`), and never filled with
guesses: an absence in such a kind means nothing.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cwsync.api import Client, Forbidden, Incomplete, NotFound, ServiceError
from cwsync.kinds import KINDS, Desired, Import, Kind, Observed, Snapshot, same_id
from cwsync.live.unchanged import LastRead
from cwsync.live.wire import Item, observe, read_detail, read_model, read_schedule
from cwsync.state import Entry, State

# A detail without a modification date.
_UNDATED = ("notification",)
# Read in the list of another kind, or by a pointer in it.
_LISTED_WITH = {"schedule": "integration", "notification": "integration"}


@dataclass(frozen=True, slots=True)
class Reads:
    """What has to be read: whole lists, and by kind the ids whose details matter.

    Of a kind whose list is not read, the details are asked for by these ids alone. `scheduled` are the ids
    or names of the integrations whose schedules matter, `named` by kind the names of what may be taken over.
    What is as it was in `last_read` is not read again.
    """

    lists: frozenset[str]
    details: Mapping[str, frozenset[str]]
    scheduled: frozenset[str] = frozenset()
    named: Mapping[str, frozenset[str]] = field(default_factory=dict)
    last_read: LastRead = field(default_factory=LastRead)


def reads_for(
    desired: Iterable[Desired], known: State, imports: Collection[Import] = (), *, adopt: bool = False
) -> Reads:
    """The fewest reads that a plan of these needs (facts C6): nothing for what isn't managed, nor to be."""
    wanted = list(desired)
    new = [one for one in imports if one.to not in known.resources]
    ours = [(entry.kind, entry.id) for entry in known.resources.values()]
    ours += [(deposed.kind, deposed.id) for deposed in known.deposed]
    ours += [(one.to.partition(".")[0], one.id) for one in new if one.id is not None]
    names = [(one.to.partition(".")[0], one.name) for one in new if one.name is not None]
    if adopt:
        called = {one.address: one.name for one in wanted}
        for one in wanted:
            if one.address not in known.resources:
                owner = one.parent.address or "" if one.parent else one.address
                names.append((one.kind, called.get(owner, "")))
    kinds = {one.kind for one in wanted} | {kind for kind, _ in (*ours, *names)}
    kinds |= {ref.kind for one in wanted for ref in one.references() if ref.address is None}
    details: dict[str, set[str]] = {}
    for kind, id in ours:
        if KINDS[kind].detail is not None:
            details.setdefault(kind, set()).add(same_id(id))
    return Reads(
        frozenset(_LISTED_WITH.get(kind, kind) for kind in kinds),
        {kind: frozenset(ids) for kind, ids in details.items()},
        frozenset(_scheduled(wanted, known)) | {same_id(id) for kind, id in ours if kind == "schedule"},
        {kind: frozenset(name for of, name in names if of == kind) for kind, _ in names},
    )


def _scheduled(desired: Sequence[Desired], known: State) -> Iterator[str]:
    names = {one.address: one.name for one in desired if one.kind == "integration"}
    for one in desired:
        if one.kind == "schedule" and one.parent is not None:
            owner = known.resources.get(one.parent.address or "")
            if id := (owner.id if owner else one.parent.id):
                yield same_id(id)
            elif name := one.parent.name or names.get(one.parent.address or ""):
                yield name


def reads_again(entries: Collection[Entry], gone: Iterable[str] = ()) -> Reads:
    """The fewest reads that show these objects again: what has a detail needs no list. Of the kinds in `gone`,
    only the lists show what is no longer there."""
    lists = {_LISTED_WITH.get(kind, kind) for kind in gone}
    details: dict[str, set[str]] = {}
    for entry in entries:
        if KINDS[entry.kind].detail is None:
            lists.add(_LISTED_WITH.get(entry.kind, entry.kind))
        else:
            details.setdefault(entry.kind, set()).add(entry.id)
    scheduled = frozenset(same_id(entry.id) for entry in entries if entry.kind == "schedule")
    return Reads(frozenset(lists), {kind: frozenset(ids) for kind, ids in details.items()}, scheduled)


@dataclass(frozen=True, slots=True)
class _Detail:
    kind: Kind
    id: str
    item: Item
    listed: bool


class Reading:
    """One pass over the tenant. Worker threads only ever return values; what they return is put together here."""

    def __init__(self, client: Client, last_read: LastRead | None = None) -> None:
        self.client = client
        self.last_read = last_read or LastRead()
        self.assumed: set[tuple[str, str]] = set()
        self.objects: dict[str, dict[str, Observed]] = {}
        self.unread: dict[str, str] = {}
        self.listed: set[str] = set()
        self.items: dict[str, Item] = {}
        self.meta: dict[str, Any] = {}

    def lists(self, kinds: Iterable[str]) -> None:
        ordered = [KINDS[name] for name in KINDS if name in set(kinds)]
        outcomes = self.client.each(self._list, ordered)
        _raise_where_nothing_can_be_read(outcomes)
        for kind, outcome in zip(ordered, outcomes, strict=True):
            if isinstance(outcome, ServiceError):
                self._unread(kind.name, outcome.problem.message)
                continue
            items, found, meta = outcome
            self.meta |= meta
            self.listed.add(kind.name)
            self.items |= items
            for name in (kind.name, "schedule") if kind.name == "integration" else (kind.name,):
                self.objects[name] = {same_id(one.id): one for one in found if one.kind == name}

    def _unread(self, kind: str, reason: str) -> None:
        self.unread.setdefault(kind, reason)
        for other, listed_with in _LISTED_WITH.items():
            if listed_with == kind:
                self.unread.setdefault(other, reason)

    def _list(self, kind: Kind) -> tuple[dict[str, Item], list[Observed], dict[str, Any]] | ServiceError:
        """A list's items by id, what they show, and what is said beside them; or why it could not be read."""
        assert kind.listing is not None
        listing = kind.listing
        try:
            read = self.client.list(listing.path, listing.key, dict(listing.params), id_key=listing.id_key)
            found = [one for item in read.items if (one := observe(kind, item))]
            # A list shows a kind that has details in part: what its fields are is not known yet.
            if kind.detail is not None:
                found = [replace(one, fields=None) for one in found]
            if kind.name == "integration":
                found += [one for item in read.items if (one := observe(KINDS["schedule"], item))]
        except ServiceError as error:
            return error
        return {same_id(str(item[listing.id_key])): item for item in read.items}, found, read.meta

    def details(
        self, wanted: Mapping[str, frozenset[str]], named: Mapping[str, frozenset[str]] | None = None
    ) -> None:
        """One wave for the details of all kinds: of these ids, and of what the lists show under these names."""
        ids = {kind: set(of) for kind, of in wanted.items()}
        for kind, names in (named or {}).items():
            # A part is taken over with its integration, by whose name it is found.
            there = [
                one
                for one in self.objects.get(_LISTED_WITH.get(kind, kind), {}).values()
                if one.name in names
            ]
            shown = [one.notification if kind == "notification" else one.id for one in there]
            ids.setdefault(kind, set()).update(same_id(id) for id in shown if id)
        work = [
            detail
            for kind, of in ids.items()
            if KINDS[kind].detail is not None and kind not in self.unread
            for detail in self._to_read(KINDS[kind], of - self._assume(kind))
        ]
        for detail, outcome in zip(work, self.client.each(self._detail, work), strict=True):
            if isinstance(outcome, str):
                self._unread(detail.kind.name, outcome)
            elif outcome is not None:
                self.objects[detail.kind.name][same_id(outcome.id)] = outcome

    def _assume(self, kind: str) -> set[str]:
        """Take what the list shows to be unchanged for what it was; which ones, by normalised id."""
        listed = self.objects.get(kind, {}) if kind in self.listed else {}
        found = {same_id(one.id): one for one in self.last_read.assumed(KINDS[kind], listed, self.items)}
        listed |= found
        self.assumed |= {(kind, id) for id in found}
        return set(found)

    def schedules(self, wanted: frozenset[str]) -> None:
        """The schedules that matter, of integrations whose items do not say whether they have one.

        Two or more of one model are asked for together, where the service has a list for that.
        """
        integrations = self.objects.get("integration", {})
        unsaid = [
            id
            for id, one in integrations.items()
            if (id in wanted or one.name in wanted) and "schedule" not in self.items[id]
        ]
        models = Counter(str((integrations[id].fields or {}).get("modelId", "")) for id in unsaid)
        several = [model for model, count in models.items() if model and count > 1]
        told: dict[str, Observed | None] = {}
        for answer in self.client.each(lambda model: read_model(self.client, model), several):
            told |= answer
        rest = [integrations[id].id for id in unsaid if id not in told]
        for outcome in (*(told.get(id) for id in unsaid), *self.client.each(self._schedule, rest)):
            if isinstance(outcome, str):
                self._unread("schedule", outcome)
            elif outcome is not None:
                self.objects["schedule"][same_id(outcome.id)] = outcome

    def _schedule(self, integration: str) -> Observed | str | None:
        try:
            return read_schedule(self.client, integration)
        except ServiceError as error:
            return error.problem.message

    def _to_read(self, kind: Kind, wanted: Collection[str]) -> list[_Detail]:
        """Of a kind that was listed, only what the list has; a notification is found by a pointer to it."""
        holder = _LISTED_WITH.get(kind.name, kind.name)
        ids = {same_id(id): id for id in wanted}
        self.objects.setdefault(kind.name, {})
        if holder in self.listed:
            there = self.objects[holder].values()
            shown = [one.id for one in there] if holder == kind.name else [one.notification for one in there]
            ids = {same_id(id): id for id in shown if id and same_id(id) in ids}
        return [
            _Detail(kind, id, self.items.get(key, {}), kind.name in self.listed)
            for key, id in sorted(ids.items())
        ]

    def _detail(self, detail: _Detail) -> Observed | str | None:
        try:
            return read_detail(self.client, detail.kind, detail.id, detail.item)
        except NotFound as error:
            # A pointer may outlive its notification; where the list still has what is gone, it is no longer true.
            return error.problem.message if detail.listed else None
        except ServiceError as error:
            return error.problem.message


def _raise_where_nothing_can_be_read(outcomes: Sequence[object]) -> None:
    """One list that fails says something of that list; when all fail alike, it is the way there or the sign-in."""
    errors = [outcome for outcome in outcomes if isinstance(outcome, ServiceError)]
    of_one_list = Forbidden | NotFound | Incomplete
    if (
        errors
        and len(errors) == len(outcomes)
        and not any(isinstance(error, of_one_list) for error in errors)
    ):
        raise errors[0]


def read_tenant(client: Client, reads: Reads, before_dated: Callable[[], None] | None = None) -> Snapshot:
    """Read what `reads` asks for. Raises `ServiceError` where nothing can be read at all.

    `before_dated` is called when all is read but the details that tell a modification date, where there are any.
    """
    begun, calls = time.perf_counter(), client.stats.calls
    reading = Reading(client, reads.last_read)
    reading.lists(reads.lists)
    details = dict(reads.details)
    if before_dated is not None:
        reading.details({kind: details.pop(kind) for kind in _UNDATED if kind in details})
        if details:
            before_dated()
    reading.details(details, reads.named)
    reading.schedules(reads.scheduled)
    return snapshot(reading, begun, calls)


def sweep(client: Client, before: Snapshot, kind: str) -> Snapshot:
    """The same picture with the details of every object of a kind: before deleting what they may use."""
    begun, calls = time.perf_counter(), client.stats.calls
    reading = Reading(client)
    if kind in before.objects:
        reading.objects[kind] = dict(before.objects[kind])
        reading.listed.add(kind)
    else:
        reading.lists([kind])
    bare = frozenset(id for id, one in reading.objects.get(kind, {}).items() if one.fields is None)
    reading.details({kind: bare})
    more = snapshot(reading, begun, calls)
    return replace(
        before,
        objects={**more.objects, **before.objects, kind: more.objects.get(kind, {})},
        unread={**more.unread, **before.unread},
        calls=before.calls + more.calls,
        seconds=before.seconds + more.seconds,
    )


def read_in_full(client: Client, before: Snapshot, objects: Collection[tuple[str, str]]) -> Snapshot:
    """The same picture, in which nothing is assumed of these objects, each a kind and a normalised id."""
    begun, calls = time.perf_counter(), client.stats.calls
    reading = Reading(client)
    reading.objects = {kind: dict(found) for kind, found in before.objects.items()}
    reading.listed = set(before.objects)
    reading.details({kind: frozenset(id for of, id in objects if of == kind) for kind, _ in objects})
    more = snapshot(reading, begun, calls)
    return replace(
        before,
        objects=more.objects,
        unread={**more.unread, **before.unread},
        calls=before.calls + more.calls,
        seconds=before.seconds + more.seconds,
        assumed=before.assumed - frozenset(objects),
    )


def snapshot(reading: Reading, begun: float, calls: int) -> Snapshot:
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
        assumed=frozenset(reading.assumed),
    )
