"""The port to wherever the state is kept: reading one document, and compare-and-swap of it.

With `send`, this is one of the two ports that touch the world while applying.

A store keeps bytes, and a `Codec` says which: it may encrypt them. So a store takes `codec: Codec = PLAIN`, and
writes `codec.encode(state)`, reads with `opened(data, where, codec)`, compares with
`require_unchanged(data, old, where, codec)` or `reading.identity`, and gives `codec.decode(data, where)` as `raw`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol
from uuid import uuid4

from cwsync.errors import CwsyncError, Problem, fail
from cwsync.state import reading
from cwsync.state.codec import PLAIN, Codec
from cwsync.state.document import State


class Conflict(CwsyncError):  # noqa: N818 - it names what happened, not a mistake of the caller's
    """CW405: what is stored is not what the change was based on. Nothing was written."""


class Store(Protocol):
    """One document. Reading and writing raise CW401 where that fails, and CW402 for a newer document."""

    def read(self) -> State | None:
        """The document, or None where there is none yet. Raises CW410 where it has moved to another store."""

    def commit(self, old: State | None, new: State) -> State:
        """Replace `old` (None: no document) by `new`, with the next serial and a nonce of this write.

        Returns what is stored now. Raises `Conflict` where something else than `old` is stored. After any
        other error it is open whether `new` was written: read before the next commit.
        """

    def raw(self) -> bytes | None:
        """The document's text, also where it has moved, or is arriving; None where there is none yet."""

    def describe(self) -> str:
        """What the document is called in messages."""


def opened(data: bytes, where: str, codec: Codec = PLAIN) -> State:
    """The document, to be worked with. Raises CW410 where it has moved to another store, or not arrived yet."""
    state = reading.from_json(codec.decode(data, where), where)
    if state.movedTo is not None:
        raise fail(
            "CW410",
            f"{where} has moved to {state.movedTo}",
            hint=f"write `state: {state.movedTo}` for this environment in cwsync.yaml: that is where it goes on",
        )
    if state.arriving:
        raise fail(
            "CW410",
            f"{where} is on its way there: cwsync state migrate was cut off",
            hint="name the place that it comes from as `state` in cwsync.yaml, and run cwsync state migrate again",
        )
    return state


def conflict(where: str, what: str) -> Conflict:
    return Conflict(
        Problem("CW405", f"{where} {what}", hint="see what is there now with a new plan, then apply again")
    )


def require_unchanged(stored: bytes | None, old: State | None, where: str, codec: Codec = PLAIN) -> None:
    """Raise `Conflict` unless the stored bytes are the document `old`."""
    if stored is None or old is None:
        if stored is not None or old is not None:
            raise conflict(where, "was created by another run" if old is None else "is gone")
        return
    if not codec.holds(stored, old, where):
        raise conflict(where, "was changed by another run")


def advanced(old: State | None, new: State) -> State:
    """`new` as the successor of `old`. A copy that is put back (`new` with a serial of its own) is later than
    either: a plan that was made for one of them must not fit it."""
    return replace(new, serial=max(old.serial if old else 0, new.serial) + 1, writerNonce=uuid4().hex)
