from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.postgres import Postgres, serving


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server, for as long as the tests run."""
    with serving() as server:
        yield server
