"""Apply and drift, as text and as JSON; and the graph."""

from __future__ import annotations

import json

from cwsync.errors import Problem
from cwsync.plan import ApplyResult, Drift, DriftField, DriftResult, Outcome, Sent
from cwsync.report.apply import apply_text
from cwsync.report.document import apply_json, drift_json
from cwsync.report.drift import drift_text
from cwsync.report.graph import graph_dot, graph_mermaid

TAKEN = Problem(
    "CW307", 'the name "Accounts" is taken', hint="give it another name", address="integration.accounts"
)
PARTLY = ApplyResult(
    "prod",
    "acme",
    applied=(
        Outcome("connection.lake", "update", id="1"),
        Outcome("connection.sales-s3", "create", id="2"),
        Outcome("flow.old", "delete"),
    ),
    failed=(Outcome("integration.accounts", "create", TAKEN.message),),
    skipped=(
        Outcome(
            "schedule.accounts",
            "create",
            "integration.accounts failed",
            blocked_by="integration.accounts",
        ),
        Outcome("flow.nightly", "create", blocked_by="integration.accounts"),
    ),
    calls=(
        Sent(1, 1, "connection.lake", "update", "PUT", "/integrations/connections/1", "done"),
        Sent(2, 4, "integration.accounts", "create", "POST", "/integrations", "refused", TAKEN.message),
        Sent(3, 5, "flow.old", "delete", "DELETE", "/integrationflows/3", "unknown"),
    ),
    problems=(TAKEN,),
)
DRIFTED = DriftResult(
    "prod",
    "acme",
    managed=14,
    drifted=(
        Drift(
            "integration.accounts",
            "integration",
            "Accounts",
            "2",
            "changed",
            (
                DriftField("jobs[0].import.connection", "1" * 32, "9" * 32),
                DriftField("jobs[1]", None, {"export": {"overwrite": True}}),
                DriftField("processId", "118", None),
            ),
            "jane@example.com",
            "2026-11-03T10:22:31Z",
        ),
        Drift("connection.lake", "connection", "Lake", "1", "deleted"),
    ),
    unmanaged=("connection Other",),
    unverifiable=("connection.sales-s3: accessKeyId",),
    labels={"1" * 32: "connection.lake", "9" * 32: "connection Other"},
    read_calls=7,
    read_seconds=0.51,
)


def test_an_apply_that_went_well() -> None:
    done = ApplyResult(
        "prod",
        "acme",
        applied=(Outcome("connection.a", "create", id="1"), Outcome("connection.b", "replace", id="2")),
    )
    assert apply_text(done, color=False) == (
        "      + connection.a: created (id 1)\n"
        "    -/+ connection.b: replaced (id 2)\n"
        "\n"
        "Apply complete! Resources: 2 added, 0 changed, 1 destroyed."
    )


def test_a_schedule_that_paused_is_no_change() -> None:
    done = ApplyResult("prod", "acme", applied=(Outcome("schedule.a", "no-op"),))
    assert apply_text(done, color=False) == (
        "      ~ schedule.a: paused while its integration changed\n"
        "\n"
        "Apply complete! Resources: 0 added, 0 changed, 0 destroyed."
    )


def test_a_partial_apply_says_what_failed_and_why_the_rest_was_skipped() -> None:
    assert apply_text(PARTLY, color=False) == (
        "      ~ connection.lake: updated\n"
        "      + connection.sales-s3: created (id 2)\n"
        "      - flow.old: destroyed\n"
        '      ! integration.accounts: failed: CW307 the name "Accounts" is taken\n'
        "        hint: give it another name\n"
        "      ! schedule.accounts: skipped: integration.accounts failed\n"
        "      ! flow.nightly: skipped: it waits for integration.accounts\n"
        "\n"
        "Error: applied partly. Resources: 1 added, 1 changed, 1 destroyed; 1 failed, 2 skipped."
    )


def test_verbose_lists_every_request_and_quiet_keeps_the_problems() -> None:
    assert (
        "Requests, as they were made:\n\n"
        "  1. PUT    /integrations/connections/1  connection.lake  done\n"
        '  2. POST   /integrations                integration.accounts  refused: the name "Accounts" is taken\n'
        "  3. DELETE /integrationflows/3          flow.old  outcome not known\n"
    ) in apply_text(PARTLY, color=False, verbose=True)
    assert apply_text(PARTLY, color=False, quiet=True) == (
        'CW307 the name "Accounts" is taken\n    hint: give it another name\n\n'
        "Error: applied partly. Resources: 1 added, 1 changed, 1 destroyed; 1 failed, 2 skipped."
    )


def test_an_interrupted_apply_is_not_complete() -> None:
    note = Problem("CW604", "interrupted: what was in flight has ended")
    shown = apply_text(ApplyResult("prod", "acme", problems=(note,), interrupted=True), color=False)
    assert shown == (
        "CW604 interrupted: what was in flight has ended\n\n"
        "Error: interrupted. Resources: 0 added, 0 changed, 0 destroyed; 0 failed, 0 skipped."
    )


def test_nothing_applied() -> None:
    shown = apply_text(ApplyResult("prod", "acme", failed=PARTLY.failed), color=False)
    assert "\nError: nothing was applied. Resources: 0 added," in shown


def test_apply_as_json() -> None:
    document = json.loads(apply_json(PARTLY))
    assert [one["address"] for one in document["applied"]] == [
        "connection.lake",
        "connection.sales-s3",
        "flow.old",
    ]
    assert document["failed"][0]["detail"] == TAKEN.message
    assert document["skipped"][0]["blockedBy"] == "integration.accounts"
    assert document["calls"][1] == {
        "number": 2,
        "order": 4,
        "address": "integration.accounts",
        "action": "create",
        "method": "POST",
        "path": "/integrations",
        "outcome": "refused",
        "message": TAKEN.message,
    }
    assert (document["interrupted"], document["problems"][0]["code"]) == (False, "CW307")


def test_drift_names_fields_values_person_and_time() -> None:
    assert drift_text(DRIFTED, color=False) == (
        "  # integration.accounts was changed outside cwsync\n"
        '  # ("Accounts", by jane@example.com, at 2026-11-03T10:22:31Z)\n'
        '      ~ jobs[0].import.connection: "11111111111111111111111111111111" (connection.lake)'
        ' -> "99999999999999999999999999999999" (connection Other)\n'
        "      + jobs[1].export.overwrite: true\n"
        '      - processId: "118"\n'
        "\n"
        "  # connection.lake was deleted outside cwsync\n"
        '  # ("Lake")\n'
        "\n"
        "Drift: 2 of 14 managed objects changed outside cwsync.\n"
        "\n"
        "Not managed here: 1 object (-v names them).\n"
        "Never shown by the service, so taken to be as last applied: 1 field:\n"
        "  connection.sales-s3: accessKeyId"
    )


def test_drift_verbose_and_quiet() -> None:
    shown = drift_text(DRIFTED, color=False, verbose=True)
    assert "  connection Other\n" in shown
    assert "  connection.sales-s3: accessKeyId\nRead in 7 calls, 0.5 s." in shown
    assert (
        drift_text(DRIFTED, color=False, quiet=True)
        == "Drift: 2 of 14 managed objects changed outside cwsync."
    )


def test_no_drift_is_said_only_of_a_complete_picture() -> None:
    assert drift_text(DriftResult("prod", "acme", 14), color=False) == (
        "No drift. Looked at 14 managed objects."
    )
    unread = Problem("CW312", "the tenant's flows could not be read completely")
    shown = drift_text(DriftResult("prod", "acme", 14, problems=(unread,)), color=False)
    assert shown == "CW312 the tenant's flows could not be read completely"


def test_drift_as_json() -> None:
    document = json.loads(drift_json(DRIFTED))
    assert document["drifted"][0] == {
        "address": "integration.accounts",
        "kind": "integration",
        "name": "Accounts",
        "id": "2",
        "status": "changed",
        "fields": [
            {"path": "jobs[0].import.connection", "known": "1" * 32, "observed": "9" * 32},
            {"path": "jobs[1]", "known": None, "observed": {"export": {"overwrite": True}}},
            {"path": "processId", "known": "118", "observed": None},
        ],
        "modifiedBy": "jane@example.com",
        "modifiedAt": "2026-11-03T10:22:31Z",
    }
    assert document["drifted"][1]["status"] == "deleted"
    assert (document["managed"], document["reads"]) == (14, {"calls": 7, "seconds": 0.51})
    assert document["unmanaged"] == ["connection Other"]


def test_the_graph_draws_an_arrow_to_what_is_needed() -> None:
    edges = [("integration.a", 'connection "x"'), ("flow.n", "integration.a")]
    assert graph_mermaid(["integration.a", "flow.n"], edges).split("\n") == [
        "flowchart LR",
        '  n1["flow.n"]',
        '  n2["integration.a"]',
        '  n3["connection #quot;x#quot;"]',
        "  n1 --> n2",
        "  n2 --> n3",
    ]
    assert graph_dot(["integration.a", "flow.n"], edges).split("\n")[2:] == [
        '  n1 [label="flow.n"];',
        '  n2 [label="integration.a"];',
        '  n3 [label="connection \\"x\\""];',
        "  n1 -> n2;",
        "  n2 -> n3;",
        "}",
    ]
