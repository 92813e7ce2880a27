"""What an earlier run left behind: every intent without an end is resolved before anything is planned (R7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cwsync.api import Client
from cwsync.apply.attempt import DECIDE, PAUSES
from cwsync.apply.audited import resolution_entry
from cwsync.apply.evidence import Found, Ours, resolve
from cwsync.apply.record import deleted, owner, set_aside, unconfirmed, unsure_of_secrets
from cwsync.errors import Problem
from cwsync.kinds import KINDS, Action, Observed
from cwsync.live import Look
from cwsync.plan import SET_ASIDE
from cwsync.plan.diff import see
from cwsync.state import Entry, Held, Intent, State


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was found out, in words, and a CW605 for each address that waits for a person.

    The intents of those stay in the state: `Executor` leaves their addresses alone, and whatever waits for them.
    `doubtful` has them with what was found.
    """

    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    doubtful: tuple[tuple[Intent, Found], ...] = ()


def recover(client: Client, held: Held, sleep: Callable[[float], None]) -> Recovered:
    """Resolve all that is pending, by reading alone (R9), with a line in the audit trail for each: what the run
    that was cut off wrote may be missing. Raises `ServiceError` where the tenant can't be read."""
    held.settle()
    if not held.state.pending:
        return Recovered()
    found = look_at_pending(client, held.state, sleep)
    resolved = [(intent, one) for intent, one in found if one.verdict != "needs a person"]
    doubtful = tuple((intent, one) for intent, one in found if one.verdict == "needs a person")
    if resolved:
        for intent, one in resolved:
            client.trail.write(resolution_entry(intent, one))
        client.trail.check()
        held.update(lambda state: _all_resolved(state, resolved))
    return Recovered(
        tuple(f"{i.address}: the {i.action} of an earlier run was {one.verdict}" for i, one in resolved),
        tuple(_doubtful(intent, one) for intent, one in doubtful),
        doubtful,
    )


def look_at_pending(
    client: Client, state: State, sleep: Callable[[float], None]
) -> list[tuple[Intent, Found]]:
    """Each intent with what became of it. What was made may take a moment to show in a list, so what is
    absent is looked for more than once. Changes nothing. Raises `ServiceError`."""
    found: dict[str, Found] = {}
    waiting = dict(state.pending)
    for pause in (0.0, *PAUSES):
        if pause and waiting:
            sleep(pause)
        look = Look(client)
        for op, intent in waiting.items():
            found[op] = resolve(look, intent, Ours.beside(state, intent.address), client.server_time)
        waiting = {
            op: intent
            for op, intent in waiting.items()
            if intent.action == Action.CREATE and found[op].verdict == "not done" and not found[op].object
        }
    return [(intent, found[op]) for op, intent in state.pending.items()]


def _all_resolved(state: State, resolved: list[tuple[Intent, Found]]) -> State:
    for intent, found in resolved:
        state = _resolved(state, intent, found)
    return state


def _resolved(state: State, intent: Intent, found: Found) -> State:
    if intent.op not in state.pending:
        return state  # written already, by a commit that seemed to fail
    state = state.without_intents([intent.op])
    if found.verdict == "not done":
        return unsure_of_secrets(state, intent)
    if intent.action == SET_ASIDE:
        return set_aside(state, intent)
    if intent.action == Action.DELETE:
        return deleted(state, intent)
    assert found.object is not None
    return bound(state, intent, found.object)


def bound(state: State, intent: Intent, found: Observed) -> State:
    """The address, known to be this object as it is now. Secrets that were sent to it are sent again."""
    entry = state.resources.get(intent.address)
    seen = see(KINDS[intent.kind], entry.applied if entry else {}, found.fields or {})
    sent = intent.secretFingerprints
    return state.with_entry(
        intent.address,
        Entry(
            kind=intent.kind,
            id=found.id,
            name=found.name,
            applied=seen.live,  # type: ignore[arg-type] # what is observed has no reference left
            parent=owner(state, intent.parent, intent.address),
            secrets=unconfirmed(sent) if sent else (entry.secrets if entry else {}),
            protect=intent.protect or (entry is not None and entry.protect),
            origin=entry.origin if entry else "created",
        ),
    )


def _doubtful(intent: Intent, found: Found) -> Problem:
    shown = f" (the tenant shows {found.object.id})" if found.object else ""
    return Problem(
        "CW605",
        f"{intent.address}: an earlier run was cut off during its {intent.action}, and what became of it is "
        f"not certain: {found.why}{shown}",
        hint=DECIDE,
        address=intent.address,
    )
