"""`--audit` and `audit:`: who changed what, when, by which plan, and what came of it."""

from __future__ import annotations

import json
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from support.program import cwsync
from support.projects import Project
from support.tenant import Tenant

FIELDS = [
    "format", "version", "time", "serverTime", "event", "user", "serviceUser", "environment", "tenant", "run",
    "plan", "operation", "call", "result", "seconds",
]  # fmt: skip
TRAIL = "audit.jsonl"
AUDITED = ("--auto-approve", "--audit")

Line = dict[str, Any]


def lines(project: Project, file: str = TRAIL) -> list[Line]:
    return [json.loads(line) for line in project.read(file).splitlines()]


def only_close(project: Project) -> None:
    for name in ("sales", "nightly"):
        project.remove(f"manifests/{name}.yaml")


def test_what_a_line_says(project: Project, tenant: Tenant) -> None:
    only_close(project)
    digest = json.loads(project.run("plan", "--format", "json").out)["cwsync"]["digest"]
    assert project.run("apply", *AUDITED, TRAIL).status == 0
    (line,) = lines(project)
    state = json.loads(project.read(".cwsync/test.state.json"))
    assert list(line) == FIELDS
    assert (line["format"], line["version"], line["event"]) == ("cwsync-audit", 1, "mutation")
    for time in (line["time"], line["serverTime"]):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time)
        assert datetime.fromisoformat(time).tzinfo is not None
    assert line["user"]["process"] == os.getpid()
    assert set(line["user"]) == {"name", "host", "process"}
    assert line["serviceUser"] == "ci@example.com"
    assert (line["environment"], line["tenant"], line["plan"]) == ("test", state["tenant"], digest)
    assert line["operation"] == {
        "op": f"{line['run']}:1",
        "address": "integration.close",
        "kind": "integration",
        "action": "create",
        "name": "Month close",
        "attempt": 1,
    }
    assert line["call"] == {"method": "POST", "path": "/integrations", "requests": 1}
    assert line["result"] == {
        "outcome": "applied",
        "status": 200,
        "code": None,
        "id": state["resources"]["integration.close"]["id"],
    }
    assert line["seconds"] >= 0
    assert (project.root / TRAIL).stat().st_mode & 0o777 == 0o600


def test_all_that_changes_the_tenant_is_in_it(project: Project, tenant: Tenant) -> None:
    """Without a file for what does not."""
    project.replace("cwsync.yaml", "    requests:", "    audit: kept/here.jsonl\n    requests:")
    for command in ("plan", "drift", "graph", "validate"):
        assert project.run(command).status == 0
    assert not (project.root / "kept").exists()
    project.applied()
    for name, seconds in (("Month close", 0), ("Accounts import", 600)):
        tenant.edit("update", "outcome", name=name, body={"outcome": "success", "seconds": seconds})
    assert project.run("run", "integration.close").status == 0
    assert project.run("run", "integration.accounts").status == 0
    assert project.run("cancel", "integration.accounts").status == 0
    assert cwsync("-C", str(project.root), "destroy", "--auto-approve", folder=Path("/")).status == 0
    told = lines(project, "kept/here.jsonl")
    assert [f"{one['call']['method']} {one['call']['path']}" for one in told if one["run"] is None] == [
        call for call in tenant.mutations() if call.endswith(("/run", "/cancel"))
    ]
    assert sorted(f"{one['call']['method']} {one['call']['path']}" for one in told) == sorted(
        tenant.mutations()
    )
    assert [one["operation"]["action"] for one in told if one["run"] is None] == ["run", "run", "cancel"]
    assert len({one["run"] for one in told}) == 3


def test_a_saved_plan_is_told_by_its_digest(project: Project) -> None:
    project.run("plan", "--out", "a.plan")
    digest = json.loads(project.run("show", "a.plan", "--format", "json").out)["cwsync"]["digest"]
    assert project.run("apply", "a.plan", "--audit", TRAIL).status == 0
    assert {one["plan"] for one in lines(project)} == {digest}


def test_on_stderr(project: Project) -> None:
    """Also where everything else there is to be quiet; and the option wins over the file."""
    only_close(project)
    project.replace("cwsync.yaml", "    requests:", "    audit: here.jsonl\n    requests:")
    ran = project.run("apply", *AUDITED, "-", "-q")
    assert json.loads(ran.err)["result"]["outcome"] == "applied"
    assert not (project.root / "here.jsonl").exists()
    project.replace("cwsync.yaml", "audit: here.jsonl", "audit: stderr")
    assert json.loads(project.run("destroy", "--auto-approve", "-q").err)["operation"]["action"] == "delete"
    assert project.run("apply", *AUDITED, TRAIL, "-q").err == ""
    assert len(lines(project)) == 1


@pytest.mark.parametrize("command", ["apply", "destroy"])
def test_what_cannot_be_told_is_not_begun(project: Project, tenant: Tenant, command: str) -> None:
    project.applied()
    project.replace("manifests/close.yaml", "Month close", "Months close")
    before = project.read(".cwsync/test.state.json"), tenant.mutations()
    ran = project.run(command, *AUDITED, "manifests")
    assert (ran.status, ran.err.startswith("CW544 the audit trail manifests cannot be written: Is a d")) == (
        1,
        True,
    )
    assert (project.read(".cwsync/test.state.json"), tenant.mutations()) == before


def test_a_full_disk_stops_what_has_not_begun(project: Project, tenant: Tenant) -> None:
    """What is missing in the file is on stderr, and the next apply goes on."""
    project.replace("cwsync.yaml", "parallelism: 8", "parallelism: 1")
    ran = project.run("apply", *AUDITED, "/dev/full")
    assert ran.status == 6
    assert len(tenant.mutations()) == 1
    assert "CW544 the audit trail /dev/full cannot be written: No space left on device" in ran.all
    (missing,) = re.findall(r'\{"format": "cwsync-audit".*\}', ran.all)
    assert json.loads(missing)["operation"]["op"].endswith(":1")
    assert project.run("apply", *AUDITED, TRAIL).status == 0
    assert len(lines(project)) == len(tenant.mutations()) - 1
    assert project.run("plan", "--detailed-exitcode").status == 0


@pytest.mark.parametrize("command", ["run", "cancel"])
def test_a_run_whose_line_is_missing_has_begun(project: Project, tenant: Tenant, command: str) -> None:
    project.applied()
    tenant.edit("update", "outcome", name="Month close", body={"outcome": "success", "seconds": 600})
    if command == "cancel":
        assert project.run("run", "integration.close").status == 0
    ran = project.run(command, "integration.close", "--audit", "/dev/full")
    assert ran.status == 1
    assert "integration.close" in ran.out
    assert "CW544" in ran.err
    assert tenant.mutations()[-1].endswith(f"/{command}")


def test_a_decision_is_told(project: Project, tenant: Tenant) -> None:
    tenant.fault("drop-after", "POST", "/2/0/integrations/connections")
    tenant.fault("status", "GET", "/2/0/integrations/connections", nth=2, times=99, status=403)
    assert project.run("apply", *AUDITED, TRAIL).status != 0
    tenant.mend()
    tenant.edit("update", "connection", name="Sales S3", body={"bucketName": "a third"})
    told = len(lines(project))
    assert project.run("recover", "--audit", TRAIL).status == 5
    assert len(lines(project)) == told
    assert project.run("recover", "connection.sales", "--adopt", "--audit", TRAIL).status == 0
    lost = next(one for one in lines(project) if one["result"]["outcome"] == "ambiguous")
    decision = lines(project)[-1]
    assert (decision["event"], decision["result"]["outcome"], decision["call"]) == ("decision", "adopt", None)
    assert decision["operation"] == lost["operation"]
    assert decision["run"] != lost["run"]
