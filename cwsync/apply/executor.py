"""The coordinator: it owns the queue and the state; workers do nothing but send.

Calls start as soon as what they wait for is done, whatever their kind. Before a request goes out, its
intent is in the store; one commit carries the ends of what has finished and the intents of what is
ready (engine protocol R1, R5). What fails blocks only what depends on it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from threading import Event

from cwsync.api import Client
from cwsync.apply.crew import Crew, Done
from cwsync.apply.evidence import Ours
from cwsync.apply.frontier import Frontier
from cwsync.apply.record import ended
from cwsync.apply.requests import Requests
from cwsync.apply.secrets import Secrets
from cwsync.apply.summary import summary
from cwsync.apply.task import Task, Tasks
from cwsync.apply.work import Result, Worker, secrets_again
from cwsync.errors import CwsyncError, Problem
from cwsync.kinds import Action, Desired, Snapshot
from cwsync.plan import SET_ASIDE, ApplyResult, Call, Plan
from cwsync.plan.bind import Bindings
from cwsync.state import Conflict, Fingerprint, Held, State

# After an interrupt, what is in flight may end: CI systems give about 7.5 s before they kill.
GRACE_SECONDS = 6.0
# What ends within this time of each other shares a commit, while there is nothing to begin.
GATHER_SECONDS = 0.05
# A commit writes the whole state. The more it holds, the more ends share one: one in so many of what it holds, so
# that what an operation writes does not grow with the state. No end waits for longer than this, in seconds.
SHARE = 64
LONGEST_SHARED = 2.0
# When the last ends cannot be recorded, they are tried again after these.
INSIST_SECONDS = (1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class Progress:
    """Told while applying: a call was begun, or is over."""

    call: Call
    done: int
    total: int
    result: Result | None = None


@dataclass
class Executor:
    """Carries out one plan under a held lock. Every value that it needs is given to it.

    `stop` keeps anything new from beginning; what is in flight is then waited for, `grace` seconds at the
    most. An address whose last operation is not resolved yet is left alone, and so is what waits for it.
    `patience` is for how many seconds a call waits for the end of a run that is in its way; `waiting` is told.
    """

    client: Client
    held: Held
    plan: Plan
    desired: Mapping[str, Desired]
    snapshot: Snapshot
    secrets: Secrets
    fingerprints: Mapping[str, Mapping[str, Fingerprint]]
    parallelism: int = 8
    stop: Event = field(default_factory=Event)
    progress: Callable[[Progress], None] = lambda _progress: None
    sleep: Callable[[float], object] | None = None
    grace: float = GRACE_SECONDS
    patience: float = 0.0
    waiting: Callable[[Call], None] = lambda _call: None

    def run(self) -> ApplyResult:
        """Apply the plan as far as it goes. Raises only for defects of ours; what the service and the store
        did is in the result."""
        run = _Run(self)
        run.to_the_end()
        return run.summary()

    def pause(self, seconds: float) -> None:
        """Wait; an interrupt ends it."""
        (self.sleep or self.stop.wait)(seconds)


class _Run:
    """The state of one execution."""

    def __init__(self, given: Executor) -> None:
        self.given = given
        self.frontier = Frontier(given.plan.calls)
        self.running: dict[int, Task] = {}
        self.problems: list[Problem] = []
        self.requests = Requests()
        self.over: deque[Done[Task, Result]] = deque()
        self.unrecorded: list[Result] = []
        self.unconfirmed: list[Result] = []  # found by reading, and their secrets are to be sent once more
        self.adopted: dict[int, Result] = {}  # of which that is under way
        self.unsent: set[str] = set()
        self.halted = self.fenced = False
        self.defect: Exception | None = None
        self.deadline: float | None = None
        self.tasks = self._tasks()
        worker = Worker(
            given.client, self._ours, self._may_send, given.pause, self.requests, self._stopping,
            given.patience, given.waiting,
        )  # fmt: skip
        self.crew: Crew[Task, Result] = Crew(worker.perform, given.parallelism, self._stopping)
        unresolved = (intent.address for intent in given.held.state.pending.values())
        self.frontier.leave_out(unresolved, "what an earlier run did to it is not certain")

    def _tasks(self) -> Tasks:
        given, lock = self.given, self.given.held.lock
        bindings = Bindings(given.desired, given.snapshot)
        bindings.ids |= {address: entry.id for address, entry in given.held.state.resources.items()}
        for change in given.plan.changes:
            if change.action in ("replace", "create"):
                bindings.ids.pop(change.address, None)
        return Tasks(
            given.desired, given.snapshot, bindings, given.secrets, given.fingerprints, lock.run, lock.epoch
        )

    def _ours(self, address: str) -> Ours:
        """What the state knows now."""
        return Ours.beside(self.given.held.state, address)

    def _may_send(self) -> bool:
        """Whether the lock is certainly ours for as long as a request takes. It is renewed where it must be."""
        held = self.given.held
        if not held.may_mutate():
            with suppress(CwsyncError):
                held.beat()
        return held.may_mutate()

    def to_the_end(self) -> None:
        try:
            self._work()
            self._take(self.crew.done(0))
        finally:
            self.crew.dismiss()
            if self.running:
                # They may still arrive: nobody may judge what became of them before that is over.
                self.given.held.keep()
        for result in self.unconfirmed:
            self._over_with(result)
        self.frontier.end(self._why_stopped())
        self._insist()
        if self.defect is not None:
            raise self.defect

    def _work(self) -> None:
        while True:
            try:
                if not self._step():
                    return
            except Exception as error:  # noqa: BLE001 - a defect of ours, which is raised in the end
                # What is in flight is waited for, and what has ended is recorded.
                self.halted = True
                if self.defect is not None:
                    return
                self.defect = error

    def _step(self) -> bool:
        """Record, begin, wait. False where nothing is left to wait for."""
        if self._stopping():
            self._withdraw()
        tasks = [] if self._stopping() else self._ready()
        if self._commit(tasks):
            self._begin(tasks)
        if not self.running or self._out_of_time():
            return False
        self._take(self.crew.done(0.2))
        return True

    def summary(self) -> ApplyResult:
        trail, results = self.given.client.trail.problem, self.frontier.results
        problems = [*self.problems, *(one.problem for _, one in sorted(results.items()) if one.problem)]
        if trail is not None:  # told once, with every line that is missing
            problems = [*(problem for problem in problems if problem.code != trail.code), trail]
        stopped = self.given.stop.is_set()
        return summary(
            self.given.plan, results, self.frontier.skipped, self.requests.all(), problems, stopped
        )

    def _stopping(self) -> bool:
        return self.halted or self.given.stop.is_set() or self.given.client.trail.problem is not None

    def _out_of_time(self) -> bool:
        if not self.given.stop.is_set():
            return False
        self.deadline = self.deadline or time.monotonic() + self.given.grace
        return time.monotonic() >= self.deadline

    def _ready(self) -> list[Task]:
        ready = self.frontier.begin()
        if not (ready or self.unconfirmed):
            return []
        server_time = self.given.client.server_time()
        now = server_time.isoformat() if server_time else ""
        state, tasks = self._with_ends(self.given.held.state), []
        for result in self.unconfirmed:
            self.adopted[result.task.call.order] = result
            tasks.append(secrets_again(result, now))
        self.unconfirmed.clear()
        return [*tasks, *(self.tasks.task(call, state, now) for call in ready)]

    def _begin(self, tasks: list[Task]) -> None:
        for task in tasks:
            self._tell(task.call)
            self.running[task.call.order] = task
            self.crew.give(task)

    def _withdraw(self) -> None:
        """What nobody has begun yet will not be begun: its intents go with the next commit."""
        for task in self.crew.withdraw():
            del self.running[task.call.order]
            self._not_sent(task, self._why_stopped())

    def _why_stopped(self) -> str:
        return "interrupted" if self.given.stop.is_set() else "the run had to stop"

    def _not_sent(self, task: Task, why: str) -> None:
        self.unsent.add(task.intent.op)
        if task.call.order in self.adopted:
            self._over_with(self.adopted[task.call.order])
        else:
            self.frontier.skip(task.call, why)

    def _with_ends(self, state: State) -> State:
        return ended(state, self.unrecorded).without_intents(self.unsent)

    def _commit(self, tasks: list[Task]) -> bool:
        """One compare-and-swap. Where it fails, nothing is sent and nothing new begins (R6)."""
        if not (tasks or self.unrecorded or self.unsent) or self.fenced:
            return not self.fenced
        try:
            self.given.held.update(
                lambda state: self._with_ends(state).with_intents(task.intent for task in tasks)
            )
        except CwsyncError as error:
            self._halt(error, tasks)
            return False
        self.unrecorded.clear()
        self.unsent.clear()
        if tasks and not self._may_send():
            message = "the lock was held for too long without a sign of life"
            self._halt(CwsyncError(Problem("CW405", message, hint="apply again")), tasks)
            return False
        return True

    def _halt(self, error: CwsyncError, tasks: list[Task]) -> None:
        self.halted = True
        self.fenced = self.fenced or isinstance(error, Conflict)
        self.problems += [problem for problem in error.problems if problem not in self.problems]
        for task in tasks:
            self._not_sent(task, "the state could not be written")

    def _insist(self) -> None:
        """What has ended must be known; where it can't be recorded, the next run finds it out by reading."""
        for pause in INSIST_SECONDS:
            if self._commit([]) or self.fenced:
                return
            self.given.pause(pause)
        self._commit([])

    def _take(self, over: list[Done[Task, Result]]) -> None:
        self.over += over
        self._each_over()
        if over and self.running and not (self.frontier.ready or self.unconfirmed):
            self.over += self.crew.done(GATHER_SECONDS)
            self._each_over()
        begun = time.monotonic()
        while self._can_share() and time.monotonic() < begun + LONGEST_SHARED:
            self.over += self.crew.done(GATHER_SECONDS)
            self._each_over()

    def _can_share(self) -> bool:
        """Whether few ends wait for a commit, and no thread waits for one."""
        state = self.given.held.state
        few = len(self.unrecorded) < (len(state.resources) + len(state.pending)) // SHARE
        return few and not self._stopping() and self.crew.queued >= self.given.parallelism

    def _each_over(self) -> None:
        while self.over:
            self._over(self.over.popleft())

    def _over(self, done: Done[Task, Result]) -> None:
        if done.error is not None and not isinstance(done.error, Exception):
            raise done.error
        call, result = done.job.call, done.product
        del self.running[call.order]
        if done.error is not None:
            # A defect: what it left open stays an intent, and what the others did is recorded first.
            self.defect = self.defect or done.error
            self.halted = True
            return
        if result is None:
            self._not_sent(done.job, self._why_stopped())
            return
        self.unrecorded.append(result)
        adopted = self.adopted.get(call.order)
        if adopted is not None:
            sent = result.status == "done" and result.confirmed
            self._over_with(replace(adopted, confirmed=sent, problem=result.problem))
        elif result.confirmed:
            self._over_with(result)
        else:
            self.unconfirmed.append(result)

    def _over_with(self, result: Result) -> None:
        call = result.task.call
        if not result.confirmed:
            result = replace(result, note=f"{result.note}; its secrets are sent again by the next apply")
        if result.status == "done" and result.id and call.action not in (Action.DELETE, SET_ASIDE):
            self.tasks.bindings.ids[call.address] = result.id
        self.frontier.over(result)
        self._tell(call, result)

    def _tell(self, call: Call, result: Result | None = None) -> None:
        frontier = self.frontier
        self.given.progress(Progress(call, len(frontier.results), frontier.total, result))
