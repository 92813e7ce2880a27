"""What every kind owes: a schema, an example, documentation, rules that mean something, a round trip."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import BaseModel
from support.program import cwsync
from unit.kinds.round_trip import Service, example_resources

from cwsync.kinds import KINDS, SECTIONS, Action, Behaviour, Kind
from cwsync.plan.diff import arrange

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples"
MANIFESTS = sorted(
    file
    for project in EXAMPLES.iterdir()
    for pattern in ("manifests/**/*.yaml", "teams/**/*.yaml")
    for file in project.glob(pattern)
)
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)


def test_the_registry_is_in_dependency_order() -> None:
    assert list(KINDS) == ["connection", "integration", "schedule", "notification", "flow"]
    assert {kind.section: kind for kind in KINDS.values()} == SECTIONS
    for one in example_resources().values():
        for ref in one.references():
            assert list(KINDS).index(ref.kind) < list(KINDS).index(one.kind)


@every_kind
def test_it_can_be_made_changed_and_deleted(kind: Kind) -> None:
    assert {Action.CREATE, Action.UPDATE, Action.DELETE} <= set(kind.calls)
    for method, path in kind.calls.values():
        assert method in ("POST", "PUT", "PATCH", "DELETE")
        assert path.startswith("/integration")
    assert kind.section == f"{kind.name}s"


@pytest.mark.parametrize("of", ["manifest", "project"])
def test_the_schemas_are_fresh(of: str, tmp_path: Path) -> None:
    printed = cwsync("schema", of, folder=tmp_path)
    assert printed.status == 0
    assert (ROOT / "schemas" / f"{of}.schema.json").read_text() == printed.out, "run make schemas"


class _Core(yaml.SafeLoader):
    """YAML 1.2's core meaning of scalars: `12:45`, `on` and `2030-01-07` are text."""


_Core.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (  # how they begin is what PyYAML looks them up by
    ("bool", "true|false|True|False", "tfTF"),
    ("int", "[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    ("null", "~|null|", ["~", "n", ""]),
    ("merge", "<<", "<"),
):
    _Core.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


def _schema(of: str) -> Draft202012Validator:
    schema = json.loads((ROOT / "schemas" / f"{of}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def _errors(of: str, text: str) -> list[str]:
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
        for document in yaml.load_all(text, Loader=_Core)  # a SafeLoader
        for error in _schema(of).iter_errors(document)
    ]


@pytest.mark.parametrize("file", MANIFESTS, ids=lambda file: str(file.relative_to(EXAMPLES)))
def test_an_editor_finds_nothing_wrong_with_the_examples(file: Path) -> None:
    assert _errors("manifest", file.read_text()) == []


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*/cwsync.yaml")), ids=lambda file: file.parent.name)
def test_nor_with_their_projects(file: Path) -> None:
    assert _errors("project", file.read_text()) == []


@pytest.mark.parametrize(
    "text",
    [
        "connection: {}",
        "connections: {A b: {type: AmazonS3}}",
        "connections: {a: {type: Amazon}}",
        "connections: {a: {type: AmazonS3, bucket: x}}",
        "connections: {a: {type: AmazonS3, bucketName: ''}}",
        "connections: {a: {type: AmazonS3, accessKeyId: written-out}}",
        "integrations: {a: {jobs: [{move: {}}]}}",
        "integrations: {a: {jobs: {import: {}}}}",
        "integrations: {a: {nuxVisible: yes}}",
        "integrations: {a: {processId: abc}}",
        "schedules: {a: {type: weekly, time: '25:00'}}",
        "schedules: {a: {type: weekly, dayOfMonth: 3}}",
        "schedules: {a: {type: weekly, daysOfWeek: [someday]}}",
        "notifications: {a: {channels: [sms]}}",
        "flows: {a: {steps: [{integration: a, onFailure: retry}]}}",
        "moved: {from: flow.a, to: flow.b}",
        "moved: [{from: flow.a}]",
        "moved: [{from: flows.a, to: flow.b}]",
        "removed: [flow.a]",
        "removed: [{address: a}]",
        "import: [{to: connection.a}]",
        "import: [{to: connection.a, id: x, name: y}]",
    ],
)
def test_an_editor_finds_what_is_wrong(text: str) -> None:
    assert _errors("manifest", text) != []


@pytest.mark.parametrize(
    "text",
    [
        "integrations: {a: {nuxVisible: '${var.shown}', processId: '${var.process}'}}",
        "schedules: {a: {type: daily, time: '${var.time}', startDate: '${var.day}', enabled: '${var.on}'}}",
        "connections: {a: {type: AmazonS3, name: 007}}",
        "integrations: {a: {jobs: [{import: {connection: {name: Theirs}, file: f, actionId: 1, fileId: '2'}}]}}",
        "schedules: {a: {type: weekly, daysOfWeek: [mon, 2, '${var.day}']}}",
        "connections:",
        "moved:",
        "moved: [{from: flow.a, to: '${var.now}'}]",
        "removed: [{address: flow.a}]",
        "import: [{to: connection.a, id: 112}, {to: flow.b, name: B}]",
    ],
)
def test_an_editor_takes_what_cwsync_takes(text: str) -> None:
    assert _errors("manifest", text) == []


@every_kind
def test_it_has_a_schema_that_documents_every_field(kind: Kind) -> None:
    schema = _schema("manifest").schema
    assert isinstance(schema, dict)
    section = schema["properties"][kind.section]
    assert section["description"] == kind.summary
    for model in kind.models:
        described = schema["$defs"][model.__name__]
        assert described["additionalProperties"] is False
        assert described["properties"].keys() == {f.alias or n for n, f in model.model_fields.items()}
        for name, one in described["properties"].items():
            assert one.get("description"), f"{model.__name__}.{name}"
            assert one.keys() & {"examples", "default", "const"}, f"{model.__name__}.{name}"


@every_kind
def test_everything_that_a_user_writes_is_explained(kind: Kind) -> None:
    assert kind.summary.endswith(".")
    for model in _models_of(kind):
        assert model.__doc__, model.__name__
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"
            assert field.description.endswith("."), f"{model.__name__}.{name}"


@every_kind
def test_every_rule_has_a_reason_and_names_a_field(kind: Kind) -> None:
    assert kind.rules
    for rule in kind.rules:
        assert rule.reason
        assert any(_leads_somewhere(model, rule.path.split(".")) for model in kind.models), rule.path


@every_kind
def test_every_secret_is_write_only(kind: Kind) -> None:
    secrets = {name for one in example_resources().values() if one.kind == kind.name for name in one.secrets}
    assert secrets == {path for path in kind.paths_that(Behaviour.WRITE_ONLY) if "." not in path}


def _models_of(kind: Kind) -> Iterator[type[BaseModel]]:
    waiting, seen = [*kind.models], set[type[BaseModel]]()
    while waiting:
        model = waiting.pop()
        if model not in seen:
            seen.add(model)
            yield model
            waiting += [inner for f in model.model_fields.values() for inner in _models_in(f.annotation)]


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Annotated, Union, UnionType, tuple, list, dict):
        for argument in get_args(annotation):
            yield from _models_in(argument)


def _leads_somewhere(shape: Any, path: list[str]) -> bool:
    if not path:
        return True
    head, rest = path[0], path[1:]
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        fields = {f.alias or name: f.annotation for name, f in shape.model_fields.items()}
        below = [*fields.values()] if head == "*" else [fields[head]] if head in fields else []
        return any(_leads_somewhere(one, rest) for one in below)
    if get_origin(shape) in (tuple, list) and head == "*":
        return any(_leads_somewhere(one, rest) for one in get_args(shape))
    return any(_leads_somewhere(one, path) for one in get_args(shape))


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """A tenant in which everything of the example was made, and then changed to what it is."""
    with Service() as made:
        made.make_all(example_resources())
        yield made


@pytest.mark.parametrize("address", sorted(example_resources()))
def test_what_is_sent_reads_back_as_it_was_written(service: Service, address: str) -> None:
    one = example_resources()[address]
    kind = KINDS[one.kind]
    seen = service.observed(address)
    wanted = arrange(kind, service.resolved(one.fields))
    hidden = [path for path in kind.paths_that(Behaviour.NOT_READ_BACK) if path in wanted]
    shown = arrange(kind, seen.fields or {})
    assert shown == {k: v for k, v in wanted.items() if k in shown or k not in hidden}
    assert seen.name == one.name
    assert seen.foreign is None


@every_kind
def test_the_round_trip_covers_it(kind: Kind) -> None:
    of_kind = [one for one in example_resources().values() if one.kind == kind.name]
    types = {one.fields.get("type") for one in of_kind}
    assert len(types) >= len(kind.models)
    if kind.name == "integration":
        jobs = {(*job, service_type) for one in of_kind for job, service_type in _jobs(one.fields["jobs"])}
        assert len(jobs) == 6


def _jobs(jobs: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    resources = example_resources()
    for job in jobs:
        for direction, end in job.items():
            yield (direction,), str(resources[end["connection"].address].fields["type"])
