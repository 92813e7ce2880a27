"""One project on both profiles of the emulator: what was asked, what was planned, and what came of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from support.program import Ran
from support.projects import EXAMPLES, SECRETS, SETTINGS, Project
from support.tenant import Tenant, served

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Json = Any
PROFILES = ("observed", "documented")
ALICE, BOB = "2c9ba1b6729b7fd80172c3f635db40f7", "8a80db4c7a3c1f61017a4e2f0d3b5a19"
_ID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class Exchange:
    """A request to CloudWorks and its reply; bodies as JSON where they are."""

    method: str
    path: str
    query: Mapping[str, str]
    sent: Json
    status: int
    reply: Json


Ask = Callable[[str, str, Json], tuple[int, str] | None]
Answer = Callable[[Exchange], Json]


class Wire:
    """Stands before the emulator: notes every exchange, and spells a reply in another way, or refuses.

    `ask` may refuse a request with a status and a message, `answer` gives a successful JSON reply another
    form, `largest` is the largest page that is given.
    """

    def __init__(
        self, ask: Ask | None = None, answer: Answer | None = None, largest: int | None = None
    ) -> None:
        self.exchanges: list[Exchange] = []
        self.respelled = 0  # replies that got another form
        self._ask = ask
        self._answer = answer
        self._largest = largest

    def around(self, app: WSGIApplication) -> WSGIApplication:
        def call(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            if not environ["PATH_INFO"].startswith("/2/0/"):
                return app(environ, start)
            return self._call(app, environ, start)

        return call

    def _call(self, app: WSGIApplication, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        content = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"].removeprefix("/2/0")
        sent, query = _json(content), dict(parse_qsl(environ.get("QUERY_STRING", "")))
        if self._largest and "limit" in query:
            shorter = {**query, "limit": str(min(int(query["limit"]), self._largest))}
            environ = {**environ, "QUERY_STRING": "&".join(f"{key}={shorter[key]}" for key in shorter)}
        refused = self._ask(method, path, sent) if self._ask else None
        if refused:
            status, message = refused
            body = json.dumps({"status": {"code": status, "message": message}}).encode()
            headers = [("Content-Type", "application/json")]
        else:
            status, headers, body = _answered(app, {**environ, "wsgi.input": BytesIO(content)})
        exchange = Exchange(method, path, query, sent, status, _json(body))
        if self._answer and status == 200 and exchange.reply is not None:
            given, other = exchange.reply, self._answer(_copy(exchange))
            self.respelled += other != given
            exchange = Exchange(method, path, query, sent, status, other)
            body = json.dumps(exchange.reply).encode()
        self.exchanges.append(exchange)
        kept = [each for each in headers if each[0].lower() != "content-length"]
        start(f"{status} Whatever", [*kept, ("Content-Length", str(len(body)))])
        return [body]


def _answered(app: WSGIApplication, environ: WSGIEnvironment) -> tuple[int, list[tuple[str, str]], bytes]:
    begun: list[tuple[int, list[tuple[str, str]]]] = []

    def start(
        status: str, headers: list[tuple[str, str]], _exc_info: object = None, /
    ) -> Callable[..., object]:
        begun.append((int(status[:3]), headers))
        return lambda _data: None

    body = b"".join(app(environ, start))
    return *begun[0], body


def _copy(exchange: Exchange) -> Exchange:
    return Exchange(**{**vars(exchange), "reply": deepcopy(exchange.reply)})


def _json(content: bytes) -> Json:
    try:
        return json.loads(content)
    except ValueError:
        return None


@dataclass
class Scene:
    """A project and its tenant. `outcomes` has, of each step, its plan and what there was in the end."""

    profile: str
    tenant: Tenant
    project: Project
    wire: Wire
    outcomes: list[Json] = field(default_factory=list)

    def write(self, manifest: Json) -> None:
        self.project.write("manifests/all.json", json.dumps(manifest))

    def ok(self, *arguments: str, status: int = 0) -> Ran:
        ran = self.project.run(*arguments)
        assert ran.status == status, f"{self.profile}: {arguments}: {ran.all}"
        return ran

    def json(self, *arguments: str, status: int = 0) -> Json:
        return json.loads(self.ok(*arguments, "--format", "json", status=status).out)

    def settle(self, manifest: Json) -> Scene:
        """Make the tenant what the manifest says; after that there is nothing more to do."""
        self.write(manifest)
        planned = self.plain(self.json("plan"))
        self.ok("apply", "--auto-approve")
        again = self.json("plan", "--detailed-exitcode")
        self.outcomes.append({"plan": planned, "again": self.plain(again), "end": self.end()})
        return self

    def destroy(self) -> None:
        self.ok("destroy", "--auto-approve")
        assert not any(self.tenant.snapshot()[kind] for kind in ("connections", "integrations", "flows"))
        assert self.resources() == {}

    def resources(self) -> Json:
        return json.loads(self.project.read(".cwsync/test.state.json"))["resources"]

    def sent(self, method: str, path: str) -> list[Exchange]:
        """The requests with this method, whose path (ids as `{id}`) is this one."""
        return [each for each in self.wire.exchanges if (each.method, template(each.path)) == (method, path)]

    def bodies(self, method: str, path: str) -> list[Json]:
        return [each.sent for each in self.sent(method, path)]

    def plain(self, plan: Json) -> Json:
        """A plan without what no two tenants have in common: ids, the address, the reads, the digest.

        What can't be verified is asked of each profile apart: they do not show the same fields. What
        drifted is told by `drift`.
        """
        told = {**plan, "resource_drift": [each["address"] for each in plan["resource_drift"]]}
        own = ("digest", "reads", "tenant", "unverifiable")
        told["cwsync"] = {key: value for key, value in plan["cwsync"].items() if key not in own}
        return self.named(told)

    def end(self) -> Json:
        """What cwsync knows, and what there is of all that is managed."""
        there, known = self.tenant.snapshot(), self.resources()
        managed = {each["id"].replace("-", "") for each in known.values()}
        shown = {
            "connections": [_only(each, "connectionType", "body", "workspaceId") for each in there["connections"]],
            "integrations": [
                _only(each, "name", "workspaceId", "modelId", "nuxVisible", "processId", "jobs", "schedule")
                for each in there["integrations"]
            ],
            "notifications": [
                _only(each, "integrationId", "channels", "config")
                for each in there["notifications"]
                if each["notificationId"] in managed
            ],
            "flows": [_only(each, "name", "steps") for each in there["flows"]],
            "known": [{"address": address, **_only(each, "kind", "id", "name", "applied", "parent")}
                      for address, each in known.items()],
        }  # fmt: skip
        named = self.named(shown)
        return {kind: sorted(named[kind], key=json.dumps) for kind in named}

    def named(self, value: Json) -> Json:
        """The value with names for ids; lists of texts are sets here, and sorted."""
        there: Json = self.tenant.snapshot()
        names: dict[str, str] = {}
        for kind, key in (
            ("connections", "connectionId"),
            ("integrations", "integrationId"),
            ("flows", "id"),
        ):
            names |= {each[key]: f"<{(each.get('body') or each)['name']}>" for each in there[kind]}
        for each in there["notifications"]:
            names[each["notificationId"]] = f"<notification of {names.get(each['integrationId'])}>"

        def name(found: re.Match[str]) -> str:
            id = found[0].replace("-", "").lower()
            return names.get(id, id)

        return _sorted(json.loads(_ID.sub(name, json.dumps(value))))


def _only(document: Json, *keys: str) -> Json:
    return {key: document[key] for key in keys if document.get(key) is not None}


def _sorted(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return sorted(value) if all(isinstance(item, str) for item in value) else [*map(_sorted, value)]
    return value


def template(path: str) -> str:
    return _ID.sub("{id}", path)


@contextmanager
def scene(profile: str, folder: Path, wire: Wire | None = None, **options: Any) -> Iterator[Scene]:
    """An empty tenant of this profile, and an empty project for it."""
    wire = wire or Wire()
    with served(around=wire.around, profile=profile, **options) as tenant:
        project = Project(folder / profile)
        project.write("cwsync.yaml", SETTINGS.format(url=tenant.url))
        for name, text in {**SECRETS, "sas": "sv=made-up"}.items():
            project.write(f"secrets/{name}", text)
        project.write("secrets/bq", (EXAMPLES / "all-kinds/secrets/bigquery.json").read_text())
        yield Scene(profile, tenant, project, wire)


def tell(
    profile: str, folder: Path, *manifests: Json, answer: Answer | None = None, ask: Ask | None = None
) -> Scene:
    """Settle one manifest after the other; without any, the first two steps of the whole story."""
    with scene(profile, folder, Wire(ask, answer)) as told:
        for manifest in manifests or (EVERYTHING, CHANGED):
            told.settle(manifest)
        if manifests:
            assert told.json("drift")["drifted"] == []
            told.destroy()
        return told


def respelled(folder: Path, stories: Mapping[str, Scene], answer: Answer) -> None:
    """Replies in another form make no difference: not to a plan, nor to what there is in the end."""
    for profile in PROFILES:
        told = tell(profile, folder, answer=answer)
        assert told.wire.respelled, "no reply has what the test respells"
        assert told.outcomes == stories[profile].outcomes[:2]


def every(value: Json, change: Callable[[dict[str, Any]], Json]) -> Json:
    """The reply with each of its objects, the inner ones first, put through `change`."""
    if isinstance(value, dict):
        return change({key: every(item, change) for key, item in value.items()})
    return [every(item, change) for item in value] if isinstance(value, list) else value


def changed(manifest: Json, *changes: tuple[str, Json]) -> Json:
    """The manifest with other values at these paths, such as `flows.nightly.name`."""
    other = json.loads(json.dumps(manifest))  # nothing in it is shared
    for path, value in changes:
        *outer, last = path.split(".")
        inner = other
        for part in outer:
            inner = inner[int(part) if isinstance(inner, list) else part]
        if value is None:
            del inner[last]
        else:
            inner[last] = value
    return other


_S3 = {"accessKeyId": {"fromFile": "secrets/key"}, "secretAccessKey": {"fromFile": "secrets/secret"}}
_TO_MODEL = {"actionId": 112000000005, "fileId": 113000000000}
_SCHEDULE = {"startDate": "2030-01-07", "timezone": "Greenwich"}
EVERYTHING: Json = {
    "connections": {
        "sales": {"type": "AmazonS3", "name": "Sales S3", "bucketName": "landing", **_S3,
                  "roleArn": "arn:aws:iam::123475742:role/sampleReadOnly"},
        "lake": {"type": "AzureBlob", "storageAccountName": "mylake", "containerName": "raw",
                 "sasToken": {"fromFile": "secrets/sas"}},
        "tables": {"type": "GoogleBigQuery", "dataset": "dev", "serviceAccountKey": {"fromFile": "secrets/bq"},
                   "workspaceId": "8a81b09d5e8c6f27015ece3402487d33"},
    },
    "integrations": {
        "accounts": {"name": "Accounts import",
                     "jobs": [{"import": {"connection": "sales", "file": "Accounts.csv", **_TO_MODEL}}]},
        "skus": {"name": "SKU export", "jobs": [{"export": {
            "connection": "tables", "table": "SKU_data", "actionId": 116000000053, "overwrite": True,
            "mapping": {"Size": "size", "SKU": "sku"}}}]},
        "close": {"name": "Month close", "processId": 118000000001, "jobs": [
            {"import": {"connection": "lake", "file": "rates.csv", **_TO_MODEL}},
            {"export": {"connection": "lake", "file": "out/", "actionId": 116000000054, "overwrite": False}}]},
        "tidy": {"processId": 118000000002},
    },
    "schedules": {
        "accounts": {"type": "monthly_relative_weekday", "dayOfWeek": "wed", "repeatEvery": 2, "time": "06:15",
                     **_SCHEDULE},
        "skus": {"type": "hourly", "repeatEvery": 2, "fromTime": "08:00", "toTime": "18:00",
                 "daysOfWeek": [1, 2, 5], **_SCHEDULE},
        "close": {"type": "daily", "time": "12:45", "enabled": False, "endDate": "2030-12-31", **_SCHEDULE},
        "tidy": {"type": "weekly", "time": "12:45", "daysOfWeek": ["sun", "sat"], **_SCHEDULE},
    },
    "notifications": {
        "accounts": {"channels": ["email", "in_app"], "notify": {"success": ["alice", BOB], "full_failure": ["alice"]}},
        "skus": {"channels": ["email"], "notify": {"partial_failure": [BOB]}},
    },
    "flows": {
        "nightly": {"name": "Nightly load", "steps": [
            {"integration": "accounts"},
            {"integration": "skus", "onPartialSuccess": "stop"},
            {"integration": "close", "dependsOn": ["accounts", "skus"], "skip": True}]},
    },
}  # fmt: skip
# Something else of every kind and every type, and a connection's name alone.
CHANGED = changed(
    EVERYTHING,
    ("connections.sales.name", "Sales"),
    ("connections.lake.containerName", "landing"),
    ("connections.tables.dataset", "prod"),
    ("integrations.accounts.name", "Accounts load"),
    ("integrations.skus.jobs.0.export.overwrite", False),
    ("integrations.close.nuxVisible", True),
    ("integrations.tidy.jobs", [{"import": {"connection": "sales", "file": "t.csv", **_TO_MODEL}}]),
    ("schedules.accounts.dayOfWeek", "thu"),
    ("schedules.skus.toTime", "19:00"),
    ("schedules.close.time", "13:00"),
    ("schedules.tidy.enabled", False),
    ("notifications.accounts.notify", {"success": [BOB], "partial_failure": ["alice"]}),
    ("flows.nightly.steps.1.onFailure", "continue"),
    ("flows.nightly.steps.2.skip", False),
)
# One of every kind goes.
LESS = changed(
    CHANGED,
    ("connections.lake", None),
    ("integrations.close", None),
    ("schedules.close", None),
    ("schedules.skus", None),
    ("notifications.skus", None),
    ("flows.nightly.steps", [{"integration": "skus"}, {"integration": "accounts"}]),
)
