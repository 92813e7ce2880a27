"""The schema that is offered for a plan's JSON describes what is printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cwsync.cli import run

ROOT = Path(__file__).parents[3]


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert run(arguments) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", ["manifest", "project", "plan"])
def test_the_schema_in_the_repository_is_the_one_that_is_printed(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))
    assert stored == printed(capsys, "schema", name)
    jsonschema.Draft202012Validator.check_schema(stored)


def test_plans_before_and_after_an_apply_fit_the_schema(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init", str(tmp_path)]) == 0
    capsys.readouterr()
    schema = printed(capsys, "schema", "plan")
    for destroy in ([], ["--destroy"]):
        plan = printed(capsys, "plan", "--format", "json", "-C", str(tmp_path), *destroy)
        assert plan["cwsync"]["calls"]
        jsonschema.validate(plan, schema)
        assert run(["apply", "-C", str(tmp_path), "--auto-approve", "-q"]) == 0
        capsys.readouterr()
