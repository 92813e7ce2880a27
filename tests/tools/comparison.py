"""The same thirty objects made by Terraform and by cwsync, both killed at the same requests: what each knows of them
afterwards, and what its next run makes of that. Everything is counted, nothing is assumed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, Protocol

from crash.deaths import MOMENTS
from crash.gate import Death, Gate
from crash.mixed import imports, s3, write_project
from crash.process import start
from crash.sites import stop
from support.tenant import Tenant, served
from tools.terraform import Folder, RemoteState, Thing, known

THINGS = [
    *(Thing("connection", f"c{number}") for number in range(10)),
    *(Thing("integration", f"i{number}", f"c{number % 10}") for number in range(20)),
]
PARALLELISM = 10  # Terraform's default


Command = Literal["apply", "wait and apply", "save", "apply saved"]
PATIENCE_SECONDS = 150


class Subject(Protocol):
    """A program that is to make things in a tenant."""

    def declare(self, things: list[Thing]) -> None: ...

    def begin(self, command: Command) -> subprocess.Popen[bytes]:
        """A command, in a process group of its own."""

    def known(self) -> dict[str, bool]:
        """The names in its state, and whether it takes each for made: else it will look for it."""

    def pause(self, process: subprocess.Popen[bytes]) -> None:
        """Stop it, and what it has begun, where that keeps nobody from reading and writing its state."""

    def unlock(self) -> bool:
        """What a person does where the latest run met the lock of another; False where that is no way out."""

    def beside(self) -> Subject:
        """The same on another machine, if its state can be shared; else the same once more."""


Program = Callable[[Path, str, list[Thing]], AbstractContextManager[Subject]]


class OfTerraform:
    _APPLY = ("apply", "-input=false", "-no-color")
    _COMMANDS: Mapping[Command, tuple[str, ...]] = {
        "apply": (*_APPLY, "-auto-approve"),
        "wait and apply": (*_APPLY, "-auto-approve", f"-lock-timeout={PATIENCE_SECONDS}s"),
        "save": ("plan", "-input=false", "-no-color", "-out=saved"),
        "apply saved": (*_APPLY, "saved"),
    }

    def __init__(self, folder: Folder, remote: RemoteState | None = None) -> None:
        self.folder = folder
        self._remote = remote

    def declare(self, things: list[Thing]) -> None:
        self.folder.write(things)
        self.folder.init()

    def begin(self, command: Command) -> subprocess.Popen[bytes]:
        return self.folder.begin(*self._COMMANDS[command])

    def known(self) -> dict[str, bool]:
        state = self._remote.state if self._remote else _json(self.folder.path / "terraform.tfstate")
        return dict(known(state))

    def pause(self, process: subprocess.Popen[bytes]) -> None:
        signal_all(process, signal.SIGSTOP)

    def unlock(self) -> bool:
        id = self.folder.lock_id()
        return id is not None and self.folder.run("force-unlock", "-force", id) == 0

    def beside(self) -> Subject:
        if self._remote is None:
            return self
        other = self.folder.path.with_name("other")
        shutil.copytree(self.folder.path, other)
        return OfTerraform(replace(self.folder, path=other), self._remote)


class OfCwsync:
    _COMMANDS: Mapping[Command, tuple[str, ...]] = {
        "apply": ("apply", "--auto-approve"),
        "wait and apply": ("apply", "--auto-approve", "--lock-timeout", str(PATIENCE_SECONDS)),
        "save": ("plan", "--out", "saved"),
        "apply saved": ("apply", "saved"),
    }

    def __init__(self, root: Path, url: str) -> None:
        self._root = root
        self._url = url

    def declare(self, things: list[Thing]) -> None:
        protected = {"lifecycle": {"preventDestroy": True}}
        connections = {
            one.name: s3(one.name) | (protected if one.protect else {}) for one in things if not one.of
        }
        integrations = {one.name: imports(one.name, one.of) for one in things if one.of}
        manifest = {"connections": connections, "integrations": integrations}
        write_project(self._root, self._url, manifest, PARALLELISM)

    def begin(self, command: Command) -> subprocess.Popen[bytes]:
        with (self._root / "said").open("ab") as said:
            return start(self._root, said.fileno(), *self._COMMANDS[command])

    def known(self) -> dict[str, bool]:
        state = _json(self._root / ".cwsync/test.state.json") or {"pending": {}, "resources": {}}
        sought = {each["name"]: False for each in state["pending"].values()}
        return sought | {each["name"]: True for each in state["resources"].values()}

    def pause(self, process: subprocess.Popen[bytes]) -> None:
        stop(process, self._root / ".cwsync/test.state.json")

    def unlock(self) -> bool:
        return False

    def beside(self) -> Subject:
        return self


@contextmanager
def terraform_locally(folder: Path, url: str, things: list[Thing]) -> Iterator[Subject]:
    subject = OfTerraform(Folder(folder / "terraform", url))
    subject.declare(things)
    yield subject


@contextmanager
def terraform_remotely(folder: Path, url: str, things: list[Thing]) -> Iterator[Subject]:
    """With the state behind HTTP, as where several people or machines share it."""
    state = RemoteState()
    with served(around=lambda _app: state) as at:
        subject = OfTerraform(Folder(folder / "terraform", url, at.url), state)
        subject.declare(things)
        yield subject


@contextmanager
def cwsync(folder: Path, url: str, things: list[Thing]) -> Iterator[Subject]:
    subject = OfCwsync(folder / "project", url)
    subject.declare(things)
    yield subject


@dataclass
class Count:
    """Summed over kills. Right after the kill: `unknown` objects exist, and the state has no trace of them;
    `phantoms` don't, and the state takes them for made. `locked`: the next run waits for the dead one until a
    person unlocks. `failed`: it ends in an error. `left` objects are unknown even then, and `missing` not there."""

    kills: int = 0
    unknown: int = 0
    phantoms: int = 0
    locked: int = 0
    failed: int = 0
    left: int = 0
    missing: int = 0
    converged: int = 0

    def add(self, other: Count) -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


def killed(program: Program, folder: Path, death: Death) -> Count:
    """Kill the program and all that it has begun, and let it go on."""
    gate = Gate()
    with served(around=gate.before) as tenant, program(folder, tenant.url, THINGS) as subject:
        began: Future[subprocess.Popen[bytes]] = Future()
        gate.arm(death, lambda: signal_all(began.result(), signal.SIGKILL))
        began.set_result(subject.begin("apply"))
        count = Count(kills=began.result().wait(300) == -signal.SIGKILL)
        gate.wait_until_idle()
        there, state = names(tenant), subject.known()
        count.unknown = len(there - state.keys())
        count.phantoms = len({name for name, made in state.items() if made} - there)
        gate.arm(None)
        status = subject.begin("apply").wait(300)
        if status and subject.unlock():
            count.locked = 1
            status = subject.begin("apply").wait(300)
        count.failed = status != 0
        there, state = names(tenant), subject.known()
        count.left = len(there - state.keys())
        count.missing = len({thing.name for thing in THINGS} - there)
        count.converged = not (count.failed or count.left or count.missing)
        return count


def all_killed(program: Program, folder: Path, every: int, lanes: int) -> Count:
    """At each `every`th of the requests that make something, before its effect and after it."""
    deaths = [Death(number, moment) for number in range(1, len(THINGS) + 1, every) for moment in MOMENTS]
    total = Count()
    with ThreadPoolExecutor(lanes) as pool:
        folders = [folder / str(number) for number in range(len(deaths))]
        for one in pool.map(lambda each: killed(program, *each), zip(folders, deaths, strict=True)):
            total.add(one)
    return total


def names(tenant: Tenant) -> set[str]:
    return {*tenant.names("connections"), *tenant.names("integrations")}


def signal_all(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """To the program and whatever it has started, as when a container is stopped."""
    os.killpg(process.pid, number)
    if number is signal.SIGKILL:
        process.wait()


def _json(file: Path) -> dict[str, Any] | None:
    """Terraform makes its file before it has anything to write."""
    text = file.read_text() if file.exists() else ""
    found: dict[str, Any] | None = json.loads(text) if text else None
    return found
