"""The change lists: what moves, is taken over or forgotten changes what is known, and sends nothing."""

from __future__ import annotations

from dataclasses import replace

from unit.plan.scene import (
    World,
    after,
    calls,
    change,
    codes,
    fates,
    id_for,
    imports,
    paths,
    plan,
    s3,
    sections,
    stranger,
)

from cwsync.kinds import ChangeLists, Import, Moved, Removed
from cwsync.plan import Selection
from cwsync.state import Intent, Pre

SALES = sections(connections=s3("sales", name="Sales"))
SCHEDULED = sections(
    connections=s3("sales", name="Sales"),
    integrations=imports("acc", "sales", name="Accounts"),
    schedules="  acc: {name: Mornings}\n",
    notifications="  acc: {channels: [email], notify: {success: [alice]}}\n",
)
RENAMED = SCHEDULED.replace("  acc:", "  accounts:")


def moved(*pairs: tuple[str, str]) -> ChangeLists:
    return ChangeLists(moved=tuple(Moved(source, target) for source, target in pairs))


def test_a_moved_resource_is_the_same_object_under_another_address() -> None:
    found = plan(
        SALES.replace("sales:", "landing:"),
        after(SALES),
        lists=moved(("connection.sales", "connection.landing")),
    )
    assert calls(found) == []
    assert fates(found) == {"connection.landing": "move"}
    assert change(found, "connection.landing").previous_address == "connection.sales"
    assert found.summary["move"] == 1


def test_what_has_moved_and_changed_is_updated() -> None:
    text = SALES.replace("sales:", "landing:").replace("bucketName: bucket", "bucketName: other")
    found = plan(text, after(SALES), lists=moved(("connection.sales", "connection.landing")))
    assert calls(found) == ["update connection.landing"]
    assert change(found, "connection.landing").previous_address == "connection.sales"
    assert paths(found, "connection.landing") == {"bucketName": "manifest"}


def test_the_schedule_and_the_notification_follow_their_integration() -> None:
    found = plan(RENAMED, after(SCHEDULED), lists=moved(("integration.acc", "integration.accounts")))
    assert calls(found) == []
    assert {one.address: one.previous_address for one in found.changes if one.previous_address} == {
        "integration.accounts": "integration.acc",
        "schedule.accounts": "schedule.acc",
        "notification.accounts": "notification.acc",
    }


def test_a_chain_of_moves_is_made_in_whatever_order_it_is_listed() -> None:
    lists = moved(("connection.b", "connection.c"), ("connection.sales", "connection.b"))
    found = plan(SALES.replace("sales:", "c:"), after(SALES), lists=lists)
    assert change(found, "connection.c").previous_address == "connection.sales"
    assert calls(found) == []


def test_two_that_move_on_by_one_stay_apart() -> None:
    before = sections(connections=s3("a", name="A") + s3("b", name="B"))
    now = sections(connections=s3("b", name="A") + s3("c", name="B"))
    found = plan(
        now, after(before), lists=moved(("connection.a", "connection.b"), ("connection.b", "connection.c"))
    )
    assert calls(found) == []
    assert {one.address: one.previous_address for one in found.changes} == {
        "connection.b": "connection.a",
        "connection.c": "connection.b",
    }


def test_a_move_that_was_made_before_does_nothing() -> None:
    found = plan(SALES, after(SALES), lists=moved(("connection.old", "connection.sales")))
    assert found.empty


def test_a_move_onto_something_managed_is_refused() -> None:
    both = sections(connections=s3("sales", name="Sales") + s3("landing", name="Landing"))
    found = plan(
        sections(connections=s3("landing", name="Landing")),
        after(both),
        lists=moved(("connection.sales", "connection.landing")),
    )
    assert "CW509" in codes(found)


def test_a_moved_resource_stays_protected() -> None:
    text = SALES.replace("bucketName", "lifecycle: {preventDestroy: true}, bucketName")
    unprotected = SALES.replace("sales:", "landing:")
    found = plan(unprotected, after(text), lists=moved(("connection.sales", "connection.landing")))
    assert codes(found) == []
    world = after(text)
    world = replace(world, state=world.state.moved("connection.sales", "connection.landing"))
    assert world.state.resources["connection.landing"].protect


def test_what_is_pending_moves_along() -> None:
    world = after(SALES)
    intent = Intent(
        "op", "run", 1, "connection.sales", "connection", "update", "Sales", "hash", Pre(fingerprint="f"), ""
    )
    state = world.state.with_intents([intent]).moved("connection.sales", "connection.landing")
    assert state.pending["op"].address == "connection.landing"


def test_what_is_removed_is_forgotten_and_stays() -> None:
    found = plan(SALES, after(SCHEDULED), lists=ChangeLists(removed=(Removed("integration.acc"),)))
    assert calls(found) == []
    assert fates(found) == {
        "integration.acc": "forget",
        "notification.acc": "forget",
        "schedule.acc": "forget",
    }


def test_what_a_forgotten_one_uses_is_not_deleted() -> None:
    other = sections(connections=s3("other", name="Other"))
    found = plan(
        other, after(other, after(SCHEDULED)), lists=ChangeLists(removed=(Removed("integration.acc"),))
    )
    assert codes(found) == ["CW504"]


def test_the_name_of_a_forgotten_one_is_taken() -> None:
    lists = ChangeLists(removed=(Removed("connection.sales"),))
    found = plan(sections(connections=s3("mine", name="Sales")), after(SALES), lists=lists)
    assert codes(found) == ["CW501"]


def test_an_import_binds_what_is_there() -> None:
    world = World().put(stranger("connection", "Sales", type="AmazonS3", bucketName="bucket"))
    for entry in (Import("connection.sales", id="9" * 32), Import("connection.sales", name="Sales")):
        found = plan(SALES, world, lists=ChangeLists(imports=(entry,)))
        assert calls(found) == []
        assert codes(found) == []
        assert fates(found) == {"connection.sales": "import"}
        assert change(found, "connection.sales").id == "9" * 32


def test_what_is_imported_and_differs_is_updated() -> None:
    world = World().put(stranger("connection", "Sales", type="AmazonS3", bucketName="elsewhere"))
    found = plan(SALES, world, lists=ChangeLists(imports=(Import("connection.sales", id="9" * 32),)))
    assert calls(found) == ["update connection.sales"]
    assert fates(found) == {"connection.sales": "import"}
    assert paths(found, "connection.sales") == {"bucketName": "manifest"}
    assert (found.summary["import"], found.summary["update"]) == (1, 1)


def test_what_would_have_to_be_replaced_is_not_imported() -> None:
    world = World().put(stranger("connection", "Sales", type="AzureBlob", storageAccountName="lake"))
    found = plan(SALES, world, lists=ChangeLists(imports=(Import("connection.sales", id="9" * 32),)))
    assert codes(found) == ["CW509"]


def test_an_integration_is_imported_with_its_schedule() -> None:
    world = after(SCHEDULED)
    unknown = replace(world, state=replace(world.state, resources={}))
    entries = [
        Import("schedule.acc", id=id_for("integration.acc")),
        Import("integration.acc", name="Accounts"),
        Import("connection.sales", name="Sales"),
    ]
    found = plan(SCHEDULED, unknown, lists=ChangeLists(imports=tuple(entries)))
    assert codes(found) == []
    assert [one for one in calls(found) if not one.endswith("notification.acc")] == []
    assert fates(found)["schedule.acc"] == "import"


def test_what_cannot_be_found_or_told_apart_is_not_imported() -> None:
    twice = World().put(*(stranger("connection", "Sales", id * 32, type="AmazonS3") for id in "78"))
    for entry, world in (
        (Import("connection.sales", id="5" * 32), twice),
        (Import("connection.sales", name="Nobody"), twice),
        (Import("connection.sales", name="Sales"), twice),
    ):
        found = plan(SALES, world, lists=ChangeLists(imports=(entry,)))
        assert "CW509" in codes(found)
    assert all(id in found.problems[0].message for id in ("7" * 32, "8" * 32))


def test_what_belongs_to_an_address_is_not_imported_to_another() -> None:
    two = sections(connections=s3("sales", name="Sales") + s3("again", name="Again"))
    lists = ChangeLists(imports=(Import("connection.again", name="Sales"),))
    found = plan(two, after(SALES), lists=lists)
    assert "CW509" in codes(found)
    assert "connection.sales" in found.problems[0].message


def test_an_import_that_was_made_before_does_nothing_and_another_id_is_refused() -> None:
    mine = Import("connection.sales", id=id_for("connection.sales").upper())
    assert plan(SALES, after(SALES), lists=ChangeLists(imports=(mine,))).empty
    other = Import("connection.sales", id="5" * 32)
    assert codes(plan(SALES, after(SALES), lists=ChangeLists(imports=(other,)))) == ["CW509"]


def test_adopt_takes_over_what_has_the_name_and_nothing_else() -> None:
    world = World().put(stranger("connection", "Sales", type="AmazonS3", bucketName="bucket"))
    taken = plan(SALES, world)
    assert codes(taken) == ["CW501"]
    hint = taken.problems[0].hint or ""
    assert "--adopt" in hint
    assert f"cwsync import connection.sales={'9' * 32}" in hint
    found = plan(SALES, world, selection=Selection(adopt=True))
    assert (codes(found), fates(found), calls(found)) == ([], {"connection.sales": "import"}, [])
    other = plan(SALES.replace("name: Sales", "name: Other"), world, selection=Selection(adopt=True))
    assert fates(other) == {"connection.sales": "create"}


def test_adopt_does_not_choose_between_two() -> None:
    twice = World().put(*(stranger("connection", "Sales", id * 32, type="AmazonS3") for id in "78"))
    assert codes(plan(SALES, twice, selection=Selection(adopt=True))) == ["CW501"]
