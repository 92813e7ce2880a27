"""Where the tenant is kept: JSON documents in SQLite, in a file or in memory.

A document has a kind and an id; its name, its owner and the ids that it refers to are kept beside
it, so that no request needs to read every document of a kind to answer for one.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Document = dict[str, Any]  # JSON, as it crosses the wire

_KEPT_REQUESTS = 20_000
_COLUMNS = "sequence, kind, id, name, owner, body"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL,
  name TEXT NOT NULL, owner TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (kind, id));
CREATE INDEX IF NOT EXISTS by_name ON documents (kind, name);
CREATE TABLE IF NOT EXISTS refs (
  kind TEXT NOT NULL, id TEXT NOT NULL, target TEXT NOT NULL, PRIMARY KEY (kind, id, target)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_target ON refs (target);
CREATE TABLE IF NOT EXISTS past (
  moment TEXT NOT NULL, sequence INTEGER NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
  name TEXT NOT NULL, owner TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS requests (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, method TEXT NOT NULL, path TEXT NOT NULL, status INTEGER);
"""


class Store:
    """The documents, shared by the threads of one process, and by processes through the file.

    Every access belongs inside `transaction()`, which one thread enters at a time.
    """

    def __init__(self, path: Path | None = None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(
            ":memory:" if path is None else path, isolation_level=None, check_same_thread=False, timeout=30
        )
        try:
            self._prepare()
        except sqlite3.Error:
            self._db.close()
            raise

    def _prepare(self) -> None:
        # In write-ahead mode NORMAL loses nothing when a process is killed, only when the machine is.
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)
        self._db.execute(
            "DELETE FROM requests WHERE sequence <= (SELECT max(sequence) FROM requests) - ?",
            (_KEPT_REQUESTS,),
        )

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[None]:
        """All of it or, where it raises, nothing of it. Committed before it returns; within another one it
        is a part of that."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def keep(self, moment: str, kinds: Iterable[str]) -> None:
        """Keep the documents of these kinds as they are now, under that name."""
        self._db.execute(
            f"INSERT INTO past SELECT ?, {_COLUMNS} FROM documents"  # noqa: S608 - fixed words
            " WHERE kind IN (SELECT value FROM json_each(?))",
            (moment, json.dumps([*kinds])),
        )

    @contextmanager
    def as_of(self, moment: str, kinds: Iterable[str]) -> Iterator[None]:
        """Within it, the documents of these kinds are what they were when they were kept; nothing that is
        done within it lasts."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.execute(
                    "DELETE FROM documents WHERE kind IN (SELECT value FROM json_each(?))",
                    (json.dumps([*kinds]),),
                )
                self._db.execute(
                    f"INSERT INTO documents SELECT {_COLUMNS} FROM past WHERE moment = ?",  # noqa: S608 - fixed words
                    (moment,),
                )
                yield
            finally:
                self._db.execute("ROLLBACK")

    def let_go(self) -> None:
        """Forget every moment that was kept."""
        self._db.execute("DELETE FROM past")

    def get(self, kind: str, identifier: str) -> Document | None:
        row = self._db.execute(
            "SELECT body FROM documents WHERE kind = ? AND id = ?", (kind, identifier)
        ).fetchone()
        return None if row is None else _document(row[0])

    def put(
        self,
        kind: str,
        identifier: str,
        body: Document,
        name: str = "",
        owner: str = "",
        refs: Iterable[str] = (),
    ) -> None:
        """Write a document; one that exists keeps its place in the order of creation."""
        self._db.execute(
            "INSERT INTO documents (kind, id, name, owner, body) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (kind, id) DO UPDATE SET"
            " name = excluded.name, owner = excluded.owner, body = excluded.body",
            (kind, identifier, name, owner, _written(body)),
        )
        self._db.execute("DELETE FROM refs WHERE kind = ? AND id = ?", (kind, identifier))
        self._db.executemany(
            "INSERT OR IGNORE INTO refs (kind, id, target) VALUES (?, ?, ?)",
            [(kind, identifier, target) for target in refs],
        )

    def rewrite(self, kind: str, identifier: str, body: Document) -> None:
        """Change the body of a document whose name, owner and references stay as they are."""
        self._db.execute(
            "UPDATE documents SET body = ? WHERE kind = ? AND id = ?",
            (_written(body), kind, identifier),
        )

    def delete(self, kind: str, identifier: str) -> bool:
        """True where there was one."""
        self._db.execute("DELETE FROM refs WHERE kind = ? AND id = ?", (kind, identifier))
        done = self._db.execute("DELETE FROM documents WHERE kind = ? AND id = ?", (kind, identifier))
        return done.rowcount > 0

    def expire(self, kinds: Iterable[str], now: float) -> None:
        """Delete the documents of these kinds whose `expires` has passed."""
        self._db.executemany(
            "DELETE FROM documents WHERE kind = ? AND json_extract(body, '$.expires') <= ?",
            [(kind, now) for kind in kinds],
        )

    def owner(self, kind: str, identifier: str) -> str:
        """The guid of the user who created it, or nothing."""
        row = self._db.execute(
            "SELECT owner FROM documents WHERE kind = ? AND id = ?", (kind, identifier)
        ).fetchone()
        return "" if row is None else str(row[0])

    def named(self, kind: str, name: str) -> list[str]:
        """The ids of the documents with this name, oldest first."""
        rows = self._db.execute(
            "SELECT id FROM documents WHERE kind = ? AND name = ? ORDER BY sequence", (kind, name)
        )
        return [row[0] for row in rows]

    def referred_to(self, target: str, by: str) -> bool:
        """Whether a document of the kind `by` refers to the target."""
        row = self._db.execute(
            "SELECT 1 FROM refs WHERE target = ? AND kind = ? LIMIT 1", (target, by)
        ).fetchone()
        return row is not None

    def count(self, kind: str, owner: str | None = None) -> int:
        row = self._db.execute(
            "SELECT count(*) FROM documents WHERE kind = ? AND (? IS NULL OR owner = ?)", (kind, owner, owner)
        ).fetchone()
        return int(row[0])

    def page(
        self,
        kind: str,
        *,
        offset: int = 0,
        limit: int = -1,
        order: str = "",
        owner: str | None = None,
    ) -> list[Document]:
        """Documents in the order of creation, or by name ("name", "-name"). A limit below 0 is none."""
        column = {"": "sequence", "name": "name, sequence", "-name": "name DESC, sequence"}[order]
        rows = self._db.execute(
            f"SELECT body FROM documents WHERE kind = ? AND (? IS NULL OR owner = ?)"  # noqa: S608 - a fixed word
            f" ORDER BY {column} LIMIT ? OFFSET ?",
            (kind, owner, owner, limit, offset),
        )
        return [_document(row[0]) for row in rows]

    def clear(self, keep: Iterable[str] = ()) -> None:
        """Forget every document but those of the kinds to keep, and the log of requests."""
        kept = json.dumps(sorted(keep))
        for table in ("documents", "refs"):
            self._db.execute(
                f"DELETE FROM {table} WHERE kind NOT IN (SELECT value FROM json_each(?))",  # noqa: S608 - a fixed word
                (kept,),
            )
        self.let_go()
        self._db.execute("DELETE FROM requests")
        self._db.execute("DELETE FROM sqlite_sequence WHERE name = 'requests'")

    def log(self, method: str, path: str, status: int | None) -> None:
        self._db.execute(
            "INSERT INTO requests (method, path, status) VALUES (?, ?, ?)", (method, path, status)
        )

    def logged(self) -> list[Document]:
        rows = self._db.execute("SELECT sequence, method, path, status FROM requests ORDER BY sequence")
        return [dict(zip(("order", "method", "path", "status"), row, strict=True)) for row in rows]


def _document(body: str) -> Document:
    document: Document = json.loads(body)
    return document


def _written(body: Document) -> str:
    # A number that JSON cannot write is none: no client could read it back.
    return json.dumps(body, ensure_ascii=False, allow_nan=False)
