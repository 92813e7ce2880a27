"""Lists that several threads want at once: nobody gets one that was read before he asked, and few are read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Event, Lock
from typing import Any, cast

import pytest

from cwsync.api import Client, ServiceError
from cwsync.api.paging import Listing as Read
from cwsync.errors import Problem
from cwsync.kinds.base import Listing
from cwsync.live import SharedLists

LISTING = Listing("/integrations", "integrations", "integrationId")
THREADS, EACH = 8, 25


class Service:
    """A service whose list tells how many readings have begun; `during` is done while it is read."""

    def __init__(self, during: Any = lambda _number: None) -> None:
        self.begun = 0
        self._during = during
        self._lock = Lock()

    def list(self, _path: str, _key: str, _params: Any, *, id_key: str) -> Read:
        with self._lock:
            self.begun += 1
            number = self.begun
        self._during(number)
        return Read([{id_key: str(number)}], 1, {})

    @property
    def client(self) -> Client:
        return cast("Client", self)


def test_what_is_read_was_read_after_it_was_asked_and_for_many_at_once() -> None:
    service = Service(during=lambda _number: sum(range(200_000)))  # long enough for others to ask meanwhile
    shared = SharedLists(service.client)

    def ask(_number: int) -> tuple[int, int]:
        before = service.begun
        return before, int(shared.read(LISTING)[0]["integrationId"])

    with ThreadPoolExecutor(THREADS) as threads:
        answers = list(threads.map(ask, range(THREADS * EACH)))

    assert all(got > before for before, got in answers)
    assert service.begun < len(answers)


def test_each_look_of_one_thread_reads_anew() -> None:
    service = Service()
    shared = SharedLists(service.client)

    assert [shared.read(LISTING)[0]["integrationId"] for _ in range(3)] == ["1", "2", "3"]


def test_an_error_is_told_to_all_who_asked_and_to_nobody_else() -> None:
    refused = ServiceError(Problem("CW310", "the service failed"))

    def fail_once(number: int) -> None:
        if number == 1:
            raise refused

    shared = SharedLists(Service(fail_once).client)

    with pytest.raises(ServiceError, match="the service failed"):
        shared.read(LISTING)
    assert shared.read(LISTING)[0]["integrationId"] == "2"


def test_who_waits_for_a_reading_that_was_stopped_reads_himself() -> None:
    begun, go_on, numbers = Event(), Event(), count(1)

    def stopped_once(_number: int) -> None:
        if next(numbers) == 1:
            begun.set()
            go_on.wait()
            raise KeyboardInterrupt

    shared = SharedLists(Service(stopped_once).client)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(shared.read, LISTING)
        begun.wait()
        second = threads.submit(shared.read, LISTING)
        go_on.set()
        assert second.result()[0]["integrationId"] == "2"
        assert isinstance(first.exception(), KeyboardInterrupt)
