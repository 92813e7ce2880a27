from __future__ import annotations

from collections.abc import Iterator

import pytest
from unit.emulator.service import Service


@pytest.fixture
def service() -> Iterator[Service]:
    """An empty tenant in memory, with Ada Lovelace signed in."""
    service = Service().sign_in()
    yield service
    service.close()


@pytest.fixture
def page() -> Iterator[Service]:
    """An empty tenant of the documented profile, with Ada Lovelace signed in."""
    service = Service(profile="documented").sign_in()
    service.http.headers["Content-Type"] = "application/json"
    yield service
    service.close()
