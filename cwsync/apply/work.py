"""What a worker does with a task: look once more at what it would change, then see it through.

Workers hold no state and write none. They return a `Result`, and the coordinator records it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Literal

from cwsync.api import Busy, Rejected, ServiceError
from cwsync.apply.attempt import Attempt, Means, Undecided, Withdrawn
from cwsync.apply.evidence import as_it_is, is_before
from cwsync.apply.task import Task
from cwsync.errors import Problem
from cwsync.kinds import Action, Fields, Observed
from cwsync.live import is_running, pauses


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a task. `id` is the object's, `applied` its fields as they are now.

    `confirmed` is False where its secrets were sent, and no reply told that they arrived; `problem` then
    says why, although it is done. `unsure` tells that it failed, and that a request without a reply may
    have brought its secrets all the same. `seen` is the object, where it was read after its change.
    """

    task: Task
    status: Literal["done", "failed", "unknown"]
    id: str | None = None
    applied: Fields | None = None
    confirmed: bool = True
    problem: Problem | None = None
    note: str | None = None
    unsure: bool = False
    seen: Observed | None = None


@dataclass
class Worker(Means):
    """One task at a time, on whatever thread it is given."""

    def perform(self, task: Task) -> Result | None:
        """Carry the task out; None where it was stopped before anything of it was done. Never raises what the
        service did; a defect of ours goes through."""
        work = _Work(Attempt(self, task))
        try:
            return work.when_idle()
        except Withdrawn:
            return work.withdrawn()
        except Undecided as undecided:
            return work.result("unknown", problem=undecided.problem)
        except ServiceError as error:
            problem = replace(error.problem, address=task.address, place=None)
            status: Literal["failed", "unknown"] = "unknown" if work.attempt.open else "failed"
            return work.result(status, problem=problem, unsure=work.attempt.unsure)


def secrets_again(result: Result, server_time: str) -> Task:
    """The secrets of what was found by reading, which nobody can read: sent once more, by an intent of its own.

    So the adoption is in the store before anything of ours changes the object: a run that is killed in
    between leaves no object that somebody seems to have changed since it was created (E5).
    """
    task = result.task
    pre = as_it_is(task.kind, Action.UPDATE, result.applied or {})
    intent = replace(
        task.intent,
        op=f"{task.intent.op}:secrets",
        action=Action.UPDATE,
        targetId=result.id,
        pre=pre,
        serverTime=server_time,
    )
    return replace(task, action=Action.UPDATE, intent=intent, id=result.id, as_read=False)


class _Work:
    """One task, by one attempt or several."""

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt

    @property
    def task(self) -> Task:
        return self.attempt.task

    def result(self, status: Literal["done", "failed", "unknown"], **more: Any) -> Result:
        return Result(self.task, status, note=self.attempt.note, **more)

    def withdrawn(self) -> Result | None:
        if self.attempt.open:
            return self.result("unknown", problem=self.attempt.unclear("the run was stopped").problem)
        if self.attempt.changed:
            message = f"{self.task.address}: the run was stopped before the last request of this was sent"
            problem = Problem("CW601", message, hint="apply again", address=self.task.address)
            return self.result("failed", problem=problem)
        return None

    def when_idle(self) -> Result:
        """What a run is in the way of is not done: it is tried again when that run is over, and looked at before
        that as the first time."""
        task, means = self.task, self.attempt.means
        parts = task.kind.name == "notification" and task.action is not Action.DELETE
        left = pauses(means.patience)
        told = False
        while True:
            try:
                return self._notification() if parts else self._single()
            except Busy:
                pause = next(left, None)
                if pause is None:
                    raise
            self.attempt.task = task
            if not told:
                means.waiting(task.call)
                told = True
            self._until_idle(pause, left)

    def _until_idle(self, pause: float, left: Iterator[float]) -> None:
        """Wait until the object, or the integration that it is a part of, says that it no longer runs. A flow may
        say so while one of its steps runs: then the next try is refused as well. Raises `Withdrawn`."""
        means, task = self.attempt.means, self.task
        kind, id = ("integration", task.parent) if task.parent else (task.kind.name, task.id)
        for each in chain([pause], left):
            means.sleep(each)
            if means.stopping():
                raise Withdrawn("the run stops")
            if id is None or not is_running(means.client, kind, id):
                return

    def _single(self) -> Result:
        if self._is_gone_already():
            return self.result("done", id=self.task.id)
        return self._done(self.attempt.until_known(), self.attempt.goal())

    def _done(self, id: str | None, applied: Fields | None) -> Result:
        confirmed = not (self.attempt.adopted and self.task.secrets)
        return self.result("done", id=id, applied=applied, confirmed=confirmed)

    def _is_gone_already(self) -> bool:
        """Look once more before overwriting or deleting: what was planned for must still be there as it was.

        What this run has touched itself is not looked at again. Some kinds only show in a list, which is
        read to its end for each of them, or for several at once: no page costs as much as the work of a person
        that is overwritten. A creation needs no look: the service refuses a second one of the name.
        """
        task = self.task
        if task.action is Action.CREATE or task.id is None or not task.as_read:
            return False
        found = self.attempt.means.look().by_id(task.kind.name, task.id)
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

    def _notification(self) -> Result:
        """Written over the one that the service made with the integration, if it did (facts A5).

        A PUT cannot take an outcome away, and may not take users away (facts C4, F6): then what is there
        is deleted, and made again.
        """
        task = self.task
        assert task.parent is not None
        seen = self.attempt.means.look().part_of("notification", task.parent)
        if seen is None:
            return self._as(task.instead(Action.CREATE))
        if task.as_read and not task.intent.pre.absent and not self.attempt.changed:
            self._refuse_unless_before(seen)
        if set(_notify(seen.fields)) <= set(_notify(task.goal)):
            made = self._as(task.instead(Action.UPDATE, seen))
            left = self.attempt.means.look().by_id(seen.kind, seen.id) if _goes(task.goal, seen) else None
            if left is None or not _goes(task.goal, left):
                return replace(made, seen=left)
            seen = left
        self._as(task.instead(Action.DELETE, seen))
        return self._as(task.instead(Action.CREATE))

    def _as(self, task: Task) -> Result:
        self.attempt.task = task
        return self._done(self.attempt.until_known(), task.goal)


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
