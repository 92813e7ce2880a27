"""unlock: remove a lock that will not heal by itself."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from cwsync.cli.settings import Settings, with_settings
from cwsync.errors import Exit, fail

if TYPE_CHECKING:
    from cwsync.state import Held, Lock, State, Store


@click.command("unlock")
@with_settings("text", "json")
@click.argument("nonce", required=False)
def unlock_command(settings: Settings, nonce: str | None) -> int:
    """Remove a lock that will not heal by itself. Without NONCE: show who holds it, and its nonce.

    It is for a run that is known to be dead, or that must not go on. A run that is still alive can record
    nothing more afterwards, and begins nothing new. CloudWorks knows no locks, though: what that run has
    begun may still arrive. So where anything is pending, this waits until that is over.

    What is pending is never discarded: the next apply finds out what became of it.
    """
    from cwsync.cli.workspace import Workspace
    from cwsync.state import unlock

    workspace = Workspace.open(settings, manifests=False)
    store, outside = workspace.store, workspace.outside
    state = store.read()
    if state is None or state.lock is None:
        return _tell(settings, store, state, "is not locked")
    if nonce is None:
        return _show_holder(settings, store, state, state.lock)
    held = unlock(store, nonce, holder=outside.holder, clock=outside.clock)
    _wait(settings, held)
    held.release()
    return _tell(settings, store, held.state, "is no longer locked")


def _wait(settings: Settings, held: Held) -> None:
    """Not giving the lock back when this is interrupted is on purpose: it heals as that of any dead run."""
    try:
        with held.beating():
            if held.unsettled:
                settings.say(
                    "The lock is taken over: that run can record nothing more. Something is pending, so up to "
                    f"{held.unsettled:.0f} s pass until nothing that it has begun can still arrive."
                )
            held.settle()
    except KeyboardInterrupt:
        raise fail(
            "CW604",
            "interrupted: the lock is taken over, and not given back",
            hint=f"the next apply may have to wait for it: --lock-timeout {held.lock.ttl + 30}",
        ) from None


def _tell(settings: Settings, store: Store, state: State | None, what: str) -> int:
    from cwsync.cli.state import tell_pending
    from cwsync.report.document import to_json
    from cwsync.report.screen import safe

    if settings.format == "json":
        settings.show(to_json({"locked": False, "pending": _pending(state)}))
        return Exit.OK
    settings.show(safe(f"{store.describe()[:1].upper()}{store.describe()[1:]} {what}."))
    tell_pending(settings, state)
    return Exit.OK


def _show_holder(settings: Settings, store: Store, state: State, lock: Lock) -> int:
    from dataclasses import asdict

    from cwsync.report.document import to_json
    from cwsync.report.screen import safe
    from cwsync.state.machine import is_gone

    command = shlex.join(["cwsync", "unlock", *where(settings), lock.nonce])
    if settings.format == "json":
        found = {"locked": True, **asdict(lock), "pending": _pending(state), "command": command}
        settings.show(to_json(found))
        return Exit.LOCKED
    settings.show(safe(f"{store.describe()[:1].upper()}{store.describe()[1:]} is locked by {lock.holder}."))
    settings.show(safe(f"  since              {lock.since}"))
    settings.show(safe(f"  last sign of life  {lock.beat}"))
    settings.show(safe(f"  nonce              {lock.nonce}"))
    for what in _pending(state):
        settings.show(safe(f"  pending            {what}"))
    if is_gone(lock.holder):
        settings.show("That process has ended: the next apply takes the lock over by itself.")
        return Exit.LOCKED
    settings.show(f"If it gives no sign of life for {lock.ttl} s, a run that waits takes over by itself.")
    settings.show(safe(f"If it is dead, or must not go on: {command}"))
    return Exit.LOCKED


def where(settings: Settings) -> list[str]:
    """The options that choose the state, as they were given."""
    folder = [] if str(settings.directory) == "." else ["-C", str(settings.directory)]
    return [*folder, *(["-e", settings.environment] if settings.environment else [])]


def _pending(state: State | None) -> list[str]:
    return [f"{one.action} of {one.address}" for one in state.pending.values()] if state else []
