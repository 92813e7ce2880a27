"""A plan as text: what a person reads, and the lines that other tools look for."""

from __future__ import annotations

import re
from dataclasses import replace

from unit.report.tenant import (
    ACCOUNTS_ID,
    LAKE,
    LAKE_ID,
    S3,
    busy_plan,
    declared,
    observed,
    plan_of,
    ref,
    settled_plan,
    snapshot,
    state,
)

from cwsync.errors import Place, Problem
from cwsync.kinds import Fields
from cwsync.plan import Change, FieldChange, Plan
from cwsync.project import Guards
from cwsync.report.plan import plan_text

BUSY = """\
Note: 1 object changed outside cwsync since the last apply:

  # integration.accounts was changed outside cwsync
  # ("Accounts", by jane@example.com, at 2026-11-03T10:22:31Z)
      ~ nuxVisible: false -> true

cwsync will perform the following actions:

  # connection.lake will be updated in-place
  # ("Lake", id 11111111111111111111111111111111, declared at manifests/connections.yaml:3)
      ~ containerName: "landing" -> "landing2"  # manifest
      ~ sasToken: (secret)  # its value changed

  # connection.old will be destroyed
  # ("Old", id 33333333333333333333333333333333)
  # (because no manifest declares it)
      - type: "AmazonS3"
      - name: "Old"
      - bucketName: "old"

  # connection.sales-s3 will be created
  # ("Sales S3", declared at manifests/connections.yaml:8)
      + type: "AmazonS3"
      + name: "Sales S3"
      + bucketName: "sales-landing"
      + accessKeyId: (secret)
      + secretAccessKey: (secret)

  # integration.accounts will be updated in-place
  # ("Accounts", id 22222222222222222222222222222222, declared at manifests/integrations.yaml:3)
      ~ jobs[0].import.connection: "11111111111111111111111111111111" (connection.lake) -> \
(known after apply: connection.sales-s3)  # manifest
      ~ jobs[0].import.type: "AzureBlob" -> "AmazonS3"  # manifest
      ~ nuxVisible: true -> false  # drift

Calls, in order:

  1. PUT    /integrations/connections/11111111111111111111111111111111  connection.lake
  2. POST   /integrations/connections                                   connection.sales-s3
  3. PUT    /integrations/22222222222222222222222222222222              integration.accounts
  4. DELETE /integrations/connections/33333333333333333333333333333333  connection.old

Plan: 1 to add, 2 to change, 1 to destroy.

Not managed here: 1 object (-v names them).
Never shown by the service, so taken to be as last applied: 1 field (-v names them)."""


def text(plan: Plan, *, verbose: bool = False, quiet: bool = False) -> str:
    return plan_text(plan, color=False, verbose=verbose, quiet=quiet)


def test_a_plan_shows_drift_changes_calls_and_the_summary() -> None:
    assert text(busy_plan()) == BUSY


def test_verbose_says_where_fields_stand_why_calls_are_made_and_names_what_is_counted() -> None:
    shown = text(busy_plan(), verbose=True)
    assert '"landing2"  # manifest, manifests/connections.yaml:4:5\n' in shown
    assert "integration.accounts  # after 2: jobs[0].import.connection (manifest), " in shown
    assert "connection.sales-s3   # it is not in the tenant\n" in shown
    assert "Not managed here: 1 object:\n  connection Someone's\n" in shown
    assert "1 field:\n  connection.lake: sasToken\nRead in 4 calls, 0.2 s. Plan sha256:" in shown


def test_quiet_leaves_the_summary() -> None:
    assert text(busy_plan(), quiet=True) == "Plan: 1 to add, 2 to change, 1 to destroy."


def test_headings_and_summary_are_those_that_tfcmt_finds() -> None:
    shown = text(busy_plan())
    assert re.findall(r"(?m)^ *# (.*) will be created$", shown) == ["connection.sales-s3"]
    updated = ["connection.lake", "integration.accounts"]
    assert re.findall(r"(?m)^ *# (.*) will be updated in-place$", shown) == updated
    assert re.findall(r"(?m)^ *# (.*) will be destroyed$", shown) == ["connection.old"]
    assert re.search(r"(?m)^(Plan: \d|No changes.)", shown)
    assert re.search(r"([1-9][0-9]* to destroy.)", shown)
    assert not re.search(r"(?m)^([│|] )?(Error: |Warning: )", shown)


def test_nothing_to_do() -> None:
    assert text(settled_plan()) == "No changes. The tenant matches the manifests."
    assert text(Plan("prod", "acme")) == "No changes. Nothing is declared or managed."


def test_an_incomplete_picture_never_says_no_changes() -> None:
    plan = plan_of((), state(), snapshot(unread={"flow": "GET /integrationflows: you may not do this"}))
    shown = text(plan)
    assert "No changes." not in shown
    assert shown.startswith("Error: this plan cannot be applied:\n\nCW312 the tenant's flows could not be")


def test_a_replacement_names_what_forces_it_and_counts_as_one_add_and_one_destroy() -> None:
    plan = plan_of(
        (declared("connection.lake", {**S3, "name": "Lake"}, secrets=("accessKeyId",)),),
        state(("connection.lake", LAKE_ID, LAKE)),
        snapshot(observed("connection.lake", LAKE_ID, LAKE)),
    )
    shown = text(plan)
    assert re.findall(r"(?m)^ *# (.*?)(?: is tainted, so)? must be replaced$", shown) == ["connection.lake"]
    assert "  # (because type cannot be changed)\n" in shown
    assert '    -/+ type: "AzureBlob" -> "AmazonS3"  # forces the replacement: manifest\n' in shown
    assert '      + bucketName: "sales-landing"  # manifest\n' in shown
    assert '      - containerName: "landing"  # manifest\n' in shown
    assert "\nPlan: 1 to add, 0 to change, 1 to destroy." in shown


def test_a_new_resource_shows_nested_fields_line_by_line() -> None:
    s3, process = ref("connection.sales-s3"), ref("integration.accounts")
    step: Fields = {"dependsOn": [process], "skip": False}
    plan = plan_of(
        (
            declared("connection.sales-s3", S3),
            declared("integration.accounts", {"name": "Accounts", "jobs": [], "uses": s3}),
            declared("flow.nightly", {"name": "Nightly", "steps": [{**step}], "days": [0, 6]}),
        ),
        state(),
        snapshot(),
    )
    shown = text(plan)
    assert "      + jobs: []\n      + uses: (known after apply: connection.sales-s3)\n" in shown
    assert (
        "      + steps[0].dependsOn: [(known after apply: integration.accounts)]\n"
        "      + steps[0].skip: false\n"
        "      + days: [0, 6]\n"
    ) in shown


def test_what_went_behind_our_back_is_told_and_made_again_or_forgotten() -> None:
    known = state(("connection.lake", LAKE_ID, LAKE), ("connection.old", ACCOUNTS_ID, {**S3}))
    shown = text(plan_of((declared("connection.lake", LAKE),), known, snapshot()))
    assert '  # connection.lake was deleted outside cwsync\n  # ("Lake")\n' in shown
    assert "  # (because it was deleted outside cwsync)\n" in shown
    assert "  # connection.old will no longer be managed\n" in shown
    assert "\nPlan: 1 to add, 0 to change, 0 to destroy. Also 1 to forget." in shown


def test_imports_stand_in_front_as_in_terraform() -> None:
    change = Change("connection.lake", "connection", "lake", "Lake", "import", id=LAKE_ID)
    shown = text(Plan("prod", "acme", changes=(change,)))
    assert re.findall(r"(?m)^ *# (.*?) will be imported$", shown) == ["connection.lake"]
    assert "\nPlan: 1 to import, 0 to add, 0 to change, 0 to destroy." in shown


def test_refusals_and_warnings_stand_last() -> None:
    refused = text(busy_plan(Guards(maxDeletes=0)))
    assert refused.startswith(BUSY)
    assert refused.removeprefix(BUSY).startswith(
        "\n\nError: this plan cannot be applied:\n\n"
        "CW503 1 of 2 managed connections would be deleted, and maxDeletes allows 0\n    hint: "
    )
    warning = Problem("CW114", "nothing uses tz", place=Place("cwsync.yaml", 3, 1), severity="warning")
    warned = text(replace(busy_plan(), problems=(warning,)), quiet=True)
    assert warned.endswith(
        "\n\nWarning: look at this before applying:\n\ncwsync.yaml:3:1: CW114 warning: nothing uses tz"
    )


def test_what_an_earlier_run_left_is_named_even_without_verbose() -> None:
    shown = text(replace(settled_plan(), pending=("flow.nightly (create)",)))
    assert shown.endswith(
        "Left by an earlier run, its outcome not known: 1 operation:\n  flow.nightly (create)"
    )


def long_change(before: str, after: str) -> Plan:
    field = FieldChange("file", before, after, "manifest")
    change = Change("integration.a", "integration", "a", "A", "update", id="1", fields=(field,))
    return Plan("prod", "acme", changes=(change,))


def test_long_values_are_shortened_and_still_show_their_difference() -> None:
    plan = long_change("x" * 300 + "old", "x" * 300 + "new")
    tail = "x" * 30
    assert f'      ~ file: …{tail}old" -> …{tail}new"  # manifest\n' in text(plan)
    assert f'"{"x" * 300}old" -> "{"x" * 300}new"' in text(plan, verbose=True)
    assert f'~ file: "short" -> "{"y" * 119}…  # manifest' in text(long_change("short", "y" * 400))


def test_colour_only_where_it_is_wanted_and_phrases_stay_in_one_piece() -> None:
    plan = busy_plan()
    shown = plan_text(plan, color=True)
    assert "\x1b[1m  # connection.sales-s3 will be created\x1b[0m\n" in shown
    assert "\x1b[1mPlan: 1 to add, 2 to change, 1 to destroy.\x1b[0m" in shown
    assert re.sub(r"\x1b\[\d+m", "", shown) == text(plan)
