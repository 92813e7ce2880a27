"""Looking at one object again: before it is changed, after a reply was lost, and when all is done."""

from __future__ import annotations

from cwsync.api import Client, Incomplete, NotFound, quote_id
from cwsync.errors import Problem
from cwsync.kinds import KINDS, Observed, same_id


def look(
    client: Client,
    kind_name: str,
    *,
    id: str | None = None,
    name: str | None = None,
    parent: str | None = None,
) -> list[Observed]:
    """The objects of a kind with this id or name, or with this parent, read afresh and in full.

    A list is always read to its end. Raises `ServiceError` where the picture isn't complete.
    """
    if kind_name == "notification":
        return _notification(client, id, parent)
    kind = KINDS["integration" if kind_name == "schedule" else kind_name]
    assert kind.listing is not None
    listed = client.list(
        kind.listing.path, kind.listing.key, dict(kind.listing.params), id_key=kind.listing.id_key
    )
    found = [(item, one) for item in listed.items if (one := KINDS[kind_name].from_wire(item)) is not None]
    wanted = id or parent
    if wanted is not None:
        found = [(item, one) for item, one in found if same_id(one.id) == same_id(wanted)]
    else:
        found = [(item, one) for item, one in found if one.name == name]
    if kind_name == "schedule" or kind.detail is None:
        return [one for _, one in found]
    return [_detailed(client, kind_name, one.id, item) for item, one in found]


def _detailed(client: Client, kind_name: str, id: str, item: dict[str, object]) -> Observed:
    kind = KINDS[kind_name]
    assert kind.detail is not None
    path, key = kind.detail
    detail = client.get(path.replace("{id}", quote_id(id))).get(key)
    found = kind.from_wire({**item, **detail}) if isinstance(detail, dict) else None
    if found is None:
        raise Incomplete(Problem("CW311", f"GET {path.replace('{id}', id)}: the reply has no {key}"))
    return found


def pointer(client: Client, integration: str) -> str | None:
    """The id of an integration's notification, where it has one."""
    return _detailed(client, "integration", integration, {}).notification


def _notification(client: Client, id: str | None, parent: str | None) -> list[Observed]:
    id = id or (pointer(client, parent) if parent else None)
    if id is None:
        return []
    try:
        return [_detailed(client, "notification", id, {})]
    except NotFound:
        return []
