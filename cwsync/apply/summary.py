"""What came of a run, address by address: of several calls, the one that went worst tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from cwsync.apply.work import Result
from cwsync.errors import Problem
from cwsync.plan import ApplyResult, Change, Outcome, Plan, Sent


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
    for change in plan.changes:
        orders = [call.order for call in plan.calls if call.address == change.address]
        if orders:
            fate, outcome = _outcome(change, orders, results, skipped)
            outcomes[fate].append(outcome)
    told = tuple(problems)
    if interrupted:
        open_ = len(plan.calls) - len(results) - len(skipped)
        rest = f"; {open_} had no reply yet, and the next run finds out what became of them" if open_ else ""
        told += (Problem("CW604", f"interrupted: what has ended is in the state{rest}"),)
    return ApplyResult(
        environment=plan.environment,
        tenant=plan.tenant,
        applied=tuple(outcomes["applied"]),
        failed=tuple(outcomes["failed"]),
        skipped=tuple(outcomes["skipped"]),
        calls=requests,
        problems=told,
        interrupted=interrupted,
    )


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
