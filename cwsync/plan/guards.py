"""Deletions that a plan must not carry out: protected ones, too many, and what somebody else still uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cwsync.errors import Problem
from cwsync.kinds import KINDS, Desired, Snapshot, same_id
from cwsync.kinds.values import texts_in
from cwsync.plan.bind import ours
from cwsync.plan.values import Change
from cwsync.project import Guards
from cwsync.state import State


def guard_problems(
    changes: Mapping[str, Change],
    desired: Mapping[str, Desired],
    known: State,
    observed: Snapshot,
    guards: Guards,
    left_out: Mapping[str, Change] | None = None,
) -> Iterator[Problem]:
    """A problem for each deletion that is refused (exit 7). A replacement counts as a deletion.

    `left_out` are changes that this plan does not make, so that what they would change stays in use.
    """
    going = {a: change for a, change in changes.items() if change.action in ("delete", "replace")}
    yield from _protected(going, desired, known)
    yield from _too_many(going, known, guards)
    yield from _in_use(going, changes, left_out or {}, known, observed)


def _protected(
    going: Mapping[str, Change], desired: Mapping[str, Desired], known: State
) -> Iterator[Problem]:
    """The state remembers preventDestroy, so that deleting the block doesn't delete the protection."""
    for address in sorted(going):
        entry, declared = known.resources.get(address), desired.get(address)
        if declared.protect if declared else entry is not None and entry.protect:
            yield Problem(
                "CW502",
                f"{address} would be {'replaced' if declared else 'deleted'}, and its preventDestroy forbids that",
                place=declared.place if declared else None,
                hint="declare it with preventDestroy: false, apply that, and then let it go",
                address=address,
            )


def _too_many(going: Mapping[str, Change], known: State, guards: Guards) -> Iterator[Problem]:
    for kind in KINDS.values():
        count = sum(
            change.kind == kind.name for address, change in going.items() if address in known.resources
        )
        managed = sum(entry.kind == kind.name for entry in known.resources.values())
        limits = []
        if guards.maxDeletes is not None and count > guards.maxDeletes:
            limits.append(f"maxDeletes allows {guards.maxDeletes}")
        if guards.maxDeletePercent is not None and count * 100 > guards.maxDeletePercent * managed:
            limits.append(f"maxDeletePercent allows {guards.maxDeletePercent} %")
        if count and limits:
            yield Problem(
                "CW503",
                f"{count} of {managed} managed {kind.section} would be deleted, and {' and '.join(limits)}",
                hint="if that is meant, raise the guards of this environment in cwsync.yaml for this change",
            )


def _in_use(
    going: Mapping[str, Change],
    changes: Mapping[str, Change],
    left_out: Mapping[str, Change],
    known: State,
    observed: Snapshot,
) -> Iterator[Problem]:
    """What goes must not be in use: by what cwsync doesn't manage, or by something of ours that stays as it
    is, because it refers to it as unmanaged, ignores the change, or is left out of a partial plan."""
    listed = {a: same_id(c.id) for a, c in going.items() if c.id and KINDS[c.kind].listing is not None}
    users: dict[str, set[str]] = {}
    for id, user in _uses(going, changes, left_out, known, observed) if listed else ():
        users.setdefault(id, set()).add(user)
    for address, id in sorted(listed.items()):
        if id in users:
            yield Problem(
                "CW504",
                f"{address} would be deleted, and is still in use by {' and '.join(sorted(users[id]))}",
                hint="change what uses it first, or keep it declared",
                address=address,
            )


def _uses(
    going: Mapping[str, Change],
    changes: Mapping[str, Change],
    left_out: Mapping[str, Change],
    known: State,
    observed: Snapshot,
) -> Iterator[tuple[str, str]]:
    yield from _unmanaged_uses(known, observed)
    yield from _uses_that_stay(going, changes)
    for address, change in left_out.items():
        for text in texts_in(dict(change.before or {})):
            yield same_id(text), f"{address}, which this partial plan leaves as it is"


def _unmanaged_uses(known: State, observed: Snapshot) -> Iterator[tuple[str, str]]:
    mine = ours(known)
    for kind in ("integration", "flow"):
        for id, one in observed.objects.get(kind, {}).items():
            if id not in mine and one.fields is not None:
                for text in texts_in(one.fields):
                    yield same_id(text), f'the {kind} "{one.name}", which cwsync does not manage'


def _uses_that_stay(going: Mapping[str, Change], changes: Mapping[str, Change]) -> Iterator[tuple[str, str]]:
    for address, change in changes.items():
        if address not in going:
            for text in texts_in(dict(change.after or {})):
                yield same_id(text), address
