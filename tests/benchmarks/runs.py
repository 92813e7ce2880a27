"""What is measured: programs in processes of their own, and the emulator that they call, in another one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

Json = dict[str, Any]
TESTS = Path(__file__).resolve().parents[1]
_LEFT_OUT = ("PYTHONDONTWRITEBYTECODE", "NO_COLOR", "CI", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@dataclass(frozen=True, order=True)
class Ran:
    """What a program took: seconds on the clock, and seconds of processors, its own and its children's."""

    wall: float
    cpu: float = 0.0
    out: str = ""
    calls: int = 0


def ran(command: Sequence[str], folder: Path = TESTS) -> Ran:
    """Run it to its end. Raises RuntimeError where that is none of success or changes."""
    mine = {name: value for name, value in os.environ.items() if name.upper() not in _LEFT_OUT}
    environ = {name: value for name, value in mine.items() if not name.startswith(("CWSYNC_", "TF_"))}
    with tempfile.TemporaryFile("w+") as said:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        out = said.read()
    if process.returncode not in (0, 2):
        raise RuntimeError(f"{' '.join(command)}: {out[-2000:]}")
    return Ran(wall, used.ru_utime + used.ru_stime, out)


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def cwsync(*arguments: str) -> list[str]:
    return python("-m", "cwsync", *arguments)


@dataclass
class Service:
    """The emulator in a process of its own."""

    url: str
    process: subprocess.Popen[str]

    def calls(self) -> list[Json]:
        """All that it was asked so far."""
        found: list[Json] = httpx.get(f"{self.url}/_emulator/requests", timeout=60).json()["requests"]
        return found

    def cpu(self) -> float | None:
        """The seconds of processors that it took so far, where the system tells."""
        try:
            told = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")

    def asked_by(self, command: Sequence[str], folder: Path = TESTS) -> tuple[Ran, list[Json]]:
        """Run a program that calls it; what it took, and its calls."""
        before = len(self.calls())
        done = ran(command, folder)
        made = self.calls()[before:]
        return Ran(done.wall, done.cpu, done.out, len(made)), made


@contextmanager
def emulator(*options: str, port: str = "0") -> Iterator[Service]:
    """An empty tenant, until the end of the block."""
    command = cwsync("emulator", "--port", port, *options)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+?:\d+", process.stdout.readline())
            assert found is not None
            yield Service(found[0], process)
        finally:
            process.terminate()


def best(commands: dict[str, list[str]], times: int, folder: Path = TESTS) -> dict[str, float]:
    """The shortest of so many runs of each, which take turns: what disturbs one then disturbs the others."""
    walls: dict[str, float] = {}
    for _ in range(times):
        for name, command in commands.items():
            walls[name] = min(ran(command, folder).wall, walls.get(name, float("inf")))
    return walls
