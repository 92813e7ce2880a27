"""Rules between resources: references, names, and jobs that must fit their connections."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from cwsync.checked import touches
from cwsync.errors import Problem, suggest
from cwsync.kinds import KINDS, ChangeLists, Desired, Ref, same_id
from cwsync.kinds.base import short
from cwsync.kinds.integration import misfits
from cwsync.kinds.values import Path, refs_in
from cwsync.located import Map, at, problem

_GUID = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


# What has to fit together with the type of a job's connection.
_FITTING = ("connection", "file", "table", "mapping")
# How many names are looked at for "did you mean", in all: about a second of it.
_LOOKED_AT = 100_000


@dataclass
class Suggestions:
    """What was probably meant, until the looking gets too much: thousands of wrong keys have one cause."""

    left: int = _LOOKED_AT

    def near(self, word: str, choices: Collection[str]) -> str | None:
        self.left -= len(choices)
        return suggest(word, choices) if self.left >= 0 else None


def keys_by_kind(addresses: Iterable[str]) -> dict[str, list[str]]:
    """The keys of each kind: what a wrong key may have been meant to be."""
    keys: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for address in addresses:
        kind, _, key = address.partition(".")
        keys[kind].append(key)
    return keys


def cross_check(
    resources: Mapping[str, Desired],
    bodies: Mapping[str, Map],
    users: Mapping[str, str],
    lists: ChangeLists,
    doubtful: Doubtful = MappingProxyType({}),
) -> Iterator[Problem]:
    """Everything that can be wrong between resources.

    `bodies` also holds the resources that are wrong by themselves: they count as declared. Of those that `resources`
    has as well, `doubtful` says which fields are not to be judged.
    """
    yield from _same_names(resources, bodies, doubtful)
    yield from _second_facets(resources, bodies, doubtful)
    suggestions = Suggestions()
    keys = keys_by_kind(bodies)
    gone = dict(_gone(lists))
    for desired in resources.values():
        body = bodies[desired.address]
        yield from _missing(desired, body, bodies, keys, gone, suggestions, doubtful)
        if desired.kind == "integration":
            yield from _jobs(desired, body, resources, doubtful)
        elif desired.kind == "notification":
            yield from _users(desired, body, users, suggestions, doubtful)


Doubtful = Mapping[str, Collection[Path]]
"""By address, the fields of which nobody knows what they should be: they are wrong by themselves."""


def _in_doubt(doubtful: Doubtful, address: str, path: Path) -> bool:
    known = doubtful.get(address)
    return known is not None and touches(path, known)


def _missing(
    desired: Desired,
    body: Map,
    declared: Mapping[str, Map],
    keys: Mapping[str, list[str]],
    gone: Mapping[str, str],
    suggestions: Suggestions,
    doubtful: Doubtful,
) -> Iterator[Problem]:
    """References to what no manifest declares, each once for a resource."""
    seen: set[Ref] = set()
    for path, ref in refs_in(desired.fields):
        if ref.address is None or ref.address in declared or ref in seen:
            continue
        seen.add(ref)
        if _in_doubt(doubtful, desired.address, path):
            continue
        kind, _, key = ref.address.partition(".")
        others = [other for other in KINDS if f"{other}.{key}" in declared]
        if key in declared:
            hint = f"write the key alone: {key.partition('.')[2]}"
        elif ref.address in gone:
            hint = gone[ref.address]
        elif close := suggestions.near(key, keys[kind]):
            hint = f"did you mean {close}?"
        elif others and len(path) > 1:
            hint = f"{' and '.join(f'{other}.{key}' for other in others)} is declared, and a {kind} is needed here"
        else:
            where = KINDS[kind].section
            hint = f"declare it under {where}, or write {{name: …}} for one that is only in the tenant"
        message = f"{desired.address} refers to {kind}.{short(key)}, which no manifest declares"
        yield _at("CW204", message, body, path, desired, hint=hint)


def _gone(lists: ChangeLists) -> Iterator[tuple[str, str]]:
    """Addresses that the change lists say are no more, and what a reference to one could say instead."""
    for removed in lists.removed:
        kind = removed.address.partition(".")[0]
        hint = (
            f"{short(removed.address)} is to be forgotten, at {removed.place}: write `{kind}: {{name: …}}` for "
            "what is only in the tenant, or take this away as well"
        )
        yield removed.address, hint
    for moved in lists.moved:
        key = short(moved.target.partition(".")[2])
        yield moved.source, f"it moves to {short(moved.target)}, at {moved.place}: write {key}"


def _same_names(
    resources: Mapping[str, Desired], bodies: Mapping[str, Map], doubtful: Doubtful
) -> Iterator[Problem]:
    """Names are unique within a kind; whether the service heeds case is unknown, so ours must not rely on it."""
    first: dict[tuple[str, str], Desired] = {}
    for desired in resources.values():
        if KINDS[desired.kind].listing is None or _in_doubt(doubtful, desired.address, ("name",)):
            continue
        other = first.setdefault((desired.kind, desired.name.casefold()), desired)
        if other is not desired:
            message = (
                f'{desired.address} has the name "{desired.name}", as {other.address} at {other.place} has'
            )
            yield _at("CW211", message, bodies[desired.address], ("name",), desired)


def _second_facets(
    resources: Mapping[str, Desired], bodies: Mapping[str, Map], doubtful: Doubtful
) -> Iterator[Problem]:
    first: dict[tuple[str, Ref], Desired] = {}
    for desired in resources.values():
        if desired.parent is not None and not _in_doubt(doubtful, desired.address, ("integration",)):
            other = first.setdefault((desired.kind, desired.parent), desired)
            if other is not desired:
                message = f"{desired.parent} has a {desired.kind} already: {other.address} at {other.place}"
                body = bodies[desired.address]
                yield _at("CW233", message, body, ("integration",), desired)


def _jobs(
    desired: Desired, body: Map, resources: Mapping[str, Desired], doubtful: Doubtful
) -> Iterator[Problem]:
    jobs: Any = desired.fields["jobs"]
    unsure = desired.address in doubtful
    ends = ((index, *one) for index, job in enumerate(jobs) for one in job.items())
    for index, direction, end in ends:
        path = ("jobs", index, direction)
        if unsure and any(_in_doubt(doubtful, desired.address, (*path, name)) for name in _FITTING):
            continue
        connection = resources.get(end["connection"].address or "")
        kind = str(connection.fields["type"]) if connection else None
        about = f"{connection.address} is a connection of type {kind}, so " if connection else ""
        for field, message in misfits(direction, end, kind):
            yield _at("CW221", f"{about}{message}", body, (*path, field), desired)
        if connection is None:
            continue
        workspace = connection.fields.get("workspaceId")
        if any(_in_doubt(doubtful, one.address, ("workspaceId",)) for one in (connection, desired)):
            continue
        if workspace is not None and workspace != desired.fields["workspaceId"]:
            message = (
                f"{connection.address} is bound to workspace {workspace}, and {desired.address} is in "
                f"{desired.fields['workspaceId']}: the service wants the same for restricted users"
            )
            yield _at("CW260", message, body, (*path, "connection"), desired)


def _users(
    desired: Desired, body: Map, users: Mapping[str, str], suggestions: Suggestions, doubtful: Doubtful
) -> Iterator[Problem]:
    notify = at(body, ("notify",))
    for outcome, people in notify.items() if isinstance(notify, Map) else ():
        named: dict[str, str] = {}
        for index, person in enumerate(people if isinstance(people, list) else ()):
            path = ("notify", outcome, index)
            if not isinstance(person, str) or _in_doubt(doubtful, desired.address, path):
                continue
            if person not in users and not _GUID.fullmatch(person):
                close = suggestions.near(person, users)
                message = f"{short(person)} is neither a user of cwsync.yaml nor a user's GUID (32 hexadecimal digits)"
                hint = f"did you mean {close}?" if close else "name the user under `users` in cwsync.yaml"
                yield _at("CW204", message, body, path, desired, hint=hint)
            guid = same_id(users.get(person, person))
            if guid in named:
                same = "" if named[guid] == person else f", as {short(named[guid])}"
                yield _at("CW240", f"{short(person)} is named already{same}", body, path, desired)
            named.setdefault(guid, person)


def _at(
    code: str, message: str, body: Map, path: Path, desired: Desired, *, hint: str | None = None
) -> Problem:
    """A problem at a field, or at the resource's own key where the field isn't written."""
    if path[0] in body or desired.place is None:
        return problem(code, message, body, path, hint=hint, address=desired.address)
    line = body.source.line(desired.place.line)
    return Problem(code, message, place=desired.place, hint=hint, source=line, address=desired.address)
