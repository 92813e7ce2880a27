"""Runs, errors and flows, in every form in which the service or its page shows them (facts A4, A6, B28-B30)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cwsync.kinds.runs import ActionErrors, Fate, errors_from_wire, flow_from_wire, run_from_wire

ENDED = {"startDate": "2020-09-29T04:05:20.000Z", "endDate": "2020-09-29T04:05:25.000Z"}
BEGUN = {"startDate": "2020-09-29T04:05:20.000Z"}


@pytest.mark.parametrize(
    ("item", "fate"),
    [
        ({**ENDED, "success": True, "message": "Success", "executionErrorCode": None}, Fate.SUCCESS),
        ({**ENDED, "success": "true", "message": "Success"}, Fate.SUCCESS),
        ({"success": True, "message": "Success"}, Fate.SUCCESS),
        ({**BEGUN, "endDate": None, "success": False, "message": "Running"}, Fate.RUNNING),
        ({**BEGUN, "success": None, "message": None}, Fate.RUNNING),
        ({**BEGUN, "endDate": "", "success": False, "message": ""}, Fate.RUNNING),
        ({"endDate": None, "success": False, "message": "Queued"}, Fate.RUNNING),
        ({**ENDED, "success": False, "message": "Process failed", "executionErrorCode": 12}, Fate.FAILURE),
        ({**BEGUN, "success": False, "message": "Failed", "executionErrorCode": 35}, Fate.FAILURE),
        ({**ENDED, "success": False, "message": "Anaplan model was deleted"}, Fate.FAILURE),
        ({**ENDED, "success": True, "message": "whatever", "executionErrorCode": 38}, Fate.PARTIAL),
        ({**ENDED, "success": False, "message": "whatever", "executionErrorCode": "38"}, Fate.PARTIAL),
        ({**ENDED, "success": False, "message": "Partial success"}, Fate.PARTIAL),
        ({**ENDED, "success": False, "message": "Cancelled"}, Fate.CANCELLED),
        ({**BEGUN, "success": False, "message": "Canceled"}, Fate.CANCELLED),
    ],
)
def test_what_became_of_a_run(item: dict[str, Any], fate: Fate) -> None:
    run = run_from_wire(item)
    assert run is not None
    assert run.fate is fate


@pytest.mark.parametrize("nothing", [None, {}, {"success": None, "message": None}, "None", []])
def test_what_never_ran(nothing: object) -> None:
    assert run_from_wire(nothing) is None


@pytest.mark.parametrize(
    ("date", "meant"),
    [
        (1601334571, datetime(2020, 9, 28, 23, 9, 31, tzinfo=UTC)),
        (1601334571000, datetime(2020, 9, 28, 23, 9, 31, tzinfo=UTC)),
        ("2020-09-28T23:09:31.000Z", datetime(2020, 9, 28, 23, 9, 31, tzinfo=UTC)),
        ("2020-09-28 23:09:31.000000+00:00", datetime(2020, 9, 28, 23, 9, 31, tzinfo=UTC)),
        ("2020-09-29T01:09:31+02:00", datetime(2020, 9, 28, 23, 9, 31, tzinfo=UTC)),
        ("2020-09-28T23:09:31", datetime(2020, 9, 28, 23, 9, 31, tzinfo=UTC)),
        ("yesterday", None),
        (True, None),
        (10**30, None),
        (None, None),
    ],
)
def test_dates_come_in_many_forms(date: object, meant: datetime | None) -> None:
    run = run_from_wire({"lastRun": date, "message": "Running"})
    assert run is not None
    assert run.started == meant
    assert run.seconds is None


def test_how_long_it_took() -> None:
    run = run_from_wire({**ENDED, "success": True, "lastRun": 1})
    assert run is not None
    assert run.seconds == 5


ACTION = {
    "errorMessage": [
        {"localMessageText": "2 failed", "occurrences": 0, "type": "rows", "values": []},
        {"localMessageText": "Unknown item", "occurrences": 3, "type": "item", "values": ["SKU 7", 8]},
        {"type": "onlyTheType"},
        {"occurrences": 1},
        "a bare text",
    ],
    "actionId": 112000000011,
    "actionName": "sample import action",
    "failureDumpGenerated": True,
}
FOUND = ActionErrors(
    "112000000011",
    "sample import action",
    ("2 failed", "Unknown item [SKU 7, 8] (3 times)", "onlyTheType", "a bare text"),
    dump=True,
)


@pytest.mark.parametrize(
    ("runs", "found"),
    [
        ({}, ()),
        (None, ()),
        ([], ()),
        ({"taskId": None, "errorMessages": []}, ()),
        ({"taskId": None, "errorMessages": None}, ()),
        ({"taskId": "F4", "errorMessages": [ACTION]}, (FOUND,)),
        (
            [{"id": "1", "errorMessages": [ACTION], "taskId": "F4"}, {"errorMessages": [ACTION]}],
            (FOUND, FOUND),
        ),
        ({"errorMessages": [{"actionId": "1"}]}, (ActionErrors("1", None, (), dump=False),)),
    ],
)
def test_errors_in_all_three_shapes(runs: object, found: tuple[ActionErrors, ...]) -> None:
    assert errors_from_wire(runs) == found


def test_a_flow_of_the_vendors_page() -> None:
    """Its runs have no ids, a step may lack what to do, and flags may be texts (facts B11, B12, B15)."""
    latest = {"triggeredBy": "user", "success": True, "message": "Success", **ENDED}
    steps = [
        {
            "referrer": "a-1",
            "name": "one",
            "isSkipped": "false",
            "latestRun": latest,
            "exceptionBehavior": None,
        },
        {
            "referrer": "b2",
            "isSkipped": "true",
            "dependsOn": ["a1"],
            "exceptionBehavior": [{"type": "partial_succes", "strategy": "stop"}],
        },
    ]
    found = flow_from_wire({"id": "f", "name": "Sample", "steps": steps, "latestRun": latest})
    first, second = found.steps
    assert found.latest == first.latest == run_from_wire(latest)
    assert (first.id, first.name, first.skipped) == ("a-1", "one", False)
    assert (first.on_failure, first.on_partial) == ("stop", "continue")
    assert (second.id, second.name, second.skipped, second.latest) == ("b2", "b2", True, None)
    assert (second.on_failure, second.on_partial) == ("stop", "stop")
