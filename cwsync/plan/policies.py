"""The policies of cwsync.yaml, held against what a plan would do, or against what is declared. Pure.

What is forbidden is looked for in everything that a plan does. How something has to be (its name, when it fires,
its owner) is asked of what the plan makes or changes, and not of what it leaves as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

from cwsync.errors import Place, Problem
from cwsync.kinds import KINDS, Desired, same_id
from cwsync.kinds.firing import times_of_day
from cwsync.plan.decide import GONE
from cwsync.plan.values import Change, PolicyVerdict, plain_address
from cwsync.project import Day, Firing, Policy, matches

_DAYS = get_args(Day)
_WOULD = {
    "create": "created",
    "update": "changed",
    "replace": "replaced",
    "delete": "deleted",
    "import": "imported",
    "forget": "forgotten",
    "move": "moved",
}


@dataclass(frozen=True, slots=True)
class Approval:
    """Who asks for a plan: the labels that were given, and all that the signed-in user is called by (`called`)."""

    labels: frozenset[str] = frozenset()
    user: frozenset[str] = frozenset()


def called(user: str) -> str:
    """A user as users compare: e-mail addresses without case, ids without dashes and case, names as they are."""
    if "@" in user:
        return user.lower()
    plain = same_id(user)
    return plain if len(plain) == 32 else user


def asks_for_user(policies: Iterable[Policy], labels: frozenset[str]) -> bool:
    """Whether it matters who is signed in: a label that was given makes it unimportant."""
    return any(one.allow.users and not labels & {*one.allow.labels} for one in policies)


def judged(
    changes: Iterable[Change],
    desired: Mapping[str, Desired],
    policies: Iterable[Policy],
    approval: Approval,
) -> Iterator[tuple[PolicyVerdict, Problem]]:
    """What the policies say of each change. A problem is an error (CW530, exit 7) where the verdict is "deny"."""
    rules, told = tuple(policies), set[str]()
    for change in changes:
        if plain_address(change.address) != change.address:
            continue  # what remains of a replacement was judged when it was replaced
        for policy in rules:
            found = _found(policy, change)
            if found is not None:
                # The way out is told once, however much a policy meets.
                hint = None if policy.name in told else _way_out(policy, approval)
                yield _judged(
                    policy, change, found, hint, _allowed(policy, approval), desired.get(change.address)
                )
                told.add(policy.name)


Found = tuple[str, str]
"""What is to be said of a resource, and the field of its manifest that it is about."""


def _found(policy: Policy, change: Change) -> Found | None:
    if not _holds(policy, change.kind, change.address, change.previous_address or ""):
        return None
    return _forbidden(policy, change) or _amiss(policy, change)


def _judged(
    policy: Policy, change: Change, found: Found, hint: str | None, by: str, declared: Desired | None
) -> tuple[PolicyVerdict, Problem]:
    message, level = _message(policy, change.address, found[0]), policy.level
    place, address = _place(declared, found[1]), change.address
    if by:
        message = f"{message}; {by} allows it"
        problem = Problem("CW530", message, place, severity="warning", address=address)
        return PolicyVerdict(policy.name, address, message, "allowed"), problem
    severity: Literal["error", "warning"] = "error" if level == "deny" else "warning"
    problem = Problem("CW530", message, place, hint, severity=severity, address=address)
    return PolicyVerdict(policy.name, address, message, level), problem


def _message(policy: Policy, address: str, said: str) -> str:
    return f"{address} {said}" + (f": {policy.because}" if policy.because else "")


def _holds(policy: Policy, kind: str, *addresses: str) -> bool:
    """Whether a policy is about a resource; one that has moved is so under both its addresses."""
    if policy.kinds is not None and KINDS[kind].section not in policy.kinds:
        return False
    return policy.addresses is None or any(
        fnmatchcase(address, glob) for glob in policy.addresses for address in addresses
    )


def _forbidden(policy: Policy, change: Change) -> Found | None:
    fates = _fates(change)
    if not {*fates} & {*(policy.forbid or ())}:
        return None
    return f"would be {_WOULD[fates[0]]}, and the policy {policy.name} forbids that", ""


def _fates(change: Change) -> tuple[str, ...]:
    """All that happens to it, the plainest word first. To forget what is gone already harms nobody."""
    if change.action == "no-op" or (change.action == "forget" and change.reason == GONE):
        return ()
    also = {"replace": ("delete",), "import": ("update",) if change.fields else ()}.get(change.action, ())
    moved = ("move",) if change.previous_address and change.action != "move" else ()
    return (change.action, *also, *moved)


def _amiss(policy: Policy, change: Change) -> Found | None:
    if change.after is None or change.action == "no-op":
        return None
    return _lacks(policy, change.kind, change.after, change.owner)


def _lacks(policy: Policy, kind: str, fields: Mapping[str, Any], owner: str | None) -> Found | None:
    """What a resource should be by a policy and isn't, and the field that says so."""
    name = fields.get("name")
    if policy.names is not None and isinstance(name, str) and not matches(policy.names, name):
        return f'is named "{name}", and the policy {policy.name} asks for {policy.names}', "name"
    if policy.owners is not None and owner is None:
        return f"has no lifecycle.owner, and the policy {policy.name} asks for one", "lifecycle"
    if policy.schedules is not None and kind == "schedule":
        breaks = dict(_breaks(policy.schedules, fields))
        if breaks:
            rule = policy.schedules
            allowed = "; ".join(
                ", ".join(part) for part in ([rule.hours or ""], rule.days or (), rule.timezones or ()) if any(part)
            )  # fmt: skip
            fires = " and ".join(breaks.values())
            return f"{fires}, and the policy {policy.name} allows only {allowed}", next(iter(breaks))
    return None


def _breaks(rule: Firing, fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """By field, when it fires and must not."""
    if not fields["enabled"]:
        return
    times = [f"{time:%H:%M}" for time in times_of_day(fields)]
    late = [time for time in times if rule.hours is not None and not _within(time, rule.hours)]
    if late:
        yield ("fromTime" if "fromTime" in fields else "time"), f"fires at {', '.join(late)}"
    wrong = [day for day in _days(fields) if rule.days is not None and day not in rule.days]
    if wrong:
        yield ("dayOfWeek" if "dayOfWeek" in fields else "daysOfWeek"), f"fires on {', '.join(wrong)}"
    if rule.timezones is not None and fields["timezone"] not in rule.timezones:
        yield "timezone", f"has the time zone {fields['timezone']}"


def _within(time: str, hours: str) -> bool:
    start, _, end = hours.partition("-")
    return start <= time <= end if start <= end else time >= start or time <= end


def _days(fields: Mapping[str, Any]) -> list[str]:
    """The days of the week on which it may fire. A day of the month comes to fall on each of them."""
    if "dayOfWeek" in fields:
        return [_DAYS[fields["dayOfWeek"]]]
    return [_DAYS[day] for day in fields.get("daysOfWeek", range(7))]


def _allowed(policy: Policy, approval: Approval) -> str:
    """By what it is allowed all the same; empty where it is not."""
    if given := sorted(approval.labels & {*policy.allow.labels}):
        return f"the label {given[0]}"
    users = [user for user in policy.allow.users if called(user) in approval.user]
    return f"its list of users ({users[0]})" if users else ""


def _way_out(policy: Policy, approval: Approval) -> str:
    ways = [f"--label {label}" for label in policy.allow.labels]
    if policy.allow.users:
        unknown = "" if approval.user else " (the sign-in service did not say who you are)"
        ways.append(f"signing in as {' or '.join(policy.allow.users)}{unknown}")
    if policy.level == "warn":
        return "it is a warning only"
    lift = f"allowed by {', or by '.join(ways)}; otherwise " if ways else ""
    mend = "keep it as it is" if policy.forbid else "mend it in the manifest"
    return f"{lift}{mend}, or change the policy in cwsync.yaml"


def _place(declared: Desired | None, field: str) -> Place | None:
    if declared is None:
        return None
    return (declared.locate((field,)) if field else None) or declared.place


def declared_problems(desired: Mapping[str, Desired], policies: Iterable[Policy]) -> Iterator[Problem]:
    """A warning for each resource that is not as a policy asks for, whether or not a plan changes it."""
    rules = tuple(policies)
    for one in desired.values():
        for policy in rules:
            found = _lacks(policy, one.kind, one.fields, one.owner)
            if found and _holds(policy, one.kind, one.address):
                hint = "a warning here; a plan that makes or changes it is judged by the policy"
                place = _place(one, found[1])
                message = _message(policy, one.address, found[0])
                yield Problem("CW530", message, place, hint, severity="warning", address=one.address)
