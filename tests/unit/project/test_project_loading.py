"""cwsync.yaml: found, read, and made into the project of one environment."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from subprocess import run
from typing import get_args

import pytest
from jsonschema import Draft202012Validator

from cwsync.api.regions import REGIONS
from cwsync.errors import CwsyncError, Problem
from cwsync.located import place
from cwsync.project import load_project, project_schema
from cwsync.project.models import Region
from cwsync.secret import SecretSource

# The example of the contract, section 1 (its remote state left out).
EXAMPLE = """\
version: 1
manifests: [manifests]
environment: local
users: {alice: 2c9ba1b6729b7fd80172c3f635db40f7}
variables: {timezone: Greenwich}
defaults:
  integrations: {workspaceId: "${var.workspaceId}", modelId: "${var.modelId}"}
  schedules: {timezone: "${var.timezone}"}
environments:
  local:
    api: emulator
    variables: {workspaceId: 8a81b09d5e8c6f27015ece3402487d33, modelId: 35A6EF893D7F47EEA5A554D5CC7DC330}
  prod:
    region: eu1
    authenticate:
      certificate: {certificate: {fromFile: certs/prod.pem}, privateKey: {fromEnv: ANAPLAN_KEY}, format: v2}
    state: state/prod.json
    guards: {maxDeletes: 5, maxDeletePercent: 20}
    requests: {parallelism: 4, perSecond: 20}
    variables: {workspaceId: W, modelId: M, timezone: Europe/Paris}
"""
LOCAL = "environments: {local: {api: emulator}}\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "cwsync.yaml").write_text(EXAMPLE)
    return tmp_path


def problems(root: Path, text: str, environment: str | None = None, **overrides: str) -> list[Problem]:
    (root / "cwsync.yaml").write_text(text)
    with pytest.raises(CwsyncError) as raised:
        load_project(root, environment, overrides)
    return list(raised.value.problems)


def places(found: list[Problem]) -> list[tuple[str, str]]:
    return [(p.code, f"{p.place.line}:{p.place.column}" if p.place else "") for p in found]


def test_the_contract_s_example(root: Path) -> None:
    project = load_project(root)
    environment = project.environment
    assert (project.root, project.manifests) == (root, ("manifests",))
    assert project.environments == ("local", "prod")
    assert project.users == {"alice": "2c9ba1b6729b7fd80172c3f635db40f7"}
    assert (environment.name, environment.emulated, environment.state) == (
        "local",
        True,
        ".cwsync/local.state.json",
    )
    assert (environment.guards.maxDeletes, environment.guards.maxDeletePercent) == (None, None)
    assert (environment.requests.parallelism, environment.requests.perSecond) == (8, 10)


def test_another_environment(root: Path) -> None:
    environment = load_project(root, "prod").environment
    assert (environment.region, environment.api, environment.state) == ("eu1", None, "state/prod.json")
    assert (environment.guards.maxDeletes, environment.requests.parallelism) == (5, 4)
    assert environment.authenticate is not None
    certificate = environment.authenticate.certificate
    assert certificate is not None
    assert certificate.privateKey == SecretSource(fromEnv="ANAPLAN_KEY")
    assert environment.authenticate.basic is None


def test_basic_token_and_explicit_addresses(root: Path) -> None:
    (root / "cwsync.yaml").write_text(
        "environments:\n"
        "  a: {api: 'https://cw.example.com/2/0', auth: 'https://auth.example.com',"
        " authenticate: {basic: {username: me, password: {fromEnv: P}}}}\n"
        "  b: {api: 'http://127.0.0.1:8100/2/0', authenticate: {token: {fromFile: token.txt}}}\n"
    )
    a, b = load_project(root, "a").environment, load_project(root, "b").environment
    assert (a.api, a.auth) == ("https://cw.example.com/2/0", "https://auth.example.com")
    assert a.authenticate is not None
    assert a.authenticate.basic is not None
    assert a.authenticate.basic.username == "me"
    assert b.authenticate is not None
    assert b.authenticate.token == SecretSource(fromFile="token.txt")


def test_found_from_a_folder_below_and_as_a_file(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = root / "manifests" / "deep"
    below.mkdir(parents=True)
    other = root / "other.yaml"
    other.write_text(LOCAL)
    assert load_project(below).path == root / "cwsync.yaml"
    assert load_project(other).path == other
    monkeypatch.chdir(below)
    assert load_project(Path()).file == "../../cwsync.yaml"


@pytest.mark.parametrize("start", ["empty", "none"])
def test_no_project(tmp_path: Path, start: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CwsyncError) as raised:
        load_project(tmp_path / start)
    assert raised.value.problems[0].code == "CW110"


def test_variables_override_each_other_in_the_contract_s_order(root: Path) -> None:
    environ = {"CWSYNC_VAR_modelId": "E", "CWSYNC_VAR_timezone": "E", "CWSYNC_VAR_unheard": "E"}
    project = load_project(root, "prod", {"timezone": "V"}, environ)
    assert project.environment.variables.values == {"timezone": "V", "workspaceId": "W", "modelId": "E"}
    assert load_project(root).environment.variables.values["timezone"] == "Greenwich"


def test_a_variable_of_another_environment_may_be_given(tmp_path: Path) -> None:
    (tmp_path / "cwsync.yaml").write_text(
        "environments: {a: {api: emulator}, b: {api: emulator, variables: {x: y}}}"
    )
    assert load_project(tmp_path, "a", {"x": "1"}).environment.variables.values == {"x": "1"}


def test_an_unknown_override_is_an_error(root: Path) -> None:
    (problem,) = problems(root, EXAMPLE, "prod", timezon="x")
    assert (problem.code, problem.hint) == ("CW113", "did you mean 'timezone'?")


def test_defaults_and_users_are_filled_in_with_the_environment_s_variables(root: Path) -> None:
    project = load_project(root, "prod")
    assert project.defaults == {
        "integrations": {"workspaceId": "W", "modelId": "M"},
        "schedules": {"timezone": "Europe/Paris"},
    }
    where = place(project.defaults["schedules"], ("timezone",), key=True)
    assert (where.line, where.column) == (8, 15)


def test_variables_work_in_every_environment_with_its_own(root: Path) -> None:
    text = (
        "variables: {host: one}\n"
        "environments:\n"
        "  a: {api: 'https://${var.host}.example.com', authenticate: {token: {fromEnv: '${var.host}'}}}\n"
        "  b: {api: 'https://${var.host}.example.com', authenticate: {token: {fromEnv: X}},"
        " variables: {host: two}}\n"
    )
    (root / "cwsync.yaml").write_text(text)
    assert load_project(root, "a").environment.api == "https://one.example.com"
    assert load_project(root, "b").environment.api == "https://two.example.com"


def test_unused_variables_are_known_with_their_places(root: Path) -> None:
    (root / "cwsync.yaml").write_text(EXAMPLE.replace("${var.timezone}", "UTC"))
    (warning,) = load_project(root).environment.variables.unused()
    assert (warning.code, warning.severity, places([warning])[0][1]) == ("CW114", "warning", "5:13")


@pytest.mark.parametrize(
    ("environment", "environ", "chosen"),
    [
        (None, {}, "b"),
        ("a", {"CWSYNC_ENV": "c"}, "a"),
        (None, {"CWSYNC_ENV": "c"}, "c"),
        (None, {"CWSYNC_ENV": ""}, "b"),
    ],
)
def test_choosing_an_environment(
    root: Path, environment: str | None, environ: dict[str, str], chosen: str
) -> None:
    each = "".join(f"  {name}: {{api: emulator}}\n" for name in "abc")
    (root / "cwsync.yaml").write_text(f"environment: b\nenvironments:\n{each}")
    assert load_project(root, environment, {}, environ).environment.name == chosen


def test_the_only_environment_needs_no_choice(root: Path) -> None:
    (root / "cwsync.yaml").write_text(LOCAL)
    assert load_project(root).environment.name == "local"


@pytest.mark.parametrize(
    ("text", "environment", "place", "hint"),
    [
        (EXAMPLE, "prd", "9:1", "did you mean 'prod'?"),
        (EXAMPLE.replace("environment: local", "environment: locl"), None, "3:14", "did you mean 'local'?"),
        (EXAMPLE.replace("environment: local", ""), None, "9:1", "local, prod"),
    ],
)
def test_no_such_environment(root: Path, text: str, environment: str | None, place: str, hint: str) -> None:
    found = problems(root, text, environment)
    assert places(found) == [("CW112", place)]
    assert hint in str(found[0].hint)


def environment(**fields: str) -> str:
    return "environments:\n  e:\n" + "".join(f"    {name}: {value}\n" for name, value in fields.items())


TOKEN = "{token: {fromEnv: T}}"
URL = "https://cw.example.com/2/0"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (environment(authenticate=TOKEN), "2:3", "'region' or an 'api'"),
        (environment(region="eu1", api=URL, authenticate=TOKEN), "3:5", "not both"),
        (environment(region="eu1", auth=URL, authenticate=TOKEN), "4:5", "'auth' belongs"),
        (environment(api="emulator", auth=URL), "4:5", "'auth' belongs"),
        (environment(api="emulator", authenticate=TOKEN), "4:5", "needs no 'authenticate'"),
        (environment(region="eu1"), "2:3", "'authenticate' is required"),
        (environment(region="eu1", authenticate="{}"), "4:5", "exactly one of basic"),
        (
            environment(
                region="eu1",
                authenticate="{token: {fromEnv: A}, basic: {username: a, password: {fromEnv: A}}}",
            ),
            "4:5",
            "exactly one of basic",
        ),
        (
            environment(api=URL, authenticate="{basic: {username: a, password: {fromEnv: A}}}"),
            "3:5",
            "'auth' is required",
        ),
        (environment(region="eu9", authenticate=TOKEN), "3:13", "'region' cannot be 'eu9'"),
        (environment(api="http://cw.example.com", authenticate=TOKEN), "3:10", "unprotected"),
        (environment(api="http://10.0.0.1", authenticate=TOKEN), "3:10", "unprotected"),
        (environment(api="ftp://cw.example.com", authenticate=TOKEN), "3:10", "https://HOST"),
        (environment(api="emulatr", authenticate=TOKEN), "3:10", "https://HOST"),
        (environment(api="https://[", authenticate=TOKEN), "3:10", "not a web address"),
        (environment(api="https://cw.example.com/?a=b", authenticate=TOKEN), "3:10", "'?'"),
        (environment(api=URL, auth="emulator", authenticate=TOKEN), "4:11", "https://HOST"),
        (environment(api="emulator", state="ftp://host/key"), "4:12", "cannot be kept at ftp://"),
        (environment(api="emulator", state="s3://bucket"), "4:12", "needs a bucket and the path"),
        (environment(api="emulator", state="gs://bucket/folder/"), "4:12", "needs a bucket and the path"),
        (environment(api="emulator", state="az://box/../key"), "4:12", "needs a bucket and the path"),
        (
            environment(api="emulator", state="s3://me:pass@bucket/key"),
            "4:12",
            "a character that its address",
        ),
        (environment(api="emulator", state="''"), "4:12", "must not be empty"),
        (environment(api="emulator", guards="{maxDeletePercent: 101}"), "4:32", "at most 100"),
        (environment(api="emulator", requests="{parallelism: 0}"), "4:29", "at least 1"),
        (environment(api="emulator", variables="{a-b: 1}"), "4:17", "form that is not allowed"),
        (environment(api="emulator", variables="{a: }"), "4:20", "is empty"),
        ("environments: {'a b': {api: emulator}}", "1:16", "form that is not allowed"),
        ("environments: {}", "1:15", "must not be empty"),
        ("version: 1", "1:1", "'environments' is required"),
        (LOCAL + "version: 2", "2:10", "'version' cannot be '2'"),
        (LOCAL + "defaults: {integration: {}}", "2:12", "'integration' is not a field"),
        (LOCAL + "defaults: {integrations: x}", "2:26", "must be a mapping"),
        (LOCAL + "manifests: []", "2:12", "must not be empty"),
        (LOCAL + "manifests: [../x]", "2:13", "leads out"),
        (LOCAL + "manifests: [/etc]", "2:13", "leads out"),
        (LOCAL + "manifests: ['C:\\x']", "2:13", "leads out"),
        (LOCAL + "manifests: [a/../../x]", "2:13", "leads out"),
        ("", "1:1", "empty"),
        ("- a", "1:1", "mapping"),
        (LOCAL + "---\na: b", "3:1", "one document"),
    ],
)
def test_one_value_that_is_not_allowed(root: Path, text: str, place: str, words: str) -> None:
    found = problems(root, text)
    assert places(found) == [("CW111", place)]
    assert words in found[0].message


def test_everything_wrong_at_once(root: Path) -> None:
    text = (
        EXAMPLE.replace("environment: local", "environment: locl")
        .replace("users:", "usrs:")
        .replace("region: eu1", "region: eu9")
        .replace("perSecond: 20", "perSecond: many")
        .replace("state: state/prod.json", "state: gs://x")
        .replace("{fromEnv: ANAPLAN_KEY}", "needle")
    )
    assert places(problems(root, text)) == [
        ("CW112", "3:14"),
        ("CW111", "4:1"),
        ("CW111", "14:13"),
        ("CW121", "16:74"),
        ("CW111", "17:12"),
        ("CW111", "19:43"),
    ]


def test_an_unknown_variable_in_cwsync_yaml(root: Path) -> None:
    found = problems(root, EXAMPLE.replace("${var.modelId}", "${var.modelid}"))
    assert places(found) == [("CW113", "7:63")]
    assert found[0].hint == "did you mean 'modelId'?"


@pytest.mark.parametrize(
    "authenticate",
    [
        "{token: needle}",
        "{basic: {username: me, password: needle}}",
        "{basic: {usernme: me, password: needle}}",
        "{basic: {username: me, passwrd: needle}}",
        "{basic: needle}",
        "needle",
        "[needle]",
        "{certificate: {certificate: {fromFile: x}, privateKey: needle, passphrase: needle, format: v9}}",
        "{token: {fromEnv: T, value: needle}}",
    ],
    ids=[f"form{number}" for number in range(9)],  # an id becomes part of the file's name
)
def test_no_secret_is_shown(root: Path, authenticate: str) -> None:
    found = problems(root, environment(region="eu1", authenticate=authenticate))
    found += problems(root, environment(api="https://me:needle@example.com", authenticate=TOKEN, extra="x"))
    assert "needle" not in repr(found)


def test_yaml_errors_come_through(root: Path) -> None:
    assert places(problems(root, "a: 1\na: 2\n")) == [("CW103", "2:1")]


def test_the_regions_are_those_that_have_an_address() -> None:
    assert set(get_args(Region)) == set(REGIONS)


def test_the_schema_documents_every_field_and_takes_the_example() -> None:
    import yaml

    schema = project_schema()
    validator = Draft202012Validator(schema)
    assert list(validator.iter_errors(yaml.safe_load(EXAMPLE))) == []
    assert list(validator.iter_errors({"environments": {"a": {"reegion": "eu1"}}})) != []
    assert json.loads(json.dumps(schema)) == schema
    models = [schema, *schema["$defs"].values()]
    fields = [(m["title"], name, f) for m in models for name, f in m["properties"].items()]
    assert [(m, name) for m, name, f in fields if "description" not in f or "examples" not in f] == []


def test_reading_a_project_loads_neither_client_nor_cryptography(root: Path) -> None:
    code = (
        "import sys, pathlib; from cwsync.project import load_project; "
        f"load_project(pathlib.Path({str(root)!r})); print(*sys.modules)"
    )
    loaded = run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"httpx", "cryptography", "deepdiff", "rich", "click", "asyncio"}.isdisjoint(loaded)
