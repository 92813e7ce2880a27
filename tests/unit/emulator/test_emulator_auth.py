from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from unit.emulator.service import NOON, Service

Key = tuple[rsa.RSAPrivateKey, x509.Certificate]


def _key(days: int) -> Key:
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "robot@example.com")])
    now = datetime.fromtimestamp(NOON, UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return key, certificate


@pytest.fixture(scope="module")
def ours() -> Key:
    return _key(30)


@pytest.fixture(scope="module")
def theirs() -> Key:
    return _key(30)


@pytest.fixture
def guarded(ours: Key, tmp_path: Path) -> Iterator[Service]:
    """An emulator that trusts our certificate and one user."""
    (tmp_path / "trusted.pem").write_bytes(ours[1].public_bytes(Encoding.PEM))
    service = Service(trust=[tmp_path / "trusted.pem"], users=[("ada@example.com", "right")])
    yield service
    service.close()


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def payload(key: Key, data: bytes, **more: str) -> dict[str, str]:
    signature = key[0].sign(data, padding.PKCS1v15(), hashes.SHA512())
    return {"encodedData": _b64(data), "encodedSignedData": _b64(signature), **more}


def v2(key: Key, seconds: float, length: int = 100) -> dict[str, str]:
    data = int(seconds).to_bytes(8, "big") + secrets.token_bytes(length - 8)
    return payload(key, data, encodedDataFormat="v2")


def present(service: Service, key: Key, body: object, encoding: Encoding = Encoding.PEM) -> httpx.Response:
    header = f"CACertificate {_b64(key[1].public_bytes(encoding))}"
    return service.http.post("/token/authenticate", headers={"Authorization": header}, json=body)


def test_basic_credentials_give_a_token_that_both_services_take(service: Service) -> None:
    reply = service.http.post("/token/authenticate", auth=("ci@example.com", "x"))
    assert reply.status_code == 201
    document = reply.json()
    assert (document["status"], document["statusMessage"]) == ("SUCCESS", "Login successful")
    assert document["meta"]["validationUrl"] == "http://emulator/token/validate"
    assert document["tokenInfo"].keys() == {"expiresAt", "tokenId", "tokenValue", "refreshTokenId"}
    assert document["tokenInfo"]["expiresAt"] == (NOON + 2100) * 1000
    token = document["tokenInfo"]["tokenValue"]
    for scheme, auth_takes_it in (("AnaplanAuthToken", 200), ("Bearer", 400)):
        headers = {"Authorization": f"{scheme} {token}"}
        assert service.http.get("/2/0/integrations", headers=headers).status_code == 200
        assert service.http.get("/token/validate", headers=headers).status_code == auth_takes_it


@pytest.mark.parametrize(
    "header", [None, "", "Basic", "Basic ???", f"Basic {_b64(b'nobody')}", f"Basic {_b64(b'a:')}"]
)
def test_malformed_credentials_are_refused_even_where_any_will_do(
    service: Service, header: str | None
) -> None:
    del service.http.headers["Authorization"]
    headers = {} if header is None else {"Authorization": header}
    reply = service.http.post("/token/authenticate", headers=headers)
    assert (reply.status_code, reply.json()["status"]) == (401, "FAILURE_BAD_HEADER")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "refresh", 400), ("GET", "validate", 400), ("POST", "logout", 401)],
)
def test_each_call_has_its_own_status_for_a_bad_header(
    service: Service, method: str, path: str, status: int
) -> None:
    reply = service.http.request(method, f"/token/{path}", headers={"Authorization": "Nonsense"})
    assert (reply.status_code, reply.json()["status"]) == (status, "FAILURE_BAD_HEADER")


def test_refresh_moves_the_end_of_the_same_token(service: Service) -> None:
    before = service.http.headers["Authorization"]
    service.clock.now += 2000
    reply = service.http.post("/token/refresh")
    assert (reply.status_code, reply.json()["statusMessage"]) == (200, "Token refreshed")
    assert f"AnaplanAuthToken {reply.json()['tokenInfo']['tokenValue']}" == before
    service.clock.now += 2000
    validated = service.http.get("/token/validate").json()
    assert validated["userInfo"]["userId"] == "ada.lovelace@example.com"
    assert validated["tokenInfo"]["expiresAt"] == (NOON + 4100) * 1000


def test_a_token_ends_by_time_or_by_logging_out(service: Service) -> None:
    service.clock.now += 2100
    assert service.refused("GET", "/integrations") == (401, "Unauthorized")
    assert service.http.post("/token/refresh").status_code == 401
    service.sign_in()
    reply = service.http.post("/token/logout")
    assert (reply.status_code, reply.content) == (204, b"")
    assert service.refused("GET", "/integrations") == (401, "Unauthorized")


def test_no_token_no_service(service: Service) -> None:
    for header in ("AnaplanAuthToken nonsense", "AnaplanAuthToken", "Basic YTpi", ""):
        service.http.headers["Authorization"] = header
        assert service.refused("POST", "/integrations/connections", {}) == (401, "Unauthorized")


def test_only_the_named_users_with_their_passwords(guarded: Service) -> None:
    for login, password, status in (
        ("ada@example.com", "right", 201),
        ("ada@example.com", "wrong", 401),
        ("bob", "right", 401),
    ):
        assert guarded.http.post("/token/authenticate", auth=(login, password)).status_code == status


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_a_trusted_certificate_with_a_fresh_signature(
    guarded: Service, ours: Key, encoding: Encoding
) -> None:
    reply = present(guarded, ours, v2(ours, NOON), encoding)
    assert reply.status_code == 201
    headers = {"Authorization": f"AnaplanAuthToken {reply.json()['tokenInfo']['tokenValue']}"}
    assert (
        guarded.http.get("/token/validate", headers=headers).json()["userInfo"]["userId"]
        == "robot@example.com"
    )
    assert present(guarded, ours, payload(ours, secrets.token_bytes(150)), encoding).status_code == 201


def test_what_the_signature_must_stand_up_to(guarded: Service, ours: Key, theirs: Key) -> None:
    assert present(guarded, theirs, v2(theirs, NOON)).status_code == 401
    assert present(guarded, ours, v2(theirs, NOON)).status_code == 401
    for seconds in (NOON - 301, NOON + 301, NOON * 1000):
        assert present(guarded, ours, v2(ours, seconds)).status_code == 401
    base64_signed = base64.b64encode(secrets.token_bytes(100))
    wrong = payload(ours, base64_signed) | {"encodedData": _b64(base64.b64decode(base64_signed))}
    assert present(guarded, ours, wrong).status_code == 401


def test_a_v2_payload_counts_once_and_a_v1_payload_as_often_as_it_likes(guarded: Service, ours: Key) -> None:
    for body, statuses in (
        (v2(ours, NOON), [201, 401]),
        (payload(ours, secrets.token_bytes(100)), [201, 201]),
    ):
        assert [present(guarded, ours, body).status_code for _ in range(2)] == statuses


@pytest.mark.parametrize(
    "change",
    [
        {"encodedData": "?"},
        {"encodedData": _b64(b"x" * 99)},
        {"encodedData": _b64(b"x" * 101)},
        {"encodedData": 7},
        {"encodedSignedData": ""},
        {"encodedDataFormat": "v3"},
        {"signature": "x"},
    ],
)
def test_a_payload_is_well_formed_even_where_any_will_do(
    service: Service, ours: Key, change: dict[str, Any]
) -> None:
    good = v2(ours, 0)
    assert present(service, ours, good | change).json()["status"] == "FAILURE_BAD_CREDENTIAL"
    assert present(service, ours, good).status_code == 201
    header = {"Authorization": f"CACertificate {_b64(b'no certificate')}"}
    reply = service.http.post("/token/authenticate", headers=header, content=json.dumps(good))
    assert (reply.status_code, reply.json()["status"]) == (401, "FAILURE_BAD_HEADER")


def test_a_certificate_past_its_time(tmp_path: Path) -> None:
    expired = _key(-1)
    (tmp_path / "old.pem").write_bytes(expired[1].public_bytes(Encoding.PEM))
    service = Service(trust=[tmp_path / "old.pem"])
    assert present(service, expired, v2(expired, NOON)).status_code == 401
    service.close()
