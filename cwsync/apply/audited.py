"""An intent, and what was found out about it, in the words of the audit trail."""

from __future__ import annotations

from cwsync.apply.evidence import Found
from cwsync.audit import Entry, Purpose
from cwsync.state import Intent


def purpose_of(intent: Intent, attempt: int = 1) -> Purpose:
    return Purpose(intent.address, str(intent.action), intent.name, intent.op, attempt)


def decision_entry(intent: Intent, way: str, id: str | None = None) -> Entry:
    """What a person has decided about an operation, by an option of `cwsync recover`."""
    return Entry("decision", purpose_of(intent), way.removeprefix("--"), id=id or intent.targetId)


def resolution_entry(intent: Intent, found: Found, attempt: int = 1) -> Entry:
    """What reading the tenant tells of an operation without a reply."""
    applied = found.verdict == "done"
    id = found.object.id if found.object and applied else intent.targetId
    return Entry("resolution", purpose_of(intent, attempt), "applied" if applied else "not applied", id=id)
