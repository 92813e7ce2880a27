"""How fast cwsync is, beside what it can be held against, in one run: `make bench` measures, prints, and writes the
tables into README.md. `SIZE=small` takes a minute and only prints."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.machine import of_scale, of_start
from benchmarks.report import load, machine
from benchmarks.requests import of_limits, of_requests
from benchmarks.sizes import Size
from benchmarks.terraform import of_terraform
from tools.readme import README, replaced

Measure = Callable[[Path], Iterator[str]]
_SMALL: dict[str, Measure] = {
    "requests": partial(of_requests, size=Size(10, 60, 60, 60, 10), rounds=1, scripts=True),
    "terraform": partial(of_terraform, size=Size(5, 15)),
    "start": partial(of_start, rounds=5),
    "scale": partial(of_scale, sizes=[100, 800]),
    "limit": partial(of_limits, integrations=60),
}
_FULL: dict[str, Measure] = {
    "requests": partial(of_requests, size=Size(50, 500, 500, 500, 50), rounds=3, scripts=True),
    "terraform": partial(of_terraform, size=Size(20, 180)),
    "start": partial(of_start, rounds=20),
    "scale": partial(of_scale, sizes=[500, 5_000, 50_000]),
    "limit": partial(of_limits, integrations=300),
}
SIZES = {"small": _SMALL, "full": _FULL}


def main(size: str = "full", *tables: str) -> int:
    measures = SIZES.get(size, {})
    if not measures or not set(tables) <= set(measures):
        print(f"usage: make bench [SIZE={'|'.join(SIZES)}] [TABLES={'|'.join(_FULL)}]", file=sys.stderr)
        return 2
    measured: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in tables or measures:
            busy = load()
            lines = [*measures[name](Path(folder))]
            how = f"Measured by `make bench` with {machine()}; load average {busy} at its start."
            measured[name] = [*lines, "", how]
            print(*measured[name], "", sep="\n", flush=True)
    if size == "full":
        text = README.read_text(encoding="utf-8")
        if (changed := replaced(text, "make bench", measured)) != text:
            README.write_text(changed, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
