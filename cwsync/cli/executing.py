"""Carrying out a plan, and reading again what it touched; what a signal does meanwhile."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING

from cwsync.cli.settings import Settings
from cwsync.cli.waiting import tell_waiting
from cwsync.errors import CwsyncError, Exit, Problem, exit_status
from cwsync.kinds import Action

if TYPE_CHECKING:
    from cwsync.apply import Executor
    from cwsync.cli.workspace import Workspace
    from cwsync.kinds import Snapshot
    from cwsync.plan import ApplyResult, Plan
    from cwsync.state import Held


def execute(
    settings: Settings, workspace: Workspace, held: Held, plan: Plan, snapshot: Snapshot
) -> ApplyResult:
    from cwsync.apply import Executor, addresses_to_send, read_secrets
    from cwsync.cli.progress import live_progress
    from cwsync.plan import ApplyResult

    if not plan.calls:
        return ApplyResult(plan.environment, plan.tenant)
    addresses = addresses_to_send(plan, workspace.desired)
    secrets = read_secrets(addresses, workspace.desired, workspace.project.root)
    workspace.trail.know(plan=plan.digest)
    with _interruptible(settings) as stop:
        executor = Executor(
            client=workspace.client,
            held=held,
            plan=plan,
            desired=workspace.desired,
            snapshot=snapshot,
            secrets=secrets,
            fingerprints=workspace.fingerprints(held.state.lineage, secrets),
            parallelism=workspace.parallelism,
            stop=stop,
            sleep=workspace.outside.clock.sleep if workspace.outside.clock else None,
            progress=live_progress(settings),
            patience=workspace.patience,
            waiting=tell_waiting(settings),
        )
        with _applying(workspace, plan):
            result = executor.run()
    if not result.interrupted:
        result = _verified(settings, workspace, executor, result)
    return replace(result, problems=result.problems + _partly(result))


def _verified(
    settings: Settings, workspace: Workspace, executor: Executor, result: ApplyResult
) -> ApplyResult:
    """The result after what was touched was read again. What was done is told, whatever happens to that."""
    from cwsync.apply import both, verify

    held = executor.held
    try:
        with workspace.outside.spans.span("verify"), _on_signals(signal.default_int_handler):
            seen = verify(workspace.client, held.state, result.applied, workspace.wait, already=result.seen)
    except KeyboardInterrupt:
        message = "interrupted: what was done is in the state, and was not read again"
        hint = "cwsync drift shows whether the service made something else of it"
        problem = Problem("CW604", message, hint=hint)
        return replace(result, problems=(*result.problems, problem), interrupted=True)
    found = seen.seen
    with _interruptible(settings) as stop:
        if found is not None and workspace.with_versions(held.state, found) != held.state:
            with suppress(CwsyncError):  # it only makes the next plan faster
                held.update(lambda state: workspace.with_versions(state, found))
        if seen.correction is not None and found is not None and workspace.trail.problem is None:
            with _applying(workspace, executor.plan):
                corrected = replace(executor, plan=seen.correction, snapshot=found, stop=stop).run()
            result = both(result, corrected)
    return replace(result, problems=result.problems + seen.problems)


def _applying(workspace: Workspace, plan: Plan) -> AbstractContextManager[object]:
    told = {"cwsync.plan.digest": plan.digest, "cwsync.environment": plan.environment}
    return workspace.outside.spans.span("apply", told)


def _partly(result: ApplyResult) -> tuple[Problem, ...]:
    """Where some failed and some were applied, that is what a person must know first."""
    done = {(sent.address, sent.action) for sent in result.calls if sent.outcome == "done"}
    # A schedule that was disabled, and is enabled again, is as it was.
    paused = {address for address, _ in done if {(address, status) for status in _STATUS} <= done}
    changed = any(action not in _STATUS or address not in paused for address, action in done)
    changed = changed or any(one.action != "no-op" for one in result.applied)
    if not changed or exit_status(result.problems) not in (Exit.ERROR, Exit.STALE):
        return ()
    hint = "what was applied is in the state: mend the cause, apply again, and only the rest is done"
    return (Problem("CW601", "some operations failed, others were applied", hint=hint),)


_STATUS = (Action.DISABLE, Action.ENABLE)
_INTERRUPTED = (
    b"Interrupted: nothing new is begun, what is in flight is waited for. Once more to leave at once.\n"
)


@contextmanager
def _interruptible(settings: Settings) -> Iterator[Event]:
    """The first signal stops what has not begun; what is in flight ends and is saved. A second one is final."""
    stop = Event()

    def handle(_number: int, _frame: object) -> None:
        if stop.is_set():
            os._exit(Exit.INTERRUPTED)
        stop.set()
        # A signal may come in the middle of a line that is being printed, where printing is not allowed.
        with suppress(OSError):
            os.write(2, b"" if settings.quiet else _INTERRUPTED)

    with _on_signals(handle):
        yield stop


@contextmanager
def _on_signals(handle: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
