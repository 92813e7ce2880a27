"""What really happened to a request whose reply was lost: found by reading, and decided on evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from cwsync.kinds import KINDS, Action, Behaviour, Fields, Kind, Observed, same_id
from cwsync.live import Look
from cwsync.plan.diff import fingerprint
from cwsync.state import Intent, Pre, State

Verdict = Literal["done", "not done", "needs a person"]

_STATUS = (Action.ENABLE, Action.DISABLE)
# How far the clocks of one service may be apart.
_SKEW = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Found:
    """What reading has shown: the verdict, the object if there is one, and each piece of evidence in words."""

    verdict: Verdict
    object: Observed | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Ours:
    """The ids that are bound to other addresses, those of all that cwsync has created here, and the address' own."""

    bound: frozenset[str]
    created: frozenset[str]
    own: str | None = None

    @classmethod
    def beside(cls, state: State, address: str) -> Ours:
        others = [entry for other, entry in state.resources.items() if other != address]
        created = [entry for entry in state.resources.values() if entry.origin == "created"]
        deposed = frozenset(same_id(one.id) for one in state.deposed)
        own = state.resources.get(address)
        return cls(
            frozenset(same_id(entry.id) for entry in others) | deposed,
            frozenset(same_id(entry.id) for entry in created),
            same_id(own.id) if own else None,
        )


def promise(kind: Kind, action: str, goal: Fields | None, today: str) -> str:
    """What an intent promises, as a hash that an observed object can be held against.

    A date in the past is no part of it: the service takes another in its place (facts F7).
    """
    if goal is None:
        return "absent"
    kept = {
        name: value
        for name, value in goal.items()
        if name not in kind.paths_that(Behaviour.PAST_DATE) or str(value) >= today
    }
    return fingerprint(kind, kept, own_calls=action in _STATUS)


def resolve(look: Look, intent: Intent, ours: Ours, now: Callable[[], datetime | None]) -> Found:
    """Hold an intent against the tenant. `now` tells the service's time, as its last reply had it.

    Raises `ServiceError` where the tenant can't be read: then nothing is known, and nothing is decided.
    """
    if intent.action == Action.CREATE and not intent.parent:
        return _created(look, intent, ours, now)
    return _judged(intent, _target(look, intent))


def _judged(intent: Intent, found: Observed | None) -> Found:
    if intent.action == Action.DELETE:
        return Found("done") if found is None else _unless_changed(intent, found)
    if found is None:
        return _gone(intent)
    # Where nobody can see what was to change (a secret, say), it is made again: that does no harm.
    visible = intent.action in _STATUS or not is_before(intent, found)
    if visible and keeps_promise(intent, found):
        return Found("done", found)
    return _held(intent, found) if intent.pre.absent else _unless_changed(intent, found)


def _held(intent: Intent, found: Observed) -> Found:
    """The one place for a part of an integration is taken, by something else than what was sent."""
    if intent.kind == "notification":  # every integration has one from the start (facts A5)
        return Found("not done", found)
    return Found(
        "needs a person", found, f"its integration has a {intent.kind}, and not the one that was sent"
    )


def _target(look: Look, intent: Intent) -> Observed | None:
    """A notification may have a new id by now, so it is found by its integration; except the one to delete."""
    if intent.parent and (intent.targetId is None or intent.kind == "notification"):
        found = look.part_of(intent.kind, intent.parent)
        if intent.action == Action.DELETE and found and same_id(found.id) != same_id(intent.targetId or ""):
            return None
        return found
    return look.by_id(intent.kind, intent.targetId or "")


def _gone(intent: Intent) -> Found:
    """Where there is nothing, nothing can be destroyed by making it again."""
    if intent.pre.absent or intent.kind == "notification":
        return Found("not done")
    return Found("needs a person", None, "the object that was to be changed is gone")


def _unless_changed(intent: Intent, found: Observed) -> Found:
    """As it was before: the request did nothing. A third state is somebody else's, and stays (R9)."""
    if is_before(intent, found):
        return Found("not done", found)
    return Found("needs a person", found, "it is neither as it was before nor as it should be now")


def is_before(intent: Intent, found: Observed) -> bool:
    """Whether an object is as it was when the intent was made."""
    if found.fields is None:
        return False
    return intent.pre == as_it_is(KINDS[intent.kind], intent.action, found.fields)


def as_it_is(kind: Kind, action: str, fields: Fields) -> Pre:
    """What an intent says of the object before it. To a call that sets the status, the status is no matter."""
    return Pre(fingerprint=fingerprint(kind, fields, own_calls=action not in _STATUS))


def keeps_promise(intent: Intent, found: Observed) -> bool:
    """Whether an object is what the intent promised, with the dates that it has or with others (facts F7)."""
    if found.fields is None:
        return False
    kind = KINDS[intent.kind]
    hashes = {promise(kind, intent.action, found.fields, today) for today in ("", "9999-12-31")}
    return intent.desiredHash in hashes


def _created(look: Look, intent: Intent, ours: Ours, now: Callable[[], datetime | None]) -> Found:
    """An object with the name that was to be created: adopted only where all the evidence says that it is ours.

    That it was absent before (E1) is in the intent: it was seen under the lock of the same run.
    """
    found = look.named(intent.kind, intent.name)
    if not found:
        return Found("not done")
    if len(found) > 1:
        return Found("needs a person", None, f'the tenant has {len(found)} objects named "{intent.name}"')
    if same_id(found[0].id) == ours.own and keeps_promise(intent, found[0]):
        return Found("done", found[0])  # it was there all the time, and a list that lagged did not show it
    authors = {one.created_by for one in look.listed(intent.kind) if same_id(one.id) in ours.created}
    doubt = _doubt(intent, found[0], ours, authors - {None}, now())
    return Found("needs a person", found[0], doubt) if doubt else Found("done", found[0])


def _doubt(
    intent: Intent, found: Observed, ours: Ours, authors: set[str | None], now: datetime | None
) -> str | None:
    """Why an object may not be the one that was sent (E2 to E6); None where all agrees."""
    begun, made = _time(intent.serverTime), _time(found.created_at)
    who = found.modified_by or "somebody"
    doubts = (
        (same_id(found.id) in ours.bound, "it belongs to another address"),
        (begun is None or made is None, "it doesn't say when it was created"),
        (
            begun and made and made < begun - _SKEW,
            f"it was created at {found.created_at}, before the request was sent at {intent.serverTime}",
        ),
        (made and now and made > now + _SKEW, f"it was created at {found.created_at}, which is to come"),
        (
            authors and found.created_by not in authors,
            f"{found.created_by or 'nobody known'} created it, and what cwsync created here is by others",
        ),
        (_modified(found), f"{who} has changed it since"),
        (not keeps_promise(intent, found), "an object of that name is there, and is not what was sent"),
    )
    return "; ".join(why for holds, why in doubts if holds) or None


def _modified(found: Observed) -> bool:
    later = found.modified_at is not None and found.modified_at != found.created_at
    return later or found.modified_by not in (None, found.created_by)


def _time(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
