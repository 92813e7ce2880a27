"""Following a run to its end, with growing pauses and patience for reads that fail.

A flow says of itself what its steps need not bear out, and whether its run can be asked for by id is not
known. So its end is told from whatever there is: its run's status, its detail's latest run, its steps' runs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from cwsync.api import Client, NotFound, Rejected, ServiceError
from cwsync.errors import CwsyncError
from cwsync.kinds import same_id
from cwsync.kinds.runs import Fate, FlowRuns, Progress, Run, Step, StepRun
from cwsync.operate.look import read_flow, read_run
from cwsync.operate.target import Target

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0
# Of pauses without a usable answer between them; a queued run may be unknown for a while (facts A2).
PATIENCE_SECONDS = 60.0
QUEUE_SECONDS = 600.0

Sleep = Callable[[float], None]
Tell = Callable[[Progress], None]


def follow(look: Callable[[], Progress], target: Target, sleep: Sleep, tell: Tell) -> Progress:
    """Look until the run is over; `tell` hears of every change.

    Raises where it cannot be looked at any longer; the run itself goes on then.
    """
    pause, unanswered = FIRST_PAUSE_SECONDS, 0.0
    told: Progress | None = None
    while True:
        try:
            seen = look()
        except ServiceError as error:
            unanswered += pause
            if unanswered > _patience(error):
                raise _lost(target, error) from None
        else:
            unanswered = 0.0
            if seen != told:
                tell(seen)
                told = seen
            if seen.run.fate.over:
                return seen
        sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)


def _patience(error: ServiceError) -> float:
    if error.problem.code in ("CW302", "CW303"):  # time does not mend these
        return 0.0
    return QUEUE_SECONDS if isinstance(error, NotFound) else PATIENCE_SECONDS


def _lost(target: Target, error: ServiceError) -> CwsyncError:
    text = f"{target.address}: its run cannot be followed any longer ({error.problem.message})"
    hint = f"the run goes on in CloudWorks; cwsync history {target.address} shows what became of it"
    return CwsyncError(replace(error.problem, message=text, hint=hint))


def look_at_run(client: Client, run_id: str) -> Progress:
    """An integration's run as it is now."""
    return Progress(replace(read_run(client, run_id), id=run_id))


class FlowWatch:
    """One run of a flow, seen through the flow's detail. `before` is that detail from just before the run;
    `wanted` are the ids of the steps to run, all where it is empty."""

    def __init__(self, client: Client, before: FlowRuns, run_id: str, wanted: Collection[str] = ()) -> None:
        self._client = client
        self._before = before
        self._run_id = run_id
        self._wanted = wanted
        self._has_status = True

    def look(self) -> Progress:
        flow = read_flow(self._client, self._before.id)
        run = self._in_detail(flow)
        if run is None:
            run = self._status()
            if run is not None and run.fate.over:  # the steps, too, as they are after its end
                flow = read_flow(self._client, self._before.id)
        steps = tuple(self._step(step) for step in flow.steps)
        if run is None:
            begun = [step.run.started for step in steps if step.run and step.run.started]
            run = Run(_from_steps(steps), started=min(begun, default=None))
        run = replace(run, id=self._run_id, fate=verdict(run.fate, steps))
        if run.fate.over:
            steps = tuple(
                replace(one, fate=Fate.NOT_RUN) if one.fate is Fate.WAITING else one for one in steps
            )
        return Progress(run, steps)

    def _in_detail(self, flow: FlowRuns) -> Run | None:
        """The flow's latest run where it is this one: by its id, or without one by being another than before."""
        latest = flow.latest
        if latest is None or (latest.id and same_id(latest.id) != same_id(self._run_id)):
            return None
        return latest if latest.id or latest != self._before.latest else None

    def _status(self) -> Run | None:
        """The status of the flow's run by its id, which the service may not have (it is documented for
        integrations); after the first no it is not asked again."""
        if self._has_status:
            try:
                return read_run(self._client, self._run_id)
            except Rejected as error:
                if error.status in (None, 401, 429):  # it said nothing about the run
                    raise
                self._has_status = False
        return None

    def _step(self, step: Step) -> StepRun:
        earlier = {one.id: one.latest for one in self._before.steps}
        if step.skipped:
            return StepRun(step.id, step.name, Fate.SKIPPED)
        if self._wanted and step.id not in self._wanted:
            return StepRun(step.id, step.name, Fate.NOT_RUN)
        if step.latest is None or step.latest == earlier.get(step.id):
            return StepRun(step.id, step.name, Fate.WAITING)
        fate = step.latest.fate
        strategy = step.on_failure if fate.bad else step.on_partial if fate is Fate.PARTIAL else "continue"
        return StepRun(step.id, step.name, fate, step.latest, stops=strategy == "stop")


def _from_steps(steps: Collection[StepRun]) -> Fate:
    """How a flow stands that says nothing of itself."""
    fates = {step.fate for step in steps}
    if Fate.RUNNING in fates:
        return Fate.RUNNING
    through = Fate.WAITING not in fates or any(step.stops for step in steps)
    return Fate.SUCCESS if through else Fate.RUNNING


def verdict(own: Fate, steps: Collection[StepRun]) -> Fate:
    """What a flow's run comes to: its own word, and what its steps add to it.

    A step that failed and let the flow go on makes a partial success, unless nothing succeeded at all.
    """
    fates = {step.fate for step in steps}
    bad = any(fate.bad for fate in fates)
    if not own.over or own is Fate.CANCELLED or not (bad or Fate.PARTIAL in fates):
        return own
    if any(step.stops and step.fate.bad for step in steps) or not fates & {Fate.SUCCESS, Fate.PARTIAL}:
        return Fate.FAILURE
    return Fate.PARTIAL
