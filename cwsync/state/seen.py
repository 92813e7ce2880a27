"""What this machine has seen of an encrypted state, so that an older one put in its place is not taken for it.

Encryption alone cannot tell: an older state is as authentic as the newest. So beside the project a small file keeps,
for each lineage, the highest serial that was certainly stored. It is written when something newer was read, and when
a run gives the lock back, not with every commit. What a run that was killed has committed, the next read notes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from cwsync.errors import CwsyncError, Problem
from cwsync.state.document import State
from cwsync.state.files import Files, locked, prepare_folder, write_durably
from cwsync.state.sealed import Sealed, Untrusted
from cwsync.state.store import Store


class Seen:
    """The file: mode 0600, lineages and serials. One that is missing or damaged has seen nothing."""

    def __init__(self, path: Path, *, files: Files | None = None) -> None:
        self._path = path
        self._files = files or Files()

    def serials(self) -> dict[str, int]:
        try:
            found = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        members = found.items() if isinstance(found, dict) else ()
        return {lineage: serial for lineage, serial in members if type(serial) is int}

    def note(self, lineage: str, serial: int) -> None:
        """Remember it, if it is the highest. Where it cannot be written, less is remembered, and nothing is wrong."""
        if serial <= self.serials().get(lineage, 0):
            return
        with suppress(OSError, CwsyncError):
            prepare_folder(self._files, self._path.parent)
            with locked(self._path, 10):
                serials = self.serials()
                serials[lineage] = max(serial, serials.get(lineage, 0))
                write_durably(self._files, self._path, f"{json.dumps(serials)}\n".encode())

    def forget(self) -> None:
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


class RememberingStore:
    """A store, with that codec, of which no older document is taken than was seen before.

    `lasting` makes sure that what was just read is still there when the power fails: only then may it be
    remembered. With `trusting`, an older document is taken as well, and the next commit makes it the newest.
    """

    def __init__(
        self,
        store: Store,
        seen: Seen,
        codec: Sealed,
        *,
        lasting: Callable[[], None] | None = None,
        trusting: bool = False,
    ) -> None:
        self._store = store
        self._seen = seen
        self._codec = codec
        self._lasting = lasting
        self._trusting = trusting

    def read(self) -> State | None:
        """As `Store.read`. Raises CW413 (`Untrusted`) for a document that is older than was seen before."""
        newest = self._seen.serials()  # before reading: another run may commit and note in between
        state = self._store.read()
        if state is None or self._trusting:
            return state
        seen = newest.get(state.lineage, 0)
        if state.serial < seen:
            raise self._older(state.serial, seen)
        if state.serial > seen and not self._codec.found_in_clear:
            with suppress(OSError):
                if self._lasting is not None:
                    self._lasting()
                self._seen.note(state.lineage, state.serial)
        return state

    def commit(self, old: State | None, new: State) -> State:
        newest = self.newest(new.lineage)
        done = self._store.commit(old, replace(new, serial=max(new.serial, newest)))
        # While it arrives or leaves, the other store's document may still be the one that goes on.
        if done.lock is None and not done.arriving and done.movedTo is None:
            self._seen.note(done.lineage, done.serial)
        return done

    def newest(self, lineage: str) -> int:
        """The highest serial that was seen, or 0."""
        return self._seen.serials().get(lineage, 0)

    def raw(self) -> bytes | None:
        return self._store.raw()

    def describe(self) -> str:
        return self._store.describe()

    def _older(self, serial: int, seen: int) -> Untrusted:
        return Untrusted(
            Problem(
                "CW413",
                f"{self.describe()} has serial {serial}, and this machine has seen serial {seen}: somebody has put "
                "an older one in its place",
                hint="find out who did; then put the newest copy that there is back with cwsync state push. To go on "
                "with the older one: cwsync state pull > copy.json, then cwsync state push --force copy.json",
            )
        )
