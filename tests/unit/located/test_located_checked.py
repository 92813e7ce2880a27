"""Field types over text scalars, and pydantic's complaints as located problems."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from cwsync.checked import Codes, Flag, Id, Text, Whole, problems_from, wrong
from cwsync.errors import Problem
from cwsync.located import load
from cwsync.secret import SecretField


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Job(Model):
    actionId: Id
    overwrite: Flag = False


class S3(Model):
    type: Literal["AmazonS3"]
    bucketName: Text = Field(examples=["sales-landing"], min_length=1, max_length=10)
    secretKey: SecretField | None = None


class Blob(Model):
    type: Literal["AzureBlob"]
    sasToken: SecretField


class Thing(Model):
    name: Text | None = None
    count: Whole = Field(1, ge=1, le=20)
    enabled: Flag = True
    format: Literal["v1", "v2"] = "v2"
    jobs: list[Job] = Field([], max_length=2)
    connection: Annotated[S3 | Blob, Discriminator("type")] | None = None
    byName: dict[Annotated[str, Field(pattern="^[a-z]+$")], Id] = {}

    @model_validator(mode="after")
    def _rule(self) -> Thing:
        if self.name == "forbidden":
            raise wrong("CW210", "the name {forbidden} is taken", "name", hint="take another")
        if self.name == "odd":
            raise ValueError("this is odd")
        return self


def problems(text: str, shape: Any = Thing, **options: Any) -> list[Problem]:
    (document,) = load(text, "f.yaml")
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(shape).validate_python(document.value)
    return problems_from(raised.value, document, shape, **options)


def test_text_scalars_take_their_field_s_type() -> None:
    (document,) = load(
        "name: 007\ncount: 12\nenabled: false\njobs: [{actionId: 112000000005, overwrite: True}]", "f.yaml"
    )
    thing = Thing.model_validate(document.value)
    assert (thing.name, thing.count, thing.enabled) == ("007", 12, False)
    assert thing.jobs[0] == Job(actionId="112000000005", overwrite=True)


@pytest.mark.parametrize(
    ("word", "value"), [("true", True), ("TRUE", True), ("False", False), ("FALSE", False)]
)
def test_the_core_schemas_words_for_true_and_false(word: str, value: bool) -> None:
    assert Thing.model_validate({"name": "a", "count": 3, "enabled": word, "jobs": []}).enabled is value


def test_values_that_are_typed_already_are_taken_too() -> None:
    thing = Thing.model_validate({"name": 12.5, "count": 3, "enabled": True, "jobs": [{"actionId": 5}]})
    assert (thing.name, thing.count, thing.enabled, thing.jobs[0].actionId) == ("12.5", 3, True, "5")


@pytest.mark.parametrize(
    ("text", "code", "place", "message", "hint"),
    [
        ("enabled: yes", "CW203", "1:10", "'enabled' must be true, not 'yes'", None),
        ("enabled: off", "CW203", "1:10", "'enabled' must be false, not 'off'", None),
        ("enabled: maybe", "CW203", "1:10", "'enabled' must be true or false", None),
        ("enabled:", "CW203", "1:9", "'enabled' must be true or false", None),
        ("count: 1.0", "CW203", "1:8", "'count' must be a whole number", None),
        ("count: 1_0", "CW203", "1:8", "'count' must be a whole number", None),
        (f"count: {'9' * 5000}", "CW203", "1:8", "'count' must be a whole number", None),
        ("count: 0", "CW203", "1:8", "'count' must be at least 1", None),
        ("count: 21", "CW203", "1:8", "'count' must be at most 20", None),
        ("name: [a]", "CW203", "1:7", "'name' must be a text, not a list", None),
        ("name: {a: b}", "CW203", "1:7", "'name' must be a text, not a mapping", None),
        ("jobs: a", "CW203", "1:7", "'jobs' must be a list, not a text", None),
        ("jobs:", "CW203", "1:6", "'jobs' is empty; it must be a list", None),
        ("jobs: [a]", "CW203", "1:8", "item 1 of 'jobs' must be a mapping, not a text", None),
        ("format: v3", "CW203", "1:9", "'format' cannot be 'v3'", "one of v1, v2"),
        ("format: V2", "CW203", "1:9", "'format' cannot be 'V2'", "did you mean 'v2'?"),
        ("nme: x", "CW201", "1:1", "'nme' is not a field here", "did you mean 'name'?"),
        (
            "jobs: [{actionId: 1, actionid: 2}]",
            "CW201",
            "1:22",
            "'actionid' is not a field here",
            "did you mean 'actionId'?",
        ),
        (
            "jobs: [{actionId: 1, zzz: 2}]",
            "CW201",
            "1:22",
            "'zzz' is not a field here",
            "the fields here are actionId, overwrite",
        ),
        ("jobs:\n- overwrite: true", "CW202", "2:3", "'actionId' is required", None),
        (
            "jobs: [{actionId: 1},{actionId: 1},{actionId: 1}]",
            "CW203",
            "1:7",
            "'jobs' has 3 items; at most 2 are allowed",
            None,
        ),
        (
            "connection: {type: AmazonS3}",
            "CW202",
            "1:1",
            "'bucketName' is required",
            "for example bucketName: sales-landing",
        ),
        (
            "connection: {type: AmazonS3, bucketName: ''}",
            "CW203",
            "1:42",
            "'bucketName' must not be empty",
            None,
        ),
        (
            "connection: {type: AmazonS3, bucketName: 12345678901}",
            "CW203",
            "1:42",
            "'bucketName' is longer than 10 characters",
            None,
        ),
        (
            "connection: {type: AmazonS3, bucketName: x, bucketNme: y}",
            "CW201",
            "1:45",
            "'bucketNme' is not a field here",
            "did you mean 'bucketName'?",
        ),
        (
            "connection: {type: AmazonS4}",
            "CW203",
            "1:20",
            "'type' cannot be 'AmazonS4'",
            "did you mean 'AmazonS3'?",
        ),
        ("connection: {bucketName: x}", "CW202", "1:1", "'type' is required", "one of AmazonS3, AzureBlob"),
        (
            "byName: {a: 1, B: 2}",
            "CW203",
            "1:16",
            "'B' has a form that is not allowed here",
            "it must match ^[a-z]+$",
        ),
        ("name: forbidden", "CW210", "1:7", "the name {forbidden} is taken", "take another"),
        ("name: odd", "CW203", "1:1", "this is odd", None),
        ("[a]", "CW203", "1:1", "this must be a mapping, not a list", None),
    ],
)
def test_one_thing_wrong(text: str, code: str, place: str, message: str, hint: str | None) -> None:
    (problem,) = problems(text)
    assert (problem.code, str(problem.place), problem.message) == (code, f"f.yaml:{place}", message)
    assert problem.hint == hint


def test_all_problems_at_once_in_the_order_of_the_file() -> None:
    found = problems("count: x\nnme: y\njobs: [{}, {actionId: 1, overwrite: no}]\nformat: v9\n")
    assert [(p.code, str(p.place)) for p in found] == [
        ("CW203", "f.yaml:1:8"),
        ("CW201", "f.yaml:2:1"),
        ("CW202", "f.yaml:3:8"),
        ("CW203", "f.yaml:3:37"),
        ("CW203", "f.yaml:4:9"),
    ]
    assert found[0].source == "count: x"


def test_below_a_path_with_an_address_and_other_codes() -> None:
    (document,) = load("things:\n  a: {count: x, zzz: 1}\n", "f.yaml")
    with pytest.raises(ValidationError) as raised:
        Thing.model_validate({"count": "x", "zzz": "1"})
    found = problems_from(
        raised.value,
        document,
        Thing,
        path=("things", "a"),
        address="thing.a",
        codes=Codes("CW111", "CW111", "CW111"),
    )
    assert [(p.code, str(p.place), p.address) for p in found] == [
        ("CW111", "f.yaml:2:14", "thing.a"),
        ("CW111", "f.yaml:2:17", "thing.a"),
    ]


@pytest.mark.parametrize(
    "secret",
    [
        "needle",
        "12345",
        "{value: needle}",
        "{needle: x}",
        "[needle]",
        "{fromEnv: [needle]}",
        "{fromEnv: A, fromFile: needle}",
        "{fromCommand: needle}",
    ],
)
@pytest.mark.parametrize("form", ["block", "flow"])
def test_no_value_of_a_secret_is_in_a_problem(secret: str, form: str) -> None:
    flow = f"connection: {{type: AzureBlob, sasToken: {secret}, nme: x}}"
    block = f"connection:\n  type: AzureBlob\n  sasToken:\n    {secret}\n  nme: needle\n"
    found = problems(flow if form == "flow" else block)
    assert len(found) == 2
    assert "needle" not in repr(found)
    assert "12345" not in repr(found)


def test_a_literal_secret_has_a_code_of_its_own() -> None:
    (problem,) = problems("connection:\n  type: AzureBlob\n  sasToken: |\n    needle\n")
    assert (problem.code, str(problem.place), problem.source) == ("CW121", "f.yaml:3:13", None)
    assert "fromEnv" in str(problem.hint)


def test_an_unknown_field_s_value_is_not_shown() -> None:
    (problem,) = problems("jobs:\n- actionId: 1\n  actonId: needle")
    assert problem.source == "  actonId: …"


def test_schemas_say_what_may_be_written() -> None:
    class All(Model):
        text: Text = Field(max_length=60)
        id: Id
        flag: Flag
        whole: Whole = Field(ge=1, le=9)

    properties = All.model_json_schema()["properties"]
    assert properties["text"] == {"maxLength": 60, "title": "Text", "type": ["string", "number"]}
    assert properties["id"]["type"] == ["string", "integer"]
    assert properties["flag"]["type"] == "boolean"
    assert properties["whole"] == {"maximum": 9, "minimum": 1, "title": "Whole", "type": "integer"}
