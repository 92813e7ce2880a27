"""Reading a tenant: which reads a plan needs, and what could not be read."""

from __future__ import annotations

from cwsync.live.everything import Everything, Filters, read_everything
from cwsync.live.idle import is_running, pauses
from cwsync.live.look import Look
from cwsync.live.read import Reads, read_in_full, read_tenant, reads_again, reads_for, sweep
from cwsync.live.sharing import SharedLists
from cwsync.live.unchanged import LastRead

__all__ = [
    "Everything",
    "Filters",
    "LastRead",
    "Look",
    "Reads",
    "SharedLists",
    "is_running",
    "pauses",
    "read_everything",
    "read_in_full",
    "read_tenant",
    "reads_again",
    "reads_for",
    "sweep",
]
