"""Faults to rehearse with: what goes wrong, and with which request (CONTRACT section 6).

    {"match": {"method": "POST", "path": "/2/0/integrations*", "nth": 2}, "do": "drop-after"}

`path` is a prefix, or a pattern where it has *, ? or [; `nth` counts the requests that match from 1,
and without it every one is hit. Of several faults the first one set that fits is taken.

- drop-before: the connection closes, nothing has happened.
- drop-after: it has happened, and the connection closes.
- late: it happens `delayMs` later (default 1000), after the client has given up.
- truncate: it has happened, the reply breaks off in the middle.
- html: it has happened, the reply is a gateway's HTML page with `status` (default 502).
- status: nothing has happened (with "effect": true it has), the reply is `status` (default 500) with
  `message`, and `Retry-After: retryAfter` where that is given.

`delayMs` delays every one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from cwsync.emulator.shapes import Shape, flag, one_of, record, text, whole
from cwsync.emulator.store import Store
from cwsync.emulator.tenant.world import new_id

KINDS = ("drop-before", "drop-after", "late", "truncate", "html", "status")

_MATCH: Shape = record({}, {"method": text, "path": text, "nth": whole(1, 10**9)})
_RULE: Shape = record(
    {"do": one_of(*KINDS)},
    {
        "match": _MATCH,
        "status": whole(200, 599),
        "retryAfter": whole(0, 10**6),
        "delayMs": whole(0, 600_000),
        "message": text,
        "effect": flag,
    },
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is to go wrong with the request at hand."""

    do: str
    status: int | None = None
    retry_after: int | None = None
    delay_ms: int = 0
    message: str | None = None
    effect: bool = False


class Faults:
    """The rules that are set, kept in the store with how often each has matched."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, rule: Any) -> bool:
        """False where it is not a rule."""
        if not _RULE(rule):
            return False
        identifier = new_id()
        self._store.put("fault", identifier, {"id": identifier, "match": {}, **rule, "matched": 0})
        return True

    def clear(self) -> None:
        for rule in self._store.page("fault"):
            self._store.delete("fault", rule["id"])

    def hit(self, method: str, path: str) -> Fault | None:
        """Count this request with every rule that it matches; the fault of the first whose turn it is."""
        chosen = None
        for rule in self._store.page("fault"):
            match = rule["match"]
            if match.get("method", method).upper() != method or not _fits(match.get("path", "/"), path):
                continue
            rule["matched"] += 1
            self._store.rewrite("fault", rule["id"], rule)
            if chosen is None and match.get("nth", rule["matched"]) == rule["matched"]:
                chosen = rule
        if chosen is None:
            return None
        return Fault(
            chosen["do"],
            chosen.get("status"),
            chosen.get("retryAfter"),
            chosen.get("delayMs", 0),
            chosen.get("message"),
            chosen.get("effect", False),
        )


def _fits(pattern: str, path: str) -> bool:
    return fnmatchcase(path, pattern) if any(sign in pattern for sign in "*?[") else path.startswith(pattern)
