"""history and logs, through the command line and HTTP."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from support.projects import Project
from support.tenant import Tenant

from cwsync.api import Basic, Client, Endpoint

IDS = re.compile(r"\b[0-9a-f]{32}\b")
DUMP = '"Demo List","_Line_","_Error_1_"\r\n"größe","2","Invalid number: junk"\r\n'


@pytest.fixture
def ready(project: Project) -> Project:
    return project.applied()


def ended(ready: Project, tenant: Tenant, key: str, name: str, outcome: str = "success", **more: Any) -> str:
    """Run an integration to an end like this; the run's id."""
    tenant.edit("update", "outcome", name=name, body={"outcome": outcome, "seconds": 0, **more})
    document = json.loads(ready.run("run", f"integration.{key}", "--format", "json").out)
    run: str = document["run"]["id"]
    return run


def test_nothing_has_run(ready: Project) -> None:
    ran = ready.run("history", "integration.accounts")
    assert (ran.status, ran.out) == (0, "integration.accounts has never run.\n")
    document = json.loads(ready.run("history", "integration.accounts", "--format", "json").out)
    assert (document["runs"], document["totalRuns"]) == ([], 0)
    flow = ready.run("history", "flow.nightly")
    assert flow.status == 0
    assert flow.out.count("never") == 3


def test_the_table_of_runs(ready: Project, tenant: Tenant) -> None:
    runs = [
        ended(ready, tenant, "accounts", "Accounts import", outcome)
        for outcome in ("success", "partial_success", "failure")
    ]
    ran = ready.run("history", "integration.accounts")
    assert ran.status == 0
    assert "integration.accounts: 3 runs, the latest first" in ran.out
    assert sorted(IDS.findall(ran.out)) == sorted(runs)
    for run, words in zip(runs, ("success", "partial success", "failure"), strict=True):
        (line,) = [line for line in ran.out.splitlines() if run in line]
        assert re.search(rf"\d\d:\d\d:\d\d  0 s +{words} +.+ \(manual\)", line)
    assert "Process failed (code 12)" in ran.out


def test_a_history_longer_than_a_page(ready: Project, tenant: Tenant) -> None:
    id = tenant.edit("update", "outcome", name="Accounts import", body={"seconds": 0})
    user = Basic("ci@example.com", SecretStr("password"))
    with Client(Endpoint(f"{tenant.url}/2/0", tenant.url), user, per_second=None) as client:
        for _ in range(60):
            client.send("POST", f"/integrations/{id}/run")
    document = json.loads(
        ready.run("history", "integration.accounts", "--limit", "55", "--format", "json").out
    )
    assert len({run["id"] for run in document["runs"]}) == 55
    assert document["totalRuns"] == 60
    assert document["id"] == id
    asked = [call["path"] for call in tenant.requests() if "/runs/" in call["path"]]
    assert asked == [
        f"/2/0/integrations/runs/{id}?offset=0&limit=50",
        f"/2/0/integrations/runs/{id}?offset=50&limit=5",
    ]
    assert "55 of 60 runs" in ready.run("history", "integration.accounts", "--limit", "55").out


def test_the_limit_is_a_number_of_runs(ready: Project) -> None:
    assert ready.run("history", "integration.accounts", "--limit", "0").status == 1


def test_a_flows_history_is_its_latest_run_and_its_steps(ready: Project, tenant: Tenant) -> None:
    for name in ("Accounts import", "Month close"):
        tenant.edit("update", "outcome", name=name, body={"seconds": 0})
    ready.run("run", "flow.nightly")
    ran = ready.run("history", "flow.nightly")
    assert [line.split()[0] for line in ran.out.splitlines()[3:]] == [
        "flow.nightly",
        "integration.accounts",
        "integration.close",
    ]
    document = json.loads(ready.run("history", "flow.nightly", "--format", "json").out)
    assert document["latestRun"]["result"] == "success"
    assert [step["latestRun"]["result"] for step in document["steps"]] == ["success", "success"]


def test_a_run_without_errors(ready: Project, tenant: Tenant) -> None:
    run = ended(ready, tenant, "accounts", "Accounts import")
    ran = ready.run("logs", run, "--dump")
    assert (ran.status, ran.out) == (0, "")
    assert "The service has no errors of this run" in ran.err
    assert "There are no rows that failed." in ran.err
    document = json.loads(ready.run("logs", run, "--dump", "--format", "json").out)
    assert (document["errors"], document["dumps"], document["run"]["result"]) == ([], [], "success")


def test_a_run_that_goes_on(ready: Project, tenant: Tenant) -> None:
    run = ended(ready, tenant, "accounts", "Accounts import", seconds=600)
    assert "It has not ended" in ready.run("logs", run).out


def test_an_unknown_run(ready: Project) -> None:
    ran = ready.run("logs", "0123456789abcdef0123456789abcdef")
    assert (ran.status, ran.out) == (1, "")
    assert "CW304" in ran.err
    assert "cwsync history ADDR shows the runs" in ran.err


def test_the_errors_by_action(ready: Project, tenant: Tenant) -> None:
    run = ended(ready, tenant, "accounts", "Accounts import", "failure", message="2 rows failed")
    ran = ready.run("logs", run)
    assert ran.status == 0
    assert f"Run {run}: failure: Process failed (code 12)" in ran.out
    assert "Action 112000000005" in ran.out
    assert "2 rows failed" in ran.out
    document = json.loads(ready.run("logs", run, "--format", "json").out)
    assert document["errors"][0]["messages"] == ["2 rows failed"]
    assert "dumps" not in document


@pytest.mark.parametrize(
    ("key", "name", "path"),
    [
        ("accounts", "Accounts import", "/dumps"),
        ("close", "Month close", "/process/import/118000000001/dumps"),
    ],
)
def test_the_rows_that_failed(ready: Project, tenant: Tenant, key: str, name: str, path: str) -> None:
    run = ended(ready, tenant, key, name, "partial_success", dump=DUMP)
    ran = ready.run("logs", run, "--dump")
    assert (ran.status, ran.out) == (0, DUMP)
    assert "Errors" in ran.err
    assert f"/2/0/integrations/run/{run}{path}" in [call["path"] for call in tenant.requests()]
    document = json.loads(ready.run("logs", run, "--dump", "--format", "json").out)
    assert [dump["text"] for dump in document["dumps"]] == [DUMP]


def test_files_for_the_rows_are_new_ones(ready: Project, tenant: Tenant, tmp_path: Path) -> None:
    run = ended(ready, tenant, "close", "Month close", "failure", dump=DUMP)
    folder = tmp_path / "new" / "dumps"
    ran = ready.run("logs", run, "--out", str(folder))
    assert ran.status == 0
    (file,) = folder.iterdir()
    assert file.name == f"{run}-118000000001.csv"
    assert file.read_bytes() == DUMP.encode()
    assert str(file) in ran.err
    file.write_text("precious")
    again = ready.run("logs", run, "--out", str(folder))
    assert again.status == 1
    assert "is not written over" in again.err
    assert file.read_text() == "precious"
    document = json.loads(ready.run("logs", run, "--out", str(tmp_path / "b"), "--format", "json").out)
    assert document["dumps"] == [{"actionId": "118000000001", "file": str(tmp_path / "b" / file.name)}]


def test_an_action_id_is_no_path(ready: Project, tenant: Tenant, tmp_path: Path) -> None:
    tenant.edit("update", "integration", name="Month close", body={"processId": "..\\up:*"})
    run = ended(ready, tenant, "close", "Month close", "failure", dump=DUMP)
    folder = tmp_path / "dumps"
    ran = ready.run("logs", run, "--out", str(folder))
    assert ran.status == 0, ran.all
    assert [path.name for path in folder.iterdir()] == [f"{run}-___up__.csv"]


def test_a_run_id_that_is_no_id(ready: Project) -> None:
    ran = ready.run("logs", "..")
    assert ran.status == 1
    assert "CW304" in ran.err
