"""The planner: pure functions from desired, known and observed to what must be done."""

from __future__ import annotations

from cwsync.plan.effects import Blast, FlowEffect, LostSchedule, Running, StepEffect
from cwsync.plan.lists import relabel
from cwsync.plan.make import make_plan
from cwsync.plan.names import SET_ASIDE, TEMPORARY
from cwsync.plan.pending import Evidence, Pending, Verdict, Way
from cwsync.plan.results import Accepted, ApplyResult, DriftResult, Outcome, Sent, Stranger
from cwsync.plan.values import (
    Call,
    Change,
    Drift,
    DriftField,
    FieldChange,
    Plan,
    Selection,
    canonical_json,
    plain_address,
)

__all__ = [
    "SET_ASIDE",
    "TEMPORARY",
    "Accepted",
    "ApplyResult",
    "Blast",
    "Call",
    "Change",
    "Drift",
    "DriftField",
    "DriftResult",
    "Evidence",
    "FieldChange",
    "FlowEffect",
    "LostSchedule",
    "Outcome",
    "Pending",
    "Plan",
    "Running",
    "Selection",
    "Sent",
    "StepEffect",
    "Stranger",
    "Verdict",
    "Way",
    "canonical_json",
    "make_plan",
    "plain_address",
    "relabel",
]
