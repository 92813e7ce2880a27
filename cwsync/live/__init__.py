"""Reading a tenant: which reads a plan needs, and what could not be read."""

from __future__ import annotations

from cwsync.live.look import look, pointer
from cwsync.live.read import Reads, read_tenant, reads_for, sweep

__all__ = ["Reads", "look", "pointer", "read_tenant", "reads_for", "sweep"]
