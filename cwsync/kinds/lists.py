"""The change lists of the manifests: what should happen to the state beside what is declared."""

from __future__ import annotations

from dataclasses import dataclass, field

from cwsync.errors import Place


@dataclass(frozen=True, slots=True)
class Import:
    """Bind what exists in the tenant to a declared address: by its id, or by its name."""

    to: str
    id: str | None = None
    name: str | None = None
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Moved:
    """A resource has another address than before, and is the same object."""

    source: str
    target: str
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Removed:
    """Forget an address that is declared no longer, and leave its object in the tenant."""

    address: str
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ChangeLists:
    """All three, in the order in which they stand in the manifests."""

    imports: tuple[Import, ...] = ()
    moved: tuple[Moved, ...] = ()
    removed: tuple[Removed, ...] = ()
