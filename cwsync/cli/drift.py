"""drift: what the tenant changed behind our back, and taking it over into the manifests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cwsync.cli.completing import addresses
from cwsync.cli.locking import lock_timeout_option
from cwsync.cli.settings import Settings, with_settings
from cwsync.errors import Exit, exit_status

if TYPE_CHECKING:
    from cwsync.cli.workspace import Workspace
    from cwsync.kinds import Snapshot
    from cwsync.plan import DriftResult, Plan, Stranger
    from cwsync.state import State


@click.command("drift")
@with_settings("text", "json", "markdown", "github", "sarif")
@click.option("--unmanaged", is_flag=True, help="Also list what is in the tenant and nobody declares.")
@click.option(
    "--accept", "accepted", multiple=True, metavar="ADDR", shell_complete=addresses(),
    help="Write what drifted at this address into the manifests. Repeatable.",
)  # fmt: skip
@lock_timeout_option
def drift_command(settings: Settings, unmanaged: bool, accepted: tuple[str, ...], lock_timeout: float) -> int:
    """Compare the tenant with what was last applied: which field, by whom and when. Exit 2 where it differs.

    With --accept the tenant's values are written where the resource is declared, comments and layout are kept,
    and nothing in the tenant is changed.
    """
    from cwsync.cli.workspace import Workspace
    from cwsync.state import State

    if accepted:
        if unmanaged or settings.format not in ("text", "json"):
            raise click.UsageError(
                "--accept goes with neither --unmanaged nor a format other than text and json"
            )
        from cwsync.cli.accept import accept

        return accept(settings, accepted, lock_timeout)
    workspace = Workspace.open(settings)
    try:
        stored = workspace.store.read()
        tenant = workspace.tenant(stored)
        state = (stored or State.new()).bound_to(tenant)
        plan, snapshot = workspace.drifted(state, tenant, everything=unmanaged)
    finally:
        workspace.close()
    result = _result(plan, snapshot, state)
    _show(settings, workspace, result, unmanaged=unmanaged)
    if result.problems:
        return exit_status(result.problems)
    return Exit.CHANGES if result.drifted else Exit.OK


def _result(plan: Plan, snapshot: Snapshot, state: State) -> DriftResult:
    from cwsync.plan import DriftResult

    return DriftResult(
        environment=plan.environment,
        tenant=plan.tenant,
        managed=len(state.resources),
        drifted=plan.drift,
        unmanaged=plan.unmanaged,
        strangers=tuple(_strangers(snapshot, state)),
        unverifiable=plan.unverifiable,
        problems=tuple(problem for problem in plan.problems if problem.code == "CW312"),
        labels=dict(plan.labels),
        read_calls=plan.read_calls,
        read_seconds=plan.read_seconds,
    )


def _strangers(snapshot: Snapshot, state: State) -> list[Stranger]:
    """What `Plan.unmanaged` names, with the ids."""
    from cwsync.kinds import KINDS, same_id
    from cwsync.plan import Stranger
    from cwsync.plan.bind import ours

    mine = ours(state)
    return [
        Stranger(kind.name, one.name, one.id)
        for kind in KINDS.values()
        if kind.listing is not None
        for one in sorted(snapshot.objects.get(kind.name, {}).values(), key=lambda one: (one.name, one.id))
        if same_id(one.id) not in mine
    ]


def _show(settings: Settings, workspace: Workspace, result: DriftResult, *, unmanaged: bool) -> None:
    from cwsync.cli.plan import tell_problems
    from cwsync.report.document import drift_json
    from cwsync.report.drift import drift_problems, drift_text
    from cwsync.report.markdown import drift_markdown
    from cwsync.report.problems import problems_github
    from cwsync.report.sarif import problems_sarif

    if settings.format == "text":
        told = drift_text(
            result, color=settings.color, verbose=settings.verbose, quiet=settings.quiet, unmanaged=unmanaged
        )
        settings.show(told)
    elif settings.format in ("github", "sarif"):
        render = problems_github if settings.format == "github" else problems_sarif
        places = {address: one.place for address, one in workspace.desired.items()}
        settings.show(render(drift_problems(result, places)))
    else:
        told = (
            drift_json(result) if settings.format == "json" else drift_markdown(result, unmanaged=unmanaged)
        )
        settings.show(told)
        tell_problems(settings, result.problems)
