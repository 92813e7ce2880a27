"""Small worlds for the planner: manifests as text, what was applied, what the tenant shows.

The manifests are real ones and the objects of the tenant are real replies, so that the planner meets what
it will meet; only the reading and the sending are left out.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cwsync.errors import CwsyncError
from cwsync.kinds import KINDS, ChangeLists, Desired, Fields, Observed, Ref, Snapshot, TypeOf, same_id
from cwsync.kinds.values import replace_refs
from cwsync.located import Map, load
from cwsync.manifest import load_manifests
from cwsync.plan import Call, Change, Plan, Selection, make_plan
from cwsync.plan.policies import Approval
from cwsync.project import Guards, Policy
from cwsync.state import Deposed, Entry, Fingerprint, State
from cwsync.variables import Variables

TODAY = "2029-06-15"
DEFAULTS = """\
connections: {accessKeyId: {fromEnv: KEY}, secretAccessKey: {fromEnv: SECRET}, sasToken: {fromEnv: SAS}}
integrations: {workspaceId: 8a81b09d5e8c6f27015ece3402487d33, modelId: 35A6EF893D7F47EEA5A554D5CC7DC330}
schedules: {timezone: Greenwich, startDate: 2030-01-07, type: daily, time: 12:45}
"""


def declared(text: str) -> dict[str, Desired]:
    """The resources of a manifest, with the defaults below them."""
    (document,) = load(DEFAULTS, "cwsync.yaml")
    assert isinstance(document.value, Map)
    defaults = {section: one for section, one in document.value.items() if isinstance(one, Map)}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "manifest.yaml"
        file.write_text(text, encoding="utf-8")
        try:
            manifest = load_manifests(
                [(file, "manifest.yaml")],
                defaults=defaults,
                users={"alice": "a" * 32, "bob": "b" * 32},
                variables=Variables(),
            )
        except CwsyncError as error:
            raise AssertionError([str(one) for one in error.problems]) from None
    return dict(manifest.resources)


def id_for(address: str) -> str:
    """The id that the tenant of these tests gives to what is behind an address."""
    kind, _, key = address.partition(".")
    named = f"integration.{key}" if kind == "schedule" else address  # a schedule has none of its own
    return hashlib.md5(named.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class World:
    """What is known and what is there; `after` makes one in which everything declared was applied."""

    state: State = field(default_factory=lambda: State("lineage", tenant="acme"))
    objects: Mapping[str, Mapping[str, Observed]] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    used: int | None = None
    allowed: int | None = None

    @property
    def snapshot(self) -> Snapshot:
        return Snapshot(self.objects, unread=self.unread, today=TODAY, used=self.used, allowed=self.allowed)

    def put(self, *found: Observed) -> World:
        """The same with these objects in the tenant."""
        objects = {kind: dict(self.objects.get(kind, {})) for kind in KINDS}
        for one in found:
            objects[one.kind][same_id(one.id)] = one
        return replace(self, objects=objects)

    def without(self, address: str) -> World:
        """The same after somebody deleted the object in CloudWorks."""
        entry = self.state.resources[address]
        objects = {kind: dict(items) for kind, items in self.objects.items()}
        del objects[entry.kind][same_id(entry.id)]
        return replace(self, objects=objects)

    def edited(self, address: str, by: str = "Grace Hopper", **fields: Any) -> World:
        """The same after somebody changed fields in CloudWorks; None takes one away."""
        entry = self.state.resources[address]
        live = self.objects[entry.kind][same_id(entry.id)]
        made = {key: item for key, item in {**(live.fields or {}), **fields}.items() if item is not None}
        return self.put(replace(live, fields=made, name=str(made.get("name", "")), modified_by=by))

    def deposed(self, *gone: Deposed) -> World:
        return replace(self, state=replace(self.state, deposed=gone))


def after(text: str, world: World | None = None) -> World:
    """The world in which the manifest was applied."""
    world = world or World()
    resources = declared(text)
    entries, found = {}, []
    for address, one in resources.items():
        id = _id_of(one)
        fields = _with_ids(one.fields, resources, world)
        parent = _id_of_ref(one.parent, resources, world) if one.parent else None
        pointer = id_for(f"notification.{one.key}") if one.kind == "integration" else None
        found.append(
            Observed(
                one.kind,
                id,
                one.name,
                fields,
                type=str(fields.get("type")),
                parent=parent,
                notification=pointer,
            )
        )
        entries[address] = Entry(
            one.kind,
            id,
            one.name,
            fields,  # type: ignore[arg-type] # no reference is left in them
            parent=one.parent.address if one.parent else None,
            secrets={name: Fingerprint("f", "k") for name in one.secrets},
            protect=one.protect,
        )
    world = world.put(*found)
    return replace(world, state=replace(world.state, resources={**world.state.resources, **entries}))


def _id_of(one: Desired) -> str:
    if one.parent is not None:
        key = (one.parent.address or "").partition(".")[2]
        return id_for(f"{one.kind}.{key}")
    return id_for(one.address)


def _with_ids(fields: Fields, resources: Mapping[str, Desired], world: World) -> Fields:
    def value(ref: Ref | TypeOf) -> str:
        if isinstance(ref, TypeOf):
            if ref.ref.address:
                return str(resources[ref.ref.address].fields["type"])
            found = world.objects["connection"][same_id(_id_of_ref(ref.ref, resources, world))]
            return str(found.type)
        return same_id(_id_of_ref(ref, resources, world))

    made = replace_refs(fields, value)
    assert isinstance(made, dict)
    return made


def _id_of_ref(ref: Ref, resources: Mapping[str, Desired], world: World) -> str:
    if ref.address:
        return id_for(ref.address)
    if ref.id:
        return ref.id
    (found,) = world.snapshot.named(ref.kind, ref.name or "")
    return found.id


def plan(
    text: str,
    world: World | None = None,
    *,
    guards: Guards | None = None,
    secrets: Mapping[str, Mapping[str, str]] | None = None,
    lists: ChangeLists | None = None,
    selection: Selection | None = None,
    policies: Sequence[Policy] = (),
    approval: Approval | None = None,
) -> Plan:
    """The plan for a manifest in a world."""
    world = world or World()
    return make_plan(
        declared(text) if text else {},
        world.state,
        world.snapshot,
        environment="test",
        tenant="acme",
        guards=guards or Guards(),
        secrets=secrets,
        lists=lists,
        selection=selection,
        policies=policies,
        approval=approval,
    )


def calls(of: Plan) -> list[str]:
    """`ACTION ADDRESS` of each call, in order."""
    return [f"{call.action} {call.address}" for call in of.calls]


def call(of: Plan, what: str) -> Call:
    (found,) = [one for one in of.calls if f"{one.action} {one.address}" == what]
    return found


def before(of: Plan, first: str, then: str) -> bool:
    """Whether `then` waits for `first`, directly or through others: not only that it has a later number."""
    by_order = {one.order: one for one in of.calls}
    waiting, seen = [call(of, then)], set[int]()
    while waiting:
        for order in waiting.pop().after:
            if order not in seen:
                seen.add(order)
                waiting.append(by_order[order])
    return call(of, first).order in seen


def change(of: Plan, address: str) -> Change:
    (found,) = [one for one in of.changes if one.address == address]
    return found


def fates(of: Plan) -> dict[str, str]:
    """What becomes of each address that something happens to."""
    return {one.address: one.action for one in of.changes if one.action != "no-op"}


def paths(of: Plan, address: str) -> dict[str, str]:
    """Each field that changes, and why."""
    return {one.path: one.cause for one in change(of, address).fields}


def codes(of: Plan) -> list[str]:
    return [one.code for one in of.problems]


def s3(key: str, **fields: str) -> str:
    """A connection in a manifest, in one line."""
    more = "".join(f", {name}: {value}" for name, value in fields.items())
    return f"  {key}: {{type: AmazonS3, bucketName: bucket{more}}}\n"


def imports(key: str, connection: str, **fields: str) -> str:
    """An integration that imports from a connection, in one line."""
    more = "".join(f", {name}: {value}" for name, value in fields.items())
    job = f"{{import: {{connection: {connection}, file: a.csv, actionId: 112, fileId: 113}}}}"
    return f"  {key}: {{jobs: [{job}]{more}}}\n"


def sections(**texts: str) -> str:
    return "".join(f"{section}:\n{text}" for section, text in texts.items() if text)


def stranger(kind: str, name: str, id: str = "9" * 32, **fields: object) -> Observed:
    """An object that nobody here manages."""
    kind_of = {"connection": "AmazonS3"}.get(kind)
    return Observed(kind, id, name, {"name": name, **fields}, type=kind_of)  # type: ignore[dict-item] # plain values


def everything_in(world: World) -> list[Observed]:
    return [one for objects in world.objects.values() for one in objects.values()]
