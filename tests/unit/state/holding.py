"""A clock that moves when somebody sleeps, and a run elsewhere that holds the lock."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cwsync.errors import CwsyncError
from cwsync.state import ABSENT, Clock, Entry, Held, Holder, Intent, Lock, State, Store, acquire
from cwsync.state.machine import this_process

TENANT = "emulator:local"
ELSEWHERE = Holder("alice", "build-7", 4711, "another boot")
FLOW = Entry("flow", "1", "Nightly", {})
INTENT = Intent("r:1", "r", 1, "flow.n", "flow", "create", "n", "h", ABSENT, "2030-01-07T00:00:00+00:00")


class Time:
    """A clock that moves when somebody sleeps; `asleep` is what others do meanwhile."""

    def __init__(self, year: int = 2026) -> None:
        self.now = 1000.0
        self.asleep: Callable[[], object] = lambda: None
        self._start = datetime(year, 1, 1, tzinfo=UTC)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.asleep()

    @property
    def clock(self) -> Clock:
        return Clock(
            monotonic=lambda: self.now,
            wall=lambda: self._start + timedelta(seconds=self.now),
            sleep=self.sleep,
        )


def take(
    store: Store,
    time: Time,
    *,
    holder: Holder | None = ELSEWHERE,
    timeout: float = 0,
    on_wait: Callable[[Lock], None] | None = None,
) -> Held:
    return acquire(store, tenant=TENANT, holder=holder, timeout=timeout, on_wait=on_wait, clock=time.clock)


def stored(store: Store) -> State:
    state = store.read()
    assert state is not None
    return state


def refused(attempt: Callable[[], object]) -> CwsyncError:
    with pytest.raises(CwsyncError) as raised:
        attempt()
    return raised.value


def dead_process() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def gone() -> Holder:
    """A process of this machine that has certainly ended."""
    return replace(this_process(), process=dead_process())
