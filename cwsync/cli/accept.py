"""drift --accept: the tenant's value becomes the manifest's. Reads the tenant, and changes nothing in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cwsync.cli.accepting import Accepting
from cwsync.cli.locking import locked
from cwsync.cli.settings import Settings
from cwsync.errors import CwsyncError, Exit, fail

if TYPE_CHECKING:
    from cwsync.cli.workspace import Workspace
    from cwsync.plan import Accepted
    from cwsync.state import Held, State


def accept(settings: Settings, addresses: tuple[str, ...], lock_timeout: float) -> int:
    """Write what drifted at these addresses into the manifests, and take it for what was applied.

    Everything is worked out and planned before anything is written: where one address cannot be accepted,
    nothing is. Raises CW407, CW507, CW520.
    """
    from cwsync.cli.workspace import Workspace

    workspace = Workspace.open(settings)
    try:
        stored = workspace.store.read()
        if stored is None:
            raise fail(
                "CW507", f"{addresses[0]} is not managed", hint="nothing is, before the first cwsync apply"
            )
        _refuse_pending(stored)
        tenant = workspace.tenant(stored)
        state = stored.bound_to(tenant)
        # All lists: whatever something refers to now is called by its name.
        snapshot = workspace.read(workspace.desired, state, workspace.lists, everything=True)
        accepting = Accepting(workspace, state, snapshot, tenant)
        taken = [accepting.take(address) for address in dict.fromkeys(addresses)]
        if any(one.fields for one in taken):
            with locked(settings, workspace, lock_timeout, tenant) as held:
                _write(workspace, held, stored, accepting)
    finally:
        workspace.close()
    _show(settings, workspace, taken)
    return Exit.OK


def _refuse_pending(state: State) -> None:
    if state.pending:
        named = ", ".join(sorted({one.address for one in state.pending.values()}))
        raise fail(
            "CW407",
            f"it is not known yet what became of an operation on {named}, so nothing is accepted",
            hint="the next cwsync apply finds it out by reading the tenant",
        )


def _write(workspace: Workspace, held: Held, stored: State, accepting: Accepting) -> None:
    """The files, then the state in one commit: between the two, the manifests agree with the tenant already."""
    from cwsync.authoring.writing import put_in_place
    from cwsync.state.files import Files

    if held.found is None or held.found.identity != stored.identity:
        raise _changed()
    for path, text in accepting.texts.items():
        if text.after != text.before:
            files = workspace.outside.files or Files()
            put_in_place(files, path, text.before, text.after, text.shown_as)
    entries = {at: accepting.state.resources[at] for at in accepting.accepted}
    held.update(lambda state: replace(state, resources={**state.resources, **entries}))


def _changed() -> CwsyncError:
    hint = "nothing was written; run the command again"
    return fail("CW405", "another run changed the state while the tenant was read", hint=hint)


def _show(settings: Settings, workspace: Workspace, taken: list[Accepted]) -> None:
    from cwsync.report.drift import accepted_json, accepted_text

    if settings.format == "json":
        settings.show(accepted_json(workspace.environment, taken))
    else:
        settings.show(accepted_text(taken, quiet=settings.quiet))
