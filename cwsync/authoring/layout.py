"""Which resources stand together in one file, and what its first lines say."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from cwsync.authoring.declare import Draft
from cwsync.kinds import KINDS, Snapshot, same_id

LAYOUTS = ("model", "kind", "single")
"""`model`: connections by type, integrations with their schedules and notifications by model, flows; `kind`: a
file for each kind; `single`: one for all."""

SCHEMA = "manifest.schema.json"


def grouped(drafts: Iterable[Draft], layout: str, snapshot: Snapshot) -> dict[str, list[Draft]]:
    """The resources by file, without its ending. A file needs only what is in those before it."""
    files: dict[str, list[Draft]] = {}
    models = {_model(draft, snapshot) for draft in drafts}
    for draft in sorted(drafts, key=_order):
        files.setdefault(_stem(draft, layout, snapshot, models), []).append(draft)
    return files


def _order(draft: Draft) -> tuple[int, str]:
    """By kind, and by key. A model's integrations, schedules and notifications are in one file."""
    return list(KINDS).index(draft.kind.name), draft.key


def _stem(draft: Draft, layout: str, snapshot: Snapshot, models: set[str]) -> str:
    if layout == "single":
        return "cloudworks"
    if layout == "kind" or draft.kind.name == "flow":
        return draft.kind.section
    if draft.kind.name == "connection":
        words = re.sub(
            "(?<=[a-z])(?=[A-Z])", "-", str(draft.observed.type).replace("BigQuery", "Bigquery")
        ).lower()
        return f"{draft.kind.section}-{words}"
    model = _model(draft, snapshot)
    # An id has 32 digits (facts B25); whatever is longer must not be the name of a file.
    alone = sum(other[:8] == model[:8] for other in models) == 1
    return f"integrations-{model[: 8 if alone else 32]}" if model else "integrations"


def _model(draft: Draft, snapshot: Snapshot) -> str:
    """The model that an integration, or the integration of a part, works on; empty where it is not known."""
    owner = snapshot.get("integration", draft.observed.parent or draft.observed.id)
    id = same_id(str((owner.fields or {}).get("modelId", ""))) if owner else ""
    return id if re.fullmatch("[0-9a-z]+", id) else ""


def free(folder: Path, stem: str) -> Path:
    """The first file of that name that does not exist: `flows.yaml`, else `flows-2.yaml`, …"""
    number = 1
    while os.path.lexists(path := folder / f"{stem}{f'-{number}' if number > 1 else ''}.yaml"):
        number += 1
    return path


def header(file: Path, root: Path, drafts: Sequence[Draft], secrets: Mapping[str, str]) -> Iterator[str]:
    """What the first lines of a file say: its schema, and what nobody but its owner can fill in."""
    yield f"yaml-language-server: $schema={_schema(file, root)}"
    shown = {str((draft.observed.fields or {}).get("modelId", "")) for draft in drafts}
    # What is no id could end the comment, or the patience of its reader.
    if models := sorted(filter(re.compile("[0-9A-Za-z]{1,64}").fullmatch, shown)):
        yield f"Of the {'models' if len(models) > 1 else 'model'} {', '.join(models)}."
    if any(draft.observed.type == "AmazonS3" for draft in drafts):
        yield "The service never shows a roleArn: add it where a connection assumes a role."
    own = {draft.address for draft in drafts}
    if names := [name for name, where in secrets.items() if where.rpartition(".")[0] in own]:
        yield "The service never shows secrets. Provide these before anything here is changed:"
        yield from (f"  {name}" for name in names)


def _schema(file: Path, root: Path) -> str:
    """The schema where one lies beside the project; else where the README puts it."""
    places = [root / SCHEMA, root / "schemas" / SCHEMA, file.parent / SCHEMA]
    found = next((place for place in places if place.is_file()), places[0])
    return Path(os.path.relpath(found, file.parent)).as_posix()
