"""The calls of CloudWorks: which address and method leads to which desk of the tenant (facts A)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from cwsync.emulator import refusal
from cwsync.emulator.store import Document
from cwsync.emulator.tenant import Tenant
from cwsync.emulator.tenant.world import Page, Person

Answer = Document | str
Handler = Callable[["Call"], Answer]


@dataclass(frozen=True, slots=True)
class Call:
    """One request of CloudWorks, as its handler needs it."""

    by: Person
    version: str
    args: Mapping[str, str]
    query: Mapping[str, Any]
    content_type: str
    raw: bytes

    @property
    def id(self) -> str:
        return self.args["id"]

    def json(self) -> Any:
        """The body. What is not JSON, or does not say that it is, is refused."""
        if not self.content_type.lower().startswith("application/json"):
            raise refusal.invalid_value("Content-Type")
        try:
            return json.loads(self.raw, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise refusal.INVALID_BODY() from None

    def json_or_none(self) -> Any:
        return self.json() if self.raw.strip() else None

    def page(self) -> Page:
        """Which part of a list is asked for: 25 by default, cut at 250 (facts A2)."""
        order = self.query.get("sortBy", "")
        if order not in ("", "name", "-name"):
            raise refusal.invalid_value("sort_by")
        mine = self.query.get("myIntegrations", "0")
        if mine not in ("0", "1"):
            raise refusal.invalid_value("my_integrations")
        return Page(
            self._number("offset", 0, least=0), self._number("limit", 25, least=1), order, mine == "1"
        )

    def _number(self, name: str, default: int, least: int) -> int:
        given = self.query.get(name, str(default))
        if not isinstance(given, str) or re.fullmatch("[0-9]{1,12}", given) is None or int(given) < least:
            raise refusal.invalid_value(name)
        return int(given)


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def routes(tenant: Tenant) -> Iterator[tuple[str, dict[str, Handler]]]:
    """Every address with its methods. What is not among them is the proxy's 404, the model-scoped list
    among it, which the vendor documents and nobody has found alive (facts B41)."""
    for prefix in ("/2/0", "/1/0"):
        for table in (_connections(tenant), _integrations(tenant), _runs(tenant), _notifications(tenant)):
            for path, handlers in table.items():
                yield prefix + path, handlers
    for path, handlers in _flows(tenant).items():
        yield "/2/0" + path, handlers


def _connections(tenant: Tenant) -> dict[str, dict[str, Handler]]:
    desk = tenant.connections
    return {
        "/integrations/connections": {
            "GET": lambda call: desk.listing(call.page(), call.by),
            "POST": lambda call: desk.create(call.json(), call.by),
        },
        "/integrations/connections/{id}": {
            "PUT": lambda call: desk.replace(call.id, call.json(), call.by),
            "PATCH": lambda call: desk.patch(call.id, call.json(), call.by),
            "DELETE": lambda call: desk.delete(call.id),
        },
    }


def _integrations(tenant: Tenant) -> dict[str, dict[str, Handler]]:
    desk, schedules = tenant.integrations, tenant.schedules
    return {
        "/integrations": {
            "GET": lambda call: desk.listing(call.page(), call.by, call.version),
            "POST": lambda call: desk.create(call.json(), call.by, call.version),
        },
        "/integrations/{id}": {
            "GET": lambda call: desk.detail(call.id, call.version),
            "PUT": lambda call: desk.replace(call.id, call.json(), call.by, call.version),
            "DELETE": lambda call: desk.delete(call.id),
        },
        "/integrations/{id}/schedule": {
            "POST": lambda call: schedules.create(call.id, call.json()),
            "PUT": lambda call: schedules.replace(call.id, call.json()),
            "DELETE": lambda call: schedules.delete(call.id),
        },
        "/integrations/{id}/schedule/status/{status}": {
            "POST": lambda call: schedules.set_status(call.id, call.args["status"]),
        },
    }


def _runs(tenant: Tenant) -> dict[str, dict[str, Handler]]:
    return {
        "/integrations/{id}/run": {"POST": lambda call: tenant.run(call.id, call.by)},
        "/integrations/{id}/cancel": {"POST": lambda call: tenant.cancel(call.id)},
        "/integrations/runs/{id}": {"GET": lambda call: tenant.history(call.id, call.page())},
        "/integrations/run/{id}": {"GET": lambda call: tenant.run_status(call.id)},
        "/integrations/runerror/{id}": {"GET": lambda call: tenant.run_errors(call.id)},
        "/integrations/run/{id}/dumps": {"GET": lambda call: tenant.dump(call.id)},
        "/integrations/run/{id}/process/import/{action}/dumps": {
            "GET": lambda call: tenant.dump(call.id, call.args["action"])
        },
    }


def _notifications(tenant: Tenant) -> dict[str, dict[str, Handler]]:
    desk = tenant.notifications
    return {
        "/integrations/notification": {"POST": lambda call: desk.create(call.json())},
        "/integrations/notification/{id}": {
            "GET": lambda call: desk.detail(call.id),
            "PUT": lambda call: desk.replace(call.id, call.json()),
            "DELETE": lambda call: desk.delete(call.id),
        },
    }


def _flows(tenant: Tenant) -> dict[str, dict[str, Handler]]:
    desk = tenant.flows
    return {
        "/integrationflows": {
            "GET": lambda call: desk.listing(call.page(), call.by),
            "POST": lambda call: desk.create(call.json(), call.by),
        },
        "/integrationflows/{id}": {
            "GET": lambda call: desk.detail(call.id),
            "PUT": lambda call: desk.replace(call.id, call.json(), call.by),
            "DELETE": lambda call: desk.delete(call.id),
        },
        "/integrationflows/{id}/run": {
            "POST": lambda call: tenant.run_flow(call.id, call.json_or_none(), call.by),
        },
    }
