"""A tenant for commands that operate what is managed, and plan nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from cwsync.cli.settings import Settings

if TYPE_CHECKING:
    from cwsync.api import Client
    from cwsync.state import State


@contextmanager
def opened(settings: Settings) -> Iterator[tuple[Client, State]]:
    """The client, and the state of the same tenant. Raises CW403 where the state is another's."""
    from cwsync.cli.workspace import Workspace
    from cwsync.state import State

    with closing(Workspace.open(settings, manifests=False)) as workspace:
        stored = workspace.store.read()
        tenant = workspace.tenant(stored)
        workspace.trail.know(tenant=tenant)
        yield workspace.client, (stored or State.new()).bound_to(tenant)
