from __future__ import annotations

from typing import Any

import pytest
from unit.emulator.service import Service, flow, import_job, process, step

RUNNING = (409, "Integration is already running")


@pytest.fixture
def integration(service: Service) -> str:
    return service.integration(jobs=[import_job(service.connection())])


def outcome(service: Service, integration: str, word: str, seconds: float = 10, **more: Any) -> None:
    body = {"outcome": word, "seconds": seconds, **more}
    service.edit(action="update", kind="outcome", id=integration, body=body)


def run(service: Service, integration: str) -> str:
    identifier: str = service.ok("POST", f"/integrations/{integration}/run")["run"]["id"]
    return identifier


def test_a_run_takes_its_time_and_then_has_ended(service: Service, integration: str) -> None:
    outcome(service, integration, "success", 10)
    identifier = run(service, integration)
    during = service.ok("GET", f"/integrations/run/{identifier}")["run"]
    assert (during["message"], during["endDate"]) == ("Running", None)
    service.clock.now += 10
    after = service.ok("GET", f"/integrations/run/{identifier}")["run"]
    assert (after["success"], after["message"], after["executionErrorCode"]) == (True, "Success", None)
    assert after["endDate"] == "2026-11-23T12:00:10.000Z"
    latest = service.listed(integration)["latestRun"]
    assert (latest["triggeredBy"], latest["lastRun"]) == ("Ada Lovelace", int(service.clock.now) - 10)


def test_what_runs_cannot_be_run_changed_or_deleted(service: Service, integration: str) -> None:
    run(service, integration)
    path = f"/integrations/{integration}"
    assert service.refused("POST", f"{path}/run") == RUNNING
    assert service.refused("DELETE", path) == RUNNING
    assert service.refused("PUT", path, process("Other")) == RUNNING
    service.clock.now += 60
    service.ok("DELETE", path)


def test_cancel_ends_a_run_and_only_a_run(service: Service, integration: str) -> None:
    path = f"/integrations/{integration}/cancel"
    nothing = (409, f"Integration {integration} is not in running state")
    assert service.refused("POST", path) == nothing
    identifier = run(service, integration)
    service.clock.now += 1
    service.ok("POST", path)
    assert service.ok("GET", f"/integrations/run/{identifier}")["run"]["message"] == "Cancelled"
    assert service.refused("POST", path) == nothing


def test_history_has_pages_with_the_latest_first(service: Service, integration: str) -> None:
    runs = []
    for _ in range(3):
        runs.append(run(service, integration))
        service.clock.now += 60
    history = service.ok("GET", f"/integrations/runs/{integration}?offset=1&limit=1")["history_of_runs"]
    assert [each["id"] for each in history["runs"]] == [runs[1]]
    assert (history["totalRuns"], history["status"], history["schedule"]) == (3, 1, None)
    assert (history["name"], history["integrationId"]) == ("Accounts", integration)


@pytest.mark.parametrize(("word", "code"), [("failure", 12), ("partial_success", 38)])
def test_errors_and_dumps_of_what_went_wrong(
    service: Service, integration: str, word: str, code: int
) -> None:
    outcome(service, integration, word, 1, message="2 rows failed", dump="a,b\r\n")
    identifier = run(service, integration)
    service.clock.now += 1
    assert service.ok("GET", f"/integrations/run/{identifier}")["run"]["executionErrorCode"] == code
    errors = service.ok("GET", f"/integrations/runerror/{identifier}")["runs"]["errorMessages"]
    assert errors[0]["actionId"] == "112000000005"
    assert errors[0]["errorMessage"][0]["localMessageText"] == "2 rows failed"
    assert service.call("GET", f"/integrations/run/{identifier}/dumps").text == "a,b\r\n"
    of_action = f"/integrations/run/{identifier}/process/import/112000000005/dumps"
    assert service.call("GET", of_action).text == "a,b\r\n"
    assert service.call("GET", f"/integrations/run/{identifier}/dump").headers["content-type"] == "text/html"


def test_a_run_that_went_well_has_no_errors_and_no_dump(service: Service, integration: str) -> None:
    identifier = run(service, integration)
    service.clock.now += 60
    assert service.ok("GET", f"/integrations/runerror/{identifier}")["runs"] == {}
    nothing = (404, "Your integration run was successful / no errors")
    assert service.refused("GET", f"/integrations/run/{identifier}/dumps") == nothing
    assert service.refused("GET", "/integrations/run/0000") == (404, "Resource not found")


def test_a_flow_runs_its_steps_one_after_the_other(service: Service) -> None:
    one, two = service.integration("One"), service.integration("Two")
    for each in (one, two):
        outcome(service, each, "success", 10)
    identifier = service.flow("Nightly", one, two)
    run_id = service.ok("POST", f"/integrationflows/{identifier}/run")["run"]["id"]
    assert (service.listed(one)["latestRun"]["message"], service.listed(two)["latestRun"]) == ("Running", {})
    assert service.refused("POST", f"/integrationflows/{identifier}/run") == RUNNING
    assert service.refused("DELETE", f"/integrationflows/{identifier}") == RUNNING
    service.clock.now += 15
    assert (service.listed(one)["latestRun"]["message"], service.listed(two)["latestRun"]["message"]) == (
        "Success",
        "Running",
    )
    service.clock.now += 5
    assert service.ok("GET", f"/integrations/run/{run_id}")["run"]["message"] == "Success"
    (item,) = service.ok("GET", "/integrationflows")["integrationFlows"]
    assert item["latestRun"]["id"] == run_id


@pytest.mark.parametrize(("strategy", "went_on"), [("stop", False), ("continue", True)])
def test_a_failed_step_stops_the_flow_where_it_should(service: Service, strategy: str, went_on: bool) -> None:
    one, two, three = (service.integration(name) for name in ("One", "Two", "Three"))
    outcome(service, one, "failure", 1)
    behavior = [{"type": "failure", "strategy": strategy}]
    body = flow("Nightly", one, two, three)
    body["steps"] = [step(one, exceptionBehavior=behavior), step(two, one), step(three, two, isSkipped=True)]
    identifier = service.ok("POST", "/integrationflows", body)["integrationFlow"]["integrationFlowId"]
    service.ok("POST", f"/integrationflows/{identifier}/run")
    service.clock.now += 60
    assert bool(service.listed(two)["latestRun"]) is went_on
    assert service.listed(three)["latestRun"] == {}
    latest = service.ok("GET", f"/integrationflows/{identifier}")["integrationFlow"]["latestRun"]
    assert latest["success"] is False


def test_a_subset_of_the_steps(service: Service) -> None:
    one, two = service.integration("One"), service.integration("Two")
    path = f"/integrationflows/{service.flow('Nightly', one, two)}/run"
    wrong_bodies: list[object] = [{"stepsToRun": ["0000"]}, {"stepsToRun": []}, {"steps": [two]}, [two]]
    for wrong in wrong_bodies:
        assert service.refused("POST", path, wrong) == (400, "Invalid request body")
    service.ok("POST", path, {"stepsToRun": [two]})
    assert (service.listed(one)["latestRun"], service.listed(two)["latestRun"]["message"]) == ({}, "Running")


def test_a_flow_does_not_start_while_a_step_runs(service: Service) -> None:
    one, two = service.integration("One"), service.integration("Two")
    identifier = service.flow("Nightly", one, two)
    run(service, two)
    assert service.refused("POST", f"/integrationflows/{identifier}/run") == RUNNING
    assert service.refused("DELETE", f"/integrationflows/{identifier}") == RUNNING
