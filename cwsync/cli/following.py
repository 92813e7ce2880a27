"""A run as it goes on: on a terminal a display that is alive, elsewhere a line for each change."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cwsync.cli.settings import Settings

if TYPE_CHECKING:
    from cwsync.kinds.runs import Progress

Tell = Callable[["Progress"], None]


@contextmanager
def live_run(settings: Settings, address: str, run_id: str, labels: Mapping[str, str]) -> Iterator[Tell]:
    """What to tell of every change. On stderr: stdout is for the result."""
    from cwsync.report.screen import safe

    settings.say(f"{address} is started: run {safe(run_id)}. Ctrl-C stops following it, and not the run.")
    if settings.quiet:
        yield lambda _seen: None
    elif sys.stderr.isatty() and not os.environ.get("CI"):
        with _display(settings, address, labels) as tell:
            yield tell
    else:
        yield _lines(settings, address, labels)


def _lines(settings: Settings, address: str, labels: Mapping[str, str]) -> Tell:
    from cwsync.report.runs import progress_lines

    before: Progress | None = None

    def tell(seen: Progress) -> None:
        nonlocal before
        for line in progress_lines(address, before, seen, labels):
            settings.say(line)
        before = seen

    return tell


@contextmanager
def _display(settings: Settings, address: str, labels: Mapping[str, str]) -> Iterator[Tell]:
    """A row for the run with the time it takes, and one for each step of a flow."""
    from rich.console import Console
    from rich.progress import Progress as Rows
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    from cwsync.kinds.runs import Fate
    from cwsync.report.runs import label

    columns = (
        SpinnerColumn(finished_text=" "),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
        TextColumn("{task.fields[fate]}", markup=False),
    )
    with Rows(*columns, console=Console(stderr=True, no_color=not settings.color), transient=True) as rows:
        whole = rows.add_task(address, total=1, fate="started")
        tasks = {}

        def tell(seen: Progress) -> None:
            rows.update(whole, fate=seen.run.fate)
            for step in seen.steps:
                if step.id not in tasks:
                    name = f"  {label(step.id, step.name, labels)}"
                    tasks[step.id] = rows.add_task(name, start=False, total=1, fate=step.fate)
                if step.fate is Fate.RUNNING or step.run:
                    rows.start_task(tasks[step.id])
                rows.update(tasks[step.id], fate=step.fate, completed=int(step.fate.over))

        yield tell
