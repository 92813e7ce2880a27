"""diff: what two environments declare, side by side; and the example that has two."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from support.golden import TextFile
from support.program import Ran
from support.projects import Project, example
from support.tenant import embedded
from syrupy.assertion import SnapshotAssertion

BOTH = ("-e", "dev", "-e", "prod")
KEYS = "accessKeyId: {fromEnv: KEY}, secretAccessKey: {fromEnv: SECRET}"
SETTINGS = """\
version: 1
environment: dev
variables: {bucket: landing}
environments:
  dev: {api: emulator, variables: {stage: dev}}
  prod: {api: emulator, variables: {stage: prod}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return example("dev-and-prod", tmp_path)


def of(folder: Path, manifest: str, settings: str = SETTINGS) -> Project:
    project = Project(folder)
    project.write("cwsync.yaml", settings)
    project.write("manifests/all.yaml", manifest)
    return project


def bucket(key: str, name: str, more: str = "") -> str:
    return f'  {key}: {{type: AmazonS3, bucketName: "{name}", {KEYS}{more}}}\n'


def document(ran: Ran) -> dict[str, Any]:
    assert ran.status == 0, ran.all
    found: dict[str, Any] = json.loads(ran.out)
    return found


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_example(form: str, project: Project, snapshot: SnapshotAssertion) -> None:
    ran = project.run("diff", *BOTH, "--format", form)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == snapshot(extension_class=TextFile)
    assert not (project.root / ".cwsync").exists()


def test_the_example_is_applied_in_both_environments(project: Project) -> None:
    names = {}
    for name in ("dev", "prod"):
        done = project.run("apply", "--auto-approve", "-e", name)
        assert (done.status, "warning" in done.all) == (0, False), done.all
        again = project.run("plan", "--detailed-exitcode", "-e", name)
        assert (again.status, again.out.partition(".")[0]) == (0, "No changes"), again.all
        with embedded(project.root / f".cwsync/{name}.emulator.db") as tenant:
            names[name] = tenant.names("connections")
    assert names == {
        "dev": ["Dev lake", "Dev warehouse"],
        "prod": ["Prod lake", "Prod warehouse"],
    }


def test_it_names_each_field_that_the_plans_of_the_two_give_another_value(project: Project) -> None:
    planned = {}
    for name in ("dev", "prod"):
        changes = json.loads(project.run("plan", "--format", "json", "-e", name).out)["resource_changes"]
        planned[name] = {
            (change["address"], field): value
            for change in changes
            for field, value in change["change"]["after"].items()
        }
    told = {
        (one["address"], re.split(r"[.\[]", field["path"])[0])
        for one in document(project.run("diff", *BOTH, "--format", "json"))["differences"]
        for field in one["fields"]
    }
    not_in_plans = {"lifecycle", "sasToken", "serviceAccountKey"}  # protection, and where secrets are found
    differ = {field for field, value in planned["dev"].items() if value != planned["prod"][field]}
    assert differ == {field for field in told if field[1] not in not_in_plans}
    assert {field for _, field in told} >= not_in_plans


def test_equal_environments_have_no_differences(tmp_path: Path) -> None:
    project = of(tmp_path, "connections:\n" + bucket("sales", "${var.bucket}"))
    ran = project.run("diff", *BOTH, "--detailed-exitcode")
    assert ran.status == 0
    assert "No differences. dev and prod declare the same 1 resource." in ran.out
    assert "CW114" in ran.err  # the stage is used nowhere


def test_the_exit_status_tells_of_differences_where_that_is_asked_for(project: Project) -> None:
    assert project.run("diff", *BOTH).status == 0
    assert project.run("diff", *BOTH, "--detailed-exitcode").status == 2
    assert (
        project.run("diff", "-e", "prod", "-e", "dev", "-q").out == "prod -> dev: 8 of 9 resources differ.\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["diff"],
        ["diff", "-e", "dev"],
        ["diff", "-e", "dev", "-e", "dev"],
        ["diff", "-e", "dev", "-e", "prod", "-e", "dev"],
        ["-e", "dev", "diff", "-e", "prod"],
        ["-e", "dev", "diff", "-e", "dev", "-e", "prod"],
    ],
)
def test_it_takes_two_environments_behind_its_name(arguments: list[str], project: Project) -> None:
    ran = project.run(*arguments)
    assert (ran.status, ran.out) == (1, "")
    assert "CW901" in ran.err
    assert "cwsync diff -e FIRST -e SECOND" in ran.err


def test_other_options_stand_where_they_always_do(project: Project, tmp_path: Path) -> None:
    ran = Project(tmp_path).run("-C", str(project.root), "--var", "stage=All", "diff", *BOTH)
    assert ran.status == 0
    assert "var.stage" not in ran.out  # it is given for both
    assert "All lake" in ran.out
    assert "Dev lake" not in ran.out


def test_what_only_one_declares(tmp_path: Path) -> None:
    settings = SETTINGS.replace("variables: {b", 'manifests: [manifests, "${var.stage}"]\nvariables: {b')
    project = of(tmp_path, "connections:\n" + bucket("sales", "${var.bucket}"), settings)
    project.write("dev/trial.yaml", "connections:\n" + bucket("trial", "trial"))
    project.write("prod/close.yaml", "integrations:\n  close: {processId: 118, workspaceId: w, modelId: m}\n")
    ran = project.run("diff", *BOTH)
    assert "# connection.trial is only in dev\n" in ran.out
    assert '- bucketName: "trial"\n' in ran.out
    assert '- accessKeyId.fromEnv: "KEY"\n' in ran.out
    assert "# integration.close is only in prod\n" in ran.out
    assert '+ processId: "118"\n' in ran.out
    assert "dev -> prod: 0 of 3 resources differ, 1 is only in dev, 1 is only in prod." in ran.out
    trial, close = document(project.run("diff", *BOTH, "--format", "json"))["differences"]
    assert (trial["only_in"], close["only_in"]) == ("dev", "prod")
    assert {"path": "bucketName", "values": ["trial", None]} in trial["fields"]


def test_a_problem_names_the_environment_that_has_it(tmp_path: Path) -> None:
    settings = SETTINGS.replace("stage: prod", "stage: ''")
    project = of(
        tmp_path, "connections:\n" + bucket("sales", "${var.stage}") + bucket("x", "${var.what}"), settings
    )
    ran = project.run("diff", *BOTH)
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.count("the variable 'what' is not set") == 1  # in both, so it is said once, and of neither
    assert "CW113 the variable 'what'" in ran.err
    assert "CW203 in prod: 'bucketName' must not be empty" in ran.err
    assert "in dev:" not in ran.err
    assert "there is no environment 'prdo'" in project.run("diff", "-e", "dev", "-e", "prdo").err


def test_secrets_are_compared_by_where_they_are_found(tmp_path: Path) -> None:
    command = '{{fromCommand: [vault, "${{var.stage}}", needle]}}'
    connection = bucket("sales", "landing").replace("{fromEnv: KEY}", '{fromEnv: "${var.stage}_KEY"}')
    lake = f"  lake: {{type: AzureBlob, storageAccountName: a, containerName: c, sasToken: {command.format()}}}\n"
    project = of(tmp_path, "connections:\n" + connection + lake)
    ran = project.run("diff", *BOTH)
    assert '~ accessKeyId: {"fromEnv": "dev_KEY"} -> {"fromEnv": "prod_KEY"}  # var.stage\n' in ran.out
    assert '{"fromCommand": ["vault", "…"]}  # its other arguments, which are not shown' in ran.out
    assert "needle" not in ran.all + project.run("diff", *BOTH, "--format", "json").all
    assert "secretAccessKey" not in ran.out


def test_what_would_command_a_terminal_is_written_out(tmp_path: Path) -> None:
    settings = SETTINGS.replace("stage: dev}", r'stage: "\e[31mred"}')
    ran = of(tmp_path, "connections:\n" + bucket("sales", "${var.bucket}"), settings).run("diff", *BOTH)
    assert ran.status == 0
    assert r'stage: "\u001b[31mred" -> "prod"' in ran.out
    assert "\x1b" not in ran.all
