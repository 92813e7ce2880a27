from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

SERVER = """
from cwsync.emulator import application, serve
serve(application(users={"sdk@example.com": "right"}), "127.0.0.1", 0, lambda url: print(url, flush=True))
"""


@pytest.fixture(scope="session")
def emulator() -> Iterator[str]:
    """The address of an emulator in a process of its own, which takes one user's password only."""
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        yield running.stdout.readline().strip()
        running.terminate()
