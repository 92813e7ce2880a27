"""run and cancel, through the command line and HTTP."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
from typing import Any

import pytest
from support.program import command
from support.projects import NIGHTLY, Project
from support.tenant import Tenant

ID = re.compile(r"\b[0-9a-f]{32}\b")


@pytest.fixture
def ready(project: Project) -> Project:
    """Everything is applied: two integrations, and a flow of both."""
    return project.applied()


def outcome(tenant: Tenant, name: str, outcome: str = "success", seconds: float = 0, **more: Any) -> None:
    body = {"outcome": outcome, "seconds": seconds, **more}
    tenant.edit("update", "outcome", name=name, body=body)


def runs(tenant: Tenant) -> list[str]:
    return [call for call in tenant.mutations() if call.endswith(("/run", "/cancel"))]


def test_it_says_the_runs_id_and_does_not_wait(ready: Project, tenant: Tenant) -> None:
    outcome(tenant, "Accounts import", seconds=600)
    ran = ready.run("run", "integration.accounts")
    assert ran.status == 0
    (run,) = ID.findall(ran.out)
    shown = json.loads(ready.run("history", "integration.accounts", "--format", "json").out)
    assert [(one["id"], one["result"]) for one in shown["runs"]] == [(run, "running")]


def test_what_a_script_reads_of_it(ready: Project, tenant: Tenant) -> None:
    outcome(tenant, "Accounts import")
    quiet = ready.run("run", "integration.accounts", "-q")
    assert (quiet.err, ID.fullmatch(quiet.out.strip()) is not None) == ("", True)
    document = json.loads(ready.run("run", "integration.accounts", "--format", "json").out)
    assert document["address"] == "integration.accounts"
    assert ID.fullmatch(document["run"]["id"])


@pytest.mark.parametrize(
    ("how", "status", "says"),
    [
        ("success", 0, "integration.close: success"),
        ("partial_success", 6, "CW321 integration.close succeeded in part"),
        ("failure", 1, "CW320 the run of integration.close failed"),
    ],
)
def test_waiting_ends_as_the_run_does(
    ready: Project, tenant: Tenant, how: str, status: int, says: str
) -> None:
    outcome(tenant, "Month close", how, message="2 rows failed")
    ran = ready.run("run", "integration.close", "--wait")
    assert ran.status == status, ran.all
    assert says in ran.out
    assert ("2 rows failed" in ran.out) == (how != "success")
    if how != "success":
        assert 'Action 118000000001 "Action 118000000001":' in ran.out
        assert "cwsync logs" in ran.out


def test_a_failed_run_as_json(ready: Project, tenant: Tenant) -> None:
    outcome(tenant, "Month close", "failure", message="2 rows failed")
    ran = ready.run("run", "integration.close", "--wait", "--format", "json")
    document = json.loads(ran.out)
    assert ran.status == 1
    assert (document["run"]["result"], document["run"]["executionErrorCode"]) == ("failure", 12)
    (errors,) = document["errors"]
    assert (errors["address"], errors["run"]) == ("integration.close", document["run"]["id"])
    assert errors["actions"][0]["messages"] == ["2 rows failed"]
    assert "CW320" in ran.err


def test_errors_that_cannot_be_read_do_not_hide_the_result(ready: Project, tenant: Tenant) -> None:
    outcome(tenant, "Month close", "failure")
    tenant.fault("status", "GET", "/2/0/integrations/runerror", status=403, message="Not Permitted")
    ran = ready.run("run", "integration.close", "--wait")
    assert ran.status == 1
    assert "CW320 the run of integration.close failed" in ran.out
    assert re.search(r"Errors could not be read: .*Not Permitted", ran.out)


def test_a_running_one_is_not_run_again(ready: Project, tenant: Tenant) -> None:
    outcome(tenant, "Accounts import", seconds=600)
    ready.run("run", "integration.accounts")
    for address in ("integration.accounts", "flow.nightly"):
        ran = ready.run("run", address, "--wait")
        assert ran.status == 1
        assert f"CW306 {address}" in ran.err
        assert "running already" in ran.err
        assert "hint:" in ran.err


def test_a_lost_reply_is_told_and_nothing_is_sent_twice(ready: Project, tenant: Tenant) -> None:
    outcome(tenant, "Accounts import", seconds=600)
    tenant.fault("drop-after", "POST", "/2/0/integrations/*/run")
    ran = ready.run("run", "integration.accounts", "--wait")
    assert ran.status == 1
    assert "CW313 integration.accounts: it is not known whether the run was started" in ran.err
    assert "cwsync history integration.accounts" in ran.err
    assert len(runs(tenant)) == 1
    assert "running" in ready.run("history", "integration.accounts").out


@pytest.mark.parametrize(
    ("address", "code", "says"),
    [
        ("integration.acounts", "CW507", "did you mean integration.accounts?"),
        ("accounts", "CW507", "did you mean integration.accounts?"),
        ("nightly", "CW507", "did you mean flow.nightly?"),
        ("schedule.accounts", "CW507", "only integrations and flows run"),
        ("integration.nothing-like-it", "CW507", "cwsync state list"),
    ],
)
def test_only_what_is_managed_is_run(
    ready: Project, tenant: Tenant, address: str, code: str, says: str
) -> None:
    for name in ("run", "cancel", "history"):
        ran = ready.run(name, address)
        assert (ran.status, ran.out) == (1, "")
        assert code in ran.err
        assert says in ran.err
    assert runs(tenant) == []


def test_nothing_is_managed_before_the_first_apply(project: Project) -> None:
    ran = project.run("run", "integration.accounts")
    assert ran.status == 1
    assert "CW507 integration.accounts is not managed" in ran.err


def test_a_flow_reports_each_step(ready: Project, tenant: Tenant) -> None:
    outcome(tenant, "Accounts import")
    outcome(tenant, "Month close")
    ran = ready.run("run", "flow.nightly", "--wait")
    assert ran.status == 0
    assert "flow.nightly: success" in ran.out
    assert re.search(r"\+ integration\.accounts +success", ran.out)
    assert re.search(r"\+ integration\.close +success", ran.out)
    assert "flow.nightly: integration.close: success" in ran.err


def test_a_flow_stops_at_a_failure(ready: Project, tenant: Tenant) -> None:
    outcome(tenant, "Accounts import", "failure", message="no such file")
    ran = ready.run("run", "flow.nightly", "--wait")
    assert ran.status == 1
    assert re.search(r"! integration\.accounts +failure: Process failed \(code 12\)", ran.out)
    assert re.search(r"- integration\.close +not run", ran.out)
    assert "Errors of integration.accounts" in ran.out
    assert "no such file" in ran.out
    assert "CW320 the run of flow.nightly failed" in ran.out


def test_a_flow_that_goes_on_succeeds_in_part(ready: Project, tenant: Tenant) -> None:
    ready.replace(
        "manifests/nightly.yaml", "{integration: accounts}", "{integration: accounts, onFailure: continue}"
    )
    ready.applied()
    outcome(tenant, "Accounts import", "failure", message="no such file")
    outcome(tenant, "Month close")
    ran = ready.run("run", "flow.nightly", "--wait", "--format", "json")
    assert ran.status == 6
    document = json.loads(ran.out)
    assert [(one["address"], one["result"]) for one in document["steps"]] == [
        ("integration.accounts", "failure"),
        ("integration.close", "success"),
    ]
    assert [one["address"] for one in document["errors"]] == ["integration.accounts"]
    assert "CW321" in ran.err


def test_a_flow_is_resumed_from_the_step_that_failed(ready: Project, tenant: Tenant) -> None:
    outcome(tenant, "Accounts import")
    outcome(tenant, "Month close", "failure")
    assert ready.run("run", "flow.nightly", "--wait").status == 1
    outcome(tenant, "Month close")
    ran = ready.run("run", "flow.nightly", "--step", "close", "--wait")
    assert ran.status == 0, ran.all
    assert re.search(r"- integration\.accounts +not run", ran.out)
    assert re.search(r"\+ integration\.close +success", ran.out)
    history = json.loads(ready.run("history", "integration.accounts", "--format", "json").out)
    assert history["totalRuns"] == 1


def test_steps_are_checked_before_anything_is_sent(ready: Project, tenant: Tenant) -> None:
    ready.write("manifests/third.yaml", "integrations:\n  third: {name: Third, processId: 118000000002}\n")
    steps = "[{integration: accounts}, {integration: close}, {integration: third, skip: true}]"
    ready.write("manifests/nightly.yaml", re.sub(r"\[.*\]", steps, NIGHTLY))
    ready.applied()
    for step, says in {
        "acounts": "CW507 acounts is not a step of flow.nightly",
        "nothing-like-it": "its steps are integration.accounts, integration.close, integration.third",
        "third": "CW901 integration.third is skipped in flow.nightly",
    }.items():
        ran = ready.run("run", "flow.nightly", "--step", "accounts", "--step", step)
        assert (ran.status, ran.out) == (1, "")
        assert says in ran.err
    ran = ready.run("run", "integration.accounts", "--step", "accounts")
    assert "CW901 --step is for flows" in ran.err
    assert runs(tenant) == []


def test_a_skipped_step_is_reported_so(ready: Project, tenant: Tenant) -> None:
    ready.write("manifests/third.yaml", "integrations:\n  third: {name: Third, processId: 118000000002}\n")
    steps = "[{integration: accounts}, {integration: third, skip: true}, {integration: close}]"
    ready.write("manifests/nightly.yaml", re.sub(r"\[.*\]", steps, NIGHTLY))
    ready.applied()
    outcome(tenant, "Accounts import")
    outcome(tenant, "Month close")
    ran = ready.run("run", "flow.nightly", "--wait")
    assert ran.status == 0
    assert re.search(r"- integration\.third +skipped", ran.out)


def test_a_run_is_cancelled(ready: Project, tenant: Tenant) -> None:
    outcome(tenant, "Accounts import", seconds=600)
    ready.run("run", "integration.accounts")
    ran = ready.run("cancel", "integration.accounts")
    assert (ran.status, ran.out) == (0, "integration.accounts: its run is cancelled.\n")
    assert "cancelled" in ready.run("history", "integration.accounts").out
    again = ready.run("cancel", "integration.accounts")
    assert again.status == 1
    assert "CW305 integration.accounts is not running: there is nothing to cancel" in again.err


def test_cancel_as_json(ready: Project, tenant: Tenant) -> None:
    outcome(tenant, "Accounts import", seconds=600)
    ready.run("run", "integration.accounts")
    document = json.loads(ready.run("cancel", "integration.accounts", "--format", "json").out)
    assert (document["address"], document["cancelled"]) == ("integration.accounts", True)


def test_a_flow_has_no_cancel(ready: Project, tenant: Tenant) -> None:
    idle = ready.run("cancel", "flow.nightly")
    assert idle.status == 1
    assert "CW322" in idle.err
    assert "none of its steps is running" in idle.err
    outcome(tenant, "Accounts import", seconds=600)
    ready.run("run", "flow.nightly")
    busy = ready.run("cancel", "flow.nightly")
    assert "of its steps, integration.accounts is running" in busy.err
    assert "cwsync cancel integration.accounts" in busy.err
    assert not [call for call in runs(tenant) if call.endswith("/cancel")]


def test_names_of_the_tenant_command_no_terminal(ready: Project, tenant: Tenant) -> None:
    outcome(tenant, "Month close", "failure", message="bad \x1b[2J row\nsecond \u202e line")
    made = tenant.edit("create", "integration", body={"name": "Ev\x1b]0;il", "processId": "118000000009"})
    ready.write(
        "manifests/nightly.yaml",
        re.sub(
            r"\[.*\]",
            f"[{{integration: close, onFailure: continue}}, {{integration: {{id: {made}}}}}]",
            NIGHTLY,
        ),
    )
    ready.applied()
    tenant.edit("update", "outcome", id=made, body={"seconds": 0})
    ran = ready.run("run", "flow.nightly", "--wait")
    assert ran.status == 6, ran.all
    assert "\x1b" not in ran.all
    assert "\u202e" not in ran.all
    assert '"Ev\\u001b]0;il"' in ran.out
    assert "bad \\u001b[2J row" in ran.out
    assert "\x1b" not in ready.run("history", "flow.nightly").all


def _followed(ready: Project, address: str, **streams: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command("run", address, "--wait"), cwd=ready.root, stdin=subprocess.DEVNULL,
        encoding="utf-8", stdout=subprocess.PIPE, **streams,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("address", "way"),
    [
        ("integration.accounts", "to cancel it: cwsync cancel integration.accounts"),
        ("flow.nightly", "cwsync cancel flow.nightly says which step runs"),
    ],
)
def test_ctrl_c_leaves_the_run_alone(ready: Project, tenant: Tenant, address: str, way: str) -> None:
    outcome(tenant, "Accounts import", seconds=600)
    with _followed(ready, address, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        first = [process.stderr.readline() for _ in range(2)]
        assert f"{address} is started" in first[0]
        assert "running" in first[1]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert f"of {address} goes on in CloudWorks" in err
    assert way in err
    assert "Traceback" not in err
    assert "running" in ready.run("history", "integration.accounts").out


def test_a_terminal_shows_it_alive_and_is_left_clean(ready: Project, tenant: Tenant) -> None:
    outcome(tenant, "Accounts import", seconds=0.2)
    outcome(tenant, "Month close", seconds=0)
    screen, terminal = pty.openpty()
    with _followed(ready, "flow.nightly", stderr=terminal, env={**os.environ, "TERM": "xterm"}) as process:
        os.close(terminal)
        shown = b"".join(iter(lambda: _read(screen), b"")).decode()
        assert process.stdout is not None
        out = process.stdout.read()
    os.close(screen)
    assert process.returncode == 0
    assert "\x1b[?25l" in shown  # the cursor is hidden while it lives, and is back at the end
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")
    assert "integration.close" in shown
    assert "flow.nightly: integration" not in shown
    assert "flow.nightly: success" in out


def _read(screen: int) -> bytes:
    try:
        return os.read(screen, 4096)
    except OSError:  # Linux's word for the other end being closed
        return b""
