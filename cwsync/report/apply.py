"""What came of an apply, for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cwsync.report.changes import field_line
from cwsync.report.problems import problems_text
from cwsync.report.screen import Paint, pad, safe, width

if TYPE_CHECKING:
    from cwsync.plan import ApplyResult, Outcome, Sent

_DONE = {
    "create": ("+", "created"),
    "update": ("~", "updated"),
    "replace": ("-/+", "replaced"),
    "delete": ("-", "destroyed"),
    "import": ("~", "imported"),
    "forget": ("-", "no longer managed"),
    "move": ("~", "moved"),
    "no-op": ("~", "paused while its integration changed"),
}


def apply_text(result: ApplyResult, *, color: bool, verbose: bool = False, quiet: bool = False) -> str:
    """Every address with its fate, what went wrong, and the summary; `verbose` adds every request."""
    paint = Paint(color)
    blocks: list[str] = []
    if not quiet:
        blocks.append("\n".join(_outcomes(result, paint)))
    if verbose and result.calls:
        blocks.append("Requests, as they were made:\n\n" + "\n".join(_requests(result.calls)))
    blocks.append(_problems(result, color, quiet))
    blocks.append(_summary(result, paint))
    return "\n\n".join(block for block in blocks if block)


def _outcomes(result: ApplyResult, paint: Paint) -> Iterator[str]:
    for outcome in result.applied:
        sign, done = _DONE[outcome.action]
        id = f" (id {safe(outcome.id)})" if outcome.id and outcome.action in ("create", "replace") else ""
        yield field_line(sign, f"{safe(outcome.address)}: {done}{id}", safe(outcome.detail or ""), paint)
    problems = {problem.message: problem for problem in result.problems}
    for outcome in result.failed:
        problem = problems.get(outcome.detail or "")
        code = f"{problem.code} " if problem else ""
        why = safe(f"{code}{outcome.detail or ''}")
        yield field_line("!", f"{safe(outcome.address)}: failed: {why}", "", paint)
        if problem and problem.hint:
            yield f"        hint: {safe(problem.hint)}"
    for outcome in result.skipped:
        yield field_line("!", f"{safe(outcome.address)}: skipped: {_why_skipped(outcome)}", "", paint)


def _why_skipped(outcome: Outcome) -> str:
    return safe(outcome.detail or f"it waits for {outcome.blocked_by}")


def _requests(calls: tuple[Sent, ...]) -> Iterator[str]:
    digits = len(str(len(calls)))
    methods = max(len(call.method) for call in calls)
    paths = max(width(safe(call.path)) for call in calls)
    for call in calls:
        outcome = "outcome not known" if call.outcome == "unknown" else call.outcome
        message = f": {safe(call.message)}" if call.message else ""
        yield (
            f"  {call.number:>{digits}}. {call.method:<{methods}} {pad(safe(call.path), paths)}  "
            f"{safe(call.address)}  {outcome}{message}"
        )


def _problems(result: ApplyResult, color: bool, quiet: bool) -> str:
    """The problems that no failed address above has told of."""
    told = set() if quiet else {outcome.detail for outcome in result.failed}
    return problems_text((one for one in result.problems if one.message not in told), color)


def _summary(result: ApplyResult, paint: Paint) -> str:
    actions = [outcome.action for outcome in result.applied]
    added, changed, destroyed = (actions.count(name) for name in ("create", "update", "delete"))
    replaced = actions.count("replace")
    imported = f"{actions.count('import')} imported, " if "import" in actions else ""
    made = f"{added + replaced} added, {changed} changed, {destroyed + replaced} destroyed"
    resources = f"Resources: {imported}{made}"
    if not (result.failed or result.skipped or result.interrupted or _wrong(result)):
        return f"{paint('bold', 'Apply complete!')} {resources}."
    fate = "interrupted" if result.interrupted else "applied partly" if actions else "nothing was applied"
    undone = f"{len(result.failed)} failed, {len(result.skipped)} skipped"
    return f"{paint('!', f'Error: {fate}.')} {resources}; {undone}."


def _wrong(result: ApplyResult) -> bool:
    return any(problem.severity == "error" for problem in result.problems)
