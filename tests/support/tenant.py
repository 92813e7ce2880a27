"""A tenant for tests: the emulator, behind HTTP on a port of its own, or in a project's data file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import httpx
from waitress.server import create_server  # type: ignore[import-untyped]  # it ships no types

from cwsync.emulator import application

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Json = dict[str, Any]


class Tenant:
    """What a test does with a tenant beside what cwsync does: look, edit, and make things go wrong."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    @property
    def url(self) -> str:
        return str(self._http.base_url).rstrip("/")

    def edit(self, action: str, kind: str, **which: Any) -> str:
        """A change as a colleague makes it in the web interface; the object's id."""
        reply = self._post("edit", {"by": "Grace Hopper", "action": action, "kind": kind, **which})
        identifier: str = reply["ids"][0]
        return identifier

    def fault(self, do: str, method: str, path: str, nth: int | None = None, **more: Any) -> None:
        match = {"method": method, "path": path, **({} if nth is None else {"nth": nth})}
        self._post("faults", {"match": match, "do": do, **more})

    def mend(self) -> None:
        self._http.delete("/_emulator/faults").raise_for_status()

    def snapshot(self) -> Json:
        found: Json = self._http.get("/_emulator/snapshot").raise_for_status().json()
        return found

    def names(self, kinds: str) -> list[str]:
        """The names of all objects of a kind: `connections`, `integrations` or `flows`."""
        return sorted((each.get("body") or each)["name"] for each in self.snapshot()[kinds])

    def requests(self) -> list[Json]:
        found: list[Json] = self._http.get("/_emulator/requests").raise_for_status().json()["requests"]
        return found

    def mutations(self) -> list[str]:
        """`METHOD path` of everything so far that could have changed CloudWorks; signing in could not."""
        return [
            f"{each['method']} {each['path'].removeprefix('/2/0')}"
            for each in self.requests()
            if each["method"] != "GET" and not each["path"].startswith("/token/")
        ]

    def _post(self, what: str, body: Json) -> Json:
        reply = self._http.post(f"/_emulator/{what}", json=body)
        assert reply.status_code == 200, reply.text
        found: Json = reply.json()
        return found


@contextmanager
def served(
    bodies: list[bytes] | None = None,
    around: Callable[[WSGIApplication], WSGIApplication] = lambda app: app,
    **options: Any,
) -> Iterator[Tenant]:
    """An empty tenant behind HTTP. `bodies` gets what requests carry, `around` stands before the emulator;
    `options` are those of the emulator."""
    with (
        application(**options) as app,
        _listening(around(app if bodies is None else _recorded(app, bodies))) as url,
        httpx.Client(base_url=url) as http,
    ):
        yield Tenant(http)


def _recorded(app: WSGIApplication, bodies: list[bytes]) -> WSGIApplication:
    def record(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        bodies.append(environ.get("HTTP_AUTHORIZATION", "").encode() + body)
        return app({**environ, "wsgi.input": BytesIO(body)}, start_response)

    return record


@contextmanager
def embedded(data: Path) -> Iterator[Tenant]:
    """The tenant in the data file of an environment with `api: emulator`."""
    with application(data) as app, httpx.Client(transport=httpx.WSGITransport(app), base_url="http://e") as h:
        yield Tenant(h)


@contextmanager
def _listening(app: WSGIApplication) -> Iterator[str]:
    server = create_server(app, host="127.0.0.1", port=0, threads=16)
    ended = Event()

    def serve() -> None:
        while not ended.is_set():
            server.asyncore.loop(timeout=1, map=server._map, count=1)

    thread = Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        ended.set()
        server.pull_trigger()
        thread.join()
        server.task_dispatcher.shutdown()
        for channel in list(server._map.values()):
            channel.close()
