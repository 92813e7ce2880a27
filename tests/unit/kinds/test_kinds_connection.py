"""Connections on the wire: what is sent, and what is understood of what comes back (facts B1-B6, C1, E1)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr
from unit.kinds.round_trip import opened

from cwsync.errors import CwsyncError
from cwsync.kinds import KINDS, Action, Observed, Write

CONNECTION = KINDS["connection"]
NOW = datetime(2029, 6, 15, tzinfo=UTC)
GOOGLE = {
    "type": "service_account",
    "project_id": "p",
    "private_key_id": "i",
    "private_key": "-----BEGIN PRIVATE KEY-----\nneedle\n-----END PRIVATE KEY-----\n",
    "client_email": "e",
    "client_id": "c",
    "auth_uri": "a",
    "token_uri": "t",
    "auth_provider_x509_cert_url": "x",
    "client_x509_cert_url": "y",
    "universe_domain": "googleapis.com",
}
FIELDS: dict[str, dict[str, Any]] = {
    "AmazonS3": {"type": "AmazonS3", "name": "n", "bucketName": "b", "roleArn": "r", "workspaceId": "w"},
    "GoogleBigQuery": {"type": "GoogleBigQuery", "name": "n", "dataset": "d"},
    "AzureBlob": {"type": "AzureBlob", "name": "n", "storageAccountName": "s", "containerName": "c"},
}
SECRETS = {
    "AmazonS3": {"accessKeyId": SecretStr("id"), "secretAccessKey": SecretStr("key")},
    "GoogleBigQuery": {"serviceAccountKey": SecretStr(json.dumps(GOOGLE))},
    "AzureBlob": {"sasToken": SecretStr("sas")},
}


def _sent(action: Action, kind: str) -> Any:
    return opened(CONNECTION.to_wire(Write(action, FIELDS[kind], SECRETS[kind])))


def _seen(**item: Any) -> Observed:
    seen = CONNECTION.from_wire(item)
    assert seen is not None
    return seen


def test_s3_is_created_in_a_wrapped_body() -> None:
    assert _sent(Action.CREATE, "AmazonS3") == {
        "type": "AmazonS3",
        "body": {
            "name": "n",
            "bucketName": "b",
            "roleArn": "r",
            "accessKeyId": "id",
            "secretAccessKey": "key",
            "workspaceId": "w",
        },
    }


def test_b1_a_put_is_flat_complete_and_without_the_workspace() -> None:
    assert _sent(Action.UPDATE, "AmazonS3") == {
        "name": "n",
        "bucketName": "b",
        "roleArn": "r",
        "accessKeyId": "id",
        "secretAccessKey": "key",
    }


@pytest.mark.parametrize("kind", FIELDS)
def test_b1_a_patch_has_the_name_alone_and_needs_no_secret(kind: str) -> None:
    assert CONNECTION.to_wire(Write(Action.RENAME, FIELDS[kind])) == {"name": "n"}


@pytest.mark.parametrize("kind", FIELDS)
def test_a_deletion_has_no_body(kind: str) -> None:
    assert CONNECTION.to_wire(Write(Action.DELETE, FIELDS[kind])) is None


def test_b2_azure_says_how_it_signs_in_on_creating_and_on_changing() -> None:
    flat = {
        "name": "n",
        "storageAccountName": "s",
        "containerName": "c",
        "sasToken": "sas",
        "authMethod": "SAS-based",
    }
    assert _sent(Action.CREATE, "AzureBlob") == {"type": "AzureBlob", "body": flat}
    assert _sent(Action.UPDATE, "AzureBlob") == flat


@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE])
def test_b2_a_refused_body_is_tried_once_more_with_the_other_spelling(action: Action) -> None:
    body = CONNECTION.to_wire(Write(action, FIELDS["AzureBlob"], SECRETS["AzureBlob"]))
    assert body is not None
    (other,) = CONNECTION.second_tries(body, "Invalid request body", NOW)
    inner = opened(other).get("body", opened(other))
    assert inner["auth_method"] == "SAS-based"
    assert "authMethod" not in inner
    assert inner["sasToken"] == "sas"
    assert CONNECTION.second_tries(other, "Invalid request body", NOW) == ()


@pytest.mark.parametrize(
    ("kind", "message"), [("AzureBlob", "Credentials are invalid"), ("AmazonS3", "Invalid request body")]
)
def test_b2_and_for_no_other_reason(kind: str, message: str) -> None:
    body = CONNECTION.to_wire(Write(Action.UPDATE, FIELDS[kind], SECRETS[kind]))
    assert body is not None
    assert CONNECTION.second_tries(body, message, NOW) == ()


CAMEL = {
    "type": "service_account",
    "projectId": "p",
    "privateKeyId": "i",
    "privateKey": GOOGLE["private_key"],
    "clientEmail": "e",
    "clientId": "c",
    "authUri": "a",
    "tokenUri": "t",
    "authProviderX509CertUrl": "x",
    "clientX509CertUrl": "y",
}


@pytest.mark.parametrize("given", [GOOGLE, CAMEL], ids=["snake", "camel"])
def test_b4_a_service_account_key_is_sent_in_camel_case_with_its_line_ends(given: dict[str, str]) -> None:
    write = Write(
        Action.UPDATE,
        FIELDS["GoogleBigQuery"],
        {"serviceAccountKey": SecretStr(json.dumps(given))},
    )
    assert opened(CONNECTION.to_wire(write)) == {"name": "n", "dataset": "d", "serviceAccountKey": CAMEL}


@pytest.mark.parametrize(
    "key",
    [
        "needle",
        "[]",
        '"needle"',
        json.dumps({**GOOGLE, "private_key": None}),
        json.dumps({"private_key": "needle"}),
    ],
)
def test_b4_what_is_no_key_is_said_without_repeating_it(key: str) -> None:
    write = Write(Action.CREATE, FIELDS["GoogleBigQuery"], {"serviceAccountKey": SecretStr(key)})
    with pytest.raises(CwsyncError) as raised:
        CONNECTION.to_wire(write)
    (problem,) = raised.value.problems
    assert problem.code == "CW120"
    assert "needle" not in f"{problem!r}{raised.value}"


@pytest.mark.parametrize("kind", FIELDS)
def test_no_body_shows_a_secret(kind: str) -> None:
    body = CONNECTION.to_wire(Write(Action.CREATE, FIELDS[kind], SECRETS[kind]))
    for secret in ("needle", "'id'", "'key'", "'sas'"):
        assert secret not in repr(body)


LIVE = {  # as a live tenant answered (facts A1)
    "connectionId": "67cd8071379b434684d1400d3d6191b5",
    "connectionType": "AzureBlob",
    "body": {"name": "T", "storageAccountName": "s", "containerName": "c", "authMethod": "SAS-based"},
    "creationDate": "2026-03-18T07:15:27.000Z",
    "modificationDate": "2026-03-18T07:15:28.000Z",
    "createdBy": "Integration User",
    "modifiedBy": None,
    "status": 1,
    "integrationErrorCode": None,
    "workspaceId": None,
    "authMethod": "SAS-based",
}


def test_a_live_item_of_the_list() -> None:
    seen = _seen(**LIVE)
    assert seen.fields == {"type": "AzureBlob", "name": "T", "storageAccountName": "s", "containerName": "c"}
    assert (seen.id, seen.name, seen.type) == (LIVE["connectionId"], "T", "AzureBlob")
    assert (seen.created_by, seen.modified_by) == ("Integration User", None)
    assert (seen.created_at, seen.modified_at) == ("2026-03-18T07:15:27.000Z", "2026-03-18T07:15:28.000Z")
    assert seen.foreign is None


def test_b2_an_old_connection_says_nothing_of_how_it_signs_in() -> None:
    body = {"name": "T", "storageAccountName": "s", "containerName": "c"}
    seen = _seen(**{**LIVE, "body": body, "authMethod": None, "integrationErrorCode": 46})
    assert seen.foreign is None
    assert seen.fields == _seen(**LIVE).fields


@pytest.mark.parametrize(
    "item",
    [
        {**LIVE, "authMethod": "OAuth"},
        {**LIVE, "authMethod": None, "body": {**LIVE["body"], "authMethod": "OAuth"}},  # type: ignore[dict-item] # a dict
        {**LIVE, "connectionType": "Sharepoint"},
    ],
)
def test_e1_a_connection_of_another_form_is_not_overwritten(item: dict[str, Any]) -> None:
    assert _seen(**item).foreign


def test_b5_dates_in_the_page_s_other_spelling() -> None:
    item = {key: value for key, value in LIVE.items() if not key.endswith("Date")}
    seen = _seen(**item, isoCreationDate="2020-01-02", isoModificationDate="2020-01-03")
    assert (seen.created_at, seen.modified_at) == ("2020-01-02", "2020-01-03")


@pytest.mark.parametrize("never", [None, "None", ""])
def test_b27_nobody_has_changed_it(never: str | None) -> None:
    assert _seen(**{**LIVE, "modifiedBy": never}).modified_by is None


@pytest.mark.parametrize("none", [None, "None", ""])
def test_b27_no_workspace_may_be_a_word_too(none: str | None) -> None:
    assert _seen(**{**LIVE, "workspaceId": none}).fields == _seen(**LIVE).fields


@pytest.mark.parametrize(
    "spelling", ["8A81B09D-5E8C-6F27-015E-CE3402487D33", "8a81b09d5e8c6f27015ece3402487d33"]
)
def test_b25_a_workspace_in_any_spelling(spelling: str) -> None:
    fields = _seen(**{**LIVE, "workspaceId": spelling}).fields
    assert fields is not None
    assert fields["workspaceId"] == "8a81b09d5e8c6f27015ece3402487d33"


def test_c1_what_is_never_returned_is_not_a_field() -> None:
    item = {**LIVE, "connectionType": "AmazonS3", "body": {"name": "T", "bucketName": "b"}}
    assert _seen(**item).fields == {"type": "AmazonS3", "name": "T", "bucketName": "b"}


def test_b6_the_new_id_is_in_an_object() -> None:
    assert CONNECTION.created_id == ("connections", "connectionId")


@pytest.mark.parametrize(
    ("changed", "action"),
    [({"name"}, Action.RENAME), ({"name", "bucketName"}, Action.UPDATE), ({"sasToken"}, Action.UPDATE)],
)
def test_f3_only_a_rename_needs_no_secrets(changed: set[str], action: Action) -> None:
    assert CONNECTION.update_actions(frozenset(changed), {}) == (action,)
