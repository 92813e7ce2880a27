"""One tenant, one state, and runs of cwsync upon them, in which anything can be made to happen between two steps.

Time stands still: whoever sleeps moves it. A request, a commit and a run can be killed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import httpx
from pydantic import SecretStr
from support.tenant import Tenant
from unit.apply import wires

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
from cwsync.errors import CwsyncError
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


Killed = wires.Killed


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


class WatchedStore:
    """A store that counts, and that can be made to fail or to kill, before it has written or after."""

    def __init__(self, inner: Store | None = None) -> None:
        self.inner = inner or MemoryStore()
        self.commits: list[State] = []
        self.before: Callable[[State], None] = lambda _state: None
        self.after: Callable[[State], None] = lambda _state: None
        self.gate: AbstractContextManager[object] = nullcontext()

    def read(self) -> State | None:
        return self.inner.read()

    def commit(self, old: State | None, new: State) -> State:
        with self.gate:
            self.before(new)
            done = self.inner.commit(old, new)
            self.commits.append(done)
            self.after(done)
            return done

    def raw(self) -> bytes | None:
        return self.inner.raw()

    def describe(self) -> str:
        return self.inner.describe()


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


def nothing(_told: object) -> None:
    """Nothing happens between two steps."""


class Rig:
    def __init__(self, folder: Path, *, store: Store | None = None, **options: Any) -> None:
        self.folder = folder
        self.time = wires.Time(NOW)
        self.timing: Timing | None = None
        self.sleep = self.time.sleep
        self.app = application(clock=lambda: self.now, **options)
        self.tenant = Tenant(
            httpx.Client(transport=httpx.WSGITransport(self.app), base_url="http://emulator")
        )
        self.store = store or WatchedStore()
        self._nothing_happens()
        for name, value in SECRETS.items():
            (folder / name).write_text(value)

    def _nothing_happens(self) -> None:
        self.before_any: Seen = nothing
        self.shown: Callable[[httpx.Response], httpx.Response] = lambda response: response
        self.before: Seen = nothing
        self.after: Seen = nothing
        self.returned: Callable[[str], object] = nothing
        self.gate: AbstractContextManager[object] = nullcontext()
        self.asks_the_time: Callable[[], object] = lambda: None
        self.held: Held | None = None
        self._wires: list[wires.Watched] = []

    def beside(self) -> Rig:
        """Another machine: the same tenant, the same state and the same time, and nothing happens on it yet."""
        other = copy(self)
        assert isinstance(self.store, WatchedStore)
        other.store = WatchedStore(self.store.inner)
        other.store.commits = self.store.commits
        other._nothing_happens()
        return other

    def close(self) -> None:
        self.tenant._http.close()
        self.app.close()

    @property
    def now(self) -> float:
        return self.time.now

    @now.setter
    def now(self, now: float) -> None:
        self.time.now = now

    @property
    def slept(self) -> list[float]:
        return self.time.slept

    @property
    def commits(self) -> list[State]:
        assert isinstance(self.store, WatchedStore)
        return self.store.commits

    @property
    def state(self) -> State:
        found = self.store.read()
        assert found is not None
        return found

    def client(self, parallelism: int = 1, **more: Any) -> Client:
        clock = ApiClock(lambda: self.now, self.sleep, lambda: self.now)
        self._wires.append(wires.Watched(self))
        options = {
            "transport": self._wires[-1],
            "parallelism": parallelism,
            "per_second": None,
            "clock": clock,
        }
        return wires.WatchedClient(
            self,
            Endpoint("http://emulator/2/0", "http://emulator"),
            Basic("ci@example.com", SecretStr("needle-password")),
            **{**options, **more},
        )

    def acquire(self, timing: Timing | None = None, timeout: float = 300) -> Held:
        """The lock, in the name of a process elsewhere: a run that was killed is taken over after its ttl."""
        clock = Clock(self._monotonic, lambda: datetime.fromtimestamp(self.now, UTC), self.sleep)
        holder, timing = Holder("ci", "elsewhere", 1, "another boot"), timing or self.timing
        self.held = acquire(
            self.store, tenant=TENANT, holder=holder, timeout=timeout, clock=clock, timing=timing
        )
        return self.held

    def _monotonic(self) -> float:
        self.asks_the_time()
        return self.now

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
        with self.client(parallelism) as client:
            held = self.acquire()
            try:
                run = self._run(client, held, manifest, {"parallelism": parallelism, **options})
            except BaseException as error:
                self.die()
                self.drained()
                if isinstance(error, CwsyncError):
                    with suppress(CwsyncError):
                        held.release()
                raise
            held.release()
        return run

    def drained(self) -> None:
        """Wait until the requests that other threads have sent have arrived."""
        for wire in self._wires:
            wire.drained()

    def die(self) -> None:
        """The process is gone, with all its threads: nothing leaves it any more."""
        for wire in self._wires:
            wire.cut()

    def _run(self, client: Client, held: Held, manifest: Manifest, options: dict[str, Any]) -> Run:
        recovered = recover(client, held, self.sleep)
        executor = self.executor(manifest, held, client, **options)
        doubtful = {problem.address for problem in recovered.problems}
        problems = tuple(one for one in executor.plan.problems if one.address not in doubtful)
        plan = replace(executor.plan, problems=problems)
        result, verified = ApplyResult("test", TENANT), Verified()
        if all(one.severity == "warning" for one in problems):
            held.update(lambda state: settled(state, plan, executor.desired))
            result = executor.run()
            verified = verify(client, held.state, result.applied, already=result.seen)
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
