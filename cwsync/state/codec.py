"""Between a state and the bytes that a store keeps: as they are, or encrypted (`sealed.py`).

Every store is given a `Codec`, and goes through it for whatever it keeps, reads, or compares.
"""

from __future__ import annotations

from typing import Final, Protocol

from cwsync.state.document import State, last_line, to_json
from cwsync.state.reading import identity


class Codec(Protocol):
    """What is kept names `lineage`, `serial` and `writerNonce` in clear, so `reading.identity` reads either form."""

    def encode(self, state: State) -> bytes:
        """The bytes to keep."""

    def decode(self, data: bytes, where: str) -> bytes:
        """The document's text, of bytes that were kept. Whether it is a state, `reading.from_json` says."""

    def holds(self, data: bytes, state: State, where: str) -> bool:
        """Whether the bytes that are kept are this document."""


class Plain:
    """The document as it is."""

    def encode(self, state: State) -> bytes:
        return to_json(state)

    def decode(self, data: bytes, _where: str) -> bytes:
        return data

    def holds(self, data: bytes, state: State, where: str) -> bool:
        # No two writes have the same nonce, and it stands at the end: that spares parsing the document each time.
        return data.endswith(last_line(state)) or identity(data, where) == state.identity


PLAIN: Final = Plain()
