"""Whatever goes wrong at whichever point of an apply: nothing of ours is lost, nothing of others is touched, and
after at most two clean runs it has converged or a person is asked. And that wherever the state is kept.

Here a sample of each sort goes wrong, each scenario in one sort of store; CWSYNC_CRASH asks for all of it, or for
one execution: see `crash.enumeration`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from crash import appliers, foreign, kills, stores
from crash.enumeration import VARIABLE, Choice, Execution, Family, enumerated
from crash.keeping import KEEPERS, Keeper, in_database
from crash.scenarios import SCENARIOS
from support.postgres import way

Group = dict[str, tuple[Family, int]]
# What is enumerated together, and how many of each stratum are a sample.
GROUPS: dict[str, Group] = {
    "kills": {
        "alone": (kills.single, 3),
        "in pairs": (kills.pairs, 3),
        "while finding out": (kills.kills_while_finding_out, 2),
    },
    "replies": {"alone": (kills.faults, 2), "beside a kill": (kills.faults_and_kills, 2)},
    "people": {"events": (foreign.events, 1)},
    "appliers": {"taken over": (appliers.takeovers, 1), "locked": (appliers.meetings, 1)},
    "commits": {"failing": (stores.failures, 1)},
}
_OF_BUCKETS: Group = {"on the way": (stores.on_the_way, 1), "going wrong": (stores.writes, 1)}
# What can go wrong with the writes of one sort of store alone, among its commits.
WRITES: dict[str, Group] = {
    "local": {"killed while writing": (stores.files, 1)},
    "bucket": _OF_BUCKETS,
    "encrypted": _OF_BUCKETS,
}
STORES = (*KEEPERS, "postgres")
# Where its state is in the sample; what is not here has it in memory.
KEPT = {"change": "local", "create": "bucket", "mixed": "bucket", "swap": "encrypted"}
SAMPLE = [
    *((KEPT.get(scenario, "memory"), scenario, group) for scenario in SCENARIOS for group in GROUPS),
    ("postgres", "create", "commits"),
]
ALL = [(store, scenario, group) for store in STORES for scenario in SCENARIOS for group in GROUPS]


@pytest.fixture
def keeper(store: str, request: pytest.FixtureRequest) -> Iterator[Keeper]:
    if store in KEEPERS:
        yield KEEPERS[store]
    else:
        with way(request.getfixturevalue("postgres")) as made:
            yield in_database(made)


@pytest.mark.parametrize(("store", "scenario", "group"), ALL if os.environ.get(VARIABLE) else SAMPLE)
def test_nothing_is_lost_and_nothing_is_taken(
    store: str, keeper: Keeper, scenario: str, group: str, tmp_path: Path
) -> None:
    families = GROUPS[group] | (WRITES.get(store, {}) if group == "commits" else {})
    tally = enumerated(tmp_path, scenario, families, store, keeper)
    assert not tally.broken, tally.failure()
    if os.environ.get(VARIABLE) in (None, "", "full"):
        assert tally.total > 3
        assert tally.missed * 5 <= tally.total


def test_a_sample_has_something_of_every_stratum() -> None:
    listed = [
        Execution(f"f/s/{place} {fault} {n}", (place, fault), lambda *_: True)
        for place in ("before", "after")
        for fault in ("lost", "late", "401")
        for n in range(20)
    ]

    def taken(
        wish: str | None = None, impossible: str = "none", listed: list[Execution] = listed
    ) -> list[str]:
        choice, ids = Choice(1, wish), []
        for one in choice.ordered(listed):
            if choice.wants(one):
                choice.tried(one, happened=impossible not in one.id)
                ids.append(one.id)
        return ids

    sample = taken()
    assert sample == taken(listed=listed[::-1])
    assert {word for id in sample for word in id[4:].split()[:2]} == {
        "before",
        "after",
        "lost",
        "late",
        "401",
    }
    assert len(sample) <= 5
    assert 5 < len([id for id in taken(impossible="late") if "late" in id]) < 10
    assert taken("full") == [one.id for one in listed]
    assert taken("f/s/after late 1?") == [f"f/s/after late {n}" for n in range(10, 20)]
