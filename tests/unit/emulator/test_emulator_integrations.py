from __future__ import annotations

from typing import Any

import pytest
from unit.emulator.service import BODIES, Json, Service, envelope, export_job, import_job, process

PAYLOAD = (400, "Integration payload is not compliant with the schema")
SINGLE = (409, "Only a single job is supported by import/export integration")


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("make", [import_job, export_job])
def test_all_six_job_types_read_back_with_what_the_service_adds(
    service: Service, kind: str, make: Any
) -> None:
    connection = service.connection("Store", kind)
    job = make(connection, kind)
    identifier = service.ok("POST", "/integrations", {**envelope(), "jobs": [job]})["integration"][
        "integrationId"
    ]
    detail = service.ok("GET", f"/integrations/{identifier}")["integration"]
    place = {"AmazonS3": "landing", "AzureBlob": "raw", "GoogleBigQuery": "dev_us_west"}[kind]
    looked_up = {"connectionName": "Store", "isConnectionDeleted": False, "bucketName": place}
    (read,) = detail["jobs"]
    side = "sources" if make is import_job else "targets"
    assert read == job | {side: [job[side][0] | looked_up]}
    assert "integrationType" not in detail
    assert detail["version"] == "2.0"
    summary = service.listed(identifier)
    assert summary["integrationType"] == ("Import" if make is import_job else "Export")
    assert not {"jobs", "version", "schedule"} & summary.keys()
    assert summary["latestRun"] == {}
    assert summary["modifiedBy"] is None


def test_a_process_has_any_number_of_jobs(service: Service) -> None:
    connection = service.connection()
    none = service.integration("None")
    two = service.integration("Two", jobs=[import_job(connection), import_job(connection)])
    assert "jobs" not in service.ok("GET", f"/integrations/{none}")["integration"]
    assert len(service.ok("GET", f"/integrations/{two}")["integration"]["jobs"]) == 2
    assert service.listed(none)["integrationType"] == "Process"
    assert service.listed(none)["processId"] == "118000000001"


@pytest.mark.parametrize("count", [0, 2])
def test_an_import_has_exactly_one_job(service: Service, count: int) -> None:
    jobs = [import_job(service.connection())] * count
    assert service.refused("POST", "/integrations", {**envelope(), "jobs": jobs}) == SINGLE
    assert service.refused("POST", "/integrations", envelope()) == SINGLE


def _changed(job: Json, side: str, **fields: Any) -> Json:
    end = {key: value for key, value in {**job[side][0], **fields}.items() if value is not None}
    return {**job, side: [end]}


@pytest.mark.parametrize(
    "change",
    [
        lambda job: {**job, "type": "AmazonS3ToAmazonS3"},
        lambda job: {**job, "type": "AzureBlobToAnaplan"},
        lambda job: {**job, "extra": 1},
        lambda job: {**job, "mapping": [{"sourceName": "a", "targetName": "b"}]},
        lambda job: {**job, "sources": job["sources"] * 2},
        lambda job: _changed(job, "sources", connectionName="Sales"),
        lambda job: _changed(job, "sources", file=None, table="T"),
        lambda job: _changed(job, "sources", type="AzureBlob"),
        lambda job: _changed(job, "targets", fileId=None),
        lambda job: _changed(job, "targets", actionId=112),
        lambda job: _changed(job, "targets", workspaceId="8a81"),
        lambda job: _changed(job, "targets", overwrite=True),
        lambda job: "AmazonS3ToAnaplan",
    ],
)
def test_a_job_fits_its_type_to_the_key(service: Service, change: Any) -> None:
    job = import_job(service.connection())
    assert service.refused("POST", "/integrations", {**envelope(), "jobs": [change(job)]}) == PAYLOAD


def test_a_job_fits_what_the_connection_really_is(service: Service) -> None:
    lake = service.connection("Lake", "AzureBlob")
    assert service.refused("POST", "/integrations", {**envelope(), "jobs": [import_job(lake)]}) == PAYLOAD
    unknown = {**envelope(), "jobs": [import_job("0000")]}
    assert service.refused("POST", "/integrations", unknown) == (404, "Invalid connection_id")
    elsewhere = service.connection("Elsewhere", workspaceId="another")
    body = {**envelope(), "jobs": [import_job(elsewhere)]}
    assert service.refused("POST", "/integrations", body) == (400, "User does not have access to workspace")


def test_a_bigquery_export_needs_its_mapping(service: Service) -> None:
    job = export_job(service.connection("Warehouse", "GoogleBigQuery"), "GoogleBigQuery")
    del job["mapping"]
    assert service.refused("POST", "/integrations", {**envelope(), "jobs": [job]}) == PAYLOAD


@pytest.mark.parametrize(
    "change",
    [
        {"type": "Import"},
        {"processId": 118},
        {"nuxVisible": "no"},
        {"jobs": None},
        {"modelId": ""},
        {"name": "-x"},
    ],
)
def test_the_envelope_is_checked_to_the_key(service: Service, change: Json) -> None:
    assert service.refused("POST", "/integrations", process() | change) == PAYLOAD


def test_put_replaces_everything_that_can_be_edited(service: Service) -> None:
    connection = service.connection()
    identifier = service.ok(
        "POST", "/integrations", {**envelope(), "nuxVisible": True, "jobs": [import_job(connection)]}
    )
    path = f"/integrations/{identifier['integration']['integrationId']}"
    before = service.ok("GET", path)["integration"]
    service.clock.now += 5
    service.ok("PUT", path, {**envelope("Renamed"), "jobs": [export_job(connection)]})
    after = service.ok("GET", path)["integration"]
    assert (after["name"], after["nuxVisible"], after["modifiedBy"]) == ("Renamed", False, "Ada Lovelace")
    assert after["jobs"][0]["type"] == "AnaplanToAmazonS3"
    for kept in ("creationDate", "createdBy", "notificationId", "integrationId"):
        assert after[kept] == before[kept]
    assert service.refused("PUT", path, envelope()) == SINGLE


def test_names_are_unique_and_the_tenant_has_a_limit(service: Service) -> None:
    service.integration("Accounts")
    assert service.refused("POST", "/integrations", process("Accounts")) == (
        400,
        "Duplicate resource name not allowed",
    )
    service.edit(action="update", kind="tenant", body={"maxAllowed": 2})
    service.integration("Second")
    full = (409, "Total number of integrations exceeded the limit")
    assert service.refused("POST", "/integrations", process("Third")) == full
    meta = service.ok("GET", "/integrations")["meta"]
    assert (meta["tenantCurrentCount"], meta["tenantMaxAllowed"]) == (2, 2)


def test_pages_of_25_at_most_250_sorted_and_mine(service: Service) -> None:
    for number in range(252):
        service.integration(f"Number {(number * 97) % 252:03}")
    first = service.ok("GET", "/integrations")
    assert len(first["integrations"]) == 25
    assert first["meta"]["paging"] == {"currentPageSize": 25, "totalSize": 252, "offset": 0}
    rest = service.ok("GET", "/integrations?limit=5000&offset=2&sortBy=-name")
    names = [each["name"] for each in rest["integrations"]]
    assert names == [f"Number {number:03}" for number in range(249, -1, -1)]
    assert rest["meta"]["paging"] == {"currentPageSize": 250, "totalSize": 252, "offset": 2}
    mine = service.ok("GET", "/integrations?myIntegrations=1&limit=1")["meta"]["paging"]
    assert mine["totalSize"] == 252
    service.sign_in("somebody.else@example.com")
    assert service.ok("GET", "/integrations?myIntegrations=1")["integrations"] == []


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("offset=-1", "offset"),
        ("sortBy=date", "sort_by"),
        ("sortBy=", "sort_by"),
    ],
)
def test_bad_parameters_are_named(service: Service, query: str, parameter: str) -> None:
    assert service.refused("GET", f"/integrations?{query}") == (400, f"Invalid value for {parameter}")


def test_version_1_keeps_the_model_inside_the_ends(service: Service) -> None:
    job = import_job(service.connection())
    job["targets"][0] |= {"workspaceId": "8a81", "modelId": "35A6"}
    body = {"name": "Old", "jobs": [job]}
    identifier = service.ok("POST", "/integrations", body, version="1")["integration"]["integrationId"]
    detail = service.ok("GET", f"/integrations/{identifier}")["integration"]
    assert not {"version", "workspaceId", "modelId"} & detail.keys()
    assert detail["jobs"][0]["targets"][0]["modelId"] == "35A6"
    assert (
        "notificationId" not in service.ok("GET", f"/integrations/{identifier}", version="1")["integration"]
    )
    wrong = (400, "This API version is not supported for this request")
    assert service.refused("POST", "/integrations", {**body, "version": "1.0"}) == wrong
    assert service.refused("POST", "/integrations", process(), version="1") == wrong
    assert service.refused("POST", "/integrations", {"name": "x", "processId": "118"}, version="1") == PAYLOAD
    service.ok("PUT", f"/integrations/{identifier}", process("New"))
    assert service.ok("GET", f"/integrations/{identifier}")["integration"]["version"] == "2.0"
    assert service.refused("PUT", f"/integrations/{identifier}", body, version="1") == wrong


def test_deleting_takes_the_notification_along(service: Service) -> None:
    identifier = service.integration()
    notification = service.listed(identifier)["notificationId"]
    service.ok("DELETE", f"/integrations/{identifier}")
    missing = (404, "Resource not found")
    assert service.refused("GET", f"/integrations/notification/{notification}") == missing
    assert service.refused("GET", f"/integrations/{identifier}") == missing
    assert service.refused("DELETE", f"/integrations/{identifier}") == missing
