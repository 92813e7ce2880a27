"""The change lists `import`, `moved` and `removed`: their entries, and how they may contradict what is declared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import ConfigDict, Field, ValidationError, model_validator

from cwsync.checked import problems_from, wrong
from cwsync.errors import Place, Problem
from cwsync.kinds import KINDS, ChangeLists, Import, Moved, Removed, same_id
from cwsync.kinds.base import PlainId, Strict, Words, short
from cwsync.located import Document, Map, Seq, place, problem
from cwsync.manifest.address import Address, kind_of
from cwsync.manifest.rules import Suggestions, keys_by_kind
from cwsync.variables import Variables


class ImportEntry(Strict):
    """What exists in the tenant becomes a declared resource: it is found by its id, or by its name."""

    to: Address = Field(
        description="The address of the resource, as it is declared.", examples=["connection.lake"]
    )
    id: PlainId | None = Field(
        None,
        description="Its id in the tenant; for a schedule, the id of its integration.",
        examples=["46d677fdb67a41529d0ddadc294515dd"],
    )
    name: Words | None = Field(
        None,
        description="Its name in the tenant. Schedules and notifications have none.",
        examples=["Data lake"],
    )

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["id"]}, {"required": ["name"]}]})

    @model_validator(mode="after")
    def _found_by_one(self) -> ImportEntry:
        kind = kind_of(self.to)
        if KINDS[kind].listing is None and (self.id is None or self.name is not None):
            its = "the id of its integration" if kind == "schedule" else "its id"
            where = ("name",) if self.name is not None else ()
            raise wrong("CW203", f"a {kind} has no name in the tenant: give {its}", *where)
        if (self.id is None) == (self.name is None):
            raise wrong("CW203", "give either the id or the name of what exists in the tenant")
        return self


class MovedEntry(Strict):
    """A resource has another address than before, and is the same object in the tenant."""

    source: Address = Field(
        alias="from",
        description="The address that it had, which is declared no longer.",
        examples=["integration.acc"],
    )
    to: Address = Field(description="The address that it has now.", examples=["integration.accounts"])


class RemovedEntry(Strict):
    """An object is managed no longer, and stays in the tenant."""

    address: Address = Field(
        description="The address that it had, which is declared no longer.", examples=["flow.legacy"]
    )


LISTS: Mapping[str, tuple[type[Strict], str]] = {
    "import": (ImportEntry, "{to: connection.lake, name: Data lake}"),
    "moved": (MovedEntry, "{from: integration.acc, to: integration.accounts}"),
    "removed": (RemovedEntry, "{address: flow.legacy}"),
}
"""By its name: the model of a list's entries, and one as a person writes it."""

E = TypeVar("E", bound=Strict)


@dataclass
class Listed:
    """What was read of the lists so far, each entry with its located mapping, in the order of reading.

    `complete` is false once an entry was wrong by itself: what it says is not known then.
    """

    entries: list[tuple[Strict, Map]] = field(default_factory=list)
    complete: bool = True

    def read(self, name: str, document: Document, variables: Variables) -> Iterator[Problem]:
        """Add the list of this name in a document, and say what is wrong with each entry by itself."""
        assert isinstance(document.value, Map)
        model, example = LISTS[name]
        listed = document.value[name]
        if listed is None:
            return
        if not isinstance(listed, Seq):
            self.complete = False
            hint = f"write it as {name}: [{example}]"
            yield problem("CW203", f"{name} is a list of entries", document, (name,), hint=hint)
            return
        for index, entry in enumerate(listed):
            if isinstance(entry, Map):
                found = self._add(model, entry, variables)
            else:
                message = f"an entry of {name} is a mapping"
                found = [problem("CW203", message, listed, (index,), hint=f"such as {example}")]
            self.complete = self.complete and not found
            yield from found

    def _add(self, model: type[Strict], entry: Map, variables: Variables) -> list[Problem]:
        found: list[Problem] = []
        entry = variables.fill(entry, found)
        if not found:
            try:
                self.entries.append((model.model_validate(entry), entry))
            except ValidationError as error:
                found = problems_from(error, entry, model)
        return found

    def of(self, model: type[E]) -> list[tuple[E, Map]]:
        """The entries of one list."""
        return [(entry, body) for entry, body in self.entries if isinstance(entry, model)]

    def values(self) -> ChangeLists:
        return ChangeLists(
            tuple(Import(one.to, one.id, one.name, place(body)) for one, body in self.of(ImportEntry)),
            tuple(Moved(one.source, one.to, place(body)) for one, body in self.of(MovedEntry)),
            tuple(Removed(one.address, place(body)) for one, body in self.of(RemovedEntry)),
        )


_ONE_OF_TWO = "take away one of the two entries"


def contradictions(listed: Listed, declared: Mapping[str, Place]) -> Iterator[Problem]:
    """How the lists contradict each other, or what is declared (where it is, by address)."""
    meant = _Meant(keys_by_kind(declared))
    yield from _imports(listed, declared, meant)
    yield from _moves(listed, declared)
    yield from _targets(listed, declared, meant)
    yield from _circles(listed)
    yield from _removals(listed, declared)


@dataclass
class _Meant:
    """What to do about an address that is not declared."""

    keys: Mapping[str, list[str]]
    suggestions: Suggestions = field(default_factory=Suggestions)

    def hint(self, address: str, otherwise: str) -> str:
        kind, _, key = address.partition(".")
        close = self.suggestions.near(key, self.keys[kind])
        return (
            f"did you mean {kind}.{short(close)}?"
            if close
            else f"declare it under {KINDS[kind].section}{otherwise}"
        )


def _imports(listed: Listed, declared: Mapping[str, Place], meant: _Meant) -> Iterator[Problem]:
    addresses: dict[str, Place] = {}
    objects: dict[tuple[str, str, str], tuple[str, Place]] = {}
    for one, body in listed.of(ImportEntry):
        to, at = short(one.to), place(body)
        if one.to not in declared:
            message = f"{to} is not declared, so nothing can be imported as it"
            yield _at(body, "to", message, meant.hint(one.to, " first"))
        if (before := addresses.setdefault(one.to, at)) is not at:
            yield _at(body, "to", f"{to} is imported already, at {before}", _ONE_OF_TWO)
            continue
        kind, known_by = kind_of(one.to), "id" if one.id else "name"
        found = same_id(one.id) if one.id else one.name or ""
        other, before = objects.setdefault((kind, known_by, found), (to, at))
        if before is not at:
            message = f"the {kind} with this {known_by} is imported already, as {other} at {before}"
            yield _at(body, known_by, message, _ONE_OF_TWO)


def _moves(listed: Listed, declared: Mapping[str, Place]) -> Iterator[Problem]:
    sources: dict[str, Place] = {}
    targets: dict[str, tuple[str, Place]] = {}
    for one, body in listed.of(MovedEntry):
        source, to, at = short(one.source), short(one.to), place(body)
        if one.source in declared:
            message = f"{source} is still declared, at {declared[one.source]}, so it has not moved"
            hint = (
                "take that declaration away; or this entry, where the move is done and the key is used anew"
            )
            yield _at(body, "from", message, hint)
        if (before := sources.setdefault(one.source, at)) is not at:
            yield _at(body, "from", f"{source} is moved already, at {before}", _ONE_OF_TWO)
        other, before = targets.setdefault(one.to, (one.source, at))
        if before is not at and other != one.source:
            message = f"{short(other)} moves to {to} already, at {before}"
            yield _at(body, "to", message, "an address has one object")


def _targets(listed: Listed, declared: Mapping[str, Place], meant: _Meant) -> Iterator[Problem]:
    """Where something moves to must be declared, moved further, or forgotten there."""
    moves = listed.of(MovedEntry)
    further = {one.source for one, _ in moves} | {one.address for one, _ in listed.of(RemovedEntry)}
    for one, body in moves:
        source, to = short(one.source), short(one.to)
        if kind_of(one.source) != kind_of(one.to):
            message = f"{source} cannot move to {to}: a resource stays of its kind"
            yield _at(body, "to", message, "give both addresses the same kind")
        elif one.to not in declared and one.to not in further and listed.complete:
            message = f"{to} is not declared, so nothing can move there"
            yield _at(
                body, "to", message, meant.hint(one.to, ", or list it under removed to have it forgotten")
            )


def _circles(listed: Listed) -> Iterator[Problem]:
    onward = {one.source: (one.to, body) for one, body in listed.of(MovedEntry)}
    done: set[str] = set()
    for start in onward:
        path: dict[str, None] = {}
        now = start
        while now in onward and now not in done and now not in path:
            path[now] = None
            now = onward[now][0]
        if now in path:
            circle = [*path][[*path].index(now) :]
            between = ["…"] if len(circle) > 3 else []
            shown = " to ".join(short(one) for one in (*circle[:3], *between, now))
            message = f"these moves go in a circle: {shown}"
            yield _at(onward[now][1], "from", message, "the last address of a chain is one that is declared")
        done |= path.keys()


def _removals(listed: Listed, declared: Mapping[str, Place]) -> Iterator[Problem]:
    moves = {one.source: (one.to, place(body)) for one, body in listed.of(MovedEntry)}
    seen: dict[str, Place] = {}
    for one, body in listed.of(RemovedEntry):
        address, at = short(one.address), place(body)
        if one.address in declared:
            message = f"{address} is declared, at {declared[one.address]}, so it cannot be forgotten"
            yield _at(body, "address", message, "take away that declaration, or this entry")
        if one.address in moves:
            to, before = moves[one.address]
            message = f"{address} moves to {short(to)}, at {before}, so nothing is left to be forgotten"
            yield _at(body, "address", message, _ONE_OF_TWO)
        if (before := seen.setdefault(one.address, at)) is not at:
            yield _at(body, "address", f"{address} is listed already, at {before}", _ONE_OF_TWO)


def _at(body: Map, field: str, message: str, hint: str) -> Problem:
    return problem("CW207", message, body, (field,), hint=hint)
