"""Schedules on the wire: five calendars, a status of its own, and what the service is unsure of (facts A3)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cwsync.kinds import KINDS, Action, Write
from cwsync.kinds.base import Body

SCHEDULE = KINDS["schedule"]
COMMON = {"name": "n", "startDate": "2030-01-07", "timezone": "Greenwich"}
CALENDARS: dict[str, dict[str, Any]] = {
    "hourly": {"repeatEvery": 2, "fromTime": "08:00", "toTime": "18:00", "daysOfWeek": [1, 5]},
    "daily": {"time": "11:55"},
    "weekly": {"time": "12:45", "daysOfWeek": [0, 6]},
    "monthly_specific_day": {"time": "22:00", "dayOfMonth": 12},
    "monthly_relative_weekday": {"time": "12:45", "dayOfWeek": 3, "repeatEvery": 2},
}
every_type = pytest.mark.parametrize("kind", CALENDARS)
NOON = datetime(2029, 6, 15, 12, 0, tzinfo=UTC)


def _fields(kind: str, **more: Any) -> dict[str, Any]:
    return {"integration": "i1", "type": kind, **COMMON, **CALENDARS[kind], "enabled": True, **more}


def _sent(kind: str, action: Action = Action.CREATE, **more: Any) -> Any:
    return SCHEDULE.to_wire(Write(action, _fields(kind, **more)))


def _seen(**schedule: Any) -> dict[str, Any]:
    seen = SCHEDULE.from_wire({"integrationId": "I-1", "modifiedBy": "Grace", "schedule": schedule})
    assert seen is not None
    assert (seen.id, seen.parent, seen.modified_by) == ("I-1", "I-1", None)
    return dict(seen.fields or {})


@every_type
@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE])
def test_b20_the_body_repeats_the_integration(kind: str, action: Action) -> None:
    assert _sent(kind, action) == {
        "integrationId": "i1",
        "schedule": {"type": kind, **COMMON, **CALENDARS[kind]},
    }


@every_type
@pytest.mark.parametrize(
    ("status", "enabled"),
    [
        ("Active", True),
        ("Inactive", False),
        ("ACTIVE", True),
        ("enabled", True),
        ("Disabled", False),
        (None, True),
    ],
)
def test_b22_it_reads_back_as_it_was_sent_with_a_status(kind: str, status: str | None, enabled: bool) -> None:
    seen = _seen(type=kind, **COMMON, **CALENDARS[kind], status=status, nextScheduleDate="2030-01-07")
    assert seen == {**_fields(kind, enabled=enabled), "integration": "i1"}


@pytest.mark.parametrize("action", [Action.ENABLE, Action.DISABLE, Action.DELETE])
def test_a_status_and_a_deletion_have_no_body(action: Action) -> None:
    assert _sent("daily", action) is None


def test_b22_b23_the_status_is_set_with_another_word_by_a_post() -> None:
    assert SCHEDULE.calls[Action.ENABLE] == ("POST", "/integrations/{parent}/schedule/status/enabled")
    assert SCHEDULE.calls[Action.DISABLE] == ("POST", "/integrations/{parent}/schedule/status/disabled")


def test_b19_hourly_has_no_time() -> None:
    assert "time" not in _sent("hourly")["schedule"]


def test_b21_an_end_is_sent_where_there_is_one() -> None:
    assert "endDate" not in _sent("daily")["schedule"]
    assert _sent("daily", endDate="2031-01-01")["schedule"]["endDate"] == "2031-01-01"


@pytest.mark.parametrize("none", [{}, {"endDate": None}])
def test_b21_no_end_is_read_in_two_ways(none: dict[str, None]) -> None:
    assert "endDate" not in _seen(type="daily", **COMMON, time="11:55", **none)


@pytest.mark.parametrize(
    "weekday",
    [
        {"dayOfWeek": 3},
        {"dayOfWeek": [3]},
        {"daysOfWeek": [3]},
        {"daysOfWeek": 3},
        {"dayOfWeek": 3, "daysOfWeek": [3]},
    ],
)
def test_b18_the_weekday_is_one_number_however_it_comes(weekday: dict[str, Any]) -> None:
    seen = _seen(type="monthly_relative_weekday", **COMMON, time="12:45", repeatEvery=2, **weekday)
    assert seen == _fields("monthly_relative_weekday")


def test_b18_and_is_sent_as_one_number_and_then_also_as_a_list() -> None:
    body = _sent("monthly_relative_weekday")
    assert body["schedule"]["dayOfWeek"] == 3
    assert "daysOfWeek" not in body["schedule"]
    (other,) = SCHEDULE.second_tries(body, "Invalid Schedule", NOON)
    assert other == {**body, "schedule": {**body["schedule"], "daysOfWeek": [3]}}


@pytest.mark.parametrize("none", [{}, {"schedule": None}, {"schedule": {}}])
def test_an_integration_without_a_schedule_has_none(none: dict[str, Any]) -> None:
    assert SCHEDULE.from_wire({"integrationId": "i", **none}) is None


def test_days_have_no_order() -> None:
    assert _seen(type="weekly", **COMMON, time="12:45", daysOfWeek=[6, 0])["daysOfWeek"] == [0, 6]


def _tries(kind: str, start: str, zone: str = "Greenwich", now: datetime = NOON, **more: Any) -> list[str]:
    body: Body = _sent(kind, startDate=start, timezone=zone, **more)
    tries: Any = SCHEDULE.second_tries(body, "Invalid Schedule", now)
    return [one["schedule"]["startDate"] for one in tries]


@pytest.mark.parametrize(
    ("time", "zone", "expected"),
    [
        ("12:01", "Greenwich", "2029-06-15"),  # today, if its time is still to come
        ("12:00", "Greenwich", "2029-06-16"),
        ("11:59", "Greenwich", "2029-06-16"),
        ("12:01", "Europe/Paris", "2029-06-16"),  # where it is 14:00 already
        ("07:59", "America/New_York", "2029-06-16"),  # where it is 08:00
        ("08:01", "America/New_York", "2029-06-15"),
        ("01:00", "Pacific/Auckland", "2029-06-16"),  # where that day has begun
    ],
)
def test_f7_a_start_in_the_past_is_sent_as_the_first_day_that_is_not(
    time: str, zone: str, expected: str
) -> None:
    assert _tries("daily", "2029-01-01", zone, time=time) == [expected]


def test_f7_the_first_run_of_an_hourly_one_counts() -> None:
    assert _tries("hourly", "2029-01-01") == ["2029-06-16"]


def test_f7_a_start_to_come_is_refused_for_another_reason() -> None:
    assert _tries("daily", "2029-06-16") == []


def test_f7_b18_both_reasons_may_meet() -> None:
    body = _sent("monthly_relative_weekday", startDate="2029-01-01")
    tries: Any = SCHEDULE.second_tries(body, "Invalid Schedule", NOON)
    assert [(one["schedule"]["startDate"], one["schedule"].get("daysOfWeek")) for one in tries] == [
        ("2029-06-15", None),
        ("2029-06-15", [3]),
    ]


def test_another_refusal_is_no_reason_to_try_again() -> None:
    assert SCHEDULE.second_tries(_sent("daily", startDate="2029-01-01"), "Not Permitted", NOON) == ()


@pytest.mark.parametrize(
    ("enabled", "actions"), [(True, (Action.CREATE,)), (False, (Action.CREATE, Action.DISABLE))]
)
def test_f8_a_new_schedule_is_active(enabled: bool, actions: tuple[Action, ...]) -> None:
    assert SCHEDULE.create_actions({"enabled": enabled}) == actions
