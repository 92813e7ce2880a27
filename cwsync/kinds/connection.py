"""Connections: the cloud stores that integrations read from and write to (facts A1, C1, E1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, SecretStr, TypeAdapter

from cwsync.errors import fail
from cwsync.kinds.base import (
    Action,
    Behaviour,
    Body,
    Content,
    Declared,
    Finding,
    Kind,
    Listing,
    PlainId,
    Rule,
    Wire,
    Words,
    Write,
    check_guid,
    check_name,
    stamps,
    text_or_none,
)
from cwsync.kinds.naming import Naming, Written, called
from cwsync.kinds.values import Fields, Observed, same_id
from cwsync.secret import SecretField


class _Connection(Declared):
    workspaceId: PlainId | None = Field(
        None,
        description="The workspace that a restricted integration user may use. Cannot be changed later.",
        examples=["8a81b09d5e8c6f27015ece3402487d33"],
    )


class AmazonS3(_Connection):
    """An Amazon S3 bucket."""

    type: Literal["AmazonS3"] = Field(description="The kind of store.")
    bucketName: Words = Field(description="The bucket.", examples=["sales-landing"])
    accessKeyId: SecretField = Field(
        description="The access key id: a secret, never read back.", examples=[{"fromEnv": "SALES_AWS_KEY"}]
    )
    secretAccessKey: SecretField = Field(
        description="The secret access key: never read back.", examples=[{"fromEnv": "SALES_AWS_SECRET"}]
    )
    roleArn: Words | None = Field(
        None,
        description="The role to assume. Never read back: compared with what was last applied.",
        examples=["arn:aws:iam::123475742:role/sampleReadOnly"],
    )


class GoogleBigQuery(_Connection):
    """A Google BigQuery dataset."""

    type: Literal["GoogleBigQuery"] = Field(description="The kind of store.")
    dataset: Words = Field(description="The dataset.", examples=["dev_us_west"])
    serviceAccountKey: SecretField = Field(
        description="Google's service account key, as downloaded (JSON), or with the API's camelCase keys.",
        examples=[{"fromFile": "secrets/bigquery.json"}],
    )


class AzureBlob(_Connection):
    """An Azure Blob container, with a shared access signature."""

    type: Literal["AzureBlob"] = Field(description="The kind of store.")
    storageAccountName: Words = Field(description="The storage account.", examples=["mylake"])
    containerName: Words = Field(description="The container.", examples=["landing"])
    sasToken: SecretField = Field(
        description="The shared access signature: a secret, never read back.",
        examples=[{"fromCommand": ["vault", "kv", "get", "-field=sas", "kv/lake"]}],
    )


Connection = Annotated[AmazonS3 | GoogleBigQuery | AzureBlob, Field(discriminator="type")]

SETTINGS: Mapping[str, tuple[str, ...]] = {
    "AmazonS3": ("bucketName", "roleArn"),
    "GoogleBigQuery": ("dataset",),
    "AzureBlob": ("storageAccountName", "containerName"),
}
SECRETS: Mapping[str, tuple[str, ...]] = {
    "AmazonS3": ("accessKeyId", "secretAccessKey"),
    "GoogleBigQuery": ("serviceAccountKey",),
    "AzureBlob": ("sasToken",),
}
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
AZURE_METHOD = "SAS-based"


def _content(model: AmazonS3 | GoogleBigQuery | AzureBlob, key: str, _users: Mapping[str, str]) -> Content:
    name = model.called(key)
    fields: Fields = {"type": model.type, "name": name}
    for setting in SETTINGS[model.type]:
        if (value := getattr(model, setting)) is not None:
            fields[setting] = value
    if model.workspaceId is not None:
        fields["workspaceId"] = same_id(model.workspaceId)
    return Content(name, fields, {secret: getattr(model, secret) for secret in SECRETS[model.type]})


def _check(model: AmazonS3 | GoogleBigQuery | AzureBlob, key: str) -> Iterator[Finding]:
    yield from check_name(model.called(key), 60)
    yield from check_guid(model, "workspaceId")


def service_account_key(text: SecretStr) -> Body:
    """Google's key in the API's spelling (facts B4): the ten fields, whichever way they were spelled.

    Raises CW120 where the text is not such a key; the text itself is never repeated.
    """
    import json  # here: reading manifests goes without

    try:
        given = json.loads(text.get_secret_value())
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise fail("CW120", "serviceAccountKey is not the JSON of a Google service account key")
    key: Body = {"type": "service_account"}
    for camel, snake in _KEY_FIELDS.items():
        value = given.get(camel, given.get(snake))
        if not isinstance(value, str) or not value:
            raise fail("CW120", f"serviceAccountKey has no {snake}", hint="use the file that Google offers")
        key[camel] = SecretStr(value)
    return key


def _to_wire(write: Write) -> Body | None:
    if write.action is Action.DELETE:
        return None
    if write.action is Action.RENAME:
        return {"name": write.fields["name"]}
    kind = write.fields["type"]
    body: Body = {"name": write.fields["name"]}
    for setting in SETTINGS[kind]:
        if setting in write.fields:
            body[setting] = write.fields[setting]
    for secret in SECRETS[kind]:
        value = write.secrets[secret]
        body[secret] = service_account_key(value) if kind == "GoogleBigQuery" else value
    if kind == "AzureBlob":
        body["authMethod"] = AZURE_METHOD  # optional on POST, demanded by PUT (facts B2)
    if write.action is Action.UPDATE:
        return body  # flat, and without workspaceId, which no PUT table has (facts B1, C1)
    if "workspaceId" in write.fields:
        body["workspaceId"] = write.fields["workspaceId"]
    return {"type": kind, "body": body}


def _second_tries(body: Body, message: str, _now: datetime) -> tuple[Body, ...]:
    """Azure's method was also seen spelled auth_method (facts B2)."""
    inner = body["body"] if isinstance(body.get("body"), dict) else body
    if message != "Invalid request body" or not isinstance(inner, dict) or "authMethod" not in inner:
        return ()
    respelled: Body = {("auth_method" if key == "authMethod" else key): value for key, value in inner.items()}
    return ({**body, "body": respelled} if "body" in body else respelled,)


def _from_wire(item: Wire) -> Observed:
    body = item.get("body") or {}
    kind = item.get("connectionType")
    fields: Fields = {"type": kind, "name": body.get("name", "")}
    for setting in SETTINGS.get(kind or "", ()):
        if body.get(setting) is not None:
            fields[setting] = body[setting]
    if workspace := text_or_none(item.get("workspaceId")) or text_or_none(body.get("workspaceId")):
        fields["workspaceId"] = same_id(workspace)
    method = item.get("authMethod") or body.get("authMethod") or AZURE_METHOD
    foreign = None
    if kind not in SETTINGS:
        foreign = f"its type {kind} is not one that cwsync knows"
    elif kind == "AzureBlob" and method != AZURE_METHOD:
        foreign = f"its authentication method is {method}, and cwsync can only write {AZURE_METHOD}"
    return Observed(
        kind="connection",
        id=str(item["connectionId"]),
        name=str(fields["name"]),
        fields=fields,
        type=kind,
        foreign=foreign,
        **stamps(item),
    )


def _to_manifest(fields: Mapping[str, Any], naming: Naming) -> dict[str, Written]:
    kind = str(fields["type"])
    written: dict[str, Written] = {"type": kind, **called(fields, naming)}
    written |= {setting: fields[setting] for setting in SETTINGS.get(kind, ()) if setting in fields}
    written |= {secret: naming.secret(secret) for secret in SECRETS.get(kind, ())}
    if "workspaceId" in fields:
        written["workspaceId"] = fields["workspaceId"]
    return written


def _update_actions(changed: frozenset[str], _fields: Fields) -> tuple[Action, ...]:
    """A rename alone needs no secret, so it is a PATCH; a PUT wants them all (facts F3)."""
    return (Action.RENAME,) if changed == {"name"} else (Action.UPDATE,)


_NEVER_RETURNED = "the service never returns it (facts C1)"

KIND = Kind(
    name="connection",
    section="connections",
    models=(AmazonS3, GoogleBigQuery, AzureBlob),
    model=TypeAdapter(Connection, config=ConfigDict(defer_build=True)),
    summary="A cloud store: an Amazon S3 bucket, a Google BigQuery dataset or an Azure Blob container.",
    rules=(
        Rule("accessKeyId", Behaviour.WRITE_ONLY, _NEVER_RETURNED),
        Rule("secretAccessKey", Behaviour.WRITE_ONLY, _NEVER_RETURNED),
        Rule("serviceAccountKey", Behaviour.WRITE_ONLY, _NEVER_RETURNED),
        Rule("sasToken", Behaviour.WRITE_ONLY, _NEVER_RETURNED),
        Rule("roleArn", Behaviour.NOT_READ_BACK, "neither the page nor a live reply shows it (facts C1)"),
        Rule("type", Behaviour.IMMUTABLE, "no call changes it (facts C1)"),
        Rule(
            "workspaceId",
            Behaviour.NOT_READ_BACK,
            "live replies have it, the page's samples do not (facts C1)",
        ),
        Rule("workspaceId", Behaviour.IMMUTABLE, "no PUT or PATCH has it (facts C1)"),
    ),
    calls={
        Action.CREATE: ("POST", "/integrations/connections"),
        Action.UPDATE: ("PUT", "/integrations/connections/{id}"),
        Action.RENAME: ("PATCH", "/integrations/connections/{id}"),
        Action.DELETE: ("DELETE", "/integrations/connections/{id}"),
    },
    content=_content,
    check=_check,
    to_wire=_to_wire,
    from_wire=_from_wire,
    to_manifest=_to_manifest,
    created_id=("connections", "connectionId"),
    listing=Listing("/integrations/connections", "connections", "connectionId"),
    update_actions=_update_actions,
    second_tries=_second_tries,
)
