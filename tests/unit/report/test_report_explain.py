"""explain tells what a field means, and how it is compared, for every field that there is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cwsync.errors import CwsyncError
from cwsync.kinds import KINDS
from cwsync.report.explain import explain


def fields(model: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        yield (*path, field.alias or name)


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


def test_a_field_of_one_form_says_so() -> None:
    assert "Only for AmazonS3." in explain("connection", ("roleArn",))


@pytest.mark.parametrize(
    ("kind", "path", "message", "hint"),
    [
        ("conection", (), "there is no kind conection", "did you mean connection?"),
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
