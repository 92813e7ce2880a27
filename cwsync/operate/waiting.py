"""Waiting for the end of what runs before it is changed: the service refuses that (facts D, F15)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cwsync.api import Client
from cwsync.live import is_running, pauses
from cwsync.operate.follow import Sleep
from cwsync.plan import Running


def outlast(
    client: Client, running: Iterable[Running], seconds: float, sleep: Sleep, over: Callable[[Running], None]
) -> tuple[Running, ...]:
    """Look at each until it no longer runs, in pauses that grow and that last `seconds` in all; `over` hears of
    every end. What runs still is returned. Raises `ServiceError`."""
    rest = tuple(running)
    for pause in pauses(seconds):
        if not rest:
            break
        sleep(pause)
        runs = dict(
            zip(rest, client.each(lambda one: is_running(client, one.kind, one.id), rest), strict=True)
        )
        for one in rest:
            if not runs[one]:
                over(one)
        rest = tuple(one for one in rest if runs[one])
    return rest
