"""What the table of faults is driven by: a scene to go wrong in, and what a command asked, told and left behind."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from threading import Lock
from typing import Any

from pydantic import SecretStr
from support.program import Ran
from support.projects import SETTINGS, Project
from support.tenant import Json, Tenant
from unit.apply.rig import SECRETS, Manifest

from cwsync.api import Basic, Client, Endpoint
from cwsync.api.clock import Clock

STATE = ".cwsync/test.state.json"
# One more than a page holds, of each kind that has a list; with what is ours, every list has two pages.
CROWD = 251
LISTS = {
    "connection": "/2/0/integrations/connections",
    "integration": "/2/0/integration[s]",
    "flow": "/2/0/integrationflow[s]",
}
# What is read in a list, or by a pointer in it.
READ_WITH = {
    "connection": {"connection"},
    "integration": {"integration", "schedule", "notification"},
    "notification": {"notification"},
    "flow": {"flow"},
}
_THEIRS: Mapping[str, Json] = {
    "connection": {"body": {"name": "Theirs"}},
    "integration": {"name": "Theirs", "processId": "1"},
    "flow": {"name": "Theirs", "steps": []},
}
_ID = {"connections": "connectionId", "integrations": "integrationId", "flows": "id"}
_EACH_TIME = ("creationDate", "modificationDate", "createdBy", "modifiedBy", "notificationId", "secrets")


@dataclass(frozen=True)
class Told:
    """What a command ended in: its status, the codes that it told, its document, and what CloudWorks was asked."""

    ran: Ran
    asked: list[str]

    @property
    def codes(self) -> list[str]:
        """Every code that it told of, once."""
        return sorted(set(re.findall(r"\bCW\d{3}\b", self.ran.all)))

    @property
    def document(self) -> Json:
        found: Json = json.loads(self.ran.out)
        return found

    @property
    def digest(self) -> str:
        return str(self.document["cwsync"]["digest"])

    @property
    def sent(self) -> list[str]:
        """What could have changed CloudWorks."""
        return [one for one in self.asked if not one.startswith("GET ") and "/token/" not in one]

    def times(self, method: str, path: str) -> int:
        """How often CloudWorks was asked so; `path` may have *, ? and [."""
        return sum(fnmatchcase(one.partition("?")[0], f"{method} {path}") for one in self.asked)


@dataclass(frozen=True)
class Scene:
    """A project, its tenant, and commands whose every request is known."""

    project: Project
    tenant: Tenant

    @classmethod
    def set(cls, tenant: Tenant, folder: Path, theirs: int = 1) -> Scene:
        """A project without manifests, in a tenant with so many objects of other people, of each kind."""
        project = Project(folder)
        project.write("cwsync.yaml", SETTINGS.format(url=tenant.url))
        for name, value in {**SECRETS, "secrets/password": "made-up-password"}.items():
            project.write(name, value)
        edits = [
            {"action": "create", "kind": kind, "body": _named(body, f"Theirs {n:03}")}
            for kind, body in _THEIRS.items()
            for n in range(theirs)
        ]
        tenant._post("edit", {"by": "Grace Hopper", "edits": edits})
        return cls(project, tenant)

    def declare(self, manifest: Manifest) -> None:
        self.project.write("manifests/all.json", json.dumps(manifest))

    def run(self, *arguments: str) -> Told:
        before = len(self.tenant.requests())
        ran = self.project.run(*arguments, "--format", "json")
        assert "Traceback" not in ran.all
        assert "needle" not in ran.all
        assert "made-up-password" not in ran.all
        asked = [f"{one['method']} {one['path']}" for one in self.tenant.requests()[before:]]
        return Told(ran, asked)

    def plan(self) -> Told:
        return self.run("plan")

    def apply(self) -> Told:
        return self.run("apply", "--auto-approve")

    def id_of(self, address: str) -> str:
        found: str = json.loads(self.project.read(STATE))["resources"][address]["id"]
        return found

    def resources(self) -> Json:
        """What the state says is managed."""
        found: Json = json.loads(self.project.read(STATE))["resources"]
        return found

    def theirs(self) -> list[str]:
        """The objects of other people, with who touched them and when."""
        found = self.tenant.snapshot()
        return [json.dumps(one, sort_keys=True) for kind in _ID for one in found[kind] if _is_theirs(one)]

    def shape(self) -> list[str]:
        """Every object, without what differs from run to run: ids, dates and who did it."""
        found = self.tenant.snapshot()
        names = {one[id]: f"<{_name(one)}>" for kind, id in _ID.items() for one in found[kind]}
        plain = [
            json.dumps([kind, {name: value for name, value in one.items() if name not in _EACH_TIME}])
            for kind in (*_ID, "notifications")
            for one in found[kind]
        ]
        return sorted(_replaced(text, names) for text in plain)


@dataclass
class Time:
    """A clock that stands still but for those who sleep."""

    now: float = 1_795_000_000.0
    slept: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds
            self.slept += seconds

    def client(self, tenant: Tenant) -> Client:
        """A client of the tenant that waits by this clock."""
        return Client(
            Endpoint(f"{tenant.url}/2/0", tenant.url),
            Basic("ci@example.com", SecretStr("made-up-password")),
            parallelism=1,
            per_second=None,
            clock=Clock(lambda: self.now, self.sleep, lambda: self.now),
        )


def _name(one: Mapping[str, Any]) -> str:
    return str((one.get("body") or one)["name"])


def _is_theirs(one: Mapping[str, Any]) -> bool:
    return _name(one).startswith("Theirs")


def _named(body: Json, name: str) -> Json:
    return {"body": {**body["body"], "name": name}} if "body" in body else {**body, "name": name}


def _replaced(text: str, names: Mapping[str, str]) -> str:
    for id, name in names.items():
        text = text.replace(id, name)
    return text
