"""plan and show: what would be done, and what a saved plan says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cwsync.cli.selecting import with_selection
from cwsync.cli.settings import Settings, put, with_settings
from cwsync.errors import CwsyncError, Exit, Problem, exit_status, fail

if TYPE_CHECKING:
    from cwsync.cli.workspace import Workspace
    from cwsync.plan import Plan, Selection
    from cwsync.plan.saved import SavedPlan
    from cwsync.state import State


@click.command("plan")
@with_settings("text", "json", "markdown", "html")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="Save the plan, to apply exactly it."
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where there are changes.")
@click.option("--destroy", is_flag=True, help="Plan to delete all that is managed.")
@click.option(
    "--refresh",
    type=click.Choice(["fast", "full"]),
    default="fast",
    show_default=True,
    help="fast: details only of what its list shows changed since it was last read; full: of all.",
)
@with_selection()
def plan_command(
    settings: Settings,
    out: Path | None,
    detailed_exitcode: bool,
    destroy: bool,
    refresh: str,
    selection: Selection,
) -> int:
    """Read the tenant and show the ordered calls that would make it match the manifests."""
    from cwsync.cli.workspace import Workspace
    from cwsync.state import State

    workspace = Workspace.open(settings, manifests=not destroy, selection=selection)
    try:
        stored = workspace.store.read()
        tenant = workspace.tenant(stored)
        state = (stored or State.new()).bound_to(tenant)
        with workspace.outside.spans.span("plan"):
            plan, _ = workspace.plan(workspace.desired, state, tenant, fast=refresh == "fast")
    finally:
        workspace.close()
    warn(settings, workspace)
    show_plan(settings, plan, f"cwsync show {out}" if out else f"cwsync plan -e {plan.environment}")
    status = exit_status(plan.problems)
    if out is not None and status is Exit.OK:
        if plan.pending:
            raise _not_resolved(out)
        _save(settings, workspace, plan, stored, out, destroy=destroy)
    elif out is not None:
        settings.say(f"Not saved to {out}.")
    if status is Exit.OK and detailed_exitcode and not plan.empty:
        return Exit.CHANGES
    return status


def _not_resolved(out: Path) -> CwsyncError:
    """A plan beside something pending would be stale at once (engine protocol R7)."""
    return fail(
        "CW515",
        f"an earlier run was cut off, and what became of it is not resolved, so {out} was not written",
        hint="cwsync recover --resolve finds it out by reading the tenant, and changes nothing there; then make the "
        "plan again",
    )


def warn(settings: Settings, workspace: Workspace) -> None:
    """What the manifests' checks found to be worth a second look."""
    from cwsync.report.problems import problems_text

    if workspace.warnings:
        settings.say(problems_text(workspace.warnings, color=settings.color))


def show_plan(settings: Settings, plan: Plan, command: str = "cwsync plan") -> None:
    """The plan on stdout. Its text ends in what is wrong with it; beside other formats that is told on stderr.
    `command` is the one that shows all of a plan that is too large for a comment."""
    from cwsync.report.document import plan_json
    from cwsync.report.html import plan_html
    from cwsync.report.markdown_plan import plan_markdown
    from cwsync.report.plan import plan_text

    now = settings.outside.now()
    if settings.format == "text":
        how = {"color": settings.color, "verbose": settings.verbose, "quiet": settings.quiet}
        settings.show(plan_text(plan, now=now, **how))
        return
    shown: dict[str, Callable[..., str]] = {
        "json": plan_json,
        "markdown": partial(plan_markdown, command=command),
        "html": plan_html,
    }
    settings.show(shown[settings.format](plan, now=now))
    tell_problems(settings, plan.problems)


def tell_problems(settings: Settings, problems: tuple[Problem, ...]) -> None:
    """Problems on stderr, for a result whose own text doesn't show them."""
    from cwsync.report.problems import problems_text

    if problems:
        put(problems_text(problems, color=settings.color), err=True)


def _save(
    settings: Settings, workspace: Workspace, plan: Plan, stored: State | None, out: Path, *, destroy: bool
) -> None:
    from cwsync.plan import Selection
    from cwsync.plan.saved import SavedPlan, marks_of_manifests, marks_of_state

    saved = SavedPlan(
        plan=plan,
        digest=plan.digest,
        created=settings.outside.now().replace(microsecond=0),
        declared=marks_of_manifests(workspace.desired, workspace.lists),
        known=marks_of_state(stored),
        lineage=stored.lineage if stored else None,
        serial=stored.serial if stored else 0,
        destroy=destroy,
        selection=replace(workspace.selection or Selection(), labels=plan.approvals),
        variables=settings.variables,
        secrets=workspace.fingerprints_to_send(plan, stored),
    )
    try:
        out.write_text(saved.to_text(), encoding="utf-8")
        out.chmod(0o600)
    except OSError as error:
        raise fail("CW510", f"the plan cannot be written to {out}: {error.strerror}") from None
    settings.say(f"Saved to {out}. To make exactly these calls: cwsync apply {out}")


def read_saved(path: Path) -> SavedPlan:
    """The content of a plan file. Raises CW510."""
    from cwsync.plan.saved import from_text

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise fail(
            "CW510", f"{path} cannot be read: {reason}", hint="make it with cwsync plan --out"
        ) from None
    return from_text(text, str(path))


@click.command("show")
@with_settings("text", "json", "markdown", "html")
@click.argument("file", type=click.Path(path_type=Path))
def show_command(settings: Settings, file: Path) -> int:
    """Show a saved plan."""
    show_plan(settings, read_saved(file).plan, f"cwsync show {file}")
    return Exit.OK
