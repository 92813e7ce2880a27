"""Policies: rules of a team's own, which every plan is held against."""

from __future__ import annotations

import re
from functools import cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import SchemaError, SchemaValidator, core_schema

from cwsync.checked import Text, wrong
from cwsync.errors import suggest
from cwsync.project.written import Written

Fate = Literal["create", "update", "replace", "delete", "import", "forget", "move"]
Section = Literal["connections", "integrations", "schedules", "notifications", "flows"]
Day = Literal["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
"""In CloudWorks' order: Sunday is 0."""

RULES = ("forbid", "names", "schedules", "owners")
"""What a policy may ask for, one of them each."""

_KINDS = ("connection", "integration", "schedule", "notification", "flow")
_HOURS = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d-(?:[01]\d|2[0-3]):[0-5]\d")
_KEYS = re.compile(r"[a-z0-9_*?-]+")


def _pattern(text: str) -> str:
    try:
        _matcher(text)
    except SchemaError as error:
        reason = str(error).rpartition("error: ")[2].strip()
        raise wrong(
            "CW111", f"the pattern cannot be used: {reason[:120]}", hint="for example ^(ACME|EMEA) .+"
        ) from None
    return text


@cache
def _matcher(pattern: str) -> SchemaValidator:
    """Rust's regular expressions, which pydantic brings along: no pattern takes them longer than a name has letters.

    The pattern is compiled by itself first, so that none can close the group that is put around it.
    """
    SchemaValidator(core_schema.str_schema(pattern=pattern))
    return SchemaValidator(core_schema.str_schema(pattern=f"^(?:{pattern})$"))


def matches(pattern: str, name: str) -> bool:
    """Whether the whole name has the form."""
    return _matcher(pattern).isinstance_python(name)


def _glob(text: str) -> str:
    kind, _, key = text.partition(".")
    if kind not in (*_KINDS, "*"):
        near = suggest(kind, _KINDS)
        hint = f"did you mean '{near}.{key or '*'}'?" if near else "such as integration.fin-*"
        raise wrong("CW111", f"'{text[:60]}' names no kind of resource", hint=hint)
    if not _KEYS.fullmatch(key):
        hint = "such as integration.fin-*: * stands for any letters, ? for one"
        raise wrong("CW111", f"'{text[:60]}' is no pattern of addresses", hint=hint)
    return text


def _hours(text: str) -> str:
    if not _HOURS.fullmatch(text):
        raise wrong("CW111", f"'{text[:60]}' are no hours", hint="such as 20:00-06:00")
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = suggest(text, sorted(available_timezones()))
        raise wrong(
            "CW111",
            f"'{text[:60]}' is not a time zone",
            hint=f"did you mean '{near}'?" if near else "such as Europe/Paris",
        ) from None
    return text


def _label(text: str) -> str:
    if not text.strip() or text != text.strip() or "," in text:
        raise wrong("CW111", "a label has no comma and no spaces around it", hint="such as destroy-approved")
    return text


Pattern = Annotated[Text, Field(max_length=500), AfterValidator(_pattern)]
Glob = Annotated[Text, AfterValidator(_glob)]


class Allow(Written):
    """Who may do it all the same: one of these users, or whoever gives one of these labels."""

    users: tuple[Text, ...] = Field(
        (),
        description="Users as the sign-in service knows them: a name below 'users', an e-mail address or an id.",
        examples=[["ci@example.com"]],
    )
    labels: tuple[Annotated[Text, AfterValidator(_label)], ...] = Field(
        (),
        description="Labels, given with --label or in CWSYNC_LABELS.",
        examples=[["destroy-approved"]],
    )


class Firing(Written):
    """When schedules may fire: every firing must be within all that is given. What is disabled does not fire."""

    hours: Annotated[Text, AfterValidator(_hours)] | None = Field(
        None,
        description="From when to when, both included, by the clock of the schedule's own time zone. "
        "It may go past midnight.",
        examples=["20:00-06:00"],
    )
    days: tuple[Day, ...] | None = Field(
        None, min_length=1, description="The days on which it may fire.", examples=[["mon", "fri"]]
    )
    timezones: tuple[Annotated[Text, AfterValidator(_zone)], ...] | None = Field(
        None, min_length=1, description="The time zones that it may have.", examples=[["Europe/Paris"]]
    )


class Policy(Written):
    """One rule: exactly one of forbid, names, schedules and owners, and where it holds."""

    name: Annotated[Text, StringConstraints(pattern="^[a-z0-9][a-z0-9_-]{0,59}$")] = Field(
        description="What messages call it.", examples=["connections-stay"]
    )
    because: Annotated[Text, Field(min_length=1, max_length=300)] | None = Field(
        None, description="Why it is so. Whoever meets it reads this.", examples=["finance closes its books"]
    )
    level: Literal["deny", "warn"] = Field(
        "deny", description="deny refuses the plan, warn only says so.", examples=["warn"]
    )
    environments: tuple[Text, ...] | None = Field(
        None, min_length=1, description="Where it holds. Everywhere, if left out.", examples=[["prod"]]
    )
    kinds: tuple[Section, ...] | None = Field(
        None, min_length=1, description="For which kinds. All, if left out.", examples=[["connections"]]
    )
    addresses: tuple[Glob, ...] | None = Field(
        None,
        min_length=1,
        description="For which addresses: * stands for any letters. All, if left out.",
        examples=[["integration.fin-*"]],
    )
    allow: Allow = Field(
        Allow.model_construct(),
        description="Who may do it all the same.",
        examples=[{"labels": ["destroy-approved"]}],
    )
    forbid: tuple[Fate, ...] | None = Field(
        None,
        min_length=1,
        description="What must not happen. A replacement deletes as well.",
        examples=[["delete", "forget"]],
    )
    names: Pattern | None = Field(
        None,
        description="The form of names: a regular expression that the whole name has to match.",
        examples=["(ACME|EMEA) .+"],
    )
    schedules: Firing | None = Field(
        None, description="When schedules may fire.", examples=[{"hours": "20:00-06:00"}]
    )
    owners: Literal["required"] | None = Field(
        None, description="Every resource says who answers for it, in lifecycle.owner.", examples=["required"]
    )
