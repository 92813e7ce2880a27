"""A mutation is sent once, and what it ends in is told exactly (engine protocol, R2 and R3)."""

import json
from collections.abc import Callable
from urllib.parse import quote

import httpx
import pytest
from pydantic import SecretStr
from unit.api.service import Answering, Service, breaks, page, refusal, reply

from cwsync.api import Ambiguous, Busy, Duplicate, Forbidden, NotFound, Referenced, Rejected, ServiceError

BODY = {"type": "AzureBlob", "body": {"name": "Lake", "sasToken": SecretStr("needle-sas")}}


def sent(answer: Answering, *more: Answering) -> tuple[ServiceError, Service]:
    service = Service()
    service.on("POST", "/integrations", answer, *more)
    with pytest.raises(ServiceError) as caught:
        service.client().send("POST", "/integrations", BODY)
    return caught.value, service


@pytest.mark.parametrize(
    ("answer", "code", "kind"),
    [
        (refusal(400, "Invalid request body"), "CW305", Rejected),
        (refusal(400, "Credentials are invalid"), "CW305", Rejected),
        (refusal(400, "User does not have access to workspace"), "CW303", Forbidden),
        (refusal(401, "Credentials are invalid"), "CW302", Rejected),
        (refusal(403, "Not Permitted"), "CW303", Forbidden),
        (refusal(452, "Tenant not entitled"), "CW303", Forbidden),
        (refusal(404, "Resource not found"), "CW304", NotFound),
        (page(404), "CW311", Rejected),
        (refusal(409, "Integration is already running"), "CW306", Busy),
        (refusal(500, "A running integration cannot be deleted"), "CW306", Busy),
        (refusal(409, "Integration 12 is not in running state"), "CW305", Rejected),
        (refusal(409, "The resource is being referenced"), "CW308", Referenced),
        (refusal(409, "Only a single job is supported by import/export integration"), "CW305", Rejected),
        (refusal(409, "Total number of integrations exceeded the limit"), "CW314", Rejected),
        (refusal(500, "Model Not Found Error"), "CW304", Rejected),
        (refusal(503, "Invalid workspace or model"), "CW304", Rejected),
        (refusal(500, "Duplicate resource name not allowed"), "CW307", Duplicate),
        (refusal(400, "Duplicate resource name not allowed"), "CW307", Duplicate),
        (refusal(409, "duplicate resource name"), "CW307", Duplicate),
        (refusal(409, "something else"), "CW305", Ambiguous),
        (refusal(500, "Internal server error"), "CW310", Ambiguous),
        (refusal(503, "Integration trigger error"), "CW310", Ambiguous),
        (page(500), "CW310", Ambiguous),
        (page(502), "CW310", Ambiguous),
        (page(504), "CW310", Ambiguous),
        (page(408), "CW310", Ambiguous),
        (page(400), "CW311", Ambiguous),
        (page(413), "CW311", Ambiguous),
        (page(400, ""), "CW311", Ambiguous),
        (page(401), "CW302", Rejected),
        (page(403), "CW303", Forbidden),
        (page(200), "CW311", Ambiguous),
        (page(200, ""), "CW311", Ambiguous),
        (page(200, '{"status": {"code": 20'), "CW311", Ambiguous),
        (reply(200, {"status": {"code": 500, "message": "no"}}), "CW311", Ambiguous),
        (page(307), "CW311", Ambiguous),
        (breaks(httpx.ReadTimeout), "CW313", Ambiguous),
        (breaks(httpx.WriteTimeout), "CW313", Ambiguous),
        (breaks(httpx.WriteError), "CW313", Ambiguous),
        (breaks(httpx.ReadError), "CW313", Ambiguous),
        (breaks(httpx.RemoteProtocolError), "CW313", Ambiguous),
    ],
)
def test_every_outcome_is_sent_once_and_told(answer: Answering, code: str, kind: type[ServiceError]) -> None:
    error, service = sent(answer)
    assert error.problem.code == code
    assert type(error) is kind
    # A refused token is replaced once; nothing else is ever sent again.
    assert len(service.seen("/integrations")) == (2 if error.status == 401 else 1)
    assert service.time.slept == []


@pytest.mark.parametrize(
    "refused", [refusal(429, "slow down", {"Retry-After": "3"}), breaks(httpx.ConnectError)]
)
def test_what_certainly_did_nothing_is_sent_again(refused: Answering) -> None:
    service = Service()
    service.on("POST", "/integrations", refused, refused, reply(200, {"integration": {"integrationId": "a"}}))
    done = service.client().send("POST", "/integrations", BODY)
    assert done.body == {"integration": {"integrationId": "a"}}
    assert len(service.seen("/integrations")) == 3


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        (refusal(429, "slow down"), "CW309"),
        (breaks(httpx.ConnectError), "CW301"),
        (breaks(httpx.ProxyError), "CW301"),
    ],
)
def test_sending_again_is_bounded_and_ends_in_a_rejection(refused: Answering, code: str) -> None:
    error, service = sent(refused)
    assert type(error) is Rejected
    assert error.problem.code == code
    assert 1 <= len(service.seen("/integrations")) <= 6


def test_a_timeout_after_a_429_is_not_sent_a_third_time() -> None:
    error, service = sent(refusal(429, "slow down"), breaks(httpx.ReadTimeout), reply())
    assert type(error) is Ambiguous
    assert len(service.seen("/integrations")) == 2


class WithdrawnError(Exception):
    pass


@pytest.mark.parametrize(
    "refused",
    [refusal(429, "slow down", {"Retry-After": "9"}), breaks(httpx.ConnectError), refusal(401, "no")],
)
def test_before_each_attempt_it_is_asked_whether_it_may_leave(refused: Answering) -> None:
    """Also before one that follows a pause or a renewed token; where it may not, it does not."""
    service = Service()
    service.on("POST", "/integrations", refused, reply())
    asked: list[int] = []

    def before() -> None:
        asked.append(len(service.seen("/integrations")))
        if asked[-1] == 1:
            raise WithdrawnError

    with pytest.raises(WithdrawnError):
        service.client().send("POST", "/integrations", BODY, before=before)
    assert asked == [0, 1]
    assert len(service.seen("/integrations")) == 1


def test_a_wait_for_ones_turn_ends_when_it_is_not_wanted_any_more() -> None:
    service = Service()
    service.on("POST", "/integrations", refusal(429, "slow down", {"Retry-After": "100"}), reply())

    def wanted() -> None:
        if service.time.now >= 3:
            raise WithdrawnError

    with pytest.raises(WithdrawnError):
        service.client().send("POST", "/integrations", BODY, wanted=wanted)
    assert (len(service.seen("/integrations")), service.time.now) == (1, 3)


@pytest.mark.parametrize("status", [200, 201, 204])
def test_every_2xx_of_the_service_is_a_success(status: int) -> None:
    service = Service()
    answer = (
        page(204, "") if status == 204 else reply(status, None, {"Date": "Fri, 15 Jan 2027 08:00:01 GMT"})
    )
    service.on("DELETE", "/integrations/1", answer)
    done = service.client().send("DELETE", "/integrations/1")
    assert done.status == status
    assert (done.server_time is None) is (status == 204)
    assert service.requests[-1].content == b""


def test_secrets_are_opened_for_the_wire_and_nowhere_else() -> None:
    echo = refusal(400, "Invalid value needle-sas for sasToken, token-1")
    error, service = sent(echo)
    assert b'"sasToken": "needle-sas"' in service.requests[-1].content
    shown = repr(error) + repr(error.problems) + str(error) + str(error.message) + repr(error.__context__)
    assert "needle" not in shown
    assert "token-1" not in shown
    assert error.message == "Invalid value *** for sasToken, ***"


@pytest.mark.parametrize(
    "spelled", [str, json.dumps, lambda key: quote(key, safe=""), lambda key: key.split("\n")[1]]
)
def test_a_secret_of_several_lines_is_hidden_however_it_is_repeated(spelled: Callable[[str], str]) -> None:
    key = "-----BEGIN KEY-----\nMIIEneedle+1/x\nMIIEneedle2\n-----END KEY-----\n"
    service = Service()
    service.on("POST", "/integrations/connections", refusal(400, f"Invalid request body: {spelled(key)}"))
    with pytest.raises(Rejected) as raised:
        service.client().send("POST", "/integrations/connections", {"privateKey": SecretStr(key)})
    assert "needle" not in str(raised.value.message)
    assert str(raised.value.message).startswith("Invalid request body: ")


def test_no_error_keeps_the_request() -> None:
    error, _ = sent(breaks(httpx.ReadTimeout))
    assert error.__context__ is None
    assert error.__cause__ is None
    assert "needle" not in repr(error.problems)


def test_a_busy_service_makes_all_threads_wait() -> None:
    service = Service()
    service.on("POST", "/integrations", refusal(429, "slow down", {"Retry-After": "30"}), reply())
    service.on("GET", "/integrations/1", reply())
    client = service.client()
    client.send("POST", "/integrations", {})
    assert service.time.now == pytest.approx(30)
    client.get("/integrations/1")
    assert service.time.now == pytest.approx(30, abs=0.2)  # and at the pace that the refusal has taught
