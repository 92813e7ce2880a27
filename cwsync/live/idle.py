"""Whether something runs, and how to wait politely for the end of it."""

from __future__ import annotations

from collections.abc import Iterator

from cwsync.api import Client
from cwsync.live.look import Look

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 10.0


def pauses(seconds: float) -> Iterator[float]:
    """Growing pauses of so many seconds in all."""
    pause = FIRST_PAUSE_SECONDS
    while seconds > 0:
        yield min(pause, seconds)
        seconds -= pause
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)


def is_running(client: Client, kind: str, id: str) -> bool:
    """Whether an integration or a flow says so. What is gone does not run. Raises `ServiceError`."""
    found = Look(client).by_id(kind, id)
    return found is not None and found.running
