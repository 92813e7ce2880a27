"""The queue and the state: what begins when, what is written before it, and what happens when writing fails."""

from __future__ import annotations

import threading
from dataclasses import replace
from threading import Barrier, Event, Lock

import httpx
import pytest
from unit.apply.rig import Manifest, Rig, WatchedStore, azure, everything, flow, imports, process, s3

from cwsync.apply import Progress
from cwsync.errors import Exit, exit_status, fail
from cwsync.state import State, Timing

PATIENCE = 20  # seconds until a test that would hang fails instead


def many(count: int) -> Manifest:
    return {"integrations": {f"i{n}": process(f"I {n}") for n in range(count)}}


def chain() -> Manifest:
    """Three waves: a connection, five integrations, a flow."""
    integrations = {f"i{n}": imports("sales", f"I {n}") for n in range(5)}
    return {
        "connections": {"sales": s3()},
        "integrations": integrations,
        "flows": {"f": flow("i0", "i1", "i4")},
    }


def test_a_slow_connection_holds_back_only_what_uses_it(rig: Rig) -> None:
    others = Event()
    order: list[str] = []

    def before(request: httpx.Request) -> None:
        if request.url.path.endswith("/connections"):
            assert others.wait(PATIENCE)
        elif b"Close" in request.read():
            others.set()
        order.append(request.url.path)

    rig.before = before
    run = rig.apply(
        {"connections": {"sales": s3()}, "integrations": {"a": imports("sales"), "close": process()}}, 2
    )
    assert run.codes == []
    assert [path.rpartition("/")[2] for path in order] == ["integrations", "connections", "integrations"]


def test_as_many_at_once_as_allowed_and_no_more(rig: Rig) -> None:
    together, lock = Barrier(3), Lock()
    now, most = 0, 0

    def before(_request: httpx.Request) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        together.wait(PATIENCE)

    def after(_request: httpx.Request) -> None:
        nonlocal now
        with lock:
            now -= 1

    rig.before, rig.after = before, after
    assert rig.apply(many(12), parallelism=3).codes == []
    assert most == 3


def test_new_ids_flow_into_what_refers_to_them(rig: Rig) -> None:
    rig.apply(everything(), parallelism=4)
    found = rig.tenant.snapshot()
    ids = {each["body"]["name"]: each["connectionId"] for each in found["connections"]}
    integrations = {each["name"]: each for each in found["integrations"]}
    job = integrations["Accounts"]["jobs"][0]
    assert job["sources"][0]["connectionId"] == ids["Sales"]
    steps = [step["referrer"] for step in found["flows"][0]["steps"]]
    assert steps == [integrations[name]["integrationId"] for name in ("Accounts", "Close")]
    parents = {at: entry.parent for at, entry in rig.state.resources.items() if entry.parent}
    assert parents == dict.fromkeys(("schedule.accounts", "notification.accounts"), "integration.accounts")


def test_a_failure_blocks_what_depends_on_it_however_far(rig: Rig) -> None:
    rig.tenant.fault(
        "status", "POST", "/2/0/integrations/connections", nth=2, status=400, message="Bucket name is invalid"
    )
    run = rig.apply(everything())
    fates = {
        "applied": {"connection.lake", "integration.close"},
        "failed": {"connection.sales"},
        "skipped": {"integration.accounts", "schedule.accounts", "notification.accounts", "flow.nightly"},
    }
    for fate, addresses in fates.items():
        assert {one.address for one in getattr(run.result, fate)} == addresses
    assert {one.blocked_by for one in run.result.skipped} == {"connection.sales"}
    assert rig.apply({**everything()}).codes == []


def test_one_commit_carries_the_intents_of_a_whole_wave(rig: Rig) -> None:
    rig.apply(chain(), parallelism=5)
    known: set[str] = set()
    waves = []
    for state in rig.commits:
        if new := set(state.pending) - known:
            waves.append(sorted(state.pending[op].address for op in new))
        known |= new
    assert waves == [
        ["connection.sales"],
        [f"integration.i{n}" for n in range(5)],
        ["flow.f"],
    ]


def test_what_ends_together_shares_a_commit(rig: Rig) -> None:
    """Twenty replies that arrive at once cost far fewer commits than twenty."""
    together = Barrier(20)
    rig.after = lambda _request: together.wait(PATIENCE)
    rig.apply(many(20), parallelism=20)
    assert len(rig.commits) < 15


def test_calls_are_numbered_as_they_were_begun(rig: Rig) -> None:
    run = rig.apply(chain(), parallelism=5)
    assert [call.number for call in run.result.calls] == list(range(1, 8))
    assert [run.result.calls[at].order for at in (0, -1)] == [1, 7]


def failing(rig: Rig, times: int, *, when: str, after: bool = False) -> None:
    """Let commits fail: those that begin or those that end something, before they are written or after."""
    left = times

    def fails(state: State) -> None:
        nonlocal left
        stored = rig.store.read()
        before = set(stored.pending) if stored and not after else set()
        begins = set(state.pending) - before
        if left and (bool(begins) if when == "begins" else bool(state.resources)):
            left -= 1
            raise fail("CW401", "the disk is full")

    assert isinstance(rig.store, WatchedStore)
    if after:
        rig.store.after = fails
    else:
        rig.store.before = fails


@pytest.mark.parametrize("after", [False, True])
def test_where_an_intent_cannot_be_written_nothing_is_sent(rig: Rig, after: bool) -> None:
    """Also where it was written, and the store said that it failed."""
    failing(rig, 1, when="begins", after=after)
    run = rig.apply(everything())
    assert (run.codes, run.result.calls) == (["CW401"], ())
    assert {one.detail for one in run.result.skipped} == {
        "the state could not be written",
        "the run had to stop",
    }
    assert rig.state.pending == {}


def test_where_an_end_cannot_be_written_nothing_new_begins_and_it_is_tried_again(rig: Rig) -> None:
    failing(rig, 3, when="ends")
    run = rig.apply(chain())
    assert (run.codes, len(run.result.calls)) == (["CW401"], 1)
    assert [one.address for one in run.result.applied] == ["connection.sales"]
    assert set(rig.state.resources) == {"connection.sales"}
    assert rig.state.pending == {}
    assert rig.apply(chain()).codes == []


def test_an_end_that_cannot_be_written_at_all_is_found_out_by_the_next_run(rig: Rig) -> None:
    failing(rig, 99, when="ends")
    assert rig.apply(chain()).codes == ["CW401"]
    assert [one.address for one in rig.state.pending.values()] == ["connection.sales"]
    assert rig.state.resources == {}
    failing(rig, 0, when="ends")
    again = rig.apply(chain())
    assert again.recovered.notes == ("connection.sales: the create of an earlier run was done",)
    assert (again.codes, rig.tenant.names("connections")) == ([], ["Sales"])


def taken_over(rig: Rig) -> None:
    """Another run takes the lock while ours is asleep."""
    state = rig.state
    assert state.lock
    lock = replace(state.lock, nonce="another", run="another", epoch=state.epoch + 1)
    rig.store.commit(state, replace(state, lock=lock, epoch=lock.epoch))


def test_a_run_that_was_taken_over_sends_nothing_more(rig: Rig) -> None:
    rig.after = lambda _request: taken_over(rig) if rig.state.epoch == 1 else None
    run = rig.apply(chain(), parallelism=1)
    assert (run.codes, len(run.result.calls)) == (["CW405"], 1)
    assert {one.detail for one in run.result.skipped} == {
        "the state could not be written",
        "the run had to stop",
    }
    assert rig.state.epoch == 2
    assert rig.state.resources == {}  # the new holder's document is not written over


def test_before_a_request_that_could_outlive_the_lock_it_is_renewed(rig: Rig) -> None:
    def passes(progress: Progress) -> None:
        rig.now += 100 if progress.result is None else 0

    run = rig.apply(many(1), progress=passes)
    assert (run.codes, len(run.result.calls)) == ([], 1)


def test_where_the_lock_cannot_be_renewed_nothing_is_sent(rig: Rig) -> None:
    def passes(_progress: Progress) -> None:
        if rig.state.epoch == 1:
            rig.now += 100
            taken_over(rig)

    run = rig.apply(many(1), progress=passes)
    assert run.result.calls == ()
    assert set(run.codes) == {"CW405"}
    assert rig.tenant.mutations() == []


def test_signs_of_life_go_on_while_a_request_takes_long(rig: Rig) -> None:
    assert isinstance(rig.store, WatchedStore)
    beaten = Event()
    client = rig.client()
    held = rig.acquire(Timing(beat=0.001))
    executor = rig.executor(many(1), held, client)

    def before(_request: httpx.Request) -> None:
        serial = rig.state.serial
        rig.store.after = lambda state: beaten.set() if state.serial > serial + 3 else None  # type: ignore[attr-defined] # asserted above
        assert beaten.wait(PATIENCE)

    rig.before = before
    with held.beating():
        result = executor.run()
    held.release()
    assert [one.address for one in result.applied] == ["integration.i0"]
    assert set(rig.state.resources) == {"integration.i0"}


def test_an_interrupt_ends_what_is_in_flight_and_begins_nothing(rig: Rig) -> None:
    stop = Event()
    rig.after = lambda _request: stop.set()
    run = rig.apply(chain(), stop=stop)
    assert exit_status(run.result.problems) is Exit.INTERRUPTED
    assert run.result.interrupted
    assert [one.address for one in run.result.applied] == ["connection.sales"]
    assert {one.detail for one in run.result.skipped} == {"interrupted"}
    assert (set(rig.state.resources), rig.state.pending) == ({"connection.sales"}, {})
    rig.after = lambda _request: None
    assert rig.apply(chain()).codes == []


def test_an_interrupt_takes_back_what_nobody_has_begun(rig: Rig) -> None:
    """Their intents were written with those of their wave."""
    stop = Event()
    rig.after = lambda _request: stop.set()
    run = rig.apply(many(5), stop=stop)
    assert len(run.result.calls) == len(run.result.applied) == 1
    assert len(run.result.skipped) == 4
    assert rig.state.pending == {}


def test_a_reply_that_does_not_come_is_not_waited_for_for_ever(rig: Rig) -> None:
    stop, go = Event(), Event()
    sent: list[httpx.Request] = []

    def before(request: httpx.Request) -> None:
        sent.append(request)
        stop.set()
        assert go.wait(PATIENCE)

    rig.before = before
    run = rig.apply(many(3), stop=stop, grace=0.05)
    assert [one.detail for one in run.result.failed] == ["no reply came before the run had to end"]
    assert [call.outcome for call in run.result.calls] == ["unknown"]
    assert "1 had no reply yet" in run.result.problems[-1].message
    assert [one.address for one in rig.state.pending.values()] == ["integration.i0"]
    workers = [one for one in threading.enumerate() if one.name.startswith("cwsync-apply")]
    assert workers
    assert all(one.daemon for one in workers)  # so that they don't hold the process
    go.set()
    for worker in workers:
        worker.join(PATIENCE)
    rig.before = lambda _request: None
    assert rig.apply(many(3)).codes == []
    assert rig.tenant.names("integrations") == ["I 0", "I 1", "I 2"]


def test_an_interrupt_ends_a_worker_that_waits_to_look_again(rig: Rig) -> None:
    stop = Event()
    rig.tenant.fault("drop-before", "POST", "/2/0/integrations")
    rig.after = rig.before = lambda _request: stop.set()
    run = rig.apply(many(1), stop=stop, sleep=None)
    assert len(run.result.calls) == 1
    assert [problem.code for problem in run.result.problems] == ["CW313", "CW604"]
    assert len(rig.state.pending) == 1


def test_a_defect_of_ours_is_raised_after_the_others_are_recorded(rig: Rig) -> None:
    def breaks(request: httpx.Request) -> None:
        if b"I 2" in request.read():
            raise ZeroDivisionError

    rig.before = breaks
    client, held = rig.client(3), rig.acquire()
    with pytest.raises(ZeroDivisionError):
        rig.executor(many(3), held, client, parallelism=1).run()
    assert set(rig.state.resources) == {"integration.i0", "integration.i1"}
    assert [one.address for one in rig.state.pending.values()] == ["integration.i2"]


def test_no_secret_is_in_anything_that_can_be_printed(rig: Rig) -> None:
    seen: list[object] = []
    client, held = rig.client(), rig.acquire()
    rig.tenant.fault("drop-after", "POST", "/2/0/integrations/connections", nth=1)
    rig.tenant.fault(
        "status",
        "POST",
        "/2/0/integrations/connections",
        nth=2,
        status=400,
        message="needle-secret is invalid",
    )
    manifest: Manifest = {"connections": {"lake": azure(), "sales": s3()}}
    executor = rig.executor(manifest, held, client, progress=seen.append)
    result = executor.run()
    progress = [one for one in seen if isinstance(one, Progress) and one.result is not None]
    assert len(progress) == 2
    printed = [repr(executor), str(executor), repr(result), repr(seen), rig.text_of_state(), repr(client)]
    printed += [repr(one.result.task) for one in progress if one.result]
    printed += [repr(problem) for problem in result.problems]
    assert not any("needle" in text for text in printed)
