"""The exit statuses of the contract, section 3, each by situations that lead to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.program import cwsync
from support.projects import Project
from support.tenant import Tenant

from cwsync.state import LocalStore, acquire

STATE = ".cwsync/test.state.json"


def test_nothing_to_do_is_0(project: Project) -> None:
    project.applied()
    for arguments in (["plan", "--detailed-exitcode"], ["apply", "--auto-approve"], ["drift"], ["validate"]):
        ran = project.run(*arguments)
        assert ran.status == 0, ran.all
    assert "No changes." in project.run("plan").out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Usage: cwsync"),
        (["plann"], "did you mean plan?"),
        (["plan", "--detailed"], "'--detailed-exitcode'?"),
        (["plan", "extra"], "extra"),
        (["-e"], "-e"),
        (["apply", "--lock-timeout", "soon"], "soon"),
        (["plan", "--format", "yaml"], "yaml"),
        (["plan", "--var", "novalue"], "NAME=VALUE"),
        (["state"], "Usage: cwsync state"),
        (["state", "list", "--what"], "--what"),
        (["show"], "FILE"),
        (["schema", "manifests"], "manifests"),
        (["emulator", "--rate", "fast"], "fast"),
    ],
)
def test_wrong_usage_is_1(arguments: list[str], says: str, tmp_path: Path) -> None:
    ran = cwsync(*arguments, folder=tmp_path)
    assert ran.status == 1
    assert says in ran.all


def test_no_project_is_1(tmp_path: Path) -> None:
    for name in ("validate", "plan", "apply", "destroy", "drift", "graph"):
        ran = cwsync(name, *(["--auto-approve"] if name in ("apply", "destroy") else []), folder=tmp_path)
        assert (ran.status, ran.out) == (1, "")
        assert "CW110" in ran.err
        assert "cwsync init" in ran.err


def test_an_invalid_manifest_is_1_and_sends_nothing(project: Project, tenant: Tenant) -> None:
    project.replace("manifests/sales.yaml", "bucketName", "bucketname")
    for arguments in (["validate"], ["plan"], ["apply", "--auto-approve"], ["drift"]):
        ran = project.run(*arguments)
        assert ran.status == 1
        assert "manifests/sales.yaml:5:5: CW201 'bucketname' is not a field here" in ran.err
        assert "did you mean 'bucketName'?" in ran.err
    assert tenant.requests() == []


@pytest.mark.parametrize("arguments", [["plan"], ["apply", "--auto-approve"], ["drift"]])
def test_an_incomplete_read_is_1_and_changes_nothing(
    project: Project, tenant: Tenant, arguments: list[str]
) -> None:
    project.applied()
    project.replace("manifests/sales.yaml", "bucketName: landing", "bucketName: other")
    project.remove("manifests/nightly.yaml")
    before = tenant.mutations()
    tenant.fault("status", "GET", "/2/0/integrations/connections", status=403)
    ran = project.run(*arguments)
    assert ran.status == 1
    assert "CW312" in ran.all
    assert "connections could not be read completely" in ran.all
    assert tenant.mutations() == before


def test_changes_are_2_where_it_is_asked_for(project: Project) -> None:
    assert project.run("plan").status == 0
    ran = project.run("plan", "--detailed-exitcode")
    assert ran.status == 2
    assert "Plan: 6 to add, 0 to change, 0 to destroy." in ran.out


def test_drift_is_2(project: Project, tenant: Tenant) -> None:
    project.applied()
    tenant.edit("update", "integration", name="Month close", body={"nuxVisible": True})
    ran = project.run("drift")
    assert ran.status == 2
    assert "nuxVisible: false -> true" in ran.out
    assert "by Grace Hopper" in ran.out


def _manifest_changed(project: Project, _tenant: Tenant) -> None:
    project.replace("manifests/sales.yaml", "time: 12:45", "time: 12:30")


def _list_changed(project: Project, _tenant: Tenant) -> None:
    project.write("manifests/removed.yaml", "removed: [{address: flow.legacy}]\n")


def _secret_rotated(project: Project, _tenant: Tenant) -> None:
    project.write("secrets/secret", "another-secret-key")


def _live_object_changed(_project: Project, tenant: Tenant) -> None:
    tenant.edit("update", "connection", name="Sales S3", body={"bucketName": "elsewhere"})


def _live_object_deleted(_project: Project, tenant: Tenant) -> None:
    tenant.edit("delete", "integration", name="Month close")


def _state_changed(project: Project, _tenant: Tenant) -> None:
    before = {name: project.read(f"manifests/{name}.yaml") for name in ("sales", "close")}
    project.replace("manifests/close.yaml", "Month close", "Months close")
    project.replace("manifests/sales.yaml", "bucketName: other", "bucketName: landing")
    project.applied()
    for name, text in before.items():
        project.write(f"manifests/{name}.yaml", text)


def _grown_old(project: Project, _tenant: Tenant) -> None:
    content = json.loads(project.read("a.plan"))
    content["created"] = (datetime.now(UTC) - timedelta(days=8)).isoformat()
    project.write("a.plan", json.dumps(content))


def _used(project: Project, _tenant: Tenant) -> None:
    assert project.run("apply", "a.plan").status == 0


@pytest.mark.parametrize(
    ("happens", "code", "says"),
    [
        (_state_changed, "CW511", "integration.close (name)"),
        (_manifest_changed, "CW512", "schedule.accounts (time)"),
        (_list_changed, "CW512", "removed (flow.legacy)"),
        (_secret_rotated, "CW512", "connection.sales.secretAccessKey"),
        (_live_object_changed, "CW513", "connection.sales (bucketName)"),
        (_live_object_deleted, "CW513", "integration.close"),
        (_grown_old, "CW514", "7 days"),
        (_used, "CW511", "connection.sales (bucketName"),
    ],
)
def test_a_stale_plan_is_3_and_changes_nothing(
    project: Project, tenant: Tenant, happens: Callable[[Project, Tenant], None], code: str, says: str
) -> None:
    project.applied()
    project.replace("manifests/sales.yaml", "bucketName: landing", "bucketName: other")
    assert project.run("plan", "--out", "a.plan").status == 0
    happens(project, tenant)
    before, resources = tenant.mutations(), json.loads(project.read(STATE))["resources"]
    ran = project.run("apply", "a.plan")
    assert ran.status == 3, ran.all
    assert code in ran.err
    assert says in ran.err
    assert "cwsync plan --out" in ran.err
    assert tenant.mutations() == before
    assert json.loads(project.read(STATE))["resources"] == resources


def test_a_locked_state_is_4_and_changes_nothing(project: Project, tenant: Tenant) -> None:
    project.applied()
    before = tenant.mutations()
    project.remove("manifests/nightly.yaml")
    assert project.run("plan", "--out", "a.plan").status == 0
    store = LocalStore(project.root / STATE)
    with acquire(store, tenant=json.loads(project.read(STATE))["tenant"]) as held:
        for arguments in (["apply"], ["destroy"], ["apply", "--lock-timeout", "0.01"]):
            ran = project.run(*arguments, "--auto-approve")
            assert ran.status == 4
            assert "CW404" in ran.err
            assert held.lock.holder.user in ran.err
        assert project.run("plan").status == 0
    assert tenant.mutations() == before
    assert project.run("apply", "--auto-approve").status == 0


def test_partly_applied_is_6_and_the_rest_goes_on(project: Project, tenant: Tenant) -> None:
    tenant.fault(
        "status", "POST", "/2/0/integrations/connections", status=400, message="Credentials are invalid"
    )
    ran = project.run("apply", "--auto-approve")
    assert ran.status == 6
    assert "integration.close: created" in ran.out
    assert (
        'connection.sales: failed: CW305 POST /integrations/connections: the service says "Credentials'
        in ran.out
    )
    for address in ("integration.accounts", "schedule.accounts", "notification.accounts", "flow.nightly"):
        assert f"{address}: skipped: connection.sales failed" in ran.out
    assert "CW601" in ran.out
    assert "Resources: 1 added, 0 changed, 0 destroyed; 1 failed, 4 skipped." in ran.out
    assert sorted(tenant.mutations()) == ["POST /integrations", "POST /integrations/connections"]
    tenant.mend()
    again = project.run("apply", "--auto-approve")
    assert again.status == 0
    assert "Resources: 5 added, 0 changed, 0 destroyed." in again.out


def test_nothing_applied_is_1(project: Project, tenant: Tenant) -> None:
    tenant.fault("status", "POST", "/2/0/integrations", status=400, message="Invalid request body")
    ran = project.run("apply", "--auto-approve", "--format", "json")
    assert ran.status == 1
    document = json.loads(ran.out)
    assert document["applied"] == []
    assert {each["address"] for each in document["failed"]} == {"connection.sales", "integration.close"}
    assert {each["code"] for each in document["problems"]} == {"CW305"}
    blocked = {each["address"]: each["blockedBy"] for each in document["skipped"]}
    assert blocked.pop("flow.nightly") in ("connection.sales", "integration.close")
    assert blocked == dict.fromkeys(
        ("integration.accounts", "schedule.accounts", "notification.accounts"), "connection.sales"
    )


def test_what_a_person_must_decide_is_5(project: Project, tenant: Tenant) -> None:
    """A reply is lost, the tenant cannot be read, and before the next run somebody makes a third thing of it."""
    project.applied()
    project.replace("manifests/sales.yaml", "bucketName: landing", "bucketName: other")
    tenant.fault("drop-before", "PUT", "/2/0/integrations/connections")
    tenant.fault("status", "GET", "/2/0/integrations/connections", nth=3, status=403)
    assert "CW313" in project.run("apply", "--auto-approve").out
    assert "pending: update of connection.sales" in project.run("state", "list").err
    tenant.mend()
    tenant.edit("update", "connection", name="Sales S3", body={"bucketName": "a third"})
    before = tenant.mutations()
    ran = project.run("apply", "--auto-approve")
    assert ran.status == 5
    assert "CW605 connection.sales" in ran.all
    assert tenant.mutations() == before
    tenant.edit("update", "connection", name="Sales S3", body={"bucketName": "landing"})
    again = project.run("apply", "--auto-approve")
    assert again.status == 0
    assert "Resources: 0 added, 1 changed, 0 destroyed." in again.out


def test_a_missing_secret_does_not_use_a_plan_up(project: Project, tenant: Tenant) -> None:
    assert project.run("plan", "--out", "a.plan").status == 0
    secret = project.read("secrets/secret")
    project.remove("secrets/secret")
    refused = project.run("apply", "a.plan")
    assert (refused.status, tenant.mutations()) == (1, [])
    assert "CW120" in refused.err
    project.write("secrets/secret", secret)
    assert project.run("apply", "a.plan").status == 0


def test_a_saved_plan_without_changes_says_so(project: Project) -> None:
    project.applied()
    assert project.run("plan", "--out", "a.plan").status == 0
    ran = project.run("apply", "a.plan")
    assert (ran.status, ran.out.startswith("No changes.")) == (0, True)


def test_beside_something_pending_no_plan_is_saved(project: Project, tenant: Tenant) -> None:
    project.applied()
    project.replace("manifests/sales.yaml", "bucketName: landing", "bucketName: other")
    tenant.fault("drop-before", "PUT", "/2/0/integrations/connections")
    tenant.fault("status", "GET", "/2/0/integrations/connections", nth=3, status=403)
    assert "CW313" in project.run("apply", "--auto-approve").out
    tenant.mend()
    ran = project.run("plan", "--out", "a.plan")
    assert ran.status == 3
    assert "CW515" in ran.err
    assert not (project.root / "a.plan").exists()
    assert project.run("apply", "--auto-approve").status == 0
    assert project.run("plan", "--out", "a.plan").status == 0


def test_preventdestroy_is_7(project: Project, tenant: Tenant) -> None:
    protected = "{name: Nightly load, lifecycle: {preventDestroy: true}, "
    project.replace("manifests/nightly.yaml", "{name: Nightly load, ", protected)
    project.applied()
    before = tenant.mutations()
    project.remove("manifests/nightly.yaml")
    for arguments in (["plan"], ["apply", "--auto-approve"], ["destroy", "--auto-approve"]):
        ran = project.run(*arguments)
        assert ran.status == 7
        assert "CW502 flow.nightly" in ran.all
    assert tenant.mutations() == before


@pytest.mark.parametrize(
    ("guards", "says"),
    [
        ("{maxDeletes: 1}", "2 of 2 managed integrations would be deleted, and maxDeletes allows 1"),
        ("{maxDeletePercent: 60}", "maxDeletePercent allows 60 %"),
    ],
)
def test_too_many_deletions_are_7(project: Project, tenant: Tenant, guards: str, says: str) -> None:
    project.write("cwsync.yaml", project.read("cwsync.yaml") + f"    guards: {guards}\n")
    project.applied()
    before = tenant.mutations()
    ran = project.run("destroy", "--auto-approve")
    assert ran.status == 7
    assert "CW503" in ran.out
    assert says in ran.out
    assert tenant.mutations() == before


def test_without_a_terminal_apply_asks_for_auto_approve(project: Project, tenant: Tenant) -> None:
    for name in ("apply", "destroy"):
        ran = project.run(name)
        assert ran.status == 1
        assert "CW602" in ran.err
        assert "--auto-approve" in ran.err
    assert tenant.requests() == []
