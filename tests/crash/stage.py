"""A scenario, set up once and staged again for every execution, in which something happens at one point."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from crash.invariants import (
    Broken,
    Key,
    World,
    belonging_to,
    content,
    ended,
    name_of,
    no_secret,
    normal,
    objects,
    safe,
    sends_nothing,
    what_was_touched_is_read_again,
)
from crash.keeping import InMemory, Keeper, Shelf
from crash.scenarios import Scenario
from crash.watch import NEEDLES, Action, Ended, Point, Trap, Watcher
from unit.apply.rig import NOW, Killed, Rig, WatchedStore

from cwsync.errors import CwsyncError
from cwsync.kinds import same_id
from cwsync.report.document import apply_json, plan_json
from cwsync.report.plan import plan_text
from cwsync.state import Intent, State, Timing, from_json, to_json

NAMED = ("connection", "integration", "flow")
COLLEAGUE = "Grace Hopper"
US = "ci@example.com"
# A request of a run that is gone may still arrive for as long as a request takes.
AFTERMATH = 61.0


class Stage:
    """One execution: a tenant and a state as the scenario has them, and runs upon them."""

    def __init__(self, id: str, bench: Bench, rig: Rig, shelf: Shelf) -> None:
        self.id = id
        self.bench = bench
        self.rig = rig
        self.shelf = shelf
        self.foreign: dict[Key, str] = dict(bench.foreign)
        self.twins: set[Key] = set()  # somebody else's, and nobody can tell them from ours
        self.disowned = 0
        self.open = False  # whether nobody knows the end of what is at hand when somebody changes it
        self.pending_then: list[Intent] = []  # when the disturbed run had ended
        self.desired = rig.desired(bench.scenario.after)
        self.explained: list[str] = []
        # A field as a person left it, which the next run must leave.
        self.edited: dict[Key, tuple[str, Any]] = {}
        self.undo: Action | None = None  # what a person does who is asked
        self.broken: list[Broken] = []
        self.clean_runs = 0
        self.codes: list[str] = []
        self.watcher: Watcher | None = None
        self.on_watch: Callable[[Watcher], object] | None = None
        self.after_death: Action | None = None
        self._states: list[State] = [self.state]

    def run(self, *traps: Trap, on: Rig | None = None) -> Ended:
        """One run to its end, whichever that is. What must hold at every moment must hold then."""
        rig = on or self.rig
        self._open(rig)
        begun = len(rig.tenant.mutations())
        outer, self.watcher = self.watcher, Watcher(rig, self.shelf.look, self.broken, traps)
        watcher = self.watcher
        if self.on_watch is not None:
            self.on_watch(watcher)
        run, error = None, None
        try:
            run = rig.apply(self.bench.scenario.after, progress=watcher.told)
        except Killed:
            if self.after_death is not None:
                self.after_death()
        except CwsyncError as refused:
            error = refused
        watcher.off()
        self.watcher = outer
        self.pending_then = [*self.state.pending.values()]
        rig.tenant.mend()
        self.look()
        done = Ended(run, error, tuple(watcher.points), tuple(rig.tenant.mutations()[begun:]))
        for problem in (*(run.result.problems if run else ()), *(error.problems if error else ())):
            self.broken += no_secret("a message", str(problem), NEEDLES)
        return done

    def beside(self) -> Rig:
        """Another machine, with a way to the state of its own."""
        other = self.rig.beside()
        self._open(other)
        return other

    def _open(self, rig: Rig) -> None:
        assert isinstance(rig.store, WatchedStore)
        rig.store.inner = self.shelf.open(rig.sleep)

    @property
    def state(self) -> State:
        """What is stored."""
        found = self.shelf.look.read()
        assert found is not None
        return found

    @property
    def bound(self) -> set[Key]:
        return {(one.kind, same_id(one.id)) for one in self.state.resources.values()}

    def forget(self, *keys: Key) -> None:
        """These are gone, as whoever owned them wanted."""
        there = objects(self.rig.tenant.snapshot())
        self.twins -= {*keys}
        self.foreign = {key: was for key, was in self.foreign.items() if key in there}

    def look(self) -> None:
        """What must hold at every moment."""
        self.broken += safe(self.world())

    def world(self) -> World:
        assert isinstance(self.rig.store, WatchedStore)
        requests = self.rig.tenant.requests()
        states = [*self._states, *self.rig.store.commits]
        if self.state.identity != states[-1].identity:
            states.append(self.state)
        snapshot = self.rig.tenant.snapshot()
        there, bound = objects(snapshot), self.bound
        twins = {key: content(there[key]) for key in self.twins - bound if key in there}
        return World(snapshot, states, self.foreign | twins, requests)

    def finish(self) -> None:
        """At most two clean runs; then it has converged or a person is asked, and one more changes nothing.

        Once the person has done what can be done about it, it converges as well.
        """
        done = self._settle()
        self.codes = sorted(set(done.codes))
        if self.codes and self.undo is not None:
            self.undo()
            self.explained.clear()
            self.broken += [
                Broken("stuck", f"although a person has mended it, there is still a {code}")
                for code in self._settle().codes
            ]

    def _settle(self) -> Ended:
        for number in (1, 2):
            self.clean_runs = number
            done = self.run()
            if number == 1:
                self._as_left()
                self.rig.now += AFTERMATH
            missing = self._missing(done)
            if not done.codes and not missing:
                break
        self.broken += missing
        if not missing:
            self.broken += sends_nothing(self.run().mutations)
        return done

    def _as_left(self) -> None:
        there = objects(self.rig.tenant.snapshot())
        for key, (name, value) in self.edited.items():
            each = there.get(key, {})
            if {**each, **each.get("body", {})}.get(name) != value:
                self.broken.append(
                    Broken(
                        "overwritten",
                        f"{name} of the {key[0]} {key[1][:8]}, which a person had changed while its operation was open",
                    )
                )
        self.edited.clear()

    def _missing(self, done: Ended) -> list[Broken]:
        goal, declared = self.bench.goal, self.bench.scenario.declared
        missing = ended(self.world(), done.codes, goal, declared, self.explained)
        # Whoever made a twin is told of its runs.
        return [one for one in missing if not (self.twins & self.bound and '["notification"' in one.what)]

    def alone(self, action: Action) -> Action:
        """The action, to be done at a point while the run stands still."""

        def act() -> None:
            assert self.watcher is not None
            self.watcher.alone(action)

        return act

    def kill(self) -> None:
        """To be done at a point: all threads of the run end with it."""
        self.rig.die()
        assert isinstance(self.rig.store, WatchedStore)
        self.rig.store.before = _killed
        raise Killed

    def edit(self, action: str, kind: str, by: str = COLLEAGUE, **which: Any) -> Key:
        """A change by somebody; what it was made to."""
        id: str = self.rig.tenant._post("edit", {"by": by, "action": action, "kind": kind, **which})["ids"][0]
        return kind, same_id(id)

    def disown(self, *keys: Key) -> None:
        """These are somebody else's from now on, as they are now; with what the service made beside them."""
        there = objects(self.rig.tenant.snapshot())
        owners = {id for _, id in keys}
        parts = {
            key
            for key, each in there.items()
            if same_id(str(each.get("integrationId", ""))) in owners and key[0] == "notification"
        }
        self.foreign |= {key: content(there[key]) for key in (*keys, *parts)}


class Bench:
    """A scenario made ready: its tenant in a file to copy, its state, its goal, and the points of its run. `store`
    is the name of that which `keeper` keeps the state in."""

    def __init__(
        self, folder: Path, scenario: Scenario, store: str = "memory", keeper: Keeper = InMemory
    ) -> None:
        self.id = f"{store}/{scenario.name}"
        self.scenario = scenario
        self._keeper = keeper
        self._folder = folder
        self._numbers = count()
        self._base = folder / f"{scenario.name}.db"
        self.foreign: dict[Key, str] = {}
        rig = Rig(_made(folder / scenario.name), data=self._base)
        _people_it(rig)
        if scenario.before:
            run = rig.apply(scenario.before)
            assert run.codes == []
            assert rig.mutations_of(lambda: rig.apply(scenario.before)) == []
        else:
            rig.acquire().release()
        self.foreign = belonging_to(rig.tenant.snapshot(), COLLEAGUE)
        self._state = to_json(rig.state)
        rig.close()
        self._learn()

    def _learn(self) -> None:
        self.goal: list[str] = []
        self.made: dict[tuple[str, str], str] = {}  # by kind and name, what is there in the end
        with self.stage("undisturbed") as stage:
            done = stage.run()
            assert done.run is not None
            assert done.codes == [], done.codes
            if self.scenario.declared:  # of what is gone there is nothing to read
                assert not [*what_was_touched_is_read_again(stage.rig.tenant.requests())]
            for text in (plan_text(done.run.plan, color=False, verbose=True), plan_json(done.run.plan)):
                assert not [*no_secret("the plan", text, NEEDLES)]
            assert not [*no_secret("the result", apply_json(done.run.result), NEEDLES)]
            self.points = done.points
            snapshot = stage.world().snapshot
            self.goal = normal(snapshot, stage.foreign)
            self.made = _with_names(snapshot)
            self.operations = len(done.mutations)
            assert isinstance(stage.rig.store, WatchedStore)
            self.commits = len(stage.rig.store.commits)
            stage.finish()
            assert stage.broken == [], [str(one) for one in stage.broken]

    @contextmanager
    def stage(self, id: str) -> Iterator[Stage]:
        folder = _made(self._folder / f"{self.scenario.name}-{next(self._numbers)}")
        data = folder / "tenant.db"
        shutil.copyfile(self._base, data)
        shelf = self._keeper(folder, from_json(self._state, "the state of the scenario"))
        rig = Rig(folder, store=WatchedStore(shelf.look), data=data)
        rig.now, rig.timing = NOW + 3600, Timing(poll=30)
        try:
            yield Stage(id, self, rig, shelf)
        finally:
            rig.close()
            shutil.rmtree(folder)

    def at(self, *places: str) -> list[Point]:
        """The points at these places, in the order of the run."""
        return [point for point in self.points if point.place.startswith(places)]


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _people_it(rig: Rig) -> None:
    """Somebody else's objects, one of each kind, with a schedule and a notification."""
    edit = rig.tenant.edit
    secrets = {"accessKeyId": "theirs", "secretAccessKey": "theirs"}
    body = {"name": "Theirs", "bucketName": "theirs", **secrets}
    edit("create", "connection", body={"type": "AmazonS3", "body": body})
    theirs = edit("create", "integration", body={"name": "Theirs", "version": "2.0", "processId": "118"})
    edit("create", "schedule", id=theirs, body={"name": "s", "type": "daily", "time": "10:00"})
    edit("create", "flow", body={"name": "Theirs", "steps": [{"referrer": theirs}]})


def _killed(_state: State) -> None:
    raise Killed


def _with_names(snapshot: dict[str, Any]) -> dict[tuple[str, str], str]:
    """Each object as JSON with names in place of ids, which differ from run to run: "<connection Sales>"."""
    named = {key: each for key, each in objects(snapshot).items() if key[0] in NAMED}
    made = {(kind, name_of(each)): content(each) for (kind, _), each in named.items()}
    for (kind, id), each in named.items():
        made = {key: text.replace(id, f"<{kind} {name_of(each)}>") for key, text in made.items()}
    return made
