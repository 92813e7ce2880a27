"""Connections: what each type must carry, and what the service keeps and shows of it (facts A1, E1)."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from typing import Any

from cwsync.emulator import refusal
from cwsync.emulator.profile import Profile
from cwsync.emulator.refusal import Refusal
from cwsync.emulator.shapes import Shape, an_object, either, name, one_of, record, text
from cwsync.emulator.store import Document
from cwsync.emulator.tenant.world import Page, Person, World, new_id

SAS = "SAS-based"

_KEY_FIELDS = {
    "projectId": "project_id",
    "privateKeyId": "private_key_id",
    "privateKey": "private_key",
    "clientEmail": "client_email",
    "clientId": "client_id",
    "authUri": "auth_uri",
    "tokenUri": "token_uri",
    "authProviderX509CertUrl": "auth_provider_x509_cert_url",
    "clientX509CertUrl": "client_x509_cert_url",
}
_SERVICE_ACCOUNT = one_of("service_account")
# The vendor's spelling, and Google's own file as it is downloaded (facts B4).
_SERVICE_ACCOUNT_KEY = either(
    record({"type": _SERVICE_ACCOUNT, **dict.fromkeys(_KEY_FIELDS, text)}),
    record(
        {"type": _SERVICE_ACCOUNT, **dict.fromkeys(_KEY_FIELDS.values(), text)}, {"universe_domain": text}
    ),
)


# What a connection of each type must and may have; beside it all of them may have a workspace, which
# only restricted users need (facts D).
_FIELDS: Mapping[str, tuple[Mapping[str, Shape], Mapping[str, Shape]]] = {
    "AmazonS3": (
        {"name": name, "accessKeyId": text, "secretAccessKey": text, "bucketName": text},
        {"roleArn": text},
    ),
    "GoogleBigQuery": ({"name": name, "serviceAccountKey": _SERVICE_ACCOUNT_KEY, "dataset": text}, {}),
    "AzureBlob": (
        {"name": name, "storageAccountName": text, "sasToken": text, "containerName": text},
        {"authMethod": one_of(SAS)},
    ),
}


def _body(required: Mapping[str, Shape], optional: Mapping[str, Shape]) -> Shape:
    """One field at the least; and Azure's method by either of its names (facts B2)."""
    bodies = [record(required, optional)]
    if "authMethod" in {*required, *optional}:
        bodies.append(record(_respelled(required), _respelled(optional)))
    return either(*bodies).but(bool, minProperties=1)


def _respelled(fields: Mapping[str, Shape]) -> dict[str, Shape]:
    return {("auth_method" if field == "authMethod" else field): shape for field, shape in fields.items()}


def _bodies(profile: Profile) -> dict[str, dict[str, Shape]]:
    """By method and type, what a body looks like."""
    bodies: dict[str, dict[str, Shape]] = {"POST": {}, "PUT": {}, "PATCH": {}}
    for kind, (required, given) in _FIELDS.items():
        optional = {**given, "workspaceId": text}
        bodies["POST"][kind] = _body(required, optional)
        if kind == "GoogleBigQuery" and not profile.bigquery_edits:
            bodies["PATCH"][kind] = _body({"name": name}, {})
            continue
        bodies["PATCH"][kind] = _body({}, {**required, **optional})
        needed = ("authMethod",) if kind == "AzureBlob" and profile.azure_put_needs_method else ()
        demanded = {field: optional.pop(field) for field in needed}
        bodies["PUT"][kind] = _body({**required, **demanded}, optional)
    return bodies


_WRAPPED = record({"type": text, "body": an_object})

# Never returned (facts C1), and so never kept: a keyed digest tells one value from another.
WRITE_ONLY = ("accessKeyId", "secretAccessKey", "roleArn", "serviceAccountKey", "sasToken")

# The service tries the credentials at once (facts D). Here a value that starts like this fails.
_TRIALS: tuple[tuple[str, str, Refusal], ...] = (
    ("accessKeyId", "invalid-", refusal.INVALID_CREDENTIALS),
    ("secretAccessKey", "invalid-", refusal.INVALID_CREDENTIALS),
    ("sasToken", "invalid-", refusal.INVALID_CREDENTIALS),
    ("roleArn", "invalid-", refusal.INVALID_ROLE_ARN),
    ("bucketName", "invalid-", refusal.INVALID_BUCKET),
    ("bucketName", "denied-", refusal.BUCKET_DENIED),
    ("containerName", "invalid-", refusal.INVALID_BUCKET),
    ("containerName", "denied-", refusal.BUCKET_DENIED),
    ("dataset", "invalid-", refusal.INVALID_DATASET),
    ("dataset", "denied-", refusal.DATASET_DENIED),
)


class Connections:
    """The calls of facts A1."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._bodies = _bodies(world.profile)
        self.created_by = either(
            *(record({"type": one_of(kind), "body": body}) for kind, body in self._bodies["POST"].items())
        )
        self.replaced_by = either(*self._bodies["PUT"].values())
        self.patched_by = either(*self._bodies["PATCH"].values())

    def create(self, body: Any, by: Person) -> Document:
        if not _WRAPPED(body):
            raise refusal.INVALID_BODY()
        if body["type"] not in self._bodies["POST"]:
            raise refusal.INVALID_CONNECTION_TYPE()
        fields = _checked(body["body"], self._bodies["POST"][body["type"]])
        self._world.refuse_taken("connection", fields["name"])
        document = {
            "connectionId": new_id(),
            "connectionType": body["type"],
            "body": {},
            **self._world.born(by),
            "status": 1,
            "integrationErrorCode": None,
            "workspaceId": fields.pop("workspaceId", None),
            "authMethod": None,
            "secrets": {},
        }
        self.save(document, fields, by)
        return {"connections": {"connectionId": document["connectionId"]}}

    def listing(self, page: Page, by: Person) -> Document:
        if not self._world.profile.connections_paged:
            page = Page(limit=-1)
        documents, paging = self._world.listed("connection", page, by)
        schema = "https://api.anaplan.com/cloudworks/2/0/integrations/objects/connections?connectionType=<connectionType>"
        return {
            "connections": [
                self._world.profile.show(
                    "connection", {key: value for key, value in each.items() if key != "secrets"}
                )
                for each in documents
            ],
            "meta": {"paging": paging, "schema": schema},
        }

    def replace(self, identifier: str, body: Any, by: Person) -> Document:
        """PUT: flat, complete, with the secrets (facts B1)."""
        document = self._world.require("connection", identifier)
        fields = _checked(body, self._bodies["PUT"].get(document["connectionType"]))
        # What is left out is gone; only the workspace, which no PUT documents, stays.
        document["body"], document["secrets"] = {}, {}
        return self._edit(document, fields, by)

    def patch(self, identifier: str, body: Any, by: Person) -> Document:
        """PATCH: flat, one known field at the least (facts A1)."""
        document = self._world.require("connection", identifier)
        return self._edit(document, _checked(body, self._bodies["PATCH"].get(document["connectionType"])), by)

    def _edit(self, document: Document, fields: Document, by: Person) -> Document:
        # No documented PUT or PATCH has a workspace: one that says the same is harmless, another is not.
        if fields.pop("workspaceId", document["workspaceId"]) != document["workspaceId"]:
            raise refusal.INVALID_BODY()
        if "name" in fields:
            self._world.refuse_taken("connection", fields["name"], but=document["connectionId"])
        document.update(self._world.touched(by))
        self.save(document, fields, by)
        return {}

    def delete(self, identifier: str) -> Document:
        self._world.require("connection", identifier)
        if self._world.store.referred_to(identifier, by="integration"):
            raise refusal.REFERENCED()
        self._world.store.delete("connection", identifier)
        return {}

    def save(self, document: Document, fields: Document, by: Person | None) -> None:
        """Write the document with the fields over what it has; of secrets, only their digests."""
        for field, value in fields.items():
            if field in WRITE_ONLY:
                document["secrets"][field] = self._digest(field, value)
            else:
                document["body"][field] = value
        document["authMethod"] = document["body"].get("authMethod")
        owner = by.guid if by else ""
        self._world.store.put(
            "connection", document["connectionId"], document, document["body"].get("name", ""), owner
        )

    def _digest(self, field: str, value: Any) -> str:
        """Equal for equal values within one data file, and of no use to anybody who has not got the key."""
        settings = self._world.store.get("key", "key")
        if settings is None:
            settings = {"key": secrets.token_hex(32)}
            self._world.store.put("key", "key", settings)
        said = json.dumps([field, value], sort_keys=True).encode()
        return hmac.new(bytes.fromhex(settings["key"]), said, hashlib.sha256).hexdigest()[:32]


def _checked(body: Any, shape: Shape | None) -> Document:
    """The fields of a body of this shape, with the alternative spelling undone; or a refusal."""
    if shape is None or not shape(body):
        raise refusal.INVALID_BODY()
    fields = {("authMethod" if field == "auth_method" else field): value for field, value in body.items()}
    for field, beginning, outcome in _TRIALS:
        if str(fields.get(field, "")).startswith(beginning):
            raise outcome()
    return fields
