"""The change lists: what they make of what is known, before anything is compared.

Each of them changes the state alone. The state is made here as it will be, so that the comparison sees
a moved resource under its new address, and an imported one as it is in the tenant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from cwsync.errors import Place, Problem
from cwsync.kinds import KINDS, ChangeLists, Desired, Import, Moved, Observed, Snapshot, same_id
from cwsync.plan.diff import arrange, see
from cwsync.plan.values import Change
from cwsync.state import Entry, State


@dataclass(frozen=True, slots=True)
class Relabelled:
    """What is known once the moves are made. `previous` has, by new address, the one that the state has now."""

    known: State
    previous: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def relabel(known: State, desired: Mapping[str, Desired], moves: tuple[Moved, ...]) -> Relabelled:
    """Make the moves, in whatever order they are listed. A move whose source is not known was made before."""
    previous: dict[str, str] = {}
    waiting = list(moves)
    while ready := [
        one
        for one in waiting
        if one.source in known.resources and one.target not in known.resources
    ]:  # fmt: skip
        targets = {one.source: one.target for one in ready}
        waiting = [one for one in waiting if one.source not in targets]
        targets = {**dict(_parts(targets, known, desired)), **targets}
        known = known.relabelled(targets)
        previous |= {target: previous.pop(source, source) for source, target in targets.items()}
    problems = tuple(_both(one) for one in waiting if one.source in known.resources)
    return Relabelled(known, previous, problems)


def _parts(
    targets: Mapping[str, str], known: State, desired: Mapping[str, Desired]
) -> Iterator[tuple[str, str]]:
    """The moves of the schedules and the notifications whose keys follow their integrations'."""
    for address, entry in known.resources.items():
        source = entry.parent or ""
        (old, new) = (whole.partition(".")[2] for whole in (source, targets.get(source, "")))
        follower = f"{entry.kind}.{new}"
        follows = source in targets and address == f"{entry.kind}.{old}"
        if follows and address not in desired and follower in desired and follower not in known.resources:
            yield address, follower


def _both(move: Moved) -> Problem:
    return Problem(
        "CW509",
        f"{move.source} cannot move to {move.target}: both are managed",
        place=move.place,
        hint="let one of them go first, with cwsync state rm or an entry under removed, or drop this entry",
        address=move.target,
    )


def forgotten(known: State, desired: Mapping[str, Desired], lists: ChangeLists) -> frozenset[str]:
    """What is to be forgotten: an integration with its schedule and notification."""
    listed = {one.address for one in lists.removed if one.address in known.resources}
    parts = {at for at, e in known.resources.items() if e.parent in listed and at not in desired}
    return frozenset(listed | parts)


class Adopted:
    """What is known once the imports are made, and the addresses that were imported."""

    def __init__(self, before: State) -> None:
        self.addresses: set[str] = set()
        self.problems: list[Problem] = []
        self.resources = dict(before.resources)
        self.bound = {(e.kind, same_id(e.id)): at for at, e in before.resources.items()}
        self.bound |= {(d.kind, same_id(d.id)): f"{d.address} (replaced)" for d in before.deposed}
        self._before = before

    @property
    def known(self) -> State:
        return replace(self._before, resources=self.resources) if self.addresses else self._before

    def bind(self, one: Desired, found: Observed) -> None:
        """Where the service shows nothing of a field, what is declared stands for it, as after an apply."""
        kind = KINDS[one.kind]
        shown = see(kind, _plain(one), found.fields or {}).live
        self.resources[one.address] = imported(one, found.id, found.name, shown)
        self.bound[one.kind, same_id(found.id)] = one.address
        self.addresses.add(one.address)


def adopt(
    known: State, desired: Mapping[str, Desired], observed: Snapshot, imports: tuple[Import, ...], *, names: bool
) -> Adopted:  # fmt: skip
    """Bind what is listed; with `names`, also whatever has the name, or the one place, of something declared."""
    made = Adopted(known)
    # A part is bound after its integration, whose id it needs.
    for one in sorted(imports, key=lambda one: list(KINDS).index(_kind(one.to))):
        _import(one, desired, observed, made)
    unsure = {intent.address for intent in known.pending.values()}
    for address, resource in desired.items() if names else ():
        if address not in made.resources and address not in unsure and not _comes_along(resource, made):
            found = _held(resource, observed, made)
            if found is not None and found.fields is not None:
                made.bind(resource, found)
    return made


def _comes_along(one: Desired, made: Adopted) -> bool:
    """The notification of an integration that is ours is no stranger's: the service has made it (facts A5)."""
    return one.kind == "notification" and one.parent is not None and one.parent.address not in made.addresses


def _kind(address: str) -> str:
    return address.partition(".")[0]


def _import(one: Import, desired: Mapping[str, Desired], observed: Snapshot, made: Adopted) -> None:
    kind, entry = _kind(one.to), made.resources.get(one.to)
    if one.to not in desired or kind in observed.unread:
        return
    if entry is not None:
        if one.id is not None and same_id(one.id) != same_id(entry.id):
            made.problems.append(_refused(one.to, one.place, f"it is managed already, and is {entry.id}"))
        return
    found = observed.get(kind, one.id) if one.id else None
    named = observed.named(kind, one.name) if one.name else []
    if len(named) > 1:
        ids = " and ".join(sorted(each.id for each in named))
        made.problems.append(
            _refused(one.to, one.place, f'the tenant has {len(named)} named "{one.name}": {ids}')
        )
        return
    found = found or next(iter(named), None)
    if found is None or found.fields is None:
        what = f'the {kind} "{one.name}"' if one.name else f"a {kind} with the id {one.id}"
        made.problems.append(
            _refused(one.to, one.place, f"the tenant does not have {what}, or does not show it to this user")
        )
        return
    if holder := made.bound.get((kind, same_id(found.id))):
        made.problems.append(_refused(one.to, one.place, f"{found.id} belongs to {holder} already"))
        return
    made.bind(desired[one.to], found)


def _refused(address: str, place: Place | None, why: str) -> Problem:
    hint = "correct the entry, or take it away where it is done"
    return Problem("CW509", f"{address} cannot be imported: {why}", place=place, hint=hint, address=address)


def _held(one: Desired, observed: Snapshot, made: Adopted) -> Observed | None:
    """The one object that has the name, or the one place, that something declared is to have."""
    if one.parent is None:
        found = observed.named(one.kind, one.name)
    else:
        there = _part(one, observed, made)
        found = [there] if there else []
    free = [each for each in found if (each.kind, same_id(each.id)) not in made.bound]
    return free[0] if len(found) == len(free) == 1 else None


def _part(one: Desired, observed: Snapshot, made: Adopted) -> Observed | None:
    """The schedule or the notification that an integration has already."""
    assert one.parent is not None
    owner = made.resources.get(one.parent.address or "")
    id = owner.id if owner else one.parent.id
    if id is not None and one.kind == "notification":
        integration = observed.get("integration", id)
        id = integration.notification if integration else None
    return observed.get(one.kind, id) if id else None


def _plain(one: Desired) -> dict[str, object]:
    return dict(arrange(KINDS[one.kind], one.fields))


def imported(one: Desired, id: str, name: str, fields: Mapping[str, object]) -> Entry:
    """The entry of an object that was there before: its secrets are not known."""
    return Entry(
        kind=one.kind,
        id=id,
        name=name,
        applied=dict(fields),  # type: ignore[arg-type] # what is observed has no reference left
        parent=one.parent.address or one.parent.id if one.parent else None,
        protect=one.protect,
        origin="adopted",
    )


def labelled(change: Change, previous: Mapping[str, str], imports: set[str]) -> Change:
    """The change in the words of the lists: an import, or a move where nothing else happens."""
    change = replace(change, previous_address=previous.get(change.address))
    if change.address in imports:
        return replace(change, action="import")
    if change.previous_address is not None and change.action == "no-op":
        return replace(change, action="move")
    return change
