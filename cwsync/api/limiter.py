"""Pacing: so many requests a second for all threads together, and one pause when the service asks."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from cwsync.api.clock import Clock

# How long somebody who may change his mind waits before he is asked again.
PART_SECONDS = 1.0


def rest(clock: Clock, seconds: float, wanted: Callable[[], None] | None) -> None:
    """Sleep. `wanted` is asked meanwhile, and ends it by raising."""
    while wanted is not None and seconds > PART_SECONDS:
        wanted()
        clock.sleep(PART_SECONDS)
        seconds -= PART_SECONDS
    clock.sleep(seconds)


class Limiter:
    """A token bucket that holds one second's worth; without a rate it only keeps pauses."""

    def __init__(self, per_second: float | None, clock: Clock) -> None:
        self._interval = 1 / per_second if per_second else 0.0
        self._burst = max(0.0, 1.0 - self._interval)
        self._clock = clock
        self._lock = Lock()
        self._next = clock.monotonic()
        self._resume = self._next

    def acquire(self, wanted: Callable[[], None] | None = None) -> float:
        """Wait for this request's turn; the seconds waited. `wanted` is asked meanwhile, and ends it by raising."""
        start = self._clock.monotonic()
        with self._lock:
            turn = max(self._next, start - self._burst)
            self._next = turn + self._interval
        while True:
            with self._lock:
                wait = max(turn, self._resume) - self._clock.monotonic()
            if wait <= 0:
                return self._clock.monotonic() - start
            rest(self._clock, wait, wanted)

    def pause(self, seconds: float) -> None:
        """Let no request start for so many seconds."""
        with self._lock:
            self._resume = max(self._resume, self._clock.monotonic() + seconds)
