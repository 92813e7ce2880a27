"""How results become state: pure steps from one state to the next. What can be made twice is the same twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import chain

from cwsync.apply.work import Result
from cwsync.kinds import KINDS, Action, Behaviour, Desired, Observed, Snapshot, same_id
from cwsync.kinds.values import Path
from cwsync.plan import SET_ASIDE, Change, Outcome, Plan, plain_address
from cwsync.plan.diff import arrange, see
from cwsync.plan.lists import imported
from cwsync.state import Deposed, Entry, Fingerprint, Intent, State


def ended(state: State, results: Iterable[Result]) -> State:
    """The state once these tasks are over. What is not known stays an intent: only a resolution clears it (R4).

    Without its intent the end is in the state already, by a commit that was written although it failed.
    """
    known = [one for one in results if one.status != "unknown" and one.task.intent.op in state.pending]
    state = state.without_intents([one.task.intent.op for one in known])
    for result in known:
        if result.status == "done":
            state = _done(state, result)
        elif result.unsure:
            state = unsure_of_secrets(state, result.task.intent)
    return state


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
            parent=owner(state, task.parent, task.address),
            secrets=secrets,
            protect=task.protect,
            origin=entry.origin if entry else "created",
        ),
    )


def unconfirmed(marks: Mapping[str, Fingerprint]) -> dict[str, Fingerprint]:
    """Marks that no secret has: whether they arrived is not certain, so the next plan sends them."""
    return {name: replace(mark, fingerprint="") for name, mark in marks.items()}


def unsure_of_secrets(state: State, intent: Intent) -> State:
    """After a request that shows no effect: nobody can see whether its secrets arrived, so they are sent again,
    also where the ones from before it are wanted back."""
    entry = state.resources.get(intent.address)
    if entry is None or not intent.secretFingerprints:
        return state
    return state.with_entry(
        intent.address, replace(entry, secrets={**entry.secrets, **unconfirmed(intent.secretFingerprints)})
    )


def owner(state: State, integration: str | None, part: str) -> str | None:
    """The address of the integration that `part`, a schedule or a notification, belongs to; its id where it has none.

    It is looked for where it was, then under the part's own key, and only then in the whole state.
    """
    if integration is None:
        return None
    id, known = same_id(integration), state.resources.get(part)
    likely = ((known and known.parent) or "", f"integration.{part.partition('.')[2]}")
    first = ((at, state.resources[at]) for at in likely if at in state.resources)
    return next(
        (
            at
            for at, entry in chain(first, state.resources.items())
            if entry.kind == "integration" and same_id(entry.id) == id
        ),
        integration,
    )


def set_aside(state: State, intent: Intent) -> State:
    """The object of an address has made room for its replacement, and still has to go. One that did so before
    belongs to the address that it had then."""
    others = _others(state, intent)
    address = next((one.address for one in state.deposed if one not in others), intent.address)
    deposed = Deposed(address, intent.kind, intent.targetId or "", intent.name)
    return replace(state.without_entry(intent.address), deposed=(*others, deposed))


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
    """What changes in the state alone: what has moved, what is taken over or forgotten, and what agrees again.

    An address whose last operation is not resolved yet stays as it is.
    """
    state = _moved(state, {one.previous_address: one.address for one in plan.changes if one.previous_address})
    unresolved = {plain_address(intent.address) for intent in state.pending.values()}
    for change in plan.changes:
        if plain_address(change.address) in unresolved:
            continue
        if change.action == "forget":
            state = _forgotten(state, change)
        elif change.action == "import" and change.address not in state.resources:
            state = _imported(state, change, desired[change.address])
        agrees = change.action in ("no-op", "move", "import") and not change.fields
        if agrees and change.address in desired and change.address in state.resources:
            state = _refreshed(state, change, desired[change.address])
    return state


def settled_outcomes(plan: Plan, state: State) -> tuple[Outcome, ...]:
    """What `settled` made of addresses that no call is for; `state` is the one after it."""
    called = {call.address for call in plan.calls}
    unresolved = {intent.address for intent in state.pending.values()}
    return tuple(
        Outcome(change.address, change.action, change.reason, id=change.id)
        for change in plan.changes
        if change.action in ("import", "move", "forget") and change.address not in called | unresolved
    )


def _moved(state: State, moves: Mapping[str, str]) -> State:
    """A chain of moves from its end: what stands where another goes is moved first."""
    while ready := [old for old, new in moves.items() if _can_move(state, old, new)]:
        for old in ready:
            state = state.moved(old, moves[old])
    return state


def _can_move(state: State, old: str, new: str) -> bool:
    return old in state.resources and new not in state.resources


def _imported(state: State, change: Change, desired: Desired) -> State:
    entry = imported(
        desired, change.id or "", str((change.before or {}).get("name", "")), change.before or {}
    )
    return state.with_entry(change.address, entry)


def _forgotten(state: State, change: Change) -> State:
    if change.address in state.resources:
        return state.without_entry(change.address)
    return replace(
        state, deposed=tuple(d for d in state.deposed if (d.kind, d.id) != (change.kind, change.id))
    )


def with_versions(state: State, seen: Snapshot) -> State:
    """Which version of each object was read in full and is as applied: a fast plan need not read it again."""
    entries = {
        at: _with_version(entry, seen.get(entry.kind, entry.id)) for at, entry in state.resources.items()
    }
    changed = {at: entry for at, entry in entries.items() if entry is not state.resources[at]}
    return replace(state, resources={**state.resources, **changed}) if changed else state


def _with_version(entry: Entry, live: Observed | None) -> Entry:
    if live is None or live.version_read is None or live.version_read == entry.seen or live.fields is None:
        return entry
    kind = KINDS[entry.kind]
    found = see(kind, entry.applied, live.fields)
    as_applied = live.foreign is None and found.known == found.live
    hidden = [
        path
        for path in kind.paths_that(Behaviour.NOT_READ_BACK)
        if any(_fits(one, path) for one in found.unverifiable)
    ]
    return replace(entry, seen=live.version_read if as_applied else None, unread=tuple(hidden))


def _fits(path: Path, pattern: str) -> bool:
    parts = pattern.split(".")
    return len(parts) == len(path) and all(
        part in ("*", str(step)) for part, step in zip(parts, path, strict=True)
    )


def _refreshed(state: State, change: Change, desired: Desired) -> State:
    entry = state.resources[change.address]
    applied = arrange(KINDS[entry.kind], change.after or {})
    current = replace(entry, name=desired.name, applied=applied, protect=desired.protect)  # type: ignore[arg-type] # ids
    return state if current == entry else state.with_entry(change.address, current)
