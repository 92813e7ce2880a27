"""Flows on the wire (facts A6, B11-B17, C5)."""

from __future__ import annotations

from typing import Any

import pytest

from cwsync.kinds import KINDS, Action, Write

FLOW = KINDS["flow"]
FIRST = {
    "integration": "a",
    "dependsOn": [],
    "skip": False,
    "onFailure": "stop",
    "onPartialSuccess": "continue",
}
SECOND = {
    **FIRST,
    "integration": "b",
    "dependsOn": ["a"],
    "skip": True,
    "onFailure": "continue",
    "onPartialSuccess": "stop",
}
FIELDS: dict[str, Any] = {"name": "n", "steps": [FIRST, SECOND]}


def _wire(step: str, failure: str, partial: str) -> list[dict[str, str]]:
    return [{"type": "failure", "strategy": failure}, {"type": step, "strategy": partial}]


def _step(**step: Any) -> Any:
    seen = FLOW.from_wire({"id": "f1", "name": "n", "steps": [{"referrer": "A-1", **step}]})
    assert seen is not None
    steps: Any = (seen.fields or {})["steps"]
    (only,) = steps
    return only


@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE])
def test_b12_b13_b14_b15_a_flow_as_it_is_sent(action: Action) -> None:
    assert FLOW.to_wire(Write(action, FIELDS)) == {
        "name": "n",
        "version": "2.0",
        "type": "IntegrationFlow",
        "steps": [
            {
                "type": "Integration",
                "referrer": "a",
                "isSkipped": False,
                "exceptionBehavior": _wire("partial_success", "stop", "continue"),
            },
            {
                "type": "Integration",
                "referrer": "b",
                "dependsOn": ["a"],
                "isSkipped": True,
                "exceptionBehavior": _wire("partial_success", "continue", "stop"),
            },
        ],
    }


def test_a_deletion_has_no_body() -> None:
    assert FLOW.to_wire(Write(Action.DELETE, FIELDS)) is None


@pytest.mark.parametrize("none", [{}, {"dependsOn": None}, {"dependsOn": []}])
def test_b14_three_ways_to_wait_for_nothing(none: dict[str, Any]) -> None:
    assert _step(**none)["dependsOn"] == []


@pytest.mark.parametrize(
    ("given", "meant"), [(True, True), ("true", True), ("True", True), ("false", False), (None, False)]
)
def test_b15_whether_it_is_skipped_may_be_a_text(given: object, meant: bool) -> None:
    assert _step(isSkipped=given)["skip"] is meant


@pytest.mark.parametrize("none", [{}, {"exceptionBehavior": None}, {"exceptionBehavior": []}])
def test_b12_what_is_missing_is_the_default(none: dict[str, Any]) -> None:
    step = _step(**none)
    assert (step["onFailure"], step["onPartialSuccess"]) == ("stop", "continue")


@pytest.mark.parametrize("spelling", ["partial_success", "partial_succes"])
def test_b11_success_is_spelled_in_two_ways(spelling: str) -> None:
    step = _step(exceptionBehavior=_wire(spelling, "continue", "stop"))
    assert (step["onFailure"], step["onPartialSuccess"]) == ("continue", "stop")


def test_b13_b17_what_a_step_also_shows_does_not_matter() -> None:
    shown = {
        "type": "Import",
        "name": "N",
        "createdDate": "2023-10-24 14:36:45.074157+00:00",
        "modifiedDate": "2023-10-24 14:36:45.074157+00:00",
        "accessible": True,
        "latestRun": {},
        "workspaceId": "w",
        "modelId": "m",
    }
    assert _step(**shown) == _step()


@pytest.mark.parametrize("key", ["id", "integrationFlowId"])
def test_b16_its_id_has_two_names(key: str) -> None:
    seen = FLOW.from_wire({key: "f1", "name": "n"})
    assert seen is not None
    assert (seen.id, seen.fields) == ("f1", {"name": "n", "steps": []})
    assert FLOW.created_id == ("integrationFlow", "integrationFlowId")


def test_b25_b26_ids_compare_in_any_spelling() -> None:
    assert _step(dependsOn=["B-2"]) == {**_step(), "integration": "a1", "dependsOn": ["b2"]}
