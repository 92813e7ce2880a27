"""Reading a tenant and making one, where the service takes its time: against what no client can go below.

The floor of reading is calls x latency / parallelism. That of an apply is the rounds of as many calls as there may be
at once, in what can only come one after the other: signing in (two calls, one by one), the lists, the connections, the
integrations that use them, what is a part of an integration or runs it, and reading it all again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import seconds, table, times
from benchmarks.runs import TESTS, Json, Ran, Service, cwsync, emulator, python
from benchmarks.sizes import Size, write_project

PARALLELISM = 16
LATENCY_MS = 50
_HEAD = ("", "calls", "time", "of the floor", "per call, of the bare client", "processor")
_BARE = "a bare client: the reads of a full plan, no look at the replies"


@dataclass(frozen=True)
class Row:
    name: str
    ran: Ran
    calls: int  # without signing in
    floor: float


def of_requests(folder: Path, size: Size, rounds: int, *, scripts: bool) -> Iterator[str]:
    """Apply from nothing, then reads, which take turns."""
    with emulator("--latency", str(LATENCY_MS)) as service:
        root = folder / "project"
        write_project(root, service.url, size, PARALLELISM)
        cpu = service.cpu()
        made, log = service.asked_by(cwsync("apply", "--auto-approve", "-q"), root)
        rows = [Row("making it all: `cwsync apply`", made, len(_beside_signing_in(log)), floor_of_apply(log))]
        if cpu is not None:
            cpu = ((service.cpu() or 0.0) - cpu) / len(log)
        rows += _reads(service, folder, root, rounds, scripts=scripts)
    bare = next(row for row in rows if row.name == _BARE)
    yield from table(_HEAD, (_cells(row, bare.ran.wall / bare.calls) for row in rows))
    yield ""
    yield (
        f"{size.integrations} integrations, {size.schedules} schedules, {size.notifications} notifications, "
        f"{size.connections} connections, {size.flows} flows; {LATENCY_MS} ms latency, {PARALLELISM} calls at once, "
        f"no rate limit. Reads took turns, and the best of {rounds} counts (the slow script ran once)."
    )
    if cpu is not None:
        yield (
            f"The emulator's own work is {cpu * 1000:.1f} ms of a processor per request, and is in all times: "
            "the bare client shows what it costs."
        )


def _cells(row: Row, bare: float) -> tuple[str, ...]:
    return (
        row.name, f"{row.calls:,}", seconds(row.ran.wall), times(row.ran.wall, row.floor),
        times(row.ran.wall / row.calls, bare), seconds(row.ran.cpu),
    )  # fmt: skip


def _reads(service: Service, folder: Path, root: Path, rounds: int, *, scripts: bool) -> Iterator[Row]:
    full = cwsync("plan", "--refresh", "full", "-q")
    _, log = service.asked_by(full, root)
    paths = folder / "paths"
    paths.write_text("\n".join(one["path"] for one in _beside_signing_in(log)))
    client = python("-m", "benchmarks.clients")
    of_many = [service.url, str(PARALLELISM)]
    commands = {
        _BARE: (python("-m", "benchmarks.bare", *of_many, str(paths)), TESTS),
        "reading it all: `cwsync plan --refresh full`": (full, root),
        "`cwsync drift`": (cwsync("drift", "-q"), root),
        "`cwsync plan`, nothing changed since": (cwsync("plan", "-q"), root),
    }
    if scripts:
        commands["a script with anaplan-sdk, asynchronous"] = ([*client, "concurrent", *of_many], TESTS)
    found: dict[str, tuple[Ran, int]] = {}
    for _ in range(rounds):
        for name, (command, where) in commands.items():
            done, asked = service.asked_by(command, where)
            found[name] = min((done, len(_beside_signing_in(asked))), found.get(name, (done, 1 << 30)))
    if scripts:
        slow, asked = service.asked_by([*client, "sequential", *of_many])
        found["a script with anaplan-sdk, call by call"] = (slow, len(_beside_signing_in(asked)))
    for name, (done, calls) in found.items():
        yield Row(name, done, calls, calls * LATENCY_MS / 1000 / PARALLELISM)


def _beside_signing_in(log: list[Json]) -> list[Json]:
    return [one for one in log if not one["path"].startswith("/token/")]


def floor_of_apply(log: list[Json]) -> float:
    """From what it asked. What belongs to no wave of its own is with those that wait for integrations."""
    calls = _beside_signing_in(log)
    changes = [place for place, one in enumerate(calls) if one["method"] != "GET"]
    before, after = changes[0], len(calls) - changes[-1] - 1
    posted = [one["path"].removeprefix("/2/0") for one in calls if one["method"] == "POST"]
    connections, integrations = posted.count("/integrations/connections"), posted.count("/integrations")
    rest = len(calls) - before - after - connections - integrations
    waves = (before, connections, integrations, rest, after)
    rounds = len(log) - len(calls) + sum(math.ceil(count / PARALLELISM) for count in waves)
    return rounds * LATENCY_MS / 1000


def of_limits(folder: Path, integrations: int) -> Iterator[str]:
    """A tenant that takes ten requests a second, read in full by who knows of that, and by who does not."""
    rows, root, data = [], folder / "limited", ("--data", str(folder / "limited.db"))
    with emulator(*data) as service:
        port = service.url.rpartition(":")[2]
        write_project(root, service.url, Size(integrations=integrations), PARALLELISM)
        service.asked_by(cwsync("apply", "--auto-approve", "-q"), root)
    settings = (root / "cwsync.yaml").read_text()
    limits = {10: "perSecond: 10, as the tenant", 50: "perSecond: 50, more than the tenant"}
    for per_second, name in limits.items():
        given = settings.replace("perSecond: 1000", f"perSecond: {per_second}")
        (root / "cwsync.yaml").write_text(given)
        with emulator("--rate", "10", "--latency", str(LATENCY_MS), *data, port=port) as service:
            done, log = service.asked_by(cwsync("plan", "--refresh", "full", "-q"), root)
        taken = sum(one["status"] != 429 for one in log)
        share = f"{taken / (10 * done.wall):.1%}"
        rows.append((name, f"{taken:,}", seconds(done.wall), share, _refused(log)))
    yield from table(
        ("a tenant of 10 requests a second", "requests", "time", "of its budget used", "refused"), rows
    )


def _refused(log: list[Json]) -> str:
    refused = [one["status"] for one in log].count(429)
    return f"{refused} ({refused / len(log):.1%})"
