"""Policies: what they say of a plan, who may do it all the same, and what they leave alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from unit.plan.scene import after, change, declared, fates, id_for, imports, plan, s3, sections

from cwsync.kinds import ChangeLists, Moved, Removed
from cwsync.plan import Plan, Selection
from cwsync.plan.policies import Approval, asks_for_user, declared_problems
from cwsync.project import Policy
from cwsync.state import Deposed

A, B = sections(connections=s3("a")), sections(connections=s3("b"))
BOTH = sections(connections=s3("a"), integrations=imports("i", "a"))
CHANGED = A.replace("bucket: bucket", "").replace("bucketName: bucket", "bucketName: other")
OTHER_TYPE = A.replace(
    "AmazonS3, bucketName: bucket",
    "AzureBlob, storageAccountName: s, containerName: c, sasToken: {fromEnv: S}",
)


def policy(name: str = "p", **fields: Any) -> Policy:
    return Policy.model_validate({"name": name, **fields})


def verdicts(of: Plan) -> list[tuple[str, str, str]]:
    return [(one.policy, one.address, one.level) for one in of.policies]


FATES = ["create", "update", "replace", "delete", "import", "forget", "move"]
NO_DELETION = policy("stay", forbid=["delete"])


def test_what_is_forbidden_refuses_the_plan_as_a_guard_does() -> None:
    made = plan(
        "", after(A), policies=[policy("stay", forbid=["delete"], because="the platform team owns it")]
    )
    (problem,) = made.problems
    assert (problem.code, problem.exit, problem.severity) == ("CW530", 7, "error")
    assert problem.address == "connection.a"
    assert problem.message == (
        "connection.a would be deleted, and the policy stay forbids that: the platform team owns it"
    )
    assert made.guards == (problem.message,)
    assert verdicts(made) == [("stay", "connection.a", "deny")]
    assert made.policies[0].message == problem.message


@pytest.mark.parametrize("forbidden", FATES)
def test_each_fate_can_be_forbidden_and_no_other_is_met(forbidden: str) -> None:
    rules = [policy(forbid=[forbidden])]
    plans = {
        "create": plan(A, policies=rules),
        "update": plan(CHANGED, after(A), policies=rules),
        "replace": plan(A, after(A), selection=Selection(replace=("connection.a",)), policies=rules),
        "delete": plan("", after(A), policies=rules),
        "import": plan(A, taken_from_the_state(), selection=Selection(adopt=True), policies=rules),
        "forget": plan("", after(A), lists=ChangeLists(removed=(Removed("connection.a"),)), policies=rules),
        "move": plan(
            sections(connections=s3("b", name="a")),
            after(A),
            lists=ChangeLists(moved=(MOVED,)),
            policies=rules,
        ),
    }
    assert [list(fates(made).values()) for made in plans.values()] == [[fate] for fate in plans]
    met = [fate for fate, made in plans.items() if made.policies]
    assert met == (["replace", "delete"] if forbidden == "delete" else [forbidden])


MOVED = Moved("connection.a", "connection.b")


def taken_from_the_state() -> Any:
    """The tenant has it, and nobody manages it."""
    world = after(A)
    return replace(world, state=replace(world.state, resources={}))


def test_a_move_that_also_renames_is_judged_as_both() -> None:
    made = plan(B, after(A), lists=ChangeLists(moved=(MOVED,)), policies=[policy("m", forbid=["move"])])
    assert change(made, "connection.b").action == "update"
    assert verdicts(made) == [("m", "connection.b", "deny")]


def test_what_has_moved_does_not_escape_by_its_new_address() -> None:
    rules = [policy(addresses=["connection.a*"], forbid=["update"])]
    assert verdicts(plan(B, after(A), lists=ChangeLists(moved=(MOVED,)), policies=rules)) == [
        ("p", "connection.b", "deny")
    ]


def test_a_replacement_deletes_as_well() -> None:
    made = plan(OTHER_TYPE, after(A), policies=[NO_DELETION])
    assert "connection.a would be replaced, and the policy stay forbids that" in made.guards


def test_the_end_of_a_replacement_that_was_allowed_is_not_judged_again() -> None:
    world = after(A)
    live = next(iter(world.objects["connection"].values()))
    world = world.put(replace(live, id="7" * 32, name="old")).deposed(
        Deposed("connection.a", "connection", "7" * 32, "old")
    )
    made = plan(A, world, policies=[NO_DELETION])
    assert list(fates(made).values()) == ["delete"]
    assert made.policies == ()


def test_what_is_gone_already_may_be_forgotten_but_not_what_is_there() -> None:
    rules = [policy(forbid=["forget"])]
    assert plan("", after(A).without("connection.a"), policies=rules).policies == ()
    lists = ChangeLists(removed=(Removed("connection.a"),))
    assert plan("", after(A), lists=lists, policies=rules).policies != ()


@pytest.mark.parametrize(
    ("where", "met"),
    [
        ({}, ["connection.a", "integration.i"]),
        ({"kinds": ["connections"]}, ["connection.a"]),
        ({"addresses": ["*.i"]}, ["integration.i"]),
        ({"addresses": ["connection.?", "flow.*"]}, ["connection.a"]),
        ({"addresses": ["connection.aa"]}, []),
        ({"kinds": ["flows"]}, []),
        ({"kinds": ["connections"], "addresses": ["*.i"]}, []),
    ],
)
def test_where_a_policy_holds(where: dict[str, Any], met: list[str]) -> None:
    made = plan("", after(BOTH), policies=[policy(forbid=["delete"], **where)])
    assert sorted(one.address for one in made.policies) == met


def test_what_a_partial_plan_leaves_out_is_not_judged() -> None:
    made = plan("", after(BOTH), selection=Selection(targets=("integration.i",)), policies=[NO_DELETION])
    assert [one.address for one in made.policies] == ["integration.i"]


def test_nothing_is_said_of_what_stays_as_it_is() -> None:
    rules = [policy("n", names="X.*"), policy("o", owners="required"), policy("d", forbid=["update", "move"])]
    assert plan(A, after(A), policies=rules).policies == ()


# Names


@pytest.mark.parametrize(
    ("pattern", "name", "right"),
    [
        ("^(ACME|EMEA) .+", "ACME load", True),
        ("(ACME|EMEA) .+", "My ACME load", False),  # the whole name, without ^ as well
        ("ACME", "ACME load", False),
        ("ACME|EMEA load", "ACME load", False),
        ("ACME|EMEA load", "EMEA load", True),
        (r"\w+ (?i:load)", "ACME LOAD", True),
    ],
)
def test_the_whole_name_has_the_form(pattern: str, name: str, right: bool) -> None:
    made = plan(sections(connections=s3("a", name=name)), policies=[policy("names", names=pattern)])
    assert [one.address for one in made.policies] == ([] if right else ["connection.a"])


def test_a_wrong_name_is_shown_at_its_place() -> None:
    made = plan(sections(connections=s3("a", name="Load")), policies=[policy("names", names="ACME .+")])
    (problem,) = made.problems
    assert problem.message == 'connection.a is named "Load", and the policy names asks for ACME .+'
    assert str(problem.place) == "manifest.yaml:2:49"


def test_no_pattern_takes_long() -> None:
    """A name of a hundred letters would take other engines longer than the universe is old."""
    made = plan(sections(connections=s3("a", name="a" * 60)), policies=[policy(names="(a|a|aa)*(a+a+)+b")])
    assert len(made.policies) == 1


def test_a_notification_has_no_name_that_could_be_wrong() -> None:
    text = BOTH + "notifications: {i: {channels: [email], notify: {full_failure: [alice]}}}\n"
    made = plan(text, policies=[policy(names="[ai]")])
    assert made.policies == ()


# Owners


def test_an_owner_is_asked_for_and_is_no_change() -> None:
    rules = [policy("owners", owners="required")]
    owned = s3("a", lifecycle="{owner: team-fin}")
    assert plan(sections(connections=owned), policies=rules).policies == ()
    made = plan(CHANGED, after(A), policies=rules)
    assert (
        made.policies[0].message == "connection.a has no lifecycle.owner, and the policy owners asks for one"
    )
    only_the_owner = plan(sections(connections=owned), after(A))
    assert (only_the_owner.empty, only_the_owner.calls) == (True, ())
    assert change(only_the_owner, "connection.a").owner == "team-fin"


def test_an_owner_makes_no_other_plan_of_it() -> None:
    owned = CHANGED.replace("}\n", ", lifecycle: {owner: team-fin}}\n")
    assert plan(owned, after(A)).digest == plan(CHANGED, after(A)).digest


# Schedules


def fires(schedule: str, **rule: Any) -> list[str]:
    """What a policy says of a schedule."""
    text = BOTH + f"schedules: {{i: {schedule}}}\n"
    rules = [policy("quiet", schedules=rule)]
    return [one.message for one in plan(text, policies=rules).policies]


@pytest.mark.parametrize(
    ("time", "hours", "inside"),
    [
        ("20:00", "20:00-06:00", True),
        ("23:59", "20:00-06:00", True),
        ("00:00", "20:00-06:00", True),
        ("06:00", "20:00-06:00", True),
        ("06:01", "20:00-06:00", False),
        ("19:59", "20:00-06:00", False),
        ("08:00", "08:00-18:00", True),
        ("18:01", "08:00-18:00", False),
        ("07:59", "08:00-18:00", False),
        ("12:00", "12:00-12:00", True),
        ("12:01", "12:00-12:00", False),
    ],
)
def test_hours_have_both_ends_and_may_pass_midnight(time: str, hours: str, inside: bool) -> None:
    said = fires(f'{{time: "{time}"}}', hours=hours)
    assert said == (
        [] if inside else [f"schedule.i fires at {time}, and the policy quiet allows only {hours}"]
    )


def test_every_firing_of_an_hourly_schedule_counts_and_no_other_time() -> None:
    hourly = "{type: hourly, repeatEvery: %s, fromTime: '%s', toTime: '%s', daysOfWeek: [mon]}"
    plain = (
        BOTH
        + "schedules: {i: "
        + hourly.replace("{type", "{startDate: 2030-01-07, timezone: Greenwich, type")
    )

    def said(every: int, start: str, end: str, hours: str) -> list[str]:
        text = plain % (every, start, end) + "}\n"
        return [
            one.message for one in plan(text, policies=[policy("q", schedules={"hours": hours})]).policies
        ]

    assert said(2, "08:30", "13:00", "08:30-12:30") == []  # 08:30, 10:30, 12:30
    assert said(2, "08:30", "13:00", "08:30-12:00") == [
        "schedule.i fires at 12:30, and the policy q allows only 08:30-12:00"
    ]
    assert said(1, "05:00", "08:00", "20:00-06:00") == [
        "schedule.i fires at 07:00, 08:00, and the policy q allows only 20:00-06:00"
    ]


@pytest.mark.parametrize(
    ("schedule", "wrong"),
    [
        ("{daysOfWeek: [mon, fri]}", ""),
        ("{daysOfWeek: [mon, sat]}", "sat"),
        ("{time: 12:45}", "sun, sat"),
        ("{type: weekly, daysOfWeek: [0]}", "sun"),
        ("{type: monthly_relative_weekday, dayOfWeek: tue, repeatEvery: 1}", ""),
        ("{type: monthly_relative_weekday, dayOfWeek: sat, repeatEvery: 1}", "sat"),
        ("{type: monthly_specific_day, dayOfMonth: 1}", "sun, sat"),
    ],
)
def test_days(schedule: str, wrong: str) -> None:
    days = ["mon", "tue", "wed", "thu", "fri"]
    says = f"schedule.i fires on {wrong}, and the policy quiet allows only mon, tue, wed, thu, fri"
    assert fires(schedule, days=days) == ([says] if wrong else [])


def test_time_zones_and_all_that_is_wrong_at_once() -> None:
    assert fires("{timezone: Europe/Paris}", timezones=["Europe/Paris", "Europe/Berlin"]) == []
    assert fires("{time: 12:45}", timezones=["Europe/Paris"], hours="20:00-06:00") == [
        "schedule.i fires at 12:45 and has the time zone Greenwich, "
        "and the policy quiet allows only 20:00-06:00; Europe/Paris"
    ]


def test_what_is_disabled_does_not_fire() -> None:
    assert fires("{time: 12:45, enabled: false}", hours="20:00-06:00", days=["mon"]) == []


# Who may do it all the same


GUID = "8a80db4c7a3c1f61017a4e2f0d3b5a19"
DASHED = "8A80DB4C-7A3C-1F61-017A-4E2F0D3B5A19"
ALLOWING = policy(
    "stay", forbid=["delete"], allow={"users": ["CI@acme.com", DASHED, "alice"], "labels": ["ok"]}
)


@pytest.mark.parametrize(
    ("approval", "by"),
    [
        (Approval(labels=frozenset({"ok", "more"})), "the label ok"),
        (Approval(user=frozenset({"ci@acme.com"})), "its list of users (CI@acme.com)"),
        (Approval(user=frozenset({GUID})), f"its list of users ({DASHED})"),
        (Approval(user=frozenset({"alice"})), "its list of users (alice)"),
        (Approval(labels=frozenset({"OK"}), user=frozenset({"bob@acme.com"})), ""),
    ],
)
def test_who_may_do_it_all_the_same(approval: Approval, by: str) -> None:
    made = plan("", after(A), policies=[ALLOWING], approval=approval)
    (problem,) = made.problems
    assert (made.policies[0].level, problem.severity) == (("allowed", "warning") if by else ("deny", "error"))
    assert problem.message == (
        f"connection.a would be deleted, and the policy stay forbids that{f'; {by} allows it' if by else ''}"
    )
    assert bool(made.guards) == (not by)


def test_the_way_out_names_the_labels_and_the_users() -> None:
    (problem,) = plan("", after(A), policies=[ALLOWING]).problems
    assert problem.hint == (
        f"allowed by --label ok, or by signing in as CI@acme.com or {DASHED} or alice "
        "(the sign-in service did not say who you are); otherwise keep it as it is, "
        "or change the policy in cwsync.yaml"
    )


def test_the_way_out_is_told_once_for_each_policy() -> None:
    rules = [ALLOWING, policy("other", forbid=["delete"])]
    made = plan("", after(sections(connections=s3("a") + s3("b"))), policies=rules)
    hinted = [(one.address, bool(one.hint)) for one in made.problems]
    assert hinted == [("connection.a", True)] * 2 + [("connection.b", False)] * 2


def test_nobody_is_asked_who_he_is_unless_it_matters() -> None:
    nobody = policy(forbid=["delete"], allow={"labels": ["ok"]})
    assert not asks_for_user([nobody], frozenset())
    assert asks_for_user([nobody, ALLOWING], frozenset())
    assert not asks_for_user([nobody, ALLOWING], frozenset({"ok"}))


def test_a_warning_refuses_nothing() -> None:
    made = plan("", after(A), policies=[policy("soft", forbid=["delete"], level="warn")])
    (problem,) = made.problems
    assert (problem.code, problem.severity, made.guards) == ("CW530", "warning", ())
    assert verdicts(made) == [("soft", "connection.a", "warn")]


def test_a_policy_changes_nothing_else_of_a_plan() -> None:
    world, rules = after(BOTH), [NO_DELETION, policy("n", names="X.*")]
    without, held = plan(CHANGED, world), plan(CHANGED, world, policies=rules)
    assert held.policies != ()
    assert (held.calls, held.changes, held.digest) == (without.calls, without.changes, without.digest)


# Offline


def test_what_is_declared_is_judged_without_a_tenant_and_only_as_a_warning() -> None:
    rules = [policy("n", names="ACME .+"), policy("o", owners="required"), NO_DELETION]
    found = [*declared_problems(declared(sections(connections=s3("a", name="ACME x") + s3("b"))), rules)]
    assert [(one.code, one.severity, one.address) for one in found] == [
        ("CW530", "warning", "connection.a"),
        ("CW530", "warning", "connection.b"),
        ("CW530", "warning", "connection.b"),
    ]
    assert id_for("connection.a") not in str(found)
