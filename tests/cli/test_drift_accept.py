"""drift: taking the tenant's values over into the manifests, and what else it says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from support.program import Ran
from support.projects import Project
from support.tenant import Tenant

STATE = ".cwsync/test.state.json"
GRACE = "8a80db4c7a3c1f61017a4e2f0d3b5a19"
ALICE = "2c9ba1b6729b7fd80172c3f635db40f7"


def accepted(project: Project, tenant: Tenant, *addresses: str) -> Ran:
    """Accept the drift of these addresses: no call writes, the plan has nothing to do, and nothing drifts."""
    before = tenant.mutations()
    done = project.run("drift", *(word for address in addresses for word in ("--accept", address)))
    assert done.status == 0, done.all
    assert tenant.mutations() == before
    plan = project.run("plan", "--detailed-exitcode")
    assert plan.status == 0, plan.all
    drift = project.run("drift")
    assert drift.status == 0, drift.all
    return done


def refused(project: Project, tenant: Tenant, address: str) -> Ran:
    """Nothing is accepted, and nothing is written anywhere."""
    files = {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file()}
    before = tenant.mutations()
    done = project.run("drift", "--accept", address)
    assert done.status == 1, done.all
    assert tenant.mutations() == before
    assert {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file()} == files
    return done


def integration(tenant: Tenant, name: str = "Accounts import") -> dict[str, Any]:
    (found,) = [one for one in tenant.snapshot()["integrations"] if one["name"] == name]
    return dict(found)


def with_job(tenant: Tenant, **source: str) -> None:
    (job,) = integration(tenant)["jobs"]
    changed = {**job, "sources": [{**job["sources"][0], **source}]}
    tenant.edit("update", "integration", name="Accounts import", body={"jobs": [changed]})


def test_one_value_changes_and_nothing_else_of_the_file(project: Project, tenant: Tenant) -> None:
    text = project.read("manifests/sales.yaml").replace(
        "bucketName: landing", "bucketName:   'landing'   # theirs, do not touch\n    # and more"
    )
    project.write("manifests/sales.yaml", f"# head\r\n{text}".replace("\n", "\r\n").replace("\r\r", "\r"))
    before = (project.root / "manifests/sales.yaml").read_bytes()
    project.applied()
    tenant.edit("update", "connection", name="Sales S3", body={"bucketName": "other"})

    done = accepted(project, tenant, "connection.sales")

    after = (project.root / "manifests/sales.yaml").read_bytes()
    assert after == before.replace(b"'landing'", b"'other'")
    assert "connection.sales at manifests/sales.yaml:3:3 has the tenant's values now: bucketName." in done.out
    assert "never shows these" in done.out
    assert "accessKeyId" in done.out


def test_a_part_of_a_job_changes_in_its_place(project: Project, tenant: Tenant) -> None:
    project.applied()
    with_job(tenant, file="Other.csv")
    before = project.read("manifests/sales.yaml")
    accepted(project, tenant, "integration.accounts")
    assert project.read("manifests/sales.yaml") == before.replace("Accounts.csv", "Other.csv")


def test_a_value_of_the_defaults_is_overridden_in_the_resource(project: Project, tenant: Tenant) -> None:
    project.applied()
    settings = project.read("cwsync.yaml")
    tenant.edit("update", "integration", name="Month close", body={"modelId": "F" * 32})
    accepted(project, tenant, "integration.close")
    assert project.read("cwsync.yaml") == settings
    line = f"  close: {{name: Month close, modelId: {'F' * 32}, processId: 118000000001}}\n"
    assert line in project.read("manifests/close.yaml")


def test_what_a_default_gives_can_be_taken_away(project: Project, tenant: Tenant) -> None:
    project.replace(
        "cwsync.yaml", "environments:", "  schedules: {endDate: 2031-01-01, enabled: false}\nenvironments:"
    )
    project.applied()
    owner = integration(tenant)
    tenant.edit(
        "update",
        "schedule",
        id=owner["integrationId"],
        body={"endDate": None, "status": "Active", "time": "12:45"},
    )
    accepted(project, tenant, "schedule.accounts")
    line = next(line for line in project.read("manifests/sales.yaml").splitlines() if "daily" in line)
    assert "enabled: true" in line
    assert "endDate: null" in line


def test_a_variable_and_an_alias_are_overridden_where_they_stand(project: Project, tenant: Tenant) -> None:
    project.replace("cwsync.yaml", "environments:", "variables: {bucket: landing, unused: x}\nenvironments:")
    project.replace(
        "manifests/sales.yaml", "bucketName: landing", "bucketName: ${var.bucket} # by environment"
    )
    project.replace("manifests/sales.yaml", "name: Sales S3", "name: &name Sales S3")
    project.replace("manifests/sales.yaml", "name: Accounts import", "name: *name")
    project.applied()
    tenant.edit("update", "connection", name="Sales S3", body={"bucketName": "${odd}"})
    tenant.edit("update", "integration", name="Sales S3", body={"name": "Accounts"})
    accepted(project, tenant, "connection.sales", "integration.accounts")
    text = project.read("manifests/sales.yaml")
    assert 'bucketName: "$${odd}" # by environment' in text
    assert "name: Accounts\n" in text
    assert "name: &name Sales S3\n" in text


def test_a_merged_value_is_overridden_below_the_merge(project: Project, tenant: Tenant) -> None:
    project.write(
        "manifests/close.yaml",
        "integrations:\n  first: &base\n    nuxVisible: true # both\n    processId: 118000000002\n"
        "  close:\n    <<: *base\n    name: Month close\n    # the end\n",
    )
    project.applied()
    tenant.edit("update", "integration", name="Month close", body={"nuxVisible": False})
    accepted(project, tenant, "integration.close")
    expected = "  close:\n    <<: *base\n    name: Month close\n    nuxVisible: false\n    # the end\n"
    assert project.read("manifests/close.yaml").endswith(expected)


def test_what_others_take_their_value_from_is_refused_with_its_place(
    project: Project, tenant: Tenant
) -> None:
    project.write(
        "manifests/close.yaml",
        "integrations:\n  first: &base\n    nuxVisible: true\n    processId: 118000000002\n"
        "  close:\n    <<: *base\n    name: Month close\n",
    )
    project.applied()
    tenant.edit("update", "integration", name="first", body={"processId": "118000000003"})
    done = refused(project, tenant, "integration.first")
    assert "CW520" in done.err
    assert "processId at manifests/close.yaml:4:16" in done.err
    assert "integration.close takes its value from there as well" in done.err


def test_ids_become_keys_and_names_again(project: Project, tenant: Tenant) -> None:
    project.replace("cwsync.yaml", "users: {alice:", f"users: {{grace: {GRACE}, alice:")
    project.write(
        "manifests/more.yaml",
        "connections: {spare: {type: AmazonS3, bucketName: b, accessKeyId: {fromFile: secrets/key}, "
        "secretAccessKey: {fromFile: secrets/secret}}}\n",
    )
    project.replace(
        "manifests/sales.yaml",
        "{channels: [email], notify: {full_failure: [alice]}}",
        "\n    channels: [email]\n    notify:\n      full_failure:\n        - alice # on call\n",
    )
    project.applied()
    spare = next(one for one in tenant.snapshot()["connections"] if one["body"]["name"] == "spare")
    with_job(tenant, connectionId=spare["connectionId"])
    tenant.edit(
        "update", "notification", name="Accounts import", body={"users": {"full_failure": [ALICE, GRACE]}}
    )
    accepted(project, tenant, "integration.accounts", "notification.accounts")
    text = project.read("manifests/sales.yaml")
    assert "import: {connection: spare, file: Accounts.csv," in text
    assert "        - alice # on call\n        - grace\n" in text

    foreign = {"type": "AmazonS3", "body": {"name": "By hand", "bucketName": "theirs"}}
    with_job(tenant, connectionId=tenant.edit("create", "connection", body=foreign))
    accepted(project, tenant, "integration.accounts")
    assert "import: {connection: {name: By hand}, file: Accounts.csv," in project.read("manifests/sales.yaml")


def test_steps_that_came_and_went_keep_the_comments_of_the_others(project: Project, tenant: Tenant) -> None:
    project.replace("manifests/close.yaml", "  close:", "  open: {processId: 118000000002}\n  close:")
    project.write(
        "manifests/nightly.yaml",
        "flows:\n  nightly:\n    name: Nightly load\n    # why\n    steps:\n"
        "      # first of all\n      - integration: accounts\n"
        "      - integration: open # and then\n        onFailure: stop\n"
        "      - integration: close # at last\n        onFailure: stop\n",
    )
    project.applied()
    (flow,) = tenant.snapshot()["flows"]
    first, second, third = flow["steps"]
    skipped = {**second, "isSkipped": True}
    tenant.edit("update", "flow", name="Nightly load", body={"steps": [first, skipped, third]})
    accepted(project, tenant, "flow.nightly")
    before = project.read("manifests/nightly.yaml")
    assert "      - integration: open # and then\n        skip: true\n        onFailure: stop\n" in before

    last = {**third, "dependsOn": [first["referrer"]]}
    tenant.edit("update", "flow", name="Nightly load", body={"steps": [first, last]})
    accepted(project, tenant, "flow.nightly")
    text = project.read("manifests/nightly.yaml")
    assert "integration: open" not in text
    for comment in ("# why", "# first of all", "# and then", "# at last"):
        assert text.count(comment) == 1

    tenant.edit("update", "flow", name="Nightly load", body={"steps": [first, second, third]})
    accepted(project, tenant, "flow.nightly")
    assert "integration: open" in project.read("manifests/nightly.yaml")


def test_a_new_name_is_written_and_known(project: Project, tenant: Tenant) -> None:
    project.applied()
    tenant.edit("update", "flow", name="Nightly load", body={"name": "Daily: load"})
    accepted(project, tenant, "flow.nightly")
    assert 'name: "Daily: load"' in project.read("manifests/nightly.yaml")
    assert json.loads(project.read(STATE))["resources"]["flow.nightly"]["name"] == "Daily: load"


def test_what_somebody_wrote_already_is_only_noted(project: Project, tenant: Tenant) -> None:
    project.applied()
    tenant.edit("update", "connection", name="Sales S3", body={"bucketName": "other"})
    project.replace("manifests/sales.yaml", "landing", '"other"')
    before = project.read("manifests/sales.yaml")
    assert "had the tenant's values already" in accepted(project, tenant, "connection.sales").out
    assert project.read("manifests/sales.yaml") == before


def deleted(project: Project, tenant: Tenant) -> None:
    tenant.edit("delete", "flow", name="Nightly load")


def edited_as_well(project: Project, tenant: Tenant) -> None:
    tenant.edit("update", "flow", name="Nightly load", body={"name": "Other"})
    project.replace(
        "manifests/nightly.yaml", "{integration: close}", "{integration: close, onFailure: continue}"
    )


def name_taken(project: Project, tenant: Tenant) -> None:
    project.write(
        "manifests/zz.yaml",
        "flows: {other: {name: Other, steps: [{integration: close}, {integration: accounts}]}}\n",
    )
    tenant.edit("update", "flow", name="Nightly load", body={"name": "Other"})


@pytest.mark.parametrize(
    ("happens", "says"),
    [
        (deleted, "was deleted in CloudWorks, so there is no value to accept"),
        (edited_as_well, "also differs in what was not applied yet"),
        (name_taken, "the manifests would not be right"),
    ],
)
def test_what_cannot_be_accepted_is_refused_and_nothing_is_written(
    project: Project, tenant: Tenant, happens: Callable[[Project, Tenant], None], says: str
) -> None:
    project.applied()
    happens(project, tenant)
    done = refused(project, tenant, "flow.nightly")
    assert "CW520" in done.err
    assert says in done.err


def test_all_or_nothing(project: Project, tenant: Tenant) -> None:
    project.applied()
    tenant.edit("update", "connection", name="Sales S3", body={"bucketName": "other"})
    before = project.read("manifests/sales.yaml"), project.read(STATE)
    tenant.edit("delete", "flow", name="Nightly load")
    done = project.run("drift", "--accept", "connection.sales", "--accept", "flow.nightly")
    assert done.status == 1
    assert (project.read("manifests/sales.yaml"), project.read(STATE)) == before
    assert "CW507" in refused(project, tenant, "connection.sale").err


def test_nothing_to_accept_is_said_and_takes_no_lock(project: Project, tenant: Tenant) -> None:
    project.applied()
    before = project.read(STATE)
    done = project.run("drift", "--accept", "connection.sales", "--format", "json")
    assert json.loads(done.out)["accepted"] == [
        {
            "address": "connection.sales",
            "place": "manifests/sales.yaml:2:3",
            "written": False,
            "fields": [],
            "unverifiable": ["accessKeyId", "secretAccessKey"],
        }
    ]
    assert project.read(STATE) == before


def test_running_an_integration_is_no_drift(project: Project, tenant: Tenant) -> None:
    project.applied()
    assert project.run("run", "integration.accounts", "--wait").status == 0
    assert project.run("run", "flow.nightly").status == 0
    # A stamp alone: changed, and changed back.
    tenant.edit("update", "connection", name="Sales S3", body={"bucketName": "other"})
    tenant.edit("update", "connection", name="Sales S3", body={"bucketName": "landing"})
    done = project.run("drift", "--format", "json")
    assert (done.status, json.loads(done.out)["drifted"]) == (0, [])


def test_unmanaged_names_kinds_and_ids(project: Project, tenant: Tenant) -> None:
    project.applied()
    made = tenant.edit(
        "create", "connection", body={"type": "AmazonS3", "body": {"name": "By\x1bhand", "bucketName": "b"}}
    )
    told = project.run("drift", "--unmanaged")
    assert told.status == 0
    assert f'  connection "By\\u001bhand" ({made})' in told.out
    found = json.loads(project.run("drift", "--format", "json").out)
    assert found["unmanagedObjects"] == [{"kind": "connection", "name": "By\x1bhand", "id": made}]


EVIL = "a|b\n| x | <img src=x onerror=y> [l](https://e.example) @team ![i](u) `c` **b** www.e.example\\|\r#1"


def test_markdown_is_a_table_that_no_name_breaks_out_of(project: Project, tenant: Tenant) -> None:
    project.applied()
    tenant.edit("update", "connection", name="Sales S3", body={"bucketName": EVIL, "name": EVIL})
    tenant.edit("delete", "flow", name="Nightly load")
    done = project.run("drift", "--format", "markdown")
    assert done.status == 2
    lines = done.out.splitlines()
    assert lines[0] == "## Drift: 1 changed, 1 deleted outside cwsync"
    table = [line for line in lines if line.startswith("|")]
    assert [re.sub(r"&#\d+;", "", line).count("|") for line in table] == [6] * 4
    assert re.match(r"\| bucketName \| &#34;|\| bucketName \| \"landing\" \| ", table[2])
    assert "Grace Hopper" in table[2]
    assert "&#64;&#8288;team" in table[2]  # a forge would find the name in what it has rendered
    bare = re.sub(r"&#\d+;", "", "\n".join(lines[1:]))
    for sign in ("<", "](", "@", "`", "![", "www.", "**b", "https://"):
        assert sign not in bare.replace("`cwsync drift`", ""), sign


def test_markdown_has_a_bound_and_says_what_is_left_out(project: Project, tenant: Tenant) -> None:
    jobs = "\n".join(f"  p{n}: {{processId: 118000000001}}" for n in range(150))
    project.write("manifests/many.yaml", f"integrations:\n{jobs}\n")
    project.applied()
    for n in range(150):
        tenant.edit("update", "integration", name=f"p{n}", body={"name": f"{n}{'<' * 200}"})
    done = project.run("drift", "--format", "markdown")
    assert len(done.out) < 60_000
    assert re.search(r"Left out here, for want of space: \d+ more objects\.", done.out)
    assert done.out.startswith("## Drift: 150 changed outside cwsync\n")
