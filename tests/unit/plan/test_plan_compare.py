"""Two environments' desired states, compared: what counts as a difference, and which variables make it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from cwsync.errors import Place
from cwsync.manifest import load_manifests
from cwsync.plan.compare import Comparison, FieldDifference, Side, compare
from cwsync.variables import Variables

IDS = "workspaceId: 8a81b09d5e8c6f27015ece3402487d33, modelId: 35A6EF893D7F47EEA5A554D5CC7DC330"
SALES = """\
connections:
  sales:
    type: AmazonS3
    bucketName: %s
    accessKeyId: {fromEnv: KEY}
    secretAccessKey: {fromEnv: SECRET}
"""


def compared(folder: Path, text: str, first: Mapping[str, str], second: Mapping[str, str]) -> Comparison:
    """A manifest with one environment's variables, beside itself with another's."""
    file = folder / "manifest.yaml"
    file.write_text(text, encoding="utf-8")
    users = {"alice": "a" * 32, "bob": "b" * 32}
    sides = []
    for name, variables in (("dev", first), ("prod", second)):
        found = load_manifests(
            [(file, "manifest.yaml")], defaults={}, users=users, variables=Variables(variables)
        )
        sides.append(Side(name, found.resources, variables))
    lines = text.split("\n")

    def line_at(place: Place) -> str:
        return lines[place.line - 1][place.column - 1 :]

    dev, prod = sides
    return compare(dev, prod, line_at)


def fields(found: Comparison) -> dict[str, tuple[object, object]]:
    return {f"{one.address} {field.path}": field.values for one in found.differences for field in one.fields}


def test_equal_variables_make_no_difference(tmp_path: Path) -> None:
    found = compared(tmp_path, SALES % "${var.a}", {"a": "landing"}, {"a": "landing"})
    assert found == Comparison(("dev", "prod"), (), (), 1)


def test_a_variable_that_differs_and_is_used_nowhere_is_named_alone(tmp_path: Path) -> None:
    found = compared(tmp_path, SALES % "landing", {"a": "1", "only": "x"}, {"a": "2"})
    assert {one.name: one.values for one in found.variables} == {"a": ("1", "2"), "only": ("x", None)}
    assert found.differences == ()


@pytest.mark.parametrize(
    ("written", "because"),
    [
        ("${var.a}", ("a",)),
        ("in-${ var.b }-${var.a}-${var.b} # ${var.c}", ("b", "a")),
        ('"${var.a}" # ${var.c}', ("a",)),
        ("'it''s-${var.a}'", ("a",)),
        ("$${var.c}-${var.a}", ("a",)),
        ("${var.same}-${var.a}", ("a",)),  # that one is equal on both sides
        (">-\n      ${var.a}", ()),  # of a text on lines of its own, nothing is said
    ],
)
def test_the_variables_in_its_text_are_named(written: str, because: tuple[str, ...], tmp_path: Path) -> None:
    variables = {"a": "1", "b": "1", "c": "1", "same": "1"}
    found = compared(tmp_path, SALES % written, variables, {"a": "2", "b": "2", "c": "2", "same": "1"})
    ((field,),) = (one.fields for one in found.differences)
    assert (field.path, field.because) == ("bucketName", because)


def test_a_field_in_braces_is_not_taken_for_its_neighbour(tmp_path: Path) -> None:
    text = (
        'connections:\n  s: {type: AmazonS3, bucketName: "${var.a}", roleArn: "x${var.b}", '
        "accessKeyId: {fromEnv: K}, secretAccessKey: {fromEnv: S}}\n"
    )
    found = compared(tmp_path, text, {"a": "1", "b": "1"}, {"a": "2", "b": "2"})
    assert [(one.path, one.because) for one in found.differences[0].fields] == [
        ("bucketName", ("a",)),
        ("roleArn", ("b",)),
    ]


def test_lists_without_an_order_are_compared_without_one(tmp_path: Path) -> None:
    text = f"""\
integrations:
  close: {{processId: 118, {IDS}}}
notifications:
  close: {{channels: [email], notify: {{full_failure: ["${{var.a}}", "${{var.b}}"]}}}}
"""
    same = compared(tmp_path, text, {"a": "alice", "b": "bob"}, {"a": "bob", "b": "alice"})
    assert same.differences == ()
    other = compared(tmp_path, text, {"a": "bob", "b": "alice"}, {"a": "c" * 32, "b": "alice"})
    (field,) = other.differences[0].fields  # the second in the list's order, and the first as it is written
    assert field == FieldDifference("notify.full_failure[1]", ("b" * 32, "c" * 32), ("a",))


def test_steps_wait_for_a_set(tmp_path: Path) -> None:
    text = f"""\
integrations:
  one: {{processId: 118, {IDS}}}
  two: {{processId: 119, {IDS}}}
  three: {{processId: 120, {IDS}}}
flows:
  all:
    steps: [{{integration: one}}, {{integration: two}}, {{integration: three, dependsOn: ["${{var.a}}", "${{var.b}}"]}}]
"""
    found = compared(tmp_path, text, {"a": "one", "b": "two"}, {"a": "two", "b": "one"})
    assert (len(found.variables), found.differences) == (2, ())


def test_a_reference_differs_by_what_it_refers_to(tmp_path: Path) -> None:
    text = f"""\
{SALES % "landing"}
  stock: {{type: AzureBlob, storageAccountName: a, containerName: c, sasToken: {{fromEnv: SAS}}}}
integrations:
  orders:
    {IDS.replace(", ", chr(10) + "    ")}
    jobs:
      - import: {{connection: "${{var.from}}", file: a.csv, actionId: 112, fileId: 113}}
  old:
    {IDS.replace(", ", chr(10) + "    ")}
    jobs:
      - import: {{connection: {{name: "${{var.old}}"}}, file: a.csv, actionId: 112, fileId: 113}}
"""
    found = compared(tmp_path, text, {"from": "sales", "old": "A"}, {"from": "stock", "old": "B"})
    told = {path: values for path, values in fields(found).items() if path.startswith("integration.")}
    assert told == {
        "integration.old jobs[0].import.connection": ("connection A", "connection B"),
        "integration.orders jobs[0].import.connection": ("connection.sales", "connection.stock"),
    }


def test_what_the_lifecycle_says_is_part_of_it(tmp_path: Path) -> None:
    text = SALES % "landing" + "    lifecycle:\n      preventDestroy: ${var.keep}\n"
    found = compared(tmp_path, text, {"keep": "false"}, {"keep": "true"})
    (field,) = found.differences[0].fields
    assert field == FieldDifference("lifecycle.preventDestroy", (False, True), ("keep",))


def test_a_command_that_differs_in_its_arguments_is_told_without_them(tmp_path: Path) -> None:
    text = (
        SALES.replace("{fromEnv: KEY}", "\n      fromCommand:\n        - vault\n        - ${var.a}")
        % "landing"
    )
    found = compared(tmp_path, text, {"a": "needle-1"}, {"a": "needle-2"})
    (field,) = found.differences[0].fields
    assert (field.path, field.unshown) == ("accessKeyId", True)
    assert field.values[0] == field.values[1] == {"fromCommand": ["vault", "…"]}
