"""The blast radius: what a plan's changes reach beyond themselves, as far as the tenant was read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cwsync.kinds import Desired, Observed, Ref, Snapshot, same_id
from cwsync.kinds.values import texts_in
from cwsync.plan.effects import Blast, FlowEffect, LostSchedule, Running, StepEffect
from cwsync.plan.values import Change, plain_address
from cwsync.state import State

_GOES = ("delete", "replace")


def blast(
    changes: Iterable[Change],
    desired: Mapping[str, Desired],
    known: State,
    observed: Snapshot,
    labels: Mapping[str, str],
) -> Blast:
    """What they reach. `labels` names ids, in the spelling in which they compare."""
    there = [change for change in changes if change.id is not None]
    return Blast(
        tuple(_running([one for one in there if _sends(one)], observed, labels)),
        tuple(_flows(there, desired, observed, labels)),
        tuple(_lost_schedules(there, known, observed)),
    )


def _sends(change: Change) -> bool:
    return change.action in ("update", *_GOES) or (change.action == "import" and bool(change.fields))


def _running(changes: Iterable[Change], observed: Snapshot, labels: Mapping[str, str]) -> Iterator[Running]:
    running = {
        (kind, id): one
        for kind in ("flow", "integration")
        for id, one in sorted(observed.objects.get(kind, {}).items())
        if one.running
    }
    touched: dict[tuple[str, str], dict[str, None]] = {}
    for change in changes if running else ():
        for which in _touched(change, running):
            touched.setdefault(which, {})[plain_address(change.address)] = None
    for (kind, id), one in running.items():
        if because := touched.get((kind, id)):
            yield Running(labels.get(id, f"{kind} {one.name}"), kind, one.id, tuple(because))


def _touched(change: Change, running: Mapping[tuple[str, str], Observed]) -> Iterator[tuple[str, str]]:
    """The integrations and flows whose runs meet a change: its own object, what uses it, what it is a part of."""
    id, before = same_id(str(change.id)), change.before or {}
    if change.kind in ("integration", "flow"):
        yield change.kind, id
    for step in before.get("steps", ()):
        yield "integration", same_id(str(step["integration"]))
    if "integration" in before:
        yield "integration", same_id(str(before["integration"]))
    if change.kind == "connection":
        for which, user in running.items():
            if id in (same_id(text) for text in texts_in(user.fields or {})):
                yield which


def _lost_schedules(changes: Iterable[Change], known: State, observed: Snapshot) -> Iterator[LostSchedule]:
    mine = {same_id(one.id) for one in known.resources.values() if one.kind == "schedule"}
    for change in changes:
        id = same_id(str(change.id))
        found = observed.get("schedule", id)
        if change.kind == "integration" and change.action in _GOES and found and id not in mine:
            yield LostSchedule(found.name, found.fields or {}, plain_address(change.address))


@dataclass(frozen=True, slots=True)
class _Step:
    """A step by what people call it. `id` is None where the integration is yet to be made."""

    label: str
    id: str | None
    skip: bool
    waits: frozenset[str]


def _flows(
    changes: Iterable[Change],
    desired: Mapping[str, Desired],
    observed: Snapshot,
    labels: Mapping[str, str],
) -> Iterator[FlowEffect]:
    # One map for each kind: a schedule has the id of its integration.
    fates = {same_id(str(one.id)): one.action for one in changes if one.kind == "integration"}
    own = {same_id(str(one.id)): one for one in changes if one.kind == "flow"}
    for id, flow in sorted(observed.objects.get("flow", {}).items(), key=lambda one: (one[1].name, one[0])):
        change = own.get(id)
        if flow.fields is None or (change is not None and change.action == "delete"):
            continue
        before = _steps(flow.fields.get("steps"), labels)
        after = before if change is None or not _sends(change) else _steps_after(change, desired, labels)
        if effects := tuple(_effects(before, after, fates)):
            yield FlowEffect(labels.get(id, f"flow {flow.name}"), flow.name, effects)


def _steps_after(change: Change, desired: Mapping[str, Desired], labels: Mapping[str, str]) -> list[_Step]:
    """As planned; where something in them is not made yet, the manifest says what it will be."""
    declared = desired.get(change.address)
    if "steps" in change.after_unknown and declared is not None:
        return _steps(declared.fields.get("steps"), labels)
    return _steps((change.after or {}).get("steps"), labels)


def _steps(steps: Any, labels: Mapping[str, str]) -> list[_Step]:
    return [
        _Step(
            _label(step["integration"], labels),
            None if isinstance(step["integration"], Ref) else same_id(str(step["integration"])),
            step.get("skip") is True,
            frozenset(_label(one, labels) for one in step.get("dependsOn") or ()),
        )
        for step in steps or ()
    ]


def _label(integration: Any, labels: Mapping[str, str]) -> str:
    if isinstance(integration, Ref) and integration.id is None:
        return str(integration)
    id = str(integration.id if isinstance(integration, Ref) else integration)
    return labels.get(same_id(id), f"integration {id}")


def _effects(before: list[_Step], after: list[_Step], fates: Mapping[str, str]) -> Iterator[StepEffect]:
    there = {step.label: step for step in after}
    for position, step in enumerate(before, 1):
        fate, now = fates.get(step.id or ""), there.get(step.label)
        if now is None or (fate in _GOES and now.id == step.id):
            yield StepEffect(position, step.label, "lost")
            continue
        if now.skip and not step.skip:
            yield StepEffect(position, step.label, "skipped")
        if fate == "replace":
            yield StepEffect(position, step.label, "made anew")
        if fate == "forget":
            yield StepEffect(position, step.label, "no longer managed")
        if now.waits != step.waits:
            waits = tuple(sorted(step.waits)), tuple(sorted(now.waits))
            yield StepEffect(position, step.label, "waits", *waits)
