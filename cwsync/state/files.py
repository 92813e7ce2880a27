"""Writing a file so that a crash at any instant leaves either the old or the new content."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cwsync.errors import fail

_PRIVATE = 0o600
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)

if sys.platform == "win32":  # follows the documentation of msvcrt; it has not been run on Windows yet
    import msvcrt

    def _lock_if_free(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True
else:
    import fcntl

    def _lock_if_free(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class Files:
    """The four operations that a durable write is made of. Tests put themselves in their place."""

    def write_new(self, path: Path, data: bytes) -> int:
        """Create the file, which must not exist, for its owner only. Returns its open descriptor."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | _BINARY, _PRIVATE)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def fsync(self, descriptor: int) -> None:
        os.fsync(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        source.replace(target)

    def fsync_folder(self, folder: Path) -> None:
        """Make the names in it durable. Windows cannot open a folder, and does without."""
        if sys.platform != "win32":
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def write_durably(files: Files, path: Path, data: bytes) -> None:
    """Put the data in the file's place in one step. Only to be called under the file's lock: a temporary
    file that is there already is then what a killed run has left."""
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        descriptor = files.write_new(temporary, data)
        try:
            files.fsync(descriptor)
        finally:
            os.close(descriptor)
        files.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    files.fsync_folder(path.parent)


def prepare_folder(files: Files, folder: Path) -> None:
    """Make the folder where it is missing, for its owner only. `.cwsync` keeps itself out of git."""
    if not folder.is_dir():
        missing = [each for each in (folder, *folder.parents) if not each.is_dir()]
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for made in reversed(missing):
            files.fsync_folder(made.parent)
    if folder.name == ".cwsync":
        with suppress(FileExistsError), (folder / ".gitignore").open("x", encoding="utf-8") as ignore:
            ignore.write("*\n")


@contextmanager
def locked(path: Path, patience: float) -> Iterator[None]:
    """Hold the lock file beside `path`, waiting up to `patience` seconds. Raises CW404 if that is too short.

    The lock file stays: if it were deleted, two processes could lock two files of one name.
    """
    beside = path.with_name(f"{path.name}.lock")
    descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | _NO_FOLLOW, _PRIVATE)
    try:
        deadline = time.monotonic() + patience
        while not _lock_if_free(descriptor):
            if time.monotonic() >= deadline:
                raise fail(
                    "CW404",
                    f"another process has been writing {path} for {patience:g} s",
                    hint="it may be suspended; let it go on or end it, then try again",
                )
            time.sleep(0.005)
        yield
    finally:
        os.close(descriptor)
