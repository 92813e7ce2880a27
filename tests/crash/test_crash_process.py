"""The real program, killed by the system at its requests, loses nothing and takes nothing.

Here it dies some deaths of each sort; CWSYNC_CRASH asks for others: see `crash.enumeration`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from crash.deaths import Deaths, at_mutations, at_reads, interrupted, twice
from crash.enumeration import VARIABLE
from crash.mixed import Base
from crash.process import Goal, id_of, paused, side_by_side, undisturbed

WISH = os.environ.get(VARIABLE)
LANES = 8


class Rehearsal:
    """One base, and what an apply makes of it when it is left alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.base = Base(folder / "base").build()
        self.goal: Goal = undisturbed(self.base, folder / "undisturbed")

    def die(self, deaths: Callable[[Goal, int | None], list[Deaths]], some: int) -> None:
        chosen = deaths(self.goal, None if WISH else some)
        if WISH and WISH != "full":
            chosen = [one for one in chosen if fnmatchcase(id_of(one), WISH)]
        tally = side_by_side(self.base, self.folder, self.goal, chosen, LANES)
        assert not tally.broken, tally.failure()
        assert not tally.waiting
        # An apply takes a read more or less from time to time, so the last deaths may come too late.
        assert tally.missed * 5 <= tally.total


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    return Rehearsal(tmp_path_factory.mktemp("killed"))


def test_the_apply_is_worth_killing(rehearsal: Rehearsal) -> None:
    assert rehearsal.goal.mutations >= 30


def test_killed_at_a_mutation(rehearsal: Rehearsal) -> None:
    rehearsal.die(at_mutations, 8)


def test_killed_while_it_reads(rehearsal: Rehearsal) -> None:
    rehearsal.die(at_reads, 3)


def test_killed_again_while_it_recovers(rehearsal: Rehearsal) -> None:
    rehearsal.die(twice, 3)


def test_told_to_end(rehearsal: Rehearsal) -> None:
    rehearsal.die(interrupted, 3)


if WISH == "full":

    @pytest.mark.parametrize("number", [3, 20, 35])
    def test_a_paused_run_that_wakes_up_is_fenced(rehearsal: Rehearsal, number: int) -> None:
        tally = paused(rehearsal.base, rehearsal.folder / f"paused-{number}", rehearsal.goal, number)
        assert not tally.broken, tally.failure()
