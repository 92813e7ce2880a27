"""A store in memory: for tests, and for whoever needs the protocol without a file."""

from __future__ import annotations

from threading import Lock

from cwsync.state.document import State, to_json
from cwsync.state.store import advanced, opened, require_unchanged


class MemoryStore:
    """Keeps the bytes, not the value: what a file could not give back, this cannot either."""

    def __init__(self, state: State | None = None) -> None:
        self.data = None if state is None else to_json(state)
        self._one_at_a_time = Lock()

    def read(self) -> State | None:
        return None if self.data is None else opened(self.data, self.describe())

    def commit(self, old: State | None, new: State) -> State:
        with self._one_at_a_time:
            require_unchanged(self.data, old, self.describe())
            document = advanced(old, new)
            self.data = to_json(document)
            return document

    def raw(self) -> bytes | None:
        return self.data

    def describe(self) -> str:
        return "the state in memory"
