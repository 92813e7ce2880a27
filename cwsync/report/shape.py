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
    owner: Annotated[str, Field(description="Who answers for it: lifecycle.owner of its manifest.")] = ""


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
    assumed: Annotated[
        int, Field(description="Objects not read in full: their lists show no change since they were.")
    ]


class VerdictShape(BaseModel):
    """What a policy says of one change."""

    policy: str
    address: str
    message: str
    level: Annotated[
        Literal["deny", "warn", "allowed"],
        Field(description="deny refuses the plan; allowed would, but for a label or for who asked."),
    ]


class FiringShape(BaseModel):
    """When a schedule fires next, as of when the plan was shown: now, and once the plan is applied."""

    address: Annotated[str, Field(description='Of one that nobody manages "schedule" and its name.')]
    name: str
    before: Annotated[str | None, Field(description="ISO 8601, in the schedule's own time zone.")]
    after: str | None
    before_reason: Annotated[str | None, Field(description="Why it does not fire, where it does not.")]
    after_reason: str | None
    paused: Annotated[bool, Field(description="Disabled while the plan is applied, and enabled again.")]
    managed: bool


class RunningShape(BaseModel):
    """An integration or a flow that was running when the tenant was read, and is touched by the plan."""

    address: str
    kind: Literal["integration", "flow"]
    id: str
    because: Annotated[list[str], Field(description="The changes that touch it.")]


class StepShape(BaseModel):
    """What becomes of one step of a flow."""

    position: Annotated[int, Field(ge=1, description="Its place in the flow as it is now.")]
    integration: str
    effect: Literal["lost", "skipped", "made anew", "no longer managed", "waits"]
    waits_before: list[str]
    waits_after: list[str]


class FlowShape(BaseModel):
    """A flow that goes on, and not with the steps that it has now."""

    address: str
    name: str
    steps: list[StepShape]


class BlastShape(BaseModel):
    """What the changes reach beyond themselves."""

    schedules: list[FiringShape]
    running: list[RunningShape]
    flows: list[FlowShape]


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
    policies: list[VerdictShape]
    labels: Annotated[list[str], Field(description="The labels that were given for the policies.")]
    blast_radius: BlastShape
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
