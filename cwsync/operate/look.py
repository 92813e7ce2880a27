"""What came of runs: their state, their history, their errors and dumps (facts A4). Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from cwsync.api import Client, NotFound, ServiceError, quote_id
from cwsync.errors import Problem
from cwsync.kinds.runs import (
    ActionErrors,
    Dump,
    Fate,
    FlowRuns,
    History,
    Progress,
    Run,
    RunErrors,
    errors_from_wire,
    flow_from_wire,
    run_from_wire,
)
from cwsync.operate.target import Target

PAGE = 50
_FEW_RUNS = 5  # a step's run is looked for among so many of the latest


def read_run(client: Client, run_id: str) -> Run:
    """One run as it is now."""
    path = f"/integrations/run/{quote_id(run_id)}"
    run = run_from_wire(client.get(path).get("run"))
    if run is None:
        raise _unreadable(f"GET {path}: the reply has no run")
    return run


def read_flow(client: Client, flow_id: str) -> FlowRuns:
    """A flow with its own latest run and its steps'."""
    path = f"/integrationflows/{quote_id(flow_id)}"
    try:
        return flow_from_wire(client.get(path)["integrationFlow"])
    except (KeyError, TypeError, AttributeError, ValueError):
        raise _unreadable(f"GET {path}: the reply has no flow with steps") from None


def read_history(client: Client, integration_id: str, limit: int) -> History:
    """The latest `limit` runs of an integration, by offset and limit up to `totalRuns`.

    Which end of the service's list is the latest is not recorded: one that begins with the oldest run is
    read from its end.
    """
    first, total = _page(client, integration_id, 0, max(2, min(limit, PAGE)))
    start, found = 0, first
    if total is not None and total > limit and _oldest_first(first):
        start, found = total - limit, []
    while len(found) < limit and (total is None or start + len(found) < total):
        more, _ = _page(client, integration_id, start + len(found), min(limit - len(found), PAGE))
        if not more:
            break
        found += more
    each_once = {run.id or index: run for index, run in enumerate(found)}.values()
    begun = sorted(each_once, key=lambda run: run.started.timestamp() if run.started else 0, reverse=True)
    return History(tuple(begun[:limit]), total)


def _page(client: Client, integration_id: str, offset: int, limit: int) -> tuple[list[Run], int | None]:
    path = f"/integrations/runs/{quote_id(integration_id)}"
    history = client.get(path, {"offset": offset, "limit": limit}).get("history_of_runs")
    if not isinstance(history, dict):
        raise _unreadable(f"GET {path}: the reply has no history_of_runs")
    total = history.get("totalRuns")
    runs = [run for item in history.get("runs") or () if (run := run_from_wire(item)) is not None]
    return runs, total if isinstance(total, int) else None


def _oldest_first(runs: Sequence[Run]) -> bool:
    begun = [run.started for run in runs if run.started]
    return len(begun) > 1 and begun[0] < begun[-1]


def read_errors(client: Client, run_id: str) -> tuple[ActionErrors, ...]:
    """What went wrong in a run, by action; nothing where the service says that nothing did."""
    try:
        reply = client.get(f"/integrations/runerror/{quote_id(run_id)}")
    except NotFound as error:
        if _no_errors(error):
            return ()
        hint = "cwsync history ADDR shows the runs of an integration or a flow, with their ids"
        raise NotFound(
            replace(error.problem, hint=hint), status=error.status, message=error.message
        ) from None
    return errors_from_wire(reply.get("runs"))


def _no_errors(error: NotFound) -> bool:
    """404 is also what the service answers for a run without errors (facts A4)."""
    message = (error.message or "").casefold()
    return "no errors" in message or "was successful" in message


def read_dumps(client: Client, run_id: str, errors: Sequence[ActionErrors]) -> tuple[Dump, ...]:
    """The dumps of a run: of a process one for each action that made one, else the one of its import."""
    if _is_process(client, run_id, errors):
        actions = [one.action for one in errors if one.dump and one.action]
        return tuple(dump for action in dict.fromkeys(actions) if (dump := _dump(client, run_id, action)))
    dump = _dump(client, run_id, None)
    return (dump,) if dump else ()


def _is_process(client: Client, run_id: str, errors: Sequence[ActionErrors]) -> bool:
    """Whether the run is one of a process, which only the integration's detail tells (facts B32)."""
    try:
        integration = read_run(client, run_id).integration
        detail: Any = client.get(f"/integrations/{quote_id(integration)}") if integration else {}
    except NotFound:  # it was deleted since
        detail = {}
    known = detail.get("integration")
    return bool(known.get("processId")) if isinstance(known, dict) else len(errors) > 1


def _dump(client: Client, run_id: str, action: str | None) -> Dump | None:
    of_action = f"/process/import/{quote_id(action)}" if action else ""
    try:
        text = client.get_text(f"/integrations/run/{quote_id(run_id)}{of_action}/dumps")
    except NotFound as error:
        if _no_errors(error):
            return None
        raise
    return Dump(run_id, action, text)


def what_went_wrong(client: Client, target: Target, seen: Progress) -> tuple[RunErrors, ...]:
    """The errors of a run that ended badly, of a flow those of each such step. Where they cannot be read,
    that is said in their place: it takes nothing from the run's own end."""
    if target.kind == "integration":
        runs: list[tuple[str, Run]] = [(target.id, seen.run)] if _has_errors(seen.run.fate) else []
    else:
        runs = [(step.id, step.run) for step in seen.steps if step.run and _has_errors(step.fate)]
    return tuple(_errors_of(client, integration, run) for integration, run in runs)


def _has_errors(fate: Fate) -> bool:
    return fate in (Fate.FAILURE, Fate.PARTIAL)


def _errors_of(client: Client, integration: str, run: Run) -> RunErrors:
    try:
        run_id = run.id or next(_same_run(client, integration, run), None)
        if run_id is None:
            return RunErrors(integration, None, unread="the history does not show this run")
        return RunErrors(integration, run_id, read_errors(client, run_id))
    except ServiceError as error:
        return RunErrors(integration, run.id, unread=error.problem.message)


def _same_run(client: Client, integration: str, run: Run) -> Iterator[str]:
    """The id of a step's run, which a flow's detail may leave out: the history has it (facts A4, A6)."""
    for one in read_history(client, integration, _FEW_RUNS).runs:
        if one.id and one.started == run.started:
            yield one.id


def _unreadable(text: str) -> ServiceError:
    return ServiceError(Problem("CW311", text, hint="check the environment's region or api"))
