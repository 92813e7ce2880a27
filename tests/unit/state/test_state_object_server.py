"""The store against servers that speak S3: a small one of our own, which also goes wrong, and real ones.

`make remote` starts real ones, and names them in CWSYNC_S3: addresses, with spaces between them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from uuid import uuid4

import pytest
from support.s3 import BUCKET, KEY, SECRET, Server, serving
from unit.state import shared
from unit.state.holding import FLOW, refused

from cwsync.errors import CwsyncError
from cwsync.state import Conflict, State, to_json
from cwsync.state.object import PAUSES, ObjectStore

SERVERS = ["our own", *os.environ.get("CWSYNC_S3", "").split()]
CLOUD = ("AWS_", "GOOGLE_", "AZURE_")


@pytest.fixture(autouse=True)
def no_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(CLOUD)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serving(Server()) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        yield server


@pytest.fixture(params=SERVERS)
def url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a document of its own, on each server."""
    if request.param == "our own":
        request.getfixturevalue("s3")
    else:
        monkeypatch.setenv("AWS_ENDPOINT_URL", request.param)
    return f"s3://{BUCKET}/{uuid4().hex}/prod.state.json"


def at(url: str, slept: list[float] | None = None) -> ObjectStore:
    return ObjectStore.at(url, sleep=(slept if slept is not None else []).append)


@pytest.fixture
def fresh(url: str) -> shared.Fresh:
    return lambda: partial(at, f"{url}.{uuid4().hex}")


def test_a_document_is_written_read_and_replaced(url: str) -> None:
    one = at(url)
    assert one.read() is None
    first = one.commit(None, State.new("a tenant"))
    second = one.commit(first, first.with_entry("flow.nächtlich", FLOW))
    assert at(url).read() == second
    assert at(url).raw() == to_json(second)
    for stale in (None, first):
        for each in (one, at(url)):
            with pytest.raises(Conflict):
                each.commit(stale, first)
    assert at(url).commit(second, first).serial == 3


test_one_of_many_writers_wins = shared.one_of_many_writers_wins
test_no_write_of_two_that_take_turns_is_lost = shared.no_write_of_two_that_take_turns_is_lost
test_the_lock_is_taken_kept_taken_over_and_given_back = (
    shared.the_lock_is_taken_kept_taken_over_and_given_back
)


@pytest.mark.parametrize("fault", ["drop", "500", "500 after"])
def test_a_write_is_sent_once_and_found_out(s3: Server, fault: str) -> None:
    url, slept = f"s3://{BUCKET}/prod.json", list[float]()
    one = at(url, slept)
    first = one.commit(None, State.new())
    s3.requests, s3.faults = [], [fault]
    second = one.commit(first, first.with_entry("flow.nightly", FLOW))
    assert at(url).read() == second
    put, get = f"PUT /{BUCKET}/prod.json", f"GET /{BUCKET}/prod.json"
    assert s3.requests[:-1] == ([put, get, put] if fault == "500" else [put, get])
    assert slept == ([PAUSES[0]] if fault == "500" else [])


@pytest.mark.parametrize("conditions", [(), ("If-None-Match",), ("If-Match",)])
def test_a_server_that_overlooks_conditions_is_refused(s3: Server, conditions: tuple[str, ...]) -> None:
    s3.conditions = conditions
    error = refused(lambda: at(f"s3://{BUCKET}/prod.json").commit(None, State.new()))
    assert error.problems[0].code == "CW409"
    assert s3.objects == {}


REFUSED = [
    ((403, "AccessDenied"), "the credentials may not do this", "list and delete"),
    ((403, "SignatureDoesNotMatch"), "S3 does not accept the credentials", "AWS_ACCESS_KEY_ID"),
    ((404, "NoSuchBucket"), f"S3 has no bucket {BUCKET}", "create it"),
    ((503, "SlowDown"), "S3 has answered with the status 503 (SlowDown)", "in a little while"),
]


@pytest.mark.parametrize(
    ("refuses", "says", "hint"), REFUSED, ids=[refuses[1] for (refuses, _, _) in REFUSED]
)
def test_what_is_refused_is_said_in_plain_words(
    s3: Server, refuses: tuple[int, str], says: str, hint: str
) -> None:
    one = at(f"s3://{BUCKET}/prod.json")
    first = one.commit(None, State.new())
    s3.refuses = refuses
    explained(refused(one.read), says, hint)
    explained(refused(lambda: one.commit(first, first)), says, hint)
    explained(refused(lambda: one.commit(None, first)), says, hint)


def test_a_service_that_cannot_be_reached_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    explained(refused(at(f"s3://{BUCKET}/prod.json").read), "S3 cannot be reached", "the network")


def test_settings_that_cannot_be_used_are_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    explained(
        refused(lambda: at("az://box/prod.json")), "for Azure Blob Storage", "AZURE_STORAGE_ACCOUNT_NAME"
    )
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/needle-missing.json")
    explained(
        refused(lambda: at("gs://box/prod.json")),
        "for Google Cloud Storage",
        "GOOGLE_APPLICATION_CREDENTIALS",
    )


def explained(error: CwsyncError, says: str, hint: str) -> None:
    (problem,) = error.problems
    assert problem.code == "CW401"
    assert says in problem.message
    assert hint in (problem.hint or "")
    for word in ("needle", "http", "Debug", "Error"):
        assert word not in f"{problem.message} {problem.hint}"
