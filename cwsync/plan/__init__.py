"""The planner: pure functions from desired, known and observed to what must be done."""

from __future__ import annotations

from cwsync.plan.lists import relabel
from cwsync.plan.make import make_plan
from cwsync.plan.names import SET_ASIDE, TEMPORARY
from cwsync.plan.pending import Evidence, Pending, Verdict, Way
from cwsync.plan.results import ApplyResult, DriftResult, Outcome, Sent
from cwsync.plan.values import Call, Change, Drift, DriftField, FieldChange, Plan, Selection, canonical_json

__all__ = [
    "SET_ASIDE",
    "TEMPORARY",
    "ApplyResult",
    "Call",
    "Change",
    "Drift",
    "DriftField",
    "DriftResult",
    "Evidence",
    "FieldChange",
    "Outcome",
    "Pending",
    "Plan",
    "Selection",
    "Sent",
    "Verdict",
    "Way",
    "canonical_json",
    "make_plan",
    "relabel",
]
