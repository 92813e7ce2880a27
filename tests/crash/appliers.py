"""Two runs on one state: one is paused at a point, another one takes its place, and then the first goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial

from crash.enumeration import Execution
from crash.invariants import Broken
from crash.stage import Bench, Stage
from crash.tally import Tally
from crash.watch import Ended, Gate, Point

from cwsync.errors import CwsyncError
from cwsync.state import Clock, Holder, unlock

# Longer than a lock lasts, and than a request takes.
_PAUSE = 200.0


def takeovers(bench: Bench) -> Iterator[Execution]:
    """The first run is paused at each point for so long that its lock runs out, or somebody takes it away; a
    second one runs from beginning to end; the first one goes on."""
    for point in bench.points:
        for how, frees in {"paused": _lets_it_run_out, "unlocked": _unlocks}.items():
            yield Execution(
                f"takeover/{bench.id}/{point}/{how}",
                (f"{point.place} {how}",),
                partial(_taken_over, point=point, frees=frees),
            )


def meetings(bench: Bench) -> Iterator[Execution]:
    """A second run comes while the first one has the lock: it is refused, and sends nothing."""
    for point in bench.points:
        if str(point) not in ("commit before lock", "commit after unlock"):
            yield Execution(f"meeting/{bench.id}/{point}", (point.place,), partial(_meets, point=point))


def _taken_over(stage: Stage, tally: Tally, *, point: Point, frees: Callable[[Stage], object]) -> bool:
    other = stage.beside()
    second: list[Ended] = []
    gates: list[Gate] = []

    def pause() -> None:
        assert stage.watcher is not None
        gates.append(stage.watcher.gate)
        frees(stage)
        second.append(stage.run(on=other))

    first = stage.run((point, stage.alone(pause)))
    if not second:
        return False
    tally.in_flight += (point.place == "send before") + _in_flight(stage, gates[0])
    _judge(stage, point, first, second[0])
    return True


def _lets_it_run_out(stage: Stage) -> None:
    stage.rig.now += _PAUSE


def _unlocks(stage: Stage) -> None:
    """As `cwsync unlock` does, at once."""
    store = stage.beside().store
    state = store.read()
    if state is not None and state.lock is not None:
        clock = Clock(
            lambda: stage.rig.now, lambda: datetime.fromtimestamp(stage.rig.now, UTC), stage.rig.sleep
        )
        held = unlock(store, state.lock.nonce, holder=Holder("me", "here", 2), clock=clock)
        held.settle()
        held.release()


def _in_flight(stage: Stage, gate: Gate) -> int:
    """Take out what is said of requests that nobody can hold back any more."""
    late = [one for one in stage.broken if one.invariant == "no intent"][: gate.left]
    stage.broken[:] = [one for one in stage.broken if one not in late]
    return len(late)


def _judge(stage: Stage, point: Point, first: Ended, second: Ended) -> None:
    """That no mutation of the first arrived afterwards is seen by the hook: it would have had no intent of its
    run. What had left before the pause cannot be held back by anybody."""
    if second.codes:
        stage.broken.append(Broken("takeover", f"the second run told {', '.join(second.codes)}"))
    began_later = str(point) == "commit before lock"
    if not first.codes and second.mutations and not began_later:
        stage.broken.append(Broken("takeover", "the first run had lost the lock, and told nothing"))


def _meets(stage: Stage, tally: Tally, *, point: Point) -> bool:
    other = stage.beside()
    codes: list[str] = []

    def comes() -> None:
        other.before = lambda request: stage.broken.append(Broken("meeting", f"it sent {request.method}"))
        try:
            other.acquire(timeout=0)
        except CwsyncError as error:
            codes.extend(problem.code for problem in error.problems)

    first = stage.run((point, comes))
    if codes != ["CW404"] and first.run is not None:
        stage.broken.append(Broken("meeting", f"a second run was not told CW404 but {codes}"))
    if first.codes:
        stage.broken.append(Broken("meeting", f"the first run was disturbed: {', '.join(first.codes)}"))
    return bool(codes)
