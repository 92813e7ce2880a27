"""From replies to observed objects; a form that nobody knows is an incomplete picture, not a crash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from cwsync.api import Client, Incomplete, ServiceError, quote_id
from cwsync.errors import Problem
from cwsync.kinds import KINDS, Kind, Observed, same_id
from cwsync.kinds.runs import run_from_wire

Item = Mapping[str, Any]
"""One object as a reply has it."""

# What says of itself, in its list and its detail, how its latest run went (facts A2, A6).
_RUN = ("integration", "flow")


def observe(kind: Kind, item: Item) -> Observed | None:
    """The object of this kind that an item of a reply carries, if it carries one. Raises `Incomplete` (CW311)."""
    try:
        found = kind.from_wire(item)
    except (LookupError, TypeError, ValueError, AttributeError):
        raise _unreadable(f"one of the {kind.section} is shown in a form that cwsync does not know") from None
    if found is None or kind.name not in _RUN:
        return found
    latest = run_from_wire(item.get("latestRun"))
    return replace(found, running=latest is not None and not latest.fate.over)


def read_detail(client: Client, kind: Kind, id: str, item: Item | None = None) -> Observed:
    """One object in full; `item` is what its list says of it. Raises `ServiceError`."""
    assert kind.detail is not None
    path, key = kind.detail
    before = client.server_now()
    reply = client.get(path.replace("{id}", quote_id(id))).get(key)
    found = observe(kind, {**(item or {}), **reply}) if isinstance(reply, dict) else None
    if found is None:
        raise _unreadable(f"GET {path.replace('{id}', id)}: the reply has no {key}")
    return replace(found, version_read=version_of(found.modified_at, before))


def version_of(modified: str | None, before: datetime | None) -> str | None:
    """The modification date of an object that was read when the service's clock had shown `before`.

    None where it does not tell this version from a later one: live dates have whole seconds, so a change in the
    same second would keep it.
    """
    if modified is None or before is None:
        return None
    try:
        moment = datetime.fromisoformat(modified)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    width = timedelta(0) if moment.microsecond else timedelta(seconds=1)
    return modified if moment + width <= before else None


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
