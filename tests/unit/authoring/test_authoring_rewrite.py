"""Other values in the text that somebody wrote: the rest of it stays, and no comment is lost."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.author import KEYS, VALUES, Author

from cwsync.authoring.fmt import plain_value
from cwsync.authoring.rewrite import NotWritable, rewritten
from cwsync.authoring.tokens import comments
from cwsync.errors import CwsyncError
from cwsync.located import load

A: Any = {"integration": "a"}
B: Any = {"integration": "b", "skip": True, "onFailure": "stop"}
C: Any = {"integration": "c"}
STEPS = """\
flows:
  nightly:
    # why
    steps:
      # first
      - integration: a
      - integration: b # and then
        skip: true
        onFailure: stop
      # about c
      - integration: c # last
  other: {name: "it's", days: [p, q], text: 'old'} # of other
"""


def steps(now: list[Any], **more: Any) -> str:
    return rewritten(STEPS, ("flows", "nightly"), {"steps": [A, B, C]}, {"steps": now}, **more)


@pytest.mark.parametrize(
    ("now", "before", "after"),
    [
        ([A, {**B, "skip": False}, C], "skip: true", "skip: false"),
        ([A, {"integration": "b", "onFailure": "stop"}, C], "        skip: true\n", ""),
        ([A, {**B, "late": 1}, C], "onFailure: stop\n", "onFailure: stop\n        late: 1\n"),
        (
            [A, B, C, B],
            "# last\n",
            "# last\n      - integration: b\n        skip: true\n        onFailure: stop\n",
        ),
        ([{"integration": "d"}, B, C], "integration: a", "integration: d"),
        ([A, B], "      # about c\n      - integration: c # last\n", "      # about c\n      # last\n"),
    ],
    ids=["value", "gone", "new", "item", "first", "last item"],
)
def test_only_what_differs_is_written(now: list[Any], before: str, after: str) -> None:
    assert steps(now) == STEPS.replace(before, after)


def test_a_field_that_is_written_anew_keeps_its_comments() -> None:
    made = steps([C], whole=True)
    assert made.startswith(
        "flows:\n  nightly:\n    # why\n    # first\n    # and then\n    # about c\n    steps:\n"
    )
    assert sorted(comments(made)) == sorted(comments(STEPS))


@pytest.mark.parametrize(
    ("was", "now", "line"),
    [
        ({"text": "old"}, {"text": "new"}, "{name: \"it's\", days: [p, q], text: 'new'}"),
        ({"text": "old"}, {"text": "new: er"}, '{name: "it\'s", days: [p, q], text: "new: er"}'),
        ({"name": "it's"}, {}, "{days: [p, q], text: 'old'}"),
        ({"text": "old"}, {}, '{name: "it\'s", days: [p, q]}'),
        ({}, {"b": True}, "{b: true, name: \"it's\", days: [p, q], text: 'old'}"),
        ({"days": ["p", "q"]}, {"days": ["q", "z"]}, "{name: \"it's\", days: [q, z], text: 'old'}"),
        ({"text": "old"}, {"text": {"a": ["b"]}}, '{name: "it\'s", days: [p, q], text: {a: [b]}}'),
    ],
)
def test_in_one_line(was: dict[str, Any], now: dict[str, Any], line: str) -> None:
    made = rewritten(STEPS, ("flows", "other"), was, now)
    assert made.splitlines()[-1] == f"  other: {line} # of other"


def test_a_list_without_an_order_keeps_the_one_of_the_file() -> None:
    text = "flows:\n  a:\n    days:\n    - wed # w\n    - mon # m\n"
    made = rewritten(text, ("flows", "a"), {"days": ["mon", "wed"]}, {"days": ["fri", "mon", "wed"]})
    assert made == text + "    - fri\n"


def test_a_value_that_is_left_out() -> None:
    text = "flows:\n  a:\n    end: # none\n    b: 1\n"
    assert rewritten(text, ("flows", "a"), {}, {"end": "x"}) == text.replace("end:", "end: x")


@pytest.mark.parametrize("text", ["flows: {b: &x {c: 1}, a: *x}\n", "flows: {b: 1}\n", "{}\n"])
def test_what_is_no_resource_of_its_own(text: str) -> None:
    with pytest.raises(NotWritable):
        rewritten(text, ("flows", "a"), {"c": "1"}, {"c": "2"})


@given(
    st.integers(0, 2**32).map(Random),
    st.dictionaries(KEYS, VALUES, min_size=1, max_size=3),
    st.dictionaries(KEYS, VALUES, max_size=2),
    st.booleans(),
)
def test_whatever_was_written_says_what_it_should(
    random: Random, was: dict[str, Any], more: dict[str, Any], whole: bool
) -> None:
    now = {**was, **more, random.choice([*was]): random.choice([*was.values(), *more.values(), "new"])}
    author = Author(random)
    author.block({"flows": {"a": was, "z": {"end": "1"}}}, 0)
    text = "\n".join(author.lines) + "\n"
    try:
        if _said(text, "a") != plain_of(was):
            return  # a text of several lines ends in a line end
        made = rewritten(text, ("flows", "a"), was, now, whole=whole)
    except (CwsyncError, NotWritable):
        return
    assert dict(_said(made, "a")) == dict(plain_of(now))
    assert _said(made, "z") == _said(text, "z")
    assert sorted(comments(made)) == sorted(comments(text))


def _said(text: str, key: str) -> Any:
    (document,) = load(text, "a.yaml")
    return dict(dict(plain_value(document.value))["flows"])[key]  # type: ignore[call-overload] # pairs


def plain_of(value: Any) -> Any:
    """As `plain_value` has it; texts are texts, whatever they look like."""
    if isinstance(value, dict):
        return [(key, plain_of(item)) for key, item in value.items()]
    return [*map(plain_of, value)] if isinstance(value, list) else value
