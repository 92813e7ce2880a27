"""From references to ids: which object of the tenant an address, a name or an id stands for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cwsync.errors import Problem
from cwsync.kinds import KINDS, Desired, Fields, Ref, Snapshot, TypeOf, same_id
from cwsync.kinds.integration import misfits
from cwsync.kinds.values import replace_refs
from cwsync.state import State


@dataclass
class Bindings:
    """What references stand for. An address without an id stays a `Ref`: its id is known only later."""

    desired: Mapping[str, Desired]
    observed: Snapshot
    ids: dict[str, str] = field(default_factory=dict)

    def id_of(self, ref: Ref) -> str | None:
        """The id as the service spells it, where it is known."""
        if ref.address is not None:
            return self.ids.get(ref.address)
        if ref.id is not None:
            found = self.observed.get(ref.kind, ref.id)
            return found.id if found else ref.id
        named = self.observed.named(ref.kind, ref.name or "")
        return named[0].id if len(named) == 1 else None

    def type_of(self, ref: Ref) -> str | None:
        """The type of the connection that a reference stands for: declared, or as observed."""
        if ref.address is not None:
            declared = self.desired.get(ref.address)
            return str(declared.fields["type"]) if declared else None
        id = self.id_of(ref)
        found = self.observed.get(ref.kind, id) if id else None
        return found.type if found else None

    def to_compare(self, fields: Fields) -> Fields:
        """The fields with ids in the spelling in which ids compare."""
        return self._resolve(fields, normal=True)

    def to_send(self, fields: Fields) -> Fields:
        """The fields with ids in the service's own spelling."""
        return self._resolve(fields, normal=False)

    def _resolve(self, fields: Fields, *, normal: bool) -> Fields:
        def value(ref: Ref | TypeOf) -> Ref | str | None:
            if isinstance(ref, TypeOf):
                return self.type_of(ref.ref)
            id = self.id_of(ref)
            return ref if id is None else same_id(id) if normal else id

        resolved = replace_refs(fields, value)
        assert isinstance(resolved, dict)
        return resolved


def unmanaged_problems(desired: Mapping[str, Desired], observed: Snapshot) -> list[Problem]:
    """A CW505 for each reference to something that the tenant does not have, or has twice."""
    problems: list[Problem] = []
    for one in desired.values():
        for ref in one.references():
            if ref.address is not None or ref.kind in observed.unread:
                continue
            if ref.id is not None:
                count = int(observed.get(ref.kind, ref.id) is not None)
            else:
                count = len(observed.named(ref.kind, ref.name or ""))
            if count != 1:
                problems.append(_unmanaged(one, ref, count))
    return problems


def _unmanaged(one: Desired, ref: Ref, count: int) -> Problem:
    what = f"{one.address} refers to the unmanaged {ref.kind} {ref.name or ref.id}"
    if count:
        message, hint = f"{what}, and the tenant has {count} of that name", "write {id: …} instead"
    else:
        message = f"{what}, which the tenant does not have, or does not show to this user"
        hint = f"declare it under {KINDS[ref.kind].section}, or correct the {'name' if ref.name else 'id'}"
    return Problem("CW505", message, place=one.place, hint=hint, address=one.address)


def misfit_problems(desired: Mapping[str, Desired], bindings: Bindings) -> Iterator[Problem]:
    """A CW221 for each job that doesn't fit its unmanaged connection: only the tenant knows that one's type."""
    for one in desired.values():
        jobs: Any = one.fields.get("jobs") or ()
        for index, job in enumerate(jobs):
            ((direction, end),) = job.items()
            ref = end["connection"]
            kind = bindings.type_of(ref) if ref.address is None else None
            if kind is not None:
                about = f"connection {ref.name or ref.id} is of type {kind}, so "
                for field, message in misfits(direction, end, kind):
                    place = one.locate(("jobs", index, direction, field))
                    yield Problem("CW221", f"{about}{message}", place=place, address=one.address)


def ours(state: State) -> set[str]:
    """The ids of everything that is managed, replaced objects that still have to go included."""
    return {same_id(entry.id) for entry in state.resources.values()} | {same_id(d.id) for d in state.deposed}


def labels(state: State, observed: Snapshot) -> dict[str, str]:
    """What a person calls an id: the address of what is managed, the name of what is not."""
    found = {
        same_id(o.id): f"{k} {o.name}"
        for k in observed.objects
        for o in observed.objects[k].values()
        if KINDS[k].listing is not None
    }
    found |= {same_id(e.id): a for a, e in state.resources.items() if e.parent is None}
    return found
