"""A private key, and certificates for it, made for one run of the tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def issue(key: rsa.RSAPrivateKey, now: float) -> bytes:
    """A certificate that ends a day from now."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cwsync")])
    end = datetime.fromtimestamp(now, UTC) + timedelta(days=1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, end - timedelta(days=2), end)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def pem(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, form: PrivateFormat, secret: bytes | None
) -> SecretStr:
    encryption: KeySerializationEncryption = BestAvailableEncryption(secret) if secret else NoEncryption()
    return SecretStr(key.private_bytes(Encoding.PEM, form, encryption).decode())
