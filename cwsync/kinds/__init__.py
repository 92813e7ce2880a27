"""The registry: the five kinds, in the order in which they depend on each other."""

from __future__ import annotations

from cwsync.kinds import connection, flow, integration, notification, schedule
from cwsync.kinds.base import Action, Behaviour, Kind, Rule, Write
from cwsync.kinds.lists import ChangeLists, Import, Moved, Removed
from cwsync.kinds.naming import Naming, Written
from cwsync.kinds.values import Desired, Fields, Observed, Ref, Snapshot, TypeOf, same_id

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (connection.KIND, integration.KIND, schedule.KIND, notification.KIND, flow.KIND)
}
"""By name, in dependency order: a kind refers only to kinds before it."""

SECTIONS: dict[str, Kind] = {kind.section: kind for kind in KINDS.values()}

__all__ = [
    "KINDS",
    "SECTIONS",
    "Action",
    "Behaviour",
    "ChangeLists",
    "Desired",
    "Fields",
    "Import",
    "Kind",
    "Moved",
    "Naming",
    "Observed",
    "Ref",
    "Removed",
    "Rule",
    "Snapshot",
    "TypeOf",
    "Write",
    "Written",
    "same_id",
]
