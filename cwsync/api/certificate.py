"""Signing in with a certificate: the signed payload, and the header that carries the certificate.

Facts A7 and the vendor's community guide: 100 bytes, signed as they are with RSA PKCS#1 v1.5 and
SHA-512. cryptography is imported where it is used, because most runs do without it.
"""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cwsync.errors import CwsyncError, fail

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from cwsync.api.credentials import Certificate

MESSAGE_BYTES = 100


def payload_json(certificate: Certificate, now: float, random: bytes) -> str:
    """The body of a sign-in, laid out as in the vendor's guide.

    `now` is in seconds since the epoch, `random` must be 100 random bytes; v2 is good for one
    request only. Raises CW122 where key, passphrase or certificate cannot be used.
    """
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.hashes import SHA512

    if len(random) != MESSAGE_BYTES:
        raise ValueError(f"{MESSAGE_BYTES} random bytes are needed")
    key = _private_key(certificate)
    _check_pair(_certificates(certificate), key, now)
    message, fields = random, {}
    if certificate.format == "v2":
        message = int(now).to_bytes(8, "big") + random[:-8]
        fields["encodedDataFormat"] = "v2"
    fields["encodedData"] = b64encode(message).decode()
    fields["encodedSignedData"] = b64encode(key.sign(message, padding.PKCS1v15(), SHA512())).decode()
    return json.dumps(fields, indent=4)


def authorization(certificate: Certificate) -> str:
    """The value of the `Authorization` header; CW122 where the certificate cannot be read."""
    from cryptography.hazmat.primitives.serialization import Encoding

    first = _certificates(certificate)[0]
    content = (
        first.public_bytes(Encoding.DER) if certificate.header == "der" else _pem(certificate.certificate_pem)
    )
    return f"CACertificate {b64encode(content).decode()}"


def _pem(content: bytes) -> bytes:
    # CI systems that cannot hold line ends in a variable hold `\n` written out.
    return content if b"\n" in content.strip() else content.replace(b"\\n", b"\n")


def _unusable(message: str, hint: str | None = None) -> CwsyncError:
    return fail("CW122", message, hint=hint)


def _certificates(certificate: Certificate) -> list[x509.Certificate]:
    from cryptography.x509 import load_pem_x509_certificates

    content = _pem(certificate.certificate_pem)
    if b"-----BEGIN CERTIFICATE-----" not in content:
        what = "holds a private key" if b"PRIVATE KEY-----" in content else "is not in PEM form"
        raise _unusable(f"the certificate {what}", "it begins with -----BEGIN CERTIFICATE-----")
    try:
        return load_pem_x509_certificates(content)
    except ValueError:
        raise _unusable("the certificate cannot be read: its content is damaged") from None


def _private_key(certificate: Certificate) -> RSAPrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    content = _pem(certificate.private_key_pem.get_secret_value().encode())
    if b"PRIVATE KEY-----" not in content:
        what = "holds a certificate" if b"BEGIN CERTIFICATE" in content else "is not in PEM form"
        raise _unusable(f"the private key {what}", "it begins with -----BEGIN … PRIVATE KEY-----")
    passphrase = None
    # PKCS#8 says so in its first line, a traditional key in a header of its own.
    if b"ENCRYPTED" in content:
        if certificate.passphrase is None or not certificate.passphrase.get_secret_value():
            raise _unusable("the private key is encrypted and no passphrase is given", "add `passphrase:`")
        passphrase = certificate.passphrase.get_secret_value().encode()
    try:
        key = load_pem_private_key(content, passphrase)
    except UnsupportedAlgorithm:
        raise _unusable("the private key is of a form that is not supported") from None
    except (ValueError, TypeError):
        if passphrase is not None:
            raise _unusable("the passphrase does not open the private key") from None
        raise _unusable("the private key cannot be read: its content is damaged") from None
    if not isinstance(key, RSAPrivateKey):
        raise _unusable("the private key is not an RSA key", "Anaplan accepts RSA certificates only")
    return key


def _check_pair(certificates: list[x509.Certificate], key: RSAPrivateKey, now: float) -> None:
    """The service answers both mistakes with the same refusal, so they are told apart here."""
    public = key.public_key()
    own = next((certificate for certificate in certificates if certificate.public_key() == public), None)
    if own is None:
        raise _unusable("the private key does not belong to the certificate")
    if own.not_valid_after_utc < datetime.fromtimestamp(now, UTC):
        raise _unusable(
            f"the certificate expired on {own.not_valid_after_utc:%Y-%m-%d}",
            "obtain a new one and have it registered in Anaplan",
        )
