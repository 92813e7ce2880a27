"""YAML that is broken, hostile or beyond what is needed: located problems, at once, and never more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cwsync.errors import CwsyncError, Problem
from cwsync.located import at, load
from cwsync.located.builder import MAX_DEPTH, MAX_DOCUMENTS, MAX_SCALAR, MAX_VALUES


def refused(text: str) -> tuple[Problem, ...]:
    with pytest.raises(CwsyncError) as raised:
        load(text, "f.yaml")
    assert all(problem.place is not None for problem in raised.value.problems)
    return raised.value.problems


def summary(text: str) -> list[tuple[str, str]]:
    return [(problem.code, str(problem.place)) for problem in refused(text)]


LAUGHS = "a0: &a0 lol\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 10)
)
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{level}: &a{level} [*a{level - 1}]\n" for level in range(1, 5000))
WIDE = "a: &a {" + ",".join(f"k{i}: 1" for i in range(1000)) + "}\nb: [" + "{<<: *a}, " * 1000 + "]"
LONG = f"a: &a {'x' * MAX_SCALAR}\nb: [{'*a, ' * 100}]"


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("a: 1\n b: 2", "CW102", "f.yaml:2:3"),
        ("a:\n\t- b", "CW102", "f.yaml:2:1"),
        ("a: 'x", "CW102", "f.yaml:1:4"),
        ("a: @x", "CW102", "f.yaml:1:4"),
        ("a: *b", "CW102", "f.yaml:1:4"),
        ("a: &x 1\n---\nb: *x", "CW102", "f.yaml:3:4"),
        ("%YAML 3.0\n---\na", "CW102", "f.yaml:1:1"),
        ("a: 1\na: 2", "CW103", "f.yaml:2:1"),
        ("a: &a {<<: {}, <<: {}}", "CW103", "f.yaml:1:16"),
        ("[" * 100_000, "CW104", f"f.yaml:1:{MAX_DEPTH + 1}"),
        ("- " * 100_000, "CW104", f"f.yaml:1:{2 * MAX_DEPTH + 1}"),
        (CHAIN, "CW104", "f.yaml:100:12"),
        ("x: !!python/object/apply:os.system [ls]", "CW105", "f.yaml:1:4"),
        ("x: !!str 12", "CW105", "f.yaml:1:4"),
        ("x: !local {a: b}", "CW105", "f.yaml:1:4"),
        ("a: &a [*a]", "CW105", "f.yaml:1:8"),
        ("a: &a {<<: *a}", "CW105", "f.yaml:1:12"),
        ("? [a]\n: b", "CW105", "f.yaml:1:3"),
        ("{a: 1}: b", "CW105", "f.yaml:1:1"),
        ("a: &a b\n*a : c", "CW105", "f.yaml:2:1"),
        ("~: b", "CW105", "f.yaml:1:1"),
        ("{? : b}", "CW105", "f.yaml:1:4"),
        (": b", "CW102", "f.yaml:1:1"),
        ("a: {<<: 1}", "CW105", "f.yaml:1:5"),
        ("a: {<<: [{b: c}, 1]}", "CW105", "f.yaml:1:5"),
        ("a: 1\nb: x\0y", "CW101", "f.yaml:2:5"),
        ("a: \x1b[31m", "CW101", "f.yaml:1:4"),
        ("a: \ud800", "CW101", "f.yaml:1:4"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_one_thing_wrong(text: str, code: str, place: str) -> None:
    assert summary(text) == [(code, place)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LAUGHS, f"{MAX_VALUES:,} values"),
        (WIDE, f"{MAX_VALUES:,} values"),
        (LONG, f"{MAX_VALUES:,} values"),
        ("- \n" * (MAX_VALUES + 1), f"{MAX_VALUES:,} values"),
        (f"a: {'x' * (MAX_SCALAR + 1)}", f"{MAX_SCALAR:,} characters"),
        (f"? {'x' * (MAX_SCALAR + 1)}\n: a", f"{MAX_SCALAR:,} characters"),
        ("---\na\n" * (MAX_DOCUMENTS + 1), f"{MAX_DOCUMENTS:,} documents"),
        ("#" * 20_000_001, "20 MB"),
    ],
    ids=["laughs", "merges", "long text repeated", "values", "text", "key", "documents", "size"],
)
def test_bounds(text: str, message: str) -> None:
    (problem,) = refused(text)
    assert problem.code == "CW104"
    assert message in problem.message


def test_five_thousand_resources_are_within_the_bounds() -> None:
    fields = "".join(f"    field{number}: [a, b, c]\n" for number in range(12))
    text = "x: &x {a: b, c: d}\nall:\n" + "".join(f"  r{n}:\n{fields}    y: *x\n" for n in range(5000))
    (document,) = load(text, "f.yaml")
    assert at(document, ("all", "r4999", "y", "c")) == "d"


def test_all_that_can_be_found_is_reported_together() -> None:
    text = "a: !x 1\nb: 2\nb: 3\nc: &c 4\n<<: 5\nd: *nope\n"
    assert summary(text) == [
        ("CW105", "f.yaml:1:4"),
        ("CW103", "f.yaml:3:1"),
        ("CW102", "f.yaml:6:4"),
    ]


def test_a_flood_of_problems_ends() -> None:
    assert len(refused("a: 1\n" * 10_000)) == 100


def test_a_duplicate_names_both_places() -> None:
    (problem,) = refused("a: 1\nb: 2\n'a': 3\n")
    assert str(problem.place) == "f.yaml:3:1"
    assert "f.yaml:1:1" in problem.message
    assert problem.source == "'a': 3"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a:\n\tb: 1", "tab"),
        ("a: b: c", "':'"),
        ("a: [1, 2", "'[' at f.yaml:1:4"),
        ("a: {b: 1\nc: 2", "'{' at f.yaml:1:4"),
        ("a:\n  b: 1\n c: 2", "f.yaml:1:1"),
        ("- a\nb: c", "does not fit"),
        ('a: "\\q"', "escape"),
        ("a: 1\nb\n", "':'"),
        ("a: ]", "expected"),
        ("a: `x`", "'`'"),
        ("a: x\n...\nb: c\n", "'---'"),
        ("{a: 1} b", "does not belong"),
        ("a: {b: ${var.c}}", 'write "${var.name}", with the quotes'),
        ("a: [${var.c}]", 'write "${var.name}", with the quotes'),
    ],
)
def test_syntax_errors_in_words(text: str, words: str) -> None:
    (problem,) = refused(text)
    assert problem.code == "CW102"
    assert words in f"{problem.message} {problem.hint}"


def test_no_secret_of_a_broken_file_is_shown() -> None:
    shown = str(refused('c:\n  password: "needle: x\n  b: {a\n') + refused("a: 1\npassword: needle: b"))
    assert "needle" not in shown


@given(st.text(st.sampled_from("ab:-?[]{},&*!|>'\"%@`#\n\t ~<\\\x00\x85\u2028é=."), max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        load(text, "f.yaml")
    except CwsyncError as error:
        unplaced = [problem for problem in error.problems if problem.place is None]
    else:
        unplaced = []
    assert not unplaced
