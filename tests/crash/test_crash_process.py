"""The real program, killed by the system at its requests, loses nothing and takes nothing, wherever its state is.

Here it dies some deaths of each sort; CWSYNC_CRASH asks for others: see `crash.enumeration`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from crash.deaths import Deaths, at_mutations, at_reads, at_writes, interrupted, twice
from crash.enumeration import VARIABLE
from crash.mixed import Base
from crash.process import Goal, id_of, paused, side_by_side, undisturbed
from crash.sites import OPENS, in_database

WISH = os.environ.get(VARIABLE)
LANES = 8
Some = tuple[Callable[[Goal, int | None], list[Deaths]], int]
# How many deaths of each sort are a sample.
DEATHS: dict[str, dict[str, Some]] = {
    "local": {
        "mutations": (at_mutations, 5),
        "reads": (at_reads, 2),
        "twice": (twice, 2),
        "told": (interrupted, 2),
    },
    "bucket": {
        "mutations": (at_mutations, 3),
        "reads": (at_reads, 1),
        "writes": (at_writes, 2),
        "twice": (twice, 1),
        "told": (interrupted, 1),
    },
    "postgres": {
        "mutations": (at_mutations, 1),
        "reads": (at_reads, 0),
        "twice": (twice, 0),
        "told": (interrupted, 0),
    },
}


class Rehearsal:
    """One base, and what an apply makes of it when it is left alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.base = Base(folder / "base").build()
        self.goal: Goal = undisturbed(self.base, folder / "undisturbed")

    def die(self, base: Base, deaths: Callable[[Goal, int | None], list[Deaths]], some: int) -> None:
        chosen = deaths(self.goal, None if WISH else some)
        if WISH and WISH != "full":
            chosen = [one for one in chosen if fnmatchcase(id_of(one, base.store), WISH)]
        tally = side_by_side(base, self.folder / base.store, self.goal, chosen, LANES)
        assert not tally.broken, tally.failure()
        assert not tally.waiting
        # An apply takes a read more or less from time to time, so the last deaths may come too late.
        assert tally.missed * 5 <= tally.total


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    return Rehearsal(tmp_path_factory.mktemp("killed"))


@pytest.fixture
def base(rehearsal: Rehearsal, store: str, request: pytest.FixtureRequest) -> Base:
    opens = OPENS.get(store) or in_database(request.getfixturevalue("postgres"))
    return replace(rehearsal.base, store=store, opens=opens)


def test_the_apply_is_worth_killing(rehearsal: Rehearsal) -> None:
    assert rehearsal.goal.mutations >= 30


@pytest.mark.parametrize(
    ("store", "sort"),
    [(store, sort) for store, sorts in DEATHS.items() for sort, (_, some) in sorts.items() if WISH or some],
)
def test_it_is_killed(rehearsal: Rehearsal, base: Base, store: str, sort: str) -> None:
    rehearsal.die(base, *DEATHS[store][sort])


if WISH == "full":

    @pytest.mark.parametrize("store", DEATHS)
    @pytest.mark.parametrize("number", [3, 20, 35])
    def test_a_paused_run_that_wakes_up_is_fenced(
        rehearsal: Rehearsal, base: Base, store: str, number: int
    ) -> None:
        tally = paused(base, rehearsal.folder / f"paused-{store}-{number}", rehearsal.goal, number)
        assert not tally.broken, tally.failure()
