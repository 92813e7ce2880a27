"""One token a run: obtained once, refreshed in time, replaced where it is refused (facts A7, B39)."""

import json
from base64 import b64decode
from dataclasses import replace
from threading import Barrier

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import PrivateFormat
from pydantic import SecretStr
from unit.api.keys import KEY, issue, pem
from unit.api.service import START, Service, page, refusal, reply

from cwsync.api import Basic, Certificate, Rejected, ServiceError, Token

FAILURE = {"status": "FAILURE_BAD_CREDENTIAL", "statusMessage": "Invalid credentials needle-password"}
GIVEN = Token(SecretStr("needle-given"))


def ready(*, lifetime: float = 2100.0) -> Service:
    service = Service()
    service.lifetime = lifetime
    service.on("GET", "/integrations/1", reply())
    return service


def test_basic_signs_in_once_and_the_token_is_used_by_all_threads() -> None:
    service = ready()
    with service.client(parallelism=4) as client:
        client.each(lambda _: client.get("/integrations/1"), range(12))
        assert (client.stats.calls, client.stats.token_calls) == (12, 1)
    first, *others = service.requests
    assert first.headers["Authorization"].startswith("Basic ")
    assert b64decode(first.headers["Authorization"][6:]) == b"ci@example.com:needle-password"
    assert first.content == b""
    assert {request.headers["Authorization"] for request in others} == {"AnaplanAuthToken token-1"}


def test_a_token_is_refreshed_when_under_five_minutes_are_left() -> None:
    service = ready()
    client = service.client()
    client.get("/integrations/1")
    service.time.sleep(1799)
    client.get("/integrations/1")
    assert "POST /token/refresh" not in service.seen()
    service.time.sleep(2)
    client.get("/integrations/1")
    client.get("/integrations/1")
    assert service.seen("/token") == ["POST /token/authenticate", "POST /token/refresh"]
    assert service.requests[-1].headers["Authorization"] == "AnaplanAuthToken token-2"


def test_the_end_of_a_token_is_taken_by_the_servers_clock() -> None:
    """Here the machine's clock is an hour slow: by it, the token would live for an hour more."""
    service = ready()
    body = {"tokenInfo": {"expiresAt": service.expires_at + 3_600_000, "tokenValue": "t"}}
    service.on("POST", "/token/authenticate", reply(201, body, {"Date": "Fri, 15 Jan 2027 09:00:00 GMT"}))
    client = service.client()
    client.get("/integrations/1")
    service.time.sleep(1801)
    client.get("/integrations/1")
    assert service.seen("/token") == ["POST /token/authenticate", "POST /token/refresh"]


def test_tokens_that_live_short_are_not_refreshed_before_every_call() -> None:
    service = ready(lifetime=60)
    client = service.client()
    for _ in range(10):
        client.get("/integrations/1")
    assert service.seen("/token") == ["POST /token/authenticate", "POST /token/refresh"]


def test_a_refresh_that_fails_leads_to_a_new_sign_in() -> None:
    service = ready()
    service.on("POST", "/token/refresh", reply(401, FAILURE))
    client = service.client()
    client.get("/integrations/1")
    service.time.sleep(1900)
    client.get("/integrations/1")
    assert service.seen("/token") == [
        "POST /token/authenticate",
        "POST /token/refresh",
        "POST /token/authenticate",
    ]


def test_a_401_is_answered_with_one_new_sign_in() -> None:
    service = ready()
    service.on("GET", "/integrations/1", refusal(401, "expired"), reply(200, {"a": 1}))
    assert service.client().get("/integrations/1") == {"a": 1}
    assert [
        request.headers["Authorization"].split()[-1]
        for request in service.requests
        if "/2/0" in str(request.url)
    ] == [
        "token-1",
        "token-2",
    ]


def test_a_second_401_is_the_end() -> None:
    service = ready()
    service.on("GET", "/integrations/1", refusal(401, "expired"))
    with pytest.raises(Rejected) as caught:
        service.client().get("/integrations/1")
    assert caught.value.problem.code == "CW302"
    assert service.seen("/token") == ["POST /token/authenticate"] * 2


def test_threads_that_meet_a_401_together_sign_in_once() -> None:
    service = ready()
    together = Barrier(4, timeout=20)

    def stale(request: httpx.Request) -> httpx.Response:
        if request.headers["Authorization"] != "AnaplanAuthToken token-1":
            return reply()(request)
        together.wait()
        return refusal(401, "expired")(request)

    service.on("GET", "/integrations/1", stale)
    client = service.client(parallelism=4)
    client.each(lambda _: client.get("/integrations/1"), range(4))
    assert service.seen("/token") == ["POST /token/authenticate"] * 2


def test_a_403_with_a_valid_token_is_a_matter_of_permission() -> None:
    service = ready()
    service.on("GET", "/integrations/1", refusal(403, "Not Permitted"))
    with pytest.raises(Rejected, match="Not Permitted") as caught:
        service.client().get("/integrations/1")
    assert caught.value.problem.code == "CW303"
    assert service.seen("/token") == ["POST /token/authenticate", "GET /token/validate"]


def test_a_403_with_an_invalid_token_is_answered_with_a_new_sign_in() -> None:
    service = ready()
    service.on("GET", "/token/validate", reply(401, FAILURE))
    service.on("GET", "/integrations/1", refusal(403, "Not Authorized"), reply(200, {"a": 1}))
    assert service.client().get("/integrations/1") == {"a": 1}


def test_refused_credentials_are_said_plainly_and_not_tried_again() -> None:
    service = ready()
    service.on("POST", "/token/authenticate", reply(401, FAILURE))
    client = service.client(parallelism=4)
    for _ in range(3):
        with pytest.raises(
            Rejected, match='signing in failed: the service says "Invalid credentials'
        ) as caught:
            client.get("/integrations/1")
        assert caught.value.problem.code == "CW302"
        assert "needle" not in repr(caught.value.problems) + str(caught.value.message)
    assert service.seen() == ["POST /token/authenticate"]


def test_a_sign_in_service_that_is_down_is_tried_again() -> None:
    service = ready()
    grant = reply(201, {"tokenInfo": {"tokenValue": "t"}})
    service.on("POST", "/token/authenticate", page(502), page(503), grant)
    service.client().get("/integrations/1")
    assert len(service.time.slept) == 2


@pytest.mark.parametrize("body", [{}, {"tokenInfo": {"tokenValue": "two\nlines"}}, {"tokenInfo": None}])
def test_a_reply_without_a_usable_token_is_an_error(body: dict[str, object]) -> None:
    service = ready()
    service.on("POST", "/token/authenticate", reply(201, body))
    with pytest.raises(Rejected) as caught:
        service.client().get("/integrations/1")
    assert caught.value.problem.code == "CW311"


def test_a_given_token_is_validated_refreshed_and_never_logged_out() -> None:
    service = ready(lifetime=200)
    client = service.client(GIVEN)
    client.get("/integrations/1")
    client.get("/integrations/1")
    client.logout()
    assert service.seen("/token") == ["GET /token/validate", "POST /token/refresh"]
    assert service.requests[0].headers["Authorization"] == "AnaplanAuthToken needle-given"


def test_a_given_token_that_is_refused_is_told_and_not_replaced() -> None:
    service = ready()
    echo = {"status": "FAILURE_BAD_CREDENTIAL", "statusMessage": "Token needle-given is not valid"}
    service.on("GET", "/token/validate", reply(401, echo))
    with pytest.raises(Rejected, match=r'says "Token \*\*\* is not valid"') as caught:
        service.client(GIVEN).get("/integrations/1")
    assert "obtain a new one" in (caught.value.problem.hint or "")
    assert "needle" not in repr(caught.value.problems)


def test_a_given_token_works_where_the_sign_in_service_cannot_be_reached() -> None:
    service = ready()
    service.on("GET", "/token/validate", page(503))
    service.client(GIVEN).get("/integrations/1")
    assert service.seen() == ["GET /token/validate", "GET /integrations/1"]


@pytest.mark.parametrize("value", ["needle\r\nX-Evil: 1", "nëedle", "nee dle", ""])
def test_a_given_token_that_cannot_be_a_header_is_refused_unsent(value: str) -> None:
    service = ready()
    with pytest.raises(Rejected) as caught:
        service.client(Token(SecretStr(value))).get("/integrations/1")
    assert caught.value.problem.code == "CW302"
    assert service.requests == []


def test_logging_out_ends_only_what_was_signed_in() -> None:
    service = ready()
    client = service.client()
    client.logout()
    client.get("/integrations/1")
    client.logout()
    assert service.seen("/token") == ["POST /token/authenticate", "POST /token/logout"]


def test_whoami_says_whom_the_token_stands_for() -> None:
    service = ready()
    who = service.client().whoami()
    assert (who.user_guid, who.user_id, who.customer_guid) == ("guid", "ci@example.com", "customer")
    assert who.expires_at is not None
    assert who.expires_at.isoformat() == "2027-01-15T08:35:00+00:00"


CERTIFICATE = Certificate(issue(KEY, START), pem(KEY, PrivateFormat.PKCS8, None))


def test_every_sign_in_by_certificate_has_a_payload_of_its_own() -> None:
    service = ready()
    service.on("POST", "/token/authenticate", page(502), reply(201, {"tokenInfo": {"tokenValue": "t"}}))
    service.client(CERTIFICATE).get("/integrations/1")
    first, second, _ = service.requests
    assert first.headers["Authorization"] == second.headers["Authorization"]
    assert first.headers["Authorization"].startswith("CACertificate ")
    payloads = [json.loads(request.content) for request in (first, second)]
    assert payloads[0]["encodedDataFormat"] == "v2"
    assert payloads[0]["encodedData"] != payloads[1]["encodedData"]


def test_a_clock_that_is_off_is_named_where_a_certificate_is_refused() -> None:
    service = ready()
    service.on("POST", "/token/authenticate", reply(401, FAILURE, {"Date": "Fri, 15 Jan 2027 08:30:00 GMT"}))
    with pytest.raises(Rejected) as caught:
        service.client(CERTIFICATE).get("/integrations/1")
    assert "30 minutes off" in (caught.value.problem.hint or "")


def test_a_key_that_cannot_be_used_means_that_nothing_was_done() -> None:
    service = ready()
    with pytest.raises(Rejected) as caught:
        service.client(replace(CERTIFICATE, private_key_pem=SecretStr("needle"))).send(
            "POST", "/integrations", {}
        )
    assert caught.value.problem.code == "CW122"
    assert service.requests == []


def test_credentials_show_no_secret() -> None:
    assert "needle" not in repr(Basic("u", SecretStr("needle"))) + repr(GIVEN)


def test_an_unreachable_sign_in_service_means_that_nothing_was_done() -> None:
    def refused(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("", request=request)

    service = ready()
    service.on("POST", "/token/authenticate", refused)
    with pytest.raises(Rejected) as caught:
        service.client().send("POST", "/integrations", {})
    assert caught.value.problem.code == "CW301"
    assert isinstance(caught.value, ServiceError)
    assert service.seen("/integrations") == []
