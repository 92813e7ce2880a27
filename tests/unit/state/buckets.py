"""A bucket in memory, and calls of it that go wrong."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

import obstore
from obstore.store import MemoryStore

from cwsync.state.bucket import Bucket, Found, Objects, Version
from cwsync.state.object import ObjectStore
from cwsync.state.troubles import Trouble

URL = "s3://acme/cwsync/prod.state.json"
PATH = "cwsync/prod.state.json"

Fault = Literal["fine", "lost", "lost, and sent twice", "500", "late", "refused", "forbidden"]
"""What happens to one write: its reply is lost after it was made, and with that a proxy or a client sends it again;
it fails before it is made; it times out, and is made in the next call's way; the service reports a conflict that is
none; the credentials are not enough."""

Overlooked = Literal["If-None-Match", "If-Match", "ETag", "everything: it answers 501"]

PASSING = Trouble("S3 has answered with the status 500", "try again")
CONFLICT = Trouble("somebody else wrote it at the same time", "try again", condition=True)
FORBIDDEN = Trouble("the credentials may not do this", "they need to", final=True)


def bucket(memory: MemoryStore | None = None) -> Bucket:
    memory = memory or MemoryStore()
    return Bucket("s3", "acme", memory, memory)


@dataclass
class Faulty:
    """Real objects. Each write takes its fault from `faults`, and is fine after the last one of them; `between`
    happens once a write has failed. `late` are writes of which nobody knows whether they come."""

    inner: Objects
    faults: list[Fault] = field(default_factory=list)
    between: Callable[[], object] = lambda: None
    unreadable: int = 0
    puts: list[str] = field(default_factory=list)
    gets: int = 0
    late: list[Callable[[], object]] = field(default_factory=list)

    def get(self, path: str) -> Found | None:
        self.gets += 1
        if self.unreadable:
            self.unreadable -= 1
            raise PASSING
        return self.inner.get(path)

    def put(self, path: str, data: bytes, over: Version | None) -> Version:
        self.puts.append(path)
        while self.late:
            with suppress(Trouble):  # nobody waits for it any more
                self.late.pop()()
        fault = self.faults.pop(0) if self.faults else "fine"
        if fault == "fine":
            return self.inner.put(path, data, over)
        try:
            self._goes_wrong(fault, path, data, over)
        finally:
            self.between()
        raise CONFLICT if fault == "refused" else FORBIDDEN if fault == "forbidden" else PASSING

    def _goes_wrong(self, fault: Fault, path: str, data: bytes, over: Version | None) -> None:
        if fault == "late":
            self.late.append(lambda: self.inner.put(path, data, over))
        if fault.startswith("lost"):
            self.inner.put(path, data, over)
        if fault == "lost, and sent twice":
            self.inner.put(path, data, over)

    def delete(self, path: str) -> None:
        self.inner.delete(path)


@dataclass
class Careless:
    """A service that is called compatible, and overlooks some conditions."""

    inner: Objects
    overlooks: Overlooked

    def get(self, path: str) -> Found | None:
        return self.inner.get(path)

    def put(self, path: str, data: bytes, over: Version | None) -> Version:
        if self.overlooks.endswith("501"):
            raise Trouble("the service knows no conditional writes", "elsewhere", unknown=True, final=True)
        there = self.inner.get(path)
        if there and (self.overlooks == "If-Match" if over else self.overlooks == "If-None-Match"):
            over = there.version
        version = self.inner.put(path, data, over)
        return {} if self.overlooks == "ETag" else version

    def delete(self, path: str) -> None:
        self.inner.delete(path)


def store(objects: Objects | None = None, slept: list[float] | None = None) -> ObjectStore:
    return ObjectStore(URL, objects or bucket(), PATH, sleep=(slept if slept is not None else []).append)


def names(memory: MemoryStore) -> list[str]:
    return sorted(one["path"] for batch in obstore.list(memory) for one in batch)
