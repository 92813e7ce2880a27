"""plan, show and drift in the formats of other programs: comments, pages, annotations."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from support.golden import Session, TextFile
from support.projects import SECRETS, Project, example
from support.tenant import Tenant
from syrupy.assertion import SnapshotAssertion


@pytest.fixture
def golden(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(TextFile)


def test_markdown(tmp_path: Path, golden: SnapshotAssertion) -> None:
    project = example("all-kinds", tmp_path)
    session = Session(project, "dev")
    assert session.run("plan", "--format", "markdown", status=0) == golden(name="01 all is new")
    project.run("apply", "--auto-approve", "-q")
    assert session.run("plan", "--format", "markdown", status=0) == golden(name="02 nothing to do")
    project.replace("manifests/schedules.yaml", "time: 12:45", "time: 13:45")
    project.replace("manifests/integrations.yaml", "name: Accounts import", "name: Accounts load")
    project.write("manifests/lists.yaml", "removed: [{address: flow.nightly}]\n")
    flows = project.read("manifests/flows.yaml")
    project.write(
        "manifests/flows.yaml", flows[: flows.index("  nightly:")] + flows[flows.index("  month-end:") :]
    )
    finance = project.read("teams/finance/cloudworks.yaml")
    project.write("teams/finance/cloudworks.yaml", finance.partition("notifications:")[0])
    planned = session.run("plan", "--format", "markdown", "--out", "a.plan", status=0)
    assert planned == golden(name="03 forget, change and delete")
    shown = session.run("show", "a.plan", "--format", "markdown", status=0)
    assert set(shown.splitlines()) - set(planned.splitlines()) == {"$ cwsync show a.plan --format markdown"}
    refused = session.run("plan", "--destroy", "--format", "markdown", status=7)
    assert refused == golden(name="04 refused")


def test_a_page_is_the_same_from_a_saved_plan_and_has_no_secret(project: Project) -> None:
    made = project.run("plan", "--format", "html", "--out", "a.plan")
    assert (made.status, made.out[:15]) == (0, "<!DOCTYPE html>")
    shown = project.run("show", "a.plan", "--format", "html")
    rows = [sorted(re.findall("<tr>.*?</tr>", ran.out)) for ran in (made, shown)]
    assert rows[0] == rows[1]
    assert project.run("show", "a.plan", "--format", "html") == shown
    assert not any(secret in made.out for secret in SECRETS.values())
    assert 'data-kind="flow"' in made.out


def test_what_is_wrong_is_on_the_page_and_on_stderr(project: Project) -> None:
    project.applied()
    project.write("manifests/sales.yaml", "connections: {}\n")
    project.remove("manifests/nightly.yaml")
    project.replace("cwsync.yaml", "    requests:", "    guards: {maxDeletes: 0}\n    requests:")
    for form in ("html", "markdown"):
        ran = project.run("plan", "--format", form)
        assert ran.status == 7
        assert "CW503" in ran.out
        assert ran.err.startswith("CW503")


def test_drift_on_github_stands_at_the_declaration(project: Project, tenant: Tenant) -> None:
    drifted(project, tenant)
    ran = project.run("drift", "--format", "github")
    assert (ran.status, ran.err) == (2, "")
    first, second = ran.out.splitlines()
    assert first.startswith(
        '::warning file=manifests/sales.yaml,line=2,col=3,title=CW521::connection.sales "Sales S3" was'
    )
    assert re.search(
        r"changed outside cwsync by Grace Hopper at [^%]+%0AbucketName: \"landing\" -> \"a%25\\n::error::x\"%0A",
        first,
    )
    assert first.endswith(
        "cwsync drift --accept connection.sales writes the tenant's values into the manifests"
    )
    assert second.startswith("::warning file=manifests/nightly.yaml,line=2,col=3,title=CW521::flow.nightly ")
    assert second.endswith("was deleted outside cwsync%0Ahint: cwsync apply puts it back")


def drifted(project: Project, tenant: Tenant) -> None:
    project.applied()
    tenant.edit("update", "connection", name="Sales S3", body={"bucketName": "a%\n::error::x"})
    tenant.edit("delete", "flow", name="Nightly load")


def test_drift_as_sarif_stands_at_the_declaration(project: Project, tenant: Tenant) -> None:
    drifted(project, tenant)
    ran = project.run("drift", "--format", "sarif")
    assert (ran.status, ran.err) == (2, "")
    (run,) = json.loads(ran.out)["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["CW521"]
    places = [
        (place["artifactLocation"]["uri"], place["region"]["startLine"], result["level"])
        for result in run["results"]
        for place in [result["locations"][0]["physicalLocation"]]
    ]
    assert places == [("manifests/sales.yaml", 2, "warning"), ("manifests/nightly.yaml", 2, "warning")]
    assert 'bucketName: "landing" -> "a%\\n::error::x"' in run["results"][0]["message"]["text"]


def test_drift_of_what_nobody_declares_any_more_has_no_line(project: Project, tenant: Tenant) -> None:
    drifted(project, tenant)
    project.remove("manifests/nightly.yaml")
    ran = project.run("drift", "--format", "github")
    assert "::warning title=CW521::flow.nightly " in ran.out
    sarif = json.loads(project.run("drift", "--format", "sarif").out)["runs"][0]["results"][1]["locations"]
    assert sarif == [{"physicalLocation": {"artifactLocation": {"uri": "cwsync.yaml"}}}]


@pytest.mark.parametrize("form", ["github", "sarif"])
def test_no_drift(form: str, project: Project) -> None:
    ran = project.applied().run("drift", "--format", form)
    assert ran.status == 0
    assert "CW521" not in ran.out


def test_what_cannot_be_read_is_an_error_there(project: Project, tenant: Tenant) -> None:
    project.applied()
    tenant.fault(method="GET", path="/2/0/integrationflows", do="status", status=403)
    ran = project.run("drift", "--format", "github")
    assert ran.status == 1
    assert ran.out.startswith("::error title=CW312::")
