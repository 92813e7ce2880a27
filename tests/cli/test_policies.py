"""Policies at the command line: what they refuse and show, who may do it all the same, and what they cost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, validate
from support.program import Ran
from support.projects import Project, example
from support.tenant import Tenant

STAY = "  - {name: connections-stay, forbid: [delete], kinds: [connections], because: finance needs them%s}\n"
SAID = "connection.sales would be deleted, and the policy connections-stay forbids that: finance needs them"


def held(project: Project, *policies: str) -> Project:
    """The project with these policies, everything applied before they were written."""
    project.applied()
    project.write("cwsync.yaml", project.read("cwsync.yaml") + "policies:\n" + "".join(policies))
    return project


def without_sales(project: Project) -> Project:
    for name in ("sales", "nightly"):
        project.remove(f"manifests/{name}.yaml")
    return project


def policies_of(ran: Ran) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(ran.out)["cwsync"]["policies"]
    return found


def test_apply_and_destroy_are_refused_before_any_call(project: Project, tenant: Tenant) -> None:
    without_sales(held(project, STAY % ""))
    before = tenant.mutations()
    for command in ("apply", "destroy"):
        ran = project.run(command, "--auto-approve")
        assert ran.status == 7
        assert f"CW530 {SAID}" in ran.out
        assert "Error: this plan cannot be applied:" in ran.out
        as_json = project.run(command, "--auto-approve", "--format", "json")
        assert as_json.status == 7
        assert [one["message"] for one in json.loads(as_json.out)["problems"]] == [SAID]
    assert tenant.mutations() == before


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html"])
def test_plan_shows_it_in_every_form_and_does_not_save(form: str, project: Project) -> None:
    without_sales(held(project, STAY % ""))
    ran = project.run("plan", "--format", form, "--out", "a.plan")
    assert ran.status == 7
    assert "CW530" in ran.out
    plain = ran.out.replace("&#46;", ".").replace("&#58;", ":").replace("&#45;", "-")
    assert SAID in plain
    assert "Not saved to a.plan." in ran.err
    assert not (project.root / "a.plan").exists()


def test_the_json_of_a_plan_names_policy_address_and_level(project: Project) -> None:
    without_sales(
        held(project, STAY % "", "  - {name: soft, forbid: [delete], addresses: [flow.*], level: warn}\n")
    )
    ran = project.run("plan", "--format", "json")
    assert policies_of(ran) == [
        {"policy": "connections-stay", "address": "connection.sales", "message": SAID, "level": "deny"},
        {
            "policy": "soft",
            "address": "flow.nightly",
            "message": "flow.nightly would be deleted, and the policy soft forbids that",
            "level": "warn",
        },
    ]
    document = json.loads(ran.out)
    assert document["cwsync"]["guards"] == [SAID]
    validate(document, json.loads(project.run("schema", "plan").out), Draft202012Validator)


LABELLED = STAY % ", allow: {labels: [destroy-approved]}"


def test_a_label_lifts_it_and_everybody_sees_so(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    without_sales(held(project, LABELLED))
    refused = project.run("plan", "--label", "other")
    assert refused.status == 7
    assert "hint: allowed by --label destroy-approved; otherwise keep it as it is" in refused.out
    lifted = project.run("plan", "--label", "other", "--label", "destroy-approved")
    assert lifted.status == 0
    assert "Warning: look at this before applying:" in lifted.out
    assert f"CW530 warning: {SAID}; the label destroy-approved allows it" in lifted.out
    monkeypatch.setenv("CWSYNC_LABELS", "bug, destroy-approved")
    ran = project.run("plan", "--format", "json")
    assert (ran.status, json.loads(ran.out)["cwsync"]["labels"]) == (0, ["bug", "destroy-approved"])
    assert [one["level"] for one in policies_of(ran)] == ["allowed"]
    done = project.run("apply", "--auto-approve", "--format", "json")
    assert done.status == 0
    assert [(p["code"], p["severity"]) for p in json.loads(done.out)["problems"]] == [("CW530", "warning")]


def test_destroy_takes_labels_as_well(project: Project, tenant: Tenant) -> None:
    held(project, LABELLED)
    assert project.run("destroy", "--auto-approve").status == 7
    assert project.run("destroy", "--auto-approve", "--label", "destroy-approved").status == 0
    assert tenant.names("connections") == []


def test_a_saved_plan_keeps_its_labels(project: Project, tenant: Tenant) -> None:
    without_sales(held(project, LABELLED))
    assert project.run("plan", "--out", "a.plan", "--label", "destroy-approved").status == 0
    for form in ("text", "json", "markdown", "html"):
        shown = project.run("show", "a.plan", "--format", form)
        assert (shown.status, "CW530" in shown.out, "destroy" in shown.out) == (0, True, True)
    done = project.run("apply", "a.plan")
    assert done.status == 0
    assert f"CW530 warning: {SAID}; the label destroy-approved allows it" in done.out
    assert tenant.names("connections") == []


def test_a_saved_plan_is_held_against_the_policies_of_the_day(project: Project, tenant: Tenant) -> None:
    without_sales(held(project, "  - {name: o, owners: required}\n"))
    assert project.run("plan", "--out", "a.plan").status == 0
    project.write("cwsync.yaml", project.read("cwsync.yaml") + LABELLED)
    before = tenant.mutations()
    refused = project.run("apply", "a.plan")
    assert (refused.status, tenant.mutations()) == (7, before)
    assert SAID in refused.err


def test_a_label_may_also_be_given_beside_a_saved_plan(project: Project) -> None:
    without_sales(project.applied())
    assert project.run("plan", "--out", "a.plan").status == 0
    project.write("cwsync.yaml", project.read("cwsync.yaml") + "policies:\n" + LABELLED)
    assert project.run("apply", "a.plan", "--label", "destroy-approved").status == 0


def test_the_label_is_the_only_option_beside_a_saved_plan(project: Project) -> None:
    project.run("plan", "--out", "a.plan")
    ran = project.run("apply", "a.plan", "--target", "connection.sales", "--label", "x")
    assert (ran.status, "a saved plan is applied as it is" in ran.err) == (1, True)


@pytest.mark.parametrize(
    ("users", "allowed"),
    [("ci@example.com", True), ("CI@Example.com", True), ("alice", False), ("grace@example.com", False)],
)
def test_the_signed_in_user_may_be_allowed(users: str, allowed: bool, project: Project) -> None:
    without_sales(held(project, STAY % f", allow: {{users: [{users}]}}"))
    ran = project.run("plan")
    assert ran.status == (0 if allowed else 7)
    assert (f"; its list of users ({users}) allows it" in ran.out) == allowed
    assert ("signing in as" in ran.out) == (not allowed)


def test_a_user_goes_by_the_name_that_cwsync_yaml_gives(project: Project) -> None:
    without_sales(held(project, STAY % ", allow: {users: [alice]}"))
    who = project.run("auth", "check", "--format", "json")
    guid = json.loads(who.out)["userGuid"]
    project.replace("cwsync.yaml", "2c9ba1b6729b7fd80172c3f635db40f7", guid.upper())
    assert project.run("plan").status == 0


def test_nobody_is_allowed_where_the_service_does_not_say_who_it_is(project: Project, tenant: Tenant) -> None:
    without_sales(held(project, STAY % ", allow: {users: [ci@example.com]}"))
    tenant.fault("status", "GET", "/token/validate", None, status=404)
    ran = project.run("plan")
    assert ran.status == 7
    assert "(the sign-in service did not say who you are)" in ran.out


def test_policies_of_users_cost_no_call_more(project: Project, tenant: Tenant) -> None:
    """Whose tenant it is has to be asked in any case."""
    project.applied()
    counts = []
    for policies in ("", "policies:\n" + STAY % ", allow: {users: [ci@example.com]}"):
        project.write("cwsync.yaml", project.read("cwsync.yaml") + policies)
        before = len(tenant.requests())
        assert project.run("plan").status == 0
        counts.append(len(tenant.requests()) - before)
    assert counts[0] == counts[1]


def test_another_environment_is_free(tmp_path: Path) -> None:
    project = example("all-kinds", tmp_path)
    project.write(
        "cwsync.yaml",
        project.read("cwsync.yaml") + "policies: [{name: frozen, forbid: [create], environments: [prod]}]\n",
    )
    assert project.run("plan", "-e", "dev").status == 0
    assert project.run("plan", "-e", "prod").status == 7


def test_the_emulator_has_a_user_too(tmp_path: Path) -> None:
    project = example("quickstart", tmp_path)
    policy = "policies: [{name: frozen, forbid: [create], allow: {users: [%s]}}]\n"
    text = project.read("cwsync.yaml")
    for user, status in (("emulator", 0), ("ci@example.com", 7)):
        project.write("cwsync.yaml", text + policy % user)
        assert project.run("plan").status == status


def test_a_warning_is_shown_and_refuses_nothing(project: Project) -> None:
    held(project, "  - {name: soft, names: 'ACME .+', kinds: [integrations], level: warn}\n")
    project.replace("manifests/close.yaml", "Month close", "Months close")
    ran = project.run("plan")
    assert ran.status == 0
    assert (
        'CW530 warning: integration.close is named "Months close", and the policy soft asks for ACME .+'
        in ran.out
    )
    assert "manifests/close.yaml:2:17: CW530 warning:" in ran.out
    done = project.run("apply", "--auto-approve")
    assert (done.status, done.out.count("CW530")) == (0, 1)


def test_validate_says_early_what_a_plan_would_refuse(project: Project) -> None:
    text = project.read("cwsync.yaml")
    project.write(
        "cwsync.yaml", text + "policies: [{name: names, names: 'ACME .+', kinds: [integrations]}]\n"
    )
    ran = project.run("validate")
    assert ran.status == 0
    assert "manifests/close.yaml:2:17: CW530 warning: integration.close is named" in ran.err
    github = project.run("validate", "--format", "github")
    assert "::warning file=manifests/close.yaml,line=2,col=17,title=CW530::integration.close" in github.out
    assert project.run("plan").status == 7


def test_a_mistake_in_a_policy_is_shown_where_it_is(project: Project) -> None:
    project.write("cwsync.yaml", project.read("cwsync.yaml") + "policies: [{name: p, forbit: [delete]}]\n")
    ran = project.run("plan")
    assert ran.status == 1
    assert "cwsync.yaml:12:22: CW111 'forbit' is not a field here" in ran.err
    assert "hint: did you mean 'forbid'?" in ran.err


def test_the_owner_is_shown_everywhere_and_sent_nowhere(project: Project, tenant: Tenant) -> None:
    project.applied()
    owned = "lifecycle: {owner: team-finance}"
    project.replace("manifests/close.yaml", "name: Month close", f"name: Month close, {owned}")
    assert project.run("plan").out.startswith("No changes.")
    project.replace("manifests/close.yaml", "Month close", "Months close")
    ran = project.run("plan", "--format", "json")
    (change,) = [
        one for one in json.loads(ran.out)["resource_changes"] if one["address"] == "integration.close"
    ]
    assert change["owner"] == "team-finance"
    for form in ("text", "markdown", "html"):
        assert "owner team-finance" in project.run("plan", "--format", form).out.replace("&#45;", "-")
    assert project.applied().run("fmt", "--check").status == 0
    assert "team-finance" not in json.dumps(tenant.snapshot())
    assert "team-finance" not in project.read(".cwsync/test.state.json")
    told = project.run("explain", "integration.lifecycle.owner")
    assert "the tenant knows nothing of it" in " ".join(told.out.split())


def test_another_owner_makes_a_saved_plan_stale(project: Project) -> None:
    assert project.run("plan", "--out", "a.plan").status == 0
    project.replace(
        "manifests/close.yaml", "name: Month close", "name: Month close, lifecycle: {owner: team-x}"
    )
    ran = project.run("apply", "a.plan")
    assert (ran.status, "CW512 integration.close (lifecycle) is declared otherwise" in ran.err) == (3, True)


def test_diff_shows_another_owner(tmp_path: Path) -> None:
    project = example("dev-and-prod", tmp_path)
    owners = "variables:\n      owner: %s\n"
    text = project.read("cwsync.yaml")
    for name, owner in (("dev", "team-dev"), ("prod", "team-prod")):
        head, middle, tail = text.partition(f"  {name}:\n")
        text = head + middle + tail.replace("variables:\n", owners % owner, 1)
    project.write("cwsync.yaml", text)
    project.replace(
        "cwsync.yaml", "defaults:\n", "defaults:\n  flows: {lifecycle: {owner: '${var.owner}'}}\n"
    )
    ran = project.run("diff", "-e", "dev", "-e", "prod")
    assert "lifecycle.owner" in ran.out, ran.all
