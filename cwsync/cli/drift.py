"""drift: what the tenant changed behind our back."""

from __future__ import annotations

import click

from cwsync.cli.settings import Settings, with_settings
from cwsync.errors import Exit, exit_status


@click.command("drift")
@with_settings("text", "json")
def drift_command(settings: Settings) -> int:
    """Compare the tenant with what was last applied: which field, by whom and when. Exit 2 where it differs."""
    from cwsync.cli.plan import tell_problems
    from cwsync.cli.workspace import Workspace
    from cwsync.plan import DriftResult
    from cwsync.report import drift_json, drift_text
    from cwsync.state import State

    workspace = Workspace.open(settings)
    try:
        stored = workspace.store.read()
        tenant = workspace.tenant(stored)
        state = (stored or State.new()).bound_to(tenant)
        snapshot = workspace.read({}, state)
        # What is managed and undeclared has drifted like the rest, so the manifests only say what to ignore.
        plan = workspace.compare(state, snapshot, tenant)
    finally:
        workspace.close()
    result = DriftResult(
        environment=plan.environment,
        tenant=plan.tenant,
        managed=len(state.resources),
        drifted=plan.drift,
        unmanaged=plan.unmanaged,
        unverifiable=plan.unverifiable,
        problems=tuple(problem for problem in plan.problems if problem.code == "CW312"),
        labels=dict(plan.labels),
        read_calls=plan.read_calls,
        read_seconds=plan.read_seconds,
    )
    if settings.format == "json":
        settings.show(drift_json(result))
        tell_problems(settings, result.problems)
    else:
        settings.show(
            drift_text(result, color=settings.color, verbose=settings.verbose, quiet=settings.quiet)
        )
    if result.problems:
        return exit_status(result.problems)
    return Exit.CHANGES if result.drifted else Exit.OK
