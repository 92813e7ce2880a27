"""state migrate: another place for the state."""

from __future__ import annotations

import click

from cwsync.cli.locking import lock_timeout_option, locked
from cwsync.cli.settings import Settings, with_settings
from cwsync.errors import Exit, fail


@click.command("migrate")
@with_settings("text", "json")
@click.argument("to", metavar="TO")
@lock_timeout_option
def migrate_command(settings: Settings, to: str, lock_timeout: float) -> int:
    """Move the state to TO, which is written as `state` in cwsync.yaml is: a file, s3://…, gs://…, az://…
    or postgresql://….

    All of it goes along, what is pending as well. What stays behind names the new place, and refuses to be
    worked with. Where this is cut off, run it again. Afterwards write TO as `state` into cwsync.yaml.
    """
    from cwsync.cli.state import nothing_stored, settle, tell_pending
    from cwsync.cli.workspace import Workspace
    from cwsync.project.places import wrong_state
    from cwsync.report.document import to_json
    from cwsync.report.screen import safe
    from cwsync.state.moving import arrive, claimed, found_at, send

    if wrong := wrong_state(to):
        code = "CW901" if wrong.code == "CW111" else wrong.code
        raise fail(code, f"TO {wrong.message}", hint=wrong.hint)
    workspace = Workspace.open(settings, manifests=False)
    store, target = workspace.store, workspace.keeping.store(to, trusting=True)
    left = found_at(store)
    if left is None:
        raise nothing_stored(store)
    if left.movedTo != to:  # otherwise an earlier run was cut off, or done
        if current := store.read():
            claimed(current, target)  # taking the lock is a change: what is refused must make no plan stale
        with locked(settings, workspace, lock_timeout, None) as held:
            settle(settings, held)
            send(held, target, to)
        left = held.state
    state = arrive(left, target)
    if settings.format == "json":
        found = {"lineage": state.lineage, "serial": state.serial, "resources": len(state.resources)}
        settings.show(to_json({"from": workspace.project.environment.state, "to": to, **found}))
        return Exit.OK
    settings.show(
        safe(
            f"Moved: {target.describe()} has {len(state.resources)} resources, and the serial {state.serial}."
        )
    )
    tell_pending(settings, state)
    settings.say(safe(f"Now write `state: {to}` for {workspace.environment} in cwsync.yaml, for everybody."))
    settings.say(
        safe(f"Until then {store.describe()} refuses to be worked with; keep it until all have changed over.")
    )
    return Exit.OK
