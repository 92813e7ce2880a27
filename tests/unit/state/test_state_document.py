"""The document: the same bytes for the same state, and strict reading with a way out."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cwsync.errors import CwsyncError, Exit
from cwsync.state import (
    ABSENT,
    Deposed,
    Entry,
    Fingerprint,
    Holder,
    Intent,
    Lock,
    Pre,
    State,
    from_json,
    to_json,
)
from cwsync.state.reading import migrated

# Halves of surrogate pairs side by side become one character in JSON, so only lone ones can come back.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.just("\ud800")
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
MARKS = st.dictionaries(TEXT, st.builds(Fingerprint, TEXT, TEXT, st.none() | TEXT), max_size=2)
ENTRIES = st.builds(
    Entry,
    kind=TEXT,
    id=TEXT,
    name=TEXT,
    applied=st.dictionaries(TEXT, PLAIN, max_size=3),
    parent=st.none() | TEXT,
    secrets=MARKS,
    protect=st.booleans(),
    origin=st.sampled_from(["created", "adopted"]),
    seen=st.none() | TEXT,
)
PRES = st.just(ABSENT) | st.builds(Pre, fingerprint=TEXT)
INTENTS = st.builds(
    Intent,
    op=TEXT,
    run=TEXT,
    epoch=st.integers(),
    address=TEXT,
    kind=TEXT,
    action=TEXT,
    name=TEXT,
    desiredHash=TEXT,
    pre=PRES,
    serverTime=TEXT,
    attempt=st.integers(),
    targetId=st.none() | TEXT,
    parent=st.none() | TEXT,
    secretFingerprints=MARKS,
    group=st.none() | TEXT,
)
HOLDERS = st.builds(Holder, TEXT, TEXT, st.integers(), st.none() | TEXT)
LOCKS = st.builds(Lock, HOLDERS, TEXT, st.integers(), TEXT, TEXT, TEXT, st.integers())
STATES = st.builds(
    State,
    lineage=TEXT,
    serial=st.integers(),
    epoch=st.integers(),
    writerNonce=TEXT,
    tenant=st.none() | TEXT,
    lock=st.none() | LOCKS,
    pending=st.lists(INTENTS, max_size=2).map(lambda intents: {intent.op: intent for intent in intents}),
    deposed=st.lists(st.builds(Deposed, TEXT, TEXT, TEXT, TEXT), max_size=2).map(tuple),
    resources=st.dictionaries(TEXT, ENTRIES, max_size=3),
    settling=st.integers(0, 600),
)

FULL = replace(
    State.new("emulator:local"),
    lock=Lock(Holder("alice", "laptop", 7, "boot"), "run", 1, "nonce", "then", "now", 120),
    pending={
        "op": Intent("op", "run", 1, "flow.f", "flow", "update", "F", "hash", Pre(fingerprint="f"), "now")
    },
    deposed=(Deposed("flow.f", "flow", "9", "F aside"),),
    resources={"connection.lake": Entry("connection", "1", "Lake", {"b": 1, "a": [None]})},
)


@settings(deadline=None)
@given(STATES)
def test_what_is_written_is_read_back(state: State) -> None:
    data = to_json(state)
    assert from_json(data, "the state") == state
    assert to_json(from_json(data, "the state")) == data


@settings(deadline=None)
@given(STATES)
def test_the_layout_is_that_of_any_json_tool(state: State) -> None:
    text = to_json(state).decode()
    assert (
        text
        == json.dumps(json.loads(text), sort_keys=True, indent=2, ensure_ascii=False)
        .encode("utf-8", "backslashreplace")
        .decode("utf-8")
        + "\n"
    )


def test_the_order_of_building_does_not_show() -> None:
    one, two = Entry("flow", "1", "A", {"x": 1, "y": 2}), Entry("flow", "2", "B", {})
    other = Entry("flow", "1", "A", {"y": 2, "x": 1})
    new = State.new()
    assert to_json(new.with_entry("flow.a", one).with_entry("flow.b", two)) == to_json(
        new.with_entry("flow.b", two).with_entry("flow.a", other)
    )


def test_the_document_has_the_fields_of_the_contract() -> None:
    document = json.loads(to_json(FULL))
    assert (document["format"], document["version"]) == ("cwsync-state", 2)
    assert {"lineage", "serial", "epoch", "tenant", "lock", "pending", "resources"} <= set(document)
    entry = document["resources"]["connection.lake"]
    assert {"kind", "id", "name", "applied", "secrets", "protect", "origin"} == set(entry)
    assert document["pending"]["op"]["pre"] == {"fingerprint": "f"}


def test_changes_leave_the_state_they_start_from_alone() -> None:
    before = to_json(FULL)
    entry = Entry("flow", "9", "F", {})
    ended = FULL.with_entry("flow.f", entry).without_entry("connection.lake").without_intents(["op", "none"])
    intent = replace(FULL.pending["op"], op="next")
    assert to_json(FULL) == before
    assert (dict(ended.resources), dict(ended.pending)) == ({"flow.f": entry}, {})
    assert set(ended.with_intents([intent, FULL.pending["op"]]).pending) == {"next", "op"}
    assert ended.with_lock(None).lock is None


def test_a_state_belongs_to_one_tenant() -> None:
    bound = State.new().bound_to("api.cloudworks.anaplan.com/8a81")
    assert bound.bound_to("api.cloudworks.anaplan.com/8a81") == bound
    with pytest.raises(CwsyncError) as raised:
        bound.bound_to("emulator:local")
    assert raised.value.problems[0].code == "CW403"
    assert "api.cloudworks.anaplan.com/8a81" in str(raised.value)
    assert "emulator:local" in str(raised.value)


def edited(path: str, value: Any) -> bytes:
    """The full document with the value at a path of keys replaced; `...` takes it out."""
    document = json.loads(to_json(FULL))
    *parents, last = path.split("/")
    inner = document
    for key in parents:
        inner = inner[key]
    inner[last] = value
    if value is ...:
        del inner[last]
    return json.dumps(document).encode()


WHOLE = to_json(FULL)
DAMAGED = {
    "empty": (b"", "empty"),
    "blank": (b"\n\n", "empty"),
    "cut short": (WHOLE[: len(WHOLE) // 2], "cut short"),
    "not UTF-8": (b'{"format": "\xff"}', "UTF-8"),
    "nested too deeply": (b"[" * 100_000, "nested"),
    "a number too long": (b'{"serial": ' + b"9" * 5000 + b"}", "number too long"),
    "not a number": (WHOLE.replace(b'"serial": 0', b'"serial": NaN'), "NaN"),
    "a key twice": (WHOLE.replace(b'"serial": 0', b'"serial": 0, "serial": 1'), "twice"),
    "a list": (b"[]", "not a cwsync state"),
    "another format": (edited("format", "terraform"), "not a cwsync state"),
    "version as text": (edited("version", "1"), "version must be a whole number"),
    "version true": (edited("version", True), "version must be a whole number"),
    "version before any": (edited("version", 0), "version 0"),
    "no lineage": (edited("lineage", ...), "lineage is missing"),
    "serial as text": (edited("serial", "1"), "serial must be a whole number"),
    "serial true": (edited("serial", True), "serial must be a whole number"),
    "resources as a list": (edited("resources", []), "resources must be an object"),
    "no id": (edited("resources/connection.lake/id", ...), "resources.connection.lake.id is missing"),
    "protect as text": (
        edited("resources/connection.lake/protect", "no"),
        "resources.connection.lake.protect must be true or false",
    ),
    "another origin": (edited("resources/connection.lake/origin", "found"), "must be created or adopted"),
    "an entry as text": (
        edited("resources/connection.lake", "x"),
        "resources.connection.lake must be an object",
    ),
    "an unknown field": (edited("resources/connection.lake/colour", 1), "resources.connection.lake.colour"),
    "an unknown section": (edited("outputs", {}), "outputs is nothing"),
    "pre of neither form": (edited("pending/op/pre", {}), "pending.op.pre must be"),
    "pre of both forms": (edited("pending/op/pre/absent", True), "pending.op.pre must be"),
    "lock without holder": (edited("lock/holder", ...), "lock.holder is missing"),
    "deposed as text": (edited("deposed", ["x"]), "deposed[0] must be an object"),
}


@pytest.mark.parametrize(("data", "reason"), DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_document_is_refused_with_place_and_way_out(data: bytes, reason: str) -> None:
    with pytest.raises(CwsyncError) as raised:
        from_json(data, "the state prod.json")
    problem = raised.value.problems[0]
    assert problem.code == "CW401"
    assert problem.message.startswith("the state prod.json cannot be read: ")
    assert reason in problem.message
    assert problem.hint
    assert "good copy" in problem.hint


def test_a_newer_document_is_refused_and_the_versions_named() -> None:
    with pytest.raises(CwsyncError) as raised:
        from_json(edited("version", 7), "the state prod.json")
    assert raised.value.problems[0].code == "CW402"
    assert raised.value.exit is Exit.ERROR
    assert "version 7" in str(raised.value)
    assert "up to 2" in str(raised.value)


def test_an_older_document_is_migrated_step_by_step() -> None:
    old = {"format": "cwsync-state", "version": 1, "steps": []}
    steps = {
        1: lambda document: {**document, "steps": [*document["steps"], "to 2"]},
        2: lambda document: {**document, "steps": [*document["steps"], "to 3"]},
    }
    assert migrated(old, "the state", to=3, migrations=steps) == {
        "format": "cwsync-state",
        "version": 3,
        "steps": ["to 2", "to 3"],
    }
