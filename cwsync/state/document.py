"""The state document: what is known to be ours, as frozen values, and its text.

Fields are named as they are in the document (CONTRACT section 5). Nothing here does I/O. What hangs
in a value is never changed in place: every function returns a new `State` that shares what is equal.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from json.encoder import encode_basestring
from typing import Literal, TypeAlias, TypeVar
from uuid import uuid4

from cwsync.errors import fail

FORMAT = "cwsync-state"
SEALED = "cwsync-state-encrypted"
VERSION = 2

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Origin: TypeAlias = Literal["created", "adopted"]


@dataclass(frozen=True)
class Fingerprint:
    """A keyed fingerprint of a secret, and which key made it. `address` is the one that it was made for,
    where the resource has been moved since."""

    fingerprint: str
    keyId: str
    address: str | None = None


@dataclass(frozen=True)
class Entry:
    """A managed object. `applied` is its body as last applied: plain JSON values, without secrets.

    `parent` is an address (a schedule's and a notification's integration). `protect` keeps
    preventDestroy after its block is gone. `seen` is the live object's modification date when it was last read in
    full and was as applied; None where a later change might keep the date. `unread` are the fields that it did not
    show then, as patterns of its kind's rules.
    """

    kind: str
    id: str
    name: str
    applied: Mapping[str, Json]
    parent: str | None = None
    secrets: Mapping[str, Fingerprint] = field(default_factory=dict)
    protect: bool = False
    origin: Origin = "created"
    seen: str | None = None
    unread: tuple[str, ...] = ()

    @cached_property
    def text(self) -> str:
        """The entry as JSON, indented for its place in the document. It is kept, because a commit writes every
        entry and changes few."""
        optional = {"parent": self.parent, "seen": self.seen, "unread": list(self.unread) or None}
        document = _dumps(
            {
                "kind": self.kind,
                "id": self.id,
                "name": self.name,
                "applied": self.applied,
                "secrets": {name: _plain(mark) for name, mark in self.secrets.items()},
                "protect": self.protect,
                "origin": self.origin,
            }
            | {name: value for name, value in optional.items() if value is not None}
        )
        return _deeper(_deeper(document))


@dataclass(frozen=True)
class Holder:
    """The process that holds the lock. `boot` says in which run of which machine `process` has a meaning."""

    user: str
    host: str
    process: int
    boot: str | None = None

    def __str__(self) -> str:
        return f"{self.user} on {self.host} (process {self.process})"


@dataclass(frozen=True)
class Lock:
    """Who may change the state now. `since` and `beat` are the holder's wall clock and only for people to
    read; `ttl` is in seconds."""

    holder: Holder
    run: str
    epoch: int
    nonce: str
    since: str
    beat: str
    ttl: int


@dataclass(frozen=True)
class Pre:
    """What a request finds before it: nothing by that name, or an object with that fingerprint."""

    absent: Literal[True] | None = None
    fingerprint: str | None = None


ABSENT = Pre(absent=True)


@dataclass(frozen=True)
class Intent:
    """A mutating request that is about to be sent, or was, and whose end is not recorded yet.

    `serverTime` is the service's own `Date`; `protect` is the preventDestroy that comes with it; operations
    of one `group` end together.
    """

    op: str
    run: str
    epoch: int
    address: str
    kind: str
    action: str
    name: str
    desiredHash: str
    pre: Pre
    serverTime: str
    attempt: int = 1
    targetId: str | None = None
    parent: str | None = None
    secretFingerprints: Mapping[str, Fingerprint] = field(default_factory=dict)
    protect: bool = False
    group: str | None = None

    @cached_property
    def text(self) -> str:
        """The intent as JSON, indented for its place in the document, and kept as an entry's is."""
        return _deeper(_deeper(_dumps(_plain(self))))


@dataclass(frozen=True)
class Deposed:
    """An object that was renamed aside for its replacement, and still has to go."""

    address: str
    kind: str
    id: str
    name: str


Moving = TypeVar("Moving", Intent, Deposed)


@dataclass(frozen=True)
class State:
    """The whole document. A store gives `serial` and `writerNonce`; with `lineage` they tell which
    document this is. `epoch` counts the acquisitions of the lock. `settling` is how many seconds the next
    holder lets pass before it sends anything: so long may requests of a run before still be under way.

    `movedTo` is where the state is kept now, as cwsync.yaml names it: then this document is only what it left
    behind. `arriving` is set in the other one until it has left."""

    lineage: str
    serial: int = 0
    epoch: int = 0
    writerNonce: str = ""
    tenant: str | None = None
    lock: Lock | None = None
    pending: Mapping[str, Intent] = field(default_factory=dict)
    deposed: tuple[Deposed, ...] = ()
    resources: Mapping[str, Entry] = field(default_factory=dict)
    settling: int = 0
    movedTo: str | None = None
    arriving: bool = False

    @classmethod
    def new(cls, tenant: str | None = None) -> State:
        return cls(lineage=uuid4().hex, tenant=tenant)

    @property
    def identity(self) -> tuple[str, int, str]:
        return self.lineage, self.serial, self.writerNonce

    def bound_to(self, tenant: str) -> State:
        """This state, bound to the tenant from its next commit on. Raises CW403 if it belongs to another."""
        if self.tenant not in (None, tenant):
            raise fail(
                "CW403",
                f"the state belongs to the tenant {self.tenant}, and this environment is the tenant {tenant}",
                hint="choose the environment that belongs to this state, or set a `state` of its own for this "
                "one in cwsync.yaml",
            )
        return replace(self, tenant=tenant)

    def with_entry(self, address: str, entry: Entry) -> State:
        return replace(self, resources={**self.resources, address: entry})

    def without_entry(self, address: str) -> State:
        return replace(self, resources={at: entry for at, entry in self.resources.items() if at != address})

    def moved(self, source: str, target: str) -> State:
        """All that is known at one address, under another: its parts, what it replaced, what is pending."""
        return self.relabelled({source: target})

    def relabelled(self, targets: Mapping[str, str]) -> State:
        """The same for several addresses at once, of which none is the target of another."""

        def renamed(one: Moving) -> Moving:
            return replace(one, address=targets[one.address]) if one.address in targets else one

        def follows(entry: Entry) -> Entry:
            parent = targets.get(entry.parent or "")
            return entry if parent is None else replace(entry, parent=parent)

        rest = {at: follows(entry) for at, entry in self.resources.items() if at not in targets}
        moved = {
            target: follows(_sealed_at(source, self.resources[source])) for source, target in targets.items()
        }
        return replace(
            self,
            resources={**rest, **moved},
            pending={op: renamed(intent) for op, intent in self.pending.items()},
            deposed=tuple(renamed(one) for one in self.deposed),
        )

    def with_intents(self, intents: Iterable[Intent]) -> State:
        return replace(self, pending={**self.pending, **{intent.op: intent for intent in intents}})

    def without_intents(self, ops: Iterable[str]) -> State:
        ended = set(ops)
        if ended.isdisjoint(self.pending):
            return self
        return replace(self, pending={op: intent for op, intent in self.pending.items() if op not in ended})

    def with_lock(self, lock: Lock | None) -> State:
        return replace(self, lock=lock)


def _sealed_at(address: str, entry: Entry) -> Entry:
    """The entry, whose fingerprints say for which address they were made."""
    marks = {
        name: mark if mark.address else replace(mark, address=address) for name, mark in entry.secrets.items()
    }
    return replace(entry, secrets=marks)


def to_json(state: State) -> bytes:
    """The document's bytes: sorted keys, two spaces, a newline at the end. Equal states give equal bytes."""
    members = {
        "format": _dumps(FORMAT),
        "version": _dumps(VERSION),
        "lineage": _dumps(state.lineage),
        "serial": _dumps(state.serial),
        "epoch": _dumps(state.epoch),
        "writerNonce": _dumps(state.writerNonce),
        "tenant": _dumps(state.tenant),
        "lock": _deeper(_dumps(state.lock and _plain(state.lock))),
        "pending": _object({op: intent.text for op, intent in state.pending.items()}, "    "),
        "deposed": _deeper(_dumps([_plain(deposed) for deposed in state.deposed])),
        "resources": _object({address: entry.text for address, entry in state.resources.items()}, "    "),
    }
    if state.settling:
        members["settling"] = _dumps(state.settling)
    if state.movedTo is not None:
        members["movedTo"] = _dumps(state.movedTo)
    if state.arriving:
        members["arriving"] = _dumps(state.arriving)
    # Only half of a surrogate pair cannot be UTF-8, and its backslash form is what JSON calls it too.
    return (_object(members, "  ") + "\n").encode("utf-8", "backslashreplace")


def last_line(state: State) -> bytes:
    """How the document's bytes end."""
    return f'  "writerNonce": {_dumps(state.writerNonce)}\n}}\n'.encode()


def _plain(value: Intent | Lock | Deposed | Fingerprint) -> dict[str, Json]:
    """The value's fields without those that are None, nor the operation that is its key in `pending`."""
    made = asdict(value, dict_factory=lambda pairs: {name: item for name, item in pairs if item is not None})
    made.pop("op", None)
    return made


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, indent=2)


def _deeper(text: str) -> str:
    """One level further in. Line ends within strings are escaped in JSON: all that are there are layout."""
    return text.replace("\n", "\n  ")


def _object(members: Mapping[str, str], indent: str) -> str:
    """An object whose members are JSON text already, indented for their place."""
    lines = [f"{indent}{encode_basestring(name)}: {members[name]}" for name in sorted(members)]
    return "{\n" + ",\n".join(lines) + f"\n{indent[2:]}}}" if lines else "{}"
