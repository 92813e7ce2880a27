"""Faults to rehearse with: what goes wrong, and with which request (CONTRACT section 6).

    {"match": {"method": "POST", "path": "/2/0/integrations*", "nth": 2}, "do": "drop-after"}

`path` is a prefix, or a pattern where it has *, ? or [; `nth` counts the requests that match from 1.
With `nth` that one is hit, without it every one; `times` says how many are, from the nth or the first on.
Of several faults the first one set that fits is taken.

- drop-before: the connection closes, nothing has happened.
- drop-after: it has happened, and the connection closes.
- late: it happens `delayMs` later (default 1000), after the client has given up.
- truncate: it has happened, the reply breaks off in the middle.
- html: it has happened, the reply is a gateway's HTML page with `status` (default 502).
- status: nothing has happened (with "effect": true it has), the reply is `status` (default 500) with
  `message`, and `Retry-After: retryAfter` where that is given.
- drip: it has happened, the reply comes in pieces of `bytes` (default 1), `delayMs` apart (default 100).
- stale: a GET is answered from the tenant as it was when this fault was set: without what was made since,
  with what was deleted, and as it was before it was changed.
- shift: a later page of a list (one with an offset) begins `by` entries (default 1) further on, and the
  list is as much shorter, as if entries of the pages before had been deleted meanwhile; with a negative
  `by` it begins earlier and the list is longer, as if some had been inserted there.
- repeat: a later page begins with the last `by` entries (default 1) of the page before.
- miscount: `totalSize` is wrong by `by` (default 1).

`delayMs` delays all the others as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from cwsync.emulator.shapes import either, flag, one_of, record, text, whole
from cwsync.emulator.store import Document, Store
from cwsync.emulator.tenant.world import new_id

KINDS = ("drop-before", "drop-after", "late", "truncate", "html", "status")
KINDS_OF_READS = ("drip", "stale", "shift", "repeat", "miscount")
# What a stale read shows as it was.
OF_THE_TENANT = ("connection", "integration", "notification", "flow")

_MATCH = record({}, {"method": text, "path": text, "nth": whole(1, 10**9)})
RULE = record(
    {"do": one_of(*KINDS, *KINDS_OF_READS)},
    {
        "match": _MATCH,
        "times": whole(1, 10**9),
        "status": whole(200, 599),
        "retryAfter": whole(0, 10**6),
        "delayMs": whole(0, 600_000),
        "message": text,
        "effect": flag,
        "bytes": whole(1, 10**6),
        "by": either(whole(-(10**6), -1), whole(1, 10**6)),
    },
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is to go wrong with the request at hand. `moment` is when the fault was set, for `Store.as_of`."""

    do: str
    status: int | None = None
    retry_after: int | None = None
    delay_ms: int | None = None
    message: str | None = None
    effect: bool = False
    bytes: int = 1
    by: int = 1
    moment: str = ""


class Faults:
    """The rules that are set, kept in the store with how often each has matched."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, rule: Any) -> bool:
        """False where it is not a rule."""
        if not RULE(rule):
            return False
        identifier = new_id()
        self._store.put("fault", identifier, {"id": identifier, "match": {}, **rule, "matched": 0})
        if rule["do"] == "stale":
            self._store.keep(identifier, OF_THE_TENANT)
        return True

    def clear(self) -> None:
        for rule in self._store.page("fault"):
            self._store.delete("fault", rule["id"])
        self._store.let_go()

    def hit(self, method: str, path: str) -> Fault | None:
        """Count this request with every rule that it matches; the fault of the first whose turn it is."""
        chosen = None
        for rule in self._store.page("fault"):
            match = rule["match"]
            if match.get("method", method).upper() != method or not _fits(match.get("path", "/"), path):
                continue
            rule["matched"] += 1
            self._store.rewrite("fault", rule["id"], rule)
            if chosen is None and _has_its_turn(rule):
                chosen = rule
        if chosen is None:
            return None
        return Fault(
            chosen["do"],
            chosen.get("status"),
            chosen.get("retryAfter"),
            chosen.get("delayMs"),
            chosen.get("message"),
            chosen.get("effect", False),
            chosen.get("bytes", 1),
            chosen.get("by", 1),
            chosen["id"],
        )


def _has_its_turn(rule: Document) -> bool:
    first = rule["match"].get("nth", 1)
    times = rule.get("times", 1 if "nth" in rule["match"] else None)
    return rule["matched"] >= first and (times is None or rule["matched"] < first + times)


def _fits(pattern: str, path: str) -> bool:
    return fnmatchcase(path, pattern) if any(sign in pattern for sign in "*?[") else path.startswith(pattern)
