"""Where the real program keeps the state of a project: in a file, or at a server that listens for it."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock
from pathlib import Path
from typing import Protocol

from support import postgres, s3

from cwsync.errors import CwsyncError, Problem
from cwsync.state import from_json
from cwsync.state.postgres import PostgresStore

LOCAL = ".cwsync/test.state.json"
_KEY = f"/{s3.BUCKET}/team/test.state.json"
# What may become of a write in a bucket, in its tries.
_WRITES: tuple[Sequence[str], ...] = (
    ["drop"],
    ["503"],
    ["503 after"],
    ["409"],
    ["twice"],
    ["late"],
    ["late", "503", "409"],
    ["503"] * 99,
    ["403"],
)
# What becomes of those of a run that is killed, and of those that come after it. Few make it wait.
_PASSING = ["", "drop", "", "", "twice", "", "503 after", "", "", "409"]


class Site(Protocol):
    """The place of one document. `setting` is `state` in cwsync.yaml, and `environ` what else leads there."""

    setting: str
    environ: Mapping[str, str]

    def document(self) -> bytes | None:
        """What is stored."""

    def put(self, document: bytes, around: Callable[[Callable[[], None]], object]) -> None:
        """Store it first. `around` is handed each write over a network from then on, some of which go wrong."""

    def spoil(self, how: int) -> None:
        """Let the write go wrong that is to be made now, in one of several ways."""

    def mend(self) -> None:
        """What goes wrong goes right again."""

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """Pause a run, where that keeps nobody else from the state."""


class InFile:
    environ: Mapping[str, str] = {}

    def __init__(self, root: Path) -> None:
        self.setting = LOCAL
        self._path = root / LOCAL

    def document(self) -> bytes | None:
        return self._path.read_bytes() if self._path.exists() else None

    def put(self, document: bytes, _around: Callable[[Callable[[], None]], object]) -> None:
        self._path.write_bytes(document)

    def spoil(self, _how: int) -> None:
        raise CwsyncError(Problem("CW401", "the state cannot be written: there is no space"))

    def mend(self) -> None:
        """Nothing lasts."""

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        stop(process, self._path)


class InBucket:
    def __init__(self, server: s3.Server) -> None:
        self.server = server
        self.setting = f"s3:/{_KEY}"
        self.environ: Mapping[str, str] = {
            "AWS_ACCESS_KEY_ID": s3.KEY,
            "AWS_SECRET_ACCESS_KEY": s3.SECRET,
            "AWS_ENDPOINT_URL": server.url,
        }

    def document(self) -> bytes | None:
        return self.server.objects.get(_KEY)

    def put(self, document: bytes, around: Callable[[Callable[[], None]], object]) -> None:
        self.server.objects[_KEY] = document
        self.server.faults, self.server.around = _PASSING * 200, around

    def spoil(self, how: int) -> None:
        self.server.faults = [*_WRITES[how % len(_WRITES)]]

    def mend(self) -> None:
        self.server.faults = []

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGSTOP)


class InDatabase:
    """A row of its own. Its writes go wrong in the tests of the store."""

    environ: Mapping[str, str] = {}

    def __init__(self, server: postgres.Postgres) -> None:
        self.setting = server.url()

    def document(self) -> bytes | None:
        return PostgresStore.at(self.setting, "test").raw()

    def put(self, document: bytes, _around: Callable[[Callable[[], None]], object]) -> None:
        store = PostgresStore.at(self.setting, "test")
        store.commit(None, from_json(document, "the state to begin with"))

    def spoil(self, _how: int) -> None:
        raise CwsyncError(Problem("CW401", "the state cannot be written: there is no connection"))

    def mend(self) -> None:
        """Nothing lasts."""

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGSTOP)


Opens = Callable[[Path], AbstractContextManager[Site]]


def in_file(root: Path) -> AbstractContextManager[Site]:
    return nullcontext(InFile(root))


@contextmanager
def in_bucket(_root: Path) -> Iterator[Site]:
    with s3.serving(s3.Server()) as server:
        yield InBucket(server)


def in_database(server: postgres.Postgres) -> Opens:
    return lambda _root: nullcontext(InDatabase(server))


OPENS: Mapping[str, Opens] = {"local": in_file, "bucket": in_bucket}
"""By name: those that bring their own server."""


def stop(process: subprocess.Popen[bytes], state_file: Path) -> None:
    """Pause it between two writes of its state. In the middle of one nobody could take its lock over: others
    would be told that it may be suspended."""
    with state_file.with_name(f"{state_file.name}.lock").open("ab") as lock:
        while True:
            process.send_signal(signal.SIGSTOP)
            try:
                flock(lock, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                process.send_signal(signal.SIGCONT)
                flock(lock, LOCK_EX)
                flock(lock, LOCK_UN)
            else:
                flock(lock, LOCK_UN)
                return
