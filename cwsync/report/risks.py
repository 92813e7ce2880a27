"""What a reviewer must not miss in a plan: what goes, what stops being ours, what fires or runs otherwise than
before, and what is running now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from cwsync.report.blast import Fires, firings, flow_text, running_text
from cwsync.report.changes import rows
from cwsync.report.values import Values

if TYPE_CHECKING:
    from cwsync.plan import Change, Plan

Item = tuple[str, str, str]
"""An address, the name of the resource, and what is to be known."""


@dataclass(frozen=True, slots=True)
class Risk:
    """One sort of risk, what it means, and everything that it is true of. Nothing in it is escaped."""

    title: str
    meaning: str
    items: tuple[Item, ...]


def risks(plan: Plan, now: datetime | None = None) -> tuple[Risk, ...]:
    """The sorts that the plan has, the gravest first. With `now` schedules tell when they fire next."""
    firing = firings(plan, now)
    fires = {one.address: one for one in firing if one.because is None}
    lost = (
        (one.address, "", f"not managed, and goes with {one.because}; next: {one.text}")
        for one in firing
        if one.because is not None
    )
    flows = tuple((flow.label, flow.name, flow_text(flow)) for flow in plan.blast.flows)
    running = tuple((one.label, "", running_text(one)) for one in plan.blast.running)
    found = (
        Risk("Deleted", "gone from the tenant afterwards", _with(plan, "delete")),
        Risk("Replaced", "made anew with another id, then the old one is deleted", _with(plan, "replace")),
        Risk("No longer managed", "left in the tenant as it is", _with(plan, "forget")),
        Risk("Flows", "which lose a step, or run otherwise than before", flows),
        Risk("Schedules", "what starts by itself, and when", (*_schedules(plan, fires), *lost)),
        Risk("Paused during the apply", "a run that falls into it is missed", tuple(_pauses(plan, fires))),
        Risk("Running", "when the tenant was read; apply --wait-running waits for the end", running),
    )
    return tuple(risk for risk in found if risk.items)


def _with(plan: Plan, action: str) -> tuple[Item, ...]:
    """What meets this fate. A schedule's is told among the schedules as well."""
    return tuple(
        (change.address, change.name, change.reason or "")
        for change in plan.changes
        if change.action == action
    )


def _schedules(plan: Plan, fires: Mapping[str, Fires]) -> Iterator[Item]:
    values = Values(plan.labels)
    for change in plan.changes:
        if change.kind == "schedule" and (told := _schedule(change, values)):
            yield change.address, change.name, _with_next(told, fires.get(change.address))


def _with_next(told: str, fires: Fires | None) -> str:
    return f"{told}; next: {fires.text}" if fires and fires.ever else told


def _schedule(change: Change, values: Values) -> str:
    """What becomes of a schedule's firing; empty where it fires as before."""
    before, after = ((side or {}).get("enabled") for side in (change.before, change.after))
    if change.action == "create":
        return "new, and fires" if after else "new, and is disabled"
    if change.action == "delete":
        return "fires no more" if before else "was disabled, and goes"
    if change.action == "forget":
        return "goes on as it is" if before else "stays disabled"
    fields = [row.text for row in rows(change, values) if row.path not in ("name", "enabled")]
    switched = "enabled: it fires from now on" if after else "disabled: it fires no more"
    return "; ".join(([switched] if before != after else []) + fields)


def _pauses(plan: Plan, fires: Mapping[str, Fires]) -> Iterator[Item]:
    """Schedules that a call disables, and that are enabled at the end."""
    enabled = {change.address: change.name for change in plan.changes if (change.after or {}).get("enabled")}
    for call in plan.calls:
        if call.action == "disable" and call.address in enabled:
            yield call.address, enabled[call.address], _with_next(call.because, fires.get(call.address))
