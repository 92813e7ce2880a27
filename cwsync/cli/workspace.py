"""Everything that a command works with, put together: the project, the manifests, the client, the state."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from cwsync.cli.outside import Outside
from cwsync.cli.settings import Settings
from cwsync.errors import Problem, fail
from cwsync.kinds import ChangeLists
from cwsync.manifest import Manifest, load_manifests
from cwsync.project import Project, load_project, manifest_files, shown

if TYPE_CHECKING:
    from pydantic import SecretStr

    from cwsync.api import Client, Identity
    from cwsync.audit import Trail
    from cwsync.cli.keeping import Keeping
    from cwsync.kinds import Desired, Snapshot
    from cwsync.plan import Plan, Selection
    from cwsync.plan.policies import Approval
    from cwsync.plan.saved import SavedPlan
    from cwsync.state import Fingerprint, State, Store

KEY_FILE = Path(".cwsync") / "key"


def open_project(settings: Settings, variables: Mapping[str, str] | None = None) -> Project:
    """The project of -C, for the environment of -e."""
    given = {**(variables or {}), **settings.variables}
    return load_project(settings.directory, settings.environment, given, os.environ)


def open_manifests(project: Project) -> Manifest:
    """Everything that the manifests declare, checked offline."""
    files = [(path, shown(path)) for path in manifest_files(project)]
    return load_manifests(
        files, defaults=project.defaults, users=project.users, variables=project.environment.variables
    )


@dataclass
class Workspace:
    """One project and environment, and the ways to its tenant and its state."""

    project: Project
    desired: Mapping[str, Desired]
    lists: ChangeLists = field(default_factory=ChangeLists)
    warnings: tuple[Problem, ...] = ()
    outside: Outside = field(default_factory=Outside)
    selection: Selection | None = None
    say: Callable[[str], None] = field(default=lambda _text: None, repr=False)
    patience: float = 0.0  # seconds, for runs that are in the way
    _client: Client | None = field(default=None, repr=False)
    _open: ExitStack = field(default_factory=ExitStack, repr=False)

    @classmethod
    def open(
        cls,
        settings: Settings,
        *,
        variables: Mapping[str, str] | None = None,
        manifests: bool = True,
        selection: Selection | None = None,
    ) -> Workspace:
        """Without `manifests` nothing is declared: what is managed is all that there is."""
        project = open_project(settings, variables)
        if not manifests:
            return cls(project, {}, outside=settings.outside, selection=selection, say=settings.say)
        manifest = open_manifests(project)
        return cls(
            project, manifest.resources, manifest.lists, manifest.warnings, settings.outside, selection,
            settings.say,
        )  # fmt: skip

    @property
    def environment(self) -> str:
        return self.project.environment.name

    @property
    def parallelism(self) -> int:
        return self.project.environment.requests.parallelism

    @cached_property
    def store(self) -> Store:
        return self.keeping.store(self.project.environment.state)

    @cached_property
    def keeping(self) -> Keeping:
        from cwsync.cli.keeping import Keeping

        return Keeping(self.project, self.outside, self.say)

    @cached_property
    def trail(self) -> Trail:
        """The audit trail: all that the client sends is in it."""
        from cwsync.cli.auditing import open_trail

        trail = open_trail(self.project, self.outside)
        self._open.callback(trail.close)
        return trail

    @property
    def client(self) -> Client:
        """The client of this run: one, made when it is first needed."""
        from cwsync.cli.connecting import connect

        if self._client is None:
            self._client = connect(self.project, self.outside, self.trail, self._open)
            if self.outside.watch is not None:
                self.outside.watch.follow(self._client)
        return self._client

    @property
    def wait(self) -> Callable[[float], None] | None:
        """How to let time pass for the service's clock; None where nobody needs to tell versions by their dates."""
        return None if self.project.environment.emulated else self.outside.sleep

    def with_versions(self, state: State, seen: Snapshot) -> State:
        """The state, knowing which version of each object was read in full: for the next fast plan."""
        from cwsync.apply import with_versions

        return state if self.project.environment.emulated else with_versions(state, seen)

    def close(self) -> None:
        self._open.close()

    @cached_property
    def identity(self) -> Identity:
        """Whom the sign-in service takes us for: asked once."""
        who = self.client.whoami()
        self.trail.know(serviceUser=who.user_id or who.user_guid)
        return who

    @cached_property
    def approval(self) -> Approval:
        """Who asks for the plan, for the policies."""
        from cwsync.cli.approving import approval_for

        return approval_for(self)

    def tenant(self, state: State | None) -> str:
        """What the state is bound to: the service's address and, where it can be told, whose tenant it is."""
        from cwsync.cli.connecting import emulator_data, endpoint

        if self.project.environment.emulated:
            return f"emulator:{emulator_data(self.project.environment).as_posix()}"
        from cwsync.api import ServiceError

        address = endpoint(self.project.environment).api
        known = state.tenant if state else None
        try:
            return f"{address}#{self.identity.customer_guid}"
        except ServiceError as error:
            given = self.project.environment.authenticate
            if error.problem.code in ("CW122", "CW302") or (
                error.problem.code == "CW301" and not (given and given.token)
            ):
                raise  # there is no signing in
            # The sign-in service answers no such question here: the address must do.
            return known if known and known.startswith(f"{address}#") else address

    def read(
        self,
        desired: Mapping[str, Desired],
        state: State,
        lists: ChangeLists,
        *,
        everything: bool = False,
        fast: bool = False,
    ) -> Snapshot:
        """What a plan needs; with `everything` all lists, also of kinds that nothing is declared of."""
        from cwsync.kinds import KINDS
        from cwsync.live import LastRead, read_tenant, reads_for

        adopt = self.selection is not None and self.selection.adopt
        reads = reads_for(desired.values(), state, lists.imports, adopt=adopt)
        if everything:
            reads = replace(reads, lists=frozenset(one.name for one in KINDS.values() if one.listing))
        if fast:
            reads = replace(reads, last_read=LastRead(state))
        with self.outside.spans.span("read"):
            return read_tenant(self.client, reads)

    def plan(
        self, desired: Mapping[str, Desired], state: State, tenant: str, *, fast: bool = False
    ) -> tuple[Plan, Snapshot]:
        """Read the tenant and plan. Where something is deleted, also read what else may use it.

        With `fast`, what the lists show unchanged is taken for what it was; but never what is to be changed.
        """
        from cwsync.live import read_in_full, sweep

        fast = fast and not self.project.environment.emulated  # which is read in full in no time
        snapshot = self.read(desired, self._moved(state), self.lists, fast=fast)
        planned = partial(self.plan_of, desired, state, tenant, self.secret_status(desired, state))
        plan = planned(snapshot)
        while changed := snapshot.assumed & plan.touched:
            with self.outside.spans.span("read"):
                snapshot = read_in_full(self.client, snapshot, changed)
            plan = planned(snapshot)
        going = {change.kind for change in plan.changes if change.action in ("delete", "replace")}
        for kind, users in (("connection", "integration"), ("integration", "flow")):
            if kind in going:
                with self.outside.spans.span("read"):
                    snapshot = sweep(self.client, snapshot, users)
        return (planned(snapshot) if going else plan), snapshot

    def _moved(self, state: State) -> State:
        """What was moved is read, and its secrets are compared, under the address that it will have."""
        from cwsync.plan import relabel

        return relabel(state, self.desired, self.lists.moved).known

    def plan_of(
        self,
        desired: Mapping[str, Desired],
        state: State,
        tenant: str,
        secrets: Mapping[str, Mapping[str, str]],
        snapshot: Snapshot,
        *,
        drift_alone: bool = False,
    ) -> Plan:
        """The plan on a picture of the tenant that is at hand; `secrets` is their `secret_status`. With
        `drift_alone` it is for what has drifted: nothing is listed to be changed, and no policy judges."""
        from cwsync.plan import make_plan

        return make_plan(
            desired,
            state,
            snapshot,
            environment=self.environment,
            tenant=tenant,
            guards=self.project.environment.guards,
            secrets=secrets,
            lists=ChangeLists() if drift_alone else self.lists,
            selection=self.selection,
            policies=() if drift_alone else self.project.policies,
            approval=None if drift_alone else self.approval,
        )

    def drifted(self, state: State, tenant: str, *, everything: bool = False) -> tuple[Plan, Snapshot]:
        """What has become of everything that is managed; the manifests only say what is to be ignored, and
        under which address something is declared now. With `everything` all lists are read."""
        known = self._moved(state)
        desired = {address: one for address, one in self.desired.items() if address in known.resources}
        snapshot = self.read({}, known, ChangeLists(), everything=everything)
        secrets = self.secret_status(desired, known)
        return self.plan_of(desired, known, tenant, secrets, snapshot, drift_alone=True), snapshot

    def secret_status(self, desired: Mapping[str, Desired], state: State) -> dict[str, dict[str, str]]:
        """Of each secret of a managed resource: is it the one that was last applied? It runs the commands that
        secrets come from, and they may be slow, or give another value each time: so ask once for each plan."""
        from cwsync.state import compare, find_key

        state = self._moved(state)
        managed = [one for one in desired.values() if one.secrets and one.address in state.resources]
        if not managed:
            return {}
        key = find_key(self.project.root / KEY_FILE, os.environ)
        root = self.project.root
        return {
            one.address: {
                name: compare(
                    state.resources[one.address].secrets.get(name), key, state.lineage, one.address, name,
                    source.available(root),
                )
                for name, source in one.secrets.items()
            }
            for one in managed
        }  # fmt: skip

    def fingerprints(
        self, lineage: str, secrets: Mapping[str, Mapping[str, SecretStr]], *, make_key: bool = True
    ) -> dict[str, dict[str, Fingerprint]]:
        """Keyed fingerprints of the secrets, by address and field; none where there is no key."""
        from cwsync.state import find_key, find_or_make_key, fingerprint

        path = self.project.root / KEY_FILE
        key = find_or_make_key(path, os.environ) if make_key and secrets else find_key(path, os.environ)
        if key is None:
            return {}
        return {
            address: {name: fingerprint(key, lineage, address, name, value) for name, value in values.items()}
            for address, values in secrets.items()
        }

    def fingerprints_to_send(self, plan: Plan, state: State | None) -> dict[str, dict[str, Fingerprint]]:
        """Of the secrets that a plan would send, those that can be had now: a rotation makes the plan stale."""
        from cwsync.apply import addresses_to_send

        found = {address: self._at_hand(address) for address in addresses_to_send(plan, self.desired)}
        return self.fingerprints(state.lineage if state else "", found)

    def _at_hand(self, address: str) -> dict[str, SecretStr]:
        return {
            name: value
            for name, source in self.desired[address].secrets.items()
            if (value := source.available(self.project.root)) is not None
        }

    def check_secrets(self, saved: SavedPlan, state: State | None) -> None:
        """Raise CW512 where a secret is not the one that the plan was made with, and CW120 where it is missing: once
        the lock is taken the plan can't be used again."""
        from cwsync.apply import addresses_to_send, read_secrets

        found = {address: self._at_hand(address) for address in addresses_to_send(saved.plan, self.desired)}
        missing = [at for at, values in found.items() if len(values) < len(self.desired[at].secrets)]
        read_secrets(missing, self.desired, self.project.root)
        now = self.fingerprints(state.lineage if state else "", found)
        moved = [
            f"{address}.{name}"
            for address, marks in saved.secrets.items()
            for name, mark in marks.items()
            if (other := now.get(address, {}).get(name)) is not None
            and other.keyId == mark.keyId
            and other.fingerprint != mark.fingerprint
        ]
        if moved:
            raise fail(
                "CW512",
                f"not the secrets that the plan was made with: {', '.join(moved)}",
                hint="nothing was changed; make the plan again with cwsync plan --out",
            )
