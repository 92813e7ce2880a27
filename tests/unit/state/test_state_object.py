"""The store in a bucket: whatever becomes of a write, exactly one of several wins, and nobody is told a lie."""

from __future__ import annotations

from dataclasses import replace

import pytest
from obstore.store import MemoryStore
from unit.state.buckets import PATH, URL, Careless, Fault, Faulty, Overlooked, bucket, names, store
from unit.state.holding import FLOW, Time, refused, stored, take

from cwsync.errors import CwsyncError
from cwsync.state import Conflict, State, to_json
from cwsync.state.object import PAUSES


def test_serials_rise_and_what_is_read_is_what_was_written() -> None:
    memory = MemoryStore()
    one = store(bucket(memory))
    assert one.read() is None
    assert one.raw() is None
    first = one.commit(None, State.new())
    second = one.commit(first, first.with_entry("flow.nightly", FLOW))
    assert (first.serial, second.serial) == (1, 2)
    assert first.writerNonce != second.writerNonce
    assert store(bucket(memory)).read() == second
    assert one.raw() == to_json(second)
    assert names(memory) == [PATH]


def test_only_what_is_stored_can_be_replaced() -> None:
    memory = MemoryStore()
    one, other = store(bucket(memory)), store(bucket(memory))
    new = State.new()
    first = one.commit(None, new)
    assert other.read() == first
    second = one.commit(first, first)
    for stale in (None, first, new, State.new()):
        for each in (other, store(bucket(memory))):
            with pytest.raises(Conflict) as raised:
                each.commit(stale, first.with_entry("flow.nightly", FLOW))
            assert URL in str(raised.value)
    assert one.read() == second


def test_a_commit_needs_the_document_it_was_based_on() -> None:
    objects = bucket()
    one = store(objects)
    first = one.commit(None, State.new())
    objects.delete(PATH)
    with pytest.raises(Conflict, match="is gone"):
        one.commit(first, first)
    assert one.read() is None


def test_a_commit_after_another_asks_for_nothing_but_the_write() -> None:
    faulty = Faulty(bucket())
    one = store(faulty)
    state = one.commit(None, State.new())
    faulty.gets, faulty.puts = 0, []
    for _ in range(5):
        state = one.commit(state, state)
    assert (faulty.gets, faulty.puts) == (0, [PATH] * 5)


MADE: list[list[Fault]] = [
    ["lost"],
    ["lost, and sent twice"],
    ["late"],
    ["500"],
    ["500", "lost"],
    ["refused", "500", "lost"],
    ["500", "refused", "500"],
]


@pytest.mark.parametrize("faults", MADE, ids=", then ".join)
@pytest.mark.parametrize("exists", [False, True], ids=["new", "there"])
def test_a_write_whose_reply_is_lost_is_recognised_and_one_that_was_not_made_is_made(
    faults: list[Fault], exists: bool
) -> None:
    faulty, slept = Faulty(bucket()), list[float]()
    one = store(faulty, slept)
    base = one.commit(None, State.new()) if exists else None
    if not exists:
        faulty.puts = []
    probe: list[Fault] = [] if exists else ["fine"] * 4  # what the bucket is tried with first
    faulty.faults = [*probe, *faults]
    done = one.commit(base, (base or State.new()).with_entry("flow.nightly", FLOW))
    assert one.read() == done
    assert done.serial == (2 if exists else 1)
    assert slept == list(PAUSES[: len(slept)])
    again = one.commit(done, done)
    assert (again.serial, one.read()) == (done.serial + 1, again)


@pytest.mark.parametrize("fault", ["lost", "500", "late", "refused", "forbidden"])
def test_whoever_was_overtaken_is_told_so(fault: Fault) -> None:
    """Also where its own write was made, and then replaced."""
    memory = MemoryStore()
    faulty = Faulty(bucket(memory))
    one = store(faulty)
    base = one.commit(None, State.new())

    def overtake() -> None:
        other = store(bucket(memory))
        there = other.read()
        assert there is not None
        other.commit(there, there.with_entry("flow.theirs", FLOW))

    faulty.faults, faulty.between = [fault], overtake
    with pytest.raises(Conflict):
        one.commit(base, base.with_entry("flow.ours", FLOW))
    assert "flow.theirs" in stored(one).resources


def test_a_write_that_never_succeeds_is_given_up_and_the_document_stays() -> None:
    faulty, slept = Faulty(bucket()), list[float]()
    one = store(faulty, slept)
    first = one.commit(None, State.new())
    faulty.faults, faulty.puts = ["500"] * 9, []
    error = refused(lambda: one.commit(first, first))
    assert (error.problems[0].code, len(faulty.puts), slept) == ("CW401", 4, list(PAUSES))
    assert str(error) == f"the state {URL} cannot be written: S3 has answered with the status 500"
    assert one.read() == first


def test_what_can_never_succeed_is_not_tried_again() -> None:
    faulty, slept = Faulty(bucket()), list[float]()
    one = store(faulty, slept)
    first = one.commit(None, State.new())
    faulty.faults, faulty.puts = ["forbidden"], []
    error = refused(lambda: one.commit(first, first))
    assert (error.problems[0].code, len(faulty.puts), slept) == ("CW401", 1, [])
    assert error.problems[0].hint == "they need to"


def test_where_nothing_can_be_read_back_it_stays_open_and_the_lock_finds_it_out() -> None:
    faulty, time = Faulty(bucket()), Time()
    one = store(faulty)
    held = take(one, time)
    faulty.faults, faulty.unreadable = ["lost"], 1
    assert (
        refused(lambda: held.update(lambda state: state.with_entry("flow.n", FLOW))).problems[0].code
        == "CW401"
    )
    assert "flow.n" in stored(one).resources
    assert held.update(lambda state: state.with_entry("flow.m", FLOW)).resources == {
        "flow.n": FLOW,
        "flow.m": FLOW,
    }
    held.release()
    assert stored(one).lock is None


def test_a_run_that_was_taken_over_writes_nothing_more() -> None:
    memory, time = MemoryStore(), Time()
    held = take(store(bucket(memory)), time)
    time.now += 1000
    assert refused(lambda: take(store(bucket(memory)), time)).problems[0].code == "CW404"
    other = take(store(bucket(memory)), time, timeout=200)
    with pytest.raises(Conflict):
        held.update(lambda state: state.with_entry("flow.late", FLOW))
    assert other.update(lambda state: state).resources == {}


@pytest.mark.parametrize(
    ("overlooks", "says"),
    [
        ("If-None-Match", "lets a second writer create"),
        ("If-Match", "lets a writer replace what another one has changed"),
        ("ETag", "does not tell one version"),
        ("everything: it answers 501", "knows no conditional writes"),
    ],
)
def test_a_bucket_that_overlooks_conditions_is_refused(overlooks: Overlooked, says: str) -> None:
    memory = MemoryStore()
    one = store(Careless(bucket(memory), overlooks))
    error = refused(lambda: one.commit(None, State.new()))
    assert error.problems[0].code == "CW409"
    assert says in str(error)
    assert URL in str(error)
    assert names(memory) == []


def test_the_bucket_is_tried_beside_the_document_and_only_while_there_is_none() -> None:
    memory = MemoryStore()
    faulty = Faulty(bucket(memory))
    one = store(faulty)
    first = one.commit(None, State.new())
    assert len({path for path in faulty.puts if path.startswith(f"{PATH}.probe-")}) == 1
    assert len(faulty.puts) == 5
    one.commit(first, first)
    assert len(faulty.puts) == 6
    assert names(memory) == [PATH]


def test_trying_the_bucket_begins_anew_where_a_reply_is_lost() -> None:
    for index in range(4):
        memory, slept = MemoryStore(), list[float]()
        faults: list[Fault] = ["fine"] * index
        one = store(Faulty(bucket(memory), [*faults, "lost" if index in (0, 2) else "500"]), slept)
        assert one.commit(None, State.new()).serial == 1
        assert (slept, names(memory)) == ([PAUSES[0]], [PATH])


def test_a_document_that_is_damaged_is_never_replaced() -> None:
    objects = bucket()
    one = store(objects)
    first = one.commit(None, State.new())
    found = objects.get(PATH)
    assert found is not None
    objects.put(PATH, found.data[:-20], found.version)
    assert refused(one.read).problems[0].code == "CW401"
    assert refused(lambda: one.commit(first, first)).problems[0].code == "CW401"
    left = objects.get(PATH)
    assert left is not None
    assert left.data == found.data[:-20]


def test_what_is_put_back_is_later_than_both() -> None:
    one = store()
    first = one.commit(None, State.new())
    assert one.commit(first, replace(first, serial=40)).serial == 41


def test_a_state_that_cannot_be_read_is_explained() -> None:
    faulty = Faulty(bucket(), unreadable=1)
    with pytest.raises(CwsyncError, match="cannot be read: S3 has answered with the status 500"):
        store(faulty).read()
