"""The whole tenant, and what of it is asked for: what `import --all` writes down."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property

from cwsync.api import Client, NotFound, ServiceError
from cwsync.kinds import KINDS, Observed, Snapshot, same_id
from cwsync.kinds.values import texts_in
from cwsync.live.read import Reading, snapshot
from cwsync.live.wire import observe, read_detail

Which = tuple[str, str]
"""A kind, and a normalised id."""

_PARTS = ("schedule", "notification")


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for; nothing given means everything. Of models, workspaces and `mine` it is the
    integrations that count: a connection belongs to those that use it, a flow to those that are its steps, a
    schedule and a notification to their integration. `names` are globs; a part has its integration's name.
    """

    kinds: Collection[str] = ()
    models: Collection[str] = ()
    workspaces: Collection[str] = ()
    names: Collection[str] = ()
    mine: bool = False

    @property
    def scoped(self) -> bool:
        return bool(self.models or self.workspaces or self.mine)

    def named(self, name: str) -> bool:
        return not self.names or any(fnmatchcase(name, glob) for glob in self.names)

    def placed(self, integration: Observed) -> bool:
        """Whether its model and its workspace are asked for; what does not say where it is may be there."""
        fields = integration.fields or {}
        return all(
            not wanted or not fields.get(key) or same_id(str(fields[key])) in map(same_id, wanted)
            for key, wanted in (("modelId", self.models), ("workspaceId", self.workspaces))
        )

    def of(self, kind: str) -> bool:
        return not self.kinds or kind in self.kinds


@dataclass(frozen=True, slots=True)
class Everything:
    """The tenant, what of it is unmanaged and asked for, and which details could not be read, and why."""

    snapshot: Snapshot
    chosen: tuple[Observed, ...]
    failed: Mapping[Which, str] = field(default_factory=dict)


def read_everything(client: Client, managed: Collection[Which], filters: Filters) -> Everything:
    """Read all lists, and the details of what is unmanaged and may be asked for.

    What cannot be read is left out with the reason: an object in `failed`, a whole kind in the snapshot's
    `unread`. Raises `ServiceError` where nothing can be read at all.
    """
    begun, calls = time.perf_counter(), client.stats.calls
    reading = Reading(client)
    reading.lists([kind.name for kind in KINDS.values() if kind.listing is not None])
    own = _mine(client) if filters.mine else None
    sweep = _Sweep(client, reading, managed, filters, own)
    sweep.details(sweep.integrations_and_flows())
    if filters.of("schedule"):
        reading.schedules(frozenset(sweep.unscheduled()))
    if filters.of("notification"):
        sweep.details(sweep.notifications())
    return Everything(snapshot(reading, begun, calls), tuple(sweep.chosen()), sweep.failed)


def _mine(client: Client) -> frozenset[Which]:
    """The integrations and flows of whoever is signed in: only the service can tell (facts A2, A6)."""
    found: set[Which] = set()
    for kind in (KINDS["integration"], KINDS["flow"]):
        assert kind.listing is not None
        listing = kind.listing
        params = {**listing.params, "myIntegrations": "1"}
        items = client.list(listing.path, listing.key, params, id_key=listing.id_key).items
        found |= {(kind.name, same_id(str(item[listing.id_key]))) for item in items}
    return frozenset(found)


@dataclass
class _Sweep:
    """One pass. Worker threads only return values, which are put together here."""

    client: Client
    reading: Reading
    managed: Collection[Which]
    filters: Filters
    mine: frozenset[Which] | None
    failed: dict[Which, str] = field(default_factory=dict)

    def integrations_and_flows(self) -> Iterator[Which]:
        """What has details to read. An integration's are also needed to tell which connections it uses."""
        used = self.filters.scoped and self.filters.of("connection")
        for kind in ("integration", "flow"):
            for id, one in self.reading.objects.get(kind, {}).items():
                wanted = self.filters.of(kind) and self.filters.named(one.name)
                if (kind, id) not in self.managed and (wanted or (used and kind == "integration")):
                    yield kind, id

    def unscheduled(self) -> Iterator[str]:
        """Integrations whose schedules have to be asked for: none, where the list shows the schedule of any."""
        owners = self.reading.objects.get("integration", {})
        if not any("schedule" in self.reading.items[id] for id in owners):
            yield from (
                id for id in owners if ("schedule", id) not in self.managed and self.asked("integration", id)
            )

    def notifications(self) -> Iterator[Which]:
        self.reading.objects.setdefault("notification", {})
        for id, one in self.reading.objects.get("integration", {}).items():
            pointer = ("notification", same_id(one.notification or ""))
            if one.notification and pointer not in self.managed and self.asked("integration", id):
                yield pointer

    def details(self, wanted: Iterator[Which]) -> None:
        work = [one for one in wanted if one[0] not in self.reading.unread]
        for which, outcome in zip(work, self.client.each(self._detail, work), strict=True):
            if isinstance(outcome, str):
                self.failed[which] = outcome
            elif outcome is not None:
                self.reading.objects[which[0]][which[1]] = outcome

    def _detail(self, which: Which) -> Observed | str | None:
        kind, id = which
        item = self.reading.items.get(id, {}) if KINDS[kind].listing else {}
        spelled = self.reading.objects[kind][id].id if id in self.reading.objects.get(kind, {}) else id
        try:
            return read_detail(self.client, KINDS[kind], spelled, item)
        except NotFound as error:
            # A pointer may outlive its notification: then there is none.
            return None if kind == "notification" else error.problem.message
        except ServiceError as error:
            return error.problem.message

    def asked(self, kind: str, id: str) -> bool:
        """Whether an object is asked for, its kind aside."""
        one = self.reading.objects.get(kind, {}).get(id)
        if one is None:
            return False
        if kind in _PARTS:
            return self.asked("integration", same_id(one.parent or ""))
        if not self.filters.named(one.name):
            return False
        return not self.filters.scoped or self._in_scope(kind, id, one)

    def _in_scope(self, kind: str, id: str, one: Observed) -> bool:
        if kind == "integration":
            return self.filters.placed(self._placed(id, one)) and (
                self.mine is None or (kind, id) in self.mine
            )
        if kind == "connection":
            return id in self._used
        if self.mine is not None and (kind, id) not in self.mine:
            return False
        steps = {same_id(text) for text in texts_in(one.fields or {})}
        places = self.filters.models or self.filters.workspaces
        return not places or any(self._in_place(step) for step in steps)

    def _in_place(self, id: str) -> bool:
        one = self.reading.objects.get("integration", {}).get(id)
        return one is not None and self.filters.placed(self._placed(id, one))

    def _placed(self, id: str, one: Observed) -> Observed:
        """An integration whose details were not read is where the list says."""
        listed = None if one.fields else observe(KINDS["integration"], self.reading.items.get(id, {}))
        return one if listed is None else replace(one, fields=listed.fields)

    @cached_property
    def _used(self) -> frozenset[str]:
        """What the integrations in scope refer to."""
        return frozenset(
            same_id(text)
            for id, one in self.reading.objects.get("integration", {}).items()
            if self._in_scope("integration", id, one)
            for text in texts_in(one.fields or {})
        )

    def chosen(self) -> Iterator[Observed]:
        """What is unmanaged and asked for, in the order of the kinds and, within one, of names and ids."""
        for kind in KINDS:
            if kind in self.reading.unread or not self.filters.of(kind):
                continue
            objects = self.reading.objects.get(kind, {})
            for id, one in sorted(objects.items(), key=lambda each: (each[1].name, each[0])):
                if (kind, id) not in self.managed and self.asked(kind, id):
                    yield one
