"""The audit trail: one line of JSON for each change of a tenant, written when what came of it is known.

A line is appended by a single write, so several runs may share a file, and is on the disk before the state
says that its operation is over. Of a run that was killed, the state has what it intended; whoever resolves
that writes a line about it. So each mutation has a line, or is pending in the state.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Literal, Protocol

from cwsync.errors import CwsyncError, Problem

FORMAT, VERSION = "cwsync-audit", 1
# What is true of all lines of a command from some point on.
_KNOWN = ("user", "serviceUser", "environment", "tenant", "run", "plan")

Event = Literal["mutation", "resolution", "decision"]


@dataclass(frozen=True, slots=True)
class Purpose:
    """The operation that a request belongs to. `op` is its intent's in the state, where it has one; `attempt`
    counts an operation's mutations from 1."""

    address: str
    action: str
    name: str | None = None
    op: str | None = None
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """What a line tells beside who and when: no body, and no message of the service, which may repeat one.

    `outcome` of a mutation is "applied", "rejected" (certainly not done) or "ambiguous"; of a resolution, which
    is made by reading, "applied" or "not applied"; of a decision what a person said. `requests` is how often it
    left, `seconds` how long it took, `id` that of the object or the run.
    """

    event: Event
    purpose: Purpose
    outcome: str
    method: str | None = None
    path: str | None = None
    requests: int | None = None
    status: int | None = None
    code: str | None = None
    id: str | None = None
    seconds: float | None = None
    server_time: datetime | None = None


def _now() -> datetime:
    return datetime.now(UTC)


class Trail:
    """Where the lines go, for any number of threads: a file, stderr, or nowhere.

    `problem` is CW544 from the first line on that could not be written, with the lines that are missing: they
    are shown instead. Whoever is about to change something asks `check` first.
    """

    def __init__(
        self, place: Path | Literal["stderr"] | None = None, now: Callable[[], datetime] = _now
    ) -> None:
        self._place = place
        self._now = now
        self._known: dict[str, object] = {}
        self._sink: _Sink | None = None
        self._lock = Lock()
        self.problem: Problem | None = None

    def know(self, **known: object) -> None:
        """What is true of all lines from here on: `user`, `serviceUser`, `environment`, `tenant`, `run`, `plan`."""
        self._known |= known

    def check(self) -> None:
        """Raise CW544 where what happens next could not be written. Opens the file when first asked."""
        with self._lock:
            if self._place is not None and self._sink is None and self.problem is None:
                self._open(self._place)
        if self.problem is not None:
            raise CwsyncError(self.problem)

    def write(self, entry: Entry) -> None:
        """Append a line. What keeps it from being written is in `problem`: the change itself has been made."""
        if self._place is None:
            return
        with suppress(CwsyncError):
            self.check()
        with self._lock:
            line = self._line(entry)
            if self._sink is not None and self.problem is None:
                try:
                    self._sink.write(f"{line}\n".encode())
                except (OSError, ValueError) as error:  # a ValueError is a stderr that is closed
                    self.problem = self._cannot(error, _STOPPED)
                else:
                    return
            assert self.problem is not None
            self.problem = replace(self.problem, details=(*self.problem.details, line))

    def close(self) -> None:
        """Nothing more is to come; `check` still tells of what went wrong."""
        with self._lock:
            sink, self._sink, self._place = self._sink, None, None
        if sink is not None:
            sink.close()

    def _open(self, place: Path | Literal["stderr"]) -> None:
        try:
            self._sink = _Stderr() if isinstance(place, str) else _File(place)
        except OSError as error:
            self.problem = self._cannot(error, _REFUSED)

    def _cannot(self, error: Exception, hint: str) -> Problem:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return Problem("CW544", f"the audit trail {self._place} cannot be written: {why}", hint=hint)

    def _line(self, entry: Entry) -> str:
        now, purpose, known = self._now(), entry.purpose, self._known
        call = {"method": entry.method, "path": entry.path, "requests": entry.requests}
        fields = {
            "format": FORMAT,
            "version": VERSION,
            "time": _rfc3339(now),
            "serverTime": _rfc3339(entry.server_time),
            "event": entry.event,
            **{name: known.get(name) for name in _KNOWN},
            "operation": {
                "op": purpose.op,
                "address": purpose.address,
                "kind": purpose.address.partition(".")[0],
                "action": purpose.action,
                "name": purpose.name,
                "attempt": purpose.attempt,
            },
            "call": call if entry.method else None,
            "result": {"outcome": entry.outcome, "status": entry.status, "code": entry.code, "id": entry.id},
            "seconds": None if entry.seconds is None else round(entry.seconds, 3),
        }
        return json.dumps(fields)


_REFUSED = "nothing was changed: name a file that can be written, with --audit or as `audit` in cwsync.yaml"
_STOPPED = (
    "nothing more was sent, and the lines above are missing there: keep them, make room for more, and go on "
    "with cwsync apply; what was done is in the state"
)


def _rfc3339(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Sink(Protocol):
    def write(self, line: bytes) -> None: ...

    def close(self) -> None: ...


class _Stderr:
    """Whatever stderr is then: it is replaced while a display is alive."""

    def write(self, line: bytes) -> None:
        sys.stderr.write(line.decode())
        sys.stderr.flush()

    def close(self) -> None:
        """It is not ours."""


class _File:
    """Append-only, and made for its owner only. A folder that is missing is made as well."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
        self._descriptor = os.open(path, flags, 0o600)
        # A pipe, which something else reads and keeps, cannot be synchronized.
        self._plain = stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        if self._plain and _is_torn(path):
            self.write(b"\n")

    def write(self, line: bytes) -> None:
        if os.write(self._descriptor, line) < len(line):
            raise OSError("there was room for a part of a line only")
        if self._plain:
            os.fsync(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)


def _is_torn(path: Path) -> bool:
    """Whether the last line has no end: a full disk, or a machine that lost power. It must not take ours along."""
    with suppress(OSError), path.open("rb") as file:  # it may be a file that this user may only write
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"
    return False
