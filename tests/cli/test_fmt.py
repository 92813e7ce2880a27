"""fmt, at the command line: which files, what is written, and what is said."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from support.projects import Project, example

UGLY = "integrations:\n    close: {name:   Month close ,  processId: 118000000001} # it is\n\n\n\n"
NEAT = "integrations:\n  close: {name: Month close, processId: 118000000001} # it is\n"


@pytest.fixture
def ugly(tmp_path: Path) -> Project:
    """The quickstart, in which one manifest and cwsync.yaml are not formatted."""
    project = example("quickstart", tmp_path)
    project.write("manifests/close.yaml", UGLY)
    project.write("cwsync.yaml", project.read("cwsync.yaml") + "\n\n")
    return project


def files(project: Project) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file()}


def test_check_lists_what_would_change_and_writes_nothing(ugly: Project) -> None:
    before = files(ugly)
    done = ugly.run("fmt", "--check")
    assert (done.status, done.out.split()) == (1, ["cwsync.yaml", "manifests/close.yaml"])
    assert "CW106 2 of 5 files are not formatted" in done.err
    assert files(ugly) == before


def test_it_writes_what_changes_and_nothing_more(ugly: Project) -> None:
    before = files(ugly)
    os.chmod(ugly.root / "manifests/close.yaml", 0o640)  # noqa: PTH101 - plainly a mode
    done = ugly.run("fmt", "--format", "json")
    assert done.status == 0, done.all
    assert json.loads(done.out) == {
        "changed": ["cwsync.yaml", "manifests/close.yaml"],
        "files": 5,
        "written": True,
        "problems": [],
    }
    after = files(ugly)
    changed = {path.name for path in after if after[path] != before.get(path)}
    assert changed == {"cwsync.yaml", "close.yaml"}
    assert ugly.read("manifests/close.yaml") == NEAT
    assert (ugly.root / "manifests/close.yaml").stat().st_mode & 0o777 == 0o640
    assert ugly.run("fmt", "--check").status == 0


def test_paths_need_no_project_and_links_stay_links(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write("in/a.yaml", "a:   1\n")
    project.write("in/deep/b.yml", "b:   1\n")
    project.write("in/.hidden/c.yaml", "c:   1\n")
    project.write("in/d.txt", "d:   1\n")
    project.write("elsewhere/e.yaml", "e:   1\n")
    (tmp_path / "link.yaml").symlink_to("elsewhere/e.yaml")
    done = project.run("fmt", "in", "link.yaml", "in/a.yaml")
    assert (done.status, len(done.out.split())) == (0, 3)
    assert project.read("elsewhere/e.yaml") == "e: 1\n"
    assert (tmp_path / "link.yaml").is_symlink()
    assert [project.read(f"in/{name}") for name in ("a.yaml", "deep/b.yml", ".hidden/c.yaml", "d.txt")] == [
        "a: 1\n",
        "b: 1\n",
        "c:   1\n",
        "d:   1\n",
    ]


def test_one_file_that_cannot_be_read_stops_no_other(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write("a.yaml", "a: [\n")
    project.write("b.yaml", "b:   1\n")
    done = project.run("fmt", "a.yaml", "b.yaml", "missing.yaml")
    assert done.status == 1
    assert "a.yaml:2:1: CW102" in done.err
    assert "missing.yaml:1:1: CW101" in done.err
    assert (project.read("a.yaml"), project.read("b.yaml")) == ("a: [\n", "b: 1\n")


@pytest.mark.parametrize("name", ["quickstart", "all-kinds"])
def test_the_examples_are_formatted(name: str, tmp_path: Path) -> None:
    done = example(name, tmp_path).run("fmt", "--check")
    assert done.status == 0, done.all
