"""The protocol's rules where they are hardest to keep: ends that are written twice, a lock that is lost while waiting,
an interrupt while requests are under way, edits just before a call, and kills within an adoption."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import httpx
import pytest
from unit.apply.rig import (
    ALICE,
    Killed,
    Manifest,
    Rig,
    Run,
    WatchedStore,
    azure,
    daily,
    flow,
    imports,
    nothing,
    notify,
    once,
    process,
    s3,
)

from cwsync.apply import Progress
from cwsync.errors import Exit, exit_status, fail
from cwsync.state import Pre, State

PATIENCE = 20
CONNECTIONS = "/2/0/integrations/connections"
CLOSE: Manifest = {"integrations": {"close": process()}}
SALES: Manifest = {"connections": {"sales": s3()}}


def many(count: int) -> Manifest:
    return {"integrations": {f"i{n}": process(f"I {n}") for n in range(count)}}


def test_an_end_that_was_written_although_the_store_failed_is_not_made_twice(rig: Rig) -> None:
    """Of a replacement: what was set aside is gone, and its replacement stays known."""
    rig.apply(SALES)
    replaced: Manifest = {"connections": {"sales": s3(workspaceId="8a81b09d5e8c6f27015ece3402487d33")}}
    assert isinstance(rig.store, WatchedStore)
    aside: list[State] = []

    def fails(state: State) -> None:
        if state.deposed:
            aside.append(state)
        elif aside and "connection.sales" in state.resources:
            aside.clear()
            raise fail("CW401", "the disk went away after it had written")

    rig.store.after = fails
    assert rig.apply(replaced).codes == ["CW401"]
    assert (set(rig.state.resources), rig.state.deposed) == ({"connection.sales"}, ())
    assert rig.mutations_of(lambda: rig.apply(replaced)) == []


def busy(rig: Rig, then: Callable[[], object]) -> None:
    """The service asks for 100 seconds of patience with the first mutation; meanwhile something happens."""
    rig.tenant.fault("status", "POST", "/2/0/integrations", nth=1, status=429, retryAfter=100)
    rig.after = once(then)


def taken_over(rig: Rig) -> None:
    """Another run takes the lock over."""
    state = rig.state
    assert state.lock
    lock = replace(state.lock, nonce="another", run="another", epoch=state.epoch + 1)
    rig.store.commit(state, replace(state, lock=lock, epoch=lock.epoch))


def test_a_lock_that_is_lost_while_waiting_to_send_again_lets_nothing_out(rig: Rig) -> None:
    busy(rig, lambda: taken_over(rig))
    run = rig.apply(CLOSE)
    assert [(call.outcome, call.number) for call in run.result.calls] == [("refused", 1)]
    assert "CW405" in run.codes
    assert (len(rig.tenant.mutations()), rig.tenant.names("integrations")) == (1, [])


def test_an_interrupt_ends_the_wait_of_what_was_not_sent(rig: Rig) -> None:
    stop = Event()
    busy(rig, stop.set)
    begun = rig.now
    run = rig.apply({"integrations": {"close": process()}, "connections": {"lake": azure()}}, stop=stop)
    assert exit_status(run.result.problems) is Exit.INTERRUPTED
    assert {one.detail for one in run.result.skipped} == {"interrupted"}
    assert (rig.state.pending, rig.state.lock, len(run.result.calls)) == ({}, None, 1)
    assert rig.now < begun + 5


def test_a_notification_whose_second_half_was_withdrawn_is_made_by_the_next_run(rig: Rig) -> None:
    """Deleted, and not made again yet."""
    rig.apply({**CLOSE, "notifications": {"close": notify(success=[ALICE], full_failure=[ALICE])}})
    stop = Event()
    rig.after = lambda _request: stop.set()
    after: Manifest = {**CLOSE, "notifications": {"close": notify(full_failure=[ALICE])}}
    run = rig.apply(after, stop=stop)
    assert [call.method for call in run.result.calls] == ["DELETE"]
    assert run.codes == ["CW601", "CW604"]
    rig.after = nothing
    assert [call.method for call in rig.apply(after).result.calls] == ["POST"]


Edit = Callable[[Rig], object]


def edited(kind: str, name: str, **more: Any) -> Edit:
    return lambda rig: rig.tenant.edit("update", kind, name=name, **more)


def world(**more: Any) -> Manifest:
    return {
        "connections": {"sales": s3(), "spare": s3("Spare")},
        "integrations": {"accounts": imports("sales"), "close": process()},
        "schedules": {"close": daily()},
        "flows": {"nightly": flow("accounts", "close")},
        **more,
    }


BUCKET = {"bucketName": "theirs"}
EDITS: dict[str, tuple[Manifest, Edit, str]] = {
    "update a connection": (
        world(connections={"sales": s3(bucketName="other"), "spare": s3("Spare")}),
        edited("connection", "Sales", body=BUCKET),
        "connection.sales",
    ),
    "rename a connection": (
        world(connections={"sales": s3("Sold"), "spare": s3("Spare")}),
        edited("connection", "Sales", body=BUCKET),
        "connection.sales",
    ),
    "delete a connection": (
        world(connections={"sales": s3()}),
        edited("connection", "Spare", body=BUCKET),
        "connection.spare",
    ),
    "set a connection aside": (
        world(connections={"sales": s3(), "spare": s3("Spare", workspaceId="8a81b09d5e8c6f27015ece3402487d33")}),
        edited("connection", "Spare", body=BUCKET),
        "connection.spare",
    ),
    "update an integration": (
        world(integrations={"accounts": imports("sales"), "close": process(nuxVisible=True)}),
        edited("integration", "Close", body={"processId": "118000000009"}),
        "integration.close",
    ),
    "update a schedule": (
        world(schedules={"close": daily(time="13:00")}),
        edited("schedule", "Close", body={"time": "14:00"}),
        "schedule.close",
    ),
    "disable a schedule": (
        world(schedules={"close": daily(enabled=False)}),
        edited("schedule", "Close", body={"time": "14:00"}),
        "schedule.close",
    ),
    "delete a schedule": (
        world(schedules={}),
        edited("schedule", "Close", body={"time": "14:00"}),
        "schedule.close",
    ),
    "update a flow": (
        world(flows={"nightly": flow("close", "accounts")}),
        edited("flow", "Nightly", body={"name": "Theirs"}),
        "flow.nightly",
    ),
}  # fmt: skip


@pytest.mark.parametrize("profile", ["observed", "documented"])
@pytest.mark.parametrize("case", EDITS)
def test_what_somebody_edits_just_before_its_call_is_left_alone(
    case: str, profile: str, tmp_path: Path
) -> None:
    after, edit, address = EDITS[case]
    rig = Rig(tmp_path, profile=profile)
    assert rig.apply(world()).codes == []
    before = rig.apply(world()).codes
    assert before == []
    theirs: list[Any] = []

    def then() -> None:
        edit(rig)
        theirs.append(rig.tenant.snapshot())

    act = once(then)
    rig.before_any = lambda request: act(request) if rig.state.pending else None
    goal = {**after, "integrations": {**after["integrations"], "more": process("More")}}
    run = rig.apply(goal)
    assert run.codes == ["CW513"]
    assert run.result.problems[0].address == address
    assert [one.address for one in run.result.applied] == ["integration.more"]
    assert rig.state.pending == {}
    kinds = ("connections", "flows")
    assert [rig.tenant.snapshot()[kind] for kind in kinds] == [theirs[0][kind] for kind in kinds]
    ours = [one for one in rig.tenant.snapshot()["integrations"] if one["name"] != "More"]
    assert ours == [one for one in theirs[0]["integrations"] if one["name"] != "More"]
    assert rig.apply(goal).codes == []
    rig.close()


@pytest.mark.parametrize("profile", ["observed", "documented"])
def test_what_nobody_edits_is_as_it_was_read(profile: str, tmp_path: Path) -> None:
    """In both profiles, and for every case above together."""
    rig = Rig(tmp_path, profile=profile)
    assert rig.apply(world()).codes == []
    for after, _, _ in EDITS.values():
        assert rig.apply(after).codes == []
    assert rig.apply({}).codes == []
    rig.close()


def test_one_object_that_was_set_aside_earlier_is_looked_at_under_its_own_name(rig: Rig) -> None:
    """A person has renamed it; it still goes, as the plan shows."""
    rig.apply(SALES)
    replaced: Manifest = {"connections": {"sales": s3(workspaceId="8a81b09d5e8c6f27015ece3402487d33")}}
    rig.tenant.fault("status", "DELETE", CONNECTIONS, status=409, message="The resource is being referenced")
    assert rig.apply(replaced).codes == ["CW308"]
    (aside,) = rig.state.deposed
    rig.tenant.mend()
    rig.tenant.edit("update", "connection", name=aside.name, body={"name": "Kept for a while"})
    assert rig.apply(replaced).codes == []
    assert (rig.tenant.names("connections"), rig.state.deposed) == (["Sales"], ())


def interrupted_in_flight(rig: Rig, go: Event) -> Run:
    stop = Event()

    def before(_request: httpx.Request) -> None:
        stop.set()
        assert go.wait(PATIENCE)

    rig.before = before
    return rig.apply(CLOSE, stop=stop, grace=0.05)


def arrives(rig: Rig, go: Event) -> None:
    """What is still under way gets through."""
    go.set()
    for worker in [one for one in threading.enumerate() if one.name.startswith("cwsync-apply")]:
        worker.join(PATIENCE)


def test_an_interrupt_keeps_the_lock_while_a_request_is_under_way(rig: Rig) -> None:
    """It arrives a minute later, and the manifest that asked for it is gone: still it is known, and goes."""
    go = Event()
    run = interrupted_in_flight(rig, go)
    assert rig.state.lock is not None
    assert len(rig.state.pending) == 1
    problem = run.result.problems[-1]
    assert "1 had no reply yet, and the state stays locked" in problem.message
    assert "takes the lock over" in str(problem.hint)
    rig.before, begun, sleep = nothing, rig.now, rig.sleep

    def sleeping(seconds: float) -> None:
        sleep(seconds)
        if rig.now > begun + 60 and not go.is_set():
            arrives(rig, go)

    rig.sleep = sleeping
    again = rig.apply({"connections": {"lake": azure()}})
    assert again.recovered.notes == ("integration.close: the create of an earlier run was done",)
    assert again.codes == []
    assert rig.tenant.names("integrations") == []
    assert rig.commits[-1].lock is None
    assert rig.state.pending == {}


def test_an_interrupt_gives_the_lock_back_where_nothing_is_under_way(rig: Rig) -> None:
    stop = Event()
    rig.after = lambda _request: stop.set()
    rig.apply(many(3), stop=stop)
    assert rig.state.lock is None


def test_killed_while_the_secrets_of_an_adopted_object_are_sent_again(rig: Rig) -> None:
    """The object was changed since its creation, by us: nobody has to decide that."""
    rig.tenant.fault("drop-after", "POST", CONNECTIONS, nth=1)
    pending: list[list[tuple[str, str | None]]] = []

    def before(request: httpx.Request) -> None:
        rig.now += 30
        if request.method == "PUT":
            pending.append([(one.action, one.targetId) for one in rig.state.pending.values()])

    def after(request: httpx.Request) -> None:
        if request.method == "PUT":
            raise Killed

    rig.before, rig.after = before, after
    with pytest.raises(Killed):
        rig.apply(SALES)
    (connection,) = rig.tenant.snapshot()["connections"]
    assert pending == [[("update", connection["connectionId"])]]
    assert rig.state.resources["connection.sales"].id == connection["connectionId"]
    rig.before = rig.after = nothing
    again = rig.apply(SALES)
    assert (again.codes, [call.method for call in again.result.calls]) == ([], ["PUT"])
    assert rig.mutations_of(lambda: rig.apply(SALES)) == []


def test_what_waits_for_an_adopted_object_is_done_after_it(rig: Rig) -> None:
    rig.tenant.fault("drop-after", "POST", CONNECTIONS, nth=1)
    run = rig.apply({**SALES, "integrations": {"accounts": imports("sales")}})
    assert run.codes == []
    assert [(call.method, call.address) for call in run.result.calls] == [
        ("POST", "connection.sales"),
        ("PUT", "connection.sales"),
        ("POST", "integration.accounts"),
    ]


@pytest.mark.parametrize("do", ["drop-before", "status"])
def test_secrets_that_cannot_be_sent_again_hold_nothing_back(rig: Rig, do: str) -> None:
    rig.tenant.fault("drop-after", "POST", CONNECTIONS, nth=1)
    rig.tenant.fault(do, "PUT", CONNECTIONS, **({"status": 403} if do == "status" else {}))
    manifest: Manifest = {**SALES, "integrations": {"accounts": imports("sales")}}
    run = rig.apply(manifest)
    assert [one.address for one in run.result.applied] == ["connection.sales", "integration.accounts"]
    assert "its secrets are sent again by the next apply" in str(run.result.applied[0].detail)
    assert (run.codes, rig.state.pending) == (["CW303" if do == "status" else "CW313"], {})
    rig.tenant.mend()
    assert [call.method for call in rig.apply(manifest).result.calls] == ["PUT"]
    assert rig.mutations_of(lambda: rig.apply(manifest)) == []


def test_an_interrupt_before_the_secrets_are_sent_again_leaves_them_to_the_next_run(rig: Rig) -> None:
    rig.tenant.fault("drop-after", "POST", CONNECTIONS, nth=1)
    stop = Event()
    shown = rig.shown

    def interrupting(response: httpx.Response) -> httpx.Response:
        if rig.tenant.names("connections"):
            stop.set()
        return shown(response)

    rig.shown = interrupting
    run = rig.apply(SALES, stop=stop)
    assert run.codes == ["CW604"]
    assert [one.address for one in run.result.applied] == ["connection.sales"]
    assert (rig.state.pending, set(rig.state.resources)) == ({}, {"connection.sales"})
    rig.shown = shown
    assert [call.method for call in rig.apply(SALES).result.calls] == ["PUT"]


@pytest.mark.parametrize("times", [1, 99])
def test_a_defect_of_the_coordinator_loses_nothing_that_has_ended(rig: Rig, times: int) -> None:
    """Here of what shows the progress: what was in flight is waited for, and recorded."""
    left = times
    together = Barrier(3)
    rig.after = lambda _request: together.wait(PATIENCE)

    def breaks(progress: Progress) -> None:
        nonlocal left
        if progress.result is not None and left:
            left -= 1
            raise ZeroDivisionError

    client, held = rig.client(3), rig.acquire()
    with pytest.raises(ZeroDivisionError):
        rig.executor(many(3), held, client, parallelism=3, progress=breaks).run()
    held.release()
    if times == 1:
        assert set(rig.state.resources) == {"integration.i0", "integration.i1", "integration.i2"}
    else:
        assert len(rig.state.resources) + len(rig.state.pending) == 3
    rig.after = nothing
    assert rig.apply(many(3)).codes == []
    assert rig.mutations_of(lambda: rig.apply(many(3))) == []


def test_a_duplicate_that_nobody_shows_is_asked_for_three_times_and_no_more(rig: Rig) -> None:
    rig.tenant.fault(
        "status", "POST", "/2/0/integrations", status=500, message="Duplicate resource name not allowed"
    )
    for _ in range(2):
        run = rig.apply(CLOSE)
        assert (run.codes, len(run.result.calls)) == (["CW605"], 3)
        assert len(rig.state.pending) == 1
    rig.tenant.mend()
    assert rig.apply(CLOSE).codes == []


def test_a_creation_that_arrives_long_after_it_was_sent_again_makes_no_second_one(rig: Rig) -> None:
    """The first request comes when the second one has been answered, and its object is known."""
    rig.tenant.fault("late", "POST", "/2/0/integrations", nth=1, delayMs=30_000)
    assert rig.apply(CLOSE).codes == []
    rig.now += 60
    assert rig.mutations_of(lambda: rig.apply(CLOSE)) == []
    assert rig.tenant.names("integrations") == ["Close"]


def test_what_is_not_said_to_have_been_absent_before_is_not_adopted(rig: Rig) -> None:
    """E1: by a state that somebody has mended by hand."""

    def kill(_request: httpx.Request) -> None:
        raise Killed

    rig.after = kill
    with pytest.raises(Killed):
        rig.apply(CLOSE)
    rig.after = nothing
    state = rig.state
    mended = {op: replace(one, pre=Pre(fingerprint="sha256:0")) for op, one in state.pending.items()}
    rig.store.commit(state, replace(state, pending=mended))
    run = rig.apply(CLOSE)
    assert run.codes == ["CW605"]
    assert "does not say that it saw nothing" in run.recovered.problems[0].message
