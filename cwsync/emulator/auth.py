"""The authentication service: credentials in, a token out (facts A7).

Tokens are kept as digests: whoever reads the data file finds nothing to sign in with.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence

from cwsync.emulator import certificates
from cwsync.emulator.certificates import TrustedCertificate
from cwsync.emulator.store import Document
from cwsync.emulator.tenant.world import Person, World, person

BAD_HEADER = "FAILURE_BAD_HEADER"
BAD_CREDENTIAL = "FAILURE_BAD_CREDENTIAL"


class SignInRefused(Exception):  # noqa: N818 - a refusal is an answer, not a failure
    """A refusal in the authentication service's own form."""

    def __init__(self, status: int, word: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"status": word, "statusMessage": message}


class AuthService:
    """The calls of facts A7. `users` and `trust` empty: any well-formed credentials will do; where one of
    them is given, nothing else is accepted. `token_ttl` is in seconds."""

    def __init__(
        self,
        world: World,
        *,
        token_ttl: float,
        users: Mapping[str, str],
        trust: Sequence[TrustedCertificate],
    ) -> None:
        self._world = world
        self._ttl = token_ttl
        self._users = users
        self._trust = trust

    def authenticate(self, authorization: str | None, body: bytes) -> Document:
        scheme, value = _split(authorization)
        readers: dict[str, Callable[[str, bytes], str]] = {
            "Basic": self._basic,
            "CACertificate": self._certificate,
        }
        if scheme not in readers or not value:
            raise SignInRefused(401, BAD_HEADER, "The authorization header is not valid")
        who = person(readers[scheme](value, body))
        self._world.remember(who)
        self._forget_what_expired()
        token = secrets.token_urlsafe(96)
        return self._grant(token, who.guid, "Login successful")

    def refresh(self, authorization: str | None) -> Document:
        """The same token with a later end (live), or a new one (facts A7)."""
        token, kept = self._bearer(authorization, malformed=400)
        if self._world.profile.refresh_issues_new_token:
            self._world.store.delete("token", _digest(token))
            token = secrets.token_urlsafe(96)
        return self._grant(token, kept["guid"], "Token refreshed")

    def validate(self, authorization: str | None) -> Document:
        _, kept = self._bearer(authorization, malformed=400)
        who = self._world.known(kept["guid"])
        customer = uuid.uuid5(uuid.NAMESPACE_URL, "cloudworks-customer").hex
        return {
            "status": "SUCCESS",
            "statusMessage": "Token validated",
            "tokenInfo": {"expiresAt": int(kept["expires"] * 1000), "tokenId": kept["tokenId"]},
            "userInfo": {"userGuid": who.guid, "userId": who.login, "customerGuid": customer},
        }

    def logout(self, authorization: str | None) -> None:
        token, _ = self._bearer(authorization, malformed=401)
        self._world.store.delete("token", _digest(token))

    def holder(self, authorization: str | None) -> Person | None:
        """Who asks CloudWorks for something; it takes the token under either name (facts A)."""
        scheme, token = _split(authorization)
        kept = self._kept(token) if scheme in ("AnaplanAuthToken", "Bearer") else None
        return None if kept is None else self._world.known(kept["guid"])

    def _bearer(self, authorization: str | None, malformed: int) -> tuple[str, Document]:
        scheme, token = _split(authorization)
        if scheme != "AnaplanAuthToken" or not token:
            raise SignInRefused(malformed, BAD_HEADER, "The authorization header is not valid")
        kept = self._kept(token)
        if kept is None:
            raise SignInRefused(401, BAD_CREDENTIAL, "Token is invalid or has expired")
        return token, kept

    def _kept(self, token: str) -> Document | None:
        kept = self._world.store.get("token", _digest(token))
        return kept if kept is not None and kept["expires"] > self._world.clock() else None

    def _grant(self, token: str, guid: str, message: str) -> Document:
        kept: Document = {
            "guid": guid,
            "expires": self._world.clock() + self._ttl,
            "tokenId": str(uuid.uuid4()),
            "refreshTokenId": str(uuid.uuid4()),
        }
        self._world.store.put("token", _digest(token), kept)
        return {
            "status": "SUCCESS",
            "statusMessage": message,
            "tokenInfo": {
                "expiresAt": int(kept["expires"] * 1000),
                "tokenId": kept["tokenId"],
                "tokenValue": token,
                "refreshTokenId": kept["refreshTokenId"],
            },
        }

    def _basic(self, value: str, _body: bytes) -> str:
        try:
            login, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            login = colon = password = ""
        if not (login.strip() and colon and password):
            raise SignInRefused(401, BAD_HEADER, "The authorization header is not valid")
        if self._users or self._trust:
            expected = self._users.get(login)
            if expected is None or not hmac.compare_digest(expected.encode(), password.encode()):
                raise SignInRefused(401, BAD_CREDENTIAL, "Login failed: the user name or password is wrong")
        return login

    def _certificate(self, value: str, body: bytes) -> str:
        presented = certificates.read(value)
        payload = certificates.payload(body)
        if presented is None:
            raise SignInRefused(401, BAD_HEADER, "The certificate cannot be read")
        if payload is None:
            raise SignInRefused(401, BAD_CREDENTIAL, "The signed data is not well formed")
        if self._users or self._trust:
            now = self._world.clock()
            if not certificates.trusted(presented, payload, self._trust, now):
                raise SignInRefused(401, BAD_CREDENTIAL, "The certificate or its signature is not accepted")
            if payload.timestamp is not None:
                self._refuse_replay(payload.data, now)
        return presented.subject

    def _refuse_replay(self, data: bytes, now: float) -> None:
        """A v2 payload counts once; beyond the window its timestamp refuses it (the community guide)."""
        seen = hashlib.sha256(data).hexdigest()
        if self._world.store.get("payload", seen) is not None:
            raise SignInRefused(401, BAD_CREDENTIAL, "The signed data was used before")
        self._world.store.put("payload", seen, {"id": seen, "expires": now + 2 * certificates.WINDOW_SECONDS})

    def _forget_what_expired(self) -> None:
        self._world.store.expire(("token", "payload"), self._world.clock())


def _split(authorization: str | None) -> tuple[str, str]:
    scheme, _, value = (authorization or "").strip().partition(" ")
    return scheme, value.strip()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
