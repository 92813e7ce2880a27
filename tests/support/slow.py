"""A way to the service on which every request takes its time, of a clock that nothing else moves but waiting."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Lock

import httpx

from cwsync.cli.outside import Outside
from cwsync.state import Clock


class SlowWay(httpx.BaseTransport):
    """`seconds` for each request, one after the other even where they are sent side by side."""

    def __init__(self, seconds: float) -> None:
        self.now = 0.0
        self._seconds = seconds
        self._lock = Lock()
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._pass(self._seconds)
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()

    @property
    def outside(self) -> Outside:
        clock = Clock(lambda: self.now, lambda: datetime.fromtimestamp(self.now, UTC), self._pass)
        return Outside(clock=clock, transport=self)

    def _pass(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds
