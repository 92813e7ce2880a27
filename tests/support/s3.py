"""As much of S3 as the state needs, as a server: objects, conditions on writes, and calls that go wrong."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

BUCKET = "cwsync-test"
KEY, SECRET = "test", "needle-secret"


@dataclass
class Server:
    """One bucket. `conditions` are the headers that it heeds. Each write takes what becomes of it from `faults`:
    "" is nothing, "drop" loses the reply, a status comes before the write, and a status with "after" after it.
    "late" answers 503, and makes the write just before the next one; "twice" makes it, and then reports a conflict
    with it. Every write is handed to `around`; if that does not make it, there is no reply."""

    url: str = ""
    conditions: tuple[str, ...] = ("If-None-Match", "If-Match")
    objects: dict[str, bytes] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    around: Callable[[Callable[[], None]], object] = lambda make: make()
    refuses: tuple[int, str] | None = None
    requests: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)
    _late: list[Callable[[], object]] = field(default_factory=list)

    def fits(self, path: str, headers: Message) -> bool:
        there = self.objects.get(path)
        if "If-None-Match" in self.conditions and headers.get("If-None-Match") == "*" and there is not None:
            return False
        wanted = headers.get("If-Match") if "If-Match" in self.conditions else None
        return wanted is None or (there is not None and wanted == tag(there))

    def write(self, path: str, headers: Message, data: bytes) -> tuple[int, str]:
        """The answer to a write: a status, 0 for none, and the name of its error."""
        with self.lock:
            fault = self.faults.pop(0) if self.faults else ""
            late, self._late = self._late, []
            for make in late:
                make()
            if fault == "late":
                self._late.append(lambda: self._made(path, headers, data))
                return 503, "SlowDown"
            if fault.isdigit():
                return int(fault), _ERRORS[fault]
            if not self._made(path, headers, data) or (
                fault == "twice" and not self._made(path, headers, data)
            ):
                return 412, "PreconditionFailed"
        status = fault.removesuffix(" after")
        return (int(status), _ERRORS[status]) if status.isdigit() else (0 if fault == "drop" else 200, "")

    def _made(self, path: str, headers: Message, data: bytes) -> bool:
        if self.fits(path, headers):
            self.objects[path] = data
            return True
        return False


_ERRORS = {
    "403": "AccessDenied",
    "409": "ConditionalRequestConflict",
    "500": "InternalError",
    "503": "SlowDown",
}


def tag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


@contextmanager
def serving(s3: Server) -> Iterator[Server]:
    """The server, on a port of its own, until the end."""

    class Handler(_Handler):
        bucket = s3

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        s3.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield s3
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one piece: otherwise each waits for the other side's acknowledgement
    bucket: Server

    def do_GET(self) -> None:
        if self._let_in():
            data = self.bucket.objects.get(self.path)
            if data is None:
                self._error(404, "NoSuchKey")
            else:
                self._answer(200, data, ETag=tag(data), **{"Last-Modified": "Sat, 21 Nov 2026 00:30:00 GMT"})

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if not self._let_in():
            return
        status, code = 0, ""

        def make() -> None:
            nonlocal status, code
            status, code = self.bucket.write(self.path, self.headers, data)

        self.bucket.around(make)
        if status == 0:
            self.close_connection = True
        elif status == 200:
            self._answer(200, b"", ETag=tag(data))
        else:
            self._error(status, code)

    def do_POST(self) -> None:
        """Objects are deleted by a list of their names."""
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self._let_in():
            names = re.findall("<Key>([^<]+)</Key>", asked)
            for name in names:
                self.bucket.objects.pop(f"/{BUCKET}/{name}", None)
            gone = "".join(f"<Deleted><Key>{name}</Key></Deleted>" for name in names)
            self._answer(200, f"<DeleteResult>{gone}</DeleteResult>".encode())

    def log_message(self, *_args: object) -> None:
        """Nothing on stderr."""

    def _let_in(self) -> bool:
        self.bucket.requests.append(f"{self.command} {self.path}")
        if self.bucket.refuses is not None:
            self._error(*self.bucket.refuses)
        elif f"Credential={KEY}/" not in self.headers.get("Authorization", ""):
            self._error(403, "InvalidAccessKeyId")
        elif not self.path.startswith((f"/{BUCKET}/", f"/{BUCKET}?delete")):
            self._error(404, "NoSuchBucket")
        else:
            return True
        return False

    def _error(self, status: int, code: str) -> None:
        # As the real one does, it quotes what it was sent.
        said = f"<Error><Code>{code}</Code><AWSAccessKeyId>{KEY}</AWSAccessKeyId><Secret>{SECRET}</Secret></Error>"
        self._answer(status, said.encode())

    def _answer(self, status: int, data: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()
