"""The store: a kill at every step of writing the local file, a disk that forgets, and commits that fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

from crash.enumeration import Execution
from crash.stage import Bench, Stage
from crash.tally import Tally
from crash.watch import Point, Watcher
from unit.apply.rig import WatchedStore

from cwsync.errors import CwsyncError, Problem
from cwsync.state import Files, LocalStore, State, Store, to_json

STEPS = ("write_new", "fsync", "replace", "fsync_folder")
Loss = Literal["nothing", "what was not synced", "what was not synced, but no name"]
"""What is lost with the process: nothing where only the process ends. Where the machine does, what was not
synced; a file system may have kept a new name all the same."""
LOSSES: tuple[Loss, ...] = ("nothing", "what was not synced", "what was not synced, but no name")


@dataclass
class _Inode:
    data: bytes
    durable: bytes = b""


@dataclass
class Disk(Files):
    """The file system of one folder, which knows what of it would survive. `watcher` is told of every step."""

    watcher: Watcher | None = None
    names: dict[Path, _Inode] = field(default_factory=dict)
    durable: dict[Path, _Inode] = field(default_factory=dict)
    _open: dict[int, _Inode] = field(default_factory=dict)

    def holds(self, path: Path, data: bytes) -> None:
        self.names[path] = self.durable[path] = _Inode(data, data)

    def write_new(self, path: Path, data: bytes) -> int:
        self._at("before write_new")
        if self.watcher is not None:  # half of it is there
            self.names[path] = _Inode(data[: len(data) // 2])
            self._at("within write_new")
        descriptor = super().write_new(path, data)
        self.names[path] = self._open[descriptor] = _Inode(data)
        self._at("after write_new")
        return descriptor

    def fsync(self, descriptor: int) -> None:
        self._at("before fsync")
        super().fsync(descriptor)
        self._open[descriptor].durable = self._open[descriptor].data
        self._at("after fsync")

    def replace(self, source: Path, target: Path) -> None:
        self._at("before replace")
        super().replace(source, target)
        self.names[target] = self.names.pop(source)
        self._at("after replace")

    def fsync_folder(self, folder: Path) -> None:
        self._at("before fsync_folder")
        super().fsync_folder(folder)
        self.durable = dict(self.names)
        self._at("after fsync_folder")

    def left(self, loss: Loss) -> dict[Path, bytes]:
        """What is there after the end."""
        if loss == "nothing":
            return {path: inode.data for path, inode in self.names.items()}
        names = self.names if loss.endswith("no name") else self.durable
        return {path: inode.durable for path, inode in names.items()}

    def restart(self, left: dict[Path, bytes]) -> None:
        """The folder as the end has left it, whatever a dying process could still do to it."""
        for path in {*self.names, *self.durable} - {*left}:
            path.unlink(missing_ok=True)
        self.names, self.durable = {}, {}
        for path, data in left.items():
            path.write_bytes(data)
            self.holds(path, data)

    def _at(self, step: str) -> None:
        if self.watcher is not None:
            self.watcher.about_file(f"file {step}")


def files(bench: Bench) -> Iterator[Execution]:
    """A kill before, within and after every step of every write, with each loss."""
    for point in bench.at("commit before"):
        for step in ("before write_new", "within write_new", "after write_new",
                     *(f"{when} {what}" for what in STEPS[1:] for when in ("before", "after"))):  # fmt: skip
            at = Point(f"file {step}", point.about, point.nth, point.address)
            for loss in LOSSES:
                yield Execution(
                    f"file/{bench.scenario.name}/{at}/{loss} is lost",
                    (f"{step} {loss}",),
                    partial(_dies_writing, point=at, loss=loss),
                    _on_disk,
                )


def _on_disk(folder: Path, state: State) -> Store:
    path, disk = folder / "state.json", Disk()
    path.write_bytes(to_json(state))
    disk.holds(path, to_json(state))
    return LocalStore(path, files=disk)


def _dies_writing(stage: Stage, tally: Tally, *, point: Point, loss: Loss) -> bool:
    assert isinstance(stage.rig.store, WatchedStore)
    assert isinstance(stage.rig.store.inner, LocalStore)
    disk = stage.rig.store.inner._files
    assert isinstance(disk, Disk)
    stage.on_watch = partial(setattr, disk, "watcher")
    left: list[dict[Path, bytes]] = []

    def die() -> None:
        left.append(disk.left(loss))
        stage.kill()

    stage.after_death = lambda: disk.restart(left[0]) if left else None
    done = stage.run((point, die))
    stage.on_watch = stage.after_death = None
    disk.watcher = None
    tally.points.add(f"{stage.bench.scenario.name} {point}")
    return done.killed


def failures(bench: Bench) -> Iterator[Execution]:
    """A commit that fails, before it has written or after, once or from then on (R6)."""
    for point in bench.at("commit"):
        for how in ("once", "from then on"):
            yield Execution(
                f"store fails/{bench.scenario.name}/{point}/{how}",
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
