"""Problems: for people, as JSON, as GitHub annotations and as SARIF."""

from __future__ import annotations

import json

from cwsync.errors import CODES, Place, Problem
from cwsync.report.document import problems_json
from cwsync.report.problems import problems_github, problems_text
from cwsync.report.sarif import problems_sarif

UNKNOWN = Problem(
    "CW201",
    "unknown field bucketNam",
    place=Place("manifests/s3.yaml", 4, 5),
    hint="did you mean bucketName?",
    source="    bucketNam: sales",
    address="connection.s3",
)
UNUSED = Problem(
    "CW114", "nothing uses the variable tz", place=Place("cwsync.yaml", 2, 1), severity="warning"
)
NOWHERE = Problem("CW110", "no cwsync.yaml here", details=("looked in /srv", "looked in /"))


def caret_column(source: str, column: int) -> tuple[str, int]:
    """The line as shown, and how far the caret stands from its margin."""
    problem = Problem("CW203", "wrong", place=Place("a.yaml", 1, column), source=source)
    _, line, caret = problems_text([problem], color=False).split("\n")
    return line[4:], caret.index("^") - 4


def test_a_problem_shows_its_place_its_line_a_caret_and_the_way_out() -> None:
    assert problems_text([UNKNOWN, UNUSED, NOWHERE], color=False) == (
        "manifests/s3.yaml:4:5: CW201 unknown field bucketNam\n"
        "        bucketNam: sales\n"
        "        ^\n"
        "    hint: did you mean bucketName?\n"
        "cwsync.yaml:2:1: CW114 warning: nothing uses the variable tz\n"
        "CW110 no cwsync.yaml here\n"
        "    looked in /srv\n"
        "    looked in /"
    )
    assert problems_text([], color=False) == ""


def test_the_caret_stands_below_its_column_after_tabs_and_wide_characters() -> None:
    assert caret_column("a:\tb", 4) == ("a:    b", 6)
    assert caret_column("名前: x", 5) == ("名前: x", 6)
    assert caret_column("cafe\u0301: x", 8) == ("cafe\u0301: x", 6)
    assert caret_column("a\x1b: x", 3) == ("a\\u001b: x", 7)


def test_the_caret_of_a_place_behind_the_line_stands_at_its_end() -> None:
    assert caret_column("key:", 40) == ("key:", 4)


def test_only_the_part_of_a_long_line_around_the_column_is_shown() -> None:
    line, caret = caret_column("x" * 5000 + "!" + "y" * 5000, 5001)
    assert line == f"…{'x' * 80}!{'y' * 39}…"
    assert line[caret] == "!"


def test_colour_marks_code_and_message() -> None:
    shown = problems_text([NOWHERE, UNUSED], color=True)
    assert shown.startswith("\x1b[31mCW110\x1b[0m \x1b[1mno cwsync.yaml here\x1b[0m\n")
    assert "\x1b[33mCW114 warning:\x1b[0m" in shown


def test_problems_as_json() -> None:
    document = json.loads(problems_json([UNKNOWN, NOWHERE]))
    assert document["valid"] is False
    assert document["problems"][0] == {
        "code": "CW201",
        "severity": "error",
        "message": "unknown field bucketNam",
        "file": "manifests/s3.yaml",
        "line": 4,
        "column": 5,
        "address": "connection.s3",
        "hint": "did you mean bucketName?",
        "details": [],
    }
    assert document["problems"][1]["file"] is None
    assert document["problems"][1]["details"] == ["looked in /srv", "looked in /"]
    assert json.loads(problems_json([UNUSED]))["valid"] is True


def test_github_commands_are_escaped() -> None:
    odd = Problem("CW203", "50 % off\nand more", place=Place("a,b:c%.yaml", 1, 2), hint="x")
    assert problems_github([UNKNOWN, UNUSED, NOWHERE, odd]).split("\n") == [
        "::error file=manifests/s3.yaml,line=4,col=5,title=CW201::unknown field bucketNam"
        "%0Ahint: did you mean bucketName?",
        "::warning file=cwsync.yaml,line=2,col=1,title=CW114::nothing uses the variable tz",
        "::error title=CW110::no cwsync.yaml here%0Alooked in /srv%0Alooked in /",
        "::error file=a%2Cb%3Ac%25.yaml,line=1,col=2,title=CW203::50 %25 off\\nand more%0Ahint: x",
    ]


def test_sarif_has_what_code_scanning_asks_for() -> None:
    log = json.loads(problems_sarif([UNKNOWN, UNUSED, UNKNOWN, NOWHERE]))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["CW110", "CW114", "CW201"]
    assert rules[2]["shortDescription"]["text"] == CODES["CW201"][1]
    first, second, _, nowhere = run["results"]
    assert first == {
        "ruleId": "CW201",
        "ruleIndex": 2,
        "level": "error",
        "message": {"text": "unknown field bucketNam\nhint: did you mean bucketName?"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "manifests/s3.yaml"},
                    "region": {"startLine": 4, "startColumn": 5},
                }
            }
        ],
    }
    assert second["level"] == "warning"
    assert nowhere["locations"] == [{"physicalLocation": {"artifactLocation": {"uri": "cwsync.yaml"}}}]
    assert json.loads(problems_sarif([]))["runs"][0]["results"] == []


def test_sarif_writes_files_as_uris() -> None:
    def uri(file: str) -> str:
        log = json.loads(problems_sarif([Problem("CW101", "no", place=Place(file))]))
        location = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
        return str(location["artifactLocation"]["uri"])

    assert uri("my files/naïve#1.yaml") == "my%20files/na%C3%AFve%231.yaml"
    assert uri("/srv/a b.yaml") == "file:///srv/a%20b.yaml"
