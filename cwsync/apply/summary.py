"""What came of a run, address by address: of several calls, the one that went worst tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from cwsync.apply.work import Result
from cwsync.errors import Problem
from cwsync.kinds import Action
from cwsync.plan import ApplyResult, Call, Change, Outcome, Plan, Sent

_DISABLED = "it is disabled now, and the next apply enables it"

_OPEN = (
    "apply again: on this machine it takes the lock over at once, elsewhere with --lock-timeout 150; "
    "it begins by finding out what became of what had no reply"
)


def summary(
    plan: Plan,
    results: Mapping[int, Result],
    skipped: Mapping[int, str],
    requests: tuple[Sent, ...],
    problems: Iterable[Problem],
    interrupted: bool,
) -> ApplyResult:
    """`results` and `skipped` are by the order of the plan's calls; `skipped` has reasons, or the address
    that a call waited for in vain. Of a call in neither, no reply came."""
    outcomes: dict[str, list[Outcome]] = {"applied": [], "failed": [], "skipped": []}
    calls: dict[str, list[Call]] = {}
    for call in plan.calls:
        calls.setdefault(call.address, []).append(call)
    disabled = {address for address, own in calls.items() if _left_disabled(own, results)}
    for change in plan.changes:
        if own := calls.get(change.address):
            fate, outcome = _outcome(change, [call.order for call in own], results, skipped)
            if fate == "skipped" and change.address in disabled:
                outcome = replace(outcome, detail=f"{outcome.detail}; {_DISABLED}")
            outcomes[fate].append(outcome)
    told = tuple(_with_hint(one, _DISABLED) if one.address in disabled else one for one in problems)
    if interrupted:
        open_ = len(plan.calls) - len(results) - len(skipped)
        rest = f"; {open_} had no reply yet, and the state stays locked" if open_ else ""
        hint = _OPEN if open_ else None
        told += (Problem("CW604", f"interrupted: what has ended is in the state{rest}", hint=hint),)
    return ApplyResult(
        environment=plan.environment,
        tenant=plan.tenant,
        applied=tuple(outcomes["applied"]),
        failed=tuple(outcomes["failed"]),
        skipped=tuple(outcomes["skipped"]),
        calls=requests,
        problems=told,
        interrupted=interrupted,
        seen=tuple(result.seen for result in results.values() if result.seen is not None),
    )


def _left_disabled(calls: list[Call], results: Mapping[int, Result]) -> bool:
    """Whether a schedule that was disabled for a while stayed so, for certain."""
    fates = {call.action: results[call.order].status for call in calls if call.order in results}
    enabling = any(call.action == Action.ENABLE for call in calls)
    return enabling and fates.get(Action.DISABLE) == "done" and fates.get(Action.ENABLE, "failed") == "failed"


def _with_hint(problem: Problem, hint: str) -> Problem:
    return replace(problem, hint=f"{problem.hint}; {hint}" if problem.hint else hint)


def _outcome(
    change: Change, orders: list[int], results: Mapping[int, Result], skipped: Mapping[int, str]
) -> tuple[str, Outcome]:
    address, action = change.address, change.action
    over = [results[order] for order in orders if order in results]
    failed = next((one for one in over if one.status != "done"), None)
    if failed is not None:
        return "failed", Outcome(address, action, failed.problem.message if failed.problem else None)
    why = next((skipped[order] for order in orders if order in skipped), None)
    if why is not None:
        by = why if "." in why else None
        return "skipped", Outcome(address, action, f"{by} failed" if by else why, blocked_by=by)
    if len(over) < len(orders):
        return "failed", Outcome(address, action, "no reply came before the run had to end")
    notes = [one.note for one in over if one.note]
    return "applied", Outcome(address, action, "; ".join(notes) or None, id=over[-1].id)


def both(first: ApplyResult, second: ApplyResult) -> ApplyResult:
    """A run, and another that put right what it had left: the addresses are those of the first."""
    begun = len(first.calls)
    return replace(
        first,
        calls=first.calls + tuple(replace(sent, number=begun + sent.number) for sent in second.calls),
        problems=first.problems + second.problems,
        interrupted=second.interrupted,
    )
