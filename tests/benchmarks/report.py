"""The measurements as tables."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator, Sequence

Table = Sequence[str]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def machine() -> str:
    """In general terms: what tells whether the figures may be compared, and nothing else."""
    return f"Python {platform.python_version()} on {platform.system()} with {os.cpu_count()} cores"


def load() -> str:
    """How many programs wanted a core on average of the last minute, where the system tells."""
    try:
        return f"{os.getloadavg()[0]:.1f}"
    except OSError:
        return "unknown"


def seconds(value: float) -> str:
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"


def milliseconds(value: float) -> str:
    return f"{value * 1000:.0f} ms"


def times(value: float, other: float) -> str:
    return f"{value / other:.2f}"
