"""plan --refresh: details are read only of what its list shows changed, and a change is never made on a guess."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.clocks import Skipping
from support.program import Ran, cwsync
from support.projects import Project, small
from support.tenant import Json, Tenant, served

from cwsync.cli.outside import Outside

MANY = 30


@pytest.fixture(params=["observed", "documented"])
def tenant(request: pytest.FixtureRequest, time: Skipping) -> Iterator[Tenant]:
    with served(clock=time.seconds, profile=request.param) as tenant:
        yield tenant


class Story:
    """A project on a tenant of its own, applied, and the reads that each command makes."""

    def __init__(self, project: Project, tenant: Tenant, time: Skipping) -> None:
        self.project, self.tenant, self.time = project, tenant, time
        self.outside = Outside(clock=time.clock)

    def run(self, *arguments: str) -> Ran:
        return cwsync(*arguments, folder=self.project.root, outside=self.outside)

    def apply(self) -> None:
        done = self.run("apply", "--auto-approve")
        assert done.status == 0, done.all

    def reads(self, *arguments: str) -> tuple[Ran, Counter[str]]:
        """What a command says, and its requests: ids are left out of the paths, and `/token/` altogether."""
        before = len(self.tenant.requests())
        ran = self.run(*arguments)
        asked = [one["path"].removeprefix("/2/0") for one in self.tenant.requests()[before:]]
        return ran, Counter(_plain(path) for path in asked if not path.startswith("/token/"))

    def edit_file(self, *, keeping_date: bool = False) -> None:
        """A colleague lets the import read another file, which no list tells."""
        before = next(
            one for one in self.tenant.snapshot()["integrations"] if one["name"] == "Accounts import"
        )
        jobs = json.loads(json.dumps(before["jobs"]).replace("Accounts.csv", "Other.csv"))
        date = {"modificationDate": before["modificationDate"]} if keeping_date else {}
        self.tenant.edit("update", "integration", name="Accounts import", body={"jobs": jobs, **date})

    def plan(self, *arguments: str) -> tuple[Json, Counter[str]]:
        ran, reads = self.reads("plan", "--format", "json", *arguments)
        assert ran.status == 0, ran.all
        found: Json = json.loads(ran.out)
        return found, reads


def _plain(path: str) -> str:
    return "/".join("ID" if len(part) in (32, 36) else part for part in path.partition("?")[0].split("/"))


@pytest.fixture
def story(tenant: Tenant, tmp_path: Path, time: Skipping) -> Story:
    return Story(small(tenant, tmp_path), tenant, time)


LISTS = {"/integrations/connections": 1, "/integrations": 1, "/integrationflows": 1}
# A notification has no date, and is no part of a list.
UNDATED = {"/integrations/notification/ID": 1}


def of_lists(reads: Counter[str]) -> dict[str, int]:
    """Without where a schedule is read, which the two profiles do differently."""
    schedules = ("/integrations/runs/ID", "/integrations/anaplanModels/ID")
    return {path: count for path, count in reads.items() if path not in schedules}


def actions(plan: Json) -> dict[str, list[str]]:
    return {
        one["address"]: one["change"]["actions"]
        for one in plan["resource_changes"]
        if one["change"]["actions"] != ["no-op"]
    }


def test_a_quiet_tenant_is_read_in_lists_and_what_has_no_date(story: Story) -> None:
    more = "\n".join(f"  more-{n}: {{name: More {n}, processId: 118000000001}}" for n in range(MANY))
    story.project.write("manifests/more.yaml", f"integrations:\n{more}\n")
    story.apply()

    plan, reads = story.plan()

    assert of_lists(reads) == LISTS | UNDATED
    assert plan["cwsync"]["reads"]["assumed"] == MANY + 3
    assert not actions(plan)
    full, reads = story.plan("--refresh", "full")
    assert of_lists(reads) == LISTS | UNDATED | {"/integrations/ID": MANY + 2, "/integrationflows/ID": 1}
    assert full["cwsync"]["digest"] == plan["cwsync"]["digest"]


def test_what_has_another_date_in_its_list_is_read(story: Story) -> None:
    story.apply()
    story.edit_file()

    plan, reads = story.plan()

    assert of_lists(reads) == LISTS | UNDATED | {"/integrations/ID": 1}
    assert actions(plan) == {"integration.accounts": ["update"]}
    assert [one["address"] for one in plan["resource_drift"]] == ["integration.accounts"]


def test_a_change_right_after_an_apply_is_seen(story: Story) -> None:
    story.apply()
    story.project.replace("manifests/close.yaml", "118000000001", "118000000002")
    story.apply()
    story.tenant.edit("update", "integration", name="Month close", body={"processId": "118000000009"})

    plan, _ = story.plan()

    assert actions(plan) == {"integration.close": ["update"]}


def test_what_a_plan_changes_is_read_in_full(story: Story) -> None:
    story.apply()
    story.project.replace("manifests/close.yaml", "118000000001", "118000000002")

    plan, reads = story.plan()

    assert of_lists(reads) == LISTS | UNDATED | {"/integrations/ID": 1}
    assert actions(plan) == {"integration.close": ["update"]}
    assert plan["cwsync"]["reads"]["assumed"] == 2


def test_a_plan_of_lists_can_be_applied_as_it_is(story: Story) -> None:
    story.apply()
    story.project.replace("manifests/close.yaml", "118000000001", "118000000002")
    assert story.run("plan", "--out", "plan.json").status == 0

    done = story.run("apply", "plan.json")

    assert done.status == 0, done.all
    assert not actions(story.plan("--refresh", "full")[0])


def test_drift_that_nobody_has_dealt_with_is_read_each_time(story: Story) -> None:
    """What is as applied is remembered, and only that."""
    story.apply()
    story.tenant.edit("update", "integration", name="Month close", body={"processId": "118000000009"})
    story.time.skip(5)
    story.project.replace("manifests/sales.yaml", "Accounts.csv", "Other.csv")
    assert story.run("apply", "--auto-approve", "--target", "integration.accounts").status == 0

    plan, reads = story.plan()

    assert reads["/integrations/ID"] == 1
    assert actions(plan) == {"integration.close": ["update"]}


def test_drift_reads_in_full_and_finds_what_keeps_its_date(story: Story) -> None:
    """Whether each change gets another date is not known of the service: full reads are the net for that."""
    story.apply()
    story.edit_file(keeping_date=True)

    assert not actions(story.plan()[0])
    assert "integration.accounts" in story.run("drift").out
    assert actions(story.plan("--refresh", "full")[0]) == {"integration.accounts": ["update"]}


def test_what_the_list_tells_is_believed_rather_than_its_date(story: Story) -> None:
    story.apply()
    before = next(one for one in story.tenant.snapshot()["integrations"] if one["name"] == "Month close")
    body = {"processId": "118000000009", "modificationDate": before["modificationDate"]}
    story.tenant.edit("update", "integration", name="Month close", body=body)

    assert actions(story.plan()[0]) == {"integration.close": ["update"]}


def test_the_text_says_what_was_not_read(story: Story) -> None:
    story.apply()

    assert (
        "Taken as last read in full, because their lists show no change: 3 objects (--refresh full"
        in story.run("plan").out
    )
    assert "Taken as" not in story.run("plan", "--refresh", "full").out
