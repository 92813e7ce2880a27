"""One tenant, one state, and runs of cwsync upon them, in which anything can be made to happen between two steps.

Time stands still: whoever sleeps moves it. A request, a commit and a run can be killed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Lock
from typing import Any

import httpx
from pydantic import SecretStr
from support.tenant import Tenant

from cwsync.api import Basic, Client, Endpoint
from cwsync.api.clock import Clock as ApiClock
from cwsync.apply import (
    Executor,
    Recovered,
    Verified,
    addresses_to_send,
    read_secrets,
    recover,
    settled,
    verify,
)
from cwsync.emulator import application
from cwsync.kinds import Desired, Snapshot
from cwsync.live import read_tenant, reads_for, sweep
from cwsync.manifest import load_manifests
from cwsync.plan import ApplyResult, Plan, make_plan
from cwsync.project import Guards
from cwsync.state import (
    Clock,
    Fingerprint,
    Held,
    Holder,
    Key,
    MemoryStore,
    State,
    Store,
    Timing,
    acquire,
    compare,
    fingerprint,
    to_json,
)
from cwsync.variables import Variables

# A Saturday, a little after midnight, UTC.
NOW = datetime(2026, 11, 21, 0, 30, tzinfo=UTC).timestamp()
TENANT = "emulator:test"
KEY = Key.of("a key of the tests, long enough for its purpose")
MODEL = {"workspaceId": "8a81b09d5e8c6f27015ece3402487d33", "modelId": "35A6EF893D7F47EEA5A554D5CC7DC330"}
ALICE, BOB = "2c9ba1b6729b7fd80172c3f635db40f7", "3d0cb2c7830c80e91283d4f746ec51a8"
SECRETS = {"key": "needle-key", "secret": "needle-secret", "sas": "needle-sas"}

Manifest = dict[str, dict[str, dict[str, Any]]]
Seen = Callable[[httpx.Request], object]


class Killed(BaseException):
    """The process is gone. No handler of ours may catch this."""


def s3(name: str = "Sales", **more: Any) -> dict[str, Any]:
    secrets = {"accessKeyId": {"fromFile": "key"}, "secretAccessKey": {"fromFile": "secret"}}
    return {"type": "AmazonS3", "name": name, "bucketName": "landing", **secrets, **more}


def azure(name: str = "Lake", **more: Any) -> dict[str, Any]:
    places = {"storageAccountName": "mylake", "containerName": "raw"}
    return {"type": "AzureBlob", "name": name, **places, "sasToken": {"fromFile": "sas"}, **more}


def imports(connection: Any, name: str = "Accounts", **more: Any) -> dict[str, Any]:
    job = {"connection": connection, "file": "a.csv", "actionId": "112000000005", "fileId": "113000000000"}
    return {"name": name, **MODEL, "jobs": [{"import": {**job, **more}}]}


def process(name: str = "Close", **more: Any) -> dict[str, Any]:
    return {"name": name, **MODEL, "processId": "118000000001", **more}


def daily(**more: Any) -> dict[str, Any]:
    return {"type": "daily", "time": "12:45", "startDate": "2030-01-07", "timezone": "Greenwich", **more}


def notify(**users: list[str]) -> dict[str, Any]:
    return {"channels": ["email"], "notify": users}


def flow(*steps: str, name: str = "Nightly") -> dict[str, Any]:
    return {"name": name, "steps": [{"integration": step} for step in steps]}


def everything() -> Manifest:
    """All kinds, with a schedule that is off and a notification."""
    return {
        "connections": {"sales": s3(), "lake": azure()},
        "integrations": {"accounts": imports("sales"), "close": process()},
        "schedules": {"accounts": daily(enabled=False)},
        "notifications": {"accounts": notify(success=[ALICE])},
        "flows": {"nightly": flow("accounts", "close")},
    }


class Watched(httpx.BaseTransport):
    """The way to the tenant. `before` and `after` are told of every mutation of CloudWorks."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._inner = httpx.WSGITransport(rig.app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._rig.before_any(request)
        if request.method == "GET" or request.url.path.startswith("/token/"):
            return self._rig.shown(self._inner.handle_request(request))
        self._rig.before(request)
        response = self._inner.handle_request(request)
        response.read()
        self._rig.after(request)
        return response


class WatchedStore(MemoryStore):
    """A store that counts, and that can be made to fail or to kill, before it has written or after."""

    def __init__(self) -> None:
        super().__init__()
        self.commits: list[State] = []
        self.before: Callable[[State], None] = lambda _state: None
        self.after: Callable[[State], None] = lambda _state: None

    def commit(self, old: State | None, new: State) -> State:
        self.before(new)
        done = super().commit(old, new)
        self.commits.append(done)
        self.after(done)
        return done


@dataclass(frozen=True)
class Run:
    """What came of one run."""

    result: ApplyResult
    plan: Plan
    recovered: Recovered
    verified: Verified = field(default_factory=Verified)

    @property
    def codes(self) -> list[str]:
        told = (*self.recovered.problems, *self.plan.problems, *self.result.problems)
        return [problem.code for problem in told]


def nothing(_request: httpx.Request) -> None:
    """Nothing happens between two steps."""


class Rig:
    def __init__(self, folder: Path, *, store: Store | None = None, **options: Any) -> None:
        self.folder = folder
        self.now = NOW
        self.slept: list[float] = []
        self.app = application(clock=lambda: self.now, **options)
        self.tenant = Tenant(
            httpx.Client(transport=httpx.WSGITransport(self.app), base_url="http://emulator")
        )
        self.store = store or WatchedStore()
        self.before_any: Seen = nothing
        self.shown: Callable[[httpx.Response], httpx.Response] = lambda response: response
        self.before: Seen = nothing
        self.after: Seen = nothing
        self.held: Held | None = None
        self._time = Lock()
        for name, value in SECRETS.items():
            (folder / name).write_text(value)

    def close(self) -> None:
        self.tenant._http.close()
        self.app.close()

    @property
    def commits(self) -> list[State]:
        assert isinstance(self.store, WatchedStore)
        return self.store.commits

    @property
    def state(self) -> State:
        found = self.store.read()
        assert found is not None
        return found

    def sleep(self, seconds: float) -> None:
        with self._time:
            self.slept.append(seconds)
            self.now += seconds

    def client(self, parallelism: int = 1, **more: Any) -> Client:
        clock = ApiClock(lambda: self.now, self.sleep, lambda: self.now)
        options = {"transport": Watched(self), "parallelism": parallelism, "per_second": None, "clock": clock}
        return Client(
            Endpoint("http://emulator/2/0", "http://emulator"),
            Basic("ci@example.com", SecretStr("needle-password")),
            **{**options, **more},
        )

    def acquire(self, timing: Timing | None = None) -> Held:
        """The lock, in the name of a process elsewhere: a run that was killed is taken over after its ttl."""
        clock = Clock(lambda: self.now, lambda: datetime.fromtimestamp(self.now, UTC), self.sleep)
        holder = Holder("ci", "elsewhere", 1, "another boot")
        self.held = acquire(self.store, tenant=TENANT, holder=holder, timeout=300, clock=clock, timing=timing)
        return self.held

    def desired(self, manifest: Manifest) -> Mapping[str, Desired]:
        if not any(manifest.values()):
            return {}
        file = self.folder / "manifest.json"
        file.write_text(json.dumps(manifest))
        return load_manifests(
            [(file, "manifest.json")], defaults={}, users={}, variables=Variables({}, {})
        ).resources

    def plan(self, desired: Mapping[str, Desired], client: Client, state: State) -> tuple[Plan, Snapshot]:
        snapshot = read_tenant(client, reads_for(desired.values(), state))
        for kind in ("integration", "flow") if len(desired) < len(state.resources) else ():
            snapshot = sweep(client, snapshot, kind)
        plan = make_plan(
            desired, state, snapshot, environment="test", tenant=TENANT, guards=Guards(),
            secrets=self._secret_status(desired, state),
        )  # fmt: skip
        return plan, snapshot

    def _secret_status(self, desired: Mapping[str, Desired], state: State) -> dict[str, dict[str, str]]:
        return {
            address: {
                name: compare(
                    state.resources[address].secrets.get(name), KEY, state.lineage, address, name,
                    source.available(self.folder),
                )
                for name, source in one.secrets.items()
            }
            for address, one in desired.items()
            if address in state.resources
        }  # fmt: skip

    def executor(self, manifest: Manifest, held: Held, client: Client, **options: Any) -> Executor:
        """What carries out the plan for a manifest."""
        desired = self.desired(manifest)
        plan, snapshot = self.plan(desired, client, held.state)
        secrets = read_secrets(addresses_to_send(plan, desired), desired, self.folder)
        marks: dict[str, dict[str, Fingerprint]] = {
            address: {
                name: fingerprint(KEY, held.state.lineage, address, name, value)
                for name, value in values.items()
            }
            for address, values in secrets.items()
        }
        given = {"parallelism": 1, "sleep": self.sleep, **options}
        return Executor(client, held, plan, desired, snapshot, secrets, marks, **given)

    def apply(self, manifest: Manifest, parallelism: int = 1, **options: Any) -> Run:
        """A whole run, as the command makes it. One that is killed gives nothing back, not even the lock."""
        client = self.client(parallelism)
        held = self.acquire()
        recovered = recover(client, held, self.sleep)
        executor = self.executor(manifest, held, client, parallelism=parallelism, **options)
        doubtful = {problem.address for problem in recovered.problems}
        problems = tuple(one for one in executor.plan.problems if one.address not in doubtful)
        plan = replace(executor.plan, problems=problems)
        result, verified = ApplyResult("test", TENANT), Verified()
        if not problems:
            held.update(lambda state: settled(state, plan, executor.desired))
            result = executor.run()
            verified = verify(client, held.state, [outcome.address for outcome in result.applied])
        held.release()
        client.close()
        return Run(result, plan, recovered, verified)

    def mutations_of(self, work: Callable[[], object]) -> list[str]:
        """`METHOD path` of what the work sent that could change the tenant."""
        before = len(self.tenant.mutations())
        work()
        return self.tenant.mutations()[before:]

    def shape(self) -> dict[str, Any]:
        """The tenant without what differs from run to run: ids, dates and who did it."""
        found = self.tenant.snapshot()
        ids = {
            each[key]: f"<{(each.get('body') or each).get('name', 'notification')}>"
            for kind, key in (
                ("connections", "connectionId"),
                ("integrations", "integrationId"),
                ("flows", "id"),
            )
            for each in found[kind]
        }
        text = json.dumps({kind: [_plain(each) for each in each_kind] for kind, each_kind in found.items()})
        for id, name in ids.items():
            text = text.replace(id, name)
        shape: dict[str, Any] = json.loads(text)
        return {kind: sorted(each_kind, key=json.dumps) for kind, each_kind in shape.items()}

    def text_of_state(self) -> str:
        return to_json(self.state).decode()


_CHANGING = ("creationDate", "modificationDate", "createdBy", "modifiedBy", "notificationId")


def _plain(each: dict[str, Any]) -> dict[str, Any]:
    plain = {key: value for key, value in each.items() if key not in _CHANGING}
    if "secrets" in plain:  # digests, by a key of each tenant's own
        plain["secrets"] = sorted(plain["secrets"])
    return plain


def once(action: Callable[[], object]) -> Seen:
    """The action, when first asked for."""
    done = Event()

    def act(_request: httpx.Request) -> None:
        if not done.is_set():
            done.set()
            action()

    return act
