"""The stores: exactly one of several commits wins, and a crash leaves the old or the new document."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from cwsync.errors import CwsyncError, Exit
from cwsync.state import Conflict, Entry, Files, LocalStore, MemoryStore, State, Store, to_json
from cwsync.state.files import locked
from cwsync.state.postgres import PostgresStore

if TYPE_CHECKING:  # below, this file also runs by itself
    from support.postgres import Postgres

FLOW = Entry("flow", "1", "Nightly", {"steps": []})


@pytest.fixture(params=["local", "memory", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        return PostgresStore.at(server.url(), "prod")
    return LocalStore(tmp_path / "prod.state.json") if request.param == "local" else MemoryStore()


def test_a_store_gives_serial_and_nonce(store: Store) -> None:
    assert store.read() is None
    first = store.commit(None, State.new())
    second = store.commit(first, first.with_entry("flow.nightly", FLOW))
    assert (first.serial, second.serial) == (1, 2)
    assert first.lineage == second.lineage
    assert first.writerNonce != second.writerNonce
    assert store.read() == second


def test_what_is_stored_can_be_had_as_it_is(store: Store) -> None:
    assert store.raw() is None
    first = store.commit(None, State.new())
    assert store.raw() == to_json(first)


def test_what_is_put_back_is_later_than_both(store: Store) -> None:
    """A plan that was made for one of the two must not fit a third."""
    first = store.commit(None, State.new())
    assert store.commit(first, replace(first, serial=40)).serial == 41
    assert MemoryStore().commit(None, replace(first, serial=40)).serial == 41


def test_only_what_is_stored_can_be_replaced(store: Store) -> None:
    new = State.new()
    first = store.commit(None, new)
    second = store.commit(first, first)
    for stale in (None, first, new, State.new()):
        with pytest.raises(Conflict) as raised:
            store.commit(stale, first.with_entry("flow.nightly", FLOW))
        assert raised.value.problems[0].code == "CW405"
        assert store.describe() in str(raised.value)
    assert store.read() == second


def test_a_commit_needs_the_document_it_was_based_on(tmp_path: Path) -> None:
    path = tmp_path / "prod.state.json"
    first = LocalStore(path).commit(None, State.new())
    path.unlink()
    with pytest.raises(Conflict, match="is gone"):
        LocalStore(path).commit(first, first)
    assert not path.exists()


def test_a_document_that_was_only_laid_out_anew_is_still_the_same(tmp_path: Path) -> None:
    path = tmp_path / "prod.state.json"
    first = LocalStore(path).commit(None, State.new())
    path.write_bytes(path.read_bytes().replace(b"  ", b"\t"))
    assert LocalStore(path).commit(first, first).serial == 2


def test_the_file_and_its_folder_are_for_their_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / ".cwsync"
    before = os.umask(0)
    try:
        LocalStore(folder / "prod.state.json").commit(None, State.new())
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert modes["prod.state.json"] == modes["prod.state.json.lock"] == 0o600
    assert set(modes) == {"prod.state.json", "prod.state.json.lock", ".gitignore"}
    assert (folder / ".gitignore").read_text() == "*\n"


def test_the_names_of_new_folders_and_of_the_file_in_it_are_made_durable(tmp_path: Path) -> None:
    class Recorded(Files):
        def fsync_folder(self, folder: Path) -> None:
            folders.append((folder, sorted(path.name for path in folder.iterdir())))
            super().fsync_folder(folder)

    folders: list[tuple[Path, list[str]]] = []
    LocalStore(tmp_path / "states" / "eu" / "prod.json", files=Recorded()).commit(None, State.new())
    inner = tmp_path / "states" / "eu"
    assert folders == [
        (tmp_path, ["states"]),
        (tmp_path / "states", ["eu"]),
        (inner, ["prod.json", "prod.json.lock"]),
    ]


def test_an_ignore_file_that_is_there_is_kept(tmp_path: Path) -> None:
    ignore = tmp_path / ".cwsync" / ".gitignore"
    ignore.parent.mkdir()
    ignore.write_text("mine\n")
    LocalStore(ignore.parent / "prod.state.json").commit(None, State.new())
    assert ignore.read_text() == "mine\n"


def test_a_folder_of_another_name_gets_no_ignore_file(tmp_path: Path) -> None:
    LocalStore(tmp_path / "states" / "prod.json").commit(None, State.new())
    assert {path.name for path in (tmp_path / "states").iterdir()} == {"prod.json", "prod.json.lock"}


def link(path: Path) -> None:
    target = path.with_name("elsewhere.json")
    target.write_bytes(to_json(State.new()))
    path.symlink_to(target)


@pytest.mark.parametrize(
    ("put", "what"), [(link, "symbolic link"), (Path.mkdir, "folder"), (os.mkfifo, "special file")]
)
def test_what_is_not_a_file_is_refused(tmp_path: Path, put: Callable[[Path], None], what: str) -> None:
    path = tmp_path / "prod.state.json"
    put(path)
    for attempt in (LocalStore(path).read, lambda: LocalStore(path).commit(None, State.new())):
        with pytest.raises(CwsyncError) as raised:
            attempt()
        assert raised.value.problems[0].code == "CW401"
        assert f"is a {what}, not a file" in str(raised.value)


def test_a_file_in_place_of_the_folder_is_explained(tmp_path: Path) -> None:
    (tmp_path / ".cwsync").write_text("")
    with pytest.raises(CwsyncError, match="cannot be written") as raised:
        LocalStore(tmp_path / ".cwsync" / "prod.state.json").commit(None, State.new())
    assert raised.value.problems[0].code == "CW401"


def test_a_damaged_file_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "prod.state.json"
    first = LocalStore(path).commit(None, State.new())
    path.write_bytes(path.read_bytes()[:-20])
    damaged = path.read_bytes()
    with pytest.raises(CwsyncError) as raised:
        LocalStore(path).commit(first, first)
    assert raised.value.problems[0].code == "CW401"
    assert path.read_bytes() == damaged


class Killed(BaseException):
    """The process ends here; nothing may catch it."""


class FaultyFiles(Files):
    """Real files, until the given point: each operation has one before it and one after it, and writing
    has one in the middle as well."""

    def __init__(self, at: int, fault: Callable[[], None]) -> None:
        self.points = 0
        self._at = at
        self._fault = fault

    def _point(self) -> None:
        self.points += 1
        if self.points == self._at:
            self._fault()

    def write_new(self, path: Path, data: bytes) -> int:
        self._point()
        descriptor = super().write_new(path, data[: len(data) // 2])
        self._point()
        os.write(descriptor, data[len(data) // 2 :])
        self._point()
        return descriptor

    def fsync(self, descriptor: int) -> None:
        self._point()
        super().fsync(descriptor)
        self._point()

    def replace(self, source: Path, target: Path) -> None:
        self._point()
        super().replace(source, target)
        self._point()

    def fsync_folder(self, folder: Path) -> None:
        self._point()
        super().fsync_folder(folder)
        self._point()


POINTS = range(1, 10)
REPLACED_AT = 7


def kill() -> None:
    raise Killed


def test_every_operation_of_a_commit_is_a_point(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "prod.state.json")
    first = store.commit(None, State.new())
    files = FaultyFiles(0, kill)
    LocalStore(tmp_path / "prod.state.json", files=files).commit(first, first)
    assert files.points == len(POINTS)


def assert_whole(path: Path, first: State, at: int) -> None:
    """Either document is there, the next commit works, and it leaves nothing behind."""
    store = LocalStore(path)
    stored = store.read()
    assert stored is not None
    if at < REPLACED_AT:
        assert stored == first
    else:
        assert (stored.lineage, stored.serial, dict(stored.resources)) == (first.lineage, 2, {"flow.n": FLOW})
    store.commit(stored, stored)
    assert {inner.name for inner in path.parent.iterdir()} == {path.name, f"{path.name}.lock"}


@pytest.mark.parametrize("at", POINTS)
def test_a_kill_at_any_point_leaves_the_old_or_the_new_document(tmp_path: Path, at: int) -> None:
    path = tmp_path / "prod.state.json"
    first = LocalStore(path).commit(None, State.new())
    with pytest.raises(Killed):
        LocalStore(path, files=FaultyFiles(at, kill)).commit(first, first.with_entry("flow.n", FLOW))
    assert_whole(path, first, at)


def test_a_real_kill_at_any_point_leaves_the_old_or_the_new_document(tmp_path: Path) -> None:
    firsts = {
        at: LocalStore(tmp_path / str(at) / "prod.state.json").commit(None, State.new()) for at in POINTS
    }
    script = f"""
import os, runpy, signal, sys
from pathlib import Path
from cwsync.state import LocalStore
this = runpy.run_path({str(Path(__file__))!r})
for at in this["POINTS"]:
    child = os.fork()
    if child == 0:
        path = Path({str(tmp_path)!r}) / str(at) / "prod.state.json"
        files = this["FaultyFiles"](at, lambda: os.kill(os.getpid(), signal.SIGKILL))
        first = LocalStore(path).read()
        LocalStore(path, files=files).commit(first, first.with_entry("flow.n", this["FLOW"]))
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert [int(status) for status in done.stdout.split()] == [-signal.SIGKILL] * len(POINTS)
    for at, first in firsts.items():
        assert_whole(tmp_path / str(at) / "prod.state.json", first, at)


@pytest.mark.parametrize("at", range(1, REPLACED_AT))
@pytest.mark.parametrize(("number", "way_out"), [(errno.ENOSPC, "space"), (errno.EACCES, "permissions")])
def test_a_write_that_fails_is_explained_and_leaves_nothing_behind(
    tmp_path: Path, at: int, number: int, way_out: str
) -> None:
    def refuse() -> None:
        raise OSError(number, os.strerror(number))

    path = tmp_path / "prod.state.json"
    first = LocalStore(path).commit(None, State.new())
    with pytest.raises(CwsyncError) as raised:
        LocalStore(path, files=FaultyFiles(at, refuse)).commit(first, first.with_entry("flow.n", FLOW))
    problem = raised.value.problems[0]
    assert problem.code == "CW401"
    assert str(path) in problem.message
    assert os.strerror(number) in problem.message
    assert problem.hint
    assert way_out in problem.hint
    assert {inner.name for inner in tmp_path.iterdir()} == {path.name, f"{path.name}.lock"}
    assert LocalStore(path).read() == first


def test_a_link_in_place_of_the_temporary_file_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("not ours")
    (tmp_path / "prod.state.json.tmp").symlink_to(other)
    LocalStore(tmp_path / "prod.state.json").commit(None, State.new())
    assert other.read_text() == "not ours"


def test_another_writer_is_not_waited_for_without_end(tmp_path: Path) -> None:
    path = tmp_path / "prod.state.json"
    with locked(path, 0), pytest.raises(CwsyncError) as raised:
        LocalStore(path, patience=0).commit(None, State.new())
    assert raised.value.problems[0].code == "CW404"
    assert raised.value.exit is Exit.LOCKED
    assert LocalStore(path, patience=0).commit(None, State.new()).serial == 1


def wins(path: Path, base: State | None, name: str) -> bool:
    try:
        LocalStore(path).commit(base, (base or State.new()).with_entry(f"flow.{name}", FLOW))
    except Conflict:
        return False
    return True


@pytest.mark.parametrize("exists", [False, True])
def test_one_of_many_threads_wins(tmp_path: Path, exists: bool) -> None:
    threads = 8
    for turn in range(10):
        path = tmp_path / str(turn) / "prod.state.json"
        base = LocalStore(path).commit(None, State.new()) if exists else None
        start = Barrier(threads)

        def race(
            number: int, path: Path = path, base: State | None = base, start: Barrier = start
        ) -> tuple[str, bool]:
            start.wait()
            return f"flow.{number}", wins(path, base, str(number))

        with ThreadPoolExecutor(threads) as pool:
            winners = [address for address, won in pool.map(race, range(threads)) if won]
        stored = LocalStore(path).read()
        assert stored is not None
        assert len(winners) == 1
        assert list(stored.resources) == winners


def test_one_of_many_processes_wins(tmp_path: Path) -> None:
    turns, processes = 20, 4
    for turn in range(turns):
        LocalStore(tmp_path / str(turn) / "prod.state.json").commit(None, State.new())
    script = f"""
import runpy, sys
from pathlib import Path
from cwsync.state import LocalStore
this = runpy.run_path({str(Path(__file__))!r})
paths = [Path({str(tmp_path)!r}) / str(turn) / "prod.state.json" for turn in range({turns})]
bases = [LocalStore(path).read() for path in paths]
print("ready", flush=True)
sys.stdin.readline()
print(*[turn for turn in range({turns}) if this["wins"](paths[turn], bases[turn], sys.argv[1])])
"""
    children = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(processes)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    won = [turn for child in children for turn in child.communicate()[0].split()]
    assert sorted(won, key=int) == [str(turn) for turn in range(turns)]
