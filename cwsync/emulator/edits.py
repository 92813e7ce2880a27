"""Changes behind everybody's back, as people make them in the web interface: POST /_emulator/edit.

    {"by": "Grace Hopper", "action": "update", "kind": "connection", "name": "Sales S3",
     "body": {"bucketName": "other"}}

or several at once, all or none: {"by": …, "edits": [{"action": …, "kind": …, …}, …]}.

- `kind`: connection, integration, schedule, notification, flow; and to set the stage: `outcome` (how
  runs of an integration go), `user`, `tenant`.
- `action`: create, update, delete.
- `id` or `name` says which; for a schedule, a notification and an outcome it is the integration's or
  flow's (a notification's own id works as well), for a user the login.
- `body` of create: what the API takes, for a schedule the schedule alone, for a notification
  {"channels": […], "users": {"success": [guid…], …}}. An integration without `version` is one of version 1.0.
- `body` of update: the fields to change; null takes one away. A `steps` or `jobs` list is replaced whole.
- outcome: {"seconds": 5, "outcome": "success|partial_success|failure", "message": …, "dump": …};
  user: {"role": "none|integrator", "firstName": …, "lastName": …}; tenant: {"maxAllowed": 500}.

Nothing is checked as the API checks it: duplicate names, dangling references, foreign authMethods and
other odd states are what this is for. What could not be read back is refused all the same.
"""

from __future__ import annotations

from typing import Any

from cwsync.emulator.edit_bodies import KINDS, misfit
from cwsync.emulator.shapes import an_object, either, listing, one_of, record, text
from cwsync.emulator.store import Document
from cwsync.emulator.tenant import Tenant
from cwsync.emulator.tenant.world import Person, new_id, person

_EDIT = {"action": one_of("create", "update", "delete"), "kind": one_of(*KINDS)}
_WHICH = {"id": text, "name": text, "body": an_object}
REQUEST = either(
    record({**_EDIT, "by": text}, _WHICH),
    record({"by": text, "edits": listing(record(_EDIT, _WHICH), least=1)}),
)
# What a connection keeps beside its `body`.
_BESIDE_BODY = ("status", "integrationErrorCode", "workspaceId")


class EditError(Exception):
    """An edit that cannot be made; the text says why."""


class Edits:
    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._store = tenant.world.store

    def apply(self, request: Any) -> list[str]:
        """Make the edits; the ids of what they touched. Raises EditError, and then none is made."""
        if not REQUEST(request):
            raise EditError(
                "give by, action (create, update, delete), kind, id or name, body; or by and edits"
            )
        by = person(request["by"])
        return [self._one(edit, by) for edit in request.get("edits", [request])]

    def _one(self, edit: Document, by: Person) -> str:
        kind, action, body = edit["kind"], edit["action"], edit.get("body", {})
        wrong = misfit(kind, body)
        if wrong is not None:
            raise EditError(f"the body of this {kind} cannot have such a {wrong}")
        hands = {
            "connection": self._connection,
            "integration": self._integration,
            "schedule": self._schedule,
            "notification": self._notification,
            "flow": self._flow,
            "outcome": self._outcome,
            "user": self._user,
            "tenant": self._settings,
        }
        return hands[kind](action, edit, body, by)

    def _find(self, edit: Document, *kinds: str) -> tuple[str, Document]:
        """The document that `id` or `name` means, and its kind; a name must be unambiguous."""
        if "id" not in edit and "name" not in edit:
            raise EditError(f"say which {edit['kind']}: give an id or a name")
        for kind in kinds:
            ids = [edit["id"]] if "id" in edit else self._store.named(kind, edit["name"])
            if len(ids) > 1:
                raise EditError(f"{len(ids)} objects are named {edit['name']}: give an id")
            document = self._store.get(kind, ids[0]) if ids else None
            if document is not None:
                return kind, document
        raise EditError(f"no {' or '.join(kinds)} {edit.get('id') or edit.get('name')}")

    def _connection(self, action: str, edit: Document, body: Document, by: Person) -> str:
        connections = self._tenant.connections
        if action == "create":
            fields = dict(body.get("body", {}))
            document = {
                "connectionId": new_id(),
                "connectionType": body.get("type", "AmazonS3"),
                "body": {},
                **self._tenant.world.born(by),
                "status": 1,
                "integrationErrorCode": None,
                "workspaceId": fields.pop("workspaceId", None),
                "authMethod": None,
                "secrets": {},
            }
            connections.save(document, fields, by)
            return str(document["connectionId"])
        _, document = self._find(edit, "connection")
        if action == "delete":
            self._store.delete("connection", document["connectionId"])
            return str(document["connectionId"])
        document.update({key: body[key] for key in _BESIDE_BODY if key in body})
        document.update(self._tenant.world.touched(by))
        fields = {key: value for key, value in body.items() if key not in _BESIDE_BODY}
        document["body"] = {
            key: value for key, value in document["body"].items() if fields.get(key, "") is not None
        }
        connections.save(document, {key: value for key, value in fields.items() if value is not None}, None)
        return str(document["connectionId"])

    def _integration(self, action: str, edit: Document, body: Document, by: Person) -> str:
        integrations = self._tenant.integrations
        if action == "create":
            version = body.get("version", "1.0")
            born = self._tenant.world.born(by)
            document = {
                "name": "",
                "nuxVisible": False,
                **body,
                "version": version,
                **born,
                "integrationId": new_id(),
            }
            identifier = str(document["integrationId"])
            integrations.save(document | self._with_notification(identifier, by), by.guid)
            return identifier
        _, document = self._find(edit, "integration")
        if action == "delete":
            integrations.forget(document)
        else:
            integrations.save({**_merged(document, body), **self._touched(by, body)})
        return str(document["integrationId"])

    def _flow(self, action: str, edit: Document, body: Document, by: Person) -> str:
        flows = self._tenant.flows
        if action == "create":
            born = self._tenant.world.born(by)
            document = {"id": new_id(), "name": body.get("name", ""), "steps": _steps(body), **born}
            identifier = str(document["id"])
            flows.save(document | self._with_notification(identifier, by), by.guid)
            return identifier
        _, document = self._find(edit, "flow")
        if action == "delete":
            flows.forget(document)
        else:
            merged = _merged(document, body)
            flows.save({**merged, "steps": _steps(merged), **self._touched(by, body)})
        return str(document["id"])

    def _touched(self, by: Person, body: Document) -> Document:
        """Who changed it and when; an edit may say otherwise, as a service might that keeps its dates."""
        stamps = self._tenant.world.touched(by)
        return {name: body.get(name, stamp) for name, stamp in stamps.items()}

    def _with_notification(self, owner: str, by: Person) -> Document:
        if not self._tenant.world.profile.notifications_auto_created:
            return {}
        return {"notificationId": self._tenant.notifications.for_new(owner, by)}

    def _schedule(self, action: str, edit: Document, body: Document, _by: Person) -> str:
        kind, document = self._find(edit, "integration", "flow")
        before = {} if action == "create" else document.pop("schedule", {})
        if action != "create" and not before:
            raise EditError(f"{document['name']} has no schedule")
        if action != "delete":
            document["schedule"] = {"status": "Active", **_merged(before, body)}
        identifier = str(document.get("integrationId") or document["id"])
        self._store.rewrite(kind, identifier, document)
        return identifier

    def _notification(self, action: str, edit: Document, body: Document, by: Person) -> str:
        notifications = self._tenant.notifications
        kind, document = self._find(edit, "notification", "integration", "flow")
        if kind != "notification" and action == "create":
            owner = str(document.get("integrationId") or document["id"])
            users = body.get("users", {"full_failure": [by.guid]})
            identifier = notifications.save(new_id(), owner, body.get("channels", ["email"]), users)
            self._store.rewrite(kind, owner, {**document, "notificationId": identifier})
            return identifier
        if kind != "notification":
            if "notificationId" not in document:
                raise EditError(f"{document['name']} has no notification")
            document = self._tenant.world.require("notification", document["notificationId"])
        identifier = str(document["notificationId"])
        if action == "delete":
            notifications.delete(identifier)
        else:
            users = _merged(document["config"], body.get("users", {}))
            channels = {**document, **body}["channels"]
            notifications.save(identifier, document["integrationId"], channels, users)
        return identifier

    def _outcome(self, action: str, edit: Document, body: Document, _by: Person) -> str:
        _, document = self._find(edit, "integration")
        identifier = str(document["integrationId"])
        if action == "delete":
            self._store.delete("outcome", identifier)
        else:
            self._store.put(
                "outcome", identifier, _merged(self._store.get("outcome", identifier) or {}, body)
            )
        return identifier

    def _user(self, action: str, edit: Document, body: Document, _by: Person) -> str:
        who = person(edit.get("name") or edit.get("id") or "")
        self._tenant.world.remember(who)
        if action == "delete":
            body = {"role": "none"}
        known = self._tenant.world.require("user", who.guid)
        self._store.rewrite("user", who.guid, _merged(known, body))
        return who.guid

    def _settings(self, action: str, _edit: Document, body: Document, _by: Person) -> str:
        before = {} if action == "delete" else self._store.get("settings", "tenant") or {}
        self._store.put("settings", "tenant", _merged(before, body))
        return "tenant"


def _merged(before: Document, changes: Document) -> Document:
    return {
        key: value for key, value in {**before, **changes}.items() if value is not None or key not in changes
    }


def _steps(body: Document) -> list[Document]:
    """Steps as they are kept; a bare {"referrer": id} is enough."""
    plain = {
        "type": "Integration",
        "isSkipped": False,
        "exceptionBehavior": [{"type": "failure", "strategy": "stop"}],
    }
    return [{**plain, **step} for step in body.get("steps", [])]
