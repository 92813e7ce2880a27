"""Every example from its first plan to its destruction, and a manifest with errors: what is printed.

`make golden` writes the files anew; their difference is to be read before it is committed.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.golden import Session, TextFile
from support.projects import EXAMPLES, example
from support.tenant import embedded
from syrupy.assertion import SnapshotAssertion

PROJECTS = [("quickstart", "local"), ("all-kinds", "dev")]
RENAMED = {"quickstart": "manifests/sales.yaml", "all-kinds": "manifests/integrations.yaml"}
# From here to its end a file goes; all of it where no word is given.
GONE = {
    "quickstart": ("manifests/stock.yaml", ""),
    "all-kinds": ("teams/finance/cloudworks.yaml", "notifications:"),
}
PROTECTED = re.compile(r"preventDestroy: true")


@pytest.fixture
def golden(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(TextFile)


def test_every_example_is_here() -> None:
    elsewhere = {"dev-and-prod", "policies"}  # test_diff.py, test_policies_rego.py
    told = {name for name, _ in PROJECTS} | elsewhere
    assert {path.parent.name for path in EXAMPLES.glob("*/cwsync.yaml")} == told


@pytest.mark.parametrize(("name", "environment"), PROJECTS)
def test_story(name: str, environment: str, tmp_path: Path, golden: SnapshotAssertion) -> None:
    project = example(name, tmp_path)
    session = Session(project, environment)
    data = project.root / f".cwsync/{environment}.emulator.db"

    def shows(step: str, *arguments: str, status: int = 0) -> None:
        assert session.run(*arguments, status=status) == golden(name=step)

    shows("01 validate", "validate")
    shows("02 plan", "plan")
    shows("03 plan json", "plan", "--format", "json", "--detailed-exitcode", status=2)
    shows("04 apply", "apply", "--auto-approve")
    shows("05 second plan", "plan", "--detailed-exitcode", "-v")
    shows("06 second plan json", "plan", "--detailed-exitcode", "--format", "json")
    shows("07 second apply", "apply", "--auto-approve")
    shows("08 no drift", "drift")
    with embedded(data) as tenant:
        tenant.edit("update", "integration", name="Accounts import", body={"modelId": "F" * 32})
        tenant.edit("update", "connection", name="Sales S3", body={"name": "Sales of old"})
        tenant.edit("delete", "schedule", name="Accounts import")
    shows("09 drift", "drift", status=2)
    shows("10 drift json", "drift", "--format", "json", status=2)
    shows("11 plan with drift", "plan")
    shows("12 repair json", "apply", "--auto-approve", "--format", "json")
    project.replace(RENAMED[name], "name: Accounts import", "name: Accounts load")
    file, first = GONE[name]
    project.write(file, project.read(file).partition(first)[0]) if first else project.remove(file)
    shows("13 rename and delete", "plan", "--detailed-exitcode", "--out", "a.plan", status=2)
    shows("14 rename and delete json", "show", "a.plan", "--format", "json")
    shows("15 apply it", "apply", "a.plan")
    shows("16 apply it again", "apply", "a.plan", status=3)
    if name == "all-kinds":
        shows("17 destroy refused", "destroy", "--auto-approve", status=7)
        for path in (project.root / "manifests").glob("*.yaml"):
            path.write_text(PROTECTED.sub("preventDestroy: false", path.read_text()))
        session.run("apply", "--auto-approve", status=0)
    shows("18 plan to destroy json", "plan", "--destroy", "--format", "json")
    shows("19 destroy", "destroy", "--auto-approve")
    shows("20 nothing left", "state", "list")
    with embedded(data) as tenant:
        assert not any(tenant.snapshot()[kind] for kind in ("connections", "integrations", "flows"))


def test_another_environment_has_its_own_values_and_tenant(tmp_path: Path, golden: SnapshotAssertion) -> None:
    session = Session(example("all-kinds", tmp_path), "prod")
    assert session.run("plan", status=0) == golden(name="plan")


def test_a_process_of_its_own_prints_the_same(tmp_path: Path) -> None:
    project = example("quickstart", tmp_path)
    for arguments in (
        ["validate"],
        ["plan"],
        ["plan", "--destroy"],
        ["drift"],
        ["show"],
        ["apply", "a.plan"],
    ):
        assert project.process(*arguments) == project.run(*arguments)


BROKEN = """\
connections:
  sales:
    type: AmazonS3
    bucketname: landing
    accessKeyId: {fromEnv: SALES_KEY}
    secretAccessKey: needle-in-the-manifest
  tables:
    type: GoogleBigQueri
integrations:
  Rates: {}
  accounts: {processId: 118000000001}
  rates:
    name: A name that is longer than the sixty characters which CloudWorks allows
    jobs:
      - import: {connection: lak, file: Rates.csv, actionId: 112000000005, fileId: 113000000000}
  prices:
    jobs:
      - import: {connection: warehouse, file: "${var.file}", actionId: 112000000006, fileId: 113000000001}
  close: {processId: 118000000001}
schedules:
  rates: {type: weekly, time: 25:00, startDate: 2030-01-07, timezone: Greenwich}
  close: {type: daily, time: 12:45, startDate: 2030-01-07, timezone: Europe/Pariss}
notifications:
  close: {channels: [email, sms], notify: {full_failure: [alice]}}
  rates: {channels: [email], notify: {full_failure: [alcie]}}
flow:
  nightly: {steps: [{integration: close}]}
"""


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
def test_everything_wrong_is_said_at_once(form: str, tmp_path: Path, golden: SnapshotAssertion) -> None:
    project = example("quickstart", tmp_path)
    project.write("manifests/stock.yaml", BROKEN)
    project.write("manifests/close.yaml", "flows:\n  nightly:\n  - tab:\t[\n")
    session = Session(project, "local")
    shown = session.run("validate", "--format", form, status=1)
    assert shown == golden
    assert "needle" not in shown
