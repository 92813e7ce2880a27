"""Which files are the manifests."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from cwsync.errors import CwsyncError, Problem, fail
from cwsync.located import Map, Seq, problem
from cwsync.project.values import Project, shown

SUFFIXES = frozenset((".yaml", ".yml", ".json"))
_LEADS_OUT = re.compile(r"[/~\\]|[A-Za-z]:")
_MAGIC = re.compile(r"[*?\[]")


def manifest_files(project: Project) -> list[Path]:
    """The manifests, sorted by their path in the project, each once.

    Folders are read with all folders below them, links followed, hidden ones left out. Raises CW115
    for each pattern that nothing matches, CW101 for a folder that cannot be read.
    """
    found: dict[str, Path] = {}
    problems: list[Problem] = []
    own = os.path.realpath(project.path)
    for index, pattern in enumerate(project.manifests):
        try:
            files = {os.path.realpath(file): file for file in _matching(project.root, pattern)}
        except CwsyncError as error:
            problems.extend(error.problems)
            continue
        files.pop(own, None)
        if not files:
            message = f"no manifest matches '{pattern}'"
            hint = "folders are read for *.yaml, *.yml and *.json; paths start at cwsync.yaml's folder"
            problems.append(problem("CW115", message, project.document, ("manifests", index), hint=hint))
        for real, file in files.items():
            found.setdefault(real, file)
    if problems:
        raise CwsyncError(*problems)
    return sorted(found.values(), key=lambda file: file.relative_to(project.root).as_posix())


def covers(project: Project, file: Path) -> bool:
    """Whether `manifests:` of the project has a pattern for this file, which need not exist yet."""
    try:
        names = file.relative_to(project.root).parts
    except ValueError:
        return False
    return not any(name.startswith(".") for name in names) and any(
        _matches(PurePosixPath(pattern).parts, names) for pattern in project.manifests
    )


def pattern_problems(root: Map, patterns: Seq) -> Iterator[Problem]:
    """Manifests are the project's own: a pattern that leaves its folder is refused."""
    for index, pattern in enumerate(patterns):
        if not isinstance(pattern, str):
            continue  # the model says so
        if _LEADS_OUT.match(pattern) or ".." in PurePosixPath(pattern).parts:
            message = f"'{pattern}' leads out of the project's folder"
            hint = "give a path below the folder of cwsync.yaml"
            yield problem("CW111", message, root, ("manifests", index), hint=hint)


def _matching(root: Path, pattern: str) -> Iterator[Path]:
    parts = PurePosixPath(pattern).parts
    fixed = [*parts]
    for index, part in enumerate(parts):
        if _MAGIC.search(part):
            fixed = [*parts[:index]]
            break
    base = root.joinpath(*fixed)
    if not base.is_dir():
        if len(fixed) == len(parts) and os.path.lexists(base):
            yield base
        return
    if len(fixed) == len(parts):
        yield from _below(base, set())
        return
    yield from (file for file in _below(base, set()) if _matches(parts, file.relative_to(root).parts))


def _matches(pattern: tuple[str, ...], names: tuple[str, ...]) -> bool:
    """Whether a glob means this path; a folder that it matches stands for all that is below."""
    if not pattern:
        return True
    if pattern[0] == "**":
        return any(_matches(pattern[1:], names[skipped:]) for skipped in range(len(names)))
    return bool(names) and fnmatch.fnmatchcase(names[0], pattern[0]) and _matches(pattern[1:], names[1:])


def _below(folder: Path, seen: set[str]) -> Iterator[Path]:
    """The manifests below a folder. `seen` keeps links that lead in a circle from being followed for ever."""
    real = os.path.realpath(folder)
    if real in seen:
        return
    seen.add(real)
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise fail("CW101", f"the folder {shown(folder)} cannot be read: {error.strerror}") from None
    for entry in entries:
        if entry.name.startswith("."):
            continue
        path = folder / entry.name
        if entry.is_dir():
            yield from _below(path, seen)
        elif path.suffix.lower() in SUFFIXES:
            yield path
