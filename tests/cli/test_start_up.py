"""What a command loads: start-up counts in pre-commit hooks, so heavy libraries come in only where used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.projects import Project, example

HEAVY = {
    "pydantic",
    "httpx",
    "deepdiff",
    "rich",
    "cryptography",
    "falcon",
    "waitress",
    "yaml",
    "sqlite3",
    "obstore",
}
# Prints what is loaded when cwsync has ended, below whatever the command printed.
PROBE = """
import json, sys
from cwsync.cli import run
status = run(sys.argv[1:])
print()
print(json.dumps([status, sorted({name.partition(".")[0] for name in sys.modules}), len(sys.modules)]))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return example("quickstart", tmp_path_factory.mktemp("start-up"))


def loaded(folder: Path, *arguments: str) -> tuple[int, set[str], int]:
    """The exit status, the packages that are loaded in the end, and the number of modules."""
    probe = [sys.executable, "-c", PROBE, *arguments]
    done = subprocess.run(
        probe, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    status, packages, count = json.loads(done.stdout.splitlines()[-1])
    return status, set(packages), count


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], []])
def test_help_loads_click_and_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    _, packages, count = loaded(tmp_path, *arguments)
    assert "click" in packages
    assert not HEAVY & packages
    assert count < 250


@pytest.mark.parametrize("name", ["validate", "graph"])
def test_what_is_offline_loads_no_client(project: Project, name: str) -> None:
    status, packages, count = loaded(project.root, name)
    assert status == 0
    assert packages & HEAVY == {"pydantic", "yaml"}
    assert count < 600


def test_a_wrong_manifest_loads_no_more(project: Project, tmp_path: Path) -> None:
    broken = example("quickstart", tmp_path)
    broken.replace("manifests/connections.yaml", "bucketName", "bucketname")
    status, packages, _ = loaded(broken.root, "validate")
    assert status == 1
    assert packages & HEAVY == {"pydantic", "yaml"}


def test_commands_load_what_they_need_and_no_more(project: Project) -> None:
    """Equal pairs never reach deepdiff, and only certificates need cryptography. (httpx brings rich along.)"""
    for arguments in (["plan"], ["apply", "--auto-approve"], ["plan", "--detailed-exitcode"], ["drift"]):
        status, packages, _ = loaded(project.root, *arguments)
        assert status == 0
        assert "httpx" in packages
        assert not {"cryptography", "waitress", "deepdiff"} & packages


@pytest.mark.parametrize("name", ["apply", "plan", "emulator", "auth", "state", "schema"])
def test_the_help_of_a_command_loads_neither_client_nor_emulator(name: str, tmp_path: Path) -> None:
    status, packages, _ = loaded(tmp_path, name, "--help")
    assert status == 0
    assert not {"httpx", "cryptography", "deepdiff", "rich", "falcon", "waitress", "sqlite3"} & packages
