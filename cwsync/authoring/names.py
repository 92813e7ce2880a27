"""What things are called in manifests that are written for a tenant: keys, users, variables of secrets."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from cwsync.kinds import KINDS, Observed, Snapshot, Written, same_id
from cwsync.manifest.address import key_like

Which = tuple[str, str]
"""A kind, and a normalised id."""


def slug(name: str) -> str:
    """The key that reads like a name; empty where nothing of it can stand in one."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub("-{2,}", "-", key_like(plain))


def distinct_keys(names: Mapping[str, str], taken: Collection[str], otherwise: str) -> dict[str, str]:
    """A key for each id, made from its name.

    The same names and ids come to the same keys, in whatever order they are listed: a key that only one name
    comes to is that one's, and of several the first by name and id has it, the others `-2`, `-3`. `otherwise`
    begins the key of a name that no key can be made from.
    """
    used, keys = set(taken), dict[str, str]()
    waiting: list[tuple[str, str]] = []
    for id, name in sorted(names.items(), key=lambda one: (one[1], one[0])):
        key = slug(name) or f"{otherwise}-{id[:8]}"
        if key in used:
            waiting.append((id, key))
        else:
            used.add(key)
            keys[id] = key
    for id, key in waiting:
        number = 2
        while f"{key}-{number}" in used:
            number += 1
        used.add(f"{key}-{number}")
        keys[id] = f"{key}-{number}"
    return keys


def all_keys(
    objects: Collection[Observed], snapshot: Snapshot, known: Mapping[Which, str], taken: Collection[str]
) -> dict[Which, str]:
    """A key for each object. `known` has the keys of what is declared already, `taken` addresses that are not free.

    A schedule and a notification have the key of their integration, where that is free.
    """
    keys: dict[Which, str] = {}

    def name(one: Observed) -> str:
        owner = snapshot.get("integration", one.parent) if one.parent else None
        if owner is None:
            return one.name
        which = ("integration", same_id(owner.id))
        return keys.get(which) or known.get(which) or owner.name

    for kind in KINDS:
        used = {address.partition(".")[2] for address in taken if address.partition(".")[0] == kind}
        names = {same_id(one.id): name(one) for one in objects if one.kind == kind}
        keys |= {(kind, id): key for id, key in distinct_keys(names, used, kind).items()}
    return keys


@dataclass
class Names:
    """How what is written refers to objects, users and secrets.

    `keys` are those of everything declared; `users` are names by GUID; `variables` are names of environment
    variables that are in use. What a resource needs and the tenant does not show is noted in `missing`.
    """

    keys: Mapping[Which, str]
    snapshot: Snapshot
    users: Mapping[str, str]
    variables: set[str]
    missing: list[Which] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._named = Counter(
            (kind, one.name) for kind, of in self.snapshot.objects.items() for one in of.values()
        )

    def reference(self, kind: str, id: str) -> Written:
        if key := self.keys.get((kind, same_id(id))):
            return key
        found = self.snapshot.get(kind, id)
        if found is None:
            self.missing.append((kind, id))
            return {"id": id}
        clear = found.name == found.name.strip() and found.name.isprintable() and found.name
        if clear and self._named[kind, found.name] == 1:
            return {"name": found.name}
        return {"id": found.id}

    def user(self, guid: str) -> str:
        return self.users.get(same_id(guid), guid)

    def variable(self, key: str, field: str) -> str:
        """A new environment variable for a secret: SALES_S3_SECRET_ACCESS_KEY."""
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", field)
        name = re.sub("[^A-Z0-9]+", "_", f"{key}_{words}".upper())
        if name[0].isdigit():
            name = f"CLOUDWORKS_{name}"
        for candidate in (name, *(f"{name}_{number}" for number in range(2, len(self.variables) + 3))):
            if candidate not in self.variables:
                self.variables.add(candidate)
                return candidate
        raise AssertionError("there is one candidate more than there are names in use")


@dataclass(frozen=True)
class Called:
    """The names as one resource sees them: a `Naming`."""

    names: Names
    key: str

    def reference(self, kind: str, id: str) -> Written:
        return self.names.reference(kind, id)

    def user(self, guid: str) -> str:
        return self.names.user(guid)

    def secret(self, field: str) -> Written:
        return {"fromEnv": self.names.variable(self.key, field)}


def users_by_id(
    declared: Mapping[str, str], people: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """The names of users by GUID: those of cwsync.yaml, and new ones for `people`, who are not among them."""
    known = {same_id(guid): name for name, guid in sorted(declared.items(), reverse=True)}
    new = {guid: name for guid, name in people.items() if guid not in known and slug(name)}
    return known, distinct_keys(new, declared, "user")


def people_in(objects: Collection[Observed]) -> Iterator[tuple[str, str]]:
    for one in objects:
        yield from one.people.items()
