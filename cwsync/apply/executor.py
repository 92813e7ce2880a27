"""The coordinator: it owns the queue and the state; workers do nothing but send.

Calls start as soon as what they wait for is done, whatever their kind. Before a request goes out, its
intent is in the store; one commit carries the ends of what has finished and the intents of what is
ready (engine protocol R1, R5). What fails blocks only what depends on it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from threading import Event

from cwsync.api import Client
from cwsync.apply.record import ended
from cwsync.apply.secrets import Secrets
from cwsync.apply.task import Task, Tasks
from cwsync.apply.work import Result, Worker
from cwsync.errors import CwsyncError, Problem
from cwsync.kinds import Action, Desired, Snapshot, same_id
from cwsync.plan import SET_ASIDE, ApplyResult, Call, Outcome, Plan, Sent
from cwsync.plan.bind import Bindings
from cwsync.state import Fingerprint, Held, State

# After an interrupt, what is in flight may end: CI systems give about 7.5 s before they kill.
GRACE_SECONDS = 6.0


@dataclass(frozen=True, slots=True)
class Progress:
    """Told while applying: a call was begun, or is over."""

    call: Call
    done: int
    total: int
    result: Result | None = None


@dataclass
class Executor:
    """Carries out one plan under a held lock. Every value that it needs is given to it."""

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
    sleep: Callable[[float], None] = time.sleep

    def run(self) -> ApplyResult:
        """Apply the plan as far as it goes. Raises only for defects and for a state that can't be written
        at all; what the service did to each call is in the result."""
        run = _Run(self)
        with ThreadPoolExecutor(self.parallelism, thread_name_prefix="cwsync-apply") as pool:
            run.to_the_end(pool)
        return run.result()


class _Run:
    """The state of one execution."""

    def __init__(self, given: Executor) -> None:
        self.given = given
        self.calls = {call.order: call for call in given.plan.calls}
        self.waiting = {call.order: set(call.after) for call in given.plan.calls}
        self.running: dict[Future[Result], Call] = {}
        self.results: dict[int, Result] = {}
        self.skipped: dict[int, str] = {}
        self.sent: list[Sent] = []
        self.problems: list[Problem] = []
        self.bindings = Bindings(given.desired, given.snapshot)
        self.bindings.ids |= {address: entry.id for address, entry in given.held.state.resources.items()}
        for change in given.plan.changes:
            if change.action in ("replace", "create"):
                self.bindings.ids.pop(change.address, None)
        lock = given.held.lock
        self.tasks = Tasks(
            given.desired,
            given.snapshot,
            self.bindings,
            given.secrets,
            given.fingerprints,
            lock.run,
            lock.epoch,
        )
        self.worker = Worker(given.client, self._managed, given.sleep, given.stop.is_set)
        self.halted = False

    def _managed(self, address: str) -> frozenset[str]:
        """The ids that other addresses are bound to, as the state knows it now (E6)."""
        resources = self.given.held.state.resources
        return frozenset(same_id(entry.id) for other, entry in resources.items() if other != address)

    def to_the_end(self, pool: ThreadPoolExecutor) -> None:
        finished: list[Result] = []
        deadline: float | None = None
        while True:
            tasks = [] if self._stopping() else self._ready()
            if not self._commit(finished, tasks):
                tasks = []
            for task in tasks:
                self.running[pool.submit(self.worker.perform, task)] = task.call
            if not self.running:
                return
            if self.given.stop.is_set():
                deadline = deadline or time.monotonic() + GRACE_SECONDS
                if time.monotonic() >= deadline:
                    return
            finished = self._finished()

    def _stopping(self) -> bool:
        return self.halted or self.given.stop.is_set()

    def _ready(self) -> list[Task]:
        state, now = self.given.held.state, self._server_time()
        tasks = []
        for order in sorted(order for order, after in self.waiting.items() if not after):
            del self.waiting[order]
            tasks.append(self.tasks.task(self.calls[order], state, now))
            self.given.progress(self._progress(self.calls[order]))
        return tasks

    def _server_time(self) -> str:
        now = self.given.client.server_time()
        return now.isoformat() if now else ""

    def _commit(self, finished: list[Result], tasks: list[Task]) -> bool:
        """One compare-and-swap. Where it fails, nothing new is sent (R6), and what ended is tried again."""
        if not finished and not tasks:
            return True

        def change(state: State) -> State:
            for result in finished:
                state = ended(state, result)
            return state.with_intents(task.intent for task in tasks)

        try:
            self.given.held.update(change)
        except CwsyncError as error:
            self._halt(error, tasks)
            return False
        if tasks and not self.given.held.may_mutate():
            self._halt(
                CwsyncError(Problem("CW405", "the lock was held for too long without a sign of life")), tasks
            )
            return False
        return True

    def _halt(self, error: CwsyncError, tasks: list[Task]) -> None:
        self.halted = True
        self.problems += error.problems
        for task in tasks:
            self.skipped[task.call.order] = "the state could not be written"

    def _finished(self) -> list[Result]:
        done, _ = wait(self.running, timeout=0.2, return_when=FIRST_COMPLETED)
        results = []
        for future in sorted(done, key=lambda one: self.running[one].order):
            call = self.running.pop(future)
            result = future.result()
            self.results[call.order] = result
            self.sent += [replace(sent, number=len(self.sent) + n) for n, sent in enumerate(result.sent, 1)]
            self._follow_up(call, result)
            results.append(result)
            self.given.progress(self._progress(call, result))
        return results

    def _progress(self, call: Call, result: Result | None = None) -> Progress:
        return Progress(call, len(self.results), len(self.calls), result)

    def _follow_up(self, call: Call, result: Result) -> None:
        if result.status != "done":
            if result.problem is not None:
                self.problems.append(result.problem)
            self._block(call)
            return
        if result.id is not None and call.action not in (Action.DELETE, SET_ASIDE):
            self.bindings.ids[call.address] = result.id
        for after in self.waiting.values():
            after.discard(call.order)

    def _block(self, call: Call) -> None:
        """Whatever waits for a failed call, directly or through others, is skipped."""
        blocked = {call.order}
        for order in sorted(self.waiting):
            if blocked & set(self.calls[order].after):
                blocked.add(order)
                del self.waiting[order]
                self.skipped[order] = call.address

    def result(self) -> ApplyResult:
        """What became of each address: of several calls, the one that went worst tells."""
        plan = self.given.plan
        interrupted = self.given.stop.is_set()
        for order in self.waiting:
            self.skipped.setdefault(order, "interrupted" if interrupted else "the run had to stop")
        outcomes: dict[str, list[Outcome]] = {"applied": [], "failed": [], "skipped": []}
        for change in plan.changes:
            orders = [order for order, call in self.calls.items() if call.address == change.address]
            if orders:
                fate, outcome = self._outcome(change.address, change.action, orders)
                outcomes[fate].append(outcome)
        problems = tuple(self.problems)
        if interrupted:
            problems += (Problem("CW604", "interrupted: what was in flight has ended, and is in the state"),)
        return ApplyResult(
            environment=plan.environment,
            tenant=plan.tenant,
            applied=tuple(outcomes["applied"]),
            failed=tuple(outcomes["failed"]),
            skipped=tuple(outcomes["skipped"]),
            calls=tuple(self.sent),
            problems=problems,
            interrupted=interrupted,
        )

    def _outcome(self, address: str, action: str, orders: list[int]) -> tuple[str, Outcome]:
        results = [self.results[order] for order in orders if order in self.results]
        failed = next((one for one in results if one.status != "done"), None)
        if failed is not None:
            detail = failed.problem.message if failed.problem else None
            return "failed", Outcome(address, action, detail)
        blocked = next((self.skipped[order] for order in orders if order in self.skipped), None)
        if blocked is not None:
            by = blocked if "." in blocked else None
            return "skipped", Outcome(address, action, f"{blocked} failed" if by else blocked, blocked_by=by)
        if len(results) < len(orders):
            return "failed", Outcome(address, action, "no reply came before the run had to end")
        notes = [one.note for one in results if one.note]
        return "applied", Outcome(address, action, "; ".join(notes) or None, id=results[-1].id)
