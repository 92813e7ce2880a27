"""Plans from any project to any other: the same bytes in any order, and calls that never get in each other's way."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st
from property.settings import QUICK
from property.worlds import Resources, edits, projects, text_of, write_project
from unit.plan.scene import TODAY, World, after, before, declared

from cwsync.kinds import KINDS, Desired, Observed, Snapshot, same_id
from cwsync.kinds.values import texts_in
from cwsync.manifest import load_manifests
from cwsync.plan import SET_ASIDE, TEMPORARY, Plan, canonical_json, make_plan
from cwsync.project import Guards, load_project, manifest_files

Key = TypeVar("Key")
Item = TypeVar("Item")


def _shuffled(items: Mapping[Key, Item], rng: random.Random) -> dict[Key, Item]:
    pairs = [*items.items()]
    rng.shuffle(pairs)
    return dict(pairs)


def _plan(desired: Mapping[str, Desired], world: World, rng: random.Random | None = None) -> Plan:
    state, objects = world.state, world.snapshot.objects
    if rng is not None:
        desired = _shuffled(desired, rng)
        state = replace(state, resources=_shuffled(state.resources, rng))
        objects = {kind: _shuffled(found, rng) for kind, found in _shuffled(objects, rng).items()}
    return make_plan(
        desired, state, Snapshot(objects, today=TODAY), environment="e", tenant="t", guards=Guards()
    )


@QUICK
@given(edits(), st.integers())
def test_no_order_of_what_was_read_shows_in_a_plan(edit: tuple[Resources, Resources], seed: int) -> None:
    world, desired = after(text_of(edit[0])), declared(text_of(edit[1]))
    made = [_plan(desired, world), _plan(desired, world, random.Random(seed))]
    assert canonical_json(asdict(made[0])) == canonical_json(asdict(made[1]))


@QUICK
@given(projects(), st.permutations(range(20)))
def test_no_order_of_the_files_shows_in_what_they_declare(resources: Resources, order: Sequence[int]) -> None:
    made = []
    for how in ((), order):
        with tempfile.TemporaryDirectory() as folder:
            project = load_project(write_project(Path(folder), resources, how))
            manifest = load_manifests(
                [(file, file.name) for file in manifest_files(project)],
                defaults=project.defaults,
                users=project.users,
                variables=project.environment.variables,
            )
        made.append([replace(one, place=None) for one in manifest.resources.values()])
    assert made[0] == made[1]


@QUICK
@given(edits())
def test_calls_never_get_in_each_others_way(edit: tuple[Resources, Resources]) -> None:
    """In every order that the graph allows, each call finds what it needs and breaks nothing."""
    world = after(text_of(edit[0]))
    made = _plan(declared(text_of(edit[1])), world)
    assert {problem.code for problem in made.problems} <= {"CW516"}
    _users_leave_before_it_goes(made, world)
    _places_are_free_before_they_are_taken(made, world)
    _names_are_taken_before_their_holders_go(made, world)
    _twice_is_renamed_who_stands_in_a_circle(made, world)
    for call in made.calls:
        assert all(order < call.order for order in call.after)


def _twice_is_renamed_who_stands_in_a_circle(made: Plan, world: World) -> None:
    """Exactly one of each: every other one of a circle can follow it."""
    moving = {one.address: one for one in made.changes if one.action == "update" and KINDS[one.kind].listing}
    holders = {(one.kind, world.state.resources[address].name): address for address, one in moving.items()}
    follow = {address: holders.get((one.kind, one.name)) for address, one in moving.items()}
    circles = set()
    for address in moving:
        circle, then = [address], follow[address]
        while then is not None and then not in circle:
            circle.append(then)
            then = follow[then]
        if then == address and len(circle) > 1:
            circles.add(min(circle))
    assert {call.address for call in made.calls if call.action == TEMPORARY} == circles


def _names_are_taken_before_their_holders_go(made: Plan, world: World) -> None:
    takers = {(one.kind, one.name): one for one in made.changes if one.action in ("create", "update")}
    for gone in made.changes:
        taker = (
            takers.get((gone.kind, world.state.resources[gone.address].name))
            if gone.action == "delete"
            else None
        )
        if taker is not None and KINDS[gone.kind].listing is not None:
            (last,) = [one for one in made.calls if one.address == taker.address and one.action != TEMPORARY]
            assert before(made, f"{last.action} {taker.address}", f"delete {gone.address}")


def _live(world: World, made: Plan) -> dict[str, Observed]:
    return {
        address: world.objects[entry.kind][same_id(entry.id)]
        for address, entry in world.state.resources.items()
        if address in {call.address for call in made.calls}
    }


def _users_leave_before_it_goes(made: Plan, world: World) -> None:
    live = _live(world, made)
    going = [call for call in made.calls if call.action == "delete" and live[call.address].parent is None]
    for call in going:
        for user, seen in live.items():
            if user != call.address and same_id(call.target or "") in {
                same_id(text) for text in texts_in(seen.fields)
            }:
                letting_go = [
                    one for one in made.calls if one.address == user and one.action in ("update", "delete")
                ]
                assert letting_go
                assert any(
                    before(made, f"{one.action} {user}", f"delete {call.address}") for one in letting_go
                )


def _places_are_free_before_they_are_taken(made: Plan, world: World) -> None:
    """A name within a kind; the one schedule and the one notification of an integration."""
    live = _live(world, made)
    for taker in [call for call in made.calls if call.action in ("create", "update", "rename")]:
        (change,) = [one for one in made.changes if one.address == taker.address]
        kind = KINDS[change.kind]
        for address, seen in live.items():
            if address == taker.address or seen.kind != kind.name:
                continue
            held = seen.name if kind.listing else seen.parent
            wanted = change.name if kind.listing else (change.after or {}).get("integration")
            if held == wanted:
                freeing = next(call for call in made.calls if call.address == address)
                assert freeing.action in (SET_ASIDE, TEMPORARY, "delete", "update", "rename")
                assert before(made, f"{freeing.action} {address}", f"{taker.action} {taker.address}")
