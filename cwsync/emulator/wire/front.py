"""What stands before the routes: the log, the clock on every reply, latency, the rate, and the faults."""

from __future__ import annotations

import io
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from email.utils import formatdate
from typing import TYPE_CHECKING, NoReturn

from cwsync.emulator.faults import OF_THE_TENANT, Fault, Faults
from cwsync.emulator.refusal import TOO_MANY_REQUESTS
from cwsync.emulator.store import Store
from cwsync.emulator.wire import pages, replies
from cwsync.emulator.wire.replies import Reply

if TYPE_CHECKING:
    from types import TracebackType
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_OWN = ("/_emulator/", "/openapi.json")
_DEFAULT_LATE_MS = 1000
_DEFAULT_DRIP_MS = 100


class Emulator:
    """The emulator as a WSGI application: behind a server, or in-process behind `httpx.WSGITransport`.

    Close it, or use it as a context manager. A fault that closes the connection is, in-process, the
    httpx error that a closed connection leads to; behind a server the connection is really closed.
    """

    def __init__(
        self,
        routes: WSGIApplication,
        store: Store,
        faults: Faults,
        clock: Callable[[], float],
        *,
        latency_ms: float = 0,
        rate: float | None = None,
    ) -> None:
        self._routes = routes
        self._store = store
        self._faults = faults
        self._clock = clock
        self._latency = latency_ms / 1000
        self._limiter = None if rate is None else _Limiter(rate, clock)
        self._late: list[tuple[float, WSGIEnvironment]] = []
        self._late_lock = threading.Lock()

    def __enter__(self) -> Emulator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._store.close()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self._do_what_is_late()
        if environ["PATH_INFO"].startswith(_OWN):
            return self._send(self._route(environ), start_response)
        if self._latency:
            time.sleep(self._latency)
        fault = self._fault(environ)
        if fault is not None:
            return self._spoil(fault, environ, start_response)
        refused = self._limiter.refuse() if self._limiter else None
        reply = self._route(environ) if refused is None else self._too_many(environ, refused)
        self._note(environ, reply.status)
        return self._send(reply, start_response)

    def _fault(self, environ: WSGIEnvironment) -> Fault | None:
        with self._store.transaction(write=False):
            if not self._store.count("fault"):
                return None
        with self._store.transaction():
            return self._faults.hit(environ["REQUEST_METHOD"], environ["PATH_INFO"])

    def _spoil(
        self, fault: Fault, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        if fault.do == "late":
            self._make_late(fault, environ)
        if fault.do != "drip":
            time.sleep((fault.delay_ms or 0) / 1000)
        if fault.do == "drop-before":
            self._note(environ, None)
            _drop(environ, "Server disconnected without sending a response.")
        reply = self._spoiled(fault, environ)
        if fault.do == "drop-after":
            self._note(environ, None)
            _drop(environ, "Server disconnected without sending a response.")
        self._note(environ, reply.status)
        body = None
        if fault.do == "truncate":
            body = _half(reply.body, environ)
        if fault.do == "drip":
            body = _drip(reply.body, fault)
        return self._send(reply, start_response, body)

    def _spoiled(self, fault: Fault, environ: WSGIEnvironment) -> Reply:
        """The reply under a fault; that which it spoils is done first."""
        if fault.do == "stale" and environ["REQUEST_METHOD"] == "GET":
            with self._store.as_of(fault.moment, OF_THE_TENANT):
                return self._route(environ)
        if fault.do == "miscount":
            return pages.recounted(self._route(environ), fault.by, environ)
        if fault.do in ("shift", "repeat"):
            further, total = (fault.by, -fault.by) if fault.do == "shift" else (-fault.by, 0)
            moved = pages.moved(environ, further)
            return (
                self._route(environ) if moved is None else pages.recounted(self._route(moved), total, environ)
            )
        reply = self._route(environ) if fault.do != "status" or fault.effect else Reply(0)
        if fault.do == "html":
            return replies.page(fault.status or 502)
        return self._given(fault, environ) if fault.do == "status" else reply

    def _make_late(self, fault: Fault, environ: WSGIEnvironment) -> NoReturn:
        """Behind a server the client waits here and gives up by itself; in-process it is told to, and the
        effect comes with the first request after its time, before which nobody could have seen it."""
        delay = (fault.delay_ms or _DEFAULT_LATE_MS) / 1000
        self._note(environ, None)
        if _behind_server(environ):
            time.sleep(delay)
            self._route(environ)
        else:
            kept = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            with self._late_lock:
                self._late.append((self._clock() + delay, {**environ, "wsgi.input": io.BytesIO(kept)}))
        _drop(environ, "The read operation timed out", timeout=True)

    def _do_what_is_late(self) -> None:
        if not self._late:
            return
        with self._late_lock:
            now = self._clock()
            due = [environ for moment, environ in self._late if moment <= now]
            self._late = [each for each in self._late if each[0] > now]
            for environ in due:
                self._route(environ)

    def _route(self, environ: WSGIEnvironment) -> Reply:
        """What the routes answer, held back until it is known whether it will be sent."""
        try:
            environ["PATH_INFO"].encode("latin-1")
        except UnicodeEncodeError:
            return replies.page(404)
        reply = Reply(500)

        def start(
            status: str, headers: list[tuple[str, str]], _exc_info: object = None, /
        ) -> Callable[..., object]:
            reply.status = int(status.split(maxsplit=1)[0])
            reply.headers = headers
            return lambda _data: None

        parts = self._routes(environ, start)
        reply.body = b"".join(parts)
        reply.content_type = ""
        return reply

    def _too_many(self, environ: WSGIEnvironment, seconds: int) -> Reply:
        status, message = TOO_MANY_REQUESTS
        return self._given(Fault("status", status, seconds, message=message), environ)

    def _given(self, fault: Fault, environ: WSGIEnvironment) -> Reply:
        status = fault.status or 500
        message = fault.message or (TOO_MANY_REQUESTS.message if status == 429 else _words(status))
        reply = replies.error(status, message, environ["PATH_INFO"], formatdate(self._clock(), usegmt=True))
        if fault.retry_after is not None:
            reply.headers.append(("Retry-After", str(fault.retry_after)))
        return reply

    def _send(
        self, reply: Reply, start_response: StartResponse, body: Iterable[bytes] | None = None
    ) -> Iterable[bytes]:
        headers = [each for each in reply.headers if each[0].lower() != "content-length"]
        if reply.content_type:
            headers.append(("Content-Type", reply.content_type))
        if reply.status != 204:
            headers.append(("Content-Length", str(len(reply.body))))
        # In-process there is no server to add it, and clients take the service's time from it.
        headers.append(("Date", formatdate(self._clock(), usegmt=True)))
        start_response(f"{reply.status} {replies.reason(reply.status)}", headers)
        return [reply.body] if body is None else body

    def _note(self, environ: WSGIEnvironment, status: int | None) -> None:
        query = environ.get("QUERY_STRING", "")
        path = environ["PATH_INFO"] + (f"?{query}" if query else "")
        with self._store.transaction():
            self._store.log(environ["REQUEST_METHOD"], path, status)


class _Limiter:
    """A token bucket: `rate` requests in a second, as many at once."""

    def __init__(self, rate: float, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._clock = clock
        self._held = max(rate, 1.0)
        self._filled = clock()
        self._lock = threading.Lock()

    def refuse(self) -> int | None:
        """None where the request may pass, else the whole seconds to wait."""
        with self._lock:
            now = self._clock()
            self._held = min(max(self._rate, 1.0), self._held + (now - self._filled) * self._rate)
            self._filled = now
            if self._held >= 1:
                self._held -= 1
                return None
            return max(1, math.ceil((1 - self._held) / self._rate))


def _words(status: int) -> str:
    return {500: "Internal server error", 503: "Integration trigger error"}.get(
        status, replies.reason(status)
    )


def _behind_server(environ: WSGIEnvironment) -> bool:
    return "SERVER_SOFTWARE" in environ


def _drop(environ: WSGIEnvironment, words: str, *, timeout: bool = False) -> NoReturn:
    """Leave without a reply: waitress closes the connection at its own "client disconnected"; in-process
    there is no connection, so the httpx error that its closing leads to is raised as it is."""
    if _behind_server(environ):
        from waitress.channel import ClientDisconnected  # type: ignore[import-untyped]  # it ships no types

        raise ClientDisconnected
    import httpx

    raise (httpx.ReadTimeout if timeout else httpx.RemoteProtocolError)(words)


def _half(body: bytes, environ: WSGIEnvironment) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    _drop(environ, "peer closed connection without sending complete message body")


def _drip(body: bytes, fault: Fault) -> Iterator[bytes]:
    delay = _DEFAULT_DRIP_MS if fault.delay_ms is None else fault.delay_ms
    for start in range(0, len(body), fault.bytes):
        time.sleep(delay / 1000)
        yield body[start : start + fault.bytes]
