"""An encrypted state: what opens, what does not, and what the stores make of it."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from unit.state.buckets import PATH, URL, Faulty, bucket
from unit.state.holding import INTENT, Time, dead_process, gone, refused, stored, take

from cwsync.errors import CwsyncError
from cwsync.state import (
    Conflict,
    Entry,
    Fingerprint,
    Key,
    LocalStore,
    MemoryStore,
    State,
    Store,
    acquire,
    fingerprint,
    from_json,
    to_json,
)  # fmt: skip
from cwsync.state.object import ObjectStore
from cwsync.state.sealed import Sealed, SealingKey, Untrusted

TEXT = base64.b64encode(bytes(range(40))).decode()
OTHER = base64.b64encode(bytes(range(100, 140))).decode()
KEY, OLD = SealingKey.of(TEXT, "the test"), SealingKey.of(OTHER, "the test")
SEALED = Sealed(lambda: KEY)
ENTRY = Entry(
    "connection",
    "0a1b2c3d4e5f",
    "Sales S3",
    {"bucketName": "landing"},
    secrets={"sasToken": Fingerprint("fingerprint-1", "k1")},
)
STATE = replace(
    State.new("https://eu1.example.com/2/0#customer-7")
    .with_entry("connection.sales", ENTRY)
    .with_intents([INTENT]),
    serial=41,
    writerNonce="3f2b",
)
NEEDLES = (
    "Sales S3",
    "connection.sales",
    "0a1b2c3d4e5f",
    "landing",
    "customer-7",
    "eu1.example",
    "Nightly",
    "fingerprint-1",
)
HEADER = ("format", "version", "lineage", "serial", "writerNonce", "keyId", "nonce")


def read(codec: Sealed, data: bytes) -> State:
    return from_json(codec.decode(data, "the state"), "the state")


def code(attempt: Callable[[], object]) -> str:
    (problem,) = refused(attempt).problems
    assert TEXT not in str(problem)
    return problem.code


def test_what_was_encrypted_opens_with_its_key_alone() -> None:
    data = SEALED.encode(STATE)
    assert read(SEALED, data) == STATE
    assert code(lambda: Sealed(lambda: OLD).decode(data, "the state")) == "CW412"
    assert code(lambda: from_json(data, "the state")) == "CW411"


def test_nothing_of_the_document_is_in_clear_but_which_one_it_is() -> None:
    data = SEALED.encode(STATE)
    document = json.loads(data)
    assert tuple(document) == (*HEADER, "data")
    assert (document["lineage"], document["serial"], document["writerNonce"]) == STATE.identity
    shown = data.decode() + base64.b64decode(document["data"]).decode("latin-1")
    assert not [needle for needle in NEEDLES if needle in shown]


def test_no_two_encryptions_are_the_same() -> None:
    assert SEALED.encode(STATE) != SEALED.encode(STATE)
    nonces = {json.loads(SEALED.encode(STATE))["nonce"] for _ in range(100)}
    assert len(nonces) == 100


def test_the_data_of_one_document_is_no_others() -> None:
    one, two = (json.loads(SEALED.encode(replace(STATE, writerNonce=nonce))) for nonce in ("aa", "bb"))
    assert code(lambda: read(SEALED, json.dumps({**one, "writerNonce": "bb"}).encode())) == "CW413"
    assert code(lambda: read(SEALED, json.dumps({**one, "data": two["data"]}).encode())) == "CW413"


def test_the_form_is_what_others_can_read_too() -> None:
    """AES-256-GCM with a key of this document alone, by HKDF (RFC 5869): here without our own code."""
    document = json.loads(SEALED.encode(STATE))
    data, nonce = (base64.b64decode(document[name]) for name in ("data", "nonce"))
    header = json.dumps({name: document[name] for name in sorted(HEADER)}).encode()
    extracted = hmac.digest(bytes(32), TEXT.encode(), "sha256")
    key = hmac.digest(extracted, b"cwsync state encryption " + STATE.writerNonce.encode() + b"\x01", "sha256")
    assert AESGCM(key).decrypt(nonce, data, header) == to_json(STATE)


CHANGES: dict[str, tuple[object, str]] = {
    "format": ("cwsync-state-sealed", "CW401"),
    "version": (0, "CW413"),
    "lineage": ("b" * 32, "CW413"),
    "serial": (42, "CW413"),
    "writerNonce": ("3f2c", "CW413"),
    "keyId": ("00000000", "CW412"),
    "nonce": (base64.b64encode(bytes(12)).decode(), "CW413"),
    "data": (base64.b64encode(bytes(64)).decode(), "CW413"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_no_field_can_be_changed(name: str) -> None:
    document = json.loads(SEALED.encode(STATE))
    value, expected = CHANGES[name]
    assert code(lambda: read(SEALED, json.dumps({**document, name: value}).encode())) == expected
    missing = {key: value for key, value in document.items() if key != name}
    assert code(lambda: read(SEALED, json.dumps(missing).encode())) in ("CW401", "CW412", "CW413")
    strange = {**document, name: None}
    assert code(lambda: read(SEALED, json.dumps(strange).encode())) in ("CW401", "CW412", "CW413")


def test_nothing_can_be_added_and_a_newer_form_is_not_guessed_at() -> None:
    document = json.loads(SEALED.encode(STATE))
    assert code(lambda: read(SEALED, json.dumps({**document, "movedTo": "s3://x/y"}).encode())) == "CW413"
    assert code(lambda: read(SEALED, json.dumps({**document, "version": 2}).encode())) == "CW402"


ENCODED = SEALED.encode(STATE)


@given(st.integers(0, len(ENCODED) - 1), st.integers(0, 7))
def test_a_flipped_bit_is_refused_or_means_nothing(at: int, bit: int) -> None:
    """Only what JSON and base64 do not look at may differ: then it is the same document."""
    data = bytearray(ENCODED)
    data[at] ^= 1 << bit
    found = outcome(bytes(data))
    if isinstance(found, CwsyncError):
        assert found.problems[0].code in ("CW401", "CW402", "CW412", "CW413")
        assert not [needle for needle in (*NEEDLES, TEXT) if needle in str(found)]
    else:
        assert found == STATE


def outcome(data: bytes) -> State | CwsyncError:
    try:
        return read(SEALED, data)
    except CwsyncError as error:
        return error


@given(st.binary(max_size=200))
def test_what_is_no_state_at_all_is_refused(data: bytes) -> None:
    assert code(lambda: read(SEALED, data)) == "CW401"


@given(st.text(min_size=1), st.dictionaries(st.text(), st.text()), st.integers(0, 2**60))
def test_any_state_comes_back(name: str, applied: dict[str, str], serial: int) -> None:
    state = replace(STATE, serial=serial).with_entry(f"flow.{name}", Entry("flow", name, name, applied))
    assert to_json(read(SEALED, SEALED.encode(state))) == to_json(state)


@pytest.mark.parametrize(
    "text",
    [
        secrets.token_hex(32),
        secrets.token_hex(32).upper(),
        base64.b64encode(secrets.token_bytes(32)).decode(),
        base64.urlsafe_b64encode(secrets.token_bytes(48)).decode().rstrip("="),
        f"{TEXT}\n",
    ],
    ids=[
        "hex",
        "HEX",
        "base64",
        "base64 for addresses",
        "with a line end",
    ],  # a worker must find another's tests
)
def test_random_texts_are_keys(text: str) -> None:
    data = Sealed(lambda: SealingKey.of(text, "the test")).encode(STATE)
    again = SealingKey.of(text.strip(), "the test")
    assert read(Sealed(lambda: again), data) == STATE


@pytest.mark.parametrize(
    "text",
    ["", "short", secrets.token_hex(16), secrets.token_hex(31), base64.b64encode(secrets.token_bytes(24)).decode(),
     "a" * 64, "ab" * 40, "0" * 64, "correct-horse-battery-staple-correct-horse-battery-staple", "é" * 50,
     f"{secrets.token_hex(16)} {secrets.token_hex(16)}", "Ab" * 40, "Abcd" * 11 + "A"],
    ids=str.split("empty short hex16 hex31 base24 aaa ababab zeros words accents spaced AbAb AbcdAbcd"),
)  # fmt: skip
def test_texts_that_are_not_random_enough_are_no_keys(text: str) -> None:
    (problem,) = refused(lambda: SealingKey.of(text, "the environment variable K")).problems
    assert problem.code == "CW414"
    assert "the environment variable K" in problem.message
    assert "openssl rand -base64 32" in (problem.hint or "")
    assert not text or text not in str(problem)


def test_the_key_shows_nowhere() -> None:
    shown = f"{KEY!r} {KEY} {SEALED!r} {SEALED.encode(STATE)!r}"
    assert TEXT not in shown
    assert repr(KEY.material)[2:-1] not in shown


def test_the_fingerprints_key_and_this_one_say_nothing_of_each_other() -> None:
    """One text may serve for both: neither id, nor what they make, is the other's."""
    of_secrets = Key.of(TEXT)
    assert of_secrets.id != KEY.id
    mark = fingerprint(of_secrets, "l", "connection.a", "sasToken", "a secret")
    data = SEALED.encode(STATE).decode()
    assert mark.fingerprint not in data
    assert of_secrets.id not in data


def test_what_the_previous_key_opens_is_written_with_the_new_one() -> None:
    told: list[str] = []
    old = Sealed(lambda: OLD).encode(STATE)
    both = Sealed(lambda: KEY, lambda: OLD, tell=told.append)
    assert read(both, old) == STATE
    assert "the previous key" in told[0]
    assert read(SEALED, both.encode(STATE)) == STATE
    assert len(told) == 1


def test_the_previous_key_is_not_asked_for_where_it_is_not_needed() -> None:
    def missing() -> SealingKey:
        raise AssertionError("it is not needed")

    assert read(Sealed(lambda: KEY, missing), SEALED.encode(STATE)) == STATE


def test_what_is_in_clear_is_read_until_it_was_encrypted() -> None:
    told: list[str] = []
    assert read(Sealed(lambda: KEY, tell=told.append), to_json(STATE)) == STATE
    assert "not encrypted yet" in told[0]
    with pytest.raises(Untrusted, match="is not encrypted any more"):
        read(Sealed(lambda: KEY, clear=False), to_json(STATE))


def test_without_a_key_it_is_in_clear_again() -> None:
    off = Sealed(None, lambda: KEY)
    assert read(off, SEALED.encode(STATE)) == STATE
    assert off.encode(STATE) == to_json(STATE)


def in_file(folder: Path) -> Store:
    return LocalStore(folder / "prod.state.json", codec=SEALED)


def in_bucket(_folder: Path) -> Store:
    """Whose writes go wrong, once those are over with which a new store tries it out."""
    objects = Faulty(bucket(), ["fine", "fine", "fine", "fine", "lost", "500", "lost, and sent twice"])
    return ObjectStore(URL, objects, PATH, sleep=lambda _seconds: None, codec=SEALED)


def in_memory(_folder: Path) -> Store:
    return MemoryStore(codec=SEALED)


@pytest.fixture(params=[in_file, in_bucket, in_memory])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    made: Store = request.param(tmp_path)
    return made


def test_every_store_goes_through_it(store: Store) -> None:
    first = store.commit(None, State.new())
    second = store.commit(first, first.with_entry("connection.sales", ENTRY))
    assert store.read() == second
    assert store.raw() == to_json(second)
    with pytest.raises(Conflict):
        store.commit(first, first)
    with pytest.raises(Conflict):
        store.commit(None, State.new())
    assert stored(store) == second


def test_a_lock_heals_as_ever(store: Store) -> None:
    held = take(store, Time(), holder=gone())
    held.update(lambda state: state.with_intents([INTENT]))
    time = Time()
    next_one = take(store, time)
    assert next_one.taken_from is not None
    assert next_one.state.pending == {INTENT.op: INTENT}
    assert code(lambda: acquire(store, tenant=None, holder=replace(gone(), host="elsewhere"))) == "CW404"
    with pytest.raises(Conflict):
        held.beat()


def test_nothing_readable_is_in_the_file(tmp_path: Path) -> None:
    held = take(in_file(tmp_path), Time(), holder=replace(gone(), user="grace", process=dead_process()))
    held.update(lambda state: state.with_entry("connection.sales", ENTRY))
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"cwsync-state-encrypted" in written
    assert not [needle for needle in (*NEEDLES, "grace", "emulator:local") if needle.encode() in written]
