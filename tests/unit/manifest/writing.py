"""Manifests of one line, and what is said about them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from cwsync.errors import CwsyncError, Problem
from cwsync.located import Map, load
from cwsync.manifest import Manifest, load_manifests
from cwsync.variables import Variables

ALICE = "2c9ba1b6729b7fd80172c3f635db40f7"
USERS = {"alice": ALICE, "bob": "8a80db4c7a3c1f61017a4e2f0d3b5a19"}
WORKSPACE, MODEL = "8a81b09d5e8c6f27015ece3402487d33", "35A6EF893D7F47EEA5A554D5CC7DC330"
WHERE = f"workspaceId: {WORKSPACE}, modelId: {MODEL}"
DAILY = "type: daily, time: 12:45, startDate: 2030-01-07, timezone: Greenwich"
HOURLY = (
    "type: hourly, repeatEvery: 2, fromTime: 08:00, toTime: 18:00, daysOfWeek: [1], startDate: 2030-01-07, "
    "timezone: Greenwich"
)
S3 = "type: AmazonS3, bucketName: b, accessKeyId: {fromEnv: A}, secretAccessKey: {fromEnv: B}"
BIGQUERY = "type: GoogleBigQuery, dataset: d, serviceAccountKey: {fromEnv: K}"
PROCESS = f"{{{WHERE}, processId: 118}}"


def imports(end: str, more: str = "") -> str:
    """An integration with one import."""
    return f"{{{WHERE}, jobs: [{{import: {{actionId: 112, fileId: 113, {end}}}}}]{more}}}"


def exports(end: str) -> str:
    return f"{{{WHERE}, jobs: [{{export: {{actionId: 116, {end}}}}}]}}"


def loaded(
    *texts: str | bytes,
    defaults: str = "",
    users: Mapping[str, str] = USERS,
    variables: Mapping[str, str] | None = None,
) -> Manifest:
    """The manifest of files that are called 1.yaml, 2.yaml and so on. Raises CwsyncError."""
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, text in enumerate(texts, 1):
            file = Path(folder) / f"{number}.yaml"
            file.write_bytes(text if isinstance(text, bytes) else text.encode())
            files.append((file, file.name))
        return load_manifests(
            files, defaults=_defaults(defaults), users=users, variables=Variables(variables or {})
        )


def _defaults(text: str) -> dict[str, Map]:
    documents = load(text, "cwsync.yaml")
    value = documents[0].value if documents else None
    return (
        {key: item for key, item in value.items() if isinstance(item, Map)} if isinstance(value, Map) else {}
    )


def problems(*texts: str | bytes, **more: object) -> tuple[Problem, ...]:
    """What is wrong: errors and warnings, sorted."""
    try:
        return loaded(*texts, **more).warnings  # type: ignore[arg-type] # those of `loaded`
    except CwsyncError as error:
        return error.problems


def said(*texts: str | bytes, **more: object) -> list[str]:
    """`FILE:LINE:COLUMN CODE message` of each, with `?` before the code of a warning."""
    return [
        f"{one.place} {'?' if one.severity == 'warning' else ''}{one.code} {one.message}"
        for one in problems(*texts, **more)
    ]


def only(*texts: str | bytes, **more: object) -> Problem:
    """The one thing that is wrong."""
    found = problems(*texts, **more)
    assert len(found) == 1, [f"{one.place} {one.code} {one.message}" for one in found]
    return found[0]
