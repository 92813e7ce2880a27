"""What the fields of policies ask of each other, and of the rest of cwsync.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cwsync.errors import Problem, suggest
from cwsync.located import Map, Path, Seq, at, problem
from cwsync.project.policies import RULES, Policy

EMULATOR_USER = "emulator"
"""Whom the emulator inside cwsync knows."""

_GUID = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def policy_problems(root: Map) -> Iterator[Problem]:
    """All that is wrong between policies, within each, and with what they name."""
    policies = at(root, ("policies",))
    met: dict[str, Path] = {}
    for index, policy in enumerate(policies if isinstance(policies, Seq) else ()):
        path: Path = ("policies", index)
        if not isinstance(policy, Map):
            continue  # the model says so
        name = policy.get("name")
        if isinstance(name, str):
            if name in met:
                message = f"there is a policy '{name}' already"
                yield problem("CW111", message, root, (*path, "name"), hint="names tell policies apart")
            met[name] = path
        yield from _one_rule(root, path, policy)
        yield from _of_schedules(root, path, policy)
        yield from _named(root, (*path, "environments"), at(root, ("environments",)), "environment")
        yield from _users(root, (*path, "allow", "users"))


def _one_rule(root: Map, path: Path, policy: Map) -> Iterator[Problem]:
    given = [rule for rule in RULES if policy.get(rule) is not None]
    if (
        not given and policy.keys() <= Policy.model_fields.keys()
    ):  # a field that is not known may be meant for one
        hint = f"write one of {', '.join(RULES)}"
        yield problem("CW111", "the policy asks for nothing", root, path, hint=hint)
    elif len(given) > 1:
        message = f"a policy asks for one thing, and this has {' and '.join(given)}"
        hint = "make several policies of it"
        yield problem("CW111", message, root, (*path, given[1]), key=True, hint=hint)


def _of_schedules(root: Map, path: Path, policy: Map) -> Iterator[Problem]:
    firing = policy.get("schedules")
    if firing is None:
        return
    if isinstance(firing, Map) and not any(value is not None for value in firing.values()):
        hint = "write hours, days or timezones"
        yield problem("CW111", "'schedules' asks for nothing", root, (*path, "schedules"), hint=hint)
    if policy.get("kinds") is not None:
        message = "only schedules fire, so this policy needs no 'kinds'"
        yield problem("CW111", message, root, (*path, "kinds"), key=True, hint="leave it out")


def _named(root: Map, path: Path, known: object, noun: str) -> Iterator[Problem]:
    listed = at(root, path)
    if not isinstance(listed, Seq) or not isinstance(known, Map):
        return
    for index, name in enumerate(listed):
        if isinstance(name, str) and name not in known:
            near = suggest(name, known)
            hint = f"did you mean '{near}'?" if near else f"{noun}s here: {', '.join(known)}"
            yield problem("CW111", f"there is no {noun} '{name[:60]}'", root, (*path, index), hint=hint)


def _users(root: Map, path: Path) -> Iterator[Problem]:
    listed, users = at(root, path), at(root, ("users",))
    known: Mapping[str, object] = users if isinstance(users, Map) else {}
    for index, user in enumerate(listed if isinstance(listed, Seq) else ()):
        if isinstance(user, str) and not (
            user in known or user == EMULATOR_USER or "@" in user or _GUID.fullmatch(user)
        ):
            near = suggest(user, known)
            hint = (
                f"did you mean '{near}'?"
                if near
                else "give an e-mail address, an id, or a name below 'users'"
            )
            yield problem("CW111", f"'{user[:60]}' is no user", root, (*path, index), hint=hint)
