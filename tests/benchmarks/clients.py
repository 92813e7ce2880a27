"""The reads of a full plan by scripts as people write them with anaplan-sdk: the lists, then each detail.

python -m benchmarks.clients sequential|concurrent URL PARALLELISM
"""

from __future__ import annotations

import asyncio
import sys
from base64 import b64encode
from typing import Any

import httpx2
from anaplan_sdk import AsyncClient, Client  # type: ignore[import-untyped]  # it ships no types


def signed_in(url: str) -> str:
    """A token. The SDK would sign in by itself, and only at the real host."""
    login = b64encode(b"ci@example.com:made-up-password").decode()
    reply = httpx2.post(f"{url}/token/authenticate", headers={"Authorization": f"Basic {login}"})
    return str(reply.raise_for_status().json()["tokenInfo"]["tokenValue"])


def _here(request: httpx2.Request, url: httpx2.URL) -> httpx2.Request:
    """The SDK knows the real hosts alone: the same request, to the emulator."""
    request.url = request.url.copy_with(scheme=url.scheme, host=url.host, port=url.port)
    return request


class Here(httpx2.HTTPTransport):
    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = httpx2.URL(url)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return super().handle_request(_here(request, self._url))


class AsyncHere(httpx2.AsyncHTTPTransport):
    def __init__(self, url: str, connections: int) -> None:
        super().__init__(
            limits=httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
        )
        self._url = httpx2.URL(url)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return await super().handle_async_request(_here(request, self._url))


def sequential(url: str) -> None:
    with Here(url) as transport:
        cloudworks = Client(token=signed_in(url), transport=transport).cw
        cloudworks.get_connections()
        integrations, flows = cloudworks.get_integrations(), cloudworks.flows.get_flows()
        for one in integrations:
            cloudworks.get_integration(one.id)
            cloudworks.get_notification_config(notification_id=one.notification_id)
        for one in flows:
            cloudworks.flows.get_flow(one.id)


async def concurrent(url: str, parallelism: int) -> None:
    turns = asyncio.Semaphore(parallelism)

    async def turn(call: Any, *given: Any, **more: Any) -> Any:
        async with turns:
            return await call(*given, **more)

    async with AsyncHere(url, parallelism) as transport:
        cloudworks = AsyncClient(token=signed_in(url), transport=transport).cw
        _, integrations, flows = await asyncio.gather(
            turn(cloudworks.get_connections),
            turn(cloudworks.get_integrations),
            turn(cloudworks.flows.get_flows),
        )
        await asyncio.gather(
            *(turn(cloudworks.get_integration, one.id) for one in integrations),
            *(
                turn(cloudworks.get_notification_config, notification_id=one.notification_id)
                for one in integrations
            ),
            *(turn(cloudworks.flows.get_flow, one.id) for one in flows),
        )


def main(how: str, url: str, parallelism: str) -> None:
    if how == "sequential":
        sequential(url)
    else:
        asyncio.run(concurrent(url, int(parallelism)))


if __name__ == "__main__":
    main(*sys.argv[1:])
