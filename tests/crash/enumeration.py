"""Executions: what can go wrong in a scenario, one after the other, counted.

CWSYNC_CRASH chooses: without it a sample that has every kind of place and every fault in every scenario;
"full" takes all, in every store; anything else is an execution's id, or a pattern with * that fits several.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path

from crash.invariants import Broken
from crash.keeping import KEEPERS, Keeper
from crash.scenarios import SCENARIOS
from crash.stage import Bench, Stage
from crash.tally import Tally

VARIABLE = "CWSYNC_CRASH"
_PATIENCE = 5


@dataclass(frozen=True)
class Execution:
    """One thing that goes wrong. `id` is its family, its store, its scenario and what happens where. Of each
    stratum a sample takes some. `act` makes the disturbed runs; False says that its point was not reached, None
    that it cannot happen there."""

    id: str
    strata: tuple[str, ...]
    act: Callable[[Stage, Tally], bool | None]


Family = Callable[[Bench], Iterable[Execution]]


class Choice:
    """Which of the executions are carried out: all, those that are wished for, or of every stratum `each`, in the
    order of their ids' hashes. Some cannot happen where they are listed; then the next one of the stratum is
    taken, a few times."""

    def __init__(self, each: int, wish: str | None) -> None:
        self._each = each
        self._wish = wish or None
        self._had: Counter[str] = Counter()
        self._tried: Counter[str] = Counter()

    def ordered(self, executions: Iterable[Execution]) -> list[Execution]:
        if self._wish:
            return [*executions]
        return sorted(executions, key=lambda one: sha256(one.id.encode()).digest())

    def wants(self, one: Execution) -> bool:
        if self._wish:
            return self._wish in ("full", one.id) or fnmatchcase(one.id, self._wish)
        return any(
            self._had[stratum] < self._each and self._tried[stratum] < self._each + _PATIENCE
            for stratum in one.strata
        )

    def tried(self, one: Execution, *, happened: bool) -> None:
        self._tried.update(one.strata)
        if happened:
            self._had.update(one.strata)


def carry_out(bench: Bench, one: Execution, tally: Tally) -> bool:
    """Whether it could happen there. What came of it is in the tally."""
    reached: bool | None = True
    with bench.stage(one.id) as stage:
        try:
            reached = one.act(stage, tally)
            if reached is not None:
                stage.finish()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding, and the others go on
            stage.broken.append(Broken("defect", f"{type(error).__name__}: {error}"))
        tally.broken += [(one.id, broken) for broken in dict.fromkeys(stage.broken)]
    if reached is None:
        return False
    tally.executions[one.id.partition("/")[0]] += 1
    tally.missed += not reached
    tally.runs[stage.clean_runs] += 1
    tally.waiting.update(stage.codes[:1])
    return True


def enumerated(
    folder: Path,
    scenario: str,
    families: Mapping[str, tuple[Family, int]],
    store: str = "memory",
    keeper: Keeper | None = None,
) -> Tally:
    """Carry out the executions of these families in one scenario with its state in one sort of store, each with
    how many of a stratum are a sample. What comes of it is a value: see `Tally.broken`."""
    wish = os.environ.get(VARIABLE)
    if wish and wish != "full":
        wanted = [*wish.split("/"), "*", "*"]
        if not (fnmatchcase(store, wanted[1]) and fnmatchcase(scenario, wanted[2])):
            return Tally()
    bench = Bench(folder, SCENARIOS[scenario], store, keeper or KEEPERS[store])
    tally = Tally(operations=bench.operations, commits=bench.commits)
    for family, each in families.values():
        choice = Choice(each, wish)
        for one in choice.ordered(family(bench)):
            if choice.wants(one):
                choice.tried(one, happened=carry_out(bench, one, tally))
    return tally
