"""The example of policies: cwsync's own and the Rego for conftest, evaluated by an engine for it, say the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from regopy import Interpreter  # type: ignore[import-untyped]  # it ships no types
from support.projects import EXAMPLES, Project, example

RULES = (EXAMPLES / "policies/policy/cloudworks.rego").read_text(encoding="utf-8")
Said = dict[str, set[str]]


def by_rego(plan: str) -> Said:
    engine = Interpreter()
    engine.add_module("cloudworks.rego", RULES)
    engine.set_input(json.loads(plan))
    return {name: _texts(engine, name) for name in ("deny", "warn")}


def _texts(engine: Interpreter, name: str) -> set[str]:
    (found,) = json.loads(str(engine.query(f"data.main.{name}")))["expressions"]
    return set(found)


def by_cwsync(plan: str) -> Said:
    said: Said = {"deny": set(), "warn": set()}
    for one in json.loads(plan)["cwsync"]["policies"]:
        if one["level"] != "allowed":
            said[one["level"]].add(f"{one['policy']}: {one['address']}")
    return said


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return example("policies", tmp_path)


def both(project: Project, *arguments: str) -> Said:
    ran = project.run("plan", "--format", "json", *arguments)
    said = by_cwsync(ran.out)
    assert by_rego(ran.out) == said
    assert ran.status == (7 if said["deny"] else 0)
    return said


CLEAN: Said = {"deny": set(), "warn": set()}


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_example_breaks_none_of_its_policies(environment: str, project: Project) -> None:
    assert both(project, "-e", environment) == CLEAN
    assert project.run("apply", "-e", environment, "--auto-approve").status == 0
    assert both(project, "-e", environment) == CLEAN
    assert project.run("validate", "-e", environment).err == ""


EVERYTHING = {
    "connection.sales-s3", "integration.accounts", "integration.prices", "schedule.accounts", "schedule.prices",
    "notification.accounts", "flow.nightly",
}  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([], {f"no-destroy-without-a-label: {address}" for address in EVERYTHING}
         | {"connections-stay: connection.sales-s3"}),
        (["destroy-approved"], {"connections-stay: connection.sales-s3"}),
        (["platform-approved", "more"], set()),
    ],
)  # fmt: skip
def test_what_destroys(labels: list[str], said: set[str], project: Project) -> None:
    assert project.run("apply", "-e", "prod", "--auto-approve").status == 0
    given = [word for label in labels for word in ("--label", label)]
    assert both(project, "-e", "prod", "--destroy", *given)["deny"] == said
    assert both(project, "-e", "dev", "--destroy") == CLEAN


def _replaced(before: str, after: str) -> Callable[[Project], None]:
    return lambda project: project.replace("manifests/sales.yaml", before, after)


ON_WEEKDAYS = "type: daily\n    daysOfWeek: [mon, tue, wed, thu, fri]"


def _forgets(project: Project) -> None:
    text = project.read("manifests/sales.yaml")
    project.write("manifests/sales.yaml", "integrations:\n" + text.partition("integrations:\n")[2])
    project.write("manifests/lists.yaml", "removed: [{address: connection.sales-s3}]\n")
    project.write(
        "manifests/sales.yaml",
        project.read("manifests/sales.yaml").replace("connection: sales-s3", "connection: {name: Sales S3}"),
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_replaced("02:15", "06:00"), set()),
        (_replaced("02:15", "06:01"), {"quiet-hours: schedule.accounts"}),
        (_replaced("02:15", "19:59"), {"quiet-hours: schedule.accounts"}),
        (_replaced("time: 02:15", "time: 12:00\n    enabled: false"), set()),
        (_replaced("repeatEvery: 2\n    fromTime: 20:00", "repeatEvery: 1\n    fromTime: 20:30"), set()),
        (_replaced("fromTime: 20:00", "fromTime: 08:00"), {"quiet-hours: schedule.prices"}),
        (_replaced("fromTime: 20:00\n    toTime: 23:00", "fromTime: 00:09\n    toTime: 06:08"), set()),
        (
            _replaced("fromTime: 20:00\n    toTime: 23:00", "fromTime: 00:09\n    toTime: 06:09"),
            {"quiet-hours: schedule.prices"},
        ),
        (_replaced("fromTime: 20:00\n    toTime: 23:00", "fromTime: 05:59\n    toTime: 07:58"), set()),
        (_replaced("[mon, wed]", "[mon, sat]"), {"quiet-hours: schedule.prices"}),
        (_replaced("    daysOfWeek: [mon, tue, wed, thu, fri]\n", ""), {"quiet-hours: schedule.accounts"}),
        (
            _replaced("    daysOfWeek: [mon, wed]", "    daysOfWeek: [mon, wed]\n    timezone: Asia/Tokyo"),
            {"quiet-hours: schedule.prices"},
        ),
        (
            _replaced(ON_WEEKDAYS, "type: monthly_relative_weekday\n    repeatEvery: 1\n    dayOfWeek: tue"),
            set(),
        ),
        (
            _replaced(ON_WEEKDAYS, "type: monthly_relative_weekday\n    repeatEvery: 1\n    dayOfWeek: sun"),
            {"quiet-hours: schedule.accounts"},
        ),
        (
            _replaced(ON_WEEKDAYS, "type: monthly_specific_day\n    dayOfMonth: 1"),
            {"quiet-hours: schedule.accounts"},
        ),
        (_replaced("EMEA Prices", "Prices"), {"names: integration.prices"}),
        (_replaced("ACME Nightly", "An ACME nightly"), {"names: flow.nightly"}),
        (_forgets, {"connections-stay: connection.sales-s3"}),
        (
            lambda project: project.replace(
                "cwsync.yaml", "7C1F90B2A3D64E5F8091A2B3C4D5E6F7", "8C1F90B2A3D64E5F8091A2B3C4D5E6F7"
            ),
            set(),
        ),
    ],
)
def test_what_changes(change: Callable[[Project], None], said: set[str], project: Project) -> None:
    assert project.run("apply", "-e", "prod", "--auto-approve").status == 0
    change(project)
    assert both(project, "-e", "prod")["deny"] == said


def test_what_has_no_owner_is_a_warning(project: Project) -> None:
    project.replace("cwsync.yaml", "    lifecycle: {owner: team-sales}\n", "")
    assert both(project, "-e", "dev") == {"deny": set(), "warn": {"owners: integration.accounts"}}


def test_a_replacement_an_import_and_a_move(project: Project) -> None:
    assert project.run("apply", "-e", "prod", "--auto-approve").status == 0
    assert both(project, "-e", "prod", "--replace", "integration.prices")["deny"] == {
        "no-destroy-without-a-label: integration.prices",
        "no-destroy-without-a-label: schedule.prices",
    }
    project.replace("manifests/sales.yaml", "EMEA Prices import", "Prices")
    assert project.run("apply", "-e", "dev", "--auto-approve").status == 7
    assert project.run("state", "rm", "integration.prices", "-e", "prod").status == 0
    project.replace("manifests/sales.yaml", "name: Prices\n", "name: EMEA Prices import\n")
    assert both(project, "-e", "prod", "--adopt") == CLEAN
