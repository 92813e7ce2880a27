"""When a schedule fires next: examples of every rule, and a walk through time that must find the same moment."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cwsync.kinds.firing import next_firing

NOW = datetime(2026, 11, 22, 5, 16, tzinfo=UTC)  # a Sunday


def at(kind: str, now: datetime = NOW, **fields: Any) -> str | None:
    """The next firing in ISO 8601."""
    schedule = {"startDate": "2020-01-01", "timezone": "Greenwich", "enabled": True, "type": kind, **fields}
    found = next_firing(schedule, now).at
    return found.isoformat(timespec="minutes") if found else None


def paris(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Paris"))


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("daily", {"time": "05:17"}, "2026-11-22T05:17+00:00"),
        ("daily", {"time": "05:16"}, "2026-11-23T05:16+00:00"),
        ("daily", {"time": "09:00", "daysOfWeek": [1, 3]}, "2026-11-23T09:00+00:00"),
        ("daily", {"time": "09:00", "timezone": "Europe/Paris"}, "2026-11-22T09:00+01:00"),
        ("daily", {"time": "00:30", "timezone": "Asia/Tokyo"}, "2026-11-23T00:30+09:00"),
        ("daily", {"time": "22:00", "timezone": "America/New_York"}, "2026-11-22T22:00-05:00"),
        ("weekly", {"time": "12:45", "daysOfWeek": [0, 6]}, "2026-11-22T12:45+00:00"),
        ("weekly", {"time": "02:00", "daysOfWeek": [0]}, "2026-11-29T02:00+00:00"),
        ("monthly_specific_day", {"time": "22:00", "dayOfMonth": 12}, "2026-12-12T22:00+00:00"),
        ("monthly_relative_weekday", {"time": "12:45", "dayOfWeek": 3, "repeatEvery": 2}, "2026-12-09T12:45+00:00"),
        ("monthly_relative_weekday", {"time": "12:45", "dayOfWeek": 0, "repeatEvery": 4}, "2026-11-22T12:45+00:00"),
    ],
)  # fmt: skip
def test_every_calendar(kind: str, fields: dict[str, Any], expected: str) -> None:
    assert at(kind, **fields) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-23T00:00", "2026-11-23T08:30+00:00"),
        ("2026-11-23T08:30", "2026-11-23T11:30+00:00"),
        ("2026-11-23T14:31", "2026-11-23T17:30+00:00"),
        ("2026-11-23T17:30", "2026-11-27T08:30+00:00"),  # 20:30 is later than 18:00, and Friday comes next
    ],
)
def test_hours_begin_anew_each_day(now: str, expected: str) -> None:
    hours: dict[str, Any] = {"repeatEvery": 3, "fromTime": "08:30", "toTime": "18:00", "daysOfWeek": [1, 5]}
    assert at("hourly", datetime.fromisoformat(now).replace(tzinfo=UTC), **hours) == expected


def test_hours_of_more_than_a_day_fire_once_a_day() -> None:
    every: dict[str, Any] = {
        "repeatEvery": 30,
        "fromTime": "08:30",
        "toTime": "18:00",
        "daysOfWeek": [*range(7)],
    }
    assert at("hourly", datetime(2026, 11, 22, 9, tzinfo=UTC), **every) == "2026-11-23T08:30+00:00"


@pytest.mark.parametrize(
    ("day", "now", "expected"),
    [
        (31, "2027-01-31T22:00", "2027-03-31T22:00+00:00"),  # February has none
        (31, "2027-03-31T22:00", "2027-05-31T22:00+00:00"),  # nor has April
        (30, "2027-01-30T22:00", "2027-03-30T22:00+00:00"),
        (29, "2027-01-29T22:00", "2027-03-29T22:00+00:00"),
        (29, "2028-01-29T22:00", "2028-02-29T22:00+00:00"),  # a leap year
        (1, "2027-12-31T22:00", "2028-01-01T22:00+00:00"),
    ],
)
def test_months_without_the_day_are_left_out(day: int, now: str, expected: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert at("monthly_specific_day", moment, time="22:00", dayOfMonth=day) == expected


def test_a_month_without_a_fifth_friday_is_left_out() -> None:
    fifth: dict[str, Any] = {"time": "12:00", "dayOfWeek": 5, "repeatEvery": 5}
    assert at("monthly_relative_weekday", **fifth) == "2027-01-29T12:00+00:00"
    assert (
        at("monthly_relative_weekday", datetime(2027, 1, 29, 12, tzinfo=UTC), **fifth)
        == "2027-04-30T12:00+00:00"
    )


def test_the_first_and_the_last_day() -> None:
    assert at("daily", time="05:00", startDate="2030-01-07") == "2030-01-07T05:00+00:00"
    assert at("daily", time="06:00", startDate="2026-11-22") == "2026-11-22T06:00+00:00"
    assert at("daily", time="06:00", endDate="2026-11-22") == "2026-11-22T06:00+00:00"
    assert at("daily", time="05:00", endDate="2026-11-22") is None
    assert at("monthly_specific_day", time="05:00", dayOfMonth=31, endDate="2026-12-30") is None


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"enabled": False}, "it is disabled"),
        ({"endDate": "2026-11-21"}, "it ends on 2026-11-21, and no day is left"),
        ({"timezone": "Mars/Olympus"}, "its calendar is of a form that cwsync does not know"),
        ({"type": "yearly"}, "its calendar is of a form that cwsync does not know"),
        ({"time": "noon"}, "its calendar is of a form that cwsync does not know"),
        ({"time": None}, "its calendar is of a form that cwsync does not know"),
        ({"startDate": "9999-12-31", "timezone": "Asia/Tokyo"}, "its calendar is of a form that cwsync does not know"),
        ({"type": "monthly_specific_day", "dayOfMonth": 32}, "no day of its calendar comes"),
    ],
)  # fmt: skip
def test_why_there_is_none(fields: dict[str, Any], why: str) -> None:
    daily = {
        "type": "daily",
        "time": "05:00",
        "startDate": "2020-01-01",
        "timezone": "Greenwich",
        "enabled": True,
    }
    firing = next_firing({**daily, **fields}, NOW)
    assert (firing.at, firing.why) == (None, why)


def test_a_time_that_the_clocks_skip_comes_as_much_later() -> None:
    """In Paris 02:00 to 03:00 is not there on 28 March 2027."""
    daily = {"time": "02:30", "timezone": "Europe/Paris"}
    assert at("daily", paris("2027-03-27T12:00"), **daily) == "2027-03-28T03:30+02:00"
    assert at("daily", paris("2027-03-28T03:30"), **daily) == "2027-03-29T02:30+02:00"


def test_a_skipped_time_and_the_one_it_falls_on_are_one_firing() -> None:
    hours = {
        "repeatEvery": 1,
        "fromTime": "00:30",
        "toTime": "05:30",
        "daysOfWeek": [0],
        "timezone": "Europe/Paris",
    }
    found, now = [], paris("2027-03-28T00:00")
    while (firing := at("hourly", now, **hours)) and firing.startswith("2027-03-28"):
        found.append(firing[11:16])
        now = datetime.fromisoformat(firing)
    assert found == ["00:30", "01:30", "03:30", "04:30", "05:30"]


def test_a_time_that_comes_twice_fires_the_first_time() -> None:
    """In Paris 02:00 to 03:00 is there twice on 31 October 2027."""
    daily = {"time": "02:30", "timezone": "Europe/Paris"}
    assert at("daily", paris("2027-10-30T12:00"), **daily) == "2027-10-31T02:30+02:00"
    between = datetime(2027, 10, 31, 1, 0, tzinfo=UTC)  # 02:00 for the second time
    assert at("daily", between, **daily) == "2027-11-01T02:30+01:00"


def test_a_time_that_is_skipped_into_the_next_day() -> None:
    """In Nuuk 23:00 to midnight is not there on 27 March 2027, a Saturday."""
    weekly = {"time": "23:30", "timezone": "America/Nuuk", "daysOfWeek": [6]}
    midnight = datetime(2027, 3, 28, 1, 0, tzinfo=UTC)
    for minutes in (-30, 0, 29):
        assert at("weekly", midnight + timedelta(minutes=minutes), **weekly) == "2027-03-28T00:30-01:00"
    assert at("weekly", midnight + timedelta(minutes=30), **weekly) == "2027-04-03T23:30-01:00"


def test_a_day_that_is_skipped_as_a_whole() -> None:
    """Samoa had no 30 December 2011."""
    daily = {"time": "10:00", "timezone": "Pacific/Apia", "startDate": "2011-12-30"}
    assert at("daily", datetime(2011, 12, 30, tzinfo=UTC), **daily) == "2011-12-31T10:00+14:00"


ZONES = ("Greenwich", "Europe/Paris", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Chatham",
         "America/Santiago", "Africa/Casablanca", "America/Nuuk")  # fmt: skip
QUARTER = timedelta(minutes=15)
quarters = st.builds(
    lambda hour, quarter: f"{hour:02}:{quarter * 15:02}", st.integers(0, 23), st.integers(0, 3)
)
days = st.lists(st.integers(0, 6), min_size=1, max_size=4, unique=True)
dates = st.dates(date(2026, 1, 1), date(2029, 12, 31))
BY_TYPE: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "hourly": {"repeatEvery": st.integers(1, 26), "fromTime": quarters, "toTime": quarters, "daysOfWeek": days},
    "daily": {"time": quarters, "daysOfWeek": st.none() | days},
    "weekly": {"time": quarters, "daysOfWeek": days},
    "monthly_specific_day": {"time": quarters, "dayOfMonth": st.integers(1, 31)},
    "monthly_relative_weekday": {"time": quarters, "dayOfWeek": st.integers(0, 6), "repeatEvery": st.integers(1, 5)},
}  # fmt: skip
schedules = st.sampled_from([*BY_TYPE]).flatmap(
    lambda kind: st.fixed_dictionaries(
        {
            "type": st.just(kind),
            "timezone": st.sampled_from(ZONES),
            "startDate": dates.map(date.isoformat),
            "endDate": st.none() | dates.map(date.isoformat),
            **BY_TYPE[kind],
        }
    )
)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2029, 12, 31)).map(lambda one: one.replace(tzinfo=UTC))


def fires(schedule: dict[str, Any], wall: datetime) -> object:
    """Whether the clocks of the zone show a time at which it fires."""
    if not schedule["startDate"] <= wall.date().isoformat() <= (schedule["endDate"] or "9"):
        return False
    weekday = (wall.weekday() + 1) % 7
    clock = f"{wall:%H:%M}"
    if schedule["type"] == "hourly":
        hours = divmod((wall.hour * 60 + wall.minute) - _minutes(schedule["fromTime"]), 60)
        inside = schedule["fromTime"] <= clock <= schedule["toTime"]
        on = hours[1] == 0 and hours[0] % schedule["repeatEvery"] == 0
        return inside and on and weekday in schedule["daysOfWeek"]
    if clock != schedule["time"]:
        return False
    if schedule["type"] == "monthly_specific_day":
        return wall.day == schedule["dayOfMonth"]
    if schedule["type"] == "monthly_relative_weekday":
        same = [day for day in range(1, wall.day + 1) if wall.replace(day=day).weekday() == wall.weekday()]
        return weekday == schedule["dayOfWeek"] and len(same) == schedule["repeatEvery"]
    return schedule["daysOfWeek"] is None or weekday in schedule["daysOfWeek"]


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def walls(moment: datetime, zone: ZoneInfo) -> list[datetime]:
    """What the clocks show now, for the first time; and what they should have shown, had they not skipped it."""
    shown = moment.astimezone(zone)
    found = [] if shown.fold else [shown.replace(tzinfo=None)]
    before = (moment - timedelta(hours=2)).astimezone(zone)
    skipped = (shown.utcoffset() or timedelta()) - (before.utcoffset() or timedelta())
    if skipped > timedelta():
        missing = shown.replace(tzinfo=None) - skipped
        if missing.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != missing:
            found.append(missing)
    return found


def walked(schedule: dict[str, Any], now: datetime, most: timedelta) -> datetime | None:
    """The next firing, found by looking at every quarter of an hour."""
    zone = ZoneInfo(schedule["timezone"])
    moment = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0) + QUARTER
    while moment <= now + most:
        if any(fires(schedule, wall) for wall in walls(moment, zone)):
            return moment
        moment += QUARTER
    return None


@settings(max_examples=60, deadline=None)
@given(schedules, moments)
def test_a_walk_through_time_finds_the_same(schedule: dict[str, Any], now: datetime) -> None:
    found = next_firing({**schedule, "enabled": True}, now).at
    most = timedelta(days=40)
    assert walked(schedule, now, most) == (found if found and found <= now + most else None)


CHANGES = (
    "2027-03-28",
    "2027-10-31",
    "2027-03-14",
    "2027-11-07",
    "2027-04-04",
    "2027-10-03",
    "2027-09-26",
    "2027-04-03",
)


@settings(max_examples=80, deadline=None)
@given(schedules, st.sampled_from(CHANGES), st.integers(0, 47))
def test_it_does_so_around_the_changes_of_the_clocks(schedule: dict[str, Any], day: str, half: int) -> None:
    always = {**schedule, "startDate": "2020-01-01", "endDate": None}
    now = datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(hours=14) + half * timedelta(minutes=30)
    found = next_firing({**always, "enabled": True}, now).at
    most = timedelta(days=3)
    assert walked(always, now, most) == (found if found and found <= now + most else None)


@settings(max_examples=300, deadline=None)
@given(schedules, moments)
def test_it_is_always_found_where_no_end_is_set(schedule: dict[str, Any], now: datetime) -> None:
    always = {**schedule, "endDate": None, "enabled": True}
    if schedule["type"] != "hourly" or schedule["fromTime"] <= schedule["toTime"]:
        assert next_firing(always, now).at is not None
