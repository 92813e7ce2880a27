from __future__ import annotations

from typing import Any

import httpx
import pytest
from unit.emulator.service import Service, process


def fault(
    service: Service, do: str, *, method: str = "POST", path: str = "/2/0/integrations", **more: object
) -> None:
    match = {"method": method, "path": path, **({"nth": more.pop("nth")} if "nth" in more else {})}
    reply = service.http.post("/_emulator/faults", json={"match": match, "do": do, **more})
    assert reply.status_code == 200, reply.text
    service.spoiled = True


def names(service: Service) -> list[str]:
    return [each["name"] for each in service.http.get("/_emulator/snapshot").json()["integrations"]]


def statuses(service: Service) -> list[int | None]:
    return [each["status"] for each in service.http.get("/_emulator/requests").json()["requests"]][1:]


@pytest.mark.parametrize(("do", "made"), [("drop-before", []), ("drop-after", ["Close"])])
def test_a_dropped_connection_before_and_after_the_effect(service: Service, do: str, made: list[str]) -> None:
    fault(service, do)
    with pytest.raises(httpx.RemoteProtocolError):
        service.call("POST", "/integrations", process())
    assert names(service) == made
    assert statuses(service) == [None]


def test_an_effect_that_comes_after_the_client_gave_up(service: Service) -> None:
    fault(service, "late", delayMs=30_000, nth=1)
    with pytest.raises(httpx.ReadTimeout):
        service.call("POST", "/integrations", process())
    assert names(service) == []
    service.clock.now += 29
    assert service.ok("GET", "/integrations")["integrations"] == []
    service.clock.now += 1
    assert names(service) == ["Close"]
    assert service.refused("POST", "/integrations", process()) == (400, "Duplicate resource name not allowed")


def test_a_reply_that_breaks_off(service: Service) -> None:
    fault(service, "truncate")
    with pytest.raises(httpx.RemoteProtocolError):
        service.call("POST", "/integrations", process())
    assert names(service) == ["Close"]


@pytest.mark.parametrize(("given", "status"), [({}, 502), ({"status": 200}, 200)])
def test_html_in_place_of_json(service: Service, given: dict[str, Any], status: int) -> None:
    fault(service, "html", **given)
    reply = service.call("POST", "/integrations", process())
    assert (reply.status_code, reply.headers["content-type"]) == (status, "text/html")
    assert names(service) == ["Close"]


@pytest.mark.parametrize("effect", [False, True])
def test_a_status_with_and_without_the_effect(service: Service, effect: bool) -> None:
    fault(service, "status", effect=effect)
    assert service.refused("POST", "/integrations", process()) == (500, "Internal server error")
    assert names(service) == ["Close"] * effect


def test_too_many_requests_tells_when_to_come_back(service: Service) -> None:
    fault(service, "status", status=429, retryAfter=7, nth=2)
    service.ok("POST", "/integrations", process("One"))
    reply = service.call("POST", "/integrations", process("Two"))
    assert (reply.status_code, reply.headers["Retry-After"]) == (429, "7")
    service.ok("POST", "/integrations", process("Two"))


@pytest.mark.parametrize(
    ("method", "path", "hit"),
    [
        ("GET", "/2/0/integrations", True),
        ("POST", "/2/0/integrations", False),
        ("get", "/2/0/", True),
        ("GET", "/2/0/integrations/connections", False),
        ("GET", "/2/0/*s", True),
        ("GET", "/2/0/integration?", True),
        ("GET", "/2/0/i*x", False),
        ("GET", "/token", False),
    ],
)
def test_a_fault_fits_a_method_and_a_prefix_or_pattern(
    service: Service, method: str, path: str, hit: bool
) -> None:
    fault(service, "status", method=method, path=path)
    assert (service.call("GET", "/integrations?limit=3").status_code == 500) is hit


def test_deleted_faults_are_over_and_bad_ones_refused(service: Service) -> None:
    fault(service, "status", path="/", method="GET")
    service.http.delete("/_emulator/faults")
    assert service.call("GET", "/integrations").status_code == 200
    for body in (
        {},
        {"do": "explode"},
        {"do": "status", "status": "x"},
        {"do": "late", "match": {"verb": "GET"}},
    ):
        assert service.http.post("/_emulator/faults", json=body).status_code == 400


def test_a_rate_lets_a_second_through_and_names_the_wait() -> None:
    service = Service(rate=2).sign_in()
    assert service.call("GET", "/integrations").status_code == 200
    refused = service.call("GET", "/integrations")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert service.http.get("/_emulator/snapshot").status_code == 200
    service.clock.now += 0.5
    assert service.call("GET", "/integrations").status_code == 200
    service.close()
