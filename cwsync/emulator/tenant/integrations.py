"""Integrations: imports, exports and processes, of versions 2.0 and 1.0 of the API (facts A2, E2)."""

from __future__ import annotations

from typing import Any

from cwsync.emulator import refusal
from cwsync.emulator.refusal import Refusal
from cwsync.emulator.shapes import digits, flag, listing, name, one_of, record, text
from cwsync.emulator.store import Document
from cwsync.emulator.tenant import jobs as job_rules
from cwsync.emulator.tenant import runs
from cwsync.emulator.tenant.jobs import JOB
from cwsync.emulator.tenant.notifications import Notifications
from cwsync.emulator.tenant.world import OBJECTS, Page, Person, World, new_id

_HEAD = {"2.0": {"version": one_of("2.0"), "workspaceId": text, "modelId": text}, "1.0": {}}
# What a body of each version of the API looks like.
BODY = {
    version: record(
        {"name": name, **head}, {"nuxVisible": flag, "processId": digits, "jobs": listing(JOB[version])}
    )
    for version, head in _HEAD.items()
}
# The service looks the model up. Here an id that starts like this is one that it refuses.
_TRIALS: tuple[tuple[str, str, Refusal], ...] = (
    ("workspaceId", "invalid-", refusal.INVALID_MODEL),
    ("modelId", "invalid-", refusal.INVALID_MODEL),
    ("workspaceId", "denied-", refusal.NO_WORKSPACE),
    ("modelId", "denied-", refusal.NO_MODEL),
)
_SUMMARY = ("name", "processId", "workspaceId", "modelId", "createdBy", "creationDate", "modificationDate")


class Integrations:
    """The calls of facts A2. `version` is that of the address: /2/0/ or /1/0/."""

    def __init__(self, world: World, notifications: Notifications) -> None:
        self._world = world
        self._notifications = notifications

    def create(self, body: Any, by: Person, version: str) -> Document:
        fields = self._checked(body, version)
        self._world.refuse_taken("integration", fields["name"])
        self._world.refuse_full()
        document = {"integrationId": new_id(), **fields, "version": version, **self._world.born(by)}
        if self._world.profile.notifications_auto_created:
            document["notificationId"] = self._notifications.for_new(document["integrationId"], by)
        self.save(document, by.guid)
        return {"integration": {"integrationId": document["integrationId"]}}

    def listing(self, page: Page, by: Person, version: str) -> Document:
        documents, paging = self._world.listed("integration", page, by)
        quota = self._world.quota() if self._world.profile.tells_quota else {}
        return {
            "integrations": [
                self._world.profile.show("integration", self._summary(document, version))
                for document in documents
            ],
            "meta": {"paging": paging, **quota, "schema": f"{OBJECTS}/integrations"},
        }

    def of_model(self, model_id: str, version: str) -> Document:
        """The model-scoped list, whole: with jobs and schedules (facts B41)."""
        if model_id.startswith("invalid-"):
            raise refusal.MODEL_NOT_FOUND()
        plain_id = self._world.profile.plain_id
        items = [
            self._world.profile.show("integration of a model", self._full(document, version))
            for document in self._world.store.page("integration")
            if plain_id(anaplan_model(document).get("modelId", "")) == plain_id(model_id)
        ]
        paging = {"currentPageSize": len(items), "totalSize": len(items), "offset": 0}
        return {"integrations": items, "meta": {"paging": paging, "schema": f"{OBJECTS}/model"}}

    def detail(self, identifier: str, version: str) -> Document:
        """Without `integrationType`, with `jobs` and `version` (facts A2, B32)."""
        shown = self._full(self._world.require("integration", identifier), version)
        del shown["integrationType"]
        return {
            "integration": self._world.profile.show("integration detail", shown),
            "meta": {"schema": f"{OBJECTS}/integration"},
        }

    def replace(self, identifier: str, body: Any, by: Person, version: str) -> Document:
        """PUT: all that can be edited, at once. A 2.0 body makes a 1.0 object one of version 2.0."""
        before = self._world.require("integration", identifier)
        if (before["version"], version) == ("2.0", "1.0"):
            raise refusal.WRONG_VERSION()
        fields = self._checked(body, version)
        self._world.refuse_taken("integration", fields["name"], but=identifier)
        runs.refuse_running(self._world, before)
        kept: Document = {key: before[key] for key in ("notificationId", "schedule") if key in before}
        document: Document = {
            "integrationId": identifier,
            **fields,
            "version": version,
            "createdBy": before["createdBy"],
            "creationDate": before["creationDate"],
            **self._world.touched(by),
            **kept,
        }
        self.save(document)
        return {}

    def delete(self, identifier: str) -> Document:
        """The schedule and the notification go with it (facts D, last rules)."""
        document = self._world.require("integration", identifier)
        runs.refuse_running(self._world, document, self._world.profile.deleting_what_runs)
        # Nobody has tried it (facts D, graded I); a flow with a step that leads nowhere would be worse.
        if self._world.store.referred_to(identifier, by="flow"):
            raise refusal.REFERENCED()
        self.forget(document)
        return {}

    def forget(self, document: Document) -> None:
        if "notificationId" in document:
            self._world.store.delete("notification", document["notificationId"])
        self._world.store.delete("integration", document["integrationId"])

    def save(self, document: Document, owner: str | None = None) -> None:
        """Write it; without an owner it stays whose it was."""
        if owner is None:
            owner = self._world.store.owner("integration", document["integrationId"])
        refs = job_rules.connections_of(document.get("jobs", []))
        self._world.store.put(
            "integration", document["integrationId"], document, document["name"], owner, refs
        )

    def _checked(self, body: Any, version: str) -> Document:
        """The fields to keep of a body that this version of the API takes; or a refusal."""
        if not isinstance(body, dict):
            raise refusal.INVALID_BODY()
        if body.get("version", version) != version or (version == "1.0" and "version" in body):
            raise refusal.WRONG_VERSION()
        if not BODY[version](body):
            raise refusal.INVALID_PAYLOAD()
        listed = job_rules.spelled_plainly(body.get("jobs", []), self._world.profile.plain_id)
        if "processId" not in body and len(listed) != 1:
            raise refusal.SINGLE_JOB()
        if version == "1.0" and not listed:
            raise refusal.INVALID_PAYLOAD()
        model = anaplan_model(body)
        for field, beginning, outcome in _TRIALS:
            if model.get(field, "").startswith(beginning):
                raise outcome()
        job_rules.check_connections(listed, body.get("workspaceId"), self._world.store)
        fields = {"nuxVisible": False, **{key: value for key, value in body.items() if key != "version"}}
        return fields | ({"jobs": listed} if "jobs" in body else {})

    def _summary(self, document: Document, version: str) -> Document:
        shown: Document = {
            "integrationId": document["integrationId"],
            "integrationType": integration_type(document),
            **{key: document[key] for key in _SUMMARY if key in document},
            "modifiedBy": document["modifiedBy"],
            "latestRun": runs.latest(self._world, document),
            "nuxVisible": document["nuxVisible"],
        }
        # Version 1.0 does not speak of notifications (the vendor's page, introduction).
        if "notificationId" in document and version == "2.0":
            shown["notificationId"] = document["notificationId"]
        if document.get("schedule"):
            shown["schedule"] = document["schedule"]
        return shown

    def _full(self, document: Document, version: str) -> Document:
        shown = self._summary(document, version)
        if document["version"] != "1.0":
            shown["version"] = document["version"]
        jobs = document.get("jobs")
        if jobs and self._world.profile.decorates_jobs:
            jobs = job_rules.decorated(jobs, self._world.store)
        return shown | ({"jobs": jobs} if jobs else {})


def anaplan_model(integration: Document) -> Document:
    """Where it belongs in Anaplan: at the top in version 2.0, inside Anaplan's end in 1.0 (facts B44)."""
    if "modelId" in integration:
        return integration
    return next((end for end in job_rules.ends(integration.get("jobs", [])) if "modelId" in end), {})


def integration_type(document: Document) -> str:
    """Import, Export or Process, as the list says it (facts B32)."""
    if document.get("processId"):
        return "Process"
    listed = document.get("jobs") or [{}]
    return "Import" if str(listed[0].get("type", "")).endswith("ToAnaplan") else "Export"
