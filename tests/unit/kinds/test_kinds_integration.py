"""Integrations on the wire (facts A2, B25, B26, B32-B36, B44, E2)."""

from __future__ import annotations

from typing import Any

import pytest
from unit.kinds.round_trip import opened

from cwsync.kinds import KINDS, Action, Observed, Write

INTEGRATION = KINDS["integration"]
WORKSPACE, MODEL = "8a81b09d5e8c6f27015ece3402487d33", "35A6EF893D7F47EEA5A554D5CC7DC330"
ENVELOPE = {"name": "n", "workspaceId": WORKSPACE, "modelId": MODEL, "nuxVisible": False}
IMPORT = {"connection": "c1", "actionId": "112", "fileId": "113"}
EXPORT = {"connection": "c1", "actionId": "116", "overwrite": True}


def _sent(jobs: list[Any], action: Action = Action.CREATE, **more: Any) -> Any:
    return opened(INTEGRATION.to_wire(Write(action, {**ENVELOPE, **more, "jobs": jobs})))


def _seen(**item: Any) -> Observed:
    seen = INTEGRATION.from_wire({"integrationId": "i", **ENVELOPE, "version": "2.0", **item})
    assert seen is not None
    return seen


def _jobs(seen: Observed) -> Any:
    assert seen.fields is not None
    return seen.fields["jobs"]


# Every type of job: what a manifest comes to, and what is sent for it.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    f"{kind}ToAnaplan": (
        {"import": {**IMPORT, "type": kind, at: "x"}},
        {
            "type": f"{kind}ToAnaplan",
            "sources": [{"type": kind, "connectionId": "c1", at: "x"}],
            "targets": [{"type": "Anaplan", "actionId": "112", "fileId": "113"}],
        },
    )
    for kind, at in (("AmazonS3", "file"), ("AzureBlob", "file"), ("GoogleBigQuery", "table"))
}
CASES |= {
    f"AnaplanTo{kind}": (
        {"export": {**EXPORT, "type": kind, "file": "out/"}},
        {
            "type": f"AnaplanTo{kind}",
            "sources": [{"type": "Anaplan", "actionId": "116"}],
            "targets": [{"type": kind, "connectionId": "c1", "file": "out/", "overwrite": True}],
        },
    )
    for kind in ("AmazonS3", "AzureBlob")
}
CASES["AnaplanToGoogleBigQuery"] = (
    {"export": {**EXPORT, "type": "GoogleBigQuery", "table": "x", "mapping": {"a": "b"}}},
    {
        "type": "AnaplanToGoogleBigQuery",
        "sources": [{"type": "Anaplan", "actionId": "116"}],
        "targets": [{"type": "GoogleBigQuery", "connectionId": "c1", "table": "x", "overwrite": True}],
        "mapping": [{"sourceName": "a", "targetName": "b"}],
    },
)
every_job = pytest.mark.parametrize("case", CASES)


@every_job
def test_e2_a_job_as_it_is_sent(case: str) -> None:
    job, wire = CASES[case]
    assert _sent([job])["jobs"] == [wire]


@every_job
def test_e2_and_as_it_is_read(case: str) -> None:
    job, wire = CASES[case]
    seen = _seen(jobs=[wire])
    assert _jobs(seen) == [job]
    assert seen.foreign is None
    assert seen.type == ("Import" if "import" in job else "Export")


@every_job
def test_a2_what_the_service_adds_to_an_end_does_not_matter(case: str) -> None:
    job, wire = CASES[case]
    decoration = {"connectionName": "C", "isConnectionDeleted": False, "bucketName": "b"}
    decorated = {
        **wire,
        **{
            side: [end if end["type"] == "Anaplan" else {**end, **decoration} for end in wire[side]]
            for side in ("sources", "targets")
        },
    }
    assert _jobs(_seen(jobs=[decorated])) == [job]


def test_b33_there_is_no_type_in_the_envelope() -> None:
    job, wire = CASES["AmazonS3ToAnaplan"]
    assert _sent([job]) == {**ENVELOPE, "version": "2.0", "jobs": [wire]}
    assert _sent([job]) == _sent([job], Action.UPDATE)


@pytest.mark.parametrize(("jobs", "sent"), [([], None), ([CASES["AmazonS3ToAnaplan"][0]], 1)])
def test_a_process_has_its_id_and_any_number_of_jobs(jobs: list[Any], sent: int | None) -> None:
    body = _sent(jobs, processId="118")
    assert body["processId"] == "118"
    assert (len(body["jobs"]) if "jobs" in body else None) == sent


@pytest.mark.parametrize("none", [{}, {"jobs": None}, {"jobs": []}])
def test_a_process_without_jobs_is_read_in_three_ways(none: dict[str, Any]) -> None:
    seen = _seen(processId="118", **none)
    assert _jobs(seen) == []
    assert (seen.type, (seen.fields or {})["processId"]) == ("Process", "118")


def test_a_deletion_has_no_body() -> None:
    assert INTEGRATION.to_wire(Write(Action.DELETE, {})) is None


def test_b25_ids_compare_without_dashes_and_case() -> None:
    _, wire = CASES["AmazonS3ToAnaplan"]
    dashed = {
        **wire,
        "sources": [{**wire["sources"][0], "connectionId": "FE40DC57-9308-4F2A-8A3C-6D1E0B7A9F11"}],
    }
    seen = _seen(workspaceId=WORKSPACE.upper(), modelId=MODEL.lower(), jobs=[dashed])
    assert seen.fields is not None
    assert (seen.fields["workspaceId"], seen.fields["modelId"]) == (WORKSPACE, MODEL)
    assert _jobs(seen)[0]["import"]["connection"] == "fe40dc5793084f2a8a3c6d1e0b7a9f11"


def test_b26_action_ids_may_be_numbers() -> None:
    job, wire = CASES["AmazonS3ToAnaplan"]
    numbers = {**wire, "targets": [{"type": "Anaplan", "actionId": 112, "fileId": 113}]}
    assert _jobs(_seen(jobs=[numbers])) == [job]
    assert (_seen(processId=118).fields or {})["processId"] == "118"


@pytest.mark.parametrize("listed", ["Import", "Export", "Process"])
def test_b32_the_type_is_in_the_list_and_the_jobs_are_not(listed: str) -> None:
    assert _seen(integrationType=listed).type == listed


def test_b35_whether_it_overwrites_is_always_said() -> None:
    job, _ = CASES["AnaplanToAmazonS3"]
    quiet = {"export": {**job["export"], "overwrite": False}}
    assert _sent([quiet])["jobs"][0]["targets"][0]["overwrite"] is False


@pytest.mark.parametrize(("given", "meant"), [(True, True), ("true", True), ("False", False), (False, False)])
def test_b15_flags_may_be_texts(given: object, meant: bool) -> None:
    _, wire = CASES["AnaplanToAmazonS3"]
    seen = _seen(jobs=[{**wire, "targets": [{**wire["targets"][0], "overwrite": given}]}], nuxVisible=given)
    assert seen.fields is not None
    assert (seen.fields["nuxVisible"], _jobs(seen)[0]["export"]["overwrite"]) == (meant, meant)


def test_b35_and_may_not_be_returned() -> None:
    _, wire = CASES["AnaplanToGoogleBigQuery"]
    target = {key: value for key, value in wire["targets"][0].items() if key != "overwrite"}
    silent = {key: value for key, value in {**wire, "targets": [target]}.items() if key != "mapping"}
    (job,) = _jobs(_seen(jobs=[silent]))
    assert "overwrite" not in job["export"]
    assert "mapping" not in job["export"]


@pytest.mark.parametrize("mapping", [None, "", "a:b", []])
def test_b34_a_mapping_of_another_form_says_nothing(mapping: object) -> None:
    _, wire = CASES["AnaplanToGoogleBigQuery"]
    seen = _seen(jobs=[{**wire, "mapping": mapping}])
    assert "mapping" not in _jobs(seen)[0]["export"]
    assert seen.foreign is None


def test_b34_the_pairs_of_a_mapping_have_no_order() -> None:
    _, wire = CASES["AnaplanToGoogleBigQuery"]
    pairs = [{"sourceName": name, "targetName": name.upper()} for name in ("b", "a", "c")]
    first, second = (_jobs(_seen(jobs=[{**wire, "mapping": some}])) for some in (pairs, pairs[::-1]))
    assert first == second
    assert first[0]["export"]["mapping"] == {"a": "A", "b": "B", "c": "C"}


def test_b44_version_1_keeps_the_ids_inside_the_ends() -> None:
    _, wire = CASES["AmazonS3ToAnaplan"]
    end = {**wire["targets"][0], "workspaceId": WORKSPACE, "modelId": MODEL.lower()}
    item = {"integrationId": "i", "name": "n", "nuxVisible": False, "jobs": [{**wire, "targets": [end]}]}
    seen = INTEGRATION.from_wire(item)
    assert seen is not None
    assert (seen.fields or {})["workspaceId"] == WORKSPACE
    assert (seen.fields or {})["modelId"] == MODEL


@pytest.mark.parametrize(
    "job",
    [
        {"type": "SharepointToAnaplan", "sources": [], "targets": []},
        {**CASES["AmazonS3ToAnaplan"][1], "type": "AzureBlobToAnaplan"},
        {**CASES["AmazonS3ToAnaplan"][1], "targets": [{"type": "Anaplan", "actionId": "1"}]},
        {**CASES["AmazonS3ToAnaplan"][1], "sources": CASES["AmazonS3ToAnaplan"][1]["sources"] * 2},
        {},
    ],
)
def test_a_job_of_a_form_that_nobody_knows_is_not_overwritten(job: dict[str, Any]) -> None:
    assert _seen(jobs=[job]).foreign == "it has a job of a form that cwsync does not know"


@pytest.mark.parametrize(("pointer", "expected"), [({}, None), ({"notificationId": "n1"}, "n1")])
def test_the_pointer_to_its_notification(pointer: dict[str, str], expected: str | None) -> None:
    assert _seen(**pointer).notification == expected
