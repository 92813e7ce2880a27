"""Notification configurations: one for each integration or flow (facts A5)."""

from __future__ import annotations

from typing import Any

from cwsync.emulator import refusal
from cwsync.emulator.shapes import distinct, guid, listing, one_of, record, text
from cwsync.emulator.store import Document
from cwsync.emulator.tenant.world import OBJECTS, Person, World, new_id

TYPES = ("success", "partial_failure", "full_failure")
CHANNELS = ("email", "in_app")

# Nothing of it may be empty: an empty list of users would mean "delete", and has its own call (facts C4).
_ENTRY = record({"type": one_of(*TYPES), "users": distinct(listing(guid, least=1, most=5))})
BODY = record(
    {
        "integrationIds": listing(text, least=1, most=1),
        "channels": distinct(listing(one_of(*CHANNELS), least=1)),
        "notifications": record(
            {"config": distinct(listing(_ENTRY, least=1, most=len(TYPES)), key=lambda entry: entry["type"])}
        ),
    }
)


class Notifications:
    """The calls of facts A5. What they change is not counted as an edit of the integration."""

    def __init__(self, world: World) -> None:
        self._world = world

    def for_new(self, owner_id: str, by: Person) -> str:
        """The configuration that comes with a new integration or flow: its creator is e-mailed when it
        fails. That it comes is certain (L2), what it holds is the community guide's word (facts F5)."""
        return self.save(new_id(), owner_id, ["email"], {"full_failure": [by.guid]})

    def create(self, body: Any) -> Document:
        target = self._target(body)
        owner = self._owner(target)
        if owner is None:
            raise refusal.NOT_FOUND()
        kind, document = owner
        if "notificationId" in document:
            raise self._world.profile.duplicate()
        identifier = self.save(new_id(), target, body["channels"], _users(body))
        self._point(kind, document, identifier)
        return {"notification": {"notificationId": identifier}}

    def detail(self, identifier: str) -> Document:
        document = self._world.require("notification", identifier)
        config = [
            {"type": kind, "users": [self._user(user) for user in users]}
            for kind, users in document["config"].items()
        ]
        return {
            "notifications": {
                "notificationId": identifier,
                "integrationIds": [document["integrationId"]],
                "channels": document["channels"],
                "notifications": {"config": config},
            },
            "meta": {"schema": f"{OBJECTS}/notification"},
        }

    def replace(self, identifier: str, body: Any) -> Document:
        """PUT: the channels, and the users of the types that it names. Whether other types stay is not
        known (facts F6): they do in one of the profiles."""
        document = self._world.require("notification", identifier)
        if self._target(body) != document["integrationId"]:
            raise refusal.INVALID_BODY()
        before = document["config"] if self._world.profile.put_merges_notification else {}
        self.save(identifier, document["integrationId"], body["channels"], {**before, **_users(body)})
        return {}

    def delete(self, identifier: str) -> Document:
        document = self._world.require("notification", identifier)
        self._world.store.delete("notification", identifier)
        owner = self._owner(document["integrationId"])
        if owner is not None:
            self._point(*owner, None)
        return {}

    def save(self, identifier: str, owner_id: str, channels: list[str], users: Document) -> str:
        config = {kind: users[kind] for kind in TYPES if kind in users}
        document = {
            "notificationId": identifier,
            "integrationId": owner_id,
            "channels": channels,
            "config": config,
        }
        self._world.store.put("notification", identifier, document)
        return identifier

    def _target(self, body: Any) -> str:
        if not BODY(body):
            raise refusal.INVALID_BODY()
        return self._world.profile.plain_id(body["integrationIds"][0])

    def _owner(self, owner_id: str) -> tuple[str, Document] | None:
        for kind in ("integration", "flow"):
            document = self._world.store.get(kind, owner_id)
            if document is not None:
                return kind, document
        return None

    def _point(self, kind: str, document: Document, notification_id: str | None) -> None:
        """Set or take away the only way to a configuration: there is no list of them (facts C4)."""
        changed = {key: value for key, value in document.items() if key != "notificationId"}
        if notification_id is not None:
            changed["notificationId"] = notification_id
        identifier = document["integrationId" if kind == "integration" else "id"]
        self._world.store.rewrite(kind, identifier, changed)

    def _user(self, identifier: str) -> Document:
        who = self._world.known(identifier)
        return {"userGuid": identifier, "firstName": who.first_name, "lastName": who.last_name}


def _users(body: Document) -> Document:
    return {entry["type"]: entry["users"] for entry in body["notifications"]["config"]}
