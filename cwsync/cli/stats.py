"""What a run costs, phase by phase (--stats), and how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from cwsync.api.stats import Stats
from cwsync.telemetry import NONE, Attributes, Span, Spans

if TYPE_CHECKING:
    from cwsync.api import Client
    from cwsync.cli.progress import Bar

# What each phase is called while it takes its time; the others have no progress to speak of.
LABELS = {"read": "Reading", "apply": "Applying", "verify": "Reading again"}
PHASES = ("read", "plan", "apply", "verify")
OTHER = "other"

_COLUMNS = ("calls", "reads", "changes", "retries", "refused", "for a turn", "to try again", "in all")
_FOOT = "What requests waited, for a turn or to try again, is added up over those that wait side by side."


class Watch:
    """Spans of which those named as in PHASES are timed. All else goes through to the `inner` ones.

    `now` is a clock in seconds; `bar` shows progress, where somebody watches.
    """

    def __init__(self, inner: Spans, now: Callable[[], float], bar: Bar | None = None) -> None:
        self._inner = inner
        self._now = now
        self._bar = bar
        self._stats: Callable[[], Stats] | None = None
        self._costs: dict[str, tuple[float, Stats | None]] = {}
        self._phase = OTHER
        self._mark: tuple[float, Stats | None] = (now(), None)
        self._earlier = self._total = 0

    def span(
        self, name: str, attributes: Attributes = NONE, *, client: bool = False
    ) -> AbstractContextManager[Span]:
        inner = self._inner.span(name, attributes, client=client)
        return self._timed(name, inner) if name in PHASES and not client else inner

    def follow(self, client: Client) -> None:
        """Count what this client does, and show how far it is with reading many things."""
        self._charge()
        self._stats = lambda: client.stats
        self._mark = (self._mark[0], None)
        client.follow(self._read)

    def tell(self, done: int, total: int, note: str = "") -> None:
        """So many of so many are done, in the phase that is under way."""
        if self._bar is not None:
            self._bar.tell(done, total, note)

    def hide(self) -> None:
        """Something is about to be printed."""
        if self._bar is not None:
            self._bar.end()

    def table(self) -> str:
        """What each phase has cost so far, as a table."""
        self._charge()
        rows, in_all, seconds_in_all = [], Stats(), 0.0
        for name in (*PHASES, OTHER):
            seconds, cost = self._costs.get(name, (0.0, None))
            cost = cost or Stats()
            in_all, seconds_in_all = in_all + cost, seconds_in_all + seconds
            if name in self._costs:
                rows.append(_row(name, cost.calls, cost, max(0.0, seconds - cost.token_seconds)))
        troubles = in_all.troubles_of_signing_in
        if in_all.token_calls:
            rows.insert(0, _row("sign in", in_all.token_calls, troubles, in_all.token_seconds))
        rows.append(_row("total", in_all.calls + in_all.token_calls, in_all + troubles, seconds_in_all))
        return _aligned(rows)

    @contextmanager
    def _timed(self, name: str, inner: AbstractContextManager[Span]) -> Iterator[Span]:
        """A phase within another is not counted for that one."""
        around = self._phase
        self._charge()
        self._phase, self._earlier, self._total = name, 0, 0
        if self._bar is not None and name in LABELS:
            self._bar.begin(LABELS[name])
        try:
            with inner as span:
                yield span
        finally:
            self.hide()
            self._charge()
            self._phase = around

    def _charge(self) -> None:
        """What came since the last mark belongs to the phase that is under way."""
        now, stats = self._now(), self._stats() if self._stats else None
        since, before = self._mark
        seconds, cost = self._costs.get(self._phase, (0.0, None))
        if stats is not None:
            cost = (cost or Stats()) + (stats - (before or Stats()))
        self._costs[self._phase] = (seconds + now - since, cost)
        self._mark = (now, stats)

    def _read(self, done: int, total: int) -> None:
        """Reading goes in waves, of which each is known when the one before is over."""
        if done == 0:
            self._earlier, self._total = self._earlier + self._total, total
        if self._phase in ("read", "verify"):
            self.tell(self._earlier + done, self._earlier + total)


def _row(name: str, calls: int, cost: Stats, seconds: float) -> tuple[str, ...]:
    counts = (calls, cost.calls - cost.mutations, cost.mutations, cost.retries, cost.refused)
    waits = (f"{each:.1f} s" for each in (cost.paced, cost.paused))
    return (name, *map(str, counts), *waits, f"{seconds:.2f} s")


def _aligned(rows: list[tuple[str, ...]]) -> str:
    table = [("", *_COLUMNS), *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(_COLUMNS) + 1)]
    lines = ["  ".join((row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:]))) for row in table]
    return "\n".join([*lines, _FOOT])
