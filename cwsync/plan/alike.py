"""A deletion and a creation that look like one resource under another key, which people forget to say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cwsync.errors import Problem
from cwsync.kinds import KINDS, Desired, same_id
from cwsync.plan.diff import fingerprint
from cwsync.plan.values import Change

# What may change with the key, and says nothing of what a resource does.
_NO_MATTER = ("name", "nuxVisible")


def look_alikes(changes: Mapping[str, Change]) -> dict[str, str]:
    """By the address of what is deleted, the address of what is created in its likeness.

    Of one kind, one to one: what has the same name, or else the same content; what refers to look-alikes
    counts as the same. A schedule or a notification is whatever belongs to the same integration.
    """
    pairs: dict[str, str] = {}
    ids: dict[str, str] = {}  # by the address of what is created, the id of what it looks like
    for kind in KINDS:
        old = {a: dict(c.before or {}) for a, c in changes.items() if c.kind == kind and _goes(c)}
        if not old:
            continue
        new = {a: _created(c) for a, c in changes.items() if c.kind == kind and c.action == "create"}
        found = _matched(_by_name(old), _by_name(new)) if KINDS[kind].listing else {}
        rest = {a: f for a, f in new.items() if a not in found.values()}
        found |= _matched(
            {a: _likeness(kind, fields, {}) for a, fields in old.items() if a not in found},
            {a: _likeness(kind, fields, ids) for a, fields in rest.items()},
        )
        pairs |= found
        ids |= {created: same_id(changes[deleted].id or "") for deleted, created in found.items()}
    return pairs


def _goes(change: Change) -> bool:
    """What an earlier apply replaced goes as well, and has no key of its own."""
    return change.action == "delete" and change.address == f"{change.kind}.{change.key}"


def _created(change: Change) -> dict[str, Any]:
    """All that it will be: what has no id yet as its address."""
    return {field.path: field.after for field in change.fields if not field.sensitive}


def _by_name(fields: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {address: str(of.get("name")) for address, of in fields.items()}


def _likeness(kind: str, fields: Mapping[str, Any], ids: Mapping[str, str]) -> str:
    if KINDS[kind].listing is None:
        return str(_with_ids(fields.get("integration"), ids))
    kept = {name: _with_ids(value, ids) for name, value in fields.items() if name not in _NO_MATTER}
    return fingerprint(KINDS[kind], kept)


def _with_ids(value: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _with_ids(item, ids) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_ids(item, ids) for item in value]
    return ids.get(value, value) if isinstance(value, str) else value


def _matched(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """The addresses on both sides that say the same, where no other does."""
    sides: dict[str, tuple[list[str], list[str]]] = {}
    for address, says in old.items():
        sides.setdefault(says, ([], []))[0].append(address)
    for address, says in new.items():
        sides.setdefault(says, ([], []))[1].append(address)
    return {left[0]: right[0] for left, right in sides.values() if len(left) == len(right) == 1}


def look_alike_problems(changes: Mapping[str, Change], desired: Mapping[str, Desired]) -> Iterator[Problem]:
    """A warning for each pair. Where an integration moves, its schedule and its notification follow."""
    pairs = look_alikes(changes)
    for old, new in pairs.items():
        parent = desired[new].parent
        if parent is None or parent.address not in pairs.values():
            yield Problem(
                "CW516",
                f"{old} would be deleted and {new} created, and they look like one resource under a new key: "
                "if it is one, say so in a manifest",
                place=desired[new].place,
                hint=f"moved: [{{from: {old}, to: {new}}}]",
                severity="warning",
                address=new,
            )
