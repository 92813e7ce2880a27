"""`make proof`: what it counts is true, and what it writes goes where it belongs."""

from __future__ import annotations

from pathlib import Path

from crash.gate import Death
from tools.comparison import Count, cwsync, killed
from tools.proof import written
from tools.readme import README

TEXT = README.read_text(encoding="utf-8")


def test_it_writes_its_own_tables_and_nothing_else() -> None:
    changed = written(TEXT, {"kills": ["| a new table |"]})
    before, after = (set(text.splitlines()) for text in (TEXT, changed))
    assert after - before == {"| a new table |"}
    assert "`make proof` writes this: terraform -->" in changed
    assert written(changed, {"terraform": ["| another |"]}) != changed


def test_a_killed_run_is_counted_and_its_objects_are_not_lost(tmp_path: Path) -> None:
    assert killed(cwsync, tmp_path, Death(11, "after")) == Count(kills=1, converged=1)
