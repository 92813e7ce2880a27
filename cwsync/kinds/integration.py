"""Integrations: imports, exports and processes between a model and the cloud (facts A2, C2, E2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field, TypeAdapter

from cwsync.checked import Flag
from cwsync.kinds.base import (
    Action,
    Behaviour,
    Body,
    Content,
    Declared,
    Finding,
    Kind,
    Listing,
    Number,
    PlainId,
    Reference,
    Rule,
    Strict,
    Wire,
    Words,
    Write,
    check_guid,
    check_name,
    check_reference,
    is_true,
    ref,
    stamps,
    text_or_none,
)
from cwsync.kinds.jobs import in_an_end, job_from_wire, job_to_manifest, job_to_wire
from cwsync.kinds.naming import Naming, Written, called
from cwsync.kinds.values import Fields, Observed, TypeOf, Value, same_id

_AN_IMPORT = {
    "connection": "sales-s3",
    "file": "source/Accounts.csv",
    "actionId": "112000000005",
    "fileId": "113000000000",
}


class _End(Strict):
    connection: Reference = Field(
        description="The connection's key; or something unmanaged: {name: …} or {id: …}.",
        examples=["sales-s3"],
    )
    actionId: Number = Field(
        description="The import or export action of the model.", examples=["112000000005"]
    )
    table: Words | None = Field(
        None, description="The BigQuery table: for BigQuery instead of file.", examples=["SKU_data"]
    )


class Import(_End):
    """Data from the cloud into the model."""

    file: Words | None = Field(
        None, description="The file to read: for S3 and Azure.", examples=["source/Accounts.csv"]
    )
    fileId: Number = Field(
        description="The model's data source that the file replaces.", examples=["113000000000"]
    )


class Export(_End):
    """Data from the model into the cloud."""

    file: Words | None = Field(
        None, description="The folder to write into: for S3 and Azure.", examples=["exports/"]
    )
    overwrite: Flag = Field(
        False, description="Replace what the last run wrote, instead of a new file each time."
    )
    mapping: dict[Words, Words] | None = Field(
        None,
        min_length=1,
        description="Model column to table column: for BigQuery, which demands it.",
        examples=[{"SKU_Item": "SKU Item"}],
    )


class Job(Strict):
    """One movement of data: an import or an export."""

    import_: Import | None = Field(
        None,
        alias="import",
        description="Data from the cloud into the model.",
        examples=[_AN_IMPORT],
    )
    export: Export | None = Field(
        None,
        description="Data from the model into the cloud.",
        examples=[
            {"connection": "sales-s3", "file": "exports/", "actionId": "116000000011", "overwrite": True}
        ],
    )


class Integration(Declared):
    """An import or export (exactly one job), or a process (none or more)."""

    workspaceId: PlainId = Field(
        description="The Anaplan workspace.", examples=["8a81b09d5e8c6f27015ece3402487d33"]
    )
    modelId: PlainId = Field(description="The Anaplan model.", examples=["35A6EF893D7F47EEA5A554D5CC7DC330"])
    processId: Number | None = Field(
        None,
        description="The process of the model: makes this a process integration.",
        examples=["118000000001"],
    )
    nuxVisible: Flag = Field(False, description="Show it on action cards in the user experience.")
    jobs: tuple[Job, ...] = Field(
        (),
        description="What moves. A process runs its jobs as its steps ask for them.",
        examples=[[{"import": _AN_IMPORT}]],
    )


def _check(model: Integration, key: str) -> Iterator[Finding]:
    yield from check_name(model.called(key), 60)
    yield from check_guid(model, "workspaceId", "modelId")
    if model.processId is None and len(model.jobs) != 1:
        yield Finding(
            "CW220",
            f"an import or export integration has exactly one job, and this has {len(model.jobs) or 'none'}",
            ("jobs",),
            hint="split it into several integrations, or give the processId of the process that runs them",
            beside=(("processId",),),
        )
    for index, job in enumerate(model.jobs):
        if (job.import_ is None) == (job.export is None):
            yield Finding("CW220", "a job is either an import or an export", ("jobs", index))
        for direction, end in (("import", job.import_), ("export", job.export)):
            if end is not None:
                yield from check_reference(end.connection, ("jobs", index, direction, "connection"))


def misfits(direction: str, end: Mapping[str, Any], kind: str | None) -> Iterator[tuple[str, str]]:
    """What does not fit a connection of the type `kind` (None: not known), as field and words (facts E2)."""
    if kind is None:
        if ("file" in end) == ("table" in end):
            yield "file", f"the {direction} names either a file (S3, Azure) or a table (BigQuery)"
        if direction == "export" and ("table" in end) != ("mapping" in end):
            yield "mapping", "an export into a table, and no other, needs a mapping of columns"
        return
    right, wrong = ("table", "file") if kind == "GoogleBigQuery" else ("file", "table")
    if right not in end:
        yield right, f"the {direction} names a {right}"
    if wrong in end:
        yield wrong, f"the {direction} has no {wrong}"
    if direction == "export" and ("mapping" in end) != (kind == "GoogleBigQuery"):
        need = "needs a mapping of columns" if kind == "GoogleBigQuery" else "has no mapping"
        yield "mapping", f"the export {need}"


def _job(job: Job) -> dict[str, Value]:
    ends: tuple[tuple[str, Import | Export | None], ...] = (("import", job.import_), ("export", job.export))
    return {direction: _end(end) for direction, end in ends if end is not None}


def _end(end: Import | Export) -> Fields:
    connection = ref("connection", end.connection)
    content: Fields = {"type": TypeOf(connection), "connection": connection, "actionId": end.actionId}
    if end.file is not None:
        content["file"] = end.file
    if end.table is not None:
        content["table"] = end.table
    if isinstance(end, Import):
        content["fileId"] = end.fileId
    else:
        content["overwrite"] = end.overwrite
        if end.mapping is not None:
            content["mapping"] = {source: end.mapping[source] for source in sorted(end.mapping)}
    return content


def _content(model: Integration, key: str, _users: Mapping[str, str]) -> Content:
    name = model.called(key)
    fields: Fields = {
        "name": name,
        "workspaceId": same_id(model.workspaceId),
        "modelId": same_id(model.modelId).upper(),
        "nuxVisible": model.nuxVisible,
    }
    if model.processId is not None:
        fields["processId"] = model.processId
    fields["jobs"] = [_job(job) for job in model.jobs]
    return Content(name, fields)


def _to_wire(write: Write) -> Body | None:
    if write.action is Action.DELETE:
        return None
    fields = write.fields
    body: Body = {
        "name": fields["name"],
        "version": "2.0",
        "workspaceId": fields["workspaceId"],
        "modelId": fields["modelId"],
        "nuxVisible": fields["nuxVisible"],
    }
    if "processId" in fields:
        body["processId"] = fields["processId"]
    if fields["jobs"] or "processId" not in fields:
        body["jobs"] = [job_to_wire(job) for job in fields["jobs"]]
    return body


def _type(item: Wire, jobs: list[Any]) -> str | None:
    """Only the list says it; the detail lets it be derived (facts B32)."""
    if item.get("processId"):
        return "Process"
    if jobs:
        return "Import" if "import" in jobs[0] else "Export"
    listed = item.get("integrationType")
    return str(listed) if listed else None


def _from_wire(item: Wire) -> Observed:
    """A list's item has no jobs, and so no fields; a detail does, null for a process without jobs."""
    foreign, jobs = None, []
    try:
        jobs = [job_from_wire(job) for job in item.get("jobs") or ()]
    except (LookupError, TypeError, ValueError):
        foreign = "it has a job of a form that cwsync does not know"
    fields: Fields = {
        "name": str(item["name"]),
        "workspaceId": same_id(str(item.get("workspaceId") or in_an_end(item, "workspaceId") or "")),
        "modelId": same_id(str(item.get("modelId") or in_an_end(item, "modelId") or "")).upper(),
        "nuxVisible": is_true(item.get("nuxVisible")),
    }
    if item.get("processId"):
        fields["processId"] = str(item["processId"])
    fields["jobs"] = [*jobs]
    pointer = item.get("notificationId")
    first = not item.get("modelId") and in_an_end(item, "modelId")  # no reply was seen to say so (facts B44)
    return Observed(
        kind="integration",
        id=str(item["integrationId"]),
        name=str(item["name"]),
        fields=fields,
        type=_type(item, jobs),
        notification=str(pointer) if pointer else None,
        foreign=foreign,
        version="1.0" if first else text_or_none(item.get("version")),
        **stamps(item),
    )


def _to_manifest(fields: Mapping[str, Any], naming: Naming) -> dict[str, Written]:
    written = called(fields, naming)
    written |= {key: fields[key] for key in ("workspaceId", "modelId", "processId") if key in fields}
    if fields["nuxVisible"]:
        written["nuxVisible"] = True
    if fields["jobs"]:
        written["jobs"] = [job_to_manifest(job, naming) for job in fields["jobs"]]
    return written


_ECHO = "nobody has recorded whether the service returns it (facts C2, F1)"

KIND = Kind(
    name="integration",
    section="integrations",
    models=(Integration,),
    model=TypeAdapter(Integration),
    summary="An import, an export or a process, between an Anaplan model and connections.",
    rules=(
        Rule(
            "processId",
            Behaviour.SETS_FORM,
            "turning a process into an import or export is undocumented (facts C2)",
        ),
        Rule("jobs.*.export.overwrite", Behaviour.NOT_READ_BACK, _ECHO),
        Rule("jobs.*.export.mapping", Behaviour.NOT_READ_BACK, _ECHO),
        Rule(
            "jobs.*.export.mapping", Behaviour.UNORDERED, "a mapping pairs columns; their order means nothing"
        ),
        Rule("nuxVisible", Behaviour.DEFAULT, "false where the service leaves it out"),
    ),
    calls={
        Action.CREATE: ("POST", "/integrations"),
        Action.UPDATE: ("PUT", "/integrations/{id}"),
        Action.DELETE: ("DELETE", "/integrations/{id}"),
    },
    content=_content,
    check=_check,
    to_wire=_to_wire,
    from_wire=_from_wire,
    to_manifest=_to_manifest,
    created_id=("integration", "integrationId"),
    listing=Listing("/integrations", "integrations", "integrationId", {"sortBy": "name"}),
    detail=("/integrations/{id}", "integration"),
)
