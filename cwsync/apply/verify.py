"""What was touched is read once more: the service may have made something else of it (R8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from cwsync.api import Client, ServiceError
from cwsync.errors import Problem
from cwsync.kinds import KINDS, Action, Behaviour, Observed, Snapshot, same_id
from cwsync.live import read_tenant, reads_again
from cwsync.plan import Call, Change, Drift, Outcome, Plan, make_plan
from cwsync.project import Guards
from cwsync.state import State


@dataclass(frozen=True, slots=True)
class Verified:
    """A warning for each object that the tenant shows otherwise than it was sent.

    Where only a schedule's status is otherwise, there is no warning but a call in `correction`, a plan upon
    `seen`: whether a PUT keeps the status is not known (facts F8).
    """

    problems: tuple[Problem, ...] = ()
    correction: Plan | None = None
    seen: Snapshot | None = None


A_DATE = 1.0
"""The seconds that one modification date covers (live dates have whole seconds)."""


def verify(
    client: Client,
    state: State,
    applied: Sequence[Outcome],
    wait: Callable[[float], None] | None = None,
    *,
    already: Sequence[Observed] = (),
) -> Verified:
    """Read what was applied again, with as few requests as show it; of what was deleted, the lists. What was `already`
    read after its change is not read once more.

    With `wait`, what has a date only when the service's clock has moved on: it then tells this version from later ones.
    """
    mine = {one.address: state.resources[one.address] for one in applied if one.address in state.resources}
    # Another address may have taken the place: a schedule goes by the id of its integration.
    taken = {(entry.kind, same_id(entry.id)) for entry in state.resources.values()}
    deleted = [one for one in applied if one.action == "delete" and one.id is not None]
    gone = [one for one in deleted if (_kind(one), same_id(one.id or "")) not in taken]
    if not (mine or gone):
        return Verified()
    only = replace(state, resources=mine, deposed=(), pending={})
    try:
        known = {(one.kind, same_id(one.id)) for one in already}
        unread = [entry for entry in mine.values() if (entry.kind, same_id(entry.id)) not in known]
        reads = reads_again(unread, [_kind(one) for one in gone])
        seen = read_tenant(client, reads, wait and partial(_let_pass, client, client.server_now(), wait))
        seen = _with(seen, already)
    except ServiceError as error:
        return Verified((_unread(error.problem.message),))
    drifted = make_plan({}, only, seen, environment="", tenant="", guards=Guards()).drift
    status = [drift for drift in drifted if _status_alone(drift)]
    return Verified(
        problems=(
            *(_unread(reason) for reason in dict.fromkeys(seen.unread.values())),
            *(_warning(_differs(drift), drift.address) for drift in drifted if drift not in status),
            *(_warning(_still_there(one), one.address) for one in gone if _shows(seen, one)),
        ),
        correction=_correction(status) if status else None,
        seen=seen,
    )


def _with(seen: Snapshot, more: Iterable[Observed]) -> Snapshot:
    objects = {kind: dict(found) for kind, found in seen.objects.items()}
    for one in more:
        objects.setdefault(one.kind, {})[same_id(one.id)] = one
    return replace(seen, objects=objects)


def _let_pass(client: Client, since: datetime | None, wait: Callable[[float], None]) -> None:
    """Until what was changed before `since` is as old as a date is wide, by the service's clock."""
    now = client.server_now()
    passed = (now - since).total_seconds() if now and since else 0.0
    if passed < A_DATE:
        wait(A_DATE - passed)


def _status_alone(drift: Drift) -> bool:
    own = KINDS[drift.kind].paths_that(Behaviour.OWN_CALL)
    return bool(drift.fields) and all(field.path in own for field in drift.fields)


def _correction(drifted: list[Drift]) -> Plan:
    """One call for each, to the status that it should have."""
    calls, changes = [], []
    for order, drift in enumerate(drifted, 1):
        action = Action.ENABLE if drift.fields[0].known else Action.DISABLE
        method, path = KINDS[drift.kind].calls[action]
        path = path.replace("{parent}", drift.id)
        because = "the service left it in another status"
        calls.append(Call(order, drift.address, action, method, path, (), because, drift.id))
        key = drift.address.partition(".")[2]
        changes.append(Change(drift.address, drift.kind, key, drift.name, "update", drift.id))
    return Plan("", "", changes=tuple(changes), calls=tuple(calls))


def _kind(one: Outcome) -> str:
    return one.address.partition(".")[0]


def _shows(seen: Snapshot, one: Outcome) -> bool:
    """A notification is shown by the pointer to it."""
    id = same_id(one.id or "")
    if _kind(one) == "notification":
        pointers = (each.notification for each in seen.objects.get("integration", {}).values())
        return id in {same_id(pointer) for pointer in pointers if pointer}
    return seen.get(_kind(one), id) is not None


def _still_there(one: Outcome) -> str:
    return f"{one.address} was deleted, and the tenant shows it still: plan again to see whether it stays"


def _differs(drift: Drift) -> str:
    if drift.status == "deleted":
        return f"{drift.address} was applied, and the tenant does not show it"
    paths = ", ".join(field.path for field in drift.fields)
    return (
        f"{drift.address} was applied, and the tenant shows something else in {paths}: plan again to see it"
    )


def _unread(reason: str) -> Problem:
    return _warning(f"what was applied could not be read again: {reason}", None)


def _warning(message: str, address: str | None) -> Problem:
    return Problem("CW315", message, severity="warning", address=address)
