"""The lock: one holder, who is found out when it is dead, and who can no longer write when it was replaced."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Event

import pytest
from unit.state.holding import FLOW, INTENT, TENANT, Time, dead_process, refused, stored, take

from cwsync.errors import CwsyncError, Exit, fail
from cwsync.state import Conflict, Held, LocalStore, Lock, MemoryStore, State, Timing, acquire
from cwsync.state.machine import this_process


def test_the_first_acquisition_makes_the_document() -> None:
    store, time = MemoryStore(), Time()
    with take(store, time) as held:
        assert held.found is None
        assert held.taken_from is None
        assert stored(store).lock == held.lock
        assert (stored(store).tenant, stored(store).epoch, held.lock.epoch) == (TENANT, 1, 1)
        assert held.may_mutate()
    assert stored(store).lock is None
    with take(store, time) as again:
        assert again.found is not None
        assert again.lock.epoch == again.state.epoch == 2
        assert again.state.lineage == held.state.lineage
        assert again.lock.nonce != held.lock.nonce


def test_a_second_run_is_kept_out_and_told_by_whom() -> None:
    store, time = MemoryStore(), Time()
    take(store, time)
    before = store.data
    error = refused(lambda: take(store, time))
    problem = error.problems[0]
    assert (problem.code, error.exit) == ("CW404", Exit.LOCKED)
    for word in ("alice", "build-7", "4711", "since 2026-01-01T00:16:40Z"):
        assert word in problem.message
    assert problem.hint
    assert "--lock-timeout" in problem.hint
    assert "120 s" in problem.hint
    assert "cwsync unlock" in problem.hint
    assert stored(store).lock is not None
    assert store.data == before


def test_a_run_that_waits_gets_the_lock_when_it_is_given_back() -> None:
    store, time, told = MemoryStore(), Time(), list[Lock]()
    first = take(store, time)
    time.asleep = lambda: first.release() if time.now >= 1005 else None
    second = take(store, time, timeout=60, on_wait=told.append)
    assert told == [first.lock]
    assert time.now == 1005
    assert second.taken_from is None
    assert second.may_mutate()


@pytest.mark.parametrize("year", [1999, 2026, 2099])
def test_a_silent_run_is_replaced_whatever_its_clock_says(year: int) -> None:
    store, mine = MemoryStore(), Time()
    dead = take(store, Time(year))
    heir = take(store, mine, timeout=150)
    assert mine.now == 1120
    assert heir.taken_from == dead.lock
    assert heir.lock.epoch == dead.lock.epoch + 1
    assert stored(store).lock == heir.lock


def test_a_run_that_gives_signs_of_life_is_not_replaced() -> None:
    store, time = MemoryStore(), Time()
    alive = take(store, time)
    time.asleep = lambda: time.now % 30 == 0 and alive.beat()
    assert refused(lambda: take(store, time, timeout=600)).problems[0].code == "CW404"
    assert alive.may_mutate()


def test_the_replaced_run_can_write_nothing_and_send_nothing() -> None:
    store, time = MemoryStore(), Time()
    paused = take(store, time)
    heir = take(store, time, timeout=150)
    after = store.data
    assert not paused.may_mutate()
    assert isinstance(refused(lambda: paused.update(lambda s: s.with_entry("flow.n", FLOW))), Conflict)
    assert isinstance(refused(paused.beat), Conflict)
    paused.release()
    assert store.data == after
    heir.beat()


def test_after_a_takeover_nothing_is_sent_until_old_requests_have_ended() -> None:
    store, time = MemoryStore(), Time()
    take(store, time).update(lambda state: state.with_intents([INTENT]))
    heir = take(store, time, timeout=150)
    since = time.now
    assert not heir.may_mutate()
    assert not heir.may_mutate(since + 59)
    heir.settle()
    assert time.now == since + 60
    assert heir.may_mutate()
    heir.settle()
    assert time.now == since + 60


def test_a_run_that_intended_nothing_left_nothing_to_wait_for() -> None:
    store, time = MemoryStore(), Time()
    take(store, time)
    assert take(store, time, timeout=150).may_mutate()


def test_a_request_must_end_before_the_lock_can_be_taken_over() -> None:
    store, time = MemoryStore(), Time()
    held = take(store, time)
    assert held.may_mutate(time.now + 59.9)
    assert not held.may_mutate(time.now + 60)
    time.sleep(100)
    assert not held.may_mutate()
    held.beat()
    assert held.may_mutate()


def test_time_counts_from_before_a_slow_commit() -> None:
    class Slow(MemoryStore):
        def commit(self, old: State | None, new: State) -> State:
            done = super().commit(old, new)
            time.sleep(50)
            return done

    time = Time()
    held = take(Slow(), time)
    assert held.may_mutate(1059)
    assert not held.may_mutate(1060)
    held.beat()
    assert held.may_mutate(1109)
    assert not held.may_mutate(1110)


def test_a_dead_process_of_this_machine_is_replaced_at_once(tmp_path: Path) -> None:
    path = tmp_path / "prod.state.json"
    script = f"""
import os
from pathlib import Path
from cwsync.state import ABSENT, Intent, LocalStore, acquire
intent = Intent("r:1", "r", 1, "flow.n", "flow", "create", "n", "h", ABSENT, "2030-01-07T00:00:00+00:00")
acquire(LocalStore(Path({str(path)!r})), tenant={TENANT!r}).update(lambda state: state.with_intents([intent]))
os._exit(9)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 9
    time = Time()
    held = acquire(LocalStore(path), tenant=TENANT, clock=time.clock)
    assert held.taken_from is not None
    assert not held.may_mutate()
    held.settle()
    assert time.now == 1005
    assert held.may_mutate()


@pytest.mark.parametrize(
    "change",
    [{}, {"process": 0}, {"host": "build-7"}, {"boot": "another boot"}, {"boot": None}, {"process": 10**30}],
    ids=["alive", "no process", "another machine", "another start or container", "untold", "no such number"],
)
def test_a_process_that_may_be_alive_is_waited_for(change: dict[str, object]) -> None:
    here = this_process()
    if "process" not in change and change:
        here = replace(here, process=dead_process())
    store, time = MemoryStore(), Time()
    take(store, time, holder=replace(here, **change))  # type: ignore[arg-type] # one of the fields above
    assert refused(lambda: take(store, time)).problems[0].code == "CW404"


def test_another_tenant_is_refused_before_anything_is_written() -> None:
    store = MemoryStore()
    store.commit(None, State.new("api.example.com/8a81"))
    before = store.data
    error = refused(lambda: acquire(store, tenant=TENANT))
    assert error.problems[0].code == "CW403"
    assert store.data == before


def test_a_state_without_tenant_takes_this_one() -> None:
    store = MemoryStore()
    store.commit(None, State.new())
    acquire(store, tenant=TENANT).release()
    assert stored(store).tenant == TENANT


def test_a_change_cannot_lose_the_lock_and_is_a_sign_of_life() -> None:
    store, time = MemoryStore(), Time()
    held = take(store, time)
    time.sleep(10)
    state = held.update(lambda found: found.with_lock(None).with_entry("flow.n", FLOW))
    assert state == stored(store) == held.state
    assert state.lock == replace(held.lock, beat="2026-01-01T00:16:50Z")
    assert held.may_mutate(1069)


class Flaky(MemoryStore):
    """Fails once where told: before the write, or after it, when the reply is lost."""

    failing: str | None = None

    def commit(self, old: State | None, new: State) -> State:
        failing, self.failing = self.failing, None
        if failing == "before":
            raise fail("CW401", "the disk is full")
        done = super().commit(old, new)
        if failing == "after":
            raise fail("CW401", "the reply was lost")
        return done


@pytest.mark.parametrize("failing", ["before", "after"])
def test_a_commit_that_failed_can_be_given_again(failing: str) -> None:
    store, time = Flaky(), Time()
    held = take(store, time)
    store.failing = failing
    assert refused(lambda: held.update(lambda s: s.with_entry("flow.n", FLOW))).problems[0].code == "CW401"
    assert held.update(lambda s: s.with_entry("flow.n", FLOW)) == stored(store)
    assert dict(stored(store).resources) == {"flow.n": FLOW}
    held.release()
    assert stored(store).lock is None


def test_a_failed_commit_gives_no_more_time() -> None:
    store, time = Flaky(), Time()
    held = take(store, time)
    time.sleep(50)
    store.failing = "after"
    refused(held.beat)
    assert not held.may_mutate(1060)


def test_a_commit_that_failed_before_a_takeover_is_not_given_again() -> None:
    store, time = Flaky(), Time()
    held = take(store, time)
    store.failing = "after"
    refused(held.beat)
    take(store, time, timeout=150)
    after = store.data
    assert isinstance(refused(held.beat), Conflict)
    assert store.data == after


def test_a_change_made_around_the_lock_ends_the_run() -> None:
    store, time = MemoryStore(), Time()
    held = take(store, time)
    foreign = store.commit(held.state, held.state.with_entry("flow.other", FLOW))
    for _ in range(2):
        assert isinstance(refused(lambda: held.update(lambda s: s.with_entry("flow.n", FLOW))), Conflict)
    assert not held.may_mutate()
    assert stored(store) == foreign


def test_what_went_wrong_first_is_what_is_raised() -> None:
    def work(error: Exception | None) -> None:
        store = Flaky()
        with take(store, Time()):
            store.failing = "before"
            if error:
                raise error

    with pytest.raises(ZeroDivisionError):
        work(ZeroDivisionError())
    with pytest.raises(CwsyncError, match="disk is full"):
        work(None)


def test_after_the_release_nothing_can_be_written() -> None:
    store, time = MemoryStore(), Time()
    held = take(store, time)
    held.release()
    held.release()
    assert not held.may_mutate()
    assert isinstance(refused(held.beat), Conflict)
    assert stored(store).lock is None


def test_signs_of_life_come_from_a_thread_of_their_own() -> None:
    class Watched(MemoryStore):
        def commit(self, old: State | None, new: State) -> State:
            done = super().commit(old, new)
            if done.serial >= 4:
                beaten.set()
            return done

    beaten = Event()
    held = acquire(Watched(), tenant=TENANT, timing=Timing(beat=0.001))
    with held.beating():
        assert beaten.wait(30)
        held.update(lambda state: state.with_entry("flow.n", FLOW))
    serial = held.state.serial
    assert dict(held.state.resources) == {"flow.n": FLOW}
    held.release()
    assert held.state.serial == serial + 1


def test_one_of_many_threads_gets_the_lock(tmp_path: Path) -> None:
    path, threads = tmp_path / "prod.state.json", 8
    start = Barrier(threads)

    def race(_: int) -> Held | CwsyncError:
        start.wait()
        try:
            return acquire(LocalStore(path), tenant=TENANT)
        except CwsyncError as error:
            return error

    with ThreadPoolExecutor(threads) as pool:
        ends = list(pool.map(race, range(threads)))
    holders = [end for end in ends if isinstance(end, Held)]
    assert len(holders) == 1
    assert {end.exit for end in ends if isinstance(end, CwsyncError)} == {Exit.LOCKED}
    state = LocalStore(path).read()
    assert state is not None
    assert state.lock == holders[0].lock
