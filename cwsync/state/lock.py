"""The lock: a field of the state document, so that every write of its holder is fenced by the store itself.

Taking, keeping and giving it back are commits. A takeover compares no clocks: the document has not
changed for the lock's `ttl` on *my* monotonic clock, or its process is certainly gone, or a person says
so with the lock's nonce (`unlock`).
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Event, RLock, Thread
from types import TracebackType
from uuid import uuid4

from cwsync.errors import CwsyncError, fail
from cwsync.state.document import Holder, Lock, State
from cwsync.state.machine import is_gone, this_process
from cwsync.state.store import Conflict, Store, conflict


def _monotonic() -> float:
    # time.monotonic stands still while a laptop sleeps, on Linux and macOS; others' patience does not.
    if sys.platform == "linux":
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
    elif sys.platform == "darwin":
        now = time.clock_gettime(time.CLOCK_MONOTONIC)
    else:
        now = time.monotonic()
    return now


@dataclass(frozen=True)
class Clock:
    """The time: seconds that only grow, the wall clock for people, and waiting. Tests bring their own."""

    monotonic: Callable[[], float] = _monotonic
    wall: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Timing:
    """All in seconds. `ttl`: without a sign of life for so long, a lock may be taken over. `beat`: between
    signs of life. `request`: the longest that one request to the service takes. `poll`: between looks at a
    lock that another run holds. `aftermath`: how long the service may still work on what a process sent that
    is certainly gone."""

    ttl: int = 120
    beat: float = 30
    request: float = 60
    poll: float = 1
    aftermath: float = 5


def acquire(
    store: Store,
    *,
    tenant: str | None,
    holder: Holder | None = None,
    timeout: float = 0,
    on_wait: Callable[[Lock], None] | None = None,
    timing: Timing | None = None,
    clock: Clock | None = None,
) -> Held:
    """Take the lock, waiting up to `timeout` seconds for it. A missing document is created.

    `tenant` is the one that the state must belong to; None leaves that as it is. `on_wait` is told once whom
    the wait is for. Raises CW403 where the state is another tenant's and CW404 where another run holds the
    lock for longer than that.
    """
    timing, clock, holder = timing or Timing(), clock or Clock(), holder or this_process()
    deadline = clock.monotonic() + timeout
    watch = _Watch()
    while True:
        looked = clock.monotonic()
        found = store.read()
        base = found or State.new()
        base = base if tenant is None else base.bound_to(tenant)
        if base.lock is None or is_gone(base.lock.holder) or watch.is_over(base, looked, clock.monotonic()):
            with suppress(Conflict):  # somebody was quicker: look again
                quiet = _quiet(found, timing, timing.request)
                return _take(store, found, base, quiet, holder, timing, clock)
            continue
        if looked >= deadline:
            raise _locked(store, base.lock)
        if on_wait is not None:
            on_wait(base.lock)
            on_wait = None
        clock.sleep(min(timing.poll, deadline - looked))


def unlock(
    store: Store,
    nonce: str,
    *,
    holder: Holder | None = None,
    timing: Timing | None = None,
    clock: Clock | None = None,
) -> Held:
    """Take the lock with this nonce over at once: for a run that is dead, or that never ends.

    Other than after `ttl`, that run may be alive, and does not know. It can commit nothing more, and so it
    intends nothing new. But until `ttl - request` after its last commit it may still begin what it intended
    before, and each request takes up to `request`. So where anything is pending, `settle` waits for the
    whole `ttl`, unless its process is certainly gone; with nothing pending there is nothing to wait for.
    What no waiting covers is the service itself, which knows no locks: a request that was stopped on its
    way (a machine that sleeps) may still arrive later. That is why a person decides it.

    Raises CW404 where the lock has another nonce, or there is no lock.
    """
    timing, clock, holder = timing or Timing(), clock or Clock(), holder or this_process()
    while True:
        found = store.read()
        if found is None or found.lock is None or found.lock.nonce != nonce:
            raise _another(store, found.lock if found else None)
        with suppress(Conflict):  # a sign of life came in between: look again
            quiet = _quiet(found, timing, found.lock.ttl)
            return _take(store, found, found, quiet, holder, timing, clock)


class _Watch:
    """How long the document has been the same, by our own clock alone."""

    def __init__(self) -> None:
        self._seen: tuple[str, int, str] | None = None
        self._since = 0.0

    def is_over(self, state: State, looked: float, now: float) -> bool:
        if state.identity != self._seen:
            self._seen, self._since = state.identity, now
            return False
        return state.lock is not None and looked - self._since >= state.lock.ttl


def _take(
    store: Store,
    found: State | None,
    base: State,
    quiet: float,
    holder: Holder,
    timing: Timing,
    clock: Clock,
) -> Held:
    now, wall = clock.monotonic(), _stamp(clock)
    lock = Lock(
        holder=holder,
        run=uuid4().hex,
        epoch=base.epoch + 1,
        nonce=uuid4().hex,
        since=wall,
        beat=wall,
        ttl=timing.ttl,
    )
    state = store.commit(found, replace(base, epoch=lock.epoch, lock=lock, settling=math.ceil(quiet)))
    return Held(store, found, state, lock, now, quiet, timing, clock)


def _stamp(clock: Clock) -> str:
    return clock.wall().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _locked(store: Store, lock: Lock) -> CwsyncError:
    return fail(
        "CW404",
        f"{store.describe()} is locked by {_who(lock)}",
        hint=f"wait for it with --lock-timeout {lock.ttl + 30}; if that run is dead, a run that waits takes "
        f"over by itself after {lock.ttl} s without a sign of life, and cwsync unlock does so at once",
    )


def _another(store: Store, lock: Lock | None) -> CwsyncError:
    what = f"is locked by another run than that: by {_who(lock)}" if lock else "is no longer locked"
    return fail(
        "CW404",
        f"{store.describe()} {what}",
        hint="nothing was changed; cwsync unlock without a nonce shows what there is now",
    )


def _who(lock: Lock) -> str:
    return f"{lock.holder} since {lock.since}; its last sign of life was at {lock.beat}"


def _quiet(found: State | None, timing: Timing, longest: float) -> float:
    """How long runs before may still have requests under way: each is intended before it is sent, so without
    anything pending there is none. `longest` is for the run that holds the lock, if it may be alive."""
    if found is None or not found.pending:
        return 0
    if found.lock is None:
        return found.settling
    gone = is_gone(found.lock.holder)
    return max(found.settling, min(timing.aftermath, longest) if gone else longest)


class Held:
    """The lock while we have it. `found` is the document before (None: there was none), `state` the one now.

    Used as a context, it gives the lock back at the end. One thread may work with it while `beating` keeps
    it alive from another.
    """

    def __init__(
        self,
        store: Store,
        found: State | None,
        state: State,
        lock: Lock,
        committed: float,
        quiet: float,
        timing: Timing,
        clock: Clock,
    ) -> None:
        self.found = found
        self.state = state
        self.lock = lock
        self._store = store
        self._timing = timing
        self._clock = clock
        self._committed = committed
        self._quiet_until = committed + quiet
        self._over: Conflict | None = None
        self._kept = False
        self._unsure = False
        self._one_at_a_time = RLock()

    @property
    def taken_from(self) -> Lock | None:
        """The lock of a run that died or fell silent, where we took it over."""
        return self.found.lock if self.found else None

    def update(self, change: Callable[[State], State]) -> State:
        """Commit a change of the current document, which is also a sign of life. Returns what is stored now.

        After an error the same change may be given again, so it must not matter if it is made twice. Raises
        `Conflict` (CW405) where the lock was taken over: then nothing more may be sent.
        """
        lock = replace(self.lock, beat=_stamp(self._clock))
        return self._commit(lambda state: change(state).with_lock(lock))

    def beat(self) -> State:
        """A sign of life."""
        return self.update(lambda state: state)

    def may_mutate(self, now: float | None = None) -> bool:
        """Whether a mutating request sent now would end before anybody could have taken the lock over, and,
        after a takeover, whether every request of the run before has ended. `now` is of the same clock."""
        now = self._clock.monotonic() if now is None else now
        return self._over is None and (
            self._quiet_until <= now < self._committed + self.lock.ttl - self._timing.request
        )

    @property
    def unsettled(self) -> float:
        """For how many seconds requests of a run before may still be under way."""
        return max(0, self._quiet_until - self._clock.monotonic())

    def settle(self) -> None:
        """After a takeover, wait until the last request that the run before may have sent has ended. Where
        this run ends before that, the next one waits."""
        if rest := self.unsettled:
            self._clock.sleep(rest)
        if self.state.settling:
            self.update(lambda state: replace(state, settling=0))

    def keep(self) -> None:
        """Never give the lock back: a request is still under way, and what becomes of it must not be judged
        before it has ended. Whoever comes next takes the lock over as from a run that died."""
        self._kept = True

    def release(self) -> None:
        """Give the lock back, if it is still ours, and not to be kept."""
        if not self._kept:
            with suppress(Conflict):
                self._commit(lambda state: state.with_lock(None))
        self._over = self._over or conflict(self._store.describe(), "is no longer locked by this run")

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Give signs of life from a thread of its own: while asking a person, or while requests take long."""
        stop = Event()
        thread = Thread(target=self._beat_until, args=(stop,), name="cwsync-heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def __enter__(self) -> Held:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.release()
        except CwsyncError:
            if error is None:  # what went wrong first is what a person must read
                raise

    def _beat_until(self, stop: Event) -> None:
        while not stop.wait(self._timing.beat) and self._over is None:
            # The working thread meets the same error at its next commit; until then time runs out for it.
            with suppress(CwsyncError):
                self.beat()

    def _commit(self, change: Callable[[State], State]) -> State:
        with self._one_at_a_time:
            begun = self._clock.monotonic()
            base = self._base()
            self._unsure = True
            try:
                self.state = self._store.commit(base, change(base))
            except Conflict as error:
                self._over = error
                raise
            self._unsure = False
            self._committed = begun
            return self.state

    def _base(self) -> State:
        """What is stored: after a commit that failed, either of two documents, or another run's."""
        if self._over is not None:
            raise self._over
        if self._unsure:
            stored = self._store.read()
            if stored is None or stored.lock is None or stored.lock.nonce != self.lock.nonce:
                self._over = conflict(self._store.describe(), "was taken over by another run")
                raise self._over
            self.state = stored
        return self.state
