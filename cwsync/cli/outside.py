"""What a command meets outside of its project: the time, the way to the service, the disk, who runs it, and who
follows it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cwsync.telemetry import NO_SPANS, Spans

if TYPE_CHECKING:
    from cwsync.api.clock import Clock as ApiClock
    from cwsync.api.transport import Transport
    from cwsync.cli.stats import Watch
    from cwsync.state import Clock, Files, Holder, Store


@dataclass(frozen=True, slots=True)
class Outside:
    """None is the real thing. Tests bring their own, and so can stop a run at any step, or let days pass.

    `around` stands before the store of the state. `audit` is --audit, the place of the audit trail; `watch` counts
    what the run costs.
    """

    clock: Clock | None = None
    transport: Transport | None = None
    files: Files | None = None
    holder: Holder | None = None
    around: Callable[[Store], Store] | None = None
    spans: Spans = NO_SPANS
    audit: str | None = None
    watch: Watch | None = None

    def now(self) -> datetime:
        return self.clock.wall() if self.clock else datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        (self.clock.sleep if self.clock else time.sleep)(seconds)

    @property
    def monotonic(self) -> Callable[[], float]:
        return self.clock.monotonic if self.clock else time.monotonic

    @property
    def api_clock(self) -> ApiClock:
        """The same time, as the client wants it."""
        from cwsync.api.clock import SYSTEM_CLOCK
        from cwsync.api.clock import Clock as ApiClock

        if self.clock is None:
            return SYSTEM_CLOCK
        return ApiClock(self.clock.monotonic, self.clock.sleep, lambda: self.now().timestamp())
