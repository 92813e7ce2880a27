"""What somebody else does at a point: takes the name that is about to be used, or changes what is ours.

Beside it nothing happens, or the run is killed there, or the reply to what was just sent is lost.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from crash.enumeration import Execution
from crash.invariants import Key, content, name_of, objects
from crash.kills import spoiling
from crash.stage import COLLEAGUE, NAMED, US, Bench, Stage
from crash.tally import Tally
from crash.watch import DURABLE, Point, Trap

from cwsync.kinds import same_id

Event = Callable[[Stage, str], bool]
"""Does it to an address; False where that cannot be done now."""

# Codes that say what a person must do where somebody has the name.
_TAKEN = ("CW501",)
_GO_ON = [{"type": "failure", "strategy": "continue"}]


def events(bench: Bench) -> Iterator[Execution]:
    """Each event at each point that leaves something else, alone and beside a kill or a lost reply."""
    order = bench.at(*DURABLE)
    for index, point in enumerate(order):
        for name, event in EVENTS.items():
            address = _about(bench, order, index, name)
            if address is None:
                continue
            for beside in ("alone", "killed", "lost") if point.place == "send after" else ("alone", "killed"):
                yield Execution(
                    f"foreign/{bench.id}/{point}/{name}/{beside}",
                    (f"{name} {beside}", point.place),
                    partial(_happens, point=point, name=name, event=event, address=address, beside=beside),
                )


def _about(bench: Bench, order: list[Point], index: int, event: str) -> str | None:
    """Names are taken from what is created next; another is what comes next but one; else it is what is at hand."""
    if event.startswith("name"):
        return next((one.address for one in order[index:] if _creates(one)), None)
    if not event.startswith("another"):
        return order[index].address
    return next(
        (one.address for one in order[index:] if one.address not in (None, order[index].address)), None
    )


def _creates(point: Point) -> bool:
    kind = (point.address or "").partition(".")[0]
    return kind in NAMED and point.place == "send before" and point.about.startswith("POST ")


def _happens(
    stage: Stage, tally: Tally, *, point: Point, name: str, event: Event, address: str, beside: str
) -> bool | None:
    done: list[bool] = []
    # Otherwise its end is known, or nothing was sent for it: what is found then is drift.
    stage.open = beside == "killed" or (beside == "lost" and not name.startswith("another"))

    def happens() -> None:
        done.append(event(stage, address))
        if beside == "killed":
            stage.kill()

    traps: list[Trap] = [(point, stage.alone(happens))]
    if beside == "lost":
        sent = Point("send before", point.about, point.nth)
        traps.insert(0, (sent, spoiling(stage, "lost after", point.about.partition(" ")[0])))
    stage.run(*traps)
    if done != [True]:
        return None
    if stage.twins:
        _who_made_the_twin(stage, address, point, killed=beside == "killed")
    tally.events[name] += 1
    tally.twins += len(stage.twins & stage.bound)
    tally.disowned += stage.disowned
    return True


# Somebody takes the name.


def _takes_name(
    stage: Stage,
    address: str,
    *,
    by: str,
    otherwise: bool = False,
    earlier: bool = False,
    touched: bool = False,
    foreign: bool = True,
) -> bool:
    kind = address.partition(".")[0]
    name = _wanted_name(stage, address)
    body = _as_it_will_be(stage, kind, name)
    if body is None or any(
        each for (k, _), each in _live(stage).items() if k == kind and name_of(each) == name
    ):
        return False
    if otherwise:
        body = _otherwise(kind, body)
    stage.rig.now -= 60 if earlier else 0
    key = stage.edit("create", kind, by, body=body)
    stage.rig.now += 60 if earlier else 0
    if touched:
        note = {"integration": {"nuxVisible": body.get("nuxVisible", False)}, "flow": {"name": name}}
        stage.edit("update", kind, id=key[1], body=note.get(kind, {"bucketName": "landing"}))
    # Who cwsync is, only what it has created here can tell (E3).
    if foreign and (stage.state.resources or otherwise or earlier or touched):
        stage.disown(key)
    else:
        stage.twins.add(key)
    stage.explained += _TAKEN
    stage.undo = partial(_goes_away, stage, key)
    return True


def _goes_away(stage: Stage, key: Key) -> None:
    """The person who is asked deletes the other object."""
    stage.rig.tenant.edit("delete", key[0], id=key[1])
    stage.forget(key)


def _wanted_name(stage: Stage, address: str) -> str:
    return stage.desired[address].name


def _live(stage: Stage) -> dict[Key, Any]:
    return objects(stage.rig.tenant.snapshot())


def _as_it_will_be(stage: Stage, kind: str, name: str) -> Any:
    """The body of what is about to be created; None where it refers to what isn't there yet."""
    text = stage.bench.made.get((kind, name))
    if text is None:
        return None
    for (k, id), each in _live(stage).items():
        if k in NAMED:
            text = text.replace(f"<{k} {name_of(each)}>", id)
    each = json.loads(text)
    if kind == "connection":
        body = {**each["body"], "workspaceId": each["workspaceId"]}
        return {
            "type": each["connectionType"],
            "body": {name: value for name, value in body.items() if value},
        }
    kept = ("name", "version", "nuxVisible", "workspaceId", "modelId", "processId", "jobs", "steps")
    body = {name: each[name] for name in kept if name in each}
    return None if re.search("<(connection|integration) ", json.dumps(body)) else body


def _otherwise(kind: str, body: Any) -> Any:
    if kind == "connection":
        return {**body, "body": {**body["body"], _place(body): "another"}}
    if kind == "integration":
        return {**body, "nuxVisible": not body.get("nuxVisible", False)}
    return {**body, "steps": body["steps"][:1]}


def _place(body: Any) -> str:
    return "bucketName" if "bucketName" in body["body"] else "containerName"


def _who_made_the_twin(stage: Stage, address: str, point: Point, *, killed: bool) -> None:
    """Where absence is looked for after the twin was made, it can be told from ours: it was there before."""
    intended = any(one.address == address and one.action == "create" for one in stage.pending_then)
    if point.about == "lock" or (killed and not intended):
        stage.disown(*stage.twins)
        stage.twins.clear()


def _ours_gets_the_name(stage: Stage, address: str) -> bool:
    """Another object of ours of that kind, renamed under our own account in the second of its creation."""
    kind, name = address.partition(".")[0], _wanted_name(stage, address)
    live = _live(stage)
    others = [
        one
        for at, one in stage.state.resources.items()
        if one.kind == kind and at != address and (kind, same_id(one.id)) in live
    ]
    if not others or any(k == kind and name_of(each) == name for (k, _), each in live.items()):
        return False
    stage.edit("update", kind, US, id=others[-1].id, body={"name": name})
    stage.explained += _TAKEN
    return True


# Somebody changes what is ours.


def _edits(stage: Stage, address: str) -> bool:
    return _changes(stage, address, _edited_field)


def _renames(stage: Stage, address: str) -> bool:
    return _changes(
        stage, address, lambda kind, each: ("name", f"{name_of(each)} by Grace") if kind in NAMED else None
    )


def _changes(stage: Stage, address: str, how: Callable[[str, Any], tuple[str, Any] | None]) -> bool:
    key = _key_of(stage, address)
    each = _live(stage).get(key) if key else None
    change = how(key[0], each) if key and each else None
    if key is None or change is None:
        return False
    field, value = change
    body = {"users": value} if field == "config" else {field: value}
    stage.edit("update", key[0], id=key[1], body=body)
    intent = next((one for one in stage.state.pending.values() if one.address == address), None)
    if intent is None or not stage.open:
        return True
    if intent.action == "create":
        if field == "name":  # nobody can find it any more by what is known of it
            stage.disown(key)
            stage.disowned += 1
    elif key[0] != "notification" and same_id(intent.targetId or intent.parent or "") == key[1]:
        stage.edited[key] = change
    return True


def _edited_field(kind: str, each: Any) -> tuple[str, Any] | None:
    if kind == "connection":
        return ("bucketName" if "bucketName" in each["body"] else "containerName"), "edited"
    if kind == "flow":
        return "steps", [{**step, "isSkipped": False, "exceptionBehavior": _GO_ON} for step in each["steps"]]
    return {"integration": ("nuxVisible", not each.get("nuxVisible")), "schedule": ("time", "05:05")}.get(
        kind
    )


def _deletes(stage: Stage, address: str) -> bool:
    key = _key_of(stage, address)
    live = _live(stage)
    if key is None or key not in live:
        return False
    used = any(key[1] in content(each) for (kind, id), each in live.items() if kind in NAMED and id != key[1])
    if key[0] in NAMED and used:  # the service would not let it go
        return False
    stage.edit("delete", key[0], id=key[1])
    return True


def _key_of(stage: Stage, address: str) -> Key | None:
    """Which object that address has now: bound, or made and not recorded."""
    state = stage.state
    if address in state.resources:
        entry = state.resources[address]
        return entry.kind, same_id(entry.id)
    intent = next((one for one in state.pending.values() if one.address == address), None)
    if intent is None or intent.kind == "notification":
        return None
    if intent.targetId or intent.parent:
        return intent.kind, same_id(intent.targetId or intent.parent or "")
    live = _live(stage).items()
    return next((key for key, one in live if key[0] == intent.kind and name_of(one) == intent.name), None)


EVENTS: dict[str, Event] = {
    "name: something else": partial(_takes_name, by=COLLEAGUE, otherwise=True),
    "name: the same": partial(_takes_name, by=COLLEAGUE),
    "name: something else by our user": partial(_takes_name, by=US, otherwise=True),
    "name: the same, earlier, by our user": partial(_takes_name, by=US, earlier=True),
    "name: the same by our user, then touched": partial(_takes_name, by=US, touched=True),
    "name: twin": partial(_takes_name, by=US, foreign=False),
    "name: given to another of ours": _ours_gets_the_name,
    "edited": _edits,
    "renamed": _renames,
    "deleted": _deletes,
    "another edited": _edits,
    "another renamed": _renames,
    "another deleted": _deletes,
}
