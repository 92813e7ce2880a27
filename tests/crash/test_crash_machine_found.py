"""What the machine has found, each in as few steps as it takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from crash.machine_model import objects
from crash.machine_outside import Place, Run, Trouble
from crash.machine_project import wire_secrets, write_manifest, write_secrets, write_settings
from crash.sites import LOCAL, Opens, in_bucket, in_file
from property.worlds import Json, Resources

SAS = {"sasToken": {"fromFile": "secrets/text"}}
LAKE: Json = {"type": "AzureBlob", "name": "Lake", "storageAccountName": "one", "containerName": "in", **SAS}
LOAD: Json = {"import": {"connection": "lake", "file": "x", "actionId": 112000000005, "fileId": 113000000000}}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    write_settings(tmp_path)
    write_secrets(tmp_path, 0)
    place = Place(tmp_path)
    yield place
    place.close()


def declare(place: Place, integration: Json | None = None, notification: Json | None = None) -> Resources:
    resources: Resources = {
        "connections": {"lake": LAKE},
        "integrations": {"load": integration} if integration else {},
        "schedules": {},
        "notifications": {"load": notification} if notification else {},
        "flows": {},
    }
    write_manifest(place.root, resources)
    return resources


def apply(place: Place, *options: str, trouble: Trouble | None = None) -> Run:
    troubles = [trouble] if trouble else []
    return place.run("apply", *options, "--lock-timeout", "400", troubles=troubles)


def test_a_saved_plan_whose_way_is_blocked_meanwhile_is_stale_and_says_why(place: Place) -> None:
    declare(place)
    assert place.run("plan", "--out", "plan.json").status == 0
    theirs = {"name": "Lake", "bucketName": "theirs"}
    place.tenant.edit("create", "connection", body={"type": "AmazonS3", "body": theirs})
    before = place.tenant.mutations()
    ran = apply(place, "plan.json")
    assert ran.status == 3, ran.all
    assert "CW513" in ran.err
    assert '"Lake"' in ran.err
    assert place.tenant.mutations() == before


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble(1, "kill-after"),
        Trouble(1, "status", {"status": 500, "effect": True, "times": 9}),
    ],
    ids=lambda trouble: trouble.do,
)
def test_secrets_of_a_change_that_nobody_saw_are_sent_again_also_when_the_old_ones_are_back(
    place: Place, trouble: Trouble
) -> None:
    declare(place)
    assert apply(place, "--auto-approve").status == 0
    write_secrets(place.root, 1)
    assert apply(place, "--auto-approve", trouble=trouble).status != 0
    write_secrets(place.root, 0)
    assert apply(place, "--auto-approve").status == 0
    probe = {"name": "Probe", **wire_secrets(LAKE, 0)}
    id = place.tenant.edit("create", "connection", body={"type": "AzureBlob", "body": probe})
    there = objects(place.tenant.snapshot())
    assert there[place.state["resources"]["connection.lake"]["id"]][1]["secrets"] == there[id][1]["secrets"]


def test_adopt_takes_no_notification_of_an_integration_that_is_ours_and_is_replaced(place: Place) -> None:
    declare(place, {"jobs": [LOAD]})
    assert apply(place, "--auto-approve").status == 0
    declare(place, {"processId": 118000000001}, {"channels": ["email"], "notify": {"success": ["alice"]}})
    ran = apply(place, "--auto-approve", "--adopt")
    assert ran.status == 0, ran.all


@pytest.mark.parametrize("opens", [in_file, in_bucket])
@pytest.mark.parametrize("trouble", [Trouble(2, "kill-before-commit"), Trouble(2, "kill-after-commit"),
                                     *(Trouble(2, "store", {"how": how}) for how in range(9))],
                         ids=lambda one: f"{one.do} {one.more.get('how', '')}".strip())  # fmt: skip
def test_what_the_machine_does_to_a_state_is_done_wherever_it_is(
    tmp_path: Path, opens: Opens, trouble: Trouble
) -> None:
    """The second commit is that of the first intent: where it fails, nothing was sent."""
    with closing(Place(tmp_path, opens=opens)) as place:
        write_settings(tmp_path, place.site.setting)
        write_secrets(tmp_path, 0)
        declare(place)
        trouble = replace(trouble)
        ran = apply(place, "--auto-approve", trouble=trouble)
        assert trouble.struck
        assert ran.killed == trouble.kills
        assert (tmp_path / LOCAL).exists() == (opens is in_file)
        if trouble.kills:
            assert len(place.state["pending"]) == (trouble.do == "kill-after-commit")
        if ran.killed or ran.status:
            assert place.tenant.mutations() == []
            assert ran.killed or "CW401" in ran.all
        assert apply(place, "--auto-approve").status == 0
        assert [*place.state["resources"]] == ["connection.lake"]
        assert place.tenant.names("connections") == ["Lake"]
