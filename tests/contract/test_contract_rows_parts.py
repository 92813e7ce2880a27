"""The rows of section B on integrations, and on their schedules and notifications; see test_contract_rows.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from contract.scene import (
    ALICE,
    BOB,
    EVERYTHING,
    PROFILES,
    Exchange,
    Json,
    Scene,
    Wire,
    every,
    respelled,
    scene,
    tell,
)

NOTIFICATION, SCHEDULE = "/integrations/notification", "/integrations/{id}/schedule"


def seen(told: Scene) -> list[Json]:
    """What was planned, and what cwsync knows in the end; not how the tenant keeps it."""
    return [[step["plan"], step["again"], step["end"]["known"]] for step in told.outcomes[:2]]


def written(told: Scene, *paths: str) -> list[Json]:
    """What POST and PUT to these paths had in their bodies."""
    return [body for path in paths for method in ("POST", "PUT") for body in told.bodies(method, path)]


def scheduled(told: Scene, kind: str) -> list[Json]:
    bodies = [body["schedule"] for body in written(told, SCHEDULE)]
    return [schedule for schedule in bodies if schedule["type"] == kind]


def jobs(told: Scene) -> list[Json]:
    integrations = written(told, "/integrations", "/integrations/{id}")
    return [job for body in integrations for job in body.get("jobs", [])]


def test_row_07_the_new_notifications_id_at_the_top(stories: dict[str, Scene], tmp_path: Path) -> None:
    def at_the_top(each: Exchange) -> Json:
        if (each.method, each.path) != ("POST", NOTIFICATION):
            return each.reply
        return {"status": each.reply["status"], **each.reply["notification"]}

    respelled(tmp_path, stories, at_the_top)


def test_row_08_the_config_one_floor_up(stories: dict[str, Scene], tmp_path: Path) -> None:
    def lift(item: dict[str, Any]) -> Json:
        return {**item, **item.pop("notifications")} if "channels" in item else item

    respelled(tmp_path, stories, lambda each: every(each.reply, lift))


def test_row_09_users_are_written_as_texts_and_read_either_way(
    stories: dict[str, Scene], tmp_path: Path
) -> None:
    for told in stories.values():
        bodies = written(told, NOTIFICATION, f"{NOTIFICATION}/{{id}}")
        users = [entry["users"] for body in bodies for entry in body["notifications"]["config"]]
        assert {user for each in users for user in each} == {ALICE, BOB}

    def as_texts(item: dict[str, Any]) -> Json:
        if "type" not in item or "users" not in item:
            return item
        return item | {"users": [user["userGuid"].upper() for user in reversed(item["users"])]}

    respelled(tmp_path, stories, lambda each: every(each.reply, as_texts))


@pytest.mark.parametrize("profile", PROFILES)
def test_row_10_the_path_of_notifications_is_singular(stories: dict[str, Scene], profile: str) -> None:
    paths = {each.path for each in stories[profile].wire.exchanges if "notification" in each.path}
    assert paths
    assert all(f"{path}/".startswith(f"{NOTIFICATION}/") for path in paths)


@pytest.mark.parametrize("profile", PROFILES)
def test_row_18_the_weekday_of_a_month(stories: dict[str, Scene], profile: str, tmp_path: Path) -> None:
    sent = scheduled(stories[profile], "monthly_relative_weekday")
    assert [(each["dayOfWeek"], "daysOfWeek" in each) for each in sent] == [(3, False), (4, False)]

    def wants_the_list(_method: str, _path: str, body: Json) -> tuple[int, str] | None:
        schedule = (body or {}).get("schedule", {})
        monthly = schedule.get("type") == "monthly_relative_weekday"
        return (400, "Invalid Schedule") if monthly and "daysOfWeek" not in schedule else None

    told = tell(profile, tmp_path / "asked", ask=wants_the_list)
    assert seen(told) == seen(stories[profile])
    assert [each.get("daysOfWeek") for each in scheduled(told, "monthly_relative_weekday")] == [
        *(None, [3]),
        *(None, [4]),
    ]


def test_row_18_the_weekday_is_read_as_a_number_or_a_list(stories: dict[str, Scene], tmp_path: Path) -> None:
    def list_or_both(item: dict[str, Any]) -> Json:
        """The third day in the list alone; the fourth both ways."""
        if "dayOfWeek" not in item:
            return item
        day = item["dayOfWeek"]
        kept = {} if day == 3 else {"dayOfWeek": day}
        return {key: item[key] for key in item if key != "dayOfWeek"} | {"daysOfWeek": [day]} | kept

    respelled(tmp_path, stories, lambda each: every(each.reply, list_or_both))


@pytest.mark.parametrize("profile", PROFILES)
def test_row_19_hours_have_no_time(stories: dict[str, Scene], profile: str) -> None:
    sent = scheduled(stories[profile], "hourly")
    assert [each["toTime"] for each in sent] == ["18:00", "19:00"]
    assert not [each for each in sent if "time" in each]


@pytest.mark.parametrize("profile", PROFILES)
def test_row_20_a_schedule_repeats_its_integration(stories: dict[str, Scene], profile: str) -> None:
    sent = [each for method in ("POST", "PUT") for each in stories[profile].sent(method, SCHEDULE)]
    assert len(sent) == 7
    for each in sent:
        assert each.sent["integrationId"].replace("-", "") == each.path.split("/")[2].replace("-", "")


def test_row_21_an_end_that_is_not_set(stories: dict[str, Scene], tmp_path: Path) -> None:
    for told in stories.values():
        dated = [body["schedule"] for body in written(told, SCHEDULE)]
        assert {each["name"] for each in dated if "endDate" in each} == {"close"}

    def null(item: dict[str, Any]) -> Json:
        return {"endDate": None, **item} if "startDate" in item and "timezone" in item else item

    respelled(tmp_path, stories, lambda each: every(each.reply, null))


def test_row_22_the_words_of_a_status_in_any_case(stories: dict[str, Scene], tmp_path: Path) -> None:
    def shout(item: dict[str, Any]) -> Json:
        return item | {"status": item["status"].upper()} if isinstance(item.get("status"), str) else item

    respelled(tmp_path, stories, lambda each: every(each.reply, shout))


@pytest.mark.parametrize("profile", PROFILES)
def test_row_23_a_status_is_posted(stories: dict[str, Scene], profile: str) -> None:
    """A schedule that is disabled stays so through a PUT, whatever the service makes of that (facts F8)."""
    told = stories[profile]
    calls = [each for each in told.wire.exchanges if "/status/" in each.path]
    assert {each.method for each in calls} == {"POST"}
    # Three that are asked for, and two around the change of a scheduled integration.
    assert [each.sent for each in calls] == [None] * 5
    shown = {each["name"]: each["schedule"]["status"] for each in told.outcomes[1]["end"]["integrations"]}
    assert shown == {
        "Accounts load": "Active", "Month close": "Inactive", "SKU export": "Active", "tidy": "Inactive"
    }  # fmt: skip


def test_row_24_a_new_schedule_needs_no_id(stories: dict[str, Scene], tmp_path: Path) -> None:
    respelled(
        tmp_path,
        stories,
        lambda each: {key: each.reply[key] for key in each.reply if key != "scheduledIntegration"},
    )


def test_row_32_the_type_is_told_or_not(stories: dict[str, Scene], tmp_path: Path) -> None:
    for told in stories.values():
        details = [each.reply["integration"] for each in told.sent("GET", "/integrations/{id}")]
        assert details
        assert not [each for each in details if "integrationType" in each]

    def swap(each: Exchange) -> Json:
        """In the detail, and not in the list."""
        if isinstance(each.reply.get("integration"), dict) and each.method == "GET":
            each.reply["integration"]["integrationType"] = "Import"
        for item in each.reply.get("integrations", []):
            item.pop("integrationType", None)
        return each.reply

    respelled(tmp_path, stories, swap)


@pytest.mark.parametrize("profile", PROFILES)
def test_row_33_a_process_is_told_by_its_id_alone(stories: dict[str, Scene], profile: str) -> None:
    bodies = stories[profile].bodies("POST", "/integrations")
    assert {body["name"]: body.get("processId") for body in bodies} == {
        "Accounts import": None, "SKU export": None, "Month close": "118000000001", "tidy": "118000000002"
    }  # fmt: skip
    known = {"name", "version", "workspaceId", "modelId", "nuxVisible", "processId", "jobs"}
    assert {key for body in bodies for key in body} == known
    assert [body["name"] for body in bodies if "jobs" not in body] == ["tidy"]


def without(key: str) -> Any:
    return lambda each: every(each.reply, lambda item: {name: item[name] for name in item if name != key})


def test_row_34_a_mapping_is_a_list_in_its_job_read_or_not(stories: dict[str, Scene], tmp_path: Path) -> None:
    pairs = [{"sourceName": "SKU", "targetName": "sku"}, {"sourceName": "Size", "targetName": "size"}]
    for told in stories.values():
        to_tables = [job for job in jobs(told) if job["type"] == "AnaplanToGoogleBigQuery"]
        assert [job["mapping"] for job in to_tables] == [pairs, pairs]
    respelled(tmp_path, stories, without("mapping"))


def test_row_35_overwrite_is_always_said_read_or_not(stories: dict[str, Scene], tmp_path: Path) -> None:
    for told in stories.values():
        exports = [job for job in jobs(told) if job["type"].startswith("AnaplanTo")]
        assert len(exports) == 4
        assert {type(job["targets"][0]["overwrite"]) for job in exports} == {bool}
    for profile in PROFILES:
        told = tell(profile, tmp_path, answer=without("overwrite"))
        assert told.wire.respelled
        assert [step["end"] for step in told.outcomes] == [
            step["end"] for step in stories[profile].outcomes[:2]
        ]
        for step, plain in zip(told.outcomes, stories[profile].outcomes, strict=False):
            assert step["plan"]["cwsync"] == plain["plan"]["cwsync"]


def test_row_35_what_is_not_read_back_is_said_to_be_unverifiable(tmp_path: Path) -> None:
    for profile in PROFILES:
        with scene(profile, tmp_path, Wire(answer=without("overwrite"))) as told:
            told.settle(EVERYTHING)
            unknown = told.json("plan")["cwsync"]["unverifiable"]
            assert "integration.skus: jobs[0].export.overwrite" in unknown, unknown


def test_row_36_an_export_has_no_file_id(stories: dict[str, Scene], tmp_path: Path) -> None:
    for told in stories.values():
        for job in jobs(told):
            assert ("fileId" in job["targets"][0]) == job["type"].endswith("ToAnaplan")
            assert "fileId" not in job["sources"][0]

    def give(item: dict[str, Any]) -> Json:
        return item | {"fileId": item["actionId"]} if "actionId" in item else item

    def on_exports(each: Exchange) -> Json:
        return every(
            each.reply,
            lambda item: (
                item | {"sources": every(item["sources"], give)}
                if str(item.get("type")).startswith("AnaplanTo")
                else item
            ),
        )

    respelled(tmp_path, stories, on_exports)
