from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from unit.apply.rig import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """An empty tenant, and no state yet."""
    rig = Rig(tmp_path)
    yield rig
    rig.close()
