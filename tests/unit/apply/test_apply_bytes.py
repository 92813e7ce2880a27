"""What an apply writes of its state: for each operation no more where there are many of them."""

from __future__ import annotations

from pathlib import Path
from threading import Semaphore

import httpx
from unit.apply.rig import Manifest, Rig, WatchedStore, daily, process

from cwsync.apply import Progress
from cwsync.state import MemoryStore


def scheduled(integrations: int) -> Manifest:
    return {
        "integrations": {f"i{n}": process(f"Integration {n}") for n in range(integrations)},
        "schedules": {f"i{n}": daily() for n in range(integrations)},
    }


def written(folder: Path, integrations: int) -> float:
    """The bytes of state for each operation, of which the next begins when the end of the last was heard of.

    So the ends come one by one, as they do from a service that is slower than the disk."""
    folder.mkdir()
    document = MemoryStore()
    store, sizes, heard = WatchedStore(document), list[int](), Semaphore(1)
    store.after = lambda _state: sizes.append(len(document.data or b""))
    rig = Rig(folder, store=store)

    def before(_request: httpx.Request) -> None:
        heard.acquire()

    def progress(told: Progress) -> None:
        if told.result is not None:
            heard.release()

    rig.before = before
    run = rig.apply(scheduled(integrations), progress=progress)
    rig.close()
    assert (run.codes, len(run.result.calls)) == ([], 2 * integrations)
    return sum(sizes) / len(run.result.calls)


def test_what_an_operation_writes_does_not_grow_with_the_state(tmp_path: Path) -> None:
    assert written(tmp_path / "many", 320) <= 2 * written(tmp_path / "few", 40)
