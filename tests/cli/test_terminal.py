"""At a terminal and beside one: colour, questions, Ctrl-C, pipes, and names that would command a terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest
from support.program import command, cwsync, cwsync_begun, cwsync_process, cwsync_terminal
from support.projects import Project, example, small
from support.tenant import Tenant, served

COLOUR = "\x1b["
HOSTILE = "a\x1b]0;owned\x07\x1b[2J\u202ecod\r\nForged: line"
ASKS = "Only yes is a yes [no]: "
STATE = ".cwsync/test.state.json"


@pytest.fixture
def quickstart(tmp_path: Path) -> Project:
    return example("quickstart", tmp_path)


def test_colour_is_for_terminals(quickstart: Project) -> None:
    root = quickstart.root
    shown = cwsync_terminal("plan", folder=root)
    assert shown.status == 0
    assert f"{COLOUR}32m      +" in shown.out
    for without in (
        cwsync_terminal("plan", folder=root, environ={"NO_COLOR": "1"}),
        cwsync_terminal("plan", "--no-color", folder=root),
        cwsync_terminal("--no-color", "plan", folder=root),
        cwsync_process("plan", folder=root),
    ):
        assert without.status == 0
        assert "Plan: 13 to add" in without.out
        assert COLOUR not in without.all


def test_errors_are_in_colour_at_a_terminal_only(tmp_path: Path) -> None:
    assert f"{COLOUR}31mCW110" in cwsync_terminal("plan", folder=tmp_path).out
    plain = cwsync_terminal("plan", folder=tmp_path, environ={"NO_COLOR": "1"})
    assert "CW110" in plain.out
    assert COLOUR not in plain.out


@pytest.mark.parametrize(
    ("keys", "status", "says"),
    [
        ("no\n", 1, "CW603"),
        ("\n", 1, "CW603"),
        ("y\n", 1, "CW603"),
        ("\x03", 130, "CW604"),
        ("\x04", 130, "CW604"),
    ],
)
def test_only_yes_is_a_yes(project: Project, tenant: Tenant, keys: str, status: int, says: str) -> None:
    shown = cwsync_terminal("apply", folder=project.root, keys=keys, after=ASKS)
    assert shown.status == status
    assert says in shown.out
    assert "nothing was changed" in shown.out
    assert "Traceback" not in shown.out
    assert tenant.mutations() == []
    assert json.loads(project.read(STATE))["lock"] is None


def test_yes_is_a_yes(project: Project, tenant: Tenant) -> None:
    shown = cwsync_terminal("apply", folder=project.root, keys="yes\n", after=ASKS)
    assert shown.status == 0
    assert f"Make these 6 calls in the environment test ({tenant.url}/2/0" in shown.out
    assert "Resources: 6 added" in shown.out
    assert tenant.names("flows") == ["Nightly load"]


def test_an_interrupt_in_the_middle_of_a_printed_line_is_an_interrupt(tmp_path: Path) -> None:
    script = """
import io, os, signal, sys

class Interrupting(io.RawIOBase):
    calls = 0
    def writable(self):
        return True
    def write(self, data):
        self.calls += 1
        if self.calls == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return os.write(2, data)

sys.stderr = io.TextIOWrapper(io.BufferedWriter(Interrupting()), line_buffering=True)
from cwsync.cli import run
sys.exit(run(["apply", "--auto-approve"]))
"""
    with served() as tenant:
        project = small(tenant, tmp_path)
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=project.root, capture_output=True, text=True, check=False
        )
        assert done.returncode == 130
        assert "Interrupted: nothing new is begun" in done.stderr
        assert project.run("apply", "--auto-approve").status == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_apply_saves_what_was_done_and_can_be_finished(
    number: signal.Signals, tmp_path: Path
) -> None:
    with served(latency_ms=120) as tenant:
        project = small(tenant, tmp_path)
        with cwsync_begun("apply", "--auto-approve", folder=project.root) as running:
            assert running.stderr is not None
            first = running.stderr.readline()
            running.send_signal(number)
            out, err = running.communicate(timeout=30)
        assert first.startswith("[1/6]")
        assert running.returncode == 130
        assert "Interrupted: nothing new is begun" in err
        assert "CW604" in out
        assert "Traceback" not in out + err
        state = json.loads(project.read(STATE))
        assert (state["lock"], state["pending"]) == (None, {})
        snapshot = tenant.snapshot()
        made = {each["connectionId"] for each in snapshot["connections"]}
        made |= {each["integrationId"] for each in snapshot["integrations"]}
        resources = state["resources"].values()
        assert made == {entry["id"] for entry in resources if entry["kind"] in ("connection", "integration")}
        assert len(state["resources"]) < 6
        assert project.run("apply", "--auto-approve").status == 0
        assert "No changes." in project.run("plan").out
        assert tenant.names("integrations") == ["Accounts import", "Month close"]


@pytest.mark.parametrize("to", ["stdout", "stderr"])
def test_a_reader_that_has_seen_enough_stops_nothing(project: Project, tenant: Tenant, to: str) -> None:
    """As in `cwsync apply | head -1`: what was begun is finished, and ends in its own status."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        command("apply", "--auto-approve"),
        cwd=project.root,
        stdin=subprocess.DEVNULL,
        stdout=writing if to == "stdout" else subprocess.PIPE,
        stderr=writing if to == "stderr" else subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert done.returncode == 0
    assert "Traceback" not in f"{done.stdout}{done.stderr}"
    assert "BrokenPipe" not in f"{done.stdout}{done.stderr}"
    assert json.loads(project.read(STATE))["pending"] == {}
    assert tenant.names("flows") == ["Nightly load"]


def test_a_failure_keeps_its_status_when_nobody_reads_it(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        command("validate"),
        cwd=tmp_path,
        stdout=writing,
        stderr=writing,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    os.close(writing)
    assert done.returncode == 1


def test_names_cannot_command_a_terminal(project: Project, tenant: Tenant) -> None:
    project.applied()
    tenant.edit(
        "create", "connection", body={"type": "AmazonS3", "body": {"name": HOSTILE, "bucketName": "b"}}
    )
    tenant.edit("update", "connection", name="Sales S3", body={"bucketName": HOSTILE, HOSTILE: HOSTILE})
    tenant.edit("update", "integration", name="Month close", body={"name": HOSTILE})
    tenant.fault("status", "PUT", "/2/0/integrations/", status=400, message=HOSTILE)
    for arguments in (["plan", "-v"], ["drift", "-v"], ["apply", "--auto-approve", "-v"], ["state", "show"]):
        for form in ("text", "json"):
            ran = project.run(*arguments, "--format", form)
            assert not set("\x1b\x07\r\u202e") & set(ran.all), (arguments, form)
            assert "\nForged" not in ran.all
            if arguments[0] in ("plan", "drift"):
                assert "owned" in ran.out


def test_a_name_that_the_encoding_lacks_stops_nothing(quickstart: Project) -> None:
    quickstart.replace("manifests/sales.yaml", "Accounts import", "名前")
    ran = cwsync_process(
        "apply", "--auto-approve", folder=quickstart.root, environ={"PYTHONIOENCODING": "latin-1"}
    )
    assert ran.status == 0
    assert '("\\u540d\\u524d", declared at' in ran.out


OPTIONS = (["-C", "project"], ["-e", "test"], ["--var", "bucket=given"], ["-q"], ["--format", "json"])


def test_common_options_stand_before_and_after_the_name(tenant: Tenant, tmp_path: Path) -> None:
    project = small(tenant, tmp_path)
    project.replace("manifests/sales.yaml", "bucketName: landing", 'bucketName: "${var.bucket}"')
    settings = project.read("cwsync.yaml").replace("environment: test", "environment: none")
    project.write("cwsync.yaml", settings + "variables: {bucket: not-given}\n")
    for before in range(len(OPTIONS) + 1):
        ran = cwsync(*chain(*OPTIONS[:before]), "plan", *chain(*OPTIONS[before:]), folder=tmp_path)
        assert ran.status == 0, ran.all
        sales = json.loads(ran.out)["resource_changes"][0]
        assert (sales["address"], sales["change"]["after"]["bucketName"]) == ("connection.sales", "given")


def test_what_stands_after_the_name_wins(quickstart: Project) -> None:
    ran = quickstart.run("-e", "nowhere", "--format", "text", "plan", "-e", "local", "--format", "json")
    assert json.loads(ran.out)["cwsync"]["environment"] == "local"
    assert quickstart.run("--format", "dot", "graph").out.startswith("digraph")


def test_quiet_leaves_results_and_verbose_adds_to_them(quickstart: Project) -> None:
    plain, quiet, verbose = (quickstart.run("plan", *more).out for more in ([], ["-q"], ["-v"]))
    assert quiet == "Plan: 13 to add, 0 to change, 0 to destroy.\n"
    assert "because" not in plain
    assert "Read in 3 calls" in verbose
    assert "manifests/connections.yaml:" in verbose
    assert quickstart.run("-v", "plan").out.count("\n") == verbose.count("\n")
    ran = quickstart.run("apply", "--auto-approve", "-q")
    assert ran.out.splitlines() == [
        quiet.strip(),
        "Apply complete! Resources: 13 added, 0 changed, 0 destroyed.",
    ]
    assert ran.err == ""
