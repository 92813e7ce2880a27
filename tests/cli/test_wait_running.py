"""--wait-running: what runs is waited for before the lock is taken, and once more where a run begins later."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.program import Ran, cwsync
from support.projects import Project, small
from support.tenant import Tenant, served

from cwsync.cli.outside import Outside
from cwsync.state import Clock

EDITED = ("manifests/sales.yaml", "file: Accounts.csv", "file: Other.csv")


@dataclass
class Time:
    """It stands still but for those who sleep; `asleep` is told of it. The client's own pace is no wait."""

    now: float = datetime(2026, 11, 21, 0, 30, tzinfo=UTC).timestamp()
    slept: list[float] = field(default_factory=list)
    asleep: Callable[[], object] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if seconds >= 0.5:
            self.slept.append(seconds)
            self.asleep()


@dataclass
class Scene:
    """Everything is applied, then the file of the import is another one; time is the tenant's and cwsync's."""

    project: Project
    tenant: Tenant
    time: Time

    def run(self, *arguments: str) -> Ran:
        clock = Clock(
            lambda: self.time.now, lambda: datetime.fromtimestamp(self.time.now, UTC), self.time.sleep
        )
        return cwsync(*arguments, folder=self.project.root, outside=Outside(clock=clock))

    def begin(self, seconds: float, address: str = "integration.accounts") -> None:
        name = {"integration.accounts": "Accounts import", "integration.close": "Month close"}
        for each in name if address.startswith("flow.") else [address]:
            self.tenant.edit("update", "outcome", name=name[each], body={"seconds": seconds})
        assert self.run("run", address).status == 0

    def sent(self) -> list[str]:
        """Every mutation so far but runs, without ids."""
        return [
            call.partition("/")[0] + call.split("/")[1]
            for call in self.tenant.mutations()
            if "/run" not in call
        ]

    def file(self) -> str:
        (one,) = [
            each for each in self.tenant.snapshot()["integrations"] if each["name"] == "Accounts import"
        ]
        return str(one["jobs"][0]["sources"][0]["file"])

    def locked(self) -> bool:
        state = json.loads((self.project.root / ".cwsync/test.state.json").read_text())
        return state["lock"] is not None


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    time = Time()
    with served(clock=lambda: time.now) as tenant:
        scene = Scene(small(tenant, tmp_path), tenant, time)
        assert scene.run("apply", "--auto-approve").status == 0
        scene.project.replace(*EDITED)
        time.slept.clear()
        yield scene


def test_without_it_the_service_refuses_and_the_plan_has_said_so(scene: Scene) -> None:
    scene.begin(600)
    planned = scene.run("plan")
    assert "Running when the tenant was read (apply --wait-running waits for the end):" in planned.out
    assert "  integration.accounts: in the way of integration.accounts\n" in planned.out
    ran = scene.run("apply", "--auto-approve")
    # Its schedule was disabled before and is enabled again, so nothing has changed.
    assert (ran.status, scene.file()) == (1, "Accounts.csv")
    assert "CW306" in ran.all
    assert "waiting for its end" not in ran.err


def test_with_it_the_end_is_waited_for_and_nobody_is_kept_waiting(scene: Scene) -> None:
    scene.begin(60)
    before = scene.sent()
    seen: list[tuple[bool, list[str]]] = []

    def look() -> None:
        if scene.file() == "Accounts.csv":
            seen.append((scene.locked(), scene.sent()))

    scene.time.asleep = look
    ran = scene.run("apply", "--auto-approve", "--wait-running")
    assert (ran.status, scene.file()) == (0, "Other.csv"), ran.all
    assert "integration.accounts is running: waiting for its end." in ran.err
    assert "integration.accounts runs no longer." in ran.err
    assert seen
    assert all(now == (False, before) for now in seen)
    waited = scene.time.slept[: len(seen)]
    assert 60 <= sum(waited) < 72
    assert waited == sorted(waited)


def test_where_nothing_runs_nothing_is_waited_for(scene: Scene) -> None:
    scene.begin(600, "integration.close")
    ran = scene.run("apply", "--auto-approve", "--wait-running")
    assert (ran.status, scene.file()) == (0, "Other.csv")
    assert "waiting for its end" not in ran.err


def test_what_runs_for_too_long_keeps_everything_as_it_is(scene: Scene) -> None:
    scene.begin(600)
    before = scene.sent()
    ran = scene.run("apply", "--auto-approve", "--wait-running=30")
    assert ran.status == 1
    assert "CW540 integration.accounts still runs after 30 s, so nothing was changed" in ran.err
    assert "cwsync cancel integration.accounts" in ran.err
    assert (scene.sent(), scene.locked(), sum(scene.time.slept)) == (before, False, 30)


def test_ctrl_c_ends_the_wait_and_nothing_is_changed(scene: Scene) -> None:
    scene.begin(600)
    before = scene.sent()

    def ctrl_c() -> None:
        raise KeyboardInterrupt

    scene.time.asleep = ctrl_c
    ran = scene.run("apply", "--auto-approve", "--wait-running")
    assert ran.status == 130
    assert "CW604" in ran.err
    assert (scene.sent(), scene.locked(), len(scene.time.slept)) == (before, False, 1)


def test_a_saved_plan_waits_and_can_be_applied_after_a_wait_that_was_too_short(scene: Scene) -> None:
    assert scene.run("plan", "--out", "a.plan").status == 0
    scene.begin(60)
    assert scene.run("apply", "--wait-running=5", "a.plan").status == 1
    ran = scene.run("apply", "--wait-running", "a.plan")
    assert (ran.status, scene.file()) == (0, "Other.csv"), ran.all


def test_a_run_that_begins_after_the_tenant_was_read_is_waited_for(scene: Scene) -> None:
    refused = {"status": 409, "message": "Integration is already running"}
    for nth in (1, 2):
        scene.tenant.fault("status", "PUT", "/2/0/integrations/*", nth=nth, **refused)
    ran = scene.run("apply", "--auto-approve", "--wait-running")
    assert (ran.status, scene.file()) == (0, "Other.csv"), ran.all
    assert ran.err.count("integration.accounts: a run is in the way of the update, waiting for its end") == 1
    assert scene.time.slept[:2] == [1.0, 1.5]


def test_destroying_waits_too(scene: Scene) -> None:
    scene.begin(60, "flow.nightly")
    refused = scene.run("destroy", "--auto-approve")
    assert refused.status in (1, 6)
    ran = scene.run("destroy", "--auto-approve", "--wait-running")
    assert ran.status == 0, ran.all
    assert scene.tenant.snapshot()["integrations"] == []


def test_a_plan_reads_nothing_more_to_tell_what_runs(scene: Scene) -> None:
    def reads() -> list[str]:
        before = len(scene.tenant.requests())
        assert scene.run("plan").status == 0
        return [f"{each['method']} {each['path']}" for each in scene.tenant.requests()[before:]]

    quiet = reads()
    scene.begin(600)
    assert sorted(reads()) == sorted(quiet)


def test_waiting_reads_one_object_for_each_look(scene: Scene) -> None:
    scene.begin(20)
    looks: list[int] = []
    scene.time.asleep = lambda: looks.append(len(scene.tenant.requests()))
    assert scene.run("apply", "--auto-approve", "--wait-running=15").status == 1
    assert len(looks) > 3
    assert looks == list(range(looks[0], looks[0] + len(looks)))
