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
from support.sdk_transport import AsyncHere, Here


def signed_in(url: str) -> str:
    """A token. The SDK would sign in by itself, and only at the real host."""
    login = b64encode(b"ci@example.com:made-up-password").decode()
    reply = httpx2.post(f"{url}/token/authenticate", headers={"Authorization": f"Basic {login}"})
    return str(reply.raise_for_status().json()["tokenInfo"]["tokenValue"])


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

    limits = httpx2.Limits(max_connections=parallelism, max_keepalive_connections=parallelism)
    async with AsyncHere(url, limits=limits) as transport:
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
