"""What an enumeration counted: a value, for the tests and for the table in the README."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields

from crash.invariants import Broken


@dataclass
class Tally:
    """Counts over executions. `points` and `faults` are kinds of places and of things that went wrong, by name;
    `broken` is what an invariant had to say, beside the execution that it was said of."""

    executions: Counter[str] = field(default_factory=Counter)  # by family
    points: set[str] = field(default_factory=set)  # scenario and point
    faults: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    missed: int = 0  # executions in which the point was not reached: what ends at once shares a commit
    waiting: Counter[str] = field(
        default_factory=Counter
    )  # by code: executions that ended with a person asked
    twins: int = 0  # foreign objects that nobody could tell from ours
    disowned: int = 0  # ours, renamed by somebody before anybody knew its id
    in_flight: int = 0  # requests that had left when their run was paused
    runs: Counter[int] = field(
        default_factory=Counter
    )  # executions by the number of clean runs that they needed
    operations: int = 0  # mutations of undisturbed runs
    commits: int = 0  # store writes of undisturbed runs
    broken: list[tuple[str, Broken]] = field(default_factory=list)

    def add(self, other: Tally) -> Tally:
        for each in fields(self):
            mine, more = getattr(self, each.name), getattr(other, each.name)
            setattr(self, each.name, mine | more if isinstance(mine, set) else mine + more)
        return self

    def count_of(self, invariant: str) -> int:
        """Executions in which this invariant did not hold: "lost", "duplicate", "hijack", and so on."""
        return len({id for id, broken in self.broken if broken.invariant == invariant})

    @property
    def total(self) -> int:
        return sum(self.executions.values())

    @property
    def needs_a_person(self) -> float:
        """The part of the executions that ended with a person asked."""
        return sum(self.waiting.values()) / self.total if self.total else 0.0

    @property
    def commits_per_operation(self) -> float:
        return self.commits / self.operations if self.operations else 0.0

    def failure(self) -> str:
        """What is broken, each with the command that shows it again."""
        found: dict[str, list[str]] = {}
        for id, broken in self.broken:
            found.setdefault(id, []).append(f"{str(broken)[:300]}")
        lines = [f"{len(found)} of {self.total} executions broke an invariant"]
        for id, what in [*found.items()][:10]:
            lines += [f"CWSYNC_CRASH='{id}' pytest tests/crash", *(f"    {one}" for one in what[:3])]
        return "\n".join(lines)
