"""What an earlier run left behind: every intent without an end is resolved before anything is planned (R7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cwsync.api import Client
from cwsync.apply.evidence import Found, resolve
from cwsync.apply.work import PAUSES
from cwsync.errors import CwsyncError, Problem
from cwsync.kinds import KINDS, Action, same_id
from cwsync.plan import SET_ASIDE
from cwsync.plan.diff import see
from cwsync.state import Deposed, Entry, Held, Intent, State


def recover(client: Client, held: Held, sleep: Callable[[float], None]) -> tuple[str, ...]:
    """Resolve all that is pending, by reading alone (R9). Returns what was found out, in words.

    Raises CW605 where the evidence does not suffice: a person must look, and nothing is planned.
    """
    if not held.state.pending:
        return ()
    held.settle()
    notes, doubtful = [], []
    for intent in list(held.state.pending.values()):
        found = _settled(client, held.state, intent, sleep)
        if found.verdict == "needs a person":
            doubtful.append(_doubtful(intent, found))
        else:
            held.update(lambda state, intent=intent, found=found: _resolved(state, intent, found))  # type: ignore[misc]
            notes.append(f"{intent.address}: the {intent.action} of an earlier run was {found.verdict}")
    if doubtful:
        raise CwsyncError(*doubtful)
    return tuple(notes)


def _settled(client: Client, state: State, intent: Intent, sleep: Callable[[float], None]) -> Found:
    """What was made may take a moment to show in a list, so an absence is looked at more than once."""
    managed = frozenset(same_id(e.id) for address, e in state.resources.items() if address != intent.address)
    found = resolve(client, intent, managed)
    for pause in PAUSES:
        if found.verdict != "not done" or found.object is not None:
            break
        sleep(pause)
        found = resolve(client, intent, managed)
    return found


def _resolved(state: State, intent: Intent, found: Found) -> State:
    state = state.without_intents([intent.op])
    if found.verdict == "not done":
        return state
    if intent.action == SET_ASIDE:
        deposed = Deposed(intent.address, intent.kind, intent.targetId or "", intent.name)
        others = tuple(one for one in state.deposed if one.id != deposed.id)
        return replace(state.without_entry(intent.address), deposed=(*others, deposed))
    if intent.action == Action.DELETE:
        if any(one.id == intent.targetId for one in state.deposed):
            return replace(state, deposed=tuple(one for one in state.deposed if one.id != intent.targetId))
        return state.without_entry(intent.address)
    assert found.object is not None
    entry = state.resources.get(intent.address)
    seen = see(KINDS[intent.kind], entry.applied if entry else {}, found.object.fields or {})
    return state.with_entry(
        intent.address,
        Entry(
            kind=intent.kind,
            id=found.object.id,
            name=found.object.name,
            applied=seen.live,  # type: ignore[arg-type] # what is observed has no reference left
            parent=intent.parent,
            # Its secrets cannot be seen, so they count as not applied: the next apply sends them again.
            secrets={},
            protect=entry.protect if entry else False,
            origin=entry.origin if entry else "created",
        ),
    )


def _doubtful(intent: Intent, found: Found) -> Problem:
    shown = f" (the tenant shows {found.object.id})" if found.object else ""
    return Problem(
        "CW605",
        f"{intent.address}: an earlier run was cut off during its {intent.action}, and what became of it is "
        f"not certain: {found.why}{shown}",
        hint="look at it in CloudWorks: make it what the manifest says or what it was before, then apply again",
        address=intent.address,
    )
