"""From decisions to calls, numbered in an order in which none can break what another needs.

The order is a graph: a call waits for the creation and the change of what it refers to; a deletion
waits for everything that still uses what goes; whoever takes over a name waits for its release.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
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
    making = _Making(desired, bindings, decisions.live, _going_notifications(decisions))
    aside = _to_set_aside(decisions)
    nodes = {a: _nodes(c, making, aside=a in aside) for a, c in decisions.changes.items()}
    nodes = {address: steps for address, steps in nodes.items() if steps}
    for address, steps in nodes.items():
        for ref in desired[address].references() if address in desired else ():
            _wait(steps[0], [node for node in nodes.get(ref.address or "", ()) if not node.deletes])
    _deletions_last(nodes, decisions.live)
    _slots_freed_first(nodes, making)
    return tuple(_numbered([node for steps in nodes.values() for node in steps]))


@dataclass(frozen=True)
class _Making:
    """What calls are made of. `going` are the notifications that this plan deletes."""

    desired: Mapping[str, Desired]
    bindings: Bindings
    live: Mapping[str, Observed]
    going: frozenset[str]


def _going_notifications(decisions: Decisions) -> frozenset[str]:
    return frozenset(
        same_id(decisions.live[address].id)
        for address, change in decisions.changes.items()
        if change.kind == "notification" and change.action in ("delete", "replace")
    )


def _to_set_aside(decisions: Decisions) -> set[str]:
    """What goes, has a name that another takes, and is in use until that other one is there.

    Deleting it first is refused, and last is too late: so it is renamed first. A resource whose key was
    changed looks like this.
    """
    live, changes = decisions.live, decisions.changes
    taken = {
        (change.kind, change.name)
        for address, change in changes.items()
        if change.action in ("create", "replace", "update")
        and not (address in live and live[address].name == change.name)
    }
    going = [a for a, c in changes.items() if c.action == "delete" and KINDS[c.kind].listing is not None]
    if not any((changes[address].kind, live[address].name) in taken for address in going):
        return set()
    late = {address for address, change in changes.items() if change.action in ("replace", "update")}
    users = _users([a for a, c in changes.items() if c.action in ("delete", "replace", "update")], live)
    for address in sorted(going, key=lambda a: -_RANK[changes[a].kind]):  # whoever uses it is before it here
        if late.intersection(users.get(same_id(live[address].id), ())):
            late.add(address)
    return {
        address
        for address in late.intersection(going)
        if (changes[address].kind, live[address].name) in taken
    }


def _users(addresses: Iterable[str], live: Mapping[str, Observed]) -> dict[str, list[str]]:
    """By normalised id, which of the addresses refer to it as they are now."""
    users: dict[str, list[str]] = {}
    for address in addresses:
        if address in live:
            for text in set(texts_in(live[address].fields)):
                users.setdefault(same_id(text), []).append(address)
    return users


def _wait(node: _Node, others: list[_Node]) -> None:
    node.after += [other for other in others if other is not node]


def _nodes(change: Change, making: _Making, *, aside: bool) -> list[_Node]:
    """The calls of one address, each waiting for the one before."""
    kind, desired = KINDS[change.kind], making.desired.get(change.address)
    made: list[_Node] = []
    for action, of, because, old in _steps(change, desired, aside=aside):
        live = making.live.get(change.address) if old else None
        method, template = kind.calls[of]
        if change.kind == "notification" and of is Action.CREATE:
            method, template = _notification_call(desired, making)
        path = template.replace("{id}", live.id if live else f"{{{change.address}}}")
        path = path.replace("{parent}", _parent(desired, making.bindings, live))
        target = live.id if live else None
        made.append(_Node(change, action, method, path, because, target, len(made), made[-1:]))
    return made


def _steps(
    change: Change, desired: Desired | None, *, aside: bool
) -> Iterator[tuple[str, Action, str, bool]]:
    """What is done to one address: in words, as which call, why, and whether to the object that is there."""
    kind, reason = KINDS[change.kind], change.reason or ""
    rename = Action.RENAME if Action.RENAME in kind.calls else Action.UPDATE
    replaced, listed = change.action == "replace", kind.listing is not None
    if aside:
        yield SET_ASIDE, rename, "another takes its name, and it is still in use", True
    elif replaced and listed:
        yield SET_ASIDE, rename, f"{reason}: it is replaced", True
    elif replaced:
        yield Action.DELETE, Action.DELETE, f"{reason}: it is replaced", True
    if desired is not None and (replaced or change.action == "create"):
        for action in kind.create_actions(desired.fields):
            yield action, action, reason or _why_new(action), False
    if desired is not None and change.action == "update":
        changed = frozenset(f.path.partition(".")[0].partition("[")[0] for f in change.fields)
        for action in kind.update_actions(changed, desired.fields):
            yield action, action, _why_changed(change, action), True
    if change.action == "delete" or (replaced and listed):
        yield Action.DELETE, Action.DELETE, "its replacement is in use" if replaced else reason, True


def _notification_call(desired: Desired | None, making: _Making) -> tuple[str, str]:
    """The service makes a notification with every integration, so a new one is written over it (facts A5)."""
    kind, bindings = KINDS["notification"], making.bindings
    assert desired is not None
    assert desired.parent is not None
    id = bindings.id_of(desired.parent)
    if id is None:
        return kind.calls[Action.UPDATE]
    integration = bindings.observed.get("integration", id)
    pointer = integration.notification if integration else None
    if pointer is None or same_id(pointer) in making.going:
        return kind.calls[Action.CREATE]
    method, template = kind.calls[Action.UPDATE]
    return method, template.replace("{id}", pointer)


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
    users = _users(nodes, live)
    for address, steps in nodes.items():
        for node in steps:
            if node.deletes and node.target and live[address].parent is None:
                for user in users.get(same_id(node.target), ()):
                    if user != address:
                        _wait(node, nodes[user])


def _slots_freed_first(nodes: Mapping[str, list[_Node]], making: _Making) -> None:
    """A name is unique within a kind, and an integration has one schedule and one notification: whoever
    takes such a place waits until it is free."""
    freeing: dict[tuple[str, str], _Node] = {}
    wanted = {address: _slot_wanted(steps[0].change, making) for address, steps in nodes.items()}
    for address, steps in nodes.items():
        change = steps[0].change
        held = _slot_held(change, making.live.get(address))
        if held is not None and (change.action == "delete" or held != wanted[address]):
            freeing[held] = steps[0]
    for address, steps in nodes.items():
        taking = next((node for node in steps if not node.deletes and node.action != SET_ASIDE), None)
        slot = wanted[address]
        if taking is not None and slot in freeing and freeing[slot].change.address != address:
            _wait(taking, [freeing[slot]])


def _slot_held(change: Change, live: Observed | None) -> tuple[str, str] | None:
    if live is None:
        return None
    named = KINDS[change.kind].listing is not None
    return change.kind, live.name if named else same_id(live.parent or "")


def _slot_wanted(change: Change, making: _Making) -> tuple[str, str]:
    if KINDS[change.kind].listing is not None:
        return change.kind, change.name
    desired = making.desired.get(change.address)
    parent = making.bindings.id_of(desired.parent) if desired and desired.parent else None
    return change.kind, same_id(parent or "")


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
        raise _swapped({node for node in nodes if node not in orders})


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


def _swapped(nodes: set[_Node]) -> CwsyncError:
    """Without those that only wait for a circle, and are in none."""
    while loose := nodes - {before for node in nodes for before in node.after}:
        nodes = nodes - loose
    addresses = ", ".join(sorted({node.change.address for node in nodes}))
    return CwsyncError(
        Problem(
            "CW508",
            f"these would have to exchange their names, which takes two steps: {addresses}",
            hint="give one of them a third name, apply, then give it the name it should have",
        )
    )
