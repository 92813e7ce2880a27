"""From decisions to calls, numbered in an order in which none can break what another needs.

The order is a graph: a call waits for the creation and the change of what it refers to; a deletion
waits for everything that still uses what goes; whoever takes over a name waits for its release.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cwsync.errors import CwsyncError, Problem
from cwsync.kinds import KINDS, Action, Desired, Observed, same_id
from cwsync.kinds.values import texts_in
from cwsync.plan.bind import Bindings
from cwsync.plan.decide import Decisions
from cwsync.plan.values import Call, Change

SET_ASIDE = "set aside"  # rename the old object, so that its replacement can have the name
_RANK = {name: rank for rank, name in enumerate(KINDS)}


@dataclass(eq=False)
class _Node:
    change: Change
    action: str
    method: str
    path: str
    because: str
    target: str | None
    step: int
    after: list[_Node] = field(default_factory=list)

    @property
    def deletes(self) -> bool:
        return self.action == Action.DELETE

    @property
    def priority(self) -> tuple[int, int, str, int]:
        rank = _RANK[self.change.kind]
        return (int(self.deletes), -rank if self.deletes else rank, self.change.address, self.step)


def order_calls(decisions: Decisions, desired: Mapping[str, Desired], bindings: Bindings) -> tuple[Call, ...]:
    """The plan's calls. Raises CW508 where names would have to be swapped."""
    nodes = {
        a: _nodes(c, desired.get(a), bindings, decisions.live.get(a)) for a, c in decisions.changes.items()
    }
    nodes = {address: steps for address, steps in nodes.items() if steps}
    for address, steps in nodes.items():
        for ref in desired[address].references() if address in desired else ():
            writes = [node for node in nodes.get(ref.address or "", ()) if not node.deletes]
            _wait(next(step for step in steps if not step.deletes or len(steps) == 1), writes)
    _deletions_last(nodes, decisions.live)
    _names_released_first(nodes, decisions.live)
    return tuple(_numbered([node for steps in nodes.values() for node in steps]))


def _wait(node: _Node, others: list[_Node]) -> None:
    node.after += [other for other in others if other is not node]


def _nodes(change: Change, desired: Desired | None, bindings: Bindings, live: Observed | None) -> list[_Node]:
    """The calls of one address, each waiting for the one before."""
    kind = KINDS[change.kind]
    made: list[_Node] = []

    def add(action: str, of: Action, because: str, *, old: bool) -> None:
        method, template = kind.calls[of]
        if change.kind == "notification" and of is Action.CREATE:
            method, template = _notification_call(desired, bindings)
        path = template.replace("{id}", _id(change, live if old else None))
        path = path.replace("{parent}", _parent(desired, bindings, live if old else None))
        target = live.id if old and live else None
        made.append(_Node(change, action, method, path, because, target, len(made), made[-1:]))

    if change.action in ("create", "replace"):
        assert desired is not None
        if change.action == "replace":
            aside = kind.listing is not None
            of = (
                Action.DELETE
                if not aside
                else Action.RENAME
                if Action.RENAME in kind.calls
                else Action.UPDATE
            )
            add(SET_ASIDE if aside else Action.DELETE, of, f"{change.reason}: it is replaced", old=True)
        for action in kind.create_actions(desired.fields):
            add(action, action, change.reason or _why_new(action), old=False)
        if change.action == "replace" and kind.listing is not None:
            add(Action.DELETE, Action.DELETE, "its replacement is in use", old=True)
    elif change.action == "update":
        assert desired is not None
        changed = frozenset(f.path.partition(".")[0].partition("[")[0] for f in change.fields)
        for action in kind.update_actions(changed, desired.fields):
            add(action, action, _why_changed(change, action), old=True)
    elif change.action == "delete":
        add(Action.DELETE, Action.DELETE, change.reason or "", old=True)
    return made


def _notification_call(desired: Desired | None, bindings: Bindings) -> tuple[str, str]:
    """The service makes a notification with every integration, so a new one is written over it (facts A5)."""
    kind = KINDS["notification"]
    assert desired is not None
    assert desired.parent is not None
    id = bindings.id_of(desired.parent)
    if id is None:
        return kind.calls[Action.UPDATE]
    integration = bindings.observed.get("integration", id)
    if integration is None or integration.notification is None:
        return kind.calls[Action.CREATE]
    method, template = kind.calls[Action.UPDATE]
    return method, template.replace("{id}", integration.notification)


def _id(change: Change, live: Observed | None) -> str:
    return live.id if live else f"{{{change.address}}}"


def _parent(desired: Desired | None, bindings: Bindings, live: Observed | None) -> str:
    if live is not None and live.parent is not None:
        return live.parent
    if desired is None or desired.parent is None:
        return ""
    return bindings.id_of(desired.parent) or f"{{{desired.parent}}}"


def _why_new(action: Action) -> str:
    return "it is declared as disabled" if action is Action.DISABLE else "it is not in the tenant"


def _why_changed(change: Change, action: Action) -> str:
    if action in (Action.ENABLE, Action.DISABLE):
        return f"{action}s it: a call of its own"
    paths = [f"{change.path} ({change.cause})" for change in change.fields]
    return ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")


def _deletions_last(nodes: Mapping[str, list[_Node]], live: Mapping[str, Observed]) -> None:
    """What goes, goes after everything that used it has been changed or has gone."""
    users: dict[str, list[str]] = {}
    for address in nodes:
        if address in live:
            for text in set(texts_in(live[address].fields)):
                users.setdefault(same_id(text), []).append(address)
    for address, steps in nodes.items():
        for node in steps:
            if node.deletes and node.target and live[address].parent is None:
                for user in users.get(same_id(node.target), ()):
                    if user != address:
                        _wait(node, nodes[user])


def _names_released_first(nodes: Mapping[str, list[_Node]], live: Mapping[str, Observed]) -> None:
    """Names are unique within a kind: whoever takes one waits until it is free."""
    releasing: dict[tuple[str, str], _Node] = {}
    for address, steps in nodes.items():
        first = steps[0]
        if (
            address in live
            and live[address].name
            and (first.deletes or first.change.name != live[address].name)
        ):
            releasing[first.change.kind, live[address].name] = first
    for steps in nodes.values():
        taking = next((node for node in steps if not node.deletes and node.action != SET_ASIDE), None)
        if taking is not None and taking.change.name:
            release = releasing.get((taking.change.kind, taking.change.name))
            if release is not None and release.change.address != taking.change.address:
                _wait(taking, [release])


def _numbered(nodes: list[_Node]) -> Iterator[Call]:
    """Kahn's algorithm with a heap: of all that could come next, the first by kind and address."""
    waiting = {node: len(set(node.after)) for node in nodes}
    followers: dict[_Node, list[_Node]] = {}
    for node in nodes:
        for before in set(node.after):
            followers.setdefault(before, []).append(node)
    ready = [(node.priority, id(node), node) for node in nodes if not waiting[node]]
    heapq.heapify(ready)
    orders: dict[_Node, int] = {}
    while ready:
        _, _, node = heapq.heappop(ready)
        orders[node] = len(orders) + 1
        yield _call(node, orders)
        for follower in followers.get(node, ()):
            waiting[follower] -= 1
            if not waiting[follower]:
                heapq.heappush(ready, (follower.priority, id(follower), follower))
    if len(orders) < len(nodes):
        raise _swapped([node for node in nodes if node not in orders])


def _call(node: _Node, orders: Mapping[_Node, int]) -> Call:
    after = tuple(sorted({orders[before] for before in node.after}))
    return Call(
        orders[node],
        node.change.address,
        node.action,
        node.method,
        node.path,
        after,
        node.because,
        node.target,
    )


def _swapped(nodes: list[_Node]) -> CwsyncError:
    addresses = ", ".join(sorted({node.change.address for node in nodes}))
    return CwsyncError(
        Problem(
            "CW508",
            f"these would have to exchange their names, which takes two steps: {addresses}",
            hint="give one of them a third name, apply, then give it the name it should have",
        )
    )
