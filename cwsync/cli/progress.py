"""Live progress: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cwsync.cli.settings import Settings

if TYPE_CHECKING:
    from cwsync.apply import Progress
    from cwsync.plan import Plan


@contextmanager
def live_progress(settings: Settings, plan: Plan) -> Iterator[Callable[[Progress], None]]:
    """What to tell of each call as it begins and ends. On stderr: stdout is for results."""
    if settings.quiet:
        yield lambda _progress: None
    elif sys.stderr.isatty() and not os.environ.get("CI"):
        with _bar(settings, plan) as tell:
            yield tell
    else:
        yield lambda progress: _line(settings, progress)


def _line(settings: Settings, progress: Progress) -> None:
    if progress.result is None:
        return
    call, result = progress.call, progress.result
    word = {"done": "done", "failed": "FAILED", "unknown": "NOT CERTAIN"}[result.status]
    note = f" ({result.note})" if result.note else ""
    settings.say(f"[{progress.done}/{progress.total}] {call.address}: {call.action} {word}{note}")


@contextmanager
def _bar(settings: Settings, plan: Plan) -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True, no_color=not settings.color)
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Bars(*columns, console=console, transient=True) as bars:
        task = bars.add_task("", total=len(plan.calls))

        def tell(progress: Progress) -> None:
            if progress.result is not None and progress.result.status != "done":
                bars.console.print(f"{progress.call.address}: {progress.call.action} failed", markup=False)
            bars.update(
                task, completed=progress.done, description=f"{progress.call.action} {progress.call.address}"
            )

        yield tell
