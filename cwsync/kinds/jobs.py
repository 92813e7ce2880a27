"""A job of an integration: as the service has it, and as a manifest has it (facts E2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cwsync.kinds.base import Body, Wire, is_true
from cwsync.kinds.naming import Naming, Written
from cwsync.kinds.values import Value, same_id


def job_to_wire(job: Mapping[str, Any]) -> Body:
    ((direction, end),) = job.items()
    cloud: Body = {"type": end["type"], "connectionId": end["connection"]}
    cloud |= {key: end[key] for key in ("file", "table") if key in end}
    model: Body = {"type": "Anaplan", "actionId": end["actionId"]}
    if direction == "import":
        model["fileId"] = end["fileId"]
        return {"type": f"{end['type']}ToAnaplan", "sources": [cloud], "targets": [model]}
    cloud["overwrite"] = end["overwrite"]  # always said: two clients disagree on the default (facts B35)
    body: Body = {"type": f"AnaplanTo{end['type']}", "sources": [model], "targets": [cloud]}
    if "mapping" in end:
        body["mapping"] = [{"sourceName": a, "targetName": b} for a, b in end["mapping"].items()]
    return body


def job_from_wire(job: Wire) -> dict[str, Value]:
    """A job in canonical form. Raises LookupError or ValueError on a form that cwsync does not know."""
    kind = str(job["type"])
    (source,), (target,) = job["sources"], job["targets"]
    direction = "export" if kind.startswith("AnaplanTo") else "import"
    cloud, model = (target, source) if direction == "export" else (source, target)
    if kind not in (f"{cloud['type']}ToAnaplan", f"AnaplanTo{cloud['type']}"):
        raise ValueError(kind)
    content: dict[str, Value] = {
        "type": cloud["type"],
        "connection": same_id(str(cloud["connectionId"])),
        "actionId": str(model["actionId"]),
    }
    content |= {key: cloud[key] for key in ("file", "table") if cloud.get(key) is not None}
    if direction == "import":
        content["fileId"] = str(model["fileId"])
    else:
        if cloud.get("overwrite") is not None:
            content["overwrite"] = is_true(cloud["overwrite"])
        if isinstance(job.get("mapping"), list) and job["mapping"]:
            pairs = {pair["sourceName"]: pair["targetName"] for pair in job["mapping"]}
            content["mapping"] = {source: pairs[source] for source in sorted(pairs)}
    return {direction: content}


def in_an_end(item: Wire, key: str) -> str | None:
    """Version 1.0 kept workspaceId and modelId inside the Anaplan ends (facts B44)."""
    for job in item.get("jobs") or ():
        for end in (*(job.get("sources") or ()), *(job.get("targets") or ())):
            if end.get(key):
                return str(end[key])
    return None


def job_to_manifest(job: Mapping[str, Any], naming: Naming) -> Written:
    ((direction, end),) = job.items()
    written: dict[str, Written] = {"connection": naming.reference("connection", end["connection"])}
    written |= {key: end[key] for key in ("file", "table", "actionId", "fileId") if key in end}
    if end.get("overwrite"):
        written["overwrite"] = True
    if "mapping" in end:
        written["mapping"] = dict(end["mapping"])
    return {direction: written}
