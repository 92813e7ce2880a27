from __future__ import annotations

import json
from typing import Any

import pytest
from unit.emulator.service import AZURE, BIGQUERY, BODIES, S3, Service, envelope, import_job

PATH = "/integrations/connections"
INVALID = (400, "Invalid request body")


@pytest.mark.parametrize("kind", BODIES)
def test_reads_back_what_is_no_secret(service: Service, kind: str) -> None:
    identifier = service.connection("Sales", kind, workspaceId="8a81")
    (item,) = service.ok("GET", PATH)["connections"]
    public = {"bucketName", "dataset", "storageAccountName", "containerName"}
    shown = {field: value for field, value in BODIES[kind].items() if field in public}
    assert item == {
        "connectionId": identifier,
        "connectionType": kind,
        "body": {"name": "Sales", **shown},
        "creationDate": "2026-11-23T12:00:00.000Z",
        "modificationDate": "2026-11-23T12:00:00.000Z",
        "createdBy": "Ada Lovelace",
        "modifiedBy": None,
        "status": 1,
        "integrationErrorCode": None,
        "workspaceId": "8a81",
        "authMethod": None,
    }


def test_google_key_as_downloaded_is_taken_as_well(service: Service) -> None:
    fields = ["project_id", "private_key_id", "private_key", "client_email", "client_id", "auth_uri"]
    fields += ["token_uri", "auth_provider_x509_cert_url", "client_x509_cert_url", "universe_domain"]
    service.connection(
        "Warehouse",
        "GoogleBigQuery",
        serviceAccountKey={"type": "service_account", **dict.fromkeys(fields, "x")},
    )


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({"type": "AmazonS3", "body": {"name": "x", **S3, "extra": 1}}, INVALID),
        ({"type": "AmazonS3", "body": {"name": "x", **S3, "bucketName": 7}}, INVALID),
        ({"type": "AmazonS3", "body": {**S3}}, INVALID),
        ({"type": "AmazonS3", "body": {"name": " x", **S3}}, INVALID),
        ({"type": "AmazonS3", "body": {"name": "x" * 61, **S3}}, INVALID),
        ({"type": "AmazonS3", "name": "x", **S3}, INVALID),
        ({"type": "AmazonS3", "body": [S3]}, INVALID),
        ([], INVALID),
        ({"type": "Sftp", "body": {"name": "x"}}, (400, "Invalid connection type")),
        (
            {
                "type": "GoogleBigQuery",
                "body": {"name": "x", **BIGQUERY, "serviceAccountKey": {"projectId": "x"}},
            },
            INVALID,
        ),
        ({"type": "AzureBlob", "body": {"name": "x", **AZURE, "authMethod": "OAuth"}}, INVALID),
        (
            {"type": "AzureBlob", "body": {"name": "x", **AZURE, "sasToken": "invalid-x"}},
            (400, "Credentials are invalid"),
        ),
        (
            {"type": "AmazonS3", "body": {"name": "x", **S3, "roleArn": "invalid-x"}},
            (400, "Role arn is invalid"),
        ),
        (
            {"type": "AmazonS3", "body": {"name": "x", **S3, "bucketName": "invalid-x"}},
            (400, "Bucket name is invalid"),
        ),
        (
            {"type": "GoogleBigQuery", "body": {"name": "x", **BIGQUERY, "dataset": "invalid-x"}},
            (400, "Invalid Dataset"),
        ),
    ],
)
def test_refuses_a_body_that_does_not_fit(service: Service, body: object, outcome: tuple[int, str]) -> None:
    assert service.refused("POST", PATH, body) == outcome
    assert service.ok("GET", PATH)["connections"] == []


@pytest.mark.parametrize("raw", [b"", b"{", b"[" * 100_000, b'{"type": NaN}', b"\xff", b'"\\ud800"'])
def test_refuses_what_is_no_json(service: Service, raw: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    reply = service.http.post(f"/2/0{PATH}", content=raw, headers=headers)
    assert (reply.status_code, reply.json()["status"]["message"]) == INVALID


def test_half_a_character_is_no_text(service: Service) -> None:
    raw = json.dumps({"type": "AmazonS3", "body": {"name": "x", **S3, "bucketName": "\ud800"}})
    reply = service.http.post(f"/2/0{PATH}", content=raw, headers={"Content-Type": "application/json"})
    assert reply.status_code == 400


def test_a_body_says_that_it_is_json(service: Service) -> None:
    reply = service.http.post(f"/2/0{PATH}", content=b"{}", headers={"Content-Type": "text/plain"})
    assert reply.json()["status"]["message"] == "Invalid value for Content-Type"


def test_a_name_is_taken_once(service: Service) -> None:
    service.connection("Sales")
    other = service.connection("Lake", "AzureBlob")
    taken = (400, "Duplicate resource name not allowed")
    assert service.refused("POST", PATH, {"type": "AmazonS3", "body": {"name": "Sales", **S3}}) == taken
    assert service.refused("PATCH", f"{PATH}/{other}", {"name": "Sales"}) == taken
    assert service.ok("PATCH", f"{PATH}/{other}", {"name": "Lake"}) == {}


def test_azure_needs_its_method_to_be_replaced_but_not_to_be_created(service: Service) -> None:
    identifier = service.connection("Lake", "AzureBlob")
    flat = {"name": "Lake", **AZURE}
    assert service.refused("PUT", f"{PATH}/{identifier}", flat) == INVALID
    for spelling in ("authMethod", "auth_method"):
        service.ok("PUT", f"{PATH}/{identifier}", {**flat, spelling: "SAS-based"})
    (item,) = service.ok("GET", PATH)["connections"]
    assert item["authMethod"] == item["body"]["authMethod"] == "SAS-based"


def test_wrapped_edits_are_refused(service: Service) -> None:
    identifier = service.connection()
    wrapped = {"type": "AmazonS3", "body": {"name": "Sales", **S3}}
    assert service.refused("PUT", f"{PATH}/{identifier}", wrapped) == INVALID
    assert service.refused("PATCH", f"{PATH}/{identifier}", {"body": {"name": "Other"}}) == INVALID


def test_patch_changes_one_field_and_needs_one(service: Service) -> None:
    identifier = service.connection()
    service.clock.now += 60
    service.ok("PATCH", f"{PATH}/{identifier}", {"bucketName": "other"})
    (item,) = service.ok("GET", PATH)["connections"]
    assert item["body"] == {"name": "Sales", "bucketName": "other"}
    assert (item["modifiedBy"], item["modificationDate"]) == ("Ada Lovelace", "2026-11-23T12:01:00.000Z")
    assert service.refused("PATCH", f"{PATH}/{identifier}", {}) == INVALID
    assert service.refused("PATCH", f"{PATH}/{identifier}", {"containerName": "x"}) == INVALID


def test_put_is_complete_and_keeps_the_workspace(service: Service) -> None:
    identifier = service.connection("Sales", workspaceId="8a81")
    assert service.refused("PUT", f"{PATH}/{identifier}", {"name": "Sales", "bucketName": "x"}) == INVALID
    assert (
        service.refused("PUT", f"{PATH}/{identifier}", {"name": "Sales", **S3, "workspaceId": "other"})
        == INVALID
    )
    service.ok("PUT", f"{PATH}/{identifier}", {"name": "Renamed", **S3})
    (item,) = service.ok("GET", PATH)["connections"]
    assert (item["body"]["name"], item["workspaceId"]) == ("Renamed", "8a81")


def test_unknown_connections_and_connections_in_use(service: Service) -> None:
    identifier = service.connection()
    integration = service.ok("POST", "/integrations", {**envelope(), "jobs": [import_job(identifier)]})
    for method, body in (("PUT", {}), ("PATCH", {"name": "x"}), ("DELETE", None)):
        assert service.refused(method, f"{PATH}/0000", body) == (404, "Resource not found")
    assert service.refused("DELETE", f"{PATH}/{identifier}") == (409, "The resource is being referenced")
    service.ok("DELETE", f"/integrations/{integration['integration']['integrationId']}")
    service.ok("DELETE", f"{PATH}/{identifier}")
    assert service.ok("GET", PATH)["connections"] == []


def test_equal_secrets_have_equal_digests_and_only_the_snapshot_has_them(service: Service) -> None:
    def digests(name: str) -> dict[str, Any]:
        connections = service.http.get("/_emulator/snapshot").json()["connections"]
        found: dict[str, Any] = next(each["secrets"] for each in connections if each["body"]["name"] == name)
        return found

    first = service.connection("First")
    service.connection("Second")
    assert digests("First") == digests("Second")
    before = digests("First")
    service.ok("PATCH", f"{PATH}/{first}", {"secretAccessKey": "rotated"})
    assert digests("First")["accessKeyId"] == before["accessKeyId"]
    assert digests("First")["secretAccessKey"] != before["secretAccessKey"]
