"""What the rooms hand to each other: desired resources, observed objects, and a picture of a tenant.

A resource's *fields* are a plain dictionary in the manifest's own names, the same shape for what is
desired, what was last applied and what is observed, so that the three compare with `==`. Where a
field refers to another object it holds a `Ref` until that object's id is known, and the id from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from cwsync.errors import Place
from cwsync.secret import SecretSource


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """A reference: to a declared resource by its address, or to an unmanaged object by name or id."""

    kind: str
    address: str | None = None
    name: str | None = None
    id: str | None = None

    def __str__(self) -> str:
        return self.address or f"{self.kind} {self.name or self.id}"


@dataclass(frozen=True, slots=True)
class TypeOf:
    """Stands for the type of the connection that a job refers to (a job's type follows from it)."""

    ref: Ref


Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Value = None | bool | int | float | str | Ref | TypeOf | list["Value"] | dict[str, "Value"]
Fields = dict[str, Value]
Path = tuple[str | int, ...]

_MAY_REFER = (Ref, dict, list)


def _nowhere(_path: Path) -> Place | None:
    return None


@dataclass(frozen=True, slots=True)
class Desired:
    """A resource as the manifests declare it, checked and in canonical form."""

    address: str
    kind: str
    key: str
    name: str
    fields: Fields
    secrets: Mapping[str, SecretSource] = field(default_factory=dict)
    parent: Ref | None = None
    protect: bool = False
    ignore: frozenset[str] = frozenset()
    owner: str | None = None
    place: Place | None = None
    locate: Callable[[Path], Place | None] = field(default=_nowhere, compare=False, repr=False)

    def references(self) -> list[Ref]:
        """Every object this one refers to, its parent first, each once."""
        return list(dict.fromkeys(ref for _, ref in refs_in(self.fields)))


@dataclass(frozen=True, slots=True)
class Observed:
    """An object as the tenant shows it.

    `id` is spelled as the service spells it; compare ids with `same_id`. `fields` is None where only
    the list was read and the kind's fields are in the detail. `foreign` says why cwsync must not
    overwrite it. `people` are the names of the users that it has, by GUID. `version_read` is its modification
    date, where every later change gives it another one.
    """

    kind: str
    id: str
    name: str
    fields: Fields | None
    type: str | None = None
    parent: str | None = None
    notification: str | None = None
    created_by: str | None = None
    created_at: str | None = None
    modified_by: str | None = None
    modified_at: str | None = None
    foreign: str | None = None
    version: str | None = None
    people: Mapping[str, str] = field(default_factory=dict, compare=False)
    running: bool = field(default=False, compare=False)
    version_read: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Snapshot:
    """A tenant at one moment, as far as it was read.

    `objects` is by kind and normalised id. A kind in `unread` could not be read completely, for the
    reason given: nothing may be concluded from an absence in it. `today` is the service's date. `assumed` are the
    objects, by kind and normalised id, whose fields are those of the state: their lists show no change since they
    were last read in full.
    """

    objects: Mapping[str, Mapping[str, Observed]]
    unread: Mapping[str, str] = field(default_factory=dict)
    today: str | None = None
    used: int | None = None
    allowed: int | None = None
    calls: int = 0
    seconds: float = 0.0
    assumed: frozenset[tuple[str, str]] = frozenset()

    def get(self, kind: str, id: str) -> Observed | None:
        return self.objects.get(kind, {}).get(same_id(id))

    def named(self, kind: str, name: str) -> list[Observed]:
        return self._by_name.get((kind, name), [])

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str], list[Observed]]:
        found: dict[tuple[str, str], list[Observed]] = {}
        for kind, objects in self.objects.items():
            for one in objects.values():
                found.setdefault((kind, one.name), []).append(one)
        return found


def same_id(value: str) -> str:
    """Ids compare without dashes and case: the service and its page spell one id both ways (facts B25)."""
    return value.replace("-", "").lower()


def refs_in(value: Value) -> list[tuple[Path, Ref]]:
    """Each reference in a value, with the path to it, in the order in which they stand."""
    found: list[tuple[Path, Ref]] = []
    _add_refs(value, (), found)
    return found


def _add_refs(value: Value, path: Path, found: list[tuple[Path, Ref]]) -> None:
    if isinstance(value, Ref):
        found.append((path, value))
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, _MAY_REFER):
                _add_refs(item, (*path, key), found)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, _MAY_REFER):
                _add_refs(item, (*path, index), found)


def replace_refs(value: Value, replace: Callable[[Ref | TypeOf], Value]) -> Value:
    """The value with each reference put through `replace`."""
    if isinstance(value, Ref | TypeOf):
        return replace(value)
    if isinstance(value, dict):
        return {key: replace_refs(item, replace) for key, item in value.items()}
    if isinstance(value, list):
        return [replace_refs(item, replace) for item in value]
    return value


def texts_in(value: Value) -> Iterator[str]:
    """Every text in a value: whatever id an object refers to is among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_in(item)
