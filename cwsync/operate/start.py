"""The two calls that do something: run, and cancel. Each is sent once (engine protocol, R2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cwsync.api import Ambiguous, Busy, Client, NotFound, Rejected, Reply, ServiceError, quote_id
from cwsync.audit import Purpose
from cwsync.errors import CwsyncError, Problem, fail
from cwsync.kinds import same_id
from cwsync.kinds.runs import Fate, FlowRuns
from cwsync.operate.target import Target


def begin(client: Client, target: Target, steps: Sequence[str] = ()) -> str:
    """Run it, or of a flow only the steps of these ids; the id of the run (facts A2, A6).

    Raises CW306 while it runs, and as `Client.send` does; where the outcome is not known, the problem
    says what to look at before anybody runs it again.
    """
    look_first = f"it may be running: look at cwsync history {target.address} before you run it again"
    section = "integrations" if target.kind == "integration" else "integrationflows"
    try:
        reply = client.send(
            "POST",
            f"/{section}/{quote_id(target.id)}/run",
            {"stepsToRun": [*steps]} if steps else None,
            purpose=Purpose(target.address, "run"),
            made=_run_id,
        )
    except Busy as error:
        raise CwsyncError(_busy(target, error)) from None
    except Ambiguous as error:
        text = f"{target.address}: it is not known whether the run was started ({error.problem.message})"
        raise CwsyncError(replace(error.problem, message=text, hint=look_first)) from None
    if reply.id is not None:
        return reply.id
    raise fail("CW311", f"{target.address}: the reply has no id of a run", hint=look_first)


def _run_id(reply: Reply) -> str | None:
    run = reply.body.get("run")
    id = run.get("id") if isinstance(run, dict) else None
    return id if isinstance(id, str) and id else None


def _busy(target: Target, error: Busy) -> Problem:
    if target.kind == "integration":
        text = f"{target.address} is running already"
        hint = f"wait for the end of that run, or cancel it: cwsync cancel {target.address}"
    else:
        text = f"{target.address} or one of its steps is running already"
        hint = f"wait for the end of that run; cwsync history {target.address} shows it"
    return replace(error.problem, message=text, hint=hint)


def cancel(client: Client, target: Target) -> None:
    """Cancel the run of an integration; any 2xx is a yes (facts A2, B42).

    Raises CW305 where nothing runs, CW304 where the service knows no run (also while one is queued).
    """
    try:
        client.send(
            "POST", f"/integrations/{quote_id(target.id)}/cancel", purpose=Purpose(target.address, "cancel")
        )
    except NotFound as error:
        text = f"{target.address}: there is no run that could be cancelled; one that is queued cannot be yet"
        hint = f"try again in a moment; cwsync history {target.address} shows its runs"
        raise CwsyncError(replace(error.problem, message=text, hint=hint)) from None
    except Rejected as error:
        if "not in running state" not in (error.message or "").casefold():
            raise
        text = f"{target.address} is not running: there is nothing to cancel"
        hint = f"cwsync history {target.address} shows its runs"
        raise CwsyncError(replace(error.problem, message=text, hint=hint)) from None
    except Ambiguous as error:
        if not _accepted(error):
            text = (
                f"{target.address}: it is not known whether the run was cancelled ({error.problem.message})"
            )
            hint = f"look at cwsync history {target.address}; to cancel again does no harm"
            raise CwsyncError(replace(error.problem, message=text, hint=hint)) from None


def _accepted(error: ServiceError) -> bool:
    """A success whose body is not as it should be: what it looks like was never observed (facts B42)."""
    return error.status is not None and 200 <= error.status < 300 and error.message is None


def no_cancel(target: Target, flow: FlowRuns, known: Mapping[str, str]) -> CwsyncError:
    """Why a flow is not cancelled, and which of its steps can be."""
    running = [step for step in flow.steps if step.latest and step.latest.fate is Fate.RUNNING]
    names = [known.get(same_id(step.id)) or f'"{step.name}"' for step in running]
    text = f"{target.address}: CloudWorks has no call that cancels a flow"
    if not running:
        return fail("CW322", f"{text}; none of its steps is running now")
    managed = [name for step, name in zip(running, names, strict=True) if same_id(step.id) in known]
    way = (
        f"cwsync cancel {managed[0]} cancels that step"
        if managed
        else "that step can be cancelled in CloudWorks"
    )
    return fail("CW322", f"{text}; of its steps, {', '.join(names)} is running", hint=way)
