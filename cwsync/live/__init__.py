"""Reading a tenant: which reads a plan needs, and what could not be read."""

from __future__ import annotations

from cwsync.live.everything import Everything, Filters, read_everything
from cwsync.live.look import Look
from cwsync.live.read import Reads, read_tenant, reads_again, reads_for, sweep

__all__ = [
    "Everything",
    "Filters",
    "Look",
    "Reads",
    "read_everything",
    "read_tenant",
    "reads_again",
    "reads_for",
    "sweep",
]
