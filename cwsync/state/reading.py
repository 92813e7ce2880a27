"""From a state's bytes to its value: strict, so that a damaged or newer document is never half understood."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, cast, get_args

from cwsync.errors import CwsyncError, fail
from cwsync.state.document import (
    FORMAT,
    SEALED,
    VERSION,
    Deposed,
    Entry,
    Fingerprint,
    Holder,
    Intent,
    Lock,
    Origin,
    Pre,
    State,
)

T = TypeVar("T")
Document = dict[str, Any]  # JSON as it was parsed: the wire
Migrations = Mapping[int, Callable[[Document], Document]]

MIGRATIONS: Migrations = {
    1: lambda document: document,  # version 2 added a moved secret's address, settling, movedTo, arriving
}
"""For each older version, the function that makes the next version's document of it."""

_WAY_OUT = (
    "move it away, and put a good copy in its place with cwsync state push; if there is none, cwsync starts "
    "without knowing what it created, and stops at every name that is taken"
)
_FORMS = {dict: "an object", list: "a list", str: "text", int: "a whole number", bool: "true or false"}


class _WrongForm(ValueError):  # noqa: N818 - private, and never leaves this file
    """What is wrong, and at which path in the document. Values are never part of it."""


def from_json(data: bytes, where: str) -> State:
    """The state that these bytes are. `where` names the document in messages.

    Raises CW401 where they are not a state, and CW402 where a newer cwsync wrote them.
    """
    try:
        return _state(_Fields(migrated(_parsed(data), where), ""))
    except _WrongForm as error:
        raise unreadable(where, str(error)) from None


def identity(data: bytes, where: str) -> tuple[object, object, object]:
    """Which document these bytes are, for comparing with `State.identity`, without reading all of it."""
    document = members(data, where)
    return document.get("lineage"), document.get("serial"), document.get("writerNonce")


def members(data: bytes, where: str) -> Document:
    """What the document consists of, whatever its form is. Raises CW401 where it is none."""
    try:
        return _parsed(data)
    except _WrongForm as error:
        raise unreadable(where, str(error)) from None


def unreadable(where: str, reason: str) -> CwsyncError:
    return fail("CW401", f"{where} cannot be read: {reason}", hint=_WAY_OUT)


def migrated(
    document: Document, where: str, *, to: int = VERSION, migrations: Migrations = MIGRATIONS
) -> Document:
    """The document in the form of version `to`. Raises CW402 for a newer one."""
    if document.get("format") == SEALED:
        raise fail(
            "CW411",
            f"{where} is encrypted, and this environment has no key for it",
            hint="write `encryption: {key: {fromEnv: CWSYNC_STATE_KEY}}` for it in cwsync.yaml, and give the key "
            "that the state was encrypted with",
        )
    if document.get("format") != FORMAT:
        raise _WrongForm("it is JSON, but not a cwsync state")
    version = document.get("version")
    if type(version) is not int:
        raise _WrongForm("version must be a whole number")
    if version > to:
        raise fail(
            "CW402",
            f"{where} has version {version}, and this cwsync knows versions up to {to}",
            hint="use the newer cwsync that wrote it; nothing was changed",
        )
    for step in range(version, to):
        if step not in migrations:
            raise _WrongForm(f"it has version {version}, which no cwsync has written or can still read")
        document = {**migrations[step](document), "version": step + 1}
    return document


def _parsed(data: bytes) -> Document:
    try:
        document = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except _WrongForm:
        raise
    except json.JSONDecodeError as error:
        what = "it is empty" if not data.strip() else "it is damaged or cut short"
        raise _WrongForm(f"{what} (not JSON from line {error.lineno}, column {error.colno})") from None
    except UnicodeDecodeError:
        raise _WrongForm("it is not UTF-8 text") from None
    except (ValueError, RecursionError):
        raise _WrongForm("it holds a number too long, or is nested too deeply") from None
    if not isinstance(document, dict):
        raise _WrongForm("it is JSON, but not a cwsync state")
    return document


def _unique(pairs: list[tuple[str, Any]]) -> Document:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _WrongForm("an object in it has the same key twice")
    return made


def _no_constant(name: str) -> float:
    raise _WrongForm(f"{name} is not a number that JSON knows")


class _Fields:
    """One object of the document: each field is taken once, and a field that is left over is an error."""

    def __init__(self, value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise _WrongForm(f"{path} must be an object")
        self._rest: Document = dict(value)
        self._path = path

    def take(self, name: str, form: type[T]) -> T:
        found = self.maybe(name, form)
        if found is None:
            raise _WrongForm(f"{self._at(name)} is missing")
        return found

    def maybe(self, name: str, form: type[T]) -> T | None:
        found = self._rest.pop(name, None)
        # `type`, not isinstance: for Python, true is a whole number
        if found is not None and type(found) is not form:
            raise _WrongForm(f"{self._at(name)} must be {_FORMS[form]}")
        return found

    def inner(self, name: str) -> _Fields:
        return _Fields(self.take(name, dict), self._at(name))

    def members(self, name: str) -> Iterator[tuple[str, _Fields]]:
        for key, value in (self.maybe(name, dict) or {}).items():
            yield key, _Fields(value, f"{self._at(name)}.{key}")

    def texts(self, name: str) -> tuple[str, ...]:
        found = self.maybe(name, list) or []
        if not all(isinstance(one, str) for one in found):
            raise self.wrong(name, "must be a list of texts")
        return tuple(found)

    def items(self, name: str) -> Iterator[_Fields]:
        for index, value in enumerate(self.maybe(name, list) or ()):
            yield _Fields(value, f"{self._at(name)}[{index}]")

    def wrong(self, name: str, rule: str) -> _WrongForm:
        return _WrongForm(f"{self._at(name)} {rule}")

    def ended(self, value: T) -> T:
        for name in self._rest:
            raise _WrongForm(f"{self._at(name)} is nothing that this cwsync knows")
        return value

    def _at(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name


def _state(fields: _Fields) -> State:
    fields.take("format", str)
    fields.take("version", int)
    lock = fields.maybe("lock", dict)
    return fields.ended(
        State(
            lineage=fields.take("lineage", str),
            serial=fields.take("serial", int),
            epoch=fields.take("epoch", int),
            writerNonce=fields.take("writerNonce", str),
            tenant=fields.maybe("tenant", str),
            lock=None if lock is None else _lock(_Fields(lock, "lock")),
            pending={op: _intent(op, inner) for op, inner in fields.members("pending")},
            deposed=tuple(_deposed(inner) for inner in fields.items("deposed")),
            resources={address: _entry(inner) for address, inner in fields.members("resources")},
            settling=fields.maybe("settling", int) or 0,
            movedTo=fields.maybe("movedTo", str),
            arriving=fields.maybe("arriving", bool) or False,
        )
    )


def _entry(fields: _Fields) -> Entry:
    origin = fields.take("origin", str)
    if origin not in get_args(Origin):
        raise fields.wrong("origin", "must be created or adopted")
    return fields.ended(
        Entry(
            kind=fields.take("kind", str),
            id=fields.take("id", str),
            name=fields.take("name", str),
            applied=fields.take("applied", dict),
            parent=fields.maybe("parent", str),
            secrets=_fingerprints(fields, "secrets"),
            protect=fields.take("protect", bool),
            origin=cast("Origin", origin),
            seen=fields.maybe("seen", str),
            unread=fields.texts("unread"),
        )
    )


def _fingerprints(fields: _Fields, name: str) -> dict[str, Fingerprint]:
    return {
        secret: inner.ended(
            Fingerprint(inner.take("fingerprint", str), inner.take("keyId", str), inner.maybe("address", str))
        )
        for secret, inner in fields.members(name)
    }


def _lock(fields: _Fields) -> Lock:
    holder = fields.inner("holder")
    return fields.ended(
        Lock(
            holder=holder.ended(
                Holder(
                    user=holder.take("user", str),
                    host=holder.take("host", str),
                    process=holder.take("process", int),
                    boot=holder.maybe("boot", str),
                )
            ),
            run=fields.take("run", str),
            epoch=fields.take("epoch", int),
            nonce=fields.take("nonce", str),
            since=fields.take("since", str),
            beat=fields.take("beat", str),
            ttl=fields.take("ttl", int),
        )
    )


def _intent(op: str, fields: _Fields) -> Intent:
    return fields.ended(
        Intent(
            op=op,
            run=fields.take("run", str),
            epoch=fields.take("epoch", int),
            address=fields.take("address", str),
            kind=fields.take("kind", str),
            action=fields.take("action", str),
            name=fields.take("name", str),
            desiredHash=fields.take("desiredHash", str),
            pre=_pre(fields.inner("pre"), fields),
            serverTime=fields.take("serverTime", str),
            attempt=fields.take("attempt", int),
            targetId=fields.maybe("targetId", str),
            parent=fields.maybe("parent", str),
            secretFingerprints=_fingerprints(fields, "secretFingerprints"),
            protect=fields.maybe("protect", bool) or False,
            group=fields.maybe("group", str),
        )
    )


def _pre(fields: _Fields, intent: _Fields) -> Pre:
    absent, fingerprint = fields.maybe("absent", bool), fields.maybe("fingerprint", str)
    if absent is True and fingerprint is None:
        return fields.ended(Pre(absent=True))
    if absent is None and fingerprint is not None:
        return fields.ended(Pre(fingerprint=fingerprint))
    raise intent.wrong("pre", "must be either absent or a fingerprint")


def _deposed(fields: _Fields) -> Deposed:
    return fields.ended(
        Deposed(
            address=fields.take("address", str),
            kind=fields.take("kind", str),
            id=fields.take("id", str),
            name=fields.take("name", str),
        )
    )
