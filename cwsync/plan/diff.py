"""The three-way comparison of one resource: what is desired, what was last applied, what is observed.

Equal values never reach deepdiff: it costs milliseconds for every pair, even an equal one, and most
pairs are equal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

from cwsync.kinds import Behaviour, Desired, Fields, Kind, Ref
from cwsync.kinds.values import Path
from cwsync.plan.values import Cause, DriftField, FieldChange, canonical_json


@dataclass(frozen=True, slots=True)
class Seen:
    """A managed object beside what was last applied, both in one form.

    `unverifiable` are the paths where the service shows nothing, so that `live` holds what was applied.
    """

    known: Fields
    live: Fields
    unverifiable: tuple[Path, ...]


def see(kind: Kind, known: Mapping[str, Any], live: Mapping[str, Any]) -> Seen:
    """Bring an observed object and what was last applied to one form."""
    filled, unverifiable = _fill_in(kind, live, known)
    return Seen(arrange(kind, known), arrange(kind, filled), unverifiable)


def settle(kind: Kind, fields: Fields, like: Fields, ignore: frozenset[str], today: str) -> Fields:
    """The fields with whatever counts as equal to `like` written as it is there."""
    settled = dict(fields)
    for field in ignore:
        _take_over(settled, like, field)
    for field in kind.paths_that(Behaviour.PAST_DATE):
        if field in fields and field in like and _past(str(fields[field]), str(like[field]), today):
            settled[field] = like[field]
    return settled


def _past(first: str, second: str, today: str) -> bool:
    """Whether two dates say the same: a past one is sent as the first day that is not over everywhere."""
    if not today or min(first, second) >= today:
        return False
    return max(first, second) <= (date.fromisoformat(today) + timedelta(days=1)).isoformat()


def _take_over(want: Fields, live: Fields, field: str) -> None:
    if field in live:
        want[field] = live[field]
    else:
        want.pop(field, None)


def arrange(kind: Kind, fields: Mapping[str, Any]) -> Fields:
    """The fields with whatever has no order sorted. What needs no sorting is shared, not copied."""
    arranged: Any = dict(fields)
    for path in kind.paths_that(Behaviour.UNORDERED):
        arranged = _changed(arranged, path.split("."), _in_order)
    return {**arranged}


def _in_order(value: Any) -> Any:
    return sorted(value, key=str) if isinstance(value, list) else value


def _changed(value: Any, pattern: list[str], change: Callable[[Any], Any]) -> Any:
    """The value with `change` made wherever the pattern leads; `value` itself stays as it is."""
    if not pattern:
        return change(value)
    head, rest = pattern[0], pattern[1:]
    if isinstance(value, dict):
        found = value.keys() if head == "*" else [head] if head in value else []
        return {**value, **{key: _changed(value[key], rest, change) for key in found}}
    if isinstance(value, list) and head == "*":
        return [_changed(item, rest, change) for item in value]
    return value


def _fill_in(
    kind: Kind, live: Mapping[str, Any], known: Mapping[str, Any]
) -> tuple[Fields, tuple[Path, ...]]:
    """The observed fields, completed by what was last applied where the service doesn't show it."""
    filled: Any = dict(live)
    taken: list[Path] = []
    for rule_path in kind.paths_that(Behaviour.NOT_READ_BACK):
        for path, value in _matches(known, rule_path.split(".")):
            holder = _at(filled, path[:-1])
            if isinstance(holder, dict) and path[-1] not in holder:
                filled = _with(filled, path, value)
                taken.append(path)
    return filled, tuple(taken)


def _with(value: Any, path: Path, new: Any) -> Any:
    if not path:
        return new
    step = path[0]
    if isinstance(value, dict):
        return {**value, step: _with(value.get(step), path[1:], new)}
    return [_with(item, path[1:], new) if index == step else item for index, item in enumerate(value)]


def _at(value: Any, path: Path) -> Any:
    for step in path:
        try:
            value = value[step]
        except (LookupError, TypeError):
            return None
    return value


def _matches(value: Any, pattern: list[str], done: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Each place that a rule's path points to, with what stands there."""
    if not pattern:
        yield done, value
        return
    head, rest = pattern[0], pattern[1:]
    items: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        items = [*value.items()]
    elif isinstance(value, list):
        items = [*enumerate(value)]
    for key, item in items:
        if head in ("*", key):
            yield from _matches(item, rest, (*done, key))


def differences(before: Fields, after: Fields) -> list[tuple[Path, Any, Any]]:
    """Where two values differ: path, before, after; `None` stands for absent. Sorted by path."""
    if before == after:
        return []
    from deepdiff import DeepDiff

    left, right = _plain(before), _plain(after)
    found: dict[Path, tuple[Any, Any]] = {}
    tree = DeepDiff(left, right, view="tree", threshold_to_diff_deeper=0, zip_ordered_iterables=True)
    for levels in tree.values():
        for level in levels:
            path = tuple(level.path(output_format="list"))
            found[path] = (_at(before, path), _at(after, path))
    return [
        (path, *found[path]) for path in sorted(found, key=lambda p: [(isinstance(s, int), s) for s in p])
    ]


def _plain(value: Any) -> Any:
    """References become text that equals no id, so that deepdiff meets nothing but JSON."""
    if isinstance(value, Ref):
        return f"\0{value}"
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def path_text(path: Path) -> str:
    """`jobs[0].import.file`: the way the vendor's page and jq write a path."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def is_unknown(value: Any) -> bool:
    """Whether a value holds a reference to something that has no id yet."""
    if isinstance(value, dict):
        return any(is_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(is_unknown(item) for item in value)
    return isinstance(value, Ref)


def shown(value: Any) -> Any:
    """The value with each unresolved reference as the address it stands for."""
    if isinstance(value, Ref):
        return str(value)
    if isinstance(value, dict):
        return {key: shown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shown(item) for item in value]
    return value


def field_changes(seen: Seen, want: Fields, desired: Desired) -> tuple[FieldChange, ...]:
    """Every field to change, with the side that moved since the last apply."""
    changes = []
    for path, before, after in differences(seen.live, want):
        where = desired.locate(path)
        changes.append(
            FieldChange(
                path=path_text(path),
                before=shown(before),
                after=shown(after),
                cause=_cause(_at(seen.known, path), before, after),
                unknown=is_unknown(after),
                where=str(where) if where else None,
            )
        )
    return tuple(changes)


def _cause(known: Any, observed: Any, desired: Any) -> Cause:
    if known == observed:
        return "manifest"
    return "drift" if known == desired else "both"


def drift_fields(kind: Kind, seen: Seen, ignore: frozenset[str], today: str) -> tuple[DriftField, ...]:
    """Where the tenant differs from what was last applied."""
    live = settle(kind, seen.live, seen.known, ignore, today)
    return tuple(DriftField(path_text(path), *sides) for path, *sides in differences(seen.known, live))


def fingerprint(kind: Kind, fields: Mapping[str, Any], *, own_calls: bool = True) -> str:
    """A hash of what the service shows of an object: without what it may not return.

    `own_calls` leaves in the fields that a call of their own sets, which a PUT may or may not keep.
    """
    visible: Any = arrange(kind, fields)
    hidden = [*kind.paths_that(Behaviour.NOT_READ_BACK)]
    if not own_calls:
        hidden += kind.paths_that(Behaviour.OWN_CALL)
    for path in hidden:
        *holder, name = path.split(".")
        visible = _changed(visible, holder, partial(_without, name))
    return "sha256:" + hashlib.sha256(canonical_json(visible).encode()).hexdigest()


def _without(name: str, value: Any) -> Any:
    return {key: item for key, item in value.items() if key != name} if isinstance(value, dict) else value
