"""A store in memory: for tests, and for whoever needs the protocol without a file."""

from __future__ import annotations

from threading import Lock

from cwsync.state.codec import PLAIN, Codec
from cwsync.state.document import State
from cwsync.state.store import advanced, opened, require_unchanged


class MemoryStore:
    """Keeps the bytes, not the value: what a file could not give back, this cannot either."""

    def __init__(self, state: State | None = None, *, codec: Codec = PLAIN) -> None:
        self.data = None if state is None else codec.encode(state)
        self._codec = codec
        self._one_at_a_time = Lock()

    def read(self) -> State | None:
        return None if self.data is None else opened(self.data, self.describe(), self._codec)

    def commit(self, old: State | None, new: State) -> State:
        with self._one_at_a_time:
            require_unchanged(self.data, old, self.describe(), self._codec)
            document = advanced(old, new)
            self.data = self._codec.encode(document)
            return document

    def raw(self) -> bytes | None:
        return None if self.data is None else self._codec.decode(self.data, self.describe())

    def describe(self) -> str:
        return "the state in memory"
