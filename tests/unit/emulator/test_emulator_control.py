from __future__ import annotations

import pytest
from unit.emulator.service import AZURE, S3, Service, envelope, import_job, process, step


def test_requests_are_logged_in_order_without_what_they_carry(service: Service) -> None:
    service.connection()
    service.call("GET", "/integrations?limit=1")
    service.call("GET", "/nothing")
    log = service.http.get("/_emulator/requests").json()["requests"]
    assert log == [
        {"order": 1, "method": "POST", "path": "/token/authenticate", "status": 201},
        {"order": 2, "method": "POST", "path": "/2/0/integrations/connections", "status": 200},
        {"order": 3, "method": "GET", "path": "/2/0/integrations?limit=1", "status": 200},
        {"order": 4, "method": "GET", "path": "/2/0/nothing", "status": 404},
    ]


def test_every_reply_tells_the_time(service: Service) -> None:
    for path in ("/2/0/integrations", "/nowhere", "/token/validate", "/_emulator/requests"):
        assert service.http.get(path).headers["Date"] == "Mon, 23 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    "path", ["/", "/2/0", "/3/0/integrations", "/2/0/integrations/anaplanModels/35A6", "/2/0/ü"]
)
def test_what_nobody_serves_is_the_proxys_page(service: Service, path: str) -> None:
    reply = service.http.get(path)
    assert (reply.status_code, reply.headers["content-type"]) == (404, "text/html")
    assert "<center>nginx</center>" in reply.text


def test_an_edit_moves_who_and_when(service: Service) -> None:
    connection, integration = service.connection(), service.integration()
    other = service.integration("Other")
    flow = service.flow("Nightly", integration, other)
    service.clock.now += 1800
    service.edit(action="update", kind="connection", name="Sales", body={"bucketName": "moved"})
    service.edit(action="update", kind="integration", id=integration, body={"nuxVisible": True})
    service.edit(action="update", kind="flow", id=flow, body={"name": "Renamed"})
    (item,) = service.ok("GET", "/integrations/connections")["connections"]
    assert (item["connectionId"], item["body"]) == (connection, {"name": "Sales", "bucketName": "moved"})
    shown = service.listed(integration)
    assert shown["nuxVisible"] is True
    renamed = service.ok("GET", f"/integrationflows/{flow}")["integrationFlow"]
    assert renamed["name"] == "Renamed"
    for each in (item, shown, renamed):
        assert (each["modifiedBy"], each["modificationDate"]) == ("Grace Hopper", "2026-11-23T12:30:00.000Z")


def test_states_that_the_api_would_not_allow(service: Service) -> None:
    connection = service.connection()
    integration = service.integration(jobs=[import_job(connection)])
    service.edit(action="delete", kind="connection", name="Sales")
    (job,) = service.ok("GET", f"/integrations/{integration}")["integration"]["jobs"]
    assert job["sources"][0]["isConnectionDeleted"] is True
    body = {"type": "AzureBlob", "body": {"name": "Lake", **AZURE, "authMethod": "OAuth 2.0"}}
    twins = [service.edit(action="create", kind="connection", body=body) for _ in range(2)]
    items = service.ok("GET", "/integrations/connections")["connections"]
    assert [(each["connectionId"], each["authMethod"]) for each in items] == [
        (twin, "OAuth 2.0") for twin in twins
    ]
    service.edit(action="delete", kind="integration", id=integration)
    flow = service.edit(
        action="create", kind="flow", body={"name": "Odd", "steps": [{"referrer": integration}]}
    )
    (read,) = service.ok("GET", f"/integrationflows/{flow}")["integrationFlow"]["steps"]
    assert read["accessible"] is False


def test_version_1_objects_made_by_hand(service: Service) -> None:
    connection = service.connection()
    body = {key: value for key, value in envelope("Old").items() if key == "name"} | {
        "jobs": [import_job(connection)]
    }
    identifier = service.edit(action="create", kind="integration", body=body)
    assert "version" not in service.ok("GET", f"/integrations/{identifier}")["integration"]
    assert service.listed(identifier)["createdBy"] == "Grace Hopper"


def test_schedules_and_notifications_by_hand(service: Service) -> None:
    integration = service.integration("Close")
    service.edit(action="create", kind="schedule", name="Close", body={"type": "daily", "time": "09:00"})
    service.edit(
        action="update", kind="schedule", id=integration, body={"time": "10:00", "status": "Inactive"}
    )
    assert service.listed(integration)["schedule"] == {"type": "daily", "time": "10:00", "status": "Inactive"}
    service.edit(action="delete", kind="schedule", id=integration)
    assert "schedule" not in service.listed(integration)
    pointer = service.listed(integration)["notificationId"]
    users = {"success": ["2c9ba1b6729b7fd80172c3f635db40f7"], "full_failure": None}
    service.edit(
        action="update", kind="notification", name="Close", body={"channels": ["in_app"], "users": users}
    )
    read = service.ok("GET", f"/integrations/notification/{pointer}")["notifications"]
    assert (read["channels"], [each["type"] for each in read["notifications"]["config"]]) == (
        ["in_app"],
        ["success"],
    )
    service.edit(action="delete", kind="notification", name="Close")
    assert "notificationId" not in service.listed(integration)


def test_several_edits_are_made_together_or_not_at_all(service: Service) -> None:
    good = {
        "action": "create",
        "kind": "connection",
        "body": {"type": "AmazonS3", "body": {"name": "A", **S3}},
    }
    bad = {"action": "delete", "kind": "connection", "name": "nowhere"}
    reply = service.http.post("/_emulator/edit", json={"by": "Grace Hopper", "edits": [good, bad]})
    assert (reply.status_code, reply.json()) == (400, {"error": "no connection nowhere"})
    assert service.ok("GET", "/integrations/connections")["connections"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"by": "G"},
        {"by": "G", "action": "update", "kind": "flow"},
        {"by": "G", "action": "x", "kind": "flow"},
    ],
)
def test_an_edit_says_what_it_means(service: Service, body: object) -> None:
    reply = service.http.post("/_emulator/edit", json=body)
    assert reply.status_code == 400
    assert reply.json()["error"]


def test_a_user_without_a_role_sees_nothing(service: Service) -> None:
    integration = service.integration()
    service.edit(action="update", kind="user", name="ada.lovelace@example.com", body={"role": "none"})
    assert service.refused("GET", "/integrations") == (403, "Not Permitted")
    assert service.refused("DELETE", f"/integrations/{integration}/schedule") == (452, "Tenant not entitled")


def test_the_snapshot_tells_whether_a_tenant_is_as_it_was(service: Service) -> None:
    def snapshot() -> object:
        return service.http.get("/_emulator/snapshot").json()

    service.integration("Mine")
    before = snapshot()
    connection = service.connection()
    one, two = service.integration("A", jobs=[import_job(connection)]), service.integration("B")
    flow = service.ok(
        "POST",
        "/integrationflows",
        {
            "name": "F",
            "version": "2.0",
            "type": "IntegrationFlow",
            "steps": [step(one), step(two, one)],
        },
    )["integrationFlow"]["integrationFlowId"]
    assert snapshot() != before
    for path in (f"/integrationflows/{flow}", f"/integrations/{one}", f"/integrations/{two}"):
        service.ok("DELETE", path)
    service.ok("DELETE", f"/integrations/connections/{connection}")
    assert snapshot() == before


def test_reset_empties_the_tenant_and_keeps_who_is_signed_in(service: Service) -> None:
    service.integration()
    service.edit(action="update", kind="tenant", body={"maxAllowed": 1})
    service.http.post("/_emulator/faults", json={"do": "status"})
    service.http.post("/_emulator/reset")
    reply = service.ok("GET", "/integrations")
    assert (reply["integrations"], reply["meta"]["tenantMaxAllowed"]) == ([], 1000)
    assert [each["order"] for each in service.http.get("/_emulator/requests").json()["requests"]] == [1]
    assert service.ok("POST", "/integrations", process())
