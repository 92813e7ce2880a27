"""What a plan reaches beyond its own changes: runs that go on, steps of flows, schedules that nobody manages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from unit.plan.scene import World, after, id_for, imports, plan, s3, sections, stranger

from cwsync.kinds import ChangeLists, Observed, Removed
from cwsync.plan import Blast, Plan, Selection, StepEffect

THREE = {"connections": s3("sales"), "integrations": "".join(imports(one, "sales") for one in "abc")}
CHAIN = "  nightly: {name: Nightly load, steps: [{integration: a}, {integration: b}, {integration: c}]}\n"
DAILY = "  a: {}\n"
BOB = "  a: {channels: [email], notify: {full_failure: [bob]}}\n"


def text(**other: str) -> str:
    return sections(**{**THREE, "flows": CHAIN, **other})


def without(key: str) -> str:
    return "".join(imports(one, "sales") for one in "abc" if one != key)


def steps(of: Plan) -> list[tuple[int, str, str]]:
    (flow,) = of.blast.flows
    return [(one.position, one.integration, one.what) for one in flow.steps]


def running(world: World, *addresses: str) -> World:
    """The same world, in which these run."""
    return world.put(
        *(
            replace(one, running=True)
            for address in addresses
            if (one := world.snapshot.get(address.partition(".")[0], id_for(address)))
        )
    )


def touched(of: Plan) -> dict[str, tuple[str, ...]]:
    return {one.label: one.because for one in of.blast.running}


def test_nothing_is_reached_by_a_plan_without_changes() -> None:
    world = running(after(text()), "integration.a", "flow.nightly")
    assert plan(text(), world).blast == Blast()


def test_a_flow_that_loses_its_middle_step() -> None:
    of = plan(
        text(
            integrations=without("b"),
            flows="  nightly: {name: Nightly load, steps: [{integration: a}, {integration: c}]}\n",
        ),
        after(text()),
    )
    (flow,) = of.blast.flows
    assert (flow.label, flow.name) == ("flow.nightly", "Nightly load")
    lost, waits = flow.steps
    assert lost == StepEffect(2, "integration.b", "lost")
    assert waits == StepEffect(3, "integration.c", "waits", ("integration.b",), ("integration.a",))


def test_a_step_that_is_skipped_from_now_on() -> None:
    skipped = CHAIN.replace("{integration: c}", "{integration: c, skip: true}")
    four = skipped.replace("]}", ", {integration: d}]}")
    more = THREE["integrations"] + imports("d", "sales")
    before = text(integrations=more, flows=CHAIN.replace("]}", ", {integration: d}]}"))
    of = plan(text(integrations=more, flows=four), after(before))
    assert steps(of) == [(3, "integration.c", "skipped")]


def test_a_step_that_is_made_anew_is_not_lost() -> None:
    of = plan(text(), after(text()), selection=Selection(replace=("integration.b",)))
    assert steps(of) == [(2, "integration.b", "made anew")]


def test_a_step_that_is_no_longer_managed() -> None:
    two = CHAIN.replace("{integration: b}", "{integration: {name: b}}")
    two = two.replace("{integration: c}", "{integration: c, dependsOn: [{name: b}]}")
    lists = ChangeLists(removed=(Removed("integration.b"),))
    of = plan(text(integrations=without("b"), flows=two), after(text()), lists=lists)
    assert steps(of) == [(2, "integration.b", "no longer managed")]


def test_a_new_step_at_the_end_takes_nothing_from_anybody() -> None:
    more = THREE["integrations"] + imports("d", "sales")
    of = plan(text(integrations=more, flows=CHAIN.replace("]}", ", {integration: d}]}")), after(text()))
    assert of.blast.flows == ()


def test_a_flow_that_is_not_managed_loses_a_step() -> None:
    step = {"dependsOn": [], "skip": False, "onFailure": "stop", "onPartialSuccess": "continue"}
    theirs = stranger(
        "flow",
        "Weekly",
        steps=[{"integration": id_for("integration.b"), **step}, {"integration": "8" * 32, **step}],
    )
    world = after(sections(**THREE)).put(theirs)
    for of in (
        plan(sections(**{**THREE, "integrations": without("b")}), world),
        plan(sections(**THREE), world, selection=Selection(replace=("integration.b",))),
    ):
        (flow,) = of.blast.flows
        assert (flow.label, flow.name) == ("flow Weekly", "Weekly")
        assert flow.steps == (StepEffect(1, "integration.b", "lost"),)


@pytest.mark.parametrize(
    ("gone", "how", "told"),
    [
        (True, {}, "lost"),
        (False, {"selection": Selection(replace=("integration.a",))}, "lost"),
        (True, {"lists": ChangeLists(removed=(Removed("integration.a"),))}, "no longer managed"),
    ],
)
def test_what_becomes_of_a_step_is_told_also_where_its_schedule_is_managed(
    gone: bool, how: dict[str, Any], told: str
) -> None:
    """A schedule has the id of its integration."""
    step = {"dependsOn": [], "skip": False, "onFailure": "stop", "onPartialSuccess": "continue"}
    both = [{"integration": id_for(f"integration.{key}"), **step} for key in "ab"]
    parts = {"schedules": DAILY, "notifications": BOB}
    world = after(sections(**THREE, **parts)).put(stranger("flow", "Weekly", steps=both))
    of = plan(
        sections(**{**THREE, "integrations": without("a")} if gone else {**THREE, **parts}), world, **how
    )
    assert {"schedule.a", "notification.a"} <= {one.address for one in of.changes if one.action != "no-op"}
    assert steps(of) == [(1, "integration.a", told)]


def test_a_flow_that_goes_loses_no_step() -> None:
    assert plan(sections(connections=THREE["connections"]), after(text())).blast.flows == ()


@pytest.mark.parametrize(
    ("changed", "because"),
    [
        ({"integrations": without("a") + imports("a", "sales", nuxVisible="true")}, "integration.a"),
        ({"schedules": "  a: {time: 09:30}\n"}, "schedule.a"),
        ({"notifications": BOB.replace("bob", "alice")}, "notification.a"),
        ({"connections": s3("sales", name="Other")}, "connection.sales"),
    ],
)
def test_what_touches_an_integration_that_runs(changed: dict[str, str], because: str) -> None:
    whole = {"schedules": DAILY, "notifications": BOB}
    world = running(after(text(**whole)), "integration.a")
    assert touched(plan(text(**{**whole, **changed}), world)) == {"integration.a": (because,)}


def test_a_flow_touches_itself_and_its_steps() -> None:
    world = running(after(text()), "integration.c", "flow.nightly")
    of = plan(text(flows=CHAIN.replace("Nightly load", "Daily load")), world)
    assert touched(of) == {"flow.nightly": ("flow.nightly",), "integration.c": ("flow.nightly",)}


def test_what_runs_and_is_left_alone_is_not_told() -> None:
    world = running(after(text()), "integration.b")
    changed = without("a") + imports("a", "sales", nuxVisible="true")
    assert (
        touched(
            plan(
                sections(**{**THREE, "integrations": changed}),
                running(after(sections(**THREE)), "integration.b"),
            )
        )
        == {}
    )
    assert touched(plan(text(integrations=changed), world)) == {}


def test_whether_it_runs_does_not_make_it_another_plan() -> None:
    changed = text(integrations=without("a") + imports("a", "sales", nuxVisible="true"))
    world = after(text())
    quiet, busy = plan(changed, world), plan(changed, running(world, "integration.a"))
    assert quiet.digest == busy.digest
    assert quiet.blast != busy.blast


def test_a_schedule_that_nobody_manages_goes_with_its_integration() -> None:
    world = after(sections(**THREE))
    id = id_for("integration.b")
    daily = {"integration": id, "type": "daily", "time": "02:15", "startDate": "2029-01-01"}
    theirs = Observed(
        "schedule", id, "By hand", {**daily, "timezone": "Greenwich", "enabled": True}, parent=id
    )
    of = plan(sections(**{**THREE, "integrations": without("b")}), world.put(theirs))
    (lost,) = of.blast.schedules
    assert (lost.name, lost.fields["time"], lost.because) == ("By hand", "02:15", "integration.b")
    managed = after(sections(**THREE, schedules="  b: {}\n"))
    assert plan(sections(**{**THREE, "integrations": without("b")}), managed).blast.schedules == ()
