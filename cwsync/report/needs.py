"""Who needs whom, among what a plan changes: read from the plan alone, so that a saved one has it too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cwsync.report.values import child, leaves, unknown_paths

if TYPE_CHECKING:
    from cwsync.plan import Change, Plan


@dataclass(frozen=True, slots=True)
class Needs:
    """`nodes` are addresses (`kind name` of what is unmanaged), with what becomes of them or an empty text;
    `edges` go from a resource to what it needs."""

    nodes: Mapping[str, str]
    edges: tuple[tuple[str, str], ...]

    def changed_only(self) -> Needs:
        nodes = {name: fate for name, fate in self.nodes.items() if fate}
        return Needs(nodes, tuple(edge for edge in self.edges if edge[1] in nodes))


def needs_of(plan: Plan) -> Needs:
    """What changes, and what it needs, in the order of the plan."""
    nodes = {change.address: change.action for change in plan.changes if change.action != "no-op"}
    edges = {
        (change.address, needed): None
        for change in plan.changes
        if change.action != "no-op"
        for needed in _needed(change, plan.labels)
    }
    around = dict.fromkeys(sorted(needed for _, needed in edges if needed not in nodes), "")
    return Needs({**nodes, **around}, tuple(edges))


def kind_of(name: str) -> str:
    """The kind of an address, or of what is unmanaged."""
    return name.replace(".", " ").partition(" ")[0]


def _needed(change: Change, labels: Mapping[str, str]) -> Iterator[str]:
    from cwsync.kinds import KINDS, same_id

    unknown = frozenset(unknown_paths(change.after_unknown))
    ids = _texts("", change.before if change.after is None else change.after)
    names = [labels.get(same_id(value), "") for _, value in ids]
    # An id that isn't known yet is null there; the field says what it will be the id of.
    for field in change.fields:
        names += [value for path, value in _texts(field.path, field.after) if path in unknown]
    yield from (name for name in names if kind_of(name) in KINDS and name != change.address)


def _texts(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every text below a path, with its own."""
    for at, leaf in leaves(path, value):
        for where, one in (
            ((child(at, step), one) for step, one in enumerate(leaf))
            if isinstance(leaf, list)
            else [(at, leaf)]
        ):
            if isinstance(one, str):
                yield where, one
