"""The way of anaplan-sdk's clients to a server here. They know the real hosts alone, and take a transport."""

from __future__ import annotations

from typing import Any

import httpx2


def _here(request: httpx2.Request, url: httpx2.URL) -> httpx2.Request:
    """The same request, to the server at the address."""
    request.url = request.url.copy_with(scheme=url.scheme, host=url.host, port=url.port)
    return request


class Here(httpx2.HTTPTransport):
    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = httpx2.URL(url)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return super().handle_request(_here(request, self._url))


class AsyncHere(httpx2.AsyncHTTPTransport):
    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(**options)
        self._url = httpx2.URL(url)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return await super().handle_async_request(_here(request, self._url))
