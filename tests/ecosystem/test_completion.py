"""What a shell completes, asked as its script asks: through the program's own protocol."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ecosystem.runner import BIN
from support.program import cwsync
from support.projects import Project, example, small
from support.tenant import served


def completed(line: str, folder: Path) -> list[str]:
    """What is offered for the last word of a line. What a person would see beside it is nothing."""
    words = line.split(" ")
    ran = subprocess.run(
        [BIN / "cwsync"],
        cwd=folder,
        env={
            **os.environ,
            "_CWSYNC_COMPLETE": "bash_complete",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr == ""
    return [one.removeprefix("plain,") for one in ran.stdout.split()]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return example("quickstart", tmp_path_factory.mktemp("completion"))


def test_commands_options_and_formats_are_completed(project: Project) -> None:
    assert completed("cwsync p", project.root) == ["plan"]
    assert "--detailed-exitcode" in completed("cwsync plan --", project.root)
    assert completed("cwsync plan --format ", project.root) == ["text", "json", "markdown", "html"]
    assert completed("cwsync completion ", project.root) == ["bash", "zsh", "fish"]


@pytest.mark.parametrize(
    "line",
    [
        "plan --target connection.",
        "apply --exclude connection.",
        "plan --replace connection.",
        "recover connection.",
    ],
)
def test_addresses_are_completed_from_the_manifests(project: Project, line: str) -> None:
    found = completed(f"cwsync {line}", project.root)
    assert found == ["connection.lake", "connection.sales-s3", "connection.warehouse"]


def test_only_what_can_be_run_is_offered_to_run(project: Project) -> None:
    assert completed("cwsync run ", project.root) == [
        "flow.nightly",
        "integration.accounts",
        "integration.month-close",
        "integration.sku-export",
        "integration.stock-levels",
    ]
    assert completed("cwsync cancel f", project.root) == []


def test_a_manifest_with_errors_still_completes(tmp_path: Path) -> None:
    project = example("quickstart", tmp_path)
    project.replace("manifests/connections.yaml", "bucketName", "bucketname")
    project.write("manifests/new.yaml", "flows:\n  weekly: {steps: [}\n")
    assert completed("cwsync plan --target connection.l", project.root) == ["connection.lake"]


def test_what_is_managed_is_completed_from_the_state(tmp_path: Path) -> None:
    """Also what is declared no more, and without a call."""
    with served() as tenant:
        project = small(tenant, tmp_path).applied()
    project.remove("manifests/nightly.yaml")
    assert completed("cwsync state rm flow", project.root) == ["flow.nightly"]
    assert completed("cwsync state mv f", project.root) == ["flow.nightly"]
    assert completed("cwsync drift --accept schedule.", project.root) == ["schedule.accounts"]


def test_environments_are_completed_before_one_is_chosen(tmp_path: Path) -> None:
    root = example("dev-and-prod", tmp_path).root
    (root / "cwsync.yaml").write_text(
        (root / "cwsync.yaml").read_text("utf-8").replace("environment: dev", "#")
    )
    assert completed("cwsync plan -e ", root) == ["dev", "prod"]
    assert completed("cwsync -e p", root) == ["prod"]
    assert completed("cwsync plan --target f", root) == []
    assert completed(f"cwsync -C {root} -e prod plan --target flow.", tmp_path) == ["flow.nightly"]


@pytest.mark.parametrize("text", [None, "environments: ["])
def test_where_there_is_no_project_nothing_is_offered_and_nothing_said(
    tmp_path: Path, text: str | None
) -> None:
    if text is not None:
        (tmp_path / "cwsync.yaml").write_text(text)
    assert completed("cwsync plan --target ", tmp_path) == []
    assert completed("cwsync plan -e ", tmp_path) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_asks_by_that_protocol(tmp_path: Path, shell: str) -> None:
    ran = cwsync("completion", shell, folder=tmp_path)
    assert ran.status == 0
    assert "_CWSYNC_COMPLETE=" + shell + "_complete" in ran.out
    assert ran.err == ""


def test_in_bash_itself_an_address_is_completed(project: Project) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    script = """
    eval "$(cwsync completion bash)"
    COMP_WORDS=(cwsync plan --target flow.n) COMP_CWORD=3
    _cwsync_completion cwsync
    printf '%s\\n' "${COMPREPLY[@]}"
    """
    ran = subprocess.run(
        [bash, "--norc", "-c", script],
        cwd=project.root,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.stdout, ran.stderr) == ("flow.nightly\n", "")
