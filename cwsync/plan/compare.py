"""What two environments want, side by side: the same manifests after each one's variables. No tenant is looked at."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cwsync.errors import Place
from cwsync.kinds import KINDS, Desired, Fields, Ref
from cwsync.kinds.values import Path, replace_refs
from cwsync.plan.diff import arrange, differences, path_text, shown
from cwsync.secret import SecretSource

_VARIABLE = re.compile(r"\$\$\{|\$\{\s*var\.(\w+)\s*\}")
# A scalar, or a list of them, on the line where it begins: quoted, in brackets, or plain.
_SCALAR = re.compile(
    r""" "(?:\\.|[^"\\])*" | '(?:''|[^'])*' | \[[^\]]*\] | .*?(?=\s\#|,\s*[\w"'-]+:\s|$) """, re.VERBOSE
)


@dataclass(frozen=True, slots=True)
class Side:
    """One environment: what it declares, and the values of its variables."""

    environment: str
    resources: Mapping[str, Desired]
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class VariableDifference:
    """A variable with another value in the second environment; None where it has none."""

    name: str
    values: tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """One field with another value; None where it is absent. `because` are the variables in its text, and
    `unshown` says that the two differ in what is never shown: the arguments of a secret's command."""

    path: str
    values: tuple[Any, Any]
    because: tuple[str, ...] = ()
    unshown: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """One address that the two declare otherwise, or that only one declares: then `only_in` names that one."""

    address: str
    kind: str
    names: tuple[str | None, str | None]
    fields: tuple[FieldDifference, ...]
    only_in: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that differs between two environments, `resources` being how many addresses there are in either."""

    environments: tuple[str, str]
    variables: tuple[VariableDifference, ...]
    differences: tuple[Difference, ...]
    resources: int


def compare(first: Side, second: Side, line_at: Callable[[Place], str] = lambda _: "") -> Comparison:
    """What differs between the desired states of two environments, sorted by address.

    Change lists are left out: they say how a state gets there. `line_at` gives the line of a manifest
    from a place on, as it is written; with it, a field's difference names the variables that make it.
    """
    names = sorted(first.variables.keys() | second.variables.keys())
    pairs = [
        VariableDifference(name, (first.variables.get(name), second.variables.get(name))) for name in names
    ]
    moved = tuple(one for one in pairs if one.values[0] != one.values[1])
    looking = _Looking(first, second, frozenset(one.name for one in moved), line_at)
    addresses = sorted(first.resources.keys() | second.resources.keys())
    found = tuple(one for address in addresses if (one := looking.at(address)))
    return Comparison((first.environment, second.environment), moved, found, len(addresses))


@dataclass(frozen=True, slots=True)
class _Looking:
    first: Side
    second: Side
    variables: frozenset[str]
    """Those whose values differ: only they can make a difference."""
    line_at: Callable[[Place], str]

    def at(self, address: str) -> Difference | None:
        one, other = self.first.resources.get(address), self.second.resources.get(address)
        either = one or other
        assert either is not None
        fields = (*self._fields(one, other), *self._secrets(one, other))
        if not fields:
            return None
        only = None if one and other else (self.first if one else self.second).environment
        names = (one.name if one else None, other.name if other else None)
        return Difference(address, either.kind, names, fields, only)

    def _fields(self, one: Desired | None, other: Desired | None) -> Iterator[FieldDifference]:
        before = _content(one, whole=other is not None) if one else {}
        after = _content(other, whole=one is not None) if other else {}
        for path, *values in _unequal(before, after):
            because = self._because(one, path) if one and other else ()
            yield FieldDifference(path_text(path), (shown(values[0]), shown(values[1])), because)

    def _secrets(self, one: Desired | None, other: Desired | None) -> Iterator[FieldDifference]:
        """Where secrets are found, which is no secret; a value is never looked at."""
        before, after = one.secrets if one else {}, other.secrets if other else {}
        for name in sorted(before.keys() | after.keys()):
            if before.get(name) != after.get(name):
                values = (_source(before.get(name)), _source(after.get(name)))
                because = self._because(one, (name, *(values[0] or {}))) if one and other else ()
                yield FieldDifference(name, values, because, unshown=values[0] == values[1])

    def _because(self, one: Desired, path: Path) -> tuple[str, ...]:
        """The variables in the text of a field; of a list's item those of the list, which may be sorted by now."""
        place = one.locate(path[:-1] if isinstance(path[-1], int) else path)
        scalar = _SCALAR.match(self.line_at(place)) if place else None
        named = _VARIABLE.findall(scalar[0]) if scalar else []
        return tuple(name for name in dict.fromkeys(named) if name in self.variables)


def _content(one: Desired, *, whole: bool) -> Fields:
    """The fields as they compare, and the lifecycle: `whole`, or only what it says beyond the usual."""

    # A job's type follows from its connection, and nobody writes it.
    written = replace_refs(one.fields, lambda ref: ref if isinstance(ref, Ref) else None)
    assert isinstance(written, dict)
    lifecycle: Fields = {
        "preventDestroy": one.protect,
        "ignoreChanges": [*sorted(one.ignore)],
        "owner": one.owner,
    }
    said: Fields = {name: given for name, given in lifecycle.items() if given or whole}
    return arrange(KINDS[one.kind], written) | ({"lifecycle": said} if said else {})


def _unequal(before: Fields, after: Fields) -> Iterator[tuple[Path, Any, Any]]:
    """As `differences`, which costs milliseconds: only nested values need it."""
    for name in sorted(before.keys() | after.keys()):
        one, other = before.get(name), after.get(name)
        if isinstance(one, dict | list) and isinstance(other, dict | list):
            yield from differences({name: one}, {name: other})
        elif one != other:
            yield (name,), one, other


def _source(source: SecretSource | None) -> dict[str, Any] | None:
    """A source as it is written, but for the arguments of a command: somebody may have put a secret there."""
    if source is None:
        return None
    if source.fromCommand is not None:
        program, *arguments = source.fromCommand
        return {"fromCommand": [program, *(["…"] if arguments else [])]}
    return {name: value for name, value in source if value is not None}
