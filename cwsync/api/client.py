"""The client: reads that are patient, mutations that are sent once, and lists read to their end."""

from __future__ import annotations

import builtins
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

from pydantic import SecretStr

from cwsync.api.auth import Identity, Session
from cwsync.api.clock import SYSTEM_CLOCK, Clock
from cwsync.api.credentials import Credentials
from cwsync.api.limiter import Limiter
from cwsync.api.line import NO_PARAMS, Line
from cwsync.api.mutation import UNSAID, Mutation
from cwsync.api.paging import LIMIT, Listing, read_all
from cwsync.api.parallel import each
from cwsync.api.regions import Endpoint
from cwsync.api.replies import Call, Failure, Reply, nothing
from cwsync.api.stats import Stats
from cwsync.api.transport import Transport, Wire
from cwsync.audit import Purpose, Trail
from cwsync.errors import fail
from cwsync.telemetry import NO_SPANS, Spans

Item = TypeVar("Item")
Result = TypeVar("Result")


def quote_id(identifier: str) -> str:
    """An id as one part of a path, whatever it holds. CW304 for what would change the path itself."""
    if identifier in {"", ".", ".."}:
        raise fail("CW304", f"'{identifier}' is not an id that the service could know")
    return quote(identifier, safe="")


class Client:
    """CloudWorks, for any number of threads at once.

    It signs in with the first call. `transport` replaces the network, `clock` replaces time;
    `parallelism` is the number of connections and of `each`'s threads; `per_second` bounds the
    requests, over all threads (None: no bound); there are fewer where the service refuses some.
    `trail` gets a line for each mutation, and `spans` are told of each request. Raises CW301 where the
    proxy or certificate settings of the environment cannot be used.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        credentials: Credentials,
        *,
        transport: Transport | None = None,
        parallelism: int = 8,
        per_second: float | None = 10.0,
        clock: Clock = SYSTEM_CLOCK,
        trail: Trail | None = None,
        spans: Spans = NO_SPANS,
    ) -> None:
        self.trail = trail or Trail()
        self._clock = clock
        self._parallelism = parallelism
        self._tell: Callable[[int, int], None] = lambda _done, _total: None
        # One pool for all threads: as quick as a client for each at up to 20 of them, and simpler.
        self._wire = Wire(transport, parallelism + 1, clock)
        self._limiter = Limiter(per_second, clock)
        self._api = Line(self._wire, endpoint.api, self._limiter, clock, spans)
        self._auth = Line(self._wire, endpoint.auth, self._limiter, clock, spans)
        self._session = Session(self._auth, credentials, clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. The token stays valid; see `logout`."""
        self._wire.close()

    def get(self, path: str, params: Mapping[str, str | int] = NO_PARAMS) -> dict[str, Any]:
        """Read one JSON object, repeating the request where that can help (facts D, retry rule).

        Raises `ServiceError`: the `Rejected` family where the service says no, itself where no
        usable reply came (CW301, CW310, CW311).
        """
        return self._perform(Call("GET", path), params).body

    def get_text(self, path: str) -> str:
        """Read one text, such as a dump, decoded by the charset of its header, else as UTF-8.

        What cannot be decoded is replaced. Repeats and raises as `get` does; CW301 beyond 50 MB.
        """
        return self._perform(Call("GET", path, text=True), NO_PARAMS).text

    def list(
        self, path: str, key: str, params: Mapping[str, str | int] = NO_PARAMS, *, id_key: str
    ) -> Listing:
        """Read a whole list: the entries under `key`, told apart by `id_key`.

        Raises as `get` does, and `Incomplete` (CW312) where not every entry could be read.
        """
        return read_all(
            lambda offset: self.get(path, {**params, "limit": LIMIT, "offset": offset}), path, key, id_key
        )

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        before: Callable[[], None] = nothing,
        wanted: Callable[[], None] | None = None,
        purpose: Purpose = UNSAID,
        made: Callable[[Reply], str | None] = lambda _reply: None,
    ) -> Reply:
        """Make one mutation. Once bytes may have been sent it is not sent again (R2).

        Secrets in `body` may be `SecretStr`: they are opened here, and kept out of every message.
        Raises `Rejected` or `Ambiguous` (R3). What the service certainly did nothing with (no
        connection, 429, a stale token) is sent again within bounds before that.

        `before` is called immediately before each of these requests leaves, and `wanted` every second while
        one has to wait. What they raise goes through, and then that request has not left.

        What came of it is in the audit trail when this returns or raises: `purpose` says what it was for, and
        `made` reads the id of what was made, or raises. Where nothing can be written there any more, nothing
        leaves: `Rejected` (CW544).
        """
        content, secrets = _encode(body)
        with Mutation(self.trail, self._clock, self.server_time, purpose, (method, path)) as mutation:

            def leaves() -> None:
                before()
                mutation.sends()

            call = Call(
                method, path, content, secrets, mutates=True, before=leaves, wanted=wanted, purpose=purpose
            )
            reply = self._perform(call, NO_PARAMS, mutation.seen)
            mutation.id = made(reply)
            return replace(reply, id=mutation.id)

    def each(self, function: Callable[[Item], Result], items: Iterable[Item]) -> builtins.list[Result]:
        """`function` over all items in `parallelism` threads; see `cwsync.api.parallel.each`."""
        return each(function, items, self._parallelism, self._tell)

    def follow(self, tell: Callable[[int, int], None]) -> None:
        """From now on, tell how many of how many items `each` is through with, in the thread that called it."""
        self._tell = tell

    def whoami(self) -> Identity:
        """Whom the credentials stand for, as the sign-in service says."""
        return self._session.whoami()

    def logout(self) -> None:
        """End the token, if this client created it. A token that was given to it is left alone."""
        self._session.logout()

    def server_time(self) -> datetime | None:
        """The last `Date` that CloudWorks sent."""
        return self._api.server_time

    def server_now(self) -> datetime | None:
        """What CloudWorks' clock shows by now, at the least; None before its first reply."""
        return self._api.server_now()

    @property
    def stats(self) -> Stats:
        api, auth = self._api, self._auth
        return Stats(
            calls=api.calls,
            mutations=api.mutations,
            retries=api.retries,
            refused=api.refused,
            paced=api.waits.paced,
            paused=api.waits.paused + api.backed_off,
            token_calls=auth.calls,
            token_retries=auth.retries,
            token_refused=auth.refused,
            token_paced=auth.waits.paced,
            token_paused=auth.waits.paused + auth.backed_off,
            token_seconds=auth.seconds + auth.backed_off,
        )

    def _perform(
        self,
        call: Call,
        params: Mapping[str, str | int],
        seen: Callable[[Reply | Failure], None] = lambda _outcome: None,
    ) -> Reply:
        _check_path(call.path)
        once = partial(self._authorized, call, params, seen)
        outcome = self._api.persist(once, mutates=call.mutates, wanted=call.wanted)
        if isinstance(outcome, Failure):
            raise outcome.error()
        return outcome

    def _authorized(
        self, call: Call, params: Mapping[str, str | int], seen: Callable[[Reply | Failure], None]
    ) -> Reply | Failure:
        """One request; once more where the token was at fault, which the service did nothing with."""
        header = self._session.authorization()
        outcome = self._api.once(call, header, params)
        seen(outcome)
        if isinstance(outcome, Failure) and self._session.renew(header, outcome):
            outcome = self._api.once(call, self._session.authorization(), params)
            seen(outcome)
        return outcome


def _check_path(path: str) -> None:
    parts = path.split("/")
    if parts[0] or any(part in {"", ".", ".."} for part in parts[1:]) or "?" in path or "#" in path:
        raise fail("CW304", f"'{path}' is not a path of the service")


def _encode(body: Mapping[str, Any] | None) -> tuple[bytes | None, tuple[str, ...]]:
    """The body as JSON, and the secrets in it."""
    if body is None:
        return None, ()
    secrets: builtins.list[str] = []

    def reveal(value: object) -> object:
        if isinstance(value, Mapping):
            return dict(value)
        if not isinstance(value, SecretStr):
            raise TypeError(f"a {type(value).__name__} cannot be sent as JSON")
        secrets.append(value.get_secret_value())
        return secrets[-1]

    return json.dumps(body, default=reveal).encode(), tuple(filter(None, secrets))
