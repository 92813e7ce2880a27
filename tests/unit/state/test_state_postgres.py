"""The store in PostgreSQL, on a real server: whatever becomes of a commit, exactly one of several wins."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from support.postgres import PASSWORD, WALLED, Cut, Postgres, Way, way
from unit.state import shared
from unit.state.holding import FLOW, Time, refused, stored, take

from cwsync.state import Conflict, Held, State, to_json
from cwsync.state.postgres import KEPT, PAUSES, PostgresStore


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "no.pgpass"))


@pytest.fixture
def through(postgres: Postgres) -> Iterator[Way]:
    with way(postgres) as made:
        yield made


def at(url: str, slept: list[float] | None = None) -> PostgresStore:
    return PostgresStore.at(url, "prod", sleep=(slept if slept is not None else []).append)


@pytest.fixture
def fresh(postgres: Postgres) -> shared.Fresh:
    """Without tables: whoever writes makes them, and many do so at once."""
    return lambda: partial(at, postgres.url(postgres.schema()))


def history(postgres: Postgres, name: str, schema: str = "public") -> list[object]:
    query = f"SELECT serial FROM cwsync_state_history WHERE name = '{name}' ORDER BY id"
    return [serial for (serial,) in postgres.run(query, schema)]


def test_a_document_is_there_for_others(postgres: Postgres) -> None:
    """What else a store does is in test_state_store.py."""
    url = postgres.url(postgres.schema())
    one = at(url)
    assert (one.read(), one.raw()) == (None, None)
    first = one.commit(None, State.new("a tenant"))
    assert at(url).read() == first
    second = at(url).commit(first, first.with_entry("flow.nächtlich", FLOW))
    assert at(url).raw() == to_json(second)
    for stale in (None, first):
        with pytest.raises(Conflict) as raised:
            one.commit(stale, first)
        assert url in str(raised.value)
    assert one.read() == second


def test_a_commit_needs_the_document_it_was_based_on(postgres: Postgres) -> None:
    schema = postgres.schema()
    one = at(postgres.url(schema))
    first = one.commit(None, State.new())
    postgres.run("DELETE FROM cwsync_state", schema)
    with pytest.raises(Conflict, match="is gone"):
        one.commit(first, first)
    assert one.read() is None


def test_what_somebody_else_wrote_into_the_row_is_never_replaced_unseen(postgres: Postgres) -> None:
    """Neither a document that was put there by hand, nor one that is damaged; only another layout is the same."""
    schema = postgres.schema()
    one = at(postgres.url(schema))
    first = one.commit(None, State.new())
    postgres.run("UPDATE cwsync_state SET document = document || ' '", schema)
    second = one.commit(first, first)
    postgres.run(f"UPDATE cwsync_state SET document = '{to_json(first).decode()}'", schema)
    with pytest.raises(Conflict, match="was changed"):
        one.commit(second, second)
    assert one.read() == first
    postgres.run("UPDATE cwsync_state SET document = substr(document, 9)", schema)
    assert refused(lambda: one.commit(first, first)).problems[0].code == "CW401"
    assert refused(one.read).problems[0].code == "CW401"


class Indented:
    """A codec whose bytes are not the document's text."""

    def encode(self, state: State) -> bytes:
        return b"  " + to_json(state)

    def decode(self, data: bytes, where: str) -> bytes:
        return data.removeprefix(b"  ")

    def holds(self, data: bytes, state: State, where: str) -> bool:
        return data == self.encode(state)


def test_what_is_kept_is_what_the_codec_makes_of_it(postgres: Postgres) -> None:
    schema = postgres.schema()
    one = PostgresStore.at(postgres.url(schema), "prod", codec=Indented())
    first = one.commit(None, State.new())
    second = one.commit(first, first)
    assert postgres.run("SELECT document FROM cwsync_state", schema) == [(b"  " + to_json(second),)]
    assert (one.read(), one.raw()) == (second, to_json(second))
    other = PostgresStore.at(one.describe().removeprefix("the state "), "prod", codec=Indented())
    assert other.commit(second, second).serial == 3
    with pytest.raises(Conflict):
        one.commit(second, second)


def test_each_environment_and_each_name_has_a_state_of_its_own(postgres: Postgres) -> None:
    url = postgres.url(postgres.schema(), state="eu/prod")
    unnamed = url.removesuffix("&state=eu/prod")
    named, prod, test = at(url), at(unnamed), PostgresStore.at(unnamed, "test")
    states = [one.commit(None, State.new()) for one in (named, prod, test)]
    assert [one.read() for one in (named, prod, test)] == states
    assert prod.describe() == f"the state {unnamed}&state=prod"
    assert at(f"{unnamed}&state=test").read() == states[2]


test_one_of_many_writers_wins = shared.one_of_many_writers_wins
test_no_write_of_two_that_take_turns_is_lost = shared.no_write_of_two_that_take_turns_is_lost
test_the_lock_is_taken_kept_taken_over_and_given_back = (
    shared.the_lock_is_taken_kept_taken_over_and_given_back
)


def test_one_store_serves_several_threads(postgres: Postgres) -> None:
    """As the heartbeat is one."""
    store = at(postgres.url())
    held = take(store, Time())

    def work(number: int) -> bytes | None:
        if number % 2:
            return store.raw()
        held.update(lambda state: state.with_entry(f"flow.{number}", FLOW))
        return None

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(60)))
    assert len(held.state.resources) == 30


MADE: list[list[Cut]] = [
    ["before"],
    ["after"],
    ["late"],
    ["before", "after"],
    ["before", "late"],
    ["before"] * 4,
]


@pytest.mark.parametrize("cuts", MADE, ids=", then ".join)
@pytest.mark.parametrize("exists", [False, True], ids=["new", "there"])
def test_a_commit_whose_connection_is_cut_is_made_once(
    postgres: Postgres, through: Way, cuts: list[Cut], exists: bool
) -> None:
    schema, slept = postgres.schema(), list[float]()
    url = postgres.url(schema, state="prod")
    at(url).commit(None, State.new()) if exists else at(url + "-2").commit(None, State.new())
    one = at(through.url(url), slept)
    base = one.read()
    tables: list[Cut] = [] if exists else ["never"]  # it first looks whether they are there
    through.cuts, through.commits = [*tables, *cuts], 0
    done = one.commit(base, (base or State.new()).with_entry("flow.nightly", FLOW))
    assert at(url).read() == done
    assert done.serial == (2 if exists else 1)
    assert slept == list(PAUSES[: len(cuts)])
    again = one.commit(done, done)
    assert (again.serial, at(url).read()) == (done.serial + 1, again)
    assert history(postgres, "prod", schema) == [*range(1, again.serial + 1)]


@pytest.mark.parametrize("cut", ["before", "after"])
def test_whoever_was_overtaken_is_told_so(postgres: Postgres, through: Way, cut: Cut) -> None:
    """Also where its own commit was made, and then replaced."""
    url = postgres.url()
    base = at(url).commit(None, State.new())

    def overtake(_seconds: float = 0) -> None:
        other = at(url)
        other.commit(there := stored(other), there.with_entry("flow.theirs", FLOW))

    one = PostgresStore.at(through.url(url), "prod", sleep=overtake)
    assert one.read() == base
    through.cuts = [cut]
    with pytest.raises(Conflict):
        one.commit(base, base.with_entry("flow.ours", FLOW))
    assert ("flow.ours" in stored(one).resources) == (cut == "after")
    assert "flow.theirs" in stored(one).resources


def test_a_commit_that_never_succeeds_is_given_up_and_the_document_stays(
    postgres: Postgres, through: Way
) -> None:
    url, slept = postgres.url(), list[float]()
    one = at(through.url(url), slept)
    first = one.commit(None, State.new())
    through.cuts, through.commits = ["before"] * 9, 0
    error = refused(lambda: one.commit(first, first))
    assert (error.problems[0].code, through.commits, slept) == ("CW401", 5, [*PAUSES])
    assert "cannot be written: the connection was lost" in str(error)
    assert at(url).read() == first


def test_where_it_stays_open_the_lock_finds_it_out(postgres: Postgres, through: Way) -> None:
    url = postgres.url()
    held: Held = take(at(through.url(url)), Time())
    through.cuts = ["before", "before", "before", "before", "after"]
    code = refused(lambda: held.update(lambda state: state.with_entry("flow.n", FLOW))).problems[0].code
    assert code == "CW401"
    assert "flow.n" in stored(at(url)).resources
    assert {*held.update(lambda state: state.with_entry("flow.m", FLOW)).resources} == {"flow.n", "flow.m"}


def test_a_connection_that_was_lost_while_idle_is_opened_again(postgres: Postgres, through: Way) -> None:
    url = postgres.url()
    one = at(through.url(url), slept := list[float]())
    first = one.commit(None, State.new())
    assert through.connections == 1
    lose = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cwsync'"
    postgres.run(lose)
    second = one.commit(first, first)
    postgres.run(lose)
    assert one.read() == second
    assert (through.connections, slept) == (3, [0.0, 0.0])


def test_a_commit_is_on_the_disk_and_holds_its_row_for_a_short_time_only(postgres: Postgres) -> None:
    """Whatever is usual for the role."""
    schema = postgres.schema()
    role = postgres.role(schema, "ALL")
    url = postgres.url(schema, role=role)
    first = at(url).commit(None, State.new())
    for setting in ("synchronous_commit = off", "default_transaction_isolation = serializable"):
        postgres.run(f"ALTER ROLE {role} SET {setting}")
    names = (
        "synchronous_commit",
        "transaction_isolation",
        "statement_timeout",
        "idle_in_transaction_session_timeout",
    )
    values = ", ".join(f"current_setting('{name}')" for name in names)
    body = f"BEGIN INSERT INTO {schema}.seen VALUES ({values}); RETURN NEW; END"
    on = "BEFORE UPDATE ON cwsync_state FOR EACH ROW EXECUTE FUNCTION look()"
    for each in (
        "CREATE TABLE seen (a text, b text, c text, d text)",
        f"CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ {body} $$",
        f"CREATE TRIGGER look {on}",
    ):
        postgres.run(each, schema)
    second = at(url).commit(first, first)
    postgres.run(f"ALTER ROLE {role} SET synchronous_commit = remote_apply")
    at(url).commit(second, second)
    assert postgres.run("SELECT * FROM seen", schema) == [
        (how, "read committed", "30s", "15s") for how in ("on", "remote_apply")
    ]


def test_the_history_has_what_each_run_has_left_and_no_end_of_it_grows(postgres: Postgres) -> None:
    schema = postgres.schema()
    url = postgres.url(schema, state="prod")
    with take(at(url), Time()) as held:
        held.update(lambda state: state.with_entry("flow.n", FLOW))
    assert history(postgres, "prod", schema) == [3]
    one = at(url)
    state = stored(one)
    assert postgres.run("SELECT document FROM cwsync_state_history", schema) == [(to_json(state),)]
    other = at(url.replace("state=prod", "state=test")).commit(None, State.new())
    for _ in range(KEPT + 5):
        state = one.commit(state, state)
    assert history(postgres, "prod", schema) == [*range(state.serial - KEPT + 1, state.serial + 1)]
    assert history(postgres, "test", schema) == [other.serial]


def test_a_role_without_rights_is_told_what_to_have_run(postgres: Postgres) -> None:
    schema = postgres.schema()
    plain = postgres.role(schema)
    role, quoted = f'{plain} "x', f'"{plain} ""x"'
    postgres.run(f"ALTER ROLE {plain} RENAME TO {quoted}")
    url, slept = postgres.url(schema, role=f"{plain}%20%22x", state="prod"), list[float]()
    one = at(url, slept)
    assert one.read() is None
    problem = refused(lambda: one.commit(None, State.new())).problems[0]
    assert problem.code == "CW415"
    assert f"the role {role} may not do this" in problem.message
    for line in problem.details:
        postgres.run(line, schema)
    first = one.commit(None, State.new())
    for _ in range(KEPT + 1):
        first = one.commit(first, first)
    assert one.read() == first
    assert len(history(postgres, "prod", schema)) == KEPT
    postgres.run(f"REVOKE UPDATE ON cwsync_state FROM {quoted}", schema)
    assert refused(lambda: one.commit(first, first)).problems[0].code == "CW415"
    postgres.run(f"REVOKE SELECT ON cwsync_state FROM {quoted}", schema)
    assert refused(one.read).problems[0].code == "CW415"
    assert slept == []
    assert at(postgres.url(schema, state="prod")).read() == first


def explained(attempt: Callable[[], object], says: str, hint: str, *, code: str = "CW401") -> None:
    error = refused(attempt)
    (problem,) = error.problems
    assert problem.code == code, problem
    assert says in problem.message
    assert hint in (problem.hint or "")
    assert "needle" not in f"{problem} {error!r}"
    assert error.__suppress_context__ or error.__context__ is None


def test_a_password_that_is_wrong_or_missing_is_never_shown(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = at(postgres.url(postgres.schema(), role=WALLED))
    explained(one.read, "does not accept the credentials", "PGPASSWORD")
    monkeypatch.setenv("PGPASSWORD", "needle")
    explained(one.read, "does not accept the credentials", "PGPASSWORD")
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert one.read() is None


def test_a_password_may_be_had_from_libpqs_own_file(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "passwords").write_text(f"*:*:*:{WALLED}:{PASSWORD}\n")
    (tmp_path / "passwords").chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "passwords"))
    assert at(postgres.url(postgres.schema(), role=WALLED)).read() is None


@pytest.mark.parametrize(
    ("url", "says", "hint", "code"),
    [
        ("postgresql://me:needle@db/acme", "holds a password", "PGPASSWORD", "CW121"),
        ("postgresql://me@db/acme?%70assword=needle", "holds a password", "PGPASSWORD", "CW121"),
        ("postgresql://me@db/acme?pasword=needle", "does not know: pasword", "'password'?", "CW401"),
        ("postgresql://me@db/acme?needle@1", "cannot be used", "postgresql://USER@HOST", "CW401"),
        (
            "postgresql://me@[db/needle",
            "address of the state cannot be used",
            "postgresql://USER@HOST",
            "CW401",
        ),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_and_not_repeated(
    url: str, says: str, hint: str, code: str
) -> None:
    explained(lambda: at(url), says, hint, code=code)


@pytest.mark.parametrize(
    ("url", "says", "hint"),
    [
        ("postgresql://me@127.0.0.1:9/acme", "the database cannot be reached", "host, port"),
        ("postgresql://me@/acme?host=/no/such/folder", "the database cannot be reached", "host, port"),
        ("postgresql://me@no-such-host.invalid/acme", "no server of that name", "network"),
        ("postgresql://?service=nope", "no such service", "PGSERVICEFILE"),
        ("postgresql://me@/acme?host=/no&sslmode=maybe", "a setting of a wrong value", "correct `state`"),
        ("postgresql://me@127.0.0.1:port/acme", "a setting of a wrong value", "correct `state`"),
    ],
)
def test_a_database_that_cannot_be_reached_is_explained(url: str, says: str, hint: str) -> None:
    explained(at(url).read, says, hint)


def test_a_server_without_tls_is_not_trusted_where_it_is_asked_for(through: Way, postgres: Postgres) -> None:
    explained(at(through.url(postgres.url()) + "&sslmode=require").read, "no safe connection", "sslrootcert")


def test_what_the_server_refuses_is_explained(postgres: Postgres) -> None:
    explained(at(postgres.url(database="not-there")).read, "has no such database", "create it")
    other = at(postgres.url(database="template0"))
    explained(other.read, "cannot be reached, or does not let cwsync in", "host, port")
    assert "accepting" not in str(refused(other.read)), "what the server says may hold anything"
    explained(at(postgres.url(role="nobody-here")).read, "does not accept the credentials", "PGPASSWORD")
    elsewhere = at(postgres.url("not-there"))
    explained(lambda: elsewhere.commit(None, State.new()), "no schema for its tables", "search_path")
    schema = postgres.schema()
    postgres.run("CREATE TABLE cwsync_state (name text)", schema)
    explained(at(postgres.url(schema)).read, "are not as cwsync makes them", "another database")
    role = postgres.role(schema)
    postgres.run(f"ALTER ROLE {role} SET default_transaction_read_only = on")
    explained(at(postgres.url(schema, role=role)).read, "takes no writes", "primary server")
