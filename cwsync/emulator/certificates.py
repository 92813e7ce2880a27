"""Certificates and signed payloads as the authentication service takes them (facts A7).

`cryptography` is loaded when the first certificate is presented, and not before.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

WINDOW_SECONDS = 300
_PAYLOAD_BYTES = 100
_TIMESTAMP_BYTES = 8


@dataclass(frozen=True, slots=True)
class TrustedCertificate:
    """A certificate: its DER bytes, and the name of its subject."""

    der: bytes
    subject: str


@dataclass(frozen=True, slots=True)
class Payload:
    """What was signed, the signature, and in format v2 the time of signing in seconds."""

    data: bytes
    signature: bytes
    timestamp: int | None


def load(path: Path) -> TrustedCertificate:
    """The certificate of a PEM or DER file. Raises OSError or ValueError."""
    found = _certificate(path.read_bytes())
    if found is None:
        raise ValueError(f"{path}: no certificate in PEM or DER form")
    return found


def read(header: str) -> TrustedCertificate | None:
    """The certificate of a `CACertificate` header: base64 of a whole PEM file, or of the DER bytes."""
    try:
        return _certificate(base64.b64decode(header, validate=True))
    except binascii.Error:
        return None


def _certificate(raw: bytes) -> TrustedCertificate | None:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

    try:
        pem = b"-----BEGIN CERTIFICATE-----" in raw
        certificate = x509.load_pem_x509_certificate(raw) if pem else x509.load_der_x509_certificate(raw)
    except ValueError:
        return None
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    subject = str(names[0].value) if names else certificate.subject.rfc4514_string()
    return TrustedCertificate(certificate.public_bytes(Encoding.DER), subject)


def payload(body: bytes) -> Payload | None:
    """The payload of a request: format v1 has 100 bytes or more, v2 exactly 100; else None."""
    try:
        document = json.loads(body)
        keys = {"encodedData", "encodedSignedData"}
        if not isinstance(document, dict) or document.keys() - {"encodedDataFormat"} != keys:
            return None
        data = base64.b64decode(document["encodedData"], validate=True)
        signature = base64.b64decode(document["encodedSignedData"], validate=True)
    except (ValueError, TypeError, RecursionError):
        return None
    version = document.get("encodedDataFormat", "v1")
    if version not in ("v1", "v2") or not signature or len(data) < _PAYLOAD_BYTES:
        return None
    if version == "v1":
        return Payload(data, signature, None)
    if len(data) != _PAYLOAD_BYTES:
        return None
    return Payload(data, signature, int.from_bytes(data[:_TIMESTAMP_BYTES], "big"))


def trusted(
    presented: TrustedCertificate, signed: Payload, trust: Sequence[TrustedCertificate], now: float
) -> bool:
    """Whether it is one of ours, valid now, the signature its key's over the raw bytes, and fresh."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.hashes import SHA512

    if presented.der not in [each.der for each in trust]:
        return False
    certificate = x509.load_der_x509_certificate(presented.der)
    moment = datetime.fromtimestamp(now, UTC)
    if not certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc:
        return False
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    try:
        key.verify(signed.signature, signed.data, padding.PKCS1v15(), SHA512())
    except InvalidSignature:
        return False
    return signed.timestamp is None or abs(now - signed.timestamp) <= WINDOW_SECONDS
