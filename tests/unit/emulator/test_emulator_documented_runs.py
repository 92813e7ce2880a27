"""Flows and runs of the profile `documented`, and some of what the other profile does differently."""

from __future__ import annotations

from typing import Any

import pytest
from unit.emulator.service import Service, dashed, envelope, export_job, flow, step

INVALID = (400, "Invalid request body")
RUN = {"triggeredBy", "startDate", "endDate", "success", "message", "executionErrorCode"}


def test_flows_in_the_words_of_the_page(page: Service) -> None:
    one, two = page.integration("One"), page.integration("Two")
    behavior = [{"type": "failure", "strategy": "stop"}, {"type": "partial_succes", "strategy": "stop"}]
    body = flow("Nightly", one, two)
    body["steps"][0] |= {"isSkipped": "false", "exceptionBehavior": behavior}
    identifier = page.ok("POST", "/integrationflows", body)["integrationFlow"]["integrationFlowId"]
    (item,) = page.ok("GET", "/integrationflows")["integrationFlows"]
    summary = {"id", "name", "createdBy", "creationDate", "modificationDate", "modifiedBy", "stepsCount"}
    assert item.keys() == summary
    read = page.ok("GET", f"/integrationflows/{identifier}")["integrationFlow"]
    assert read.keys() == summary | {"steps"}
    first, second = read["steps"]
    assert (first["isSkipped"], first["exceptionBehavior"]) == (False, behavior)
    assert second["exceptionBehavior"][1] == {"type": "partial_succes", "strategy": "continue"}
    assert (first["createdDate"], first["modifiedBy"]) == ("2026-11-23T12:00:00.000Z", "None")
    silent = {**body, "name": "Silent", "steps": [step(one), step(two)]}
    assert page.refused("POST", "/integrationflows", silent) == INVALID
    page.ok("POST", "/integrationflows", {**silent, "steps": [step(one), step(two, dependsOn=[])]})
    twice = [behavior[1], {"type": "partial_success", "strategy": "stop"}]
    wrong = {**body, "name": "Twice", "steps": [step(one, exceptionBehavior=twice), step(two, one)]}
    assert page.refused("POST", "/integrationflows", wrong) == INVALID


def test_runs_in_the_forms_of_the_page(page: Service) -> None:
    connection = page.connection()
    identifier = page.integration(jobs=[export_job(connection)])
    page.edit(action="update", kind="outcome", id=identifier, body={"outcome": "failure", "seconds": 4})
    run = page.ok("POST", f"/integrations/{identifier}/run")["run"]["id"]
    page.clock.now += 4
    history = page.ok("GET", f"/integrations/runs/{identifier}?offset=0&limit=5")["history_of_runs"]
    assert history["integrationId"] == dashed(identifier)
    assert not {"integrationType", "version", "processId", "nuxVisible"} & history.keys()
    (past,) = history["runs"]
    assert past.keys() == RUN | {"id", "lastRun"}
    assert (past["id"], past["lastRun"]) == (run, "2026-11-23T12:00:00.000Z")
    half = f"{run[:20]}-{run[20:]}"
    for spelling in (run, half):
        shown = page.ok("GET", f"/integrations/run/{spelling}")["run"]
        assert (shown["id"], shown["modifiedBy"], shown["executionErrorCode"]) == (half, "None", 12)
        assert not {"traceId", "flowGroupId", "triggerSource"} & shown.keys()
    (errors,) = page.ok("GET", f"/integrations/runerror/{run}")["runs"]
    assert (errors["id"], errors["modifiedBy"]) == (run, "None")
    assert errors["errorMessages"][0]["actionId"] == "116000000053"
    assert errors["taskId"].isupper()


def test_a_run_that_went_well_has_an_empty_list_of_errors(page: Service) -> None:
    run = page.ok("POST", f"/integrations/{page.integration()}/run")["run"]["id"]
    page.clock.now += 60
    assert page.ok("GET", f"/integrations/runerror/{run}")["runs"] == []


@pytest.mark.parametrize("version", ["1", "2"])
def test_version_1_has_the_same_addresses_but_no_flows(page: Service, version: str) -> None:
    expected: Any = 200 if version == "2" else 404
    assert page.call("GET", "/integrationflows", version=version).status_code == expected
    assert page.call("GET", "/integrations", version=version).status_code == 200


def test_the_observed_service_is_another_one(service: Service) -> None:
    identifier = service.integration()
    body = envelope("x") | {"workspaceId": "denied-1", "processId": "118"}
    assert service.refused("POST", "/integrations", body) == (400, "User does not have access to workspace")
    assert service.refused("GET", f"/integrations/{dashed(identifier)}") == (404, "Resource not found")
    assert service.ok("POST", f"/integrations/{identifier}/run")
    assert service.ok("POST", f"/integrations/{identifier}/cancel") == {}
    history = service.ok("GET", f"/integrations/runs/{identifier}")["history_of_runs"]
    assert (history["integrationType"], history["version"]) == ("Process", "2.0")
