"""What a machine remembers of an encrypted state: an older one is refused, and no crash ever makes it say so."""

from __future__ import annotations

import base64
import json
import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import pytest
from crash.disk import LOSSES, Disk, Loss
from unit.state.holding import FLOW, Time, gone, refused, stored, take

from cwsync.state import LocalStore, MemoryStore, State, Store
from cwsync.state.moving import arrive, found_at, send
from cwsync.state.sealed import Sealed, SealingKey, Untrusted
from cwsync.state.seen import RememberingStore, Seen

KEY = SealingKey.of(base64.b64encode(bytes(range(40))).decode(), "the test")
SEALED = Sealed(lambda: KEY)


dead = cache(gone)


class Dead(BaseException):
    """The process ends here, or the whole machine."""


@dataclass
class Dying(Disk):
    """A file system that knows of each folder by itself what would survive; it ends at the given step."""

    at: int = 0
    steps: int = 0

    def fsync_folder(self, folder: Path) -> None:
        others = {path: inode for path, inode in self.durable.items() if path.parent != folder}
        here = {path: inode for path, inode in self.names.items() if path.parent == folder}
        super().fsync_folder(folder)
        self.durable = others | here

    def _at(self, step: str) -> None:
        self.steps += 1
        if self.steps == self.at:
            raise Dead


def seen_at(folder: Path, disk: Disk | None = None) -> Seen:
    return Seen(folder / ".cwsync" / "prod.seen.json", files=disk)


def remembering(folder: Path, disk: Disk | None = None, *, trusting: bool = False) -> RememberingStore:
    path = folder / "states" / "prod.json"
    disk = disk or Disk()
    store = LocalStore(path, files=disk, codec=SEALED)
    lasting = partial(disk.fsync_folder, path.parent)
    return RememberingStore(store, seen_at(folder, disk), SEALED, lasting=lasting, trusting=trusting)


def run(store: Store) -> None:
    """What a run does: it looks, takes the lock, commits, and gives the lock back."""
    store.read()
    with take(store, Time(), holder=dead()) as held:
        held.update(lambda state: state.with_entry("flow.a", FLOW))
        held.update(lambda state: state.with_entry("flow.b", FLOW))


def test_an_older_state_is_refused_until_somebody_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "states" / "prod.json"
    run(remembering(tmp_path))
    older, was = path.read_bytes(), stored(remembering(tmp_path))
    run(remembering(tmp_path))
    path.write_bytes(older)
    error = refused(remembering(tmp_path).read)
    assert isinstance(error, Untrusted)
    (problem,) = error.problems
    assert (problem.code, f"serial {was.serial}," in problem.message) == ("CW413", True)
    newest = seen_at(tmp_path).serials()[was.lineage]
    trusting = remembering(tmp_path, trusting=True)
    done = trusting.commit(stored(trusting), was)
    assert done.serial == newest + 1
    assert stored(remembering(tmp_path)) == done


def test_the_file_is_small_and_private_and_says_which_serial(tmp_path: Path) -> None:
    run(remembering(tmp_path))
    state = stored(remembering(tmp_path))
    file = tmp_path / ".cwsync" / "prod.seen.json"
    assert json.loads(file.read_text()) == {state.lineage: state.serial}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_it_is_not_written_with_each_commit(tmp_path: Path) -> None:
    written = []

    class Counting(Disk):
        def replace(self, source: Path, target: Path) -> None:
            written.append(target.name)
            super().replace(source, target)

    run(remembering(tmp_path))
    run(remembering(tmp_path, Counting()))
    assert written == ["prod.json"] * 4 + ["prod.seen.json"]


def test_a_store_that_is_read_alone_is_remembered_too(tmp_path: Path) -> None:
    memory = MemoryStore(codec=SEALED)
    first = memory.commit(None, State.new())
    older = memory.data
    memory.commit(first, first)
    store = RememberingStore(memory, seen_at(tmp_path), SEALED)
    store.read()
    memory.data = older
    assert isinstance(refused(store.read), Untrusted)


def test_what_another_lineage_is_at_does_not_matter(tmp_path: Path) -> None:
    run(remembering(tmp_path))
    (tmp_path / "states" / "prod.json").unlink()
    assert remembering(tmp_path).read() is None
    run(remembering(tmp_path))
    assert len(seen_at(tmp_path).serials()) == 2


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": "b"}', b"\xff"])
def test_a_damaged_file_has_seen_nothing(tmp_path: Path, content: bytes) -> None:
    run(remembering(tmp_path))
    (tmp_path / ".cwsync" / "prod.seen.json").write_bytes(content)
    run(remembering(tmp_path))
    assert len(seen_at(tmp_path).serials()) >= 1


def test_where_nothing_can_be_written_nothing_is_wrong(tmp_path: Path) -> None:
    (tmp_path / ".cwsync").write_text("a file in its place")
    run(remembering(tmp_path))
    assert stored(remembering(tmp_path)).lock is None


def test_another_run_between_two_steps_is_no_rollback(tmp_path: Path) -> None:
    """The file is looked at before the state is: whoever comes in between makes the state newer, not older."""
    inner = MemoryStore(codec=SEALED)
    inner.commit(None, State.new())

    class Slow(MemoryStore):
        def read(self) -> State | None:
            found = inner.read()
            run(RememberingStore(inner, seen_at(tmp_path), SEALED))
            return found

    assert RememberingStore(Slow(), seen_at(tmp_path), SEALED).read() is not None


def steps_of_a_run(folder: Path) -> int:
    disk = Dying()
    run(remembering(folder, disk))
    return disk.steps


@pytest.mark.parametrize("loss", LOSSES)
def test_no_crash_at_any_step_makes_it_refuse_what_is_there(tmp_path: Path, loss: Loss) -> None:
    """Each run, and the one after it that only reads, end at each of their steps, with what a machine may lose."""
    before = tmp_path / "before"
    run(remembering(before))
    shutil.copytree(before, tmp_path / "count")
    for at in range(1, steps_of_a_run(tmp_path / "count") + 1):
        for after in (0, 2, 5, 7, 8, 9):  # none, and around the steps after which something lasts
            folder = tmp_path / f"{at}.{after}"
            shutil.copytree(before, folder)
            disk = tracked(folder, at)
            with pytest.raises(Dead):
                run(remembering(folder, disk))
            disk.at = disk.steps + after if after else 0  # a process was killed; now another one reads
            with suppress(Dead):
                remembering(folder, disk).read()
            disk.restart(disk.left(loss))
            assert remembering(folder).read() is not None


def tracked(folder: Path, at: int) -> Dying:
    disk = Dying(at=at)
    for path in (*folder.glob("states/*.json"), *folder.glob(".cwsync/*.json")):
        disk.holds(path, path.read_bytes())
    return disk


def test_a_move_that_is_cut_off_is_no_rollback_where_it_goes_on(tmp_path: Path) -> None:
    source = remembering(tmp_path)
    run(source)
    target = RememberingStore(
        LocalStore(tmp_path / "new.json", codec=SEALED), seen_at(tmp_path), SEALED, trusting=True
    )

    class Full(RememberingStore):
        def commit(self, old: State | None, new: State) -> State:
            if new.movedTo:
                raise Dead
            return super().commit(old, new)

    stops = Full(LocalStore(tmp_path / "states" / "prod.json", codec=SEALED), seen_at(tmp_path), SEALED)
    with pytest.raises(Dead):
        send(take(stops, Time(), holder=dead()), target, "new.json")
    assert stored(remembering(tmp_path)).lock is not None
    with take(source, Time()) as held:
        send(held, target, "new.json")
    left = found_at(source)
    assert left is not None
    arrived = arrive(left, target)
    assert arrived.serial == seen_at(tmp_path).serials()[arrived.lineage]
    assert replace(arrived, lock=None) == stored(
        RememberingStore(LocalStore(tmp_path / "new.json", codec=SEALED), seen_at(tmp_path), SEALED)
    )
