"""Plans, results and problems as JSON documents (CONTRACT, section 4).

Keys are sorted and everything beyond ASCII is escaped: the same values give the same bytes, and no
name can reach a terminal raw.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cwsync.errors import Problem
from cwsync.report.blast import blast_json

if TYPE_CHECKING:
    from cwsync.plan import ApplyResult, Change, Drift, DriftField, DriftResult, Outcome, Plan

FORMAT_VERSION = "1.2"
_ACTIONS = {
    "no-op": ["no-op"],
    "create": ["create"],
    "update": ["update"],
    "replace": ["delete", "create"],
    "delete": ["delete"],
    "forget": ["forget"],
    "import": ["no-op"],
    "move": ["no-op"],
}


def to_json(document: Mapping[str, Any]) -> str:
    """The document's text, in ASCII that a terminal shows as it is."""
    return json.dumps(document, indent=2, sort_keys=True).replace("\x7f", "\\u007f")


def plan_json(plan: Plan, now: datetime | None = None) -> str:
    """The plan in the outer shape of `terraform show -json`, with what is ours under `cwsync`. With `now` it
    tells when schedules fire next."""
    return to_json(
        {
            "format_version": FORMAT_VERSION,
            "resource_changes": [_resource_change(change) for change in plan.changes],
            "resource_drift": [_resource_drift(drift) for drift in plan.drift],
            "cwsync": {
                "digest": plan.digest,
                "environment": plan.environment,
                "tenant": plan.tenant,
                "summary": plan.summary,
                "calls": [
                    {
                        "order": call.order,
                        "address": call.address,
                        "action": call.action,
                        "method": call.method,
                        "path": call.path,
                        "after": call.after,
                        "because": call.because,
                    }
                    for call in plan.calls
                ],
                "unmanaged": plan.unmanaged,
                "unverifiable": plan.unverifiable,
                "pending": plan.pending,
                "guards": plan.guards,
                "policies": [asdict(verdict) for verdict in plan.policies],
                "labels": plan.approvals,
                "left_out": plan.left_out,
                "blast_radius": blast_json(plan, now),
                "problems": problem_list(plan.problems),
                "reads": {**_reads(plan.read_calls, plan.read_seconds), "assumed": plan.assumed},
            },
        }
    )


def _resource(address: str, kind: str) -> dict[str, Any]:
    return {
        "address": address,
        "mode": "managed",
        "type": f"cloudworks_{kind}",
        "name": address.partition(".")[2],
        "provider_name": "cwsync",
    }


def _resource_change(change: Change) -> dict[str, Any]:
    """Secrets are null in the values, and true in the maps beside them."""
    secrets = dict.fromkeys(change.sensitive, None)
    marks = dict.fromkeys(change.sensitive, True)
    before = None if change.before is None else {**change.before, **secrets}
    after = None if change.after is None else {**change.after, **secrets}
    body: dict[str, Any] = {
        "actions": ["update"] if change.action == "import" and change.fields else _ACTIONS[change.action],
        "before": before,
        "after": after,
        "after_unknown": change.after_unknown,
        "before_sensitive": False if before is None else marks,
        "after_sensitive": False if after is None else marks,
    }
    if change.action == "import":
        body["importing"] = {"id": change.id}
    more = {
        "action_reason": change.reason,
        "previous_address": change.previous_address,
        "owner": change.owner,
    }
    told = {name: value for name, value in more.items() if value is not None}
    return {**_resource(change.address, change.kind), "change": body, **told}


def _resource_drift(drift: Drift) -> dict[str, Any]:
    """Only the fields that differ, each by its path; of what is gone, its name is left."""
    deleted = drift.status == "deleted"
    known = {field.path: field.known for field in drift.fields}
    return {
        **_resource(drift.address, drift.kind),
        "change": {
            "actions": ["delete"] if deleted else ["update"],
            "before": {"name": drift.name, **known} if deleted else known,
            "after": None if deleted else {field.path: field.observed for field in drift.fields},
            "after_unknown": {},
            "before_sensitive": {},
            "after_sensitive": False if deleted else {},
        },
        "id": drift.id,
        "modifiedBy": drift.modified_by,
        "modifiedAt": drift.modified_at,
    }


def drift_json(result: DriftResult) -> str:
    """What the tenant changed behind our back."""
    return to_json(
        {
            "environment": result.environment,
            "tenant": result.tenant,
            "managed": result.managed,
            "drifted": [_drifted(drift) for drift in result.drifted],
            "unmanaged": result.unmanaged,
            "unmanagedObjects": [
                {"kind": one.kind, "name": one.name, "id": one.id} for one in result.strangers
            ],
            "unverifiable": result.unverifiable,
            "problems": problem_list(result.problems),
            "reads": _reads(result.read_calls, result.read_seconds),
        }
    )


def _drifted(drift: Drift) -> dict[str, Any]:
    return {
        "address": drift.address,
        "kind": drift.kind,
        "name": drift.name,
        "id": drift.id,
        "status": drift.status,
        "fields": drift_field_list(drift.fields),
        "modifiedBy": drift.modified_by,
        "modifiedAt": drift.modified_at,
    }


def drift_field_list(fields: Iterable[DriftField]) -> list[dict[str, Any]]:
    return [{"path": one.path, "known": one.known, "observed": one.observed} for one in fields]


def apply_json(result: ApplyResult) -> str:
    """What an apply did, address by address, and every request that it made."""
    return to_json(
        {
            "environment": result.environment,
            "tenant": result.tenant,
            "applied": [_outcome(outcome) for outcome in result.applied],
            "failed": [_outcome(outcome) for outcome in result.failed],
            "skipped": [_outcome(outcome) for outcome in result.skipped],
            "interrupted": result.interrupted,
            "calls": [
                {
                    "number": sent.number,
                    "order": sent.order,
                    "address": sent.address,
                    "action": sent.action,
                    "method": sent.method,
                    "path": sent.path,
                    "outcome": sent.outcome,
                    "message": sent.message,
                }
                for sent in result.calls
            ],
            "problems": problem_list(result.problems),
        }
    )


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "address": outcome.address,
        "action": outcome.action,
        "id": outcome.id,
        "detail": outcome.detail,
        "blockedBy": outcome.blocked_by,
    }


def problems_json(problems: Iterable[Problem]) -> str:
    """Every problem, and whether any of them is an error."""
    listed = tuple(problems)
    valid = all(problem.severity == "warning" for problem in listed)
    return to_json({"valid": valid, "problems": problem_list(listed)})


def problem_list(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    return [
        {
            "code": problem.code,
            "severity": problem.severity,
            "message": problem.message,
            "file": problem.place.file if problem.place else None,
            "line": problem.place.line if problem.place else None,
            "column": problem.place.column if problem.place else None,
            "address": problem.address,
            "hint": problem.hint,
            "details": problem.details,
        }
        for problem in problems
    ]


def _reads(calls: int, seconds: float) -> dict[str, float]:
    return {"calls": calls, "seconds": round(seconds, 3)}
