"""What a user would write for an object of the tenant: every kind, every text, and the keys."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from property.settings import QUICK
from unit.kinds.round_trip import example_resources

from cwsync.authoring.declare import Draft, above, shared, write_down
from cwsync.authoring.emit import entry, text_of, writable
from cwsync.authoring.names import Called, Names, all_keys, distinct_keys, users_by_id
from cwsync.kinds import KINDS, Fields, Observed, Ref, Snapshot, TypeOf, Written
from cwsync.kinds.values import replace_refs
from cwsync.located import load

RESOURCES = example_resources()
IDS = {address: f"{number:032x}" for number, address in enumerate(sorted(RESOURCES), start=1)}


def in_the_tenant(address: str) -> Fields:
    """A resource's fields as they are observed: with ids."""

    def value(ref: Ref | TypeOf) -> str:
        if isinstance(ref, TypeOf):
            return str(RESOURCES[ref.ref.address or ""].fields["type"])
        return IDS[ref.address or ""]

    made = replace_refs(RESOURCES[address].fields, value)
    assert isinstance(made, dict)
    return made


def observed(address: str) -> Observed:
    one, fields = RESOURCES[address], in_the_tenant(address)
    parent = str(fields["integration"]) if one.parent else None
    return Observed(one.kind, IDS[address], one.name, fields, type=str(fields.get("type")), parent=parent)


def snapshot() -> Snapshot:
    objects: dict[str, dict[str, Observed]] = {kind: {} for kind in KINDS}
    for address, one in RESOURCES.items():
        objects[one.kind][IDS[address]] = observed(address)
    return Snapshot(objects)


def names(keys: Mapping[tuple[str, str], str]) -> Names:
    return Names(keys, snapshot(), {}, set())


def read_back(address: str, key: str, written: Mapping[str, Written]) -> Fields:
    """What a manifest with this text comes to, with the ids that its references stand for."""
    kind = KINDS[RESOURCES[address].kind]
    (document,) = load(text_of({kind.section: {key: written}}, ()), "written.yaml")
    body: Any = document.value
    content = kind.content(kind.model.validate_python(body[kind.section][key]), key, {})
    by_name = {(o.kind, o.name): o.id for of in snapshot().objects.values() for o in of.values()}

    def value(ref: Ref | TypeOf) -> str:
        if isinstance(ref, TypeOf):
            id = value(ref.ref)
            return str(next(in_the_tenant(at)["type"] for at, its in IDS.items() if its == id))
        return ref.id or IDS.get(ref.address or "") or by_name[ref.kind, ref.name or ""]

    fields = replace_refs(content.fields, value)
    assert isinstance(fields, dict)
    return fields


@pytest.mark.parametrize("address", sorted(RESOURCES))
@pytest.mark.parametrize("declared", [True, False], ids=["declared", "unmanaged"])
def test_what_is_written_comes_to_what_the_tenant_has(address: str, declared: bool) -> None:
    kind, key = RESOURCES[address].kind, "a-key-of-its-own"
    keys = {(one.kind, IDS[at]): one.key for at, one in RESOURCES.items()} if declared else {}
    written, why = write_down(Draft(f"{kind}.{key}", observed(address)), names(keys))
    assert why is None
    assert read_back(address, key, written) == in_the_tenant(address)


def test_what_is_as_everybody_has_it_is_not_written() -> None:
    fields = in_the_tenant("integration.close-process") | {"nuxVisible": False, "jobs": []}
    written = KINDS["integration"].to_manifest(fields, Called(names({}), "Month close"))
    assert [*written] == ["workspaceId", "modelId", "processId"]
    flow = KINDS["flow"].to_manifest(in_the_tenant("flow.month-end"), Called(names({}), "month-end"))
    assert flow == {
        "steps": [
            {"integration": {"name": "Month close"}},
            {"integration": {"name": "Actuals export"}, "skip": True},
            {"integration": {"name": "tidy-process"}},
        ]
    }


def test_a_name_that_two_have_is_no_reference() -> None:
    twins = {id: Observed("connection", id, "Twin", {}) for id in ("a" * 32, "b" * 32)}
    names = Names({}, Snapshot({"connection": twins}), {}, set())
    assert names.reference("connection", "A" * 32) == {"id": "a" * 32}
    assert names.missing == []
    names.reference("connection", "c" * 32)
    assert names.missing == [("connection", "c" * 32)]


NAMES = st.lists(
    st.tuples(st.uuids().map(lambda id: id.hex), st.text("aA bé-_2販", max_size=6)),
    unique_by=lambda one: one[0],
    max_size=12,
)


@QUICK
@given(NAMES, st.sets(st.sampled_from(["a", "a-2", "b", "2"])), st.randoms(use_true_random=False))
def test_keys_do_not_depend_on_the_order_and_do_not_collide(
    found: list[tuple[str, str]], taken: set[str], order: random.Random
) -> None:
    keys = distinct_keys(dict(found), taken, "flow")
    order.shuffle(found)
    assert distinct_keys(dict(found), taken, "flow") == keys
    assert len({*keys.values()}) == len(found)
    assert taken.isdisjoint(keys.values())


def test_keys_read_like_names() -> None:
    found = {"1" * 32: "Sales S3", "2" * 32: "Ventas / Perú", "3" * 32: "sales-s3", "4" * 32: "SALES S3 2"}
    assert distinct_keys(found, set(), "connection") == {
        "1" * 32: "sales-s3",
        "2" * 32: "ventas-peru",
        "3" * 32: "sales-s3-3",
        "4" * 32: "sales-s3-2",  # no other name reads so
    }


def test_parts_have_the_keys_of_their_integrations() -> None:
    parts = [observed("schedule.every-evening"), observed("notification.close")]
    known = {("integration", IDS["integration.actuals-export"]): "actuals"}
    keys = all_keys(parts, snapshot(), known, {"notification.month-close"})
    assert [*keys.values()] == ["actuals", "month-close-2"]


def test_users_get_names_from_the_service() -> None:
    people = {"a" * 32: "Grace Hopper", "b" * 32: "Grace Hopper", "c" * 32: "Ada Lovelace", "d" * 32: "李"}
    known, new = users_by_id({"ada": "C" * 32, "grace-hopper": "e" * 32}, people)
    assert known == {"c" * 32: "ada", "e" * 32: "grace-hopper"}
    assert new == {"a" * 32: "grace-hopper-2", "b" * 32: "grace-hopper-3"}


def test_only_what_most_share_is_lifted() -> None:
    def draft(number: int, model: str) -> Draft:
        one = Observed("integration", f"{number:032}", "x", {})
        return Draft(f"integration.i{number}", one, {"workspaceId": "w", "modelId": model})

    drafts = [draft(1, "A"), draft(2, "A"), draft(3, "B"), draft(4, "C")]
    assert shared(drafts, {}) == {"integrations": {"workspaceId": "w"}}
    assert shared(drafts[:3], {}) == {"integrations": {"workspaceId": "w", "modelId": "A"}}
    assert shared(drafts, {"integrations": {"workspaceId": "v"}}) == {}
    assert shared(drafts[:1], {}) == {}


def test_a_default_that_would_say_otherwise_is_spoken_against() -> None:
    (document,) = load(
        "schedules: {timezone: Greenwich, endDate: 2030-02-01, enabled: false, dayOfMonth: 3}", "f"
    )
    defaults: Any = document.value
    draft = Draft("schedule.a", observed("schedule.accounts"), {"type": "weekly", "timezone": "Greenwich"})
    assert above(draft, defaults) == {"type": "weekly", "endDate": None, "enabled": True}


TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["007", "1e5", "0x1F", "1_000", "no", "Null", "~", "12:45", "2030-01-07", "a: b", "#", "${x}"]
    ),
    st.from_regex(r"[-+.0-9a-fxoYn_ :]{1,6}", fullmatch=True),
)


@QUICK
@given(
    st.dictionaries(
        TEXTS,
        st.one_of(TEXTS, st.lists(TEXTS, max_size=3), st.dictionaries(TEXTS, TEXTS, max_size=3)),
        max_size=4,
    )
)
def test_every_text_reads_back_here_and_with_other_tools(resource: dict[str, Any]) -> None:
    written = text_of({"connections": {"key": {"name": "x", **resource}}}, ["a comment"])
    escaped = {"name": "x", **_escaped(resource)}
    (document,) = load(written, "written.yaml")
    assert document.value == {"connections": {"key": escaped}}
    assert yaml.safe_load(written) == {"connections": {"key": escaped}}


def _escaped(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [*map(_escaped, value)]
    return value.replace("${", "$${")


def test_half_of_a_character_can_stand_in_no_file() -> None:
    assert not writable({"name": "\ud800"})
    assert writable({"name": "\U0001f600", "steps": [{"skip": True}]})


def test_long_things_are_broken_up_as_people_do() -> None:
    job: Written = {
        "export": {"connection": "warehouse", "mapping": {f"Column {n}": f"column_{n}" for n in range(6)}}
    }
    assert [*entry("jobs", [job], 4)] == [
        "    jobs:",
        "      - export:",
        "          connection: warehouse",
        "          mapping:",
        *(f"            Column {n}: column_{n}" for n in range(6)),
    ]
