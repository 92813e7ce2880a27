"""Points: where something can happen in a run.

A point is a place (before a request arrives, after a commit, …), what it is about, and which of those alike
it is: "send after POST connection.sales". Points are learnt from a run in which nothing happens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from threading import RLock

import httpx
from crash.invariants import Broken, intent_of, no_secret
from unit.apply.rig import SECRETS, Rig, Run, WatchedStore

from cwsync.apply import Progress
from cwsync.errors import CwsyncError
from cwsync.state import State, Store, to_json

NEEDLES = (*SECRETS.values(), "needle-password")
Action = Callable[[], object]


@dataclass(frozen=True, order=True)
class Point:
    """Where something can happen. `nth` tells those alike in one run apart; `address` is what it is about."""

    place: str
    about: str
    nth: int = 1
    address: str | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.place} {self.about}" + (f" #{self.nth}" if self.nth > 1 else "")


Trap = tuple[Point | int, Action]
"""What happens at a point, or at the nth of the points that differ in what is durable."""

# A kill elsewhere leaves what a kill at one of these leaves.
DURABLE = ("send before", "send after", "commit after")


@dataclass(frozen=True)
class Ended:
    """A run as it ended: killed, refused by the state (`error`), or with a result."""

    run: Run | None = None
    error: CwsyncError | None = None
    points: tuple[Point, ...] = ()
    mutations: tuple[str, ...] = ()

    @property
    def killed(self) -> bool:
        return self.run is None and self.error is None

    @property
    def codes(self) -> list[str]:
        if self.error is not None:
            return [problem.code for problem in self.error.problems]
        if self.run is None:
            return []
        told = (*self.run.recovered.problems, *self.run.plan.problems, *self.run.result.problems)
        return [problem.code for problem in told if problem.severity == "error"]


class Gate:
    """Whoever holds it is alone: no other thread of its run sends, writes or asks for the time meanwhile.

    `left` counts the requests that came to it while it was held: their run had already made sure of its lock, so
    they are as good as sent.
    """

    def __init__(self) -> None:
        self.lock = RLock()
        self.left = 0

    def wait(self) -> None:
        with self.lock:
            return

    def __enter__(self) -> None:
        if not self.lock.acquire(blocking=False):
            self.left += 1
            self.lock.acquire()

    def __exit__(self, *_error: object) -> None:
        self.lock.release()


class Watcher:
    """Tells the points of one run on one machine, checks what can be checked there, and sets off traps. `look` is
    a way to the state of its own."""

    def __init__(self, rig: Rig, look: Store, broken: list[Broken], traps: Iterable[Trap]) -> None:
        assert isinstance(rig.store, WatchedStore)
        self._rig = rig
        self._look = look
        self._broken = broken
        self._traps = list(traps)
        self._seen: Counter[tuple[str, str]] = Counter()
        self._lock = RLock()
        self._durable = 0
        self._sending = ""
        self._writing: list[tuple[str, str | None]] = []
        self._before = look.read()
        self.before_writing: Callable[[State], object] = lambda _state: None
        self.points: list[Point] = []
        self.gate = Gate()
        rig.gate, rig.store.gate, rig.asks_the_time = self.gate, self.gate.lock, self.gate.wait
        rig.before, rig.after, rig.returned = self._arrives, self._took_effect, self._returned
        rig.store.before, rig.store.after = self._is_written, self._was_written

    def alone(self, action: Action) -> None:
        """Do it while all other threads of this run stand still, and nothing of theirs is under way."""
        with self.gate.lock:
            self._rig.drained()
            action()

    def off(self) -> None:
        self._traps.clear()

    def _arrives(self, request: httpx.Request) -> None:
        method, path = request.method, request.url.path
        held = self._rig.held
        state = self._look.read()
        intent = intent_of(method, path, request.content, state, self._rig.tenant.snapshot)
        if intent is None or held is None or intent.run != held.lock.run:
            self._broken.append(
                Broken("no intent", f"{method} {path} arrived without a durable intent of its run")
            )
        self._sending = f"{method} {intent.address if intent else path}"
        self._at("send before", [(self._sending, intent.address if intent else None)])

    def _took_effect(self, _request: httpx.Request) -> None:
        self._at("send after", [(self._sending, self._sending.partition(" ")[2])])

    def _returned(self, _told: str) -> None:
        self._at("send returned", [(self._sending, self._sending.partition(" ")[2])])

    def _is_written(self, new: State) -> None:
        self.before_writing(new)
        self._writing = _what_is_written(self._before, new)
        self._at("commit before", self._writing)

    def _was_written(self, done: State) -> None:
        self._before = done
        self._broken += no_secret("a state", to_json(done), NEEDLES)
        self._at("commit after", self._writing)

    def told(self, progress: Progress) -> None:
        place = "told begun" if progress.result is None else "told over"
        self._at(place, [(f"{progress.call.action} {progress.call.address}", progress.call.address)])

    def about_document(self, place: str) -> None:
        """A step of writing the document that is being written."""
        self._at(place, self._writing)

    def _at(self, place: str, about: Sequence[tuple[str, str | None]]) -> None:
        with self._lock:
            points = []
            for what, address in about:
                self._seen[place, what] += 1
                points.append(Point(place, what, self._seen[place, what], address))
            self.points.append(min(points))
            self._durable += place in DURABLE
            now = {*points, self._durable} if place in DURABLE else {*points}
            due = [trap for trap in self._traps if trap[0] in now]
            self._traps = [trap for trap in self._traps if trap not in due]
        for _, action in due:
            action()


def _what_is_written(old: State | None, new: State) -> list[tuple[str, str | None]]:
    """What a commit is about: intents that begin and end, or else what happens to the lock."""
    before = old.pending if old else {}
    begun = [one for op, one in new.pending.items() if op not in before]
    over = [one for op, one in before.items() if op not in new.pending]
    about: list[tuple[str, str | None]] = [
        (f"begin {one.action} {one.address}", one.address) for one in begun
    ]
    about += [(f"end {one.action} {one.address}", one.address) for one in over]
    if about:
        return about
    had, has = old.lock if old else None, new.lock
    if has is None:
        return [("unlock", None)]
    if had is None or had.nonce != has.nonce:
        return [("lock", None)]
    return [("keep", None)]
