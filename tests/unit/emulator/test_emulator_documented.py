"""The profile `documented`: the vendor's page to the letter, where that is not what live clients saw."""

from __future__ import annotations

import pytest
from unit.emulator.service import (
    AZURE,
    BIGQUERY,
    S3,
    Json,
    Service,
    dashed,
    import_job,
    notification,
    process,
)

CONNECTIONS = "/integrations/connections"
INVALID = (400, "Invalid request body")
ALICE = "2c9ba1b6729b7fd80172c3f635db40f7"
INTEGRATION = {
    "integrationId",
    "name",
    "createdBy",
    "creationDate",
    "modificationDate",
    "modifiedBy",
    "nuxVisible",
}
RUN = {"triggeredBy", "startDate", "endDate", "success", "message", "executionErrorCode"}
DAILY = {
    "name": "daily",
    "type": "daily",
    "time": "09:00",
    "startDate": "2026-12-01",
    "timezone": "Greenwich",
}


def scheduled(service: Service, integration: str, schedule: Json = DAILY) -> Json:
    return service.ok(
        "POST", f"/integrations/{integration}/schedule", {"integrationId": integration, "schedule": schedule}
    )


def test_a_connection_shows_what_the_sample_of_its_type_shows(page: Service) -> None:
    for kind in ("AmazonS3", "GoogleBigQuery", "AzureBlob"):
        page.connection(
            kind, kind, workspaceId="8a81", **({"authMethod": "SAS-based"} if kind == "AzureBlob" else {})
        )
    page.clock.now += 60
    s3, bigquery, azure = page.ok("GET", CONNECTIONS)["connections"]
    common = {"createdBy": "Ada Lovelace", "modifiedBy": "None", "status": 1, "integrationErrorCode": None}
    noon = "2026-11-23T12:00:00.000Z"
    del s3["connectionId"], bigquery["connectionId"], azure["connectionId"]
    assert s3 == common | {
        "connectionType": "AmazonS3",
        "body": {"name": "AmazonS3", "bucketName": "landing"},
        "isoCreationDate": noon,
        "isoModificationDate": noon,
    }
    body: Json = {"name": "GoogleBigQuery", "dataset": "dev_us_west"}
    assert bigquery == common | {"connectionType": "GoogleBigQuery", "body": body}
    assert azure == common | {
        "connectionType": "AzureBlob",
        "body": {"name": "AzureBlob", "storageAccountName": "lake", "containerName": "raw"},
        "creationDate": noon,
        "modificationDate": noon,
    }


def test_connections_come_all_at_once(page: Service) -> None:
    for number in range(30):
        page.connection(f"Number {number}")
    for query in ("", "?limit=5&offset=10"):
        reply = page.ok("GET", CONNECTIONS + query)
        assert reply["meta"]["paging"] == {"currentPageSize": 30, "totalSize": 30, "offset": 0}
        assert len(reply["connections"]) == 30


def test_what_can_be_edited_of_each_type(page: Service) -> None:
    s3, bigquery, azure = (
        page.connection(kind, kind) for kind in ("AmazonS3", "GoogleBigQuery", "AzureBlob")
    )
    page.ok("PUT", f"{CONNECTIONS}/{s3}", {"name": "One", **S3})
    page.ok("PUT", f"{CONNECTIONS}/{azure}", {"name": "Two", **AZURE})
    page.ok("PUT", f"{CONNECTIONS}/{azure}", {"name": "Two", **AZURE, "authMethod": "SAS-based"})
    page.ok("PATCH", f"{CONNECTIONS}/{azure}", {"containerName": "other"})
    page.ok("PATCH", f"{CONNECTIONS}/{bigquery}", {"name": "Three"})
    page.ok("PUT", f"{CONNECTIONS}/{bigquery}", {"name": "Three", **BIGQUERY})
    page.ok("PATCH", f"{CONNECTIONS}/{bigquery}", {"dataset": "other"})
    assert page.refused("PATCH", f"{CONNECTIONS}/{bigquery}", {"bucketName": "b"}) == INVALID
    names = [each["body"]["name"] for each in page.ok("GET", CONNECTIONS)["connections"]]
    assert names == ["One", "Three", "Two"]


def test_the_list_has_less_than_the_detail_and_the_models_list_has_all(page: Service) -> None:
    connection = page.connection()
    identifier = page.integration(jobs=[import_job(connection)], processId="118000000001")
    scheduled(page, identifier)
    (item,) = page.ok("GET", "/integrations")["integrations"]
    assert item.keys() == INTEGRATION | {"processId"}
    assert (item["integrationId"], item["modifiedBy"]) == (identifier, "None")
    detail = page.ok("GET", f"/integrations/{identifier}")["integration"]
    assert detail.keys() == INTEGRATION | {"processId", "workspaceId", "modelId", "jobs"}
    assert detail["integrationId"] == dashed(identifier)
    assert detail["jobs"] == [import_job(connection)]
    reply = page.ok("GET", "/integrations/anaplanModels/35a6ef")
    (whole,) = reply["integrations"]
    assert whole == detail | {"integrationId": identifier, "schedule": DAILY | {"status": "Active"}}
    assert reply["meta"]["paging"] == {"currentPageSize": 1, "totalSize": 1, "offset": 0}
    assert page.ok("GET", "/integrations/anaplanModels/FFFF")["integrations"] == []
    assert page.refused("GET", "/integrations/anaplanModels/invalid-1") == (500, "Model Not Found Error")


def test_the_models_list_finds_integrations_of_version_1(page: Service) -> None:
    job = import_job(page.connection())
    job["targets"][0] |= {"workspaceId": "8a81", "modelId": "35A6"}
    page.ok("POST", "/integrations", {"name": "Old", "jobs": [job]}, version="1")
    for version in ("1", "2"):
        (item,) = page.ok("GET", "/integrations/anaplanModels/35A6", version=version)["integrations"]
        assert (item["name"], item["jobs"]) == ("Old", [job])


def test_what_never_ran_says_nothing_of_a_run(page: Service) -> None:
    identifier = page.integration()
    assert "latestRun" not in page.listed(identifier)
    page.ok("POST", f"/integrations/{identifier}/run")
    assert page.listed(identifier)["latestRun"].keys() == RUN


def test_no_quota_is_told_and_flows_are_none_of_it(page: Service) -> None:
    one, two = page.integration("One"), page.integration("Two")
    page.edit(action="update", kind="tenant", body={"maxAllowed": 2})
    page.flow("Nightly", one, two)
    assert page.ok("GET", "/integrations")["meta"].keys() == {"paging", "schema"}
    full = (409, "Total number of integrations exceeded the limit")
    assert page.refused("POST", "/integrations", process("Three")) == full


def test_pages_are_as_large_as_is_asked_for(page: Service) -> None:
    for number in range(260):
        page.integration(f"Number {number}")
    assert len(page.ok("GET", "/integrations?limit=260")["integrations"]) == 260
    assert len(page.ok("GET", "/integrations")["integrations"]) == 25


def test_ids_are_taken_with_dashes_and_without(page: Service) -> None:
    connection = page.connection()
    one = page.integration("One", jobs=[import_job(dashed(connection))])
    two = page.integration("Two")
    assert page.ok("GET", f"/integrations/{dashed(one)}")["integration"]["jobs"] == [import_job(connection)]
    page.ok(
        "POST",
        f"/integrations/{dashed(one)}/schedule",
        {"integrationId": dashed(one).upper(), "schedule": DAILY},
    )
    pointer = page.ok("POST", "/integrations/notification", notification(dashed(one), success=[ALICE]))
    identifier = pointer["notification"]["notificationId"]
    read = page.ok("GET", f"/integrations/notification/{dashed(identifier)}")["notifications"]
    assert (read["notificationId"], read["integrationIds"]) == (identifier, [one])
    nightly = page.flow("Nightly", dashed(one), two)
    first, second = page.ok("GET", f"/integrationflows/{dashed(nightly)}")["integrationFlow"]["steps"]
    assert (first["referrer"], first["dependsOn"]) == (one, [])
    assert (second["referrer"], second["dependsOn"]) == (two, [dashed(one)])
    page.ok("POST", f"/integrationflows/{nightly}/run", {"stepsToRun": [dashed(two)]})
    assert page.refused("DELETE", f"{CONNECTIONS}/{dashed(connection)}") == (
        409,
        "The resource is being referenced",
    )


def test_names_that_are_taken_are_an_error_of_the_server(page: Service) -> None:
    page.connection("Sales")
    duplicate = (500, "Duplicate resource name not allowed")
    assert (
        page.refused("POST", CONNECTIONS, {"type": "AmazonS3", "body": {"name": "Sales", **S3}}) == duplicate
    )
    page.integration("Close")
    assert page.refused("POST", "/integrations", process("Close")) == duplicate


def test_what_runs_cannot_be_deleted_which_is_an_error_of_the_server(page: Service) -> None:
    identifier = page.integration()
    page.ok("POST", f"/integrations/{identifier}/run")
    path = f"/integrations/{identifier}"
    assert page.refused("DELETE", path) == (500, "A running integration cannot be deleted")
    assert page.refused("POST", f"{path}/run") == (409, "Integration is already running")
    reply = page.call("POST", f"{path}/cancel")
    said = {"integration_id": identifier, "state": "cancelled"}
    assert (reply.status_code, reply.json()) == (200, {"success": True, "message": said})


def test_who_may_not_is_not_authorized(page: Service) -> None:
    nobody = (403, "Not Authorized")
    page.edit(action="update", kind="user", name="ada.lovelace@example.com", body={"role": "none"})
    assert page.refused("GET", "/integrations") == nobody
    assert page.refused("DELETE", "/integrations/0000/schedule") == nobody
    page.http.headers["Authorization"] = "AnaplanAuthToken stale"
    assert page.refused("GET", "/integrations") == nobody


def test_refreshing_gives_another_token(page: Service) -> None:
    before = page.http.headers["Authorization"].split()[1]
    after = page.http.post("/token/refresh").json()["tokenInfo"]["tokenValue"]
    assert after != before
    assert page.refused("GET", "/integrations") == (403, "Not Authorized")


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"workspaceId": "invalid-1"}, (503, "Invalid workspace or model")),
        ({"modelId": "invalid-1"}, (503, "Invalid workspace or model")),
        ({"workspaceId": "denied-1"}, (400, "User does not have access to workspace")),
        ({"modelId": "denied-1"}, (400, "User does not have access to model")),
    ],
)
def test_models_that_are_refused(page: Service, change: Json, outcome: tuple[int, str]) -> None:
    assert page.refused("POST", "/integrations", process() | change) == outcome


@pytest.mark.parametrize(
    ("kind", "body", "outcome"),
    [
        ("AmazonS3", {**S3, "bucketName": "denied-1"}, (400, "Bucket access denied")),
        ("GoogleBigQuery", {**BIGQUERY, "dataset": "denied-1"}, (400, "Dataset access denied")),
    ],
)
def test_stores_that_deny_access(page: Service, kind: str, body: Json, outcome: tuple[int, str]) -> None:
    assert page.refused("POST", CONNECTIONS, {"type": kind, "body": {"name": "x", **body}}) == outcome


def test_a_parameter_or_header_is_named_and_no_more_is_said(page: Service) -> None:
    identifier = page.integration()
    assert page.refused("GET", "/integrations?limit=none") == (400, "limit")
    assert page.refused("GET", "/integrations?sortBy=date") == (400, "sortBy")
    assert page.refused("GET", f"/integrations/runs/{identifier}") == (400, "offset")
    assert page.refused("GET", f"/integrations/runs/{identifier}?offset=0") == (400, "limit")
    path = f"/integrations/{identifier}/schedule"
    assert page.refused("POST", path, {"schedule": DAILY}) == (400, "integrationId")
    del page.http.headers["Content-Type"]
    assert page.refused("GET", "/integrations") == (400, "Content-Type")
    assert page.refused("DELETE", f"/integrations/{identifier}") == (400, "Content-Type")


def test_notifications_are_made_by_those_who_want_them(page: Service) -> None:
    identifier = page.integration()
    assert "notificationId" not in page.listed(identifier)
    body = notification(identifier, success=[ALICE], full_failure=[ALICE])
    pointer = page.ok("POST", "/integrations/notification", body)["notification"]["notificationId"]
    assert page.listed(identifier)["notificationId"] == pointer
    assert page.refused("POST", "/integrations/notification", body) == (
        500,
        "Duplicate resource name not allowed",
    )
    page.ok("PUT", f"/integrations/notification/{pointer}", notification(identifier, success=[ALICE]))
    config = page.ok("GET", f"/integrations/notification/{pointer}")["notifications"]["notifications"][
        "config"
    ]
    assert [each["type"] for each in config] == ["success"]
    made = page.edit(action="create", kind="integration", body=process("By hand"))
    assert "notificationId" not in page.listed(made)


def test_schedules_as_the_table_and_as_the_samples_have_them(page: Service) -> None:
    monthly = {key: value for key, value in DAILY.items() if key != "type"} | {
        "type": "monthly_relative_weekday",
        "repeatEvery": 2,
    }
    hourly = DAILY | {
        "type": "hourly",
        "repeatEvery": 2,
        "fromTime": "08:00",
        "toTime": "18:00",
        "daysOfWeek": [1],
    }
    for number, schedule in enumerate(
        [
            monthly | {"dayOfWeek": 3},
            monthly | {"daysOfWeek": [3]},
            monthly | {"dayOfWeek": 3, "daysOfWeek": [3]},
            hourly,
        ]
    ):
        identifier = page.integration(f"Number {number}")
        assert scheduled(page, identifier, schedule)["scheduledIntegration"]["id"]
        history = page.ok("GET", f"/integrations/runs/{identifier}?offset=0&limit=1")["history_of_runs"]
        assert history["schedule"] == schedule | {"status": "Active"}
    assert page.refused(
        "PUT", f"/integrations/{identifier}/schedule", {"integrationId": identifier, "schedule": monthly}
    ) == (400, "Invalid Schedule")
    page.ok("POST", f"/integrations/{identifier}/schedule/status/disabled")
    page.ok("PUT", f"/integrations/{identifier}/schedule", {"integrationId": identifier, "schedule": DAILY})
    (item,) = (
        each
        for each in page.ok("GET", "/integrations/anaplanModels/35A6EF")["integrations"]
        if each["integrationId"] == identifier
    )
    assert item["schedule"]["status"] == "Active"
