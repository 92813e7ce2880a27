"""What the end of a call costs does not grow with the state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from support.counting import growth
from unit.apply.rig import ALICE, Manifest, Rig, daily, notify, process

from cwsync.apply import Progress
from cwsync.apply.record import ended
from cwsync.state import State

CLOSE: Manifest = {"integrations": {"close": process()}}
SCHEDULE: Manifest = {**CLOSE, "schedules": {"close": daily()}}
NOTIFICATION: Manifest = {**CLOSE, "notifications": {"close": notify(full_failure=[ALICE])}}
UNDER_ANOTHER_KEY: Manifest = {**CLOSE, "schedules": {"monthly": daily(integration="close")}}
LATER: Manifest = {**CLOSE, "schedules": {"monthly": daily(integration="close", time="13:00")}}


@pytest.mark.parametrize(
    ("before", "after"),
    [(CLOSE, SCHEDULE), (CLOSE, NOTIFICATION), (UNDER_ANOTHER_KEY, LATER)],
    ids=["a new schedule", "a new notification", "a schedule of another key"],
)
def test_the_integration_of_a_part_is_found_without_looking_through_all(
    rig: Rig, before: Manifest, after: Manifest
) -> None:
    rig.apply(before)
    told: list[Progress] = []
    assert rig.apply(after, progress=told.append).codes == []
    (result,) = [one.result for one in told if one.result is not None]
    (state,) = [one for one in rig.commits if result.task.intent.op in one.pending]
    integration = state.resources["integration.close"]

    def beside(count: int) -> State:
        others = {f"integration.i{n}": replace(integration, id=f"{n:032x}") for n in range(count)}
        return replace(state, resources={**others, **state.resources})

    def end_of_it(count: int) -> Callable[[], object]:
        return partial(ended, beside(count), [result])

    assert ended(beside(10), [result]).resources[result.task.address].parent == "integration.close"
    assert growth(end_of_it, 25) == 1
