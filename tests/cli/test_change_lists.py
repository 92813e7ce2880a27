"""moved, removed, import and the selection of a part, as people use them: through the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.projects import Project, small
from support.tenant import Tenant, served

MOVED = "moved: [{from: integration.close, to: integration.month-close}]\n"


@pytest.fixture
def tenant() -> Iterator[Tenant]:
    with served() as tenant:
        yield tenant


@pytest.fixture
def project(tenant: Tenant, tmp_path: Path) -> Project:
    return small(tenant, tmp_path)


def sent(tenant: Tenant, project: Project, *arguments: str, status: int = 0) -> list[str]:
    """What a command sent that could change the tenant."""
    before = len(tenant.mutations())
    ran = project.run(*arguments)
    assert ran.status == status, ran.all
    return tenant.mutations()[before:]


def nothing_left_to_do(project: Project) -> None:
    ran = project.run("plan", "--detailed-exitcode")
    assert ran.status == 0, ran.all
    assert "No changes." in ran.out


def test_a_key_is_renamed_without_a_call(tenant: Tenant, project: Project) -> None:
    project.applied()
    project.replace("manifests/close.yaml", "  close:", "  month-close:")
    project.replace("manifests/nightly.yaml", "{integration: close}", "{integration: month-close}")
    assert sent(tenant, project, "plan", "--detailed-exitcode", status=2) == []
    project.write("manifests/moved.yaml", MOVED)
    assert "# integration.close has moved to integration.month-close\n" in project.run("plan").out
    assert sent(tenant, project, "apply", "--auto-approve") == []
    nothing_left_to_do(project)
    assert "integration.month-close" in project.run("state", "list").out
    project.remove("manifests/moved.yaml")
    nothing_left_to_do(project)


def test_secrets_are_still_compared_after_a_move(tenant: Tenant, project: Project) -> None:
    project.applied()
    project.replace("manifests/sales.yaml", "  sales:\n", "  landing:\n")
    project.replace("manifests/sales.yaml", "connection: sales,", "connection: landing,")
    project.write("manifests/moved.yaml", "moved: [{from: connection.sales, to: connection.landing}]\n")
    assert sent(tenant, project, "apply", "--auto-approve") == []
    nothing_left_to_do(project)
    project.write("secrets/secret", "rotated")
    (put,) = sent(tenant, project, "apply", "--auto-approve")
    assert put.startswith("PUT /integrations/connections/")


def test_what_is_removed_stays_in_the_tenant(tenant: Tenant, project: Project) -> None:
    project.applied()
    project.write("manifests/nightly.yaml", "removed: [{address: flow.nightly}]\n")
    ran = project.run("plan", "--format", "json")
    (change,) = [
        one for one in json.loads(ran.out)["resource_changes"] if one["change"]["actions"] != ["no-op"]
    ]
    assert (change["address"], change["change"]["actions"]) == ("flow.nightly", ["forget"])
    assert sent(tenant, project, "apply", "--auto-approve") == []
    assert tenant.names("flows") == ["Nightly load"]
    nothing_left_to_do(project)


def made_by_hand(tenant: Tenant, project: Project) -> dict[str, str]:
    """What the project declares, in the tenant and unknown to the state; the ids by address."""
    project.applied()
    document = json.loads(project.run("state", "show").out)
    (project.root / ".cwsync" / "test.state.json").unlink()
    return {address: entry["id"] for address, entry in document["resources"].items()}


def test_one_by_one_a_tenant_is_taken_over(tenant: Tenant, project: Project) -> None:
    ids = made_by_hand(tenant, project)
    bindings = [f"{address}={id}" for address, id in ids.items()]
    assert sent(tenant, project, "import", *bindings) == []
    assert json.loads(project.run("state", "show", "connection.sales").out)["origin"] == "adopted"
    nothing_left_to_do(project)
    assert "managed already" in project.run("import", bindings[0]).err


def test_an_import_that_differs_says_so_and_the_next_apply_changes_it(
    tenant: Tenant, project: Project
) -> None:
    ids = made_by_hand(tenant, project)
    project.replace("manifests/sales.yaml", "bucketName: landing", "bucketName: other")
    ran = project.run("import", f"connection.sales={ids['connection.sales']}")
    assert "bucketName" in ran.out
    (change,) = (
        one
        for one in json.loads(project.run("plan", "--format", "json", "--target", "connection.sales").out)[
            "resource_changes"
        ]
    )
    assert change["change"]["actions"] == ["update"]


@pytest.mark.parametrize(
    ("binding", "code"),
    [
        ("connection.nobody=46d677fdb67a41529d0ddadc294515dd", "CW507"),
        ("connection.sales=46d677fdb67a41529d0ddadc294515dd", "CW509"),
        ("connection.sales", "CW901"),
    ],
)
def test_what_cannot_be_imported_is_refused(
    tenant: Tenant, project: Project, binding: str, code: str
) -> None:
    ran = project.run("import", binding)
    assert ran.status == 1
    assert code in ran.err
    assert project.run("state", "list").out == ""


def test_import_entries_take_over_and_apply_changes_what_differs(tenant: Tenant, project: Project) -> None:
    made_by_hand(tenant, project)
    project.replace("manifests/close.yaml", "processId: 118000000001", "processId: 118000000002")
    project.write(
        "manifests/import.yaml",
        "import:\n"
        "  - {to: connection.sales, name: Sales S3}\n"
        "  - {to: integration.accounts, name: Accounts import}\n"
        "  - {to: integration.close, name: Month close}\n"
        "  - {to: flow.nightly, name: Nightly load}\n",
    )
    ran = project.run("plan", "--adopt")
    assert "# integration.close will be imported\n" in ran.out
    assert "to import, 0 to add, 1 to change, 0 to destroy." in ran.out
    calls = sent(tenant, project, "apply", "--auto-approve", "--adopt")
    assert [one.partition(" ")[0] for one in calls] == ["PUT"]
    nothing_left_to_do(project)


def test_adopt_takes_over_whatever_has_the_names(tenant: Tenant, project: Project) -> None:
    made_by_hand(tenant, project)
    ran = project.run("apply", "--auto-approve")
    assert ran.status == 1
    assert "--adopt" in ran.all
    assert sent(tenant, project, "apply", "--auto-approve", "--adopt") == []
    nothing_left_to_do(project)


def test_a_saved_partial_plan_is_applied_as_a_partial_plan(tenant: Tenant, project: Project) -> None:
    assert project.run("plan", "--out", "part.plan", "--target", "connection.sales").status == 0
    assert sent(tenant, project, "apply", "part.plan") == ["POST /integrations/connections"]
    assert "left" not in project.run("plan").out
    assert project.run("apply", "part.plan", "--target", "flow.nightly").status == 1


def test_a_partial_destroy(tenant: Tenant, project: Project) -> None:
    project.applied()
    calls = sent(tenant, project, "destroy", "--auto-approve", "--target", "flow.nightly")
    assert [one.partition(" ")[0] for one in calls] == ["DELETE"]
    assert tenant.names("flows") == []
    assert len(tenant.names("integrations")) == 2


def test_replace_makes_anew_and_repoints(tenant: Tenant, project: Project) -> None:
    project.applied()
    before = json.loads(project.run("state", "show", "connection.sales").out)["id"]
    calls = sent(tenant, project, "apply", "--auto-approve", "--replace", "connection.sales")
    made, repointed, deleted = (
        next(place for place, call in enumerate(calls) if call.startswith(start))
        for start in (
            "POST /integrations/connections",
            "PUT /integrations/",
            f"DELETE /integrations/connections/{before}",
        )
    )
    assert made < repointed < deleted
    nothing_left_to_do(project)


def test_the_way_out_where_somebody_has_made_it_anew_is_one(tenant: Tenant, project: Project) -> None:
    """What the address stands for is gone, and something else has its name: the hint is followed to its end."""
    project.applied()
    known = json.loads(project.run("state", "show", "--format", "json").out)["resources"]
    steps = [{"referrer": known[address]["id"]} for address in ("integration.accounts", "integration.close")]
    tenant.edit("delete", "flow", name="Nightly load")
    made = tenant.edit("create", "flow", body={"name": "Nightly load", "steps": steps})
    told = project.run("plan")
    assert told.status == 1
    gone = known["flow.nightly"]["id"]
    assert f"cwsync state rm flow.nightly forgets the one that is gone ({gone})" in told.all
    assert project.run("state", "rm", "flow.nightly").status == 0
    assert project.run("apply", "--adopt", "--auto-approve").status == 0
    assert json.loads(project.run("state", "show", "flow.nightly").out)["id"] == made
    nothing_left_to_do(project)
