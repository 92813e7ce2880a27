"""What the body of an edit must look like: enough for whatever is kept to be read back, and no more.

The API's own rules are not among it: an edit is there to make states that the API would not.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cwsync.emulator.shapes import (
    Shape,
    an_object,
    either,
    flag,
    listing,
    loose,
    matching,
    never,
    nothing,
    one_of,
    record,
    text,
    whole,
)
from cwsync.emulator.tenant.runs import OUTCOMES


def _or_none(shape: Shape) -> Shape:
    return either(nothing, shape)


def _is_a_time(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_a_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 10**9


_STAMP = matching(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}Z").but(_is_a_time)
_WHO_AND_WHEN = {
    "createdBy": text,
    "creationDate": _STAMP,
    "modificationDate": _STAMP,
    "modifiedBy": _or_none(text),
}
_ANAPLAN = {"workspaceId": text, "modelId": text}
_END = loose({"type": text, "connectionId": text, "actionId": text, **_ANAPLAN})
_JOB = loose({"type": text, "sources": listing(_END), "targets": listing(_END)})
_STEP = loose(
    {
        "referrer": text,
        "dependsOn": listing(text),
        "isSkipped": flag,
        "exceptionBehavior": listing(record({"type": text, "strategy": text})),
    }
).but(lambda step: "referrer" in step)
_USERS = {kind: _or_none(listing(text)) for kind in ("success", "partial_failure", "full_failure")}
_SECONDS = Shape(_is_a_number, {"type": "number", "minimum": 0})

_OPEN: Mapping[str, Mapping[str, Shape]] = {
    "connection": {
        "name": text,
        "type": text,
        "body": loose({"name": text}),
        "status": whole(0, 1),
        "integrationErrorCode": _or_none(whole(0, 10**6)),
        "workspaceId": _or_none(text),
    },
    "integration": {
        "integrationId": never,
        "name": text,
        "version": one_of("1.0", "2.0"),
        "nuxVisible": flag,
        "processId": _or_none(text),
        "jobs": _or_none(listing(_JOB)),
        "schedule": _or_none(an_object),
        "notificationId": _or_none(text),
        **{key: _or_none(shape) for key, shape in _ANAPLAN.items()},
        **_WHO_AND_WHEN,
    },
    "schedule": {"name": text, "type": text, "status": text},
    "flow": {
        "id": never,
        "name": text,
        "steps": listing(_STEP),
        "schedule": _or_none(an_object),
        "notificationId": _or_none(text),
        **_WHO_AND_WHEN,
    },
}
_CLOSED: Mapping[str, Mapping[str, Shape]] = {
    "notification": {"channels": listing(text), "users": record({}, _USERS)},
    "outcome": {
        "seconds": _or_none(_SECONDS),
        "outcome": one_of(*OUTCOMES),
        "message": _or_none(text),
        "dump": _or_none(text),
    },
    "user": {"role": one_of("none", "integrator"), "firstName": text, "lastName": text},
    "tenant": {"maxAllowed": _or_none(whole(0, 10**6))},
}
KINDS = (*_OPEN, *_CLOSED)


def misfit(kind: str, body: Mapping[str, Any]) -> str | None:
    """The first field that does not belong in the body of an edit of this kind, or not with this value."""
    known = _OPEN.get(kind) or _CLOSED[kind]
    for field, value in body.items():
        if field not in known and kind in _CLOSED:
            return field
        if field in known and not known[field](value):
            return field
    return None
