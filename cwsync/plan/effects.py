"""What a plan does beside its changes: to runs that go on, to flows, and to schedules that nobody manages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Running:
    """An integration or a flow that was running when the tenant was read. `label` is its address, or its kind
    and name where it isn't managed; `because` are the changes that touch it."""

    label: str
    kind: str
    id: str
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StepEffect:
    """What becomes of one step of a flow: `position` counts from 1, in the flow as it is now. Of one that waits
    for others than before, `before` and `after` name them."""

    position: int
    integration: str
    what: Literal["lost", "skipped", "made anew", "no longer managed", "waits"]
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FlowEffect:
    """A flow that goes on, and not with the steps that it has now."""

    label: str
    name: str
    steps: tuple[StepEffect, ...]


@dataclass(frozen=True, slots=True)
class LostSchedule:
    """A schedule that isn't managed, and goes with its integration. `because` is that one's address."""

    name: str
    fields: Mapping[str, Any]
    because: str


@dataclass(frozen=True, slots=True)
class Blast:
    """All of that. Nothing in it decides whether two plans are the same."""

    running: tuple[Running, ...] = ()
    flows: tuple[FlowEffect, ...] = ()
    schedules: tuple[LostSchedule, ...] = ()
