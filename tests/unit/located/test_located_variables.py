"""`${var.name}` in located values."""

from __future__ import annotations

import pytest

from cwsync.errors import Problem
from cwsync.located import Map, load, place
from cwsync.variables import Variables


def filled(text: str, **values: str) -> tuple[Map, list[Problem], Variables]:
    (document,) = load(text, "f.yaml")
    assert isinstance(document.value, Map)
    variables, problems = Variables(values), list[Problem]()
    return variables.fill(document.value, problems), problems, variables


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("${var.a}", "A"),
        ("x-${var.a}-${var.b_2}-y", "x-A-B-y"),
        ("'${ var.a }'", "A"),
        ("$${var.a}", "${var.a}"),
        ("$${", "${"),
        ("a $5 $ {x}", "a $5 $ {x}"),
        ("'[${var.a}]'", "[A]"),
    ],
)
def test_filling(written: str, meant: str) -> None:
    value, problems, _ = filled(
        f"k: {{v: [x, {written}]}}" if "{" not in written else f'k:\n  v: [x, "{written.strip(chr(39))}"]',
        a="A",
        b_2="B",
    )
    assert value == {"k": {"v": ["x", meant]}}
    assert problems == []


def test_what_a_variable_brings_in_is_not_read_again() -> None:
    value, problems, variables = filled("k: ${var.a}", a="${var.b}", b="B")
    assert value == {"k": "${var.b}"}
    assert problems == []
    assert variables.used == {"a"}


def test_an_unknown_variable_is_located_with_a_suggestion() -> None:
    value, (problem,), _ = filled("k:\n  v: 'a ${var.timezon}'\n", timezone="UTC")
    assert value == {"k": {"v": "a ${var.timezon}"}}
    assert (problem.code, str(problem.place)) == ("CW113", "f.yaml:2:9")
    assert problem.hint == "did you mean 'timezone'?"
    assert problem.source == "  v: 'a ${var.timezon}'"


@pytest.mark.parametrize(
    "written", ["${env.HOME}", "${timezone}", "${var.a", "${}", "${var.a.b}", "${var.9}"]
)
def test_another_form_says_what_is_allowed(written: str) -> None:
    _, (problem,), _ = filled(f'k: "x {written}"', a="A")
    assert problem.code == "CW113"
    assert "${var.name}" in str(problem.hint)


def test_every_problem_is_found_once_also_through_aliases() -> None:
    _, problems, _ = filled("a: &a {x: '${var.no}'}\nb: *a\nc: ['${var.no}', '${var.nope}']")
    assert [str(problem.place) for problem in problems] == ["f.yaml:1:12", "f.yaml:3:6", "f.yaml:3:19"]


def test_places_are_kept_and_the_original_is_not_changed() -> None:
    (document,) = load("k: {v: '${var.a}', w: [1, '${var.a}']}\nz: {y: 1}", "f.yaml")
    assert isinstance(document.value, Map)
    result = Variables({"a": "A"}).fill(document.value, [])
    assert result == {"k": {"v": "A", "w": ["1", "A"]}, "z": {"y": "1"}}
    assert place(result, ("k", "w", 1)) == place(document, ("k", "w", 1))
    assert document.value["k"] == {"v": "${var.a}", "w": ["1", "${var.a}"]}
    assert result["z"] is document.value["z"]


def test_unused_variables_are_warned_of() -> None:
    warning = Problem("CW114", "unused", severity="warning")
    variables = Variables({"a": "A", "b": "B"}, {"a": warning, "b": warning})
    (document,) = load("k: ${var.a}", "f.yaml")
    variables.fill(document.value, [])
    assert variables.unused() == [warning]
    assert variables.used == {"a"}
