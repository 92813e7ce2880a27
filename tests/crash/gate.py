"""What stands before a tenant over HTTP, and before a bucket: it counts requests, and at one of them something
happens to the client."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from threading import Condition
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Moment = Literal["before", "after"]
Of = Literal["mutation", "request", "write"]
Asked = Callable[[str, str, bytes], object]


@dataclass(frozen=True)
class Death:
    """A signal at the `number`th mutation, request of any kind, or write of the state to a bucket: before its
    effect, which then never comes, or after it and before the reply."""

    number: int
    moment: Moment = "before"
    of: Of = "mutation"
    signal: signal.Signals = signal.SIGKILL

    def __str__(self) -> str:
        return f"{self.signal.name} {self.moment} {self.of} {self.number}"


class Gate:
    """A WSGI application around the emulator's. `asked` is told of every mutation, before its effect: method,
    path and body."""

    def __init__(self, asked: Asked = lambda _method, _path, _body: None) -> None:
        self.asked = asked
        self._changed = Condition()
        self._inside = 0
        self._death: Death | None = None
        self._act: Callable[[], object] = lambda: None
        self.counts: dict[Of, int] = {"mutation": 0, "request": 0, "write": 0}

    def before(self, app: WSGIApplication) -> WSGIApplication:
        self._app = app
        return self

    def arm(self, death: Death | None, act: Callable[[], object] = lambda: None) -> None:
        """Count from 0 again, and act at that request."""
        with self._changed:
            self.counts = {"mutation": 0, "request": 0, "write": 0}
            self._death, self._act = death, act

    def wait_until_idle(self) -> None:
        """A client that is killed leaves requests behind, and those still have their effect."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._inside == 0, timeout=60)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith("/_emulator/"):
            return self._app(environ, start_response)
        mutates = environ["REQUEST_METHOD"] != "GET" and not path.startswith("/token/")
        death = self._entered("request", "mutation") if mutates else self._entered("request")
        try:
            if mutates:
                body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                environ = {**environ, "wsgi.input": BytesIO(body)}
                self.asked(environ["REQUEST_METHOD"], path, body)
            if death and death.moment == "before" and death.signal is signal.SIGKILL:
                self._act()
                start_response("503 Service Unavailable", [("Content-Length", "0")])
                return [b""]
            if death and death.moment == "before":
                self._act()
            reply = self._app(environ, start_response)
            if death and death.moment == "after":
                self._act()
            return reply
        finally:
            self._left()

    def write(self, make: Callable[[], None]) -> None:
        """A write of the state to a bucket."""
        death = self._entered("write")
        try:
            if death and death.moment == "before":
                self._act()
            if death is None or death.moment == "after" or death.signal is not signal.SIGKILL:
                make()
            if death and death.moment == "after":
                self._act()
        finally:
            self._left()

    def _entered(self, *what: Of) -> Death | None:
        with self._changed:
            self._inside += 1
            for each in what:
                self.counts[each] += 1
            death = self._death
            if death is None or death.of not in what:
                return None
            return death if self.counts[death.of] == death.number else None

    def _left(self) -> None:
        with self._changed:
            self._inside -= 1
            self._changed.notify_all()
