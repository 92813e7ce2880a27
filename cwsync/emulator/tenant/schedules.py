"""Schedules: one for each integration, a part of its document (facts A3)."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from cwsync.emulator import refusal
from cwsync.emulator.shapes import Shape, distinct, listing, one_of, record, text, whole
from cwsync.emulator.store import Document
from cwsync.emulator.tenant.integrations import Integrations
from cwsync.emulator.tenant.world import World, new_id

STATUSES = {"enabled": "Active", "disabled": "Inactive"}


def _time(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value) is not None


def _date(value: Any) -> bool:
    if not isinstance(value, str) or re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value) is None:
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


@cache
def _zone(key: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(key)
    except (KeyError, OSError, ValueError):
        return None


def _timezone(value: Any) -> bool:
    return text(value) and _zone(value) is not None


_DAYS = distinct(listing(whole(0, 6), least=1))  # Sunday is 0
_NAMES: Shape = lambda value: text(value) and len(value) <= 128  # noqa: E731 - a shape like the others
_COMMON: dict[str, Shape] = {"name": _NAMES, "startDate": _date, "timezone": _timezone}
_NTH_WEEK = whole(1, 5)

# For each type what it must carry and what it may; anything else is refused (facts A3, B18, B19).
_TYPES: dict[str, tuple[dict[str, Shape], dict[str, Shape]]] = {
    "daily": ({"time": _time}, {"daysOfWeek": _DAYS}),
    "weekly": ({"time": _time, "daysOfWeek": _DAYS}, {}),
    "hourly": ({"repeatEvery": whole(1, 1000), "fromTime": _time, "toTime": _time, "daysOfWeek": _DAYS}, {}),
    "monthly_specific_day": ({"dayOfMonth": whole(1, 31), "time": _time}, {}),
    "monthly_relative_weekday": (
        {"repeatEvery": _NTH_WEEK, "dayOfWeek": whole(0, 6), "time": _time},
        {"daysOfWeek": listing(whole(0, 6), least=1, most=1)},
    ),
}
_SHAPES = {
    kind: record({"type": one_of(kind), **_COMMON, **required}, {"endDate": _date, **optional})
    for kind, (required, optional) in _TYPES.items()
}


class Schedules:
    """The calls of facts A3. None of them counts as an edit of the integration: the vendor's sample shows
    a scheduled integration whose modification date is still that of its creation."""

    def __init__(self, world: World, integrations: Integrations) -> None:
        self._world = world
        self._integrations = integrations

    def create(self, identifier: str, body: Any) -> Document:
        document = self._world.require("integration", identifier)
        schedule = self._checked(identifier, body)
        if document.get("schedule"):
            raise refusal.ONE_SCHEDULE()
        self._save(document, {**schedule, "status": "Active"})
        return {"scheduledIntegration": {"id": new_id()}}

    def replace(self, identifier: str, body: Any) -> Document:
        document, before = self._scheduled(identifier)
        status = before["status"] if self._world.profile.put_keeps_schedule_status else "Active"
        self._save(document, {**self._checked(identifier, body), "status": status})
        return {}

    def set_status(self, identifier: str, word: str) -> Document:
        """`enabled` or `disabled`, which read back as Active and Inactive (facts B22)."""
        document, before = self._scheduled(identifier)
        if word not in STATUSES:
            raise refusal.invalid_value("status")
        self._save(document, {**before, "status": STATUSES[word]})
        return {}

    def delete(self, identifier: str) -> Document:
        document, _ = self._scheduled(identifier)
        del document["schedule"]
        self._integrations.save(document)
        return {}

    def _scheduled(self, identifier: str) -> tuple[Document, Document]:
        document = self._world.require("integration", identifier)
        if not document.get("schedule"):
            raise refusal.NOT_FOUND()
        return document, document["schedule"]

    def _save(self, document: Document, schedule: Document) -> None:
        document["schedule"] = schedule
        self._integrations.save(document)

    def _checked(self, identifier: str, body: Any) -> Document:
        """The schedule of a body that repeats the integration's id (facts B20); or a refusal."""
        if not isinstance(body, dict) or not body.keys() <= {"integrationId", "schedule"}:
            raise refusal.INVALID_BODY()
        if body.get("integrationId") != identifier:
            raise refusal.invalid_value("integration_id")
        schedule = body.get("schedule")
        if not isinstance(schedule, dict):
            raise refusal.INVALID_BODY()
        kind = schedule.get("type")
        shape = _SHAPES.get(kind) if isinstance(kind, str) else None
        if shape is None or not shape(schedule) or not self._lies_ahead(schedule):
            raise refusal.INVALID_SCHEDULE()
        return dict(schedule)

    def _lies_ahead(self, schedule: Document) -> bool:
        """It starts today, if its time is still to come in its zone, or later; and ends no earlier (facts D)."""
        if schedule.get("endDate", schedule["startDate"]) < schedule["startDate"]:
            return False
        now = datetime.fromtimestamp(self._world.clock(), _zone(schedule["timezone"]))
        today = now.date().isoformat()
        time = schedule.get("time") or schedule["toTime"]
        return bool(
            schedule["startDate"] > today or (schedule["startDate"] == today and time > f"{now:%H:%M}")
        )
