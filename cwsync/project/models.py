"""What a person writes in cwsync.yaml; `schemas/project.schema.json` is generated from this."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    InstanceOf,
    StringConstraints,
    WithJsonSchema,
)

from cwsync.checked import Id, Text, Whole
from cwsync.checked.schema import DIALECT, tidy
from cwsync.located import Map
from cwsync.project.encryption import EncryptionField
from cwsync.project.policies import Policy
from cwsync.project.written import Written
from cwsync.secret import SecretField
from cwsync.variables import NAME

Region = Literal[
    "us1", "us2", "us5", "us7", "us9", "ca1", "eu1", "eu2", "eu3", "eu4", "eu5", "gb1",
    "ap1", "au1", "ae1", "in1", "id1", "me1", "sg1",
]  # fmt: skip
"""The vendor's regions (facts A); their addresses are the API room's."""

VariableName = Annotated[str, StringConstraints(pattern=f"^{NAME.pattern}$")]
# It becomes part of file names (.cwsync/<environment>.state.json).
EnvironmentName = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9][A-Za-z0-9_-]*$")]
Section = Annotated[InstanceOf[Map], WithJsonSchema({"type": "object"})]


class Basic(Written):
    """Signing in with a user's name and password."""

    username: Text = Field(description="The user's e-mail address.", examples=["ci@example.com"])
    password: SecretField = Field(
        description="Where the password is found.", examples=[{"fromEnv": "ANAPLAN_PASSWORD"}]
    )


class Certificate(Written):
    """Signing in with a certificate that Anaplan has registered for the user."""

    certificate: SecretField = Field(
        description="Where the certificate (PEM) is found.", examples=[{"fromFile": "certs/prod.pem"}]
    )
    privateKey: SecretField = Field(
        description="Where the private key (PEM) is found.", examples=[{"fromEnv": "ANAPLAN_KEY"}]
    )
    passphrase: SecretField | None = Field(
        None,
        description="Where the private key's passphrase is found, if it has one.",
        examples=[{"fromEnv": "ANAPLAN_KEY_PASS"}],
    )
    format: Literal["v1", "v2"] = Field(
        "v2",
        description="The form of the signed message: v2 carries a time stamp, v1 does not.",
        examples=["v2"],
    )
    header: Literal["pem", "der"] = Field(
        "pem",
        description="What the Authorization header carries, in base64: the PEM file, or the DER form.",
        examples=["pem"],
    )


class Authenticate(Written):
    """How to sign in: exactly one of basic, certificate and token."""

    basic: Basic | None = Field(
        None,
        description="A user's name and password.",
        examples=[{"username": "ci@example.com", "password": {"fromEnv": "ANAPLAN_PASSWORD"}}],
    )
    certificate: Certificate | None = Field(
        None,
        description="A certificate and its private key.",
        examples=[{"certificate": {"fromFile": "certs/prod.pem"}, "privateKey": {"fromEnv": "ANAPLAN_KEY"}}],
    )
    token: SecretField | None = Field(
        None,
        description="A token that something else has obtained.",
        examples=[{"fromEnv": "ANAPLAN_TOKEN"}],
    )


class Guards(Written):
    """How much one apply may delete. Both limits hold, for each kind by itself."""

    maxDeletes: Whole | None = Field(
        None, ge=0, description="At most so many resources of a kind are deleted.", examples=[5]
    )
    maxDeletePercent: Whole | None = Field(
        None,
        ge=0,
        le=100,
        description="At most this share of a kind's managed resources, in percent, is deleted.",
        examples=[20],
    )


class Requests(Written):
    """How many requests the service gets at a time, and in a second."""

    parallelism: Whole = Field(8, ge=1, le=64, description="So many requests at a time.", examples=[8])
    perSecond: Whole = Field(
        10, ge=1, le=1000, description="At most so many requests start in a second.", examples=[10]
    )


class EnvironmentFile(Written):
    """One tenant, or an emulator, and how it is reached."""

    api: Text | None = Field(
        None,
        description="'emulator' for the one inside cwsync, or the address of CloudWorks, with '/2/0'. "
        "Give this or 'region'.",
        examples=["emulator", "https://api.cloudworks.anaplan.com/2/0"],
    )
    region: Region | None = Field(
        None, description="The Anaplan region. Give this or 'api'.", examples=["eu1"]
    )
    auth: Text | None = Field(
        None,
        description="The address of the authentication service; only beside an address in 'api'.",
        examples=["https://auth.anaplan.com"],
    )
    authenticate: Authenticate | None = Field(
        None, description="How to sign in.", examples=[{"token": {"fromEnv": "ANAPLAN_TOKEN"}}]
    )
    state: Text | None = Field(
        None,
        min_length=1,
        description="Where the state is kept: a file, from the project's folder; an object in a bucket, as "
        "s3://BUCKET/PATH, gs://BUCKET/PATH or az://CONTAINER/PATH; or a row in PostgreSQL, as "
        "postgresql://USER@HOST/DATABASE?state=NAME. Without it: .cwsync/<environment>.state.json.",
        examples=["state/prod.state.json", "s3://acme-iac/cwsync/prod.state.json"],
    )
    encryption: EncryptionField = Field(
        None,
        description="Whether the state is encrypted. true: with the key of CWSYNC_STATE_KEY.",
        examples=[True, {"key": {"fromEnv": "CWSYNC_STATE_KEY"}}],
    )
    audit: Text | None = Field(
        None,
        min_length=1,
        description="Where a line of JSON is appended for each change of the tenant: a file, from the project's "
        "folder, or 'stderr'. Without it none is written.",
        examples=["audit/prod.jsonl", "stderr"],
    )
    guards: Guards = Field(
        Guards.model_construct(),
        description="How much one apply may delete.",
        examples=[{"maxDeletes": 5, "maxDeletePercent": 20}],
    )
    requests: Requests = Field(
        Requests.model_construct(),
        description="How hard the service is worked.",
        examples=[{"parallelism": 8, "perSecond": 10}],
    )
    variables: dict[VariableName, Text] = Field(
        {},
        description="Values for this environment; they win over the project's.",
        examples=[{"workspaceId": "8a81b09d5e8c6f27015ece3402487d33"}],
    )


class Defaults(Written):
    """Fields that every resource of a kind has, unless it says otherwise."""

    connections: Section | None = Field(
        None, description="For every connection.", examples=[{"workspaceId": "${var.workspaceId}"}]
    )
    integrations: Section | None = Field(
        None, description="For every integration.", examples=[{"workspaceId": "${var.workspaceId}"}]
    )
    schedules: Section | None = Field(
        None, description="For every schedule.", examples=[{"timezone": "${var.timezone}"}]
    )
    notifications: Section | None = Field(
        None, description="For every notification.", examples=[{"channels": ["email"]}]
    )
    flows: Section | None = Field(
        None, description="For every flow.", examples=[{"lifecycle": {"preventDestroy": True}}]
    )


def _version(value: Any) -> Any:
    return 1 if value == "1" else value


class ProjectFile(Written):
    """cwsync.yaml: where the manifests are, and the environments that they are applied to."""

    version: Annotated[Literal[1], BeforeValidator(_version)] = Field(
        1, description="The version of this file's form.", examples=[1]
    )
    manifests: list[Annotated[Text, Field(min_length=1)]] = Field(
        ["manifests"],
        min_length=1,
        description="Files, folders (read with all folders below: *.yaml, *.yml, *.json) or globs, "
        "from this file's folder.",
        examples=[["manifests", "teams/*/cloudworks"]],
    )
    environment: Text | None = Field(
        None, description="The environment that is used where none is named.", examples=["local"]
    )
    users: dict[str, Id] = Field(
        {},
        description="Names for the ids of users, to be used in notifications.",
        examples=[{"alice": "2c9ba1b6729b7fd80172c3f635db40f7"}],
    )
    variables: dict[VariableName, Text] = Field(
        {},
        description="Values for ${var.name}. An environment's, CWSYNC_VAR_name and --var win over these.",
        examples=[{"timezone": "Greenwich"}],
    )
    defaults: Defaults = Field(
        Defaults.model_construct(),
        description="For each kind, fields that all its resources have unless they say otherwise.",
        examples=[{"schedules": {"timezone": "${var.timezone}"}}],
    )
    policies: tuple[Policy, ...] = Field(
        (),
        description="Rules of your own, which every plan is held against.",
        examples=[[{"name": "connections-stay", "environments": ["prod"], "forbid": ["delete"]}]],
    )
    environments: dict[EnvironmentName, EnvironmentFile] = Field(
        min_length=1,
        description="The tenants, by a name of your own.",
        examples=[{"local": {"api": "emulator"}, "prod": {"region": "eu1"}}],
    )


def project_schema() -> dict[str, Any]:
    """The JSON Schema of cwsync.yaml."""
    schema = tidy(ProjectFile.model_json_schema())
    return {"$schema": DIALECT, **schema, "title": "cwsync.yaml"}
