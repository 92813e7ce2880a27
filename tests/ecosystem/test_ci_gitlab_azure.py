"""The examples for GitLab CI and Azure Pipelines, run: their scripts, in a project, against a double of the forge."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ecosystem.forges import Azure, Forge, GitLab, running
from ecosystem.runner import BIN, ROOT
from support.program import Ran
from support.projects import Project, example
from support.tenant import embedded

CI = ROOT / "examples/ci"


def loaded(file: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((CI / file).read_text(encoding="utf-8"))
    return found


def gitlab_script(job: str) -> list[str]:
    """Each job's lines are one script, which ends at the first that fails."""
    return ["sh", "-e", "-c", "\n".join(loaded("gitlab/.gitlab-ci.yml")[job]["script"])]


def azure_script(stage: str) -> list[str]:
    """The last shell step of a stage: those before it install."""
    (found,) = [one for one in loaded("azure/azure-pipelines.yml")["stages"] if one["stage"] == stage]
    job = found["jobs"][0]
    steps = job["steps"] if "steps" in job else job["strategy"]["runOnce"]["deploy"]["steps"]
    return ["bash", "--noprofile", "--norc", "-c", [one["bash"] for one in steps if "bash" in one][-1]]


SCRIPTS = {GitLab: gitlab_script, Azure: azure_script}


@pytest.fixture(params=[GitLab, Azure], ids=["gitlab", "azure"])
def forge(request: pytest.FixtureRequest) -> Iterator[Forge]:
    made: Forge = request.param()
    with running(made):
        yield made


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = example("quickstart", tmp_path)
    (made.root / "ci").mkdir()
    shutil.copy(CI / "post.py", made.root / "ci")
    return made


def job(forge: Forge, project: Project, name: str, **environ: str) -> Ran:
    outside = {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "HOME": str(project.root),
        "PIPELINE_WORKSPACE": str(project.root),
        "CWSYNC_ENV": "local",
        **forge.environ,
        **environ,
    }
    ran = subprocess.run(
        SCRIPTS[type(forge)](name),
        cwd=project.root,
        env=outside,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Ran(ran.returncode, ran.stdout, ran.stderr)


SLY = "##vso[task.setvariable variable=x]y"


def test_from_the_merge_request_to_the_last_drift(forge: Forge, project: Project) -> None:
    project.replace("cwsync.yaml", "firstDay:", f'unused: "{SLY}"\n  firstDay:')  # a warning shows the line
    forge.down = True
    failed = job(forge, project, "plan")
    assert failed.status == 1
    assert "503" in failed.err
    forge.down = False
    planned = job(forge, project, "plan")
    assert planned.status == 0, planned.all
    (comment,) = forge.comments.values()
    assert comment.startswith("<!-- cwsync plan: local -->\n")

    # What is applied is the file that the plan's job has kept.
    (project.root / "plan").mkdir()
    shutil.copy(project.root / "prod.plan", project.root / "plan")
    applied = job(forge, project, "apply")
    assert applied.status == 0, applied.all
    assert "13 added" in applied.out
    assert job(forge, project, "apply").status == 3

    with embedded(project.root / ".cwsync/local.emulator.db") as tenant:
        tenant.edit("update", "integration", name="Month close", body={"nuxVisible": True})
    found = job(forge, project, "drift")
    assert found.status == 0, found.all
    (issue,) = forge.open_issues
    assert issue.title == "Drift in local"
    assert "Grace Hopper" in issue.text
    assert project.run("apply", "--auto-approve").status == 0
    assert job(forge, project, "drift").status == 0
    assert forge.open_issues == []

    if isinstance(forge, Azure):  # its agent obeys what looks like a command, wherever it stands in the log
        log = failed.all + planned.all + applied.all + found.all
        assert "##vso[task.uploadsummary]" in log
        assert "# #vso[task.setvariable" in log
        assert SLY not in log


def test_what_is_wrong_ends_with_the_programs_status(forge: Forge, project: Project) -> None:
    project.replace("cwsync.yaml", "version: 1", "version: 9")
    for name in ("plan", "drift"):
        assert job(forge, project, name).status == 1
    assert forge.asked == []


def test_a_plan_that_is_refused_is_shown_and_fails(forge: Forge, project: Project) -> None:
    project.applied()
    project.replace(
        "cwsync.yaml", "    api: emulator # in", "    guards: {maxDeletes: 0}\n    api: emulator # in"
    )
    project.write("manifests/close.yaml", "integrations: {}\n")
    project.remove("manifests/stock.yaml")
    assert job(forge, project, "plan").status == 7
    assert "cannot be applied" in forge.comments[1]
