"""The jobs of an integration: which ends each type joins, and how they read back (facts E2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from cwsync.emulator import refusal
from cwsync.emulator.shapes import Shape, digits, distinct, either, flag, listing, one_of, record, text
from cwsync.emulator.store import Document, Store

CLOUDS = ("AmazonS3", "AzureBlob", "GoogleBigQuery")
_DECORATIONS = ("connectionName", "isConnectionDeleted", "bucketName")


def _job_shape(job_type: str, model: Mapping[str, Shape]) -> Shape:
    """The one shape of a job of this type; `model` is what version 1.0 adds to Anaplan's end (facts B44)."""
    importing = job_type.endswith("ToAnaplan")
    cloud = job_type.removesuffix("ToAnaplan") if importing else job_type.removeprefix("AnaplanTo")
    place = "table" if cloud == "GoogleBigQuery" else "file"
    outer = {"type": one_of(cloud), "connectionId": text, place: text}
    inner = {"type": one_of("Anaplan"), "actionId": digits, **model}
    job = {"type": one_of(job_type)}
    if importing:
        inner["fileId"] = digits
        return record({**job, "sources": _single(record(outer)), "targets": _single(record(inner))})
    if cloud == "GoogleBigQuery":
        column = record({"sourceName": text, "targetName": text})
        job["mapping"] = distinct(listing(column, least=1), key=lambda pair: pair["targetName"])
    return record(
        {**job, "sources": _single(record(inner)), "targets": _single(record(outer, {"overwrite": flag}))}
    )


def _single(shape: Shape) -> Shape:
    return listing(shape, least=1, most=1)


_JOB_TYPES = tuple(f"{cloud}ToAnaplan" for cloud in CLOUDS) + tuple(f"AnaplanTo{cloud}" for cloud in CLOUDS)
_MODEL: dict[str, dict[str, Shape]] = {"2.0": {}, "1.0": {"workspaceId": text, "modelId": text}}
# A job of that version of the API, with both ends of the type that its own says.
JOB = {
    version: either(*(_job_shape(job_type, model) for job_type in _JOB_TYPES))
    for version, model in _MODEL.items()
}


def ends(jobs: Iterable[Document]) -> Iterator[Document]:
    """The sources and targets of all the jobs; lenient, for what was put there by hand."""
    for job in jobs:
        yield from job.get("sources", [])
        yield from job.get("targets", [])


def connections_of(jobs: Iterable[Document]) -> list[str]:
    return [end["connectionId"] for end in ends(jobs) if "connectionId" in end]


def spelled_plainly(jobs: Iterable[Document], plain_id: Callable[[str], str]) -> list[Document]:
    """The jobs with the ids of their connections as they are kept (facts B25)."""

    def plain(end: Document) -> Document:
        return end | {key: plain_id(value) for key, value in end.items() if key == "connectionId"}

    return [
        job | {side: [plain(end) for end in job[side]] for side in ("sources", "targets")} for job in jobs
    ]


def check_connections(jobs: list[Document], workspace: str | None, store: Store) -> None:
    """Every connection exists, is of its end's type, and may be used from the workspace."""
    for end in ends(jobs):
        if "connectionId" not in end:
            continue
        connection = store.get("connection", end["connectionId"])
        if connection is None:
            raise refusal.INVALID_CONNECTION_ID()
        if connection["connectionType"] != end["type"]:
            raise refusal.INVALID_PAYLOAD()
        if workspace and connection["workspaceId"] not in (None, workspace):
            raise refusal.NO_WORKSPACE()


def decorated(jobs: list[Document], store: Store) -> list[Document]:
    """The jobs as they are read: the cloud ends carry what the service looks up for them (facts A2)."""
    return [
        {
            **job,
            **{
                side: [_decorated(end, store) for end in job.get(side, [])] for side in ("sources", "targets")
            },
        }
        for job in jobs
    ]


def _decorated(end: Document, store: Store) -> Document:
    if "connectionId" not in end:
        return end
    connection = store.get("connection", end["connectionId"])
    body = connection["body"] if connection else {}
    # For Azure it holds the container's name (live); for BigQuery the dataset's is a guess.
    bucket = body.get("bucketName") or body.get("containerName") or body.get("dataset") or ""
    looked_up = (body.get("name", ""), connection is None, bucket)
    return {**end, **dict(zip(_DECORATIONS, looked_up, strict=True))}
