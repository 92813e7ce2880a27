"""What came of an apply and of a drift run, as values that every report renders."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from cwsync.errors import Problem
from cwsync.kinds import Observed
from cwsync.plan.values import Drift, DriftField


@dataclass(frozen=True, slots=True)
class Sent:
    """One mutating request as it was made: `number` counts them in the order in which they were begun.

    `order` is the plan's call that it belongs to; a call may take a second request where the service
    refused the first for a reason that the facts know.
    """

    number: int
    order: int
    address: str
    action: str
    method: str
    path: str
    outcome: Literal["done", "refused", "unknown"]
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one address: `detail` says why it failed or was skipped, `id` what it is now."""

    address: str
    action: str
    detail: str | None = None
    id: str | None = None
    blocked_by: str | None = None


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """What an apply did, address by address, and every request that it made. `seen` are objects that it has read
    after their change."""

    environment: str
    tenant: str
    applied: tuple[Outcome, ...] = ()
    failed: tuple[Outcome, ...] = ()
    skipped: tuple[Outcome, ...] = ()
    calls: tuple[Sent, ...] = ()
    problems: tuple[Problem, ...] = ()
    interrupted: bool = False
    seen: tuple[Observed, ...] = ()


@dataclass(frozen=True, slots=True)
class Stranger:
    """An object of the tenant that nobody declares and nobody manages."""

    kind: str
    name: str
    id: str


@dataclass(frozen=True, slots=True)
class DriftResult:
    """What the tenant changed behind our back; `managed` counts what was looked at."""

    environment: str
    tenant: str
    managed: int
    drifted: tuple[Drift, ...] = ()
    unmanaged: tuple[str, ...] = ()
    unverifiable: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    read_calls: int = 0
    read_seconds: float = 0.0
    strangers: tuple[Stranger, ...] = ()


@dataclass(frozen=True, slots=True)
class Accepted:
    """What of the drift of one address was accepted: its fields, none where nothing had drifted. `where` is its
    place in the manifests, `written` whether they were changed, `unshown` what nobody can look at."""

    address: str
    where: str
    written: bool = False
    fields: tuple[DriftField, ...] = ()
    unshown: tuple[str, ...] = ()
