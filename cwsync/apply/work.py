"""What a worker does with a task: send it, once; find out what happened where no reply tells.

Workers hold no state and write none. They return a `Result`, and the coordinator records it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from cwsync.api import Ambiguous, Client, NotFound, Rejected, ServiceError
from cwsync.apply.evidence import resolve
from cwsync.apply.task import Task, with_pointer
from cwsync.errors import Problem
from cwsync.kinds import Action, Fields, same_id
from cwsync.kinds.base import Body
from cwsync.live import look, pointer
from cwsync.plan import Sent

# How long an object may take to show in a list, and how often a mutation that did nothing is made again.
PAUSES = (2.0, 5.0)
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a task. `id` is the object's, `applied` its fields as they are now."""

    task: Task
    status: Literal["done", "failed", "unknown"]
    sent: tuple[Sent, ...]
    id: str | None = None
    applied: Fields | None = None
    problem: Problem | None = None
    note: str | None = None


class _Unknown(Exception):  # noqa: N818 - an outcome
    """Neither reply nor reading could tell what happened."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass
class Worker:
    """One task at a time, on whatever thread it is given."""

    client: Client
    managed: Callable[[str], frozenset[str]]
    sleep: Callable[[float], None]
    stopping: Callable[[], bool] = lambda: False

    def perform(self, task: Task) -> Result:
        """Carry the task out. Never raises what the service did; a defect of ours goes through."""
        attempt = _Attempt(self, task)
        try:
            return attempt.run()
        except _Unknown as unknown:
            message = (
                f"{task.address}: whether the {task.call.action} took effect is not known: {unknown.why}"
            )
            hint = "see `cwsync state show` for what is pending; apply again resolves it when the tenant shows it"
            return attempt.result(
                "unknown", problem=Problem("CW605", message, hint=hint, address=task.address)
            )
        except ServiceError as error:
            problem = replace(error.problem, address=task.address, place=None)
            status: Literal["failed", "unknown"] = "failed" if isinstance(error, Rejected) else "unknown"
            return attempt.result(status, problem=problem)


@dataclass
class _Attempt:
    """The requests made for one task."""

    worker: Worker
    task: Task
    sent: list[Sent] = field(default_factory=list)
    note: str | None = None
    resolved: bool = False

    def run(self) -> Result:
        if self.task.kind.name == "notification" and self.task.action is not Action.DELETE:
            return self._notification()
        return self._single()

    def result(self, status: Literal["done", "failed", "unknown"], **more: Any) -> Result:
        return Result(self.task, status, tuple(self.sent), note=self.note, **more)

    def _single(self) -> Result:
        method, path = self.task.request()
        reply, body = self._until_known(method, path)
        id = self.task.id
        if self.task.action is Action.CREATE:
            id = _created_id(self.task, reply)
            if self.resolved and self.task.secrets:
                self._secrets_again(id)
        return self.result("done", id=id, applied=self._applied(body))

    def _secrets_again(self, id: str) -> None:
        """An object found by reading shows no secrets, so they are sent once more to be sure of them."""
        again = replace(self.task, id=id, action=Action.UPDATE)
        method, path = again.request()
        self.send(method, path, again.body())

    def _applied(self, body: Body | None) -> Fields | None:
        """The goal, with the start date that the service took in place of one in the past (facts F7)."""
        goal, schedule = self.task.goal, (body or {}).get("schedule")
        if goal is None or not isinstance(schedule, dict) or self.task.kind.name != "schedule":
            return goal
        started = str(schedule["startDate"])
        if started != goal.get("startDate"):
            self.note = f"CloudWorks takes no start in the past: it starts on {started}"
        return {**goal, "startDate": started}

    def _until_known(self, method: str, path: str) -> tuple[dict[str, Any], Body | None]:
        """Send; where no reply tells, read; where it did nothing, send again under the same intent."""
        why = ""
        for _ in range(ATTEMPTS):
            try:
                return self._with_second_tries(method, path)
            except NotFound:
                if self.task.action is Action.DELETE:
                    return {}, None
                raise
            except Ambiguous as error:
                why = error.problem.message
                found = self._resolve()
                if found is not None:
                    return found, self.task.body()
        raise _Unknown(f"{why} (tried {ATTEMPTS} times, and the tenant never showed it)")

    def _with_second_tries(self, method: str, path: str) -> tuple[dict[str, Any], Body | None]:
        body = self.task.body()
        try:
            return self.send(method, path, body), body
        except Rejected as refused:
            now = self.worker.client.server_time() or datetime.now(UTC)
            for other in self.task.kind.second_tries(body or {}, refused.message or "", now):
                try:
                    return self.send(method, path, other), other
                except Rejected:
                    continue
            raise

    def send(self, method: str, path: str, body: Body | None) -> dict[str, Any]:
        """One request, noted with its outcome."""
        note = Sent(0, self.task.call.order, self.task.address, self.task.call.action, method, path, "done")
        try:
            reply = self.worker.client.send(method, path, body).body
            if self.task.action is Action.CREATE and method == "POST" and self.task.kind.created_id:
                _created_id(self.task, reply)
        except ServiceError as error:
            outcome: Literal["refused", "unknown"] = "refused" if isinstance(error, Rejected) else "unknown"
            self.sent.append(replace(note, outcome=outcome, message=error.problem.message))
            raise
        self.sent.append(note)
        return reply

    def _resolve(self) -> dict[str, Any] | None:
        """A reply made from what the tenant shows; None where the request certainly did nothing.

        Raises `_Unknown` where a person must decide. An object that isn't there may still come: it is
        looked for again before the request is repeated.
        """
        for pause in (0.0, *PAUSES):
            if pause:
                self.worker.sleep(pause)
            try:
                found = resolve(self.worker.client, self.task.intent, self.worker.managed(self.task.address))
            except ServiceError as error:
                raise _Unknown(f"and the tenant cannot be read: {error.problem.message}") from None
            if found.verdict == "needs a person":
                raise _Unknown(found.why)
            if found.verdict == "done":
                self.resolved = True
                self.note = "the reply was lost; the tenant shows that it was done"
                return _as_reply(self.task, found.object.id if found.object else None)
            if found.object is not None or self.worker.stopping():
                break
        return None

    def _notification(self) -> Result:
        """Written over the one that the service made with the integration, if it did (facts A5).

        A PUT may merge (facts F6): what should have gone and is still there takes a DELETE and a POST.
        """
        assert self.task.parent is not None
        if self.task.action is Action.CREATE:
            known = pointer(self.worker.client, self.task.parent)
            if known is not None:
                self.task = replace(with_pointer(self.task, known), action=Action.UPDATE)
        made = self._single()
        id = made.id or ""
        seen = look(self.worker.client, "notification", id=id)
        if self.task.action is Action.UPDATE and _left_over(
            self.task.goal or {}, seen[0].fields if seen else {}
        ):
            self.send("DELETE", self.task.request()[1], None)
            self.task = replace(self.task, action=Action.CREATE, id=None)
            made = self._single()
        return made


def _left_over(goal: Fields, shown: Fields | None) -> bool:
    """Whether something is still there that should have gone; what is missing is another matter."""
    return any(_beyond(goal.get(name), (shown or {}).get(name)) for name in ("channels", "notify"))


def _beyond(goal: object, shown: object) -> bool:
    if isinstance(goal, dict) and isinstance(shown, dict):
        return any(_beyond(goal.get(outcome, []), users) for outcome, users in shown.items())
    return isinstance(goal, list) and isinstance(shown, list) and not set(shown) <= set(goal)


def _created_id(task: Task, reply: dict[str, Any]) -> str:
    """The new object's id; one source has it at the top of the reply (facts B6, B7).

    Raises `Ambiguous` where a reply of success has none: what was made must then be looked for.
    """
    if task.kind.name == "schedule":
        return task.parent or ""
    outer, inner = task.kind.created_id
    holder = reply.get(outer)
    id = holder.get(inner) if isinstance(holder, dict) else reply.get(inner)
    if not isinstance(id, str) or not same_id(id):
        message = (
            f"{task.address}: the service said yes, and didn't say which id the new {task.kind.name} has"
        )
        raise Ambiguous(Problem("CW311", message, address=task.address))
    return id


def _as_reply(task: Task, id: str | None) -> dict[str, Any]:
    if not task.kind.created_id or id is None:
        return {}
    outer, inner = task.kind.created_id
    return {outer: {inner: id}}
