"""Additions to cwsync.yaml: what people have written there stays, or nothing is added."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from property.settings import QUICK

from cwsync.authoring.edit import with_entries

GRACE = {"grace": "2c9ba1b6729b7fd80172c3f635db40f7"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("version: 1", "version: 1\n\nusers:\n  grace: 2c9b\n"),
        ("users: {alice: a} # ours\n", "users: {grace: 2c9b, alice: a} # ours\n"),
        ("users: {}\n", "users: {grace: 2c9b}\n"),
        ("users:\nversion: 1\n", "users:\n  grace: 2c9b\nversion: 1\n"),
        (
            "users: # all\n    # on call\n    alice: a\n",
            "users: # all\n    grace: 2c9b\n    # on call\n    alice: a\n",
        ),
        ("users:\r\n  alice: a\r\n", "users:\r\n  grace: 2c9b\r\n  alice: a\r\n"),
    ],
)
def test_an_entry_is_added(before: str, after: str) -> None:
    assert with_entries(before, ("users",), {"grace": "2c9b"}) == after


def test_an_entry_two_levels_down() -> None:
    text = "defaults:\n  # one model\n  integrations: {workspaceId: w}\n"
    made = with_entries(text, ("defaults", "schedules"), {"timezone": "Greenwich"})
    assert made == text.replace("defaults:\n", "defaults:\n  schedules: {timezone: Greenwich}\n")
    assert with_entries("version: 1\n", ("defaults", "schedules"), {"timezone": "Greenwich"}) == (
        "version: 1\n\ndefaults:\n  schedules: {timezone: Greenwich}\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "{version: 1}\n",
        "version: 1\n...\n",
        "users: &all\n  alice: a\nmore: *all\n",
        "more: &all {alice: a}\nusers: *all\n",
        "users: [a]\n",
        "users: {grace: other}\n",
        "users: {<<: {a: b}}\n--- {}\n",
        "users: |\n  text\n",
        "",
        "a: [\n",
    ],
)
def test_where_it_is_not_safe_nothing_is(text: str) -> None:
    assert with_entries(text, ("users",), GRACE) is None


KEYS = st.sampled_from(["alice", "bob", "'no'", "carol"])
BLOCKS = st.lists(
    st.one_of(KEYS.map(lambda key: f"  {key}: 1"), st.sampled_from(["", "  # note", "    # deep", "#left"])),
    max_size=6,
)


@QUICK
@given(BLOCKS, st.booleans(), st.sampled_from(["version: 1", "x:\n- 1", "# end", "z: >\n  folded"]))
def test_nothing_but_the_entries_changes(block: list[str], last: bool, other: str) -> None:
    users = "\n".join(["users:", *dict.fromkeys(block)])
    text = f"{other}\n{users}\n" if last else f"{users}\n{other}\n"
    made = with_entries(text, ("users",), GRACE)
    if made is not None:
        before, after = yaml.safe_load(text), yaml.safe_load(made)
        assert after == {**before, "users": {**(before["users"] or {}), **GRACE}}
        lines = iter(made.splitlines())
        assert all(line in lines for line in text.splitlines())
