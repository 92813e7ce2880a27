"""How hard the property tests try: the same examples every time, and enough of them for a minute in all."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings

QUICK = settings(
    max_examples=100, deadline=None, derandomize=True, database=None, suppress_health_check=tuple(HealthCheck)
)
# Each example is several runs of the program: looking for a smaller one that fails, too, would take minutes.
THOROUGH = settings(QUICK, max_examples=15, phases=(Phase.explicit, Phase.generate))
