"""The client against real sockets: what a network does that no mock does."""

import logging
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from cwsync.api import Ambiguous, Basic, Client, Clock, Endpoint, Rejected, ServiceError
from cwsync.errors import CwsyncError

BASIC = Basic("ci@example.com", SecretStr("needle-password"))
TOKEN = b'{"status": "SUCCESS", "tokenInfo": {"tokenValue": "needle-token"}}'
QUICK = Clock(sleep=lambda _seconds: None)


PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
AUTHORITIES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, *map(str.lower, PROXIES), *AUTHORITIES):
        monkeypatch.delenv(name, raising=False)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[str]]

    def _serve(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.seen.append(f"{self.command} {self.path}")
        if "/token/" in self.path:
            self._send(TOKEN)
        elif self.path.endswith("/drop"):
            self.close_connection = True
        elif self.path.endswith("/short"):
            self._send(b'{"status": {"code"', length=100)
            self.close_connection = True
        elif self.path.endswith("/away"):
            self.send_response(302)
            self.send_header("Location", "/2/0/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._send(b'{"length": %d}' % len(content))

    def _send(self, content: bytes, length: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length or len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = _serve

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's own name
        pass


@contextmanager
def server_of(pair: Path | None) -> Iterator[tuple[str, list[str]]]:
    """The address of a server, and what it has seen; over TLS where a key and certificate are given."""
    seen: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Serving", (Handler,), {"seen": seen}))
    server.daemon_threads = True
    if pair is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"{'http' if pair is None else 'https'}://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def serving(pair: Path | None = None) -> Iterator[tuple[Client, list[str]]]:
    with (
        server_of(pair) as (base, seen),
        Client(Endpoint(f"{base}/2/0", base), BASIC, per_second=None, clock=QUICK) as client,
    ):
        yield client, seen


def self_signed() -> bytes:
    """A key and a certificate for 127.0.0.1, in one PEM file."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1)
    ).add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def test_threads_share_the_connections() -> None:
    with serving() as (client, seen):
        assert client.each(lambda number: client.get(f"/x/{number}"), range(40)) == [{"length": 0}] * 40
        assert client.send("PUT", "/x", {"a": 1}).body == {"length": 8}
    assert len(seen) == 42


@pytest.mark.parametrize("path", ["/drop", "/short"])
def test_a_mutation_that_broke_off_is_ambiguous_and_sent_once(path: str) -> None:
    with serving() as (client, seen):
        with pytest.raises(Ambiguous) as caught:
            client.send("POST", path, {"sasToken": "needle"})
        assert caught.value.problem.code == "CW313"
    assert seen.count(f"POST /2/0{path}") == 1


@pytest.mark.parametrize("path", ["/drop", "/short"])
def test_a_read_that_broke_off_is_repeated_within_bounds(path: str) -> None:
    with serving() as (client, seen):
        with pytest.raises(ServiceError) as caught:
            client.get(path)
        assert caught.value.problem.code == "CW301"
    assert seen.count(f"GET /2/0{path}") == 6


def test_a_redirection_is_not_followed() -> None:
    with serving() as (client, seen), pytest.raises(ServiceError, match="status 302"):
        client.get("/away")
    assert "GET /2/0/elsewhere" not in seen


def test_a_refused_connection_means_that_nothing_was_done() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{free.getsockname()[1]}"
        with Client(Endpoint(base, base), BASIC, clock=QUICK) as client, pytest.raises(Rejected) as caught:
            client.send("POST", "/integrations", {})
    assert caught.value.problem.code == "CW301"
    assert f"cannot connect to 127.0.0.1:{base.rpartition(':')[2]}" in str(caught.value)


def test_logs_show_no_header_and_no_body(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving() as (client, _seen):
        client.send("POST", "/integrations", {"sasToken": SecretStr("needle-sas")})
    assert "/2/0/integrations" in caplog.text
    assert "needle" not in caplog.text
    assert "Basic" not in caplog.text
    assert "Authorization" not in caplog.text


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with server_of(None) as (base, seen):
        monkeypatch.setenv("HTTP_PROXY", base)
        with Client(Endpoint("http://emulator/2/0", "http://emulator"), BASIC, clock=QUICK) as client:
            client.get("/x")
    assert "GET http://emulator/2/0/x" in seen


def test_only_a_server_of_a_known_authority_is_trusted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pair = tmp_path / "pair.pem"
    pair.write_bytes(self_signed())
    with serving(pair) as (client, seen):
        with pytest.raises(
            Rejected, match=r"the certificate of 127[.]0[.]0[.]1:[0-9]+ cannot be verified"
        ) as caught:
            client.send("POST", "/x", {})
        assert "SSL_CERT_FILE" in (caught.value.problem.hint or "")
        assert seen == []
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pair))
    with serving(pair) as (client, seen):
        assert client.send("POST", "/x", {}).status == 200


@pytest.mark.parametrize("variable", AUTHORITIES)
def test_certificate_authorities_that_cannot_be_read_are_named(
    variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "absent.pem"))
    with pytest.raises(CwsyncError, match=variable) as caught:
        Client(Endpoint("https://a.example", "https://b.example"), BASIC)
    assert caught.value.problems[0].code == "CW301"


def test_a_proxy_that_cannot_be_used_is_told_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "gopher://user:needle@proxy.example")
    with pytest.raises(CwsyncError, match="HTTPS_PROXY") as caught:
        Client(Endpoint("https://a.example", "https://b.example"), BASIC)
    assert "needle" not in repr(caught.value.problems)


def test_importing_the_room_loads_no_heavy_library() -> None:
    code = (
        "import sys, cwsync.api; from cwsync.api import Endpoint, region_endpoint, Basic; region_endpoint('eu1');"
        "print(sorted({'httpx', 'cryptography', 'ssl'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.strip() == "[]"
