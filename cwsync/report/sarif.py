"""Problems as SARIF 2.1.0, which code scanners and editors read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from cwsync.errors import CODES, Place, Problem
from cwsync.report.document import to_json

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def problems_sarif(problems: Iterable[Problem]) -> str:
    """A SARIF log of one run. Columns count characters, as everywhere in cwsync."""
    found = tuple(problems)
    codes = sorted({problem.code for problem in found})
    rules = [{"id": code, "shortDescription": {"text": CODES[code][1]}} for code in codes]
    run = {
        "tool": {"driver": {"name": "cwsync", "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, codes.index(problem.code)) for problem in found],
    }
    return to_json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _result(problem: Problem, rule: int) -> dict[str, Any]:
    lines = [problem.message, *problem.details, *([f"hint: {problem.hint}"] if problem.hint else [])]
    return {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": problem.severity,
        "message": {"text": "\n".join(lines)},
        "locations": [{"physicalLocation": _location(problem.place)}],
    }


def _location(place: Place | None) -> dict[str, Any]:
    if place is None:  # GitHub takes no result without a location, and this file is the project's own
        return {"artifactLocation": {"uri": "cwsync.yaml"}}
    path = PurePath(place.file)
    uri = path.as_uri() if path.is_absolute() else quote(path.as_posix(), safe="/")
    return {
        "artifactLocation": {"uri": uri},
        "region": {"startLine": place.line, "startColumn": place.column},
    }
