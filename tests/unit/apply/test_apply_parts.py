"""Notifications and schedules: parts of an integration, with ways of their own; and reading again what was applied."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from unit.apply.rig import ALICE, BOB, Killed, Manifest, Rig, azure, daily, notify, once, process, s3

from cwsync.apply import Executor
from cwsync.kinds import KINDS, Action, Write
from cwsync.plan import Outcome
from cwsync.state import LocalStore

CLOSE: Manifest = {"integrations": {"close": process()}}


def told(channels: list[str] | None = None, **users: list[str]) -> Manifest:
    notification = notify(**users)
    return {**CLOSE, "notifications": {"close": {**notification, "channels": channels or ["email"]}}}


def scheduled(**more: Any) -> Manifest:
    return {**CLOSE, "schedules": {"close": daily(**more)}}


def methods(rig: Rig, manifest: Manifest) -> list[str]:
    """What one more apply sends; it must come to an end."""
    run = rig.apply(manifest)
    assert (run.codes, run.verified.problems) == ([], ())
    assert rig.mutations_of(lambda: rig.apply(manifest)) == []
    return [call.method for call in run.result.calls]


def config(rig: Rig) -> Any:
    (found,) = rig.tenant.snapshot()["notifications"]
    return found["config"]


def test_the_notification_that_came_with_the_integration_is_written_over(rig: Rig) -> None:
    rig.apply(CLOSE)
    assert methods(rig, told(success=[ALICE], full_failure=[BOB])) == ["PUT"]
    assert config(rig) == {"success": [ALICE], "full_failure": [BOB]}


def test_what_a_put_cannot_take_away_is_deleted_and_made_again(rig: Rig) -> None:
    """The service's own one names its creator under full_failure."""
    rig.apply(CLOSE)
    assert methods(rig, told(success=[ALICE])) == ["DELETE", "POST"]
    assert methods(rig, told(success=[ALICE], full_failure=[BOB])) == ["PUT"]
    assert methods(rig, told(success=[ALICE, BOB], full_failure=[BOB])) == ["PUT"]
    assert methods(rig, told(["in_app"], success=[ALICE], full_failure=[BOB])) == ["PUT"]
    assert methods(rig, told(["in_app"], full_failure=[BOB])) == ["DELETE", "POST"]
    assert config(rig) == {"full_failure": [BOB]}


def test_where_a_put_merges_users_too_they_go_by_deleting(rig: Rig) -> None:
    """Nobody knows that it does (facts F6); here somebody puts them back at once."""
    rig.apply(told(full_failure=[ALICE, BOB]))
    users = {"users": {"full_failure": [ALICE, BOB]}}
    merge = once(lambda: rig.tenant.edit("update", "notification", name="Close", body=users))
    rig.after = lambda request: merge(request) if request.method == "PUT" else None
    assert methods(rig, told(full_failure=[BOB])) == ["PUT", "DELETE", "POST"]
    assert config(rig) == {"full_failure": [BOB]}


def test_where_the_integration_has_none_it_is_created(rig: Rig) -> None:
    rig.apply(CLOSE)
    rig.tenant.edit("delete", "notification", name="Close")
    assert methods(rig, told(success=[ALICE])) == ["POST"]


def test_a_managed_one_that_was_deleted_is_made_again(rig: Rig) -> None:
    rig.apply(told(success=[ALICE]))
    rig.tenant.edit("delete", "notification", name="Close")
    assert methods(rig, told(success=[ALICE])) == ["POST"]
    rig.before = once(lambda: None)
    gone = once(lambda: rig.tenant.edit("delete", "notification", name="Close"))
    rig.before_any = lambda request: gone(request) if rig.state.pending else None
    assert methods(rig, told(success=[BOB])) == ["POST"]


def test_a_service_without_notifications_of_its_own(tmp_path: Path) -> None:
    rig = Rig(tmp_path, profile="documented")
    assert methods(rig, told(success=[ALICE])) == ["POST", "POST"]
    assert methods(rig, told(success=[BOB])) == ["PUT"]
    rig.close()


def test_a_notification_that_somebody_changed_meanwhile_is_left_alone(rig: Rig) -> None:
    rig.apply(told(success=[ALICE]))
    edit = once(
        lambda: rig.tenant.edit(
            "update", "notification", name="Close", body={"users": {"full_failure": [BOB]}}
        )
    )
    rig.before_any = lambda request: edit(request) if rig.state.pending else None
    run = rig.apply(told(success=[BOB]))
    assert (run.codes, run.result.calls, rig.state.pending) == (["CW513"], (), {})


@pytest.mark.parametrize("at", range(1, 5))
def test_killed_between_deleting_and_making_again(rig: Rig, at: int) -> None:
    """Before the first request, after it, before the second, after that one."""
    rig.apply(told(success=[ALICE], full_failure=[BOB]))
    left = at

    def point(_request: httpx.Request) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed

    rig.before = rig.after = point
    with pytest.raises(Killed):
        rig.apply(told(full_failure=[BOB]))
    assert rig.apply(told(full_failure=[BOB])).codes == []
    assert rig.mutations_of(lambda: rig.apply(told(full_failure=[BOB]))) == []
    assert config(rig) == {"full_failure": [BOB]}


def test_a_start_in_the_past_becomes_the_first_day_that_is_not(rig: Rig) -> None:
    """In the schedule's own zone: at half past midnight UTC it is still yesterday in New York (facts F7)."""
    new_york = {"startDate": "2024-01-01", "timezone": "America/New_York", "time": "23:00"}
    assert methods(rig, scheduled(**new_york))[1:] == ["POST", "POST"]
    (integration,) = rig.tenant.snapshot()["integrations"]
    assert integration["schedule"]["startDate"] == "2026-11-20"
    assert methods(rig, scheduled(**{**new_york, "time": "23:30"})) == ["PUT"]
    assert methods(rig, scheduled(**{**new_york, "time": "00:15"})) == ["PUT", "PUT"]
    rig.now += 40 * 86400
    run = rig.apply(scheduled(**{**new_york, "time": "00:30"}))
    assert [call.outcome for call in run.result.calls] == ["refused", "done"]
    assert "it starts on 2026-12-31" in str(run.result.applied[0].detail)
    assert rig.mutations_of(lambda: rig.apply(scheduled(**{**new_york, "time": "00:30"}))) == []


@pytest.mark.parametrize("before", [CLOSE, scheduled(time="11:00", startDate="2026-12-01")])
def test_killed_after_a_start_was_moved_needs_nobody(rig: Rig, before: Manifest) -> None:
    rig.apply(before)
    rig.now += 40 * 86400
    after = scheduled(startDate="2026-12-01" if "schedules" in before else "2024-01-01")
    requests: list[httpx.Request] = []

    def kill(request: httpx.Request) -> None:
        requests.append(request)
        if len(requests) == 2:
            raise Killed

    rig.after = kill
    with pytest.raises(Killed):
        rig.apply(after)
    rig.after = lambda _request: None
    again = rig.apply(after)
    assert again.codes == []
    assert [note.rpartition(" ")[2] for note in again.recovered.notes] == ["done"]
    assert rig.mutations_of(lambda: rig.apply(after)) == []


def test_a_schedule_that_moves_leaves_its_old_integration(rig: Rig) -> None:
    two: Manifest = {"integrations": {"close": process(), "open": process("Open")}}
    rig.apply({**two, "schedules": {"s": daily(integration="close")}})
    run = rig.apply({**two, "schedules": {"s": daily(integration="open")}})
    assert run.codes == []
    ids = {at: entry.id for at, entry in rig.state.resources.items()}
    assert [(call.method, call.path.split("/")[2]) for call in run.result.calls] == [
        ("DELETE", ids["integration.close"]),
        ("POST", ids["integration.open"]),
    ]
    assert rig.state.resources["schedule.s"].parent == "integration.open"


def refusing(rig: Rig, *, unless: bytes, message: str) -> list[bytes]:
    """A service that refuses bodies of one spelling; what it was sent."""
    sent: list[bytes] = []

    def before(request: httpx.Request) -> None:
        sent.append(request.read())
        rig.tenant.mend()
        if unless not in sent[-1]:
            rig.tenant.fault("status", request.method, request.url.path, status=400, message=message)

    rig.before = before
    return sent


def test_the_other_spelling_of_azures_method(rig: Rig) -> None:
    sent = refusing(rig, unless=b'"auth_method"', message="Invalid request body")
    assert methods(rig, {"connections": {"lake": azure()}}) == ["POST", "POST"]
    assert methods(rig, {"connections": {"lake": azure(containerName="other")}}) == ["PUT", "PUT"]
    assert [b'"auth_method"' in body for body in sent] == [False, True] * 2


def test_the_other_form_of_a_monthly_weekday(rig: Rig) -> None:
    rig.apply(CLOSE)
    monthly = {"type": "monthly_relative_weekday", "dayOfWeek": "wed", "repeatEvery": 2}
    sent = refusing(rig, unless=b'"daysOfWeek": [3]', message="Invalid Schedule")
    assert methods(rig, scheduled(**monthly)) == ["POST", "POST"]
    assert len(sent) == 2


def test_a_refusal_that_no_other_body_helps_is_the_first_one(rig: Rig) -> None:
    rig.tenant.fault(
        "status", "POST", "/2/0/integrations/connections", status=400, message="Invalid request body"
    )
    run = rig.apply({"connections": {"lake": azure()}})
    assert run.codes == ["CW305"]
    assert [call.outcome for call in run.result.calls] == ["refused", "refused"]
    body = KINDS["connection"].to_wire(
        Write(Action.CREATE, {"type": "AzureBlob", "name": "n"}, {"sasToken": SecretStr("needle")})
    )
    assert body is not None
    assert len(KINDS["connection"].second_tries(body, "Invalid request body", datetime.now(UTC))) == 1


def test_what_was_applied_is_read_again_with_as_few_requests_as_show_it(rig: Rig) -> None:
    for n in range(3):
        rig.tenant.edit("create", "integration", body={"name": f"Theirs {n}", "processId": "1"})
    reads: list[str] = []
    rig.before_any = lambda request: reads.append(request.url.path) if request.method == "GET" else None

    def after_the_last_change(manifest: Manifest) -> list[str]:
        rig.after = lambda _request: reads.clear()
        rig.apply(manifest)
        return [path.rpartition("/2/0/")[2].partition("/")[0] + f"/{path.count('/')}" for path in reads]

    flow: Manifest = {
        "flows": {"f": {"name": "F", "steps": [{"integration": "close"}, {"integration": "open"}]}}
    }
    two: Manifest = {"integrations": {"close": process(), "open": process("Open")}}
    assert after_the_last_change(two) == ["integrations/4"] * 2
    assert after_the_last_change({**two, **flow}) == ["integrationflows/4"]
    assert after_the_last_change({**two, **flow, **scheduled(), **two}) == ["integrations/3"]
    assert after_the_last_change({**two, **flow, **scheduled(), **two, "connections": {"l": azure()}}) == [
        "integrations/4"
    ]


def test_what_the_service_made_something_else_of_is_a_warning(rig: Rig) -> None:
    edit = once(lambda: rig.tenant.edit("update", "integration", name="Close", body={"nuxVisible": True}))
    rig.after = edit
    run = rig.apply(CLOSE)
    (problem,) = run.verified.problems
    assert (problem.code, problem.severity, problem.address) == ("CW315", "warning", "integration.close")
    assert "nuxVisible" in problem.message


def test_what_cannot_be_read_again_is_a_warning(rig: Rig) -> None:
    rig.after = once(lambda: rig.tenant.fault("status", "GET", "/2/0/integrations/", status=403))
    run = rig.apply(CLOSE)
    (problem,) = run.verified.problems
    assert (problem.code, problem.severity) == ("CW315", "warning")
    assert "could not be read again" in problem.message


def test_a_schedule_in_another_status_is_put_right(rig: Rig) -> None:
    """Whether a PUT keeps the status is not known (facts F8)."""
    rig.apply(scheduled())
    off = once(lambda: rig.tenant.edit("update", "schedule", name="Close", body={"status": "Inactive"}))
    rig.after = off
    client, held = rig.client(), rig.acquire()
    executor = rig.executor(scheduled(time="13:00"), held, client)
    executor.run()
    seen = verified(executor)
    assert seen.problems == ()
    assert seen.correction is not None
    assert seen.seen is not None
    pending: list[list[str]] = []
    rig.before = lambda _request: pending.append([one.action for one in rig.state.pending.values()])
    again = Executor(
        client, held, seen.correction, executor.desired, seen.seen, {}, {}, parallelism=1, sleep=rig.sleep
    ).run()
    held.release()
    assert [call.path.rpartition("/")[2] for call in again.calls] == ["enabled"]
    assert (again.problems, pending) == ((), [["enable"]])
    assert rig.mutations_of(lambda: rig.apply(scheduled(time="13:00"))) == []


def test_a_put_that_enables_is_no_riddle_for_the_call_that_disables(tmp_path: Path) -> None:
    """The other profile's PUT makes every schedule active (facts F8), which is not somebody's doing."""
    rig = Rig(tmp_path, profile="documented")
    rig.apply(scheduled(enabled=False))
    rig.tenant.fault("drop-before", "POST", "*/disabled", nth=1)
    assert methods(rig, scheduled(enabled=False, time="13:00")) == ["PUT", "POST", "POST"]
    rig.close()


def verified(executor: Executor) -> Any:
    from cwsync.apply import verify

    applied = [Outcome(address, "update") for address in executor.held.state.resources]
    return verify(executor.client, executor.held.state, applied)


def test_a_deletion_that_the_service_only_pretends_is_told(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.apply({"connections": {"sales": s3(), "third": s3("Third")}})
    rig.tenant.fault("status", "DELETE", "/2/0/integrations/connections/*", status=204)
    run = rig.apply({"connections": {"third": s3("Third")}})
    (told,) = run.verified.problems
    assert (told.code, told.severity, told.address) == ("CW315", "warning", "connection.sales")
    assert "shows it still" in told.message
    rig.close()


def test_a_schedule_under_another_key_is_not_taken_for_the_one_that_was_deleted(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.apply(scheduled())
    run = rig.apply({**CLOSE, "schedules": {"other": daily(integration="close")}})
    assert {one.action for one in run.result.applied} == {"create", "delete"}
    assert run.verified.problems == ()
    rig.close()


def test_the_state_in_a_file_serves_as_well(tmp_path: Path) -> None:
    rig = Rig(tmp_path, store=LocalStore(tmp_path / "state.json"))
    assert methods(rig, scheduled(enabled=False)) == ["POST", "POST", "POST"]
    text = (tmp_path / "state.json").read_text()
    assert "needle" not in text
    assert methods(rig, {}) == ["DELETE", "DELETE"]
    rig.close()
