"""A run that is in the way of a call: with patience its end is waited for, and nothing is overwritten after it."""

from __future__ import annotations

from threading import Event
from typing import Any

import pytest
from unit.apply.rig import ALICE, BOB, Manifest, Rig, imports, notify, once, process, s3

BEFORE = {"connections": {"sales": s3()}, "integrations": {"accounts": imports("sales"), "close": process()}}
AFTER = {**BEFORE, "integrations": {"accounts": imports("sales", file="b.csv"), "close": process("Shut")}}


@pytest.fixture
def busy(rig: Rig) -> Rig:
    """Everything is applied, and the import runs for a minute."""
    assert rig.apply(BEFORE).codes == []
    rig.tenant.edit("update", "outcome", name="Accounts", body={"seconds": 60})
    with rig.client() as client:
        client.send("POST", f"/integrations/{rig.state.resources['integration.accounts'].id}/run")
    rig.slept.clear()
    return rig


def names_and_files(rig: Rig) -> list[tuple[str, str]]:
    return [
        (one["name"], one["jobs"][0]["sources"][0]["file"] if one.get("jobs") else "")
        for one in rig.tenant.snapshot()["integrations"]
    ]


def waited(rig: Rig) -> list[float]:
    """Pauses, and not the client's own pace."""
    return [seconds for seconds in rig.slept if seconds >= 0.5]


def test_without_patience_it_fails_and_the_others_go_on(busy: Rig) -> None:
    run = busy.apply(AFTER)
    assert run.codes == ["CW306"]
    assert sorted(names_and_files(busy)) == [("Accounts", "a.csv"), ("Shut", "")]


def test_with_patience_it_is_made_when_the_run_is_over(busy: Rig) -> None:
    begun = busy.now
    told: list[str] = []
    run = busy.apply(AFTER, patience=100, waiting=lambda call: told.append(call.address))
    assert run.codes == []
    assert sorted(names_and_files(busy)) == [("Accounts", "b.csv"), ("Shut", "")]
    assert told == ["integration.accounts"]
    assert 60 <= busy.now - begun < 75
    assert not busy.state.pending


def test_patience_ends_and_it_is_tried_no_more(busy: Rig) -> None:
    run = busy.apply(AFTER, patience=20)
    assert run.codes == ["CW306"]
    assert sum(waited(busy)) == pytest.approx(20)
    assert sorted(names_and_files(busy)) == [("Accounts", "a.csv"), ("Shut", "")]
    assert not busy.state.pending


def test_what_somebody_changes_meanwhile_is_not_overwritten(busy: Rig) -> None:
    def sleep(seconds: float) -> None:
        busy.time.sleep(seconds)
        if len(waited(busy)) == 3:
            busy.tenant.edit("update", "integration", name="Accounts", body={"nuxVisible": True})

    run = busy.apply(AFTER, patience=100, sleep=sleep)
    assert run.codes == ["CW513"]
    assert ("Accounts", "a.csv") in names_and_files(busy)


def test_an_interrupt_ends_the_wait_at_once(busy: Rig) -> None:
    stop = Event()

    def sleep(seconds: float) -> None:
        busy.time.sleep(seconds)
        stop.set()

    run = busy.apply(AFTER, patience=100, sleep=sleep, stop=stop)
    assert run.result.interrupted
    assert len(waited(busy)) == 1
    assert ("Accounts", "a.csv") in names_and_files(busy)
    assert not busy.state.pending
    assert [one.address for one in run.result.skipped if one.address == "integration.accounts"]


CLOSE: Manifest = {"integrations": {"close": process()}}
NOTIFICATION = "/2/0/integrations/notification*"


def told(**users: list[str]) -> Manifest:
    return {**CLOSE, "notifications": {"close": notify(**users)}}


def refuse(rig: Rig, method: str, *nth: int) -> None:
    for each in nth:
        rig.tenant.fault(
            "status", method, NOTIFICATION, nth=each, status=409, message="Integration is already running"
        )


def config(rig: Rig) -> Any:
    (found,) = rig.tenant.snapshot()["notifications"]
    return found["config"]


def test_a_notification_waits_as_well(rig: Rig) -> None:
    rig.apply(told(full_failure=[ALICE]))
    rig.slept.clear()
    refuse(rig, "PUT", 1, 2)
    waiting: list[str] = []

    run = rig.apply(
        told(full_failure=[ALICE, BOB]), patience=100, waiting=lambda call: waiting.append(call.address)
    )

    assert (run.codes, config(rig)) == ([], {"full_failure": [ALICE, BOB]})
    assert [call.outcome for call in run.result.calls] == ["refused", "refused", "done"]
    assert waiting == ["notification.close"]
    assert waited(rig) == [1.0, 1.5]


def test_a_notification_waits_for_the_end_of_its_integration_s_run(rig: Rig) -> None:
    rig.apply(told(full_failure=[ALICE]))
    rig.tenant.edit("update", "outcome", name="Close", body={"seconds": 60})
    with rig.client() as client:
        client.send("POST", f"/integrations/{rig.state.resources['integration.close'].id}/run")
    refuse(rig, "PUT", 1)
    begun = rig.now

    run = rig.apply(told(full_failure=[ALICE, BOB]), patience=100)

    assert [call.outcome for call in run.result.calls] == ["refused", "done"]
    assert 60 <= rig.now - begun < 75


def test_what_a_notification_s_own_calls_have_done_before_the_wait_is_no_one_else_s_change(rig: Rig) -> None:
    rig.apply(told(full_failure=[ALICE, BOB]))
    users = {"users": {"full_failure": [ALICE, BOB], "success": [BOB]}}
    merge = once(lambda: rig.tenant.edit("update", "notification", name="Close", body=users))
    rig.after = lambda request: merge(request) if request.method == "PUT" else None
    refuse(rig, "DELETE", 1)
    refuse(rig, "POST", 1)

    run = rig.apply(told(full_failure=[BOB]), patience=100)

    assert (run.codes, config(rig)) == ([], {"full_failure": [BOB]})
    assert [(call.method, call.outcome) for call in run.result.calls] == [
        ("PUT", "done"),
        ("DELETE", "refused"),
        ("DELETE", "done"),
        ("POST", "refused"),
        ("POST", "done"),
    ]
    assert rig.state.resources["notification.close"].applied["notify"] == {"full_failure": [BOB]}


def test_what_somebody_changes_of_a_notification_meanwhile_is_not_overwritten(rig: Rig) -> None:
    rig.apply(told(full_failure=[ALICE]))
    refuse(rig, "PUT", 1)
    rig.slept.clear()

    def sleep(seconds: float) -> None:
        rig.time.sleep(seconds)
        if waited(rig):
            rig.tenant.edit("update", "notification", name="Close", body={"users": {"success": [BOB]}})

    run = rig.apply(told(full_failure=[ALICE, BOB]), patience=100, sleep=sleep)

    assert (run.codes, config(rig)) == (["CW513"], {"success": [BOB], "full_failure": [ALICE]})
