"""action.yml and examples/ci as their forges' own schemas and other people's linters see them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ecosystem.runner import BIN, ROOT

CI = ROOT / "examples/ci"
WORKFLOWS = sorted((CI / "github").glob("*.yml"))
SCHEMAS = {
    "vendor.github-actions": ([ROOT / "action.yml"], []),
    "vendor.github-workflows": (WORKFLOWS, []),
    "vendor.gitlab-ci": ([CI / "gitlab/.gitlab-ci.yml"], ["--data-transform", "gitlab-ci"]),
    "vendor.azure-pipelines": (
        [CI / "azure/azure-pipelines.yml"],
        ["--data-transform", "azure-pipelines", "--regex-variant", "nonunicode"],
    ),
}


def lint(*command: str | Path) -> str:
    """What a linter says where it finds something; nothing where it does not."""
    program, *arguments = command
    ran = subprocess.run(
        [BIN / program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr


@pytest.mark.parametrize("schema", SCHEMAS)
def test_it_is_as_the_schema_says(schema: str) -> None:
    files, options = SCHEMAS[schema]
    assert lint("check-jsonschema", "--builtin-schema", schema, *options, *files) == ""


def test_zizmor_finds_no_weakness() -> None:
    assert len(WORKFLOWS) == 3
    assert lint("zizmor", "--offline", "--no-progress", "--quiet", ROOT / "action.yml", *WORKFLOWS) == ""


def scripts(value: Any) -> Iterator[tuple[str, str]]:
    """Each script in a file of YAML, and the shell that it is for."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("run", "bash") and isinstance(inner, str):
                yield "bash", inner
            elif key == "script":
                yield "sh", "\n".join(inner)
            else:
                yield from scripts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from scripts(inner)


FILES = [ROOT / "action.yml", *WORKFLOWS, CI / "gitlab/.gitlab-ci.yml", CI / "azure/azure-pipelines.yml"]
SCRIPTS = [(file.name, *one) for file in FILES for one in scripts(yaml.safe_load(file.read_text("utf-8")))]


def test_shellcheck_finds_nothing(tmp_path: Path) -> None:
    for number, (name, shell, text) in enumerate(SCRIPTS):
        (tmp_path / f"{number}-{name}.sh").write_text(f"#!/usr/bin/env {shell}\n{text}", encoding="utf-8")
    assert len(SCRIPTS) >= 13
    assert (
        lint(
            "shellcheck",
            "--enable=quote-safe-variables,check-unassigned-uppercase",
            "--exclude=SC2154",
            *sorted(tmp_path.iterdir()),
        )
        == ""
    )


def test_nothing_is_written_into_a_script_before_the_shell_reads_it() -> None:
    """What a person or a tenant may choose reaches a script in variables only."""
    assert not [name for name, _, text in SCRIPTS if "${{" in text or re.search(r"\$\([\w.]+\)", text)]


def test_actions_are_pinned_by_commit_with_the_version_beside_it() -> None:
    used = [
        line.strip() for file in FILES for line in file.read_text("utf-8").splitlines() if "uses:" in line
    ]
    ours = [line for line in used if "your-organisation/cwsync@" in line]
    assert len(ours) == 3
    pinned = re.compile(r"(- )?uses: actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert [line for line in used if line not in ours and not pinned.fullmatch(line)] == []


def test_jobs_have_no_more_permissions_than_action_yml_names() -> None:
    named = dict(
        re.findall(
            r"^#   (plan|apply|drift) +([a-z: ,-]+)", (ROOT / "action.yml").read_text("utf-8"), re.MULTILINE
        )
    )
    for file in WORKFLOWS:
        workflow = yaml.safe_load(file.read_text("utf-8"))
        assert workflow["permissions"] == {}
        (job,) = workflow["jobs"].values()
        listed = ", ".join(f"{name}: {access}" for name, access in job["permissions"].items())
        assert named[file.stem].strip().startswith(listed)
        assert workflow["concurrency"]["group"]
