"""Whatever is in a tenant: it is imported or said to be left out, and what is imported is as it is declared."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from property.settings import THOROUGH
from property.tenants import Drawn, make, tenants
from property.worlds import MODEL, SECRETS, WORKSPACE, Json, Resources, exchanged, projects, text_of
from support.program import Ran, cwsync
from support.tenant import Tenant

from cwsync.authoring.layout import LAYOUTS
from cwsync.cli.outside import Outside
from cwsync.emulator import application
from cwsync.kinds import KINDS, Desired, Ref, same_id
from cwsync.kinds.values import Value, replace_refs
from cwsync.manifest import load_manifests
from cwsync.project import load_project, manifest_files

SETTINGS = """\
version: 1
environment: test
environments:
  test:
    api: http://e/2/0
    auth: http://e
    authenticate: {basic: {username: ci@example.com, password: {fromFile: secrets/text}}}
    requests: {parallelism: 2, perSecond: 1000}
"""
DEFAULTS = """\
users: {alice: 2c9ba1b6729b7fd80172c3f635db40f7, bob: 8a80db4c7a3c1f61017a4e2f0d3b5a19}
defaults:
  integrations: {workspaceId: 8a81b09d5e8c6f27015ece3402487d33, modelId: 35A6EF893D7F47EEA5A554D5CC7DC330}
"""
SCHEMA = Draft202012Validator(
    json.loads((Path(__file__).parents[2] / "schemas/manifest.schema.json").read_text())
)


class _Core(yaml.SafeLoader):
    """Scalars as YAML 1.2 has them, and so editors."""


_Core.yaml_implicit_resolvers = {}
_Core.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"(~|null|Null|NULL|)\Z"), ["~", "n", "N", ""]
)
_Core.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"(true|True|TRUE|false|False|FALSE)\Z"), [*"tTfF"]
)
_Core.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"[-+]?[0-9]+\Z"), [*"-+0123456789"])

MANY = settings(THOROUGH, max_examples=THOROUGH.max_examples * 3)
profiles = st.sampled_from(("observed", "documented"))
layouts = st.sampled_from(LAYOUTS)


@dataclass(frozen=True)
class Site:
    """A tenant without a network, and projects on it."""

    tenant: Tenant
    outside: Outside
    folder: Path

    def project(self, name: str, more: str = "") -> Path:
        root = self.folder / name
        (root / "secrets").mkdir(parents=True)
        for file, secret in SECRETS.items():
            (root / "secrets" / file).write_text(secret)
        (root / "cwsync.yaml").write_text(SETTINGS + more)
        return root

    def run(self, root: Path, *arguments: str) -> Ran:
        return cwsync(*arguments, folder=root, outside=self.outside)

    def imported(self, root: Path, layout: str = "model", *filters: str) -> Any:
        """The report of an import, which has changed nothing."""
        before, there = len(self.tenant.mutations()), self.tenant.snapshot()
        arguments = ("import", "--all", "--out", "manifests", "--layout", layout, "--format", "json")
        ran = self.run(root, *arguments, *filters)
        assert self.tenant.mutations()[before:] == []
        assert self.tenant.snapshot() == there
        assert ran.out.startswith("{"), ran.all
        report = json.loads(ran.out)
        assert ran.status == (1 if report["problems"] else 0), ran.all
        return report

    def settled(self, root: Path) -> None:
        planned = self.run(root, "plan", "--detailed-exitcode")
        assert planned.status == 0, planned.all
        assert "No changes." in planned.out


@contextmanager
def site(profile: str) -> Iterator[Site]:
    with application(profile=profile) as app, tempfile.TemporaryDirectory() as folder:
        way = httpx.WSGITransport(app)
        with httpx.Client(transport=way, base_url="http://e") as http:
            yield Site(Tenant(http), Outside(transport=way), Path(folder))


def objects(tenant: Tenant) -> set[tuple[str, str]]:
    """Everything that could be managed: kind and id."""
    seen = tenant.snapshot()
    integrations = seen["integrations"]
    notified = {one.get("notificationId") for one in integrations}
    notified &= {one["notificationId"] for one in seen["notifications"]}
    return {
        *(("connection", one["connectionId"]) for one in seen["connections"]),
        *(("integration", one["integrationId"]) for one in integrations),
        *(("schedule", one["integrationId"]) for one in integrations if one.get("schedule")),
        *(("notification", id) for id in notified),
        *(("flow", one["id"]) for one in seen["flows"]),
    }  # fmt: skip


def managed(root: Path) -> set[tuple[str, str]]:
    state = root / ".cwsync" / "test.state.json"
    entries = json.loads(state.read_text())["resources"] if state.exists() else {}
    return {(address.partition(".")[0], same_id(entry["id"])) for address, entry in entries.items()}


def files(root: Path) -> list[str]:
    """What a person sees of the project, line by line."""
    found = sorted([*root.glob("*.yaml"), *root.glob("manifests/**/*")])
    return [
        f"{file.relative_to(root).as_posix()}: {line}"
        for file in found
        for line in file.read_bytes().decode().split("\n")
    ]


@MANY
@given(tenants(), profiles, layouts)
def test_everything_is_imported_or_left_out_with_a_reason(drawn: Drawn, profile: str, layout: str) -> None:
    with site(profile) as here:
        make(here.tenant, drawn)
        root = here.project("taken")
        report = here.imported(root, layout)
        left = {(one["kind"], same_id(one["id"])) for one in report["leftOut"]}
        assert all(one["reason"] for one in report["leftOut"])
        assert [one for one in report["problems"] if not ODD.search(one["message"])] == []
        assert managed(root) | left == objects(here.tenant)
        assert not managed(root) & left
        for file in root.glob("manifests/*.yaml"):
            assert [*map(str, SCHEMA.iter_errors(yaml.load(file.read_text(), Loader=_Core)))] == []
        if report["files"]:
            here.settled(root)
        before = files(root)
        again = here.imported(root, layout)
        assert files(root) == before
        assert again["files"] == again["bound"] == again["added"] == []
        assert len(again["leftOut"]) == len(report["leftOut"])


# Where a tenant has what no call could have made: a form of its own for what a manifest says in one way.
ODD = re.compile(
    r"for (jobs\[\d\]\.\w+\.type|daysOfWeek.*|dayOfWeek|dayOfMonth|repeatEvery|\w+Name|dataset) the tenant has"
)
PARTS = (
    *(("--kind", kind) for kind in KINDS),
    ("--name", "S*"),
    ("--model", MODEL),
    ("--workspace", WORKSPACE, "--kind", "flow"),
    ("--mine",),
)


@THOROUGH
@given(tenants(), profiles, st.lists(st.sampled_from(PARTS), min_size=1, max_size=2, unique=True))
def test_what_is_imported_at_once_is_imported_in_parts(
    drawn: Drawn, profile: str, parts: list[tuple[str, ...]]
) -> None:
    with site(profile) as here:
        make(here.tenant, drawn)
        whole, root = here.project("whole"), here.project("parts")
        here.imported(whole)
        for part in parts:
            if here.imported(root, "model", *part)["files"]:
                here.settled(root)
        here.imported(root)
        # Asked for alone, a schedule is also taken over where its integration cannot be.
        assert managed(root) >= managed(whole)
        if managed(root):
            here.settled(root)


def by_name(root: Path) -> dict[tuple[str, str], Value]:
    """What a project declares, with names in the place of keys."""
    project = load_project(root / "cwsync.yaml")
    declared = load_manifests(
        [(file, file.name) for file in manifest_files(project)],
        defaults=project.defaults,
        users=project.users,
        variables=project.environment.variables,
    ).resources

    def named(one: Any) -> Value:
        ref = one if isinstance(one, Ref) else one.ref
        return f"{ref.kind} {_name(declared, ref)}"

    return {
        (one.kind, one.name if one.parent is None else _name(declared, one.parent)): replace_refs(
            one.fields, named
        )
        for one in declared.values()
    }


def _name(declared: Mapping[str, Desired], ref: Ref) -> str:
    return declared[ref.address].name if ref.address else str(ref.name or ref.id)


@THOROUGH
@given(tenants(), profiles)
def test_all_layouts_mean_the_same(drawn: Drawn, profile: str) -> None:
    with site(profile) as here:
        make(here.tenant, drawn)
        meant = []
        for layout in LAYOUTS:
            root = here.project(layout)
            meant.append(by_name(root) if here.imported(root, layout)["files"] else {})
        assert meant[0] == meant[1] == meant[2]


def applied(here: Site, root: Path) -> None:
    ran = here.run(root, "apply", "--auto-approve")
    assert ran.status == 0, ran.all


def declared_by_hand(here: Site, resources: Resources) -> None:
    """The tenant has what these declare, and nobody remembers them."""
    root = here.project("forgotten", DEFAULTS)
    (root / "manifests").mkdir()
    (root / "manifests" / "all.yaml").write_text(text_of(resources))
    applied(here, root)


@contextmanager
def secrets_of(report: Any) -> Iterator[None]:
    """The secrets that an import asks for, in the environment."""
    values = {
        one["fromEnv"]: SECRETS["key.json" if one["field"] == "serviceAccountKey" else "text"]
        for one in report["secrets"]
    }
    with patch.dict(os.environ, values):
        yield


# What a person might change in a file, and what it becomes; a text as long, for lines are broken by length.
CHANGES = (
    (r"(bucketName|dataset|containerName): \w+", r"\1: six"),
    (r"\b(file|table): x", r"\1: z"),
    (r'\b(file|table): "y"', r'\1: "n"'),
    (r"processId: \d+", "processId: 118000000077"),
    (r"\btime: .*", "time: 07:45"),
    (r"dayOfMonth: \d+", "dayOfMonth: 28"),
    (r"daysOfWeek: .*", "daysOfWeek: [mon, thu]"),
    (r"channels: .*", "channels: [email, in_app]"),
    (r"notify: \{full_failure: (\[.*?\])\}", r"notify: {success: \1}"),
    (r"onFailure: continue", "onPartialSuccess: stop"),
    (r"mapping: \{a: \w", "mapping: {a: q"),
)


@THOROUGH
@given(projects(), profiles, layouts, st.sets(st.sampled_from(CHANGES), min_size=1))
def test_what_is_imported_and_edited_is_the_same_when_it_is_imported_elsewhere(
    resources: Resources, profile: str, layout: str, changes: set[tuple[str, str]]
) -> None:
    with site(profile) as here:
        declared_by_hand(here, resources)
        one, other = here.project("one", DEFAULTS), here.project("other", DEFAULTS)
        report = here.imported(one, layout)
        assert report["leftOut"] == report["problems"] == []
        for file in one.glob("manifests/*.yaml"):
            text = file.read_text()
            for before, after in sorted(changes):
                text = re.sub(before, after, text)
            file.write_text(text)
        with secrets_of(report):
            applied(here, one)
        here.settled(one)
        here.imported(other, layout)
        assert files(other) == files(one)


@THOROUGH
@given(projects(), profiles)
def test_names_may_go_round_in_what_was_imported(resources: Resources, profile: str) -> None:
    with site(profile) as here:
        declared_by_hand(here, resources)
        one, other = here.project("one", DEFAULTS), here.project("other", DEFAULTS)
        report = here.imported(one, "single")
        (file,) = one.glob("manifests/*.yaml")
        file.write_text(text_of(exchanged(_read(file))))
        with secrets_of(report):
            applied(here, one)
        here.settled(one)
        here.imported(other)
        assert by_name(other) == by_name(one)
        here.settled(other)


def _read(file: Path) -> Resources:
    """As another reader of YAML has it."""
    read: dict[str, dict[str, Json]] = yaml.load(file.read_text(), Loader=yaml.BaseLoader)
    return {kind.section: read.get(kind.section, {}) for kind in KINDS.values()}
