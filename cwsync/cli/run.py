"""run and cancel: start an integration or a flow, follow it, end it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from cwsync.cli.auditing import audit_option
from cwsync.cli.completing import addresses
from cwsync.cli.settings import Settings, with_settings
from cwsync.errors import Exit, Problem, exit_status, fail

if TYPE_CHECKING:
    from cwsync.api import Client
    from cwsync.kinds.runs import FlowRuns, RunResult
    from cwsync.operate import Target


@click.command("run")
@with_settings("text", "json")
@click.argument("address", metavar="ADDR", shell_complete=addresses("integration", "flow"))
@click.option(
    "--step", "steps", multiple=True, metavar="KEY", help="Of a flow, run only this step. Repeatable."
)
@click.option("--wait", is_flag=True, help="Follow the run to its end, and exit by its result.")
@audit_option
def run_command(settings: Settings, address: str, steps: tuple[str, ...], wait: bool) -> int:
    """Run a managed integration or flow.

    With --wait the exit status is 0 for a success, 1 for a failure or a cancelled run, and 6 for a partial
    success.
    """
    from cwsync.cli.tenant import opened
    from cwsync.operate import find_target, labels
    from cwsync.report.runs import run_json, run_text

    with opened(settings) as (client, state):
        target = find_target(state, address)
        if steps and target.kind != "flow":
            raise fail("CW901", f"--step is for flows, and {address} is an integration")
        result = _run(settings, client, target, steps, labels(state), wait=wait)
    if result is None:
        client.trail.check()
        return Exit.OK
    problems = (*_problems(result), *filter(None, [client.trail.problem]))
    if settings.format == "json":
        from cwsync.cli.plan import tell_problems

        settings.show(run_json(result, labels(state)))
        tell_problems(settings, problems)
    else:
        settings.show(run_text(result, problems, labels(state), color=settings.color))
    return exit_status(problems)


def _run(
    settings: Settings,
    client: Client,
    target: Target,
    steps: tuple[str, ...],
    known: dict[str, str],
    *,
    wait: bool,
) -> RunResult | None:
    """Start it and, where that is wanted, follow it; None where it is left to itself."""
    from cwsync.operate import begin, chosen_steps, read_flow

    before = read_flow(client, target.id) if target.kind == "flow" else None
    chosen = chosen_steps(target, before, steps, known) if before else ()
    run_id = None
    try:
        run_id = begin(client, target, chosen)
        if wait:
            return _follow(settings, client, target, run_id, before, chosen, known)
    except KeyboardInterrupt:
        raise _interrupted(target, run_id) from None
    _say_started(settings, target, run_id)
    return None


def _follow(
    settings: Settings,
    client: Client,
    target: Target,
    run_id: str,
    before: FlowRuns | None,
    chosen: tuple[str, ...],
    known: dict[str, str],
) -> RunResult:
    from cwsync.cli.following import live_run
    from cwsync.kinds.runs import RunResult
    from cwsync.operate import FlowWatch, follow, look_at_run, what_went_wrong

    look = FlowWatch(client, before, run_id, chosen).look if before else lambda: look_at_run(client, run_id)
    with live_run(settings, target.address, run_id, known) as tell:
        seen = follow(look, target, time.sleep, tell)
    return RunResult(target.address, target.id, seen, what_went_wrong(client, target, seen))


def _say_started(settings: Settings, target: Target, run_id: str) -> None:
    from cwsync.report.runs import started_json
    from cwsync.report.screen import safe

    if settings.format == "json":
        settings.show(started_json(target.address, target.id, run_id))
    else:
        settings.show(safe(run_id) if settings.quiet else f"{target.address} is started: run {safe(run_id)}.")
    settings.say(f"cwsync history {target.address} shows what becomes of it.")


def _interrupted(target: Target, run_id: str | None) -> Exception:
    if run_id is None:
        look = f"look at cwsync history {target.address} before you run it again"
        return fail("CW604", f"interrupted: it is not known whether {target.address} was started", hint=look)
    way = f"to cancel it: cwsync cancel {target.address}"
    if target.kind == "flow":
        way = f"cwsync cancel {target.address} says which step runs; a flow itself cannot be cancelled"
    return fail("CW604", f"interrupted: the run {run_id} of {target.address} goes on in CloudWorks", hint=way)


def _problems(result: RunResult) -> tuple[Problem, ...]:
    """What the end of a run means for the exit status."""
    from cwsync.kinds.runs import Fate

    fate = result.seen.run.fate
    if fate is Fate.SUCCESS:
        return ()
    if fate is Fate.PARTIAL:
        return (Problem("CW321", f"{result.address} succeeded in part"),)
    ended = "was cancelled" if fate is Fate.CANCELLED else "failed"
    return (Problem("CW320", f"the run of {result.address} {ended}"),)


@click.command("cancel")
@with_settings("text", "json")
@click.argument("address", metavar="ADDR", shell_complete=addresses("integration"))
@audit_option
def cancel_command(settings: Settings, address: str) -> int:
    """Cancel the run of a managed integration. A flow has no such call: its running step has."""
    from cwsync.cli.tenant import opened
    from cwsync.operate import cancel, find_target, labels, no_cancel, read_flow
    from cwsync.report.runs import cancelled_json

    with opened(settings) as (client, state):
        target = find_target(state, address)
        if target.kind == "flow":
            raise no_cancel(target, read_flow(client, target.id), labels(state))
        cancel(client, target)
    if settings.format == "json":
        settings.show(cancelled_json(target.address, target.id))
    else:
        settings.show(f"{address}: its run is cancelled.")
    client.trail.check()
    return Exit.OK
