"""Names from a tenant or a file cannot command a terminal, whatever report they appear in."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from unit.report.tenant import LAKE, LAKE_ID, declared, observed, plan_of, snapshot, state

from cwsync.errors import Place, Problem
from cwsync.kinds import Observed, Snapshot
from cwsync.plan import ApplyResult, DriftResult, Outcome, Plan, Sent
from cwsync.report.apply import apply_text
from cwsync.report.document import apply_json, drift_json, plan_json, problems_json
from cwsync.report.drift import drift_text
from cwsync.report.graph import graph_dot, graph_mermaid
from cwsync.report.html import plan_html
from cwsync.report.markdown_plan import plan_markdown
from cwsync.report.plan import plan_text
from cwsync.report.problems import problems_github, problems_text
from cwsync.report.sarif import problems_sarif
from cwsync.report.screen import safe

# A title change, a C1 control sequence, a line of its own, a direction override, an invisible one.
HOSTILE = "a\x1b]0;owned\x07\x9b2J\r\nForged: line\u202ecod\u2066\u200b\x7f\u2028z"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("Sales S3, naïve 名前 👍", "Sales S3, naïve 名前 👍"),
        ("\x1b[31mred", "\\u001b[31mred"),
        ("a\tb\nc\rd", "a\\tb\\nc\\rd"),
        ("\u202eevil\u2069", "\\u202eevil\\u2069"),
        ("a\u00a0b", "a\\u00a0b"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_a_terminal_would_obey_is_written_out(raw: str, shown: str) -> None:
    assert safe(raw) == shown


def hostile_snapshot() -> Snapshot:
    live = observed("connection.lake", LAKE_ID, {**LAKE, "containerName": HOSTILE, HOSTILE: HOSTILE}, HOSTILE)
    other = Observed("connection", "9" * 32, HOSTILE, {"type": "AmazonS3", "name": HOSTILE})
    return snapshot(live, other)


def hostile_plan() -> Plan:
    wanted = declared("connection.lake", {**LAKE, "name": HOSTILE})
    return plan_of((wanted,), state(("connection.lake", LAKE_ID, LAKE)), hostile_snapshot())


def hostile_problem() -> Problem:
    place = Place(f"{HOSTILE}.yaml", 1, 9)
    return Problem("CW203", HOSTILE, place, HOSTILE, HOSTILE, address=HOSTILE, details=(HOSTILE,))


def hostile_reports() -> dict[str, str]:
    plan, problem = hostile_plan(), hostile_problem()
    outcome = Outcome(HOSTILE, "create", HOSTILE, HOSTILE)
    sent = Sent(1, 1, HOSTILE, "create", "POST", HOSTILE, "refused", HOSTILE)
    result = ApplyResult("e", HOSTILE, (outcome,), (outcome,), (outcome,), (sent,), (problem,))
    drift = DriftResult(
        "e", HOSTILE, 1, plan.drift, plan.unmanaged, (HOSTILE,), (problem,), dict(plan.labels)
    )
    return {
        "plan": plan_text(plan, color=False, verbose=True),
        "plan json": plan_json(plan),
        "plan markdown": plan_markdown(replace(plan, problems=(problem,)), HOSTILE),
        "plan html": plan_html(replace(plan, problems=(problem,))),
        "apply": apply_text(result, color=False, verbose=True),
        "apply json": apply_json(result),
        "drift": drift_text(drift, color=False, verbose=True),
        "drift json": drift_json(drift),
        "problems": problems_text([problem], color=False),
        "problems json": problems_json([problem]),
        "github": problems_github([problem]),
        "sarif": problems_sarif([problem]),
        "mermaid": graph_mermaid([HOSTILE], [(HOSTILE, "connection.lake")]),
        "dot": graph_dot([HOSTILE], [(HOSTILE, "connection.lake")]),
    }


@pytest.mark.parametrize("report", sorted(hostile_reports()))
def test_no_report_lets_a_hostile_name_through(report: str) -> None:
    text = hostile_reports()[report]
    assert "owned" in text
    assert [char for char in text if char != "\n" and not char.isprintable()] == []
    assert not any(line.startswith("Forged") for line in text.splitlines())


def test_importing_the_reports_is_cheap() -> None:
    code = "import sys, cwsync.report; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"rich", "deepdiff", "httpx", "pydantic", "cryptography"} & set(loaded.stdout.split())
