"""The layout of manifests: what it makes of what people write, and that it never changes what that says."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.author import KEYS, VALUES, Author

from cwsync.authoring.fmt import formatted, plain_value
from cwsync.authoring.tokens import comments, tokens
from cwsync.errors import CwsyncError
from cwsync.located import load

LAYOUTS = {
    "indentation is two spaces, of lists as well": (
        "flows:\n    a:\n     steps:\n     - integration:   b\n       skip: true\n     -   integration: c\n",
        "flows:\n  a:\n    steps:\n      - integration: b\n        skip: true\n      - integration: c\n",
    ),
    "spaces in one line": (
        "a:   { b : 1,c:  [ x ,y ], }\nd: {  }\n",
        "a: {b: 1, c: [x, y],}\nd: {}\n",
    ),
    "one empty line between resources, none at the ends": (
        "\n\n# head\n\n\na:\n\n\n  b: 1   \n\n\n\n  c: 2\n\n\n# end  \n\n\n",
        "# head\n\na:\n\n  b: 1\n\n  c: 2\n\n# end\n",
    ),
    "no empty line is added, nor a line end where there is nothing": ("a: 1\nb: 2", "a: 1\nb: 2\n"),
    "comments stay with what they are about": (
        "a:\n# of a\n- x\n    # of the list\n- y # of y\n# of b\nb: 1\n",
        "a:\n  # of a\n  - x\n  # of the list\n  - y # of y\n# of b\nb: 1\n",
    ),
    "a comment at the end of what it belongs to": (
        "a:\n    b:\n        c: 1\n        # of c\n    # of b\n# of a\n",
        "a:\n  b:\n    c: 1\n    # of c\n  # of b\n# of a\n",
    ),
    "aligned comments stay aligned": (
        "a:\n    b:   1      # one\n    cc:  2      # two\n    d: 3 # next\n",
        "a:\n  b: 1          # one\n  cc: 2         # two\n  d: 3 # next\n",
    ),
    "texts of several lines move as a whole": (
        "a:\n      b: |  # said\n           one\n             two\n\n      c: >-\n       x\n      d: one\n       two\n",
        "a:\n  b: |  # said\n    one\n      two\n\n  c: >-\n    x\n  d: one\n    two\n",
    ),
    "line ends that count, and an indentation that is given": (
        "a:\n    b: |+\n      x\n\n\n    c: |1\n       y\n",
        "a:\n  b: |+\n    x\n\n\n  c: |1\n     y\n",
    ),
    "anchors, aliases, merges and several documents": (
        "a:   &x\n    b:  &y  1\nc:\n    <<:    *x\n    d:   *y\n\n\n---\ne:  1\n...\n",
        "a: &x\n  b: &y 1\nc:\n  <<: *x\n  d: *y\n\n---\ne: 1\n...\n",
    ),
    "brackets over several lines": (
        "a: [\n b,   # of b\n      # of c\n    c,\n]\nd: {e: 1,\n  f: 2\n  }\n",
        "a: [\n  b,  # of b\n  # of c\n  c,\n]\nd: {e: 1,\n  f: 2\n  }\n",
    ),
    "JSON": ('{ "a" : {\n\t"b": [ 1,\n2 ]}}', '{"a": {\n  "b": [1,\n    2]}}\n'),
    "what YAML 1.1 would take for something else": (
        "a:  12:45\nb: on\nc: 007\nd: 112000000005\ne:  'no'\nf: 2030-01-07\ng:  9E99\n",
        "a: 12:45\nb: on\nc: 007\nd: 112000000005\ne: 'no'\nf: 2030-01-07\ng: 9E99\n",
    ),
    "line ends of Windows": ("a:\r\n    b:  1\r\n", "a:\r\n  b: 1\r\n"),
    "a text that ends where the file does": ("a:  |\n   x", "a: |\n  x"),
    "nothing": ("", ""),
    "comments alone": ("\n  # a\n\n\n# b", "# a\n\n# b\n"),
}


@pytest.mark.parametrize(("text", "expected"), LAYOUTS.values(), ids=LAYOUTS)
def test_the_layout(text: str, expected: str) -> None:
    assert formatted(text, "a.yaml") == expected
    assert formatted(expected, "a.yaml") == expected


def test_a_long_line_is_not_folded() -> None:
    text = f"a: {'word ' * 60}end\n"
    assert formatted(text, "a.yaml") == text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: 1\na: 2\n", "CW103"),
        ("a: !!str 1\n", "CW105"),
        ("a: [\n", "CW102"),
        ("a: 'b\u2028c'\n", "CW107"),
    ],
)
def test_what_is_not_formatted(text: str, code: str) -> None:
    with pytest.raises(CwsyncError) as caught:
        formatted(text, "a.yaml")
    assert [problem.code for problem in caught.value.problems] == [code]


@given(st.integers(0, 2**32).map(Random), st.dictionaries(KEYS, VALUES, min_size=1, max_size=4))
def test_whatever_is_written_says_the_same_in_the_same_layout(
    random: Random, value: dict[str, object]
) -> None:
    author = Author(random)
    author.block(value, random.randint(0, 3))
    text = "\n".join(author.lines) + random.choice(["", "\n", "\n\n"])
    try:
        before = load(text, "a.yaml")
    except CwsyncError:
        return  # a comment below a text of several lines may be a part of it, and more such
    made = formatted(text, "a.yaml")
    assert [plain_value(one.value) for one in load(made, "a.yaml")] == [
        plain_value(one.value) for one in before
    ]
    assert [one.meaning for one in tokens(made)] == [one.meaning for one in tokens(text)]
    assert comments(made) == comments(text)
    assert formatted(made, "a.yaml") == made
    assert "\n\n\n" not in made or "|+" in made
    assert made.endswith("\n") or "|" in made
    assert not made.endswith("\n\n") or "|+" in made
    indents = {len(line) - len(line.lstrip(" ")) for line in made.splitlines() if line.strip()}
    assert "|" in text or ">" in text or all(indent % 2 == 0 for indent in indents)
