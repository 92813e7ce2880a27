"""What a plan reaches beyond its changes, in words and as JSON: firings, steps of flows, runs that go on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cwsync.report.notes import listed

if TYPE_CHECKING:
    from cwsync.kinds.firing import Firing
    from cwsync.plan import FlowEffect, Plan, Running, StepEffect


FIRINGS_TOLD = 20


@dataclass(frozen=True, slots=True)
class Fires:
    """When a schedule fires next, before the plan is applied and after it; None on a side without the schedule.
    `because` names the integration that one goes with which isn't managed."""

    address: str
    name: str
    before: Firing | None
    after: Firing | None
    paused: bool = False
    because: str | None = None

    @property
    def text(self) -> str:
        before, after = (_side(side) for side in (self.before, self.after))
        if self.before is None:
            return after
        if self.after is None and self.before.at is None:
            return before
        return f"{after}, as before" if before == after else f"{before} -> {after}"

    @property
    def ever(self) -> bool:
        """Whether it fires at all, before or after."""
        return any(side is not None and side.at is not None for side in (self.before, self.after))


def firings(plan: Plan, now: datetime | None) -> tuple[Fires, ...]:
    """Of every schedule that is made, changed, paused or lost, the next firing after `now`; none without one."""
    return () if now is None else (*_changed(plan, now), *_lost(plan, now))


def _changed(plan: Plan, now: datetime) -> Iterator[Fires]:
    paused = {call.address for call in plan.calls if call.action == "disable"}
    for change in plan.changes:
        pauses = change.address in paused and bool((change.after or {}).get("enabled"))
        changes = change.action in ("create", "update", "replace", "delete") or bool(change.fields)
        if change.kind == "schedule" and (changes or pauses):
            before = _next(change.before, now)
            after = None if change.action == "delete" else _next(change.after, now)
            yield Fires(change.address, change.name, before, after, pauses)


def _lost(plan: Plan, now: datetime) -> Iterator[Fires]:
    for lost in plan.blast.schedules:
        named = f"schedule {lost.name}"
        yield Fires(named, lost.name, _next(lost.fields, now), None, because=lost.because)


def _next(schedule: Mapping[str, Any] | None, now: datetime) -> Firing | None:
    from cwsync.kinds.firing import next_firing

    return None if schedule is None else next_firing(schedule, now)


def _side(firing: Firing | None) -> str:
    """By the clocks of its own zone, and of UTC where those show another time."""
    if firing is None:
        return "none"
    at = firing.at
    if at is None:
        return f"none ({firing.why})"
    utc = at.astimezone(UTC)
    day = "" if utc.date() == at.date() else f"{utc:%a} "
    elsewhere = f" ({day}{utc:%H:%M} UTC)" if at.utcoffset() else ""
    return f"{at:%a} {at.isoformat(' ', 'minutes')} {at.tzinfo}{elsewhere}"


def flow_text(flow: FlowEffect) -> str:
    """What becomes of its steps."""
    return "; ".join(_step(step) for step in flow.steps)


def _step(step: StepEffect) -> str:
    named = f"step {step.position}, {step.integration}"
    match step.what:
        case "lost":
            return f"loses {named}"
        case "skipped":
            return f"skips {named}, from now on"
        case "waits":
            now, before = (", ".join(side) or "none" for side in (step.after, step.before))
            return f"{named}, waits for {now} instead of {before}"
        case _:
            return f"{named}, is {step.what}"


def running_text(running: Running) -> str:
    """Which changes it is in the way of."""
    return f"in the way of {', '.join(running.because)}"


def blast_lines(plan: Plan, now: datetime | None, *, verbose: bool) -> Iterator[str]:
    """The notes of a plan's text. Of many schedules only some are told, unless it is `verbose`: those first that
    there are already."""
    blast = plan.blast
    if blast.flows:
        flows = [f"{flow.label}: {flow_text(flow)}" for flow in blast.flows]
        yield from listed("Flows that lose a step, or run otherwise than before", flows, named=True)
    if blast.running:
        running = [f"{one.label}: {running_text(one)}" for one in blast.running]
        yield from listed(
            "Running when the tenant was read (apply --wait-running waits for the end)", running, named=True
        )
    if fires := firings(plan, now):
        told = fires if verbose else sorted(fires, key=lambda one: one.before is None)[:FIRINGS_TOLD]
        yield from listed("When schedules fire next", [_line(one) for one in told], named=True)
        if len(told) < len(fires):
            yield f"  and {len(fires) - len(told)} more (-v tells them all)"


def _line(fires: Fires) -> str:
    more = "; paused during the apply" if fires.paused else ""
    goes = f", not managed, goes with {fires.because}" if fires.because else ""
    return f"{fires.address}{goes}: {fires.text}{more}"


def blast_json(plan: Plan, now: datetime | None) -> dict[str, Any]:
    """The same for programs. Moments are ISO 8601, in the schedule's own zone."""
    return {
        "schedules": [
            {
                "address": one.address,
                "name": one.name,
                "before": _iso(one.before),
                "after": _iso(one.after),
                "before_reason": _why(one.before, "it is new"),
                "after_reason": _why(one.after, "it is deleted"),
                "paused": one.paused,
                "managed": one.because is None,
            }
            for one in firings(plan, now)
        ],
        "running": [
            {"address": one.label, "kind": one.kind, "id": one.id, "because": one.because}
            for one in plan.blast.running
        ],
        "flows": [
            {
                "address": flow.label,
                "name": flow.name,
                "steps": [
                    {
                        "position": step.position,
                        "integration": step.integration,
                        "effect": step.what,
                        "waits_before": step.before,
                        "waits_after": step.after,
                    }
                    for step in flow.steps
                ],
            }
            for flow in plan.blast.flows
        ],
    }


def _iso(firing: Firing | None) -> str | None:
    return firing.at.isoformat(timespec="minutes") if firing and firing.at else None


def _why(firing: Firing | None, missing: str) -> str | None:
    if firing is None:
        return missing
    return firing.why or None
