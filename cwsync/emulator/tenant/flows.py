"""Integration flows (facts A6)."""

from __future__ import annotations

from datetime import datetime
from graphlib import CycleError, TopologicalSorter
from typing import Any

from cwsync.emulator import refusal
from cwsync.emulator.profile import Profile
from cwsync.emulator.shapes import Shape, distinct, either, flag, listing, one_of, record, text
from cwsync.emulator.store import Document
from cwsync.emulator.tenant import runs
from cwsync.emulator.tenant.integrations import anaplan_model, integration_type
from cwsync.emulator.tenant.notifications import Notifications
from cwsync.emulator.tenant.world import OBJECTS, Page, Person, World, new_id

_OUTCOMES = {"failure": "failure", "partial_success": "partial_success", "partial_succes": "partial_success"}
_TRUE_OR_FALSE = one_of("true", "false")


def _shape(profile: Profile) -> Shape:
    """What a body looks like (facts A6); the words and flags that the page alone has among it (B11, B15)."""
    behavior = record(
        {"type": one_of("failure", *profile.partial_success), "strategy": one_of("stop", "continue")}
    )
    step = record(
        {
            "type": one_of("Integration"),
            "referrer": text,
            "isSkipped": either(flag, _TRUE_OR_FALSE) if profile.text_for_flags else flag,
            "exceptionBehavior": distinct(
                listing(behavior, least=1), key=lambda entry: _OUTCOMES[entry["type"]]
            ),
        },
        # Leaving it out is taken, though the page requires it (facts B14).
        {"dependsOn": distinct(listing(text))},
    )
    # Fewer than two are refused with words of their own: only the description says it here.
    steps = listing(step).but(lambda _steps: True, minItems=2)
    if profile.later_steps_say_what_they_wait_for:
        steps = steps.but(lambda value: all("dependsOn" in each for each in value[1:]))
    return record({"name": text, "version": one_of("2.0"), "type": one_of("IntegrationFlow"), "steps": steps})


_SUMMARY = (
    "id",
    "name",
    "createdBy",
    "creationDate",
    "modificationDate",
    "modifiedBy",
    "notificationId",
    "schedule",
)


class Flows:
    """The calls of facts A6. Flows exist in version 2.0 of the API only."""

    def __init__(self, world: World, notifications: Notifications) -> None:
        self._world = world
        self._notifications = notifications
        self.body = _shape(world.profile)

    def create(self, body: Any, by: Person) -> Document:
        fields = self._checked(body)
        self._world.refuse_taken("flow", fields["name"])
        if self._world.profile.flows_count:
            self._world.refuse_full()
        document = {"id": new_id(), **fields, **self._world.born(by)}
        if self._world.profile.notifications_auto_created:
            # Seen for integrations; for flows it is a guess (the checklist of the facts).
            document["notificationId"] = self._notifications.for_new(document["id"], by)
        self.save(document, by.guid)
        return {"integrationFlow": {"integrationFlowId": document["id"]}}

    def listing(self, page: Page, by: Person) -> Document:
        documents, paging = self._world.listed("flow", page, by)
        return {
            "integrationFlows": [
                self._world.profile.show("flow", self._summary(document)) for document in documents
            ],
            "meta": {"paging": paging, "schema": f"{OBJECTS}/integrationflows"},
        }

    def detail(self, identifier: str) -> Document:
        document = self._world.require("flow", identifier)
        steps = [self._world.profile.show("step", self._step(step)) for step in document["steps"]]
        return {
            "integrationFlow": self._world.profile.show(
                "flow detail", {**self._summary(document), "version": "2.0", "steps": steps}
            ),
            "meta": {"schema": f"{OBJECTS}/integrationflows"},
        }

    def replace(self, identifier: str, body: Any, by: Person) -> Document:
        document = self._world.require("flow", identifier)
        fields = self._checked(body)
        self._world.refuse_taken("flow", fields["name"], but=identifier)
        runs.refuse_running(self._world, document)
        self.save({**document, **fields, **self._world.touched(by)})
        return {}

    def delete(self, identifier: str) -> Document:
        """Refused while the flow or one of its steps runs (facts A6)."""
        document = self._world.require("flow", identifier)
        runs.refuse_running(self._world, document)
        for step in document["steps"]:
            runs.refuse_running(self._world, self._world.store.get("integration", step["referrer"]) or {})
        self.forget(document)
        return {}

    def forget(self, document: Document) -> None:
        if "notificationId" in document:
            self._world.store.delete("notification", document["notificationId"])
        self._world.store.delete("flow", document["id"])

    def save(self, document: Document, owner: str | None = None) -> None:
        """Write it; without an owner it stays whose it was."""
        if owner is None:
            owner = self._world.store.owner("flow", document["id"])
        refs = [step["referrer"] for step in document["steps"]]
        self._world.store.put("flow", document["id"], document, document["name"], owner, refs)

    def _checked(self, body: Any) -> Document:
        if not self.body(body):
            raise refusal.INVALID_BODY()
        steps = [self._kept(step) for step in body["steps"]]
        if sum(not step["isSkipped"] for step in steps) < 2 or not _in_order(steps):
            raise refusal.INVALID_FLOW()
        if any(self._world.store.get("integration", step["referrer"]) is None for step in steps):
            raise refusal.NOT_FOUND()
        return {"name": body["name"], "steps": steps}

    def _kept(self, step: Document) -> Document:
        """A step in the one spelling in which it is kept."""
        plain_id = self._world.profile.plain_id
        kept = {
            **step,
            "referrer": plain_id(step["referrer"]),
            "isSkipped": step["isSkipped"] in (True, "true"),
            "exceptionBehavior": [
                {**entry, "type": _OUTCOMES[entry["type"]]} for entry in step["exceptionBehavior"]
            ],
        }
        return kept | ({"dependsOn": [*map(plain_id, step["dependsOn"])]} if "dependsOn" in step else {})

    def _summary(self, document: Document) -> Document:
        return {
            **{key: document[key] for key in _SUMMARY if key in document},
            "stepsCount": len(document["steps"]),
            "nuxVisible": False,
            "latestRun": runs.latest(self._world, document),
        }

    def _step(self, step: Document) -> Document:
        """A step as it is read: with its integration's own data (facts A6, B13, B17)."""
        shown: Document = {
            "referrer": step["referrer"],
            "dependsOn": step.get("dependsOn", []),
            "isSkipped": step["isSkipped"],
            "exceptionBehavior": [
                entry
                | ({"type": self._world.profile.partial_success[0]} if entry["type"] != "failure" else {})
                for entry in step["exceptionBehavior"]
            ],
        }
        integration = self._world.store.get("integration", step["referrer"])
        if integration is None:  # only a change made by hand can lead here
            return {**shown, "accessible": False, "latestRun": {}}
        anaplan = anaplan_model(integration)
        written = _spaced if self._world.profile.spaced_step_dates else str
        return {
            **shown,
            "name": integration["name"],
            "type": integration_type(integration),
            "createdBy": integration["createdBy"],
            "createdDate": written(integration["creationDate"]),
            "modifiedDate": written(integration["modificationDate"]),
            "modifiedBy": integration["modifiedBy"],
            "workspaceId": anaplan.get("workspaceId"),
            "modelId": anaplan.get("modelId"),
            "accessible": True,
            "latestRun": runs.latest(self._world, integration),
        }


def _in_order(steps: list[Document]) -> bool:
    """Every integration once, depending on others of the flow only, in no circle.

    Steps are known by their integration alone, so one that comes twice could not be told apart
    (facts F13); a dependence on itself is the smallest circle.
    """
    waits = {step["referrer"]: step.get("dependsOn", []) for step in steps}
    if (
        len(waits) != len(steps)
        or not {other for others in waits.values() for other in others} <= waits.keys()
    ):
        return False
    try:
        TopologicalSorter(waits).prepare()
    except CycleError:
        return False
    return True


def _spaced(stamp: str) -> str:
    """Steps have their dates in another form than all else (facts A6)."""
    return datetime.fromisoformat(stamp).isoformat(sep=" ", timespec="microseconds")
