"""Signing in: one token a run, kept fresh, and replaced where the service no longer takes it.

Facts A7, B39 and F18; engine protocol, "Token".
"""

from __future__ import annotations

import os
from base64 import b64encode
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import RLock

from cwsync.api import certificate
from cwsync.api.clock import Clock
from cwsync.api.credentials import Basic, Certificate, Credentials, Token
from cwsync.api.errors import Rejected
from cwsync.api.line import Line
from cwsync.api.replies import Call, Failure, Reply
from cwsync.errors import CwsyncError, Problem

REFRESH_SECONDS = 300.0
SKEW_SECONDS = 60.0
REFUSED = (400, 401, 403)

_AUTHENTICATE = Call("POST", "/token/authenticate")
_REFRESH = Call("POST", "/token/refresh")
_VALIDATE = Call("GET", "/token/validate")
_LOGOUT = Call("POST", "/token/logout")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the token stands for, as the sign-in service says."""

    user_guid: str | None
    user_id: str | None
    customer_guid: str | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Grant:
    """A token. `expires` and `due` (for a refresh) are on the monotonic clock; None where not known."""

    token: str = field(repr=False)
    ours: bool
    expires: float | None = None
    due: float | None = None

    @property
    def header(self) -> str:
        return f"AnaplanAuthToken {self.token}"


class Session:
    """The token of one run, shared by all threads. What it raises is `Rejected`: nothing was done."""

    def __init__(self, line: Line, credentials: Credentials, clock: Clock) -> None:
        self._line = line
        self._credentials = credentials
        self._clock = clock
        self._lock = RLock()
        self._grant: _Grant | None = None
        self._refused: Failure | None = None

    def authorization(self) -> str:
        """The header's value; signs in when first asked, refreshes when under 5 minutes are left."""
        with self._lock:
            if self._grant is None:
                self._grant = self._begin()
            elif self._grant.due is not None and self._clock.monotonic() >= self._grant.due:
                self._grant = self._refreshed(self._grant)
            return self._grant.header

    def renew(self, used: str, failure: Failure) -> bool:
        """Whether a call that failed with the header `used` is worth sending again with a new token.

        A 401 says so; a 403 only where the token does not validate (facts B39).
        """
        if failure.status not in {401, 403}:
            return False
        with self._lock:
            if self._grant is not None and self._grant.header != used:
                return True
            if isinstance(self._credentials, Token):
                return False
            if failure.status == 403 and not self._is_refused(self._line.once(_VALIDATE, used)):
                return False
            self._grant = self._authenticate()
            return True

    def whoami(self) -> Identity:
        """Ask the sign-in service whom the token stands for."""
        header = self.authorization()
        reply = self._line.persist(lambda: self._line.once(_VALIDATE, header), mutates=False)
        if isinstance(reply, Failure):
            raise self._refusal(reply).error()
        user = reply.body.get("userInfo")
        user = user if isinstance(user, dict) else {}
        expires = _expires_at(reply)
        return Identity(
            _text(user.get("userGuid")),
            _text(user.get("userId")),
            _text(user.get("customerGuid")),
            None if expires is None else datetime.fromtimestamp(expires, UTC),
        )

    def logout(self) -> None:
        """End the token if this session created it; a failure to do so harms nobody."""
        with self._lock:
            grant, self._grant = self._grant, None
        if grant is not None and grant.ours:
            self._line.once(_LOGOUT, grant.header)

    def _begin(self) -> _Grant:
        if not isinstance(self._credentials, Token):
            return self._authenticate()
        token = self._credentials.value.get_secret_value().strip()
        if not _can_travel(token):
            raise Rejected(Problem("CW302", "the token holds characters that no token has"))
        grant = _Grant(token, ours=False)
        reply = self._line.once(_VALIDATE, grant.header)
        if isinstance(reply, Failure):
            if self._is_refused(reply):
                raise self._refusal(reply).error()
            # Validating tells when to refresh. Where it cannot be done, the token may still be good.
            return grant
        return self._timed(grant, reply, refreshed=False)

    def _authenticate(self) -> _Grant:
        if self._refused is not None:
            # Asking again with what was refused could lock the user out.
            raise self._refused.error()
        reply = self._line.persist(self._authenticate_once, mutates=False)
        token = _token_value(reply) if isinstance(reply, Reply) else None
        if isinstance(reply, Failure):
            failure = self._refusal(reply)
            # Before the first token, all that a run is to read waits here: once has been patient for all of it.
            if self._is_refused(reply) or self._grant is None:
                self._refused = failure
            raise failure.error()
        if token is None:
            raise Rejected(Problem("CW311", f"{_AUTHENTICATE}: the reply holds no token"))
        return self._timed(_Grant(token, ours=True), reply, refreshed=False)

    def _authenticate_once(self) -> Reply | Failure:
        """Header and payload are made for each attempt: a v2 payload is good for one request only."""
        given = self._credentials
        if isinstance(given, Basic):
            password = given.password.get_secret_value()
            pair = b64encode(f"{given.username}:{password}".encode()).decode()
            return self._line.once(replace(_AUTHENTICATE, secrets=(password,)), f"Basic {pair}")
        if not isinstance(given, Certificate):
            raise TypeError("a token cannot be exchanged for another")
        try:
            body = certificate.payload_json(given, self._clock.wall(), os.urandom(certificate.MESSAGE_BYTES))
            header = certificate.authorization(given)
        except CwsyncError as error:
            raise Rejected(error.problems[0]) from None
        return self._line.once(replace(_AUTHENTICATE, content=body.encode()), header)

    def _refreshed(self, grant: _Grant) -> _Grant:
        reply = self._line.once(_REFRESH, grant.header)
        if isinstance(reply, Reply):
            fresh = replace(grant, token=_token_value(reply) or grant.token)
            return self._timed(fresh, reply, refreshed=True)
        left = (grant.expires or 0.0) - self._clock.monotonic()
        if isinstance(self._credentials, Token) or (left > 0 and not self._is_refused(reply)):
            return replace(grant, due=self._clock.monotonic() + left / 2 if left > 0 else None)
        return self._authenticate()

    def _timed(self, grant: _Grant, reply: Reply, *, refreshed: bool) -> _Grant:
        """With the end of the token, by the server's clock wherever it tells the time."""
        expires_at = _expires_at(reply)
        server_now = reply.server_time.timestamp() if reply.server_time else self._clock.wall()
        if expires_at is None or expires_at <= server_now:
            return replace(grant, expires=None, due=None)
        now, left = self._clock.monotonic(), expires_at - server_now
        # A service whose tokens live for less than 5 minutes must not be asked before every call.
        due = max(left - REFRESH_SECONDS, left / 2 if refreshed else 0.0)
        return replace(grant, expires=now + left, due=now + due)

    def _is_refused(self, reply: Reply | Failure) -> bool:
        return isinstance(reply, Failure) and reply.status in REFUSED

    def _refusal(self, failure: Failure) -> Failure:
        """The same failure in the words of signing in."""
        if failure.status is None or not self._is_refused(failure):
            kind = failure.kind if issubclass(failure.kind, Rejected) else Rejected
            return replace(failure, kind=kind)
        said = f': the service says "{failure.message}"' if failure.message else ""
        text = f"signing in failed{said} (status {failure.status})"
        return replace(failure, kind=Rejected, problem=Problem("CW302", text, hint=self._advice(failure)))

    def _advice(self, failure: Failure) -> str:
        if isinstance(self._credentials, Token):
            return "the token is not valid or has expired: obtain a new one"
        if isinstance(self._credentials, Basic):
            return "check the user name and password; users with single sign-on need a certificate or a token"
        if failure.server_time is not None:
            skew = self._clock.wall() - failure.server_time.timestamp()
            if abs(skew) > SKEW_SECONDS:
                return f"set this machine's clock, which is {abs(skew) / 60:.0f} minutes off: signing in sends the time"
        return "check that this certificate is registered in Anaplan, or try another `format` or `header`"


def _token_info(reply: Reply) -> dict[str, object]:
    info = reply.body.get("tokenInfo")
    return info if isinstance(info, dict) else {}


def _token_value(reply: Reply) -> str | None:
    value = _token_info(reply).get("tokenValue")
    return value if isinstance(value, str) and _can_travel(value) else None


def _expires_at(reply: Reply) -> float | None:
    """Seconds since the epoch; the service counts in milliseconds."""
    value = _token_info(reply).get("expiresAt")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 2e14:
        return None
    return value / 1000


def _can_travel(token: str) -> bool:
    return bool(token) and token.isascii() and token.isprintable() and " " not in token


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
