"""What takes place on the machine alone: starting, reading manifests, planning, writing the state."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
from benchmarks.report import milliseconds, seconds, table, times
from benchmarks.runs import Json, best, cwsync, python, ran
from benchmarks.sizes import Size, write_project
from support.program import cwsync as cwsync_here

from cwsync.cli.outside import Outside
from cwsync.emulator import application
from cwsync.state import Files

_IMPORTS = "import click, yaml, pydantic"
_MODEL = f"""{_IMPORTS}
class Model(pydantic.BaseModel):
    name: str
Model.model_validate(dict(name="one"))"""


def of_start(folder: Path, rounds: int) -> Iterator[str]:
    """In turns, because what is compared takes about as long as what disturbs it."""
    root = folder / "one-file"
    write_project(root, "http://emulator", Size(1, 2, 1, 1, 1))
    commands = {
        "click": python("-c", "import click"),
        "help": cwsync("--help"),
        "imports": python("-c", _IMPORTS),
        "model": python("-c", _MODEL),
        "validate": cwsync("validate"),
    }
    walls = best(commands, rounds, root)
    rows = (
        ("`cwsync --help`", "help", '`python -c "import click"`', "click"),
        ("`cwsync validate`, one file", "validate", f'`python -c "{_IMPORTS}"`', "imports"),
        ("`cwsync validate`, one file", "validate", "the same, and one pydantic model in use", "model"),
    )
    yield from table(
        ("", "time", "against", "time", "ratio"),
        (
            (ours, milliseconds(walls[one]), theirs, milliseconds(walls[two]), times(walls[one], walls[two]))
            for ours, one, theirs, two in rows
        ),
    )


def of_scale(folder: Path, sizes: list[int]) -> Iterator[str]:
    rows = []
    for resources in sizes:
        times_each = "3" if resources <= 5000 else "1"
        told: Json = json.loads(ran(python("-m", "benchmarks.scale", str(resources), times_each)).out)
        count = told["resources"]
        written = f"{_written(folder, count) / 1000:.0f} kB" if count <= 5000 else "not measured"
        rows.append(
            (
                f"{count:,}",
                *(
                    f"{seconds(told[what])}, {told[what] / count * 1e6:.0f} µs each"
                    for what in ("validate", "plan")
                ),
                times(told["validate"], told["yaml"]),
                f"{(told['read'] + told['planned']) / count / 1000:.1f} kB each",
                written,
            )
        )
    head = (
        "resources", "`validate`", "the plan from an empty state", "`validate`, of PyYAML's C loader alone",
        "memory kept", "state written per operation",
    )  # fmt: skip
    yield from table(head, rows)


class _Counting(Files):
    def __init__(self) -> None:
        self.bytes = 0

    def write_new(self, path: Path, data: bytes) -> int:
        self.bytes += len(data)
        return super().write_new(path, data)


def _written(folder: Path, resources: int) -> float:
    """The bytes of state that an apply from nothing writes, for each resource."""
    part = resources // 5  # a tenant takes 1,000 integrations and flows
    root, size, files = folder / f"written-{resources}", Size(resources - 2 * part, part, part), _Counting()
    write_project(root, "http://emulator", size)
    with application() as app:
        way = httpx.WSGITransport(app)
        done = cwsync_here(
            "apply", "--auto-approve", "-q", folder=root, outside=Outside(transport=way, files=files)
        )
    if done.status:
        raise RuntimeError(done.all)
    return files.bytes / size.resources
