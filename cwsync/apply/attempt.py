"""One mutation, until it is known what became of it: sent once; where no reply tells, found by reading; where it
did nothing, sent again under the same intent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from cwsync.api import Ambiguous, Client, Duplicate, NotFound, Rejected, ServiceError
from cwsync.apply.audited import purpose_of, resolution_entry
from cwsync.apply.evidence import Found, Ours, resolve
from cwsync.apply.requests import Requests
from cwsync.apply.task import Task
from cwsync.errors import Problem
from cwsync.kinds import Action, Fields, same_id
from cwsync.kinds.base import Body
from cwsync.live import Look, SharedLists
from cwsync.plan import Call

# How long an object may take to show in a list, and how often a mutation that did nothing is made again.
PAUSES = (2.0, 5.0)
ATTEMPTS = 3
DECIDE = "cwsync recover shows what is known of it, and takes your decision"


class Undecided(Exception):  # noqa: N818 - an outcome
    """Neither reply nor reading could tell what happened, or a person must decide."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class Withdrawn(Exception):  # noqa: N818 - an outcome
    """The run stops, and the request at hand has not left."""


@dataclass
class Means:
    """What work needs of its run. `ours` is asked for what is known of others, `stopping` whether the run goes on.
    `patience` is for how many seconds a call waits for the end of a run that is in its way; `waiting` is told."""

    client: Client
    ours: Callable[[str], Ours]
    may_send: Callable[[], bool]
    sleep: Callable[[float], None]
    requests: Requests
    stopping: Callable[[], bool] = lambda: False
    patience: float = 0.0
    waiting: Callable[[Call], None] = lambda _call: None

    def __post_init__(self) -> None:
        self.lists = SharedLists(self.client)

    def look(self) -> Look:
        """A look at the tenant as it is now, which shares the reading of lists with those of other threads."""
        return Look(self.client, self.lists)


class Attempt:
    """The requests made for one task."""

    def __init__(self, means: Means, task: Task) -> None:
        self.means = means
        self.task = task
        self.body: Body | None = None
        self.note: str | None = None
        self.adopted = False  # whether the tenant told that it was done, and no reply
        self.changed = False  # whether a request of this task took effect
        self.open = False  # whether a request was made that may still take effect
        self.unsure = False  # whether a request was made, and no reply told of it
        self.made = 0  # how many mutations
        # The service's time, when the request at hand was about to be sent.
        self.begun: datetime | None = None

    def until_known(self) -> str | None:
        """Send, read, send again. Returns the object's id. A creation that was not seen may still come, so it
        stays open. Raises `ServiceError`, `Undecided` or `Withdrawn`."""
        creating = self.task.action is Action.CREATE
        self.begun = self.means.client.server_time()
        for last in (False,) * (ATTEMPTS - 1) + (True,):
            try:
                id = self._send()
            except NotFound:
                # A gateway may say so as well: what is still there must not be forgotten.
                if self.task.action is not Action.DELETE or self._resolve() is None:
                    raise
                id = self.task.id
            except Rejected:
                # What came too late may be why the second request is refused.
                if self.open and (found := self._resolve()) is not None:
                    return self._adopted(found)
                raise
            except Ambiguous as error:
                self.open = self.unsure = True
                if (found := self._resolve()) is not None:
                    return self._adopted(found)
                self.open = creating
                taken = isinstance(error, Duplicate)
                if taken and creating and last:
                    raise self._hidden(error) from None
                if last or (taken and not creating):
                    raise
                continue
            self.open, self.changed = False, True
            return id
        raise AssertionError("the last attempt returns or raises")

    def goal(self) -> Fields | None:
        """The goal, with the start date that the service took in place of one in the past (facts F7)."""
        goal, schedule = self.task.goal, (self.body or {}).get("schedule")
        if goal is None or not isinstance(schedule, dict) or self.task.kind.name != "schedule":
            return goal
        started = str(schedule["startDate"])
        if started != goal.get("startDate"):
            self.note = f"CloudWorks takes no start in the past: it starts on {started}"
        return {**goal, "startDate": started}

    def _send(self) -> str | None:
        """One request; where it is refused for a reason that the facts know, another one in its place."""
        self.body = self.task.body()
        try:
            return self._request(self.body)
        except Rejected as refused:
            now = self.means.client.server_time() or datetime.now(UTC)
            for other in self.task.kind.second_tries(self.body or {}, refused.message or "", now):
                self.body = other
                try:
                    return self._request(other)
                except Rejected:
                    continue
            raise

    def _request(self, body: Body | None) -> str | None:
        """The only place that changes the tenant. The transport may let it leave more than once, where the
        service did nothing with it (R2): each time it is asked anew whether it may."""
        method, path = self.task.request()
        number: int | None = None

        def before() -> None:
            nonlocal number
            self._may_leave()
            if number is None:
                number = self.means.requests.begun(self.task.call, method, path)

        self.made += 1
        try:
            reply = self.means.client.send(
                method,
                path,
                body,
                before=before,
                wanted=self._may_leave,
                purpose=purpose_of(self.task.intent, self.made),
                made=lambda reply: _id(self.task, reply.body),
            )
        except (ServiceError, Withdrawn) as error:
            if number is not None:
                self.means.requests.ended(number, error)
            raise
        assert number is not None
        self.means.requests.ended(number)
        return reply.id

    def _may_leave(self) -> None:
        """Raises `Withdrawn` where the run stops, and `Rejected` where the lock may be someone else's by now."""
        if self.means.stopping():
            raise Withdrawn("the run stops")
        if not self.means.may_send():
            message = f"{self.task.address}: the lock was not renewed in time, so nothing more was sent"
            raise Rejected(Problem("CW405", message, hint="apply again"))

    def _adopted(self, found: Found) -> str | None:
        """What the tenant shows was done."""
        self.open, self.adopted, self.changed = False, True, True
        self.note = "the reply was lost; the tenant shows that it was done"
        self.means.client.trail.write(resolution_entry(self.task.intent, found, self.made))
        return found.object.id if found.object else self.task.id

    def _resolve(self) -> Found | None:
        """What the tenant shows of a request without a reply; None where it did nothing, as far as can be seen.

        What isn't there may still come: it is looked for again before the request is repeated.
        """
        intent = replace(self.task.intent, desiredHash=self.task.promise(self.goal()))
        if self.begun is not None:
            intent = replace(intent, serverTime=self.begun.isoformat())
        for pause in (0.0, *PAUSES):
            if pause:
                self.means.sleep(pause)
            try:
                look, ours = self.means.look(), self.means.ours(self.task.address)
                found = resolve(look, intent, ours, self.means.client.server_time)
            except ServiceError as error:
                raise self.unclear(f"the tenant cannot be read: {error.problem.message}") from None
            if found.verdict == "needs a person":
                raise Undecided(self._for_a_person(found))
            if found.verdict == "done":
                return found
            if self.means.stopping():
                raise self.unclear("the run was stopped")
            if found.object is not None or self.task.action is not Action.CREATE:
                break
        return None

    def unclear(self, why: str) -> Undecided:
        message = f"{self._whether()} is not known: {why}"
        hint = "apply again: the next run begins by finding out"
        return Undecided(Problem("CW313", message, hint=hint, address=self.task.address))

    def _hidden(self, error: ServiceError) -> Undecided:
        message = f"{self.task.address}: {error.problem.message}, and the tenant shows this user nothing of that name"
        hint = "give it another name, or ask who may see everything to look for the other one"
        return Undecided(Problem("CW605", message, hint=hint, address=self.task.address))

    def _for_a_person(self, found: Found) -> Problem:
        shown = f" (the tenant shows {found.object.id})" if found.object else ""
        message = f"{self._whether()} is not certain: {found.why}{shown}"
        return Problem("CW605", message, hint=DECIDE, address=self.task.address)

    def _whether(self) -> str:
        return f"{self.task.address}: whether the {self.task.call.action} took effect"


def _id(task: Task, reply: dict[str, Any]) -> str | None:
    """The object's id; a new one is in the reply, which one source has at its top (facts B6, B7, B16).

    Raises `Ambiguous` where a reply of success has none: what was made must then be looked for.
    """
    if task.action is not Action.CREATE:
        return task.id or task.parent
    if not task.kind.created_id:
        return task.parent  # a schedule is known by its integration
    outer, inner = task.kind.created_id
    holder = reply.get(outer)
    id = holder.get(inner) or holder.get("id") if isinstance(holder, dict) else reply.get(inner)
    if not isinstance(id, str) or not same_id(id):
        message = (
            f"{task.address}: the service said yes, and didn't say which id the new {task.kind.name} has"
        )
        raise Ambiguous(Problem("CW311", message, address=task.address))
    return id
