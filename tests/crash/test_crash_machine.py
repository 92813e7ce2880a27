"""Anything in any order: a machine that edits, plans, applies, breaks, kills, and changes things behind our back.

It drives the real command line in this process, because what an apply is composed of (the lock, the
resolution of what is pending, the saved plan's checks, the exit status) is as much at stake as each part.
`cwsync.cli.outside` gives it the time, the way to the tenant and to the state, so a run can be killed at
either port, waits cost nothing, and a command takes some 30 ms. The state is in a file, or in a bucket.

After each command: the invariants of `crash.invariants`, an exit status and codes that fit what has
happened, and no secret anywhere. At the end the troubles are over, what stands in the way is taken away,
and two applies make everything as declared, unless a person must decide. `CWSYNC_CRASH=full` tries far more.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from crash.invariants import Key, World, no_secret, safe, sends_nothing, states_from, waits_for_a_person
from crash.machine_ends import codes, excuses, has_these_secrets, holds, is_as_made_afresh, named_like_ours
from crash.machine_model import IDS, KINDS, LONG, UNDER_TROUBLE, Saved
from crash.machine_outside import Place, Run, Trouble
from crash.machine_people import People
from crash.machine_project import (
    NEEDLE,
    Edit,
    edited,
    rekeyed_one,
    write_manifest,
    write_secrets,
    write_settings,
)
from crash.machine_steps import Happening, Step, size, steps, wished
from crash.sites import OPENS, Opens, in_database, in_file
from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from property.worlds import Resources, projects

from cwsync.state import State


class Machine(RuleBasedStateMachine):
    opens: Opens = staticmethod(in_file)

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.place = Place(Path(self.folder.name), self._meddle, self.opens)
        self.people = People(self.place)
        self.declared: Resources = {}
        self.version = 0
        self.numbers = iter(range(10**6))
        self.quiet = False  # whether nothing has happened since an apply that made everything as declared
        self.well = False  # whether the last step ended
        write_settings(self.place.root, self.place.site.setting)
        write_secrets(self.place.root, self.version)

    @initialize(resources=projects(), applied=st.sampled_from((True, True, False)))
    def begin(self, resources: Resources, applied: bool) -> None:
        self._declare(resources)
        for section in IDS:
            self.people.create(section, f"Unmanaged {section}")
        if applied:
            assert self._run("apply", "--auto-approve").status == 0
        self.well = True

    # One rule: of several, hypothesis leaves some out each time, and here it is the mixture that matters.
    @rule(step=steps())
    def step(self, step: Step) -> None:
        what, how = step
        self.well = False
        if what == "look":
            self._look(*how)
        elif what == "apply":
            before, *options = how
            self._happen(before)
            self._apply(*options)
        elif what == "review and apply":
            self._review_and_apply(*how)
        elif what == "forget":
            self._forget_one(*how)
        elif what == "decide":
            self._decide()
        else:
            self._give_another_key(*how)
        self.well = True

    def _review_and_apply(
        self,
        before: list[Happening],
        destroy: bool,
        between: list[Happening],
        applied: bool,
        troubles: list[Trouble],
        again: bool,
    ) -> None:
        """A plan is saved, reviewed while other things happen, and applied; perhaps twice."""
        self._happen(before)
        file = f"plan{next(self.numbers)}.json"
        planned = self._run("plan", "--out", file, *(["--destroy"] if destroy else []), sends=False)
        if not (self.place.root / file).exists():
            assert planned.status in (1, 3, 7), planned.all
            return
        assert planned.status == 0, planned.all
        saved = Saved.read(self.place, file, self.declared, self.version, destroy=destroy)
        self._happen(between)
        if applied:
            self._apply("apply")
        self._apply_saved(saved, troubles)
        if again:
            self._apply_saved(saved, [])

    def _forget_one(self, which: int) -> None:
        """`state rm`: what was ours is nobody's."""
        found = self.place.state["resources"]
        addresses = sorted(a for a in found if found[a]["kind"] in KINDS.values())
        if not addresses or self.place.state["pending"]:
            return
        address = addresses[which % len(addresses)]
        ran = self._run("state", "rm", address, *LONG, forgets=[address], sends=False)
        assert ran.status == 0, ran.all
        self.quiet = False

    def _decide(self) -> None:
        """`recover`: a person knows whose an object is."""
        told = self._run("recover", "--format", "json", sends=False)
        for one in json.loads(told.out)["operations"] if told.status in (0, 5) else ():
            possible = [way["flag"] for way in one["decisions"] if way["possible"]]
            theirs = (one["kind"], (one["object"] or {}).get("id")) in self.people.foreign
            wanted = ("--not-ours", "--retry") if theirs else ("--adopt", "--retry")
            if way := next((flag for flag in wanted if flag in possible), None):
                event(f"{way} of a {one['action']}")
                ran = self._run("recover", one["address"], way, *LONG, sends=False)
                assert ran.status == 0, ran.all
        self.quiet = False

    def _give_another_key(self, which: int, listed: bool) -> None:
        """By `state mv`, or by a `moved` entry, which the next apply carries out."""
        found = self.place.state["resources"]
        addresses = [
            f"{KINDS[s]}.{k}" for s in IDS for k in sorted(self.declared[s]) if f"{KINDS[s]}.{k}" in found
        ]
        if not addresses or self.place.state["pending"]:
            return
        source = addresses[which % len(addresses)]
        target = f"{source.partition('.')[0]}.moved{next(self.numbers)}"
        quiet = self.quiet
        self._declare(rekeyed_one(self.declared, source, target, listed=listed))
        if not listed:
            ran = self._run("state", "mv", source, target, *LONG, sends=False)
            assert ran.status == 0, ran.all
            self.quiet = quiet

    # How all this is done

    def _happen(self, happenings: Iterable[Happening]) -> None:
        for what, how, number in happenings:
            self._happens(what, how, number)

    def _happens(self, what: str, how: Any, number: int) -> None:
        before = self.quiet
        self.quiet = False
        if what == "edit the manifest":
            self._edit_the_manifest(how)
        elif what == "rotate the secrets":
            self.version = number
            write_secrets(self.place.root, number)
        elif what == "wait":
            self.place.sleep(how)
            self.quiet = before
        elif what == "edit ours":
            self.people.edit_ours(how, number)
        elif what == "edit theirs":
            self.people.edit_theirs(how, number)
        elif what == "create":
            self.people.create(*how)
        else:
            self.people.use_ours(number)

    def _edit_the_manifest(self, edit: Edit) -> None:
        before, after = self.declared, edited(self.declared, edit)
        self._declare(after)
        if self._run("validate", sends=False).status:
            self._declare(before)
            event(f"an edit came to nothing: {edit[0]}")

    def _declare(self, resources: Resources) -> None:
        self.declared = resources
        self.quiet = False
        write_manifest(self.place.root, resources)

    def _meddle(self, trouble: Trouble) -> None:
        if trouble.do == "twin":
            assert trouble.request is not None
            self.people.make_a_twin(trouble.request)
        elif trouble.do == "edit ours":
            self.people.edit_ours(*trouble.more["where"])
        else:
            self.people.be_quicker(self.declared, trouble.more["where"][0])

    def _look(self, command: str) -> None:
        ran = self._run(command, *(["--detailed-exitcode"] if command == "plan" else []), sends=False)
        if self.quiet:
            assert ran.status == 0, ran.all
            assert command == "drift" or "No changes." in ran.out, ran.all
        assert ran.status in (0, 2) or (command == "plan" and ran.status in (1, 7)), ran.all

    def _apply_saved(self, saved: Saved, troubles: Sequence[Trouble]) -> None:
        expected = saved.outcomes(self.place, self.declared, self.version)
        before = len(self._mutations())
        ran = self._run("apply", saved.file, *LONG, troubles=troubles)
        sent = self._mutations()[before:]
        self._afterwards("destroy" if saved.destroy else "apply", ran, troubles)
        if ran.killed or any(trouble.struck for trouble in troubles):
            return
        told = codes(ran)
        event(f"a saved plan: {sorted(told)}")
        if ran.status == 3:
            assert not sent, f"refused, and yet sent: {sent}\n{ran.all}"
            assert told <= expected, f"expected {expected}: {ran.all}"
        else:
            assert "applied" in expected, f"expected {expected}: {ran.all}"
            assert ran.status == 0, ran.all
            assert saved.is_what_was_sent(sent), f"{saved.calls}\n{sent}"

    def _apply(self, command: str, adopt: bool = False, troubles: Sequence[Trouble] = ()) -> Run:
        excused = excuses(self.place, self.people, self.declared, command)
        options = ["--adopt"] if adopt and command == "apply" else []
        adopts = named_like_ours(self.people, self.declared) if options else ()
        ran = self._run(command, "--auto-approve", *options, *LONG, troubles=troubles, adopts=adopts)
        self._afterwards(command, ran, troubles)
        struck = any(trouble.struck for trouble in troubles)
        if not ran.killed:
            assert ran.status in {0, 1, 5, 6, 7, *((3, 130) if struck else ())}, ran.all
            told = {code for code in codes(ran) if not (struck and UNDER_TROUBLE.match(code))}
            excused |= {"CW504", "CW509"} if adopts else set()
            assert told <= excused, f"{told - excused} for no reason: {ran.all}"
            assert ran.status == 0 or codes(ran), ran.all
        return ran

    def _afterwards(self, command: str, ran: Run, troubles: Sequence[Trouble]) -> None:
        struck = [trouble for trouble in troubles if trouble.struck]
        if any(trouble.do == "late" for trouble in struck):
            self.place.sleep(60)  # whatever is late is there by then
        self.quiet = ran.status == 0 and not struck and command == "apply"
        event(
            f"{command}: {'killed' if ran.killed else ran.status}, {'calm' if not struck else 'in trouble'}"
        )
        if ran.killed and self.place.state["lock"]:
            assert self._run("apply", "--auto-approve", sends=False).status == 4
        if any(trouble.do == "twin" for trouble in struck):
            # At once: what tells against a twin is who made the others, and those may go.
            self._decide()

    def _run(
        self,
        *arguments: str,
        sends: bool = True,
        troubles: Sequence[Trouble] = (),
        forgets: Sequence[str] = (),
        adopts: Iterable[Key] = (),
    ) -> Run:
        """Run a command; whatever it was, and whatever became of it, all that must always hold holds."""
        self.place.sleep(1)
        known = self.place.state["resources"]
        before, asked = len(self._mutations()), len(self.place.tenant.requests())
        ran = self.place.run(*arguments, troubles=troubles)
        while self.people.did:
            event(self.people.did.pop())
        states = states_from(self.place.documents) or [State.new()]
        bound = {(entry.kind, entry.id) for entry in states[-1].resources.values()}
        self.people.give(bound.intersection(adopts))
        gone = [known[address] for address in forgets if address not in states[-1].resources]
        self.people.get((entry["kind"], entry["id"]) for entry in gone)
        assert "CW999" not in ran.all, ran.all
        assert "Traceback" not in ran.all, ran.all
        requests = self.place.tenant.requests()[asked:]
        holds(no_secret("what it said", ran.all, [NEEDLE]))
        holds([] if sends else sends_nothing(self._mutations()[before:]))
        holds(self.place.broken)
        holds(safe(World(self.place.tenant.snapshot(), states, self.people.foreign, requests)))
        return ran

    def _mutations(self) -> list[str]:
        return self.place.tenant.mutations()

    # How it ends

    def teardown(self) -> None:
        try:
            if self.well:
                self._end()
            for path in self.place.root.rglob("*"):
                if path.is_file() and path.parent.name != "secrets":
                    holds(no_secret(str(path), path.read_bytes(), [NEEDLE]))
            holds(no_secret("the state", self.place.site.document() or b"", [NEEDLE]))
        finally:
            self.place.close()
            self.folder.cleanup()

    def _end(self) -> None:
        """Everything is calm: what stands in the way goes, and what is declared comes about."""
        self.place.tenant.mend()
        self.place.sleep(3600)
        self.people.clear_the_way(self.declared)
        ran = self._apply("apply")
        if ran.status == 5:
            told = sorted(codes(ran))
            event(f"a person is asked: {told}")
            holds(waits_for_a_person(states_from(self.place.documents)[-1], told, ["CW502", "CW601"]))
            self._decide()
            self.people.clear_the_way(self.declared)
        if ran.status not in (0, 7):
            ran = self._apply("apply")
        if ran.status:
            assert codes(ran) == {"CW502"}, f"two applies have not made it so: {ran.all}"
            event("it ends protected")
            return
        event("it ends as declared")
        self.quiet = True
        self._look("plan")
        assert self._run("apply", "--auto-approve", sends=False).status == 0
        state = self.place.state
        assert (state["pending"], state["deposed"], state["lock"]) == ({}, [], None)
        is_as_made_afresh(self.place, self.people, self.declared, self.version)
        has_these_secrets(self.place, self.declared, self.version)


EXAMPLES = {"local": 40, "bucket": 20, **({"postgres": 0} if wished("postgres") else {})}


@pytest.mark.parametrize("store", EXAMPLES)
def test_everything_comes_out_right(store: str, request: pytest.FixtureRequest) -> None:
    opens = OPENS.get(store) or in_database(request.getfixturevalue("postgres"))
    machine: type[Machine] = type(f"Machine_{store}", (Machine,), {"opens": staticmethod(opens)})
    run_state_machine_as_test(machine, settings=size(store, EXAMPLES[store]))
