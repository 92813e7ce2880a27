"""Runs of integrations and flows: as values, and as replies spell them (facts A4, A6, B28 to B30)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from cwsync.kinds.base import Wire, text_or_none
from cwsync.kinds.flow import KIND as FLOW
from cwsync.kinds.values import Json

PARTIAL_CODE = 38  # the one code whose meaning is known (facts A4)
# While a run goes on; only the first of these words was ever recorded.
_GOING_ON = ("running", "queued", "pending", "in progress", "in_progress", "started")


class Fate(StrEnum):
    """What has become of a run, or of a step of a flow."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCESS = "success"
    PARTIAL = "partial success"
    FAILURE = "failure"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    NOT_RUN = "not run"

    @property
    def over(self) -> bool:
        return self not in (Fate.WAITING, Fate.RUNNING)

    @property
    def bad(self) -> bool:
        return self in (Fate.FAILURE, Fate.CANCELLED)


@dataclass(frozen=True, slots=True)
class Run:
    """One run, as far as the service tells of it; `code` is its executionErrorCode."""

    fate: Fate
    id: str | None = None
    message: str | None = None
    code: int | None = None
    started: datetime | None = None
    ended: datetime | None = None
    by: str | None = None
    trigger: str | None = None
    integration: str | None = None

    @property
    def seconds(self) -> float | None:
        """How long it took, where both ends are known."""
        return (self.ended - self.started).total_seconds() if self.started and self.ended else None


@dataclass(frozen=True, slots=True)
class ActionErrors:
    """What went wrong in one action of a run. `dump` says whether the rows that failed can be had."""

    action: str | None
    name: str | None
    messages: tuple[str, ...]
    dump: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a flow; `id` is its integration's, `latest` that integration's latest run."""

    id: str
    name: str
    skipped: bool
    on_failure: str
    on_partial: str
    latest: Run | None


@dataclass(frozen=True, slots=True)
class FlowRuns:
    """A flow with its own latest run and those of its steps."""

    id: str
    name: str
    latest: Run | None
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class StepRun:
    """What one run of a flow makes of a step; `run` is None until it has begun."""

    id: str
    name: str
    fate: Fate
    run: Run | None = None
    stops: bool = False  # it ended in a way at which the flow stops


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands; `steps` is for flows."""

    run: Run
    steps: tuple[StepRun, ...] = ()


@dataclass(frozen=True, slots=True)
class RunErrors:
    """What went wrong in one run, and of which integration; `unread` is why that could not be read."""

    integration: str | None
    run: str | None
    actions: tuple[ActionErrors, ...] = ()
    unread: str | None = None


@dataclass(frozen=True, slots=True)
class RunResult:
    """A run at its end: of which address and id, how it went, and what went wrong."""

    address: str
    id: str
    seen: Progress
    errors: tuple[RunErrors, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """The latest runs, the latest first, and how many there are in all where the service says so."""

    runs: tuple[Run, ...]
    total: int | None


@dataclass(frozen=True, slots=True)
class Dump:
    """The rows that an action could not take, as the service's text; a run of one action names none."""

    run: str
    action: str | None
    text: str


def run_from_wire(item: object) -> Run | None:
    """A run from any reply that shows one; None where there was none: {}, null and absent (facts B28)."""
    if not isinstance(item, dict) or all(value is None for value in item.values()):
        return None
    return Run(
        fate=_fate(item),
        id=text_or_none(item.get("id")),
        message=text_or_none(item.get("message")),
        code=_code(item),
        started=_moment(item.get("startDate")) or _moment(item.get("lastRun")),
        ended=_moment(item.get("endDate")),
        by=text_or_none(item.get("triggeredBy") or item.get("createdBy")),
        trigger=text_or_none(item.get("triggerSource")),
        integration=text_or_none(item.get("integrationId")),
    )


def errors_from_wire(runs: object) -> tuple[ActionErrors, ...]:
    """What went wrong, by action: from an object, an array of them, or the {} of a success (facts B29)."""
    entries = runs if isinstance(runs, list) else [runs]
    return tuple(
        ActionErrors(
            action=_id(action.get("actionId")),
            name=text_or_none(action.get("actionName")),
            messages=tuple(_messages(action.get("errorMessage"))),
            dump=_is_true(action.get("failureDumpGenerated")),
        )
        for entry in entries
        if isinstance(entry, dict)
        for action in entry.get("errorMessages") or ()
        if isinstance(action, dict)
    )


def flow_from_wire(item: Wire) -> FlowRuns:
    """A flow's runs from its detail (facts A6)."""
    known = FLOW.from_wire(item)
    assert known is not None
    shapes = (known.fields or {}).get("steps")
    assert isinstance(shapes, list)
    return FlowRuns(
        known.id,
        known.name,
        run_from_wire(item.get("latestRun")),
        tuple(
            Step(
                id=str(step["referrer"]),
                name=text_or_none(step.get("name")) or str(step["referrer"]),
                skipped=shape["skip"] is True,
                on_failure=str(shape["onFailure"]),
                on_partial=str(shape["onPartialSuccess"]),
                latest=run_from_wire(step.get("latestRun")),
            )
            for step, shape in zip(item.get("steps") or (), shapes, strict=True)
            if isinstance(shape, dict)
        ),
    )


def _fate(item: Wire) -> Fate:
    message = str(item.get("message") or "").casefold()
    if message in _GOING_ON:
        return Fate.RUNNING
    success, code = _is_true(item.get("success")), _code(item)
    if "cancel" in message and not success:
        return Fate.CANCELLED
    if not (item.get("endDate") or success or code is not None):
        return Fate.RUNNING
    if code == PARTIAL_CODE or "partial" in message:
        return Fate.PARTIAL
    return Fate.SUCCESS if success else Fate.FAILURE


def _code(item: Wire) -> int | None:
    code = item.get("executionErrorCode")
    return int(str(code)) if str(code).isascii() and str(code).isdigit() else None


def _is_true(value: object) -> bool:
    return str(value).lower() == "true"


def _id(value: object) -> str | None:
    return str(value) if isinstance(value, int) else text_or_none(value)  # facts B26


def _moment(value: object) -> datetime | None:
    """A moment in the past from epoch seconds (or milliseconds), or from ISO text with a T or a space."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is None or moment.tzinfo:
            return moment.astimezone(UTC) if moment else None
        return moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _messages(entries: Json) -> Iterator[str]:
    for entry in entries if isinstance(entries, list) else [entries]:
        if isinstance(entry, dict):
            text = text_or_none(entry.get("localMessageText")) or text_or_none(entry.get("type"))
            times = entry.get("occurrences")
            values = entry.get("values")
            if text and isinstance(values, list) and values:
                text += f" [{', '.join(map(str, values))}]"
            if text:
                yield f"{text} ({times} times)" if isinstance(times, int) and times > 1 else text
        elif isinstance(entry, str) and entry:
            yield entry
