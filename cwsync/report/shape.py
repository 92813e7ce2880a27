"""The shape of a plan's JSON, as types: the JSON Schema for those who read plans is made from them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from cwsync.checked.schema import DIALECT

Marks = Annotated[
    bool | dict[str, Any], Field(description="true, or by field, where a value is unknown or sensitive.")
]


class ChangeShape(BaseModel):
    """What happens to one resource, in the words of `terraform show -json`."""

    actions: Annotated[
        list[Literal["no-op", "create", "update", "delete", "forget"]],
        Field(description='A replacement is ["delete", "create"].'),
    ]
    before: Annotated[dict[str, Any] | None, Field(description="The fields now. Secrets are null.")]
    after: Annotated[
        dict[str, Any] | None, Field(description="The fields afterwards. Secrets and unknown ids are null.")
    ]
    after_unknown: Marks
    before_sensitive: Marks
    after_sensitive: Marks
    importing: dict[str, Any] = {}


class ResourceShape(BaseModel):
    """One resource."""

    address: Annotated[str, Field(description="kind.key", examples=["integration.accounts"])]
    previous_address: str = ""
    mode: Literal["managed"]
    type: Annotated[str, Field(description="cloudworks_ and the kind.", examples=["cloudworks_flow"])]
    name: Annotated[str, Field(description="The key.")]
    provider_name: Literal["cwsync"]
    change: ChangeShape
    action_reason: str = ""


class DriftShape(ResourceShape):
    """One resource that the tenant changed; before and after hold the fields that differ, by path."""

    id: str
    modifiedBy: str | None
    modifiedAt: str | None


class CallShape(BaseModel):
    """One mutating call."""

    order: Annotated[int, Field(ge=1, description="Its place in the plan.")]
    address: str
    action: Literal[
        "create", "update", "rename", "enable", "disable", "delete", "set aside", "rename temporarily"
    ]
    method: Literal["POST", "PUT", "PATCH", "DELETE"]
    path: Annotated[str, Field(description="An id that isn't known yet stands as its address in braces.")]
    after: Annotated[list[int], Field(description="The calls that it waits for.")]
    because: str


class ProblemShape(BaseModel):
    """One thing that is wrong."""

    code: Annotated[str, Field(pattern=r"^CW\d{3}$")]
    severity: Literal["error", "warning"]
    message: str
    file: str | None
    line: int | None
    column: int | None
    address: str | None
    hint: str | None
    details: list[str]


class SummaryShape(BaseModel):
    """How many resources meet which fate."""

    create: int
    update: int
    replace: int
    delete: int
    import_: Annotated[int, Field(alias="import")]
    forget: int
    move: int
    no_op: int


class ReadsShape(BaseModel):
    """What reading the tenant took."""

    calls: int
    seconds: float


class OursShape(BaseModel):
    """What Terraform's shape has no place for."""

    digest: Annotated[str, Field(description="Equal digests, equal plans.")]
    environment: str
    tenant: str
    summary: SummaryShape
    calls: list[CallShape]
    unmanaged: list[str]
    unverifiable: Annotated[list[str], Field(description="Fields that the service never shows.")]
    pending: Annotated[list[str], Field(description="What an earlier run left to resolve.")]
    guards: Annotated[list[str], Field(description="Why the plan is refused.")]
    left_out: Annotated[
        list[str], Field(description="What a partial plan does not change, and a whole one would.")
    ]
    problems: list[ProblemShape]
    reads: ReadsShape


class PlanShape(BaseModel):
    """The outer shape of `terraform show -json`, with what is ours under `cwsync`."""

    format_version: Literal["1.2"]
    resource_changes: list[ResourceShape]
    resource_drift: list[DriftShape]
    cwsync: OursShape


def plan_schema() -> dict[str, Any]:
    """The JSON Schema of `plan --format json`."""
    return {"$schema": DIALECT, **PlanShape.model_json_schema(), "title": "cwsync plan"}
