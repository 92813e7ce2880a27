"""recover: what a run that was cut off left open, and a person's decision about it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from cwsync.cli.auditing import audit_option
from cwsync.cli.completing import addresses
from cwsync.cli.locking import lock_timeout_option, locked
from cwsync.cli.settings import Settings, put, with_settings
from cwsync.errors import CwsyncError, Exit, Problem, exit_status, fail

if TYPE_CHECKING:
    from cwsync.cli.workspace import Workspace
    from cwsync.state import Held, State

_LIST = "cwsync recover lists what is pending"


@click.command("recover")
@with_settings("text", "json")
@click.argument("address", metavar="[ADDR]", required=False, shell_complete=addresses())
@click.option("--adopt", is_flag=True, help="The object that is there is ours, as it is now.")
@click.option("--not-ours", is_flag=True, help="It is somebody else's: leave it, and know nothing of it.")
@click.option(
    "--retry", is_flag=True, help="Forget the operation: the next plan compares with what is there."
)
@click.option("--id", "id", metavar="ID", help="With --adopt, which of several objects of the name.")
@click.option(
    "--resolve",
    is_flag=True,
    help="Record what became of all that needs no decision, as the next apply would, and do nothing else.",
)
@lock_timeout_option
@audit_option
def recover_command(
    settings: Settings,
    address: str | None,
    adopt: bool,
    not_ours: bool,
    retry: bool,
    id: str | None,
    resolve: bool,
    lock_timeout: float,
) -> int:
    """List operations whose outcome is not known, with what is known of each; or decide about one.

    Listing takes no lock and writes nothing. A decision changes what is known, and never the tenant.
    """
    flags = {"--adopt": adopt, "--not-ours": not_ours, "--retry": retry}
    chosen = [flag for flag, given in flags.items() if given]
    if len(chosen) > 1:
        raise click.UsageError(f"{' and '.join(chosen)} are different decisions: give one")
    if chosen and address is None:
        raise click.UsageError(f"{chosen[0]} needs the address that it is about")
    if id is not None and chosen != ["--adopt"]:
        raise click.UsageError("--id goes with --adopt")
    if resolve and address is not None:
        raise click.UsageError("--resolve is about all that is pending: it takes no address")
    with closing(_open(settings)) as workspace:
        if not (resolve or chosen):
            return _list(settings, workspace, address)
        workspace.trail.check()
        tenant = workspace.tenant(workspace.store.read())
        with locked(settings, workspace, lock_timeout, tenant) as held:
            if address is None:
                return _resolve(settings, workspace, held)
            return _decide(settings, workspace, held, address, chosen[0], id)


def _resolve(settings: Settings, workspace: Workspace, held: Held) -> int:
    """What every apply begins with, and no more: so that a plan can be made, and reviewed, after a run was cut off."""
    from cwsync.apply import recover
    from cwsync.report.document import to_json
    from cwsync.report.problems import problems_text

    recovered = recover(workspace.client, held, workspace.outside.sleep)
    if settings.format == "json":
        waiting = [problem.address for problem in recovered.problems]
        settings.show(to_json({"resolved": list(recovered.notes), "pending": waiting}))
    else:
        settings.show("\n".join(recovered.notes or (() if recovered.problems else ("Nothing is pending.",))))
    if recovered.problems:
        put(problems_text(recovered.problems, color=settings.color), err=True)
    return exit_status(recovered.problems)


def _open(settings: Settings) -> Workspace:
    """With the manifests where they are valid: they tell what is not as declared, and nothing else."""
    from cwsync.cli.workspace import Workspace

    try:
        return Workspace.open(settings)
    except CwsyncError:
        return Workspace.open(settings, manifests=False)


def _list(settings: Settings, workspace: Workspace, address: str | None) -> int:
    from cwsync.apply import pending
    from cwsync.cli.unlock import where
    from cwsync.report.recover import recover_json, recover_text
    from cwsync.state.machine import is_gone

    state = _read(workspace)
    if address is not None:
        _require_pending(state, address)
    if state.lock is not None:
        then = "has ended" if is_gone(state.lock.holder) else "may be at work on these now"
        settings.say(f"The state is locked by {state.lock.holder}, which {then}.")
    operations = [
        one
        for one in pending(workspace.client, state, workspace.desired, workspace.outside.sleep)
        if address in (None, one.intent.address)
    ] if state.pending else []  # fmt: skip
    command = ["cwsync", *where(settings)]
    if settings.format == "json":
        settings.show(recover_json(operations, command))
    else:
        settings.show(recover_text(operations, command, color=settings.color, verbose=settings.verbose))
    return exit_status(Problem("CW605", one.why) for one in operations if one.ways)


def _read(workspace: Workspace) -> State:
    from cwsync.state import State

    stored = workspace.store.read()
    return (stored or State.new()).bound_to(workspace.tenant(stored)) if stored else State.new()


def _require_pending(state: State, address: str) -> None:
    if not any(intent.address == address for intent in state.pending.values()):
        raise fail("CW606", f"nothing is pending for {address}", hint=_LIST)


def _decide(
    settings: Settings, workspace: Workspace, held: Held, address: str, way: str, id: str | None
) -> int:
    """After everything else is resolved, as apply does it."""
    from cwsync.apply import decided, decision_entry, recover

    _require_pending(held.state, address)
    recovered = recover(workspace.client, held, workspace.outside.sleep)
    for note in recovered.notes:
        settings.say(note)
    mine = [(intent, found) for intent, found in recovered.doubtful if intent.address == address]
    if not mine:
        raise fail(
            "CW606",
            f"{address}: what became of it is certain now, so there was nothing to decide, and {way} did nothing",
            hint="what was found is in the state; cwsync plan shows what is to be done",
        )
    intent, found = mine[0]
    held.update(lambda state: decided(state, intent, found, way, id))
    workspace.trail.write(decision_entry(intent, way, id))
    _tell(settings, held.state, address, way, len(recovered.doubtful) - 1)
    workspace.trail.check()
    return Exit.OK


def _tell(settings: Settings, state: State, address: str, way: str, others: int) -> None:
    from cwsync.report.document import to_json
    from cwsync.report.screen import safe

    entry = state.resources.get(address)
    if settings.format == "json":
        resource = {"id": entry.id, "name": entry.name} if entry else None
        settings.show(to_json({"address": address, "decision": way, "resource": resource, "pending": others}))
    elif entry is not None:
        settings.show(safe(f'{address} is known as "{entry.name}" (id {entry.id}).'))
    else:
        settings.show(safe(f"{address} is not managed now."))
    if others:
        settings.say(f"{others} more wait for a decision: cwsync recover shows them.")
    settings.say("Nothing was changed in the tenant. What would be done now: cwsync plan")
