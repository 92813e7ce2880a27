"""Which files of a project are its manifests."""

from __future__ import annotations

from pathlib import Path

import pytest

from cwsync.errors import CwsyncError
from cwsync.project import load_project, manifest_files

FILES = ["m/b.yaml", "m/a.yml", "m/deep/c.json", "m/notes.md", "m/.hidden.yaml", "m/.git/x.yaml"]
FILES += [
    "teams/x/cw/1.yaml",
    "teams/y/cw/2.yaml",
    "teams/y/other/3.yaml",
    "one.txt",
    "top.yaml",
    "UPPER.YAML",
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    return tmp_path


def listed(root: Path, patterns: str) -> list[str]:
    (root / "cwsync.yaml").write_text(f"environments: {{e: {{api: emulator}}}}\nmanifests: {patterns}\n")
    return [file.relative_to(root).as_posix() for file in manifest_files(load_project(root))]


@pytest.mark.parametrize(
    ("patterns", "files"),
    [
        ("[m]", ["m/a.yml", "m/b.yaml", "m/deep/c.json"]),
        ("[./m/]", ["m/a.yml", "m/b.yaml", "m/deep/c.json"]),
        ("[m/deep, m]", ["m/a.yml", "m/b.yaml", "m/deep/c.json"]),
        ("[m/*]", ["m/a.yml", "m/b.yaml", "m/deep/c.json"]),
        ("['*.yaml']", ["top.yaml"]),
        ("['m/*.y*ml', one.txt]", ["m/a.yml", "m/b.yaml", "one.txt"]),
        ("[teams/*/cw]", ["teams/x/cw/1.yaml", "teams/y/cw/2.yaml"]),
        ("['teams/**/[12].yaml']", ["teams/x/cw/1.yaml", "teams/y/cw/2.yaml"]),
        ("['**/c.json', '**/top.yaml']", ["m/deep/c.json", "top.yaml"]),
        ("[m/.hidden.yaml]", ["m/.hidden.yaml"]),
        ("[teams/**]", ["teams/x/cw/1.yaml", "teams/y/cw/2.yaml", "teams/y/other/3.yaml"]),
    ],
)
def test_files_folders_and_globs(root: Path, patterns: str, files: list[str]) -> None:
    assert listed(root, patterns) == files


def test_the_whole_project_is_without_cwsync_yaml_itself(root: Path) -> None:
    assert "cwsync.yaml" not in listed(root, "[.]")
    assert "top.yaml" in listed(root, "[.]")


def test_links_are_followed_but_not_for_ever_and_each_file_counts_once(root: Path) -> None:
    (root / "m/loop").symlink_to(root / "m")
    (root / "m/deep/up").symlink_to(root)
    (root / "linked").symlink_to(root / "teams")
    (root / "m/again.yaml").symlink_to(root / "m/b.yaml")
    assert [Path(name).name for name in listed(root, "[linked, m/loop]")].count("1.yaml") == 1
    assert len([n for n in listed(root, "[m]") if n in ("m/again.yaml", "m/b.yaml")]) == 1


def test_a_link_to_nothing_is_listed_so_that_reading_it_fails(root: Path) -> None:
    (root / "m/gone.yaml").symlink_to("nowhere.yaml")
    assert "m/gone.yaml" in listed(root, "[m]")


def test_every_pattern_must_match(root: Path) -> None:
    (root / "empty").mkdir()
    with pytest.raises(CwsyncError) as raised:
        listed(root, "[m, empty, none.yaml, 'x/*.yaml']")
    places = [f"{p.place.line}:{p.place.column}" for p in raised.value.problems if p.place]
    assert {p.code for p in raised.value.problems} == {"CW115"}
    assert places == ["2:16", "2:23", "2:34"]


def test_the_default_folder_must_be_there(root: Path) -> None:
    (root / "cwsync.yaml").write_text("environments: {e: {api: emulator}}")
    with pytest.raises(CwsyncError) as raised:
        manifest_files(load_project(root))
    assert "'manifests'" in raised.value.problems[0].message
