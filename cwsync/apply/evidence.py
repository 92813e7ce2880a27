"""What really happened to a request whose reply was lost: found by reading, and decided on evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from cwsync.api import Client
from cwsync.kinds import KINDS, Action, Observed, same_id
from cwsync.live import look
from cwsync.plan.diff import fingerprint
from cwsync.state import Intent

Verdict = Literal["done", "not done", "needs a person"]


@dataclass(frozen=True, slots=True)
class Found:
    """What reading has shown: the verdict, the object if there is one, and each piece of evidence in words."""

    verdict: Verdict
    object: Observed | None = None
    why: str = ""


def resolve(client: Client, intent: Intent, managed: frozenset[str]) -> Found:
    """Hold an intent against the tenant. `managed` are the ids that other addresses are bound to (E6).

    Raises `ServiceError` where the tenant can't be read: then nothing is known, and nothing is decided.
    """
    creating = intent.pre.absent
    found = look(
        client,
        intent.kind,
        id=None if creating else intent.targetId,
        name=intent.name if creating and not intent.parent else None,
        parent=intent.parent,
    )
    if len(found) > 1:
        return Found("needs a person", None, f'the tenant has {len(found)} objects named "{intent.name}"')
    return _judge(intent, found[0] if found else None, managed)


def _judge(intent: Intent, found: Observed | None, managed: frozenset[str]) -> Found:
    if found is None:
        return _absent(intent)
    if intent.action != Action.DELETE and _as_desired(intent, found):
        doubt = _doubt(intent, found, managed) if intent.pre.absent and not intent.parent else None
        return Found("needs a person", found, doubt) if doubt else Found("done", found)
    if intent.pre.absent:
        return Found("needs a person", found, "an object of that name is there, and is not what was sent")
    return _unless_changed(intent, found)


def _absent(intent: Intent) -> Found:
    if intent.action == Action.DELETE:
        return Found("done")
    if intent.pre.absent:
        return Found("not done")
    return Found("needs a person", None, "the object that was to be changed is gone")


def _unless_changed(intent: Intent, found: Observed) -> Found:
    """As it was before: the request did nothing. A third state is somebody else's, and stays (R9)."""
    if found.fields is not None and intent.pre.fingerprint == fingerprint(KINDS[intent.kind], found.fields):
        return Found("not done", found)
    return Found("needs a person", found, "it is neither as it was before nor as it should be now")


def _as_desired(intent: Intent, found: Observed) -> bool:
    status = intent.action in (Action.ENABLE, Action.DISABLE)
    return found.fields is not None and intent.desiredHash == fingerprint(
        KINDS[intent.kind], found.fields, own_calls=status
    )


def _doubt(intent: Intent, found: Observed, managed: frozenset[str]) -> str | None:
    """Why an object that looks like ours may still not be (E2, E5, E6); None where all agrees."""
    if same_id(found.id) in managed:
        return "it belongs to another address"
    if found.modified_by is not None and found.modified_at != found.created_at:
        return f"{found.modified_by} has changed it since"
    begun, made = _time(intent.serverTime), _time(found.created_at)
    if begun is None or made is None:
        return "it doesn't say when it was created"
    if made < begun - timedelta(seconds=2):
        return f"it was created at {found.created_at}, before the request was sent at {intent.serverTime}"
    return None


def _time(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
