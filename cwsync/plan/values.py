"""What a plan is made of: plain values, whose JSON form is the same bytes for the same inputs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from cwsync.errors import Problem
from cwsync.kinds import same_id
from cwsync.plan.effects import Blast

Cause = Literal["manifest", "drift", "both", "secret", "new"]
Level = Literal["deny", "warn", "allowed"]
ActionName = Literal["no-op", "create", "update", "replace", "delete", "import", "forget", "move"]


def plain_address(address: str) -> str:
    """The address alone: what was replaced goes by that of its resource, with a remark behind it."""
    return address.partition(" ")[0]


@dataclass(frozen=True, slots=True)
class Selection:
    """What a person asked for beside the manifests. With `targets` or `excludes` the plan is a partial one.

    `replace` are addresses to make anew although nothing asks for it; `adopt` takes over what has the
    name of something declared. `labels` are what policies may ask for.
    """

    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    adopt: bool = False
    labels: tuple[str, ...] = ()

    @property
    def partial(self) -> bool:
        return bool(self.targets or self.excludes)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that will change, and why: the manifest moved, the tenant did, or both.

    `unknown` marks a value that exists only after applying (an id); `after` then names what it will
    refer to. A `sensitive` field shows neither value. `where` is file:line:column of the manifest.
    """

    path: str
    before: Any
    after: Any
    cause: Cause
    unknown: bool = False
    sensitive: bool = False
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What a plan does to one address. `before` and `after` are whole resources, without secrets.

    `previous_address` is where the state has it until now. An import has `fields` where the object is
    changed as well. `owner` is who answers for it, as far as a manifest says so.
    """

    address: str
    kind: str
    key: str
    name: str
    action: ActionName
    id: str | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    after_unknown: Mapping[str, Any] = field(default_factory=dict)
    sensitive: tuple[str, ...] = ()
    fields: tuple[FieldChange, ...] = ()
    reason: str | None = None
    where: str | None = None
    previous_address: str | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One mutating call: `order` counts from 1; it waits for those in `after`.

    `target` is the id of the object that it changes, where that is known before applying. In `path`,
    an id that isn't known yet stands as the address in braces.
    """

    order: int
    address: str
    action: str
    method: str
    path: str
    after: tuple[int, ...]
    because: str
    target: str | None = None


@dataclass(frozen=True, slots=True)
class DriftField:
    """One field that the tenant changed behind our back."""

    path: str
    known: Any
    observed: Any


@dataclass(frozen=True, slots=True)
class Drift:
    """One managed object that is no longer as it was last applied."""

    address: str
    kind: str
    name: str
    id: str
    status: Literal["changed", "deleted"]
    fields: tuple[DriftField, ...] = ()
    modified_by: str | None = None
    modified_at: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyVerdict:
    """What a policy says of one change: "deny" refuses the plan; "allowed" it would, but for who asked, or a label."""

    policy: str
    address: str
    message: str
    level: Level


@dataclass(frozen=True, slots=True)
class Plan:
    """What must be done for the tenant to match the manifests, and all that a reviewer should know.

    `left_out` are the addresses with changes that a partial plan does not make. `approvals` are the labels that
    were given for the policies. `assumed` counts the objects that were not read in full, because their lists show
    no change since they were.
    """

    environment: str
    tenant: str
    changes: tuple[Change, ...] = ()
    calls: tuple[Call, ...] = ()
    drift: tuple[Drift, ...] = ()
    unmanaged: tuple[str, ...] = ()
    unverifiable: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    guards: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    left_out: tuple[str, ...] = ()
    policies: tuple[PolicyVerdict, ...] = ()
    approvals: tuple[str, ...] = ()
    blast: Blast = field(default_factory=Blast)
    labels: Mapping[str, str] = field(default_factory=dict)
    read_calls: int = 0
    read_seconds: float = 0.0
    assumed: int = 0

    @property
    def summary(self) -> dict[str, int]:
        """How many addresses meet which fate, in the words of the contract, section 4. What is imported, or
        has moved, and is changed as well counts as both."""
        names = ("create", "update", "replace", "delete", "import", "forget", "move", "no-op")
        count = {name.replace("-", "_"): sum(c.action == name for c in self.changes) for name in names}
        count["update"] += sum(c.action == "import" and bool(c.fields) for c in self.changes)
        count["move"] = sum(c.previous_address is not None for c in self.changes)
        return count

    @property
    def touched(self) -> frozenset[tuple[str, str]]:
        """The objects that there are and that would be changed, each by its kind and its normalised id."""
        changed = (change for change in self.changes if change.action != "no-op" and change.id)
        return frozenset((change.kind, same_id(change.id or "")) for change in changed)

    @property
    def empty(self) -> bool:
        """Nothing would be sent, and nothing would move in the state that a person should agree to."""
        return all(change.action == "no-op" for change in self.changes)

    @property
    def digest(self) -> str:
        """A hash of what would be done, to whom, and from what: equal digests, equal plans."""
        content = {
            "environment": self.environment,
            "tenant": self.tenant,
            "changes": [_what_counts(change) for change in self.changes if change.action != "no-op"],
            "calls": [_members(call) for call in self.calls],
        }
        return "sha256:" + hashlib.sha256(canonical_json(content).encode()).hexdigest()


def _what_counts(change: Change) -> dict[str, Any]:
    """A comment added above a resource moves its line, and changes nothing; nor does who answers for it."""
    content = _members(change)
    del content["owner"]
    content["fields"] = [_members(each) for each in change.fields]
    for part in (content, *content["fields"]):
        del part["where"]
    return content


def _members(value: Change | FieldChange | Call) -> dict[str, Any]:
    """By name, and as they are: `asdict` would copy all that they hold."""
    return {each.name: getattr(value, each.name) for each in fields(value)}


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces: the form that is hashed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
