"""`cwsync recover`: what a run that was cut off left open, the evidence, and a person's decision about it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from support.program import cwsync
from support.projects import Project
from support.tenant import Tenant
from unit.state.holding import gone

from cwsync.state import LocalStore, acquire

STATE = ".cwsync/test.state.json"
CONNECTIONS = "/2/0/integrations/connections"
SALES = "connection.sales"


def state(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(project.read(STATE))
    return found


def not_known(project: Project, tenant: Tenant, method: str, *, happens: bool, reads: int = 2) -> None:
    """An apply whose reply to one request on the connection is lost, and which cannot read it afterwards."""
    tenant.fault("drop-after" if happens else "drop-before", method, CONNECTIONS)
    tenant.fault("status", "GET", CONNECTIONS, nth=reads, times=99, status=403)
    assert "CW313" in project.run("apply", "--auto-approve").all
    tenant.mend()
    assert [one["address"] for one in state(project)["pending"].values()] == [SALES]


@pytest.fixture
def created(project: Project, tenant: Tenant) -> Project:
    """Created, and changed by somebody before anybody could tell."""
    not_known(project, tenant, "POST", happens=True)
    tenant.edit("update", "connection", name="Sales S3", body={"bucketName": "a third"})
    return project


@pytest.fixture
def updated(project: Project, tenant: Tenant) -> Project:
    """To be updated, and changed to a third thing meanwhile."""
    project.applied()
    project.replace("manifests/sales.yaml", "bucketName: landing", "bucketName: other")
    not_known(project, tenant, "PUT", happens=False, reads=3)
    tenant.edit("update", "connection", name="Sales S3", body={"bucketName": "a third"})
    return project


def only(project: Project) -> dict[str, Any]:
    ran = project.run("recover", "--format", "json")
    (operation,) = json.loads(ran.out)["operations"]
    assert ran.status == (5 if operation["decisions"] else 0)
    found: dict[str, Any] = operation
    return found


def test_nothing_pending_is_0(project: Project) -> None:
    for _ in range(2):
        ran = project.run("recover")
        assert (ran.status, ran.out) == (0, "Nothing is pending.\n")
        assert json.loads(project.run("recover", "--format", "json").out) == {"operations": []}
        project.applied()


def test_the_evidence_for_a_creation_is_laid_out(created: Project, tenant: Tenant) -> None:
    ran = created.run("recover")
    assert ran.status == 5
    (connection,) = tenant.snapshot()["connections"]
    assert f"# {SALES}: create" in ran.out
    assert f'The tenant shows "Sales S3" (id {connection["connectionId"]})' in ran.out
    assert "changed by Grace Hopper at" in ran.out
    for name, holds in {"E1": "holds", "E2": "holds", "E6": "holds"}.items():
        assert f"        {name}      {holds}   " in ran.out
    assert "E4      does not hold  an object of that name is there, and is not what was sent" in ran.out
    assert "E5      does not hold  Grace Hopper has changed it since, at 20" in ran.out
    assert "created it, as what else cwsync created here" in ran.out
    assert '~ bucketName: "a third" -> "landing"' in ran.out
    assert f"cwsync recover {SALES} --adopt\n" in ran.out
    assert "1 operation needs a decision." in ran.out
    assert "made-up" not in ran.all


def test_the_same_as_json(created: Project, tenant: Tenant) -> None:
    operation = only(created)
    (op,) = state(created)["pending"]
    (connection,) = tenant.snapshot()["connections"]
    assert {name: operation[name] for name in ("op", "address", "kind", "action", "name", "verdict")} == {
        "op": op,
        "address": SALES,
        "kind": "connection",
        "action": "create",
        "name": "Sales S3",
        "verdict": "needs a person",
    }
    assert operation["object"]["id"] == connection["connectionId"]
    assert operation["object"]["modifiedBy"] == "Grace Hopper"
    assert {row["name"]: row["holds"] for row in operation["evidence"]} == {
        "E1": True, "E2": True, "E3": True, "E4": False, "E5": False, "E6": True,
    }  # fmt: skip
    assert operation["differences"] == [{"path": "bucketName", "tenant": "a third", "manifest": "landing"}]
    assert [one["flag"] for one in operation["decisions"]] == ["--adopt", "--not-ours", "--retry"]
    assert operation["why"] == "; ".join(
        row["said"] for row in operation["evidence"] if row["holds"] is False
    )


def test_listing_writes_nothing_and_needs_no_lock(created: Project, tenant: Tenant) -> None:
    held = acquire(LocalStore(created.root / STATE), tenant=str(state(created)["tenant"]))
    before, mutations = created.read(STATE), tenant.mutations()
    ran = created.run("recover")
    assert (ran.status, created.read(STATE), tenant.mutations()) == (5, before, mutations)
    assert "The state is locked by" in ran.err
    assert ran.err.endswith(", which may be at work on these now.\n")
    refused = created.run("recover", SALES, "--retry")
    assert refused.status == 4
    held.release()


def test_what_needs_no_decision_is_resolved_and_nothing_else_is_done(
    project: Project, tenant: Tenant
) -> None:
    """So that in a pipeline which applies reviewed plans alone a plan can be made again."""
    not_known(project, tenant, "POST", happens=True)
    refused = project.run("plan", "--out", "a.plan")
    assert refused.status == 3
    assert "cwsync recover --resolve" in refused.err
    before = tenant.mutations()
    ran = project.run("recover", "--resolve")
    assert (ran.status, ran.out) == (0, f"{SALES}: the create of an earlier run was done\n")
    assert (tenant.mutations(), state(project)["pending"], state(project)["lock"]) == (before, {}, None)
    assert SALES in state(project)["resources"]
    assert project.run("recover", "--resolve").out == "Nothing is pending.\n"
    assert project.run("plan", "--out", "a.plan").status == 0
    assert project.run("apply", "a.plan").status == 0


def test_what_needs_a_decision_waits_for_it(created: Project) -> None:
    before = state(created)["pending"]
    text, told = created.run("recover", "--resolve"), created.run("recover", "--resolve", "--format", "json")
    assert (text.status, text.out.strip()) == (5, "")
    assert "CW605" in text.err
    assert (told.status, json.loads(told.out)) == (5, {"resolved": [], "pending": [SALES]})
    assert state(created)["pending"] == before
    assert created.run("recover", SALES, "--resolve").status == 1


def test_a_lock_of_a_process_that_has_ended_is_told_as_such(created: Project) -> None:
    acquire(LocalStore(created.root / STATE), tenant=str(state(created)["tenant"]), holder=gone())
    assert created.run("recover").err.endswith(", which has ended.\n")


def test_what_has_no_name_is_told_without_one(project: Project, tenant: Tenant) -> None:
    project.applied()
    project.replace(
        "manifests/sales.yaml", "full_failure: [alice]", "success: [alice], full_failure: [alice]"
    )
    tenant.fault("drop-before", "PUT", "*/notification/*")
    tenant.fault("status", "GET", "*/notification/*", nth=3, times=99, status=403)
    project.run("apply", "--auto-approve")
    tenant.mend()
    told = project.run("recover").out.splitlines()
    assert told[0] == "  # notification.accounts: update"
    assert told[1].startswith("  # (sent by the run ")


def test_what_the_manifests_say_is_left_out_where_they_are_wrong(created: Project) -> None:
    created.replace("manifests/sales.yaml", "bucketName", "bucketname")
    assert only(created)["differences"] is None
    assert created.run("recover", SALES, "--retry").status == 0


def decide(project: Project, tenant: Tenant, flag: str, *more: str) -> str:
    """Decide by the command that the list shows; the tenant stays as it is."""
    (way,) = (one for one in only(project)["decisions"] if one["flag"] == flag)
    before, mutations = tenant.snapshot(), tenant.mutations()
    ran = cwsync(*shlex.split(way["command"])[1:], *more, folder=project.root)
    assert ran.status == 0, ran.all
    assert "cwsync plan" in ran.err
    assert (tenant.snapshot(), tenant.mutations()) == (before, mutations)
    assert (state(project)["pending"], state(project)["lock"]) == ({}, None)
    assert project.run("recover").out == "Nothing is pending.\n"
    return ran.out


def test_a_creation_that_is_adopted(created: Project, tenant: Tenant) -> None:
    said = decide(created, tenant, "--adopt")
    (connection,) = tenant.snapshot()["connections"]
    assert f'{SALES} is known as "Sales S3" (id {connection["connectionId"]}).' in said
    entry = state(created)["resources"][SALES]
    assert (entry["id"], entry["applied"]["bucketName"]) == (connection["connectionId"], "a third")
    plan = created.run("plan", "-v").out
    assert '~ bucketName: "a third" -> "landing"' in plan
    assert "secretAccessKey" in plan  # whether ours arrived is not certain, so it is sent
    created.applied()
    assert "No changes." in created.run("plan").out
    assert tenant.names("connections") == ["Sales S3"]


def test_a_creation_that_is_not_ours(created: Project, tenant: Tenant) -> None:
    assert decide(created, tenant, "--not-ours") == f"{SALES} is not managed now.\n"
    ran = created.run("plan")
    assert ran.status == 1
    assert "CW501" in ran.out


def test_a_creation_that_is_tried_again(created: Project, tenant: Tenant) -> None:
    tenant.edit("update", "connection", name="Sales S3", body={"name": "Out of the way"})
    assert only(created)["verdict"] == "not done"
    assert created.applied()
    assert tenant.names("connections") == ["Out of the way", "Sales S3"]


@pytest.mark.parametrize(
    ("flag", "bucket"), [("--adopt", "a third"), ("--retry", "landing"), ("--not-ours", None)]
)
def test_an_update_of_what_somebody_made_a_third_thing(
    updated: Project, tenant: Tenant, flag: str, bucket: str | None
) -> None:
    operation = only(updated)
    assert operation["why"] == "it is neither as it was before nor as it should be now"
    assert {row["name"]: row["holds"] for row in operation["evidence"]} == {
        "there": True, "before": False, "wanted": False,
    }  # fmt: skip
    decide(updated, tenant, flag)
    entry = state(updated)["resources"].get(SALES)
    assert (entry and entry["applied"]["bucketName"]) == bucket
    ran = updated.run("plan")
    if bucket is None:
        assert "CW501" in ran.out
    else:
        assert '"a third" -> "other"' in ran.out
        updated.applied()
        assert "No changes." in updated.run("plan").out


@pytest.mark.parametrize("flag", ["--adopt", "--not-ours", "--retry"])
def test_a_deletion_of_what_somebody_changed(project: Project, tenant: Tenant, flag: str) -> None:
    project.applied()
    project.remove("manifests/nightly.yaml")
    project.remove("manifests/sales.yaml")
    tenant.fault("drop-before", "DELETE", CONNECTIONS)
    tenant.fault("status", "GET", CONNECTIONS, nth=3, times=99, status=403)
    assert "CW313" in project.run("apply", "--auto-approve").all
    tenant.mend()
    tenant.edit("update", "connection", name="Sales S3", body={"bucketName": "a third"})
    operation = only(project)
    assert (operation["action"], operation["differences"]) == ("delete", None)
    decide(project, tenant, flag)
    managed = flag != "--not-ours"
    assert (SALES in state(project)["resources"]) is managed
    assert (f"# {SALES} will be destroyed" in project.run("plan").out) is managed
    project.applied()
    assert tenant.names("connections") == ([] if managed else ["Sales S3"])


def test_what_resolves_by_itself_needs_nobody(project: Project, tenant: Tenant) -> None:
    not_known(project, tenant, "POST", happens=True)
    ran = project.run("recover")
    assert ran.status == 0
    assert "it was done, and the next apply records it" in ran.out
    assert "none needs a person" in ran.out
    assert only(project)["verdict"] == "done"
    refused = project.run("recover", SALES, "--not-ours")
    assert refused.status == 1
    assert "CW606" in refused.err
    assert "there was nothing to decide, and --not-ours did nothing" in refused.err
    assert SALES in state(project)["resources"]
    assert state(project)["pending"] == {}


def test_one_of_several_is_chosen_by_its_id(created: Project, tenant: Tenant) -> None:
    body = {"type": "AmazonS3", "body": {"name": "Sales S3", "bucketName": "theirs"}}
    theirs = tenant.edit("create", "connection", body=body)
    operation = only(created)
    assert {one["id"] for one in operation["others"]} > {theirs}
    assert operation["object"] is None
    refused = created.run("recover", SALES, "--adopt")
    assert refused.status == 1
    assert theirs in refused.err
    assert "no object with the id 5" in created.run("recover", SALES, "--adopt", "--id", "5" * 32).err
    ours = next(one["id"] for one in operation["others"] if one["id"] != theirs)
    assert ours in decide(created, tenant, "--adopt", "--id", ours)


def test_what_belongs_to_another_address_is_not_adopted(project: Project, tenant: Tenant) -> None:
    project.applied()
    secrets = "accessKeyId: {fromFile: secrets/key}, secretAccessKey: {fromFile: secrets/secret}"
    lake = f"connections: {{lake: {{type: AmazonS3, name: Lake, bucketName: b, {secrets}}}}}"
    project.write("manifests/lake.yaml", lake)
    tenant.fault("drop-before", "POST", CONNECTIONS)
    tenant.fault("status", "GET", CONNECTIONS, nth=2, times=99, status=403)
    project.run("apply", "--auto-approve")
    tenant.mend()
    tenant.edit("update", "connection", name="Sales S3", body={"name": "Lake"})
    adopt = only(project)["decisions"][0]
    assert (adopt["possible"], adopt["does"]) == (False, "not here: the object belongs to connection.sales")
    refused = project.run("recover", "connection.lake", "--adopt")
    assert (refused.status, "belongs to connection.sales already" in refused.err) == (1, True)
    assert len(state(project)["pending"]) == 1


def test_one_address_alone(created: Project) -> None:
    assert created.run("recover", SALES).status == 5
    refused = created.run("recover", "flow.nightly")
    assert (refused.status, "CW606 nothing is pending for flow.nightly" in refused.err) == (1, True)
    assert created.run("recover", "flow.nightly", "--adopt").status == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--adopt"], "--adopt needs the address"),
        ([SALES, "--adopt", "--retry"], "--adopt and --retry are different decisions"),
        ([SALES, "--retry", "--id", "1"], "--id goes with --adopt"),
        ([SALES, "--id", "1"], "--id goes with --adopt"),
    ],
)
def test_wrong_usage(arguments: list[str], says: str, tmp_path: Path) -> None:
    ran = cwsync("recover", *arguments, folder=tmp_path)
    assert (ran.status, says in ran.err) == (1, True)


def test_the_commands_name_the_environment_that_was_given(created: Project) -> None:
    out = created.run("recover", "-e", "test").out
    assert f"cwsync -e test recover {SALES} --adopt\n" in out


def test_the_apply_that_ends_so_names_the_command(created: Project) -> None:
    ran = created.run("apply", "--auto-approve")
    assert ran.status == 5
    assert "cwsync recover shows what is known of it, and takes your decision" in ran.all


def test_names_cannot_command_a_terminal(created: Project, tenant: Tenant) -> None:
    tenant.edit("update", "connection", name="Sales S3", body={"bucketName": "\x1b[2J\u202e"})
    for form in ("text", "json"):
        assert not set("\x1b\u202e") & set(created.run("recover", "--format", form).all)
