"""The store: a kill at every step of a write, on a disk that forgets and to a bucket in which a write may come about
long after whoever made it is gone; and commits that fail.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from crash.buckets import InBucket
from crash.disk import LOSSES, STEPS, Loss, OnDisk
from crash.enumeration import Execution
from crash.stage import Bench, Stage
from crash.tally import Tally
from crash.watch import Point
from unit.state.buckets import Fault

from cwsync.errors import CwsyncError, Problem

# The next run reads, waits for the dead one's lock, takes it, and goes on.
OVERTAKING = 9
NEVER = 10**6
# What becomes of a write, in its own tries.
TROUBLES: Mapping[str, Sequence[Fault]] = {
    "the reply is lost": ("lost",),
    "the reply is lost and nobody can look": ("lost",),
    "it was sent twice": ("lost, and sent twice",),
    "a conflict that is none": ("refused",),
    "503 before": ("500",),
    "503 before and nobody can look": ("500",),
    "slow": ("late",),
    "slow, then 503 and a conflict": ("late", "500", "refused"),
    "403": ("forbidden",),
}


def files(bench: Bench) -> Iterator[Execution]:
    """A kill before, within and after every step of every write of a file, with each loss."""
    for point in bench.at("commit before"):
        for step in ("before write_new", "within write_new", "after write_new",
                     *(f"{when} {what}" for what in STEPS[1:] for when in ("before", "after"))):  # fmt: skip
            at = Point(f"file {step}", point.about, point.nth, point.address)
            for loss in LOSSES:
                yield Execution(
                    f"file/{bench.id}/{at}/{loss} is lost",
                    (f"{step} {loss}",),
                    partial(_dies_writing, point=at, loss=loss),
                )


def _dies_writing(stage: Stage, tally: Tally, *, point: Point, loss: Loss) -> bool:
    assert isinstance(stage.shelf, OnDisk)
    disk = stage.shelf.disk
    left: list[dict[Path, bytes]] = []

    def die() -> None:
        left.append(disk.left(loss))
        stage.kill()

    stage.on_watch = lambda watcher: setattr(disk, "told", watcher.about_document)
    stage.after_death = lambda: disk.restart(left[0]) if left else None
    done = stage.run((point, die))
    stage.on_watch = stage.after_death = disk.told = None
    tally.points.add(f"{stage.bench.scenario.name} {point}")
    return done.killed


def on_the_way(bench: Bench) -> Iterator[Execution]:
    """A kill while a write to a bucket is on its way: it arrives later, when the next run has made so many calls
    of the bucket, or never."""
    for point in bench.at("commit before"):
        for calls in (*range(OVERTAKING), NEVER):
            when = f"arrives after {calls}" if calls < NEVER else "never arrives"
            yield Execution(
                f"on the way/{bench.id}/{point}/{when}",
                (when,),
                partial(_dies_waiting, point=point, calls=calls),
            )


def _dies_waiting(stage: Stage, tally: Tally, *, point: Point, calls: int) -> bool:
    assert isinstance(stage.shelf, InBucket)
    shelf = stage.shelf

    def sends_and_dies() -> None:
        shelf.client.faults.clear()
        shelf.road.block(calls, stage.kill)

    tally.points.add(f"{stage.bench.scenario.name} {point} on the way")
    return stage.run((point, sends_and_dies)).killed


def writes(bench: Bench) -> Iterator[Execution]:
    """A write to a bucket that goes wrong, once or from then on, to the end of the run."""
    for point in bench.at("commit before"):
        for trouble in TROUBLES:
            for how in ("once", "from then on"):
                yield Execution(
                    f"write/{bench.id}/{point}/{trouble} {how}",
                    (f"{trouble} {how}",),
                    partial(_goes_wrong, point=point, trouble=trouble, forever=how != "once"),
                )


def _goes_wrong(stage: Stage, tally: Tally, *, point: Point, trouble: str, forever: bool) -> bool:
    assert isinstance(stage.shelf, InBucket)
    shelf, done = stage.shelf, list[bool]()

    def goes_wrong() -> None:
        done.append(True)
        client = shelf.client
        client.faults = [*TROUBLES[trouble]] * (200 if forever else 1)
        client.unreadable = (200 if forever else 1) if trouble.endswith("nobody can look") else 0

    tally.faults[trouble] += 1
    stage.run((point, goes_wrong))
    return bool(done)


def failures(bench: Bench) -> Iterator[Execution]:
    """A commit that fails, before it has written or after, once or from then on (R6)."""
    for point in bench.at("commit"):
        for how in ("once", "from then on"):
            yield Execution(
                f"store fails/{bench.id}/{point}/{how}",
                (f"{point.place} {how}",),
                partial(_fails, point=point, forever=how != "once"),
            )


def _fails(stage: Stage, tally: Tally, *, point: Point, forever: bool) -> bool:
    failing: list[bool] = []

    def fail() -> None:
        failing.append(True)
        raise CwsyncError(Problem("CW401", "the state cannot be written: there is no space"))

    def still(_state: object) -> None:
        if failing and forever:
            fail()

    stage.on_watch = lambda watcher: setattr(watcher, "before_writing", still)
    stage.run((point, fail))
    stage.on_watch = None
    return bool(failing)
