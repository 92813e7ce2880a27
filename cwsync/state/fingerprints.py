"""Keyed fingerprints of secrets: enough to see that one changed, useless to whoever has only the state.

Without the key a fingerprint cannot be guessed from a list of likely secrets, which a plain hash could.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cwsync.errors import CwsyncError, fail
from cwsync.state.document import Fingerprint
from cwsync.state.files import Files, locked, prepare_folder, write_durably

if TYPE_CHECKING:  # at run time it would load pydantic
    from pydantic import SecretStr

VARIABLE = "CWSYNC_STATE_KEY"
_SHORTEST = 16


@dataclass(frozen=True)
class Key:
    """A key and the id that tells it from others. Its repr shows the id only."""

    id: str
    material: bytes = field(repr=False)

    @classmethod
    def of(cls, text: str) -> Key:
        material = text.encode("utf-8", "surrogatepass")
        return cls(sha256(b"cwsync key id" + material).hexdigest()[:8], material)


def find_key(path: Path, environ: Mapping[str, str]) -> Key | None:
    """The key from `CWSYNC_STATE_KEY`, else from the key file, else None. The file's text in the variable is
    the same key. Raises CW406 for one that cannot be used."""
    text = environ.get(VARIABLE, "").rstrip("\r\n")
    if text:
        return _checked(text, f"the environment variable {VARIABLE}")
    try:
        return _checked(path.read_text(encoding="utf-8").rstrip("\r\n"), f"the key file {path}")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, error) from None


def find_or_make_key(path: Path, environ: Mapping[str, str], *, files: Files | None = None) -> Key:
    """The key, made at random in the key file (mode 0600) where there is none yet."""
    found = find_key(path, environ)
    if found is not None:
        return found
    files = files or Files()
    try:
        prepare_folder(files, path.parent)
        with locked(path, 10):
            if not path.exists():
                write_durably(files, path, f"{secrets.token_hex(32)}\n".encode())
    except OSError as error:
        raise _unusable(path, error) from None
    return find_or_make_key(path, environ, files=files)


def fingerprint(
    key: Key, lineage: str, address: str, secret_field: str, value: SecretStr | str
) -> Fingerprint:
    """The fingerprint of a secret in one field of one resource of one state: nowhere else is it the same."""
    text = value if isinstance(value, str) else value.get_secret_value()
    parts = (part.encode("utf-8", "surrogatepass") for part in (lineage, address, secret_field, text))
    message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    return Fingerprint(hmac.new(key.material, message, sha256).hexdigest(), key.id)


def compare(
    stored: Fingerprint | None,
    key: Key | None,
    lineage: str,
    address: str,
    secret_field: str,
    value: SecretStr | str | None,
) -> Literal["same", "changed", "unknown"]:
    """How a secret compares with the one that was applied last. Without the value, without a fingerprint, or
    without the key that made it, that is unknown."""
    if stored is None or key is None or value is None or stored.keyId != key.id:
        return "unknown"
    now = fingerprint(key, lineage, stored.address or address, secret_field, value)
    return "same" if hmac.compare_digest(stored.fingerprint, now.fingerprint) else "changed"


def _checked(text: str, what: str) -> Key:
    if len(text) < _SHORTEST:
        raise fail(
            "CW406",
            f"{what} holds fewer than {_SHORTEST} characters, which is too short for a key",
            hint="use a long random text, for example what `openssl rand -hex 32` prints",
        )
    return Key.of(text)


def _unusable(path: Path, error: OSError | UnicodeDecodeError) -> CwsyncError:
    reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
    return fail(
        "CW406", f"the key file {path} cannot be used: {reason}", hint=f"correct that, or set {VARIABLE}"
    )
