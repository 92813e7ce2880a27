"""explain tells what a field means, and how it is compared, for every field that there is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cwsync.errors import CwsyncError
from cwsync.kinds import KINDS
from cwsync.manifest.lists import LISTS
from cwsync.report.explain import explain


def fields(model: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        yield (*path, field.alias or name)


def said(name: str, *path: str) -> str:
    """What is said of how it is compared, in one line."""
    return " ".join(explain(name, path).partition("How it is compared with the tenant:")[2].split())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_and_each_of_its_fields_can_be_explained(kind: str) -> None:
    overview = explain(kind, ())
    for model in KINDS[kind].models:
        for path in fields(model):
            assert f"  {path[0]} " in overview
            text = explain(kind, path)
            assert text.startswith(f"{kind}.{path[0]}\n  ")
            assert "How it is compared with the tenant:" in text


def test_every_rule_is_told_where_its_field_is_explained() -> None:
    for kind in KINDS.values():
        for rule in kind.rules:
            path = tuple(step for step in rule.path.split(".") if step != "*")
            text = " ".join(explain(kind.name, path).split())
            assert f"Why: {rule.reason.split(' (facts')[0]}" in text
            assert "facts" not in text


@pytest.mark.parametrize("name", LISTS)
def test_every_change_list_and_each_of_its_fields_can_be_explained(name: str) -> None:
    entry, example = LISTS[name]
    overview = explain(name, ())
    assert overview.startswith(f"{name} (a change list)\n")
    assert example in overview
    for (field,) in fields(entry):
        assert f"  {field} " in overview
        assert explain(name, (field,)).startswith(f"{name}.{field}\n  ")
        assert "only changes what cwsync knows" in said(name, field)


def test_a_part_of_a_field_is_compared_as_the_field() -> None:
    assert said("connection", "accessKeyId").startswith("It is sent and never shown again")
    assert said("connection", "accessKeyId", "fromEnv").startswith(
        "As a part of accessKeyId. It is sent and never shown again"
    )
    assert "The order of its values means nothing." in said("notification", "notify", "success")
    assert said("connection", "bucketName").startswith("As it is: the tenant shows it")


@pytest.mark.parametrize("kind", KINDS)
def test_the_lifecycle_is_nothing_that_the_tenant_knows(kind: str) -> None:
    for path in (("lifecycle",), ("lifecycle", "preventDestroy"), ("lifecycle", "ignoreChanges")):
        assert said(kind, *path).startswith("It is not: the tenant knows nothing of it.")


def test_a_field_of_one_form_says_so() -> None:
    assert "Only for AmazonS3." in explain("connection", ("roleArn",))


@pytest.mark.parametrize(
    ("kind", "path", "message", "hint"),
    [
        ("conection", (), "there is no kind conection", "did you mean connection?"),
        ("connections", (), "there is no kind connections", "did you mean connection?"),
        ("move", (), "there is no kind move", "did you mean moved?"),
        ("moved", ("form",), "moved has no field form", "did you mean from?"),
        ("connection", ("roleArm",), "connection has no field roleArm", "did you mean roleArn?"),
        ("flow", ("steps", "skipped"), "flow.steps has no field skipped", "did you mean skip?"),
        ("flow", ("name", "x"), "flow.name has no field x", "there are: "),
    ],
)
def test_what_does_not_exist_names_the_nearest(
    kind: str, path: tuple[str, ...], message: str, hint: str
) -> None:
    with pytest.raises(CwsyncError) as raised:
        explain(kind, path)
    assert (raised.value.problems[0].message, raised.value.problems[0].hint) == (message, hint)
