"""Working out what `import --all` writes: drafts, checked against the very tenant that they are made from.

Nothing is written here. What does not come back as it is in the tenant, read as a manifest and planned, is left
out with the reason; what refers to it then names it by its name or id.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from cwsync.authoring.declare import Draft, above, obstacles, parts_of, shared, variables_of, write_down
from cwsync.authoring.edit import with_entries
from cwsync.authoring.emit import text_of
from cwsync.authoring.layout import free, grouped, header
from cwsync.authoring.names import Names, Which, all_keys, people_in, users_by_id
from cwsync.cli.settings import Settings
from cwsync.errors import CwsyncError, Problem
from cwsync.kinds import ChangeLists, Desired, Import, Snapshot, same_id
from cwsync.live import Everything
from cwsync.manifest import Manifest, load_manifests
from cwsync.plan import Change, Plan, Selection, make_plan, relabel
from cwsync.plan.lists import adopt
from cwsync.project import Project, load_project, shown
from cwsync.state import State


@dataclass(frozen=True)
class Written:
    """Texts that are to be files: the drafts in each, and the new text of cwsync.yaml with what was added to it.

    `project` is the one that they are read in.
    """

    project: Project
    drafts: Mapping[Path, Sequence[Draft]] = field(default_factory=dict)
    texts: Mapping[Path, str] = field(default_factory=dict)
    settings: str | None = None
    added: tuple[str, ...] = ()

    @property
    def all_drafts(self) -> list[Draft]:
        return [draft for of in self.drafts.values() for draft in of]


@dataclass(frozen=True)
class Taken:
    """What can be written and bound; and what cannot, why, by kind and id. `failed` are the addresses among it
    that ought to have come back as they are in the tenant."""

    written: Written
    plan: Plan
    desired: Mapping[str, Desired]
    left: Mapping[Which, str] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def bound(self) -> tuple[Change, ...]:
        """What is there as it is declared."""
        wrong = {one.address for one in self.plan.problems if one.severity == "error"}
        return tuple(one for one in self.differing(wrong) if not one.fields)

    def differing(self, without: set[str | None]) -> list[Change]:
        return [one for one in self.plan.changes if one.action == "import" and one.address not in without]


@dataclass
class Taking:
    """One look at the tenant, and what the manifests, the state and cwsync.yaml say beside it."""

    settings: Settings
    project: Project
    declared: Manifest
    files: Sequence[tuple[Path, str]]
    state: State
    tenant: str
    out: Path
    layout: str

    def settle(self, seen: Everything) -> Taken:
        """Leave out what does not come back as it is, until all does."""
        snapshot = as_last_applied(seen.snapshot, self.state)
        bound = self._bound(snapshot)
        objects = [one for one in seen.chosen if (one.kind, same_id(one.id)) not in bound]
        own = {which: at.partition(".")[2] for which, at in bound.items() if at in self.declared.resources}
        keys = all_keys(
            objects, snapshot, own, {*self.declared.resources, *self.state.resources, *bound.values()}
        )
        drafts = [Draft(f"{one.kind}.{keys[one.kind, same_id(one.id)]}", one) for one in objects]
        left = {**obstacles(objects, snapshot, self.declared.resources.values()), **seen.failed}
        failed: dict[str, str] = {}
        while True:
            left = {**parts_of(left, drafts), **left}
            rest = [draft for draft in drafts if draft.which not in left]
            refused, written = self._written(rest, own, snapshot)
            if not refused:
                taken = self._checked(written, snapshot)
                if isinstance(taken, Taken):
                    return replace(taken, left=left, failed=failed)
                refused, wrong = taken
                failed |= wrong
            left |= refused

    def _bound(self, snapshot: Snapshot) -> dict[Which, str]:
        """What is managed, or is declared and there under its name, as `--adopt` finds it: its address."""
        lists = self.declared.lists
        known = relabel(self.state, self.declared.resources, lists.moved).known
        known = adopt(known, self.declared.resources, snapshot, lists.imports, names=True).known
        return {(entry.kind, same_id(entry.id)): at for at, entry in known.resources.items()}

    def _written(
        self, drafts: Sequence[Draft], own: Mapping[Which, str], snapshot: Snapshot
    ) -> tuple[dict[Which, str], Written]:
        """The texts; or what cannot be written, and why."""
        known, new = users_by_id(self.project.users, dict(people_in([one.observed for one in drafts])))
        users = {name: guid for guid, name in new.items()}
        given = self.project.document.source.text
        text = with_entries(given, ("users",), users) if users else given
        names = Names(
            keys={**own, **{draft.which: draft.key for draft in drafts}},
            snapshot=snapshot,
            users=known if text is None else {**known, **new},
            variables=self._variables(),
        )
        refused: dict[Which, str] = {}
        full: list[Draft] = []
        for draft in drafts:
            written, why = write_down(draft, names)
            if why is not None:
                refused[draft.which] = why
            full.append(replace(draft, written=written))
        if refused:
            return refused, Written(self.project)
        return {}, self._texts(
            full, self._lifted(full, text or given, tuple(users) if text else ()), snapshot
        )

    def _variables(self) -> set[str]:
        sources = [source for one in self.declared.resources.values() for source in one.secrets.values()]
        return {source.fromEnv for source in sources if source.fromEnv is not None}

    def _lifted(self, drafts: Sequence[Draft], text: str, users: tuple[str, ...]) -> Written:
        """cwsync.yaml with what most of the new resources share under `defaults`, as far as that is safe."""
        added = [f"users.{name}" for name in users]
        for section, fields in shared(drafts, self.project.defaults).items():
            made = with_entries(text, ("defaults", section), fields)
            if made is not None:
                text = made
                added += [f"defaults.{section}.{name}" for name in fields]
        if not added:
            return Written(self.project)
        project = self._project_of(text)
        return Written(project, settings=text, added=tuple(added))

    def _project_of(self, text: str) -> Project:
        with TemporaryDirectory() as folder:
            file = Path(folder, self.project.path.name)
            file.write_text(text, encoding="utf-8", newline="")
            name = self.project.environment.name
            return load_project(file, name, self.settings.variables, os.environ)

    def _texts(self, drafts: Sequence[Draft], lifted: Written, snapshot: Snapshot) -> Written:
        texts: dict[Path, str] = {}
        files: dict[Path, Sequence[Draft]] = {}
        variables = variables_of(drafts)
        for stem, group in grouped(drafts, self.layout, snapshot).items():
            file = free(self.out, stem)
            sections: dict[str, dict[str, dict[str, object]]] = {}
            for draft in group:
                body = above(draft, lifted.project.defaults)
                sections.setdefault(draft.kind.section, {})[draft.key] = {**body}
            texts[file] = text_of(sections, header(file, self.project.root, group, variables))  # type: ignore[arg-type] # written values
            files[file] = group
        return replace(lifted, drafts=files, texts=texts)

    def _checked(
        self, written: Written, snapshot: Snapshot
    ) -> Taken | tuple[dict[Which, str], dict[str, str]]:
        """Read the texts as manifests and plan them; or what has to be left out, and what of it should not."""
        drafts = {draft.address: draft for draft in written.all_drafts}
        try:
            manifest = self._loaded(written)
        except CwsyncError as error:
            reasons = _about(error.problems, drafts)
            if not reasons:
                raise
            return {drafts[at].which: why for at, why in reasons.items()}, {}
        plan = self._plan(manifest, drafts, snapshot)
        reasons = _about(plan.problems, drafts)
        reasons |= _waiting(plan, manifest.resources, drafts)
        wrong = _not_round(plan, {at: one for at, one in drafts.items() if at not in reasons})
        if reasons or wrong:
            return {drafts[at].which: why for at, why in (wrong | reasons).items()}, wrong
        return Taken(written, plan, manifest.resources)

    def _loaded(self, written: Written) -> Manifest:
        """Everything that will be declared, before any of it is written."""
        if not written.texts:
            return self.declared
        project = written.project
        with TemporaryDirectory() as folder:
            new = []
            for file, text in written.texts.items():
                path = Path(folder, file.name)
                path.write_text(text, encoding="utf-8", newline="")
                new.append((path, shown(file)))
            return load_manifests(
                [*self.files, *new],
                defaults=project.defaults,
                users=project.users,
                variables=self.project.environment.variables,
            )

    def _plan(self, manifest: Manifest, drafts: Mapping[str, Draft], snapshot: Snapshot) -> Plan:
        imports = tuple(Import(address, id=draft.observed.id) for address, draft in drafts.items())
        lists = self.declared.lists
        return make_plan(
            manifest.resources,
            self.state,
            snapshot,
            environment=self.project.environment.name,
            tenant=self.tenant,
            guards=self.project.environment.guards,
            lists=ChangeLists((*lists.imports, *imports), lists.moved, lists.removed),
            selection=Selection(adopt=True),
        )


def as_last_applied(snapshot: Snapshot, state: State) -> Snapshot:
    """The same, with what is managed taken to be as it was applied: its details were not read."""
    objects = {kind: dict(of) for kind, of in snapshot.objects.items()}
    for entry in state.resources.values():
        one = objects.get(entry.kind, {}).get(same_id(entry.id))
        if one is not None and one.fields is None:
            applied = dict(entry.applied)
            objects[entry.kind][same_id(entry.id)] = replace(one, fields=applied)  # type: ignore[arg-type] # plain JSON
    return replace(snapshot, objects=objects)


def _about(problems: Sequence[Problem], drafts: Mapping[str, Draft]) -> dict[str, str]:
    """What is wrong with the new resources, the first thing of each."""
    reasons: dict[str, str] = {}
    for one in problems:
        if one.severity == "error" and one.address is not None and one.address in drafts:
            reasons.setdefault(one.address, _with_field(one))
    return reasons


def _with_field(problem: Problem) -> str:
    """What is wrong; with the field, where the words do not have it: nobody will see the line that it stands in."""
    before = (problem.source or "")[: problem.place.column - 1] if problem.place else ""
    field = ["", *re.findall(r"([A-Za-z]+): ", before)][-1]
    return problem.message if field in problem.message else f"{field}: {problem.message}"


def _waiting(plan: Plan, desired: Mapping[str, Desired], drafts: Mapping[str, Draft]) -> dict[str, str]:
    """Parts of integrations that are declared, are there under their names, and differ: those come first."""
    differing = {one.address for one in plan.changes if one.action == "import" and one.fields}
    return {
        address: f"{parent.address} is declared, differs from what the tenant has, and is not managed yet"
        for address in drafts
        if (parent := desired[address].parent) is not None and parent.address in differing - drafts.keys()
    }


def _not_round(plan: Plan, drafts: Mapping[str, Draft]) -> dict[str, str]:
    """What would not be as it is in the tenant: which field, and both values."""
    changes = {change.address: change for change in plan.changes}
    reasons: dict[str, str] = {}
    for address in drafts:
        change = changes.get(address)
        if change is None or change.action != "import":
            reasons[address] = "it cannot be bound: the plan would not take it over"
        elif change.fields:
            first = change.fields[0]
            told = f"the tenant has {_said(first.before)}, and the manifest would say {_said(first.after)}"
            reasons[address] = f"it does not come back as it is: for {first.path} {told}"
    return reasons


def _said(value: object) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)
