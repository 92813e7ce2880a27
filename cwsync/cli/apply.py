"""apply and destroy: the only commands that change a tenant."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cwsync.cli.auditing import audit_option
from cwsync.cli.locking import lock_timeout_option, locked
from cwsync.cli.selecting import with_selection
from cwsync.cli.settings import Settings, with_settings
from cwsync.cli.waiting import WaitingCommand, wait_for_runs, wait_running_option
from cwsync.errors import CwsyncError, exit_status, fail

if TYPE_CHECKING:
    from cwsync.apply import Recovered
    from cwsync.cli.workspace import Workspace
    from cwsync.plan import ApplyResult, Plan, Selection
    from cwsync.plan.saved import SavedPlan
    from cwsync.state import Held, State

_auto_approve = click.option(
    "--auto-approve", is_flag=True, help="Don't ask. Needed where there is no terminal."
)


@click.command("apply", cls=WaitingCommand)
@with_settings("text", "json")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@_auto_approve
@lock_timeout_option
@wait_running_option
@audit_option
@with_selection()
def apply_command(
    settings: Settings,
    file: Path | None,
    auto_approve: bool,
    lock_timeout: float,
    wait_running: float,
    selection: Selection,
) -> int:
    """Make the tenant match: with FILE exactly that plan or nothing; without, plan, ask, apply."""
    from cwsync.cli.plan import read_saved
    from cwsync.cli.workspace import Workspace
    from cwsync.plan import Selection

    if file is None:
        workspace = Workspace.open(settings, selection=selection)
        workspace.patience = wait_running
        return _run(settings, workspace, lock_timeout, auto_approve=auto_approve)
    if replace(selection, labels=()) != Selection():
        raise click.UsageError(
            "a saved plan is applied as it is: --target and the like belong to cwsync plan"
        )
    saved = read_saved(file)
    settings = replace(settings, environment=settings.environment or saved.plan.environment)
    chosen = replace(saved.selection, labels=saved.selection.labels + selection.labels)
    workspace = Workspace.open(
        settings, variables=saved.variables, manifests=not saved.destroy, selection=chosen
    )
    workspace.patience = wait_running
    return _run(settings, workspace, lock_timeout, auto_approve=True, saved=saved)


@click.command("destroy", cls=WaitingCommand)
@with_settings("text", "json")
@_auto_approve
@lock_timeout_option
@wait_running_option
@audit_option
@with_selection(destroy=True)
def destroy_command(
    settings: Settings, auto_approve: bool, lock_timeout: float, wait_running: float, selection: Selection
) -> int:
    """Delete all that is managed, in the reverse order, and nothing else."""
    from cwsync.cli.workspace import Workspace

    workspace = Workspace.open(settings, manifests=False, selection=selection)
    workspace.patience = wait_running
    return _run(settings, workspace, lock_timeout, auto_approve=auto_approve)


def _run(
    settings: Settings,
    workspace: Workspace,
    lock_timeout: float,
    *,
    auto_approve: bool,
    saved: SavedPlan | None = None,
) -> int:
    """Under the lock: resolve what is pending, plan, ask, apply, look again."""
    if not auto_approve and not (sys.stdin.isatty() and sys.stdout.isatty()):
        hint = "add --auto-approve, or apply a saved plan: cwsync apply FILE"
        raise fail("CW602", "there is no terminal to ask on", hint=hint)
    try:
        workspace.trail.check()
        if saved is not None:
            _check_saved(workspace, saved)
        tenant = workspace.tenant(workspace.store.read())
        wait_for_runs(settings, workspace, tenant)
        with locked(settings, workspace, lock_timeout, tenant) as held:
            return _locked(settings, workspace, held, tenant, auto_approve=auto_approve, saved=saved)
    finally:
        workspace.close()


def _check_saved(workspace: Workspace, saved: SavedPlan) -> None:
    from cwsync.plan.saved import check_before, check_state

    if workspace.environment != saved.plan.environment:
        raise fail(
            "CW512", f"the plan is for the environment {saved.plan.environment}, and this is {workspace.environment}"
        )  # fmt: skip
    check_before(saved, workspace.desired, workspace.lists, workspace.outside.now())
    stored = workspace.store.read()
    check_state(saved, stored)
    workspace.check_secrets(saved, stored)


def _locked(
    settings: Settings,
    workspace: Workspace,
    held: Held,
    tenant: str,
    *,
    auto_approve: bool,
    saved: SavedPlan | None,
) -> int:
    from cwsync.apply import recover, settled, settled_outcomes
    from cwsync.cli.executing import execute
    from cwsync.cli.plan import show_plan, warn
    from cwsync.plan.saved import check_same, check_state

    if saved is not None:
        check_state(saved, held.found)  # once more: it may have moved before the lock was ours
    recovered = recover(workspace.client, held, workspace.outside.sleep)
    for note in recovered.notes:
        settings.say(note)
    with workspace.outside.spans.span("plan"):
        plan, snapshot = workspace.plan(workspace.desired, held.state, tenant)
    plan = _without_doubtful(plan, recovered)
    if saved is not None:
        check_same(saved, plan)
    warn(settings, workspace)
    shown = settings.format == "text" and (saved is None or settings.verbose or plan.empty)
    if shown:
        show_plan(settings, plan)  # a saved plan was reviewed, and is the same to the byte
    if any(problem.severity == "error" for problem in plan.problems):
        return _refused(settings, plan, recovered)
    if not (plan.empty or auto_approve):
        _ask(plan)

    def known(state: State) -> State:
        return workspace.with_versions(settled(state, plan, workspace.desired), snapshot)

    if known(held.state) != held.state:
        held.update(known)
    result = execute(settings, workspace, held, plan, snapshot)
    result = replace(
        result,
        applied=settled_outcomes(plan, held.state) + result.applied,
        problems=recovered.problems + (() if shown else plan.problems) + result.problems,
    )
    return _show_result(settings, plan, result)


def _refused(settings: Settings, plan: Plan, recovered: Recovered) -> int:
    """What keeps the plan from being applied; as text it was shown with the plan."""
    from cwsync.plan import ApplyResult

    if settings.format != "text":
        wrong = recovered.problems + plan.problems
        return _show_result(settings, plan, ApplyResult(plan.environment, plan.tenant, problems=wrong))
    if recovered.problems:
        raise CwsyncError(*recovered.problems, *plan.problems)
    return exit_status(plan.problems)


def _without_doubtful(plan: Plan, recovered: Recovered) -> Plan:
    """An address that waits for a person is left alone, so what is wrong with its plan keeps nobody else back."""
    doubtful = {problem.address for problem in recovered.problems}
    return replace(plan, problems=tuple(one for one in plan.problems if one.address not in doubtful))


def _ask(plan: Plan) -> None:
    where = f"the environment {plan.environment} ({plan.tenant})"
    what = (
        f"Make these {len(plan.calls)} calls" if plan.calls else "Change only what is known, without a call,"
    )
    question = f"{what} in {where}? Only yes is a yes"
    try:
        answer = click.prompt(question, err=True, default="no")
    except click.Abort:
        raise fail("CW604", "interrupted: nothing was changed") from None
    if answer.strip().lower() != "yes":
        raise fail("CW603", "not approved: nothing was changed")


def _show_result(settings: Settings, plan: Plan, result: ApplyResult) -> int:
    from cwsync.cli.plan import tell_problems
    from cwsync.report.apply import apply_text
    from cwsync.report.document import apply_json

    if settings.format == "json":
        settings.show(apply_json(result))
        tell_problems(settings, result.problems)
    elif plan.calls or result.applied:
        settings.show(
            apply_text(result, color=settings.color, verbose=settings.verbose, quiet=settings.quiet)
        )
    else:
        tell_problems(settings, result.problems)
    return exit_status(result.problems)
