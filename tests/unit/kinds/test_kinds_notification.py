"""Notifications on the wire (facts A5, B7-B10, C4)."""

from __future__ import annotations

from typing import Any

import pytest

from cwsync.kinds import KINDS, Action, Write

NOTIFICATION = KINDS["notification"]
ALICE, BOB = "2c9ba1b6729b7fd80172c3f635db40f7", "8a80db4c7a3c1f61017a4e2f0d3b5a19"
FIELDS: dict[str, Any] = {
    "integration": "i1",
    "channels": ["email", "in_app"],
    "notify": {"success": [ALICE], "full_failure": [ALICE, BOB]},
}


def _users(*guids: str) -> list[dict[str, str]]:
    return [{"userGuid": guid, "firstName": "F", "lastName": "L"} for guid in guids]


CONFIG = [
    {"type": "full_failure", "users": _users(BOB, ALICE)},
    {"type": "success", "users": _users(ALICE)},
]


def _seen(**item: Any) -> dict[str, Any]:
    base = {"notificationId": "n1", "integrationIds": ["i1"], "channels": ["in_app", "email"]}
    seen = NOTIFICATION.from_wire({**base, **item})
    assert seen is not None
    assert (seen.id, seen.parent, seen.name) == ("n1", "i1", "")
    return dict(seen.fields or {})


@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE])
def test_b9_users_are_sent_as_texts(action: Action) -> None:
    assert NOTIFICATION.to_wire(Write(action, FIELDS)) == {
        "integrationIds": ["i1"],
        "channels": ["email", "in_app"],
        "notifications": {
            "config": [
                {"type": "success", "users": [ALICE]},
                {"type": "full_failure", "users": [ALICE, BOB]},
            ]
        },
    }


def test_b9_and_read_as_objects_in_any_order() -> None:
    assert _seen(notifications={"config": CONFIG}) == FIELDS


def test_b9_or_as_texts() -> None:
    config = [{"type": "success", "users": [ALICE.upper()]}]
    assert _seen(notifications={"config": config})["notify"] == {"success": [ALICE]}


@pytest.mark.parametrize("nested", [{"notifications": {"config": CONFIG}}, {"config": CONFIG}])
def test_b8_the_configuration_is_at_one_of_two_depths(nested: dict[str, Any]) -> None:
    assert _seen(**nested) == FIELDS


@pytest.mark.parametrize(
    "nested",
    [
        {},
        {"notifications": None},
        {"notifications": {"config": []}},
        {"notifications": {"config": [{"type": "success"}]}},
    ],
)
def test_nobody_may_be_notified(nested: dict[str, Any]) -> None:
    assert _seen(**nested)["notify"] == {}


def test_b10_the_path_is_singular() -> None:
    assert {path.replace("/{id}", "") for _, path in NOTIFICATION.calls.values()} == {
        "/integrations/notification"
    }


def test_b7_the_new_id_is_in_an_object() -> None:
    assert NOTIFICATION.created_id == ("notification", "notificationId")


def test_a_deletion_has_no_body() -> None:
    assert NOTIFICATION.to_wire(Write(Action.DELETE, FIELDS)) is None
