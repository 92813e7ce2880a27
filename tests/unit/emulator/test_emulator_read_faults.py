"""Reads that mislead: stale ones, lists that move under the reader, wrong totals, replies that drip."""

from __future__ import annotations

import pytest
from unit.emulator.service import Service, process
from unit.emulator.test_emulator_faults import fault

LIST = "/integrations"


def page(service: Service, offset: int, limit: int = 2) -> tuple[list[str], int]:
    reply = service.ok("GET", f"{LIST}?limit={limit}&offset={offset}")
    paging = reply["meta"]["paging"]
    assert paging["offset"] == offset
    return [each["name"] for each in reply["integrations"]], paging["totalSize"]


@pytest.fixture
def five(service: Service) -> Service:
    for name in "ABCDE":
        service.integration(name)
    return service


def test_a_stale_list_does_not_show_a_new_object_for_some_reads(service: Service) -> None:
    before = service.integration("Before")
    fault(service, "stale", method="GET", path="/2/0", times=2)
    made = service.integration("Made")
    service.edit(action="update", kind="integration", id=before, body={"name": "Renamed"})
    assert page(service, 0) == (["Before"], 1)
    assert service.refused("GET", f"{LIST}/{made}") == (404, "Resource not found")
    assert page(service, 0) == (["Renamed", "Made"], 2)


def test_a_stale_read_still_shows_what_was_deleted(service: Service) -> None:
    identifier = service.integration("Gone")
    fault(service, "stale", method="GET", path="/2/0/integrations", nth=2, times=2)
    service.ok("DELETE", f"{LIST}/{identifier}")
    assert [page(service, 0) for _ in range(4)] == [([], 0), (["Gone"], 1), (["Gone"], 1), ([], 0)]
    assert service.http.get("/_emulator/snapshot").json()["integrations"] == []


def test_stale_is_a_matter_of_reads_alone(service: Service) -> None:
    service.http.post("/_emulator/faults", json={"do": "stale"})
    service.ok("POST", LIST, process())
    assert page(service, 0) == ([], 0)
    service.http.delete("/_emulator/faults")
    assert page(service, 0) == (["Close"], 1)


def test_entries_are_skipped_where_others_vanish_meanwhile(five: Service) -> None:
    fault(five, "shift", method="GET", path="/2/0/integrations")
    assert [page(five, offset) for offset in (0, 2, 4)] == [(["A", "B"], 5), (["D", "E"], 4), ([], 4)]


def test_entries_repeat_where_others_appear_meanwhile(five: Service) -> None:
    fault(five, "shift", method="GET", path="/2/0/integrations", by=-1, nth=2)
    assert [page(five, offset) for offset in (0, 2, 4)] == [(["A", "B"], 5), (["B", "C"], 6), (["E"], 5)]


def test_entries_repeat_for_no_reason_at_all(five: Service) -> None:
    fault(five, "repeat", method="GET", path="/2/0/integrations")
    assert [page(five, offset) for offset in (0, 2, 4)] == [(["A", "B"], 5), (["B", "C"], 5), (["D", "E"], 5)]


@pytest.mark.parametrize(("by", "total"), [(1, 6), (-2, 3), (-9, 0)])
def test_a_total_that_is_wrong(five: Service, by: int, total: int) -> None:
    fault(five, "miscount", method="GET", path="/2/0/integrations", by=by)
    assert page(five, 0) == (["A", "B"], total)
    assert page(five, 4) == (["E"], total)


@pytest.mark.parametrize("do", ["shift", "repeat", "miscount"])
def test_what_is_no_list_is_left_alone(service: Service, do: str) -> None:
    identifier = service.integration("A")
    fault(service, do, method="GET", path="/")
    assert service.ok("GET", f"{LIST}/{identifier}")["integration"]["name"] == "A"
    assert service.refused("GET", f"{LIST}?offset=none") == (400, "Invalid value for offset")
    assert service.call("GET", "/nowhere").status_code == 404


def test_a_reply_in_drips_is_whole_in_the_end(service: Service) -> None:
    fault(service, "drip", bytes=40, delayMs=1)
    with service.http.stream("POST", f"/2/0{LIST}", json=process()) as reply:
        pieces = [*reply.iter_raw()]
    assert {len(piece) for piece in pieces[:-1]} == {40}
    assert len(b"".join(pieces)) == int(reply.headers["Content-Length"])
    assert page(service, 0) == (["Close"], 1)


def test_too_many_requests_without_a_word_when_to_come_back(service: Service) -> None:
    fault(service, "status", status=429, times=2)
    for _ in range(2):
        reply = service.call("POST", LIST, process())
        assert (reply.status_code, "Retry-After" in reply.headers) == (429, False)
    service.ok("POST", LIST, process())


def test_a_fault_that_makes_no_sense_is_refused(service: Service) -> None:
    for body in ({"do": "shift", "by": 0}, {"do": "stale", "times": 0}, {"do": "drip", "bytes": 0}):
        assert service.http.post("/_emulator/faults", json=body).status_code == 400
