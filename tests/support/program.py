"""cwsync as people run it: in this process, which is quick, or in one of its own."""

from __future__ import annotations

import io
import os
import pty
import select
import subprocess
import sys
from collections.abc import Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from cwsync.cli import run
from cwsync.cli.outside import Outside


@dataclass(frozen=True)
class Ran:
    """What a command ended in. `all` is both outputs, for what must be in neither."""

    status: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err


def cwsync(*arguments: str, folder: Path, outside: Outside | None = None) -> Ran:
    """Run a command in a folder, in this process."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with chdir(folder), redirect_stdout(out), redirect_stderr(err):
        status = run(arguments, outside)
    return Ran(int(status), _written(out), _written(err))


def _written(stream: io.TextIOWrapper) -> str:
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode()


def command(*arguments: str) -> list[str]:
    """The command line of cwsync in a process of its own."""
    return [sys.executable, "-m", "cwsync", *arguments]


def cwsync_process(*arguments: str, folder: Path, environ: Mapping[str, str] | None = None) -> Ran:
    """Run a command in a folder, in a process of its own."""
    done = subprocess.run(
        command(*arguments),
        cwd=folder,
        env={**os.environ, **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def cwsync_begun(*arguments: str, folder: Path) -> subprocess.Popen[str]:
    """A command that runs in a folder, to be disturbed and waited for."""
    return subprocess.Popen(
        command(*arguments),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


# Makes standard input the terminal that controls the process, so that Ctrl-C there is a signal, which nobody ignores:
# a shell that runs the tests in the background lets all that it starts ignore it.
_AT_TERMINAL = """
import fcntl, runpy, signal, termios
signal.signal(signal.SIGINT, signal.default_int_handler)
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
runpy.run_module("cwsync", run_name="__main__", alter_sys=True)
"""


def cwsync_terminal(
    *arguments: str, folder: Path, keys: str = "", after: str = "", environ: Mapping[str, str] | None = None
) -> Ran:
    """Run a command at a terminal of its own, where `keys` are typed once it shows `after`. `out` has all."""
    ours, its = pty.openpty()
    shown = b""
    with subprocess.Popen(
        [sys.executable, "-c", _AT_TERMINAL, *arguments],
        cwd=folder,
        env={**os.environ, "TERM": "xterm", **(environ or {})},
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
    ) as process:
        os.close(its)
        while part := _read(ours):
            seen = after.encode() in shown
            shown += part
            if keys and not seen and after.encode() in shown:
                os.write(ours, keys.encode())
            # Ctrl-C in the instant before Python waits for input is not noticed: whoever typed it does so again.
            while keys and after.encode() in shown and not select.select([ours], [], [], 3)[0]:
                os.write(ours, keys.encode())
    os.close(ours)
    return Ran(process.returncode, shown.decode(), "")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other end is closed
        return b""
