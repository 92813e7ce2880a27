"""Reading a text: dumps are CSV, and their refusals JSON (facts A4)."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from unit.api.service import Answering, Service, page, refusal, reply

from cwsync.api import Ambiguous, NotFound, ServiceError

PATH = "/integrations/run/1/dumps"


def text(content: bytes, content_type: str | None = None) -> Answering:
    headers = {"Content-Type": content_type} if content_type else {}
    return lambda _request: httpx.Response(200, content=content, headers=headers)


def endless(_request: httpx.Request) -> httpx.Response:
    def content() -> Iterator[bytes]:
        while True:
            yield b"x" * 1_000_000

    return httpx.Response(200, content=content())


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        (text("Größe,1\r\n".encode(), "text/csv; charset=utf-8"), "Größe,1\r\n"),
        (text("Größe,1".encode("latin-1"), "text/csv; charset=ISO-8859-1"), "Größe,1"),
        (text("Größe,1".encode(), "text/csv"), "Größe,1"),
        (text("Größe,1".encode(), "text/csv; charset=no-such-thing"), "Größe,1"),
        (text("Größe,1".encode(), "text/csv; charset=idna"), "Größe,1"),
        (text("Größe,1".encode()), "Größe,1"),
        (text("\ufeffa,b".encode(), "text/csv"), "a,b"),
        (text(b"a,\xff,b", "text/csv"), "a,\ufffd,b"),
        (text(b"<5,rows\n"), "<5,rows\n"),
        (text(b"[1]\n", "application/json"), "[1]\n"),
        (text(b""), ""),
    ],
)
def test_it_is_decoded(answer: Answering, read: str) -> None:
    service = Service()
    service.on("GET", PATH, answer)
    assert service.client().get_text(PATH) == read
    assert service.requests[-1].headers["Accept"] == "*/*"


def test_json_is_still_asked_for_as_json() -> None:
    service = Service()
    service.on("GET", "/integrations/1", reply())
    service.client().get("/integrations/1")
    assert service.requests[-1].headers["Accept"] == "application/json"


def test_a_refusal_says_what_it_says_in_json() -> None:
    service = Service()
    service.on("GET", PATH, refusal(404, "Your integration run was successful / no errors"))
    with pytest.raises(NotFound) as caught:
        service.client().get_text(PATH)
    assert caught.value.message == "Your integration run was successful / no errors"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (page(200), "CW311"),
        (page(200, "\n<!DOCTYPE html><title>Sign in</title>"), "CW311"),
        (reply(200, {"status": {"code": 400, "message": "Invalid"}}), "CW311"),
        (page(404), "CW311"),
        (refusal(452, "Tenant not entitled"), "CW303"),
    ],
)
def test_what_is_no_text_of_the_service_is_an_error(answer: Answering, code: str) -> None:
    service = Service()
    service.on("GET", PATH, answer)
    with pytest.raises(ServiceError) as caught:
        service.client().get_text(PATH)
    assert caught.value.problem.code == code


def test_it_is_read_again_where_that_can_help() -> None:
    service = Service()
    service.on("GET", PATH, page(502), refusal(500, "Internal server error"), text(b"a,b"))
    assert service.client().get_text(PATH) == "a,b"


def test_a_reply_without_end_is_given_up_and_not_asked_for_again() -> None:
    service = Service()
    service.on("GET", PATH, endless)
    with pytest.raises(ServiceError, match="larger than cwsync reads"):
        service.client().get_text(PATH)
    assert service.seen(PATH) == [f"GET {PATH}"]


def test_the_same_reply_to_a_mutation_leaves_open_what_was_done() -> None:
    service = Service()
    service.on("POST", "/integrations", endless)
    with pytest.raises(Ambiguous):
        service.client().send("POST", "/integrations", {})
    assert len(service.seen("/integrations")) == 1
