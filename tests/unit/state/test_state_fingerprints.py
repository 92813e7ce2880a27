"""Fingerprints: they tell that a secret changed, and tell nobody what it is."""

from __future__ import annotations

import hashlib
import hmac
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from pydantic import SecretStr

from cwsync.errors import CwsyncError
from cwsync.state import (
    Entry,
    Key,
    LocalStore,
    State,
    acquire,
    compare,
    find_key,
    find_or_make_key,
    fingerprint,
    to_json,
)

SECRET = "needle-in-the-hay-5d1c"
TEXT = "a key of twenty-four chars"
AT = ("lineage", "connection.lake", "sasToken")


def code(error: pytest.ExceptionInfo[CwsyncError]) -> str:
    return error.value.problems[0].code


def test_the_fingerprint_is_the_documented_one() -> None:
    message = b"".join(len(part).to_bytes(8, "big") + part.encode() for part in (*AT, SECRET))
    made = fingerprint(Key.of(TEXT), *AT, SecretStr(SECRET))
    assert made.fingerprint == hmac.new(TEXT.encode(), message, hashlib.sha256).hexdigest()
    assert made.keyId == hashlib.sha256(b"cwsync key id" + TEXT.encode()).hexdigest()[:8]
    assert made == fingerprint(Key.of(TEXT), *AT, SECRET)


@pytest.mark.parametrize(
    "place",
    [
        ("other", "connection.lake", "sasToken"),
        ("lineage", "connection.sea", "sasToken"),
        ("lineage", "connection.lake", "other"),
        ("lineagec", "onnection.lake", "sasToken"),
        ("lineage", "connection.lakes", "asToken"),
    ],
)
def test_equal_secrets_in_two_places_do_not_show(place: tuple[str, str, str]) -> None:
    key = Key.of(TEXT)
    assert fingerprint(key, *place, SECRET).fingerprint != fingerprint(key, *AT, SECRET).fingerprint


def test_comparing() -> None:
    key = Key.of(TEXT)
    stored = fingerprint(key, *AT, SECRET)
    assert compare(stored, key, *AT, SecretStr(SECRET)) == "same"
    assert compare(stored, key, *AT, SECRET + " ") == "changed"
    assert compare(stored, Key.of("another key of enough chars"), *AT, SECRET) == "unknown"
    assert compare(None, key, *AT, SECRET) == "unknown"
    assert compare(stored, None, *AT, SECRET) == "unknown"
    assert compare(stored, key, *AT, None) == "unknown"


def test_a_secret_that_is_not_text_can_be_fingerprinted() -> None:
    key = Key.of(TEXT)
    assert fingerprint(key, *AT, "\udcff").fingerprint != fingerprint(key, *AT, "\udcfe").fingerprint


def test_the_key_comes_from_the_variable_first(tmp_path: Path) -> None:
    path = tmp_path / ".cwsync" / "key"
    assert find_key(path, {}) is None
    assert find_key(path, {"CWSYNC_STATE_KEY": ""}) is None
    assert find_key(path, {"CWSYNC_STATE_KEY": TEXT}) == Key.of(TEXT)
    assert find_or_make_key(path, {"CWSYNC_STATE_KEY": TEXT}) == Key.of(TEXT)
    assert not path.parent.exists()
    made = find_or_make_key(path, {})
    assert find_key(path, {"CWSYNC_STATE_KEY": TEXT}) == Key.of(TEXT) != made


def test_a_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / ".cwsync" / "key"
    made = find_or_make_key(path, {})
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(bytes.fromhex(path.read_text().strip())) == 32
    assert find_or_make_key(path, {}) == find_key(path, {}) == made
    assert find_key(tmp_path / "none", {"CWSYNC_STATE_KEY": path.read_text()}) == made
    assert (path.parent / ".gitignore").read_text() == "*\n"
    assert find_or_make_key(tmp_path / "other", {}) != made


def test_runs_that_make_a_key_at_once_have_the_same(tmp_path: Path) -> None:
    start = Barrier(8)

    def make(_: int) -> Key:
        start.wait()
        return find_or_make_key(tmp_path / ".cwsync" / "key", {})

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(make, range(8)))) == 1


def test_a_key_that_is_too_short_is_refused_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(CwsyncError, match="CWSYNC_STATE_KEY") as raised:
        find_key(tmp_path / "key", {"CWSYNC_STATE_KEY": "fifteen letters"})
    assert code(raised) == "CW406"
    assert "fifteen letters" not in repr(raised.value.problems)
    assert find_key(tmp_path / "key", {"CWSYNC_STATE_KEY": "sixteen letters!"})


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff" * 40, None])
def test_a_key_file_that_cannot_be_used_is_named_and_kept(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "key"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    for attempt in (find_key, find_or_make_key):
        with pytest.raises(CwsyncError, match="the key file") as raised:
            attempt(path, {})
        assert code(raised) == "CW406"
    assert content is None or path.read_bytes() == content


def test_a_key_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CwsyncError) as raised:
        find_or_make_key(tmp_path / "file" / "key", {})
    assert code(raised) == "CW406"


def test_no_secret_and_no_key_is_in_any_byte_written(tmp_path: Path) -> None:
    folder = tmp_path / ".cwsync"
    key = find_or_make_key(folder / "key", {})
    store = LocalStore(folder / "prod.state.json")
    with acquire(store, tenant="emulator:local") as held:
        mark = fingerprint(key, held.state.lineage, "connection.lake", "sasToken", SecretStr(SECRET))
        entry = Entry("connection", "1", "Lake", {"name": "Lake"}, secrets={"sasToken": mark})
        held.update(lambda state: state.with_entry("connection.lake", entry))
        shown = repr((key, held.state, entry)) + str(key)
    written = b"".join(path.read_bytes() for path in folder.iterdir() if path.name != "key")
    assert mark.fingerprint.encode() in written
    unkeyed = hashlib.sha256(SECRET.encode()).hexdigest()
    for needle in (SECRET, unkeyed, key.material.decode()):
        assert needle.encode() not in written
        assert needle not in shown


def test_the_state_is_light_to_import() -> None:
    script = (
        "import sys, cwsync.state; print([name for name in ('pydantic', 'httpx') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_new_state_has_a_lineage_of_its_own() -> None:
    assert to_json(State.new()) != to_json(State.new())
