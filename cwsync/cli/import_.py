"""import: bind what is in the tenant already to what the manifests declare."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cwsync.cli.asking import Asked, with_all
from cwsync.cli.locking import lock_timeout_option, locked
from cwsync.cli.settings import Settings, with_settings
from cwsync.errors import CwsyncError, Exit, Problem, fail, suggest

if TYPE_CHECKING:
    from cwsync.cli.workspace import Workspace
    from cwsync.kinds import Import
    from cwsync.plan import ApplyResult, Change, Plan


@click.command("import")
@with_settings("text", "json")
@click.argument("bindings", nargs=-1, metavar="[ADDR=ID...]")
@with_all
@lock_timeout_option
def import_command(
    settings: Settings, bindings: tuple[str, ...], everything: Asked | None, lock_timeout: float
) -> int:
    """Take over objects of the tenant, each as the address that declares it. Nothing in the tenant is changed.

    With --all --out DIR: write manifests for everything that is unmanaged, and take that over.

    ID is the object's id; of a schedule, the id of its integration. Where an object is not as it is declared,
    the next plan shows what would change.
    """
    if everything is not None:
        if bindings:
            raise click.UsageError("--all takes no ADDR=ID: it takes over everything")
        from cwsync.cli.import_all import import_all

        return import_all(settings, everything, lock_timeout)
    if not bindings:
        raise click.UsageError("say which: ADDR=ID..., or --all --out DIR for everything that is unmanaged")
    return _import_some(settings, bindings, lock_timeout)


def _import_some(settings: Settings, bindings: tuple[str, ...], lock_timeout: float) -> int:
    from dataclasses import replace

    from cwsync.apply import recover, settled
    from cwsync.cli.workspace import Workspace
    from cwsync.kinds import ChangeLists
    from cwsync.plan import Selection
    from cwsync.report.apply import apply_text
    from cwsync.report.document import apply_json

    imports = tuple(_parsed(text) for text in bindings)
    addresses = tuple(one.to for one in imports)
    workspace = Workspace.open(settings, selection=Selection(targets=addresses))
    workspace.lists = ChangeLists(imports=imports)
    for address in addresses:
        _require_declared(address, workspace)
    try:
        tenant = workspace.tenant(workspace.store.read())
        with locked(settings, workspace, lock_timeout, tenant) as held:
            recovered = recover(workspace.client, held, workspace.outside.sleep)
            plan, seen = workspace.plan(workspace.desired, held.state, tenant)
            _refuse(plan, addresses, recovered.problems)
            taken = tuple(change for change in plan.changes if change.action == "import")
            if taken:
                only = replace(plan, changes=taken, calls=())
                held.update(
                    lambda state: workspace.with_versions(settled(state, only, workspace.desired), seen)
                )
    finally:
        workspace.close()
    for address in sorted({*addresses} - {change.address for change in taken}):
        settings.say(f"{address} is managed already, and is that object.")
    result = _result(plan, taken)
    if settings.format == "json":
        settings.show(apply_json(result))
    else:
        settings.show(
            apply_text(result, color=settings.color, verbose=settings.verbose, quiet=settings.quiet)
        )
    return Exit.OK


def _parsed(text: str) -> Import:
    from cwsync.kinds import KINDS, Import

    address, _, id = text.partition("=")
    if not id or address.partition(".")[0] not in KINDS:
        raise click.UsageError(
            f"{text!r} is not ADDR=ID, such as connection.lake=46d677fdb67a41529d0ddadc294515dd"
        )
    return Import(address, id=id)


def _require_declared(address: str, workspace: Workspace) -> None:
    if address not in workspace.desired:
        close = suggest(address, workspace.desired)
        hint = (
            f"did you mean {close}?" if close else "declare it first: the next plan would delete it otherwise"
        )
        raise fail("CW507", f"{address} is not declared in any manifest", hint=hint)


def _refuse(plan: Plan, addresses: tuple[str, ...], before: tuple[Problem, ...]) -> None:
    """Of what is wrong with the plan, only what concerns these addresses, or the picture of the tenant."""
    about = [one for one in plan.problems if one.address in addresses or one.code == "CW312"]
    if any(one.severity == "error" for one in about):
        raise CwsyncError(*before, *about)


def _result(plan: Plan, taken: tuple[Change, ...]) -> ApplyResult:
    from cwsync.plan import ApplyResult, Outcome

    applied = tuple(Outcome(one.address, one.action, _differs(one), id=one.id) for one in taken)
    return ApplyResult(plan.environment, plan.tenant, applied=applied)


def _differs(change: Change) -> str | None:
    paths = ", ".join(field.path for field in change.fields)
    return f"it is not as declared in {paths}: cwsync plan shows what would change" if paths else None
