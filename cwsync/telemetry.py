"""What a run tells of its course while it goes on: spans, for whoever follows it with OpenTelemetry.

Only the words are here, and somebody who does not listen. Nothing of OpenTelemetry is known outside of
`cwsync.cli.tracing`, which is loaded with it only where a user asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Attributes = Mapping[str, str | int]
NONE: Attributes = {}


class Span(Protocol):
    """Something that is going on. It fails by itself where an exception goes through it."""

    def tell(self, attributes: Attributes) -> None: ...

    def fail(self, kind: str) -> None:
        """`kind` is a word or a code, and never a message: those may quote the service."""


class Spans(Protocol):
    def span(
        self, name: str, attributes: Attributes = NONE, *, client: bool = False
    ) -> AbstractContextManager[Span]:
        """Something begins, as a part of what is going on in this context; `client` marks a request that leaves."""


class _Nobody:
    def tell(self, attributes: Attributes) -> None: ...

    def fail(self, kind: str) -> None: ...

    @contextmanager
    def span(self, name: str, attributes: Attributes = NONE, *, client: bool = False) -> Iterator[Span]:  # noqa: ARG002 - nobody listens
        yield self


NO_SPANS: Spans = _Nobody()
