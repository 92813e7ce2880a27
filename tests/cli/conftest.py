from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.projects import Project, small
from support.tenant import Tenant, served


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
def tenant() -> Iterator[Tenant]:
    """An empty tenant behind HTTP."""
    with served() as tenant:
        yield tenant


@pytest.fixture
def project(tenant: Tenant, tmp_path: Path) -> Project:
    """The small project, nothing of it applied."""
    return small(tenant, tmp_path)
