"""The real program against a tenant over HTTP, killed by real signals, and what must hold afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock

from crash.gate import Death, Gate
from crash.invariants import (
    Broken,
    World,
    belonging_to,
    converged,
    intent_of,
    no_secret,
    normal,
    safe,
    sends_nothing,
    states_from,
)
from crash.mixed import DECLARED, SECRETS, Base, Scene
from crash.tally import Tally
from support.program import command

from cwsync.errors import Exit
from cwsync.state import State

APPLY = ("apply", "--auto-approve")
FAMILY = "process"
COLLEAGUE = "Grace Hopper"


@dataclass(frozen=True)
class Ended:
    """A run that is over: its status as the system has it (a signal is negative), and the mutations it sent."""

    status: int
    said: str
    mutations: int


@dataclass(frozen=True)
class Goal:
    """The tenant as an apply leaves it that nothing disturbs, and what that took."""

    normal: Sequence[str]
    mutations: int
    requests: int
    commits: int


class Runs:
    """Runs of cwsync in one scene, and what is found out about them."""

    def __init__(self, scene: Scene, gate: Gate) -> None:
        self.scene = scene
        self.gate = gate
        self.tally = Tally()
        self.broken: list[Broken] = []
        self.struck = 0
        self._foreign = belonging_to(scene.tenant.snapshot(), COLLEAGUE)
        self._states = states_from([self._document()])
        self._one_at_a_time = Lock()

    def run(self, death: Death | None = None, *arguments: str) -> Ended:
        """One run, as a process of its own. Where it reaches the death's request, that happens to it."""
        began: Future[subprocess.Popen[bytes]] = Future()
        self.gate.arm(death, lambda: self._strike(began.result(), death))
        with (self.scene.folder / "said").open("wb+") as said:
            process = self.start(said.fileno(), *arguments)
            began.set_result(process)
            status = process.wait(timeout=300)
            self.gate.wait_until_idle()
            said.seek(0)
            ended = Ended(status, said.read().decode(), self.gate.counts["mutation"])
        self.broken += safe(self.world())
        self.broken += no_secret("what it said", ended.said, SECRETS.values())
        self.broken += no_secret("the state", self._document(), SECRETS.values())
        return ended

    def start(self, output: int, *arguments: str) -> subprocess.Popen[bytes]:
        return start(self.scene.root, output, *APPLY, *arguments, environ=self.scene.site.environ)

    def _strike(self, process: subprocess.Popen[bytes], death: Death | None) -> None:
        assert death is not None
        self.struck += 1
        process.send_signal(death.signal)
        if death.signal is signal.SIGKILL:
            process.wait()

    def _document(self) -> bytes:
        found = self.scene.site.document()
        assert found is not None
        return found

    def look(self) -> State:
        """The state as it is stored now, which is kept with those that were seen before."""
        with self._one_at_a_time:
            (now,) = states_from([self._document()])
            if now.identity != self._states[-1].identity:
                self._states.append(now)
            return now

    def world(self) -> World:
        self.look()
        return World(self.scene.tenant.snapshot(), tuple(self._states), self._foreign)

    def normal(self) -> list[str]:
        return normal(self.scene.tenant.snapshot(), self._foreign)

    def asked(self, method: str, path: str, body: bytes) -> None:
        """A mutation arrives: its intent must be in the store (R1)."""
        if intent_of(method, path, body, self.look(), self.scene.tenant.snapshot) is None:
            self.broken.append(Broken("intent", f"{method} {path} was sent and no intent was stored"))

    def die(self, death: Death) -> None:
        """A run that this happens to, if it comes so far: it is killed at once, or ends in good order."""
        before = self.struck
        ended = self.run(death)
        if self.struck == before:
            self.tally.missed += 1
            return
        wanted = -signal.SIGKILL if death.signal is signal.SIGKILL else Exit.INTERRUPTED
        if ended.status != wanted:
            self.broken.append(Broken("status", f"{death}: it ended in {ended.status}: {ended.said}"))
        left = self.look()
        if death.signal is not signal.SIGKILL and (left.pending or left.lock):
            self.broken.append(Broken("status", f"{death}: something was left pending, or locked"))

    def come_to_the_end(self, goal: Goal) -> None:
        """Two clean runs at most lead to what the manifests say, and one more sends nothing."""
        ended = self.run()
        again = ended.status not in (Exit.OK, Exit.NEEDS_PERSON)
        if again:
            ended = self.run()
        self.tally.runs[1 + again] += 1
        if ended.status == Exit.NEEDS_PERSON:
            self.tally.waiting["CW605"] += 1
            return
        last = self.run()
        if (ended.status, last.status) != (Exit.OK, Exit.OK):
            self.broken.append(
                Broken("stuck", f"it ended in {ended.status} and {last.status}: {ended.said}{last.said}")
            )
        self.broken += sends_nothing([f"{last.mutations} mutations"] if last.mutations else [])
        self.broken += converged(self.world(), goal.normal, DECLARED)

    def counted(self, family: str, deaths: Sequence[Death]) -> Tally:
        """What this execution adds to the table."""
        id = id_of(deaths, self.scene.store, family)
        self.tally.executions[family] += 1
        self.tally.points |= {f"{family} {death}" for death in deaths[:1]}
        self.tally.faults.update(death.signal.name for death in deaths)
        self.tally.broken += [(id, broken) for broken in dict.fromkeys(self.broken)]
        return self.tally


def id_of(deaths: Sequence[Death], store: str, family: str = FAMILY) -> str:
    return f"{family}/{store}/{', '.join(map(str, deaths))}"


def start(
    root: Path, output: int, *arguments: str, environ: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """A command in a process of its own, and a process group, which nothing waits for."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("CWSYNC_", "AWS_"))}
    return subprocess.Popen(
        command(*arguments), cwd=root, env={**ours, **(environ or {})}, stdin=subprocess.DEVNULL,
        stdout=output, stderr=output, start_new_session=True,
    )  # fmt: skip


def paused(base: Base, folder: Path, goal: Goal, number: int) -> Tally:
    """A run is stopped at a mutation, another takes its lock over, and the first wakes up: it must change nothing
    any more. That takes three minutes of waiting."""
    with runs(base, folder) as those, (folder / "said-first").open("wb") as said:
        began: Future[subprocess.Popen[bytes]] = Future()
        stopped = Event()

        def strike() -> None:
            those.scene.site.stop(began.result())
            stopped.set()

        death = Death(number, signal=signal.SIGSTOP)
        those.gate.arm(death, strike)
        first = those.start(said.fileno())
        began.set_result(first)
        assert stopped.wait(60)
        those.gate.wait_until_idle()
        second = those.run(None, "--lock-timeout", "150")
        before = those.normal()
        those.gate.arm(None)
        first.send_signal(signal.SIGCONT)
        status = first.wait(120)
        those.gate.wait_until_idle()
        # What had left when it was stopped, or was leaving, nobody can call back: the service knows no fence.
        those.tally.in_flight += those.gate.counts["mutation"]
        if second.status != Exit.OK or status == Exit.OK:
            those.broken.append(
                Broken("fence", f"the second ended in {second.status}, the first in {status}")
            )
        if those.normal() != before:
            those.broken.append(Broken("fence", "the run that woke up changed something"))
        those.come_to_the_end(goal)
        return those.counted("pause", [death])


@contextmanager
def runs(base: Base, folder: Path) -> Iterator[Runs]:
    """A copy of the base, in which nothing has run yet."""
    gate = Gate()
    with base.copied(folder, gate.before, gate.write) as scene:
        those = Runs(scene, gate)
        gate.asked = those.asked
        yield those


def undisturbed(base: Base, folder: Path) -> Goal:
    with runs(base, folder) as fresh:
        before = fresh.look().serial
        ended = fresh.run()
        assert ended.status == Exit.OK, ended.said
        assert not fresh.broken, fresh.broken
        commits = fresh.look().serial - before
        return Goal(fresh.normal(), ended.mutations, fresh.gate.counts["request"], commits)


def execute(base: Base, folder: Path, goal: Goal, deaths: Sequence[Death]) -> Tally:
    """Die these deaths, one a run, and then come to the end."""
    with runs(base, folder) as those:
        for death in deaths:
            those.die(death)
        those.come_to_the_end(goal)
        return those.counted(FAMILY, deaths)


def side_by_side(
    base: Base, folder: Path, goal: Goal, all_deaths: Iterable[Sequence[Death]], lanes: int
) -> Tally:
    """Execute all, several at a time: most of the time they wait for what a killed run may have under way."""

    def one(numbered: tuple[int, Sequence[Death]]) -> Tally:
        number, deaths = numbered
        return execute(base, folder / f"execution-{number}", goal, deaths)

    tally = Tally(operations=goal.mutations, commits=goal.commits)
    with ThreadPoolExecutor(lanes) as pool:
        for each in pool.map(one, enumerate(all_deaths)):
            tally.add(each)
    return tally
