"""What the replies of the vendor's page show: which fields, and in which form (facts B5, B25, B27, B30).

The page mixes two spellings of one id, with dashes and without. Which reply has which is nothing that
anybody could guess, so it is followed to the letter here.
"""

from __future__ import annotations

from collections.abc import Callable

from cwsync.emulator.store import Document

_WHO_AND_WHEN = ("createdBy", "creationDate", "modificationDate", "modifiedBy")
_RUN = ("triggeredBy", "startDate", "endDate", "success", "message", "executionErrorCode")
_FLOW_RUN = (*_RUN, "lastRun")
_INTEGRATION = (
    "integrationId",
    "name",
    "processId",
    *_WHO_AND_WHEN,
    "latestRun",
    "notificationId",
    "nuxVisible",
)
_PLACE = ("workspaceId", "modelId")
_FLOW = ("id", "name", *_WHO_AND_WHEN, "notificationId", "stepsCount", "latestRun")
_CONNECTION = (
    "connectionId",
    "connectionType",
    "body",
    "createdBy",
    "modifiedBy",
    "status",
    "integrationErrorCode",
)

SHOWN: dict[str, tuple[str, ...]] = {
    "AmazonS3": (*_CONNECTION, "isoCreationDate", "isoModificationDate"),
    # The sample breaks off after the body. What the other two share is told, and their dates, which
    # they spell differently, are not.
    "GoogleBigQuery": _CONNECTION,
    "AzureBlob": (*_CONNECTION, "creationDate", "modificationDate"),
    "integration": _INTEGRATION,
    "integration detail": (*_INTEGRATION, *_PLACE, "jobs"),
    "integration of a model": (*_INTEGRATION, *_PLACE, "jobs", "schedule"),
    "history": (
        *("integrationId", "name", "schedule", *_PLACE, *_WHO_AND_WHEN),
        *("status", "notificationId", "runs", "totalRuns"),
    ),
    "past run": ("id", *_FLOW_RUN),
    "run": (
        "id",
        "integrationId",
        "startDate",
        "endDate",
        "success",
        "message",
        *_WHO_AND_WHEN,
        "executionErrorCode",
    ),
    "run errors": ("id", "errorMessages", "taskId", *_WHO_AND_WHEN),
    "flow": _FLOW,
    "flow detail": (*_FLOW, "steps"),
    "step": (
        *("referrer", "name", "createdBy", "createdDate", "modifiedDate", "modifiedBy", "dependsOn", "type"),
        *("exceptionBehavior", "isSkipped", *_PLACE, "accessible", "latestRun"),
    ),
}
CONNECTIONS = ("AmazonS3", "GoogleBigQuery", "AzureBlob")
_LATEST_RUN = {"flow": ("id", *_FLOW_RUN), "flow detail": _FLOW_RUN, "step": _FLOW_RUN}


def plain_id(given: str) -> str:
    """An id in the spelling in which it is kept; the page's tables and samples use both."""
    return given.replace("-", "").lower()


def _dashed(identifier: str) -> str:
    """fe40dc57-9308-4f7d-bb68-5cffe6a5ad2a"""
    ends = (8, 12, 16, 20)
    return "-".join(identifier[start:end] for start, end in zip((0, *ends), (*ends, None), strict=True))


def _half_dashed(identifier: str) -> str:
    """fe40dc5793084f7dbb68-5cffe6a5ad2a, as the sample of a run's status has both of its ids"""
    return f"{identifier[:20]}-{identifier[20:]}"


_SPELLING: dict[tuple[str, str], Callable[[str], str]] = {
    ("integration detail", "integrationId"): _dashed,
    ("history", "integrationId"): _dashed,
    ("run", "id"): _half_dashed,
    ("run", "integrationId"): _half_dashed,
}


def show(view: str, item: Document) -> Document:
    """The item of a reply, cut down to what the page shows of it."""
    if view == "connection":
        view = item["connectionType"]
        item = {
            **item,
            "isoCreationDate": item["creationDate"],
            "isoModificationDate": item["modificationDate"],
        }
        body = {key: value for key, value in item["body"].items() if key != "authMethod"}
        item["body"] = body
    shown = {key: item[key] for key in SHOWN.get(view, item) if key in item}
    if shown.get("modifiedBy", "") is None:
        shown["modifiedBy"] = "None"
    if "lastRun" in shown:
        shown["lastRun"] = shown["startDate"]
    if "latestRun" in shown:
        shown |= _latest_run(view, shown.pop("latestRun"))
    if view == "step":
        shown["dependsOn"] = [_dashed(other) for other in shown["dependsOn"]]
    spelled = {key: spell(shown[key]) for (of, key), spell in _SPELLING.items() if of == view}
    return {**shown, **spelled}


def _latest_run(view: str, run: Document) -> Document:
    """Told of what has run, and of nothing else."""
    if not run:
        return {}
    told = {key: run[key] for key in _LATEST_RUN.get(view, _RUN)}
    return {"latestRun": told | ({"lastRun": told["startDate"]} if "lastRun" in told else {})}
