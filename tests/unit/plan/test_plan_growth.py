"""The work of a plan grows with the project and the tenant, and not faster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import pytest
from support.counting import LINEAR, growth
from unit.plan.scene import TODAY, World, after, declared, everything_in, imports, s3, sections

from cwsync.kinds import ChangeLists, Desired, Import, Moved, Snapshot
from cwsync.plan import Plan, Selection, make_plan
from cwsync.project import Guards
from cwsync.state import State


@dataclass(frozen=True)
class Case:
    desired: Mapping[str, Desired]
    world: World
    lists: ChangeLists = field(default_factory=ChangeLists)
    selection: Selection = field(default_factory=Selection)

    def plan(self) -> Plan:
        return make_plan(
            self.desired,
            self.world.state,
            # a new one: what an old one remembers is part of the work
            Snapshot(self.world.objects, today=TODAY),
            environment="test",
            tenant="acme",
            guards=Guards(maxDeletes=1),
            lists=self.lists,
            selection=self.selection,
        )


def manifest(count: int, key: str = "r", file: str = "bucket") -> str:
    """So many connections, and as many integrations, schedules, notifications and flows."""
    keys = [f"{key}{n}" for n in range(count)]
    steps = [(one, keys[index - 1]) for index, one in enumerate(keys)]
    return sections(
        connections="".join(s3(one, roleArn=file) for one in keys),
        integrations="".join(imports(one, one) for one in keys),
        schedules="".join(f"  {one}: {{}}\n" for one in keys),
        notifications="".join(
            f"  {one}: {{channels: [email], notify: {{success: [{'alice' if file == 'bucket' else 'bob'}]}}}}\n"
            for one in keys
        ),
        flows="".join(f"  {a}: {{steps: [{{integration: {a}}}, {{integration: {b}}}]}}\n" for a, b in steps),
    )


def _new(count: int) -> Case:
    return Case(declared(manifest(count)), World())


def _same(count: int) -> Case:
    return Case(declared(manifest(count)), after(manifest(count)))


def _changed(count: int) -> Case:
    return Case(declared(manifest(count, file="other")), after(manifest(count)))


def _gone(count: int) -> Case:
    return Case({}, after(manifest(count)))


def _exchanged(count: int) -> Case:
    """All goes, and comes again under another key and name."""
    return Case(declared(manifest(count, key="s")), after(manifest(count)))


def _taken_over(count: int) -> Case:
    world = replace(after(manifest(count)), state=State("lineage", tenant="acme"))
    return Case(declared(manifest(count)), world, selection=Selection(adopt=True))


def _imported(count: int) -> Case:
    case = _taken_over(count)
    listed = tuple(
        Import(f"{one.kind}.{one.name}", name=one.name) for one in everything_in(case.world) if one.name
    )
    return replace(case, lists=ChangeLists(imports=listed[: 2 * count]), selection=Selection())


def _moved(count: int) -> Case:
    kinds = ("connection", "integration", "flow")
    moves = tuple(Moved(f"{kind}.r{n}", f"{kind}.s{n}") for kind in kinds for n in range(count))
    return Case(declared(manifest(count, key="s")), after(manifest(count)), ChangeLists(moved=moves))


def _by_name(count: int) -> Case:
    """Connections that nobody manages, referred to by their names."""
    there = after(sections(connections="".join(s3(f"r{n}") for n in range(count))))
    jobs = "".join(imports(f"r{n}", f"{{name: r{n}}}") for n in range(count))
    return Case(declared(sections(integrations=jobs)), replace(there, state=State("lineage", tenant="acme")))


CASES = (_new, _same, _changed, _gone, _exchanged, _taken_over, _imported, _moved, _by_name)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.__name__).strip("_"))
def test_four_times_as_much_is_four_times_the_work(case: Callable[[int], Case]) -> None:
    cases = {count: case(count) for count in (20, 80)}
    assert len(cases[80].plan().changes) >= 80
    assert growth(lambda count: partial(Case.plan, cases[count]), 20) <= LINEAR


def test_a_part_may_be_listed_beside_its_integration() -> None:
    """It would follow by itself: nobody need know that."""
    was = sections(connections=s3("c"), integrations=imports("a", "c"), schedules="  a: {}\n")
    now = sections(connections=s3("c"), integrations=imports("b", "c"), schedules="  b: {}\n")
    moves = (Moved("integration.a", "integration.b"), Moved("schedule.a", "schedule.b"))
    plan = Case(declared(now), after(was), ChangeLists(moved=moves)).plan()
    assert {one.address: one.previous_address for one in plan.changes if one.previous_address} == {
        "integration.b": "integration.a",
        "schedule.b": "schedule.a",
    }
