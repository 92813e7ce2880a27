"""A list is read to its end, or said to be incomplete (facts B45, F16, F19)."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from unit.api.service import Answering, Service, refusal

from cwsync.api import Forbidden, Incomplete, Listing

PATH, KEY, ID = "/integrations", "integrations", "integrationId"


def entries(count: int, start: int = 0) -> list[dict[str, Any]]:
    return [{ID: f"id-{number}", "name": f"n{number}"} for number in range(start, start + count)]


def shown(rows: list[dict[str, Any]], total: int | None, **meta: int) -> dict[str, Any]:
    paging = (
        {} if total is None else {"paging": {"totalSize": total, "currentPageSize": len(rows), "offset": 0}}
    )
    return {KEY: rows, "meta": {**paging, **meta}}


def paged(rows: list[dict[str, Any]], cap: int) -> Answering:
    """A service that gives at most `cap` entries, whatever is asked for."""

    def answer(request: httpx.Request) -> httpx.Response:
        offset, limit = (int(request.url.params[name]) for name in ("offset", "limit"))
        part = rows[offset : offset + min(cap, limit)]
        return httpx.Response(200, json=shown(part, len(rows), tenantMaxAllowed=500))

    return answer


def pages(*bodies: Any) -> list[Answering]:
    def answering(body: Any) -> Callable[[httpx.Request], httpx.Response]:
        return lambda _request: httpx.Response(200, json=body)

    return [answering(body) for body in bodies]


def listed(*answers: Answering) -> tuple[Listing, Service]:
    service = Service()
    service.on("GET", PATH, *answers)
    return service.client().list(PATH, KEY, {"myIntegrations": 0}, id_key=ID), service


def incomplete(*answers: Answering) -> tuple[str, int]:
    service = Service()
    service.on("GET", PATH, *answers)
    with pytest.raises(Incomplete) as caught:
        service.client().list(PATH, KEY, id_key=ID)
    assert caught.value.problem.code == "CW312"
    return str(caught.value), len(service.seen(PATH))


@pytest.mark.parametrize(
    ("count", "cap", "calls"), [(0, 250, 1), (249, 250, 1), (250, 250, 1), (589, 250, 3), (60, 25, 3)]
)
def test_pages_are_read_by_their_length_up_to_the_total(count: int, cap: int, calls: int) -> None:
    listing, service = listed(paged(entries(count), cap))
    assert listing.items == entries(count)
    assert listing.total == count
    assert listing.meta["tenantMaxAllowed"] == 500
    assert len(service.seen(PATH)) == calls
    assert {request.url.params["limit"] for request in service.requests[1:]} == {"250"}
    assert service.requests[-1].url.params["myIntegrations"] == "0"


def test_a_list_that_moved_is_read_once_more() -> None:
    moved = pages(shown(entries(2), 4), shown(entries(2, 1), 4))
    listing, service = listed(*moved, *pages(shown(entries(4), 4)))
    assert listing.items == entries(4)
    assert len(service.seen(PATH)) == 3


def test_a_total_that_changes_between_pages_is_not_trusted() -> None:
    """One entry of the first page is deleted: its successor slips into that page and is never seen."""
    moved = pages(shown(entries(2), 5), shown(entries(2, 3), 4))
    listing, _ = listed(*moved, *pages(shown(entries(4, 1), 4)))
    assert listing.items == entries(4, 1)


def test_a_list_that_never_adds_up_is_incomplete() -> None:
    text, calls = incomplete(*pages(shown(entries(3), 4), shown([], 4), shown(entries(3), 4), shown([], 4)))
    assert "3 of 4 entries came" in text
    assert calls == 4


def test_a_service_that_ignores_the_offset_does_not_hold_the_client() -> None:
    text, calls = incomplete(*pages(shown(entries(25), 60)))
    assert "25 of 60" in text
    assert calls == 4


def test_more_entries_than_announced_are_not_trusted() -> None:
    incomplete(*pages(shown(entries(3), 2)))


@pytest.mark.parametrize(
    "body",
    [
        {KEY: "text", "meta": {"paging": {"totalSize": 1}}},
        {KEY: [1], "meta": {"paging": {"totalSize": 1}}},
        {KEY: [{"name": "no id"}], "meta": {"paging": {"totalSize": 1}}},
        {KEY: None, "meta": {"paging": {"totalSize": 1}}},
        {"status": {"code": 200}},
        {KEY: entries(250)},
        {KEY: entries(250), "meta": {"paging": {"totalSize": True}}},
    ],
)
def test_a_list_of_another_form_is_incomplete(body: dict[str, Any]) -> None:
    incomplete(*pages(body))


@pytest.mark.parametrize("meta", [{}, {"meta": None}, {"meta": {"paging": None}}, {"meta": {"paging": {}}}])
def test_without_a_total_a_short_page_is_the_whole_list(meta: dict[str, Any]) -> None:
    listing, _ = listed(*pages({KEY: entries(249), **meta}))
    assert (len(listing.items), listing.total) == (249, None)


def test_a_total_written_as_text_counts() -> None:
    listing, _ = listed(*pages({KEY: entries(2), "meta": {"paging": {"totalSize": "2"}}}))
    assert listing.total == 2


def test_a_page_that_is_refused_fails_the_list() -> None:
    service = Service()
    service.on("GET", PATH, paged(entries(300), 250), refusal(403, "Not Permitted"))
    with pytest.raises(Forbidden):
        service.client().list(PATH, KEY, id_key=ID)
