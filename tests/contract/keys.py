"""A certificate authority for tests: keys in every form, and the certificates that go with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

PASSPHRASE = "needle in the passphrase"
FORMS = {"PKCS#8": PrivateFormat.PKCS8, "traditional": PrivateFormat.TraditionalOpenSSL}


@dataclass(frozen=True)
class Pair:
    """A private key, and a certificate for it that an authority has signed."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def key_pem(self, form: str = "PKCS#8", passphrase: str | None = None) -> bytes:
        encryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
        return self.key.private_bytes(Encoding.PEM, FORMS[form], encryption)

    def write(self, folder: Path, form: str = "PKCS#8", passphrase: str | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cert.pem").write_bytes(self.pem)
        (folder / "key.pem").write_bytes(self.key_pem(form, passphrase))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@cache
def _authority() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def pair(subject: str) -> Pair:
    """Good from yesterday to tomorrow."""
    key, now = rsa.generate_private_key(65537, 2048), datetime.now(UTC)
    certificate = x509.CertificateBuilder(
        _name("An authority"),
        _name(subject),
        key.public_key(),
        x509.random_serial_number(),
        now - timedelta(days=1),
        now + timedelta(days=1),
    ).sign(_authority(), hashes.SHA256())
    return Pair(key, certificate)
