"""Time for tests: it runs as it does outside, and whoever waits finds that it has passed already."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from cwsync.state import Clock


class Skipping:
    """One time for cwsync and for the emulator: `outside` is the program's, `seconds` the emulator's clock."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def seconds(self) -> float:
        return time.time() + self._skipped

    def skip(self, seconds: float) -> None:
        self._skipped += seconds

    @property
    def clock(self) -> Clock:
        return Clock(
            lambda: time.monotonic() + self._skipped,
            lambda: datetime.fromtimestamp(self.seconds(), UTC),
            self.skip,
        )
