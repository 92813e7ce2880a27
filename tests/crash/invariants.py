"""What must hold whatever happened, written once, over plain values: the tenant as `GET /_emulator/snapshot` shows
it, its log of requests, the states that were committed, and what belongs to others.

Each invariant yields a `Broken` for each way in which it does not hold. Nothing here knows how a run was made.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cwsync.kinds import same_id
from cwsync.state import Intent, State, from_json

Json = dict[str, Any]
Key = tuple[str, str]
"""A kind and a normalised id; a schedule has its integration's."""

_LISTS = {"connection": ("connections", "connectionId"), "integration": ("integrations", "integrationId"),
          "flow": ("flows", "id"), "notification": ("notifications", "notificationId")}  # fmt: skip
_NOT_COMPARED = ("creationDate", "modificationDate", "createdBy", "modifiedBy", "notificationId")
_ASKS_A_PERSON = "CW605"


@dataclass(frozen=True)
class Broken:
    """An invariant that does not hold, and how that shows."""

    invariant: str
    what: str

    def __str__(self) -> str:
        return f"[{self.invariant}] {self.what}"


@dataclass(frozen=True)
class World:
    """All that is looked at. `states` are those that were committed, the first one first; `foreign` is each
    object that is somebody else's, as that person left it."""

    snapshot: Json
    states: Sequence[State]
    foreign: Mapping[Key, str] = field(default_factory=dict)
    requests: Sequence[Json] = ()

    @property
    def state(self) -> State:
        return self.states[-1]


def states_from(documents: Iterable[bytes]) -> list[State]:
    """The states that documents hold, for whoever has only their bytes."""
    return [from_json(document, "a document of the test") for document in documents]


def objects(snapshot: Json) -> dict[Key, Json]:
    """Every object, and every schedule, of the tenant."""
    found = {
        (kind, same_id(each[id])): each
        for kind, (section, id) in _LISTS.items()
        for each in snapshot[section]
    }
    scheduled = [one for one in snapshot["integrations"] if one.get("schedule")]
    return found | {("schedule", same_id(one["integrationId"])): one["schedule"] for one in scheduled}


def name_of(each: Json) -> str:
    return str((each.get("body") or each).get("name", ""))


def content(each: Json) -> str:
    return json.dumps(each, sort_keys=True)


def belonging_to(snapshot: Json, person: str) -> dict[Key, str]:
    """What somebody has created, with the parts of it, as it is now: for `World.foreign`."""
    all_of_it = objects(snapshot)
    theirs = {key: each for key, each in all_of_it.items() if each.get("createdBy") == person}
    owners = {id for _, id in theirs}
    theirs |= {
        (kind, id): each
        for (kind, id), each in all_of_it.items()
        if (kind == "schedule" and id in owners)
        or (kind == "notification" and same_id(each["integrationId"]) in owners)
    }
    return {key: content(each) for key, each in theirs.items()}


# What holds at every moment, also right after a kill.


def safe(world: World) -> list[Broken]:
    return [
        *nothing_of_ours_is_lost(world.snapshot, world.state, world.foreign),
        *one_object_an_address(world.snapshot, world.state, world.foreign),
        *nothing_foreign_is_touched(world.snapshot, world.state, world.foreign),
        *serials_rise(world.states),
        *nothing_is_repeated_blindly(world.requests),
    ]


def nothing_of_ours_is_lost(snapshot: Json, state: State, foreign: Mapping[Key, str]) -> Iterator[Broken]:
    """What isn't foreign is ours: it must be bound, set aside, or be what a pending intent is about.

    A notification comes with its integration and goes with it, so it is never lost on its own.
    """
    known = {(entry.kind, same_id(entry.id)) for entry in state.resources.values()}
    known |= {(deposed.kind, same_id(deposed.id)) for deposed in state.deposed}
    for key, each in objects(snapshot).items():
        if key in foreign or key in known or key[0] == "notification":
            continue
        if not any(_is_about(intent, key, name_of(each)) for intent in state.pending.values()):
            yield Broken(
                "lost", f'{key[0]} "{name_of(each)}" ({key[1][:8]}) is ours, and the state has no trace of it'
            )


def _is_about(intent: Intent, key: Key, name: str) -> bool:
    kind, id = key
    if intent.kind != kind:
        return False
    return id in (same_id(intent.targetId or ""), same_id(intent.parent or "")) or (
        intent.targetId is None and intent.parent is None and intent.name == name
    )


def one_object_an_address(snapshot: Json, state: State, foreign: Mapping[Key, str]) -> Iterator[Broken]:
    """No object has two addresses, no two of ours one name, and no integration two notifications."""
    bound = Counter((entry.kind, same_id(entry.id)) for entry in state.resources.values())
    for key in (key for key, count in bound.items() if count > 1):
        addresses = [at for at, one in state.resources.items() if (one.kind, same_id(one.id)) == key]
        yield Broken("duplicate", f"one object is bound to {' and '.join(sorted(addresses))}")
    ours = {key: each for key, each in objects(snapshot).items() if key not in foreign}
    names = Counter(
        (kind, name_of(each))
        for (kind, _), each in ours.items()
        if kind in ("connection", "integration", "flow")
    )
    for (kind, name), count in names.items():
        if count > 1:
            yield Broken("duplicate", f'{count} {kind}s of ours are named "{name}"')
    owners = Counter(
        same_id(each["integrationId"]) for (kind, _), each in ours.items() if kind == "notification"
    )
    for owner, count in owners.items():
        if count > 1:
            yield Broken("duplicate", f"the integration or flow {owner[:8]} has {count} notifications")


def nothing_foreign_is_touched(snapshot: Json, state: State, foreign: Mapping[Key, str]) -> Iterator[Broken]:
    there = objects(snapshot)
    for (kind, id), was in foreign.items():
        now = there.get((kind, id))
        if now is None:
            yield Broken("hijack", f"the {kind} {id[:8]} of somebody else was deleted; it was {was}")
        elif content(now) != was:
            yield Broken("hijack", f"the {kind} {id[:8]} of somebody else was {was} and is {content(now)}")
    for address, entry in state.resources.items():
        if (entry.kind, same_id(entry.id)) in foreign:
            yield Broken("hijack", f"{address} is bound to somebody else's object")
    for deposed in state.deposed:
        if (deposed.kind, same_id(deposed.id)) in foreign:
            yield Broken("hijack", f"somebody else's object is to be deleted for {deposed.address}")


def serials_rise(states: Sequence[State]) -> Iterator[Broken]:
    """Each commit has a higher serial than the one before, and epochs never fall."""
    for before, after in itertools.pairwise(states):
        if after.serial <= before.serial:
            yield Broken("serial", f"serial {after.serial} was written after {before.serial}")
        if after.epoch < before.epoch:
            yield Broken("serial", f"epoch {after.epoch} was written after {before.epoch}")
        if after.lineage != before.lineage:
            yield Broken("serial", "the lineage changed")


def nothing_is_repeated_blindly(requests: Sequence[Json]) -> Iterator[Broken]:
    """After a mutation without a reply that tells, the next request of that run reads (R2, R3).

    For runs that send one request at a time: `requests` are those of the tenant's log.
    """
    asked = [one for one in requests if not one["path"].startswith("/token/")]
    for one, following in itertools.pairwise(asked):
        ambiguous = one["status"] is None or one["status"] >= 500
        if one["method"] != "GET" and ambiguous and following["method"] != "GET":
            then = f"{following['method']} {following['path']}"
            yield Broken("blind", f"{then} followed {one['method']} {one['path']}, whose end nobody knew")


def what_was_touched_is_read_again(requests: Sequence[Json]) -> Iterator[Broken]:
    """A run that ends by itself reads after its last mutation (R8): `requests` are those of one such run, which
    has not only deleted."""
    asked = [one for one in requests if not one["path"].startswith("/token/")]
    if asked and asked[-1]["method"] != "GET":
        yield Broken("unread", f"nothing was read after {asked[-1]['method']} {asked[-1]['path']}")


# What holds when a mutation arrives: for the transport's hook.


def intent_of(
    method: str, path: str, body: bytes, state: State | None, snapshot: Callable[[], Json]
) -> Intent | None:
    """The intent in the store that covers a request, as it leaves; None where there is none (R1).

    It must be of the run that has the lock. `snapshot` is asked only for whose a notification is.
    """
    if state is None or state.lock is None:
        return None
    kind, ids = _asked_for(path)
    document = json.loads(body) if body else {}
    for intent in state.pending.values():
        of_this_run = (intent.run, intent.epoch) == (state.lock.run, state.lock.epoch)
        if intent.kind == kind and of_this_run and _covers(intent, kind, ids, document, snapshot):
            return intent
    return None


def _asked_for(path: str) -> tuple[str, set[str]]:
    parts = path.partition("?")[0].removeprefix("/2/0").strip("/").split("/")
    ids = {same_id(part) for part in parts if len(same_id(part)) == 32}
    if parts[0] == "integrationflows":
        return "flow", ids
    if "schedule" in parts:
        return "schedule", ids
    second = parts[1] if len(parts) > 1 else ""
    return {"connections": "connection", "notification": "notification"}.get(second, "integration"), ids


def _covers(intent: Intent, kind: str, ids: set[str], body: Json, snapshot: Callable[[], Json]) -> bool:
    target, parent = same_id(intent.targetId or ""), same_id(intent.parent or "")
    if intent.targetId and target in ids:
        return True
    if kind == "schedule":
        return parent in ids
    if kind == "notification":
        owners = {same_id(one) for one in body.get("integrationIds", ())}
        if not owners:
            there = snapshot()["notifications"]
            owners = {same_id(one["integrationId"]) for one in there if same_id(one["notificationId"]) in ids}
        return parent in owners
    return intent.targetId is None and intent.name == name_of(body)


# What holds at the end.


def normal(snapshot: Json, foreign: Mapping[Key, str]) -> list[str]:
    """What isn't foreign, without what differs from run to run: ids, dates and who did it. Secrets are in it,
    as the tenant's own digests of them."""
    ours = {
        key: each for key, each in objects(snapshot).items() if key not in foreign and key[0] != "schedule"
    }
    text = json.dumps(
        [
            [kind, {n: v for n, v in each.items() if n not in _NOT_COMPARED}]
            for (kind, _), each in ours.items()
        ],
        sort_keys=True,
    )
    for (kind, id), each in ours.items():
        text = text.replace(id, f"<{name_of(each) or kind}>")
    return sorted(json.dumps(each, sort_keys=True) for each in json.loads(text))


def ended(
    world: World,
    codes: Sequence[str],
    goal: Sequence[str],
    declared: Iterable[str],
    explained: Iterable[str] = (),
) -> list[Broken]:
    """Converged, or explicitly waiting for a person. `codes` are those that the last run told, `goal` is
    `normal` of the tenant as it should be, `explained` are further codes that say what a person must do."""
    if codes:
        return [*waits_for_a_person(world.state, codes, explained)]
    return [*converged(world, goal, declared)]


def waits_for_a_person(state: State, codes: Sequence[str], explained: Iterable[str] = ()) -> Iterator[Broken]:
    for code in codes:
        if code not in (_ASKS_A_PERSON, *explained):
            yield Broken("stuck", f"after clean runs there is still a {code}")
    if _ASKS_A_PERSON in codes and not state.pending:
        yield Broken("stuck", "a person is asked for something that is not pending")


def converged(world: World, goal: Sequence[str], declared: Iterable[str]) -> Iterator[Broken]:
    state, there = world.state, normal(world.snapshot, world.foreign)
    for each in sorted(set(goal) - set(there)):
        yield Broken("not converged", f"missing: {each}")
    for each in sorted(set(there) - set(goal)):
        yield Broken("not converged", f"too much: {each}")
    if state.pending or state.deposed:
        left = [*(one.address for one in state.pending.values()), *(one.address for one in state.deposed)]
        yield Broken("not converged", f"the state still lists {', '.join(left)} as pending or set aside")
    if state.lock is not None:
        yield Broken("not converged", "the lock was not given back")
    if set(state.resources) != set(declared):
        yield Broken("not converged", f"bound are {sorted(state.resources)}, declared {sorted(declared)}")


def sends_nothing(mutations: Sequence[str]) -> Iterator[Broken]:
    """For the run after the last one that was needed."""
    if mutations:
        yield Broken("not converged", f"one more apply sent {', '.join(mutations)}")


def no_secret(where: str, written: str | bytes, needles: Iterable[str]) -> Iterator[Broken]:
    data = written if isinstance(written, bytes) else written.encode()
    for needle in needles:
        if needle.encode() in data:
            yield Broken("secret", f"{where} holds a secret: the one that is {needle[:3]}…")
