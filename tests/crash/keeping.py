"""Where the state is kept while things go wrong: the same document, in stores of every sort."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Protocol

from crash.buckets import Encrypted, InBucket
from crash.disk import OnDisk
from support.postgres import Cut, Way

from cwsync.state import MemoryStore, State, Store
from cwsync.state.postgres import PostgresStore


class Shelf(Protocol):
    """One document. Every run opens it for itself, as a process of its own does."""

    @property
    def look(self) -> Store:
        """A way to it that nothing disturbs, for whoever watches."""

    def open(self, sleep: Callable[[float], None]) -> Store:
        """What a run works with."""


Keeper = Callable[[Path, State], Shelf]
"""Puts a state on a new shelf; the folder is for its files."""


class InMemory:
    def __init__(self, _folder: Path, state: State) -> None:
        self.look: Store = MemoryStore(state)

    def open(self, _sleep: Callable[[float], None]) -> Store:
        return self.look


# What becomes of one COMMIT after the other.
_CUTS: tuple[Cut, ...] = ("never", "after", "never", "before", "never")


class InDatabase:
    """A row of a PostgreSQL database, by a way on which connections are lost."""

    def __init__(self, way: Way, _folder: Path, state: State) -> None:
        gc.collect()  # connections that nobody holds any more are closed; the server has few to spare
        self._way = way
        self._url = way.server.url()
        self.look: Store = PostgresStore.at(self._url, "test")
        self.look.commit(None, state)

    def open(self, sleep: Callable[[float], None]) -> Store:
        self._way.cuts = [*_CUTS] * 100
        return PostgresStore.at(self._way.url(self._url), "test", sleep=sleep)


def in_database(way: Way) -> Keeper:
    return partial(InDatabase, way)


KEEPERS: Mapping[str, Keeper] = {
    "memory": InMemory,
    "local": OnDisk,
    "bucket": InBucket,
    "encrypted": Encrypted,
}
"""By name: those that need no server."""
