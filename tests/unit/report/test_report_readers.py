"""What other tools ask of a plan, as they ask it.

Their rules are written here from their sources: terraform-json's plan.go and action.go (its version range, its types,
its actions), tf-summarize's terraformstate/terraform_state.go, which reads with it, tfcmt's
pkg/terraform/parser.go, and the policy of Open Policy Agent's page on Terraform, which conftest runs on the JSON.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest
from support.plans import plan_with
from unit.report.tenant import busy_plan, settled_plan

from cwsync.plan import Change, FieldChange, Plan
from cwsync.report.document import plan_json
from cwsync.report.plan import plan_text

FIELD = (FieldChange("name", "a", "b", "manifest"),)
LISTS = Plan(
    "prod",
    "acme",
    changes=(
        Change("flow.a", "flow", "a", "A", "import", "1", {}, {}),
        Change("flow.b", "flow", "b", "B", "import", "2", {}, {}, fields=FIELD),
        Change("flow.c", "flow", "c", "C", "forget", "3", {}, None),
        Change("flow.d", "flow", "d", "D", "move", "4", {}, {}, previous_address="flow.old"),
        Change(
            "flow.e", "flow", "e", "E", "update", "5", {}, {}, fields=FIELD, previous_address="flow.older"
        ),
    ),
)
PLANS = {"busy": busy_plan(), "settled": settled_plan(), "many": plan_with(40), "lists": LISTS}
every_plan = pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)


def read(plan: Plan) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(plan_json(plan))
    return document


@every_plan
def test_terraform_json_takes_it(plan: Plan) -> None:
    document = read(plan)
    # plan.go: PlanFormatVersionConstraints = ">= 0.1, < 2.0"; Validate refuses a plan without a version.
    assert (0, 1) <= tuple(map(int, document["format_version"].split("."))) < (2, 0)
    for one in document["resource_changes"] + document["resource_drift"]:
        # Go decodes into these types, and refuses others.
        for name in ("address", "type", "name", "provider_name"):
            assert isinstance(one[name], str)
            assert one[name]
        assert isinstance(one.get("previous_address", ""), str)
        assert one["mode"] in ("managed", "data")
        assert all(isinstance(action, str) for action in one["change"]["actions"])
        importing = one["change"].get("importing")
        assert importing is None or isinstance(importing["id"], str)
        # action.go: what its helpers know. Where they know nothing, tools show the resource as unchanged.
        known = (["no-op"], ["create"], ["update"], ["delete"], ["delete", "create"], ["forget"])
        assert one["change"]["actions"] in known
        # plan.go, on Before and After: for create and delete, one of them is unset.
        assert (one["change"]["before"] is None) == (one["change"]["actions"] == ["create"])
        assert (one["change"]["after"] is None) == (one["change"]["actions"] in (["delete"], ["forget"]))


@every_plan
def test_tf_summarize_counts_what_the_plan_counts(plan: Plan) -> None:
    # terraform_state.go: one action is counted by its name, two are a replacement, an import by its id.
    found: Counter[str] = Counter()
    for one in read(plan)["resource_changes"]:
        actions = one["change"]["actions"]
        found["recreate" if len(actions) == 2 else actions[0]] += 1
        found["import"] += bool((one["change"].get("importing") or {}).get("id"))
    ours = plan.summary
    assert found["create"] == ours["create"]
    assert found["delete"] == ours["delete"]
    assert found["recreate"] == ours["replace"]
    assert found["import"] == ours["import"]
    assert found["update"] == ours["update"]


@every_plan
def test_a_policy_of_conftest_counts_what_the_plan_counts(plan: Plan) -> None:
    # The page's rules: resource_changes[_].type, and how many of its change.actions are "delete" or "create".
    changes = read(plan)["resource_changes"]
    types = {one["type"] for one in changes}
    assert types <= {
        f"cloudworks_{kind}" for kind in ("connection", "integration", "schedule", "notification", "flow")
    }
    deletes = [one["address"] for one in changes if "delete" in one["change"]["actions"]]
    assert len(deletes) == plan.summary["delete"] + plan.summary["replace"]
    creates = [one for one in changes if "create" in one["change"]["actions"]]
    assert len(creates) == plan.summary["create"] + plan.summary["replace"]
    # A policy on values reads change.after; it is an object for all that is there afterwards.
    assert all(isinstance(one["change"]["after"], dict) for one in creates)


# pkg/terraform/parser.go, NewPlanParser.
TFCMT = {
    "create": r"^ *# (.*) will be created$",
    "update": r"^ *# (.*) will be updated in-place$",
    "delete": r"^ *# (.*) will be destroyed$",
    "replace": r"^ *# (.*?)(?: is tainted, so)? must be replaced$",
    "import": r"^ *# (.*?) will be imported$",
}
MOVE, MOVED_FROM = r"^ *# (.*?) has moved to (.*?)$", r"^ *# \(moved from (.*?)\)$"


@every_plan
def test_tfcmt_finds_the_result_and_every_resource(plan: Plan) -> None:
    lines = plan_text(plan, color=False).split("\n")
    assert not any(re.match(r"^([│|] )?(Error|Warning): ", line) for line in lines)
    first = next(line for line in lines if re.match(r"^(Plan: \d|No changes.)", line))
    destroyed = plan.summary["delete"] + plan.summary["replace"]
    assert bool(re.search(r"([1-9][0-9]* to destroy.)", first)) == bool(destroyed)
    assert first.startswith("No changes.") == plan.empty
    for action, pattern in TFCMT.items():
        found = [match[1] for line in lines if (match := re.match(pattern, line))]
        assert found == [one.address for one in plan.changes if one.action == action]


def test_tfcmt_finds_moves_also_of_what_changes() -> None:
    lines = plan_text(LISTS, color=False).split("\n")
    assert [match.groups() for line in lines if (match := re.match(MOVE, line))] == [("flow.old", "flow.d")]
    at, match = next((at, match) for at, line in enumerate(lines) if (match := re.match(MOVED_FROM, line)))
    # It takes the resource from the line above.
    assert (match[1], re.match(TFCMT["update"], lines[at - 1])) != ("flow.older", None)
    assert "flow.e will be updated in-place" in lines[at - 1]
