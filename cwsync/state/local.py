"""The store in a local file."""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cwsync.errors import fail
from cwsync.state.codec import PLAIN, Codec
from cwsync.state.document import State
from cwsync.state.files import Files, locked, prepare_folder, write_durably
from cwsync.state.store import advanced, opened, require_unchanged

_WAYS_OUT = {
    errno.ENOSPC: "free some space and run the command again",
    errno.EDQUOT: "free some space and run the command again",
    errno.EACCES: "run cwsync as the user that owns the file and its folder, or correct their permissions",
    errno.EPERM: "run cwsync as the user that owns the file and its folder, or correct their permissions",
    errno.EROFS: "the disk is mounted for reading only; set `state` in cwsync.yaml to another place",
}


class LocalStore:
    """One file, for its owner only. A commit is durable when it returns (measured: about half a millisecond).

    `patience` is how many seconds to wait for another process's write, each of which takes milliseconds.
    """

    def __init__(
        self, path: Path, *, files: Files | None = None, patience: float = 10, codec: Codec = PLAIN
    ) -> None:
        self._path = path
        self._files = files or Files()
        self._patience = patience
        self._codec = codec

    def read(self) -> State | None:
        data = self._read()
        return None if data is None else opened(data, self.describe(), self._codec)

    def raw(self) -> bytes | None:
        data = self._read()
        return None if data is None else self._codec.decode(data, self.describe())

    def commit(self, old: State | None, new: State) -> State:
        with self._explained("written"):
            prepare_folder(self._files, self._path.parent)
            with locked(self._path, self._patience):
                require_unchanged(self._bytes(), old, self.describe(), self._codec)
                document = advanced(old, new)
                write_durably(self._files, self._path, self._codec.encode(document))
                return document

    def describe(self) -> str:
        return f"the state {self._path}"

    def _read(self) -> bytes | None:
        with self._explained("read"):
            return self._bytes()

    def _bytes(self) -> bytes | None:
        try:
            mode = self._path.lstat().st_mode
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(mode):
            what = (
                "symbolic link" if stat.S_ISLNK(mode) else "folder" if stat.S_ISDIR(mode) else "special file"
            )
            raise fail(
                "CW401",
                f"{self.describe()} is a {what}, not a file",
                hint="move it away, or set `state` in cwsync.yaml to the path of the file itself",
            )
        return self._path.read_bytes()

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise fail(
                "CW401",
                f"{self.describe()} cannot be {what}: {reason}",
                hint=_WAYS_OUT.get(
                    error.errno or 0, "see that its folder is a folder that cwsync may write to"
                ),
            ) from None
