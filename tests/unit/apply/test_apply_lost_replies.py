"""A reply that is lost, late or damaged: what happened is found by reading, and made again only where it did not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from unit.apply.rig import ALICE, MODEL, Manifest, Rig, azure, daily, flow, imports, notify, once, process, s3

Case = tuple[Manifest, Manifest, str, str]

CONNECTIONS = "/2/0/integrations/connections"
CLOSE: Manifest = {"integrations": {"close": process()}}
TWO: Manifest = {"integrations": {"close": process(), "open": process("Open")}}
OTHERWISE: Manifest = {"integrations": {"close": process(nuxVisible=True)}}


def scheduled(**more: Any) -> Manifest:
    return {**CLOSE, "schedules": {"close": daily(**more)}}


def told(**users: list[str]) -> Manifest:
    return {**CLOSE, "notifications": {"close": notify(**users)}}


def flowing(*steps: str) -> Manifest:
    return {**TWO, "flows": {"nightly": flow(*steps)}}


CASES: dict[str, Case] = {
    "create connection": ({}, {"connections": {"sales": s3()}}, "POST", CONNECTIONS),
    "create integration": ({}, CLOSE, "POST", "/2/0/integration[s]"),
    "create schedule": (CLOSE, scheduled(), "POST", "*/schedule"),
    "create notification": (CLOSE, told(full_failure=[ALICE]), "PUT", "*/notification/*"),
    "create flow": (TWO, flowing("close", "open"), "POST", "/2/0/integrationflow[s]"),
    "update connection": (
        {"connections": {"lake": azure()}},
        {"connections": {"lake": azure(containerName="other")}},
        "PUT",
        CONNECTIONS,
    ),
    "rename connection": (
        {"connections": {"sales": s3()}},
        {"connections": {"sales": s3("Renamed")}},
        "PATCH",
        CONNECTIONS,
    ),
    "update integration": (CLOSE, OTHERWISE, "PUT", "/2/0/integrations/*"),
    "update schedule": (scheduled(), scheduled(time="13:00"), "PUT", "*/schedule"),
    "disable schedule": (scheduled(), scheduled(enabled=False), "POST", "*/disabled"),
    "enable schedule": (scheduled(enabled=False), scheduled(), "POST", "*/enabled"),
    "disable a new schedule": (CLOSE, scheduled(enabled=False), "POST", "*/disabled"),
    "update notification": (
        told(full_failure=[ALICE]),
        told(full_failure=[ALICE], success=[ALICE]),
        "PUT",
        "*/notification/*",
    ),
    "update flow": (flowing("close", "open"), flowing("open", "close"), "PUT", "/2/0/integrationflows/*"),
    "delete connection": ({**CLOSE, "connections": {"sales": s3()}}, CLOSE, "DELETE", CONNECTIONS),
    "delete integration": (TWO, CLOSE, "DELETE", "/2/0/integrations/*"),
    "delete schedule": (scheduled(), CLOSE, "DELETE", "*/schedule"),
    "delete notification": (told(full_failure=[ALICE]), CLOSE, "DELETE", "*/notification/*"),
    "delete flow": (flowing("close", "open"), TWO, "DELETE", "/2/0/integrationflows/*"),
}
FAULTS: dict[str, dict[str, Any]] = {
    "drop-before": {},
    "drop-after": {},
    "late": {"delayMs": 3000},
    "very late": {"do": "late", "delayMs": 60_000},
    "truncate": {},
    "html": {},
    "500 without effect": {"do": "status"},
    "500 with effect": {"do": "status", "effect": True},
    "a gateway's 400": {"do": "html", "status": 400},
    "200 without content": {"do": "html", "status": 200},
}


@pytest.mark.parametrize("case", CASES)
def test_a_lost_reply_changes_nothing_of_the_outcome(case: str, tmp_path: Path) -> None:
    before, after, method, path = CASES[case]
    for fault, more in [("none", {"do": "drip", "delayMs": 0}), *FAULTS.items()]:
        (tmp_path / fault).mkdir()
        rig = Rig(tmp_path / fault)
        if before:
            rig.apply(before)
        rig.tenant.fault(**{"do": fault, **more}, method=method, path=path, nth=1)
        run = rig.apply(after)
        assert (run.codes, run.verified.problems) == ([], ()), fault
        rig.now += 100
        if fault == "none":
            goal = rig.shape()
        assert rig.mutations_of(lambda rig=rig: rig.apply(after)) == [], fault  # type: ignore[misc]
        assert rig.shape() == goal, fault
        assert rig.state.pending == {}
        rig.close()


def test_a_late_creation_may_meet_the_second_one(rig: Rig) -> None:
    """It comes just before the second request, which the service then refuses as a duplicate."""
    rig.tenant.fault("late", "POST", "/2/0/integrations", nth=1, delayMs=8000)
    sent: list[httpx.Request] = []

    def before(request: httpx.Request) -> None:
        sent.append(request)
        rig.now += 5 if len(sent) == 2 else 0

    rig.before = before
    run = rig.apply(CLOSE)
    assert run.codes == []
    assert [call.outcome for call in run.result.calls] == ["unknown", "unknown"]
    assert rig.tenant.names("integrations") == ["Close"]
    assert (
        rig.state.resources["integration.close"].id
        == rig.tenant.snapshot()["integrations"][0]["integrationId"]
    )


def test_a_late_schedule_may_meet_the_second_one(rig: Rig) -> None:
    """Which is refused in other words: an integration has one schedule."""
    rig.apply(CLOSE)
    rig.tenant.fault("late", "POST", "*/schedule", nth=1, delayMs=8000)
    sent: list[httpx.Request] = []

    def before(request: httpx.Request) -> None:
        sent.append(request)
        rig.now += 5 if len(sent) == 2 else 0

    rig.before = before
    run = rig.apply(scheduled())
    assert run.codes == []
    assert [call.outcome for call in run.result.calls] == ["unknown", "refused"]
    assert "schedule.close" in rig.state.resources


def test_an_object_found_by_reading_gets_its_secrets_once_more(rig: Rig) -> None:
    rig.tenant.fault("drop-after", "POST", CONNECTIONS, nth=1)
    run = rig.apply({"connections": {"sales": s3()}})
    assert [call.method for call in run.result.calls] == ["POST", "PUT"]
    assert run.result.applied[0].detail == "the reply was lost; the tenant shows that it was done"


def test_secrets_that_may_not_have_arrived_are_sent_by_the_next_apply(rig: Rig) -> None:
    manifest: Manifest = {"connections": {"sales": s3()}}
    rig.tenant.fault("drop-after", "POST", CONNECTIONS, nth=1)
    rig.tenant.fault("drop-before", "PUT", CONNECTIONS)
    run = rig.apply(manifest)
    assert (run.codes, [one.address for one in run.result.applied]) == (["CW313"], ["connection.sales"])
    rig.tenant.mend()
    assert len(rig.mutations_of(lambda: rig.apply(manifest))) == 1
    assert rig.mutations_of(lambda: rig.apply(manifest)) == []


def test_a_rotated_secret_is_not_taken_to_have_arrived(rig: Rig) -> None:
    """Nothing that can be read tells the old secret from the new one."""
    manifest: Manifest = {"connections": {"sales": s3()}}
    rig.apply(manifest)
    (rig.folder / "secret").write_text("needle-secret-2")
    before = rig.tenant.snapshot()["connections"][0]["secrets"]
    rig.tenant.fault("drop-before", "PUT", CONNECTIONS, nth=1)
    assert rig.apply(manifest).codes == []
    assert rig.tenant.snapshot()["connections"][0]["secrets"] != before
    assert rig.mutations_of(lambda: rig.apply(manifest)) == []


def test_what_the_service_does_not_show_is_not_taken_to_have_arrived(rig: Rig) -> None:
    """Whether `overwrite` is read back is not known (facts F1): here it is not, so both states look the same."""

    def exports(overwrite: bool) -> Manifest:
        export = {"connection": "sales", "file": "out/", "actionId": "116000000053", "overwrite": overwrite}
        integration = {"name": "Export", **MODEL, "jobs": [{"export": export}]}
        return {"connections": {"sales": s3()}, "integrations": {"export": integration}}

    def shown(response: httpx.Response) -> httpx.Response:
        return httpx.Response(
            response.status_code, headers=response.headers, text=hidden.sub("", response.read().decode())
        )

    hidden = re.compile(r', ?"overwrite": ?(true|false)')
    rig.shown = shown
    rig.apply(exports(False))
    rig.tenant.fault("drop-before", "PUT", "/2/0/integrations/", nth=1)
    assert rig.apply(exports(True)).codes == []
    (integration,) = rig.tenant.snapshot()["integrations"]
    assert integration["jobs"][0]["targets"][0]["overwrite"] is True


def test_a_service_that_fails_each_time_leaves_a_creation_open(rig: Rig) -> None:
    """It may come yet, so it stays in the state until the next run has looked."""
    rig.tenant.fault("status", "POST", "/2/0/integrations")
    run = rig.apply(CLOSE)
    assert (run.codes, len(run.result.calls)) == (["CW310"], 3)
    assert [intent.address for intent in rig.state.pending.values()] == ["integration.close"]
    rig.tenant.mend()
    again = rig.apply(CLOSE)
    assert again.codes == []
    assert again.recovered.notes == ("integration.close: the create of an earlier run was not done",)


def test_a_service_that_fails_each_time_leaves_a_change_undone(rig: Rig) -> None:
    rig.apply(CLOSE)
    rig.tenant.fault("status", "PUT", "/2/0/integrations")
    run = rig.apply(OTHERWISE)
    assert (run.codes, len(run.result.calls), rig.state.pending) == (["CW310"], 3, {})


def test_where_the_tenant_cannot_be_read_the_next_run_finds_out(rig: Rig) -> None:
    rig.tenant.fault("drop-after", "POST", CONNECTIONS, nth=1)
    lost = once(lambda: rig.tenant.fault("status", "GET", CONNECTIONS, status=403))
    rig.after = lost
    rig.tenant.mend()
    rig.tenant.fault("drop-after", "POST", CONNECTIONS, nth=1)
    rig.before = once(lambda: rig.tenant.fault("status", "GET", CONNECTIONS, status=403))
    manifest: Manifest = {"connections": {"sales": s3()}}
    run = rig.apply(manifest)
    assert run.codes == ["CW313"]
    assert "cannot be read" in run.result.problems[0].message
    rig.tenant.mend()
    again = rig.apply(manifest)
    assert (again.codes, rig.tenant.names("connections")) == ([], ["Sales"])
    assert again.recovered.notes == ("connection.sales: the create of an earlier run was done",)


def test_what_the_service_refuses_is_no_riddle(rig: Rig) -> None:
    """Only its dependents are skipped, and nothing stays open."""
    (rig.folder / "secret").write_text("invalid-secret")
    run = rig.apply(
        {"connections": {"sales": s3()}, "integrations": {"a": imports("sales"), **CLOSE["integrations"]}}
    )
    assert run.codes == ["CW305"]
    assert [one.address for one in run.result.applied] == ["integration.close"]
    assert [(one.address, one.blocked_by) for one in run.result.skipped] == [
        ("integration.a", "connection.sales")
    ]
    assert rig.state.pending == {}
