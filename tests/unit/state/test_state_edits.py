"""Edits by hand: what is moved, forgotten and put back, and what is refused because it would lose something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from unit.state.holding import refused

from cwsync.errors import Problem
from cwsync.state import (
    ABSENT,
    Deposed,
    Entry,
    Fingerprint,
    Holder,
    Intent,
    Key,
    Lock,
    State,
    compare,
    fingerprint,
    from_json,
    to_json,
)
from cwsync.state.edits import forget, move, parsed, put_back, succeeding

KEY = Key.of("a key of twenty-four chars")
SECRET = "made-up-secret"
LOCK = Lock(Holder("bob", "laptop", 7), "run", 9, "nonce", "then", "now", 120)
STATE = State(
    lineage="lineage",
    serial=12,
    epoch=5,
    writerNonce="nonce",
    tenant="emulator:local",
    resources={
        "connection.lake": Entry(
            "connection", "1", "Lake", {},
            secrets={"sasToken": fingerprint(KEY, "lineage", "connection.lake", "sasToken", SECRET)},
        ),
        "integration.load": Entry("integration", "AB-2", "Load", {}, protect=True),
        "integration.other": Entry("integration", "3", "Other", {}),
        "schedule.load": Entry("schedule", "AB-2", "", {}, parent="integration.load"),
        "notification.load": Entry("notification", "4", "", {}, parent="integration.load"),
        "schedule.other": Entry("schedule", "3", "", {}, parent="integration.other"),
    },
    deposed=(Deposed("integration.load", "integration", "9", "Load (old)"),),
)  # fmt: skip


def pending(address: str, parent: str | None = None) -> State:
    kind = address.partition(".")[0]
    intent = Intent("r:1", "r", 1, address, kind, "create", "n", "h", ABSENT, "2030-01-07", parent=parent)
    return STATE.with_intents([intent])


def problem(attempt: Callable[[], object]) -> Problem:
    (found,) = refused(attempt).problems
    assert found.hint
    return found


def test_a_move_takes_everything_along() -> None:
    moved = move(STATE, "integration.load", "integration.fetch")
    assert moved.resources["integration.fetch"] == STATE.resources["integration.load"]
    assert {at: entry.parent for at, entry in moved.resources.items()} == {
        "connection.lake": None,
        "integration.fetch": None,
        "integration.other": None,
        "schedule.load": "integration.fetch",
        "notification.load": "integration.fetch",
        "schedule.other": "integration.other",
    }
    assert [one.address for one in moved.deposed] == ["integration.fetch"]
    assert from_json(to_json(moved), "the state") == moved


def test_secrets_compare_as_before_wherever_they_are_moved() -> None:
    moved = move(move(STATE, "connection.lake", "connection.sea"), "connection.sea", "connection.pond")
    marks: dict[str, Fingerprint] = dict(from_json(to_json(moved), "it").resources["connection.pond"].secrets)

    def status(secret: str) -> str:
        return compare(marks["sasToken"], KEY, "lineage", "connection.pond", "sasToken", secret)

    assert status(SECRET) == "same"
    assert status("another") == "changed"


@pytest.mark.parametrize(
    ("source", "target", "code", "says"),
    [
        ("integration.lod", "integration.x", "CW507", "did you mean integration.load?"),
        ("integration.load", "integration.other", "CW509", "both are managed"),
        ("integration.load", "integration.load", "CW509", "both are managed"),
        ("integration.load", "flow.load", "CW509", "begins with integration."),
    ],
)
def test_what_cannot_be_moved(source: str, target: str, code: str, says: str) -> None:
    found = problem(lambda: move(STATE, source, target))
    assert found.code == code
    assert says in f"{found.message} {found.hint}"


@pytest.mark.parametrize("address", ["integration.load", "integration.new"])
def test_nothing_is_moved_from_or_to_where_an_operation_is_pending(address: str) -> None:
    found = problem(lambda: move(pending(address), "integration.load", "integration.new"))
    assert (found.code, f"the create of {address}" in found.message) == ("CW407", True)
    assert "cwsync recover" in str(found.hint)
    assert move(pending(address), "integration.other", "integration.else").pending == pending(address).pending


def test_forgetting_takes_the_parts_along_and_protection_does_not_matter() -> None:
    done = forget(STATE, ["integration.load", "connection.lake"])
    assert set(done.state.resources) == {"integration.other", "schedule.other"}
    assert done.addresses == ("connection.lake", "integration.load")
    assert done.parts == ("notification.load", "schedule.load")
    assert (done.deposed, done.state.deposed) == (STATE.deposed, ())


def test_a_part_can_be_forgotten_alone() -> None:
    done = forget(STATE, ["schedule.load", "schedule.load"])
    assert (done.addresses, done.parts, done.deposed) == (("schedule.load",), (), ())
    assert done.state.deposed == STATE.deposed


def test_what_only_still_has_to_be_deleted_can_be_forgotten() -> None:
    state = STATE.without_entry("integration.load")
    assert forget(state, ["integration.load"]).state.deposed == ()


def test_one_wrong_address_forgets_nothing() -> None:
    found = problem(lambda: forget(STATE, ["connection.lake", "schedule.lod"]))
    assert (found.code, found.hint) == ("CW507", "did you mean schedule.load?")


@pytest.mark.parametrize(
    "state",
    [
        pending("integration.load"),
        pending("schedule.load", "AB-2"),
        pending("notification.new", "ab2"),
    ],
    ids=["itself", "a part", "a part that is not known yet"],
)
def test_nothing_is_forgotten_while_an_operation_is_pending(state: State) -> None:
    found = problem(lambda: forget(state, ["connection.lake", "integration.load"]))
    assert found.code == "CW407"
    assert "cwsync recover" in str(found.hint)
    assert forget(state, ["connection.lake"]).state.pending == state.pending


def test_a_copy_brings_what_it_knows_and_nothing_of_the_store() -> None:
    stored = replace(STATE.without_entry("connection.lake"), serial=12, epoch=9, lock=LOCK, settling=60)
    copy = replace(STATE, lock=replace(LOCK, nonce="old"), settling=5, writerNonce="old")
    done = put_back(stored, copy)
    assert done.resources == STATE.resources
    assert (done.lock, done.epoch, done.settling, done.writerNonce) == (LOCK, 9, 60, "nonce")
    assert succeeding(State.new(), replace(copy, epoch=7)).epoch == 7


def test_a_copy_of_another_state_or_tenant_is_refused_even_by_force() -> None:
    found = problem(lambda: put_back(STATE, replace(STATE, lineage="other"), force=True))
    assert (found.code, "other" in found.message, "lineage)" in found.message) == ("CW408", True, True)
    for tenant in ("emulator:prod", None):
        found = problem(partial(put_back, STATE, replace(STATE, tenant=tenant), force=True))
        assert (found.code, "emulator:local" in found.message) == ("CW403", True)


def test_an_older_copy_needs_force() -> None:
    old = replace(STATE, serial=11)
    found = problem(lambda: put_back(STATE, old))
    assert found.code == "CW408"
    assert "serial 11" in found.message
    assert "12" in found.message
    assert "--force" in str(found.hint)
    assert put_back(STATE, old, force=True).resources == STATE.resources


def test_pending_is_never_discarded() -> None:
    stored = pending("flow.n")
    other = replace(stored.pending["r:1"], attempt=2)
    for copy in (STATE, stored.with_intents([other])):
        found = problem(partial(put_back, stored, copy, force=True))
        assert (found.code, "the create of flow.n" in found.message) == ("CW407", True)
        assert "cwsync recover" in str(found.hint)
    more = stored.with_intents([replace(other, op="r:2")])
    assert put_back(stored, more).pending == more.pending


def test_a_file_that_is_no_state_is_refused_with_the_way_to_one() -> None:
    found = problem(lambda: parsed(b"{}", "the file a.json"))
    assert (found.code, found.message.startswith("the file a.json cannot be read")) == ("CW401", True)
    assert "cwsync state pull" in str(found.hint)
    newer = to_json(STATE).replace(b'"version": 2', b'"version": 99')
    assert problem(lambda: parsed(newer, "the file a.json")).code == "CW402"
    assert parsed(to_json(STATE), "it") == STATE
