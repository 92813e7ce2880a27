"""Applying: the only writer. It carries out a plan, and finds out what became of what was cut off."""

from __future__ import annotations

from cwsync.apply.audited import decision_entry
from cwsync.apply.decision import decided, pending
from cwsync.apply.executor import Executor, Progress
from cwsync.apply.record import settled, settled_outcomes, with_versions
from cwsync.apply.recover import Recovered, recover
from cwsync.apply.secrets import addresses_to_send, read_secrets
from cwsync.apply.summary import both
from cwsync.apply.verify import Verified, verify

__all__ = [
    "Executor",
    "Progress",
    "Recovered",
    "Verified",
    "addresses_to_send",
    "both",
    "decided",
    "decision_entry",
    "pending",
    "read_secrets",
    "recover",
    "settled",
    "settled_outcomes",
    "verify",
    "with_versions",
]
