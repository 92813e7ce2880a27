"""The order of calls: nothing is used before it is there, and nothing goes while it is in use."""

from __future__ import annotations

from itertools import pairwise

import pytest
from unit.plan.scene import (
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


def test_a_name_goes_with_its_object_before_another_takes_it() -> None:
    made = plan(sections(connections=s3("b", name="same")), after(sections(connections=s3("a", name="same"))))
    assert calls(made) == ["delete connection.a", "create connection.b"]
    assert before(made, "delete connection.a", "create connection.b")


def test_names_that_are_swapped_are_refused() -> None:
    three = s3("c", name="four")
    was = after(sections(connections=s3("a", name="one") + s3("b", name="two") + s3("c", name="three")))
    made = plan(
        sections(
            connections=s3("a", name="two") + s3("b", name="one") + three, integrations=imports("i", "a")
        ),
        was,
    )
    assert codes(made) == ["CW508"]
    assert made.calls == ()
    # Neither who only changes beside them, nor who only waits for them.
    assert made.problems[0].message.endswith("two steps: connection.a, connection.b")


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
    assert codes(made) == []
    assert fates(made)["flow.f"] == "update"
    for old, new in (("connection.old", "connection.new"), ("integration.i", "integration.k")):
        assert before(made, f"set aside {old}", f"create {new}")
        assert before(made, "update flow.f", f"delete {old}")
    assert before(made, "create integration.k", "update flow.f")
    assert before(made, "delete schedule.i", "delete integration.i")


def test_nothing_is_set_aside_where_its_users_go_as_well() -> None:
    was = after(sections(connections=s3("old", name="Sales"), integrations=imports("i", "old")))
    made = plan(sections(connections=s3("new", name="Sales")), was)
    assert calls(made) == ["delete integration.i", "delete connection.old", "create connection.new"]


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
    assert codes(made) == []
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
