"""A state in PostgreSQL at the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from support.postgres import WALLED, Postgres
from support.program import Ran, cwsync_process
from support.projects import Project
from support.tenant import Tenant
from unit.state.holding import ELSEWHERE, INTENT

from cwsync.state import LocalStore, Store, acquire
from cwsync.state.moving import found_at
from cwsync.state.postgres import PostgresStore

LOCAL = ".cwsync/test.state.json"
RESOURCES = 6


@pytest.fixture
def schema(postgres: Postgres, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A new schema; and nothing of what whoever runs the tests has set for another one."""
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "no.pgpass"))
    monkeypatch.delenv("PGPASSWORD", raising=False)
    return postgres.schema()


@pytest.fixture
def place(postgres: Postgres, schema: str) -> str:
    return postgres.url(schema, state="acme-prod")


def kept_at(project: Project, place: str) -> None:
    lines = [line for line in project.read("cwsync.yaml").splitlines() if "    state:" not in line]
    at = lines.index("  test:") + 1
    project.write("cwsync.yaml", "\n".join([*lines[:at], f"    state: {place}", *lines[at:]]) + "\n")


def refused(ran: Ran, code: str, *says: str) -> None:
    assert ran.status != 0
    for word in (code, *says):
        assert word in ran.err, ran.all
    assert "needle" not in ran.all
    assert "Traceback" not in ran.all


def store(project: Project, place: str) -> Store:
    return PostgresStore.at(place, "test") if "://" in place else LocalStore(project.root / place)


def test_a_project_is_applied_with_its_state_in_a_database(
    project: Project, tenant: Tenant, place: str, postgres: Postgres, schema: str
) -> None:
    kept_at(project, place)
    assert project.applied().run("plan", "--detailed-exitcode").status == 0
    assert not (project.root / LOCAL).exists()
    assert len(json.loads(project.run("state", "list", "--format", "json").out)) == RESOURCES
    kept = project.run("state", "pull").out
    ((name, document),) = postgres.run("SELECT name, document FROM cwsync_state", schema)
    assert (name, document) == ("acme-prod", kept.encode())
    assert "made-up" not in kept
    assert project.run("destroy", "--auto-approve").status == 0
    ran = cwsync_process("state", "list", folder=project.root)
    assert (ran.status, ran.err) == (0, "")


def test_a_document_of_the_history_can_be_put_back(
    project: Project, place: str, postgres: Postgres, schema: str
) -> None:
    kept_at(project, place)
    project.applied()
    before = project.run("state", "pull").out
    assert project.run("state", "rm", "flow.nightly").status == 0
    query = (
        "SELECT convert_from(document, 'UTF8') FROM cwsync_state_history WHERE name = 'acme-prod' ORDER BY id"
    )
    kept = [str(document) for (document,) in postgres.run(query, schema)]
    assert kept[-2:] == [before, project.run("state", "pull").out]
    project.write("copy.json", kept[-2])
    assert project.run("state", "push", "--force", "copy.json").status == 0
    assert project.run("plan", "--detailed-exitcode").status == 0


def test_a_second_runner_waits_outside(project: Project, place: str) -> None:
    kept_at(project, place)
    project.applied()
    held = acquire(PostgresStore.at(place, "test"), tenant=None, holder=ELSEWHERE)
    refused(project.run("apply", "--auto-approve"), "CW404", place, "alice on build-7")
    assert project.run("unlock", held.lock.nonce).status == 0
    assert project.run("apply", "--auto-approve").status == 0


def test_without_a_name_the_environment_gives_it(project: Project, postgres: Postgres, schema: str) -> None:
    kept_at(project, re.sub("&state=.*", "", postgres.url(schema)).replace("postgresql", "postgres"))
    project.applied()
    assert postgres.run("SELECT name FROM cwsync_state", schema) == [("test",)]


def test_the_state_moves_into_the_database_and_back(project: Project, tenant: Tenant, place: str) -> None:
    project.applied()
    files = LocalStore(project.root / LOCAL)
    base = files.read()
    assert base is not None
    base = files.commit(base, base.with_intents([INTENT]))
    requests = len(tenant.requests())
    ran = project.run("state", "migrate", place, "--format", "json")
    assert ran.status == 0, ran.all
    there = found_at(store(project, place))
    assert there is not None
    assert json.loads(ran.out)["to"] == place
    assert (there.lineage, there.resources, there.pending) == (base.lineage, base.resources, base.pending)
    refused(project.run("plan"), "CW410", f"has moved to {place}", f"`state: {place}`")
    kept_at(project, place)
    assert project.run("state", "migrate", LOCAL).status == 0
    refused(project.run("plan"), "CW410", f"has moved to {LOCAL}")
    kept_at(project, LOCAL)
    back = found_at(files)
    assert back is not None
    assert (back.resources, back.pending, back.lock) == (base.resources, base.pending, None)
    assert back.serial > there.serial
    assert len(tenant.requests()) == requests


def test_two_names_in_one_database_are_two_states(project: Project, place: str) -> None:
    project.applied()
    assert project.run("state", "migrate", place).status == 0
    kept_at(project, place)
    assert project.run("state", "migrate", f"{place}-2").status == 0
    kept_at(project, f"{place}-2")
    assert project.run("plan", "--detailed-exitcode").status == 0


@pytest.mark.parametrize(
    ("place", "code", "says"),
    [
        ("postgresql://ci:needle@db/acme", "CW121", "holds a password"),
        ("postgresql://ci@db/acme?password=needle", "CW121", "PGPASSWORD"),
        ("postgresql://ci@db/acme?sslmode=require&sslpassword=needle", "CW121", "PGPASSWORD"),
        ("postgresql://ci@db/acme?scram_client_key=needle", "CW121", "PGPASSWORD"),
        ("postgres://ci:needle/1@db/acme", "CW121", "holds a password"),
        ("postgresql://ci:needle/1?needle@db/acme", "CW121", "holds a password"),
        ("postgresql://ci:needle?nee=dle@db/acme?sslmode=require", "CW121", "holds a password"),
        ("postgresql://db:5432/acme?user=needle@db", "CW121", "written %40"),
        ("postgresql://ci@db/acme?state=", "CW111", "no name for the state"),
        ("postgresql://ci@db/acme?state=a&state=b", "CW111", "no name for the state"),
        ("postgresql://ci@db/acme?state=a%20b", "CW111", "no name for the state"),
        ("postgresql://ci@db/ac\\me", "CW111", "a character"),
        ("mysql://ci:needle@db/acme", "CW111", "cannot be kept at mysql://"),
    ],
)
def test_a_place_that_cannot_be_used_is_refused_before_anything_is_done(
    project: Project, place: str, code: str, says: str
) -> None:
    kept_at(project, place)
    refused(project.run("validate"), code, "cwsync.yaml:8:12", says)
    kept_at(project, LOCAL)
    refused(project.run("state", "migrate", place), code if code == "CW121" else "CW901", says)


def test_a_password_that_a_variable_brings_is_refused_as_well(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept_at(project, "postgresql://${var.who}@db/acme")
    project.write("cwsync.yaml", project.read("cwsync.yaml") + "variables: {who: ci}\n")
    monkeypatch.setenv("CWSYNC_VAR_who", "ci:needle")
    refused(project.run("state", "list"), "CW121", "holds a password")


def test_a_password_that_is_wrong_is_never_shown(
    project: Project, postgres: Postgres, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept_at(project, postgres.url(schema, role=WALLED))
    monkeypatch.setenv("PGPASSWORD", "needle")
    refused(project.run("-v", "plan"), "CW401", f"postgresql://{WALLED}@", "does not accept", "~/.pgpass")


def test_a_role_without_rights_is_shown_what_to_run(
    project: Project, postgres: Postgres, schema: str
) -> None:
    role = postgres.role(schema)
    kept_at(project, postgres.url(schema, role=role))
    ran = project.run("apply", "--auto-approve")
    refused(ran, "CW415", f"the role {role} may not do this", "run these lines once")
    for line in re.findall(r"^ *((?:CREATE|GRANT) .*;)$", ran.err, re.MULTILINE):
        postgres.run(line, schema)
    project.applied()


@pytest.mark.parametrize("broken", ["no package", "no libpq"])
def test_without_the_extra_it_says_what_to_install(project: Project, broken: str) -> None:
    kept_at(project, "postgresql://ci@db/acme")
    raised = (
        "ModuleNotFoundError('made up', name='psycopg')" if broken == "no package" else "ImportError('x')"
    )
    project.write("packages/psycopg.py", f"raise {raised}\n")
    environ = {"PYTHONPATH": str(project.root / "packages")}
    ran = cwsync_process("state", "list", folder=project.root, environ=environ)
    refused(ran, "CW701", "needs psycopg", "pip install 'cwsync[postgres]'")
