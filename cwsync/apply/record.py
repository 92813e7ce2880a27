"""How results become state: pure steps from one state to the next. What can be made twice is the same twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cwsync.apply.task import Task
from cwsync.apply.work import Result
from cwsync.kinds import KINDS, Action, Desired
from cwsync.plan import SET_ASIDE, Change, Plan
from cwsync.plan.diff import arrange
from cwsync.state import Deposed, Entry, State


def ended(state: State, result: Result) -> State:
    """The state once a task is over. What is not known stays an intent: only a resolution clears it (R4)."""
    if result.status == "unknown":
        return state
    state = state.without_intents([result.task.intent.op])
    return _done(state, result) if result.status == "done" else state


def _done(state: State, result: Result) -> State:
    task = result.task
    if task.call.action == SET_ASIDE:
        return _set_aside(state, task)
    if task.call.action == Action.DELETE:
        return _deleted(state, task)
    entry = state.resources.get(task.address)
    fingerprints = task.intent.secretFingerprints if task.secrets else (entry.secrets if entry else {})
    applied = dict(result.applied or {})
    name = str(applied.get("name", ""))
    return state.with_entry(
        task.address,
        Entry(
            kind=task.kind.name,
            id=result.id or (entry.id if entry else ""),
            name=name,
            applied=applied,  # type: ignore[arg-type] # a goal that was reached has no reference left
            parent=task.parent,
            secrets=fingerprints,
            protect=task.protect,
            origin=entry.origin if entry else "created",
        ),
    )


def _set_aside(state: State, task: Task) -> State:
    assert task.id is not None
    deposed = Deposed(task.address, task.kind.name, task.id, task.intent.name)
    others = tuple(one for one in state.deposed if one.id != task.id)
    return replace(state.without_entry(task.address), deposed=(*others, deposed))


def _deleted(state: State, task: Task) -> State:
    if any(one.id == task.id for one in state.deposed):
        return replace(state, deposed=tuple(one for one in state.deposed if one.id != task.id))
    return state.without_entry(task.address)


def settled(state: State, plan: Plan, desired: Mapping[str, Desired]) -> State:
    """What changes in the state alone: what is gone is forgotten, what agrees again is known as it is."""
    for change in plan.changes:
        if change.action == "forget":
            state = _forgotten(state, change)
        elif change.action == "no-op" and change.address in desired and change.address in state.resources:
            state = _refreshed(state, change, desired[change.address])
    return state


def _forgotten(state: State, change: Change) -> State:
    if change.address in state.resources:
        return state.without_entry(change.address)
    return replace(state, deposed=tuple(one for one in state.deposed if one.id != change.id))


def _refreshed(state: State, change: Change, desired: Desired) -> State:
    entry = state.resources[change.address]
    applied = arrange(KINDS[entry.kind], change.after or {})
    current = replace(entry, name=desired.name, applied=applied, protect=desired.protect)  # type: ignore[arg-type] # ids
    return state if current == entry else state.with_entry(change.address, current)
