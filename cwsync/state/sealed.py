"""A state that is encrypted: AES-256-GCM, with a key that is derived anew for each document.

    {"format": "cwsync-state-encrypted", "version": 1, "lineage", "serial", "writerNonce", "keyId", "nonce", "data"}

All but `data` is the header, in clear. It is the associated data: who changes it, or puts another document's data
below it, makes something that does not open. Names, ids, the tenant and the lock's holder are within `data`.

Random 96-bit nonces would be good for 2**32 documents under one key (a chance of 2**-33 that two are the same).
Here each document has a key of its own, by HKDF from the `writerNonce`, 122 random bits, so that bound is far.
`keyId` and the encryption's keys come from the same text as the fingerprints' key, by HKDF with other purposes: none
says anything of another.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode, urlsafe_b64decode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from secrets import token_bytes
from typing import Any

from cwsync.errors import CwsyncError, Problem, fail
from cwsync.state.document import SEALED, State, to_json
from cwsync.state.reading import identity, members

VERSION = 1
_NONCE_BYTES = 12
_KEY_BYTES = 32
_DIFFERENT = 16  # of 32 random bytes about 30 are different; so few never are
_HEADER = {
    "format": str,
    "version": int,
    "lineage": str,
    "serial": int,
    "writerNonce": str,
    "keyId": str,
    "nonce": str,
}
_BACK = (
    "put the last good copy back: move what is there away, then cwsync state push with what cwsync state pull has "
    "printed, or with an older version of the file or object"
)


@dataclass(frozen=True)
class SealingKey:
    """A key, and the id that tells it from others. Its repr shows the id only."""

    id: str
    material: bytes = field(repr=False)

    @classmethod
    def of(cls, text: str, source: str) -> SealingKey:
        """The key of a text from `source`: at least 32 random bytes, as hex or base64. Raises CW414 for less."""
        text = text.strip()
        if not _is_random(text):
            raise fail(
                "CW414",
                f"{source} holds no key that is good enough to encrypt the state with",
                hint="it takes 32 random bytes or more, as hex or base64: make one with `openssl rand -base64 32`",
            )
        material = text.encode()
        return cls(_derived(material, b"cwsync state key id", 4).hex(), material)


KeySource = Callable[[], SealingKey]
"""Where a key is had from, when it is needed."""


class Untrusted(CwsyncError):  # noqa: N818 - it names what was found, not a mistake of the caller's
    """CW413: a state that opens, and yet is not the one that this machine has seen last."""


class Sealed:
    """The codec of an encrypted state. What `previous` opens, and what is in clear, is written anew with `key`.

    Without `key`, it is written in clear: encryption is being switched off. `tell` gets what a person should know
    of what was found. With `clear` false, a document in clear is refused: it was encrypted before.
    """

    def __init__(
        self,
        key: KeySource | None,
        previous: KeySource | None = None,
        *,
        clear: bool = True,
        tell: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self._key = key
        self._previous = previous
        self._clear = clear
        self._tell = tell
        self.found_in_clear = False
        """Whether what was decoded last was not encrypted."""

    def encode(self, state: State) -> bytes:
        return to_json(state) if self._key is None else _sealed(self._key(), state)

    def decode(self, data: bytes, where: str) -> bytes:
        """Raises CW412 for another key, CW413 for what is not as it was written, CW402 for a newer form."""
        document = members(data, where)
        self.found_in_clear = document.get("format") != SEALED
        if self.found_in_clear:
            return self._in_clear(data, where)
        header, content = _parts(document, where)
        key = self._key_of(header["keyId"], where)
        if self._key is None or key.id != self._key().id:
            what = "is still encrypted" if self._key is None else "is encrypted with the previous key"
            self._tell(f"{where} {what}: the next command that changes it, such as cwsync apply, ends that")
        return _opened(key, header, content, where)

    def holds(self, data: bytes, state: State, where: str) -> bool:
        # Each encryption of a document gives other bytes.
        return identity(data, where) == state.identity

    def _in_clear(self, data: bytes, where: str) -> bytes:
        if not self._clear:
            raise Untrusted(
                Problem(
                    "CW413",
                    f"{where} is not encrypted any more, and was when this machine saw it last",
                    hint="somebody without the key may have put it there. Put a good copy back with cwsync state "
                    "push; if encryption was switched off meanwhile, that of cwsync state pull is good",
                )
            )
        if self._key is not None:
            self._tell(
                f"{where} is not encrypted yet: the next command that changes it, such as cwsync apply, does"
            )
        return data

    def _key_of(self, id: str, where: str) -> SealingKey:
        for source in (self._key, self._previous):
            if source is not None and (key := source()).id == id:
                return key
        raise fail(
            "CW412",
            f"{where} is encrypted with another key ({id}) than the one that is given here",
            hint="give the key that it was encrypted with: as `encryption.key` in cwsync.yaml, or as "
            "`encryption.previous` where the key is being changed",
        )


def _sealed(key: SealingKey, state: State) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = token_bytes(_NONCE_BYTES)
    header = {
        "format": SEALED,
        "version": VERSION,
        "lineage": state.lineage,
        "serial": state.serial,
        "writerNonce": state.writerNonce,
        "keyId": key.id,
        "nonce": b64encode(nonce).decode(),
    }
    data = AESGCM(_key_for(key, header)).encrypt(nonce, to_json(state), _associated(header))
    return (json.dumps({**header, "data": b64encode(data).decode()}, indent=2) + "\n").encode()


def _opened(key: SealingKey, header: dict[str, Any], data: str, where: str) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    with suppress(InvalidTag, ValueError):  # ValueError: what is no base64, or no nonce
        nonce, content = (b64decode(text, validate=True) for text in (header["nonce"], data))
        return AESGCM(_key_for(key, header)).decrypt(nonce, content, _associated(header))
    raise _changed(where)


def _parts(document: dict[str, Any], where: str) -> tuple[dict[str, Any], str]:
    """The header, and the data. Raises CW413 where one of their fields is missing, or there is another."""
    version = document.get("version")
    if type(version) is int and version > VERSION:
        raise fail(
            "CW402",
            f"{where} is encrypted in the form {version}, and this cwsync knows forms up to {VERSION}",
            hint="use the newer cwsync that wrote it; nothing was changed",
        )
    forms = {name: type(value) for name, value in document.items()}
    if forms != {**_HEADER, "data": str}:
        raise _changed(where)
    return {name: document[name] for name in _HEADER}, document["data"]


def _changed(where: str) -> CwsyncError:
    return fail("CW413", f"{where} is damaged, or somebody without the key has changed it", hint=_BACK)


def _key_for(key: SealingKey, header: dict[str, Any]) -> bytes:
    return _derived(key.material, b"cwsync state encryption " + header["writerNonce"].encode(), _KEY_BYTES)


def _derived(material: bytes, purpose: bytes, length: int) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), length, None, purpose).derive(material)


def _associated(header: dict[str, Any]) -> bytes:
    return json.dumps(header, sort_keys=True).encode()


def _is_random(text: str) -> bool:
    """Whether it may be so many random bytes: words and repetitions are not."""
    if re.fullmatch("[0-9a-fA-F]+", text):
        random = bytes.fromhex(text[: len(text) // 2 * 2])
    elif re.fullmatch(r"[\w+/-]+={0,2}", text, re.ASCII) and text.lower() != text != text.upper():
        digits = text.rstrip("=").translate(str.maketrans("+/", "-_"))
        try:
            random = urlsafe_b64decode(digits + "=" * (-len(digits) % 4))
        except ValueError:
            return False
    else:
        return False
    return len(random) >= _KEY_BYTES and len(set(random)) >= _DIFFERENT
