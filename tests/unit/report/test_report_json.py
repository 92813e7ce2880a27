"""Plans as JSON, in the shape that Terraform's tools read."""

from __future__ import annotations

import json
from typing import Any

from unit.report.tenant import (
    ACCOUNTS_ID,
    LAKE,
    LAKE_ID,
    S3,
    busy_plan,
    declared,
    observed,
    plan_of,
    settled_plan,
    snapshot,
    state,
)

from cwsync.plan import Change, Plan
from cwsync.project import Guards
from cwsync.report.document import plan_json


def document(plan: Plan) -> dict[str, Any]:
    loaded = json.loads(plan_json(plan))
    assert isinstance(loaded, dict)
    return loaded


def changes(plan: Plan) -> dict[str, Any]:
    return {one["address"]: one for one in document(plan)["resource_changes"]}


def test_the_outer_shape_is_terraforms() -> None:
    whole = document(busy_plan())
    assert whole["format_version"] == "1.2"
    assert sorted(whole) == ["cwsync", "format_version", "resource_changes", "resource_drift"]


def test_a_creation_hides_secrets_and_marks_them() -> None:
    assert changes(busy_plan())["connection.sales-s3"] == {
        "address": "connection.sales-s3",
        "mode": "managed",
        "type": "cloudworks_connection",
        "name": "sales-s3",
        "provider_name": "cwsync",
        "change": {
            "actions": ["create"],
            "before": None,
            "after": {**S3, "accessKeyId": None, "secretAccessKey": None},
            "after_unknown": {},
            "before_sensitive": False,
            "after_sensitive": {"accessKeyId": True, "secretAccessKey": True},
        },
    }


def test_an_update_has_both_sides_and_what_is_unknown() -> None:
    change = changes(busy_plan())["integration.accounts"]["change"]
    assert change["actions"] == ["update"]
    assert change["before"]["jobs"][0]["import"]["connection"] == LAKE_ID
    assert change["after"]["jobs"][0]["import"]["connection"] is None
    assert change["after_unknown"] == {"jobs": [{"import": {"connection": True}}]}


def test_a_deletion_says_why() -> None:
    gone = changes(busy_plan())["connection.old"]
    assert gone["action_reason"] == "no manifest declares it"
    assert gone["change"]["actions"] == ["delete"]
    assert (gone["change"]["after"], gone["change"]["after_sensitive"]) == (None, False)


def test_every_action_is_a_list_of_terraforms_words() -> None:
    assert changes(settled_plan())["connection.lake"]["change"]["actions"] == ["no-op"]
    known = state(("connection.lake", LAKE_ID, LAKE), ("connection.old", ACCOUNTS_ID, {**S3}))
    live = snapshot(observed("connection.lake", LAKE_ID, LAKE))
    plan = plan_of((declared("connection.lake", {**S3, "name": "Lake"}),), known, live)
    found = changes(plan)
    assert found["connection.lake"]["change"]["actions"] == ["delete", "create"]
    assert found["connection.old"]["change"]["actions"] == ["forget"]
    adopted = Change("connection.lake", "connection", "lake", "Lake", "import", id=LAKE_ID)
    change = changes(Plan("prod", "acme", changes=(adopted,)))["connection.lake"]["change"]
    assert (change["actions"], change["importing"]) == (["no-op"], {"id": LAKE_ID})


def test_drift_has_the_fields_that_differ_and_who_changed_them() -> None:
    (drift,) = document(busy_plan())["resource_drift"]
    assert drift["change"]["actions"] == ["update"]
    assert drift["change"]["before"] == {"nuxVisible": False}
    assert drift["change"]["after"] == {"nuxVisible": True}
    assert (drift["modifiedBy"], drift["modifiedAt"]) == ("jane@example.com", "2026-11-03T10:22:31Z")


def test_what_was_deleted_behind_our_back_is_a_drift_with_nothing_after() -> None:
    plan = plan_of((), state(("connection.lake", LAKE_ID, LAKE)), snapshot())
    (drift,) = document(plan)["resource_drift"]
    assert drift["change"]["actions"] == ["delete"]
    assert (drift["change"]["before"], drift["change"]["after"]) == ({"name": "Lake"}, None)


def test_our_own_part_has_everything_that_the_contract_lists() -> None:
    plan = busy_plan(Guards(maxDeletes=0))
    own = document(plan)["cwsync"]
    assert own["digest"] == plan.digest
    assert (own["environment"], own["tenant"]) == ("prod", "acme")
    assert own["summary"] == {
        "create": 1,
        "update": 2,
        "replace": 0,
        "delete": 1,
        "import": 0,
        "forget": 0,
        "move": 0,
        "no_op": 0,
    }
    assert own["calls"][2] == {
        "order": 3,
        "address": "integration.accounts",
        "action": "update",
        "method": "PUT",
        "path": f"/integrations/{ACCOUNTS_ID}",
        "after": [2],
        "because": "jobs[0].import.connection (manifest), jobs[0].import.type (manifest), nuxVisible (drift)",
    }
    assert own["unmanaged"] == ["connection Someone's"]
    assert own["unverifiable"] == ["connection.lake: sasToken"]
    assert own["pending"] == []
    assert own["guards"] == [own["problems"][0]["message"]]
    assert own["problems"][0]["code"] == "CW503"
    assert own["reads"] == {"calls": 4, "seconds": 0.25, "assumed": 0}


def test_the_same_plan_gives_the_same_bytes_whatever_the_order_of_keys() -> None:
    def with_fields(names: list[str]) -> str:
        fields = {name: LAKE[name] for name in names}
        known = state(("connection.lake", LAKE_ID, fields))
        live = snapshot(observed("connection.lake", LAKE_ID, fields))
        return plan_json(plan_of((declared("connection.lake", LAKE),), known, live))

    assert with_fields([*LAKE]) == with_fields([*reversed(LAKE)])
