from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.clocks import Skipping
from support.projects import Project, small
from support.tenant import Tenant, served

from cwsync.cli.outside import Outside


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of what whoever runs the tests has set for cwsync, for colours, for proxies, or to be traced."""
    for name in os.environ:
        if (
            name.startswith(("CWSYNC_", "OTEL_"))
            or name.upper().endswith("_PROXY")
            or name in ("NO_COLOR", "CI", "TRACEPARENT")
        ):
            monkeypatch.delenv(name)


@pytest.fixture
def time() -> Skipping:
    """The time of `tenant` and `project`: nobody waits."""
    return Skipping()


@pytest.fixture
def tenant(time: Skipping) -> Iterator[Tenant]:
    """An empty tenant behind HTTP."""
    with served(clock=time.seconds) as tenant:
        yield tenant


@pytest.fixture
def project(tenant: Tenant, tmp_path: Path, time: Skipping) -> Project:
    """The small project, nothing of it applied."""
    return small(tenant, tmp_path, Outside(clock=time.clock))
