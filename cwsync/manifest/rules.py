"""Rules between resources: references, names, and jobs that must fit their connections."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cwsync.errors import Problem, suggest
from cwsync.kinds import KINDS, Desired, Ref
from cwsync.kinds.values import Path, refs_in
from cwsync.located import Map, at, problem

_GUID = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def cross_check(
    resources: Mapping[str, Desired], bodies: Mapping[str, Map], users: Mapping[str, str]
) -> Iterator[Problem]:
    """Everything that can be wrong between resources that are right by themselves.

    `bodies` also holds the resources that are wrong by themselves: they count as declared.
    """
    yield from _same_names(resources, bodies)
    yield from _second_facets(resources, bodies)
    for desired in resources.values():
        body = bodies[desired.address]
        yield from _missing(desired, body, bodies)
        if desired.kind == "integration":
            yield from _jobs(desired, body, resources)
        elif desired.kind == "notification":
            yield from _users(desired, body, users)


def _missing(desired: Desired, body: Map, declared: Mapping[str, Map]) -> Iterator[Problem]:
    """References to what no manifest declares, each once for a resource."""
    seen: set[Ref] = set()
    for path, ref in refs_in(desired.fields):
        if ref.address is None or ref.address in declared or ref in seen:
            continue
        seen.add(ref)
        kind, _, key = ref.address.partition(".")
        keys = [address.partition(".")[2] for address in declared if address.startswith(f"{kind}.")]
        close = suggest(key, keys)
        hint = f"did you mean {close}?" if close else f"declare it under {KINDS[kind].section}"
        yield _at(
            "CW204",
            f"{desired.address} refers to {ref.address}, which no manifest declares",
            body,
            path,
            desired,
            hint=f"{hint}{'' if close else ', or write {name: …} for one that is only in the tenant'}",
        )


def _same_names(resources: Mapping[str, Desired], bodies: Mapping[str, Map]) -> Iterator[Problem]:
    """Names are unique within a kind; whether the service heeds case is unknown, so ours must not rely on it."""
    first: dict[tuple[str, str], Desired] = {}
    for desired in resources.values():
        if KINDS[desired.kind].listing is None:
            continue
        other = first.setdefault((desired.kind, desired.name.casefold()), desired)
        if other is not desired:
            message = (
                f'{desired.address} has the name "{desired.name}", as {other.address} at {other.place} has'
            )
            yield _at("CW211", message, bodies[desired.address], ("name",), desired)


def _second_facets(resources: Mapping[str, Desired], bodies: Mapping[str, Map]) -> Iterator[Problem]:
    first: dict[tuple[str, Ref], Desired] = {}
    for desired in resources.values():
        if desired.parent is not None:
            other = first.setdefault((desired.kind, desired.parent), desired)
            if other is not desired:
                message = f"{desired.parent} has a {desired.kind} already: {other.address} at {other.place}"
                body = bodies[desired.address]
                yield _at("CW233", message, body, ("integration",), desired)


def _jobs(desired: Desired, body: Map, resources: Mapping[str, Desired]) -> Iterator[Problem]:
    jobs: Any = desired.fields["jobs"]
    for index, job in enumerate(jobs):
        ((direction, end),) = job.items()
        connection = resources.get(end["connection"].address or "")
        if connection is not None:
            path = ("jobs", index, direction)
            for field, message in _misfits(direction, end, connection):
                yield _at("CW221", message, body, (*path, field), desired)
            workspace = connection.fields.get("workspaceId")
            if workspace is not None and workspace != desired.fields["workspaceId"]:
                message = (
                    f"{connection.address} is bound to workspace {workspace}, and {desired.address} is in "
                    f"{desired.fields['workspaceId']}: the service wants the same for restricted users"
                )
                yield _at("CW260", message, body, (*path, "connection"), desired)


def _misfits(direction: str, end: Mapping[str, Any], connection: Desired) -> Iterator[tuple[str, str]]:
    kind = connection.fields["type"]
    right, wrong = ("table", "file") if kind == "GoogleBigQuery" else ("file", "table")
    what = f"{connection.address} is a connection of type {kind}"
    if right not in end:
        yield right, f"{what}, so the {direction} names a {right}"
    if wrong in end:
        yield wrong, f"{what}, so the {direction} has no {wrong}"
    if direction == "export":
        if kind == "GoogleBigQuery" and "mapping" not in end:
            yield "mapping", f"{what}, so the export needs a mapping of columns"
        if kind != "GoogleBigQuery" and "mapping" in end:
            yield "mapping", f"{what}, so the export has no mapping"


def _users(desired: Desired, body: Map, users: Mapping[str, str]) -> Iterator[Problem]:
    notify = at(body, ("notify",))
    for outcome, people in notify.items() if isinstance(notify, Map) else ():
        for index, person in enumerate(people if isinstance(people, list) else ()):
            if isinstance(person, str) and person not in users and not _GUID.fullmatch(person):
                close = suggest(person, users)
                yield _at(
                    "CW204",
                    f"{person} is neither a user of cwsync.yaml nor a user's GUID (32 hexadecimal digits)",
                    body,
                    ("notify", outcome, index),
                    desired,
                    hint=f"did you mean {close}?" if close else "name the user under `users` in cwsync.yaml",
                )


def _at(
    code: str, message: str, body: Map, path: Path, desired: Desired, *, hint: str | None = None
) -> Problem:
    """A problem at a field, or at the resource's own key where the field isn't written."""
    if path[0] in body or desired.place is None:
        return problem(code, message, body, path, hint=hint, address=desired.address)
    line = body.source.line(desired.place.line)
    return Problem(code, message, place=desired.place, hint=hint, source=line, address=desired.address)
