"""One planned call made ready to send: what goes out, what should come of it, and what was there before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import SecretStr

from cwsync.api import quote_id
from cwsync.kinds import KINDS, Action, Behaviour, Desired, Fields, Kind, Observed, Snapshot, Write
from cwsync.kinds.base import Body
from cwsync.plan import SET_ASIDE, Call
from cwsync.plan.bind import Bindings
from cwsync.plan.diff import arrange, fingerprint, see, settle
from cwsync.state import ABSENT, Entry, Fingerprint, Intent, Pre, State

_STATUS = (Action.ENABLE, Action.DISABLE)


@dataclass(frozen=True, slots=True)
class Task:
    """A call with everything that a worker needs, so that a worker needs nothing else.

    `goal` is what the object should be afterwards, in the form in which fields compare (None: gone),
    `before` what it is now (None: not there). `fields` have ids as the service spells them.
    """

    call: Call
    kind: Kind
    action: Action
    intent: Intent
    fields: Mapping[str, Any]
    goal: Fields | None
    before: Fields | None
    id: str | None
    parent: str | None
    secrets: Mapping[str, SecretStr] = field(default_factory=dict)
    protect: bool = False

    @property
    def address(self) -> str:
        return self.call.address

    def body(self) -> Body | None:
        return self.kind.to_wire(Write(self.action, self.fields, self.secrets))

    def request(self) -> tuple[str, str]:
        """Method and path, with the ids that are known by now."""
        method, path = self.kind.calls[self.action]
        path = path.replace("{id}", quote_id(self.id) if self.id else "{id}")
        return method, path.replace("{parent}", quote_id(self.parent) if self.parent else "{parent}")


@dataclass
class Tasks:
    """Makes tasks from calls, with what is known when a call is about to be made."""

    desired: Mapping[str, Desired]
    snapshot: Snapshot
    bindings: Bindings
    secrets: Mapping[str, Mapping[str, SecretStr]]
    fingerprints: Mapping[str, Mapping[str, Fingerprint]]
    run: str
    epoch: int

    def task(self, call: Call, state: State, server_time: str) -> Task:
        """The call as a task; `state` is the one of now."""
        desired = self.desired.get(call.address)
        kind = KINDS[call.address.partition(".")[0]]
        entry = state.resources.get(call.address)
        live = self.snapshot.get(kind.name, call.target) if call.target else None
        before = self._before(kind, call, entry, live)
        goal, fields = self._goal(kind, call, desired, before)
        action = _wire_action(kind, call)
        parent = self._parent(desired, live)
        named = goal.get("name") if goal else (live.name if live else "")
        intent = Intent(
            op=f"{self.run}:{call.order}",
            run=self.run,
            epoch=self.epoch,
            address=call.address,
            kind=kind.name,
            action=call.action,
            name=str(named or ""),
            desiredHash=goal_hash(kind, call.action, goal),
            pre=ABSENT if before is None else Pre(fingerprint=fingerprint(kind, before)),
            serverTime=server_time,
            targetId=call.target,
            parent=parent,
            secretFingerprints=self.fingerprints.get(call.address, {}),
        )
        return Task(
            call=call,
            kind=kind,
            action=action,
            intent=intent,
            fields=fields,
            goal=goal,
            before=before,
            id=call.target,
            parent=parent,
            secrets=self.secrets.get(call.address, {}),
            protect=desired.protect if desired else False,
        )

    def _before(self, kind: Kind, call: Call, entry: Entry | None, live: Observed | None) -> Fields | None:
        if call.action == Action.CREATE or live is None or live.fields is None:
            return None
        before = see(kind, entry.applied if entry else {}, live.fields).live
        if entry is not None:  # an earlier call of this plan may have changed it since it was read
            before |= {name: bool(entry.applied[name]) for name in _own_calls(kind) if name in entry.applied}
        return before

    def _goal(
        self, kind: Kind, call: Call, desired: Desired | None, before: Fields | None
    ) -> tuple[Fields | None, Mapping[str, Any]]:
        if call.action == Action.DELETE:
            return None, {}
        if call.action == SET_ASIDE:
            assert before is not None
            goal = {**before, "name": aside_name(str(before["name"]), call.target or "")}
            return goal, goal
        assert desired is not None
        today = self.snapshot.today or ""
        want = arrange(kind, self.bindings.to_compare(desired.fields))
        sent = arrange(kind, self.bindings.to_send(desired.fields))
        if before is not None:
            want = settle(kind, want, before, desired.ignore, today)
            sent = settle(kind, sent, before, desired.ignore, today)
        return _with_own_calls(kind, call, want, before), sent

    def _parent(self, desired: Desired | None, live: Observed | None) -> str | None:
        if desired is not None and desired.parent is not None and (id := self.bindings.id_of(desired.parent)):
            return id
        return live.parent if live else None


def _wire_action(kind: Kind, call: Call) -> Action:
    if call.action == SET_ASIDE:
        return Action.RENAME if Action.RENAME in kind.calls else Action.UPDATE
    return Action(call.action)


def _own_calls(kind: Kind) -> tuple[str, ...]:
    return kind.paths_that(Behaviour.OWN_CALL)


def _with_own_calls(kind: Kind, call: Call, want: Fields, before: Fields | None) -> Fields:
    """What a call of its own sets is not changed by the others: a new schedule is active (facts F8)."""
    if call.action in _STATUS:
        return want
    unset = {name: before[name] if before else True for name in _own_calls(kind)}
    return {**want, **unset}


def goal_hash(kind: Kind, action: str, goal: Fields | None) -> str:
    """What an intent promises, as a hash that an observed object can be held against."""
    return "absent" if goal is None else fingerprint(kind, goal, own_calls=action in _STATUS)


def aside_name(name: str, id: str) -> str:
    """The name of an object that makes room for its replacement: unique, and within 60 characters."""
    return f"{name[:45].rstrip(' -_')} replaced {id[:4]}"


def with_pointer(task: Task, pointer: str) -> Task:
    """A notification's task, now that its integration has told the notification's id."""
    return replace(task, id=pointer)
