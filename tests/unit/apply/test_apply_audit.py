"""The audit trail: what reaches the tenant has a line, and what could not have one does not reach it."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from unit.apply.rig import Killed, Manifest, Rig, everything, imports, once, process, s3

from cwsync.api import Client
from cwsync.audit import Entry, Purpose, Trail
from cwsync.errors import CwsyncError
from cwsync.plan import SET_ASIDE

CONNECTIONS = "/2/0/integrations/connections"
CLOSE: Manifest = {"integrations": {"close": process()}}
TWO: Manifest = {"integrations": {"close": process(), "open": process("Open")}}
Line = dict[str, Any]


class Audited(Rig):
    """Runs with an audit trail."""

    trail = Trail()

    def client(self, parallelism: int = 1, **more: Any) -> Client:
        return super().client(parallelism, trail=self.trail, **more)

    def lines(self) -> list[Line]:
        file = self.folder / "audit.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def told(self) -> list[tuple[str, str, str]]:
        return [(one["event"], one["operation"]["action"], one["result"]["outcome"]) for one in self.lines()]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Audited]:
    rig = Audited(tmp_path)
    rig.trail = Trail(tmp_path / "audit.jsonl")
    yield rig
    rig.trail.close()
    rig.close()


@pytest.fixture
def pipe(rig: Audited, tmp_path: Path) -> Iterator[int]:
    """A trail that something reads, and may stop to: closing this descriptor is what it stops by."""
    os.mkfifo(tmp_path / "pipe")
    rig.trail = Trail(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        rig.trail.check()
        yield reader
    finally:
        rig.trail.close()


def replaced() -> Manifest:
    """A connection in use moves to another workspace: set aside, made anew, repointed, deleted; a schedule pauses."""
    manifest = everything()
    manifest["connections"]["sales"] = s3(workspaceId="8a81b09d5e8c6f27015ece3402487d33")
    manifest["integrations"]["accounts"] = imports("sales", "Accounts load", file="b.csv")
    manifest["schedules"]["accounts"] = {**manifest["schedules"]["accounts"], "enabled": True}
    return manifest


@pytest.mark.parametrize("parallelism", [1, 8])
def test_every_mutation_has_its_line(rig: Audited, parallelism: int) -> None:
    rig.apply(everything(), parallelism)
    rig.apply(replaced(), parallelism)
    renamed = replaced()
    renamed["integrations"]["accounts"]["name"] = "Accounts"
    rig.apply(renamed, parallelism)
    rig.apply({}, parallelism)
    lines = rig.lines()
    assert Counter(f"{one['call']['method']} {one['call']['path']}" for one in lines) == Counter(
        rig.tenant.mutations()
    )
    assert {(one["event"], one["result"]["outcome"], one["call"]["requests"]) for one in lines} == {
        ("mutation", "applied", 1)
    }
    assert {"create", "update", SET_ASIDE, "delete", "enable", "disable"} <= {
        one["operation"]["action"] for one in lines
    }


def test_a_line_joins_the_intent_to_what_was_made(rig: Audited) -> None:
    rig.apply({"connections": {"sales": s3()}})
    ((op, intent),) = next(state for state in rig.commits if state.pending).pending.items()
    (line,) = rig.lines()
    assert line["operation"] == {
        "op": op,
        "address": intent.address,
        "kind": "connection",
        "action": "create",
        "name": "Sales",
        "attempt": 1,
    }
    assert line["result"] == {
        "outcome": "applied",
        "status": 200,
        "code": None,
        "id": rig.state.resources["connection.sales"].id,
    }


def test_the_line_is_there_before_the_state_says_so(rig: Audited) -> None:
    seen: list[int] = []

    def after(state: Any) -> None:
        if state.resources:
            seen.append(len(rig.lines()))

    rig.store.after = after  # type: ignore[attr-defined] # it is a WatchedStore
    rig.apply(CLOSE)
    assert seen
    assert seen[0] == 1


def test_what_waits_for_its_turn_is_one_mutation(rig: Audited) -> None:
    rig.tenant.fault("status", "POST", "/2/0/integrations", nth=1, status=429, retryAfter=3)
    rig.apply(CLOSE)
    (line,) = rig.lines()
    assert (line["call"]["requests"], line["result"]["outcome"], line["seconds"] >= 3) == (2, "applied", True)


def test_what_is_refused(rig: Audited) -> None:
    rig.tenant.fault("status", "POST", "/2/0/integrations", status=400, message="only a single job")
    assert "CW305" in rig.apply(CLOSE).codes
    (line,) = rig.lines()
    assert line["result"] == {"outcome": "rejected", "status": 400, "code": "CW305", "id": None}


def test_a_lost_reply_is_ambiguous_and_then_resolved(rig: Audited) -> None:
    rig.tenant.fault("drop-after", "POST", "/2/0/integrations", nth=1)
    rig.apply(CLOSE)
    assert rig.told() == [("mutation", "create", "ambiguous"), ("resolution", "create", "applied")]
    lost, found = rig.lines()
    assert (lost["result"]["code"], lost["result"]["status"], found["call"]) == ("CW313", None, None)
    assert found["result"]["id"] == rig.state.resources["integration.close"].id
    assert found["operation"] == lost["operation"]


def test_a_request_that_is_made_again_is_a_second_attempt(rig: Audited) -> None:
    rig.tenant.fault("drop-before", "POST", "/2/0/integrations", nth=1)
    rig.apply(CLOSE)
    assert [(one["operation"]["attempt"], one["result"]["outcome"]) for one in rig.lines()] == [
        (1, "ambiguous"),
        (2, "applied"),
    ]


def test_a_success_without_an_id_is_ambiguous(rig: Audited) -> None:
    rig.tenant.fault("truncate", "POST", "/2/0/integrations", nth=1)
    rig.apply(CLOSE)
    assert rig.told()[0] == ("mutation", "create", "ambiguous")


@pytest.mark.parametrize(("at", "outcome"), [("before", "not applied"), ("after", "applied")])
def test_the_next_run_tells_of_what_a_killed_one_could_not(rig: Audited, at: str, outcome: str) -> None:
    def kill(_request: Any) -> None:
        raise Killed

    setattr(rig, at, kill)
    with pytest.raises(Killed):
        rig.apply(CLOSE)
    setattr(rig, at, lambda _request: None)
    assert rig.lines() == []
    (op,) = rig.state.pending
    rig.apply(CLOSE)
    first = rig.lines()[0]
    assert (first["event"], first["operation"]["op"], first["result"]["outcome"]) == (
        "resolution",
        op,
        outcome,
    )


def test_nothing_is_sent_that_could_not_be_told(rig: Audited, tmp_path: Path) -> None:
    rig.trail = Trail(tmp_path)  # a folder
    run = rig.apply(everything())
    assert rig.tenant.mutations() == []
    assert (run.result.applied, {*run.codes}) == ((), {"CW544"})
    assert not rig.state.pending


def test_a_trail_that_breaks_stops_the_run(rig: Audited, pipe: int) -> None:
    rig.after = once(lambda: os.close(pipe))
    run = rig.apply(TWO)
    assert rig.tenant.mutations() == ["POST /integrations"]
    assert [one.address for one in run.result.applied] == ["integration.close"]
    assert [(one.address, one.detail) for one in run.result.skipped] == [
        ("integration.open", "the run had to stop")
    ]
    (problem,) = run.result.problems
    assert problem.code == "CW544"
    (missing,) = problem.details
    assert json.loads(missing)["operation"]["address"] == "integration.close"
    assert set(rig.state.resources) == {"integration.close"}
    assert not rig.state.pending


def test_no_line_of_several_in_flight_is_lost(rig: Audited, pipe: int) -> None:
    """They end, are recorded, and are shown in the trail's place."""
    rig.trail.write(Entry("mutation", Purpose("integration.first", "create"), "applied"))
    os.read(pipe, 65536)
    rig.after = once(lambda: os.close(pipe))
    many: Manifest = {
        "integrations": {f"n{n}": process(f"N{n}", processId=f"11800000000{n}") for n in range(8)}
    }
    run = rig.apply(many, parallelism=4)
    (problem,) = run.result.problems
    told = {json.loads(line)["operation"]["address"] for line in problem.details}
    # With luck some were written before the reader was gone.
    assert told <= set(rig.state.resources)
    assert len(rig.tenant.mutations()) == len(rig.state.resources) < 8


def test_what_is_pending_is_not_settled_unseen(rig: Audited, tmp_path: Path) -> None:
    def kill(_request: Any) -> None:
        raise Killed

    rig.after = kill
    with pytest.raises(Killed):
        rig.apply(CLOSE)
    rig.after = lambda _request: None
    rig.trail = Trail(tmp_path)
    with pytest.raises(CwsyncError) as caught:
        rig.apply(CLOSE)
    assert caught.value.problems[0].code == "CW544"
    assert len(rig.state.pending) == 1


def test_several_runs_share_a_file(tmp_path: Path) -> None:
    """Lines stay whole, also behind one that a full disk has torn. The file is its owner's alone."""
    file = tmp_path / "kept" / "audit.jsonl"
    trails = [Trail(file), Trail(file)]
    trails[0].check()
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text('{"torn": ')

    def write(trail: Trail, number: int) -> None:
        for each in range(25):
            trail.write(Entry("mutation", Purpose("integration.x", "update", f"{number}-{each}"), "applied"))

    trails[1].check()
    threads = [Thread(target=write, args=(trails[n % 2], n)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for trail in trails:
        assert trail.problem is None
        trail.close()
    torn, *lines = file.read_text().splitlines()
    assert torn == '{"torn": '
    assert {json.loads(line)["operation"]["name"] for line in lines} == {
        f"{n}-{each}" for n in range(4) for each in range(25)
    }
