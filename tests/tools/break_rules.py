"""Breaks each rule and each piece of evidence of the protocol in turn, in a copy, and shows that the tests notice.

`make breaks` runs it; `python tests/tools/break_rules.py R4 E2` only these. Each break is a few characters in one
file. The tests are run against the copy until one of them fails: a break that none notices fails the command.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUITE = (
    "tests/unit/apply",
    "tests/unit/state",
    "tests/unit/api",
    "tests/crash",
    "tests/cli/test_statuses.py",
)


@dataclass(frozen=True)
class Break:
    """One rule made false: `old` stands once in the file, and `new` takes its place."""

    rule: str
    what: str
    file: str
    old: str
    new: str


BREAKS = (
    Break(
        "R1",
        "requests go out without a durable intent",
        "cwsync/apply/executor.py",
        "self._with_ends(state).with_intents(task.intent for task in tasks)",
        "self._with_ends(state)",
    ),
    Break(
        "R2",
        "a mutation is sent again like a read",
        "cwsync/api/line.py",
        'failure.again == "reads" and not mutates',
        'failure.again == "reads"',
    ),
    Break(
        "R3",
        "what is ambiguous counts as refused",
        "cwsync/api/replies.py",
        "(Ambiguous, _UNCERTAIN) if call.mutates else",
        "(Rejected, _UNCERTAIN) if call.mutates else",
    ),
    Break(
        "R4",
        "an outcome that is not known clears the intent",
        "cwsync/apply/record.py",
        'one.status != "unknown" and one.task.intent.op in',
        "one.task.intent.op in",
    ),
    Break(
        "R5",
        "every operation has a commit of its own",
        "cwsync/apply/frontier.py",
        "orders = sorted(order for order, after in self._waiting.items() if not after)",
        "orders = sorted(order for order, after in self._waiting.items() if not after)[:1]",
    ),
    Break(
        "R6",
        "an intent that cannot be stored is sent all the same",
        "cwsync/apply/executor.py",
        "            self._halt(error, tasks)\n            return False\n        self.unrecorded.clear()",
        "            self._halt(error, [])\n            return True\n        self.unrecorded.clear()",
    ),
    Break(
        "R7",
        "a run begins without resolving what is pending",
        "cwsync/apply/recover.py",
        "    if not held.state.pending:\n        return Recovered()\n",
        "    held.update(lambda state: state.without_intents(state.pending))\n    return Recovered()\n",
    ),
    Break(
        "R8",
        "what was touched is not read again",
        "cwsync/apply/verify.py",
        "    if not (mine or gone):\n",
        "    if mine is not None:\n",
    ),
    Break(
        "R9",
        "a third state is overwritten",
        "cwsync/apply/evidence.py",
        'return "needs a person", "it is neither as it was before nor as it should be now"',
        'return "not done", ""',
    ),
    Break(
        "E1",
        "absence is taken for granted",
        "cwsync/apply/evidence.py",
        "absent = intent.pre.absent is True",
        "absent = True",
    ),
    Break(
        "E2",
        "it may have been created before the request",
        "cwsync/apply/evidence.py",
        "if made < begun - _SKEW:",
        "if False:",
    ),
    Break(
        "E3",
        "anybody may have created it",
        "cwsync/apply/evidence.py",
        "if found.created_by not in authors:",
        "if False:",
    ),
    Break(
        "E4",
        "it may be something else",
        "cwsync/apply/evidence.py",
        'Evidence("E4", kept,',
        'Evidence("E4", True,',
    ),
    Break(
        "E5",
        "somebody may have changed it since",
        "cwsync/apply/evidence.py",
        "if later or found.modified_by not in (None, found.created_by):",
        "if False:",
    ),
    Break(
        "E6",
        "it may belong to another address",
        "cwsync/apply/evidence.py",
        "            other is None,\n",
        "            True,\n",
    ),
    Break(
        "fence",
        "a paused run sends on after a takeover",
        "cwsync/apply/executor.py",
        "        return held.may_mutate()\n",
        "        return True\n",
    ),
    Break(
        "takeover",
        "the last request of a dead run is not waited for",
        "cwsync/apply/recover.py",
        "    held.settle()\n",
        "",
    ),
    Break(
        "protection",
        "preventDestroy is forgotten with its block",
        "cwsync/plan/guards.py",
        "declared.protect if declared else entry is not None and entry.protect",
        "declared is not None and declared.protect",
    ),
    Break(
        "fsync",
        "a commit may be lost with the power",
        "cwsync/state/files.py",
        "            files.fsync(descriptor)\n",
        "            pass\n",
    ),
)


@contextmanager
def broken(one: Break) -> Iterator[Path]:
    """A copy of the project in which the rule does not hold. Raises ValueError where the code has moved on."""
    with tempfile.TemporaryDirectory(prefix="cwsync-breaks-") as folder:
        copy = Path(folder)
        for name in ("cwsync", "tests", "examples", "schemas"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", ".cwsync"))
        for name in ("pyproject.toml", "README.md"):
            shutil.copy(ROOT / name, copy / name)
        file = copy / one.file
        file.write_text(changed(one), encoding="utf-8")
        yield copy


def changed(one: Break) -> str:
    """The file's text with the break in it."""
    text = (ROOT / one.file).read_text(encoding="utf-8")
    if text.count(one.old) != 1:
        raise ValueError(f"{one.rule}: {one.file} has the text to break {text.count(one.old)} times")
    return text.replace(one.old, one.new)


def noticed_by(one: Break) -> str | None:
    """The test that fails because of the break."""
    with broken(one) as copy:
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-n", "auto", "-p", "no:cacheprovider", *SUITE],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(copy)},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
    failed = [line for line in ran.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failed[0].split(" - ")[0].split(" ", 1)[1] if failed else None


def main(rules: list[str]) -> int:
    missed = []
    for one in BREAKS:
        if rules and one.rule not in rules:
            continue
        by = noticed_by(one)
        print(f"{one.rule:<10} {one.what}: {f'noticed by {by}' if by else 'NOT NOTICED'}", flush=True)
        missed += [] if by else [one.rule]
    if missed:
        print(f"\nNobody noticed: {', '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
