"""What a worker does with a task: send it, once; find out what happened where no reply tells.

Workers hold no state and write none. They return a `Result`, and the coordinator records it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from cwsync.api import Ambiguous, Client, Duplicate, NotFound, Rejected, ServiceError
from cwsync.apply.evidence import Found, Ours, is_before, resolve
from cwsync.apply.requests import Requests
from cwsync.apply.task import Task
from cwsync.errors import Problem
from cwsync.kinds import Action, Fields, Observed, same_id
from cwsync.kinds.base import Body
from cwsync.live import Look

# How long an object may take to show in a list, and how often a mutation that did nothing is made again.
PAUSES = (2.0, 5.0)
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a task. `id` is the object's, `applied` its fields as they are now.

    `confirmed` is False where its secrets were sent, and no reply told that they arrived; `problem` then
    says why, although it is done.
    """

    task: Task
    status: Literal["done", "failed", "unknown"]
    id: str | None = None
    applied: Fields | None = None
    confirmed: bool = True
    problem: Problem | None = None
    note: str | None = None


class _Undecided(Exception):  # noqa: N818 - an outcome
    """Neither reply nor reading could tell what happened, or a person must decide."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass
class Worker:
    """One task at a time, on whatever thread it is given. `ours` is asked for what is known of others."""

    client: Client
    ours: Callable[[str], Ours]
    may_send: Callable[[], bool]
    sleep: Callable[[float], None]
    requests: Requests
    stopping: Callable[[], bool] = lambda: False

    def perform(self, task: Task) -> Result:
        """Carry the task out. Never raises what the service did; a defect of ours goes through."""
        attempt = _Attempt(self, task)
        try:
            if task.kind.name == "notification" and task.action is not Action.DELETE:
                return attempt.notification()
            return attempt.single()
        except _Undecided as undecided:
            return attempt.result("unknown", problem=undecided.problem)
        except ServiceError as error:
            problem = replace(error.problem, address=task.address, place=None)
            return attempt.result("unknown" if attempt.open else "failed", problem=problem)


class _Attempt:
    """The requests made for one task."""

    def __init__(self, worker: Worker, task: Task) -> None:
        self.worker = worker
        self.task = task
        self.body: Body | None = None
        self.note: str | None = None
        self.unconfirmed: Problem | None = None  # why its secrets may not have arrived
        self.begun: datetime | None = (
            None  # the service's time, when the request at hand was about to be sent
        )
        self.open = False  # whether a request was made that may still take effect

    def result(self, status: Literal["done", "failed", "unknown"], **more: Any) -> Result:
        more = {"problem": self.unconfirmed, **more}
        return Result(self.task, status, confirmed=self.unconfirmed is None, note=self.note, **more)

    def single(self) -> Result:
        if self._is_gone_already():
            return self.result("done", id=self.task.id)
        id = self._until_known()
        return self.result("done", id=id, applied=self._goal())

    def _is_gone_already(self) -> bool:
        """Look once more before overwriting or deleting: what was planned for must still be there as it was.

        Where only a long list would show the object, the plan's own reading has to do.
        """
        task = self.task
        if task.action is Action.CREATE or task.kind.detail is None or task.id is None or not task.as_read:
            return False
        found = Look(self.worker.client).by_id(task.kind.name, task.id)
        if found is None and task.action is Action.DELETE:
            return True
        self._refuse_unless_before(found)
        return False

    def _refuse_unless_before(self, found: Observed | None) -> None:
        if found is None or not is_before(self.task.intent, found):
            what = "is gone" if found is None else "has been changed"
            by = f" by {found.modified_by}" if found and found.modified_by else ""
            message = f"{self.task.address} {what}{by} since the tenant was read, so nothing was sent for it"
            raise Rejected(Problem("CW513", message, hint="plan again to see what it is now"))

    def notification(self) -> Result:
        """Written over the one that the service made with the integration, if it did (facts A5).

        A PUT cannot take an outcome away, and may not take users away (facts C4, F6): then what is there
        is deleted, and made again.
        """
        task = self.task
        assert task.parent is not None
        look = Look(self.worker.client)
        seen = look.part_of("notification", task.parent)
        if seen is None:
            return self._as(task.instead(Action.CREATE))
        if task.as_read and not task.intent.pre.absent:
            self._refuse_unless_before(seen)
        if set(_notify(seen.fields)) <= set(_notify(task.goal)):
            made = self._as(task.instead(Action.UPDATE, seen))
            left = Look(self.worker.client).by_id(seen.kind, seen.id) if _goes(task.goal, seen) else None
            if left is None or not _goes(task.goal, left):
                return made
            seen = left
        self._as(task.instead(Action.DELETE, seen))
        return self._as(task.instead(Action.CREATE))

    def _as(self, task: Task) -> Result:
        self.task = task
        id = self._until_known()
        return self.result("done", id=id, applied=task.goal)

    def _goal(self) -> Fields | None:
        """The goal, with the start date that the service took in place of one in the past (facts F7)."""
        goal, schedule = self.task.goal, (self.body or {}).get("schedule")
        if goal is None or not isinstance(schedule, dict) or self.task.kind.name != "schedule":
            return goal
        started = str(schedule["startDate"])
        if started != goal.get("startDate"):
            self.note = f"CloudWorks takes no start in the past: it starts on {started}"
        return {**goal, "startDate": started}

    def _until_known(self) -> str | None:
        """Send; where no reply tells, read; where it did nothing, send again under the same intent.

        Returns the object's id. A creation that was not seen may still come, so it stays open.
        """
        creating = self.task.action is Action.CREATE
        self.begun = self.worker.client.server_time()
        for last in (False,) * (ATTEMPTS - 1) + (True,):
            try:
                id = self._send(self.task)
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
                self.open = True
                if (found := self._resolve()) is not None:
                    return self._adopted(found)
                self.open = creating
                taken = isinstance(error, Duplicate)
                if taken and creating and last:
                    raise self._hidden(error) from None
                if last or (taken and not creating):
                    raise
                continue
            self.open = False
            return id
        raise AssertionError("the last attempt returns or raises")

    def _send(self, task: Task) -> str | None:
        """One request; where it is refused for a reason that the facts know, another one in its place."""
        self.body = task.body()
        try:
            return self._request(task, self.body)
        except Rejected as refused:
            now = self.worker.client.server_time() or datetime.now(UTC)
            for other in task.kind.second_tries(self.body or {}, refused.message or "", now):
                self.body = other
                try:
                    return self._request(task, other)
                except Rejected:
                    continue
            raise

    def _request(self, task: Task, body: Body | None) -> str | None:
        """The only place that changes the tenant. Raises `Rejected` where the lock may be someone else's by now."""
        if not self.worker.may_send():
            message = f"{task.address}: the lock was not renewed in time, so nothing more was sent"
            raise Rejected(Problem("CW405", message, hint="apply again"))
        method, path = task.request()
        number = self.worker.requests.begun(task.call, method, path)
        try:
            id = _id(task, self.worker.client.send(method, path, body).body)
        except ServiceError as error:
            self.worker.requests.ended(number, error)
            raise
        self.worker.requests.ended(number)
        return id

    def _adopted(self, found: Found) -> str | None:
        """What the tenant shows was done. It shows no secrets, so they are sent once more to be sure of them."""
        self.open = False
        self.note = "the reply was lost; the tenant shows that it was done"
        id = found.object.id if found.object else self.task.id
        if self.task.secrets:
            self._send_secrets_again(replace(self.task, action=Action.UPDATE, id=id))
        return id

    def _send_secrets_again(self, task: Task) -> None:
        """Where no reply tells that they arrived, the next plan sends them."""
        for _ in range(ATTEMPTS):
            try:
                self._send(task)
            except Rejected as error:
                self.unconfirmed = replace(error.problem, address=task.address)
                break
            except Ambiguous as error:
                self.unconfirmed = replace(error.problem, address=task.address)
            else:
                self.unconfirmed = None
                return
        self.note = f"{self.note}; its secrets are sent again by the next apply"

    def _resolve(self) -> Found | None:
        """What the tenant shows of a request without a reply; None where it did nothing, as far as can be seen.

        What isn't there may still come: it is looked for again before the request is repeated.
        """
        intent = replace(self.task.intent, desiredHash=self.task.promise(self._goal()))
        if self.begun is not None:
            intent = replace(intent, serverTime=self.begun.isoformat())
        for pause in (0.0, *PAUSES):
            if pause:
                self.worker.sleep(pause)
            try:
                look, ours = Look(self.worker.client), self.worker.ours(self.task.address)
                found = resolve(look, intent, ours, self.worker.client.server_time)
            except ServiceError as error:
                raise self._unclear(f"the tenant cannot be read: {error.problem.message}") from None
            if found.verdict == "needs a person":
                raise _Undecided(self._for_a_person(found))
            if found.verdict == "done":
                return found
            if self.worker.stopping():
                raise self._unclear("the run was interrupted")
            if found.object is not None or self.task.action is not Action.CREATE:
                break
        return None

    def _unclear(self, why: str) -> _Undecided:
        message = f"{self._whether()} is not known: {why}"
        hint = "apply again: the next run begins by finding out"
        return _Undecided(Problem("CW313", message, hint=hint, address=self.task.address))

    def _hidden(self, error: ServiceError) -> _Undecided:
        message = f"{self.task.address}: {error.problem.message}, and the tenant shows this user nothing of that name"
        hint = "give it another name, or ask who may see everything to look for the other one"
        return _Undecided(Problem("CW605", message, hint=hint, address=self.task.address))

    def _for_a_person(self, found: Found) -> Problem:
        shown = f" (the tenant shows {found.object.id})" if found.object else ""
        message = f"{self._whether()} is not certain: {found.why}{shown}"
        hint = (
            "look at it in CloudWorks: make it what the manifest says or what it was before, then apply again"
        )
        return Problem("CW605", message, hint=hint, address=self.task.address)

    def _whether(self) -> str:
        return f"{self.task.address}: whether the {self.task.call.action} took effect"


def _notify(fields: Fields | None) -> dict[str, Any]:
    notify = (fields or {}).get("notify")
    return notify if isinstance(notify, dict) else {}


def _goes(goal: Fields | None, seen: Observed) -> bool:
    """Whether something that is there should go; what is missing is another matter."""
    wanted, there = _notify(goal), _notify(seen.fields)
    return not _channels(seen.fields) <= _channels(goal) or any(
        not set(users) <= set(wanted.get(outcome, ())) for outcome, users in there.items()
    )


def _channels(fields: Fields | None) -> set[object]:
    channels = (fields or {}).get("channels")
    return set(channels) if isinstance(channels, list) else set()


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
