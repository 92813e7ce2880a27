"""What people do in the web interface behind our back, and which objects are theirs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import httpx
from crash.invariants import Key, content
from crash.invariants import objects as all_objects
from crash.machine_model import IDS, KINDS, Json, name_of, objects, users_of
from crash.machine_outside import CONNECTIONS, Place
from crash.machine_project import NAMES, NEEDLE, PLACES, plain
from property.worlds import MODEL, WORKSPACE, Resources

COLLEAGUE = "Grace Hopper"  # as Tenant.edit signs


class People:
    """`foreign` is all that isn't ours, as somebody left it: that is how it must stay."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.tenant = place.tenant
        self.foreign: dict[Key, str] = {}
        self.did: list[str] = []
        self.numbers = iter(range(10**6))

    def ours(self, section: str) -> list[str]:
        return self._ids(section, foreign=False)

    def theirs(self, section: str) -> list[str]:
        return self._ids(section, foreign=True)

    def _ids(self, section: str, *, foreign: bool) -> list[str]:
        """In an order that all runs of the same steps have in common."""
        there = objects(self.tenant.snapshot())
        ids = [
            i for i, (of, _) in there.items() if of == section and ((KINDS[of], i) in self.foreign) is foreign
        ]
        return sorted(ids, key=lambda id: (name_of(there[id][1]), there[id][1]["creationDate"]))

    def that_use(self, ids: Iterable[str]) -> list[str]:
        users = users_of(self.tenant.snapshot(), ids)
        return [id for section in IDS for id in self.theirs(section) if id in users]

    def names(self, section: str) -> set[str]:
        there = objects(self.tenant.snapshot())
        return {name_of(there[id][1]) for id in self.theirs(section)}

    def get(self, keys: Iterable[Key]) -> None:
        """What cwsync has forgotten is nobody's of ours from now on, with its parts."""
        there = all_objects(self.tenant.snapshot())
        wanted = set(keys)
        owners = {id for kind, id in wanted if kind in ("integration", "flow")}
        for key, one in there.items():
            if key in wanted or key[1] in owners or one.get("integrationId") in owners:
                self.foreign[key] = content(one)

    def give(self, keys: Iterable[Key]) -> None:
        """What cwsync was told to take over is ours, with its parts."""
        ids = {id for _, id in keys}
        self.foreign = {
            key: was
            for key, was in self.foreign.items()
            if key[1] not in ids and json.loads(was).get("integrationId") not in ids
        }

    def _edit(self, action: str, section: str, **how: Any) -> None:
        """A change of what is theirs."""
        before = all_objects(self.tenant.snapshot())
        id = self.tenant.edit(action, KINDS[section], **how)
        after = all_objects(self.tenant.snapshot())
        for key in {*before, *after}:
            if key not in after:
                self.foreign.pop(key, None)
            elif after[key] != before.get(key) and (key[1] == id or key not in before or key in self.foreign):
                self.foreign[key] = content(after[key])

    def create(self, section: str, name: str, uses: Sequence[str] = ()) -> None:
        if name in self.tenant.names(section):
            return
        where = {"workspaceId": WORKSPACE, "modelId": MODEL, "version": "2.0"}
        steps = [{"referrer": id} for id in uses or self.theirs("integrations")]
        bodies: dict[str, Json] = {
            "connections": {"type": "AmazonS3", "body": {"name": name, "bucketName": "theirs"}},
            "integrations": {"name": name, "processId": "118000000009", "jobs": [], **where},
            "flows": {"name": name, "steps": steps},
        }
        self._edit("create", section, body=bodies[section])

    def delete(self, section: str, id: str) -> None:
        """A connection in use stays: what the service does there is not known for sure (facts, question 12)."""
        if section != "connections" or not users_of(self.tenant.snapshot(), [id]):
            self._edit("delete", section, id=id)

    def use_ours(self, which: int) -> None:
        """A flow of theirs runs an integration of ours."""
        if ours := self.ours("integrations"):
            self.create("flows", f"Uses ours {next(self.numbers)}", [ours[which % len(ours)]])

    def edit_theirs(self, which: int, how: int) -> None:
        found = [(section, id) for section in IDS for id in self.theirs(section)]
        if not found:
            return
        section, id = found[which % len(found)]
        name = (*NAMES, "Unmanaged 7", "Unmanaged 8")[how]
        if which % 3 == 0:
            self.delete(section, id)
        elif which % 3 == 1 and section == "connections":
            self._edit("update", section, id=id, body={self._place_of(id): f"theirs{how}"})
        elif name not in self.tenant.names(section):
            self._edit("update", section, id=id, body={"name": name})

    def edit_ours(self, which: int, how: int) -> None:
        """What a colleague may do to an object that cwsync manages."""
        found = [(section, id) for section in IDS for id in self.ours(section)]
        if not found:
            return
        section, id = found[which % len(found)]
        self.did.append(f"somebody does {how} to ours")
        if how == 0:
            if section != "connections" or not users_of(self.tenant.snapshot(), [id]):
                self.tenant.edit("delete", KINDS[section], id=id)
        elif how == 1:
            self._rename_ours(section, id)
        elif section == "integrations" and how > 2:
            self._edit_part(id, how)
        else:
            one = objects(self.tenant.snapshot())[id][1]
            if section == "connections":
                body: Json = {self._place_of(id): f"changed{how}"}
            else:
                body = (
                    {"nuxVisible": not one["nuxVisible"]}
                    if "nuxVisible" in one
                    else {"steps": one["steps"][::-1]}
                )
            self.tenant.edit("update", KINDS[section], id=id, body=body)

    def _rename_ours(self, section: str, id: str) -> None:
        """What a dead run has made is found by its name: whoever renames it takes it. What a run has only just
        made stays, as nobody could tell which of the two it is."""
        state = self.place.state
        bound = any(entry["id"] == id for entry in (*state["resources"].values(), *state["deposed"]))
        if bound or not self.place.running:
            self.tenant.edit("update", KINDS[section], id=id, body={"name": f"Renamed {next(self.numbers)}"})
        if not (bound or self.place.running):
            self.get([(KINDS[section], id)])

    def _edit_part(self, id: str, how: int) -> None:
        """The notification or the schedule of an integration."""
        one = objects(self.tenant.snapshot())[id][1]
        if how == 3 and one["notification"]:
            body = {"channels": ["in_app"], "users": {"success": ["f" * 32]}}
            self.tenant.edit("update", "notification", id=id, body=body)
        elif one.get("schedule") and ("schedule", id) not in self.foreign:
            if how == 4:
                self.tenant.edit("delete", "schedule", id=id)
            else:
                self.tenant.edit("update", "schedule", id=id, body={"timezone": "Asia/Tokyo"})

    def _place_of(self, id: str) -> str:
        """The field of a connection that says where it leads."""
        body = objects(self.tenant.snapshot())[id][1]["body"]
        return next(name for name in PLACES if name in body)

    def be_quicker(self, declared: Resources, which: int) -> None:
        """An object of a name that is declared, and not there yet."""
        there = {section: self.tenant.names(section) for section in IDS}
        free = [
            (section, one["name"])
            for section in IDS
            for one in plain(declared)[section].values()
            if one["name"] not in there[section]
        ]
        if free:
            self.did.append("somebody was quicker")
            self.create(*free[which % len(free)])

    def make_a_twin(self, request: httpx.Request) -> None:
        """The very same connection as the one of the request, a moment before; who it was is all that tells,
        and can be known where cwsync had made another one before."""
        known = self.place.began["resources"].values()
        made = [one for one in known if (one["kind"], one["origin"]) == ("connection", "created")]
        there = objects(self.tenant.snapshot())
        if request.url.path != CONNECTIONS or not any(one["id"] in there for one in made):
            return
        sent = json.loads(request.content)
        body = {key: value for key, value in sent["body"].items() if NEEDLE not in json.dumps(value)}
        if body["name"] not in self.tenant.names("connections"):
            self.did.append("a twin")
            self._edit("create", "connections", body={"type": sent["type"], "body": body})

    def clear_the_way(self, declared: Resources) -> None:
        """Names that are declared are given up, and what is ours is let go of."""
        there = objects(self.tenant.snapshot())
        users = self.that_use(id for section in IDS for id in self.ours(section))
        for section in IDS:
            wanted = {one["name"] for one in plain(declared)[section].values()}
            for id in self.theirs(section):
                name = name_of(there[id][1])
                if name in wanted and section == "connections":
                    self._edit("update", section, id=id, body={"name": f"Given up {name}"})
                elif id in users or name in wanted:
                    self.delete(section, id)
