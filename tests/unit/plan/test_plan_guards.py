"""Deletions that are refused: protected ones, too many, and what somebody still uses."""

from __future__ import annotations

import pytest
from unit.plan.scene import (
    after,
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

from cwsync.project import Guards

CONNECTION = sections(connections=s3("a"))
BOTH = sections(connections=s3("a"), integrations=imports("i", "a"))


PROTECTED = sections(connections=s3("a", lifecycle="{preventDestroy: true}"))


def test_prevent_destroy_outlives_its_block() -> None:
    made = plan("", after(PROTECTED))
    (problem,) = made.problems
    assert (problem.code, problem.exit, problem.address) == ("CW502", 7, "connection.a")
    assert made.guards == (problem.message,)


def test_prevent_destroy_also_refuses_a_replacement() -> None:
    changed = PROTECTED.replace("preventDestroy", "preventDestroy").replace(
        "type: AmazonS3, bucketName: bucket", "type: AzureBlob, storageAccountName: s, containerName: c"
    )
    made = plan(changed, after(PROTECTED))
    assert codes(made) == ["CW502"]
    assert "would be replaced" in made.problems[0].message


def test_prevent_destroy_that_was_taken_back_does_not_hold() -> None:
    changed = sections(
        connections=s3("a").replace(
            "AmazonS3, bucketName: bucket", "AzureBlob, storageAccountName: s, containerName: c"
        )
    )
    assert codes(plan(changed, after(PROTECTED))) == []


def test_prevent_destroy_does_not_hold_what_is_gone_already() -> None:
    made = plan("", after(PROTECTED).without("connection.a"))
    assert (codes(made), fates(made)) == ([], {"connection.a": "forget"})


def _many(count: int) -> str:
    return sections(connections="".join(s3(f"c{number}") for number in range(count)))


@pytest.mark.parametrize(
    ("guards", "kept", "refused"),
    [
        (Guards(maxDeletes=2), 2, False),
        (Guards(maxDeletes=1), 2, True),
        (Guards(maxDeletePercent=50), 2, False),
        (Guards(maxDeletePercent=49), 2, True),
        (Guards(maxDeletes=2, maxDeletePercent=49), 2, True),
        (Guards(maxDeletes=0), 4, False),
        (Guards(), 0, False),
    ],
)
def test_both_guards_hold_also_in_small_tenants(guards: Guards, kept: int, refused: bool) -> None:
    made = plan(_many(kept) if kept else "", after(_many(4)), guards=guards)
    assert codes(made) == (["CW503"] if refused else [])
    assert [problem.exit for problem in made.problems] == ([7] if refused else [])


def test_guards_hold_for_each_kind_by_itself() -> None:
    made = plan(CONNECTION, after(BOTH + "flows: {}\n"), guards=Guards(maxDeletePercent=50))
    assert codes(made) == ["CW503"]
    assert made.problems[0].message.startswith("1 of 1 managed integrations would be deleted")


def test_a_replacement_counts_as_a_deletion() -> None:
    changed = CONNECTION.replace(
        "AmazonS3, bucketName: bucket", "AzureBlob, storageAccountName: s, containerName: c"
    )
    assert codes(plan(changed, after(CONNECTION), guards=Guards(maxDeletes=0))) == ["CW503"]


def test_what_an_unmanaged_integration_uses_stays() -> None:
    jobs = [{"import": {"connection": id_for("connection.a").upper(), "file": "x"}}]
    world = after(CONNECTION)
    made = plan("", world.put(*everything_in(world), stranger("integration", "Theirs", jobs=jobs)))
    (problem,) = made.problems
    assert (problem.code, problem.exit, problem.address) == ("CW504", 7, "connection.a")
    assert 'the integration "Theirs"' in problem.message


def test_what_an_unmanaged_flow_runs_stays() -> None:
    world = after(BOTH)
    flow = stranger("flow", "Theirs", steps=[{"integration": id_for("integration.i")}])
    made = plan(CONNECTION, world.put(*everything_in(world), flow))
    assert codes(made) == ["CW504"]


def test_what_our_own_integration_goes_on_using_stays() -> None:
    """It ignores the change that would have let go of the connection."""
    was = sections(connections=s3("a") + s3("b"), integrations=imports("i", "a"))
    now = sections(connections=s3("b"), integrations=imports("i", "b", lifecycle="{ignoreChanges: [jobs]}"))
    made = plan(now, after(was))
    assert codes(made) == ["CW504"]
    assert "in use by integration.i" in made.problems[0].message


def test_a_replacement_must_not_pull_a_connection_from_under_an_unmanaged_integration() -> None:
    jobs = [{"import": {"connection": id_for("connection.a")}}]
    world = after(CONNECTION)
    changed = CONNECTION.replace(
        "AmazonS3, bucketName: bucket", "AzureBlob, storageAccountName: s, containerName: c"
    )
    assert codes(
        plan(changed, world.put(*everything_in(world), stranger("integration", "Theirs", jobs=jobs)))
    ) == ["CW504"]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    world = after(PROTECTED)
    world = world.put(*everything_in(world), stranger("connection", "new"))
    made = plan(
        sections(connections=s3("new"), integrations=imports("i", "{name: None}")),
        world,
        guards=Guards(maxDeletes=0),
    )
    assert sorted(codes(made)) == ["CW501", "CW502", "CW503", "CW505", "CW516"]
