"""A state in a bucket, and moving it between stores, at the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from support.program import Ran, cwsync, cwsync_process
from support.projects import Project
from support.s3 import BUCKET, KEY, SECRET, Server, serving
from support.tenant import Tenant
from unit.state.holding import ELSEWHERE, INTENT, Time

from cwsync.cli.outside import Outside
from cwsync.errors import CwsyncError
from cwsync.state import Conflict, Files, LocalStore, State, Store, acquire, from_json
from cwsync.state.moving import found_at
from cwsync.state.object import ObjectStore

LOCAL = ".cwsync/test.state.json"
REMOTE = f"s3://{BUCKET}/team/test.state.json"
RESOURCES = 6


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    with serving(Server()) as server:
        for name, value in {
            "ACCESS_KEY_ID": KEY,
            "SECRET_ACCESS_KEY": SECRET,
            "ENDPOINT_URL": server.url,
        }.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        yield server


def kept_at(project: Project, place: str) -> None:
    lines = [line for line in project.read("cwsync.yaml").splitlines() if "    state:" not in line]
    at = lines.index("  test:") + 1
    project.write("cwsync.yaml", "\n".join([*lines[:at], f"    state: {place}", *lines[at:]]) + "\n")


def migrate(project: Project, to: str, *options: str) -> Ran:
    return project.run("state", "migrate", to, *options)


def refused(ran: Ran, code: str, *says: str) -> None:
    assert ran.status != 0
    for word in (code, *says):
        assert word in ran.err, ran.all


def store(project: Project, place: str) -> Store:
    return ObjectStore.at(place) if "://" in place else LocalStore(project.root / place)


def document(project: Project, place: str) -> State:
    found = found_at(store(project, place))
    assert found is not None
    return found


def test_a_project_is_applied_with_its_state_in_a_bucket(
    project: Project, tenant: Tenant, s3: Server
) -> None:
    kept_at(project, REMOTE)
    assert project.applied().run("plan", "--detailed-exitcode").status == 0
    assert not (project.root / LOCAL).exists()
    assert [*s3.objects] == [f"/{BUCKET}/team/test.state.json"]
    listed = json.loads(project.run("state", "list", "--format", "json").out)
    assert len(listed) == RESOURCES
    kept = project.run("state", "pull").out
    assert len(from_json(kept.encode(), "the copy").resources) == RESOURCES
    assert "made-up" not in kept
    assert project.run("destroy", "--auto-approve").status == 0


def test_a_second_runner_waits_outside(project: Project, s3: Server) -> None:
    kept_at(project, REMOTE)
    project.applied()
    held = acquire(ObjectStore.at(REMOTE), tenant=None, holder=ELSEWHERE)
    refused(project.run("apply", "--auto-approve"), "CW404", REMOTE, "alice on build-7")
    assert project.run("unlock", held.lock.nonce).status == 0
    assert project.run("apply", "--auto-approve").status == 0


def test_credentials_that_are_not_accepted_are_named(
    project: Project, s3: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept_at(project, REMOTE)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    ran = project.run("plan")
    refused(ran, "CW401", REMOTE, "does not accept the credentials")
    assert SECRET not in ran.all


def test_without_the_extra_it_says_what_to_install(project: Project) -> None:
    kept_at(project, REMOTE)
    project.write("packages/obstore.py", "raise ModuleNotFoundError('made up', name='obstore')\n")
    environ = {"PYTHONPATH": str(project.root / "packages")}
    ran = cwsync_process("state", "list", folder=project.root, environ=environ)
    refused(ran, "CW701", REMOTE, "needs obstore", "pip install 'cwsync[remote]'")


def test_the_state_moves_into_a_bucket_and_back(project: Project, tenant: Tenant, s3: Server) -> None:
    project.applied()
    before, requests = document(project, LOCAL), len(tenant.requests())
    ran = migrate(project, REMOTE)
    assert ran.status == 0, ran.all
    assert f"{RESOURCES} resources" in ran.out
    assert f"state: {REMOTE}" in ran.err
    for command in (
        ["plan"],
        ["apply", "--auto-approve"],
        ["state", "list"],
        ["state", "rm", "flow.nightly"],
    ):
        refused(project.run(*command), "CW410", LOCAL, f"has moved to {REMOTE}", f"`state: {REMOTE}`")
    kept_at(project, REMOTE)
    assert project.run("plan", "--detailed-exitcode").status == 0
    after = document(project, REMOTE)
    assert (after.lineage, after.resources, after.lock) == (before.lineage, before.resources, None)
    assert after.serial > document(project, LOCAL).serial
    assert migrate(project, LOCAL).status == 0
    refused(project.run("plan"), "CW410", f"has moved to {LOCAL}")
    kept_at(project, LOCAL)
    assert project.run("plan", "--detailed-exitcode").status == 0
    assert document(project, LOCAL).resources == before.resources
    assert not [
        one for one in tenant.requests()[requests:] if one["method"] != "GET" and "/2/0" in one["path"]
    ]


def test_what_is_pending_moves_along(project: Project, s3: Server) -> None:
    project.applied()
    base = document(project, LOCAL)
    LocalStore(project.root / LOCAL).commit(base, base.with_intents([INTENT]))
    ran = migrate(project, REMOTE, "--format", "json")
    assert ran.status == 0, ran.all
    there = document(project, REMOTE)
    assert json.loads(ran.out) == {
        "from": LOCAL, "to": REMOTE, "lineage": base.lineage, "serial": there.serial, "resources": RESOURCES,
    }  # fmt: skip
    assert there.pending == {INTENT.op: INTENT}


def test_another_state_or_a_copy_of_this_one_is_never_replaced(project: Project) -> None:
    project.applied()
    before = project.read(LOCAL)
    other = LocalStore(project.root / "other.json").commit(None, State.new())
    refused(migrate(project, "other.json"), "CW408", "is another state", other.lineage)
    project.write("copy.json", before)
    refused(migrate(project, "copy.json"), "CW408", "is there already")
    refused(migrate(project, LOCAL), "CW408", "is there already")
    refused(migrate(project, "s3://bucket"), "CW901", "needs a bucket")
    assert project.read(LOCAL) == before
    (project.root / LOCAL).unlink()
    refused(migrate(project, "new.json"), "CW507")


def test_a_bucket_that_cannot_take_it_leaves_everything_as_it_was(project: Project, s3: Server) -> None:
    project.applied()
    s3.conditions = ()
    refused(migrate(project, REMOTE), "CW409")
    s3.refuses = (403, "AccessDenied")
    refused(migrate(project, REMOTE), "CW401", "the credentials may not do this")
    assert project.run("plan", "--detailed-exitcode").status == 0
    assert document(project, LOCAL).movedTo is None


def test_a_state_that_is_locked_stays(project: Project) -> None:
    project.applied()
    held = acquire(LocalStore(project.root / LOCAL), tenant=None, holder=ELSEWHERE)
    refused(migrate(project, "new.json"), "CW404")
    assert not (project.root / "new.json").exists()
    held.release()


class Killed(BaseException):
    """The process ends here."""


class Dying(Files):
    """Real files, until the given commit: nothing is written from then on, or nothing after that one."""

    def __init__(self, at: int, *, before: bool) -> None:
        self.commits = 0
        self._at = at
        self._before = before

    def replace(self, source: Path, target: Path) -> None:
        self.commits += 1
        if self.commits > self._at or (self._before and self.commits == self._at):
            raise Killed
        super().replace(source, target)
        if self.commits == self._at:
            raise Killed


COMMITS = 5  # the lock, the copy, what is left behind, the lock again, the arrival


def live(project: Project, *places: str) -> list[str]:
    """Where the state can be worked with."""
    found = []
    for place in places:
        with suppress(CwsyncError):
            found += [place] if store(project, place).read() else []
    return found


def test_a_move_is_so_many_commits(project: Project) -> None:
    files = Dying(99, before=True)
    project.applied()
    assert (
        cwsync("state", "migrate", "new.json", folder=project.root, outside=Outside(files=files)).status == 0
    )
    assert files.commits == COMMITS


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, COMMITS + 1))
def test_a_move_that_is_killed_leaves_one_state_at_most_and_is_taken_up_again(
    project: Project, at: int, before: bool
) -> None:
    project.applied()
    was = document(project, LOCAL)
    time = Time()
    dying = Outside(files=Dying(at, before=before), holder=ELSEWHERE, clock=time.clock)
    with pytest.raises(Killed):
        cwsync("state", "migrate", "new.json", folder=project.root, outside=dying)
    left = live(project, LOCAL, "new.json")
    assert len(left) <= 1
    if not left:
        refused(project.run("plan"), "CW410", "has moved to new.json")
        kept_at(project, "new.json")
        refused(project.run("plan"), "CW410", "on its way")
        kept_at(project, LOCAL)
    again = Outside(holder=replace(ELSEWHERE, process=2), clock=time.clock)
    ran = cwsync("state", "migrate", "new.json", "--lock-timeout", "300", folder=project.root, outside=again)
    assert ran.status == 0, ran.all
    assert live(project, LOCAL, "new.json") == ["new.json"]
    there = document(project, "new.json")
    assert (there.resources, there.lock) == (was.resources, None)
    kept_at(project, "new.json")
    assert project.run("plan", "--detailed-exitcode").status == 0


def test_a_run_that_is_moved_away_from_under_writes_nothing_more(project: Project) -> None:
    project.applied()
    time = Time()
    held = acquire(store(project, LOCAL), tenant=None, holder=ELSEWHERE, clock=time.clock)
    mover = Outside(holder=replace(ELSEWHERE, process=2), clock=time.clock)
    moved = cwsync(
        "state", "migrate", "new.json", "--lock-timeout", "300", folder=project.root, outside=mover
    )
    assert moved.status == 0, moved.all
    with pytest.raises(Conflict):
        held.update(lambda state: replace(state, resources={}))
    assert len(document(project, "new.json").resources) == RESOURCES


def test_what_was_left_behind_is_a_copy_to_put_back(project: Project) -> None:
    """Where the new place is lost."""
    project.applied()
    assert migrate(project, "new.json").status == 0
    (project.root / "new.json").unlink()
    project.write("copy.json", project.run("state", "pull").out)
    kept_at(project, "new.json")
    assert project.run("state", "push", "copy.json").status == 0
    assert project.run("plan", "--detailed-exitcode").status == 0
