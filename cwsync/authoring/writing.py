"""Putting a changed manifest in the place of the one that was read."""

from __future__ import annotations

import os
from pathlib import Path

from cwsync.errors import fail
from cwsync.located import read
from cwsync.state.files import Files, write_durably


def text_of_file(path: Path, shown_as: str) -> str:
    """A file's text as it is, its line ends and byte order mark included. Raises as `located.read` does."""
    read(path, shown_as)
    return path.read_bytes().decode("utf-8")


def put_in_place(files: Files, path: Path, before: str, after: str, shown_as: str) -> None:
    """Write the text in one step, with the rights that the file had; a link stays one.

    Raises CW101 where the file cannot be written, and CW512 where it no longer is as it was read.
    """
    real = Path(os.path.realpath(path))
    try:
        mode = real.stat().st_mode & 0o777
        if real.read_bytes() != before.encode():
            raise fail(
                "CW512",
                f"{shown_as} was changed meanwhile, so it was not written",
                hint="run the command again",
            )
        write_durably(files, real, after.encode())
        real.chmod(mode)
    except OSError as error:
        raise fail("CW101", f"{shown_as} cannot be written: {error.strerror}") from None
