"""The store in a PostgreSQL database: a row per state, replaced on the condition that it is still the same.

Where a connection is lost, it is open whether its COMMIT arrived. Then the same write is tried again on a new one.
It carries its nonce and the condition of the first, so it can't be made twice: until the server is done with the first
transaction it waits for the row, and after that it finds the condition met, or not, and then the row's nonce tells
whose write it was. What was sent before a COMMIT that never was can take effect no more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, NoReturn, TypeVar

from cwsync.errors import CwsyncError, Problem
from cwsync.state.codec import PLAIN, Codec
from cwsync.state.database import Database, NoRights
from cwsync.state.document import State
from cwsync.state.reading import identity
from cwsync.state.store import advanced, opened, require_unchanged
from cwsync.state.troubles import Trouble

if TYPE_CHECKING:
    from cwsync.state.database import Cursor

T = TypeVar("T")

PAUSES = (0.0, 1.0, 2.0, 4.0)
"""Seconds between the tries of a write. The first comes at once: a connection that was idle for long may be gone."""

KEPT = 100
"""How many documents the history keeps of each state."""

TABLES = (
    "CREATE TABLE IF NOT EXISTS cwsync_state (name text PRIMARY KEY, serial bigint NOT NULL, "
    "written_at timestamptz NOT NULL DEFAULT now(), document bytea NOT NULL)",
    "CREATE TABLE IF NOT EXISTS cwsync_state_history (id bigint GENERATED ALWAYS AS IDENTITY, name text NOT NULL, "
    "serial bigint NOT NULL, written_at timestamptz NOT NULL, document bytea NOT NULL, PRIMARY KEY (name, id))",
)
_GRANTS = (
    "GRANT SELECT, INSERT, UPDATE ON cwsync_state TO {}",
    "GRANT SELECT, INSERT, DELETE ON cwsync_state_history TO {}",
)
_CREATE = """
INSERT INTO cwsync_state (name, serial, document) VALUES (%(name)s, %(serial)s, %(document)s)
ON CONFLICT (name) DO NOTHING
"""
_REPLACE = """
UPDATE cwsync_state SET serial = %(serial)s, written_at = now(), document = %(document)s
WHERE name = %(name)s AND sha256(document) = %(over)s
"""
_REMEMBER = """
INSERT INTO cwsync_state_history (name, serial, written_at, document)
SELECT name, serial, written_at, document FROM cwsync_state WHERE name = %(name)s
"""
_FORGET = """
DELETE FROM cwsync_state_history WHERE name = %(name)s AND id <= (
    SELECT id FROM cwsync_state_history WHERE name = %(name)s ORDER BY id DESC OFFSET %(kept)s LIMIT 1)
"""


class PostgresStore:
    """One row of the table cwsync_state. The first commit makes the tables.

    `cwsync_state_history` has the last 100 documents of each state that no run had locked: what each run has left
    behind. One for each commit would grow with the square of what an apply does.
    """

    def __init__(
        self,
        url: str,
        database: Database,
        name: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        codec: Codec = PLAIN,
    ) -> None:
        self._url = url
        self._database = database
        self._name = name
        self._sleep = sleep
        self._codec = codec
        self._known: tuple[tuple[object, ...], bytes] | None = None

    @classmethod
    def at(
        cls,
        url: str,
        environment: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        codec: Codec = PLAIN,
    ) -> PostgresStore:
        """The store of postgresql://…. Without `state=NAME` in its query the state has the environment's name.

        Raises CW701, CW121 for a password in the address, and CW401.
        """
        address, name = split(url)
        database = Database.at(address)
        shown = url if name else f"{url}{'&' if '?' in url else '?'}state={environment}"
        return cls(shown, database, name or environment, sleep=sleep, codec=codec)

    def read(self) -> State | None:
        data = self._get()
        if data is None:
            return None
        state = opened(data, self.describe(), self._codec)
        self._known = state.identity, sha256(data).digest()
        return state

    def raw(self) -> bytes | None:
        data = self._get()
        return None if data is None else self._codec.decode(data, self.describe())

    def describe(self) -> str:
        return f"the state {self._url}"

    def commit(self, old: State | None, new: State) -> State:
        """As `Store.commit`. Raises CW415 where the role lacks rights: then nothing was written."""
        over = self._hash_of(old)
        if old is None:
            self._tried("written", _make_tables)
        document = advanced(old, new)
        data = self._codec.encode(document)
        while not self._tried("written", partial(self._write, document, data, over)):
            found = self._get()
            if found is not None and identity(found, self.describe()) == document.identity:
                break  # a try before was made, and its answer lost
            require_unchanged(found, old, self.describe(), self._codec)
            over = found and sha256(found).digest()
        self._known = document.identity, sha256(data).digest()
        return document

    def _write(self, document: State, data: bytes, over: bytes | None, cursor: Cursor) -> bool:
        values = {"name": self._name, "serial": document.serial, "document": data, "over": over, "kept": KEPT}
        cursor.execute(_CREATE if over is None else _REPLACE, values)
        if cursor.rowcount == 0:
            return False
        if document.lock is None:
            cursor.execute(_REMEMBER, values)
            cursor.execute(_FORGET, values)
        return True

    def _hash_of(self, old: State | None) -> bytes | None:
        """What the stored bytes must hash to for `old` to be what is stored."""
        if old is None:
            return None
        if self._known is not None and self._known[0] == old.identity:
            return self._known[1]
        found = self._get()
        require_unchanged(found, old, self.describe(), self._codec)
        return found and sha256(found).digest()

    def _get(self) -> bytes | None:
        return self._tried("read", self._select, PAUSES[:1])

    def _select(self, cursor: Cursor) -> bytes | None:
        cursor.execute("SELECT to_regclass('cwsync_state') IS NOT NULL")
        if cursor.fetchone() != (True,):
            return None
        cursor.execute("SELECT document FROM cwsync_state WHERE name = %s", (self._name,))
        row = cursor.fetchone()
        return None if row is None else bytes(row[0])  # type: ignore[call-overload] # the column is bytea

    def _tried(self, what: str, work: Callable[[Cursor], T], pauses: tuple[float, ...] = PAUSES) -> T:
        for pause in (*pauses, None):
            try:
                return self._database.run(work)
            except Trouble as trouble:
                if trouble.final or pause is None:
                    self._fail(what, trouble)
                self._sleep(pause)
        raise AssertionError("the last try ends in one way or the other")

    def _fail(self, what: str, trouble: Trouble) -> NoReturn:
        message = f"{self.describe()} cannot be {what}: {trouble.reason}"
        if not isinstance(trouble, NoRights):
            raise CwsyncError(Problem("CW401", message, hint=trouble.hint)) from None
        role = '"' + trouble.role.replace('"', '""') + '"'
        raise CwsyncError(
            Problem(
                "CW415",
                message,
                details=tuple(f"{line.format(role)};" for line in (*TABLES, *_GRANTS)),
                hint="let the owner of the database run these lines once, in this order",
            )
        ) from None


def split(url: str) -> tuple[str, str | None]:
    """The address for PostgreSQL, and the state's name, where one is given."""
    address, _, query = url.partition("?")
    settings = query.split("&") if query else []
    names = [one.removeprefix("state=") for one in settings if one.startswith("state=")]
    rest = "&".join(one for one in settings if not one.startswith("state="))
    return f"{address}?{rest}" if rest else address, names[0] if names else None


def _make_tables(cursor: Cursor) -> None:
    """Asks first whether they are there: who may not make any has no need to, then."""
    cursor.execute(
        "SELECT to_regclass('cwsync_state') IS NOT NULL AND to_regclass('cwsync_state_history') IS NOT NULL"
    )
    if cursor.fetchone() == (True,):
        return
    for table in TABLES:  # where another run makes it at the same time, this fails, and is tried again
        cursor.execute(table)
