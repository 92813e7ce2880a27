"""What replies look like: the shapes that /openapi.json publishes, and that the tests hold replies to.

A field has one shape wherever it is told; which fields a reply tells is the profile's matter.
"""

from __future__ import annotations

from collections.abc import Mapping

from cwsync.emulator import documented
from cwsync.emulator.profile import Profile
from cwsync.emulator.shapes import (
    Shape,
    an_object,
    either,
    flag,
    listing,
    loose,
    matching,
    nothing,
    one_of,
    record,
    text,
    whole,
)

_COUNT = whole(0, 10**9)
_ID = matching(r"[0-9a-f]{20}-?[0-9a-f]{12}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_STAMP = matching(r"[0-9-]{10}[T ][0-9:.]{8,15}(?:Z|\+00:00)")
_TEXT_OR_NONE = either(nothing, text)
_WHO_AND_WHEN = {
    "createdBy": text,
    "creationDate": _STAMP,
    "modificationDate": _STAMP,
    "modifiedBy": _TEXT_OR_NONE,
}
_RUN = {
    "triggeredBy": text,
    "startDate": _STAMP,
    "endDate": either(nothing, _STAMP),
    "success": flag,
    "message": text,
    "executionErrorCode": either(nothing, _COUNT),
}
_TOLD_RUN = {**_RUN, "id": _ID, "lastRun": either(whole(0, 10**12), _STAMP), "triggerSource": text}
_PLACE = {"workspaceId": text, "modelId": text}
_END = loose({"type": text, "connectionId": text, "actionId": text})
_JOB = loose({"type": text, "sources": listing(_END), "targets": listing(_END)})
_LATEST_RUN = either(
    record({}), record(_RUN, {key: _TOLD_RUN[key] for key in _TOLD_RUN.keys() - _RUN.keys()})
)
_USER = record({"userGuid": text, "firstName": text, "lastName": text})
_CONFIG = listing(record({"type": text, "users": listing(_USER)}))
_ERROR = record(
    {
        "errorMessage": listing(an_object, least=1),
        "actionId": text,
        "actionName": text,
        "failureDumpGenerated": flag,
    }
)
_STEP = {
    "referrer": text,
    "dependsOn": listing(text),
    "isSkipped": flag,
    "exceptionBehavior": listing(record({"type": text, "strategy": text})),
    "accessible": flag,
}
_INTEGRATION = {
    "integrationId": _ID,
    "integrationType": one_of("Import", "Export", "Process"),
    "name": text,
    **_WHO_AND_WHEN,
    "nuxVisible": flag,
}
# What an integration or a flow may lack, and what is told of it in one of the profiles only.
_MAYBE = {
    "processId": text,
    **_PLACE,
    "latestRun": _LATEST_RUN,
    "notificationId": text,
    "schedule": an_object,
}
_FLOW = {"id": _ID, "name": text, **_WHO_AND_WHEN, "stepsCount": _COUNT, "nuxVisible": flag}
_FLOW_MAYBE = {key: _MAYBE[key] for key in ("latestRun", "notificationId", "schedule")}

# By the names that profiles know them by, what replies tell: always, and sometimes.
_VIEWS: Mapping[str, tuple[Mapping[str, Shape], Mapping[str, Shape]]] = {
    "connection": (
        {
            "connectionId": _ID,
            "connectionType": text,
            "body": an_object,
            **_WHO_AND_WHEN,
            "status": _COUNT,
            "integrationErrorCode": either(nothing, _COUNT),
            "workspaceId": _TEXT_OR_NONE,
            "authMethod": _TEXT_OR_NONE,
        },
        {},
    ),
    "integration": (_INTEGRATION, _MAYBE),
    "integration detail": (
        {key: shape for key, shape in _INTEGRATION.items() if key != "integrationType"},
        {**_MAYBE, "version": text, "jobs": listing(_JOB)},
    ),
    "integration of a model": (_INTEGRATION, {**_MAYBE, "version": text, "jobs": listing(_JOB)}),
    "past run": ({**_TOLD_RUN, "traceId": _ID}, {}),
    "run": (
        {
            "id": _ID,
            "integrationId": _ID,
            "traceId": _ID,
            **{key: _RUN[key] for key in _RUN if key != "triggeredBy"},
            **_WHO_AND_WHEN,
            "flowGroupId": either(nothing, _ID),
            "triggerSource": text,
        },
        {},
    ),
    "run errors": (
        {"id": _ID, "taskId": text, "errorMessages": listing(_ERROR, least=1), **_WHO_AND_WHEN},
        {},
    ),
    "notification": (
        {
            "notificationId": _ID,
            "integrationIds": listing(text, least=1, most=1),
            "channels": listing(text),
            "notifications": record({"config": _CONFIG}),
        },
        {},
    ),
    "flow": (_FLOW, _FLOW_MAYBE),
    "step": (
        _STEP,
        {
            "name": text,
            "type": text,
            "createdBy": text,
            "createdDate": _STAMP,
            "modifiedDate": _STAMP,
            "modifiedBy": _TEXT_OR_NONE,
            **dict.fromkeys(_PLACE, _TEXT_OR_NONE),
            "latestRun": _LATEST_RUN,
        },
    ),
}


class Answers:
    """The shapes of replies in one profile. The `status` of a success is a part of all of them but one."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._status = {"status": record({"code": whole(200, 200), "message": one_of("Success")})}
        self.done = record(self._status)

    @property
    def cancelled(self) -> Shape:
        if not self._profile.confirms_cancel:
            return self.done
        said = record({"integration_id": _ID, "state": one_of("cancelled")})
        return record({"success": flag, "message": said})

    @property
    def run_errors(self) -> Shape:
        if self._profile.errors_in_a_list:
            return self._reply({"runs": listing(self._view("run errors"), most=1)}, {"schema": text})
        found = record({"taskId": text, "errorMessages": listing(_ERROR, least=1)})
        return self._reply({"runs": either(record({}), found)}, {"schema": text})

    def made(self, key: str, id_key: str) -> Shape:
        """The id of what was made, where the service says it."""
        return record({**self._status, key: record({id_key: _ID})})

    def one(self, key: str, view: str) -> Shape:
        return self._reply({key: self._view(view)}, {"schema": text})

    def listing(self, key: str, view: str, *, quota: bool = False) -> Shape:
        paging = record(dict.fromkeys(("currentPageSize", "totalSize", "offset"), whole(0, 10**12)))
        limits = dict.fromkeys(("tenantCurrentCount", "tenantMaxAllowed"), _COUNT)
        meta = {"paging": paging, "schema": text, **(limits if quota and self._profile.tells_quota else {})}
        return self._reply({key: listing(self._view(view))}, meta)

    def _reply(self, told: Mapping[str, Shape], meta: Mapping[str, Shape]) -> Shape:
        return record({**self._status, **told, "meta": record(meta)})

    def _view(self, name: str) -> Shape:
        always, sometimes = self._fields(name)
        if self._profile.show is not documented.show:
            return record(always, sometimes)
        if name == "connection":
            always = {**always, "isoCreationDate": _STAMP, "isoModificationDate": _STAMP}
            return either(*(self._cut(kind, always, sometimes) for kind in documented.CONNECTIONS))
        return self._cut(name, always, sometimes)

    def _cut(self, name: str, always: Mapping[str, Shape], sometimes: Mapping[str, Shape]) -> Shape:
        shown = documented.SHOWN.get(name, (*always, *sometimes))
        return record(*({key: each[key] for key in each if key in shown} for each in (always, sometimes)))

    def _fields(self, name: str) -> tuple[Mapping[str, Shape], Mapping[str, Shape]]:
        """Of a view; those that hold others are put together here."""
        if name == "flow detail":
            always, sometimes = _VIEWS["flow"]
            return {**always, "version": text, "steps": listing(self._view("step"))}, sometimes
        if name == "history":
            told = {"schedule": either(nothing, an_object), "status": _COUNT, "totalRuns": _COUNT}
            runs = listing(self._view("past run"))
            maybe = {key: _MAYBE[key] for key in ("processId", *_PLACE, "notificationId")}
            return {**_INTEGRATION, **told, "runs": runs}, {**maybe, "version": text}
        return _VIEWS[name]
