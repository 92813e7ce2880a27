"""state: what is known to be managed, and the ways to mend that by hand. None of them calls CloudWorks."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import IO, TYPE_CHECKING

import click

from cwsync.cli.completing import addresses
from cwsync.cli.locking import lock_timeout_option, locked
from cwsync.cli.migrate import migrate_command
from cwsync.cli.settings import Settings, group_options, with_settings
from cwsync.errors import CwsyncError, Exit, fail

if TYPE_CHECKING:
    from cwsync.cli.workspace import Workspace
    from cwsync.state import Held, State, Store


@click.group("state")
@group_options
def state_command(**_options: object) -> None:
    """Look at what is known to be managed, and mend it by hand."""


state_command.add_command(migrate_command)


@state_command.command("list")
@with_settings("text", "json")
def list_command(settings: Settings) -> int:
    """List the addresses that are managed, and what is pending."""
    from cwsync.cli.workspace import Workspace
    from cwsync.report.screen import safe

    state = Workspace.open(settings, manifests=False).store.read()
    resources = state.resources if state else {}
    if settings.format == "json":
        settings.show(json.dumps(sorted(resources), indent=2))
        return Exit.OK
    for address in sorted(resources):
        settings.show(safe(f"{address}  {resources[address].id}" if settings.verbose else address))
    tell_pending(settings, state)
    for deposed in state.deposed if state else ():
        settings.say(safe(f"replaced, and still to be deleted: {deposed.address} ({deposed.id})"))
    return Exit.OK


@state_command.command("show")
@with_settings("text", "json")
@click.argument("address", required=False, shell_complete=addresses())
def show_command(settings: Settings, address: str | None) -> int:
    """Show what is known of one address, or the whole document. There are no secrets in it."""
    from cwsync.cli.workspace import Workspace
    from cwsync.report.document import to_json
    from cwsync.state.document import to_json as document_of
    from cwsync.state.edits import not_managed

    state = Workspace.open(settings, manifests=False).store.read()
    document = json.loads(document_of(state)) if state else {}
    if address is not None:
        resources = document.get("resources", {})
        if address not in resources:
            raise not_managed(address, resources)
        document = resources[address]
    settings.show(to_json(document))
    return Exit.OK


@state_command.command("mv")
@with_settings("text", "json")
@click.argument("source", metavar="FROM", shell_complete=addresses())
@click.argument("target", metavar="TO")
@lock_timeout_option
def mv_command(settings: Settings, source: str, target: str, lock_timeout: float) -> int:
    """Give what is managed as FROM the address TO. Its object stays as it is."""
    from cwsync.manifest.address import KEY, KEY_RULE
    from cwsync.report.document import to_json
    from cwsync.report.screen import safe
    from cwsync.state.edits import move

    key = target.partition(".")[2]
    if not KEY.fullmatch(key):
        hint = f"an address is a kind and a key, such as integration.accounts; {KEY_RULE}"
        raise fail("CW206", f"{target} cannot be an address", hint=hint)
    _, state = _edited(settings, lock_timeout, lambda state: move(state, source, target))
    parts = sorted(at for at, entry in state.resources.items() if entry.parent == target)
    if settings.format == "json":
        settings.show(to_json({"from": source, "to": target, "parts": parts}))
        return Exit.OK
    settings.show(safe(f"{source} has moved to {target}. Nothing was changed in the tenant."))
    settings.say(f"Before the next plan, give it the key {key} in the manifests.")
    if parts:
        settings.say(
            f"{' and '.join(parts)} belong to it: write `integration: {key}` there, or move them as well."
        )
    return Exit.OK


@state_command.command("rm")
@with_settings("text", "json")
@click.argument("addresses", metavar="ADDR...", nargs=-1, required=True, shell_complete=addresses())
@lock_timeout_option
def rm_command(settings: Settings, addresses: tuple[str, ...], lock_timeout: float) -> int:
    """Forget these addresses, and leave their objects in the tenant."""
    from cwsync.report.document import to_json
    from cwsync.report.screen import safe
    from cwsync.state.edits import forget

    before, _ = _edited(settings, lock_timeout, lambda state: forget(state, addresses).state)
    done = forget(before, addresses)
    if settings.format == "json":
        deposed = [{"address": one.address, "id": one.id} for one in done.deposed]
        found = {"forgotten": [*done.addresses, *done.parts], "deposed": deposed}
        settings.show(to_json(found))
        return Exit.OK
    for address in done.addresses:
        settings.show(safe(f"{address} is forgotten, and stays in the tenant."))
    for part in done.parts:
        settings.show(safe(f"{part} is forgotten with its integration, and stays in the tenant."))
    for one in done.deposed:
        settings.show(safe(f"{one.address} had replaced {one.id}: that is forgotten, and stays as well."))
    settings.say(
        "Take them out of the manifests too: what is still declared is new to the next plan, which stops at "
        "a name that is taken (CW501)."
    )
    return Exit.OK


@state_command.command("pull")
@with_settings("text", "json")
def pull_command(settings: Settings) -> int:
    """Print the document: a copy to keep. There are no secrets in it, but it is in clear where what is stored
    is encrypted."""
    from cwsync.cli.workspace import Workspace
    from cwsync.state import from_json

    workspace = Workspace.open(settings, manifests=False)
    store = workspace.keeping.store(workspace.project.environment.state, trusting=True)
    data = store.raw()
    if data is None:
        raise nothing_stored(store)
    from_json(data, store.describe())  # a damaged document is no copy to keep
    settings.show(data)
    return Exit.OK


@state_command.command("push")
@with_settings("text", "json")
@click.argument("file", type=click.File("rb"))
@click.option("--force", is_flag=True, help="Also put back a copy that is older than what is stored.")
@lock_timeout_option
def push_command(settings: Settings, file: IO[bytes], force: bool, lock_timeout: float) -> int:
    """Put a copy back that `state pull` has printed. FILE is - for standard input.

    Where the state is encrypted, an older version of the stored file or object will do as well.
    """
    from cwsync.cli.workspace import Workspace
    from cwsync.report.document import to_json
    from cwsync.report.screen import safe
    from cwsync.state.edits import parsed, put_back, succeeding

    workspace = Workspace.open(settings, manifests=False)
    where = f"the file {file.name}"
    copy = parsed(workspace.keeping.decoded(file.read(), where), where)
    state = _put_over(workspace, copy, force=force)
    if state is None:
        stored = workspace.store.read()
        if stored is not None and stored.lock is None:
            put_back(stored, copy, force=force)  # what is refused must make no saved plan stale
        with locked(settings, workspace, lock_timeout, None) as held:
            settle(settings, held)
            if held.found is not None:
                # Not held against `held.state`: taking the lock has counted on, and changed nothing else.
                put_back(held.found, copy, force=force)
            held.update(lambda state: succeeding(state, copy))
        state = held.state
    if settings.format == "json":
        found = {"lineage": state.lineage, "serial": state.serial, "resources": len(state.resources)}
        settings.show(to_json(found))
        return Exit.OK
    where = workspace.store.describe()
    settings.show(
        safe(f"Put back: {where} has {len(state.resources)} resources, and the serial {state.serial}.")
    )
    tell_pending(settings, state)
    settings.say("Compare it with the tenant before the next apply: cwsync plan")
    return Exit.OK


def _put_over(workspace: Workspace, copy: State, *, force: bool) -> State | None:
    """The copy in the place of what is stored, where that is not to be trusted; None where it is.

    In one step, without taking the lock: otherwise what is not to be trusted would for a moment be the newest.
    """
    if workspace.project.environment.encryption is None:
        return None
    from cwsync.state.edits import put_over
    from cwsync.state.sealed import Untrusted

    try:
        workspace.store.read()
    except Untrusted:
        store = workspace.keeping.store(workspace.project.environment.state, trusting=True)
        if stored := store.read():
            newest = workspace.keeping.newest(copy.lineage)
            return store.commit(stored, put_over(stored, copy, newest, force=force))
    return None


def tell_pending(settings: Settings, state: State | None) -> None:
    """Each operation whose outcome is not known."""
    from cwsync.report.screen import safe

    for intent in state.pending.values() if state else ():
        found_out = "the next apply finds out what became of it"
        settings.say(safe(f"pending: {intent.action} of {intent.address}: {found_out}"))


def _edited(settings: Settings, lock_timeout: float, change: Callable[[State], State]) -> tuple[State, State]:
    """Change the state under its lock; what it was and what it is."""
    from cwsync.cli.workspace import Workspace

    workspace = Workspace.open(settings, manifests=False)
    found = workspace.store.read()
    if found is None:
        raise nothing_stored(workspace.store)
    if found.lock is None:
        change(found)  # taking the lock is a change too: what is refused must make no saved plan stale
    with locked(settings, workspace, lock_timeout, None) as held:
        settle(settings, held)
        return held.state, held.update(change)


def settle(settings: Settings, held: Held) -> None:
    """What a dead run has sent may still take effect. Were the lock given back before, nobody would wait."""
    if held.unsettled:
        settings.say(f"An earlier run was cut off: waiting {held.unsettled:.0f} s for what it has sent.")
    held.settle()


def nothing_stored(store: Store) -> CwsyncError:
    """CW507: where there is no document yet."""
    return fail(
        "CW507",
        f"there is nothing at {store.describe()} yet, so nothing is managed",
        hint="the first cwsync apply makes it; -e chooses another environment",
    )
