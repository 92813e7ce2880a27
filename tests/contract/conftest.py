from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from contract.scene import CHANGED, EVERYTHING, LESS, PROFILES, Scene, tell

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


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of what whoever runs the tests has set for cwsync, for colours, or for proxies."""
    for name in os.environ:
        if name.startswith("CWSYNC_") or name.upper().endswith("_PROXY") or name in ("NO_COLOR", "CI"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def stories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Scene]:
    """By profile: everything made, everything changed, one of every kind deleted, all destroyed."""
    folder = tmp_path_factory.mktemp("stories")
    return {profile: tell(profile, folder, EVERYTHING, CHANGED, LESS) for profile in PROFILES}
