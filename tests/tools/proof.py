"""What is proved about crashes, as tables: `make proof` measures, prints, and writes them into README.md.

`SIZE=small` takes a little of everything and only prints; `SIZE=sample` takes some of every sort of thing that can
go wrong, in every scenario, and the full size all of it, which takes an hour and more.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

from crash import appliers, foreign, kills, stores
from crash.deaths import at_mutations, at_reads, interrupted, twice
from crash.enumeration import VARIABLE, enumerated
from crash.mixed import Base
from crash.process import paused, side_by_side, undisturbed
from crash.scenarios import SCENARIOS
from crash.tally import Tally
from tools.comparison import Count, Program, all_killed, cwsync, terraform_locally, terraform_remotely
from tools.incidents import edited, unprotected
from tools.incidents import paused as paused_and_woken
from tools.readme import README, replaced
from tools.terraform import version

LANES = 8
SIZES = ("small", "sample", "full")
# Of every stratum of each family, and of each sort of death of a real process.
_SOME = {"small": (1, 3), "sample": (3, 20), "full": (1, None)}
_NAMED = ("lost", "duplicate", "hijack")
_PROGRAMS: dict[str, Program] = {
    "Terraform {version}, state in a file": terraform_locally,
    "Terraform {version}, state behind HTTP": terraform_remotely,
    "cwsync": cwsync,
}
_FAMILIES = {
    "memory": (
        kills.single,
        kills.pairs,
        kills.faults,
        kills.faults_and_kills,
        kills.kills_while_finding_out,
        foreign.events,
        appliers.takeovers,
        appliers.meetings,
        stores.failures,
    ),
    "local": (stores.files,),
    "bucket": (stores.on_the_way, stores.writes),
}
_INCIDENTS = {
    "A plan is saved, a colleague changes an object that it changes, and the plan is applied": edited,
    "An object may not be deleted (`prevent_destroy`), its block is deleted, and that is applied": unprotected,
    "A run is paused, another one waits 150 s for it, and the first wakes up": paused_and_woken,
}


def in_one_process(folder: Path, size: str) -> Tally:
    """The engine inside one process, with a clock of its own: every place, every fault, every event."""
    os.environ.pop(VARIABLE, None)
    if size == "full":
        os.environ[VARIABLE] = "full"
    scenarios = [*SCENARIOS][: 1 if size == "small" else None]
    tally = Tally()
    with ProcessPoolExecutor() as pool:
        for each in pool.map(partial(_scenario, folder, size), scenarios):
            tally.add(each)
    return tally


def _scenario(folder: Path, size: str, name: str) -> Tally:
    some, _ = _SOME[size]
    tally = Tally()
    for store, families in _FAMILIES.items():
        (folder / store / name).mkdir(parents=True)
        given = {each.__name__: (each, some) for each in families[: 1 if size == "small" else None]}
        tally.add(enumerated(folder / store / name, name, given, store))
    return tally


def processes(folder: Path, size: str) -> Tally:
    """The real program, killed by the system: at every request, again while it recovers, interrupted, paused."""
    folder.mkdir()
    base = Base(folder / "base").build()
    goal = undisturbed(base, folder / "undisturbed")
    _, some = _SOME[size]
    deaths = [one for sort in (at_mutations, at_reads, twice, interrupted) for one in sort(goal, some)]
    tally = side_by_side(base, folder, goal, deaths, LANES)
    for number in (3, goal.mutations // 2, goal.mutations - 5) if size == "full" else ():
        tally.add(paused(base, folder / f"paused-{number}", goal, number))
    return tally


def of_kills(inside: Tally, outside: Tally) -> Iterator[str]:
    yield "| | in one process, with a clock of its own | the real program over HTTP, and real signals |"
    yield "|---|---|---|"
    rows: dict[str, Callable[[Tally], str]] = {
        "places where it was killed or something went wrong": lambda one: f"{len(one.points):,}",
        "sorts of faults, signals and other people's edits": lambda one: (
            f"{len(one.faults) + len(one.events)}"
        ),
        "executions": lambda one: f"{one.total:,}",
        "objects of ours that nothing knows of (orphans)": lambda one: f"{one.count_of('lost')}",
        "objects made twice (duplicates)": lambda one: f"{one.count_of('duplicate')}",
        "objects of others changed, deleted or taken over (hijacks)": lambda one: f"{one.count_of('hijack')}",
        "anything else that must not be": lambda one: (
            f"{len({i for i, b in one.broken if b.invariant not in _NAMED})}"
        ),
        "a person had to be asked": lambda one: f"{one.needs_a_person:.1%}",
        "writes of the state for each operation": lambda one: f"{one.commits_per_operation:.2f}",
    }
    for row, value in rows.items():
        yield f"| {row} | {value(inside)} | {value(outside)} |"


def compared(folder: Path, terraform: str, *, small: bool) -> Iterator[str]:
    """The same with Terraform: a row for each question, a column for each program."""
    counts = [
        all_killed(program, folder / f"killed-{number}", 10 if small else 2, LANES)
        for number, program in enumerate(_PROGRAMS.values())
    ]
    yield "| | " + " | ".join(name.format(version=terraform) for name in _PROGRAMS) + " |"
    yield "|---" * (1 + len(_PROGRAMS)) + "|"
    for row, value in _ROWS.items():
        yield f"| {row} | " + " | ".join(map(value, counts)) + " |"
    for number, (row, incident) in enumerate(_INCIDENTS.items()):
        if small and incident is paused_and_woken:
            continue
        with ThreadPoolExecutor(len(_PROGRAMS)) as pool:
            folders = [folder / f"incident-{number}-{each}" for each in range(len(_PROGRAMS))]
            yield f"| {row} | " + " | ".join(pool.map(incident, _PROGRAMS.values(), folders)) + " |"


_ROWS: dict[str, Callable[[Count], str]] = {
    "Killed while it makes 30 objects, before and after the effect of requests": lambda one: (
        f"{one.kills} times"
    ),
    "Right after it: objects that exist and that its state does not know, for each kill": lambda one: _each(
        one, one.unknown
    ),
    "Right after it: objects that its state takes for made and that do not exist": lambda one: _each(
        one, one.phantoms
    ),
    "The next run stops at the dead one's lock until a person unlocks": lambda one: _of(one, one.locked),
    "The next run (after unlocking) ends in an error": lambda one: _of(one, one.failed),
    "After it: objects that exist and that its state does not know": lambda one: _each(one, one.left),
    "After it: objects that are still missing": lambda one: _each(one, one.missing),
    "All is right after that run": lambda one: _of(one, one.converged),
}


def _each(one: Count, sum_of: int) -> str:
    return f"{sum_of / max(one.kills, 1):.1f}" if sum_of else "0"


def _of(one: Count, count: int) -> str:
    return f"{count} of {one.kills}"


def machine() -> str:
    """In general terms: what tells whether the figures may be compared, and nothing else."""
    return f"Python {platform.python_version()} on {platform.system()} with {os.cpu_count()} cores"


def written(text: str, tables: dict[str, Sequence[str]]) -> str:
    """The README with these tables; those that were not measured stay as they are."""
    return replaced(text, "make proof", tables)


def main(size: str = "full", *tables: str) -> int:
    if size not in SIZES or not set(tables) <= {"kills", "terraform"}:
        print("usage: make proof [SIZE=small|sample|full] [TABLES=kills|terraform]", file=sys.stderr)
        return 2
    small, broken = size == "small", Tally()
    measured: dict[str, Sequence[str]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        if "kills" in tables or not tables:
            inside = in_one_process(Path(temporary, "inside"), size)
            outside = processes(Path(temporary, "outside"), size)
            how = f"Measured by `make proof SIZE={size} TABLES=kills` with {machine()}."
            measured["kills"] = [*of_kills(inside, outside), "", how]
            broken.add(inside).add(outside)
        terraform = version()
        if terraform is None:
            print("Terraform is not installed here, so its table stays as it is")
        elif "terraform" in tables or not tables:
            measured["terraform"] = [*compared(Path(temporary), terraform, small=small)]
    for table in measured.values():
        print(*table, "", sep="\n")
    if not small:
        README.write_text(written(README.read_text(encoding="utf-8"), measured), encoding="utf-8")
    if broken.broken:
        print(broken.failure(), file=sys.stderr)
    return 1 if broken.broken else 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
