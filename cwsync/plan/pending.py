"""What a run that was cut off left open, as a person needs it to decide: values that every report renders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from cwsync.kinds import Observed
from cwsync.state import Intent

Verdict = Literal["done", "not done", "needs a person"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of evidence: whether it holds (None: that cannot be known), and what was compared, in words.

    `name` is one of the engine protocol's E1 to E6 for something that was to be created, else "there",
    "before" and "wanted".
    """

    name: str
    holds: bool | None
    said: str


@dataclass(frozen=True, slots=True)
class Way:
    """A decision that a person may take, and what it does here; one that cannot be taken says why."""

    flag: str
    does: str
    possible: bool = True


@dataclass(frozen=True, slots=True)
class Pending:
    """An operation without an end, beside what the tenant shows of it now.

    `others` are all objects of the name where there are several. `differences` are path, tenant and
    manifest; None where no valid manifest declares the address. `ways` is empty where the next apply
    resolves it by itself.
    """

    intent: Intent
    verdict: Verdict
    why: str
    evidence: tuple[Evidence, ...]
    object: Observed | None = None
    others: tuple[Observed, ...] = ()
    differences: tuple[tuple[str, Any, Any], ...] | None = None
    ways: tuple[Way, ...] = ()
