"""The planner: pure functions from desired, known and observed to what must be done."""

from __future__ import annotations

from cwsync.plan.make import make_plan
from cwsync.plan.order import SET_ASIDE
from cwsync.plan.results import ApplyResult, DriftResult, Outcome, Sent
from cwsync.plan.values import Call, Change, Drift, DriftField, FieldChange, Plan, canonical_json

__all__ = [
    "SET_ASIDE",
    "ApplyResult",
    "Call",
    "Change",
    "Drift",
    "DriftField",
    "DriftResult",
    "FieldChange",
    "Outcome",
    "Plan",
    "Sent",
    "canonical_json",
    "make_plan",
]
