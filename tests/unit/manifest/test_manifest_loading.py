"""From files to resources: several files and documents, defaults, variables, aliases, and the order of complaints."""

from __future__ import annotations

from typing import Any

import pytest
from unit.manifest.writing import (
    ALICE,
    DAILY,
    MODEL,
    PROCESS,
    S3,
    WHERE,
    WORKSPACE,
    loaded,
    only,
    problems,
    said,
)

from cwsync.errors import CwsyncError
from cwsync.kinds import Ref


def test_everything_wrong_in_all_files_is_said_at_once_and_in_order() -> None:
    first = f"connections:\n  a: {{{S3}, region: x}}\n  b: {{type: Azure}}\n"
    second = f"integrations:\n  i: {{{WHERE}}}\n  j: {PROCESS}\nschedules: {{j: {{{DAILY.replace('12:45', '9')}}}}}\n"
    third = "flows: [\n"
    fourth = (
        f"flows: {{f: {{steps: [{{integration: i}}, {{integration: x}}]}}}}\nconnections: {{b: {{{S3}}}}}\n"
    )
    assert [
        line.partition(" ")[0] + " " + line.split()[1] for line in said(first, second, third, fourth)
    ] == [
        "1.yaml:2:96 CW201",
        "1.yaml:3:13 CW203",
        "2.yaml:2:3 CW220",
        "2.yaml:4:36 CW230",
        "3.yaml:2:1 CW102",
        "4.yaml:1:53 CW204",
        "4.yaml:2:15 CW205",
    ]


def test_errors_come_before_warnings() -> None:
    found = problems(f"connections: {{a: {{{S3}, name: a.b}}, b: {{{S3}, name: '-b-', x: y}}}}")
    assert [one.severity for one in found] == ["error", "warning", "warning"]


def test_an_address_is_declared_once_wherever_it_stands() -> None:
    problem = only(f"connections: {{a: {{{S3}}}}}", f"connections:\n  b: {{{S3}}}\n  a: {{{S3}}}\n")
    assert (problem.code, str(problem.place)) == ("CW205", "2.yaml:3:3")
    assert problem.message == "connection.a is declared already, at 1.yaml:1:15"
    assert problem.source == f"  a: {{{S3}}}"


def test_one_key_may_be_of_several_kinds() -> None:
    manifest = loaded(f"integrations: {{a: {PROCESS}}}\nschedules: {{a: {{{DAILY}}}}}\n")
    assert list(manifest.resources) == ["integration.a", "schedule.a"]


def test_documents_of_one_file_count_as_files() -> None:
    text = f"# only a comment\n---\nconnections: {{a: {{{S3}}}}}\n---\n---\nintegrations: {{i: {PROCESS}}}\n...\n"
    assert list(loaded(text).resources) == ["connection.a", "integration.i"]


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "---\n---\n", "connections:\n", "connections: {}\nflows:\n"]
)
def test_an_empty_project_is_an_error(text: str) -> None:
    problem = only(text)
    assert (problem.code, problem.place) == ("CW115", None)
    assert "delete everything" in problem.message


def test_an_empty_file_beside_others_is_none() -> None:
    assert said(f"integrations: {{i: {PROCESS}}}", "# later\n") == []


def test_references_and_ids_become_values() -> None:
    text = (
        f"connections: {{s: {{{S3}}}}}\n"
        "integrations:\n"
        f"  i: {{workspaceId: {WORKSPACE.upper()}, modelId: {MODEL.lower()}, jobs: ["
        "{import: {connection: s, file: f, actionId: 007, fileId: '113'}}]}\n"
        f"schedules: {{x: {{integration: i, {DAILY}, daysOfWeek: [sat, 0, sun]}}}}\n"
        "notifications: {i: {channels: [in_app, email, email], notify: {success: [alice]}}}\n"
    )
    resources = loaded(text).resources
    integration = resources["integration.i"]
    assert integration.fields["workspaceId"] == WORKSPACE
    assert integration.fields["modelId"] == MODEL
    jobs: Any = integration.fields["jobs"]
    (job,) = jobs
    assert job["import"]["connection"] == Ref("connection", address="connection.s")
    assert (job["import"]["actionId"], job["import"]["fileId"]) == ("007", "113")
    assert resources["schedule.x"].parent == Ref("integration", address="integration.i")
    assert resources["schedule.x"].fields["daysOfWeek"] == [0, 6]
    assert resources["schedule.x"].fields["enabled"] is True
    assert resources["notification.i"].fields["channels"] == ["email", "in_app"]
    assert resources["notification.i"].fields["notify"] == {"success": [ALICE]}


def test_a_key_is_the_name_unless_there_is_one() -> None:
    resources = loaded(f"connections: {{a: {{{S3}}}, b: {{{S3}, name: 0012}}}}").resources
    assert [one.name for one in resources.values()] == ["a", "0012"]


def test_steps_wait_for_the_step_before() -> None:
    steps = "{integration: a}, {integration: b}, {integration: c, dependsOn: [a]}"
    text = f"integrations: {{a: {PROCESS}, b: {PROCESS}, c: {PROCESS}}}\nflows: {{f: {{steps: [{steps}]}}}}"
    made: Any = loaded(text).resources["flow.f"].fields["steps"]
    waits = [[str(ref) for ref in step["dependsOn"]] for step in made]
    assert waits == [[], ["integration.a"], ["integration.a"]]


def test_a_field_knows_its_place() -> None:
    one = loaded(f"connections:\n  a:\n    {{{S3}, name: x}}\n").resources["connection.a"]
    assert str(one.place) == "1.yaml:2:3"
    assert str(one.locate(("bucketName",))) == "1.yaml:3:34"
    assert str(one.locate(("accessKeyId", "fromEnv"))) == "1.yaml:3:60"


LOCATION = f"integrations: {{{WHERE}}}\nschedules: {{timezone: Greenwich, startDate: 2030-01-07}}\n"


def test_defaults_lie_under_what_is_written() -> None:
    resources = loaded(
        "integrations: {i: {processId: 118}}\nschedules: {i: {type: daily, time: 12:45, timezone: Europe/Paris}}\n",
        defaults=LOCATION,
    ).resources
    assert resources["integration.i"].fields["modelId"] == MODEL
    assert resources["schedule.i"].fields["timezone"] == "Europe/Paris"
    assert resources["schedule.i"].fields["startDate"] == "2030-01-07"
    assert str(resources["schedule.i"].locate(("startDate",))) == "cwsync.yaml:2:45"


def test_defaults_reach_the_types_that_have_the_field() -> None:
    text = f"connections: {{a: {{{S3}}}, b: {{type: AzureBlob, storageAccountName: s, containerName: c}}}}"
    resources = loaded(text, defaults="connections: {sasToken: {fromEnv: SAS}, roleArn: r}").resources
    assert "roleArn" not in resources["connection.b"].fields
    assert [*resources["connection.b"].secrets] == ["sasToken"]
    assert resources["connection.a"].fields["roleArn"] == "r"


def test_what_is_wrong_with_a_default_is_said_once_and_there() -> None:
    many = ", ".join(f"i{number}: {PROCESS}" for number in range(9))
    nightly = ", ".join(f"i{number}: {{type: daily, time: 22:00}}" for number in range(9))
    problem = only(
        f"integrations: {{{many}}}\nschedules: {{{nightly}}}",
        defaults="schedules: {timezone: Mars, startDate: 2030-01-07}",
    )
    assert (problem.code, str(problem.place)) == ("CW231", "cwsync.yaml:1:23")


def test_a_default_that_no_type_has_is_an_error() -> None:
    assert only(f"connections: {{a: {{{S3}}}}}", defaults="connections: {colour: red}").code == "CW201"


def test_variables_fill_any_text() -> None:
    resources = loaded(
        f"connections: {{a: {{{S3}}}}}".replace("bucketName: b", "bucketName: 'x-${var.stage}-$${y}'"),
        variables={"stage": "dev"},
    ).resources
    assert resources["connection.a"].fields["bucketName"] == "x-dev-${y}"


def test_a_variable_may_be_a_number_a_flag_or_a_day() -> None:
    resources = loaded(
        "integrations: {i: {processId: '${var.id}', nuxVisible: '${var.shown}'}}\n"
        f"schedules: {{i: {{{DAILY}, daysOfWeek: ['${{var.day}}']}}}}",
        defaults=LOCATION,
        variables={"id": "0118", "shown": "true", "day": "sun"},
    ).resources
    assert resources["integration.i"].fields["processId"] == "0118"
    assert resources["integration.i"].fields["nuxVisible"] is True
    assert resources["schedule.i"].fields["daysOfWeek"] == [0]


def test_an_unknown_variable_is_the_only_thing_that_is_wrong() -> None:
    problem = only(
        f"integrations: {{i: {PROCESS}}}\nschedules:\n  i:\n    type: daily\n    time: 12:45\n"
        "    startDate: 2030-01-07\n    timezone: ${var.zon}\n",
        variables={"zone": "Greenwich"},
    )
    assert (problem.code, str(problem.place)) == ("CW113", "1.yaml:7:15")
    assert problem.hint == "did you mean 'zone'?"


def test_anchors_and_merge_keys() -> None:
    text = f"""\
integrations:
  a: &base {{{WHERE}, processId: 118, nuxVisible: true}}
  b: *base
  c: {{<<: *base, nuxVisible: false}}
"""
    resources = loaded(text).resources
    assert [one.fields["nuxVisible"] for one in resources.values()] == [True, True, False]


def test_a_fault_in_an_anchor_is_said_once() -> None:
    text = f"schedules:\n  a: &s {{integration: {{name: A}}, {DAILY.replace('12:45', '1')}}}\n"
    text += "".join(f"  b{n}: {{<<: *s, integration: {{name: B{n}}}}}\n" for n in range(9))
    assert only(text).code == "CW230"


def test_nobody_waits_for_a_secret() -> None:
    """Reading manifests needs none of them."""
    assert said(f"connections: {{a: {{{S3.replace('fromEnv: A', 'fromCommand: [false]')}}}}}") == []


def test_what_is_raised_can_be_told_to_anybody() -> None:
    with pytest.raises(CwsyncError) as raised:
        loaded(f"connections: {{a: {{{S3.replace('{fromEnv: A}', 'needle')}}}}}")
    assert "needle" not in f"{raised.value!r} {raised.value} {raised.value.problems!r}"
