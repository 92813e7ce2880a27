"""Services that count requests in different ways, and many threads against one of them in simulated time."""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from cwsync.api.pace import Pace

LATENCY = 0.05
RETRY_AFTER = 1.0
# What sums of floating-point seconds may be off by.
ROUNDING = 1e-9

Limit = Callable[[float], bool]
"""Whether the service takes a request that arrives at this time."""


def token_bucket(rate: float, most: float) -> Limit:
    held, filled = most, 0.0

    def takes(now: float) -> bool:
        nonlocal held, filled
        held, filled = min(most, held + (now - filled) * rate), now
        if held < 1 - ROUNDING:
            return False
        held -= 1
        return True

    return takes


def fixed_windows(rate: int, offset: float = 0.0) -> Limit:
    """`offset` is how far into a window time begins."""
    window, used = -1, 0

    def takes(now: float) -> bool:
        nonlocal window, used
        current = int(now + offset + ROUNDING)
        window, used = current, 0 if current != window else used
        used += 1
        return used <= rate

    return takes


def sliding_window(rate: int) -> Limit:
    taken: deque[float] = deque()

    def takes(now: float) -> bool:
        while taken and taken[0] <= now - 1 + ROUNDING:
            taken.popleft()
        if len(taken) >= rate:
            return False
        taken.append(now)
        return True

    return takes


@dataclass
class Course:
    """What came of a run: when requests started, and when the service took or refused one."""

    started: list[float] = field(default_factory=list)
    taken: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return len(self.taken) / self.taken[-1]

    @property
    def share_refused(self) -> float:
        return len(self.refused) / len(self.started)

    def rate_between(self, begin: float, end: float) -> float:
        return sum(begin <= moment < end for moment in self.taken) / (end - begin)


def run(
    pace: Pace, limit: Limit, requests: int, *, threads: int = 16, jitter: float = 0.0, status: int = 429
) -> Course:
    """So many requests by so many threads, each sent again until it is taken.

    A request arrives half the latency after its start, and up to `jitter` seconds later.
    """
    course, chance, order = Course(), random.Random(7), count()
    events: list[tuple[float, int, str, float]] = []
    came = gone = 0
    place: dict[int, int] = {}

    def then(moment: float, what: str, begun: float = 0.0, of: int | None = None) -> None:
        number = next(order)
        place[number] = place.pop(of) if of is not None else 0
        heapq.heappush(events, (moment, number, what, begun))

    for _ in range(threads):
        then(0.0, "comes")
    left = requests
    while events:
        now, number, what, begun = heapq.heappop(events)
        if what == "comes" and left == 0:
            continue
        if what in ("comes", "comes again"):
            left -= what == "comes"
            place[number], came = came, came + 1
        if what in ("comes", "comes again", "waits"):
            wait = pace.wait(now, max(0, place[number] - gone))
            if wait > 0:
                then(now + wait, "waits", of=number)
                continue
            gone += 1
            pace.begin(now)
            course.started.append(now)
            then(now + LATENCY / 2 + chance.random() * jitter, "arrives", now)
        elif what == "arrives":
            then(now + LATENCY / 2, "taken" if limit(now) else "refused", begun)
        elif what == "taken":
            pace.accepted(now)
            course.taken.append(now)
            then(now, "comes")
        else:
            (pace.refused if status == 429 else pace.overloaded)(now, begun)
            pace.pause(now + RETRY_AFTER)
            course.refused.append(now)
            then(now, "comes again")
    return course
