"""Which process this is, and whether another one is certainly gone."""

from __future__ import annotations

import getpass
import os
import socket
from pathlib import Path

from cwsync.state.document import Holder


def this_process() -> Holder:
    return Holder(user=_user(), host=socket.gethostname(), process=os.getpid(), boot=_boot())


def is_gone(holder: Holder) -> bool:
    """Whether the process certainly no longer exists: it ran on this machine, since its last start, and has
    ended. False where that cannot be told."""
    here = this_process()
    if holder.boot is None or (holder.host, holder.boot) != (here.host, here.boot):
        return False
    try:
        os.kill(holder.process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # containers run under numbers that have no name
        return "somebody"


def _boot() -> str | None:
    """Which run of the kernel this is, and which numbering of processes: containers on one machine share
    the first, and each have a process 1 of their own. None where the system does not say: only Linux does.
    """
    try:
        kernel = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{kernel} {Path('/proc/self/ns/pid').readlink()}"
    except (OSError, ValueError):
        return None
