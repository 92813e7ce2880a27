"""state: what is known to be managed."""

from __future__ import annotations

import click

from cwsync.cli.settings import Settings, with_settings
from cwsync.errors import Exit, fail


@click.group("state")
def state_command() -> None:
    """Look at what is known to be managed."""


@state_command.command("list")
@with_settings("text", "json")
def list_command(settings: Settings) -> int:
    """List the addresses that are managed, and what is pending."""
    import json

    from cwsync.cli.workspace import Workspace
    from cwsync.report import safe

    state = Workspace.open(settings, manifests=False).store.read()
    resources = state.resources if state else {}
    if settings.format == "json":
        settings.show(json.dumps(sorted(resources), indent=2))
        return Exit.OK
    for address in sorted(resources):
        settings.show(safe(f"{address}  {resources[address].id}" if settings.verbose else address))
    for intent in state.pending.values() if state else ():
        settings.say(
            f"pending: {intent.action} of {intent.address}: the next apply finds out what became of it"
        )
    for deposed in state.deposed if state else ():
        settings.say(f"replaced, and still to be deleted: {deposed.address} ({deposed.id})")
    return Exit.OK


@state_command.command("show")
@with_settings("text", "json")
@click.argument("address", required=False)
def show_command(settings: Settings, address: str | None) -> int:
    """Show what is known of one address, or the whole document. There are no secrets in it."""
    import json

    from cwsync.cli.workspace import Workspace
    from cwsync.errors import suggest
    from cwsync.report import safe
    from cwsync.state import to_json

    store = Workspace.open(settings, manifests=False).store
    state = store.read()
    document = json.loads(to_json(state)) if state else {}
    if address is not None:
        resources = document.get("resources", {})
        if address not in resources:
            close = suggest(address, resources)
            hint = f"did you mean {close}?" if close else "cwsync state list shows what is managed"
            raise fail("CW507", f"{address} is not managed", hint=hint)
        document = resources[address]
    settings.show(safe(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)))
    return Exit.OK
