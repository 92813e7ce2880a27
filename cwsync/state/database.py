"""One connection to a PostgreSQL database, through psycopg. Credentials are found in libpq's own ways.

What an exception of psycopg says is never shown: it may quote the settings of the connection, and what the server
has answered. Only its SQLSTATE, and which of a few known phrases it holds, are taken from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar
from urllib.parse import parse_qsl
from weakref import finalize

from cwsync.errors import CwsyncError, fail, suggest
from cwsync.secret import SECRET_SETTINGS
from cwsync.state.troubles import Trouble

if TYPE_CHECKING:
    import psycopg

    Cursor: TypeAlias = psycopg.Cursor[tuple[object, ...]]

T = TypeVar("T")

# What a URL may set otherwise. Whoever is silent for half a minute is dead; and a standby may be behind.
_SETTINGS: dict[str, str | int] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,  # milliseconds
    "target_session_attrs": "read-write",
    "fallback_application_name": "cwsync",
}

# For the one transaction only, because a pooler may give the session to others. A commit that is reported is on the
# disk, and where the database says so on the standby, whatever else is usual in this database. A process that stops
# in the middle of a transaction gives its row free.
_BEGIN = """
SELECT set_config('synchronous_commit',
                  CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END,
                  true),
       set_config('statement_timeout', '30s', true),
       set_config('idle_in_transaction_session_timeout', '15s', true)
"""

_AGAIN = "run the command again in a little while"
_NETWORK = "see that the database runs, and that host, port and network are right"
_CREDENTIALS = (
    "set PGPASSWORD, or write the password into ~/.pgpass; a certificate or a service file of PostgreSQL will do as "
    "well. The user name may stand in `state` in cwsync.yaml"
)


class NoRights(Trouble):
    """The role may not do this. Nothing was written."""

    def __init__(self, role: str) -> None:
        super().__init__(f"the role {role} may not do this there", "", final=True)
        self.role = role


class Database:
    """Opens its connection when it is first needed, and a new one where that is lost."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._connection: psycopg.Connection | None = None
        self._one_at_a_time = Lock()

    @classmethod
    def at(cls, address: str) -> Database:
        """The database of postgresql://…. Raises CW701, CW121 for a password in the address, and CW401."""
        _installed()
        from psycopg.conninfo import conninfo_to_dict
        from psycopg.errors import ProgrammingError

        try:
            settings = conninfo_to_dict(address)
        except ProgrammingError:
            raise _wrong_address(address) from None
        if any(settings.get(name) for name in SECRET_SETTINGS):
            raise fail("CW121", "the address of the state holds a password", hint=_CREDENTIALS)
        return cls(address)

    def run(self, work: Callable[[Cursor], T]) -> T:
        """What `work` comes to in a transaction of its own. Raises `Trouble`: where that is not `final`, it is
        open whether the transaction was committed."""
        import psycopg

        with self._one_at_a_time:
            try:
                connection = self._connected()
                with connection.transaction(), connection.cursor() as cursor:
                    cursor.execute(_BEGIN)
                    return work(cursor)
            except psycopg.Error as error:
                raise self._explained(error) from None

    def _connected(self) -> psycopg.Connection:
        import psycopg

        if self._connection is None or self._connection.closed:
            # Statements that are prepared are no good behind a pooler.
            made = psycopg.connect(self._conninfo(), autocommit=True, prepare_threshold=None)
            # Each write is one statement on one row, which waits for whoever writes it now, and then looks at its
            # condition again: more isolation than this would only turn a conflict into an error.
            made.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
            finalize(self, made.close)
            self._connection = made
        return self._connection

    def _conninfo(self) -> str:
        from psycopg.conninfo import conninfo_to_dict, make_conninfo

        return make_conninfo("", **{**_SETTINGS, **conninfo_to_dict(self._address)})

    def _explained(self, error: psycopg.Error) -> Trouble:
        if error.sqlstate == "42501" and self._connection is not None:
            return NoRights(self._connection.info.user)
        return explained(error.sqlstate, str(error))


def explained(state: str | None, text: str) -> Trouble:
    """What an error means: by its SQLSTATE, or where it has none, by a phrase of libpq's. The first line that
    fits tells most."""
    for states, phrases, meaning in _MEANINGS:
        if re.fullmatch(states, state) if state else re.search(phrases, text):
            return Trouble(meaning.reason, meaning.hint, final=meaning.final)
    if state:
        return Trouble(f"PostgreSQL has answered with the error {state}", _AGAIN)
    return Trouble("the database cannot be reached, or does not let cwsync in", _NETWORK)


class _Meaning(NamedTuple):
    reason: str
    hint: str
    final: bool = False


_NEVER = r"(?!)"
_MEANINGS = (
    (
        "28...",
        "authentication failed|no password supplied|pg_hba.conf|role .* does not exist|not permitted to log"
        "|permission denied for database",
        _Meaning("the database does not accept the credentials", _CREDENTIALS, final=True),
    ),
    (
        "3D000",
        "database .* does not exist",
        _Meaning("the server has no such database", "create it, or correct `state` in cwsync.yaml", final=True),
    ),
    (
        "25006",
        "session is read-only|read-only mode",
        _Meaning(
            "the database takes no writes: it is a standby, or set to reading only",
            "name the primary server in `state` in cwsync.yaml; several hosts may be named, as HOST1,HOST2",
        ),
    ),
    (
        "42P01|42703|42804|42883|42601",
        _NEVER,
        _Meaning(
            "the tables cwsync_state and cwsync_state_history there are not as cwsync makes them",
            "PostgreSQL 12 or newer is needed; if the tables are somebody else's, name another database",
            final=True,
        ),
    ),
    (
        "3F000",
        _NEVER,
        _Meaning(
            "there is no schema for its tables that the role may use",
            "see its search_path: the address can name a schema, as options=-csearch_path%3DNAME",
            final=True,
        ),
    ),
    ("53100", _NEVER, _Meaning("the disk of the database is full", "free some space there", final=True)),
    ("53300", "too many|connection slots", _Meaning("the database has no connection to spare", _AGAIN)),
    ("57014|55P03|25P0.", "timeout expired", _Meaning("the database has not answered in time", _NETWORK)),
    ("40...", _NEVER, _Meaning("somebody else wrote it at the same time", _AGAIN)),
    ("57P03", "starting up|shutting down", _Meaning("the database is just starting or stopping", _AGAIN)),
    ("08...|57P..", "closed the connection|connection is lost", _Meaning("the connection was lost", _NETWORK)),
    (
        _NEVER,
        "definition of service|service file",
        _Meaning("there is no such service of PostgreSQL", "see ~/.pg_service.conf, or PGSERVICEFILE", final=True),
    ),
    (
        _NEVER,
        "invalid .*value|invalid integer|invalid port|ai_socktype",
        _Meaning("its address has a setting of a wrong value", "correct `state` in cwsync.yaml", final=True),
    ),
    (
        _NEVER,
        "resolve host|translate host",
        _Meaning("there is no server of that name", "correct `state` in cwsync.yaml, or see that the network is up"),
    ),
    (
        _NEVER,
        "SSL|certificate",
        _Meaning("no safe connection can be made", "see sslmode and sslrootcert in `state`, or PGSSLMODE", final=True),
    ),
    (_NEVER, "refused|No such file|unreachable", _Meaning("the database cannot be reached", _NETWORK)),
)  # fmt: skip


def _installed() -> None:
    try:
        import psycopg  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise fail(
            "CW701",
            f"a state in PostgreSQL needs {error.name or 'psycopg with libpq'}, which is not installed",
            hint="pip install 'cwsync[postgres]'",
        ) from None


def _wrong_address(address: str) -> CwsyncError:
    """Names what libpq does not know where it is a plain word, and nothing else of the address: it may be a part
    of a password."""
    from psycopg.pq import Conninfo

    known = [option.keyword.decode() for option in Conninfo.get_defaults()]
    for name, _ in parse_qsl(address.partition("?")[2], keep_blank_values=True):
        if name not in known and re.fullmatch("[A-Za-z_]+", name):
            near = suggest(name, [*known, "state"])
            return fail(
                "CW401",
                f"the address of the state has a setting that PostgreSQL does not know: {name}",
                hint=f"did you mean '{near}'?" if near else "correct `state` in cwsync.yaml",
            )
    return fail(
        "CW401",
        "the address of the state cannot be used",
        hint="write it as postgresql://USER@HOST:PORT/DATABASE?state=NAME",
    )
