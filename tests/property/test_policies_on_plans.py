"""Policies on plans from any project to any other: they say, they refuse, and they change nothing else."""

from __future__ import annotations

from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st
from property.settings import QUICK
from property.worlds import Resources, edits, text_of
from unit.plan.scene import after, plan

from cwsync.plan import canonical_json
from cwsync.plan.policies import Approval
from cwsync.project import Policy

FATES = ("create", "update", "replace", "delete", "import", "forget", "move")
RULES = st.one_of(
    st.fixed_dictionaries({"forbid": st.lists(st.sampled_from(FATES), min_size=1, max_size=3)}),
    st.fixed_dictionaries({"names": st.sampled_from([".*", ".*[0-9]", "[A-Z].*", "(a+)+b"])}),
    st.just({"owners": "required"}),
    st.fixed_dictionaries({"schedules": st.just({"hours": "20:00-06:00", "days": ["mon", "tue"]})}),
)
WHERE = st.fixed_dictionaries(
    {"level": st.sampled_from(["deny", "warn"]), "allow": st.sampled_from([{}, {"labels": ["ok"]}])},
    optional={"addresses": st.sampled_from([["*.*"], ["integration.*", "flow.?*"], ["*.a*"]])},
)


@st.composite
def policies(draw: st.DrawFn) -> list[Policy]:
    drawn = draw(st.lists(st.tuples(RULES, WHERE), max_size=4))
    return [
        Policy.model_validate({"name": f"p{number}", **rule, **where})
        for number, (rule, where) in enumerate(drawn)
    ]


@QUICK
@given(edits(), policies(), st.booleans())
def test_policies_say_and_refuse_and_change_nothing_else(
    edit: tuple[Resources, Resources], rules: list[Policy], labelled: bool
) -> None:
    world, approval = after(text_of(edit[0])), Approval(frozenset({"ok"} if labelled else ()))
    text = text_of(edit[1])
    without, held = plan(text, world), plan(text, world, policies=rules, approval=approval)
    assert (held.calls, held.changes, held.digest) == (without.calls, without.changes, without.digest)
    mine = [problem for problem in held.problems if problem.code == "CW530"]
    assert [one for one in held.problems if one not in mine] == [*without.problems]
    refusing = [verdict for verdict in held.policies if verdict.level == "deny"]
    assert [one.message for one in mine if one.severity == "error"] == [one.message for one in refusing]
    changed = {change.address for change in held.changes if change.action != "no-op"}
    assert {verdict.address for verdict in held.policies} <= changed
    labels = {rule.name for rule in rules if rule.allow.labels}
    assert not {one.policy for one in refusing} & (labels if labelled else set())
    again = plan(text, world, policies=rules, approval=approval)
    assert canonical_json(asdict(again)) == canonical_json(asdict(held))
