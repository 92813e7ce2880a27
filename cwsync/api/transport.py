"""The one module that knows httpx: a request out, and what came back as a value.

Nothing here raises for what the network does. httpx's own exceptions carry the request, and with
it headers and body, so they end here.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import httpx

from cwsync.api.clock import Clock
from cwsync.errors import fail

Transport = httpx.BaseTransport

CONNECT_SECONDS = 10.0
REPLY_SECONDS = 60.0
# httpx's read timeout starts again with every byte; this bounds a reply that drips.
TOTAL_SECONDS = 120.0
# Far beyond any list or dump that was ever seen; it keeps a reply without end out of the memory.
LARGEST_REPLY_BYTES = 50_000_000

CA_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")

Reason = Literal["connect", "certificate", "proxy", "request", "timeout", "cut off", "garbled", "size"]


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP response. `retry_after` is in seconds; `charset` is what Content-Type says."""

    status: int
    content: bytes = field(repr=False)
    server_time: datetime | None = None
    retry_after: float | None = None
    charset: str | None = None


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No complete response; `sent` is False only where not one byte of the request can have left. `host` is who
    should have given it, with the port that the address names."""

    reason: Reason
    sent: bool
    host: str = ""


class Wire:
    """Connections to the service, shared by all threads; one TLS context, always verifying.

    Proxies come from HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY; the authorities to trust from
    the first of `CA_VARIABLES` that is set. Raises CW301 where one of these cannot be used.
    """

    def __init__(self, transport: Transport | None, connections: int, clock: Clock) -> None:
        self._clock = clock
        try:
            self._http = httpx.Client(
                transport=transport,
                verify=_tls(os.environ) if transport is None else True,
                timeout=httpx.Timeout(REPLY_SECONDS, connect=CONNECT_SECONDS, pool=None),
                limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
                follow_redirects=False,
            )
        except (ValueError, TypeError, ImportError, httpx.InvalidURL):
            # The original names the address, which may hold a password.
            raise fail(
                "CW301",
                "the proxy address in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY cannot be used",
                hint="it looks like http://HOST:PORT",
            ) from None

    def exchange(
        self,
        method: str,
        url: str,
        params: Mapping[str, str | int],
        headers: Mapping[str, str],
        content: bytes | None,
    ) -> Answer | NoAnswer:
        """Send one request, once."""
        deadline = self._clock.monotonic() + TOTAL_SECONDS
        received = bytearray()
        try:
            request = self._http.build_request(
                method, url, params=params or None, headers=headers, content=content
            )
            with closing(self._http.send(request, stream=True, auth=None)) as response:
                for chunk in response.iter_bytes():
                    received += chunk
                    if len(received) > LARGEST_REPLY_BYTES:
                        return NoAnswer("size", sent=True)
                    if self._clock.monotonic() > deadline:
                        return NoAnswer("timeout", sent=True)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            return replace(_no_answer(error), host=_host(url))
        return self._answer(response, bytes(received))

    def close(self) -> None:
        self._http.close()

    def _answer(self, response: httpx.Response, content: bytes) -> Answer:
        server_time = _moment(response.headers.get("Date"))
        asked = response.headers.get("Retry-After", "").strip()
        retry_after: float | None = None
        if asked.isascii() and asked.isdigit():
            retry_after = float(asked[:9])
        elif (until := _moment(asked)) is not None:
            now = server_time or datetime.fromtimestamp(self._clock.wall(), UTC)
            retry_after = max(0.0, (until - now).total_seconds())
        return Answer(response.status_code, content, server_time, retry_after, response.charset_encoding)


def _host(url: str) -> str:
    """Of an address, what is no secret in any case."""
    with suppress(ValueError):  # which says that it is no address
        parts = urlsplit(url)
        return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or ""
    return ""


def _moment(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _tls(environ: Mapping[str, str]) -> ssl.SSLContext:
    variable = next((name for name in CA_VARIABLES if environ.get(name)), None)
    if variable is None:
        return httpx.create_ssl_context(trust_env=False)
    path = Path(environ[variable])
    try:
        if path.is_dir():
            return ssl.create_default_context(capath=path)
        return ssl.create_default_context(cafile=path)
    except OSError:
        raise fail(
            "CW301",
            f"the certificate authorities that {variable} names cannot be read: {path}",
            hint=f"let {variable} name a PEM file, or unset it",
        ) from None


# The first that fits decides. What happens while connecting comes before any byte of the request.
_MEANINGS: tuple[tuple[type[Exception], NoAnswer], ...] = (
    (httpx.ConnectError, NoAnswer("connect", sent=False)),
    (httpx.ConnectTimeout, NoAnswer("connect", sent=False)),
    (httpx.ProxyError, NoAnswer("proxy", sent=False)),
    (httpx.TimeoutException, NoAnswer("timeout", sent=True)),
    (httpx.DecodingError, NoAnswer("garbled", sent=True)),
    (httpx.UnsupportedProtocol, NoAnswer("request", sent=False)),
    (httpx.HTTPError, NoAnswer("cut off", sent=True)),
)


def _no_answer(error: Exception) -> NoAnswer:
    cause: BaseException | None = error
    while isinstance(error, httpx.ConnectError) and cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return NoAnswer("certificate", sent=False)
        cause = cause.__cause__ or cause.__context__
    known = (meaning for kind, meaning in _MEANINGS if isinstance(error, kind))
    return next(known, NoAnswer("request", sent=False))
