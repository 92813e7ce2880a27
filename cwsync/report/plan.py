"""A plan for people: what changes and why, the calls in order, and the phrases that tools look for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from cwsync.report.blast import blast_lines
from cwsync.report.changes import change_text
from cwsync.report.drift import drift_block
from cwsync.report.notes import listed, unseen
from cwsync.report.problems import problems_text
from cwsync.report.screen import Paint, counted, pad, safe, width
from cwsync.report.values import Values

if TYPE_CHECKING:
    from cwsync.plan import Call, Change, Plan

FATES = ("create", "update", "replace", "delete", "import", "forget", "move")


def plan_text(
    plan: Plan, *, color: bool, verbose: bool = False, quiet: bool = False, now: datetime | None = None
) -> str:
    """The whole plan; `verbose` shortens nothing and names what is counted otherwise, `quiet` leaves the
    summary and the problems. `plan.problems` are part of it, and need not be shown again. With `now` it tells
    when schedules fire next."""
    paint = Paint(color)
    blocks: list[str] = []
    if not quiet:
        blocks += _body(plan, Values(plan.labels, full=verbose), paint)
    blocks.append(summary(plan, paint))
    if not quiet:
        blocks.append("\n".join(_notes(plan, verbose, now)))
    blocks.append(_problems(plan, paint, color))
    return "\n\n".join(block for block in blocks if block)


def _body(plan: Plan, values: Values, paint: Paint) -> Iterator[str]:
    if plan.drift:
        objects = counted(len(plan.drift), "object")
        yield f"Note: {objects} changed outside cwsync since the last apply:"
        yield from (drift_block(drift, values, paint) for drift in plan.drift)
    if not plan.empty:
        yield "cwsync will perform the following actions:"
        yield from (change_text(change, values, paint) for change in plan.changes if change.action != "no-op")
    if plan.calls:
        yield "Calls, in order:"
        yield "\n".join(call_lines(plan.calls, paint, verbose=values.full))


def call_lines(calls: tuple[Call, ...], paint: Paint, *, verbose: bool) -> Iterator[str]:
    """A line for each call, in columns; `verbose` says what it waits for and why it is made."""
    digits = len(str(calls[-1].order))
    methods = max(len(call.method) for call in calls)
    paths = max(width(safe(call.path)) for call in calls)
    addresses = max(width(safe(call.address)) for call in calls)
    for call in calls:
        address = safe(call.address)
        line = f"  {call.order:>{digits}}. {call.method:<{methods}} {pad(safe(call.path), paths)}  "
        if not verbose:
            yield line + address
            continue
        after = f"after {', '.join(map(str, call.after))}: " if call.after else ""
        yield f"{line}{pad(address, addresses)}{paint('faint', f'  # {after}{safe(call.because)}')}"


def summary(plan: Plan, paint: Paint) -> str:
    """The line that tools look for; empty where the picture is not good enough to say `No changes.`"""
    if plan.empty:
        if blocked(plan):
            return ""  # a picture that is wrong or incomplete shows no changes, and that would mislead
        why = "The tenant matches the manifests." if plan.changes else "Nothing is declared or managed."
        if plan.left_out:
            why = "What was chosen matches the manifests."
        return f"{paint('bold', 'No changes.')} {why}"
    count = plan.summary
    imports = f"{count['import']} to import, " if count["import"] else ""
    main = (
        f"Plan: {imports}{count['create'] + count['replace']} to add, {count['update']} to change, "
        f"{count['delete'] + count['replace']} to destroy."
    )
    also = [f"{count[name]} to {name}" for name in ("forget", "move") if count[name]]
    return paint("bold", main) + (f" Also {', '.join(also)}." if also else "")


def fates_of(plan: Plan, change: Change) -> tuple[str, ...]:
    """What happens to one resource. As in `Plan.summary`, what is imported or has moved, and is changed as well,
    counts as both."""
    count = replace(plan, changes=(change,)).summary
    return tuple(name for name in FATES if count[name])


def fates(plan: Plan) -> dict[str, dict[str, int]]:
    """How many resources meet which fate, by kind."""
    found: dict[str, dict[str, int]] = {}
    for change in plan.changes:
        for name in fates_of(plan, change):
            found.setdefault(change.kind, dict.fromkeys(FATES, 0))[name] += 1
    return found


def _notes(plan: Plan, verbose: bool, now: datetime | None) -> Iterator[str]:
    yield from blast_lines(plan, now, verbose=verbose)
    if plan.left_out:
        resources = counted(len(plan.left_out), "resource")
        heading = f"This plan is a part of the work, and leaves out the changes of {resources}"
        yield from listed(heading, plan.left_out, named=True)
    yield from unseen(plan.unmanaged, plan.unverifiable, verbose)
    if plan.pending:
        operations = counted(len(plan.pending), "operation")
        yield from listed(f"Left by an earlier run, its outcome not known: {operations}", plan.pending, True)
    if plan.assumed:
        objects = "1 object" if plan.assumed == 1 else f"{plan.assumed} objects"
        yield f"Taken as last read in full, because their lists show no change: {objects} (--refresh full reads all)."
    if verbose:
        yield f"Read in {counted(plan.read_calls, 'call')}, {plan.read_seconds:.1f} s. Plan {plan.digest}."


def _problems(plan: Plan, paint: Paint, color: bool) -> str:
    if not plan.problems:
        return ""
    style = "!" if blocked(plan) else "~"
    return f"{paint(style, problems_heading(plan))}\n\n{problems_text(plan.problems, color)}"


def blocked(plan: Plan) -> bool:
    """Whether something keeps it from being applied."""
    return any(problem.severity == "error" for problem in plan.problems)


def problems_heading(plan: Plan) -> str:
    """What the problems below it come to."""
    return (
        "Error: this plan cannot be applied:" if blocked(plan) else "Warning: look at this before applying:"
    )
