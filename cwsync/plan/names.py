"""Names are unique within a kind: who takes whose, who makes room, and what it is called meanwhile."""

from __future__ import annotations

from collections.abc import Mapping

from cwsync.errors import CwsyncError, Problem
from cwsync.kinds import KINDS, Action, Desired, same_id
from cwsync.plan.alike import look_alikes
from cwsync.plan.decide import Decisions
from cwsync.plan.values import Change

SET_ASIDE = "set aside"  # rename what goes, so that its replacement can have the name
TEMPORARY = "rename temporarily"  # the first of two renames, so that others can have the name meanwhile
_LONGEST = 60

Takers = Mapping[tuple[str, str], str]
"""By kind and name, the address that is to have a name which it does not have yet."""


def aside_name(name: str, id: str) -> str:
    """The name of an object that has made room for its replacement: unique, and within 60 characters."""
    return _marked(name, "replaced", id)


def temporary_name(name: str, id: str) -> str:
    """The name of an object until the one that it is to have is free: unique, and within 60 characters."""
    return _marked(name, "temporary", id)


def _marked(name: str, word: str, id: str) -> str:
    mark = f" {word} {same_id(id)[:8]}"
    return name[: _LONGEST - len(mark)].rstrip(" -_") + mark


def name_wanted(change: Change) -> str:
    """The name that it will have; ignoreChanges may keep the one that it has."""
    return str((change.after or {})["name"]) if change.action in ("update", "no-op") else change.name


def name_takers(decisions: Decisions) -> Takers:
    live = decisions.live
    return {
        (change.kind, name): address
        for address, change in decisions.changes.items()
        if change.action in ("create", "replace", "update") and KINDS[change.kind].listing is not None
        for name in (name_wanted(change),)
        if not (address in live and live[address].name == name)
    }


def to_set_aside(decisions: Decisions, takers: Takers) -> frozenset[str]:
    """What goes, and has a name that another takes: it is renamed first, and deleted once the other is there.

    Raises CW506 where an object must not be overwritten, not even by itself under another name, and CW307
    where what has the name is no part of a partial plan.
    """
    held = {
        address: takers[seen.kind, seen.name]
        for address, seen in decisions.live.items()
        if (seen.kind, seen.name) in takers
    }
    aside = {at for at in held if at in decisions.changes and decisions.changes[at].action == "delete"}
    problems = [
        *(_left_out(at, taker) for at, taker in held.items() if at in decisions.left_out),
        *(_foreign(at, held[at], decisions) for at in aside if _cannot_be_renamed(at, decisions)),
    ]
    if problems:
        raise CwsyncError(*sorted(problems, key=lambda one: one.message))
    return frozenset(aside)


def _left_out(address: str, taker: str) -> Problem:
    return Problem(
        "CW307",
        f"{taker} takes the name of {address}, which this partial plan leaves as it is",
        hint=f"add --target {address}, or make the whole plan",
        address=taker,
    )


def _cannot_be_renamed(address: str, decisions: Decisions) -> bool:
    live = decisions.live[address]
    return live.foreign is not None and Action.RENAME not in KINDS[live.kind].calls


def _foreign(address: str, taker: str, decisions: Decisions) -> Problem:
    return Problem(
        "CW506",
        f"{address} cannot be renamed to make room for {taker}: {decisions.live[address].foreign}",
        hint="delete it in CloudWorks first, or give the other one another name",
        address=taker,
    )


def to_rename_twice(decisions: Decisions, takers: Takers) -> frozenset[str]:
    """Of each circle of changes that take each other's names, the first by address."""
    follow: dict[str, str] = {}
    for address, change in decisions.changes.items():
        if change.action == "update" and KINDS[change.kind].listing is not None:
            taker = takers.get((change.kind, decisions.live[address].name))
            if taker is not None and decisions.changes[taker].action == "update":
                follow[address] = taker
    found, done = set[str](), set[str]()
    for start in follow:
        at, walk = start, list[str]()
        while at in follow and at not in done:
            done.add(at)
            walk.append(at)
            at = follow[at]
        if at in walk:
            found.add(min(walk[walk.index(at) :]))
    return frozenset(found)


def heirs(decisions: Decisions, desired: Mapping[str, Desired], takers: Takers) -> dict[str, set[str]]:
    """By the address of what goes, the addresses that come in its place: nothing goes before they are there.

    That is whoever takes its name, or the name that it had before it was set aside; what is declared at
    its address; and what looks like it. A part of an integration goes with that, and with the same part
    of those.
    """
    changes, live = decisions.changes, decisions.live
    alike = look_alikes(changes)
    going = [change for change in changes.values() if change.action == "delete"]
    found: dict[str, set[str]] = {}
    integrations: dict[str, str] = {}  # those that go, by id
    for change in going:
        address, name = change.address, live[change.address].name
        if KINDS[change.kind].listing is not None:
            found[address] = {
                heir for heir in (takers.get((change.kind, name)), alike.get(address)) if heir is not None
            }
            own = f"{change.kind}.{change.key}"
            if own != address:
                found[address] |= {own, *_has_the_name_of(change, name, changes)}
            if change.kind == "integration":
                integrations[same_id(change.id or "")] = address
    parts = {(one.kind, one.parent.address): at for at, one in desired.items() if one.parent is not None}
    for change in going:
        if KINDS[change.kind].listing is None:
            owner = integrations.get(same_id(live[change.address].parent or ""), "")
            for heir in found.get(owner, ()):
                found.setdefault(change.address, set()).update({heir, parts.get((change.kind, heir), heir)})
    return found


def _has_the_name_of(aside: Change, name: str, changes: Mapping[str, Change]) -> set[str]:
    """Who has, or takes, the name that it had: what it is called now was made from that."""
    return {
        address
        for address, one in changes.items()
        if one.kind == aside.kind
        and one.action in ("create", "replace", "update", "no-op")
        and aside_name(name_wanted(one), aside.id or "") == name
    }
