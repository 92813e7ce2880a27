"""One host of the service: requests paced, counted, and repeated where that does no harm."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock

from cwsync.api.clock import Clock
from cwsync.api.limiter import Limiter, rest
from cwsync.api.replies import Call, Failure, Reply, interpret
from cwsync.api.transport import Wire

ATTEMPTS = 6
FIRST_BACK_OFF_SECONDS = 0.5
LONGEST_BACK_OFF_SECONDS = 8.0
# What the vendor asks for where a 429 names no time (facts D).
BUSY_SECONDS = 10.0
PATIENCE_SECONDS = 120.0

NO_PARAMS: Mapping[str, str | int] = {}


@dataclass(frozen=True, slots=True)
class Stats:
    """What a run has cost so far. `waited` is in seconds, over all threads; token calls are apart."""

    calls: int = 0
    retries: int = 0
    waited: float = 0.0
    token_calls: int = 0


class Line:
    """Requests to one base address. `pause`s and pace are shared by all threads that use it."""

    def __init__(self, wire: Wire, base: str, per_second: float | None, clock: Clock) -> None:
        self._wire = wire
        self._base = base
        self._clock = clock
        self._limiter = Limiter(per_second, clock)
        self._lock = Lock()
        self.calls = 0
        self.retries = 0
        self.waited = 0.0
        self.server_time: datetime | None = None

    def once(
        self, call: Call, authorization: str, params: Mapping[str, str | int] = NO_PARAMS
    ) -> Reply | Failure:
        """One request, when its turn has come."""
        call = replace(call, secrets=(*call.secrets, authorization.partition(" ")[2]))
        waited = self._limiter.acquire(call.wanted)
        headers = {
            "Authorization": authorization,
            "Content-Type": "application/json",
            "Accept": "*/*" if call.text else "application/json",
            "User-Agent": "cwsync",
        }
        with self._lock:
            self.waited += waited
        call.before()
        with self._lock:
            self.calls += 1
        outcome = interpret(
            call, self._wire.exchange(call.method, self._base + call.path, params, headers, call.content)
        )
        if outcome.server_time is not None:
            with self._lock:
                self.server_time = outcome.server_time
        return outcome

    def persist(
        self,
        once: Callable[[], Reply | Failure],
        *,
        mutates: bool,
        wanted: Callable[[], None] | None = None,
    ) -> Reply | Failure:
        """Repeat what may be repeated, with growing pauses; bounded in number and in time.

        A mutation is repeated only where the service did nothing with it: it was never sent, or
        answered by 429 (engine protocol, R2 and R3).
        """
        patience = PATIENCE_SECONDS
        for attempt in range(1, ATTEMPTS + 1):
            outcome = once()
            if isinstance(outcome, Reply) or not _repeatable(outcome, mutates):
                return outcome
            delay = _delay(outcome, attempt)
            patience -= delay
            if attempt == ATTEMPTS or patience < 0:
                return outcome
            self._wait(outcome, delay, wanted)
        raise AssertionError("the last attempt returns")

    def _wait(self, failure: Failure, delay: float, wanted: Callable[[], None] | None) -> None:
        with self._lock:
            self.retries += 1
        if failure.status == 429 or failure.retry_after is not None:
            self._limiter.pause(delay)
            return
        rest(self._clock, delay, wanted)
        with self._lock:
            self.waited += delay


def _repeatable(failure: Failure, mutates: bool) -> bool:
    return failure.again == "always" or (failure.again == "reads" and not mutates)


def _delay(failure: Failure, attempt: int) -> float:
    if failure.retry_after is not None:
        return failure.retry_after
    if failure.status == 429:
        return BUSY_SECONDS
    longest = min(FIRST_BACK_OFF_SECONDS * 2.0 ** (attempt - 1), LONGEST_BACK_OFF_SECONDS)
    # Jitter, so that threads that failed together do not come back together.
    return longest * (0.5 + secrets.randbelow(501) / 1000)
