"""The mutating requests of a run, in the order in which they were begun."""

from __future__ import annotations

import itertools
from dataclasses import replace

from cwsync.api import Rejected, ServiceError
from cwsync.plan import Call, Sent


class Requests:
    """Written by many threads. A request that nobody saw end stays "unknown"."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._sent: dict[int, Sent] = {}

    def begun(self, call: Call, method: str, path: str) -> int:
        number = next(self._numbers)
        message = "no reply came before the run ended"
        self._sent[number] = Sent(
            number, call.order, call.address, call.action, method, path, "unknown", message
        )
        return number

    def ended(self, number: int, error: Exception | None = None) -> None:
        """`error` is the service's, or says that it was not to be sent again after it was refused."""
        sent = self._sent[number]
        if error is None:
            sent = replace(sent, outcome="done", message=None)
        elif isinstance(error, ServiceError) and not isinstance(error, Rejected):
            sent = replace(sent, message=str(error))
        else:
            sent = replace(sent, outcome="refused", message=str(error))
        self._sent[number] = sent

    def all(self) -> tuple[Sent, ...]:
        return tuple(sent for _, sent in sorted([*self._sent.items()]))
