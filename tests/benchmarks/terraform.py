"""Terraform and cwsync make the same objects. Terraform has no provider for CloudWorks: `terraform_data` resources
start a script for each object, as people do (see tools/terraform.py). It reads nothing back, so there is no refresh
to compare; cwsync reads all that it has made once more, which is in its time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.report import seconds, table, times
from benchmarks.requests import LATENCY_MS, PARALLELISM
from benchmarks.runs import Ran, cwsync, emulator
from benchmarks.sizes import Size, write_project
from tools.terraform import Folder, Thing, version


def of_terraform(folder: Path, size: Size) -> Iterator[str]:
    """Connections, and integrations that use them; from nothing, and once more without a change."""
    installed = version()
    if installed is None:
        yield "Terraform is not installed here."
        return
    latency = ("--latency", str(LATENCY_MS))
    with emulator(*latency) as service:
        things = [Thing("connection", f"c{n}") for n in range(size.connections)]
        things += [
            Thing("integration", f"i{n}", f"c{n % size.connections}") for n in range(size.integrations)
        ]
        terraform = Folder(folder / "terraform", service.url)
        terraform.write(things)
        terraform.init()
        apply = [
            "terraform",
            "apply",
            "-input=false",
            "-no-color",
            "-auto-approve",
            f"-parallelism={PARALLELISM}",
        ]
        its = [service.asked_by(apply, terraform.path)[0] for _ in range(2)]
    with emulator(*latency) as service:
        root = folder / "same"
        write_project(root, service.url, size, PARALLELISM)
        apply = cwsync("apply", "--auto-approve", "-q")
        ours = [service.asked_by(apply, root)[0] for _ in range(2)]
    head = (
        f"{size.resources} objects, {LATENCY_MS} ms, {PARALLELISM} at once",
        f"Terraform {installed}",
        "cwsync",
        "",
    )
    yield from table(
        head,
        [
            _row("made from nothing", its[0], ours[0]),
            _row("applied again, nothing to do (Terraform looks at no object)", its[1], ours[1]),
        ],
    )


def _row(name: str, its: Ran, ours: Ran) -> tuple[str, ...]:
    cells = (
        f"{seconds(one.wall)}, {one.calls:,} calls, {seconds(one.cpu)} of processors" for one in (its, ours)
    )
    return name, *cells, f"{times(its.wall, ours.wall)} times as long"
