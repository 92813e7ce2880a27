from __future__ import annotations

from typing import Any

import pytest
from unit.emulator.service import Json, Service, notification

ALICE, BOB = "2c9ba1b6729b7fd80172c3f635db40f7", "2c9ba1b6729b7fd80172c3f635db40f8"
PATH = "/integrations/notification"
INVALID = (400, "Invalid request body")


def users(service: Service, identifier: str) -> dict[str, list[str]]:
    read = service.ok("GET", f"{PATH}/{identifier}")["notifications"]
    return {
        entry["type"]: [user["userGuid"] for user in entry["users"]]
        for entry in read["notifications"]["config"]
    }


def test_every_integration_and_flow_comes_with_one_that_mails_its_creator(service: Service) -> None:
    one, two = service.integration("One"), service.integration("Two")
    flow = service.flow("Nightly", one, two)
    pointer = service.ok("GET", f"/integrationflows/{flow}")["integrationFlow"]["notificationId"]
    assert list(users(service, pointer)) == ["full_failure"]
    read = service.ok("GET", f"{PATH}/{service.listed(one)['notificationId']}")["notifications"]
    assert (read["integrationIds"], read["channels"]) == ([one], ["email"])
    ((entry),) = read["notifications"]["config"]
    (user,) = entry["users"]
    assert (entry["type"], user["firstName"], user["lastName"]) == ("full_failure", "Ada", "Lovelace")


def test_put_merges_by_type(service: Service) -> None:
    integration = service.integration()
    identifier = service.listed(integration)["notificationId"]
    service.ok(
        "PUT", f"{PATH}/{identifier}", notification(integration, full_failure=[ALICE], success=[ALICE, BOB])
    )
    service.ok("PUT", f"{PATH}/{identifier}", notification(integration, success=[BOB]))
    assert users(service, identifier) == {"success": [BOB], "full_failure": [ALICE]}
    assert service.listed(integration)["modifiedBy"] is None


def test_a_second_one_is_a_duplicate_until_the_first_is_deleted(service: Service) -> None:
    integration = service.integration()
    body = notification(integration, success=[ALICE])
    assert service.refused("POST", PATH, body) == (400, "Duplicate resource name not allowed")
    service.ok("DELETE", f"{PATH}/{service.listed(integration)['notificationId']}")
    assert "notificationId" not in service.listed(integration)
    created = service.ok("POST", PATH, body)["notification"]["notificationId"]
    assert service.listed(integration)["notificationId"] == created
    assert users(service, created) == {"success": [ALICE]}


def _config(*entries: Any) -> Json:
    return {"notifications": {"config": list(entries)}}


@pytest.mark.parametrize(
    "change",
    [
        {"channels": []},
        {"channels": ["sms"]},
        {"channels": ["email", "email"]},
        {"integrationIds": []},
        {"extra": 1},
        {"notifications": {}},
        _config(),
        _config({"type": "success", "users": []}),
        _config({"type": "success", "users": [f"{ALICE[:-1]}{number}" for number in range(6)]}),
        _config({"type": "success", "users": ["alice"]}),
        _config({"type": "success", "users": [{"userGuid": ALICE}]}),
        _config({"type": "success", "users": [ALICE, ALICE]}),
        _config({"type": "partial_success", "users": [ALICE]}),
        _config({"type": "success", "users": [ALICE]}, {"type": "success", "users": [BOB]}),
    ],
)
def test_nothing_empty_unknown_or_double(service: Service, change: Json) -> None:
    integration = service.integration()
    identifier = service.listed(integration)["notificationId"]
    body = notification(integration, success=[ALICE]) | change
    assert service.refused("PUT", f"{PATH}/{identifier}", body) == INVALID
    service.ok("DELETE", f"{PATH}/{identifier}")
    assert service.refused("POST", PATH, body) == INVALID


def test_it_is_for_one_integration_that_exists(service: Service) -> None:
    one, two = service.integration("One"), service.integration("Two")
    both = notification(one, success=[ALICE]) | {"integrationIds": [one, two]}
    pointer = service.listed(one)["notificationId"]
    assert service.refused("PUT", f"{PATH}/{pointer}", both) == INVALID
    assert service.refused("PUT", f"{PATH}/{pointer}", notification(two, success=[ALICE])) == INVALID
    missing = (404, "Resource not found")
    assert service.refused("POST", PATH, notification("0000", success=[ALICE])) == missing
    for method, body in (("GET", None), ("PUT", notification(one, success=[ALICE])), ("DELETE", None)):
        assert service.refused(method, f"{PATH}/0000", body) == missing
