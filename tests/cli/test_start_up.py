"""What a command loads: start-up counts in pre-commit hooks, so heavy libraries come in only where used."""

from __future__ import annotations

import gc
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
    "psycopg",
    "opentelemetry",
}
# What only other commands, other formats or what is wrong need.
LATE = {
    "json",
    "subprocess",
    "cwsync.api.client",
    "cwsync.apply",
    "cwsync.audit",
    "cwsync.emulator",
    "cwsync.live",
    "cwsync.operate",
    "cwsync.plan",
    "cwsync.report.document",
    "cwsync.report.html",
    "cwsync.report.problems",
    "cwsync.state",
}
# Prints what is loaded when cwsync has ended, below whatever the command printed.
PROBE = """
import sys
from cwsync.cli import run
status = run(sys.argv[1:])
print()
print(status, *sys.modules)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return example("quickstart", tmp_path_factory.mktemp("start-up"))


def loaded(folder: Path, *arguments: str) -> tuple[int, set[str], set[str]]:
    """The exit status, and the packages and the modules that are loaded in the end."""
    probe = [sys.executable, "-c", PROBE, *arguments]
    done = subprocess.run(
        probe, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    status, *modules = done.stdout.splitlines()[-1].split()
    return int(status), {name.partition(".")[0] for name in modules}, set(modules)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], []])
def test_help_loads_click_and_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    _, packages, modules = loaded(tmp_path, *arguments)
    assert "click" in packages
    assert not HEAVY & packages
    assert len(modules) < 150


@pytest.mark.parametrize("name", ["validate", "graph"])
def test_what_is_offline_loads_no_client(project: Project, name: str) -> None:
    status, packages, modules = loaded(project.root, name)
    assert status == 0
    assert packages & HEAVY == {"pydantic", "yaml"}
    assert len(modules) < 350


def test_validate_loads_what_checking_needs(project: Project) -> None:
    status, _, modules = loaded(project.root, "validate")
    assert status == 0
    assert not LATE & modules
    ours = {name for name in modules if name.startswith("cwsync.")}
    assert len(ours) < 60


ENDED = """
import atexit, gc, os
from cwsync.cli import main
atexit.register(lambda: print(gc.get_threshold()[0], gc.isenabled(), gc.get_freeze_count() > 0))
atexit.register(lambda: print(os.environ["PYDANTIC_DISABLE_PLUGINS"]))
main(["--version"])
"""


def test_a_process_of_its_own_looks_for_circles_rarely_and_for_plugins_never(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENDED], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[1:] == ["__all__", "100000 True True"]


PLANNED = """
import atexit, sys
from cwsync.cli import main
atexit.register(lambda: print("httpx" in sys.modules, "rich" in sys.modules))
main(["plan", "-q"])
"""


def test_a_process_of_its_own_loads_no_command_line_of_httpx(project: Project) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PLANNED], cwd=project.root, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "True False"


def test_who_only_calls_it_keeps_the_collector_as_it_is(tmp_path: Path) -> None:
    called = 'import gc; from cwsync.cli import run; run(["--version"]); print(gc.get_threshold()[0])'
    done = subprocess.run(
        [sys.executable, "-c", called], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[-1] == str(gc.get_threshold()[0])


def test_a_wrong_manifest_loads_no_more(project: Project, tmp_path: Path) -> None:
    broken = example("quickstart", tmp_path)
    broken.replace("manifests/connections.yaml", "bucketName", "bucketname")
    status, packages, _ = loaded(broken.root, "validate")
    assert status == 1
    assert packages & HEAVY == {"pydantic", "yaml"}


def test_commands_load_what_they_need_and_no_more(project: Project) -> None:
    """Equal pairs never reach deepdiff, and only certificates need cryptography."""
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
