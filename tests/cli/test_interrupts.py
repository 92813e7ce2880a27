"""Ctrl-C where nothing is to be waited for, and what is told of what was done, whatever comes after it."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pytest
from support.clocks import Skipping
from support.program import cwsync_begun
from support.projects import Project, small
from support.tenant import Tenant, served

from cwsync.cli.outside import Outside
from cwsync.errors import fail
from cwsync.state import State, Store

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

STATE = ".cwsync/test.state.json"
CONNECTIONS, FLOWS = "/2/0/integrations/connections", "/2/0/integrationflows"
A_MINUTE = {"status": 429, "retryAfter": 60}


@dataclass
class Watched:
    """Stands before the emulator, and tells when a path has been read so often."""

    path: str
    times: int
    came: Event = field(default_factory=Event)

    def __call__(self, app: WSGIApplication) -> WSGIApplication:
        def watching(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            if (environ["REQUEST_METHOD"], environ["PATH_INFO"]) == ("GET", self.path):
                self.times -= 1
                if self.times == 0:
                    self.came.set()
            return app(environ, start_response)

        return watching


def interrupted(
    project: Project, watched: Watched, number: signal.Signals, *arguments: str
) -> tuple[int, str, str]:
    """The status and the output of a command that gets a signal once that has been read."""
    with cwsync_begun(*arguments, folder=project.root) as running:
        assert watched.came.wait(30)
        running.send_signal(number)
        out, err = running.communicate(timeout=20)  # a third of what the service asked to wait
    assert "Traceback" not in out + err
    return running.returncode, out, err


@pytest.mark.parametrize("name", ["plan", "drift"])
def test_an_interrupt_does_not_wait_to_read_again(name: str, tmp_path: Path) -> None:
    watched = Watched(FLOWS, 1)
    with served(around=watched) as tenant:
        project = small(tenant, tmp_path)
        _known(project, tenant)
        watched.came.clear()
        watched.times = 1
        tenant.fault("status", "GET", FLOWS, **A_MINUTE)
        status, out, err = interrupted(project, watched, signal.SIGINT, name)
    assert (status, out) == (130, "")
    assert "CW604 interrupted" in err


def _known(project: Project, tenant: Tenant) -> None:
    project.applied()
    assert tenant.names("flows")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_was_applied_is_told_although_it_is_not_read_again(
    number: signal.Signals, tmp_path: Path
) -> None:
    watched = Watched(CONNECTIONS, 2)  # once for the plan, and once when all is done
    with served(around=watched) as tenant:
        project = small(tenant, tmp_path)
        tenant.fault("status", "GET", CONNECTIONS, nth=2, **A_MINUTE)
        status, out, _ = interrupted(project, watched, number, "apply", "--auto-approve")
        tenant.mend()
        assert status == 130
        assert "Resources: 6 added" in out
        assert "CW604 interrupted: what was done is in the state, and was not read again" in out
        state = json.loads(project.read(STATE))
        assert (state["lock"], state["pending"], len(state["resources"])) == (None, {}, 6)
        assert "No changes." in project.run("plan").out


@dataclass
class WithoutDates:
    """A store that takes everything but the dates of what was read again."""

    inner: Store
    refused: int = 0

    def read(self) -> State | None:
        return self.inner.read()

    def raw(self) -> bytes | None:
        return self.inner.raw()

    def describe(self) -> str:
        return self.inner.describe()

    def commit(self, old: State | None, new: State) -> State:
        if any(entry.seen for entry in new.resources.values()):
            self.refused += 1
            raise fail("CW401", "the disk is full")
        return self.inner.commit(old, new)


@pytest.mark.parametrize("how", ["text", "json"])
def test_what_was_applied_is_told_although_its_dates_cannot_be_kept(
    how: str, project: Project, time: Skipping
) -> None:
    stores: list[WithoutDates] = []

    def around(store: Store) -> Store:
        stores.append(WithoutDates(store))
        return stores[-1]

    unwilling = replace(project, outside=Outside(clock=time.clock, around=around))
    ran = unwilling.run("apply", "--auto-approve", "--format", how)
    assert ran.status == 0, ran.all
    assert sum(store.refused for store in stores) > 0
    told: Callable[[], int] = {
        "text": lambda: ran.out.count(": created ("),
        "json": lambda: len(json.loads(ran.out)["applied"]),
    }[how]
    assert told() == 6
    assert "No changes." in project.run("plan").out
