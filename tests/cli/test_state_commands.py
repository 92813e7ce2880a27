"""state mv, rm, pull, push and unlock: what they change, what they refuse, and that CloudWorks hears nothing."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.program import Ran, command, cwsync
from support.projects import Project
from support.tenant import Tenant
from unit.state.holding import ELSEWHERE, Time, gone

from cwsync.cli.outside import Outside
from cwsync.state import ABSENT, Held, Holder, Intent, LocalStore, Lock, State, acquire, to_json

STATE = ".cwsync/test.state.json"


def store(project: Project) -> LocalStore:
    return LocalStore(project.root / STATE)


def stored(project: Project) -> State:
    state = store(project).read()
    assert state is not None
    return state


def lock(project: Project) -> Lock:
    found = stored(project).lock
    assert found is not None
    return found


def known(project: Project) -> list[str]:
    listed: list[str] = json.loads(project.run("state", "list", "--format", "json").out)
    return listed


def pending(project: Project, address: str = "integration.accounts") -> None:
    """What a run leaves that was cut off."""
    intent = Intent(
        "r:1", "r", 1, address, address.partition(".")[0], "update", "n", "h", ABSENT, "2030-01-07"
    )
    base = stored(project)
    store(project).commit(base, base.with_intents([intent]))


def held(project: Project, holder: Holder | None = ELSEWHERE, *, unsure: bool = False) -> Held:
    """The lock of another run, which is in the middle of something or not."""
    if unsure:
        pending(project)
    return acquire(store(project), tenant=None, holder=holder)


@contextmanager
def unheard(tenant: Tenant) -> Iterator[None]:
    """CloudWorks gets no request at all."""
    before = len(tenant.requests())
    yield
    assert len(tenant.requests()) == before


def refused(ran: Ran, status: int, code: str, *says: str) -> None:
    assert (ran.status, ran.out) == (status, ""), ran.all
    for word in (code, *says):
        assert word in ran.err


def test_a_resource_keeps_its_object_under_another_address(project: Project, tenant: Tenant) -> None:
    project.applied()
    with unheard(tenant):
        ran = project.run("state", "mv", "integration.accounts", "integration.customers")
        assert ran.status == 0, ran.all
        assert "integration.accounts has moved to integration.customers." in ran.out
        assert "the key customers in the manifests" in ran.err
        assert (
            "notification.accounts and schedule.accounts belong to it: write `integration: customers`"
            in ran.err
        )
        moved = project.run("state", "mv", "connection.sales", "connection.shop", "--format", "json")
        assert json.loads(moved.out) == {"from": "connection.sales", "to": "connection.shop", "parts": []}
    assert "integration.customers" in known(project)
    assert stored(project).resources["schedule.accounts"].parent == "integration.customers"
    sales = project.read("manifests/sales.yaml")
    for before, after in (
        ("integrations:\n  accounts:", "integrations:\n  customers:"),
        ("connections:\n  sales:", "connections:\n  shop:"),
        ("connection: sales", "connection: shop"),
        ("{type: daily", "{integration: customers, type: daily"),
        ("{channels", "{integration: customers, channels"),
    ):
        assert before in sales
        sales = sales.replace(before, after)
    project.write("manifests/sales.yaml", sales)
    project.replace("manifests/nightly.yaml", "integration: accounts", "integration: customers")
    planned = project.run("plan", "--detailed-exitcode")
    assert (planned.status, "No changes." in planned.out) == (0, True), planned.all
    project.write("secrets/secret", "rotated")
    assert project.run("plan", "--detailed-exitcode").status == 2


@pytest.mark.parametrize(
    ("source", "target", "code", "says"),
    [
        ("flow.nightli", "flow.x", "CW507", "did you mean flow.nightly?"),
        ("flow.nightly", "integration.close", "CW509", "begins with flow."),
        ("integration.accounts", "integration.close", "CW509", "both are managed"),
        ("flow.nightly", "flow.Every Night", "CW206", "flow.Every Night"),
        ("flow.nightly", "nightly", "CW206", "a kind and a key"),
    ],
)
def test_a_move_that_is_refused_writes_nothing(
    project: Project, source: str, target: str, code: str, says: str
) -> None:
    before = stored(project.applied())
    refused(project.run("state", "mv", source, target), 1, code, says)
    assert stored(project) == before


def test_a_forgotten_integration_takes_its_parts_along_and_stays_in_the_tenant(
    project: Project, tenant: Tenant
) -> None:
    project.replace(
        "manifests/sales.yaml",
        "name: Accounts import",
        "lifecycle: {preventDestroy: true}\n    name: Accounts import",
    )
    before = known(project.applied())
    with unheard(tenant):
        ran = project.run("state", "rm", "integration.accounts", "flow.nightly")
    assert ran.status == 0, ran.all
    for line in (
        "integration.accounts is forgotten, and stays in the tenant.",
        "flow.nightly is forgotten, and stays in the tenant.",
        "schedule.accounts is forgotten with its integration, and stays in the tenant.",
        "notification.accounts is forgotten with its integration, and stays in the tenant.",
    ):
        assert line in ran.out
    assert "CW501" in ran.err
    assert known(project) == ["connection.sales", "integration.close"]
    assert len(before) == 6
    assert "Accounts import" in tenant.names("integrations")
    planned = project.run("plan")
    assert (planned.status, "CW501" in planned.all) == (1, True)


def test_forgetting_as_json(project: Project) -> None:
    project.applied()
    ran = project.run("state", "rm", "integration.accounts", "--format", "json")
    parts = ["notification.accounts", "schedule.accounts"]
    assert json.loads(ran.out) == {"forgotten": ["integration.accounts", *parts], "deposed": []}


def test_one_address_that_is_not_managed_forgets_nothing(project: Project) -> None:
    before = stored(project.applied())
    ran = project.run("state", "rm", "flow.nightly", "integration.acounts")
    refused(ran, 1, "CW507", "did you mean integration.accounts?")
    assert stored(project) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["mv", "integration.accounts", "integration.new"],
        ["mv", "integration.close", "integration.accounts"],
        ["rm", "integration.accounts"],
        ["rm", "connection.sales", "integration.accounts"],
        ["push", "--force", "copy.json"],
    ],
)
def test_nothing_is_edited_where_an_operation_is_pending(project: Project, arguments: list[str]) -> None:
    project.applied()
    project.write("copy.json", project.run("state", "pull").out)
    if arguments[1] == "integration.close":
        assert project.run("state", "rm", "integration.accounts").status == 0
    pending(project)
    before = stored(project)
    refused(project.run("state", *arguments), 1, "CW407", "update of integration.accounts", "cwsync recover")
    assert stored(project) == before


def test_a_copy_is_what_is_stored_and_can_be_put_back(project: Project, tenant: Tenant) -> None:
    project.applied()
    path = project.root / STATE
    path.write_bytes(path.read_bytes().replace(b"  ", b"\t"))
    with unheard(tenant):
        copy = project.run("state", "pull")
        assert copy.out.encode() == path.read_bytes()
        project.write("copy.json", copy.out)
        kept = stored(project)
        assert project.run("state", "rm", "flow.nightly").status == 0
        refused(
            project.run("state", "push", "copy.json"), 1, "CW408", f"serial {kept.serial},", "--force",
            str(stored(project).serial),
        )  # fmt: skip
        assert "flow.nightly" not in known(project)
        latest = stored(project)
        ran = project.run("state", "push", "--force", "copy.json")
    assert ran.status == 0, ran.all
    assert f"6 resources, and the serial {stored(project).serial}." in ran.out
    now = stored(project)
    assert (now.resources, now.lineage, now.tenant, now.lock) == (
        kept.resources,
        kept.lineage,
        kept.tenant,
        None,
    )
    assert now.serial > latest.serial
    assert now.epoch > latest.epoch
    assert now.writerNonce not in (kept.writerNonce, latest.writerNonce)
    assert project.run("plan", "--detailed-exitcode").status == 0


@pytest.mark.parametrize("how_many", [6, 5])
def test_a_copy_of_what_is_stored_may_always_be_put_back(project: Project, how_many: int) -> None:
    """As it is, or mended by hand."""
    now = stored(project.applied())
    kept = dict([*now.resources.items()][:how_many])
    project.write("copy.json", to_json(replace(now, resources=kept)).decode())
    ran = project.run("state", "push", "copy.json")
    assert (ran.status, stored(project).resources) == (0, kept), ran.all


def test_a_state_that_was_lost_is_put_back_from_standard_input(project: Project) -> None:
    copy = project.applied().run("state", "pull").out
    lost = stored(project)
    (project.root / STATE).unlink()
    refused(project.run("state", "pull"), 1, "CW507", "test.state.json", "cwsync apply")
    done = subprocess.run(
        command("state", "push", "-", "--format", "json"),
        cwd=project.root, input=copy, capture_output=True, text=True, check=False,
    )  # fmt: skip
    now = stored(project)
    assert json.loads(done.stdout) == {"lineage": lost.lineage, "serial": now.serial, "resources": 6}, (
        done.stderr
    )
    assert (now.resources, now.tenant, now.lock) == (lost.resources, lost.tenant, None)
    assert now.serial > lost.serial
    assert project.run("plan", "--detailed-exitcode").status == 0


def test_a_plan_of_the_state_that_was_lost_does_not_fit_the_one_that_was_put_back(project: Project) -> None:
    project.applied()
    project.write("copy.json", project.run("state", "pull").out)
    project.replace("manifests/close.yaml", "Month close", "Months close")
    assert project.run("plan", "--out", "a.plan").status == 0
    (project.root / STATE).unlink()
    assert project.run("state", "push", "copy.json").status == 0
    refused(project.run("apply", "a.plan"), 3, "CW511")


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        (lambda state: replace(state, lineage="another"), "CW408", "lineage another"),
        (lambda state: replace(state, tenant="https://other.example.com"), "CW403", "other.example.com"),
    ],
)
def test_what_is_not_a_copy_of_this_state_is_refused_even_by_force(
    project: Project, change: Callable[[State], State], code: str, says: str
) -> None:
    before = stored(project.applied())
    project.write("copy.json", to_json(change(before)).decode())
    refused(project.run("state", "push", "--force", "copy.json"), 1, code, says)
    assert stored(project) == before


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        ("{}", "CW401", "copy.json"),
        ('{"format": "cwsync-state", "version": 99}', "CW402", "version 99"),
        (None, "CW901", "copy.json"),
    ],
)
def test_what_is_no_state_at_all_is_refused(
    project: Project, content: str | None, code: str, says: str
) -> None:
    if content is not None:
        project.write("copy.json", content)
    refused(project.run("state", "push", "copy.json"), 1, code, says)
    assert not (project.root / STATE).exists()


def test_a_damaged_state_is_no_copy_to_keep(project: Project) -> None:
    project.applied().write(STATE, project.read(STATE)[:-20])
    refused(project.run("state", "pull"), 1, "CW401", "cwsync state push")


@pytest.mark.parametrize("arguments", [["mv", "flow.a", "flow.b"], ["rm", "flow.a"], ["pull"]])
def test_without_a_state_nothing_is_managed(project: Project, arguments: list[str]) -> None:
    refused(project.run("state", *arguments), 1, "CW507", "nothing is managed")
    assert not (project.root / STATE).exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["mv", "flow.nightly", "flow.b"],
        ["mv", "flow.no", "flow.b"],
        ["rm", "flow.nightly"],
        ["push", "copy.json"],
    ],
)
def test_an_edit_waits_for_the_lock(project: Project, arguments: list[str]) -> None:
    project.applied().write("copy.json", project.run("state", "pull").out)
    other = held(project)
    before = stored(project)
    refused(project.run("state", *arguments), 4, "CW404", "alice on build-7", "cwsync unlock")
    assert stored(project) == before
    assert project.run("state", "pull").out == project.read(STATE)

    time = Time()
    time.asleep = other.release
    ran = cwsync(
        "state", *arguments, "--lock-timeout", "60", folder=project.root, outside=Outside(clock=time.clock)
    )
    assert "locked by alice on build-7 (process 4711): waiting." in ran.err
    assert "CW404" not in ran.err


def test_an_edit_after_a_run_that_was_killed_waits_for_what_it_has_sent(project: Project) -> None:
    held(project.applied(), gone(), unsure=True)
    time = Time()
    ran = cwsync("state", "rm", "flow.nightly", folder=project.root, outside=Outside(clock=time.clock))
    assert (ran.status, time.now) == (0, 1005), ran.all
    assert "waiting 5 s" in ran.err
    assert (stored(project).lock, stored(project).settling, len(stored(project).pending)) == (None, 0, 1)


@pytest.mark.parametrize("group", ["state", "auth"])
def test_options_stand_before_the_group_after_it_and_at_the_end(
    project: Project, group: str, tmp_path: Path
) -> None:
    project.applied()
    last = {"state": "list", "auth": "check"}[group]
    options = ["-C", "project", "--format", "json", "-q"]
    ran = [
        cwsync(*arguments, folder=tmp_path)
        for arguments in ([*options, group, last], [group, *options, last], [group, last, *options])
    ]
    assert [one.status for one in ran] == [0, 0, 0], ran
    assert json.loads(ran[0].out).__class__ in (list, dict)
    assert cwsync("-C", "no", group, "-C", "project", last, folder=tmp_path).status == 0
    assert cwsync(group, "-C", "no", last, "-C", "project", folder=tmp_path).status == 0
    assert cwsync("-C", "project", group, "-C", "no", last, folder=tmp_path).status == 1


def unlock(project: Project, *arguments: str, time: Time | None = None, **outside: Any) -> Ran:
    clock = (time or Time()).clock
    return cwsync("unlock", *arguments, folder=project.root, outside=Outside(clock=clock, **outside))


@pytest.mark.parametrize("arguments", [[], ["made-up"]])
def test_what_is_not_locked_needs_no_unlocking(project: Project, arguments: list[str]) -> None:
    for _ in range(2):
        ran = unlock(project, *arguments)
        assert (ran.status, "is not locked." in ran.out) == (0, True), ran.all
        assert json.loads(unlock(project, *arguments, "--format", "json").out) == {
            "locked": False,
            "pending": [],
        }
        project.applied()


def test_unlock_shows_who_holds_the_lock_and_what_to_type(project: Project, tenant: Tenant) -> None:
    other = held(project.applied(), unsure=True)
    before = stored(project)
    with unheard(tenant):
        ran = unlock(project, "-e", "test")
        document = json.loads(unlock(project, "--format", "json").out)
    assert ran.status == 4
    for word in (
        "alice on build-7 (process 4711)", other.lock.since, other.lock.beat, "update of integration.accounts",
        f"cwsync unlock -e test {other.lock.nonce}",
    ):  # fmt: skip
        assert word in ran.out
    assert document["locked"] is True
    assert (document["nonce"], document["holder"]["host"]) == (other.lock.nonce, "build-7")
    assert document["pending"] == ["update of integration.accounts"]
    assert stored(project) == before


def test_unlock_says_where_it_is_not_needed(project: Project) -> None:
    held(project.applied(), gone())
    ran = unlock(project)
    assert (ran.status, "takes the lock over by itself" in ran.out) == (4, True)


def test_a_wrong_nonce_unlocks_nothing_and_is_not_told_the_right_one(project: Project) -> None:
    other = held(project.applied())
    before = stored(project)
    ran = unlock(project, "made-up")
    refused(ran, 4, "CW404", "alice on build-7 (process 4711)", other.lock.beat)
    assert other.lock.nonce not in ran.all
    assert stored(project) == before


def test_unlocking_waits_until_nothing_can_arrive_and_keeps_what_is_pending(
    project: Project, tenant: Tenant
) -> None:
    other, time = held(project.applied(), unsure=True), Time()
    with unheard(tenant):
        ran = unlock(project, other.lock.nonce, time=time)
    assert (ran.status, time.now) == (0, 1120), ran.all
    assert "up to 120 s pass" in ran.err
    assert "is no longer locked." in ran.out
    assert "pending: update of integration.accounts: the next apply finds out" in ran.err
    state = stored(project)
    assert (state.lock, len(state.pending), state.epoch) == (None, 1, other.lock.epoch + 1)


def test_with_nothing_pending_unlocking_is_done_at_once(project: Project) -> None:
    other, time = held(project.applied()), Time()
    ran = unlock(project, other.lock.nonce, "--format", "json", time=time)
    assert (ran.status, json.loads(ran.out)) == (0, {"locked": False, "pending": []})
    assert (time.now, stored(project).lock) == (1000, None)
    assert project.run("apply", "--auto-approve").status == 0


def test_an_interrupted_unlock_leaves_a_lock_that_heals(project: Project) -> None:
    other, time = held(project.applied(), unsure=True), Time()

    def interrupt() -> None:
        raise KeyboardInterrupt

    time.asleep = interrupt
    ran = unlock(project, other.lock.nonce, time=time, holder=gone())
    assert (ran.status, "CW604" in ran.err) == (130, True), ran.all
    assert lock(project).nonce != other.lock.nonce
    later = Time()
    heir = acquire(store(project), tenant=None, clock=later.clock)
    heir.settle()
    assert later.now == 1120
