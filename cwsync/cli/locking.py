"""Working under the lock of the state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from cwsync.cli.settings import Settings

if TYPE_CHECKING:
    from cwsync.cli.workspace import Workspace
    from cwsync.state import Held, Lock

lock_timeout_option = click.option(
    "--lock-timeout", type=click.FloatRange(min=0), default=0, metavar="SECONDS",
    help="Wait so long for a lock that another run holds.",
)  # fmt: skip


@contextmanager
def locked(settings: Settings, workspace: Workspace, timeout: float, tenant: str | None) -> Iterator[Held]:
    """The lock, kept alive until the end. Raises CW404 where another run holds it for longer than `timeout`."""
    from cwsync.state import acquire

    lock = acquire(
        workspace.store,
        tenant=tenant,
        holder=workspace.outside.holder,
        clock=workspace.outside.clock,
        timeout=timeout,
        on_wait=lambda held: _waiting(settings, held),
    )
    with lock as held, held.beating():
        workspace.trail.know(run=held.lock.run, tenant=tenant)
        yield held


def _waiting(settings: Settings, lock: Lock) -> None:
    settings.say(f"The state is locked by {lock.holder}: waiting.")
