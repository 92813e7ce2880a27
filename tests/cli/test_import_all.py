"""import --all: a tenant made by hand comes under version control, without a call that changes it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from support.program import cwsync
from support.projects import SECRETS, Project, example, small
from support.tenant import Tenant, embedded, served

from cwsync.authoring.layout import LAYOUTS
from cwsync.cli.import_ import import_command
from cwsync.cli.outside import Outside
from cwsync.kinds import KINDS
from cwsync.state import Files

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

WORKSPACE, MODEL = "8a81b09d5e8c6f27015ece3402487d33", "35A6EF893D7F47EEA5A554D5CC7DC330"
OTHER_MODEL = "7C1F90B2A3D64E5F8091A2B3C4D5E6F7"
BARE = """\
# ours
version: 1
environment: test # the only one
environments:
  test:
    api: {url}/2/0
    auth: {url}
    authenticate: {{basic: {{username: ci@example.com, password: {{fromFile: secrets/password}}}}}}
    requests: {{parallelism: 8, perSecond: 1000}}
"""


@pytest.fixture
def tenant() -> Iterator[Tenant]:
    with served() as tenant:
        yield tenant


@pytest.fixture
def project(tenant: Tenant, tmp_path: Path) -> Project:
    """A project that declares nothing yet."""
    made = Project(tmp_path / "taken")
    made.write("cwsync.yaml", BARE.format(url=tenant.url))
    made.write("secrets/password", SECRETS["password"])
    return made


def hand_made(tenant: Tenant, folder: Path) -> None:
    """Six objects of all kinds, which another project has made."""
    small(tenant, folder).applied()


def import_all(tenant: Tenant, project: Project, *arguments: str, status: int = 0) -> Any:
    """The report as JSON. Whatever comes of it: no call has changed the tenant."""
    before = len(tenant.mutations())
    ran = project.run("import", "--all", "--out", "manifests", "--format", "json", *arguments)
    assert ran.status == status, ran.all
    assert tenant.mutations()[before:] == []
    return json.loads(ran.out)


def taken(report: Any) -> set[str]:
    return {address for file in report["files"] for address in file["addresses"]}


def reasons(report: Any) -> dict[tuple[str, str], str]:
    return {(one["kind"], one["name"]): one["reason"] for one in report["leftOut"]}


def nothing_left_to_do(project: Project) -> None:
    ran = project.run("plan", "--detailed-exitcode")
    assert ran.status == 0, ran.all
    assert "No changes." in ran.out


def connection(tenant: Tenant, name: str, **more: Any) -> str:
    body = {"name": name, "bucketName": "landing", **more}
    return tenant.edit("create", "connection", body={"type": "AmazonS3", "body": body})


def job(connection: str, kind: str = "AmazonS3") -> dict[str, Any]:
    return {
        "type": f"{kind}ToAnaplan",
        "sources": [{"type": kind, "connectionId": connection, "file": "a.csv"}],
        "targets": [{"type": "Anaplan", "actionId": "112000000005", "fileId": "113000000000"}],
    }


def integration(tenant: Tenant, name: str, connection: str | None = None, **more: Any) -> str:
    what = {"processId": "118000000001"} if connection is None else {"jobs": [job(connection)]}
    body = {"name": name, "version": "2.0", "workspaceId": WORKSPACE, "modelId": MODEL, **what, **more}
    return tenant.edit("create", "integration", body=body)


def flow(tenant: Tenant, name: str, *integrations: str) -> str:
    steps: list[dict[str, Any]] = []
    for one in integrations:
        waits = {"dependsOn": [steps[-1]["referrer"]]} if steps else {}
        steps.append({"referrer": one, **waits})
    return tenant.edit("create", "flow", body={"name": name, "steps": steps})


def test_everything_is_written_down_bound_and_then_there_is_nothing_to_do(
    tenant: Tenant, project: Project, tmp_path: Path
) -> None:
    hand_made(tenant, tmp_path)
    report = import_all(tenant, project)
    assert taken(report) == {
        "connection.sales-s3",
        "integration.accounts-import",
        "integration.month-close",
        "schedule.accounts-import",
        "notification.accounts-import",
        "notification.month-close",
        "flow.nightly-load",
    }
    assert [file["file"] for file in report["files"]] == [
        "manifests/connections-amazon-s3.yaml",
        "manifests/integrations-35a6ef89.yaml",
        "manifests/flows.yaml",
    ]
    assert report["leftOut"] == report["problems"] == []
    nothing_left_to_do(project)
    assert project.run("drift").status == 0
    assert json.loads(project.run("state", "show", "flow.nightly-load").out)["origin"] == "adopted"


def test_it_reads_as_people_write_it(tenant: Tenant, project: Project, tmp_path: Path) -> None:
    hand_made(tenant, tmp_path)
    import_all(tenant, project)
    text = project.read("manifests/integrations-35a6ef89.yaml")
    assert text.startswith("# yaml-language-server: $schema=../manifest.schema.json\n")
    assert (
        "      - import: {connection: sales-s3, file: Accounts.csv, actionId: 112000000005, fileId: 113000000000}\n"
        in text
    )
    assert "    time: 12:45\n    startDate: 2030-01-07\n" in text
    assert (
        "    steps:\n      - integration: accounts-import\n      - integration: month-close\n"
        in project.read("manifests/flows.yaml")
    )


def test_what_all_share_and_the_users_go_into_cwsync_yaml_which_stays_as_it_was(
    tenant: Tenant, project: Project, tmp_path: Path
) -> None:
    hand_made(tenant, tmp_path)
    before = project.read("cwsync.yaml")
    report = import_all(tenant, project)
    after = project.read("cwsync.yaml")
    assert after.startswith(before)
    read = yaml.safe_load(after)
    assert read["defaults"] == {"integrations": {"workspaceId": WORKSPACE, "modelId": MODEL}}
    assert "alice" not in after
    assert read["users"]["user-2c9ba1b6"] == "2c9ba1b6729b7fd80172c3f635db40f7"
    assert "defaults.integrations.modelId" in report["added"]
    assert "workspaceId" not in project.read("manifests/integrations-35a6ef89.yaml")


def test_defaults_and_users_that_are_there_are_used_and_added_to(
    tenant: Tenant, project: Project, tmp_path: Path
) -> None:
    hand_made(tenant, tmp_path)
    kept = (
        "users:\n  # who is told\n  alice: 2c9ba1b6729b7fd80172c3f635db40f7 # on call\n"
        "defaults:\n  # one workspace\n  integrations: {workspaceId: " + WORKSPACE + ", nuxVisible: true}\n"
    )
    project.write("cwsync.yaml", project.read("cwsync.yaml") + kept)
    before = project.read("cwsync.yaml").splitlines()
    import_all(tenant, project)
    after = project.read("cwsync.yaml")
    assert yaml.safe_load(after)["defaults"]["integrations"]["modelId"] == MODEL
    assert [line for line in before if line not in after.splitlines()] == [before[-1]]
    text = project.read("manifests/integrations-35a6ef89.yaml")
    assert "notify: {full_failure: [alice]}" in text
    assert text.count("nuxVisible: false") == 2  # the default would say otherwise
    nothing_left_to_do(project)


def test_secrets_are_named_and_needed_by_no_plan(tenant: Tenant, project: Project) -> None:
    connection(tenant, "Sales S3")
    connection(tenant, "2024")
    report = import_all(tenant, project)
    assert {one["fromEnv"]: (one["address"], one["field"]) for one in report["secrets"]} == {
        "SALES_S3_ACCESS_KEY_ID": ("connection.sales-s3", "accessKeyId"),
        "SALES_S3_SECRET_ACCESS_KEY": ("connection.sales-s3", "secretAccessKey"),
        "CLOUDWORKS_2024_ACCESS_KEY_ID": ("connection.2024", "accessKeyId"),
        "CLOUDWORKS_2024_SECRET_ACCESS_KEY": ("connection.2024", "secretAccessKey"),
    }
    text = project.read("manifests/connections-amazon-s3.yaml")
    assert "#   SALES_S3_SECRET_ACCESS_KEY\n" in text
    assert '  "2024":\n' in text
    assert project.run("validate").status == 0
    nothing_left_to_do(project)


def test_a_second_run_adds_what_is_new_in_files_of_its_own(
    tenant: Tenant, project: Project, tmp_path: Path
) -> None:
    hand_made(tenant, tmp_path)
    import_all(tenant, project)
    before = {file: file.read_bytes() for file in project.root.glob("manifests/*")}
    assert taken(import_all(tenant, project)) == set()
    lake = connection(tenant, "Lake")
    integration(tenant, "Prices", lake)
    asked = len(tenant.requests())
    report = import_all(tenant, project)
    assert taken(report) == {"connection.lake", "integration.prices", "notification.prices"}
    assert [file["file"] for file in report["files"]] == [
        "manifests/connections-amazon-s3-2.yaml",
        "manifests/integrations-35a6ef89-2.yaml",
    ]
    assert {file: file.read_bytes() for file in before} == before
    read = [each["path"] for each in tenant.requests()[asked:] if each["method"] == "GET"]
    assert (
        len([path for path in read if path.startswith(("/2/0/integrations/", "/2/0/integrationflows/"))]) == 3
    )
    nothing_left_to_do(project)


def test_files_that_were_written_and_not_bound_are_bound_by_the_next_run(
    tenant: Tenant, project: Project, tmp_path: Path
) -> None:
    hand_made(tenant, tmp_path)
    import_all(tenant, project)
    (project.root / ".cwsync" / "test.state.json").unlink()
    project.remove("manifests/flows.yaml")
    report = import_all(tenant, project)
    assert taken(report) == {"flow.nightly-load"}
    assert "notification.accounts-import" in report["bound"]
    assert report["leftOut"] == []
    nothing_left_to_do(project)


@pytest.mark.parametrize("layout", ["kind", "single"])
def test_other_layouts(layout: str, tenant: Tenant, project: Project, tmp_path: Path) -> None:
    hand_made(tenant, tmp_path)
    report = import_all(tenant, project, "--layout", layout)
    files = [file["file"] for file in report["files"]]
    kinds = ["connections", "integrations", "schedules", "notifications", "flows"]
    expected = ["cloudworks"] if layout == "single" else kinds
    assert files == [f"manifests/{name}.yaml" for name in expected]
    nothing_left_to_do(project)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["--kind", "connection"], {"connection.sales-s3", "connection.lake"}),
        (["--name", "Month*"], {"integration.month-close", "notification.month-close"}),
        (
            ["--model", OTHER_MODEL.lower()],
            {"connection.lake", "integration.prices", "notification.prices"},
        ),
        (["--model", MODEL, "--kind", "flow"], {"flow.nightly-load"}),
        (["--workspace", "8a81b08e654f3cef0165a5dd5a2b3c44"], set()),
        (
            ["--kind", "schedule", "--kind", "notification", "--name", "Accounts*"],
            {"schedule.accounts-import", "notification.accounts-import"},
        ),
        (["--mine", "--kind", "connection"], {"connection.sales-s3"}),
        (
            ["--mine", "--kind", "integration"],
            {"integration.accounts-import", "integration.month-close"},
        ),
    ],
)
def test_filters(
    filters: list[str], expected: set[str], tenant: Tenant, project: Project, tmp_path: Path
) -> None:
    hand_made(tenant, tmp_path)
    integration(tenant, "Prices", connection(tenant, "Lake"), modelId=OTHER_MODEL)
    assert taken(import_all(tenant, project, *filters)) == expected
    if expected:
        nothing_left_to_do(project)


def test_what_is_filtered_out_is_referred_to_by_its_name(
    tenant: Tenant, project: Project, tmp_path: Path
) -> None:
    hand_made(tenant, tmp_path)
    import_all(tenant, project, "--kind", "flow")
    assert "      - integration: {name: Accounts import}\n" in project.read("manifests/flows.yaml")
    nothing_left_to_do(project)
    import_all(tenant, project)
    nothing_left_to_do(project)


@pytest.mark.parametrize(
    ("folder", "way_out"),
    [
        ("elsewhere", "write `manifests: [manifests, elsewhere]` into cwsync.yaml"),
        ("manifests/.hidden", "choose a folder that is covered"),
        ("../outside", "choose a folder below the one of cwsync.yaml"),
    ],
)
def test_a_folder_that_the_project_does_not_read_is_refused(
    folder: str, way_out: str, tenant: Tenant, project: Project
) -> None:
    connection(tenant, "Lake")
    ran = project.run("import", "--all", "--out", folder)
    assert ran.status == 1
    assert way_out in ran.err
    assert not (project.root / folder).exists()
    assert tenant.requests() == []


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--all"],
        ["--out", "manifests"],
        ["--mine", "flow.a=b"],
        ["--all", "--out", "manifests", "flow.a=b"],
    ],
)
def test_a_wrong_command_line(arguments: list[str], project: Project) -> None:
    ran = project.run("import", *arguments)
    assert ran.status == 1
    assert "CW901" in ran.err


def test_names_that_come_to_one_key(tenant: Tenant, project: Project) -> None:
    for name in ("Sales-S3", "Sales S3", "Sales  S3", "sales_s3", "販売", "null"):
        connection(tenant, name)
    report = import_all(tenant, project)
    keys = sorted(address.partition(".")[2] for address in taken(report))
    japanese = next(key for key in keys if key.startswith("connection-"))
    assert sorted({*keys} - {japanese}) == ["null", "sales-s3", "sales-s3-2", "sales-s3-3", "sales_s3"]
    assert len({one["fromEnv"] for one in report["secrets"]}) == 12
    nothing_left_to_do(project)


def test_texts_that_yaml_or_cwsync_could_misread(tenant: Tenant, project: Project) -> None:
    buckets = [
        "007",
        "no",
        "12:45",
        "a: b #c",
        "${var.x}",
        "$${y}",
        "'quoted'",
        '"',
        "- x",
        "é\u2028\U0001f600",
        "1e5",
    ]
    for number, bucket in enumerate(buckets):
        connection(tenant, f"c{number}", bucketName=bucket)
    report = import_all(tenant, project)
    assert len(taken(report)) == len(buckets) - 1
    (why,) = report["leftOut"]
    assert "U+2028" in why["reason"]  # what no manifest may hold
    nothing_left_to_do(project)


def test_hostile_ids_and_names_stay_in_their_place(tenant: Tenant, project: Project) -> None:
    """Beside the longest file name, two models that differ behind it; and what would end a comment."""
    for number, model in enumerate(
        ["m" * 900 + "a", "m" * 900 + "b", "x\nconnections: {}", "y\u2028z: [", "../../up"]
    ):
        integration(tenant, f"I {number}", modelId=model)
    connection(tenant, "../../../etc/passwd")
    report = import_all(tenant, project)
    assert {"integration.i-0", "integration.i-1", "connection.etc-passwd"} <= taken(report)
    why = reasons(report)
    assert why["integration", "I 2"] == "modelId: the text holds a character that cannot be shown, U+000A"
    assert why["integration", "I 3"] == "modelId: the text holds a character that cannot be shown, U+2028"
    assert sorted(file.name for file in project.root.glob("**/*.yaml")) == [
        "connections-amazon-s3.yaml",
        "cwsync.yaml",
        f"integrations-{'m' * 32}.yaml",
        "integrations.yaml",
    ]
    assert max(map(len, project.read("manifests/integrations.yaml").splitlines())) < 120
    nothing_left_to_do(project)


class _Full(Files):
    """A disk on which nothing more can be written to manifests/."""

    def replace(self, source: Path, target: Path) -> None:
        if target.parent.name == "manifests":
            raise PermissionError(13, "Permission denied", str(target))
        super().replace(source, target)


def test_a_folder_that_cannot_be_written_to_is_said(tenant: Tenant, project: Project) -> None:
    connection(tenant, "Lake")
    arguments = ["import", "--all", "--out", "manifests"]
    ran = cwsync(*arguments, folder=project.root, outside=Outside(files=_Full()))
    assert ran.status == 1
    assert "manifests/connections-amazon-s3.yaml cannot be written: Permission denied" in ran.err
    assert "CW999" not in ran.err
    assert project.run("state", "list").out == ""
    assert taken(import_all(tenant, project)) == {"connection.lake"}
    nothing_left_to_do(project)


def test_a_pattern_that_takes_some_files_of_the_folder_and_not_others(
    tenant: Tenant, project: Project
) -> None:
    """What is bound and not read would be deleted by the next plan."""
    connection(tenant, "Lake")
    project.replace("cwsync.yaml", "version: 1\n", "version: 1\nmanifests: ['manifests/a*.yaml']\n")
    ran = project.run("import", "--all", "--out", "manifests")
    assert ran.status == 1
    assert "manifests/connections-amazon-s3.yaml would not be read" in ran.err
    assert not (project.root / "manifests").exists()
    assert project.run("state", "list").out == ""


def test_a_tenant_in_which_nothing_is_unmanaged(tenant: Tenant, project: Project) -> None:
    ran = project.run("import", "--all", "--out", "manifests")
    assert (ran.status, ran.out) == (0, "Nothing unmanaged was found.\n")
    assert not (project.root / "manifests").exists()
    connection(tenant, "Twice")
    connection(tenant, "Twice")
    ran = project.run("import", "--all", "--out", "manifests", "-q")
    assert ran.out == "Nothing was imported. 2 objects left out.\n"


def test_an_odd_tenant(tenant: Tenant, project: Project) -> None:
    sales, gone = connection(tenant, "Sales S3"), connection(tenant, "Gone")
    connection(tenant, "Twice")
    connection(tenant, "twice")
    connection(tenant, "x" * 61)
    azure = {"name": "Lake", "storageAccountName": "lake", "containerName": "c", "authMethod": "OAuth"}
    lake = tenant.edit("create", "connection", body={"type": "AzureBlob", "body": azure})
    first = integration(tenant, "First", sales)
    orphan = integration(tenant, "Orphan", gone)
    tenant.edit("delete", "connection", id=gone)
    old = job(sales)
    old["targets"][0] |= {"workspaceId": WORKSPACE, "modelId": MODEL}
    tenant.edit("create", "integration", body={"name": "Old", "version": "1.0", "jobs": [old]})
    in_lake = integration(tenant, "In the lake", jobs=[job(lake, "AzureBlob")], processId=None)
    hidden = integration(tenant, "Hidden")
    flow(tenant, "Nightly", first, orphan)
    flow(tenant, "Blind", first, hidden)
    tenant.edit("delete", "integration", id=hidden)
    tenant.edit("update", "notification", id=in_lake, body={"users": {"full_failure": None}})
    tenant.edit("update", "tenant", body={"maxAllowed": 1})

    report = import_all(tenant, project)
    assert taken(report) == {
        "connection.sales-s3",
        "integration.first",
        "integration.in-the-lake",
        "integration.old",
        "notification.first",
        "notification.old",
        "flow.nightly",
    }
    why = reasons(report)
    assert "2 connections of this name" in why["connection", "Twice"]
    assert "2 connections of this name" in why["connection", "twice"]
    assert "61 characters" in why["connection", "x" * 61]
    assert "authentication method is OAuth" in why["connection", "Lake"]
    assert f"it refers to the connection {gone}, which was deleted" in why["integration", "Orphan"]
    assert why["notification", "Orphan"] == "its integration is left out"
    assert f"it refers to the integration {hidden}" in why["flow", "Blind"]
    assert "nobody is notified" in why["notification", "In the lake"]
    assert len(why) == 8
    (note,) = report["notes"]
    assert "integration.old is of version 1.0" in note
    assert "connection: {name: Lake}" in project.read("manifests/integrations-35a6ef89.yaml")
    assert "integration: {name: Orphan}" in project.read("manifests/flows.yaml")
    nothing_left_to_do(project)
    assert "Left out:" in project.run("import", "--all", "--out", "manifests").out


def test_what_cannot_be_read_is_said_and_the_rest_is_imported(tenant: Tenant, project: Project) -> None:
    sales = connection(tenant, "Sales S3")
    first = integration(tenant, "First", sales)
    second = integration(tenant, "Second", sales)
    flow(tenant, "Nightly", first, second)
    tenant.fault("status", "GET", "/2/0/integrations/connections", status=403)
    report = import_all(tenant, project, status=1)
    assert [one["code"] for one in report["problems"]] == ["CW312"]
    assert taken(report) == {"flow.nightly"}
    assert "the connections could not be read" in reasons(report)["integration", "Second"]
    tenant.mend()
    nothing_left_to_do(project)
    tenant.fault("status", "GET", f"/2/0/integrations/{second}", status=403)
    report = import_all(tenant, project)
    assert taken(report) == {"connection.sales-s3", "integration.first", "notification.first"}
    assert ("integration", "Second") in reasons(report)
    tenant.mend()
    nothing_left_to_do(project)
    tenant.fault("status", "GET", "/2/0/integrations/notification/*", status=403)
    report = import_all(tenant, project)
    assert taken(report) == {"integration.second"}
    assert ("notification", "Second") in reasons(report)
    tenant.mend()
    nothing_left_to_do(project)
    assert taken(import_all(tenant, project)) == {"notification.second"}
    nothing_left_to_do(project)


def test_what_is_declared_with_a_name_of_the_tenant_and_differs_is_left_alone(
    tenant: Tenant, project: Project
) -> None:
    integration(tenant, "Close")
    project.write(
        "manifests/mine.yaml",
        "integrations:\n  close: {name: Close, processId: 118000000009, "
        f"workspaceId: {WORKSPACE}, modelId: {MODEL}}}\n",
    )
    report = import_all(tenant, project)
    assert "differs in processId: see cwsync plan --adopt" in reasons(report)["integration", "Close"]
    assert "integration.close is declared, differs" in reasons(report)["notification", "Close"]
    assert project.run("state", "list").out == ""


def test_what_does_not_come_back_as_it_is_is_named_with_both_values(tenant: Tenant, project: Project) -> None:
    close = integration(tenant, "Close")
    weekly = {
        "name": "Odd",
        "type": "weekly",
        "time": "12:45",
        "startDate": "2030-01-07",
        "timezone": "Greenwich",
    }
    tenant.edit("create", "schedule", id=close, body={**weekly, "daysOfWeek": [0, 0]})
    report = import_all(tenant, project, status=1)
    assert taken(report) == {"integration.close", "notification.close"}
    (problem,) = report["problems"]
    assert problem["code"] == "CW509"
    assert "daysOfWeek[1] the tenant has 0, and the manifest would say nothing" in problem["message"]
    nothing_left_to_do(project)


class _Dying(Files):
    """A disk that a power cut ends after so many files."""

    def __init__(self, files: int) -> None:
        self._left = files

    def replace(self, source: Path, target: Path) -> None:
        if target.suffix == ".yaml":
            if not self._left:
                raise KeyboardInterrupt
            self._left -= 1
        super().replace(source, target)


@pytest.mark.parametrize("files", range(4))
def test_a_run_that_was_cut_off_is_mended_by_the_next(
    files: int, tenant: Tenant, project: Project, tmp_path: Path
) -> None:
    hand_made(tenant, tmp_path)
    arguments = ["import", "--all", "--out", "manifests"]
    cut_off = cwsync(*arguments, folder=project.root, outside=Outside(files=_Dying(files)))
    assert cut_off.status == 130
    written = len([*project.root.glob("**/*.yaml")])
    assert written == max(files, 1)  # cwsync.yaml was there before, and is the first to be written
    report = import_all(tenant, project)
    assert len(taken(report)) + len(report["bound"]) == 7
    assert report["leftOut"] == []
    nothing_left_to_do(project)


def _without_what_nobody_has_recorded(app: WSGIApplication) -> WSGIApplication:
    """Whether exports are shown with these two is not known: here they have other names, which say nothing."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = b"".join(app(environ, start_response))
        return [body.replace(b'"overwrite"', b'"forgotten"').replace(b'"mapping"', b'"ignored"')]

    return answer


def test_what_the_service_does_not_show_of_an_export_is_said(project: Project) -> None:
    with served(around=_without_what_nobody_has_recorded) as tenant:
        project.write("cwsync.yaml", BARE.format(url=tenant.url))
        to_s3 = {
            "type": "AmazonS3",
            "connectionId": connection(tenant, "Sales S3"),
            "file": "x/",
            "overwrite": True,
        }
        anaplan = {"type": "Anaplan", "actionId": "116000000053"}
        table = {"name": "Warehouse", "dataset": "d"}
        bigquery = tenant.edit("create", "connection", body={"type": "GoogleBigQuery", "body": table})
        to_table = {"type": "GoogleBigQuery", "connectionId": bigquery, "table": "t", "overwrite": True}
        for name, target in {"To S3": to_s3, "To a table": to_table}.items():
            job = {"type": f"AnaplanTo{target['type']}", "sources": [anaplan], "targets": [target]}
            integration(tenant, name, jobs=[job], processId=None)
        report = import_all(tenant, project)
        assert report["unshown"] == ["integration.to-s3: jobs[0].export.overwrite"]
        assert "needs a mapping of columns" in reasons(report)["integration", "To a table"]
        nothing_left_to_do(project)


def test_a_tenant_as_the_vendors_page_has_it(project: Project, tmp_path: Path) -> None:
    with served(profile="documented") as tenant:
        project.write("cwsync.yaml", BARE.format(url=tenant.url))
        hand_made(tenant, tmp_path)
        report = import_all(tenant, project)
        assert {"schedule.accounts-import", "flow.nightly-load"} <= taken(report)
        nothing_left_to_do(project)


def test_the_options_name_what_there_is() -> None:
    options = {option.name: option.type for option in import_command.params}
    assert list(getattr(options["kinds"], "choices", ())) == [*KINDS]
    assert list(getattr(options["layout"], "choices", ())) == [*LAYOUTS]


def test_all_kinds_of_the_example(tmp_path: Path) -> None:
    made = example("all-kinds", tmp_path).applied()
    other = Project(tmp_path / "taken")
    other.write("cwsync.yaml", "version: 1\nenvironments: {dev: {api: emulator}}\n")
    data = other.root / ".cwsync" / "dev.emulator.db"
    data.parent.mkdir()
    data.write_bytes((made.root / ".cwsync" / "dev.emulator.db").read_bytes())
    with embedded(data) as tenant:
        before = tenant.snapshot()
    ran = other.run("import", "--all", "--out", "manifests")
    assert ran.status == 0, ran.all
    with embedded(data) as tenant:
        assert tenant.snapshot() == before
    nothing_left_to_do(other)
    assert cwsync("validate", folder=other.root).status == 0
