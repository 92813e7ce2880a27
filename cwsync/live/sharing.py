"""Lists that several threads want at once: one reading serves all who asked before it began.

Some kinds show in lists alone. A look at one of them, right before it is changed, reads a list to its end, so the
looks of an apply would cost the square of what it changes. What a thread gets here was always read after it asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from threading import Condition

from cwsync.api import Client, ServiceError
from cwsync.kinds.base import Listing
from cwsync.live.wire import Item


@dataclass(eq=False)
class _Round:
    """One reading, for those who asked before it began."""

    over: bool = False
    items: Sequence[Item] | None = None
    error: ServiceError | None = None


class SharedLists:
    """The lists of one run, for any number of threads."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._changed = Condition()
        self._next: dict[str, _Round] = {}
        self._running: set[str] = set()

    def read(self, listing: Listing) -> Sequence[Item]:
        """The whole list, by a reading that began after this was asked. Raises `ServiceError`."""
        while True:
            with self._changed:
                round_ = self._next.get(listing.path)
                leads = round_ is None
                if round_ is None:
                    round_ = self._next[listing.path] = _Round()
            if leads:
                self._lead(round_, listing)
            with self._changed:
                self._changed.wait_for(partial(getattr, round_, "over"))
            if round_.error is not None:
                raise round_.error
            if round_.items is not None:
                return round_.items
            # Whoever led it was stopped in the middle: ask anew.

    def _lead(self, round_: _Round, listing: Listing) -> None:
        """Read, when the reading before is over."""
        path = listing.path
        with self._changed:
            self._changed.wait_for(lambda: path not in self._running)
            self._running.add(path)
            del self._next[path]
        try:
            round_.items = self._client.list(
                path, listing.key, dict(listing.params), id_key=listing.id_key
            ).items
        except ServiceError as error:
            round_.error = error
        finally:
            with self._changed:
                round_.over = True
                self._running.remove(path)
                self._changed.notify_all()
