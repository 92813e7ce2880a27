"""A run that is killed at any step: the next one finds out, nothing of ours is lost, nothing foreign touched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from unit.apply.manifests import changed
from unit.apply.rig import (
    ALICE,
    Killed,
    Manifest,
    Rig,
    WatchedStore,
    azure,
    daily,
    everything,
    flow,
    imports,
    notify,
    process,
    s3,
)


def replaced() -> Manifest:
    """The connection in use moves to another workspace, which only a new one can."""
    manifest = everything()
    manifest["connections"]["sales"] = s3(workspaceId="8a81b09d5e8c6f27015ece3402487d33")
    return manifest


def under(keys: str) -> Manifest:
    """Three connections, integrations and flows, and a schedule; their names follow the keys."""
    first, second, third = list(keys)
    return {
        "connections": {first: s3("One"), second: s3("Two"), third: azure("Three")},
        "integrations": {
            first: process("First"),
            second: process("Second", processId="118000000002"),
            third: process("Third", processId="118000000003"),
        },
        "schedules": {"a": daily()},
        "flows": {first: flow("a", "b", name="Day"), second: flow("b", "c", name="Night")},
    }


def paused(file: str, time: str = "12:45") -> Manifest:
    """Two integrations with schedules, one of which changes with its integration."""
    return {
        "connections": {"sales": s3()},
        "integrations": {
            "accounts": imports("sales", file=file),
            "stock": imports("sales", "Stock", file=file),
        },
        "schedules": {"accounts": daily(), "stock": daily(time=time)},
    }


def renamed_keys() -> Manifest:
    """The same names under other keys, while all of it is in use."""
    return {
        "connections": {"sales-s3": s3(), "lake": azure()},
        "integrations": {"load": imports("sales-s3"), "close": process()},
        "schedules": {"load": daily(enabled=False)},
        "notifications": {"load": notify(success=[ALICE])},
        "flows": {"nightly": flow("load", "close")},
    }


LOOK_ALIKE = {"CW516"}  # a warning: another key alone is a new resource
STORIES: dict[str, tuple[Manifest, Manifest]] = {
    "create": ({}, everything()),
    "change": (everything(), changed()),
    "replace": (everything(), replaced()),
    "destroy": (everything(), {}),
    "swap": (under("abc"), under("bca")),
    "pause": (paused("a.csv"), paused("b.csv", "13:00")),
    "other keys": (everything(), renamed_keys()),
}


@contextmanager
def scene(folder: Path, before: Manifest) -> Iterator[Rig]:
    """A tenant with somebody else's objects, and ours."""
    folder.mkdir()
    rig = Rig(folder)
    rig.tenant.edit(
        "create", "connection", body={"type": "AmazonS3", "body": {"name": "Theirs", "bucketName": "theirs"}}
    )
    rig.tenant.edit("create", "integration", body={"name": "Theirs", "version": "2.0", "processId": "118"})
    if before:
        assert rig.apply(before).codes == []
    yield rig
    rig.close()


class Countdown:
    """Kills the run at the nth of the points that it is told of, once."""

    def __init__(self, left: int) -> None:
        self.left = left

    def point(self, _what: Any) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed


def arm(rig: Rig, countdown: Countdown) -> None:
    """Before each mutation, after its effect, and after each commit (before one is as after what led to it)."""
    assert isinstance(rig.store, WatchedStore)
    rig.before = rig.after = rig.store.after = countdown.point


def disarm(rig: Rig) -> None:
    arm(rig, Countdown(0))


@pytest.mark.parametrize("story", STORIES)
def test_a_run_killed_at_any_step_is_finished_by_the_next(story: str, tmp_path: Path) -> None:
    before, after = STORIES[story]
    with scene(tmp_path / "whole", before) as rig:
        countdown = Countdown(0)
        arm(rig, countdown)
        assert {*rig.apply(after).codes} <= LOOK_ALIKE
        points, goal = -countdown.left, rig.shape()
    killed = 0
    for point in range(1, points + 1):
        with scene(tmp_path / str(point), before) as rig:
            arm(rig, Countdown(point))
            try:
                rig.apply(after)
            except Killed:  # what ends at once shares a commit, so now and then there is a point less
                killed += 1
            disarm(rig)
            assert {*rig.apply(after).codes} <= LOOK_ALIKE, point
            assert rig.shape() == goal, point
            assert rig.mutations_of(partial(rig.apply, after)) == [], point
            assert (rig.state.pending, rig.state.deposed, rig.state.lock) == ({}, (), None), point
    assert killed > 10


@pytest.mark.parametrize("story", STORIES)
def test_every_mutation_has_a_durable_intent_when_it_leaves(story: str, tmp_path: Path) -> None:
    before, after = STORIES[story]
    with scene(tmp_path / "whole", before) as rig:
        sent = []

        def check(request: httpx.Request) -> None:
            stored = rig.state
            names = {entry.id: address for address, entry in stored.resources.items()}
            pending = {intent.address: intent for intent in stored.pending.values()}
            assert pending, request.url.path
            held = stored.lock
            assert held is not None
            assert {(one.run, one.epoch) for one in pending.values()} == {(held.run, held.epoch)}
            target = next((names[part] for part in request.url.path.split("/") if part in names), None)
            key = (target or "").partition(".")[2]
            assert target is None or any(at.partition(".")[2] == key for at in pending), request.url.path
            sent.append(request)

        rig.before = check
        assert {*rig.apply(after).codes} <= LOOK_ALIKE
        assert len(sent) > 3


def test_killed_while_it_recovers_and_killed_again(tmp_path: Path) -> None:
    """Two kills in a row: after a creation whose end is not recorded, and while that is being found out."""
    with scene(tmp_path / "twice", {}) as rig:
        arm(rig, Countdown(6))
        with pytest.raises(Killed):
            rig.apply(everything())
        for point in (2, 3, 4):  # a takeover, a resolution
            arm(rig, Countdown(point))
            with pytest.raises(Killed):
                rig.apply(everything())
        disarm(rig)
        assert rig.apply(everything()).codes == []
        with scene(tmp_path / "goal", {}) as other:
            other.apply(everything())
            assert rig.shape() == other.shape()


def test_the_takeover_waits_for_what_the_dead_run_may_have_sent(tmp_path: Path) -> None:
    with scene(tmp_path / "late", {}) as rig:
        rig.after = Countdown(1).point
        with pytest.raises(Killed):
            rig.apply(everything())
        rig.after = lambda _: None
        killed = rig.now
        first: list[float] = []
        rig.before = lambda _: first.append(rig.now)
        rig.apply(everything())
        assert first[0] >= killed + 120 + 60


def test_a_connection_found_by_the_next_run_gets_its_secrets_once_more(tmp_path: Path) -> None:
    with scene(tmp_path / "secrets", {}) as rig:
        rig.after = Countdown(1).point
        with pytest.raises(Killed):
            rig.apply({"connections": {"sales": s3()}})
        rig.after = lambda _: None
        run = rig.apply({"connections": {"sales": s3()}})
        assert run.recovered.notes == ("connection.sales: the create of an earlier run was done",)
        assert [call.method for call in run.result.calls] == ["PUT"]
        assert rig.mutations_of(lambda: rig.apply({"connections": {"sales": s3()}})) == []


def test_no_commit_forgets_what_another_wrote(tmp_path: Path) -> None:
    """Serials and epochs only rise, over a kill and a takeover."""
    with scene(tmp_path / "rising", {}) as rig:
        rig.before = Countdown(4).point
        with pytest.raises(Killed):
            rig.apply(everything())
        rig.before = lambda _: None
        rig.apply(everything())
        serials = [state.serial for state in rig.commits]
        epochs = [state.epoch for state in rig.commits]
        assert serials == list(range(1, len(serials) + 1))
        assert epochs == sorted(epochs)


def test_what_a_killed_run_made_is_protected_although_its_block_is_gone(tmp_path: Path) -> None:
    with scene(tmp_path / "protected", {}) as rig:
        rig.after = Countdown(1).point
        with pytest.raises(Killed):
            rig.apply({"connections": {"sales": s3(lifecycle={"preventDestroy": True})}})
        rig.after = lambda _: None
        assert rig.apply({"connections": {"third": s3("Third", bucketName="b")}}).codes == ["CW502"]
