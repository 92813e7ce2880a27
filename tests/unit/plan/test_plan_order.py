"""The order of calls: nothing is used before it is there, and nothing goes while it is in use."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from unit.plan.scene import (
    World,
    after,
    before,
    call,
    calls,
    change,
    codes,
    fates,
    id_for,
    imports,
    plan,
    s3,
    sections,
)

from cwsync.plan import Selection
from cwsync.plan.names import aside_name
from cwsync.state import Deposed

FLOW = "  f: {steps: [{integration: i}, {integration: j}]}\n"
ALL = sections(
    connections=s3("a"),
    integrations=imports("i", "a") + "  j: {processId: 118}\n",
    schedules="  i: {enabled: false}\n",
    notifications="  i: {channels: [email], notify: {success: [alice]}}\n",
    flows=FLOW,
)


def test_creates_come_before_what_uses_them() -> None:
    made = plan(ALL)
    assert calls(made) == [
        "create connection.a",
        "create integration.i",
        "create integration.j",
        "create schedule.i",
        "disable schedule.i",
        "create notification.i",
        "create flow.f",
    ]
    for user in ("schedule.i", "notification.i", "flow.f"):
        assert before(made, "create connection.a", f"create {user}")
        assert before(made, "create integration.i", f"create {user}")
    assert not before(made, "create integration.j", "create schedule.i")


def test_deletes_come_in_reverse() -> None:
    made = plan("", after(ALL))
    assert calls(made) == [
        "delete flow.f",
        "delete notification.i",
        "delete schedule.i",
        "delete integration.i",
        "delete integration.j",
        "delete connection.a",
    ]
    for user in ("flow.f", "notification.i", "schedule.i"):
        assert before(made, f"delete {user}", "delete integration.i")
    assert before(made, "delete integration.i", "delete connection.a")


def test_an_integration_leaves_a_connection_before_that_goes() -> None:
    was = sections(connections=s3("a") + s3("b"), integrations=imports("i", "a"))
    made = plan(sections(connections=s3("b"), integrations=imports("i", "b")), after(was))
    assert calls(made) == ["update integration.i", "delete connection.a"]
    assert before(made, "update integration.i", "delete connection.a")
    (field,) = change(made, "integration.i").fields
    assert (field.path, field.before, field.after) == (
        "jobs[0].import.connection",
        id_for("connection.a"),
        id_for("connection.b"),
    )


def test_a_new_connection_is_there_before_an_integration_turns_to_it() -> None:
    was = sections(connections=s3("a"), integrations=imports("i", "a"))
    made = plan(sections(connections=s3("b"), integrations=imports("i", "b")), after(was))
    assert calls(made) == ["create connection.b", "update integration.i", "delete connection.a"]
    assert before(made, "create connection.b", "update integration.i")
    (field,) = change(made, "integration.i").fields
    assert (field.after, field.unknown) == ("connection.b", True)


def test_a_flow_lets_go_of_an_integration_before_that_goes() -> None:
    three = "  f: {steps: [{integration: i}, {integration: j}, {integration: k}]}\n"
    process = "  i: {processId: 118}\n  j: {processId: 118}\n"
    was = after(sections(integrations=process + "  k: {processId: 118}\n", flows=three))
    made = plan(sections(integrations=process, flows=FLOW), was)
    assert calls(made) == ["update flow.f", "delete integration.k"]
    assert before(made, "update flow.f", "delete integration.k")


def test_a_name_is_given_up_before_another_takes_it() -> None:
    was = after(sections(connections=s3("a", name="one") + s3("b", name="two")))
    made = plan(sections(connections=s3("a", name="two") + s3("b", name="three")), was)
    assert calls(made) == ["rename connection.b", "rename connection.a"]
    assert before(made, "rename connection.b", "rename connection.a")


def test_what_takes_a_name_is_there_before_its_object_goes() -> None:
    was = after(sections(connections=s3("a", name="same")))
    made = plan(sections(connections=s3("b", name="same")), was)
    assert calls(made) == ["set aside connection.a", "create connection.b", "delete connection.a"]
    assert [one.after for one in made.calls] == [(), (1,), (1, 2)]
    assert [one.method for one in made.calls] == ["PATCH", "POST", "DELETE"]


def test_what_is_renamed_to_the_name_of_what_goes_has_it_before_that_goes() -> None:
    integrations = "  i: {processId: 118, name: one}\n  j: {processId: 119, name: two}\n"
    made = plan(
        sections(integrations="  j: {processId: 119, name: one}\n"),
        after(sections(integrations=integrations)),
    )
    assert calls(made) == ["set aside integration.i", "update integration.j", "delete integration.i"]
    assert [one.after for one in made.calls] == [(), (1,), (1, 2)]


def test_what_looks_like_what_goes_is_there_before_it_goes() -> None:
    """Nobody takes a name: still the old one stays until the new one is there."""
    made = plan(sections(connections=s3("b")), after(sections(connections=s3("a"))))
    assert calls(made) == ["create connection.b", "delete connection.a"]
    assert made.calls[1].after == (1,)


def test_the_parts_of_an_integration_stay_until_those_of_its_heir_are_there() -> None:
    made = plan(RENAMED, after(NAMED))
    for part in ("schedule", "notification"):
        assert before(made, f"create {part}.k", f"delete {part}.i")
        assert before(made, f"delete {part}.i", "delete integration.i")


def test_the_parts_of_an_integration_stay_until_its_heir_is_there_without_any() -> None:
    made = plan(RENAMED.replace("  k: {}\n", "").replace("schedules:\n", ""), after(NAMED))
    assert before(made, "create integration.k", "delete schedule.i")


def test_an_object_that_must_not_be_overwritten_makes_no_room() -> None:
    world = after(sections(integrations="  i: {processId: 118, name: same}\n"))
    live = world.objects["integration"][id_for("integration.i")]
    world = world.put(replace(live, foreign="it has a job of a form that cwsync does not know"))
    made = plan(sections(integrations="  j: {processId: 119, name: same}\n"), world)
    assert codes(made) == ["CW516", "CW506"]
    assert made.calls == ()
    assert made.problems[1].message.startswith(
        "integration.i cannot be renamed to make room for integration.j: "
    )


@pytest.mark.parametrize("rest", ["", s3("old", name="Other")], ids=["goes", "is renamed"])
def test_a_partial_plan_takes_no_name_that_something_left_out_keeps(rest: str) -> None:
    was = after(sections(connections=s3("old", name="Sales")))
    now = sections(connections=rest + s3("new", name="Sales"))
    made = plan(now, was, selection=Selection(targets=("connection.new",)))
    assert codes(made) == ["CW307"]
    assert made.calls == ()
    (problem,) = made.problems
    assert problem.message.startswith(
        "connection.new takes the name of connection.old, which this partial plan"
    )
    whole = plan(now, was, selection=Selection(targets=("connection.new", "connection.old")))
    assert "CW307" not in codes(whole)


def test_two_that_exchange_their_names_take_a_temporary_one_between() -> None:
    three = s3("c", name="four")
    was = after(sections(connections=s3("a", name="one") + s3("b", name="two") + s3("c", name="three")))
    made = plan(
        sections(
            connections=s3("a", name="two") + s3("b", name="one") + three, integrations=imports("i", "a")
        ),
        was,
    )
    assert codes(made) == []
    circle = ["rename temporarily connection.a", "rename connection.b", "rename connection.a"]
    assert [one for one in calls(made) if not one.endswith((".c", ".i"))] == circle
    for first, then in pairwise([*circle, "create integration.i"]):
        assert before(made, first, then)
    assert {one.method for one in made.calls[:4]} == {"PATCH"}


@pytest.mark.parametrize("kind", ["integration", "flow"])
def test_of_each_circle_of_names_one_is_renamed_twice(kind: str) -> None:
    """Two circles, of three and of two, and a chain that is none."""
    steps = "steps: [{integration: {id: x}}, {integration: {id: y}}]"
    content = "processId: 118" if kind == "integration" else steps

    def named(**names: str) -> str:
        return "".join(f"  {key}: {{name: {name}, {content}}}\n" for key, name in names.items())

    section = {f"{kind}s": named(a="A", b="B", c="C", d="D", e="E", f="F", g="G")}
    now = {f"{kind}s": named(a="B", b="C", c="A", d="E", e="D", f="G", g="H")}
    made = plan(sections(**now), after(sections(**section)))
    assert [one for one in calls(made) if one.startswith("rename")] == [
        f"rename temporarily {kind}.a",
        f"rename temporarily {kind}.d",
    ]
    for first, then in (("c", "b"), ("b", "a"), ("e", "d"), ("g", "f")):
        assert before(made, f"update {kind}.{first}", f"update {kind}.{then}")
    assert before(made, f"rename temporarily {kind}.a", f"update {kind}.c")
    assert before(made, f"rename temporarily {kind}.d", f"update {kind}.e")
    assert {one.method for one in made.calls} == {"PUT"}


def test_a_name_that_is_kept_by_ignore_changes_is_taken_by_nobody() -> None:
    was = after(sections(connections=s3("a", name="one") + s3("b", name="two")))
    kept = s3("a", name="two", bucketName="other").replace("bucketName: bucket, ", "")
    kept = kept.replace("}\n", ", lifecycle: {ignoreChanges: [name]}}\n")
    made = plan(sections(connections=kept + s3("b", name="three")), was)
    assert calls(made) == ["update connection.a", "rename connection.b"]
    assert [one.after for one in made.calls] == [(), ()]


def test_schedules_may_have_any_names() -> None:
    integrations = imports("i", "a") + imports("j", "a")
    was = sections(
        connections=s3("a"), integrations=integrations, schedules="  i: {name: x}\n  j: {name: y}\n"
    )
    now = sections(
        connections=s3("a"), integrations=integrations, schedules="  i: {name: y}\n  j: {name: x}\n"
    )
    made = plan(now, after(was))
    assert calls(made) == ["update schedule.i", "update schedule.j"]
    assert [one.after for one in made.calls] == [(), ()]


RENAMED = sections(
    connections=s3("new", name="Sales"),
    integrations=imports("k", "new", name="Load") + "  j: {processId: 118}\n",
    schedules="  k: {}\n",
    notifications="  k: {channels: [email], notify: {success: [alice]}}\n",
    flows=FLOW.replace("integration: i", "integration: k"),
)
NAMED = RENAMED.replace("new", "old").replace("k:", "i:").replace("integration: k", "integration: i")


def test_a_changed_key_keeps_the_name_although_everything_is_in_use() -> None:
    made = plan(RENAMED, after(NAMED))
    assert set(codes(made)) == {"CW516"}
    assert fates(made)["flow.f"] == "update"
    for old, new in (("connection.old", "connection.new"), ("integration.i", "integration.k")):
        assert before(made, f"set aside {old}", f"create {new}")
        assert before(made, f"create {new}", f"delete {old}")
        assert before(made, "update flow.f", f"delete {old}")
    assert before(made, "create integration.k", "update flow.f")
    assert before(made, "delete schedule.i", "delete integration.i")


def test_a_changed_key_of_a_schedule_or_notification_frees_its_place_first() -> None:
    rest = {"connections": s3("a"), "integrations": imports("i", "a")}
    notify = "channels: [email], notify: {success: [alice]}"
    was = after(sections(**rest, schedules="  i: {}\n", notifications=f"  i: {{{notify}}}\n"))
    now = sections(
        **rest,
        schedules="  a: {integration: i, name: other}\n",
        notifications=f"  a: {{integration: i, {notify}}}\n",
    )
    made = plan(now, was)
    assert set(codes(made)) == {"CW516"}
    assert before(made, "delete schedule.i", "create schedule.a")
    assert before(made, "delete notification.i", "create notification.a")
    # The one that the integration points to goes, so there is none to be written over.
    assert call(made, "create notification.a").method == "POST"


def test_a_schedule_that_moves_to_another_integration() -> None:
    integrations = imports("i", "a") + imports("j", "a")
    was = after(sections(connections=s3("a"), integrations=integrations, schedules="  i: {}\n"))
    now = sections(
        connections=s3("a"), integrations=integrations, schedules="  i: {integration: j, time: 10:00}\n"
    )
    made = plan(now, was)
    assert fates(made) == {"schedule.i": "replace"}
    assert [(one.method, one.path) for one in made.calls] == [
        ("DELETE", f"/integrations/{id_for('integration.i')}/schedule"),
        ("POST", f"/integrations/{id_for('integration.j')}/schedule"),
    ]


def test_schedules_that_exchange_their_integrations() -> None:
    integrations = imports("i", "a") + imports("j", "a")
    both = "  x: {integration: i}\n  y: {integration: j}\n"
    was = after(sections(connections=s3("a"), integrations=integrations, schedules=both))
    made = plan(
        sections(
            connections=s3("a"),
            integrations=integrations,
            schedules="  x: {integration: j}\n  y: {integration: i}\n",
        ),
        was,
    )
    assert codes(made) == []
    assert before(made, "delete schedule.x", "create schedule.y")
    assert before(made, "delete schedule.y", "create schedule.x")


def test_a_replacement_makes_room_is_made_is_used_and_lets_the_old_one_go() -> None:
    blob = "  a: {type: AzureBlob, storageAccountName: s, containerName: c}\n"
    was = after(sections(connections=s3("a"), integrations=imports("i", "a")))
    made = plan(sections(connections=blob, integrations=imports("i", "a")), was)
    assert fates(made) == {"connection.a": "replace", "integration.i": "update"}
    assert change(made, "connection.a").reason == "type cannot be changed"
    assert calls(made) == [
        "set aside connection.a",
        "create connection.a",
        "update integration.i",
        "delete connection.a",
    ]
    order = ["set aside connection.a", "create connection.a", "update integration.i", "delete connection.a"]
    for first, then in pairwise(order):
        assert before(made, first, then)
    assert [one.target for one in made.calls] == [
        id_for("connection.a"),
        None,
        id_for("integration.i"),
        id_for("connection.a"),
    ]
    assert {field.path for field in change(made, "integration.i").fields} == {
        "jobs[0].import.connection",
        "jobs[0].import.type",
    }


def test_a_replaced_integration_takes_its_facets_and_flow_along() -> None:
    was = after(ALL)
    made = plan(ALL.replace("  i: {jobs:", "  i: {processId: 118, jobs:"), was)
    assert fates(made) == {
        "integration.i": "replace",
        "schedule.i": "replace",
        "notification.i": "replace",
        "flow.f": "update",
    }
    for user in ("create schedule.i", "create notification.i", "update flow.f"):
        assert before(made, "create integration.i", user)
    for user in ("delete schedule.i", "delete notification.i", "update flow.f"):
        assert before(made, user, "delete integration.i")
    assert call(made, "create schedule.i").path == "/integrations/{integration.i}/schedule"
    assert call(made, "delete schedule.i").path == f"/integrations/{id_for('integration.i')}/schedule"
    # It comes with the new integration, under an id that nobody knows yet.
    assert call(made, "create notification.i").method == "PUT"


def test_what_an_earlier_apply_set_aside_goes_once_nothing_uses_it() -> None:
    text = sections(connections=s3("a") + s3("old"), integrations=imports("i", "old"))
    world = after(text)
    entry = world.state.resources["connection.old"]
    world = world.deposed(Deposed("connection.a", "connection", entry.id, "old"))
    world.state.resources.pop("connection.old")  # type: ignore[attr-defined] # a dict of this test's own
    made = plan(sections(connections=s3("a"), integrations=imports("i", "a")), world)
    assert codes(made) == []
    assert calls(made) == ["update integration.i", f"delete connection.a (replaced {entry.id[:8]})"]
    assert made.calls[1].after == (1,)
    assert made.unmanaged == ()


def _deposed(text: str, address: str, name: str) -> World:
    """The world in which an object was set aside for another, which could not be made then."""
    world = after(text)
    entry = world.state.resources[address]
    world = world.edited(address, name=name)
    resources = {at: one for at, one in world.state.resources.items() if at != address}
    world = replace(world, state=replace(world.state, resources=resources))
    return world.deposed(Deposed(address, entry.kind, entry.id, name))


def test_what_was_set_aside_stays_until_its_address_is_there_again() -> None:
    """It had another type and another name: only its address tells."""
    world = _deposed(sections(connections=s3("a", name="Old")), "connection.a", "Old 1")
    made = plan(sections(connections=s3("a", name="New")), world)
    assert [one.split(" (")[0] for one in calls(made)] == ["create connection.a", "delete connection.a"]
    assert made.calls[1].after == (1,)


def test_what_was_set_aside_stays_until_what_takes_its_name_is_there() -> None:
    """It has another key and another content: only the name that it had tells, and a long one is cut."""
    name = "A name of as many as sixty characters which is all there is1"
    aside = aside_name(name, id_for("connection.a"))
    assert len(name) == len(aside) == 60
    world = _deposed(sections(connections=s3("a", name=name)), "connection.a", aside)
    blob = f"  b: {{type: AzureBlob, storageAccountName: s, containerName: c, name: '{name}'}}\n"
    made = plan(sections(connections=s3("c") + blob), world)
    assert [one.split(" (")[0] for one in calls(made)] == [
        "create connection.b",
        "create connection.c",
        "delete connection.a",
    ]
    assert made.calls[2].after == (1,)


def test_the_parts_of_what_was_set_aside_stay_until_its_heir_has_its_own() -> None:
    aside = aside_name("Load", id_for("integration.i"))
    world = _deposed(NAMED, "integration.i", aside)
    made = plan(RENAMED, world)
    old = f"delete integration.i (replaced {id_for('integration.i')[:8]})"
    for part in ("schedule", "notification"):
        assert before(made, f"create {part}.k", f"delete {part}.i")
        assert before(made, f"delete {part}.i", old)
    assert before(made, "create integration.k", old)


def test_what_was_set_aside_and_is_gone_is_forgotten() -> None:
    world = after(sections(connections=s3("a"))).deposed(
        Deposed("connection.a", "connection", "9" * 32, "old")
    )
    made = plan(sections(connections=s3("a")), world)
    assert fates(made) == {"connection.a (replaced 99999999)": "forget"}
    assert made.calls == ()
    assert not made.empty


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        ("", "name: new", ["update schedule.i"]),
        ("", "enabled: false", ["disable schedule.i"]),
        ("enabled: false", "enabled: true", ["enable schedule.i"]),
        ("", "time: 10:00, enabled: false", ["update schedule.i", "disable schedule.i"]),
        ("enabled: false", "time: 10:00, enabled: true", ["update schedule.i", "enable schedule.i"]),
        # Whether a PUT keeps a disabled schedule disabled is not known (facts F8).
        ("enabled: false", "time: 10:00, enabled: false", ["update schedule.i", "disable schedule.i"]),
    ],
)
def test_enabling_is_a_call_of_its_own_and_the_last(was: str, now: str, expected: list[str]) -> None:
    rest = {"connections": s3("a"), "integrations": imports("i", "a")}
    made = plan(
        sections(**rest, schedules=f"  i: {{{now}}}\n"),
        after(sections(**rest, schedules=f"  i: {{{was}}}\n")),
    )
    assert calls(made) == expected
    assert all(one.after == (one.order - 1,) for one in made.calls[1:])


@pytest.mark.parametrize(
    ("field", "method"),
    [({"name": "new"}, "PATCH"), ({"bucketName": "new"}, "PUT"), ({"roleArn": "new"}, "PUT")],
)
def test_only_a_rename_of_a_connection_is_a_patch(field: dict[str, str], method: str) -> None:
    (name,) = field
    now = s3("a").replace(
        "bucketName: bucket", f"{name}: new" + ("" if name == "bucketName" else ", bucketName: bucket")
    )
    made = plan(sections(connections=now), after(sections(connections=s3("a"))))
    assert [(one.method, one.path) for one in made.calls] == [
        (method, f"/integrations/connections/{id_for('connection.a')}")
    ]


def test_a_rename_with_a_changed_secret_is_a_put() -> None:
    made = plan(
        sections(connections=s3("a", name="new")),
        after(sections(connections=s3("a"))),
        secrets={"connection.a": {"accessKeyId": "changed"}},
    )
    assert [one.method for one in made.calls] == ["PUT"]


SCHEDULED = sections(connections=s3("a"), integrations=imports("i", "a"), schedules="  i: {}\n")


def _changed(text: str, **schedule: str) -> str:
    """Its integration with another file, and perhaps another schedule."""
    items = ", ".join(f"{name}: {value}" for name, value in schedule.items())
    return text.replace("a.csv", "b.csv").replace("  i: {}\n", f"  i: {{{items}}}\n")


@pytest.mark.parametrize(
    ("schedule", "then"),
    [
        ({}, ["enable schedule.i"]),
        ({"time": "10:00"}, ["update schedule.i", "enable schedule.i"]),
        ({"enabled": "false"}, []),
        ({"time": "10:00", "enabled": "false"}, ["update schedule.i", "disable schedule.i"]),
    ],
)
def test_a_schedule_cannot_start_while_its_integration_is_changed(
    schedule: dict[str, str], then: list[str]
) -> None:
    made = plan(_changed(SCHEDULED, **schedule), after(SCHEDULED))
    assert calls(made) == ["disable schedule.i", "update integration.i", *then]
    assert all(one.order - 1 in one.after for one in made.calls[1:])
    assert made.calls[0].because == "so that it cannot start while its integration is changed"
    assert fates(made).get("schedule.i") == ("update" if schedule else None)


def test_it_is_disabled_only_when_all_else_is_ready() -> None:
    """What cannot be made must not leave a schedule disabled."""
    now = sections(connections=s3("a") + s3("b"), integrations=imports("i", "b"), schedules="  i: {}\n")
    made = plan(now, after(SCHEDULED))
    assert calls(made) == [
        "create connection.b",
        "disable schedule.i",
        "update integration.i",
        "enable schedule.i",
    ]
    assert before(made, "create connection.b", "disable schedule.i")


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (SCHEDULED, SCHEDULED.replace("  i: {jobs", "  i: {name: new, nuxVisible: true, jobs")),
        (SCHEDULED, SCHEDULED.replace("  i: {}", "  i: {time: 10:00}")),
        (SCHEDULED.replace("  i: {}", "  i: {enabled: false}"), _changed(SCHEDULED, enabled="false")),
        (SCHEDULED, _changed(SCHEDULED).replace("schedules:\n  i: {}\n", "")),
    ],
    ids=["name and visibility", "the schedule alone", "disabled", "deleted"],
)
def test_a_schedule_that_needs_no_pause_has_none(was: str, now: str) -> None:
    made = plan(now, after(was))
    assert not [one for one in made.calls if one.action in ("disable", "enable")]


def test_an_unmanaged_schedule_is_not_paused() -> None:
    world = after(SCHEDULED)
    resources = {at: one for at, one in world.state.resources.items() if at != "schedule.i"}
    world = replace(world, state=replace(world.state, resources=resources))
    assert calls(plan(_changed(SCHEDULED).partition("schedules")[0], world)) == ["update integration.i"]


def test_a_status_that_is_ignored_stays_as_it_is() -> None:
    kept = SCHEDULED.replace(
        "  i: {}", "  i: {time: 10:00, enabled: false, lifecycle: {ignoreChanges: [enabled]}}"
    )
    assert calls(plan(kept, after(SCHEDULED))) == ["update schedule.i"]
    assert calls(plan(kept.replace("a.csv", "b.csv"), after(SCHEDULED))) == [
        "disable schedule.i",
        "update integration.i",
        "update schedule.i",
        "enable schedule.i",
    ]
