"""Each invariant notices what it is there for: a world in which it holds, and one thing in it that is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from crash.invariants import (
    Broken,
    World,
    belonging_to,
    converged,
    ended,
    intent_of,
    no_secret,
    normal,
    objects,
    safe,
    sends_nothing,
    states_from,
    waits_for_a_person,
    what_was_touched_is_read_again,
)
from crash.scenarios import SCENARIOS
from crash.stage import COLLEAGUE, Bench, Stage
from unit.apply.rig import everything

from cwsync.kinds import same_id
from cwsync.state import ABSENT, Deposed, Intent, State, to_json

DECLARED = SCENARIOS["create"].declared


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A tenant with somebody else's objects, and everything of ours in it."""
    bench = Bench(tmp_path_factory.mktemp("bench"), SCENARIOS["create"])
    with bench.stage("applied") as stage:
        stage.run()
        yield stage


@pytest.fixture
def world(applied: Stage) -> World:
    return applied.world()


def found(broken: list[Broken]) -> set[str]:
    return {one.invariant for one in broken}


def forgetting(state: State, address: str) -> State:
    return replace(state.without_entry(address), serial=state.serial + 1)


def with_state(world: World, state: State) -> World:
    return replace(world, states=[*world.states, state])


def test_it_holds_where_nothing_is_wrong(world: World, applied: Stage) -> None:
    assert safe(world) == []
    assert ended(world, [], normal(world.snapshot, world.foreign), DECLARED) == []


@pytest.mark.parametrize(
    "address", ["connection.lake", "integration.close", "flow.nightly", "schedule.accounts"]
)
def test_what_is_ours_and_not_in_the_state_is_lost(world: World, address: str) -> None:
    assert found(safe(with_state(world, forgetting(world.state, address)))) == {"lost"}


def test_what_is_pending_or_set_aside_is_not_lost(world: World) -> None:
    entry = world.state.resources["connection.lake"]
    forgotten = forgetting(world.state, "connection.lake")
    aside = replace(forgotten, deposed=(Deposed("connection.lake", "connection", entry.id, "Lake"),))
    assert safe(with_state(world, aside)) == []
    assert safe(with_state(world, forgotten.with_intents([intent("connection.lake", "Lake")]))) == []
    assert found(safe(with_state(world, forgotten.with_intents([intent("connection.lake", "Other")])))) == {
        "lost"
    }


def intent(address: str, name: str, **more: Any) -> Intent:
    kind = address.partition(".")[0]
    return Intent("r:1", "r", 1, address, kind, "create", name, "hash", ABSENT, "", **more)


def test_one_object_has_one_address(world: World) -> None:
    twice = world.state.with_entry("connection.again", world.state.resources["connection.lake"])
    assert found(safe(with_state(world, replace(twice, serial=twice.serial + 1)))) == {"duplicate"}


def test_one_address_has_one_object(world: World) -> None:
    (lake,) = (each for each in world.snapshot["connections"] if each["body"]["name"] == "Lake")
    second = {**lake, "connectionId": "f" * 32}
    snapshot = {**world.snapshot, "connections": [*world.snapshot["connections"], second]}
    assert found(safe(replace(world, snapshot=snapshot))) == {"lost", "duplicate"}


def test_what_is_somebody_elses_stays_as_it_was(world: World) -> None:
    kept = belonging_to(world.snapshot, COLLEAGUE)
    assert {kind for kind, _ in kept} == {"connection", "integration", "schedule", "notification", "flow"}
    for section, key in (("connections", "connectionId"), ("integrations", "integrationId"), ("flows", "id")):
        mine = [each for each in world.snapshot[section] if each["createdBy"] != COLLEAGUE]
        gone = {**world.snapshot, section: mine}
        assert "hijack" in found(safe(replace(world, snapshot=gone)))
        changed = [{**each, "name": "x", "body": {}} for each in world.snapshot[section] if each not in mine]
        assert "hijack" in found(
            safe(replace(world, snapshot={**world.snapshot, section: [*mine, *changed]}))
        )
        theirs = next(each[key] for each in world.snapshot[section] if each not in mine)
        address = next(at for at, one in world.state.resources.items() if one.kind == section[:-1])
        bound = replace(world.state.resources[address], id=theirs)
        taken = with_state(world, replace(world.state.with_entry(address, bound), serial=99))
        assert "hijack" in found(safe(taken))


def test_serials_and_epochs_rise(world: World) -> None:
    assert found(safe(with_state(world, world.state))) == {"serial"}
    lower = replace(world.state, serial=world.state.serial + 1, epoch=world.state.epoch - 1)
    assert found(safe(with_state(world, lower))) == {"serial"}
    other = replace(world.state, serial=world.state.serial + 1, lineage="another")
    assert found(safe(with_state(world, other))) == {"serial"}


@pytest.mark.parametrize(
    ("status", "broken"), [(None, {"blind"}), (502, {"blind"}), (400, set()), (200, set())]
)
def test_what_has_no_reply_is_read_before_anything_else_is_sent(
    world: World, status: int | None, broken: set[str]
) -> None:
    def asked(method: str, status: int | None = 200) -> dict[str, Any]:
        return {"method": method, "path": "/2/0/integrations", "status": status}

    assert found(safe(replace(world, requests=[asked("POST", status), asked("POST")]))) == broken
    assert safe(replace(world, requests=[asked("POST", status), asked("GET"), asked("POST")])) == []


def test_the_last_request_of_a_run_is_a_read() -> None:
    read, sent = ({"method": method, "path": "/2/0/integrations"} for method in ("GET", "PUT"))
    assert [*what_was_touched_is_read_again([])] == [*what_was_touched_is_read_again([sent, read])] == []
    assert found([*what_was_touched_is_read_again([read, sent])]) == {"unread"}


def test_a_mutation_needs_an_intent_of_the_run_that_has_the_lock(applied: Stage) -> None:
    held = applied.rig.acquire()
    try:
        state, snapshot = held.state, applied.rig.tenant.snapshot
        close = state.resources["integration.close"].id
        made = replace(intent("integration.new", "New"), run=held.lock.run, epoch=held.lock.epoch)
        changes = replace(made, address="integration.close", targetId=close)
        told = replace(made, kind="notification", parent=close, address="notification.close")
        pointer = next(
            each["notificationId"] for each in snapshot()["integrations"] if each["integrationId"] == close
        )
        new, other = b'{"name": "New"}', b'{"name": "Other"}'
        cases: list[tuple[Intent, str, str, bytes, bool]] = [
            (made, "POST", "/2/0/integrations", new, True),
            (made, "POST", "/2/0/integrations", other, False),
            (made, "POST", "/2/0/integrationflows", new, False),
            (replace(made, run="another"), "POST", "/2/0/integrations", new, False),
            (changes, "PUT", f"/2/0/integrations/{close}", other, True),
            (changes, "DELETE", f"/2/0/integrations/{'f' * 32}", b"", False),
            (changes, "PUT", f"/2/0/integrations/{close}/schedule", b"{}", False),
            (told, "DELETE", f"/2/0/integrations/notification/{pointer}", b"", True),
            (told, "DELETE", f"/2/0/integrations/notification/{'f' * 32}", b"", False),
        ]
        for one, method, path, body, covered in cases:
            intended = state.with_intents([one])
            assert (intent_of(method, path, body, intended, snapshot) is not None) is covered, (one, path)
        assert intent_of("POST", "/2/0/integrations", new, replace(state, lock=None), snapshot) is None
    finally:
        held.release()


def test_the_end_is_the_goal_or_a_person_who_is_asked(world: World) -> None:
    goal = normal(world.snapshot, world.foreign)
    assert found([*converged(world, [*goal, "more"], DECLARED)]) == {"not converged"}
    assert found([*converged(world, goal[1:], DECLARED)]) == {"not converged"}
    assert found([*converged(world, goal, DECLARED[1:])]) == {"not converged"}
    pending = world.state.with_intents([intent("connection.lake", "Lake")])
    assert found([*converged(with_state(world, pending), goal, DECLARED)]) == {"not converged"}
    assert [*waits_for_a_person(pending, ["CW605"])] == []
    assert found([*waits_for_a_person(world.state, ["CW605"])]) == {"stuck"}
    assert found([*waits_for_a_person(pending, ["CW605", "CW501"])]) == {"stuck"}
    assert [*waits_for_a_person(pending, ["CW605", "CW501"], ["CW501"])] == []


def test_secrets_count_in_the_goal(world: World) -> None:
    """A connection that was found, and whose secrets were never sent, is not the one that was asked for."""
    lost = [{**each, "secrets": {}} for each in world.snapshot["connections"]]
    goal = normal(world.snapshot, world.foreign)
    assert normal({**world.snapshot, "connections": lost}, world.foreign) != goal


def test_one_more_run_sends_nothing_and_no_secret_is_written() -> None:
    assert [*sends_nothing([])] == []
    assert found([*sends_nothing(["PUT /x"])]) == {"not converged"}
    assert [*no_secret("it", b"harmless", ["needle-key"])] == []
    (broken,) = no_secret("it", "a needle-key in it", ["needle-key"])
    assert "needle-key" not in str(broken)


def test_documents_do_as_well_as_states(world: World) -> None:
    assert states_from([to_json(world.state)])[0].identity == world.state.identity


def test_every_object_has_one_key(world: World) -> None:
    kinds = [kind for kind, _ in objects(world.snapshot)]
    assert kinds.count("connection") == len(world.snapshot["connections"])
    assert ("schedule", same_id(world.state.resources["integration.accounts"].id)) in objects(world.snapshot)
    assert len(everything()["integrations"]) < kinds.count("integration")


def test_killed_means_dead(tmp_path: Path) -> None:
    """A run that is killed sends and writes nothing more, from none of its threads."""
    bench = Bench(tmp_path, SCENARIOS["create"])
    with bench.stage("dead") as stage:
        point = next(one for one in bench.at("commit after") if one.about.startswith("begin"))
        done = stage.run((point, stage.kill))
        assert done.killed
        sent, serial = len(stage.rig.tenant.requests()), stage.state.serial
        stage.rig.drained()
        assert (len(stage.rig.tenant.requests()), stage.state.serial) == (sent, serial)
        assert stage.state.lock is not None
