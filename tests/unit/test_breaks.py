"""The script that breaks the protocol's rules keeps up with the code: what it breaks is there."""

from __future__ import annotations

import ast

import pytest
from tools.break_rules import BREAKS, Break, changed


def test_every_rule_and_every_piece_of_evidence_is_broken_once() -> None:
    rules = [one.rule for one in BREAKS]
    assert rules[:15] == [f"R{number}" for number in range(1, 10)] + [f"E{number}" for number in range(1, 7)]
    assert len(set(rules)) == len(rules)


@pytest.mark.parametrize("one", BREAKS, ids=lambda one: one.rule)
def test_what_is_broken_is_there_and_stays_python(one: Break) -> None:
    ast.parse(changed(one))
