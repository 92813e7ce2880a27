"""Reading a list to its end, and knowing whether that was reached (facts B45, F16, F19)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cwsync.api.errors import Incomplete
from cwsync.errors import Problem

LIMIT = 250


@dataclass(frozen=True, slots=True)
class Listing:
    """A whole list: its entries, each id once; `totalSize` where given; `meta` of the last page."""

    items: list[dict[str, Any]]
    total: int | None
    meta: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Gap:
    """Why a sweep did not get everything."""

    reason: str


def read_all(read: Callable[[int], dict[str, Any]], path: str, key: str, id_key: str) -> Listing:
    """Sweep all pages; once more where the list moved meanwhile. CW312 where it stays incomplete.

    `read` takes an offset and gives a page.
    """
    swept = _sweep(read, key, id_key)
    if isinstance(swept, _Gap):
        swept = _sweep(read, key, id_key)
    if isinstance(swept, Listing):
        return swept
    text = f"GET {path}: the list could not be read completely: {swept.reason}"
    raise Incomplete(Problem("CW312", text, hint="someone may be changing the tenant: try again in a moment"))


def _sweep(read: Callable[[int], dict[str, Any]], key: str, id_key: str) -> Listing | _Gap:
    found: dict[str, dict[str, Any]] = {}
    offset, total = 0, None
    while True:
        page = read(offset)
        rows = page.get(key) or []
        if not isinstance(rows, list) or not all(isinstance(row, dict) and row.get(id_key) for row in rows):
            return _Gap(f"'{key}' is not a list of objects with '{id_key}'")
        meta = _mapping(page.get("meta"))
        said = _total(meta)
        if offset and said not in {None, total}:
            return _Gap(f"the number of entries changed from {total} to {said} meanwhile")
        total = said if total is None else total
        before = len(found)
        found.update((str(row[id_key]), row) for row in rows)
        offset += len(rows)
        if total is None:
            if key in page and len(rows) < LIMIT:
                return Listing(list(found.values()), None, meta)
            return _Gap("the service does not say how many entries there are")
        if offset >= total or len(found) == before:
            break
    if len(found) != total:
        return _Gap(f"{len(found)} of {total} entries came")
    return Listing(list(found.values()), total, meta)


def _total(meta: dict[str, Any]) -> int | None:
    total = _mapping(meta.get("paging")).get("totalSize")
    if isinstance(total, str) and total.isascii() and total.isdigit():
        total = int(total[:9])
    return total if isinstance(total, int) and not isinstance(total, bool) and total >= 0 else None


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
