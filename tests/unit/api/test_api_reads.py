"""What a read does with everything that can come back (facts D, retry rule)."""

from collections.abc import Iterator
from threading import Event

import httpx
import pytest
from unit.api.service import Answering, Service, breaks, page, refusal, reply

from cwsync.api import Busy, Forbidden, NotFound, Rejected, ServiceError, quote_id
from cwsync.errors import CwsyncError

PATH = "/integrations/1"
GOOD = reply(200, {"integration": {}, "unknown": 1})
PASSING: list[Answering] = [
    refusal(429, "Too many requests"),
    page(502),
    page(504),
    page(503),
    refusal(500, "Internal server error"),
    refusal(500, "Anaplan Connection Error"),
    refusal(503, "Integration trigger error"),
    page(200),
    reply(200, [1]),
    breaks(httpx.ReadTimeout),
    breaks(httpx.ConnectTimeout),
    breaks(httpx.ConnectError),
    breaks(httpx.RemoteProtocolError),
    breaks(httpx.ReadError),
]


@pytest.mark.parametrize("first", PASSING)
def test_what_may_pass_is_read_again(first: Answering) -> None:
    service = Service()
    service.on("GET", PATH, first, first, GOOD)
    client = service.client()
    assert client.get(PATH) == {"integration": {}, "unknown": 1}
    assert client.stats.retries == 2
    assert client.stats.waited == pytest.approx(sum(service.time.slept))


@pytest.mark.parametrize(
    ("answer", "code", "kind", "quoted"),
    [
        (refusal(404, "Resource not found"), "CW304", NotFound, True),
        (refusal(404, "Invalid connection_id"), "CW304", NotFound, True),
        (refusal(400, "Invalid value for limit"), "CW305", Rejected, True),
        (refusal(403, "Not Authorized"), "CW303", Forbidden, True),
        (refusal(452, "Tenant not entitled"), "CW303", Forbidden, True),
        (refusal(409, "Integration is already running"), "CW306", Busy, True),
        (refusal(500, "Model Not Found Error"), "CW304", Rejected, True),
        (refusal(503, "Invalid workspace or model"), "CW304", Rejected, True),
        (refusal(500, "Unable to retrieve S3 files, count too high"), "CW305", Rejected, True),
        (refusal(500, "Something exact"), "CW310", ServiceError, True),
        (page(404), "CW311", Rejected, False),
        (page(403), "CW303", Forbidden, False),
        (reply(302, {}, {"Location": "https://elsewhere.example/"}), "CW311", ServiceError, False),
        (reply(200, {"status": {"code": 404, "message": "Resource not found"}}), "CW311", ServiceError, True),
    ],
)
def test_what_is_said_exactly_is_not_read_again(
    answer: Answering, code: str, kind: type[ServiceError], quoted: bool
) -> None:
    service = Service()
    service.on("GET", PATH, answer)
    with pytest.raises(ServiceError) as caught:
        service.client().get(PATH)
    assert caught.value.problem.code == code
    assert type(caught.value) is kind
    assert service.seen(PATH) == [f"GET {PATH}"]
    assert (caught.value.message is not None and caught.value.message in str(caught.value)) is quoted


def test_a_reply_that_drips_is_given_up() -> None:
    service = Service()

    def drips(_request: httpx.Request) -> httpx.Response:
        def content() -> Iterator[bytes]:
            while True:
                service.time.now += 50
                yield b" "

        return httpx.Response(200, content=content())

    service.on("GET", PATH, drips)
    with pytest.raises(ServiceError, match="no reply in time"):
        service.client().get(PATH)
    assert len(service.seen(PATH)) == 6


def test_reading_again_is_bounded() -> None:
    service = Service()
    service.on("GET", PATH, page(502))
    with pytest.raises(ServiceError) as caught:
        service.client().get(PATH)
    assert (caught.value.problem.code, caught.value.status) == ("CW310", 502)
    assert len(service.seen(PATH)) == 6
    assert 7 < sum(service.time.slept) < 16


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "Fri, 15 Jan 2027 08:00:21 GMT", "Date": "Fri, 15 Jan 2027 08:00:01 GMT"}, 20),
        ({}, 10),
        ({"Retry-After": "soon"}, 10),
    ],
)
def test_the_service_says_how_long_to_wait(headers: dict[str, str], seconds: float) -> None:
    service = Service()
    service.on("GET", PATH, refusal(429, "slow down", headers), GOOD)
    client = service.client()
    client.get(PATH)
    assert client.stats.waited == pytest.approx(seconds)


def test_a_wait_beyond_all_patience_is_an_error_at_once() -> None:
    service = Service()
    service.on("GET", PATH, refusal(429, "slow down", {"Retry-After": "86400"}))
    with pytest.raises(Rejected, match="tried again in 86400 s") as caught:
        service.client().get(PATH)
    assert caught.value.problem.code == "CW309"
    assert service.time.slept == []


def test_the_last_server_time_is_kept() -> None:
    service = Service()
    service.on("GET", PATH, reply(200, {}, {"Date": "Fri, 15 Jan 2027 08:00:01 GMT"}))
    client = service.client()
    assert client.server_time() is None
    client.get(PATH)
    time = client.server_time()
    assert time is not None
    assert time.isoformat() == "2027-01-15T08:00:01+00:00"


def test_a_quoted_message_is_one_printable_line_of_bounded_length() -> None:
    service = Service()
    service.on("GET", PATH, refusal(400, "\x1b[31mred\n" + "x" * 9999))
    with pytest.raises(ServiceError) as caught:
        service.client().get(PATH)
    message = caught.value.message or ""
    assert message.isprintable()
    assert message.startswith("[31mred x")
    assert len(message) == 300


@pytest.mark.parametrize(
    "content", ["[" * 100_000, "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "nul"]
)
def test_a_hostile_reply_is_an_error_and_no_crash(content: str) -> None:
    service = Service()
    service.on("GET", PATH, page(200, content))
    with pytest.raises(ServiceError) as caught:
        service.client().get(PATH)
    assert caught.value.problem.code == "CW311"


def test_an_id_stays_one_part_of_the_path() -> None:
    service = Service()
    service.on("GET", "/integrations/a%2F..%3Fb%20%C3%A9", reply(200, {}))
    service.client().get(f"/integrations/{quote_id('a/..?b é')}")
    assert len(service.seen("/integrations")) == 1


@pytest.mark.parametrize(
    "path", ["/integrations/../x", "integrations", "/integrations//x", "/a?b=c", "/a#b", "/a/"]
)
def test_a_path_that_would_lead_elsewhere_is_not_sent(path: str) -> None:
    service = Service()
    with pytest.raises(CwsyncError):
        service.client().get(path)
    assert service.requests == []


@pytest.mark.parametrize("identifier", ["", ".", ".."])
def test_what_is_no_id_is_refused(identifier: str) -> None:
    with pytest.raises(CwsyncError):
        quote_id(identifier)


def test_each_keeps_the_order_and_stops_at_the_first_error() -> None:
    client = Service().client(parallelism=3)
    assert client.each(lambda number: number * 2, range(20)) == list(range(0, 40, 2))
    begun: list[int] = []
    nobody_sets_it = Event()

    def work(number: int) -> int:
        begun.append(number)
        if number == 0:
            raise ValueError(number)
        nobody_sets_it.wait(0.01)  # as long as a quick request takes
        return number

    with pytest.raises(ValueError, match="0"):
        client.each(work, range(1000))
    assert len(begun) < 1000


def test_requests_are_paced_for_all_threads_together() -> None:
    service = Service()
    service.on("GET", PATH, reply(200, {}))
    client = service.client(parallelism=4, per_second=10)
    client.each(lambda _: client.get(PATH), range(30))
    # The first 10 are one second's worth; the other 20 come at 10 a second.
    assert service.time.now >= 2.0 - 1e-6
    assert client.stats.waited > 0
