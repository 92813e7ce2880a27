"""The examples are complete and correct: people copy from them, and other tests run them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from cwsync.kinds import KINDS, Kind
from cwsync.kinds.base import Lifecycle, Unmanaged
from cwsync.located import Map, at, read
from cwsync.manifest import Manifest, load_manifests
from cwsync.project import load_project, manifest_files
from cwsync.secret import SecretSource

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ENVIRONMENTS = [
    ("quickstart", "local"),
    *(("all-kinds", name) for name in ("dev", "prod", "with-certificate", "with-password", "with-token")),
    ("dev-and-prod", "dev"),
    ("dev-and-prod", "prod"),
    ("policies", "dev"),
    ("policies", "prod"),
]


def _loaded(example: str, environment: str) -> Manifest:
    project = load_project(EXAMPLES / example, environment)
    files = [(file, file.name) for file in manifest_files(project)]
    return load_manifests(
        files,
        defaults=project.defaults,
        users=project.users,
        variables=project.environment.variables,
    )


@pytest.mark.parametrize(("example", "environment"), ENVIRONMENTS)
def test_it_loads_without_an_error_or_a_warning(example: str, environment: str) -> None:
    manifest = _loaded(example, environment)
    assert manifest.warnings == ()
    assert {desired.kind for desired in manifest.resources.values()} == set(KINDS)


def test_every_environment_is_looked_at() -> None:
    for example in (path.parent.name for path in EXAMPLES.glob("*/cwsync.yaml")):
        named = {environment for one, environment in ENVIRONMENTS if one == example}
        assert set(load_project(EXAMPLES / example).environments) == named


def test_dev_and_prod_have_the_same_resources_with_other_values() -> None:
    dev, prod = (_loaded("all-kinds", name).resources for name in ("dev", "prod"))
    assert dev.keys() == prod.keys()
    assert dev["connection.sales-s3"].fields["bucketName"] == "acme-dev"
    assert prod["connection.sales-s3"].fields["bucketName"] == "acme-prod"


def test_the_environments_of_dev_and_prod_differ_in_their_variables_alone() -> None:
    (document,) = read(EXAMPLES / "dev-and-prod/cwsync.yaml", "cwsync.yaml")
    dev, prod = (at(document, ("environments", name)) for name in ("dev", "prod"))
    assert isinstance(dev, Map)
    assert isinstance(prod, Map)
    assert dev.keys() == prod.keys() - {"guards"} == {"api", "variables"}  # guards are about applying
    assert "${" not in str(load_project(EXAMPLES / "dev-and-prod").manifests)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_all_kinds_has_every_field(kind: Kind) -> None:
    written = list(_written(kind))
    for model in kind.models:
        tag = model.model_fields.get("type")
        types = get_args(tag.annotation) if tag else (None,)
        of_this_form = [one for one in written if one.get("type") in types]
        assert of_this_form, f"no {kind.name} of type {types}"
        assert sorted(_missing(model, of_this_form, kind.name)) == []


def test_all_kinds_has_the_change_lists_that_need_no_object() -> None:
    lists = _loaded("all-kinds", "dev").lists
    assert lists.moved
    assert lists.removed


def _written(kind: Kind) -> Iterator[Map]:
    for file in (EXAMPLES / "all-kinds").rglob("*.yaml"):
        for document in read(file, file.name):
            section = document.value.get(kind.section) if isinstance(document.value, Map) else None
            if isinstance(section, Map) and file.name != "cwsync.yaml":
                yield from (one for one in section.values() if isinstance(one, Map))


def _missing(model: type[BaseModel], values: Sequence[Map], path: str) -> Iterator[str]:
    """The fields of the model, and of models in it, that none of the values has."""
    for name, field in model.model_fields.items():
        key = field.alias or name
        # Common fields of connections and schedules are shown once, not for every type.
        present = [value[key] for value in values if key in value]
        if not present:
            if key not in _SHOWN_ONCE:
                yield f"{path}.{key}"
            continue
        items = list(chain.from_iterable(one if isinstance(one, list) else [one] for one in present))
        for inner in _models_in(field.annotation):
            maps = [one for one in items if isinstance(one, Map)]
            yield from _missing(inner, maps, f"{path}.{key}")


_SHOWN_ONCE = {
    "name",
    "lifecycle",
    "integration",
    "startDate",
    "endDate",
    "timezone",
    "enabled",
    "workspaceId",
}


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        # A secret is one of three forms, what is unmanaged is only in comments, and the lifecycle is everybody's.
        if annotation not in (SecretSource, Unmanaged, Lifecycle):
            yield annotation
    elif get_origin(annotation) in (Annotated, Union, UnionType, tuple, list):
        for argument in get_args(annotation):
            yield from _models_in(argument)


@pytest.mark.parametrize("field", sorted(_SHOWN_ONCE))
def test_what_is_common_to_several_types_is_shown_once(field: str) -> None:
    assert any(field in one for kind in KINDS.values() for one in _written(kind))
