"""From a file, or a text, to its documents."""

from __future__ import annotations

import codecs
import gc
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cwsync.errors import CwsyncError, Place, Problem, fail
from cwsync.located.builder import Builder, parser_for
from cwsync.located.values import Document, Source

# Twenty-five thousand resources of usual size; nobody edits a larger file by hand.
MAX_BYTES = 20_000_000

# The complement of what YAML 1.2 calls printable (section 5.1).
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UTF16_OR_32 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)


def read(path: Path, shown_as: str) -> list[Document]:
    """The documents of a file that are not empty; messages call the file `shown_as`.

    Raises CwsyncError with everything that is wrong in this file: CW101 for one that cannot be read
    or is not UTF-8 text, CW102 to CW105 for its YAML.
    """
    return load(_decoded(_bytes_of(path, shown_as), shown_as), shown_as)


def load(text: str, file: str) -> list[Document]:
    """The documents of a text that are not empty. Raises as `read` does."""
    source = Source(file, text.removeprefix("\ufeff"))
    if len(text) > MAX_BYTES:
        raise _too_large(file)
    if forbidden := _FORBIDDEN.search(source.text):
        character = f"U+{ord(forbidden[0]):04X}"
        message = f"the character {character} cannot stand in a YAML file"
        hint = "write it as an escape in double quotes, or leave it out"
        raise CwsyncError(Problem("CW101", message, place=source.place(forbidden.start()), hint=hint))
    with _collector_paused():
        return Builder(source).build(parser_for(source.text))


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Building makes no circles, and at 50,000 resources the collector would cost as much as parsing."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _bytes_of(path: Path, shown_as: str) -> bytes:
    """The content of a regular file; a pipe or a device is refused without waiting for it."""
    place = Place(shown_as)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise fail("CW101", "this is a folder, not a file", place=place)
        if not stat.S_ISREG(mode):
            raise fail("CW101", "this is not a regular file", place=place)
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its name is not usable"
        raise fail("CW101", f"the file cannot be read: {reason}", place=place) from None
    if len(content) > MAX_BYTES:
        raise _too_large(shown_as)
    return content


def _decoded(content: bytes, shown_as: str) -> str:
    hint = "save the file as UTF-8"
    if content.startswith(_UTF16_OR_32):
        raise fail("CW101", "the file is UTF-16 or UTF-32 text, not UTF-8", place=Place(shown_as), hint=hint)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line_start = before.rfind(b"\n") + 1
        column = len(before[line_start:].decode("utf-8", "replace")) + 1
        place = Place(shown_as, before.count(b"\n") + 1, column)
        raise fail("CW101", "the file is not UTF-8 text", place=place, hint=hint) from None


def _too_large(shown_as: str) -> CwsyncError:
    message = f"the file is larger than {MAX_BYTES // 1_000_000} MB"
    return fail("CW104", message, place=Place(shown_as), hint="spread its resources over several files")
