"""Kills: at every point of both ports, alone and twice in a row, and beside every spoilt reply."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from crash.enumeration import Execution
from crash.stage import Bench, Stage
from crash.tally import Tally
from crash.watch import DURABLE, Point

FAULTS: Mapping[str, Mapping[str, Any]] = {
    "lost before": {"do": "drop-before"},
    "lost after": {"do": "drop-after"},
    "500 before": {"do": "status", "status": 500},
    "500 after": {"do": "status", "status": 500, "effect": True},
    "429": {"do": "status", "status": 429, "retryAfter": 1},
    "401": {"do": "status", "status": 401},
    "truncated": {"do": "truncate"},
    "html": {"do": "html"},
    "late": {"do": "late", "delayMs": 1000},
    "very late": {"do": "late", "delayMs": 20_000},
}


def single(bench: Bench) -> Iterator[Execution]:
    """A kill at each point."""
    for point in bench.points:
        yield Execution(_id("kill", bench, point), (point.place,), partial(_kill, point=point))


def pairs(bench: Bench) -> Iterator[Execution]:
    """A kill, and another while the next run recovers or goes on: at each point that leaves something else."""
    points = bench.at(*DURABLE)
    for index, point in enumerate(points):
        for second in range(1, len(points) - index + 4):
            yield Execution(
                f"{_id('pair', bench, point)}/then at {second}",
                (point.place, f"then {min(second, 5)}"),
                partial(_kill_twice, point=point, second=second),
            )


def faults(bench: Bench) -> Iterator[Execution]:
    """Each spoilt reply to each mutation."""
    for point in bench.at("send before"):
        for fault in FAULTS:
            yield Execution(
                f"{_id('fault', bench, point)}/{fault}", (fault,), partial(_spoil, point=point, fault=fault)
            )


def faults_and_kills(bench: Bench) -> Iterator[Execution]:
    """Each kill beside each spoilt reply to the mutation before it."""
    sent: Point | None = None
    for point in bench.points:
        for fault in FAULTS if sent else ():
            yield Execution(
                f"{_id('fault and kill', bench, point)}/{fault}",
                (point.place, fault),
                partial(_spoil, point=sent, fault=fault, kill=point),
            )
        sent = point if point.place == "send before" else sent


def kills_while_finding_out(bench: Bench) -> Iterator[Execution]:
    """A kill at what is sent because a reply was lost: the same mutation again, or the secrets once more."""
    for point in bench.at("send before"):
        for fault in ("lost before", "lost after", "500 before", "very late"):
            for again in _again(point):
                yield Execution(
                    f"{_id('kill while finding out', bench, point)}/{fault}/{again}",
                    (fault,),
                    partial(_spoil, point=point, fault=fault, kill=again),
                )


def _again(point: Point) -> Iterator[Point]:
    method, _, address = point.about.partition(" ")
    for place in ("send before", "send after"):
        yield Point(place, point.about, point.nth + 1, address)
        if method == "POST" and address.startswith("connection."):
            yield Point(place, f"PUT {address}", 1, address)


def _id(family: str, bench: Bench, point: Point) -> str:
    return f"{family}/{bench.id}/{point}"


def _kill(stage: Stage, tally: Tally, *, point: Point) -> bool:
    tally.points.add(f"{stage.bench.scenario.name} {point}")
    return stage.run((point, stage.kill)).killed


def _kill_twice(stage: Stage, tally: Tally, *, point: Point, second: int) -> bool:
    return stage.run((point, stage.kill)).killed and stage.run((second, stage.kill)).killed


def _spoil(stage: Stage, tally: Tally, *, point: Point | None, fault: str, kill: Point | None = None) -> bool:
    assert point is not None
    tally.faults[fault] += 1
    spoil = (point, spoiling(stage, fault, point.about.partition(" ")[0]))
    done = stage.run(spoil, (kill, stage.kill)) if kill else stage.run(spoil)
    return done.killed or kill is None


def spoiling(stage: Stage, fault: str, method: str) -> Callable[[], object]:
    """To be done just before a mutation by this method arrives: the reply to it is spoilt."""

    def spoil() -> None:
        rule = dict(FAULTS[fault])
        stage.rig.tenant.fault(rule.pop("do"), method, "/2/0/", nth=1, **rule)

    return spoil
