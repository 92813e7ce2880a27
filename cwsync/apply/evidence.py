"""What really happened to a request whose reply was lost: found by reading, and decided on evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cwsync.kinds import KINDS, Action, Behaviour, Fields, Kind, Observed, same_id
from cwsync.live import Look
from cwsync.plan import Evidence, Verdict
from cwsync.plan.diff import fingerprint
from cwsync.state import Intent, Pre, State

_STATUS = (Action.ENABLE, Action.DISABLE)
# How far the clocks of one service may be apart.
_SKEW = timedelta(seconds=2)
# What may be unknown and speaks against nothing: the protocol asks for it as far as it can be known.
_AS_FAR_AS_KNOWN = ("E3", "E5")


@dataclass(frozen=True, slots=True)
class Found:
    """What reading has shown: the verdict, the object if there is one, and the evidence that led to it.

    `others` are all objects of the name where there are several, so that none of them is `object`.
    """

    verdict: Verdict
    object: Observed | None = None
    why: str = ""
    evidence: tuple[Evidence, ...] = ()
    others: tuple[Observed, ...] = ()


@dataclass(frozen=True, slots=True)
class Ours:
    """What is bound to other addresses, by kind and id; the ids of all that cwsync has created here; and the
    address' own."""

    bound: Mapping[tuple[str, str], str]
    created: frozenset[str]
    own: str | None = None

    @classmethod
    def beside(cls, state: State, address: str) -> Ours:
        others = {at: entry for at, entry in state.resources.items() if at != address}
        created = [entry for entry in state.resources.values() if entry.origin == "created"]
        own = state.resources.get(address)
        return cls(
            {(one.kind, same_id(one.id)): one.address for one in state.deposed}
            | {(entry.kind, same_id(entry.id)): at for at, entry in others.items()},
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
    found = _target(look, intent)
    evidence = _compared(intent, found)
    verdict, why = _judged(intent, found, evidence)
    return Found(verdict, found, why, evidence)


def _compared(intent: Intent, found: Observed | None) -> tuple[Evidence, ...]:
    """What is there, held against what was before the request and what it should have made of it."""
    before = found is not None and is_before(intent, found)
    there = "the tenant shows it" if found else "the tenant does not show it"
    was = "the tenant showed nothing before" if intent.pre.absent else None
    if intent.action == Action.DELETE:
        wanted, should = found is None, "it should be gone"
    else:
        wanted = found is not None and keeps_promise(intent, found)
        should = "it is as it should be now" if wanted else "it is not as it should be now"
    same = "it is as it was before" if before else "it is not as it was before"
    return (
        Evidence("there", found is not None, there),
        Evidence("before", found is None if was else before, was or same),
        Evidence("wanted", wanted, should),
    )


def _judged(intent: Intent, found: Observed | None, evidence: tuple[Evidence, ...]) -> tuple[Verdict, str]:
    before, wanted = evidence[1].holds, evidence[2].holds
    if found is None:
        return _judged_gone(intent)
    # Where nobody can see what was to change (a secret, say), it is made again: that does no harm.
    if wanted and (intent.action in _STATUS or not before):
        return "done", ""
    if before:
        return "not done", ""
    if not intent.pre.absent or intent.action == Action.DELETE:
        # A third state is somebody else's, and stays (R9).
        return "needs a person", "it is neither as it was before nor as it should be now"
    if intent.kind == "notification":  # every integration has one from the start (facts A5)
        return "not done", ""
    return "needs a person", f"its integration has a {intent.kind}, and not the one that was sent"


def _judged_gone(intent: Intent) -> tuple[Verdict, str]:
    """Where there is nothing, nothing can be destroyed by making it again."""
    if intent.action == Action.DELETE:
        return "done", ""
    if intent.pre.absent or intent.kind == "notification":
        return "not done", ""
    return "needs a person", "the object that was to be changed is gone"


def _target(look: Look, intent: Intent) -> Observed | None:
    """A notification may have a new id by now, so it is found by its integration; except the one to delete."""
    if intent.parent and (intent.targetId is None or intent.kind == "notification"):
        found = look.part_of(intent.kind, intent.parent)
        if intent.action == Action.DELETE and found and same_id(found.id) != same_id(intent.targetId or ""):
            return None
        return found
    return look.by_id(intent.kind, intent.targetId or "")


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
    """An object with the name that was to be created: adopted only where all the evidence says that it is ours."""
    found = look.named(intent.kind, intent.name)
    if not found:
        return Found("not done", evidence=(_absent(intent),))
    if len(found) > 1:
        why = f'the tenant has {len(found)} objects named "{intent.name}"'
        return Found("needs a person", None, why, (_absent(intent),), tuple(found))
    if same_id(found[0].id) == ours.own and keeps_promise(intent, found[0]):
        return Found("done", found[0])  # it was there all the time, and a list that lagged did not show it
    evidence = _of_creation(intent, found[0], ours, _authors(look, intent.kind, ours), now())
    against = [one.said for one in evidence if speaks_against(one)]
    return Found("needs a person" if against else "done", found[0], "; ".join(against), evidence)


def _authors(look: Look, kind: str, ours: Ours) -> set[str | None]:
    """Who cwsync is, as what it has created here tells: of the same kind, which is read anyway, or of another."""
    others = [name for name, one in KINDS.items() if one.listing is not None and name != kind]
    for name in (kind, *others) if ours.created else ():
        authors = {one.created_by for one in look.listed(name) if same_id(one.id) in ours.created} - {None}
        if authors:
            return authors
    return set()


def speaks_against(one: Evidence) -> bool:
    """Whether a piece of evidence keeps an object from being adopted by itself."""
    return one.holds is False or (one.holds is None and one.name not in _AS_FAR_AS_KNOWN)


def _of_creation(
    intent: Intent, found: Observed, ours: Ours, authors: set[str | None], now: datetime | None
) -> tuple[Evidence, ...]:
    """Whether an object is the one that was sent (engine protocol, E1 to E6)."""
    other = ours.bound.get((found.kind, same_id(found.id)))
    kept = keeps_promise(intent, found)
    fields = "its fields are" if kept else "an object of that name is there, and is not"
    return (
        _absent(intent),
        _made_then(intent, found, now),
        _made_by_us(found, authors),
        Evidence("E4", kept, f"{fields} what was sent"),
        _unmodified(found),
        Evidence(
            "E6",
            other is None,
            f"it belongs to another address: {other}" if other else "no address has it yet",
        ),
    )


def _absent(intent: Intent) -> Evidence:
    """E1 is in the intent: the run saw the whole list under its lock before it intended anything."""
    absent = intent.pre.absent is True
    seen = "saw nothing of that name before it began" if absent else "does not say that it saw nothing"
    return Evidence("E1", absent, f"the run, which held the lock as number {intent.epoch}, {seen}")


def _made_then(intent: Intent, found: Observed, now: datetime | None) -> Evidence:
    begun, made = _time(intent.serverTime), _time(found.created_at)
    if begun is None or made is None:
        return Evidence(
            "E2", None, "it doesn't say when it was created" if begun else "it is not known when it was sent"
        )
    said = f"it was created at {found.created_at}"
    if made < begun - _SKEW:
        return Evidence("E2", False, f"{said}, before the request was sent at {intent.serverTime}")
    if now and made > now + _SKEW:
        return Evidence("E2", False, f"{said}, which is to come: it is {now.isoformat()}")
    return Evidence("E2", True, f"{said}, after the request was about to be sent at {intent.serverTime}")


def _made_by_us(found: Observed, authors: set[str | None]) -> Evidence:
    who = found.created_by or "nobody known"
    if not authors:
        return Evidence("E3", None, f"{who} created it, and nothing here tells what cwsync is called")
    us = ", ".join(sorted(filter(None, authors)))
    if found.created_by not in authors:
        return Evidence("E3", False, f"{who} created it, and what cwsync created here is by others: {us}")
    return Evidence("E3", True, f"{who} created it, as what else cwsync created here")


def _unmodified(found: Observed) -> Evidence:
    later = found.modified_at is not None and found.modified_at != found.created_at
    if later or found.modified_by not in (None, found.created_by):
        at = f", at {found.modified_at}" if found.modified_at else ""
        return Evidence("E5", False, f"{found.modified_by or 'somebody'} has changed it since{at}")
    if found.modified_at is None:
        return Evidence("E5", None, "it doesn't say when it was changed")
    return Evidence("E5", True, f"nobody has changed it since: it was last changed at {found.modified_at}")


def _time(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
