""".pre-commit-hooks.yaml, as pre-commit itself runs it. Only the installation is not: that would need a network."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ecosystem.runner import BIN, ROOT
from support.program import Ran
from support.projects import Project, example

MANIFEST = ROOT / ".pre-commit-hooks.yaml"


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Ran]:
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PRE_COMMIT"))},
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "PRE_COMMIT_HOME": str(tmp_path / "cache"),
        "HOME": str(tmp_path),
        "GIT_CONFIG_NOSYSTEM": "1",
    }

    def run(*command: str | Path, folder: Path = tmp_path) -> Ran:
        ran = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    return run


@pytest.fixture
def project(tmp_path: Path, run: Callable[..., Ran]) -> Project:
    """A repository with the quickstart and another file of YAML, where the hooks are installed as local ones."""
    hooks: list[dict[str, Any]] = yaml.safe_load(MANIFEST.read_text("utf-8"))
    made = example("quickstart", tmp_path)
    local = {"repo": "local", "hooks": [{**hook, "language": "system"} for hook in hooks]}
    made.write(".pre-commit-config.yaml", yaml.safe_dump({"repos": [local]}))
    made.write("other.yaml", "a:   1\n")
    assert run("git", "init", "--quiet", folder=made.root).status == 0
    assert run("git", "add", ".", folder=made.root).status == 0
    return made


def test_pre_commit_takes_the_manifest(run: Callable[..., Ran]) -> None:
    assert run("pre-commit", "validate-manifest", MANIFEST) == Ran(0, "", "")


def test_what_is_in_order_is_committed(project: Project, run: Callable[..., Ran]) -> None:
    ran = run("pre-commit", "run", "--all-files", folder=project.root)
    assert ran.status == 0, ran.all
    assert [line.rpartition(".")[2] for line in ran.out.splitlines()] == ["Passed", "Passed"]


def test_what_is_wrong_is_not_committed_and_the_layout_is_mended(
    project: Project, run: Callable[..., Ran]
) -> None:
    neat = project.read("manifests/close.yaml")
    project.write("manifests/close.yaml", neat.replace("name: Month", "name:    Month"))
    project.replace("manifests/connections.yaml", "bucketName", "bucketname")
    run("git", "add", ".", folder=project.root)
    ran = run("pre-commit", "run", folder=project.root)
    assert ran.status == 1
    assert "did you mean 'bucketName'" in ran.out
    assert "files were modified by this hook" in ran.out
    assert project.read("manifests/close.yaml") == neat
    assert project.read("other.yaml") == "a:   1\n"


def test_a_commit_of_other_files_runs_neither(project: Project, run: Callable[..., Ran]) -> None:
    ran = run("pre-commit", "run", "--files", "other.yaml", folder=project.root)
    assert ran.status == 0
    assert ran.out.count("(no files to check)Skipped") == 2
