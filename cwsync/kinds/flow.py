"""Integration flows: integrations run one after the other (facts A6, C5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field, TypeAdapter

from cwsync.checked import Flag
from cwsync.kinds.base import (
    Action,
    Behaviour,
    Body,
    Content,
    Declared,
    Finding,
    Kind,
    Listing,
    Outcome,
    Reference,
    Rule,
    Strict,
    Unmanaged,
    Wire,
    Write,
    check_name,
    check_reference,
    is_true,
    ref,
    short,
    stamps,
)
from cwsync.kinds.naming import Naming, Written, called
from cwsync.kinds.values import Fields, Observed, Path, Value, same_id

MOST_STEPS = 100  # the community's SDK has this bound, from a source that nobody names (facts D)


class Step(Strict):
    """One integration of a flow."""

    integration: Reference = Field(
        description="The integration's key; or something unmanaged: {name: …} or {id: …}.",
        examples=["accounts"],
    )
    dependsOn: tuple[Reference, ...] | None = Field(
        None,
        description="The integrations of this flow that run before it. The step before, where it is left out.",
        examples=[["accounts"]],
    )
    skip: Flag = Field(False, description="Leave the step in the flow, but don't run it.")
    onFailure: Outcome = Field("stop", description="What the flow does when the step fails.")
    onPartialSuccess: Outcome = Field("continue", description="What it does when the step succeeds in part.")


class Flow(Declared):
    """Integrations that run in order: two steps or more, two of them not skipped."""

    steps: tuple[Step, ...] = Field(
        min_length=2,
        description="The steps, in order.",
        examples=[[{"integration": "accounts"}, {"integration": "sku-export", "dependsOn": ["accounts"]}]],
    )


def _content(model: Flow, key: str, _users: Mapping[str, str]) -> Content:
    name = model.called(key)
    steps: list[Value] = []
    before: list[Value] = []
    for step in model.steps:
        referrer = ref("integration", step.integration)
        # A first step without a predecessor is the only one that may have none: a live client found
        # flows without dependsOn to be accepted and corrupt (facts B14).
        depends: list[Value] = (
            before if step.dependsOn is None else [ref("integration", d) for d in step.dependsOn]
        )
        steps.append(
            {
                "integration": referrer,
                "dependsOn": depends,
                "skip": step.skip,
                "onFailure": step.onFailure,
                "onPartialSuccess": step.onPartialSuccess,
            }
        )
        before = [referrer]
    return Content(name, {"name": name, "steps": steps})


def _check(model: Flow, key: str) -> Iterator[Finding]:
    yield from check_name(model.called(key), 60)
    if sum(not step.skip for step in model.steps) < 2:
        yield Finding("CW250", "a flow has two steps or more that are not skipped", ("steps",))
    if len(model.steps) > MOST_STEPS:
        message = (
            f"a flow of {len(model.steps)} steps: a client stops at {MOST_STEPS}, the service may as well"
        )
        yield Finding("CW250", message, ("steps",), severity="warning")
    earlier: dict[str | Unmanaged, Path] = {}
    for index, step in enumerate(model.steps):
        path = ("steps", index, "integration")
        yield from check_reference(step.integration, path)
        if (first := earlier.get(step.integration)) is not None:
            message = f"{_named(step.integration)} is a step of this flow already"
            yield Finding("CW250", message, path, hint="steps are told apart by it", beside=(first,))
        yield from _check_order(step, index, earlier)
        earlier.setdefault(step.integration, path)


def _check_order(step: Step, index: int, earlier: Mapping[str | Unmanaged, Path]) -> Iterator[Finding]:
    if step.dependsOn == () and index:
        message = "a step that waits for none: CloudWorks takes such a flow, and a client found it corrupt"
        yield Finding("CW250", message, ("steps", index, "dependsOn"), severity="warning")
    named: set[str | Unmanaged] = set()
    for number, before in enumerate(step.dependsOn or ()):
        path = ("steps", index, "dependsOn", number)
        if before not in earlier:
            message = f"{_named(before)} is not an earlier step of this flow"
            yield Finding("CW250", message, path, beside=(*earlier.values(),))
        elif before in named:
            yield Finding("CW250", f"{_named(before)} is named twice", path)
        named.add(before)


def _named(reference: str | Unmanaged) -> str:
    return short(reference if isinstance(reference, str) else str(reference.name or reference.id))


def _to_wire(write: Write) -> Body | None:
    if write.action is Action.DELETE:
        return None
    steps: list[Body] = []
    for step in write.fields["steps"]:
        body: Body = {"type": "Integration", "referrer": step["integration"]}
        if steps:  # the first has none; the page demands it of all others (facts B14)
            body["dependsOn"] = step["dependsOn"]
        body["isSkipped"] = step["skip"]
        body[
            "exceptionBehavior"
        ] = [  # both, though samples show one: the defaults are then no matter (facts B12)
            {"type": "failure", "strategy": step["onFailure"]},
            {"type": "partial_success", "strategy": step["onPartialSuccess"]},
        ]
        steps.append(body)
    return {"name": write.fields["name"], "version": "2.0", "type": "IntegrationFlow", "steps": [*steps]}


def _step_from_wire(step: Wire) -> dict[str, Value]:
    behaviour = {
        str(one.get("type")): str(one.get("strategy")) for one in step.get("exceptionBehavior") or ()
    }
    partial = behaviour.get("partial_success") or behaviour.get("partial_succes") or "continue"  # facts B11
    return {
        "integration": same_id(str(step["referrer"])),
        "dependsOn": [same_id(str(one)) for one in step.get("dependsOn") or ()],
        "skip": is_true(step.get("isSkipped")),
        "onFailure": behaviour.get("failure", "stop"),
        "onPartialSuccess": partial,
    }


def _from_wire(item: Wire) -> Observed:
    steps = [_step_from_wire(step) for step in item.get("steps") or ()]
    fields: Fields = {"name": str(item["name"]), "steps": [*steps]}
    pointer = item.get("notificationId")
    return Observed(
        kind="flow",
        id=str(item.get("id") or item["integrationFlowId"]),
        name=str(item["name"]),
        fields=fields,
        notification=str(pointer) if pointer else None,
        **stamps(item),
    )


def _to_manifest(fields: Mapping[str, Any], naming: Naming) -> dict[str, Written]:
    steps: list[Written] = []
    before: list[str] = []
    for step in fields["steps"]:
        written: dict[str, Written] = {"integration": naming.reference("integration", step["integration"])}
        if step["dependsOn"] != before:
            written["dependsOn"] = [naming.reference("integration", id) for id in step["dependsOn"]]
        if step["skip"]:
            written["skip"] = True
        if step["onFailure"] != "stop":
            written["onFailure"] = step["onFailure"]
        if step["onPartialSuccess"] != "continue":
            written["onPartialSuccess"] = step["onPartialSuccess"]
        steps.append(written)
        before = [step["integration"]]
    return {**called(fields, naming), "steps": steps}


KIND = Kind(
    name="flow",
    section="flows",
    models=(Flow,),
    model=TypeAdapter(Flow),
    summary="Integrations that run one after the other, each depending on the ones before it.",
    rules=(
        Rule("steps.*.dependsOn", Behaviour.DEFAULT, "null, absent and [] all mean none (facts B14)"),
        Rule("steps.*.dependsOn", Behaviour.UNORDERED, "what a step waits for is a set"),
        Rule(
            "steps.*.onPartialSuccess",
            Behaviour.DEFAULT,
            "continue, where the service leaves it out (facts B12)",
        ),
        Rule("steps.*.onFailure", Behaviour.DEFAULT, "stop, where the service leaves it out (facts B12)"),
    ),
    calls={
        Action.CREATE: ("POST", "/integrationflows"),
        Action.UPDATE: ("PUT", "/integrationflows/{id}"),
        Action.DELETE: ("DELETE", "/integrationflows/{id}"),
    },
    content=_content,
    check=_check,
    to_wire=_to_wire,
    from_wire=_from_wire,
    to_manifest=_to_manifest,
    created_id=("integrationFlow", "integrationFlowId"),
    listing=Listing("/integrationflows", "integrationFlows", "id", counts={"stepsCount": "steps"}),
    detail=("/integrationflows/{id}", "integrationFlow"),
)
