"""When a schedule next fires: what its fields say, by the clocks of its own time zone.

Where the sources are silent (facts A3, D; open question F9):

- A time that the clocks skip comes as much later as they skip, as most schedulers do it: 02:30 at 03:30. A time
  that comes twice counts the first time.
- A month without the day (the 31st, a fifth Friday) is left out.
- A run at this very moment has fired: the next one is later.

The service may hold a schedule by UTC, so that after a change of the clocks it fires an hour off (facts D, last
rules). Nothing here can know that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# Of a run of months without the day none is longer: a fifth weekday comes at least every three months or so.
_LONGEST_GAP = timedelta(days=130)


@dataclass(frozen=True, slots=True)
class Firing:
    """The next firing, in the schedule's own zone; or why there is none."""

    at: datetime | None
    why: str = ""


def next_firing(schedule: Mapping[str, Any], now: datetime) -> Firing:
    """The first firing after `now` of a schedule's fields, as the manifest names them."""
    if not schedule.get("enabled", True):
        return Firing(None, "it is disabled")
    try:
        at = _next(schedule, now)
    except (LookupError, TypeError, ValueError, OSError, OverflowError, ZoneInfoNotFoundError):
        return Firing(None, "its calendar is of a form that cwsync does not know")
    if at is not None:
        return Firing(at)
    ended = schedule.get("endDate")
    return Firing(
        None, f"it ends on {ended}, and no day is left" if ended else "no day of its calendar comes"
    )


def _next(schedule: Mapping[str, Any], now: datetime) -> datetime | None:
    zone = ZoneInfo(str(schedule["timezone"]))
    times = list(times_of_day(schedule))
    # What the clocks skip may put a time of yesterday into today.
    first = max(now.astimezone(zone).date() - timedelta(days=1), _day(schedule["startDate"]))
    last = first + _LONGEST_GAP
    if schedule.get("endDate"):
        last = min(last, _day(schedule["endDate"]))
    day = first
    while day <= last:
        if _is_day(schedule, day):
            later = [at for one in times if (at := _moment(day, one, zone)) > now]
            if later:
                return min(later, key=datetime.timestamp)
        day += timedelta(days=1)
    return None


def _day(value: object) -> date:
    return date.fromisoformat(str(value)[:10])


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The moment at which the clocks of the zone show this; by way of UTC, which shows it where they skip it."""
    return datetime.combine(day, at, zone).astimezone(UTC).astimezone(zone)


def times_of_day(schedule: Mapping[str, Any]) -> Iterator[time]:
    """When it fires on a day on which it does: each day begins anew with `fromTime`."""
    if schedule["type"] != "hourly":
        yield time.fromisoformat(str(schedule["time"]))
        return
    first, last = (time.fromisoformat(str(schedule[name])) for name in ("fromTime", "toTime"))
    for hour in range(first.hour, 24, max(1, int(schedule["repeatEvery"]))):
        if (at := first.replace(hour=hour)) <= last:
            yield at


def _is_day(schedule: Mapping[str, Any], day: date) -> bool:
    weekday = day.isoweekday() % 7  # Sunday is 0
    match schedule["type"]:
        case "monthly_specific_day":
            return day.day == int(schedule["dayOfMonth"])
        case "monthly_relative_weekday":
            nth = (day.day - 1) // 7 + 1
            return (weekday, nth) == (int(schedule["dayOfWeek"]), int(schedule["repeatEvery"]))
        case "hourly" | "daily" | "weekly":
            days = schedule.get("daysOfWeek")
            return not days or weekday in [int(one) for one in days]
        case unknown:
            raise ValueError(unknown)
