"""The state in a bucket: whatever goes wrong at whichever point, with a service that also loses replies, fails before
a write and reports conflicts that are none.

Without CWSYNC_CRASH a sample of one scenario: see `crash.enumeration`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from crash import appliers, kills
from crash.enumeration import VARIABLE, Execution, Family, enumerated
from crash.scenarios import SCENARIOS
from crash.stage import Bench
from unit.state.buckets import PATH, URL, Fault, Faulty, bucket

from cwsync.state import State, Store, to_json
from cwsync.state.object import ObjectStore

# A kind of its own for every write, in an order that never falls in step with the requests of a run.
WRITES: tuple[Fault, ...] = ("fine", "lost", "500", "fine", "late", "refused", "lost, and sent twice")
GROUPS: dict[str, dict[str, tuple[Family, int]]] = {
    "kills": {"alone": (kills.single, 2), "in pairs": (kills.pairs, 1)},
    "replies": {"beside a kill": (kills.faults_and_kills, 1)},
    "appliers": {"taken over": (appliers.takeovers, 1), "locked": (appliers.meetings, 1)},
}
SAMPLE = ("mixed",)


def in_a_bucket(_folder: Path, state: State) -> Store:
    objects = bucket()
    objects.put(PATH, to_json(state), None)
    return ObjectStore(URL, Faulty(objects, [*WRITES] * 1000), PATH, sleep=lambda _seconds: None)


def there(family: Family) -> Family:
    def listed(bench: Bench) -> Iterator[Execution]:
        for one in family(bench):
            yield replace(one, id=f"bucket {one.id}", store=in_a_bucket)

    return listed


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("scenario", SCENARIOS if os.environ.get(VARIABLE) else SAMPLE)
def test_nothing_is_lost_where_the_state_is_in_a_bucket(scenario: str, group: str, tmp_path: Path) -> None:
    families = {name: (there(family), each) for name, (family, each) in GROUPS[group].items()}
    tally = enumerated(tmp_path, scenario, families)
    assert not tally.broken, tally.failure()
    if os.environ.get(VARIABLE) in (None, "", "full"):
        assert tally.total > 5
        assert tally.missed * 5 <= tally.total
