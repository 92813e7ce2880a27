"""One host of the service: requests paced, counted, and repeated where that does no harm."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Lock

from cwsync.api.clock import Clock
from cwsync.api.exchange import described, tell
from cwsync.api.limiter import Limiter, Waits, rest
from cwsync.api.replies import Call, Failure, Reply, interpret
from cwsync.api.transport import Wire
from cwsync.telemetry import NO_SPANS, Spans

ATTEMPTS = 6
FIRST_BACK_OFF_SECONDS = 0.5
LONGEST_BACK_OFF_SECONDS = 8.0
# What the vendor asks for where a 429 names no time (facts D).
BUSY_SECONDS = 10.0
PATIENCE_SECONDS = 120.0

NO_PARAMS: Mapping[str, str | int] = {}


class Line:
    """Requests to one base address. Their pace, and the pauses that the service asks for, are the `limiter`'s."""

    def __init__(
        self, wire: Wire, base: str, limiter: Limiter, clock: Clock, spans: Spans = NO_SPANS
    ) -> None:
        self._wire = wire
        self._base = base
        self._clock = clock
        self._spans = spans
        self._limiter = limiter
        self._lock = Lock()
        self.calls = 0
        self.mutations = 0
        self.retries = 0
        self.refused = 0
        self.backed_off = 0.0
        self.waits = Waits()
        self.seconds = 0.0
        self.server_time: datetime | None = None
        self._told_at = 0.0

    def once(
        self, call: Call, authorization: str, params: Mapping[str, str | int] = NO_PARAMS
    ) -> Reply | Failure:
        """One request, when its turn has come."""
        call = replace(call, secrets=(*call.secrets, authorization.partition(" ")[2]))
        begun = self._clock.monotonic()
        turn = self._limiter.acquire(call.wanted, self.waits)
        headers = {
            "Authorization": authorization,
            "Content-Type": "application/json",
            "Accept": "*/*" if call.text else "application/json",
            "User-Agent": "cwsync",
        }
        call.before()
        with self._lock:
            self.calls += 1
            self.mutations += call.mutates
        with self._spans.span(call.method, described(self._base, call), client=True) as span:
            answer = self._wire.exchange(call.method, self._base + call.path, params, headers, call.content)
            tell(span, answer)
        outcome = interpret(call, answer)
        self._learn(outcome, turn)
        with self._lock:
            self.seconds += self._clock.monotonic() - begun
            if outcome.server_time is not None:
                self.server_time = outcome.server_time
                self._told_at = self._clock.monotonic()
        return outcome

    def _learn(self, outcome: Reply | Failure, turn: float) -> None:
        """What an outcome says of the pace. A 503 of which the cause is told is about the request alone."""
        status = outcome.status
        if isinstance(outcome, Failure) and (status == 429 or (status == 503 and outcome.again != "never")):
            with self._lock:
                self.refused += 1
            self._limiter.refused(turn, too_many=status == 429)
            if outcome.retry_after is not None and outcome.retry_after <= PATIENCE_SECONDS:
                self._limiter.pause(outcome.retry_after)
        elif status is not None:
            self._limiter.accepted()

    def server_now(self) -> datetime | None:
        """What the service's clock shows by now, at the least."""
        with self._lock:
            passed = timedelta(seconds=self._clock.monotonic() - self._told_at)
            return self.server_time and self.server_time + passed

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
            self.backed_off += delay


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
