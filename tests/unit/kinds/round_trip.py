"""A service for kinds alone: their bodies go to the emulator, and its replies come back through them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
from pydantic import SecretStr

from cwsync.emulator import application
from cwsync.kinds import KINDS, Action, Desired, Fields, Observed, Ref, TypeOf, Write, same_id
from cwsync.kinds.values import replace_refs
from cwsync.manifest import load_manifests
from cwsync.project import load_project, manifest_files

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "all-kinds"


@cache
def example_resources() -> Mapping[str, Desired]:
    """Everything that examples/all-kinds declares, and the two jobs that it has no room for."""
    project = load_project(EXAMPLE, "dev")
    files = [(file, file.name) for file in manifest_files(project)]
    more = Path(__file__).parent / "more_jobs.yaml"
    manifest = load_manifests(
        [*files, (more, more.name)],
        defaults=project.defaults,
        users=project.users,
        variables=project.environment.variables,
    )
    return manifest.resources


def opened(value: Any) -> Any:
    """A body as it goes out: with its secrets."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Mapping):
        return {key: opened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [opened(item) for item in value]
    return value


class Service:
    """An emulator, and the ids of what was made in it."""

    def __init__(self) -> None:
        self._app = application()
        self._http = httpx.Client(transport=httpx.WSGITransport(self._app), base_url="http://e")
        reply = self._http.post("/token/authenticate", auth=("anybody", "anything"))
        token = reply.json()["tokenInfo"]["tokenValue"]
        self._http.headers["Authorization"] = f"AnaplanAuthToken {token}"
        self.ids: dict[str, str] = {}
        self.resources: Mapping[str, Desired] = {}

    def __enter__(self) -> Service:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()
        self._app.close()

    def make_all(self, resources: Mapping[str, Desired]) -> None:
        """Create everything, and then send it all again as a change."""
        self.resources = resources
        for kind in KINDS.values():
            for one in [one for one in resources.values() if one.kind == kind.name]:
                self._make(one)
        for one in resources.values():
            for action in KINDS[one.kind].update_actions(frozenset({"enabled", "more"}), one.fields):
                self._send(one, action)

    def _make(self, one: Desired) -> None:
        kind = KINDS[one.kind]
        parent = self.ids[one.parent.address or ""] if one.parent else ""
        if kind.name == "notification":  # the service made one with the integration (facts A5)
            self.ids[one.address] = self._integration(parent)["notificationId"]
            self._send(one, Action.UPDATE)
            return
        for action in kind.create_actions(one.fields):
            reply = self._send(one, action)
            if action is Action.CREATE:
                self.ids[one.address] = (
                    reply[kind.created_id[0]][kind.created_id[1]] if kind.created_id else parent
                )

    def _send(self, one: Desired, action: Action) -> Any:
        kind = KINDS[one.kind]
        method, path = kind.calls[action]
        secrets = {name: source.read(EXAMPLE) for name, source in one.secrets.items()}
        body = kind.to_wire(Write(action, self.resolved(one.fields), secrets))
        path = path.replace("{id}", self.ids.get(one.address, ""))
        path = path.replace("{parent}", self.ids.get(one.parent.address or "", "") if one.parent else "")
        reply = self._http.request(method, f"/2/0{path}", json=None if body is None else opened(body))
        assert reply.status_code == 200, (one.address, action, opened(body), reply.text)
        return reply.json()

    def resolved(self, fields: Fields) -> Fields:
        """The fields with ids, as they compare."""

        def value(ref: Ref | TypeOf) -> str:
            if isinstance(ref, TypeOf):
                return str(self.resources[ref.ref.address or ""].fields["type"])
            return same_id(self.ids[ref.address or ""])

        made = replace_refs(fields, value)
        assert isinstance(made, dict)
        return made

    def observed(self, address: str) -> Observed:
        """What the tenant shows of it: its item of the list, and its detail."""
        one = self.resources[address]
        kind, id = KINDS[one.kind], self.ids[address]
        item: dict[str, Any] = {}
        listing = KINDS["integration"].listing if kind.name == "schedule" else kind.listing
        if listing is not None:
            pages = self._get(f"{listing.path}?limit=250")[listing.key]
            item = next(each for each in pages if each[listing.id_key] == id)
        if kind.detail is not None:
            path, key = kind.detail
            item |= self._get(path.replace("{id}", id))[key]
        seen = kind.from_wire(item)
        assert seen is not None
        assert same_id(seen.id) == same_id(id)
        return seen

    def _integration(self, id: str) -> Any:
        return self._get(f"/integrations/{id}")["integration"]

    def _get(self, path: str) -> Any:
        reply = self._http.get(f"/2/0{path}")
        assert reply.status_code == 200, reply.text
        return reply.json()
