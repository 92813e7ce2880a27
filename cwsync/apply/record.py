"""How results become state: pure steps from one state to the next. What can be made twice is the same twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cwsync.apply.work import Result
from cwsync.kinds import KINDS, Action, Desired, same_id
from cwsync.plan import SET_ASIDE, Change, Plan
from cwsync.plan.diff import arrange
from cwsync.state import Deposed, Entry, Fingerprint, Intent, State


def ended(state: State, result: Result) -> State:
    """The state once a task is over. What is not known stays an intent: only a resolution clears it (R4)."""
    if result.status == "unknown":
        return state
    state = state.without_intents([result.task.intent.op])
    return _done(state, result) if result.status == "done" else state


def _done(state: State, result: Result) -> State:
    task = result.task
    if task.call.action == SET_ASIDE:
        return set_aside(state, task.intent)
    if task.call.action == Action.DELETE:
        return deleted(state, task.intent)
    entry = state.resources.get(task.address)
    secrets = entry.secrets if entry else {}
    if task.secrets:
        marks = task.intent.secretFingerprints
        secrets = marks if result.confirmed else unconfirmed(marks)
    applied = dict(result.applied or {})
    name = str(applied.get("name", ""))
    return state.with_entry(
        task.address,
        Entry(
            kind=task.kind.name,
            id=result.id or (entry.id if entry else ""),
            name=name,
            applied=applied,  # type: ignore[arg-type] # a goal that was reached has no reference left
            parent=owner(state, task.parent),
            secrets=secrets,
            protect=task.protect,
            origin=entry.origin if entry else "created",
        ),
    )


def unconfirmed(marks: Mapping[str, Fingerprint]) -> dict[str, Fingerprint]:
    """Marks that no secret has: whether they arrived is not certain, so the next plan sends them."""
    return {name: replace(mark, fingerprint="") for name, mark in marks.items()}


def owner(state: State, integration: str | None) -> str | None:
    """The address of the integration that a schedule or a notification is a part of; its id where it has none."""
    if integration is None:
        return None
    entries = ((at, entry) for at, entry in state.resources.items() if entry.kind == "integration")
    return next((at for at, entry in entries if same_id(entry.id) == same_id(integration)), integration)


def set_aside(state: State, intent: Intent) -> State:
    """The object of an address has made room for its replacement, and still has to go."""
    deposed = Deposed(intent.address, intent.kind, intent.targetId or "", intent.name)
    return replace(state.without_entry(intent.address), deposed=(*_others(state, intent), deposed))


def deleted(state: State, intent: Intent) -> State:
    """An object is gone: one that was set aside, or the address's own."""
    others = _others(state, intent)
    if len(others) < len(state.deposed):
        return replace(state, deposed=others)
    return state.without_entry(intent.address)


def _others(state: State, intent: Intent) -> tuple[Deposed, ...]:
    """What was set aside, without the intent's own object. A schedule has the id of its integration, so the
    id alone does not tell."""
    mine = (intent.kind, same_id(intent.targetId or ""))
    return tuple(one for one in state.deposed if (one.kind, same_id(one.id)) != mine)


def settled(state: State, plan: Plan, desired: Mapping[str, Desired]) -> State:
    """What changes in the state alone: what is gone is forgotten, what agrees again is known as it is.

    An address whose last operation is not resolved yet stays as it is.
    """
    unresolved = {intent.address for intent in state.pending.values()}
    for change in plan.changes:
        if change.address in unresolved:
            continue
        if change.action == "forget":
            state = _forgotten(state, change)
        elif change.action == "no-op" and change.address in desired and change.address in state.resources:
            state = _refreshed(state, change, desired[change.address])
    return state


def _forgotten(state: State, change: Change) -> State:
    if change.address in state.resources:
        return state.without_entry(change.address)
    return replace(
        state, deposed=tuple(d for d in state.deposed if (d.kind, d.id) != (change.kind, change.id))
    )


def _refreshed(state: State, change: Change, desired: Desired) -> State:
    entry = state.resources[change.address]
    applied = arrange(KINDS[entry.kind], change.after or {})
    current = replace(entry, name=desired.name, applied=applied, protect=desired.protect)  # type: ignore[arg-type] # ids
    return state if current == entry else state.with_entry(change.address, current)
