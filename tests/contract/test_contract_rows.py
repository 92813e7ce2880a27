"""The 46 discrepancies of the facts (section B), from the client's side, in both profiles: connections, ids, lists.

Each test is named by its row. What the client sends is read in the record of the whole story; a form of a
reply that neither profile has is put in its place on the way to the client.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from contract.scene import (
    EVERYTHING,
    PROFILES,
    Exchange,
    Json,
    Scene,
    Wire,
    changed,
    every,
    respelled,
    scene,
    tell,
    template,
)

CONNECTIONS, CONNECTION = "/integrations/connections", "/integrations/connections/{id}"
PROCESS = {"integrations": {"tidy": {"processId": 118000000002}}}


def test_every_row_has_its_test() -> None:
    """All 46 touch the wire: some by what is never sent (41, 43)."""
    text = "".join(path.read_text() for path in Path(__file__).parent.glob("test_contract_*.py"))
    tested: set[int] = set()
    for first, joined, last in re.findall(r"^def test_row_(\d\d)_(?:(and|to)_(\d\d)_)?", text, re.MULTILINE):
        tested |= {*range(int(first), int(last) + 1)} if joined == "to" else {int(first), int(last or first)}
    assert tested == set(range(1, 47))


def test_both_profiles_have_the_same_plans_and_ends(stories: dict[str, Scene]) -> None:
    observed, documented = (stories[profile].outcomes for profile in PROFILES)
    assert observed == documented
    assert [step["plan"]["cwsync"]["summary"]["update"] for step in observed] == [0, 13, 1]


@pytest.mark.parametrize("profile", PROFILES)
def test_row_01_connections_are_put_and_patched_flat(stories: dict[str, Scene], profile: str) -> None:
    told = stories[profile]
    assert told.bodies("PATCH", CONNECTION) == [{"name": "Sales"}]
    put = told.bodies("PUT", CONNECTION)
    assert [{"type", "body"} & body.keys() for body in put] == [set(), set()]
    assert sorted(body["name"] for body in put) == ["lake", "tables"]


@pytest.mark.parametrize("profile", PROFILES)
def test_row_02_azure_says_its_method(stories: dict[str, Scene], profile: str, tmp_path: Path) -> None:
    made = [body["body"] for body in stories[profile].bodies("POST", CONNECTIONS)]
    azure = [body for body in made + stories[profile].bodies("PUT", CONNECTION) if "sasToken" in body]
    assert [body["authMethod"] for body in azure] == ["SAS-based"] * 2

    def wants_the_other_spelling(_method: str, path: str, sent: Json) -> tuple[int, str] | None:
        inner = (sent or {}).get("body") or sent or {}
        return (400, "Invalid request body") if "authMethod" in inner and CONNECTIONS in path else None

    told = tell(profile, tmp_path, ask=wants_the_other_spelling)
    assert told.outcomes == stories[profile].outcomes[:2]
    assert [each["authMethod"] for each in _azure(told)] == ["SAS-based"] * 2
    assert [each["auth_method"] for each in _azure(told, "auth_method")] == ["SAS-based"] * 2


def _azure(told: Scene, key: str = "authMethod") -> list[Json]:
    sent = [each.sent for each in told.wire.exchanges if CONNECTIONS in each.path and each.sent]
    return [inner for inner in (body.get("body") or body for body in sent) if key in inner]


def test_row_02_no_method_is_no_difference(stories: dict[str, Scene], tmp_path: Path) -> None:
    def forget(reply: dict[str, Any]) -> Json:
        return {key: None if key == "authMethod" else value for key, value in reply.items()} | (
            {"authMethod": None} if "connectionType" in reply else {}
        )

    respelled(tmp_path, stories, lambda each: every(each.reply, forget))


@pytest.mark.parametrize("profile", PROFILES)
def test_row_03_azure_is_put_with_the_keys_of_the_table(stories: dict[str, Scene], profile: str) -> None:
    (body,) = (body for body in stories[profile].bodies("PUT", CONNECTION) if body["name"] == "lake")
    assert body.keys() == {"name", "storageAccountName", "containerName", "sasToken", "authMethod"}


@pytest.mark.parametrize("profile", PROFILES)
def test_row_04_googles_key_is_sent_in_camel_case(
    stories: dict[str, Scene], profile: str, tmp_path: Path
) -> None:
    google = json.loads(stories[profile].project.read("secrets/bq"))
    own = {
        re.sub(r"_(x?[a-z0-9])", lambda found: found[1].upper(), key): value for key, value in google.items()
    }
    kept = [
        "type",
        "projectId",
        "privateKeyId",
        "privateKey",
        "clientEmail",
        "clientId",
        "authUri",
        "tokenUri",
    ]
    kept += ["authProviderX509CertUrl", "clientX509CertUrl"]
    wanted = {key: own[key] for key in kept}
    made = [body["body"] for body in stories[profile].bodies("POST", CONNECTIONS)]
    sent = [body for body in made + stories[profile].bodies("PUT", CONNECTION) if "dataset" in body]
    assert [body["serviceAccountKey"] for body in sent] == [wanted, wanted]
    with scene(profile, tmp_path) as told:
        told.project.write("secrets/bq", json.dumps(wanted))
        told.settle({"connections": {"tables": EVERYTHING["connections"]["tables"]}})
        assert told.bodies("POST", CONNECTIONS)[0]["body"]["serviceAccountKey"] == wanted


def test_row_05_and_27_who_changed_a_connection_and_when(tmp_path: Path) -> None:
    """The page dates two types in two ways and the third not at all; nobody is null here and "None" there."""
    fields = {"sales": {"bucketName": "b"}, "lake": {"containerName": "b"}, "tables": {"dataset": "b"}}
    drifts = {}
    for profile in PROFILES:
        with scene(profile, tmp_path) as told:
            told.settle({"connections": EVERYTHING["connections"]})
            for key, body in fields.items():
                name = EVERYTHING["connections"][key].get("name", key)
                told.tenant.edit("update", "connection", name=name, body=body)
            drifted = told.json("drift", status=2)["drifted"]
            dated = {each["address"]: bool(each.pop("modifiedAt")) for each in drifted}
            drifts[profile] = told.named(drifted)
            undated = {"connection.tables"} if profile == "documented" else set()
            assert {address for address, told_when in dated.items() if not told_when} == undated
    assert drifts["observed"] == drifts["documented"]
    assert [each["modifiedBy"] for each in drifts["observed"]] == ["Grace Hopper"] * 3


@pytest.mark.parametrize("profile", PROFILES)
def test_row_05_and_27_never_changed_is_nobody(profile: str, tmp_path: Path) -> None:
    for nobody in (None, "None"):

        def say(each: Exchange, nobody: str | None = nobody) -> Json:
            return every(
                each.reply, lambda item: item | ({"modifiedBy": nobody} if "modifiedBy" in item else {})
            )

        with scene(profile, tmp_path / repr(nobody), Wire(answer=say)) as told:
            told.settle(PROCESS)
            told.tenant.edit("update", "integration", name="tidy", body={"nuxVisible": True})
            (drifted,) = told.json("drift", status=2)["drifted"]
            assert drifted["modifiedBy"] is None
            assert "None" not in told.ok("drift", status=2).out


def test_row_05_all_dates_in_the_pages_spelling(stories: dict[str, Scene], tmp_path: Path) -> None:
    iso = {"creationDate": "isoCreationDate", "modificationDate": "isoModificationDate"}
    respelled(
        tmp_path,
        stories,
        lambda each: every(each.reply, lambda item: {iso.get(key, key): item[key] for key in item}),
    )


def test_row_06_the_new_connections_id_at_the_top(stories: dict[str, Scene], tmp_path: Path) -> None:
    def at_the_top(each: Exchange) -> Json:
        if (each.method, each.path) != ("POST", CONNECTIONS):
            return each.reply
        return {"status": each.reply["status"], **each.reply["connections"]}

    respelled(tmp_path, stories, at_the_top)


def test_row_25_ids_in_other_spellings(stories: dict[str, Scene], tmp_path: Path) -> None:
    """With dashes wherever a reply refers to something; the documented profile also takes them in a path."""
    shown = ("connectionId", "referrer", "workspaceId", "modelId")

    def dashed(id: str) -> str:
        return "-".join((id[:8], id[8:12], id[12:16], id[16:20], id[20:])) if len(id) == 32 else id

    def dash(item: dict[str, Any]) -> Json:
        keys = () if "connectionType" in item else shown
        item |= {key: dashed(item[key]).upper() for key in keys if key in item}
        many = ("integrationIds", "dependsOn")
        return item | {key: [dashed(id).upper() for id in item[key]] for key in many if item.get(key)}

    respelled(tmp_path, stories, lambda each: every(each.reply, dash) if each.method == "GET" else each.reply)
    all_ids = re.compile(r'"[0-9a-f]{32}"')

    def dash_all(each: Exchange) -> Json:
        return json.loads(all_ids.sub(lambda id: f'"{dashed(id[0][1:-1])}"', json.dumps(each.reply)))

    told = tell("documented", tmp_path / "all", answer=dash_all)
    assert told.outcomes == stories["documented"].outcomes[:2]


@pytest.mark.parametrize("profile", PROFILES)
def test_row_25_ids_are_sent_as_live_clients_saw_them(profile: str, tmp_path: Path) -> None:
    place = {
        "workspaceId": "8A81B09D-5e8c-6f27-015e-ce3402487d33",
        "modelId": "35a6ef893d7f47eea5a554d5cc7dc330",
    }
    with scene(profile, tmp_path) as told:
        told.settle(changed(PROCESS, ("integrations.tidy", {**PROCESS["integrations"]["tidy"], **place})))
        (body,) = told.bodies("POST", "/integrations")
    assert body["workspaceId"] == "8a81b09d5e8c6f27015ece3402487d33"
    assert body["modelId"] == "35A6EF893D7F47EEA5A554D5CC7DC330"


def test_row_26_numbers_of_the_model(stories: dict[str, Scene], tmp_path: Path) -> None:
    keys = ("processId", "actionId", "fileId")
    numbers: list[Json] = []

    def note(item: dict[str, Any]) -> Json:
        numbers.extend(item[key] for key in keys if key in item)
        return item

    for told in stories.values():
        for each in told.wire.exchanges:
            every(each.sent, note)
    assert {type(number) for number in numbers} == {str}

    def as_numbers(item: dict[str, Any]) -> Json:
        return item | {key: int(item[key]) for key in keys if key in item}

    respelled(tmp_path, stories, lambda each: every(each.reply, as_numbers))


def test_row_40_the_limit_is_the_tenants_own(tmp_path: Path) -> None:
    """Where the tenant tells it, the plan says so; where it doesn't, the service refuses: nothing is made."""
    ends = {}
    for profile in PROFILES:
        with scene(profile, tmp_path) as told:
            told.tenant.edit("update", "tenant", body={"maxAllowed": 0})
            told.write(PROCESS)
            ran = told.project.run("apply", "--auto-approve")
            assert "CW314" in ran.all
            ends[profile] = (ran.status, told.end()["integrations"], told.resources())
    assert ends["observed"] == (1, [], {})
    assert ends["documented"][1:] == ([], {})
    assert ends["documented"][0] in {1, 6}


def test_row_45_pages_are_as_long_as_they_are(tmp_path: Path) -> None:
    made = [
        {"action": "create", "kind": "integration", "body": {"name": f"Theirs {n:03}", "processId": "1"}}
        for n in range(260)
    ]
    plans = []
    for profile in PROFILES:
        for largest in (None, 100):
            with scene(profile, tmp_path / str(largest), Wire(largest=largest)) as told:
                told.tenant._post("edit", {"by": "Grace Hopper", "edits": made})
                told.write(PROCESS)
                plans.append(told.plain(told.json("plan")))
                pages = [each.query["offset"] for each in told.sent("GET", "/integrations")]
                assert pages == (["0", "100", "200"] if largest else ["0", "250"])
                assert {each.query["limit"] for each in told.sent("GET", "/integrations")} == {"250"}
    assert all(plan == plans[0] for plan in plans)
    assert len(plans[0]["cwsync"]["unmanaged"]) == 260


def test_row_43_every_path_is_one_that_curl_takes(stories: dict[str, Scene]) -> None:
    parts = ("/integrations/connections", "/integrations", "/integrations/notification", "/integrationflows")
    calls = {(method, f"{path}/{{id}}") for path in parts for method in ("GET", "PUT", "DELETE")}
    calls |= {(method, path) for path in parts for method in ("GET", "POST")}
    calls |= {("PATCH", CONNECTION), ("GET", "/integrations/runs/{id}")}
    calls |= {("GET", "/integrations/anaplanModels/{id}")}
    calls |= {(method, "/integrations/{id}/schedule") for method in ("POST", "PUT", "DELETE")}
    calls |= {("POST", f"/integrations/{{id}}/schedule/status/{word}") for word in ("enabled", "disabled")}
    for told in stories.values():
        assert {(each.method, template(each.path)) for each in told.wire.exchanges} <= calls


def test_row_41_nothing_depends_on_the_models_own_list(stories: dict[str, Scene], tmp_path: Path) -> None:
    """It is asked for as a short cut at most: where it is dead, plans and ends are the same."""

    def dead(_method: str, path: str, _sent: Json) -> tuple[int, str] | None:
        return (404, "Resource not found") if "/anaplanModels/" in path else None

    for profile in PROFILES:
        told = tell(profile, tmp_path, ask=dead)
        assert told.outcomes == stories[profile].outcomes[:2]
        others = [each for each in told.wire.exchanges if "/anaplanModels/" not in each.path]
        assert {each.status for each in others} == {200}
