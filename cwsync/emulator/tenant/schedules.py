"""Schedules: one for each integration, a part of its document (facts A3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from cwsync.emulator import refusal
from cwsync.emulator.profile import Profile
from cwsync.emulator.shapes import Shape, distinct, either, listing, matching, one_of, record, text, whole
from cwsync.emulator.store import Document
from cwsync.emulator.tenant.integrations import Integrations
from cwsync.emulator.tenant.world import World, new_id

STATUSES = {"enabled": "Active", "disabled": "Inactive"}


def _is_a_day(value: str) -> bool:
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


_TIME = matching(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_DATE = matching(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").but(_is_a_day, format="date")
_DAY = whole(0, 6)  # Sunday is 0
_DAYS = distinct(listing(_DAY, least=1))
_COMMON = {
    "name": text.but(lambda value: len(value) <= 128, maxLength=128),
    "startDate": _DATE,
    "timezone": text.but(lambda value: _zone(value) is not None),
}


def _shapes(profile: Profile) -> dict[str, Shape]:
    """For each type what it must carry and what it may; anything else is refused (facts A3, B18, B19)."""
    hours = {"repeatEvery": whole(1, 1000), "fromTime": _TIME, "toTime": _TIME, "daysOfWeek": _DAYS}
    week = {"repeatEvery": whole(1, 5), "time": _TIME}
    day, one_day = {"dayOfWeek": _DAY}, {"daysOfWeek": listing(_DAY, least=1, most=1)}
    # The page's table wants the list, and its samples have the scalar alone.
    weekdays = [(day, one_day), (one_day, {})] if profile.weekday_in_a_list_will_do else [(day, one_day)]
    # The page's table wants a time of every type, and its sample of this one has none.
    hourly_time = {"time": _TIME} if profile.weekday_in_a_list_will_do else {}
    return {
        "daily": _shape("daily", {"time": _TIME}, {"daysOfWeek": _DAYS}),
        "weekly": _shape("weekly", {"time": _TIME, "daysOfWeek": _DAYS}),
        "hourly": _shape("hourly", hours, hourly_time),
        "monthly_specific_day": _shape("monthly_specific_day", {"dayOfMonth": whole(1, 31), "time": _TIME}),
        "monthly_relative_weekday": either(
            *(_shape("monthly_relative_weekday", {**week, **must}, may) for must, may in weekdays)
        ),
    }


def _shape(kind: str, must: Mapping[str, Shape], may: Mapping[str, Shape] | None = None) -> Shape:
    return record({"type": one_of(kind), **_COMMON, **must}, {"endDate": _DATE, **(may or {})})


class Schedules:
    """The calls of facts A3. None of them counts as an edit of the integration: the vendor's sample shows
    a scheduled integration whose modification date is still that of its creation."""

    def __init__(self, world: World, integrations: Integrations) -> None:
        self._world = world
        self._integrations = integrations
        self._shapes = _shapes(world.profile)
        self.body = record({"integrationId": text, "schedule": either(*self._shapes.values())})

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
            raise self._world.bad_parameter("status")
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
        given = body.get("integrationId")
        if not isinstance(given, str) or self._world.profile.plain_id(given) != identifier:
            raise self._world.bad_parameter("integrationId")
        schedule = body.get("schedule")
        if not isinstance(schedule, dict):
            raise refusal.INVALID_BODY()
        kind = schedule.get("type")
        shape = self._shapes.get(kind) if isinstance(kind, str) else None
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
