"""What accepting drift comes to: other texts of manifests, and another state, tried out before either is written."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from cwsync.authoring.names import Called, Names, users_by_id
from cwsync.authoring.rewrite import NotWritable, rewritten
from cwsync.authoring.tokens import like, unix
from cwsync.authoring.writing import text_of_file
from cwsync.errors import CwsyncError, fail, suggest
from cwsync.kinds import KINDS, Desired, Kind, Written, same_id
from cwsync.plan import Accepted
from cwsync.plan.diff import see, settle

if TYPE_CHECKING:
    from cwsync.cli.workspace import Workspace
    from cwsync.kinds import Snapshot
    from cwsync.plan import Drift, Plan
    from cwsync.state import State


@dataclass(frozen=True, slots=True)
class Text:
    """A manifest as it was read, and as it is to be."""

    shown_as: str
    before: str
    after: str


class _Called(Called):
    def secret(self, field: str) -> Written:
        """The service shows no secret, so none differs."""
        return {"fromEnv": field}


class Accepting:
    """Takes one address after the other; `texts`, `state` and `desired` are what they come to."""

    def __init__(self, workspace: Workspace, state: State, snapshot: Snapshot, tenant: str) -> None:
        from cwsync.project import manifest_files, shown

        self.state = state
        self.desired = workspace.desired
        self.accepted: list[str] = []
        self._workspace = workspace
        self._snapshot = snapshot
        self._tenant = tenant
        self._files = {shown(path): path for path in manifest_files(workspace.project)}
        self.texts: dict[Path, Text] = {}
        self._secrets = workspace.secret_status(self.desired, state)  # nothing that is accepted changes one
        self._plan = self._planned(self.desired, state)

    def take(self, address: str) -> Accepted:
        """Accept what drifted at an address. Raises CW507 where nothing is managed and declared there, and
        CW520 where what drifted cannot be written into the manifests."""
        desired = self._declared(address)
        where = str(desired.place)
        mine = f"{address}: "
        unshown = tuple(one.removeprefix(mine) for one in self._plan.unverifiable if one.startswith(mine))
        drift = next((one for one in self._plan.drift if one.address == address), None)
        if drift is None:
            return Accepted(address, where, unshown=unshown)
        state = self._state_after(desired, drift)
        self._settle(desired, drift, state)
        self.accepted.append(address)
        written = self.texts[self._path(desired)]
        return Accepted(address, where, written.after != written.before, drift.fields, unshown)

    def _declared(self, address: str) -> Desired:
        if address not in self.state.resources:
            close = suggest(address, self.state.resources)
            hint = f"did you mean {close}?" if close else "cwsync state list shows what is managed"
            raise fail("CW507", f"{address} is not managed, so nothing of it can have drifted", hint=hint)
        if address not in self.desired:
            hint = "declare it first: the next plan would delete it"
            raise fail("CW507", f"no manifest declares {address}", hint=hint)
        kind = self.state.resources[address].kind
        if reason := self._snapshot.unread.get(kind):
            raise fail("CW312", f"the tenant's {KINDS[kind].section} could not be read completely: {reason}")
        return self.desired[address]

    def _planned(self, desired: Mapping[str, Desired], state: State) -> Plan:
        return self._workspace.plan_of(desired, state, self._tenant, self._secrets, self._snapshot)

    def _state_after(self, desired: Desired, drift: Drift) -> State:
        """The state in which what is observed is what was applied."""
        if drift.status == "deleted":
            raise _refused(
                desired,
                "it was deleted in CloudWorks, so there is no value to accept",
                f"delete its block at {desired.place}, or let cwsync apply create it again",
            )
        live = self._snapshot.get(drift.kind, drift.id)
        assert live is not None
        if live.foreign is not None:
            raise _refused(desired, live.foreign, "change it in CloudWorks, or by hand in the manifest")
        _, now = self._sides(desired)
        entry = self.state.resources[desired.address]
        after = replace(entry, applied=now, name=str(now.get("name", "")))
        return self.state.with_entry(desired.address, after)

    def _sides(self, desired: Desired) -> tuple[dict[str, Any], dict[str, Any]]:
        """What was last applied and what is observed, without what never counts as a difference."""
        kind, entry = KINDS[desired.kind], self.state.resources[desired.address]
        live = self._snapshot.get(entry.kind, entry.id)
        assert live is not None
        assert live.fields is not None
        seen = see(kind, entry.applied, live.fields)
        return {**seen.known}, {
            **settle(kind, seen.live, seen.known, desired.ignore, self._snapshot.today or "")
        }

    def _settle(self, desired: Desired, drift: Drift, state: State) -> None:
        """The first way of writing it down after which the plan has nothing to change there."""
        path = self._path(desired)
        text = self.texts.setdefault(path, self._read(path, desired))
        reasons: list[str] = []
        for candidate in self._candidates(desired, unix(text.after)):
            if isinstance(candidate, NotWritable):
                reasons.append(str(candidate))
                continue
            after = like(candidate, text.before) if candidate != unix(text.after) else text.after
            if (reason := self._try(desired, replace(text, after=after), path, state)) is None:
                return
            reasons.append(reason)
        field = drift.fields[0].path.partition("[")[0].partition(".")[0]
        place = desired.locate((field,)) or desired.place
        raise _refused(
            desired,
            f"{field} at {place} cannot be written: {reasons[-1]}",
            "change it there by hand; nothing was written",
        )

    def _path(self, desired: Desired) -> Path:
        assert desired.place is not None
        return self._files[desired.place.file]

    def _read(self, path: Path, desired: Desired) -> Text:
        assert desired.place is not None
        text = text_of_file(path, desired.place.file)
        return Text(desired.place.file, text, text)

    def _candidates(self, desired: Desired, text: str) -> Iterator[str | NotWritable]:
        """As it is, where somebody wrote it already; then what differs alone, then whole fields."""
        yield text
        kind = KINDS[desired.kind]
        known, live = self._sides(desired)
        naming = _Called(self._names(), desired.key)
        was, now = kind.to_manifest(known, naming), kind.to_manifest(live, naming)
        standard = {key: _standard(kind, str(live.get("type", "")), key) for key in was.keys() - now.keys()}
        for whole in (False, True):
            for wanted in (now, {**now, **standard}) if standard else (now,):
                try:
                    yield rewritten(text, (kind.section, desired.key), was, wanted, whole=whole)
                except NotWritable as error:
                    yield error

    def _names(self) -> Names:
        managed = {
            (entry.kind, same_id(entry.id)): address.partition(".")[2]
            for address, entry in self.state.resources.items()
            if address in self.desired
        }
        users, _ = users_by_id(self._workspace.project.users, {})
        return Names(managed, self._snapshot, users, set())

    def _try(self, desired: Desired, text: Text, path: Path, state: State) -> str | None:
        """Why the text cannot be taken; where it can, it is."""
        try:
            after = self._loaded(path, text)
        except CwsyncError as error:
            return f"the manifests would not be right: {error.problems[0].message}"
        for address in sorted({*after, *self.desired} - {desired.address}):
            if _declares(after.get(address)) != _declares(self.desired.get(address)):
                return f"{address} takes its value from there as well"
        if _beside(after[desired.address]) != _beside(desired):
            return "something else of it would change as well"
        plan = self._planned(after, state)
        for one in plan.changes:
            if one.address == desired.address and (one.action != "no-op" or one.fields):
                named = ", ".join(dict.fromkeys(field.path for field in one.fields)) or one.action
                return f"the manifest also differs in what was not applied yet, or is ignored ({named})"
        if wrong := [p for p in plan.problems if p.address == desired.address and p.severity == "error"]:
            return wrong[0].message
        self.texts[path], self.state, self.desired = text, state, after
        return None

    def _loaded(self, path: Path, text: Text) -> Mapping[str, Desired]:
        """What the manifests would declare."""
        from cwsync.manifest import load_manifests

        project = self._workspace.project
        texts = {**self.texts, path: text}
        with tempfile.TemporaryDirectory() as folder:
            files = []
            for number, (name, file) in enumerate(self._files.items()):
                copy = Path(folder) / str(number)
                if file in texts:
                    copy.write_bytes(texts[file].after.encode())
                files.append((copy if file in texts else file, name))
            return load_manifests(
                files,
                defaults=project.defaults,
                users=project.users,
                variables=project.environment.variables,
            ).resources


def _standard(kind: Kind, form: str, field: str) -> Written:
    """What says that a field is not there, where a default would say that it is."""
    for model in kind.models:
        tag = model.model_fields.get("type")
        if field in model.model_fields and (tag is None or form in get_args(tag.annotation)):
            value = model.model_fields[field].get_default()
            return value if isinstance(value, bool) else None
    return None


def _declares(desired: Desired | None) -> Desired | None:
    return None if desired is None else replace(desired, place=None)


def _beside(desired: Desired) -> tuple[object, ...]:
    """What is declared of a resource beside its fields."""
    return desired.secrets, desired.protect, desired.ignore, desired.owner, desired.parent


def _refused(desired: Desired, reason: str, hint: str) -> CwsyncError:
    return fail("CW520", f"{desired.address} cannot be accepted: {reason}", place=desired.place, hint=hint)
