"""Live progress: a bar on a terminal for what takes its time, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from cwsync.cli.settings import Settings

if TYPE_CHECKING:
    from rich.progress import Progress as Shown

    from cwsync.apply import Progress

# What is over sooner is not worth a bar.
PATIENCE_SECONDS = 2.0
# Drawing more often than an eye follows costs time that the run needs.
FRAME_SECONDS = 0.1


def is_watched(*, quiet: bool) -> bool:
    """Whether a person looks on: stderr is a terminal, and not that of a build."""
    return not quiet and sys.stderr.isatty() and not os.environ.get("CI")


class Bar:
    """One bar at a time on stderr: what is done of how much, how many a second, and about how long it will take.

    `now` is a clock in seconds. Nothing is drawn but by `tell`, and nothing is left when it ends.
    """

    def __init__(self, now: Callable[[], float], *, color: bool) -> None:
        self._now = now
        self._color = color
        self._label = ""
        self._begun = self._drawn = now()
        self._shown: Shown | None = None

    def begin(self, label: str) -> None:
        self.end()
        self._label, self._begun = label, self._now()

    def tell(self, done: int, total: int, note: str = "") -> None:
        """So many of so many are done; `note` is what happens now."""
        now = self._now()
        if now - self._begun < PATIENCE_SECONDS or (self._shown and now - self._drawn < FRAME_SECONDS):
            return
        if self._shown is None:
            self._shown = self._open()
        (task,) = self._shown.task_ids
        text = f"{done}/{total}{_pace(done, total, now - self._begun)}  {note}"
        self._shown.update(task, completed=done, total=total, description=text)
        self._shown.refresh()
        self._drawn = now

    def end(self) -> None:
        if self._shown is not None:
            self._shown.stop()
        self._shown = None

    def _open(self) -> Shown:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        columns = (
            TextColumn(self._label),
            BarColumn(bar_width=30),
            TextColumn("{task.description}", markup=False),
        )
        console = Console(stderr=True, no_color=not self._color)
        shown = Progress(*columns, console=console, transient=True, auto_refresh=False)
        shown.add_task("")
        shown.start()
        return shown


def _pace(done: int, total: int, seconds: float) -> str:
    if done == 0:
        return ""
    left = (total - done) * seconds / done
    said = f"{left:.0f} s" if left < 100 else f"{left / 60:.0f} min"
    return f"  {done / seconds:.1f}/s, about {said} left"


def live_progress(settings: Settings) -> Callable[[Progress], None]:
    """What to tell of each call as it begins and ends. On stderr: stdout is for results."""
    watch = settings.outside.watch
    if not is_watched(quiet=settings.quiet) or watch is None:
        return lambda progress: _line(settings, progress)

    def tell(progress: Progress) -> None:
        call = progress.call
        if progress.result is not None and progress.result.status != "done":
            watch.hide()
            _line(settings, progress)
        watch.tell(progress.done, progress.total, f"{call.action} {call.address}")

    return tell


def _line(settings: Settings, progress: Progress) -> None:
    if progress.result is None:
        return
    call, result = progress.call, progress.result
    word = {"done": "done", "failed": "FAILED", "unknown": "NOT CERTAIN"}[result.status]
    note = f" ({result.note})" if result.note else ""
    settings.say(f"[{progress.done}/{progress.total}] {call.address}: {call.action} {word}{note}")
