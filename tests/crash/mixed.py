"""One apply that does everything at once: all kinds are made, changed, renamed, replaced and deleted, in a tenant
where a colleague has objects of her own, some of which use ours."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crash.sites import LOCAL, Opens, Site, in_file
from support.program import cwsync
from support.tenant import Tenant, served

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

Json = dict[str, Any]
Manifest = dict[str, dict[str, Json]]

SECRETS = {"password": "needle-password", "key": "needle-key", "secret": "needle-secret", "sas": "needle-sas"}
ALICE, BOB = "2c9ba1b6729b7fd80172c3f635db40f7", "3d0cb2c7830c80e91283d4f746ec51a8"
MODEL = {"workspaceId": "8a81b09d5e8c6f27015ece3402487d33", "modelId": "35A6EF893D7F47EEA5A554D5CC7DC330"}

DATA = "tenant.db"
STATE = Path("project") / LOCAL
_SETTINGS = """\
version: 1
environment: test
environments:
  test:
    api: {url}/2/0
    auth: {url}
    authenticate: {{basic: {{username: ci@example.com, password: {{fromFile: secrets/password}}}}}}
    state: {state}
    guards: {{maxDeletes: 100, maxDeletePercent: 100}}
    requests: {{parallelism: {parallelism}, perSecond: 1000}}
"""
# Where the tenant listens, in the base; each copy of it listens elsewhere.
_ANYWHERE = "http://127.0.0.1:1"


def s3(name: str, bucket: str = "landing") -> Json:
    secrets = {"accessKeyId": {"fromFile": "secrets/key"}, "secretAccessKey": {"fromFile": "secrets/secret"}}
    return {"type": "AmazonS3", "name": name, "bucketName": bucket, **secrets}


def azure(name: str, container: str = "raw") -> Json:
    places = {"storageAccountName": "mylake", "containerName": container}
    return {"type": "AzureBlob", "name": name, **places, "sasToken": {"fromFile": "secrets/sas"}}


def imports(name: str, connection: str, file: str = "a.csv") -> Json:
    job = {"connection": connection, "file": file, "actionId": "112000000005", "fileId": "113000000000"}
    return {"name": name, **MODEL, "jobs": [{"import": job}]}


def process(name: str, **more: Any) -> Json:
    return {"name": name, **MODEL, "processId": "118000000001", **more}


def daily(time: str = "12:45", **more: Any) -> Json:
    return {"type": "daily", "time": time, "startDate": "2099-01-07", "timezone": "Greenwich", **more}


def notify(*users: str) -> Json:
    return {"channels": ["email"], "notify": {"full_failure": list(users)}}


def flow(name: str, *steps: str) -> Json:
    return {"name": name, "steps": [{"integration": step} for step in steps]}


BEFORE: Manifest = {
    "connections": {
        "sales": s3("Sales"),
        "lake": azure("Lake"),
        "stock": s3("Stock", "stock"),
        "spare": s3("Spare"),
        "old": azure("Old"),
        "north": azure("North"),
        "south": azure("South"),
    },
    "integrations": {
        "accounts": imports("Accounts", "sales"),
        "prices": imports("Prices", "lake"),
        "stock-in": imports("Stock in", "stock"),
        "stock-out": imports("Stock out", "stock", "out.csv"),
        "close": process("Close"),
        "tidy": process("Tidy"),
        "legacy": imports("Legacy", "old"),
    },
    "schedules": {
        "accounts": daily(),
        "prices": daily(),
        "stock-in": daily(enabled=False),
        "close": daily(),
        "legacy": daily(),
    },
    "notifications": {"accounts": notify(ALICE), "prices": notify(ALICE), "stock-in": notify(BOB)},
    "flows": {"nightly": flow("Nightly", "accounts", "prices"), "weekly": flow("Weekly", "close", "tidy")},
}
AFTER: Manifest = {
    "connections": {
        "sales": s3("Sales S3", "sales"),  # renamed and changed
        "lake": azure("Lake", "curated"),
        "stock": azure("Stock", "stock"),  # another type: replaced, while two integrations use it
        "north": azure("South"),  # these two exchange their names
        "south": azure("North"),
        "new-s3": s3("New S3"),
        "new-lake": azure("New lake"),
        "newer-lake": azure("Newer lake"),
    },
    "integrations": {
        "accounts": imports("Accounts import", "sales"),
        "prices": imports("Prices", "new-lake", "prices.csv"),
        "stock-in": imports("Stock in", "stock"),
        "stock-out": imports("Stock out", "stock", "out.csv"),
        "close": process("Close", nuxVisible=True),
        "budget": imports("Budget", "new-s3"),
        "plans": imports("Plans", "newer-lake"),
        "rates": imports("Rates", "sales", "rates.csv"),
        "roll": process("Roll"),
    },
    "schedules": {
        "accounts": daily("06:15"),
        "prices": daily(enabled=False),
        "stock-in": daily(),
        "budget": daily(),
        "plans": daily("22:00", enabled=False),
    },
    "notifications": {
        "accounts": notify(ALICE, BOB),
        "stock-in": notify(ALICE),
        "budget": notify(ALICE),
        "plans": notify(BOB),
    },
    "flows": {
        "nightly": flow("Nightly load", "accounts", "prices", "stock-in"),
        "monthly": flow("Monthly", "close", "roll"),
        "planning": flow("Planning", "budget", "plans"),
    },
}
DECLARED = [f"{section[:-1]}.{key}" for section, those in AFTER.items() for key in those]


@dataclass(frozen=True)
class Scene:
    """A project and its tenant, in a folder of their own, with the tenant listening, and where the state is."""

    folder: Path
    tenant: Tenant
    site: Site
    store: str

    @property
    def root(self) -> Path:
        return self.folder / "project"


@dataclass(frozen=True)
class Base:
    """Where every execution begins: `BEFORE` is applied, `AFTER` is written. It is copied, not applied anew; the
    state of a copy is in a `store` that `opens`."""

    folder: Path
    parallelism: int = 8
    store: str = "local"
    opens: Opens = in_file

    def build(self) -> Base:
        with served(data=self.folder / DATA) as tenant:
            root, state = self.folder / "project", self.folder / STATE
            foreign(tenant)
            write_project(root, tenant.url, BEFORE, self.parallelism)
            done = cwsync("apply", "--auto-approve", folder=root)
            assert done.status == 0, done.all
            tenant.edit("create", "flow", body=_their_flow(tenant))
            write_project(root, _ANYWHERE, AFTER, self.parallelism)
            _write(state, state.read_text().replace(tenant.url, _ANYWHERE))
        return self

    @contextmanager
    def copied(
        self,
        folder: Path,
        around: Callable[[WSGIApplication], WSGIApplication] = lambda app: app,
        around_writes: Callable[[Callable[[], None]], object] = lambda make: make(),
    ) -> Iterator[Scene]:
        """The same project and tenant once more. The folder must not exist, and is gone afterwards."""
        shutil.copytree(self.folder, folder)
        root, state = folder / "project", folder / STATE
        try:
            with served(data=folder / DATA, around=around) as tenant, self.opens(root) as site:
                document = state.read_text().replace(_ANYWHERE, tenant.url)
                state.unlink()
                site.put(document.encode(), around_writes)
                write_project(root, tenant.url, AFTER, self.parallelism, site.setting)
                yield Scene(folder, tenant, site, self.store)
        finally:
            shutil.rmtree(folder)


def foreign(tenant: Tenant) -> None:
    """What Grace Hopper has in the tenant before we come."""
    connection = tenant.edit("create", "connection", body={"type": "AmazonS3", "body": {"name": "Theirs"}})
    tenant.edit("create", "integration", body={"name": "Their import", **_job(connection)})
    tenant.edit("create", "integration", body={"name": "Their export", **_job(connection)})


def _job(connection: str) -> Json:
    job = {
        "type": "AmazonS3ToAnaplan",
        "sources": [{"type": "AmazonS3", "connectionId": connection, "file": "theirs.csv"}],
        "targets": [{"type": "Anaplan", "actionId": "112000000009", "fileId": "113000000009"}],
    }
    return {"version": "2.0", **MODEL, "jobs": [job]}


def _their_flow(tenant: Tenant) -> Json:
    """A flow that uses one of ours, which is renamed."""
    ids = {each["name"]: each["integrationId"] for each in tenant.snapshot()["integrations"]}
    return {"name": "Their flow", "steps": [{"referrer": ids["Their import"]}, {"referrer": ids["Accounts"]}]}


def write_project(root: Path, url: str, manifest: Manifest, parallelism: int, state: str = LOCAL) -> None:
    for name, value in SECRETS.items():
        _write(root / "secrets" / name, value)
    _write(root / "cwsync.yaml", _SETTINGS.format(url=url, parallelism=parallelism, state=state))
    _write(root / "manifests/all.json", json.dumps(manifest))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
