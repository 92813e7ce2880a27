"""Which fields change, and whose doing that is: the manifest's, the tenant's, or both."""

from __future__ import annotations

from typing import Any

import pytest
from unit.plan.scene import after, calls, change, fates, id_for, imports, paths, plan, s3, sections

from cwsync.plan import Plan

CONNECTION = sections(connections=s3("a"))
BOTH = sections(connections=s3("a") + s3("b"), integrations=imports("i", "a"))


def _drifted(made: Plan, address: str) -> dict[str, tuple[object, object]]:
    (drift,) = [one for one in made.drift if one.address == address]
    return {one.path: (one.known, one.observed) for one in drift.fields}


def test_what_is_applied_needs_nothing() -> None:
    made = plan(BOTH, after(BOTH))
    assert made.empty
    assert (made.calls, made.drift) == ((), ())
    assert made.summary["no_op"] == 3


def test_a_changed_manifest_is_a_change_and_no_drift() -> None:
    made = plan(CONNECTION.replace("bucket}", "other}"), after(CONNECTION))
    assert paths(made, "connection.a") == {"bucketName": "manifest"}
    assert made.drift == ()
    (field,) = change(made, "connection.a").fields
    assert (field.before, field.after, field.where) == ("bucket", "other", "manifest.yaml:2:35")


def test_a_changed_tenant_is_drift_and_is_undone() -> None:
    made = plan(CONNECTION, after(CONNECTION).edited("connection.a", bucketName="theirs"))
    assert paths(made, "connection.a") == {"bucketName": "drift"}
    assert _drifted(made, "connection.a") == {"bucketName": ("bucket", "theirs")}
    assert made.drift[0].modified_by == "Grace Hopper"


def test_both_can_have_changed_it() -> None:
    world = after(CONNECTION).edited("connection.a", bucketName="theirs")
    made = plan(CONNECTION.replace("bucket}", "other}"), world)
    assert paths(made, "connection.a") == {"bucketName": "both"}


def test_drift_to_what_the_manifest_now_says_is_no_change() -> None:
    world = after(CONNECTION).edited("connection.a", bucketName="other")
    made = plan(CONNECTION.replace("bucket}", "other}"), world)
    assert made.empty
    assert _drifted(made, "connection.a") == {"bucketName": ("bucket", "other")}


def test_what_was_deleted_behind_our_back_is_made_again() -> None:
    made = plan(CONNECTION, after(CONNECTION).without("connection.a"))
    assert [(one.status, one.address) for one in made.drift] == [("deleted", "connection.a")]
    assert calls(made) == ["create connection.a"]
    assert change(made, "connection.a").reason == "it was deleted outside cwsync"


def test_what_was_deleted_behind_our_back_and_is_not_declared_is_forgotten() -> None:
    made = plan("", after(CONNECTION).without("connection.a"))
    assert fates(made) == {"connection.a": "forget"}
    assert made.calls == ()


def test_an_ignored_field_is_left_as_it_is_and_still_sent_with_the_rest() -> None:
    text = CONNECTION.replace("bucket}", "bucket, lifecycle: {ignoreChanges: [bucketName]}}")
    world = after(text).edited("connection.a", bucketName="theirs")
    assert plan(text, world).empty
    assert plan(text, world).drift == ()
    made = plan(text.replace("bucketName: bucket", "bucketName: mine, roleArn: role"), world)
    assert paths(made, "connection.a") == {"roleArn": "manifest"}
    assert (change(made, "connection.a").after or {})["bucketName"] == "theirs"


@pytest.mark.parametrize(
    ("known", "live", "wanted", "expected"),
    [
        # today is 2029-06-15 (facts F7)
        ("2029-01-01", "2029-02-02", "2029-01-01", {}),
        ("2029-01-01", "2029-02-02", "2029-03-03", {}),
        ("2029-01-01", "2030-02-02", "2029-01-01", {"startDate": "drift"}),
        ("2029-01-01", "2029-01-01", "2030-01-01", {"startDate": "manifest"}),
        # A past start was sent as the first day that is not over everywhere.
        ("2029-01-01", "2029-06-16", "2029-01-01", {}),
        ("2029-01-01", "2029-06-17", "2029-01-01", {"startDate": "drift"}),
        ("2030-01-01", "2030-01-01", "2030-02-02", {"startDate": "manifest"}),
    ],
)
def test_dates_in_the_past_are_all_the_same(
    known: str, live: str, wanted: str, expected: dict[str, str]
) -> None:
    text = BOTH + "schedules: {i: {startDate: %s}}\n"
    world = after(text % known).edited("schedule.i", startDate=live)
    assert paths(plan(text % wanted, world), "schedule.i") == expected


EXPORT = """\
connections: {w: {type: GoogleBigQuery, dataset: d, serviceAccountKey: {fromEnv: KEY}}}
integrations:
  e: {jobs: [{export: {connection: w, table: t, actionId: 116, overwrite: true, mapping: {a: b, c: d}}}]}
"""


def _shown_without(*names: str) -> list[dict[str, object]]:
    end: dict[str, object] = {
        "type": "GoogleBigQuery",
        "connection": id_for("connection.w"),
        "table": "t",
        "actionId": "116",
    }
    end |= {"table": "t", "actionId": "116", "overwrite": True, "mapping": {"a": "b", "c": "d"}}
    return [{"export": {name: value for name, value in end.items() if name not in names}}]


def test_what_the_service_does_not_show_is_taken_to_be_as_last_applied() -> None:
    world = after(EXPORT).edited("integration.e", jobs=_shown_without("overwrite", "mapping"))
    made = plan(EXPORT, world)
    assert made.empty
    assert made.drift == ()
    hidden = [one for one in made.unverifiable if one.startswith("integration.e")]
    assert hidden == ["integration.e: jobs[0].export.overwrite", "integration.e: jobs[0].export.mapping"]


def test_and_is_changed_where_the_manifest_changes_it() -> None:
    world = after(EXPORT).edited("integration.e", jobs=_shown_without("overwrite", "mapping"))
    made = plan(EXPORT.replace("overwrite: true", "overwrite: false"), world)
    assert paths(made, "integration.e") == {"jobs[0].export.overwrite": "manifest"}


def test_what_the_service_does_show_is_compared() -> None:
    world = after(EXPORT).edited("integration.e", jobs=_shown_without("mapping"))
    assert not [one for one in plan(EXPORT, world).unverifiable if "overwrite" in one]


@pytest.mark.parametrize("status", ["same", "unknown", None])
def test_a_secret_that_did_not_change_as_far_as_we_know_is_not_sent(status: str | None) -> None:
    secrets = {"connection.a": {"accessKeyId": status}} if status else {}
    made = plan(CONNECTION, after(CONNECTION), secrets=secrets)
    assert made.empty
    note = " (its fingerprint cannot be compared here)" if status == "unknown" else ""
    assert f"connection.a: accessKeyId{note}" in made.unverifiable


def test_a_secret_that_changed_is_sent_and_never_shown() -> None:
    made = plan(CONNECTION, after(CONNECTION), secrets={"connection.a": {"accessKeyId": "changed"}})
    assert calls(made) == ["update connection.a"]
    (field,) = change(made, "connection.a").fields
    assert (field.path, field.cause, field.sensitive) == ("accessKeyId", "secret", True)
    assert (field.before, field.after) == (None, None)


def test_an_ignored_secret_is_not_sent() -> None:
    text = CONNECTION.replace("bucket}", "bucket, lifecycle: {ignoreChanges: [accessKeyId]}}")
    assert plan(text, after(text), secrets={"connection.a": {"accessKeyId": "changed"}}).empty


FLOW = "connections: {}\nintegrations: {a: {processId: 118}, b: {processId: 118}, c: {processId: 118}}\n"


def _flow(*keys: str) -> str:
    steps = ", ".join(f"{{integration: {key}}}" for key in keys)
    return f"{FLOW}flows: {{f: {{steps: [{steps}]}}}}\n"


def test_reordered_steps_are_shown_place_by_place() -> None:
    made = plan(_flow("a", "c", "b"), after(_flow("a", "b", "c")))
    assert calls(made) == ["update flow.f"]
    assert paths(made, "flow.f") == dict.fromkeys(
        ("steps[1].integration", "steps[2].dependsOn[0]", "steps[2].integration"), "manifest"
    )


def test_a_step_at_the_end_is_one_addition() -> None:
    made = plan(_flow("a", "b", "c"), after(_flow("a", "b")))
    assert paths(made, "flow.f") == {"steps[2]": "manifest"}
    (field,) = change(made, "flow.f").fields
    assert field.before is None
    assert field.after["integration"] == id_for("integration.c")


def test_a_step_less_is_one_removal() -> None:
    made = plan(_flow("a", "b"), after(_flow("a", "b", "c")))
    (field,) = change(made, "flow.f").fields
    assert (field.path, field.after) == ("steps[2]", None)


def test_the_field_within_a_job_is_named() -> None:
    made = plan(BOTH.replace("file: a.csv", "file: b.csv"), after(BOTH))
    assert paths(made, "integration.i") == {"jobs[0].import.file": "manifest"}


def test_a_column_of_a_mapping_is_named() -> None:
    made = plan(EXPORT.replace("c: d}", "c: x, e: f}"), after(EXPORT))
    assert paths(made, "integration.e") == dict.fromkeys(
        ("jobs[0].export.mapping.c", "jobs[0].export.mapping.e"), "manifest"
    )


def test_an_import_that_becomes_an_export() -> None:
    export = "{export: {connection: a, file: x/, actionId: 116}}"
    now = sections(connections=s3("a") + s3("b"), integrations=f"  i: {{jobs: [{export}]}}\n")
    made = plan(now, after(BOTH))
    assert calls(made) == ["update integration.i"]
    assert paths(made, "integration.i") == dict.fromkeys(("jobs[0].export", "jobs[0].import"), "manifest")


@pytest.mark.parametrize(
    "edit",
    [
        {"channels": ["in_app", "email"]},
        {"notify": {"success": ["b" * 32, "a" * 32]}},
    ],
)
def test_what_has_no_order_may_come_in_any(edit: dict[str, Any]) -> None:
    text = BOTH + "notifications: {i: {channels: [email, in_app], notify: {success: [alice, bob]}}}\n"
    assert plan(text, after(text).edited("notification.i", **edit)).empty
