"""How hard the property tests try: the same examples every time, and enough of them for a minute in all.

With CWSYNC_PROPERTY=full they try other examples each time, and thirty times as many.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

FULL = os.environ.get("CWSYNC_PROPERTY") == "full"
TIMES = 30 if FULL else 1

QUICK = settings(
    max_examples=100 * TIMES,
    deadline=None,
    derandomize=not FULL,
    database=None,
    suppress_health_check=tuple(HealthCheck),
)
# Each example is several runs of the program: looking for a smaller one that fails, too, would take minutes.
THOROUGH = settings(QUICK, max_examples=15 * TIMES, phases=(Phase.explicit, Phase.generate))
