"""Looking at one object again: before it is changed, after a reply was lost, and after a run was cut off."""

from __future__ import annotations

from collections.abc import Sequence

from cwsync.api import Client, NotFound
from cwsync.kinds import KINDS, Observed, same_id
from cwsync.live.sharing import SharedLists
from cwsync.live.wire import Item, observe, read_detail, read_schedule


class Look:
    """One look at the tenant as it is now. A list is read to its end, and once for each look, or for several that
    want it at the same time and have it `shared`.

    Every method raises `ServiceError` where the picture is not complete.
    """

    def __init__(self, client: Client, shared: SharedLists | None = None) -> None:
        self._client = client
        self._shared = shared or SharedLists(client)
        self._lists: dict[str, Sequence[Item]] = {}

    def listed(self, kind: str) -> list[Observed]:
        """The objects of a kind as its list shows them, which for some kinds is not in full."""
        return [found for item in self._items(kind) if (found := observe(KINDS[kind], item)) is not None]

    def named(self, kind: str, name: str) -> list[Observed]:
        """Every object of that name, in full."""
        found = [one for one in self.listed(kind) if one.name == name]
        full = [self.by_id(kind, one.id) for one in found] if KINDS[kind].detail else found
        return [one for one in full if one is not None]

    def by_id(self, kind: str, id: str) -> Observed | None:
        """The object in full; None where the service does not know it."""
        if kind == "schedule":
            return self._schedule(id)
        if KINDS[kind].detail is None:
            return next((one for one in self.listed(kind) if same_id(one.id) == same_id(id)), None)
        try:
            return read_detail(self._client, KINDS[kind], id)
        except NotFound:
            return None

    def part_of(self, kind: str, integration: str) -> Observed | None:
        """The schedule or the notification of an integration, where it has one."""
        if kind == "schedule":
            return self._schedule(integration)
        owner = self.by_id("integration", integration)
        return self.by_id(kind, owner.notification) if owner and owner.notification else None

    def _schedule(self, integration: str) -> Observed | None:
        items = self._items("schedule")
        item = next(
            (one for one in items if same_id(str(one["integrationId"])) == same_id(integration)), None
        )
        if item is None:
            return None
        if "schedule" in item:
            return observe(KINDS["schedule"], item)
        return read_schedule(self._client, integration)

    def _items(self, kind: str) -> Sequence[Item]:
        listing = KINDS["integration" if kind == "schedule" else kind].listing
        assert listing is not None
        if listing.path not in self._lists:
            self._lists[listing.path] = self._shared.read(listing)
        return self._lists[listing.path]
