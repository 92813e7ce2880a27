"""One planned call made ready to send: what goes out, what should come of it, and what was there before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import SecretStr

from cwsync.api import quote_id
from cwsync.apply.evidence import as_it_is, promise
from cwsync.kinds import KINDS, Action, Behaviour, Desired, Fields, Kind, Observed, Snapshot, Write, same_id
from cwsync.kinds.base import Body
from cwsync.plan import SET_ASIDE, TEMPORARY, Call
from cwsync.plan.bind import Bindings
from cwsync.plan.diff import arrange, see, settle
from cwsync.plan.names import aside_name, temporary_name
from cwsync.state import ABSENT, Fingerprint, Intent, State

_STATUS = (Action.ENABLE, Action.DISABLE)
_OTHER_NAME = {SET_ASIDE: aside_name, TEMPORARY: temporary_name}
_WITH_SECRETS = (Action.CREATE, Action.UPDATE)


@dataclass(frozen=True, slots=True)
class Task:
    """A call with everything that a worker needs, so that a worker needs nothing else.

    `goal` is what the object should be afterwards, in the form in which fields compare (None: gone).
    `fields` have ids as the service spells them. `today` is the service's date. `as_read` says that
    nothing of this run has touched the object since the tenant was read.
    """

    call: Call
    kind: Kind
    action: Action
    intent: Intent
    fields: Mapping[str, Any]
    goal: Fields | None
    id: str | None
    parent: str | None
    secrets: Mapping[str, SecretStr] = field(default_factory=dict)
    protect: bool = False
    today: str = ""
    as_read: bool = False

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

    def promise(self, goal: Fields | None) -> str:
        """The hash of what the object should be afterwards; see `evidence.promise`."""
        return promise(self.kind, self.intent.action, goal, self.today)

    def instead(self, action: Action, live: Observed | None = None) -> Task:
        """The same task by another action: upon `live`, or where there is nothing.

        The intent in the store covers it; this one is for finding out what became of this request.
        """
        goal = None if action is Action.DELETE else self.goal
        pre = ABSENT if live is None else as_it_is(self.kind, action, live.fields or {})
        intent = replace(
            self.intent,
            action=action,
            pre=pre,
            targetId=live.id if live else None,
            desiredHash=promise(self.kind, action, goal, self.today),
        )
        return replace(self, action=action, intent=intent, goal=goal, id=live.id if live else None)


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
    touched: set[str] = field(default_factory=set)

    def task(self, call: Call, state: State, server_time: str) -> Task:
        """The call as a task; `state` is the one of now."""
        desired = self.desired.get(call.address)
        kind = KINDS[call.address.partition(".")[0]]
        live = self.snapshot.get(kind.name, call.target) if call.target else None
        before = self._before(kind, call, state, live)
        goal, fields = self._goal(kind, call, desired, before)
        action = _wire_action(kind, call)
        parent = self._parent(desired, live)
        today = self.snapshot.today or ""
        secrets = self.secrets.get(call.address, {}) if action in _WITH_SECRETS else {}
        named = goal.get("name") if goal else (live.name if live else "")
        intent = Intent(
            op=f"{self.run}:{call.order}",
            run=self.run,
            epoch=self.epoch,
            address=call.address,
            kind=kind.name,
            action=call.action,
            name=str(named or ""),
            desiredHash=promise(kind, call.action, goal, today),
            pre=ABSENT if before is None else as_it_is(kind, call.action, before),
            serverTime=server_time,
            targetId=call.target,
            parent=parent,
            secretFingerprints=self.fingerprints.get(call.address, {}) if secrets else {},
            protect=desired.protect if desired else False,
        )
        as_read = call.address not in self.touched
        self.touched.add(call.address)
        return Task(
            call=call,
            kind=kind,
            action=action,
            intent=intent,
            fields=fields,
            goal=goal,
            id=call.target,
            parent=parent,
            secrets=secrets,
            protect=desired.protect if desired else False,
            today=today,
            as_read=as_read,
        )

    def _before(self, kind: Kind, call: Call, state: State, live: Observed | None) -> Fields | None:
        """What the object is now: as it was read, unless an earlier call of this run has changed it."""
        if call.action == Action.CREATE:
            return None
        entry = state.resources.get(call.address)
        mine = (kind.name, same_id(live.id)) if live else None
        aside = next((one for one in state.deposed if (one.kind, same_id(one.id)) == mine), None)
        if aside is not None and live is not None and call.address in self.touched:
            return {**arrange(kind, live.fields or {}), "name": aside.name}
        if call.address in self.touched and entry is not None:
            return arrange(kind, entry.applied)
        if live is None or live.fields is None:
            return None
        return see(kind, entry.applied if entry else {}, live.fields).live

    def _goal(
        self, kind: Kind, call: Call, desired: Desired | None, before: Fields | None
    ) -> tuple[Fields | None, Mapping[str, Any]]:
        if call.action == Action.DELETE:
            return None, {}
        if call.action in _OTHER_NAME:
            assert before is not None
            goal = {**before, "name": _OTHER_NAME[call.action](str(before["name"]), call.target or "")}
            return goal, goal
        if call.action in _STATUS:  # not what is declared: a schedule may be disabled for a while
            assert before is not None
            goal = {**before, **dict.fromkeys(_own_calls(kind), call.action == Action.ENABLE)}
            return goal, goal
        assert desired is not None
        today = self.snapshot.today or ""
        want = arrange(kind, self.bindings.to_compare(desired.fields))
        sent = arrange(kind, self.bindings.to_send(desired.fields))
        if before is not None:
            want = settle(kind, want, before, desired.ignore, today)
            sent = settle(kind, sent, before, desired.ignore, today)
        return _with_own_calls(kind, want, before), sent

    def _parent(self, desired: Desired | None, live: Observed | None) -> str | None:
        """What exists stays a part of its own integration, whichever the manifest names now."""
        if live is not None:
            return live.parent
        return self.bindings.id_of(desired.parent) if desired and desired.parent else None


def _wire_action(kind: Kind, call: Call) -> Action:
    if call.action in _OTHER_NAME:
        return Action.RENAME if Action.RENAME in kind.calls else Action.UPDATE
    return Action(call.action)


def _own_calls(kind: Kind) -> tuple[str, ...]:
    return kind.paths_that(Behaviour.OWN_CALL)


def _with_own_calls(kind: Kind, want: Fields, before: Fields | None) -> Fields:
    """What a call of its own sets is not changed by the others: a new schedule is active (facts F8)."""
    unset = {name: before[name] if before else True for name in _own_calls(kind)}
    return {**want, **unset}
