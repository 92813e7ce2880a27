"""A deletion and a creation that look like one resource: a warning with the entry to write."""

from __future__ import annotations

import pytest
from unit.plan.scene import after, codes, imports, plan, s3, sections

BLOB = "type: AzureBlob, storageAccountName: s, containerName: c"
PROCESS = "  {}: {{processId: 118, name: {}}}\n"
FLOW = "  {}: {{steps: [{{integration: {}}}, {{integration: j}}]}}\n"


def hints(was: str, now: str) -> list[str]:
    made = plan(now, after(was))
    assert set(codes(made)) <= {"CW516"}
    assert all(one.severity == "warning" for one in made.problems)
    return [one.hint or "" for one in made.problems]


def entry(old: str, new: str) -> str:
    return f"moved: [{{from: {old}, to: {new}}}]"


@pytest.mark.parametrize(
    ("was", "now", "pair"),
    [
        ({"connections": s3("a")}, {"connections": s3("b")}, ("connection.a", "connection.b")),
        (
            {"connections": s3("a", name="Sales")},
            {"connections": f"  b: {{{BLOB}, name: Sales}}\n"},
            ("connection.a", "connection.b"),
        ),
        (
            {"integrations": PROCESS.format("acc", "one")},
            {"integrations": PROCESS.format("accounts", "two").replace("name", "nuxVisible: true, name")},
            ("integration.acc", "integration.accounts"),
        ),
        (
            {
                "integrations": PROCESS.format("i", "I") + PROCESS.format("j", "J"),
                "flows": FLOW.format("f", "i"),
            },
            {
                "integrations": PROCESS.format("i", "I") + PROCESS.format("j", "J"),
                "flows": FLOW.format("g", "i"),
            },
            ("flow.f", "flow.g"),
        ),
        (
            {"integrations": PROCESS.format("i", "I"), "schedules": "  i: {}\n"},
            {"integrations": PROCESS.format("i", "I"), "schedules": "  s: {integration: i, time: 10:00}\n"},
            ("schedule.i", "schedule.s"),
        ),
    ],
    ids=["connection", "by its name", "integration", "flow", "schedule"],
)
def test_the_hint_is_the_entry_to_write(
    was: dict[str, str], now: dict[str, str], pair: tuple[str, str]
) -> None:
    assert hints(sections(**was), sections(**now)) == [entry(*pair)]


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (s3("a"), f"  b: {{{BLOB}}}\n"),
        (s3("a"), s3("b").replace("bucketName: bucket", "bucketName: other")),
        (s3("a"), s3("b") + s3("c")),
        (s3("a") + s3("b"), s3("c")),
    ],
    ids=["another type", "another bucket", "one of two is new", "one of two goes"],
)
def test_what_differs_or_could_be_several_is_not_suggested(was: str, now: str) -> None:
    keep = "  kept: {processId: 118}\n"  # an empty project is another matter
    assert (
        hints(sections(connections=was, integrations=keep), sections(connections=now, integrations=keep))
        == []
    )


def test_what_refers_to_look_alikes_looks_alike_and_parts_follow_by_themselves() -> None:
    """One entry a resource, and none for the schedule: it follows its integration."""
    was = sections(
        connections=s3("old"),
        integrations=imports("i", "old") + "  j: {processId: 118}\n",
        schedules="  i: {}\n",
        notifications="  i: {channels: [email], notify: {success: [alice]}}\n",
        flows=FLOW.format("f", "i"),
    )
    now = was.replace("  old:", "  new:").replace("connection: old", "connection: new")
    now = now.replace("  i:", "  k:").replace("integration: i", "integration: k").replace("  f:", "  g:")
    assert hints(was, now) == [
        entry("connection.old", "connection.new"),
        entry("integration.i", "integration.k"),
        entry("flow.f", "flow.g"),
    ]


def test_the_warning_stands_at_the_new_resource() -> None:
    (problem,) = plan(sections(connections=s3("b")), after(sections(connections=s3("a")))).problems
    assert (problem.address, problem.place and problem.place.line) == ("connection.b", 2)
