"""What holds for each store that several machines share. The modules of such stores have these tests as their own:
their fixture `fresh` gives a new place, which is a way to open another store there.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from unit.state.holding import FLOW, Time, refused, stored, take

from cwsync.state import Conflict, State, Store

Place = Callable[[], Store]
Fresh = Callable[[], Place]


@pytest.mark.parametrize("exists", [False, True])
def one_of_many_writers_wins(fresh: Fresh, exists: bool) -> None:
    writers = 6
    for _ in range(5):
        at = fresh()
        base = at().commit(None, State.new()) if exists else None
        start = Barrier(writers)

        def race(number: int, at: Place = at, base: State | None = base, start: Barrier = start) -> bool:
            one = at()
            one.raw()  # it is connected before the start, so that the writes themselves meet
            start.wait()
            try:
                one.commit(base, (base or State.new()).with_entry(f"flow.{number}", FLOW))
            except Conflict:
                return False
            return True

        with ThreadPoolExecutor(writers) as pool:
            won = [f"flow.{number}" for number, wins in enumerate(pool.map(race, range(writers))) if wins]
        assert len(won) == 1
        assert [*stored(at()).resources] == won


def no_write_of_two_that_take_turns_is_lost(fresh: Fresh) -> None:
    """Each tries again from what is there until it has added all of its own."""
    at = fresh()
    at().commit(None, State.new())

    def add(name: str) -> None:
        one = at()
        for number in range(10):
            while True:
                base = stored(one)
                try:
                    one.commit(base, base.with_entry(f"flow.{name}{number}", FLOW))
                    break
                except Conflict:
                    continue

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(add, "ab"))
    state = stored(at())
    assert {*state.resources} == {f"flow.{name}{number}" for name in "ab" for number in range(10)}
    assert state.serial == 21


def the_lock_is_taken_kept_taken_over_and_given_back(fresh: Fresh) -> None:
    at, time = fresh(), Time()
    held = take(at(), time)
    held.beat()
    assert refused(lambda: take(at(), time)).problems[0].code == "CW404"
    other = take(at(), time, timeout=300)
    with pytest.raises(Conflict):
        held.beat()
    other.release()
    assert stored(at()).lock is None
