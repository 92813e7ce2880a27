"""A CloudWorks tenant as plain Python over a store: no HTTP, no files, no thread of its own.

Every method that answers a call of the service belongs in a transaction of the store, takes the body
as it was sent, and returns the reply without its `status`; what the service refuses raises `Refused`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cwsync.emulator.profile import Profile
from cwsync.emulator.store import Document, Store
from cwsync.emulator.tenant import runs
from cwsync.emulator.tenant.connections import Connections
from cwsync.emulator.tenant.flows import Flows
from cwsync.emulator.tenant.integrations import Integrations, integration_type
from cwsync.emulator.tenant.notifications import Notifications
from cwsync.emulator.tenant.schedules import Schedules
from cwsync.emulator.tenant.world import Page, Person, World


class Tenant:
    """The five kinds, and their runs."""

    def __init__(self, store: Store, profile: Profile, clock: Callable[[], float]) -> None:
        self.world = World(store, profile, clock)
        self.connections = Connections(self.world)
        self.notifications = Notifications(self.world)
        self.integrations = Integrations(self.world, self.notifications)
        self.schedules = Schedules(self.world, self.integrations)
        self.flows = Flows(self.world, self.notifications)

    def run(self, identifier: str, by: Person) -> Document:
        return {"run": {"id": runs.begin(self.world, self.world.require("integration", identifier), by)}}

    def cancel(self, identifier: str) -> Document:
        return runs.cancel(self.world, self.world.require("integration", identifier))

    def run_flow(self, identifier: str, body: Any, by: Person) -> Document:
        return {"run": {"id": runs.begin_flow(self.world, self.world.require("flow", identifier), body, by)}}

    def history(self, identifier: str, page: Page) -> Document:
        integration = self.world.require("integration", identifier)
        about = {**integration, "integrationType": integration_type(integration)}
        return runs.history(self.world, about, page)

    def run_status(self, run_id: str) -> Document:
        return runs.status(self.world, run_id)

    def run_errors(self, run_id: str) -> Document:
        return runs.errors(self.world, run_id)

    def dump(self, run_id: str, action_id: str | None = None) -> str:
        return runs.dump(self.world, run_id, action_id)

    def snapshot(self) -> Document:
        """Everything that can be configured, by name and id, so that two of them can be compared."""
        return {
            section: sorted(self.world.store.page(kind), key=lambda each: (each.get("name", ""), each[key]))
            for section, kind, key in (
                ("connections", "connection", "connectionId"),
                ("integrations", "integration", "integrationId"),
                ("notifications", "notification", "notificationId"),
                ("flows", "flow", "id"),
            )
        }
