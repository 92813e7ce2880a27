"""The change lists: what they come to, and every way in which they can be wrong, offline."""

from __future__ import annotations

import cProfile
import pstats

import pytest
from unit.manifest.writing import DAILY, PROCESS, S3, loaded, only, problems, said

from cwsync.kinds import ChangeLists, Import, Moved, Removed
from cwsync.manifest.schema import manifest_schema

LAKE, OTHER = "46d677fdb67a41529d0ddadc294515dd", "8a81b09d5e8c6f27015ece3402487d33"
DECLARED = (
    f"connections:\n  lake: {{{S3}}}\n  bay: {{{S3}}}\n"
    f"integrations:\n  accounts: {PROCESS}\n  close: {PROCESS}\n"
    f"schedules:\n  accounts: {{{DAILY}}}\n"
    "notifications:\n  accounts: {channels: [email], notify: {success: [alice]}}\n"
)


def test_all_three_lists() -> None:
    text = f"""\
import:  [{{to: connection.lake, id: {LAKE}}}, {{to: connection.bay, name: The bay}}]
moved:   [{{from: integration.acc, to: integration.accounts}}]
removed: [{{address: flow.legacy}}]
"""
    lists = loaded(DECLARED, text).lists
    assert lists == ChangeLists(
        imports=(Import("connection.lake", id=LAKE), Import("connection.bay", name="The bay")),
        moved=(Moved("integration.acc", "integration.accounts"),),
        removed=(Removed("flow.legacy"),),
    )
    places = [entry.place for listed in (lists.imports, lists.moved, lists.removed) for entry in listed]
    assert [str(place) for place in places] == ["2.yaml:1:11", "2.yaml:1:72", "2.yaml:2:11", "2.yaml:3:11"]


def test_without_lists_there_are_none() -> None:
    assert loaded(DECLARED).lists == ChangeLists()
    assert loaded(DECLARED, "import:\nmoved: []\nremoved: ~\n").lists == ChangeLists()


def test_lists_of_all_files_and_documents_add_up_in_their_order() -> None:
    lists = loaded(
        f"removed: [{{address: flow.z}}]\n---\n{DECLARED}removed: [{{address: flow.c}}]\n",
        "removed:\n  - address: flow.b\n  - {address: connection.a}\n",
    ).lists
    assert [one.address for one in lists.removed] == ["flow.z", "flow.c", "flow.b", "connection.a"]
    assert [str(one.place) for one in lists.removed][2:] == ["2.yaml:2:5", "2.yaml:3:5"]


@pytest.mark.parametrize("id", ["112000000005", "'0112'", "007"])
def test_an_id_is_a_text_with_or_without_quotes(id: str) -> None:
    (one,) = loaded(DECLARED, f"import: [{{to: connection.lake, id: {id}}}]").lists.imports
    assert one.id == id.strip("'")


def test_variables_and_merge_keys_fill_them() -> None:
    lists = loaded(
        DECLARED,
        "import: [{to: 'connection.${var.which}', id: '${var.id}'}]\n"
        "moved:\n  - &gone {from: integration.acc, to: integration.accounts}\n"
        "  - {<<: *gone, from: schedule.acc, to: schedule.accounts}\n",
        variables={"which": "lake", "id": LAKE},
    ).lists
    assert lists.imports == (Import("connection.lake", id=LAKE),)
    assert lists.moved[1] == Moved("schedule.acc", "schedule.accounts")


def test_a_variable_that_only_a_list_uses_is_used() -> None:
    text = "removed: [{address: 'flow.${var.flow}'}]"
    assert said(DECLARED, text, variables={"flow": "legacy"}) == []


def test_an_unknown_variable_is_all_that_is_wrong_with_its_entry() -> None:
    text = "moved: [{from: flow.a, to: flow.b}, {from: flow.b, to: 'flow.${var.x}'}]"
    problem = only(DECLARED, text)
    assert (problem.code, str(problem.place)) == ("CW113", "2.yaml:1:62")


PARTS = f"import: [{{to: schedule.accounts, id: {LAKE}}}, {{to: notification.accounts, id: {LAKE}}}]"
ALLOWED = {
    "parts by id, and one id of two kinds": PARTS,
    "one name of two kinds": "import: [{to: connection.lake, name: X}, {to: integration.close, name: X}]",
    "a chain": "moved: [{from: flow.b, to: flow.c}, {from: flow.a, to: flow.b}, {from: flow.c, to: flow.d}]\n"
    "removed: [{address: flow.d}]",
    "a move to where something is imported": "moved: [{from: integration.a, to: integration.close}]\n"
    f"import: [{{to: integration.close, id: {OTHER}}}]",
    "an address with every character": "removed: [{address: flow.0a-b_c}]",
}


@pytest.mark.parametrize("case", ALLOWED)
def test_what_is_allowed_is_not_complained_about(case: str) -> None:
    assert said(DECLARED, ALLOWED[case]) == []


@pytest.mark.parametrize(
    "text",
    [
        "removed: [{address: flow.legacy}]",
        "moved: [{from: flow.a, to: flow.b}]\nremoved: [{address: flow.b}]",
        f"import: [{{to: connection.lake, id: {LAKE}}}]",
        "import: []",
    ],
)
def test_lists_alone_declare_nothing(text: str) -> None:
    assert only(text).code == "CW115"


# One fault each: the lists, what stands where it is, the code, the message, a part of the hint.
FORMS: dict[str, tuple[str, str, str, str, str | None]] = {
    "a list that is a mapping": (
        "moved: {integration.acc: integration.accounts}",
        "{integration.acc",
        "CW203",
        "moved is a list of entries",
        "write it as moved: [{from: integration.acc, to: integration.accounts}]",
    ),
    "a list that is a text": ("removed: flow.a", "flow.a", "CW203", "removed is a list of entries", None),
    "an entry that is a text": (
        "removed: [flow.a]",
        "flow.a",
        "CW203",
        "an entry of removed is a mapping",
        "such as {address: flow.legacy}",
    ),
    "an entry that is nothing": ("import: [~]", "~", "CW203", "an entry of import is a mapping", "{to: "),
    "an entry that is a list": ("moved: [[]]", "[]", "CW203", "an entry of moved is a mapping", "{from: "),
    "an empty entry": ("removed: [{}]", "{}", "CW202", "'address' is required", "address: flow.legacy"),
    "a missing from": ("moved: [{to: flow.a}]", "{to", "CW202", "'from' is required", None),
    "an unknown field": (
        "removed: [{adress: flow.a, address: flow.a}]",
        "adress",
        "CW201",
        "'adress' is not a field here",
        "did you mean 'address'?",
    ),
    "the model's own name of a field": (
        "moved: [{from: integration.a, source: x, to: integration.close}]",
        "source",
        "CW201",
        "'source' is not a field here",
        "the fields here are from, to",
    ),
    "an address that is nothing": (
        "removed: [{address: }]",
        "}]",
        "CW203",
        "'address' is empty; it must be a text",
        None,
    ),
    "an address that is a list": ("removed: [{address: [a]}]", "[a]", "CW203", "'address' must be a text", None),
    "an address without a kind": (
        "import: [{to: lake, id: x}]",
        "lake",
        "CW203",
        "'lake' is not an address",
        "such as integration.lake",
    ),
    "an address without a key": (
        "import: [{to: connection, id: x}]",
        "connection,",
        "CW203",
        "'connection' is not an address",
        "such as connection.accounts",
    ),
    "an address that ends early": ("removed: [{address: flow.}]", "flow.", "CW203", "'flow.' is not an", None),
    "an address that begins late": ("removed: [{address: .a}]", ".a", "CW203", "'.a' is not an address", None),
    "an empty address": ("removed: [{address: ''}]", "''", "CW203", "'' is not an address", None),
    "a section for a kind": (
        "import: [{to: connections.lake, id: x}]",
        "connections.lake",
        "CW203",
        "'connections' is not a kind of resource",
        "did you mean connection.lake?",
    ),
    "a kind that is misspelt": (
        "removed: [{address: Conection.lake}]",
        "Conection",
        "CW203",
        "'Conection' is not a kind of resource",
        "did you mean connection.lake?",
    ),
    "a kind like no other": (
        "removed: [{address: zzz.lake}]",
        "zzz",
        "CW203",
        "'zzz' is not a kind of resource",
        "the kinds are connection, integration, schedule, notification, flow",
    ),
    "a bad key": (
        "removed: [{address: flow.Nightly Load}]",
        "flow.Nightly",
        "CW206",
        "'Nightly Load' cannot be a key",
        "did you mean flow.nightly-load?",
    ),
    "a key with a dot": ("removed: [{address: flow.a.b}]", "flow.a.b", "CW206", "'a.b' cannot be a key", "flow.a-b?"),
    "a key of nothing usable": ("removed: [{address: flow.…}]", "flow.…", "CW206", "'…' cannot be a key", None),
    "an import without id and name": (
        "import: [{to: connection.lake}]",
        "{to",
        "CW203",
        "give either the id or the name of what exists in the tenant",
        None,
    ),
    "an import with both": ("import: [{to: connection.lake, id: x, name: y}]", "{to", "CW203", "give either", None),
    "an empty id": ("import: [{to: connection.lake, id: ''}]", "''", "CW203", "'id' must not be empty", None),
    "an id with spaces": ("import: [{to: connection.lake, id: 'x '}]", "'x '", "CW203", "the text begins or", None),
    "a schedule by name": (
        "import: [{to: schedule.accounts, name: Daily}]",
        "Daily",
        "CW203",
        "a schedule has no name in the tenant: give the id of its integration",
        None,
    ),
    "a notification by name": (
        "import: [{to: notification.accounts, name: N}]",
        "N}",
        "CW203",
        "a notification has no name in the tenant: give its id",
        None,
    ),
    "a schedule by both": (
        "import: [{to: schedule.accounts, id: x, name: Daily}]",
        "Daily",
        "CW203",
        "a schedule has no name in the tenant: give the id of its integration",
        None,
    ),
    "a schedule by neither": (
        "import: [{to: schedule.accounts}]",
        "{to",
        "CW203",
        "a schedule has no name in the tenant: give the id of its integration",
        None,
    ),
}  # fmt: skip

CONTRADICTIONS: dict[str, tuple[str, str, str, str | None]] = {
    "an import of what is not declared": (
        "import: [{to: connection.lakes, id: x}]",
        "connection.lakes",
        "connection.lakes is not declared, so nothing can be imported as it",
        "did you mean connection.lake?",
    ),
    "an import of what nothing is like": (
        "import: [{to: flow.nightly, id: x}]",
        "flow.nightly",
        "flow.nightly is not declared",
        "declare it under flows first",
    ),
    "an import to one address twice": (
        "import: [{to: connection.lake, id: x}, {to: connection.lake, id: y}]",
        "connection.lake, id: y",
        "connection.lake is imported already, at 2.yaml:1:10",
        "take away one of the two",
    ),
    "one id in two spellings": (
        f"import: [{{to: connection.lake, id: {OTHER}}}, "
        "{to: connection.bay, id: 8A81B09D-5E8C-6F27-015E-CE3402487D33}]",
        "8A81B09D-5E8C",
        "the connection with this id is imported already, as connection.lake at 2.yaml:1:10",
        "take away one of the two",
    ),
    "one name twice": (
        "import: [{to: connection.lake, name: X}, {to: connection.bay, name: X}]",
        "X}]",
        "the connection with this name is imported already, as connection.lake at 2.yaml:1:10",
        None,
    ),
    "a move of what is declared": (
        "moved: [{from: connection.bay, to: connection.lake}]",
        "connection.bay",
        "connection.bay is still declared, at 1.yaml:3:3, so it has not moved",
        "take that declaration away",
    ),
    "a move to what is not declared": (
        "moved: [{from: integration.acc, to: integration.acounts}]",
        "integration.acounts",
        "integration.acounts is not declared, so nothing can move there",
        "did you mean integration.accounts?",
    ),
    "a move to nothing alike": (
        "moved: [{from: flow.a, to: flow.nightly}]",
        "flow.nightly",
        "flow.nightly is not declared",
        "declare it under flows, or list it under removed",
    ),
    "a move to another kind": (
        "moved: [{from: integration.a, to: connection.lake}]",
        "connection.lake",
        "integration.a cannot move to connection.lake: a resource stays of its kind",
        "the same kind",
    ),
    "a move from one address twice": (
        "moved: [{from: integration.a, to: integration.accounts}, {from: integration.a, to: integration.close}]",
        "integration.a, to: integration.close",
        "integration.a is moved already, at 2.yaml:1:9",
        "take away one of the two",
    ),
    "two moves to one address": (
        "moved: [{from: integration.a, to: integration.close}, {from: integration.b, to: integration.close}]",
        "integration.close}]",
        "integration.a moves to integration.close already, at 2.yaml:1:9",
        "an address has one object",
    ),
    "a move twice": (
        "moved: [{from: flow.a, to: flow.b}, {from: flow.a, to: flow.b}]\nremoved: [{address: flow.b}]",
        "flow.a, to: flow.b}]",
        "flow.a is moved already, at 2.yaml:1:9",
        None,
    ),
    "a move to itself": (
        "moved: [{from: flow.a, to: flow.a}]",
        "flow.a, to",
        "these moves go in a circle: flow.a to flow.a",
        "the last address of a chain",
    ),
    "a circle": (
        "moved: [{from: flow.b, to: flow.c}, {from: flow.a, to: flow.b}, {from: flow.c, to: flow.a}]",
        "flow.b, to: flow.c",
        "these moves go in a circle: flow.b to flow.c to flow.a to flow.b",
        None,
    ),
    "a long circle": (
        f"moved: [{', '.join(f'{{from: flow.a{n}, to: flow.a{(n + 1) % 9}}}' for n in range(9))}]",
        "flow.a0, to",
        "these moves go in a circle: flow.a0 to flow.a1 to flow.a2 to … to flow.a0",
        None,
    ),
    "forgetting what is declared": (
        "removed: [{address: connection.lake}]",
        "connection.lake",
        "connection.lake is declared, at 1.yaml:2:3, so it cannot be forgotten",
        "take away that declaration, or this entry",
    ),
    "forgetting twice": (
        "removed: [{address: flow.a}, {address: flow.b}, {address: flow.a}]",
        "flow.a}]",
        "flow.a is listed already, at 2.yaml:1:11",
        "take away one of the two",
    ),
    "forgetting what moves": (
        "moved: [{from: integration.a, to: integration.close}]\nremoved: [{address: integration.a}]",
        "integration.a}]",
        "integration.a moves to integration.close, at 2.yaml:1:9, so nothing is left to be forgotten",
        None,
    ),
}


@pytest.mark.parametrize("fault", [*FORMS, *CONTRADICTIONS])
def test_a_fault_is_found_where_it_is(fault: str) -> None:
    if fault in FORMS:
        text, place, code, message, hint = FORMS[fault]
    else:
        text, place, message, hint = CONTRADICTIONS[fault]
        code = "CW207"
    problem = only(DECLARED, text)
    assert problem.code == code
    assert problem.place is not None
    assert problem.place.file == "2.yaml"
    assert text.splitlines()[problem.place.line - 1][problem.place.column - 1 :].startswith(place)
    assert problem.message.startswith(message)
    assert (hint or "") in (problem.hint or "")


def test_an_entry_that_is_repeated_by_an_alias_is_one_too_many() -> None:
    assert only(DECLARED, "removed: [&a {address: flow.a}, *a]").code == "CW207"


def test_what_is_wrong_in_one_entry_is_not_held_against_the_others() -> None:
    """Where an entry cannot be read, it may have been the one that explains another."""
    text = "moved: [{from: flow.a, to: flow.b}, {form: flow.b, to: flow.c}]\nremoved: [{adress: flow.c}]"
    assert {one.code for one in problems(DECLARED, text)} == {"CW201", "CW202"}


def test_everything_wrong_is_said_at_once() -> None:
    text = "import: [{to: flow.x, id: y}, {to: lake}]\nmoved: {}\nremoved: [{address: connection.bay}]"
    found = [f"{one.place} {one.code}" for one in problems("connections: {a: b}", DECLARED, text)]
    assert found == [
        "1.yaml:1:18 CW203",
        "3.yaml:1:15 CW207",
        "3.yaml:1:36 CW203",
        "3.yaml:2:8 CW203",
        "3.yaml:3:21 CW207",
    ]


def test_a_resource_that_is_wrong_by_itself_is_declared() -> None:
    text = f"connections: {{lake: [], bay: {{{S3}}}}}\nimport: [{{to: connection.lake, id: x}}]"
    assert only(text).message == "connection.lake is a mapping of fields"


def test_a_part_of_what_is_forgotten_says_so() -> None:
    problem = only(
        DECLARED, f"schedules: {{legacy: {{{DAILY}}}}}\nremoved: [{{address: integration.legacy}}]"
    )
    assert (problem.code, str(problem.place)) == ("CW204", "2.yaml:1:13")
    assert problem.message == "schedule.legacy refers to integration.legacy, which no manifest declares"
    assert problem.hint == (
        "integration.legacy is to be forgotten, at 2.yaml:2:11: write `integration: {name: …}` for what is only in "
        "the tenant, or take this away as well"
    )


def test_a_reference_to_what_has_moved_says_where() -> None:
    steps = "flows: {f: {steps: [{integration: acc}, {integration: close}]}}\n"
    problem = only(DECLARED, steps + "moved: [{from: integration.acc, to: integration.accounts}]")
    assert problem.code == "CW204"
    assert problem.hint == "it moves to integration.accounts, at 2.yaml:2:9: write accounts"


HUGE = "x" * 100_000
LONG = [
    f"removed: [{{address: {HUGE}}}]",
    f"removed: [{{address: flow.{HUGE.upper()}}}]",
    f"removed: [{{address: {HUGE}.a}}]",
    f"removed: [{{address: connections.{HUGE}}}]",
    f"removed: [{{address: flow.{HUGE}}}, {{address: flow.{HUGE}}}]",
    f"import: [{{to: flow.{HUGE}, name: {HUGE}}}, {{to: flow.{HUGE}, name: {HUGE}}}]",
    f"moved: [{{from: flow.{HUGE}, to: flow.{HUGE}}}, {{from: flow.{HUGE}, to: connection.{HUGE}}}]",
    f"moved: [{{from: flow.a, to: flow.{HUGE}}}, {{from: flow.b, to: flow.{HUGE}}}]",
    f"removed: {HUGE}",
    f"removed: [{HUGE}]",
    f"flows: {{f: {{steps: [{{integration: {HUGE}}}, {{integration: close}}]}}}}\n"
    f"moved: [{{from: integration.{HUGE}, to: integration.y{HUGE}}}]",
]


@pytest.mark.parametrize("text", LONG, ids=range(len(LONG)))
def test_no_message_is_as_long_as_what_it_is_about(text: str) -> None:
    found = problems(DECLARED, text)
    assert found
    for one in found:
        assert len(one.message) + len(one.hint or "") + len(one.source or "") < 1000, one.message[:200]


def _calls(text: str) -> int:
    """How many functions are called to find what is wrong: a measure of work that no machine changes."""
    profile = cProfile.Profile()
    profile.runcall(problems, text)
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined] # it is there


def _undeclared(count: int) -> str:
    many = ", ".join(f"k{number}: {PROCESS}" for number in range(count))
    entries = ", ".join(f"{{to: integration.x{number}, name: n{number}}}" for number in range(count))
    return f"integrations: {{{many}}}\nimport: [{entries}]\n"


def _chain(count: int) -> str:
    entries = ", ".join(f"{{from: flow.a{number + 1}, to: flow.a{number}}}" for number in range(count))
    return f"integrations: {{i: {PROCESS}}}\nmoved: [{entries}]\nremoved: [{{address: flow.a0}}]"


def _circle(count: int) -> str:
    return f"{_chain(count)}\n---\nmoved: [{{from: flow.a0, to: flow.a{count}}}]"


@pytest.mark.parametrize("make", [_undeclared, _chain, _circle])
def test_work_grows_with_the_lists_and_no_faster(make: object) -> None:
    assert callable(make)
    few, many = _calls(make(300)), _calls(make(1200))
    assert many < 6 * few


@pytest.mark.parametrize("name", ["import", "moved", "removed"])
def test_the_schema_documents_every_field(name: str) -> None:
    schema = manifest_schema()
    listed = schema["properties"][name]
    entry = schema["$defs"][listed["items"]["$ref"].rpartition("/")[2]]
    assert listed["description"].endswith(".")
    assert entry["additionalProperties"] is False
    for field in entry["properties"].values():
        assert field["description"].endswith(".")
        assert field["examples"]
