"""unlock: a person ends a run's lock, and what that run has begun is over before anybody sends anything."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from unit.state.holding import ELSEWHERE, FLOW, INTENT, Time, gone, refused, stored, take

from cwsync.errors import Exit
from cwsync.state import Conflict, Held, Holder, MemoryStore, State, unlock

HERE = Holder("bob", "laptop", 7, "a boot")
REQUEST = 60


def paused(store: MemoryStore, time: Time, holder: Holder = ELSEWHERE, *, pending: bool = True) -> Held:
    """A run that has just given a sign of life, and is suspended since."""
    held = take(store, time, holder=holder)
    held.update(lambda state: state.with_intents([INTENT]) if pending else state)
    return held


def unlocked(store: MemoryStore, time: Time, holder: Holder = HERE) -> Held:
    lock = stored(store).lock
    assert lock is not None
    return unlock(store, lock.nonce, holder=holder, clock=time.clock)


def test_it_is_a_takeover_and_the_old_run_changes_nothing_more() -> None:
    store, time = MemoryStore(), Time()
    old = paused(store, time)
    heir = unlocked(store, time)
    assert (heir.taken_from, heir.lock.epoch) == (old.state.lock, old.lock.epoch + 1)
    assert time.now == 1000
    after = store.data
    assert isinstance(refused(lambda: old.update(lambda state: state.with_entry("flow.n", FLOW))), Conflict)
    assert isinstance(refused(old.beat), Conflict)
    assert not old.may_mutate()
    old.release()
    assert store.data == after


def test_what_an_old_run_may_still_begin_is_over_before_anything_is_sent() -> None:
    store, time = MemoryStore(), Time()
    old = paused(store, time)
    heir = unlocked(store, time)
    begun = [time.now + second for second in range(300) if old.may_mutate(time.now + second)]
    assert begun, "it cannot know"
    assert heir.unsettled == 120
    while not heir.may_mutate():
        time.now += 1
        heir.beat()
    assert time.now >= begun[-1] + REQUEST


def test_settling_waits_until_then() -> None:
    store, time = MemoryStore(), Time()
    paused(store, time)
    heir = unlocked(store, time)
    assert not heir.may_mutate()
    heir.settle()
    assert (time.now, heir.unsettled) == (1120, 0)
    assert heir.may_mutate()


def test_pending_is_kept_and_the_next_run_need_not_wait_again() -> None:
    store, time = MemoryStore(), Time()
    paused(store, time)
    heir = unlocked(store, time)
    heir.settle()
    heir.release()
    assert stored(store).lock is None
    assert dict(stored(store).pending) == {INTENT.op: INTENT}
    assert take(store, time).may_mutate()


def test_with_nothing_pending_there_is_nothing_to_wait_for() -> None:
    store, time = MemoryStore(), Time()
    paused(store, time, pending=False)
    heir = unlocked(store, time)
    heir.settle()
    assert time.now == 1000
    assert heir.may_mutate()


def test_after_a_process_that_is_certainly_gone_only_the_service_is_waited_for() -> None:
    store, time = MemoryStore(), Time()
    paused(store, time, gone())
    unlocked(store, time).settle()
    assert time.now == 1005


@pytest.mark.parametrize("state", ["none", "free", "another"])
def test_another_nonce_is_refused_and_the_right_one_not_told(state: str) -> None:
    store, time = MemoryStore(), Time()
    old = paused(store, time) if state != "none" else None
    if old and state == "free":
        old.release()
    before = store.data
    error = refused(lambda: unlock(store, "made up", clock=time.clock))
    (problem,) = error.problems
    assert (problem.code, error.exit) == ("CW404", Exit.LOCKED)
    assert ("alice on build-7 (process 4711) since" in problem.message) is (state == "another")
    assert problem.hint
    assert "cwsync unlock without a nonce" in problem.hint
    assert old is None or old.lock.nonce not in repr(problem)
    assert store.data == before


class Meanwhile(MemoryStore):
    """Something happens between reading and writing, once."""

    happens: Callable[[], object] | None = None

    def commit(self, old: State | None, new: State) -> State:
        happens, self.happens = self.happens, None
        if happens:
            happens()
        return super().commit(old, new)


def test_a_sign_of_life_in_between_does_not_save_a_run() -> None:
    store, time = Meanwhile(), Time()
    old = paused(store, time)
    store.happens = old.beat
    heir = unlocked(store, time)
    assert stored(store).lock == heir.lock
    assert isinstance(refused(old.beat), Conflict)


def test_who_took_the_lock_in_between_keeps_it() -> None:
    store, time = Meanwhile(), Time()
    old = paused(store, time)

    def another() -> None:
        old.release()
        take(store, time)

    store.happens = another
    nonce = old.lock.nonce
    assert refused(lambda: unlock(store, nonce, clock=time.clock)).problems[0].code == "CW404"
    kept = stored(store).lock
    assert kept is not None
    assert kept.nonce != nonce


def test_whoever_follows_an_interrupted_unlock_waits_in_its_place() -> None:
    store, time = MemoryStore(), Time()
    paused(store, time)
    unlocked(store, time, gone())
    heir = take(store, time)
    assert not heir.may_mutate()
    heir.settle()
    assert time.now == 1120


def test_whoever_follows_a_run_that_died_while_it_waited_waits_in_its_place() -> None:
    """A silent run elsewhere is replaced by one here, which is killed: it is gone, but not what it waited for."""
    store, time = MemoryStore(), Time()
    paused(store, time)
    take(store, time, holder=gone(), timeout=150)
    since = time.now
    heir = take(store, time)
    assert time.now == since
    heir.settle()
    assert time.now == since + REQUEST


def test_a_lock_that_was_given_back_too_early_spares_nobody_the_waiting() -> None:
    store, time = MemoryStore(), Time()
    paused(store, time)
    unlocked(store, time).release()
    heir = take(store, time)
    assert heir.taken_from is None
    assert heir.unsettled == 120
