"""What the machine knows to be true: whose the objects are, and what a saved plan was made from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from crash.machine_outside import Place
from crash.machine_project import plain
from property.worlds import Resources

Json = dict[str, Any]
IDS = {"connections": "connectionId", "integrations": "integrationId", "flows": "id"}
KINDS = {"connections": "connection", "integrations": "integration", "flows": "flow"}
LONG = ("--lock-timeout", "400")
# What a run may be told when something goes wrong on the way: by the service, the state, or the outcome.
UNDER_TROUBLE = re.compile(r"CW(30\d|31[0-5]|401|405|501|513|60[145])$")
_OF_THE_MOMENT = ("creationDate", "modificationDate", "createdBy", "modifiedBy", "latestRun")


def objects(snapshot: Json) -> dict[str, tuple[str, Json]]:
    """All that have a name, by id, each with its section; the parts of an integration are in it."""
    parts = {one["notificationId"]: one for one in snapshot["notifications"]}
    return {
        one[id]: (section, {**one, "notification": parts.get(one.get("notificationId"))})
        for section, id in IDS.items()
        for one in snapshot[section]
    }


def name_of(one: Json) -> str:
    return str((one.get("body") or one)["name"])


def users_of(snapshot: Json, ids: Iterable[str]) -> set[str]:
    """The ids of those that refer to one of these."""
    wanted = set(ids)
    return {id for id, (_, one) in objects(snapshot).items() if wanted.intersection(texts(one)) - {id}}


def texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value


def without_moments(snapshot: Json) -> dict[str, Json]:
    """What a plan could see of each object."""
    return {
        id: {key: value for key, value in one.items() if key not in _OF_THE_MOMENT}
        for id, (_, one) in objects(snapshot).items()
    }


@dataclass(frozen=True)
class Saved:
    """A plan in a file, and all that it was made from."""

    file: str
    destroy: bool
    made: float
    state: tuple[str | None, int]
    declared: Resources
    secrets: int
    tenant: Mapping[str, Json]
    calls: tuple[tuple[str, str], ...]
    addresses: frozenset[str]

    @classmethod
    def read(cls, place: Place, file: str, declared: Resources, secrets: int, *, destroy: bool) -> Saved:
        plan = json.loads((place.root / file).read_text())["plan"]
        state = place.state
        return cls(
            file, destroy, place.now, (state["lineage"], state["serial"]), plain(declared), secrets,
            without_moments(place.tenant.snapshot()), tuple((c["method"], c["path"]) for c in plan["calls"]),
            frozenset(change["address"] for change in plan["changes"]),
        )  # fmt: skip

    def outcomes(self, place: Place, declared: Resources, secrets: int) -> set[str]:
        """The codes that it may be refused with, or `applied`. One alone is certain."""
        state = place.state
        if place.now - self.made > 7 * 24 * 3600:
            return {"CW514"}
        if not self.destroy and plain(declared) != self.declared:
            return {"CW512"}
        if state["pending"]:
            return {"CW515"}
        if (state["lineage"], state["serial"]) != self.state:
            return {"CW511"}
        if not self.destroy and secrets != self.secrets and declared["connections"]:
            return {"CW512", "CW513"}
        ours = {entry["id"] for entry in state["resources"].values() if entry["kind"] in KINDS.values()}
        now = without_moments(place.tenant.snapshot())
        if any(_seen(now.get(id)) != _seen(self.tenant.get(id)) for id in ours):
            return {"CW513"}
        return {"applied"} if now == self.tenant else {"CW513", "applied"}

    def is_what_was_sent(self, sent: list[str]) -> bool:
        """Whether a run made exactly the calls that were reviewed. What a notification needs is found out on
        the way (facts C4, F6): it may be deleted and made again."""
        wanted = [(method, path) for method, path in self.calls]
        for each in sent:
            method, _, path = each.partition(" ")
            fitting = [call for call in wanted if call[0] == method and _fits(call[1], path)]
            fitting.sort(key=lambda call: "{" in call[1])
            if fitting:
                wanted.remove(fitting[0])
            elif "/notification" not in path:
                return False
        return all("/notification" in path for _, path in wanted)


def _seen(one: Json | None) -> Json | None:
    """What is an integration's own, without its parts, which may be nobody's business."""
    if one is None:
        return None
    return {
        key: value for key, value in one.items() if key not in ("schedule", "notification", "notificationId")
    }


def _fits(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\\\{.*?\\\}", "[0-9a-f]{32}", re.escape(template)), path) is not None
