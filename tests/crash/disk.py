"""A disk that forgets: what of a file survives the end of a process, and of a machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

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
    """The file system of one folder, which knows what of it would survive. `told` is told of every step."""

    told: Callable[[str], object] | None = None
    names: dict[Path, _Inode] = field(default_factory=dict)
    durable: dict[Path, _Inode] = field(default_factory=dict)
    _open: dict[int, _Inode] = field(default_factory=dict)

    def holds(self, path: Path, data: bytes) -> None:
        self.names[path] = self.durable[path] = _Inode(data, data)

    def write_new(self, path: Path, data: bytes) -> int:
        self._at("before write_new")
        if self.told is not None:  # half of it is there
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
        if self.told is not None:
            self.told(f"file {step}")


class OnDisk:
    """A state in a file. `disk` is all that knows what would be left of it."""

    def __init__(self, folder: Path, state: State) -> None:
        path, self.disk = folder / "state.json", Disk()
        path.write_bytes(to_json(state))
        self.disk.holds(path, to_json(state))
        self.look: Store = LocalStore(path)
        self._path = path

    def open(self, _sleep: Callable[[float], object]) -> Store:
        return LocalStore(self._path, files=self.disk)
