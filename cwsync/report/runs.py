"""Runs, their history and their errors, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cwsync.errors import Problem
from cwsync.kinds import same_id
from cwsync.kinds.runs import (
    ActionErrors,
    Dump,
    Fate,
    FlowRuns,
    History,
    Progress,
    Run,
    RunErrors,
    RunResult,
    StepRun,
)
from cwsync.report.document import to_json
from cwsync.report.problems import problems_text
from cwsync.report.screen import Paint, pad, safe, width

Labels = Mapping[str, str]  # the addresses of integrations, by their ids as ids compare

_SIGNS = {Fate.SUCCESS: "+", Fate.PARTIAL: "~", Fate.FAILURE: "!", Fate.CANCELLED: "!"}
_UNTOLD = ("success", "running", "cancelled")  # messages that repeat what the result says already
_HEADINGS = ("STARTED (UTC)", "TOOK", "RESULT", "BY", "RUN", "MESSAGE")


def label(id: str | None, name: str | None, labels: Labels) -> str:
    """What an integration is called here: its address, else its name in the tenant."""
    return safe(labels.get(same_id(id or "")) or (f'"{name}"' if name else id or "?"))


def progress_lines(address: str, before: Progress | None, now: Progress, labels: Labels) -> Iterator[str]:
    """A line for whatever changed, for where there is no terminal."""
    earlier = {step.id: step.fate for step in before.steps} if before else {}
    for step in now.steps:
        if step.fate is not earlier.get(step.id) and step.fate is not Fate.WAITING:
            yield f"{safe(address)}: {label(step.id, step.name, labels)}: {_told(step.fate, step.run)}"
    if not now.run.fate.over and (before is None or before.run.fate is not now.run.fate):
        yield f"{safe(address)}: {now.run.fate}"


def run_text(result: RunResult, problems: Sequence[Problem], labels: Labels, *, color: bool) -> str:
    """How a run ended, its steps where it has any, what went wrong, and what that comes to."""
    paint, run = Paint(color), result.seen.run
    took = f", took {_took(run.seconds)}" if run.seconds is not None else ""
    ending = paint(_SIGNS.get(run.fate, ""), _told(run.fate, run))
    blocks = [f"{paint('bold', safe(result.address))}: {ending}{took} (run {safe(run.id or '?')})."]
    blocks.append("\n".join(_steps(result.seen.steps, labels, paint)))
    for errors in result.errors:
        whose = f" of {label(errors.integration, None, labels)}" if result.seen.steps else ""
        blocks.append("\n".join(_errors(f"Errors{whose}", errors)))
    blocks.append(problems_text(problems, color))
    return "\n\n".join(block for block in blocks if block)


def _told(fate: Fate, run: Run | None) -> str:
    """The result, and what the service adds to it."""
    said = _said(run)
    return f"{fate}: {said}" if said else str(fate)


def _said(run: Run | None) -> str:
    if run is None:
        return ""
    message = run.message or ""
    message = "" if message.casefold() in (*_UNTOLD, str(run.fate)) else safe(message)
    code = "" if run.code is None else f"code {run.code}"
    return f"{message} ({code})" if message and code else message or code


def _steps(steps: Sequence[StepRun], labels: Labels, paint: Paint) -> Iterator[str]:
    names = [label(step.id, step.name, labels) for step in steps]
    longest = max(map(width, names), default=0)
    for step, name in zip(steps, names, strict=True):
        took = step.run.seconds if step.run else None
        cells = [
            pad(name, longest),
            _told(step.fate, step.run),
            "" if took is None else f"took {_took(took)}",
        ]
        sign = _SIGNS.get(step.fate, "-")
        yield f"  {paint(sign, sign)} {'  '.join(cell for cell in cells if cell)}"


def _errors(heading: str, errors: RunErrors) -> Iterator[str]:
    if errors.unread is not None:
        yield f"{heading} could not be read: {safe(errors.unread)}"
        return
    yield f"{heading} (run {safe(errors.run or '?')}):"
    if not errors.actions:
        yield "  The service names none."
    yield from _actions(errors.actions)
    if any(action.dump for action in errors.actions):
        yield f"  The rows that failed: cwsync logs {safe(errors.run or '?')} --dump"


def _actions(actions: Iterable[ActionErrors]) -> Iterator[str]:
    for action in actions:
        name = f' "{safe(action.name)}"' if action.name else ""
        yield f"  Action {safe(action.action or '?')}{name}:"
        for message in action.messages or ("(no message)",):
            yield from (f"    {safe(line)}" for line in message.splitlines())


def history_text(address: str, history: History, *, color: bool) -> str:
    """A table of runs, the latest first."""
    if not history.runs:
        return f"{safe(address)} has never run."
    total = len(history.runs) if history.total is None else history.total
    of = (
        f"{len(history.runs)} of {total:,} runs"
        if total > len(history.runs)
        else f"{total} run{'s'[: total > 1]}"
    )
    rows = [_row(run) for run in history.runs]
    return "\n".join([f"{safe(address)}: {of}, the latest first", "", *_table(_HEADINGS, rows, Paint(color))])


def flow_history_text(address: str, flow: FlowRuns, labels: Labels, *, color: bool) -> str:
    """The latest runs of a flow and of its steps: CloudWorks has no call for a flow's earlier ones."""
    whose = [safe(address), *(f"  {label(step.id, step.name, labels)}" for step in flow.steps)]
    runs = [flow.latest, *(step.latest for step in flow.steps)]
    rows = [
        [name, *(_row(run) if run else ["never", *[""] * 5])] for name, run in zip(whose, runs, strict=True)
    ]
    title = f"{safe(address)}: the latest run of the flow and of each integration in it, whatever started it"
    return "\n".join([title, "", *_table(("", *_HEADINGS), rows, Paint(color))])


def _row(run: Run) -> list[str]:
    started = _stamp(run.started)
    by = safe(f"{run.by or '?'} ({run.trigger})" if run.trigger else run.by or "?")
    took = "" if run.seconds is None else _took(run.seconds)
    return [started, took, str(run.fate), by, safe(run.id or ""), _said(run)]


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], paint: Paint) -> Iterator[str]:
    widths = [max(map(width, column)) for column in zip(headings, *rows, strict=True)]
    for number, row in enumerate((headings, *rows)):
        line = "  ".join(pad(cell, columns) for cell, columns in zip(row, widths, strict=True)).rstrip()
        yield f"  {line if number else paint('faint', line)}"


def logs_text(run: Run | None, run_id: str, actions: Sequence[ActionErrors], *, color: bool) -> str:
    """What the service says of one run's errors."""
    lines = []
    if run is not None:
        when = f", started {_stamp(run.started)} UTC" if run.started else ""
        lines.append(f"{Paint(color)('bold', f'Run {safe(run_id)}')}: {_told(run.fate, run)}{when}")
    if actions:
        return "\n".join([*lines, *_errors("Errors", RunErrors(None, run_id, tuple(actions)))])
    if run is not None and not run.fate.over:
        lines.append("It has not ended; errors are known when it has.")
    else:
        lines.append("The service has no errors of this run. Those of a flow are with its steps' runs.")
    return "\n".join(lines)


def _stamp(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if moment else "?"


def _took(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min {rest:02} s"


def started_json(address: str, id: str, run_id: str) -> str:
    """A run that was started and is not followed."""
    return to_json({"address": address, "id": id, "run": {"id": run_id}})


def run_json(result: RunResult, labels: Labels) -> str:
    """How a run ended, with its steps and errors."""
    return to_json(
        {
            "address": result.address,
            "id": result.id,
            "run": _run(result.seen.run),
            "steps": [
                {**_whose(step.id, labels), "name": step.name, "result": step.fate, "run": _run(step.run)}
                for step in result.seen.steps
            ],
            "errors": [
                {
                    **_whose(errors.integration, labels),
                    "run": errors.run,
                    "actions": _action_list(errors.actions),
                    "unread": errors.unread,
                }
                for errors in result.errors
            ],
        }
    )


def cancelled_json(address: str, id: str) -> str:
    return to_json({"address": address, "id": id, "cancelled": True})


def history_json(address: str, id: str, history: History) -> str:
    """The runs, the latest first."""
    runs = [_run(run) for run in history.runs]
    return to_json({"address": address, "id": id, "runs": runs, "totalRuns": history.total})


def flow_history_json(address: str, flow: FlowRuns, labels: Labels) -> str:
    """The latest runs of a flow and of its steps."""
    steps = [
        {**_whose(step.id, labels), "name": step.name, "latestRun": _run(step.latest)} for step in flow.steps
    ]
    return to_json({"address": address, "id": flow.id, "latestRun": _run(flow.latest), "steps": steps})


def logs_json(
    run: Run | None,
    run_id: str,
    actions: Sequence[ActionErrors],
    dumps: Sequence[Dump] | None,
    files: Sequence[str],
) -> str:
    """The errors of a run; its dumps where they were asked for, as text or by the files they are in."""
    document: dict[str, Any] = {"id": run_id, "run": _run(run), "errors": _action_list(actions)}
    if dumps is not None:
        named = [*files, *[None] * (len(dumps) - len(files))]
        document["dumps"] = [
            {"actionId": dump.action, **({"file": file} if file else {"text": dump.text})}
            for dump, file in zip(dumps, named, strict=True)
        ]
    return to_json(document)


def _whose(id: str | None, labels: Labels) -> dict[str, str | None]:
    return {"integrationId": id, "address": labels.get(same_id(id or ""))}


def _run(run: Run | None) -> dict[str, Any] | None:
    if run is None:
        return None
    return {
        "id": run.id,
        "result": run.fate,
        "message": run.message,
        "executionErrorCode": run.code,
        "startDate": run.started.isoformat() if run.started else None,
        "endDate": run.ended.isoformat() if run.ended else None,
        "triggeredBy": run.by,
        "triggerSource": run.trigger,
    }


def _action_list(actions: Iterable[ActionErrors]) -> list[dict[str, Any]]:
    return [
        {
            "actionId": action.action,
            "actionName": action.name,
            "messages": action.messages,
            "failureDumpGenerated": action.dump,
        }
        for action in actions
    ]
