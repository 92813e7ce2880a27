"""Schedules: when an integration runs by itself; at most one each (facts A3, C3)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter, WithJsonSchema

from cwsync.checked import Flag, Text, Whole, wrong
from cwsync.errors import suggest
from cwsync.kinds.base import (
    Action,
    Behaviour,
    Body,
    Content,
    Declared,
    Finding,
    Kind,
    Reference,
    Rule,
    Wire,
    Words,
    Write,
    check_name,
    check_reference,
    ref,
    short,
)
from cwsync.kinds.naming import Naming, Written, called, part_of
from cwsync.kinds.values import Fields, Observed, Value, same_id

DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def _day(value: object) -> object:
    """Day names in any of their usual lengths; Sunday is 0."""
    if isinstance(value, str) and not value.isdigit():
        short = value.strip().lower()
        full = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
        for number, name in enumerate(full):
            if short in (name[:3], name):
                return number
        raise ValueError(f"not a day of the week: use one of {', '.join(DAYS)} or 0 to 6 (0 is Sunday)")
    return value


Day = Annotated[Whole, Field(ge=0, le=6), BeforeValidator(_day), WithJsonSchema({"enum": [*DAYS, *range(7)]})]


def _time(value: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise wrong("CW230", f"{short(value)} is not a time of day: write HH:MM, as in 08:30")
    return value


def _date(value: str) -> str:
    try:
        return date.fromisoformat(value if len(value) == len("2030-01-07") else "").isoformat()
    except ValueError:
        raise wrong("CW230", f"{short(value)} is not a day of the calendar: write YYYY-MM-DD") from None


Time = Annotated[
    Text, AfterValidator(_time), Field(json_schema_extra={"pattern": r"^([01]\d|2[0-3]):[0-5]\d$"})
]
Date = Annotated[Text, AfterValidator(_date), Field(json_schema_extra={"format": "date"})]


class _Schedule(Declared):
    integration: Reference | None = Field(
        None,
        description="The integration's key, where it is not this schedule's own key.",
        examples=["accounts"],
    )
    startDate: Date = Field(description="The first day, YYYY-MM-DD.", examples=["2030-01-07"])
    endDate: Date | None = Field(None, description="The last day, YYYY-MM-DD.", examples=["2030-12-31"])
    timezone: Words = Field(description="An IANA time zone.", examples=["Europe/Paris", "Greenwich"])
    enabled: Flag = Field(True, description="Whether it fires. Set by a call of its own.")


class Hourly(_Schedule):
    """Every so many hours, between two times, on some days of the week."""

    type: Literal["hourly"] = Field(description="How it repeats.")
    repeatEvery: Whole = Field(ge=1, description="Hours between two runs.", examples=[2])
    fromTime: Time = Field(description="The first run of the day, HH:MM.", examples=["08:00"])
    toTime: Time = Field(description="No run after this time, HH:MM.", examples=["18:00"])
    daysOfWeek: tuple[Day, ...] = Field(min_length=1, description="The days.", examples=[["mon", "fri"]])


class Daily(_Schedule):
    """Every day at a time."""

    type: Literal["daily"] = Field(description="How it repeats.")
    time: Time = Field(description="HH:MM.", examples=["11:55"])
    daysOfWeek: tuple[Day, ...] | None = Field(
        None,
        min_length=1,
        description="Only on these days: the page doesn't say so, live clients do it.",
        examples=[["mon", "wed", "fri"]],
    )


class Weekly(_Schedule):
    """On some days of each week, at a time."""

    type: Literal["weekly"] = Field(description="How it repeats.")
    time: Time = Field(description="HH:MM.", examples=["12:45"])
    daysOfWeek: tuple[Day, ...] = Field(min_length=1, description="The days.", examples=[["sun", "sat"]])


class MonthlySpecificDay(_Schedule):
    """On one day of each month, at a time."""

    type: Literal["monthly_specific_day"] = Field(description="How it repeats.")
    time: Time = Field(description="HH:MM.", examples=["22:00"])
    dayOfMonth: Whole = Field(ge=1, le=31, description="The day of the month.", examples=[12])


class MonthlyRelativeWeekday(_Schedule):
    """On the nth weekday of each month, at a time."""

    type: Literal["monthly_relative_weekday"] = Field(description="How it repeats.")
    time: Time = Field(description="HH:MM.", examples=["12:45"])
    dayOfWeek: Day = Field(description="The weekday.", examples=["wed"])
    repeatEvery: Whole = Field(
        ge=1, le=5, description="Which one in the month: 2 is the second.", examples=[2]
    )


Schedule = Annotated[
    Hourly | Daily | Weekly | MonthlySpecificDay | MonthlyRelativeWeekday, Field(discriminator="type")
]
_CALENDAR = ("time", "daysOfWeek", "dayOfWeek", "dayOfMonth", "repeatEvery", "fromTime", "toTime")


def _content(model: Any, key: str, _users: Mapping[str, str]) -> Content:
    name = model.called(key)
    parent = ref("integration", model.integration or key)
    fields: Fields = {"integration": parent, "name": name, "type": model.type}
    given = vars(model)  # each form has some of them
    for setting in _CALENDAR:
        value = given.get(setting)
        if value is not None:
            fields[setting] = sorted(set(value)) if isinstance(value, tuple) else value
    fields["startDate"] = model.startDate
    if model.endDate is not None:
        fields["endDate"] = model.endDate
    fields["timezone"] = model.timezone
    fields["enabled"] = model.enabled
    return Content(name, fields, parent=parent)


def _check(model: Any, key: str) -> Iterator[Finding]:
    yield from check_name(model.called(key), 128)
    yield from check_reference(model.integration, ("integration",))
    if not _is_zone(model.timezone):
        yield Finding(
            "CW231",
            f"{short(model.timezone)} is not a time zone",
            ("timezone",),
            hint=_suggested_zone(model.timezone),
        )
    if model.endDate is not None and model.endDate < model.startDate:
        message = f"it ends on {model.endDate}, before it starts on {model.startDate}"
        yield Finding("CW232", message, ("endDate",), beside=(("startDate",),))
    if isinstance(model, Hourly):
        yield from _check_hours(model)


def _check_hours(model: Hourly) -> Iterator[Finding]:
    if model.toTime <= model.fromTime:
        message = f"toTime {model.toTime} is not after fromTime {model.fromTime}"
        yield Finding("CW230", message, ("toTime",), beside=(("fromTime",),))
    if model.repeatEvery > 24:
        message = f"every {model.repeatEvery} hours is less than once a day"
        yield Finding("CW230", message, ("repeatEvery",), severity="warning")


@cache
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


@cache
def _suggested_zone(name: str) -> str:
    close = suggest(name, _zones())
    return (
        f"did you mean {close}?"
        if close
        else "use a name such as Europe/Paris, America/New_York or Greenwich"
    )


@cache
def _zones() -> list[str]:
    return sorted(available_timezones())


def _to_wire(write: Write) -> Body | None:
    """The body repeats the integration's id: without it a PUT is refused (facts B20)."""
    if write.action not in (Action.CREATE, Action.UPDATE):
        return None
    schedule = {k: v for k, v in write.fields.items() if k not in ("integration", "enabled")}
    return {"integrationId": write.fields["integration"], "schedule": schedule}


def _second_tries(body: Body, message: str, now: datetime) -> tuple[Body, ...]:
    """Two reasons for `Invalid Schedule` that the manifest cannot help.

    A start date in the past: sent again as the earliest day that is not (facts F7). The weekday of a
    monthly schedule, which samples write as dayOfWeek and the page's table as a list (facts B18).
    """
    schedule = body.get("schedule")
    if message != "Invalid Schedule" or not isinstance(schedule, dict):
        return ()
    candidates = [schedule]
    earliest = _earliest(schedule, now)
    if str(schedule.get("startDate")) < earliest:
        candidates = [{**schedule, "startDate": earliest}]
    if schedule.get("type") == "monthly_relative_weekday":
        candidates += [{**candidate, "daysOfWeek": [candidate["dayOfWeek"]]} for candidate in candidates]
    return tuple({**body, "schedule": candidate} for candidate in candidates if candidate != schedule)


def _earliest(schedule: Mapping[str, Any], now: datetime) -> str:
    """Today in the schedule's zone if its time is still to come, else tomorrow."""
    try:
        here = now.astimezone(ZoneInfo(str(schedule["timezone"])))
    except ZoneInfoNotFoundError:
        here = now
    at = time.fromisoformat(str(schedule.get("time") or schedule.get("fromTime")))
    day = here.date() if at > here.time() else here.date() + timedelta(days=1)
    return day.isoformat()


def _from_wire(item: Wire) -> Observed | None:
    """Read from an item of the integrations' list, which carries its schedule (facts A3)."""
    schedule = item.get("schedule")
    if not schedule:
        return None
    integration = str(item["integrationId"])
    fields: Fields = {
        "integration": same_id(integration),
        "name": schedule.get("name", ""),
        "type": schedule.get("type"),
    }
    for setting in (*_CALENDAR, "startDate", "endDate", "timezone"):
        value: Value = schedule.get(setting)
        if value is not None and value != []:
            fields[setting] = sorted(value, key=str) if isinstance(value, list) else value
    if schedule.get("type") == "monthly_relative_weekday":
        _one_weekday(fields)
    # Set by one word and read as another (facts B22): either is taken.
    fields["enabled"] = str(schedule.get("status") or "Active").lower() in ("active", "enabled")
    # The integration's own dates say nothing of its schedule, so nobody is named.
    return Observed("schedule", integration, str(fields["name"]), fields, parent=integration)


def _one_weekday(fields: Fields) -> None:
    """The page's samples have one number, its table a list: both are read (facts B18)."""
    listed = fields.pop("daysOfWeek", None)
    day = fields.get("dayOfWeek", listed)
    if day is not None:
        fields["dayOfWeek"] = day[0] if isinstance(day, list) else day


def _day_name(day: object) -> Written:
    return DAYS[day] if isinstance(day, int) and 0 <= day < len(DAYS) else str(day)


def _to_manifest(fields: Mapping[str, Any], naming: Naming) -> dict[str, Written]:
    written = part_of(fields, naming) | called(fields, naming) | {"type": fields["type"]}
    for setting in (*_CALENDAR, "startDate", "endDate", "timezone"):
        value = fields.get(setting)
        if setting == "daysOfWeek" and isinstance(value, list):
            value = [_day_name(day) for day in value]
        elif setting == "dayOfWeek" and value is not None:
            value = _day_name(value)
        if value is not None:
            written[setting] = value
    if not fields["enabled"]:
        written["enabled"] = False
    return written


def _create_actions(fields: Fields) -> tuple[Action, ...]:
    """A new schedule is taken to be active (facts F8)."""
    return (Action.CREATE,) if fields["enabled"] else (Action.CREATE, Action.DISABLE)


def _update_actions(changed: frozenset[str], fields: Fields) -> tuple[Action, ...]:
    """Whether a PUT keeps an inactive schedule inactive is unknown, so that is said again (facts F8)."""
    status = Action.ENABLE if fields["enabled"] else Action.DISABLE
    if changed == {"enabled"}:
        return (status,)
    if "enabled" in changed or not fields["enabled"]:
        return (Action.UPDATE, status)
    return (Action.UPDATE,)


_PATH = "/integrations/{parent}/schedule"

KIND = Kind(
    name="schedule",
    section="schedules",
    models=(Hourly, Daily, Weekly, MonthlySpecificDay, MonthlyRelativeWeekday),
    model=TypeAdapter(Schedule, config=ConfigDict(defer_build=True)),
    summary="When an integration runs by itself. An integration has one at most.",
    misplaced="CW230",
    rules=(
        Rule("integration", Behaviour.IMMUTABLE, "a schedule is a part of its integration (facts A3)"),
        Rule("daysOfWeek", Behaviour.UNORDERED, "days of the week are a set"),
        Rule("startDate", Behaviour.PAST_DATE, "the service refuses a past start on a change (facts F7)"),
        Rule(
            "enabled",
            Behaviour.OWN_CALL,
            "enabling and disabling is a call of its own; read as Active or Inactive (facts B22)",
        ),
    ),
    calls={
        Action.CREATE: ("POST", _PATH),
        Action.UPDATE: ("PUT", _PATH),
        Action.ENABLE: ("POST", f"{_PATH}/status/enabled"),
        Action.DISABLE: ("POST", f"{_PATH}/status/disabled"),
        Action.DELETE: ("DELETE", _PATH),
    },
    content=_content,
    check=_check,
    to_wire=_to_wire,
    from_wire=_from_wire,
    to_manifest=_to_manifest,
    create_actions=_create_actions,
    update_actions=_update_actions,
    second_tries=_second_tries,
)
