"""What YAML text becomes, and where each part of it stands."""

from __future__ import annotations

import gc

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cwsync.located import Map, Seq, Source, at, load, overlay, place, problem
from cwsync.located.builder import Builder

TEXT = """\
connections:
  sales-s3:
    type: AmazonS3
    "name":  'Sales S3'
  lake: {type: AzureBlob, containers: [one, two]}
"""


def only(text: str) -> Map:
    (document,) = load(text, "f.yaml")
    assert isinstance(document.value, Map)
    return document.value


@pytest.mark.parametrize(
    "scalar",
    [
        "12:45",
        "2020-07-03",
        "on",
        "no",
        "yes",
        "007",
        "0o14",
        "9E99112233",
        "1_000",
        ".5",
        "true",
        "1e3",
        "=",
    ],
)
def test_plain_scalars_keep_their_text(scalar: str) -> None:
    assert only(f"a: {scalar}") == {"a": scalar}


@pytest.mark.parametrize("scalar", ["null", "~", "", "Null", "NULL"])
def test_plain_null_is_none(scalar: str) -> None:
    assert only(f"a: {scalar}\n") == {"a": None}


@pytest.mark.parametrize("scalar", ["'null'", '"~"', "''", "|\n  null\n", ">-\n  null"])
def test_quoted_null_is_text(scalar: str) -> None:
    assert isinstance(only(f"a: {scalar}\n")["a"], str)


def test_mappings_and_sequences_are_dicts_and_lists() -> None:
    value = only("a: [1, {b: c}]")
    assert value == {"a": ["1", {"b": "c"}]}
    assert isinstance(value["a"], Seq)


@pytest.mark.parametrize(
    ("path", "key", "line", "column"),
    [
        (("connections",), True, 1, 1),
        (("connections",), False, 2, 3),
        (("connections", "sales-s3", "type"), False, 3, 11),
        (("connections", "sales-s3", "name"), True, 4, 5),
        (("connections", "sales-s3", "name"), False, 4, 14),
        (("connections", "lake", "containers", 1), False, 5, 45),
        (("connections", "sales-s3", "bucketName"), False, 2, 3),  # missing: the key of what lacks it
        (("connections", "sales-s3", "bucketName", 0, "x"), False, 2, 3),
        (("connections", "lake", "containers", 7), False, 5, 27),
    ],
)
def test_every_key_and_value_knows_its_place(
    path: tuple[str | int, ...], key: bool, line: int, column: int
) -> None:
    (document,) = load(TEXT, "f.yaml")
    found = place(document, path, key=key)
    assert (found.file, found.line, found.column) == ("f.yaml", line, column)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_places_do_not_depend_on_line_ends_or_a_byte_order_mark(line_end: str) -> None:
    (document,) = load("\ufeff" + f"é: 😀{line_end}b: {{c: 1}}{line_end}", "f.yaml")
    assert str(place(document, ("b", "c"))) == "f.yaml:2:8"


def test_a_problem_shows_its_line() -> None:
    (document,) = load(TEXT, "f.yaml")
    made = problem("CW203", "no", document, ("connections", "sales-s3", "type"))
    assert made.source == "    type: AmazonS3"


@pytest.mark.parametrize(
    "line",
    [
        "sasToken: needle",
        "{name: x, 'password': needle}",
        "  - secretAccessKey: |",
        "api: https://me:needle@example.com/",
        "state: https://example.com/x?sig=needle",
        "authenticate: needle",
    ],
)
def test_a_line_that_may_hold_a_secret_is_not_shown(line: str) -> None:
    assert Source("f.yaml", line).problem("CW201", "x", 0).source is None


@pytest.mark.parametrize(
    "line", ["secretAccessKey: {fromEnv: X}", "sasToken:", "name: token ring", "fromEnv: ACME_TOKEN"]
)
def test_a_line_that_names_a_secret_is_shown(line: str) -> None:
    assert Source("f.yaml", line).problem("CW201", "x", 0).source == line


def test_documents_are_kept_apart_and_empty_ones_dropped() -> None:
    documents = load("a: 1\n---\n# nothing\n---\n- b\n...\n---\n~\n", "f.yaml")
    assert [document.value for document in documents] == [{"a": "1"}, ["b"]]
    assert str(place(documents[1])) == "f.yaml:5:1"
    assert load("# only a comment\n", "f.yaml") == []


def test_aliases_repeat_a_value() -> None:
    assert only("a: &x {b: 1}\nc: [*x, *x]\nd: &y text\ne: *y") == {
        "a": {"b": "1"},
        "c": [{"b": "1"}, {"b": "1"}],
        "d": "text",
        "e": "text",
    }


def test_merge_keys_give_way_to_keys_that_are_written() -> None:
    value = only("a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc:\n  <<: [*a, *b]\n  x: 5\n")
    assert value["c"] == {"x": "5", "y": "2", "z": "4"}
    assert str(place(value, ("c", "z"))) == "f.yaml:2:17"
    assert str(place(value, ("c", "x"))) == "f.yaml:5:6"


def test_a_quoted_merge_key_is_a_key() -> None:
    assert only("a: {'<<': 1}") == {"a": {"<<": "1"}}


def test_overlay_keeps_the_file_of_each_key() -> None:
    (below,) = load("zone: UTC\ntype: hourly\n", "project.yaml")
    above = only("\ntype: daily\n")
    assert isinstance(below.value, Map)
    both = overlay(below.value, above)
    assert both == {"type": "daily", "zone": "UTC"}
    assert str(place(both, ("zone",), key=True)) == "project.yaml:1:1"
    assert str(place(both, ("type",))) == "f.yaml:2:7"
    assert above == {"type": "daily"}


def test_the_value_at_a_path() -> None:
    value = only(TEXT)
    assert at(value, ("connections", "lake", "containers", 1)) == "two"
    assert at(value, ("connections", "lake", "containers", 2)) is None


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff\ufffe\uffff"))
values = st.recursive(
    st.none() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(texts, values, min_size=1, max_size=4), st.booleans())
def test_what_yaml_writes_is_read_back(value: object, flow: bool) -> None:
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True)
    (document,) = load(text, "f.yaml")
    assert document.value == value


@given(st.dictionaries(texts, values, min_size=1, max_size=4))
def test_both_parsers_build_the_same(value: object) -> None:
    text = yaml.safe_dump(value)
    (with_c,) = load(text, "f.yaml")
    (without,) = Builder(Source("f.yaml", text)).build(yaml.SafeLoader(text))
    assert without.value == with_c.value
    assert isinstance(without.value, Map)
    assert isinstance(with_c.value, Map)
    assert without.value.marks == with_c.value.marks


def test_the_garbage_collector_runs_again_afterwards() -> None:
    load("a: 1", "f.yaml")
    assert gc.isenabled()
