"""The blast radius in every report: next firings, steps of flows, and what runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from unit.plan.scene import World, after, id_for, imports, plan, s3, sections

from cwsync.kinds import Fields, Observed
from cwsync.plan import Plan, Selection
from cwsync.plan.saved import SavedPlan, from_text
from cwsync.report.document import plan_json
from cwsync.report.html import plan_html
from cwsync.report.markdown_plan import plan_markdown
from cwsync.report.plan import plan_text
from cwsync.report.risks import risks

NOW = datetime(2029, 6, 15, 12, 0, tzinfo=UTC)  # a Friday
BASE = {"connections": s3("sales"), "integrations": "".join(imports(one, "sales") for one in "abc")}
FLOW = "  nightly: {name: Nightly load, steps: [{integration: a}, {integration: b}, {integration: c}]}\n"
STARTED = "startDate: 2029-01-01"


def text(schedules: str = "", flows: str = "") -> str:
    return sections(**BASE, schedules=schedules, flows=flows)


def changed(before: str, now: str) -> Plan:
    """The plan from one schedule of `a` to another."""
    was, will = (text(f"  a: {{{STARTED}, {one}}}\n" if one else "") for one in (before, now))
    return plan(will, after(was))


def schedules(of: Plan) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(plan_json(of, NOW))["cwsync"]["blast_radius"]["schedules"]
    return found


def lines(of: Plan) -> list[str]:
    return plan_text(of, color=False, now=NOW).splitlines()


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ("", "time: 09:30", "Sat 2029-06-16 09:30+00:00 Greenwich"),
        ("", "enabled: false", "none (it is disabled)"),
        ("enabled: false", "", "none (it is disabled)"),
        ("time: 09:30", "", "Sat 2029-06-16 09:30+00:00 Greenwich -> none"),
        ("time: 09:30", "time: 15:00", "Sat 2029-06-16 09:30+00:00 Greenwich -> Fri 2029-06-15 15:00+00:00 Greenwich"),
        ("time: 09:30", "time: 09:30, daysOfWeek: [sat]", "Sat 2029-06-16 09:30+00:00 Greenwich, as before"),
        ("enabled: false", "enabled: true", "none (it is disabled) -> Fri 2029-06-15 12:45+00:00 Greenwich"),
        ("time: 20:00", "time: 20:00, timezone: America/New_York",
         "Fri 2029-06-15 20:00+00:00 Greenwich -> Fri 2029-06-15 20:00-04:00 America/New_York (Sat 00:00 UTC)"),
        ("time: 15:00", "time: 15:00, timezone: Europe/Paris",
         "Fri 2029-06-15 15:00+00:00 Greenwich -> Fri 2029-06-15 15:00+02:00 Europe/Paris (13:00 UTC)"),
        ("time: 15:00", "time: 15:00, endDate: 2029-06-14",
         "Fri 2029-06-15 15:00+00:00 Greenwich -> none (it ends on 2029-06-14, and no day is left)"),
    ],
)  # fmt: skip
def test_when_a_schedule_fires_next(before: str, now: str, told: str) -> None:
    of = changed(before, now)
    shown = lines(of)
    assert f"  schedule.a: {told}" in shown
    assert shown.index("When schedules fire next:") < shown.index(f"  schedule.a: {told}")
    (item,) = [item for risk in risks(of, NOW) if risk.title == "Schedules" for item in risk.items]
    assert item[2].endswith(f"next: {told}") == ("20" in told)


def test_the_same_for_programs() -> None:
    (moved,) = schedules(changed("time: 09:30", "time: 15:00, timezone: Europe/Paris"))
    assert moved == {
        "address": "schedule.a",
        "name": "a",
        "before": "2029-06-16T09:30+00:00",
        "after": "2029-06-15T15:00+02:00",
        "before_reason": None,
        "after_reason": None,
        "paused": False,
        "managed": True,
    }
    (new,) = schedules(changed("", "enabled: false"))
    assert (new["before"], new["before_reason"]) == (None, "it is new")
    assert (new["after"], new["after_reason"]) == (None, "it is disabled")
    (gone,) = schedules(changed("time: 09:30", ""))
    assert (gone["after"], gone["after_reason"]) == (None, "it is deleted")


def test_without_a_moment_nothing_is_said_of_firings() -> None:
    of = changed("time: 09:30", "time: 15:00")
    assert "fire next" not in plan_text(of, color=False)
    assert json.loads(plan_json(of))["cwsync"]["blast_radius"]["schedules"] == []


def test_a_schedule_that_is_left_alone_is_not_told() -> None:
    assert schedules(changed("time: 09:30", "time: 09:30")) == []


def test_a_schedule_that_is_paused_tells_what_could_be_missed() -> None:
    whole = text(f"  a: {{{STARTED}}}\n")
    moved = whole.replace("file: a.csv", "file: b.csv", 1)
    of = plan(moved, after(whole))
    (one,) = schedules(of)
    assert (one["paused"], one["before"], one["after"]) == (
        True,
        "2029-06-15T12:45+00:00",
        "2029-06-15T12:45+00:00",
    )
    told = "  schedule.a: Fri 2029-06-15 12:45+00:00 Greenwich, as before; paused during the apply"
    assert told in lines(of)
    (item,) = [item for risk in risks(of, NOW) if risk.title.startswith("Paused") for item in risk.items]
    assert "next: Fri 2029-06-15 12:45+00:00 Greenwich" in item[2]


def test_two_schedules_of_one_name_that_go_with_their_integrations() -> None:
    daily: Fields = {
        "type": "daily",
        "time": "02:15",
        "startDate": "2029-01-01",
        "timezone": "Greenwich",
        "enabled": True,
    }
    ids = [id_for(f"integration.{key}") for key in "bc"]
    theirs = [Observed("schedule", id, "By hand", {**daily, "integration": id}, parent=id) for id in ids]
    rest = sections(connections=BASE["connections"], integrations=imports("a", "sales"))
    of = plan(rest, after(text()).put(*theirs))
    for key in "bc":
        told = f"  schedule By hand, not managed, goes with integration.{key}: "
        assert f"{told}Sat 2029-06-16 02:15+00:00 Greenwich -> none" in lines(of)
    assert [(one["address"], one["managed"]) for one in schedules(of)] == [("schedule By hand", False)] * 2
    (risk,) = [risk for risk in risks(of, NOW) if risk.title == "Schedules"]
    assert len(risk.items) == 2


def lost_and_running() -> Plan:
    two = "  nightly: {name: Nightly load, steps: [{integration: a}, {integration: c}]}\n"
    world = after(text(flows=FLOW))
    busy = world.snapshot.get("integration", id_for("integration.a"))
    assert busy is not None
    rest = {**BASE, "integrations": "".join(imports(one, "sales") for one in "ac")}
    return plan(sections(**rest, flows=two), world.put(replace(busy, running=True)))


STEPS = "loses step 2, integration.b; step 3, integration.c, waits for integration.a instead of integration.b"


def test_what_flows_lose_and_what_runs() -> None:
    of = lost_and_running()
    shown = lines(of)
    flow = shown.index("Flows that lose a step, or run otherwise than before:")
    assert shown[flow + 1] == f"  flow.nightly: {STEPS}"
    runs = shown.index("Running when the tenant was read (apply --wait-running waits for the end):")
    assert shown[runs + 1] == "  integration.a: in the way of flow.nightly"
    assert [(risk.title, risk.items) for risk in risks(of) if risk.title in ("Flows", "Running")] == [
        ("Flows", (("flow.nightly", "Nightly load", STEPS),)),
        ("Running", (("integration.a", "", "in the way of flow.nightly"),)),
    ]
    radius = json.loads(plan_json(of))["cwsync"]["blast_radius"]
    assert radius["running"] == [
        {
            "address": "integration.a",
            "kind": "integration",
            "id": id_for("integration.a"),
            "because": ["flow.nightly"],
        }
    ]
    (told,) = radius["flows"]
    assert (told["address"], told["name"]) == ("flow.nightly", "Nightly load")
    assert [(step["position"], step["effect"]) for step in told["steps"]] == [(2, "lost"), (3, "waits")]
    assert (told["steps"][1]["waits_before"], told["steps"][1]["waits_after"]) == (
        ["integration.b"],
        ["integration.a"],
    )


@pytest.mark.parametrize("render", [plan_html, lambda of, now: plan_markdown(of, "cwsync plan", now)])
def test_a_reviewer_sees_it_first(render: Callable[[Plan, datetime], str]) -> None:
    shown = render(lost_and_running(), NOW)
    first = shown.index("Look at this first")
    for said in ("loses step 2", "Running", "--wait-running"):
        assert first < shown.index(said) < shown.index("Summary<" if "<html" in shown else "### Summary")
    assert "Fri 2029-06-15 15" in render(changed("time: 09:30", "time: 15:00"), NOW)


def test_a_saved_plan_keeps_it_and_shows_firings_as_of_now() -> None:
    def kept(of: Plan) -> Plan:
        return from_text(SavedPlan(of, of.digest, NOW, {}, {}, None, 0).to_text(), "a.plan").plan

    for of in (lost_and_running(), plan(text(), World(), selection=Selection())):
        assert kept(of).blast == of.blast
    later = NOW.replace(day=20)
    told = plan_text(kept(changed("", "time: 09:30")), color=False, now=later)
    assert "  schedule.a: Thu 2029-06-21 09:30+00:00 Greenwich" in told
    saved = kept(changed("", "time: 09:30"))
    assert "2029-06-16" not in SavedPlan(saved, saved.digest, NOW, {}, {}, None, 0).to_text()


def test_names_from_the_tenant_command_no_terminal() -> None:
    world = after(text(flows=FLOW))
    id = id_for("flow.nightly")
    evil = world.snapshot.get("flow", id)
    assert evil is not None
    world = world.put(
        replace(evil, id="7" * 32, name="\x1b[2J", fields={**(evil.fields or {}), "name": "\x1b[2J"})
    )
    rest = sections(
        connections=BASE["connections"], integrations="".join(imports(one, "sales") for one in "ac")
    )
    of = plan(rest, world)
    assert any(flow.name == "\x1b[2J" for flow in of.blast.flows)
    for shown in (
        plan_text(of, color=False, now=NOW),
        plan_markdown(of, "x", NOW),
        plan_html(of, NOW),
        plan_json(of, NOW),
    ):
        assert "\x1b" not in shown


def test_of_many_schedules_the_text_tells_some_and_those_first_that_there_are_already() -> None:
    names = [f"n{number:02}" for number in range(30)]
    integrations = "".join("".join(imports(one, "sales")) for one in ["z", *names])
    base = {"connections": s3("sales"), "integrations": integrations}
    daily = f"{{{STARTED}, type: daily, timezone: Greenwich, time: 09:30}}"
    was = sections(**base, schedules=f"  z: {daily}\n")
    will = sections(
        **base,
        schedules=f"  z: {daily.replace('09:30', '10:30')}\n"
        + "".join(f"  {one}: {daily}\n" for one in names),
    )
    many = plan(will, after(was))

    told = [line for line in lines(many) if line.startswith("  schedule.") and "Greenwich" in line]
    everything = plan_text(many, color=False, now=NOW, verbose=True).splitlines()

    assert told[0].startswith("  schedule.z: ")
    assert len(told) == 20
    assert "  and 11 more (-v tells them all)" in lines(many)
    assert len([line for line in everything if line.startswith("  schedule.") and "Greenwich" in line]) == 31
