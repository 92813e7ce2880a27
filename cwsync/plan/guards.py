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
) -> Iterator[Problem]:
    """A problem for each deletion that is refused (exit 7). A replacement counts as a deletion."""
    going = {a: change for a, change in changes.items() if change.action in ("delete", "replace")}
    yield from _protected(going, desired, known)
    yield from _too_many(going, known, guards)
    yield from _in_use(going, known, observed)


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
        count = sum(change.kind == kind.name for change in going.values())
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


def _in_use(going: Mapping[str, Change], known: State, observed: Snapshot) -> Iterator[Problem]:
    """What an unmanaged integration or flow uses must stay; cwsync cannot change those."""
    mine = ours(known)
    uses: dict[str, list[str]] = {}
    for kind in ("integration", "flow"):
        for id, one in observed.objects.get(kind, {}).items():
            if id not in mine and one.fields is not None:
                for text in sorted({same_id(text) for text in texts_in(one.fields)}):
                    uses.setdefault(text, []).append(f'the {kind} "{one.name}"')
    for address in sorted(going):
        users = uses.get(same_id(going[address].id or ""))
        if users and KINDS[going[address].kind].listing is not None:
            yield Problem(
                "CW504",
                f"{address} would be deleted, and {', '.join(sorted(users))}, which cwsync does not manage, "
                "still uses it",
                hint="change that one in CloudWorks first, or keep this one declared",
                address=address,
            )
