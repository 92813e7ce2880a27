"""From replies to observed objects; a form that nobody knows is an incomplete picture, not a crash."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cwsync.api import Client, Incomplete, ServiceError, quote_id
from cwsync.errors import Problem
from cwsync.kinds import KINDS, Kind, Observed, same_id

Item = Mapping[str, Any]
"""One object as a reply has it."""


def observe(kind: Kind, item: Item) -> Observed | None:
    """The object of this kind that an item of a reply carries, if it carries one. Raises `Incomplete` (CW311)."""
    try:
        return kind.from_wire(item)
    except (LookupError, TypeError, ValueError, AttributeError):
        raise _unreadable(f"one of the {kind.section} is shown in a form that cwsync does not know") from None


def read_detail(client: Client, kind: Kind, id: str, item: Item | None = None) -> Observed:
    """One object in full; `item` is what its list says of it. Raises `ServiceError`."""
    assert kind.detail is not None
    path, key = kind.detail
    reply = client.get(path.replace("{id}", quote_id(id))).get(key)
    found = observe(kind, {**(item or {}), **reply}) if isinstance(reply, dict) else None
    if found is None:
        raise _unreadable(f"GET {path.replace('{id}', id)}: the reply has no {key}")
    return found


def read_schedule(client: Client, integration: str) -> Observed | None:
    """The schedule of an integration whose list item does not say whether it has one.

    The list shows schedules to live clients; the vendor's page has none in it, nor a call to read one, but
    has it in the history of runs (facts A3, C3). Raises `ServiceError`.
    """
    path = f"/integrations/runs/{quote_id(integration)}"
    about = client.get(path, {"offset": 0, "limit": 1}).get("history_of_runs")
    if not isinstance(about, dict):
        raise _unreadable(f"GET {path}: the reply has no history_of_runs")
    return observe(KINDS["schedule"], {"integrationId": integration, "schedule": about.get("schedule")})


def read_model(client: Client, model: str) -> dict[str, Observed | None]:
    """The schedules of a model's integrations, by normalised id, where the service has that list.

    The vendor's page has it, and live tenants answer it with a gateway's 404 (facts B41): then nothing is
    told, and nothing is lost.
    """
    path = f"/integrations/anaplanModels/{quote_id(model)}"
    try:
        found = client.list(path, "integrations", id_key="integrationId").items
        return {same_id(str(item["integrationId"])): observe(KINDS["schedule"], item) for item in found}
    except ServiceError:
        return {}


def _unreadable(message: str) -> Incomplete:
    hint = "check the environment's region or api; if they are right, please report this"
    return Incomplete(Problem("CW311", message, hint=hint))
