"""What becomes of each address: the comparison of desired, known and observed, one resource at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cwsync.errors import Problem
from cwsync.kinds import KINDS, Behaviour, Desired, Fields, Kind, Observed, Ref, Snapshot, same_id
from cwsync.kinds.values import Path
from cwsync.plan.bind import Bindings
from cwsync.plan.diff import (
    Seen,
    arrange,
    drift_fields,
    field_changes,
    is_unknown,
    path_text,
    see,
    settle,
    shown,
)
from cwsync.plan.selection import Chosen
from cwsync.plan.values import ActionName, Change, Drift, FieldChange
from cwsync.state import Deposed, Entry, State


@dataclass
class Decisions:
    """What was decided so far; `live` is the observed object behind an address, where there is one.

    `left_out` are the changes that a partial plan does not make.
    """

    changes: dict[str, Change] = field(default_factory=dict)
    left_out: dict[str, Change] = field(default_factory=dict)
    drift: list[Drift] = field(default_factory=list)
    unverifiable: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    live: dict[str, Observed] = field(default_factory=dict)


@dataclass(frozen=True)
class Inputs:
    """What the planner knows. `secrets` says of each secret whether it is as last applied; `forgotten` is what
    is no longer to be managed, and no part of `known`; `replace` has the addresses to make anew."""

    desired: Mapping[str, Desired]
    known: State
    observed: Snapshot
    secrets: Mapping[str, Mapping[str, str]]
    forgotten: Mapping[str, Entry] = field(default_factory=dict)
    chosen: Chosen = field(default_factory=Chosen)
    replace: frozenset[str] = frozenset()

    @property
    def today(self) -> str:
        return self.observed.today or ""

    @cached_property
    def taken(self) -> Mapping[tuple[str, str], Observed]:
        """What isn't ours, by kind and name; a schedule by its integration's id, which is also its own."""
        mine = {(entry.kind, same_id(entry.id)) for entry in self.known.resources.values()}
        mine |= {(deposed.kind, same_id(deposed.id)) for deposed in self.known.deposed}
        return {
            (kind, one.name if KINDS[kind].listing else id): one
            for kind, objects in self.observed.objects.items()
            for id, one in sorted(objects.items(), reverse=True)  # of several, always the same one
            if (kind, id) not in mine
        }


def decide(inputs: Inputs, bindings: Bindings) -> Decisions:
    """A change for every address, declared or managed. Fills `bindings` with the ids that stay."""
    decisions = Decisions()
    for kind in KINDS.values():
        known = {a: e for a, e in inputs.known.resources.items() if e.kind == kind.name}
        leaving = {a: e for a, e in inputs.forgotten.items() if e.kind == kind.name}
        declared = {a for a, d in inputs.desired.items() if d.kind == kind.name}
        for address in sorted({*declared, *known, *leaving}):
            if kind.name in inputs.observed.unread:
                if address in known:
                    bindings.ids[address] = known[address].id
            elif address in leaving:
                decisions.changes[address] = _forget(address, leaving[address], "it stays in the tenant")
            else:
                _decide_one(kind, address, inputs, bindings, decisions)
    for deposed in inputs.known.deposed:
        _decide_deposed(deposed, inputs, decisions)
    decisions.problems = [one for one in decisions.problems if one.address not in decisions.left_out]
    return decisions


def _decide_deposed(deposed: Deposed, inputs: Inputs, decisions: Decisions) -> None:
    """What an earlier apply replaced, and didn't come to delete."""
    if deposed.kind in inputs.observed.unread:
        return
    live = inputs.observed.get(deposed.kind, deposed.id)
    address = f"{deposed.address} (replaced {deposed.id[:8]})"
    if live is not None:
        decisions.live[address] = live
    change = Change(
        address=address,
        kind=deposed.kind,
        key=deposed.address.partition(".")[2],
        name=deposed.name,
        action="forget" if live is None else "delete",
        id=deposed.id,
        before=None if live is None else live.fields,
        reason=GONE if live is None else "its replacement took its place",
    )
    (decisions.changes if inputs.chosen.allows(change) else decisions.left_out)[address] = change


def _decide_one(kind: Kind, address: str, inputs: Inputs, bindings: Bindings, decisions: Decisions) -> None:
    desired = inputs.desired.get(address)
    entry = inputs.known.resources.get(address)
    live = inputs.observed.get(kind.name, entry.id) if entry else None
    if entry is not None and live is not None and live.fields is not None:
        decisions.live[address] = live
        seen = see(kind, entry.applied, live.fields)
        decisions.drift += _drift(kind, address, live, seen, desired, inputs.today)
        if desired is not None:
            change = _update(kind, desired, live, seen, inputs, bindings, decisions)
        else:
            change = _removal(kind, address, entry, seen, inputs)
    else:
        if entry is not None:
            decisions.drift.append(Drift(address, kind.name, entry.name, entry.id, "deleted"))
        if desired is not None:
            change = _creation(kind, desired, inputs, bindings, decisions, gone=entry is not None)
        else:
            assert entry is not None
            change = _forget(address, entry, GONE)
    allowed = inputs.chosen.allows(change)
    if live is not None and not (allowed and change.action == "replace"):
        bindings.ids[address] = live.id
    (decisions.changes if allowed else decisions.left_out)[address] = change


GONE = "it is gone from the tenant already"
"""Why something is forgotten that nobody wanted to forget."""


def _drift(
    kind: Kind, address: str, live: Observed, seen: Seen, desired: Desired | None, today: str
) -> list[Drift]:
    fields = drift_fields(kind, seen, desired.ignore if desired else frozenset(), today)
    who = (live.modified_by, live.modified_at)
    return [Drift(address, kind.name, live.name, live.id, "changed", fields, *who)] if fields else []


def _forget(address: str, entry: Entry, reason: str) -> Change:
    return Change(
        address=address,
        kind=entry.kind,
        key=address.partition(".")[2],
        name=entry.name,
        action="forget",
        id=entry.id,
        before=dict(entry.applied),
        reason=reason,
    )


def _removal(kind: Kind, address: str, entry: Entry, seen: Seen, inputs: Inputs) -> Change:
    return Change(
        address=address,
        kind=kind.name,
        key=address.partition(".")[2],
        name=entry.name,
        action="delete",
        id=entry.id,
        before=seen.live,
        sensitive=tuple(sorted(entry.secrets)),
        reason="no manifest declares it" if inputs.desired else "all that is managed is to go",
    )


def _creation(
    kind: Kind, desired: Desired, inputs: Inputs, bindings: Bindings, decisions: Decisions, *, gone: bool
) -> Change:
    # What a run that was cut off may have created is found out under the lock, before anything is planned.
    unsure = any(intent.address == desired.address for intent in inputs.known.pending.values())
    if not unsure and (problem := _taken(kind, desired, inputs, bindings)) is not None:
        decisions.problems.append(problem)
    want = arrange(kind, bindings.to_compare(desired.fields))
    fields = [
        FieldChange(name, None, shown(value), "new", unknown=is_unknown(value), where=_where(desired, name))
        for name, value in want.items()
    ]
    fields += [FieldChange(name, None, None, "new", sensitive=True) for name in desired.secrets]
    return Change(
        address=desired.address,
        kind=kind.name,
        key=desired.key,
        name=desired.name,
        action="create",
        after=_known_part(want),
        after_unknown=_unknown_part(want),
        sensitive=tuple(sorted(desired.secrets)),
        fields=tuple(fields),
        reason=_UNSURE if unsure else "it was deleted outside cwsync" if gone else None,
        where=str(desired.place) if desired.place else None,
        owner=desired.owner,
    )


_UNSURE = "unless the run that was cut off has created it, which apply finds out first"


def _where(desired: Desired, name: str) -> str | None:
    place = desired.locate((name,))
    return str(place) if place else None


def _taken(kind: Kind, desired: Desired, inputs: Inputs, bindings: Bindings) -> Problem | None:
    """CW501 where the name, or the one place for a schedule, is held by something that isn't ours."""
    hint = "give yours another name"
    if kind.listing is not None:
        held = inputs.taken.get((kind.name, desired.name))
        article = "an" if kind.name == "integration" else "a"
        what = f'the tenant has {article} {kind.name} named "{desired.name}" already'
    elif kind.name == "schedule":
        parent = bindings.id_of(desired.parent) if desired.parent else None
        held = inputs.taken.get((kind.name, same_id(parent))) if parent else None
        what = f"the integration of {desired.address} has a schedule already"
        hint = "remove that one in CloudWorks"
    else:
        return None  # a notification comes with its integration, and belongs to whoever owns that (facts A5)
    if held is None:
        return None
    message = f"{what} ({held.id}), and cwsync does not manage it"
    entry = inputs.known.resources.get(desired.address)
    if entry is None:
        hint += (
            f"; or, if it is yours, take it over: with --adopt, or cwsync import {desired.address}={held.id}"
        )
    elif inputs.observed.get(kind.name, entry.id) is None:  # what the address stands for is gone
        forget = f"cwsync state rm {desired.address} forgets the one that is gone ({entry.id})"
        hint += f"; or, if this one is in its place, {forget}, and --adopt takes this one over"
    return Problem("CW501", message, place=desired.place, hint=hint, address=desired.address)


def _update(
    kind: Kind,
    desired: Desired,
    live: Observed,
    seen: Seen,
    inputs: Inputs,
    bindings: Bindings,
    decisions: Decisions,
) -> Change:
    arranged = arrange(kind, bindings.to_compare(desired.fields))
    want = settle(kind, arranged, seen.live, desired.ignore, inputs.today)
    fields = field_changes(seen, want, desired) + _secret_changes(desired, inputs)
    decisions.unverifiable += _unverifiable(desired, seen.unverifiable, inputs)
    action, reason = _action(kind, seen.live, want, fields)
    if desired.address in inputs.replace and action != "replace":
        action, reason = "replace", "--replace asks for it"
    if action != "no-op" and live.foreign is not None:
        decisions.problems.append(_foreign(desired, live.foreign))
    renamed = kind.listing is not None and want.get("name") != live.name
    if renamed and (problem := _taken(kind, desired, inputs, bindings)) is not None:
        decisions.problems.append(problem)
    return Change(
        address=desired.address,
        kind=kind.name,
        key=desired.key,
        name=desired.name,
        action=action,
        id=live.id,
        before=seen.live,
        after=_known_part(want),
        after_unknown=_unknown_part(want),
        sensitive=tuple(sorted(desired.secrets)),
        fields=fields,
        reason=reason,
        where=str(desired.place) if desired.place else None,
        owner=desired.owner,
    )


def _foreign(desired: Desired, reason: str) -> Problem:
    return Problem(
        "CW506",
        f"{desired.address} cannot be changed: {reason}",
        place=desired.place,
        hint="change it in CloudWorks, or list the field under lifecycle.ignoreChanges",
        address=desired.address,
    )


def _secret_changes(desired: Desired, inputs: Inputs) -> tuple[FieldChange, ...]:
    status = inputs.secrets.get(desired.address, {})
    return tuple(
        FieldChange(name, None, None, "secret", sensitive=True, where=_where(desired, name))
        for name in desired.secrets
        if status.get(name) == "changed" and name not in desired.ignore
    )


def _unverifiable(desired: Desired, paths: tuple[Path, ...], inputs: Inputs) -> list[str]:
    status = inputs.secrets.get(desired.address, {})
    notes = [f"{desired.address}: {path_text(path)}" for path in paths]
    for name in desired.secrets:
        note = " (its fingerprint cannot be compared here)" if status.get(name) == "unknown" else ""
        notes.append(f"{desired.address}: {name}{note}")
    return notes


def _action(
    kind: Kind, live: Fields, want: Fields, fields: tuple[FieldChange, ...]
) -> tuple[ActionName, str | None]:
    for path in kind.paths_that(Behaviour.IMMUTABLE):
        if live.get(path) != want.get(path):
            return "replace", f"{path} cannot be changed"
    for path in kind.paths_that(Behaviour.SETS_FORM):
        if (path in live) != (path in want):
            return "replace", f"{path} decides what it is"
    return ("update", None) if fields else ("no-op", None)


def _known_part(fields: Fields) -> dict[str, Any]:
    return {name: None if isinstance(value, Ref) else _without_refs(value) for name, value in fields.items()}


def _without_refs(value: Any) -> Any:
    if isinstance(value, Ref):
        return None
    if isinstance(value, dict):
        return {key: _without_refs(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_refs(item) for item in value]
    return value


def _unknown_part(value: Any) -> Any:
    """The shape that Terraform gives `after_unknown`: true where a value is unknown, nothing elsewhere."""
    if isinstance(value, dict):
        return {key: _unknown_part(item) for key, item in value.items() if is_unknown(item)}
    if isinstance(value, list):
        return [_unknown_part(item) if is_unknown(item) else False for item in value]
    return True
