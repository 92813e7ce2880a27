"""Runs in time, without a thread: what a run will do is settled when it starts, and what has come of it
is computed from the clock whenever somebody asks (facts A4).

How long an integration takes and how it ends is its *outcome*, set through /_emulator/edit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from cwsync.emulator import refusal
from cwsync.emulator.refusal import Refusal, not_running
from cwsync.emulator.shapes import either, listing, nothing, record, text
from cwsync.emulator.store import Document
from cwsync.emulator.tenant import jobs as job_rules
from cwsync.emulator.tenant.world import OBJECTS, Page, Person, World, new_id

DEFAULT_SECONDS = 2.0
OUTCOMES = ("success", "partial_success", "failure")

# Code 38 is a partial success (facts A4); the other words of a partial one were never recorded.
_ENDINGS: dict[str, tuple[bool, str, int | None]] = {
    "success": (True, "Success", None),
    "partial_success": (True, "Partial success", 38),
    "failure": (False, "Process failed", 12),
}
# A body may be left out, and may name the steps to run.
FLOW_BODY = either(nothing, record({}, {"stepsToRun": listing(text, least=1)}))
# What a step does when its flow says nothing (the vendor's page, "exceptionBehavior").
_DEFAULT_STRATEGY = {"failure": "stop", "partial_success": "continue"}


def begin(world: World, integration: Document, by: Person) -> str:
    """Run an integration now; the id of its run. 409 while it runs."""
    refuse_running(world, integration)
    return _plan_run(world, integration["integrationId"], world.clock(), by)


def begin_flow(world: World, flow: Document, body: Any, by: Person) -> str:
    """Run a flow, or the steps of it that the body names; the id of the flow's run.

    Steps run when those they depend on are through; a step that fails with the strategy "stop" lets
    nothing begin that would begin after it ends.
    """
    referrers = [step["referrer"] for step in flow["steps"] if not step["isSkipped"]]
    wanted = _wanted(world, body, referrers)
    refuse_running(world, flow)
    for referrer in wanted:
        refuse_running(world, world.require("integration", referrer))
    flow_run = new_id()
    now = world.clock()
    ends: dict[str, float] = {}
    stopped_at: float | None = None
    worst = "success"
    steps = {step["referrer"]: step for step in flow["steps"]}
    waits = {key: [other for other in steps[key].get("dependsOn", []) if other in steps] for key in steps}
    for referrer in _in_order(waits):
        if not ends.keys() >= {*waits[referrer]}:
            continue  # one that it waits for was never begun
        begins = max((ends[other] for other in waits[referrer]), default=now)
        if referrer not in wanted:
            ends[referrer] = begins
        elif stopped_at is None or begins < stopped_at:
            run = world.require("run", _plan_run(world, referrer, begins, by, flow_run))
            ends[referrer] = run["ends"]
            worst = max(worst, run["outcome"], key=OUTCOMES.index)
            if _strategy(steps[referrer], run["outcome"]) == "stop":
                stopped_at = min(run["ends"], stopped_at or run["ends"])
    over = {"begins": now, "ends": max(ends.values(), default=now), "outcome": worst}
    _save(world, {"id": flow_run, "integrationId": flow["id"], "flow": True, **_new(by), **over})
    return flow_run


def _in_order(waits: Mapping[str, list[str]]) -> list[str]:
    try:
        return [*TopologicalSorter(waits).static_order()]
    except CycleError:  # only a change made by hand can lead here
        raise refusal.INVALID_FLOW() from None


def cancel(world: World, integration: Document) -> Document:
    """409 `Integration {id} is not in running state` when there is nothing to cancel (facts A2)."""
    identifier = integration["integrationId"]
    for run in _begun(world, identifier):
        if _running(world, run):
            _save(world, {**run, "ends": world.clock(), "cancelled": True})
            said = {"integration_id": identifier, "state": "cancelled"}
            return {"success": True, "message": said} if world.profile.confirms_cancel else {}
    raise not_running(identifier)


def refuse_running(world: World, document: Document, refused: Refusal = refusal.RUNNING) -> None:
    """A refusal while the integration or the flow runs; nothing for one that does not exist."""
    identifier = document.get("integrationId") or document.get("id") or ""
    if any(_running(world, run) for run in _begun(world, identifier)):
        raise refused()


def latest(world: World, document: Document) -> Document:
    """`latestRun`: empty for what never ran (facts B28)."""
    identifier = document.get("integrationId") or document["id"]
    run = next(_begun(world, identifier), None)
    return {} if run is None else _told(world, run)


def history(world: World, integration: Document, page: Page) -> Document:
    """The begun runs, the latest first, as part of what the integration says of itself."""
    runs = list(_begun(world, integration["integrationId"]))
    show = world.profile.show
    shown = [
        show("past run", _told(world, run) | {"traceId": run["traceId"]})
        for run in runs[page.offset : page.offset + page.limit]
    ]
    about = {key: value for key, value in integration.items() if key != "jobs"}
    whole = {"schedule": None, **about, "status": 1, "runs": shown, "totalRuns": len(runs)}
    return {"history_of_runs": show("history", whole), "meta": {"schema": f"{OBJECTS}/runs"}}


def status(world: World, run_id: str) -> Document:
    run = _require_begun(world, run_id)
    told = _told(world, run)
    shown = {
        "id": run_id,
        "integrationId": run["integrationId"],
        "traceId": run["traceId"],
        **{key: told[key] for key in ("startDate", "endDate", "success", "message", "executionErrorCode")},
        **_who_and_when(run, told),
        "flowGroupId": run.get("flowRun"),
        "triggerSource": run["triggerSource"],
    }
    schema = "https://api.cloudworks.anaplan.com/1/0/integrations/objects/run"
    return {"run": world.profile.show("run", shown), "meta": {"schema": schema}}


def _who_and_when(run: Document, told: Document) -> Document:
    return {
        "creationDate": told["startDate"],
        "modificationDate": told["endDate"] or told["startDate"],
        "createdBy": run["triggeredBy"],
        "modifiedBy": None,
    }


def errors(world: World, run_id: str) -> Document:
    """An object, or a list; empty where nothing went wrong (facts B29)."""
    run = _require_begun(world, run_id)
    messages = _error_messages(world, run)
    found: Document = {"taskId": run["traceId"].upper(), "errorMessages": messages} if messages else {}
    meta = {"schema": f"{OBJECTS}/runerror"}
    if not world.profile.errors_in_a_list:
        return {"runs": found, "meta": meta}
    whole = {"id": run_id, **found, **_who_and_when(run, _told(world, run))}
    return {"runs": [world.profile.show("run errors", whole)] if found else [], "meta": meta}


def dump(world: World, run_id: str, action_id: str | None = None) -> str:
    """The rows that failed, as CSV; 404 where there are none, or not of this action (facts A4)."""
    run = _require_begun(world, run_id)
    actions = [message["actionId"] for message in _error_messages(world, run)]
    if not actions or (action_id is not None and action_id not in actions):
        raise refusal.NO_ERRORS()
    rows: str = run.get("dump") or "_Status,_Error_code,_Details\r\nFailed,2,Item not located in list\r\n"
    return rows


def _plan_run(world: World, identifier: str, begins: float, by: Person, flow_run: str | None = None) -> str:
    outcome = {
        "outcome": "success",
        "seconds": DEFAULT_SECONDS,
        **(world.store.get("outcome", identifier) or {}),
    }
    run = {
        "id": new_id(),
        "integrationId": identifier,
        **_new(by),
        **outcome,
        "begins": begins,
        "ends": begins + outcome["seconds"],
        "flowRun": flow_run,
    }
    _save(world, run)
    return str(run["id"])


def _new(by: Person) -> Document:
    return {"traceId": new_id(), "triggeredBy": by.name, "triggerSource": "manual"}


def _save(world: World, run: Document) -> None:
    world.store.put("run", run["id"], run, name=run["integrationId"])


def _wanted(world: World, body: Any, referrers: list[str]) -> set[str]:
    if not FLOW_BODY(body):
        raise refusal.INVALID_BODY()
    if not body:
        return set(referrers)
    chosen = {world.profile.plain_id(step) for step in body["stepsToRun"]}
    if not chosen <= set(referrers):
        raise refusal.INVALID_BODY()
    return chosen


def _strategy(step: Document, outcome: str) -> str:
    if outcome == "success":
        return "continue"
    said = {entry["type"]: entry["strategy"] for entry in step["exceptionBehavior"]}
    return str(said.get(outcome, _DEFAULT_STRATEGY[outcome]))


def _begun(world: World, identifier: str) -> Iterator[Document]:
    """The runs that have begun by now, the latest first; a flow settles those of its steps beforehand."""
    for run_id in reversed(world.store.named("run", identifier)):
        run = world.require("run", run_id)
        if run["begins"] <= world.clock():
            yield run


def _require_begun(world: World, run_id: str) -> Document:
    run = world.require("run", run_id)
    if run["begins"] > world.clock():
        raise refusal.NOT_FOUND()
    return run


def _running(world: World, run: Document) -> bool:
    return bool(run["begins"] <= world.clock() < run["ends"])


def _told(world: World, run: Document) -> Document:
    running = _running(world, run)
    success, message, code = _ENDINGS[run["outcome"]]
    if running:
        success, message, code = False, "Running", None
    elif run.get("cancelled"):
        success, message, code = False, "Cancelled", None
    return {
        "id": run["id"],
        "triggeredBy": run["triggeredBy"],
        "lastRun": int(run["begins"]),  # an integer, live (facts B30)
        "startDate": world.stamp(run["begins"]),
        "endDate": None if running else world.stamp(run["ends"]),
        "success": success,
        "message": message,
        "executionErrorCode": code,
        "triggerSource": run["triggerSource"],
    }


def _error_messages(world: World, run: Document) -> list[Document]:
    if _running(world, run) or run.get("cancelled") or run["outcome"] == "success" or run.get("flow"):
        return []
    integration = world.store.get("integration", run["integrationId"]) or {}
    ends = job_rules.ends(integration.get("jobs", []))
    actions = [end["actionId"] for end in ends if "actionId" in end] or [integration.get("processId")]
    said = run.get("message") or "13 (0/13) rows successful, 0 (0/0) rows has warnings, 2 failed, 0 ignored"
    line: Document = {
        "localMessageText": said,
        "occurrences": 0,
        "type": "hierarchyRowsProcessedWithFailures",
        "values": [],
    }
    return [
        {
            "errorMessage": [line],
            "actionId": action,
            "actionName": f"Action {action}",
            "failureDumpGenerated": True,
        }
        for action in actions
    ]
