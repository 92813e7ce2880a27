"""The whole story of a project in both profiles, and objects of version 1.0 that become managed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from contract.scene import CHANGED, EVERYTHING, LESS, PROFILES, Json, Scene, changed, scene

PLACE = {"workspaceId": "8a81b09d5e8c6f27015ece3402487d33", "modelId": "35A6EF893D7F47EEA5A554D5CC7DC330"}


def test_a_project_goes_the_same_way_in_both_profiles(tmp_path: Path) -> None:
    """Made, seen to drift, mended, changed in every kind, renamed, disabled, made less, destroyed."""
    told = {profile: _story(profile, tmp_path) for profile in PROFILES}
    assert told["observed"] == told["documented"]


def _story(profile: str, folder: Path) -> list[Json]:
    renamed = changed(
        CHANGED,
        ("connections.tables.name", "Tables of another name"),
        ("integrations.tidy.name", "Tidy up"),
        ("flows.nightly.name", "Every night"),
        ("schedules.skus.enabled", False),
    )
    with scene(profile, folder) as scene_:
        scene_.settle(EVERYTHING)
        drifted = _drift(scene_)
        scene_.settle(EVERYTHING)
        for manifest in (CHANGED, renamed, LESS):
            scene_.settle(manifest)
        summaries = [
            {
                key: count
                for key, count in step["plan"]["cwsync"]["summary"].items()
                if count and key != "no_op"
            }
            for step in scene_.outcomes
        ]
        assert summaries[:4] == [
            {"create": 14},
            {"create": 1, "update": 5},
            {"update": 13},
            {"update": 4},
        ]
        assert summaries[4]["delete"] == 5
        destroyed = scene_.plain(scene_.json("plan", "--destroy"))
        scene_.destroy()
        assert {each.status for each in scene_.wire.exchanges} == {200}
    return [scene_.outcomes, drifted, destroyed]


def _drift(told: Scene) -> Json:
    """What somebody else changed in six kinds of things, as the drift has it."""
    edit = told.tenant.edit
    edit("update", "connection", name="Sales S3", body={"bucketName": "elsewhere"})
    edit("update", "integration", name="Month close", body={"nuxVisible": True})
    edit("update", "schedule", name="SKU export", body={"toTime": "20:00"})
    edit("update", "notification", name="Accounts import", body={"channels": ["email"]})
    edit("delete", "schedule", name="tidy")
    integrations = told.tenant.snapshot()["integrations"]
    steps = [
        {"referrer": each["integrationId"]} for each in sorted(integrations, key=lambda each: each["name"])
    ]
    edit("update", "flow", name="Nightly load", body={"steps": steps})
    document = told.json("drift", status=2)
    for each in document["drifted"]:
        each.pop("modifiedAt", None)
        # What a step waits for is a set, in the order of ids that no two tenants share.
        each["fields"] = [field for field in each.get("fields", []) if "dependsOn" not in field["path"]]
    drifted = sorted(told.named(document["drifted"]), key=lambda each: str(each["address"]))
    assert [each["address"] for each in drifted] == [
        "connection.sales",
        "flow.nightly",
        "integration.close",
        "notification.accounts",
        "schedule.skus",
        "schedule.tidy",
    ]
    return drifted


S3_JOB = {
    "type": "AmazonS3ToAnaplan",
    "sources": [{"type": "AmazonS3", "file": "Accounts.csv"}],
    "targets": [{"type": "Anaplan", "actionId": "112000000005", "fileId": "113000000000"}],
}


def of_version_1(told: Scene) -> dict[str, str]:
    """The ids of an import and a process as version 1.0 of the API makes them: the model is in the job's end."""
    url = told.tenant.url
    reply = httpx.post(f"{url}/token/authenticate", auth=("ci@example.com", "x")).json()
    headers = {"Authorization": f"AnaplanAuthToken {reply['tokenInfo']['tokenValue']}"}
    connection = told.resources()["connection.sales"]["id"]
    job: dict[str, Any] = json.loads(json.dumps(S3_JOB))
    job["sources"][0]["connectionId"] = connection
    job["targets"][0] |= PLACE
    ids = {}
    for key, more in (("accounts", {}), ("close", {"processId": "118000000001"})):
        made = httpx.post(
            f"{url}/1/0/integrations", headers=headers, json={"name": key, "jobs": [job], **more}
        )
        assert made.status_code == 200, made.text
        ids[key] = made.json()["integration"]["integrationId"]
    return ids


@pytest.mark.parametrize("profile", PROFILES)
def test_objects_of_version_1_are_read_as_they_are_and_changed_into_version_2(
    profile: str, tmp_path: Path
) -> None:
    job = {
        "import": {
            "connection": "sales",
            "file": "Accounts.csv",
            "actionId": 112000000005,
            "fileId": 113000000000,
        }
    }
    manifest = {
        "connections": {"sales": EVERYTHING["connections"]["sales"]},
        "integrations": {"accounts": {"jobs": [job]}, "close": {"processId": 118000000001, "jobs": [job]}},
    }
    with scene(profile, tmp_path) as told:
        told.settle({"connections": manifest["connections"]})
        ids = of_version_1(told)
        bind(told, ids, manifest)
        told.write(manifest)
        assert told.json("plan", "--detailed-exitcode")["cwsync"]["calls"] == []
        assert told.json("drift")["drifted"] == []
        assert told.bodies("PUT", "/integrations/{id}") == []
        other = changed(
            manifest,
            ("integrations.accounts.jobs.0.import.file", "b.csv"),
            ("integrations.close.nuxVisible", True),
        )
        told.settle(other)
        sent = sorted(told.bodies("PUT", "/integrations/{id}"), key=lambda body: str(body["name"]))
        assert [body["name"] for body in sent] == ["accounts", "close"]
        connection = told.resources()["connection.sales"]["id"]
        for body, file in zip(sent, ("b.csv", "Accounts.csv"), strict=True):
            assert {key: body[key] for key in ("version", *PLACE)} == {"version": "2.0", **PLACE}
            source = {"type": "AmazonS3", "connectionId": connection, "file": file}
            assert body["jobs"] == [{**S3_JOB, "sources": [source]}]
        kept = {each["integrationId"]: each["version"] for each in told.tenant.snapshot()["integrations"]}
        assert kept == dict.fromkeys(ids.values(), "2.0")
        told.destroy()


def test_row_44_the_model_is_looked_for_in_both_places(tmp_path: Path) -> None:
    """A model of version 1.0 that is another one is a difference; so it was read, from the job's end."""
    for profile in PROFILES:
        with scene(profile, tmp_path) as told:
            told.settle({"connections": {"sales": EVERYTHING["connections"]["sales"]}})
            ids = of_version_1(told)
            job = {"import": {"connection": "sales", "file": "Accounts.csv", "actionId": 112000000005,
                              "fileId": 113000000000}}  # fmt: skip
            manifest = {
                "connections": {"sales": EVERYTHING["connections"]["sales"]},
                "integrations": {"accounts": {"jobs": [job], "modelId": "F" * 32}},
            }
            bind(told, {"accounts": ids["accounts"]}, manifest)
            told.write(manifest)
            (change,) = [
                each
                for each in told.json("plan")["resource_changes"]
                if each["address"] == "integration.accounts"
            ]
            assert change["change"]["before"]["modelId"] == PLACE["modelId"]
            assert change["change"]["after"]["modelId"] == "F" * 32


def bind(told: Scene, ids: dict[str, str], manifest: Json) -> None:
    """Write into the state by hand that these integrations are ours, as the manifest has them."""
    path = ".cwsync/test.state.json"
    state = json.loads(told.project.read(path))
    connection = state["resources"]["connection.sales"]["id"]
    for key, id in ids.items():
        declared = manifest["integrations"][key]
        job = {"import": {"type": "AmazonS3", "connection": connection, "file": "Accounts.csv",
                          "actionId": "112000000005", "fileId": "113000000000"}}  # fmt: skip
        applied = {"name": key, **PLACE, "nuxVisible": False, "jobs": [job]}
        if "processId" in declared:
            applied["processId"] = str(declared["processId"])
        entry = {"kind": "integration", "id": id, "name": key, "applied": applied, "origin": "adopted"}
        state["resources"][f"integration.{key}"] = {**entry, "protect": False, "secrets": {}}
    told.project.write(path, json.dumps(state))
