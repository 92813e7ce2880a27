"""A scripted service behind `httpx.MockTransport`, and a clock that only sleeping moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

import httpx
from pydantic import SecretStr

from cwsync.api import Basic, Client, Clock, Credentials, Endpoint

API = "https://api.test.example/2/0"
AUTH = "https://auth.test.example"
ENDPOINT = Endpoint(API, AUTH)
BASIC = Basic("ci@example.com", SecretStr("needle-password"))
START = 1_800_000_000.0

Answering = Callable[[httpx.Request], httpx.Response]


class Time:
    """Time that stands still but for sleeping; `slept` keeps every sleep."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self._lock = Lock()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.sleep, lambda: START + self.now)


def reply(status: int = 200, body: Any = None, headers: Mapping[str, str] | None = None) -> Answering:
    """A JSON reply; the service's success envelope where no body is given."""
    content = {"status": {"code": status, "message": "Success"}} if body is None else body
    return lambda _request: httpx.Response(status, json=content, headers=headers)


def refusal(status: int, message: str, headers: Mapping[str, str] | None = None) -> Answering:
    """An error in the envelope of CloudWorks (facts D)."""
    body = {"status": {"code": status, "message": message}, "path": "/2/0/x", "timestamp": "now"}
    return reply(status, body, headers)


def page(status: int, text: str = "<html><h1>nginx</h1></html>") -> Answering:
    return lambda _request: httpx.Response(status, text=text)


def breaks(kind: type[httpx.RequestError]) -> Answering:
    def answer(request: httpx.Request) -> httpx.Response:
        raise kind("needle-exception", request=request)

    return answer


class Service:
    """Replies for each method and path, in order; the last one stays. Sign-in works by itself.

    Tokens are `token-1`, `token-2`, …; they live for `lifetime` seconds of the test's clock.
    """

    def __init__(self) -> None:
        self.time = Time()
        self.lifetime = 2100.0
        self.requests: list[httpx.Request] = []
        self._script: dict[tuple[str, str], list[Answering]] = {}
        self._tokens = 0
        self._lock = Lock()
        for path in ("authenticate", "refresh"):
            self.on("POST", f"/token/{path}", self._grant)
        self.on("GET", "/token/validate", self._validated)
        self.on("POST", "/token/logout", lambda _request: httpx.Response(204))

    def on(self, method: str, path: str, *answers: Answering) -> None:
        self._script[method, path] = list(answers)

    def client(
        self, credentials: Credentials = BASIC, *, parallelism: int = 1, per_second: float | None = None
    ) -> Client:
        return Client(
            ENDPOINT,
            credentials,
            transport=httpx.MockTransport(self._answer),
            parallelism=parallelism,
            per_second=per_second,
            clock=self.time.clock,
        )

    def seen(self, prefix: str = "") -> list[str]:
        """`METHOD path` of every request so far whose path begins so."""
        calls = [(request.method, _path(request)) for request in self.requests]
        return [f"{method} {path}" for method, path in calls if path.startswith(prefix)]

    @property
    def expires_at(self) -> int:
        """As the service counts: milliseconds since the epoch."""
        return int((START + self.time.now + self.lifetime) * 1000)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            self.requests.append(request)
            answers = self._script[request.method, _path(request)]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return answer(request)

    def _grant(self, _request: httpx.Request) -> httpx.Response:
        with self._lock:
            self._tokens += 1
            info = {"expiresAt": self.expires_at, "tokenId": "id", "tokenValue": f"token-{self._tokens}"}
        return httpx.Response(201, json={"status": "SUCCESS", "tokenInfo": info, "unknown": {}})

    def _validated(self, _request: httpx.Request) -> httpx.Response:
        user = {"userGuid": "guid", "userId": "ci@example.com", "customerGuid": "customer"}
        body = {"status": "SUCCESS", "tokenInfo": {"expiresAt": self.expires_at}, "userInfo": user}
        return httpx.Response(200, json=body)


def _path(request: httpx.Request) -> str:
    return request.url.raw_path.decode().partition("?")[0].removeprefix("/2/0")
