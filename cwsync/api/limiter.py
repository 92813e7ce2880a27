"""Waiting for one's turn: one pace for all requests of a run, kept by all of its threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from cwsync.api.clock import Clock
from cwsync.api.pace import Pace

# How long somebody who may change his mind waits before he is asked again.
PART_SECONDS = 1.0


def rest(clock: Clock, seconds: float, wanted: Callable[[], None] | None) -> None:
    """Sleep. `wanted` is asked meanwhile, and ends it by raising."""
    while wanted is not None and seconds > PART_SECONDS:
        wanted()
        clock.sleep(PART_SECONDS)
        seconds -= PART_SECONDS
    clock.sleep(seconds)


@dataclass(slots=True)
class Waits:
    """The seconds that somebody has waited so far, over all threads: for one's turn, and for the end of a pause that
    the service asked for."""

    paced: float = 0.0
    paused: float = 0.0


class Limiter:
    """`per_second` is the most that may start in a second; what the service refuses makes it less."""

    def __init__(self, per_second: float | None, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._pace = Pace(per_second, clock.monotonic())
        # Who came when: it is told who is ahead, so that each of many sleeps until about its own turn.
        self._came = 0
        self._gone = 0

    def acquire(self, wanted: Callable[[], None] | None, waits: Waits) -> float:
        """Wait for this request's turn; when it starts. `wanted` is asked meanwhile, and ends it by raising.

        What it waited is added to `waits`.
        """
        begun = self._clock.monotonic()
        with self._lock:
            place = self._came
            self._came += 1
        try:
            while True:
                with self._lock:
                    now = self._clock.monotonic()
                    wait = self._pace.wait(now, max(0, place - self._gone))
                    if wait <= 0:
                        self._pace.begin(now)
                        paused = min(now - begun, max(0.0, self._pace.resume - begun))
                        waits.paused += paused
                        waits.paced += now - begun - paused
                        return now
                rest(self._clock, wait, wanted)
        finally:
            with self._lock:
                self._gone += 1

    def accepted(self) -> None:
        """The service took a request, whatever it said to it."""
        with self._lock:
            self._pace.accepted(self._clock.monotonic())

    def refused(self, begun: float, *, too_many: bool) -> None:
        """The service refused a request that started at `begun`: for there being `too_many`, or for its own sake."""
        with self._lock:
            tell = self._pace.refused if too_many else self._pace.overloaded
            tell(self._clock.monotonic(), begun)

    def pause(self, seconds: float) -> None:
        """Let no request start for so many seconds."""
        with self._lock:
            self._pace.pause(self._clock.monotonic() + seconds)
