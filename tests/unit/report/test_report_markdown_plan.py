"""A plan as the comment of a pull request: risk first, within GitHub's bound, and nothing breaks out of it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from support.plans import plan_with
from unit.report.tenant import busy_plan, settled_plan

from cwsync.errors import Place, Problem
from cwsync.plan import Call, Change, FieldChange, Plan
from cwsync.plan.values import ActionName
from cwsync.project import Guards
from cwsync.report.markdown_plan import plan_markdown
from cwsync.report.risks import risks

SHOW = "cwsync show a.plan"
EVIL = "a|b\n| x | <img src=x onerror=y> [l](https://e.example) @team ![i](u) ```` `c` **b** www.e.example\\|\r#1 -->"


def blocks(shown: str) -> tuple[str, str]:
    """What is inside of code blocks, and what is outside."""
    fence = re.compile(r"^(`{3,})\w+\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
    return "".join(found[2] for found in fence.finditer(shown)), fence.sub("", shown)


def test_the_first_line_finds_the_comment_again() -> None:
    assert plan_markdown(busy_plan(), SHOW).startswith("<!-- cwsync plan: prod -->\n")
    odd = plan_markdown(replace(busy_plan(), environment="--> <script>"), SHOW)
    assert odd.splitlines()[0] == "<!-- cwsync plan: --%3E %3Cscript%3E -->"


def test_risk_comes_before_the_summary_and_the_details() -> None:
    shown = plan_markdown(plan_with(40), SHOW)
    order = [
        shown.index(part) for part in ("Plan: ", "### Look at this first", "**Deleted: ", "**Replaced: ")
    ]
    order += [shown.index(part) for part in ("**Schedules: ", "### Summary", "### Changes", "### Calls")]
    assert order == sorted(order)
    assert shown.index("connection.team-3` (Landing of team 3): workspaceId cannot be changed") < order[5]


def test_schedules_say_how_they_fire_otherwise() -> None:
    lines = plan_markdown(plan_with(40), SHOW).splitlines()
    told = [line.replace("&#58;", ":") for line in lines if line.startswith("- `schedule.")]
    for line in (
        "- `schedule.actuals-4` (actuals-4): new, and fires",
        "- `schedule.budget-2` (budget-2): disabled: it fires no more",
        "- `schedule.headcount-3` (headcount-3): fires no more",
        '- `schedule.orders-5` (orders-5): time: "02:15" -&#62; "04:45"; '
        'timezone: "Europe/Paris" -&#62; "America/New&#95;York"',
    ):
        assert line in told


@pytest.mark.parametrize(
    ("action", "before", "after", "told"),
    [
        ("create", None, True, "new, and fires"),
        ("create", None, False, "new, and is disabled"),
        ("update", False, True, "enabled: it fires from now on"),
        ("update", True, False, "disabled: it fires no more"),
        ("update", True, True, ""),
        ("delete", True, None, "fires no more"),
        ("delete", False, None, "was disabled, and goes"),
        ("forget", True, None, "goes on as it is"),
        ("forget", False, None, "stays disabled"),
        ("move", True, True, ""),
    ],
)
def test_each_fate_of_a_schedule(
    action: ActionName, before: bool | None, after: bool | None, told: str
) -> None:
    was, is_then = (None if side is None else {"enabled": side} for side in (before, after))
    renamed = FieldChange("name", "a", "b", "manifest")
    change = Change("schedule.x", "schedule", "x", "X", action, None, was, is_then, fields=(renamed,))
    found = {risk.title: risk.items for risk in risks(Plan("prod", "acme", changes=(change,)))}
    assert found.get("Schedules", ()) == ((("schedule.x", "X", told),) if told else ())


def test_pauses_are_told() -> None:
    lines = plan_markdown(plan_with(40), SHOW).split("**Paused during the apply: 1**")[1].splitlines()
    assert lines[2].startswith("- `schedule.orders-5` (orders-5): so that it cannot start while")


def test_what_is_forgotten_or_replaced_counts() -> None:
    plan = Plan(
        "prod", "acme", changes=(Change("flow.x", "flow", "x", "X", "forget", reason="it is listed"),)
    )
    shown = plan_markdown(plan, SHOW)
    assert "**No longer managed: 1** (left in the tenant as it is)\n\n- `flow.x` (X): it is listed\n" in shown
    assert "| kind | forget |\n|---|---:|\n| flow | 1 |" in shown


def test_the_table_counts_by_kind_and_fate() -> None:
    shown = plan_markdown(busy_plan(), SHOW)
    heads = "| kind | create | update | delete |\n|---|---:|---:|---:|\n"
    assert f"### Summary\n\n{heads}| connection | 1 | 1 | 1 |\n| integration |  | 1 |  |\n" in shown


def test_why_it_cannot_be_applied_is_said_first() -> None:
    shown = plan_markdown(busy_plan(Guards(maxDeletes=0)), SHOW)
    assert shown.splitlines()[2] == "## cwsync plan for prod: cannot be applied"
    assert shown.index("Error: this plan cannot be applied:\n\n- **CW503** ") < shown.index(
        "### Look at this first"
    )
    warned = replace(busy_plan(), problems=(Problem("CW516", "look alike", severity="warning"),))
    assert "Warning: look at this before applying:\n\n- **CW516** warning: look alike" in plan_markdown(
        warned, SHOW
    )


def test_what_a_reviewer_cannot_see_is_named() -> None:
    plan = replace(busy_plan(), left_out=("flow.other",), pending=("flow.open (create)",))
    shown = plan_markdown(plan, SHOW)
    for part in (
        "- `flow.other`",
        "- `flow.open (create)`",
        "- `connection.lake: sasToken`",
        "Not managed here: 1 object.",
    ):
        assert part in shown
    assert "Note: 1 object changed outside cwsync since the last apply</summary>" in shown


def test_the_phrases_that_tools_look_for_are_lines_of_their_own() -> None:
    shown = plan_markdown(busy_plan(), SHOW)
    assert re.search(r"(?m)^Plan: 1 to add, 2 to change, 1 to destroy\.$", shown)
    for fate, addresses in {
        "will be created": ["connection.sales-s3"],
        "will be updated in-place": ["connection.lake", "integration.accounts"],
        "will be destroyed": ["connection.old"],
    }.items():
        assert re.findall(rf"(?m)^ *# (.*) {fate}$", shown) == addresses
    settled = plan_markdown(settled_plan(), SHOW)
    assert re.search(r"(?m)^No changes\. The tenant matches the manifests\.$", settled)
    assert "###" not in settled


def test_an_incomplete_picture_never_says_no_changes() -> None:
    plan = Plan("prod", "acme", problems=(Problem("CW312", "the tenant's flows could not be read"),))
    assert "No changes" not in plan_markdown(plan, SHOW)


def test_five_hundred_changes_fit_in_and_what_is_left_out_is_counted() -> None:
    plan = plan_with(500)
    shown = plan_markdown(plan, SHOW)
    assert len(shown) < 65_000
    left = re.search(
        r"The details of (\d+) more resources are left out here, for want of space: `(.*)` shows all\.", shown
    )
    assert left is not None
    changes = shown.partition("### Changes")[2].partition("### Calls")[0].count("<details>")
    assert (changes + int(left[1]), left[2]) == (500, SHOW)
    assert changes > 20
    risks = shown.partition("### Look at this first")[2].partition("### Summary")[0]
    for title, count in (("Deleted", plan.summary["delete"]), ("Replaced", plan.summary["replace"])):
        part = risks.partition(f"**{title}: {count}** ")[2].partition("\n\n**")[0]
        named = part.count("\n- `")
        more = re.search(r"- (\d+) more of these", part)
        assert named + (int(more[1]) if more else 0) == count, title


def test_nothing_makes_it_too_long() -> None:
    long = "<@" * 3_000
    fields = tuple(FieldChange(f"f{n}", None, long, "manifest") for n in range(50))
    changes = tuple(
        Change(f"schedule.{n}-{long}", "schedule", long, long, action, fields=fields, reason=long)
        for n in range(60)
        for action in ("create", "update", "replace", "delete", "forget")
    )  # fmt: skip
    problems = tuple(Problem("CW503", long, Place(long), long, details=(long,)) for _ in range(300))
    calls = tuple(Call(n, long, "create", "POST", long, (), long) for n in range(1, 300))
    many = (long,) * 300
    plan = Plan("prod", long, changes, calls, (), many, many, many, many, problems, many)
    shown = plan_markdown(plan, SHOW)
    assert len(shown) < 65_000
    assert re.search(r"The details of 2\d\d more resources are left out", shown)
    for title in ("Deleted: 60", "Replaced: 60", "No longer managed: 60", "Schedules: "):
        assert f"**{title}" in shown


@pytest.mark.parametrize("where", ["name", "value", "reason", "problem", "call", "note"])
def test_no_name_breaks_out(where: str) -> None:
    at = {
        one: EVIL if one == where else "x" for one in ("name", "value", "reason", "problem", "call", "note")
    }
    field = FieldChange("file", at["value"], "y", "manifest")
    plan = Plan(
        "prod",
        "acme",
        changes=(
            Change("flow.x", "flow", "x", at["name"], "delete", before={"name": at["value"]}, reason=at["reason"]),
            Change("schedule.y", "schedule", "y", at["name"], "update", fields=(field,), after={"enabled": True}),
        ),
        calls=(Call(1, "flow.x", "delete", "DELETE", at["call"], (), at["call"]),),
        problems=(Problem("CW503", at["problem"], Place(at["problem"]), at["problem"]),),
        unverifiable=(at["note"],),
        left_out=(at["note"],),
        pending=(at["note"],),
    )  # fmt: skip
    shown = plan_markdown(plan, SHOW)
    inside, outside = blocks(shown)
    assert "# flow.x will be destroyed" in inside  # the fences are where they should be
    assert (
        outside.count("<details>")
        == outside.count("</details>")
        == len(re.findall("<summary>.*</summary>", outside))
    )
    assert "````" not in outside
    bare = re.sub(r"&#\d+;", "", re.sub(r"`[^`\n]*`", "", outside)).splitlines()[1:]
    for sign in ("<img", "](", "@", "`", "![", "www.", "**b", "https://", "-->", "<!--"):
        assert not any(sign in line for line in bare), sign
    assert not any(line.startswith("| x") for line in shown.splitlines())
