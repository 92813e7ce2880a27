"""A bucket whose writes go wrong in all ways that a write over a network can."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from unit.state.buckets import PATH, URL, Fault, Faulty, bucket

from cwsync.state import State, Store
from cwsync.state.bucket import Found, Objects, Version
from cwsync.state.codec import PLAIN, Codec
from cwsync.state.object import ObjectStore
from cwsync.state.sealed import Sealed, SealingKey
from cwsync.state.seen import RememberingStore, Seen
from cwsync.state.troubles import Trouble

KEY = SealingKey.of(bytes(range(32)).hex(), "the tests")
# A kind of its own for every write, in an order that never falls in step with the requests of a run.
WRITES: tuple[Fault, ...] = ("fine", "lost", "500", "fine", "late", "refused", "lost, and sent twice")


@dataclass
class Road:
    """The way of all runs to one bucket. What a process that is gone has sent may still be on it."""

    objects: Objects
    _blocked: tuple[int, Callable[[], object]] | None = None
    _on_the_way: list[tuple[int, Callable[[], object]]] = field(default_factory=list)

    def block(self, calls: int, then: Callable[[], object]) -> None:
        """Let the next write arrive only after so many more calls, and something else happen now."""
        self._blocked = calls, then

    def get(self, path: str) -> Found | None:
        self._arrives()
        return self.objects.get(path)

    def put(self, path: str, data: bytes, over: Version | None) -> Version:
        self._arrives()
        if self._blocked is not None:
            (calls, then), self._blocked = self._blocked, None
            self._on_the_way.append((calls, lambda: self.objects.put(path, data, over)))
            then()
        return self.objects.put(path, data, over)

    def delete(self, path: str) -> None:
        self.objects.delete(path)

    def _arrives(self) -> None:
        due = [write for calls, write in self._on_the_way if calls == 0]
        self._on_the_way = [(calls - 1, write) for calls, write in self._on_the_way if calls]
        for write in due:
            with suppress(Trouble):  # nobody is there any more who could be told
                write()


class InBucket:
    """A state in a bucket. `writes` is what becomes of the writes of each run, over and over; those that are late
    may be so after the end of their run."""

    def __init__(self, _folder: Path, state: State, codec: Codec = PLAIN) -> None:
        objects = bucket()
        objects.put(PATH, codec.encode(state), None)
        self._given = codec
        self.look: Store = ObjectStore(URL, objects, PATH, codec=codec)
        self.road = Road(objects)
        self.writes: Sequence[Fault] = WRITES
        self._late: list[Callable[[], object]] = []

    def open(self, sleep: Callable[[float], None]) -> Store:
        self.client = Faulty(self.road, [*self.writes] * 200, late=self._late)
        return ObjectStore(URL, self.client, PATH, sleep=sleep, codec=self._given)


class Encrypted(InBucket):
    """The same, encrypted, with what this machine has seen of it kept beside the project."""

    def __init__(self, folder: Path, state: State) -> None:
        self._codec = Sealed(lambda: KEY, clear=False)
        super().__init__(folder, state, self._codec)
        self._seen = Seen(folder / ".cwsync" / "test.seen.json")

    def open(self, sleep: Callable[[float], None]) -> Store:
        return RememberingStore(super().open(sleep), self._seen, self._codec)
