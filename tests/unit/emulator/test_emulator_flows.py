from __future__ import annotations

from typing import Any

import pytest
from unit.emulator.service import Json, Service, flow, step

PATH = "/integrationflows"
INVALID = (400, "Invalid request body")
ERROR = (400, "Integration flow error")


def test_reads_back_with_what_its_integrations_say(service: Service) -> None:
    one, two = service.integration("One"), service.integration("Two")
    identifier = service.flow("Nightly", one, two)
    (item,) = service.ok("GET", PATH)["integrationFlows"]
    assert item["id"] == identifier
    assert (item["stepsCount"], item["nuxVisible"], item["latestRun"]) == (2, False, {})
    assert not {"steps", "version"} & item.keys()
    detail = service.ok("GET", f"{PATH}/{identifier}")["integrationFlow"]
    assert detail["version"] == "2.0"
    first, second = detail["steps"]
    assert (first["dependsOn"], second["dependsOn"]) == ([], [one])
    assert second | {"exceptionBehavior": None} == {
        "referrer": two,
        "name": "Two",
        "type": "Process",
        "createdBy": "Ada Lovelace",
        "createdDate": "2026-11-23 12:00:00.000000+00:00",
        "modifiedDate": "2026-11-23 12:00:00.000000+00:00",
        "modifiedBy": None,
        "dependsOn": [one],
        "isSkipped": False,
        "exceptionBehavior": None,
        "workspaceId": "8a81b09d5e8c6f27015ece3402487d33",
        "modelId": "35A6EF",
        "accessible": True,
        "latestRun": {},
    }
    assert service.ok("GET", "/integrations")["meta"]["tenantCurrentCount"] == 3


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        (lambda body: body | {"version": "1.0"}, INVALID),
        (lambda body: body | {"type": "Integration"}, INVALID),
        (lambda body: body | {"name": ""}, INVALID),
        (lambda body: body | {"nuxVisible": False}, INVALID),
        (lambda body: {key: body[key] for key in ("name", "type", "steps")}, INVALID),
        (lambda body: _last(body, type="Process"), INVALID),
        (lambda body: _last(body, isSkipped="false"), INVALID),
        (lambda body: _last(body, name="Two"), INVALID),
        (lambda body: _last(body, exceptionBehavior=[]), INVALID),
        (
            lambda body: _last(body, exceptionBehavior=[{"type": "partial_failure", "strategy": "stop"}]),
            INVALID,
        ),
        (lambda body: _last(body, exceptionBehavior=[{"type": "failure", "strategy": "stop"}] * 2), INVALID),
        (lambda body: body | {"steps": body["steps"][:1]}, ERROR),
        (lambda body: _last(body, isSkipped=True), ERROR),
        (lambda body: _last(body, dependsOn=["0000"]), ERROR),
        (lambda body: _last(body, dependsOn=[body["steps"][1]["referrer"]]), ERROR),
        (lambda body: body | {"steps": [*body["steps"], body["steps"][0]]}, ERROR),
        (lambda body: _last(body, referrer="0000"), (404, "Resource not found")),
    ],
)
def test_a_flow_fits_to_the_key(service: Service, change: Any, outcome: tuple[int, str]) -> None:
    body = change(flow("Nightly", service.integration("One"), service.integration("Two")))
    assert service.refused("POST", PATH, body) == outcome
    assert service.ok("GET", PATH)["integrationFlows"] == []


def _last(body: Json, **change: Any) -> Json:
    return body | {"steps": [*body["steps"][:-1], body["steps"][-1] | change]}


def test_dependencies_make_no_circle(service: Service) -> None:
    one, two = service.integration("One"), service.integration("Two")
    circle = flow("Nightly", one, two) | {"steps": [step(one, two), step(two, one)]}
    assert service.refused("POST", PATH, circle) == ERROR
    service.ok("POST", PATH, circle | {"steps": [step(one, two), step(two)]})


def test_edit_duplicate_and_delete(service: Service) -> None:
    one, two = service.integration("One"), service.integration("Two")
    identifier = service.flow("Nightly", one, two)
    other = service.flow("Weekly", one, two)
    taken = (400, "Duplicate resource name not allowed")
    assert service.refused("POST", PATH, flow("Nightly", one, two)) == taken
    assert service.refused("PUT", f"{PATH}/{other}", flow("Nightly", one, two)) == taken
    service.ok("PUT", f"{PATH}/{identifier}", flow("Renamed", two, one))
    detail = service.ok("GET", f"{PATH}/{identifier}")["integrationFlow"]
    assert (detail["name"], detail["modifiedBy"]) == ("Renamed", "Ada Lovelace")
    assert [each["referrer"] for each in detail["steps"]] == [two, one]
    assert service.refused("DELETE", f"/integrations/{one}") == (409, "The resource is being referenced")
    service.ok("DELETE", f"{PATH}/{identifier}")
    service.ok("DELETE", f"{PATH}/{other}")
    service.ok("DELETE", f"/integrations/{one}")
    assert service.refused("GET", f"{PATH}/{identifier}") == (404, "Resource not found")


def test_version_1_has_no_flows(service: Service) -> None:
    reply = service.call("GET", PATH, version="1")
    assert reply.status_code == 404
    assert reply.headers["content-type"] == "text/html"
