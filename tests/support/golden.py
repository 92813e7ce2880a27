"""What a command printed, as a golden file has it: everything but what no two runs can have in common."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from support.projects import Project
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

_ID = re.compile(r"\b[0-9a-f]{32}\b")
_CHANGES_EACH_TIME = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)"), "<time>"),
    (re.compile(r"sha256:[0-9a-f]{64}"), "sha256:<digest>"),
    (re.compile(r'(?<="seconds": )[\d.]+'), "<seconds>"),
    (re.compile(r"\d+\.\d s\b"), "<seconds> s"),
    # One commit carries whatever has ended by then.
    (re.compile(r"\bserial \d+"), "serial <number>"),
)
# Lists that are compared as sets are in the order of their ids, and those are made at random.
_LIST = re.compile(r"\[[^\[\]]*<id of [^\[\]]*\]")
_ITEM = re.compile(r'"<id of [^"]+"(?: \([^)]+\))?')
_PROGRESS = re.compile(r"\[\d+/(\d+)\] ")


class TextFile(SingleFileSnapshotExtension):
    """One readable file for each output."""

    file_extension = "txt"
    _write_mode = WriteMode.TEXT


class Session:
    """Commands in a project, each with what it printed as a golden file has it."""

    def __init__(self, project: Project, environment: str) -> None:
        self.project = project
        self._environment = environment
        self._written = " ".join(path.read_text() for path in project.root.rglob("*.yaml"))
        self._issued: dict[str, str] = {}

    def run(self, *arguments: str, status: int) -> str:
        """Run a command, which must end in this status; the text of its golden file."""
        self._learn_ids()
        ran = self.project.run(*arguments, "-e", self._environment)
        self._learn_ids()
        assert ran.status == status, ran.all
        out = _calls_by_order(ran.out) if '\n  "applied": ' in ran.out else ran.out
        err = _progress_sorted(ran.err)
        parts = [f"$ cwsync {' '.join(arguments)}\n", out, f"\n--- stderr\n{err}" if err else ""]
        return self._plain("".join(parts) + f"\n--- exit status {ran.status}\n")

    def _learn_ids(self) -> None:
        """The ids that the tenant has issued are named after what they are the ids of."""
        path = self.project.root / ".cwsync" / f"{self._environment}.state.json"
        resources: Mapping[str, dict[str, str]] = (
            json.loads(path.read_text())["resources"] if path.exists() else {}
        )
        for address, entry in sorted(resources.items()):
            self._issued.setdefault(entry["id"], f"<id of {address}>")

    def _plain(self, text: str) -> str:
        text = text.replace(str(self.project.root), "<project>")
        for pattern, instead in _CHANGES_EACH_TIME:
            text = pattern.sub(instead, text)
        return _LIST.sub(_sorted, _ID.sub(self._named, text))

    def _named(self, found: re.Match[str]) -> str:
        id = found[0]
        return id if id in self._written else self._issued.get(id, "<id>")


def _sorted(found: re.Match[str]) -> str:
    items = iter(sorted(_ITEM.findall(found[0])))
    return _ITEM.sub(lambda _: next(items), found[0])


def _progress_sorted(err: str) -> str:
    """Calls run side by side, so which of them ends first differs."""
    lines = err.splitlines(keepends=True)
    ended = [_PROGRESS.sub(r"[n/\1] ", line) for line in lines if _PROGRESS.match(line)]
    return "".join(sorted(ended) + [line for line in lines if not _PROGRESS.match(line)])


def _calls_by_order(document: str) -> str:
    """As with progress: an apply lists its calls as they ended."""
    parsed = json.loads(document)
    parsed["calls"].sort(key=lambda call: call["order"])
    for number, call in enumerate(parsed["calls"], 1):
        call["number"] = number
    return json.dumps(parsed, indent=2) + "\n"
