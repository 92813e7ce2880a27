"""Connections: what each type must carry, and what the service keeps and shows of it (facts A1, E1)."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any

from cwsync.emulator import refusal
from cwsync.emulator.refusal import Refusal
from cwsync.emulator.shapes import Shape, either, name, one_of, record, text
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
_SERVICE_ACCOUNT: Shape = one_of("service_account")
# The vendor's spelling, and Google's own file as it is downloaded (facts B4).
_SERVICE_ACCOUNT_KEY = either(
    record({"type": _SERVICE_ACCOUNT, **dict.fromkeys(_KEY_FIELDS, text)}),
    record(
        {"type": _SERVICE_ACCOUNT, **dict.fromkeys(_KEY_FIELDS.values(), text)}, {"universe_domain": text}
    ),
)


@dataclass(frozen=True, slots=True)
class _Type:
    required: dict[str, Shape]
    optional: dict[str, Shape]
    needed_to_replace: tuple[str, ...] = ()


# The workspace is one more optional field of all, which only restricted users need (facts D).
_TYPES = {
    "AmazonS3": _Type(
        {"name": name, "accessKeyId": text, "secretAccessKey": text, "bucketName": text}, {"roleArn": text}
    ),
    "GoogleBigQuery": _Type({"name": name, "serviceAccountKey": _SERVICE_ACCOUNT_KEY, "dataset": text}, {}),
    "AzureBlob": _Type(
        {"name": name, "storageAccountName": text, "sasToken": text, "containerName": text},
        {"authMethod": one_of(SAS)},
        needed_to_replace=("authMethod",),  # facts B2: optional when creating, mandatory when replacing
    ),
}

# Never returned (facts C1), and so never kept: a keyed digest tells one value from another.
WRITE_ONLY = ("accessKeyId", "secretAccessKey", "roleArn", "serviceAccountKey", "sasToken")

# The service tries the credentials at once (facts D). Here a value that starts with "invalid-" fails.
_TRIALS: tuple[tuple[str, Refusal], ...] = (
    ("accessKeyId", refusal.INVALID_CREDENTIALS),
    ("secretAccessKey", refusal.INVALID_CREDENTIALS),
    ("sasToken", refusal.INVALID_CREDENTIALS),
    ("roleArn", refusal.INVALID_ROLE_ARN),
    ("bucketName", refusal.INVALID_BUCKET),
    ("containerName", refusal.INVALID_BUCKET),
    ("dataset", refusal.INVALID_DATASET),
)


class Connections:
    """The calls of facts A1."""

    def __init__(self, world: World) -> None:
        self._world = world

    def create(self, body: Any, by: Person) -> Document:
        if not record({"type": text, "body": lambda value: isinstance(value, dict)})(body):
            raise refusal.INVALID_BODY()
        if body["type"] not in _TYPES:
            raise refusal.INVALID_CONNECTION_TYPE()
        fields = _checked(body["type"], body["body"])
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
        documents, paging = self._world.listed("connection", page, by)
        schema = "https://api.anaplan.com/cloudworks/2/0/integrations/objects/connections?connectionType=<connectionType>"
        return {
            "connections": [
                {key: value for key, value in each.items() if key != "secrets"} for each in documents
            ],
            "meta": {"paging": paging, "schema": schema},
        }

    def replace(self, identifier: str, body: Any, by: Person) -> Document:
        """PUT: flat, complete, with the secrets (facts B1)."""
        document = self._world.require("connection", identifier)
        fields = _checked(document["connectionType"], body, replacing=True)
        # What is left out is gone; only the workspace, which no PUT documents, stays.
        document["body"], document["secrets"] = {}, {}
        return self._edit(document, fields, by)

    def patch(self, identifier: str, body: Any, by: Person) -> Document:
        """PATCH: flat, one known field at the least (facts A1)."""
        document = self._world.require("connection", identifier)
        return self._edit(document, _checked(document["connectionType"], body, partly=True), by)

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


def _checked(kind: str, body: Any, *, replacing: bool = False, partly: bool = False) -> Document:
    """The fields of a body that fits the type, with the alternative spellings undone; or a refusal."""
    if not isinstance(body, dict):
        raise refusal.INVALID_BODY()
    fields = dict(body)
    if kind == "AzureBlob" and "auth_method" in fields and "authMethod" not in fields:
        fields["authMethod"] = fields.pop("auth_method")  # facts B2: either is accepted
    rules = _TYPES[kind]
    required, optional = dict(rules.required), {**rules.optional, "workspaceId": text}
    if replacing:
        required.update({field: optional.pop(field) for field in rules.needed_to_replace})
    if partly:
        required, optional = {}, {**required, **optional}
    if not record(required, optional)(fields) or not fields:
        raise refusal.INVALID_BODY()
    for field, outcome in _TRIALS:
        if str(fields.get(field, "")).startswith("invalid-"):
            raise outcome()
    return fields
