"""The way from a rig's runs to its tenant: every request can be watched, held up, or be the last of its process."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Condition, Lock, get_ident
from typing import TYPE_CHECKING, Any

import httpx

from cwsync.api import Client
from cwsync.api.replies import Reply

if TYPE_CHECKING:
    from unit.apply.rig import Rig


class Killed(BaseException):
    """The process is gone. No handler of ours may catch this."""


class Time:
    """It stands still but for those who sleep, and is the same for all machines."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.slept: list[float] = []
        self._one_at_a_time = Lock()

    def sleep(self, seconds: float) -> None:
        with self._one_at_a_time:
            self.slept.append(seconds)
            self.now += seconds


class Watched(httpx.BaseTransport):
    """One process' way to the tenant. `before` and `after` are told of every mutation of CloudWorks, the
    second one also where its reply is lost. Once the process is dead, nothing leaves any more."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._inner = httpx.WSGITransport(rig.app)
        self._dead = False
        self._under_way: list[int] = []  # by thread
        self._changed = Condition()

    def cut(self) -> None:
        """Let nothing more out."""
        self._dead = True

    def drained(self) -> None:
        """Wait until what other threads have sent has arrived."""
        with self._changed:
            self._changed.wait_for(lambda: {*self._under_way} <= {get_ident()})

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._rig.gate, self._changed:
            if self._dead:
                raise Killed
            self._under_way.append(get_ident())
        try:
            return self._handle(request)
        finally:
            with self._changed:
                self._under_way.remove(get_ident())
                self._changed.notify_all()

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self._rig.before_any(request)
        if request.method == "GET" or request.url.path.startswith("/token/"):
            return self._rig.shown(self._inner.handle_request(request))
        self._rig.before(request)
        try:
            response = self._inner.handle_request(request)
            response.read()
        except httpx.TransportError:
            self._rig.after(request)
            raise
        self._rig.after(request)
        return response


class WatchedClient(Client):
    """A client that tells when a mutation has returned to whoever sent it."""

    def __init__(self, rig: Rig, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self._rig = rig

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None, **how: Any) -> Reply:
        try:
            return super().send(method, path, body, **how)
        finally:
            self._rig.returned(f"{method} {path}")
