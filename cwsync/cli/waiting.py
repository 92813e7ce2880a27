"""--wait-running: runs that are in the way of an apply may end first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from cwsync.cli.settings import Settings
from cwsync.errors import CwsyncError, Problem

if TYPE_CHECKING:
    from cwsync.cli.workspace import Workspace
    from cwsync.plan import Call, Running

DEFAULT_SECONDS = 1800
_NAME = "--wait-running"


class WaitingCommand(click.Command):
    """A command whose --wait-running may be given without a value, and then takes none of what follows it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        given = [f"{_NAME}={DEFAULT_SECONDS}" if one == _NAME else one for one in args[:end]]
        return super().parse_args(ctx, given + args[end:])


wait_running_option = click.option(
    _NAME, type=click.FloatRange(min=0), default=0, metavar="[=SECONDS]",
    help=f"Wait so long for the end of runs that are in the way ({DEFAULT_SECONDS} without a number).",
)  # fmt: skip


def wait_for_runs(settings: Settings, workspace: Workspace, tenant: str) -> None:
    """Wait until nothing runs that would be touched, before the lock is taken: nobody else is kept waiting by it.

    The tenant is read for it, and read again under the lock. Raises CW540 where something runs still.
    """
    if not workspace.patience:
        return
    from cwsync.operate import outlast
    from cwsync.state import State

    state = (workspace.store.read() or State.new()).bound_to(tenant)
    plan, _ = workspace.plan(workspace.desired, state, tenant)
    if any(problem.severity == "error" for problem in plan.problems):
        return  # it is told under the lock, and nothing is changed
    for one in plan.blast.running:
        settings.say(f"{one.label} is running: waiting for its end. Ctrl-C leaves without changing anything.")
    left = outlast(
        workspace.client,
        plan.blast.running,
        workspace.patience,
        workspace.outside.sleep,
        lambda one: settings.say(f"{one.label} runs no longer."),
    )
    if left:
        raise CwsyncError(*(_still(one, workspace.patience) for one in left))


def _still(one: Running, seconds: float) -> Problem:
    text = f"{one.label} still runs after {seconds:g} s, so nothing was changed"
    managed = one.label.startswith(f"{one.kind}.")
    end = f"end the run with cwsync cancel {one.label}" if managed else "end the run in CloudWorks"
    return Problem("CW540", text, hint=f"give it more time with {_NAME}=SECONDS, or {end}")


def tell_waiting(settings: Settings) -> Callable[[Call], None]:
    """What to say when a call has to wait: a run began after the tenant was read."""
    return lambda call: settings.say(
        f"{call.address}: a run is in the way of the {call.action}, waiting for its end"
    )
