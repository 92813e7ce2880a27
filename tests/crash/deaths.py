"""Which deaths are died: all that there are, or some of each sort, spread over the whole apply."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from itertools import cycle

from crash.gate import Death, Moment, Of
from crash.process import Goal

Deaths = tuple[Death, ...]
MOMENTS: tuple[Moment, Moment] = ("before", "after")


def at_mutations(goal: Goal, some: int | None = None) -> list[Deaths]:
    """Killed at every mutation, before its effect and after it; or at so many of them, in turn before and after."""
    return _before_and_after(goal.mutations, "mutation", some)


def at_writes(goal: Goal, some: int | None = None) -> list[Deaths]:
    """Killed likewise at every write of the state to a bucket. How many there are depends on what ends together,
    so the last ones, which may never come, are left out."""
    return _before_and_after(goal.commits * 3 // 4, "write", some)


def _before_and_after(count: int, of: Of, some: int | None) -> list[Deaths]:
    if some is None:
        return [(Death(number, moment, of),) for number in _all(count) for moment in MOMENTS]
    spread = zip(_spread(count, some), cycle(MOMENTS), strict=False)
    return [(Death(number, moment, of),) for number, moment in spread]


def at_reads(goal: Goal, some: int | None = None) -> list[Deaths]:
    """Killed at every request of any kind: while signing in, reading, looking once more, and looking again."""
    numbers = _all(goal.requests) if some is None else _spread(goal.requests, some)
    return [(Death(number, "before", "request"),) for number in numbers]


def twice(goal: Goal, some: int | None = None) -> list[Deaths]:
    """Killed, and the run that recovers from it as well: while it looks, while it goes on, or at both."""
    first = _spread(goal.mutations, some or goal.mutations // 2)
    second = cycle((Death(6, of="request"), Death(1), Death(3, "after"), Death(30, "after", "request")))
    return [
        (Death(number, moment), again)
        for number, moment, again in zip(first, cycle(MOMENTS), second, strict=False)
    ]


def interrupted(goal: Goal, some: int | None = None) -> list[Deaths]:
    """Told to end, by Ctrl-C or by a machine."""
    numbers = _spread(goal.mutations, some or goal.mutations // 2)
    signals = cycle((signal.SIGINT, signal.SIGTERM))
    return [
        (Death(number, moment, signal=number_of),)
        for number, moment, number_of in zip(numbers, cycle(MOMENTS), signals, strict=False)
    ]


def _all(count: int) -> Sequence[int]:
    return range(1, count + 1)


def _spread(count: int, some: int) -> Sequence[int]:
    return [1 + count * index // some for index in range(some)]
