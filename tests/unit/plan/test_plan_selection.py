"""A part of the work: what --target, --exclude and --replace make of a plan."""

from __future__ import annotations

from unit.plan.scene import (
    World,
    after,
    calls,
    change,
    codes,
    fates,
    imports,
    plan,
    s3,
    sections,
)

from cwsync.kinds import ChangeLists, Moved
from cwsync.plan import Selection

THREE = sections(
    connections=s3("sales") + s3("other"),
    integrations=imports("accounts", "sales") + imports("skus", "other"),
    schedules="  accounts: {}\n",
)


def only(*targets: str) -> Selection:
    return Selection(targets=targets)


def without(*excludes: str) -> Selection:
    return Selection(excludes=excludes)


def test_a_target_comes_with_what_it_needs_and_nothing_else() -> None:
    found = plan(THREE, World(), selection=only("schedule.accounts"))
    assert calls(found) == [
        "create connection.sales",
        "create integration.accounts",
        "create schedule.accounts",
    ]
    assert found.left_out == ("connection.other", "integration.skus")


def test_what_is_not_selected_is_left_as_it_is() -> None:
    changed = THREE.replace("bucketName: bucket", "bucketName: moved")
    found = plan(changed, after(THREE), selection=only("connection.sales"))
    assert calls(found) == ["update connection.sales"]
    assert found.left_out == ("connection.other",)


def test_an_exclusion_leaves_out_what_needs_it_too() -> None:
    found = plan(THREE, World(), selection=without("connection.sales"))
    assert calls(found) == ["create connection.other", "create integration.skus"]
    assert found.left_out == ("connection.sales", "integration.accounts", "schedule.accounts")


def test_targets_without_an_excluded_one() -> None:
    selection = Selection(
        targets=("integration.accounts", "integration.skus"), excludes=("connection.other",)
    )
    assert calls(plan(THREE, World(), selection=selection)) == [
        "create connection.sales",
        "create integration.accounts",
    ]


def test_a_partial_plan_deletes_only_what_is_named() -> None:
    fewer = sections(connections=s3("sales"), integrations=imports("accounts", "sales"))
    world = after(THREE)
    assert calls(plan(fewer, world, selection=only("connection.sales"))) == []
    assert calls(plan(fewer, world, selection=without("connection.sales"))) == []
    assert calls(plan(fewer, world, selection=only("integration.skus"))) == ["delete integration.skus"]


def test_an_integration_goes_with_its_schedule() -> None:
    fewer = sections(connections=s3("sales") + s3("other"), integrations=imports("skus", "other"))
    found = plan(fewer, after(THREE), selection=only("integration.accounts"))
    assert calls(found) == ["delete schedule.accounts", "delete integration.accounts"]


def test_what_a_left_out_one_still_uses_is_not_deleted() -> None:
    fewer = sections(connections=s3("sales"), integrations=imports("accounts", "sales"))
    found = plan(fewer, after(THREE), selection=only("connection.other"))
    assert codes(found) == ["CW504"]
    assert "integration.skus" in found.problems[0].message


def test_a_replacement_is_a_deletion_and_has_to_be_named() -> None:
    elsewhere = THREE.replace(
        "sales: {type: AmazonS3,", "sales: {type: AmazonS3, workspaceId: 8a81b09d5e8c6f27015ece3402487d33,"
    )
    assert calls(plan(elsewhere, after(THREE), selection=only("integration.accounts"))) == []
    named = plan(elsewhere, after(THREE), selection=only("connection.sales", "integration.accounts"))
    assert fates(named)["connection.sales"] == "replace"
    assert codes(named) == []


def test_replace_makes_anew_what_nothing_has_changed() -> None:
    found = plan(THREE, after(THREE), selection=Selection(replace=("connection.sales",)))
    assert fates(found) == {"connection.sales": "replace", "integration.accounts": "update"}
    assert change(found, "connection.sales").reason == "--replace asks for it"
    protected = THREE.replace("sales: {", "sales: {lifecycle: {preventDestroy: true}, ")
    assert codes(plan(protected, after(protected), selection=Selection(replace=("connection.sales",)))) == [
        "CW502"
    ]


def test_an_address_that_nothing_has_is_an_error_with_a_suggestion() -> None:
    for selection in (
        only("connection.sale"),
        without("connection.sale"),
        Selection(replace=("connection.sale",)),
    ):
        found = plan(THREE, after(THREE), selection=selection)
        assert codes(found) == ["CW507"]
        assert "connection.sales" in (found.problems[0].hint or "")


def test_what_is_wrong_with_what_is_left_out_keeps_nobody_back() -> None:
    text = THREE + "flows:\n  nightly: {steps: [{integration: {name: Nobody}}, {integration: accounts}]}\n"
    assert codes(plan(text, after(THREE))) == ["CW505"]
    assert codes(plan(text, after(THREE), selection=without("flow.nightly"))) == []


def test_a_move_is_made_whatever_is_selected() -> None:
    lists = ChangeLists(moved=(Moved("connection.other", "connection.third"),))
    text = THREE.replace("other", "third").replace("bucketName: bucket", "bucketName: moved")
    found = plan(text, after(THREE), lists=lists, selection=only("connection.sales"))
    assert calls(found) == ["update connection.sales"]
    assert fates(found) == {"connection.sales": "update", "connection.third": "move"}


def test_destroying_a_part() -> None:
    found = plan("", after(THREE), selection=only("integration.accounts"))
    assert calls(found) == ["delete schedule.accounts", "delete integration.accounts"]
