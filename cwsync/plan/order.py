"""From decisions to calls, numbered in an order in which none can break what another needs.

The order is a graph: a call waits for the creation and the change of what it refers to; a deletion
waits for everything that still uses what goes, and for whatever comes in its place; whoever takes over a
name waits for its release. What waits for something that fails is not done, so nothing is lost by it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from cwsync.kinds import KINDS, Action, Desired, Observed, same_id
from cwsync.kinds.values import texts_in
from cwsync.plan.bind import Bindings
from cwsync.plan.decide import Decisions
from cwsync.plan.names import (
    SET_ASIDE,
    TEMPORARY,
    heirs,
    name_takers,
    name_wanted,
    to_rename_twice,
    to_set_aside,
)
from cwsync.plan.values import Call, Change

# A change of these cannot leave an integration half-changed.
_NO_MATTER = frozenset({"name", "nuxVisible"})
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
    """The plan's calls. Raises CW307 and CW506 where a name cannot be had, as `to_set_aside` says."""
    takers, pauses = name_takers(decisions), _pauses(decisions, desired)
    making = _Making(
        desired,
        bindings,
        decisions.live,
        going=_going_notifications(decisions),
        aside=to_set_aside(decisions, takers),
        twice=to_rename_twice(decisions, takers),
        paused=frozenset(pauses.values()),
    )
    nodes = {address: _nodes(change, making) for address, change in decisions.changes.items()}
    nodes = {address: steps for address, steps in nodes.items() if steps}
    _references_first(nodes, making)
    _deletions_last(nodes, decisions.live)
    _heirs_first(nodes, heirs(decisions, desired, takers))
    _slots_freed_first(nodes, making)
    for integration, schedule in pauses.items():
        _pause(nodes[schedule][0], nodes[integration][-1])
    return tuple(_numbered([node for steps in nodes.values() for node in steps]))


def _staying(steps: Iterable[_Node]) -> list[_Node]:
    return [node for node in steps if not node.deletes]


def _pauses(decisions: Decisions, desired: Mapping[str, Desired]) -> dict[str, str]:
    """By the address of an integration whose change is more than a name, the schedule that could start it."""
    live = decisions.live
    changing = {
        same_id(live[address].id): address
        for address, change in decisions.changes.items()
        if change.kind == "integration" and change.action == "update" and not _changed(change) <= _NO_MATTER
    }
    return {
        changing[id]: address
        for address, change in decisions.changes.items()
        if change.kind == "schedule" and change.action in ("no-op", "update") and address in desired
        if (live[address].fields or {}).get("enabled")
        if (id := same_id(live[address].parent or "")) in changing
    }


def _changed(change: Change) -> frozenset[str]:
    return frozenset(field.path.partition(".")[0].partition("[")[0] for field in change.fields)


def _pause(disable: _Node, update: _Node) -> None:
    """The schedule is disabled when all else is ready for the update, so that it is for as short as can be."""
    _wait(disable, update.after)
    _wait(update, [disable])


@dataclass(frozen=True)
class _Making:
    """What calls are made of. `going` are the notifications that this plan deletes, `aside` what makes room
    before it goes, `twice` what is renamed twice, `paused` the schedules that must not start meanwhile."""

    desired: Mapping[str, Desired]
    bindings: Bindings
    live: Mapping[str, Observed]
    going: frozenset[str]
    aside: frozenset[str]
    twice: frozenset[str]
    paused: frozenset[str]


def _going_notifications(decisions: Decisions) -> frozenset[str]:
    return frozenset(
        same_id(decisions.live[address].id)
        for address, change in decisions.changes.items()
        if change.kind == "notification" and change.action in ("delete", "replace")
    )


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


def _nodes(change: Change, making: _Making) -> list[_Node]:
    """The calls of one address, each waiting for the one before."""
    kind, desired = KINDS[change.kind], making.desired.get(change.address)
    made: list[_Node] = []
    for action, of, because, old in _steps(change, making):
        live = making.live.get(change.address) if old else None
        method, template = kind.calls[of]
        if change.kind == "notification" and of is Action.CREATE:
            method, template = _notification_call(desired, making)
        path = template.replace("{id}", live.id if live else f"{{{change.address}}}")
        path = path.replace("{parent}", _parent(desired, making.bindings, live))
        target = live.id if live else None
        made.append(_Node(change, action, method, path, because, target, len(made), made[-1:]))
    return made


_Steps = Iterator[tuple[str, Action, str, bool]]
"""What is done to one address: in words, as which call, why, and whether to the object that is there."""


def _steps(change: Change, making: _Making) -> _Steps:
    kind, reason, desired = KINDS[change.kind], change.reason or "", making.desired.get(change.address)
    replaced = change.action == "replace"
    yield from _making_room(change, making)
    if desired is not None and (replaced or change.action == "create"):
        for action in kind.create_actions(desired.fields):
            yield action, action, reason or _why_new(action), False
    if change.address in making.paused:
        yield from _while_paused(change)
    elif change.action == "update":
        for action in kind.update_actions(_changed(change), dict(change.after or {})):
            yield action, action, _why_changed(change, action), True
    if change.action == "delete" or (replaced and kind.listing is not None):
        yield Action.DELETE, Action.DELETE, "its replacement is in use" if replaced else reason, True


def _making_room(change: Change, making: _Making) -> _Steps:
    kind = KINDS[change.kind]
    rename = Action.RENAME if Action.RENAME in kind.calls else Action.UPDATE
    if change.address in making.aside:
        yield SET_ASIDE, rename, "another takes its name, and it goes once that is there", True
    elif change.address in making.twice:
        yield TEMPORARY, rename, "names are exchanged: until the one that it is to have is free", True
    elif change.action == "replace":
        freeing = SET_ASIDE if kind.listing is not None else Action.DELETE
        how = rename if kind.listing is not None else Action.DELETE
        yield freeing, how, f"{change.reason}: it is replaced", True


def _while_paused(change: Change) -> _Steps:
    """A schedule that is disabled first, changed if need be, and what it should be at the end."""
    why = "so that it cannot start while its integration is changed"
    yield Action.DISABLE, Action.DISABLE, why, True
    after = dict(change.after or {})
    actions = KINDS[change.kind].update_actions(_changed(change), after) if change.fields else ()
    for action in actions if actions != (Action.DISABLE,) else ():
        yield action, action, _why_changed(change, action), True
    if after["enabled"]:
        yield Action.ENABLE, Action.ENABLE, "it was disabled only while its integration was changed", True


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


def _references_first(nodes: Mapping[str, list[_Node]], making: _Making) -> None:
    """Except for the beginning of a pause, which its integration waits for."""
    for address, steps in nodes.items():
        first = steps[1:2] if address in making.paused else steps[:1]
        for ref in making.desired[address].references() if address in making.desired else ():
            for node in first:
                _wait(node, _staying(nodes.get(ref.address or "", ())))


def _heirs_first(nodes: Mapping[str, list[_Node]], those: Mapping[str, set[str]]) -> None:
    """What goes, goes after whatever comes in its place is there."""
    for address, heirs_of_it in those.items():
        coming = [node for heir in sorted(heirs_of_it) for node in _staying(nodes.get(heir, ()))]
        for node in nodes[address]:
            if node.deletes:
                _wait(node, coming)


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
        taking = next((node for node in _staying(steps) if node.action not in (SET_ASIDE, TEMPORARY)), None)
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
        return change.kind, name_wanted(change)
    desired = making.desired.get(change.address)
    parent = making.bindings.id_of(desired.parent) if desired and desired.parent else None
    return change.kind, same_id(parent or "")


def _numbered(nodes: list[_Node]) -> Iterator[Call]:
    """Kahn's algorithm with a heap: of all that could come next, the first by kind and address. Nodes are numbers here,
    in that order: comparing those takes the same for many calls as for few.

    There is no circle to be met. Deletions of what has a name are waited for by each other alone, the user
    first. All else waits for changes of what it refers to, which refers to less; and for names to be free.
    What frees a name by SET_ASIDE or TEMPORARY waits for no name, and one of each circle of names does.
    A part's deletion waits for an integration that comes in place of its own, and that one's parts: those
    wait in turn for parts of integrations that stay. A pause stands where the change that it is for stands.
    """
    ranked = sorted(nodes, key=lambda node: node.priority)
    place = {node: number for number, node in enumerate(ranked)}
    waits = [{place[before] for before in node.after} for node in ranked]
    left = [len(those) for those in waits]
    followers: list[list[int]] = [[] for _ in ranked]
    for number, those in enumerate(waits):
        for before in those:
            followers[before].append(number)
    ready = [number for number, count in enumerate(left) if not count]  # in order, so a heap
    orders: dict[int, int] = {}
    while ready:
        number = heapq.heappop(ready)
        orders[number] = len(orders) + 1
        yield _call(ranked[number], orders[number], sorted(orders[before] for before in waits[number]))
        for follower in followers[number]:
            left[follower] -= 1
            if not left[follower]:
                heapq.heappush(ready, follower)
    assert len(orders) == len(nodes), "calls wait for each other"


def _call(node: _Node, order: int, after: list[int]) -> Call:
    return Call(
        order,
        node.change.address,
        node.action,
        node.method,
        node.path,
        tuple(after),
        node.because,
        node.target,
    )
