"""One mutation on its way, and its line in the audit trail. `Client.send` is the only way out for a mutation, so
none is made without."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Self

from cwsync.api.clock import Clock
from cwsync.api.errors import Rejected, ServiceError
from cwsync.api.replies import Failure, Reply
from cwsync.audit import Entry, Purpose, Trail
from cwsync.errors import CwsyncError

UNSAID = Purpose("", "")


class Mutation:
    """Between its beginning and its end `sends` is told of each request, and `seen` of what came back.

    The line is written at the end, whatever the end is, where any request has left.
    """

    def __init__(
        self,
        trail: Trail,
        clock: Clock,
        server_time: Callable[[], datetime | None],
        purpose: Purpose,
        call: tuple[str, str],
    ) -> None:
        self._trail = trail
        self._clock = clock
        self._server_time = server_time
        self._purpose = purpose
        self._method, self._path = call
        self._begun = clock.monotonic()
        self._requests = 0
        self._seen: Reply | Failure | None = None
        self.id: str | None = None

    def sends(self) -> None:
        """A request is about to leave. Raises `Rejected` (CW544) where no line could be written about it."""
        try:
            self._trail.check()
        except CwsyncError as error:
            raise Rejected(error.problems[0]) from None
        self._requests += 1
        self._seen = None

    def seen(self, outcome: Reply | Failure) -> None:
        self._seen = outcome

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What ends the process leaves no time for a line: the next run resolves what the state says of it.
        ends = isinstance(error, BaseException) and not isinstance(error, Exception | KeyboardInterrupt)
        if self._requests == 0 or ends:
            return
        self._trail.write(
            Entry(
                "mutation",
                self._purpose,
                self._outcome(error),
                self._method,
                self._path,
                self._requests,
                status=self._seen.status if self._seen else None,
                code=error.problem.code if isinstance(error, ServiceError) else None,
                id=self.id,
                seconds=self._clock.monotonic() - self._begun,
                server_time=self._server_time(),
            )
        )

    def _outcome(self, error: BaseException | None) -> str:
        if error is None:
            return "applied"
        if isinstance(error, ServiceError):
            return "rejected" if isinstance(error, Rejected) else "ambiguous"
        # The run stopped: between two requests, of which the service did nothing with the first, or within one.
        return "rejected" if isinstance(self._seen, Failure) else "ambiguous"
