"""A tenant whose time moves only while somebody waits, with integrations and flows to run in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from pydantic import SecretStr
from unit.emulator import service as emulator

from cwsync.api import Basic, Client, Endpoint
from cwsync.kinds.runs import Fate, Progress
from cwsync.operate import FlowWatch, Target, begin, follow, look_at_run, read_flow


class Tenant(emulator.Service):
    """The emulator with a client of ours; waiting moves its clock, and `waited` keeps how long."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.sign_in()
        self.waited: list[float] = []
        self.client = Client(
            Endpoint("http://emulator/2/0", "http://emulator"),
            Basic("ci@example.com", SecretStr("password")),
            transport=httpx.WSGITransport(self.app),
            per_second=None,
        )

    def close(self) -> None:
        self.client.close()
        super().close()

    def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.clock.now += seconds

    def outcome(self, integration: str, outcome: str = "success", seconds: float = 2, **more: Any) -> None:
        body = {"outcome": outcome, "seconds": seconds, **more}
        self.edit(action="update", kind="outcome", id=integration, body=body)

    def follow(self, target: Target, *steps: str) -> list[Progress]:
        """Run it to its end; what was told on the way."""
        told: list[Progress] = []
        before = read_flow(self.client, target.id) if target.kind == "flow" else None
        run = begin(self.client, target, steps)
        look = (
            FlowWatch(self.client, before, run, steps).look
            if before
            else lambda: look_at_run(self.client, run)
        )
        assert follow(look, target, self.sleep, told.append) == told[-1]
        return told


@contextmanager
def opened(**options: Any) -> Iterator[Tenant]:
    tenant = Tenant(**options)
    try:
        yield tenant
    finally:
        tenant.close()


def integration(id: str, key: str = "accounts") -> Target:
    return Target(f"integration.{key}", "integration", id, key)


def flow(id: str, key: str = "nightly") -> Target:
    return Target(f"flow.{key}", "flow", id, key)


def fates(seen: Progress) -> list[Fate]:
    return [step.fate for step in seen.steps]
