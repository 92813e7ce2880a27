"""Progress on a terminal: only for what takes more than two seconds, with a rate and an estimate."""

from __future__ import annotations

import io
import os
import pty
import re
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from threading import Thread

import pytest
from support.projects import Project
from support.slow import SlowWay
from support.tenant import Tenant

from cwsync.cli import run


@contextmanager
def terminal() -> Iterator[list[bytes]]:
    """stderr is a terminal; what it was told is in the list when this ends."""
    ours, its = pty.openpty()
    told: list[bytes] = []

    def listen() -> None:
        try:
            while part := os.read(ours, 65536):
                told.append(part)
        except OSError:
            return  # the other end is closed

    listener = Thread(target=listen)
    listener.start()
    with open(its, "w", encoding="utf-8") as stderr, redirect_stderr(stderr):  # noqa: PTH123 - it is a descriptor
        yield told
    listener.join()
    os.close(ours)


def shown(project: Project, *arguments: str, seconds: float, status: int = 0) -> str:
    """What a terminal shows where each request takes so many seconds, one at a time."""
    project.replace("cwsync.yaml", "parallelism: 8", "parallelism: 1")
    with (
        chdir(project.root),
        redirect_stdout(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")),
        terminal() as told,
    ):
        assert run(arguments, SlowWay(seconds).outside) == status
    project.replace("cwsync.yaml", "parallelism: 1", "parallelism: 8")
    return re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", b"".join(told).decode())


@pytest.fixture
def applied(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    return project.applied()


def test_reading_shows_how_far_it_is_how_fast_and_how_long_still(applied: Project) -> None:
    told = shown(applied, "plan", "--refresh", "full", seconds=1)
    frames = re.findall(r"Reading .*?(\d+)/(\d+)  ([\d.]+)/s, about (\d+) s left", told)
    # Three lists, then what they led to: two integrations, a flow, a notification.
    assert frames[0] == ("2", "3", "1.0", "1")
    assert ("5", "7", "1.0", "2") in frames
    assert frames[-1] == ("7", "7", "1.0", "0")


def test_what_takes_less_than_two_seconds_shows_nothing(applied: Project) -> None:
    assert "Reading" not in shown(applied, "plan", "--refresh", "full", seconds=0.2)


@pytest.mark.parametrize("quietly", ["-q", "CI"])
def test_nobody_watches_a_build(applied: Project, quietly: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if quietly == "CI":
        monkeypatch.setenv("CI", "true")
    more = [quietly] if quietly == "-q" else []
    assert "Reading" not in shown(applied, "drift", *more, seconds=1)


def test_applying_shows_each_call_and_then_reading_again(project: Project, tenant: Tenant) -> None:
    told = shown(project, "apply", "--auto-approve", seconds=1)
    assert re.search(r"Applying .*?[1-5]/6  0\.\d/s, about \d+ s left  create \w+\.\w+", told)
    assert re.search(r"Reading again .*?\d/\d  \d\.\d/s", told)
    assert "[1/6]" not in told


def test_a_call_that_failed_is_told_beside_the_bar(project: Project, tenant: Tenant) -> None:
    tenant.fault("status", "POST", "/2/0/integrations/connections", status=400, message="No such bucket")
    told = shown(project, "apply", "--auto-approve", seconds=1, status=6)
    assert "connection.sales: create FAILED" in told
    assert "Applying" in told


def test_importing_everything_shows_how_far_it_is(applied: Project) -> None:
    for each in ("sales", "close", "nightly"):
        applied.remove(f"manifests/{each}.yaml")
    applied.remove(".cwsync/test.state.json")
    told = shown(applied, "import", "--all", "--out", "manifests", seconds=1)
    assert re.search(r"Reading .*?\d/\d  1\.0/s, about \d s left", told)
