"""What goes wrong without a crash, done to Terraform and to cwsync, and what came of it: in words, as measured."""

from __future__ import annotations

import signal
import subprocess
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from threading import Event

from crash.gate import Death, Gate
from support.tenant import served
from tools.comparison import THINGS, Program, names, signal_all
from tools.terraform import Thing

PAUSED_AT = 12
BEFORE = [Thing("connection", "c0"), Thing("connection", "c1"), Thing("integration", "i0", "c0")]
AFTER = [*BEFORE[:2], replace(BEFORE[2], of="c1")]
PROTECTED = [replace(BEFORE[0], protect=True), BEFORE[1]]


def edited(program: Program, folder: Path) -> str:
    """A plan is saved that changes an integration, a colleague changes it too, and the plan is applied."""
    with served() as tenant, program(folder, tenant.url, BEFORE) as subject:
        _succeed(subject.begin("apply"))
        subject.declare(AFTER)
        _succeed(subject.begin("save"))
        tenant.edit("update", "integration", name="i0", body={"nuxVisible": True})
        before = len(tenant.mutations())
        status = subject.begin("apply saved").wait(300)
        (now,) = (each for each in tenant.snapshot()["integrations"] if each["name"] == "i0")
        lost = "is kept" if now["nuxVisible"] else "is lost"
        return f"exit {status}, {_requests(len(tenant.mutations()) - before)}, the colleague's change {lost}"


def unprotected(program: Program, folder: Path) -> str:
    """The block of an object that must not be deleted is itself deleted, and that is applied."""
    with served() as tenant, program(folder, tenant.url, PROTECTED) as subject:
        _succeed(subject.begin("apply"))
        subject.declare(PROTECTED[1:])
        status = subject.begin("apply").wait(300)
        there = "is still in the tenant" if "c0" in names(tenant) else "is deleted"
        state = "knows it" if "c0" in subject.known() else "has forgotten it"
        return f"exit {status}, the object {there}, the state {state}"


def paused(program: Program, folder: Path) -> str:
    """A run is paused between two writes of its state, another wants to do its work, and the first one wakes up."""
    gate = Gate()
    with served(around=gate.before) as tenant, program(folder, tenant.url, THINGS) as subject:
        began: Future[subprocess.Popen[bytes]] = Future()
        stopped = Event()

        def strike() -> None:
            subject.pause(began.result())
            stopped.set()

        gate.arm(Death(PAUSED_AT, signal=signal.SIGSTOP), strike)
        first = subject.begin("apply")
        began.set_result(first)
        assert stopped.wait(60)
        gate.wait_until_idle()
        gate.arm(None)
        other = subject.beside()
        status, how = other.begin("wait and apply").wait(600), ""
        if status and other.unlock():
            status, how = other.begin("apply").wait(300), ", after a person unlocked it"
        before = names(tenant)
        gate.arm(None)
        signal_all(first, signal.SIGCONT)
        woken = first.wait(300)
        gate.wait_until_idle()
        return (
            f"the second: exit {status}{how}; the first, awake again: {_requests(gate.counts['mutation'])}, "
            f"{len(names(tenant) - before)} objects made by them, exit {woken}"
        )


def _succeed(process: subprocess.Popen[bytes]) -> None:
    status = process.wait(300)
    if status:
        raise RuntimeError(f"{process.args!r} ended in {status}")


def _requests(count: int) -> str:
    return {0: "nothing sent", 1: "1 request sent"}.get(count, f"{count} requests sent")
