"""What stands at the root for other programs, and who owns what in an example."""

from __future__ import annotations

import fnmatch
import re
import subprocess
import tomllib
from pathlib import Path

from ecosystem.runner import BIN, ROOT, action

EXAMPLE = ROOT / "examples/dev-and-prod"


def owner(file: str, lines: list[tuple[str, str]]) -> str:
    """By the last pattern that matches: `*`, or a folder from the root on."""
    found = [who for pattern, who in lines if pattern == "*" or f"/{file}".startswith(pattern)]
    return found[-1]


def test_every_pattern_of_codeowners_is_about_files_that_are_there() -> None:
    text = (EXAMPLE / "CODEOWNERS").read_text("utf-8")
    lines = [(line.split()[0], line.split()[1]) for line in text.splitlines() if line and line[0] != "#"]
    assert all(pattern == "*" or re.fullmatch(r"/[\w/-]+/", pattern) for pattern, _ in lines)
    files = [one.relative_to(EXAMPLE).as_posix() for one in EXAMPLE.rglob("*") if one.is_file()]
    owners = {file: owner(file, lines) for file in files if not file.startswith(".cwsync/")}
    for team in sorted(one.name for one in (EXAMPLE / "teams").iterdir()):
        assert {who for file, who in owners.items() if file.startswith(f"teams/{team}/")} == {f"@acme/{team}"}
    shared = {who for file, who in owners.items() if not file.startswith("teams/")}
    assert shared == {"@acme/platform"}
    assert set(owners.values()) == {who for _, who in lines}


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    ran = subprocess.run([BIN / "hadolint", ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.returncode) == ("", 0)


def test_the_image_is_built_from_what_the_context_has_and_has_nothing_else() -> None:
    said = (ROOT / "Dockerfile").read_text("utf-8")
    copied = {
        name for names in re.findall(r"^COPY (?!--)(.+) \S+$", said, re.MULTILINE) for name in names.split()
    }
    ignored, *kept = [
        line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line[:1] != "#"
    ]
    assert ignored == "*"
    assert copied == {line[1:] for line in kept if line.startswith("!")}
    assert all((ROOT / name).exists() for name in copied)
    assert {"pyproject.toml", "README.md", "LICENSE"} <= copied  # what the package is built from


def test_action_and_image_install_the_same_and_every_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    scripts = [one.get("run", "") for one in action()["runs"]["steps"]]
    texts = [(ROOT / "Dockerfile").read_text("utf-8"), "\n".join(scripts)]
    extras = [re.findall(r"\[([a-z,]+)\]['\"]", text) for text in texts]
    assert extras[0] == extras[1]
    assert {*extras[0][0].split(",")} == set(project["optional-dependencies"]) - {"dev"}
    assert len({version for text in texts for version in re.findall(r"uv==([\d.]+)", text)}) == 1


def test_what_the_action_needs_is_in_the_source_distribution() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"][
        "sdist"
    ]
    for name in (
        "action.yml",
        ".pre-commit-hooks.yaml",
        "Dockerfile",
        ".dockerignore",
        "examples/ci/post.py",
    ):
        assert any(
            name == one or Path(name).is_relative_to(one) or fnmatch.fnmatch(name, one)
            for one in listed["include"]
        )
