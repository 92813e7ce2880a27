"""What was touched is read once more: the service may have made something else of it (R8)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cwsync.api import Client, ServiceError
from cwsync.errors import Problem
from cwsync.live import read_tenant, reads_for
from cwsync.plan import Drift, make_plan
from cwsync.project import Guards
from cwsync.state import State


def verify(client: Client, state: State, touched: Iterable[str]) -> tuple[Problem, ...]:
    """A warning for each field that the tenant shows otherwise than it was sent."""
    mine = {address: state.resources[address] for address in touched if address in state.resources}
    if not mine:
        return ()
    only = replace(state, resources=mine, deposed=(), pending={})
    try:
        seen = read_tenant(client, reads_for((), only))
    except ServiceError as error:
        return (_warning(f"what was applied could not be read again: {error.problem.message}", None),)
    plan = make_plan({}, only, seen, environment="", tenant="", guards=Guards())
    unread = [f"what was applied could not be read again: {reason}" for reason in seen.unread.values()]
    return (
        *(_warning(message, None) for message in dict.fromkeys(unread)),
        *(_warning(_differs(drift), drift.address) for drift in plan.drift),
    )


def _differs(drift: Drift) -> str:
    if drift.status == "deleted":
        return f"{drift.address} was applied, and the tenant does not show it"
    paths = ", ".join(field.path for field in drift.fields)
    return (
        f"{drift.address} was applied, and the tenant shows something else in {paths}: plan again to see it"
    )


def _warning(message: str, address: str | None) -> Problem:
    return Problem("CW315", message, severity="warning", address=address)
