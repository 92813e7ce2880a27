"""A part of the work: which addresses a partial plan may change, and which it may delete."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cwsync.errors import Problem, suggest
from cwsync.kinds import Desired
from cwsync.plan.values import Change, Selection, plain_address
from cwsync.state import State


@dataclass(frozen=True, slots=True)
class Chosen:
    """`addresses` may be changed (None: all), `deletable` deleted or replaced as well (None: all of them)."""

    addresses: frozenset[str] | None = None
    deletable: frozenset[str] | None = None
    problems: tuple[Problem, ...] = ()

    def allows(self, change: Change) -> bool:
        """In a partial plan nothing goes that was not named: neither for a neighbour's sake, nor by exclusion."""
        address = plain_address(change.address)
        if self.addresses is None or self.deletable is None:
            return True
        if change.action in ("delete", "replace"):
            return address in self.deletable
        return address in self.addresses


def choose(selection: Selection, desired: Mapping[str, Desired], known: State) -> Chosen:
    """What a selection comes to: targets with what they need, without what is excluded and what needs that."""
    there = {*desired, *known.resources, *(one.address for one in known.deposed)}
    problems = tuple(_unknown(a, there) for a in (*selection.targets, *selection.excludes) if a not in there)
    problems += tuple(_not_there(a, desired) for a in selection.replace if a not in desired)
    if not selection.partial:
        return Chosen(problems=problems)
    needs = dict(_needs(desired, known))
    needed_by: dict[str, set[str]] = {}
    for address, others in needs.items():
        for other in others:
            needed_by.setdefault(other, set()).add(address)
    wanted = _closed(selection.targets, needs) if selection.targets else there
    out = _closed(selection.excludes, needed_by)
    named = set(selection.targets)
    parts = {at for at, e in known.resources.items() if e.parent in named and at not in desired}
    return Chosen(
        addresses=frozenset((wanted | parts) - out),
        deletable=frozenset((named | parts) - out),
        problems=problems,
    )


def _needs(desired: Mapping[str, Desired], known: State) -> Iterator[tuple[str, set[str]]]:
    """What each address refers to; a part that is declared no longer still needs its integration."""
    for address, entry in known.resources.items():
        if address not in desired:
            yield address, {entry.parent} if entry.parent else set()
    for address, one in desired.items():
        yield address, {ref.address for ref in one.references() if ref.address is not None}


def _closed(start: Iterable[str], edges: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        address = waiting.pop()
        if address not in found:
            found.add(address)
            waiting += edges.get(address, ())
    return found


def _unknown(address: str, there: Iterable[str]) -> Problem:
    close = suggest(address, there)
    hint = f"did you mean {close}?" if close else "an address is KIND.KEY, such as integration.accounts"
    return Problem("CW507", f"{address} is neither declared nor managed", hint=hint)


def _not_there(address: str, desired: Mapping[str, Desired]) -> Problem:
    close = suggest(address, desired)
    hint = f"did you mean {close}?" if close else "an address is KIND.KEY, such as integration.accounts"
    return Problem("CW507", f"{address} is not declared, so there is nothing to replace it by", hint=hint)
