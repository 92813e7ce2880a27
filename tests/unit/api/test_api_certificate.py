import json
from base64 import b64decode
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat
from pydantic import SecretStr
from unit.api.keys import KEY, issue, pem

from cwsync.api import Certificate, authorization, payload_json
from cwsync.errors import CwsyncError

NOW = 1_800_000_000.9
RANDOM = bytes(range(100))
PASSPHRASE = b"needle-passphrase"
PKCS8, TRADITIONAL = PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL


CERTIFICATE_PEM = issue(KEY, NOW)
PLAIN = Certificate(CERTIFICATE_PEM, pem(KEY, PKCS8, None))


def verify(payload: str) -> bytes:
    """The message, once its signature has been checked the way the service does."""
    fields = json.loads(payload)
    message = b64decode(fields["encodedData"], validate=True)
    signature = b64decode(fields["encodedSignedData"], validate=True)
    KEY.public_key().verify(signature, message, padding.PKCS1v15(), hashes.SHA512())
    return message


def test_v2_signs_the_seconds_and_92_random_bytes() -> None:
    payload = payload_json(PLAIN, NOW, RANDOM)
    assert verify(payload) == (1_800_000_000).to_bytes(8, "big") + RANDOM[:92]
    assert list(json.loads(payload)) == ["encodedDataFormat", "encodedData", "encodedSignedData"]
    assert payload.startswith('{\n    "encodedDataFormat": "v2",\n    "encodedData": "')


def test_v1_signs_100_random_bytes() -> None:
    payload = payload_json(replace(PLAIN, format="v1"), NOW, RANDOM)
    assert verify(payload) == RANDOM
    assert list(json.loads(payload)) == ["encodedData", "encodedSignedData"]


@pytest.mark.parametrize("form", [PKCS8, TRADITIONAL])
@pytest.mark.parametrize("secret", [None, PASSPHRASE])
def test_every_form_of_key_signs(form: PrivateFormat, secret: bytes | None) -> None:
    given = replace(PLAIN, private_key_pem=pem(KEY, form, secret), passphrase=SecretStr(PASSPHRASE.decode()))
    assert len(verify(payload_json(given, NOW, RANDOM))) == 100


def test_line_ends_written_out_in_a_variable_are_understood() -> None:
    key = PLAIN.private_key_pem.get_secret_value().replace("\n", "\\n")
    written = replace(
        PLAIN, private_key_pem=SecretStr(key), certificate_pem=CERTIFICATE_PEM.replace(b"\n", b"\\n")
    )
    assert verify(payload_json(written, NOW, RANDOM))
    assert authorization(written) == authorization(PLAIN)


def test_the_header_carries_the_pem_file_or_the_der_form() -> None:
    scheme, _, content = authorization(PLAIN).partition(" ")
    assert (scheme, b64decode(content)) == ("CACertificate", CERTIFICATE_PEM)
    _, _, content = authorization(replace(PLAIN, header="der")).partition(" ")
    assert b64decode(content) == x509.load_pem_x509_certificate(CERTIFICATE_PEM).public_bytes(Encoding.DER)


OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
LOCKED = pem(KEY, PKCS8, PASSPHRASE)
DAMAGED = SecretStr(PLAIN.private_key_pem.get_secret_value().replace("MII", "XXX", 1))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (replace(PLAIN, private_key_pem=LOCKED), "encrypted and no passphrase"),
        (replace(PLAIN, private_key_pem=LOCKED, passphrase=SecretStr("needle-2")), "does not open"),
        (
            replace(
                PLAIN, private_key_pem=pem(KEY, TRADITIONAL, PASSPHRASE), passphrase=SecretStr("needle-2")
            ),
            "does not open",
        ),
        (
            replace(PLAIN, private_key_pem=pem(ec.generate_private_key(ec.SECP256R1()), PKCS8, None)),
            "not an RSA key",
        ),
        (replace(PLAIN, private_key_pem=SecretStr("needle")), "private key is not in PEM form"),
        (replace(PLAIN, private_key_pem=SecretStr(CERTIFICATE_PEM.decode())), "holds a certificate"),
        (replace(PLAIN, private_key_pem=DAMAGED), "damaged"),
        (replace(PLAIN, private_key_pem=pem(OTHER_KEY, PKCS8, None)), "does not belong"),
        (replace(PLAIN, certificate_pem=b"needle"), "certificate is not in PEM form"),
        (
            replace(PLAIN, certificate_pem=PLAIN.private_key_pem.get_secret_value().encode()),
            "holds a private key",
        ),
        (
            replace(
                PLAIN, certificate_pem=b"-----BEGIN CERTIFICATE-----\nneedle\n-----END CERTIFICATE-----\n"
            ),
            "damaged",
        ),
    ],
)
def test_what_cannot_be_used_is_told_apart(given: Certificate, message: str) -> None:
    with pytest.raises(CwsyncError, match=message) as caught:
        payload_json(given, NOW, RANDOM)
    assert caught.value.problems[0].code == "CW122"
    assert "needle" not in repr(caught.value.problems) + repr(given)


def test_an_expired_certificate_is_told_before_the_service_refuses_it() -> None:
    with pytest.raises(CwsyncError, match=r"expired on 2027-01-16"):
        payload_json(PLAIN, NOW + 2 * 86400, RANDOM)
