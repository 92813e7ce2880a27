"""The three ways to sign in, as values that show no secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Basic:
    """A user and a password."""

    username: str
    password: SecretStr


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that Anaplan knows, and its private key; both PEM.

    `format` is that of the signed payload. `header` says how the certificate travels: as base64 of
    the whole PEM file, or of its DER form. Both were seen to work (facts A7).
    """

    certificate_pem: bytes = field(repr=False)
    private_key_pem: SecretStr
    passphrase: SecretStr | None = None
    format: Literal["v1", "v2"] = "v2"
    header: Literal["pem", "der"] = "pem"


@dataclass(frozen=True, slots=True)
class Token:
    """A token that someone else obtained."""

    value: SecretStr


Credentials = Basic | Certificate | Token
