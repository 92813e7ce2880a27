"""Nothing goes before what takes its place is there; names that are exchanged; schedules that pause."""

from __future__ import annotations

from typing import Any

import pytest
from unit.apply.rig import (
    ALICE,
    Manifest,
    Rig,
    azure,
    daily,
    everything,
    flow,
    imports,
    notify,
    process,
    s3,
)

CONNECTIONS, INTEGRATIONS = "/2/0/integrations/connections", "/2/0/integrations"


def calls(rig: Rig, manifest: Manifest) -> list[str]:
    """`ACTION ADDRESS` of what one more apply sends, all of which must be done; another one then sends nothing."""
    run = rig.apply(manifest)
    assert (set(run.codes) - {"CW516"}, run.verified.problems) == (set(), ())
    assert {call.outcome for call in run.result.calls} <= {"done"}
    assert rig.mutations_of(lambda: rig.apply(manifest)) == []
    return [f"{call.action} {call.address}" for call in run.result.calls]


def refuse(rig: Rig, method: str, path: str, **more: Any) -> None:
    rig.tenant.fault("status", method, path, status=400, message="Invalid request body", **more)


# What takes the place of something else cannot be made


OTHER_KEY: dict[str, tuple[Manifest, Manifest, str]] = {
    "another key": ({"connections": {"old": s3()}}, {"connections": {"new": s3()}}, CONNECTIONS),
    "another key and type": ({"connections": {"old": s3()}}, {"connections": {"new": azure("Sales")}}, CONNECTIONS),
    "another key and name": ({"connections": {"old": s3()}}, {"connections": {"new": s3("Other")}}, CONNECTIONS),
    "a process": ({"integrations": {"old": process()}}, {"integrations": {"new": process()}}, INTEGRATIONS),
    "replaced": ({"connections": {"a": s3()}}, {"connections": {"a": azure("Lake")}}, CONNECTIONS),
}  # fmt: skip


@pytest.mark.parametrize("story", OTHER_KEY)
def test_what_goes_is_there_while_what_takes_its_place_is_not(rig: Rig, story: str) -> None:
    before, after, path = OTHER_KEY[story]
    kind = next(iter(before))
    rig.apply(before)
    (old,) = _ids(rig, kind)
    refuse(rig, "POST", path)
    for _ in range(3):  # whatever the first apply did, no later one may delete it either
        run = rig.apply(after)
        assert "CW305" in run.codes
        assert "DELETE" not in {call.method for call in run.result.calls}
        assert _ids(rig, kind) == {old}
    managed = {entry.id for entry in rig.state.resources.values()} | {one.id for one in rig.state.deposed}
    assert managed == {old}
    rig.tenant.mend()
    calls(rig, after)
    (new,) = _ids(rig, kind)
    assert new != old
    assert (len(rig.state.resources), rig.state.deposed) == (1, ())


def _ids(rig: Rig, kind: str) -> set[str]:
    key = {"connections": "connectionId", "integrations": "integrationId"}[kind]
    return {each[key] for each in rig.tenant.snapshot()[kind]}


def test_the_parts_of_an_integration_are_there_while_those_of_its_heir_are_not(rig: Rig) -> None:
    before, after = everything(), everything()
    before["schedules"]["accounts"] = daily()
    after["integrations"]["load"] = after["integrations"].pop("accounts")
    after["schedules"] = {"load": daily()}
    after["notifications"] = {"load": notify(success=[ALICE])}
    after["flows"] = {"nightly": flow("load", "close")}
    rig.apply(before)
    refuse(rig, "POST", "*/schedule")
    for _ in range(2):
        rig.apply(after)
        (old,) = [
            one for one in rig.tenant.snapshot()["integrations"] if one["name"].startswith("Accounts r")
        ]
        assert old["schedule"]["status"] == "Active"
    rig.tenant.mend()
    calls(rig, after)
    assert rig.tenant.names("integrations") == ["Accounts", "Close"]


def test_a_taken_name_is_free_before_and_taken_before_the_old_one_goes(rig: Rig) -> None:
    rig.apply({"connections": {"a": s3("Sales"), "b": s3("Stock")}})
    assert calls(rig, {"connections": {"b": s3("Sales")}}) == [
        "set aside connection.a",
        "rename connection.b",
        "delete connection.a",
    ]


def test_even_the_name_of_what_was_set_aside_may_be_taken(rig: Rig) -> None:
    """It makes room once more, and belongs to the address that it had."""
    rig.apply({"connections": {"a": s3()}})
    refuse(rig, "POST", CONNECTIONS)
    rig.apply({"connections": {"b": s3()}})
    (aside,) = rig.state.deposed
    manifest: Manifest = {"connections": {"b": s3(), "c": azure(aside.name)}}
    rig.apply(manifest)
    (again,) = rig.state.deposed
    assert (again.address, again.id) == ("connection.a", aside.id)
    assert rig.tenant.names("connections") == [again.name] != [aside.name]
    rig.tenant.mend()
    assert calls(rig, manifest)[:2] == ["create connection.b", "create connection.c"]
    assert rig.state.deposed == ()
    assert rig.tenant.names("connections") == sorted(["Sales", aside.name])


# Names that are exchanged


def connections(one: str, two: str, three: str) -> Manifest:
    return {"connections": {"a": s3(one), "b": s3(two), "c": azure(three)}}


def integrations(one: str, two: str, three: str) -> Manifest:
    made = {"a": imports("sales", one), "b": process(two), "c": imports("sales", three, file="c.csv")}
    return {"connections": {"sales": s3()}, "integrations": made}


def flows(one: str, two: str, three: str) -> Manifest:
    steps = {key: process(key, processId=f"11800000000{at}") for at, key in enumerate("xyz")}
    made = {"a": flow("x", "y", name=one), "b": flow("y", "z", name=two), "c": flow("x", "z", name=three)}
    return {"integrations": steps, "flows": made}


@pytest.mark.parametrize("manifest", [connections, integrations, flows])
@pytest.mark.parametrize(
    ("names", "keys"), [("BAC", "aba"), ("BCA", "acba"), ("CBA", "aca")], ids=["two", "three", "ends"]
)
def test_names_are_exchanged_through_a_temporary_one(rig: Rig, manifest: Any, names: str, keys: str) -> None:
    rig.apply(manifest("A", "B", "C"))
    before = {entry.id: at for at, entry in rig.state.resources.items()}
    kind, action = ("connection", "rename") if manifest is connections else (manifest.__name__[:-1], "update")
    first, rest = keys[0], keys[1:]
    seen: list[list[str]] = []
    rig.after = lambda _: seen.append(rig.tenant.names(f"{kind}s"))
    assert calls(rig, manifest(*names)) == [
        f"rename temporarily {kind}.{first}",
        *(f"{action} {kind}.{key}" for key in rest),
    ]
    assert f"A temporary {_id(rig, f'{kind}.a')[:8]}" in seen[0]
    assert {entry.id: at for at, entry in rig.state.resources.items()} == before
    assert [rig.state.resources[f"{kind}.{key}"].name for key in "abc"] == [*names]
    goal = rig.shape()
    rig.before = rig.after = lambda _: None
    rig.apply({})
    rig.apply(manifest(*names))
    assert rig.shape() == goal


def _id(rig: Rig, address: str) -> str:
    return rig.state.resources[address].id


def test_a_swap_with_other_changes_and_a_long_name(rig: Rig) -> None:
    """The temporary name has 60 characters at the most; a secret-bearing update gives the last one."""
    long = "A name that is as long as any name may be which is sixty all"
    assert len(long) == 60
    rig.apply({"connections": {"a": s3(long), "b": s3("B")}})
    seen: list[str] = []
    rig.after = lambda _: seen.extend(rig.tenant.names("connections"))
    assert calls(rig, {"connections": {"a": s3("B", bucketName="other"), "b": s3(long)}}) == [
        "rename temporarily connection.a",
        "rename connection.b",
        "update connection.a",
    ]
    assert max(map(len, seen)) == 60
    assert {each["body"]["bucketName"] for each in rig.tenant.snapshot()["connections"]} == {
        "landing",
        "other",
    }


def test_a_swap_that_fails_halfway_is_ended_by_plain_renames(rig: Rig) -> None:
    rig.apply(connections("A", "B", "C"))
    refuse(rig, "PATCH", CONNECTIONS, nth=2)
    run = rig.apply(connections("B", "A", "C"))
    assert [outcome.address for outcome in run.result.failed] == ["connection.b"]
    assert rig.state.resources["connection.a"].name.startswith("A temporary ")
    assert rig.tenant.names("connections")[0] == rig.state.resources["connection.a"].name
    rig.tenant.mend()
    assert calls(rig, connections("B", "A", "C")) == ["rename connection.b", "rename connection.a"]


# Schedules that pause while their integration is changed


def scheduled(file: str = "a.csv", **more: Any) -> Manifest:
    return {
        "connections": {"sales": s3()},
        "integrations": {"accounts": imports("sales", file=file)},
        "schedules": {"accounts": daily(**more)},
    }


def _status(rig: Rig) -> str:
    (found,) = rig.tenant.snapshot()["integrations"]
    status: str = found["schedule"].get("status", "Active")
    return status


@pytest.mark.parametrize("more", [{}, {"time": "13:00"}])
def test_a_schedule_is_off_while_its_integration_is_changed(rig: Rig, more: dict[str, str]) -> None:
    rig.apply(scheduled())
    seen: list[tuple[str, str]] = []
    rig.before = lambda request: seen.append((request.method, _status(rig)))
    changed = [f"update schedule.{key}" for key in ("accounts",) if more]
    assert calls(rig, scheduled("b.csv", **more)) == [
        "disable schedule.accounts",
        "update integration.accounts",
        *changed,
        "enable schedule.accounts",
    ]
    assert seen == [
        ("POST", "Active"),
        ("PUT", "Inactive"),
        *[("PUT", "Inactive")] * len(changed),
        ("POST", "Inactive"),
    ]
    assert _status(rig) == "Active"
    assert rig.state.resources["schedule.accounts"].applied["enabled"] is True


@pytest.mark.parametrize("more", [{}, {"time": "13:00"}])
def test_what_is_refused_leaves_no_schedule_disabled(rig: Rig, more: dict[str, str]) -> None:
    """The integration is as it was, so it runs when it did: nobody misses a load for a change that was not made."""
    rig.apply(scheduled())
    refuse(rig, "PUT", INTEGRATIONS)
    run = rig.apply(scheduled("b.csv", **more))
    assert [(call.action, call.outcome) for call in run.result.calls] == [
        ("disable", "done"),
        ("update", "refused"),
        ("enable", "done"),
    ]
    assert [outcome.address for outcome in run.result.failed] == ["integration.accounts"]
    assert [outcome.address for outcome in run.result.skipped] == ["schedule.accounts"] * len(more)
    assert "disabled" not in str([*run.result.problems, *run.result.skipped])
    assert _status(rig) == "Active"
    assert rig.state.resources["schedule.accounts"].applied["enabled"] is True
    rig.tenant.mend()
    assert f"update {'schedule' if more else 'integration'}.accounts" in calls(
        rig, scheduled("b.csv", **more)
    )


def test_a_refused_schedule_is_enabled_as_it_was(rig: Rig) -> None:
    rig.apply(scheduled())
    refuse(rig, "PUT", "*/schedule")
    run = rig.apply(scheduled("b.csv", time="13:00"))
    assert [call.action for call in run.result.calls] == ["disable", "update", "update", "enable"]
    assert [outcome.address for outcome in run.result.failed] == ["schedule.accounts"]
    assert _status(rig) == "Active"


def test_a_schedule_stays_disabled_where_its_integration_may_still_be_changed(rig: Rig) -> None:
    rig.apply(scheduled())
    rig.tenant.fault("status", "PUT", INTEGRATIONS, status=500)
    run = rig.apply(scheduled("b.csv"))
    assert run.result.calls[-1].outcome == "unknown"
    (skipped,) = run.result.skipped
    assert (skipped.address, skipped.action, skipped.blocked_by) == (
        "schedule.accounts",
        "no-op",
        "integration.accounts",
    )
    assert skipped.detail == (
        "integration.accounts failed; it is disabled now, and the next apply enables it"
    )
    assert rig.state.resources["schedule.accounts"].applied["enabled"] is False
    rig.tenant.mend()
    assert calls(rig, scheduled("b.csv")) == ["update integration.accounts", "enable schedule.accounts"]
    assert _status(rig) == "Active"


def test_a_schedule_that_could_not_be_enabled_again_says_so(rig: Rig) -> None:
    rig.apply(scheduled())
    refuse(rig, "POST", "*/status/enabled")
    run = rig.apply(scheduled("b.csv"))
    (failed,) = run.result.failed
    assert failed.address == "schedule.accounts"
    (problem,) = [one for one in run.result.problems if one.address == "schedule.accounts"]
    assert (problem.hint or "").endswith("it is disabled now, and the next apply enables it")
    rig.tenant.mend()
    assert calls(rig, scheduled("b.csv")) == ["enable schedule.accounts"]


def test_an_integration_whose_schedule_cannot_be_disabled_is_not_changed(rig: Rig) -> None:
    rig.apply(scheduled())
    refuse(rig, "POST", "*/status/disabled")
    run = rig.apply(scheduled("b.csv"))
    assert [call.action for call in run.result.calls] == ["disable"]
    assert [outcome.address for outcome in run.result.failed] == ["schedule.accounts"]
    assert [outcome.address for outcome in run.result.skipped] == ["integration.accounts"]
    assert (run.result.problems[0].hint or "").find("disabled now") == -1
