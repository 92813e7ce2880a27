"""Notifications: who hears of an integration's runs, and how; a part of its integration (facts A5, C4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from pydantic import Field, TypeAdapter

from cwsync.kinds.base import (
    Action,
    Behaviour,
    Body,
    Content,
    Finding,
    Kind,
    Lifecycle,
    Reference,
    Rule,
    Strict,
    Wire,
    Words,
    Write,
    check_reference,
    ref,
)
from cwsync.kinds.naming import Naming, Written, part_of
from cwsync.kinds.values import Fields, Observed, same_id

MOST_USERS = 5  # per outcome, says the page
OUTCOMES = ("success", "partial_failure", "full_failure")


class Notify(Strict):
    """Who hears of which outcome: users by the names of cwsync.yaml, or by their GUIDs; five at most each."""

    success: tuple[Words, ...] | None = Field(
        None, description="After a run that succeeded.", examples=[["alice"]]
    )
    partial_failure: tuple[Words, ...] | None = Field(
        None, description="After a run that succeeded in part.", examples=[["alice"]]
    )
    full_failure: tuple[Words, ...] | None = Field(
        None, description="After a run that failed.", examples=[["alice", "bob"]]
    )


class Notification(Strict):
    """Who hears of an integration's runs, and through which channels."""

    integration: Reference | None = Field(
        None,
        description="The integration's key, where it is not this notification's own key.",
        examples=["accounts"],
    )
    channels: tuple[Literal["email", "in_app"], ...] = Field(
        min_length=1, description="How they hear of it.", examples=[["email", "in_app"]]
    )
    notify: Notify = Field(description="Who hears of which outcome.", examples=[{"full_failure": ["alice"]}])
    lifecycle: Lifecycle = Field(
        Lifecycle.model_construct(), description="preventDestroy, ignoreChanges and owner."
    )


def _content(model: Notification, key: str, users: Mapping[str, str]) -> Content:
    parent = ref("integration", model.integration or key)
    notify: Fields = {}
    for outcome in OUTCOMES:
        if people := getattr(model.notify, outcome):
            notify[outcome] = [*sorted({same_id(users.get(person, person)) for person in people})]
    fields: Fields = {"integration": parent, "channels": [*sorted(set(model.channels))], "notify": notify}
    return Content("", fields, parent=parent)


def _check(model: Notification, _key: str) -> Iterator[Finding]:
    yield from check_reference(model.integration, ("integration",))
    named = [(outcome, getattr(model.notify, outcome)) for outcome in OUTCOMES]
    if all(people is None for _, people in named):
        yield Finding("CW240", f"nobody is notified: name users under {', '.join(OUTCOMES)}", ("notify",))
    for outcome, people in named:
        if people is not None and not 1 <= len(people) <= MOST_USERS:
            yield Finding(
                "CW240",
                f"{outcome} names {len(people) or 'no'} users, and CloudWorks takes 1 to {MOST_USERS}",
                ("notify", outcome),
            )


def _to_wire(write: Write) -> Body | None:
    if write.action is Action.DELETE:
        return None
    config = [{"type": outcome, "users": users} for outcome, users in write.fields["notify"].items()]
    return {
        "integrationIds": [write.fields["integration"]],
        "channels": write.fields["channels"],
        "notifications": {"config": config},
    }


def _from_wire(item: Wire) -> Observed:
    """Users are written as GUIDs and read as objects (facts B9); the nesting was seen at two depths (B8)."""
    inner = item.get("notifications") or {}
    notify: Fields = {}
    for entry in sorted(
        inner.get("config") or item.get("config") or (), key=lambda one: str(one.get("type"))
    ):
        people = entry.get("users") or ()
        guids = {same_id(str(who["userGuid"] if isinstance(who, Mapping) else who)) for who in people}
        if guids:
            notify[str(entry["type"])] = [*sorted(guids)]
    # It is asked for by this id: a reference may be spelled with dashes, and no path was seen with them (facts B25).
    integration = same_id(str((item.get("integrationIds") or [""])[0]))
    fields: Fields = {
        "integration": integration,
        "channels": [*sorted(item.get("channels") or ())],
        "notify": {outcome: notify[outcome] for outcome in (*OUTCOMES, *notify) if outcome in notify},
    }
    return Observed(
        "notification",
        str(item["notificationId"]),
        "",
        fields,
        parent=integration,
        people=_people(inner.get("config") or item.get("config") or ()),
    )


def _people(config: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The users' own names, which stand beside their GUIDs (facts A5)."""
    everybody = [who for entry in config for who in entry.get("users") or () if isinstance(who, Mapping)]
    named = {
        same_id(str(who["userGuid"])): [str(who.get(part) or "") for part in ("firstName", "lastName")]
        for who in everybody
    }
    return {guid: " ".join(filter(None, parts)) for guid, parts in named.items() if any(parts)}


def _to_manifest(fields: Mapping[str, Any], naming: Naming) -> dict[str, Written]:
    notify: dict[str, Written] = {
        outcome: [*map(naming.user, guids)] for outcome, guids in fields["notify"].items()
    }
    return {**part_of(fields, naming), "channels": [*fields["channels"]], "notify": notify}


_PATH = "/integrations/notification"

KIND = Kind(
    name="notification",
    section="notifications",
    models=(Notification,),
    model=TypeAdapter(Notification),
    summary="Who hears of an integration's runs. The service makes one with every integration.",
    rules=(
        Rule("integration", Behaviour.IMMUTABLE, "a notification is a part of its integration (facts A5)"),
        Rule("channels", Behaviour.UNORDERED, "channels are a set"),
        Rule("notify.*", Behaviour.UNORDERED, "users are compared as sets of GUIDs (facts B9)"),
    ),
    calls={
        Action.CREATE: ("POST", _PATH),
        Action.UPDATE: ("PUT", f"{_PATH}/{{id}}"),
        Action.DELETE: ("DELETE", f"{_PATH}/{{id}}"),
    },
    content=_content,
    check=_check,
    to_wire=_to_wire,
    from_wire=_from_wire,
    to_manifest=_to_manifest,
    created_id=("notification", "notificationId"),
    detail=(f"{_PATH}/{{id}}", "notifications"),
)
