"""What a plan cannot do in the tenant as it is: names that are taken, what is missing, not read, or full."""

from __future__ import annotations

from dataclasses import replace

import pytest
from unit.plan.scene import (
    World,
    after,
    calls,
    change,
    codes,
    everything_in,
    fates,
    id_for,
    imports,
    plan,
    s3,
    sections,
    stranger,
)

from cwsync.kinds import Observed
from cwsync.state import ABSENT, Intent

CONNECTION = sections(connections=s3("a"))
BOTH = sections(connections=s3("a"), integrations=imports("i", "a"))


def test_a_name_that_is_taken_is_not_taken_over() -> None:
    made = plan(CONNECTION, World().put(stranger("connection", "a")))
    (problem,) = made.problems
    assert (problem.code, str(problem.place), problem.exit) == ("CW501", "manifest.yaml:2:3", 1)
    assert (
        problem.message
        == f'the tenant has a connection named "a" already ({"9" * 32}), and cwsync does not manage it'
    )


def test_what_a_run_that_was_cut_off_may_have_created_is_no_stranger() -> None:
    intent = Intent(
        op="r:1", run="r", epoch=1, address="connection.a", kind="connection", action="create", name="a",
        desiredHash="h", pre=ABSENT, serverTime="2030-01-07T00:00:00+00:00",
    )  # fmt: skip
    world = World().put(stranger("connection", "a"))
    made = plan(CONNECTION, replace(world, state=world.state.with_intents([intent])))
    assert codes(made) == []
    assert made.pending == ("connection.a (create)",)
    assert "cut off" in made.calls[0].because


def test_nor_by_a_rename() -> None:
    world = after(CONNECTION)
    world = world.put(*world.objects["connection"].values(), stranger("connection", "new"))
    made = plan(sections(connections=s3("a", name="new")), world)
    assert codes(made) == ["CW501"]


def test_a_name_of_another_kind_or_case_is_free() -> None:
    made = plan(CONNECTION, World().put(stranger("integration", "a"), stranger("connection", "A")))
    assert codes(made) == []


def test_of_two_that_hold_a_name_it_is_always_the_same_that_is_named() -> None:
    pair = [stranger("connection", "a", id) for id in ("8" * 32, "7" * 32)]
    first, second = (plan(CONNECTION, World().put(*them)) for them in (pair, pair[::-1]))
    assert first.problems == second.problems
    assert "7" * 32 in first.problems[0].message


def test_a_schedule_that_a_colleague_made_is_not_overwritten() -> None:
    world = after(BOTH)
    theirs = Observed(
        "schedule", id_for("integration.i"), "theirs", {"name": "theirs"}, parent=id_for("integration.i")
    )
    made = plan(BOTH + "schedules: {i: {}}\n", world.put(*everything_in(world), theirs))
    assert codes(made) == ["CW501"]
    assert "the integration of schedule.i has a schedule already" in made.problems[0].message


def test_a_notification_comes_with_its_integration_so_it_is_ours() -> None:
    made = plan(BOTH + "notifications: {i: {channels: [email], notify: {success: [bob]}}}\n", after(BOTH))
    assert codes(made) == []
    assert [(one.method, one.path) for one in made.calls] == [
        ("PUT", f"/integrations/notification/{id_for('notification.i')}")
    ]


BY_NAME = sections(integrations=imports("i", "{name: Theirs}"))


def test_an_unmanaged_connection_is_found_by_its_name() -> None:
    made = plan(BY_NAME, World().put(stranger("connection", "Theirs")))
    assert codes(made) == []
    after_ = change(made, "integration.i").after
    assert after_ is not None
    assert after_["jobs"][0]["import"] == {
        "type": "AmazonS3",
        "connection": "9" * 32,
        "actionId": "112",
        "file": "a.csv",
        "fileId": "113",
    }


def test_or_by_its_id_in_any_spelling() -> None:
    dashed = "99999999-9999-9999-9999-999999999999"
    text = sections(integrations=imports("i", f"{{id: {dashed}}}"))
    assert codes(plan(text, World().put(stranger("connection", "Theirs")))) == []


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([], "which the tenant does not have"),
        (["8" * 32, "7" * 32], "and the tenant has 2 of that name"),
    ],
)
def test_an_unmanaged_connection_that_is_missing_or_ambiguous(found: list[str], words: str) -> None:
    made = plan(BY_NAME, World().put(*(stranger("connection", "Theirs", id) for id in found)))
    assert codes(made) == ["CW505"]
    assert words in made.problems[0].message


def test_what_is_missing_in_an_incomplete_picture_may_be_there() -> None:
    made = plan(BY_NAME, replace(World(), unread={"connection": "a page failed"}))
    assert codes(made) == ["CW312"]


def test_a_job_must_fit_an_unmanaged_connection_too() -> None:
    theirs = replace(stranger("connection", "Theirs"), type="GoogleBigQuery")
    made = plan(BY_NAME, World().put(theirs))
    assert codes(made) == ["CW221", "CW221"]
    assert (
        made.problems[0].message == "connection Theirs is of type GoogleBigQuery, so the import names a table"
    )


def test_a_connection_of_a_foreign_form_is_left_alone() -> None:
    world = after(CONNECTION)
    (live,) = world.objects["connection"].values()
    foreign = world.put(replace(live, foreign="its authentication method is OAuth"))
    assert codes(plan(CONNECTION, foreign)) == []
    made = plan(sections(connections=s3("a", name="new")), foreign)
    assert codes(made) == ["CW506"]
    assert "its authentication method is OAuth" in made.problems[0].message


def test_nothing_is_created_or_deleted_of_a_kind_that_was_not_read() -> None:
    world = replace(after(BOTH), unread={"connection": "GET …: 500"})
    world = replace(world, objects={**world.objects, "connection": {}})
    made = plan(sections(connections=s3("b"), integrations=imports("i", "b")), world)
    assert codes(made) == ["CW312"]
    assert "the tenant's connections could not be read completely: GET …: 500" in made.problems[0].message
    assert not [one for one in calls(made) if "connection." in one]
    assert not [one for one in made.drift if one.kind == "connection"]


def test_what_refers_to_a_kind_that_was_not_read_is_not_changed_for_that() -> None:
    world = replace(after(BOTH), unread={"connection": "GET …: 500"})
    made = plan(BOTH, replace(world, objects={**world.objects, "connection": {}}))
    assert (codes(made), fates(made)) == (["CW312"], {})


@pytest.mark.parametrize(
    ("text", "used", "refused"),
    [
        (BOTH, 499, False),
        (BOTH, 500, True),
        (CONNECTION, 500, False),
    ],
)
def test_the_tenant_has_room_for_so_many(text: str, used: int, refused: bool) -> None:
    made = plan(text, World(used=used, allowed=500))
    assert codes(made) == (["CW314"] if refused else [])


def test_what_is_deleted_makes_room_only_afterwards() -> None:
    world = replace(after(BOTH), used=500, allowed=500)
    made = plan(sections(connections=s3("a"), integrations=imports("other", "a")), world)
    assert calls(made) == ["create integration.other", "delete integration.i"]
    assert codes(made) == ["CW516", "CW314"]


def test_a_replacement_needs_room_for_both() -> None:
    world = replace(after(BOTH), used=500, allowed=500)
    assert codes(plan(BOTH.replace("i: {jobs", "i: {processId: 118, jobs"), world)) == ["CW314"]
