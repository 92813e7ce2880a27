"""A plan as Markdown, for the comment of a pull request: what is risky first, the details folded.

GitHub takes 65,536 characters for a comment, so everything has a room of its own, and what doesn't fit in is
counted. The first line marks the comment, so that a later run finds it and writes it anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from cwsync.report.changes import about, heading, rows
from cwsync.report.drift import drift_block
from cwsync.report.markdown import cell, code
from cwsync.report.plan import FATES, blocked, call_lines, fates, fates_of, problems_heading, summary
from cwsync.report.risks import Risk, risks
from cwsync.report.screen import Paint, counted, safe
from cwsync.report.values import Values

if TYPE_CHECKING:
    from cwsync.errors import Problem
    from cwsync.plan import Change, Plan

LARGEST = 64_000
_PROBLEMS, _RISKS, _NOTES, _CALLS, _DRIFT = 8_000, 20_000, 6_000, 8_000, 6_000
_LONGEST = 600  # of one message; what is escaped may be twelve times as long
_PLAIN = Paint(on=False)
# A `diff` block colours a line by its first character, and knows none for a change.
_SIGNS = {"~": "!", "-/+": "!"}


def plan_markdown(plan: Plan, command: str, now: datetime | None = None) -> str:
    """The comment, below 65,000 characters. `command` is the one that shows all of it; with `now` it tells when
    schedules fire next."""
    values = Values(plan.labels)
    before = [
        marker(plan),
        f"## cwsync plan for {cell(plan.environment)}{': cannot be applied' if blocked(plan) else ''}",
        summary(plan, _PLAIN),
        *_problems(plan, command),
        *_risks(risks(plan, now), command),
        *_table(plan),
    ]
    behind = [*_calls(plan, command), *_drift(plan, values, command), *_notes(plan, command)]
    changes = [change for change in plan.changes if change.action != "no-op"]
    left = LARGEST - sum(len(block) + 2 for block in (*before, *behind))
    shown = _fitting((_change(plan, change, values) for change in changes), left - 400)
    missing = len(changes) - len(shown)
    details = ["### Changes", *shown] if changes else []
    if missing:
        details.append(f"The details of {_more(missing, 'more resource', command)}")
    return "\n\n".join(block for block in (*before, *details, *behind) if block)


def marker(plan: Plan) -> str:
    """The line by which a comment is found again. No name of an environment ends the HTML comment."""
    return f"<!-- cwsync plan: {quote(plan.environment, safe=' ')} -->"


def _more(number: int, noun: str, command: str) -> str:
    verb = "is" if number == 1 else "are"
    return f"{counted(number, noun)} {verb} left out here, for want of space: {code(command)} shows all."


def _fitting(blocks: Iterable[str], room: int) -> list[str]:
    """The first blocks that fit in."""
    taken = []
    for block in blocks:
        room -= len(block) + 2
        if room < 0:
            break
        taken.append(block)
    return taken


def _listed(lines: Sequence[str], room: int, noun: str, command: str) -> str:
    """A list of lines that are escaped already, and how many more there are."""
    taken = _fitting((f"- {line}" for line in lines), room)
    if missing := len(lines) - len(taken):
        taken.append(f"- {_more(missing, f'more {noun}', command)}")
    return "\n".join(taken)


def _problems(plan: Plan, command: str) -> Iterator[str]:
    if plan.problems:
        yield problems_heading(plan)
        yield _listed([_problem(one) for one in plan.problems], _PROBLEMS, "problem", command)


def _problem(problem: Problem) -> str:
    where = f"{cell(str(problem.place))}: " if problem.place else ""
    severity = " warning:" if problem.severity == "warning" else ""
    message = "; ".join((problem.message, *problem.details))
    hint = f"<br>hint: {cell(_cut(problem.hint))}" if problem.hint else ""
    return f"{where}**{problem.code}**{severity} {cell(_cut(message))}{hint}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _risks(found: Sequence[Risk], command: str) -> Iterator[str]:
    """All of them are counted, and each sort has its share of the room."""
    if found:
        yield "### Look at this first"
    for risk in found:
        lines = [_risk(*item) for item in risk.items]
        yield f"**{risk.title}: {len(lines):,}** ({risk.meaning})"
        yield _listed(lines, _RISKS // len(found), "of these", command)


def _risk(address: str, name: str, what: str) -> str:
    named = f" ({cell(name[:100])})" if name else ""
    return f"{code(address)}{named}{f': {cell(_cut(what))}' if what else ''}"


def _table(plan: Plan) -> Iterator[str]:
    """Kind by fate. What is imported or moved, and changed as well, counts as both, as in the summary."""
    count = fates(plan)
    if not count:
        return
    named = [name for name in FATES if any(of_kind[name] for of_kind in count.values())]
    lines = [f"| kind | {' | '.join(named)} |", f"|---|{'---:|' * len(named)}"]
    for kind, of_kind in count.items():
        lines.append(f"| {kind} | {' | '.join(str(of_kind[name] or '') for name in named)} |")
    yield "### Summary"
    yield "\n".join(lines)


def _change(plan: Plan, change: Change, values: Values) -> str:
    lines = [f"# {heading(change)}", *(f"# ({line})" for line in about(change))]
    for row in rows(change, values):
        note = f"  # {row.note}" if row.note else ""
        lines.append(f"{_SIGNS.get(row.sign, row.sign)} {row.text}{note}")
    met = ", ".join(fates_of(plan, change))
    return _folded(f"<code>{escape(safe(change.address))}</code> {met}", _fenced(lines, "diff"))


def _folded(title: str, content: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{content}\n\n</details>"


def _fenced(lines: Iterable[str], language: str) -> str:
    """A block of code. Each line begins with a sign or a number of ours, so none can end it."""
    return "\n".join((f"```{language}", *lines, "```"))


def _calls(plan: Plan, command: str) -> Iterator[str]:
    if plan.calls:
        lines = list(call_lines(plan.calls, _PLAIN, verbose=False))
        yield "### Calls"
        yield from _folded_lines(
            f"{counted(len(lines), 'call')}, in order", lines, _CALLS, "more call", command
        )


def _drift(plan: Plan, values: Values, command: str) -> Iterator[str]:
    if plan.drift:
        blocks = [drift_block(drift, values, _PLAIN) for drift in plan.drift]
        title = f"Note: {counted(len(blocks), 'object')} changed outside cwsync since the last apply"
        yield from _folded_lines(title, blocks, _DRIFT, "more object", command)


def _folded_lines(title: str, lines: Sequence[str], room: int, noun: str, command: str) -> Iterator[str]:
    taken = _fitting(lines, room)
    missing = len(lines) - len(taken)
    more = [_more(missing, noun, command)] if missing else []
    yield _folded(title, "\n\n".join([*([_fenced(taken, "text")] if taken else []), *more]))


def _notes(plan: Plan, command: str) -> Iterator[str]:
    if plan.left_out:
        yield "This plan is a part of the work. It leaves out the changes of:"
        yield _listed([code(one) for one in plan.left_out], _NOTES, "resource", command)
    if plan.pending:
        yield "Left by an earlier run, its outcome not known:"
        yield _listed([code(one) for one in plan.pending], _NOTES, "operation", command)
    if plan.unverifiable:
        fields = counted(len(plan.unverifiable), "field")
        title = f"Never shown by the service, so taken to be as last applied: {fields}"
        yield _folded(title, _listed([code(one) for one in plan.unverifiable], _NOTES, "field", command))
    if plan.unmanaged:
        yield f"Not managed here: {counted(len(plan.unmanaged), 'object')}."
    yield f"Plan {code(plan.digest)}"
