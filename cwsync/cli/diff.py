"""diff: what two environments want, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cwsync.cli.settings import Settings, with_settings
from cwsync.errors import CwsyncError, Exit, Place, Problem

if TYPE_CHECKING:
    from cwsync.manifest import Manifest
    from cwsync.plan.compare import Comparison, Side
    from cwsync.project import Project


@dataclass(frozen=True, slots=True)
class _Opened:
    """One environment, and all that is wrong with it; then there may be no project or manifest."""

    name: str
    project: Project | None = None
    manifest: Manifest | None = None
    problems: tuple[Problem, ...] = ()


@click.command("diff")
@with_settings("text", "json", environments=True)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where there are differences.")
def diff_command(settings: Settings, environments: tuple[str, ...], detailed_exitcode: bool) -> int:
    """Compare what two environments declare, offline: cwsync diff -e dev -e prod.

    A field is shown as FIRST -> SECOND: with what value it is promoted from the first to the second.
    """
    from cwsync.cli.plan import tell_problems

    opened = [_open(settings, name) for name in _two(settings, environments)]
    problems = _told(*opened)
    if any(problem.severity == "error" for problem in problems):
        raise CwsyncError(*problems)
    if not settings.quiet:
        tell_problems(settings, problems)
    found = _compare(*opened)
    _show(settings, found, _people(opened))
    return Exit.CHANGES if detailed_exitcode and found.differences else Exit.OK


def _two(settings: Settings, environments: tuple[str, ...]) -> tuple[str, str]:
    context = click.get_current_context()
    if settings.environment is not None:
        raise click.UsageError("both environments stand behind diff: cwsync diff -e FIRST -e SECOND", context)
    if len(environments) != 2 or environments[0] == environments[1]:
        raise click.UsageError("diff compares two environments: cwsync diff -e FIRST -e SECOND", context)
    return environments[0], environments[1]


def _open(settings: Settings, name: str) -> _Opened:
    from cwsync.cli.workspace import open_manifests, open_project

    try:
        project = open_project(replace(settings, environment=name))
        manifest = open_manifests(project)
    except CwsyncError as error:
        return _Opened(name, problems=error.problems)
    return _Opened(name, project, manifest, manifest.warnings)


def _told(first: _Opened, second: _Opened) -> tuple[Problem, ...]:
    """What is wrong in both, once; what is wrong in one, with that one's name."""
    both = [problem for problem in first.problems if problem in second.problems]
    alone = [
        problem if problem.code == "CW112" else replace(problem, message=f"in {one.name}: {problem.message}")
        for one in (first, second)
        for problem in one.problems
        if problem not in both
    ]
    return (*both, *alone)


def _compare(first: _Opened, second: _Opened) -> Comparison:
    from cwsync.plan.compare import compare

    return compare(_side(first), _side(second), _lines())


def _side(opened: _Opened) -> Side:
    from cwsync.plan.compare import Side

    assert opened.project is not None
    assert opened.manifest is not None
    return Side(opened.name, opened.manifest.resources, opened.project.environment.variables.values)


def _lines() -> Callable[[Place], str]:
    """The line of a file from a place on, as it is written: there the variables still have their names."""
    files: dict[str, list[str]] = {}

    def line_at(place: Place) -> str:
        if place.file not in files:
            try:
                files[place.file] = Path(place.file).read_text(encoding="utf-8-sig").split("\n")
            except (OSError, ValueError):  # it was there a moment ago; without it only the names are missing
                files[place.file] = []
        lines = files[place.file]
        return lines[place.line - 1][place.column - 1 :] if place.line <= len(lines) else ""

    return line_at


def _people(opened: list[_Opened]) -> dict[str, str]:
    """The names of the project's users, by their ids; an id may have another name in each environment."""
    from cwsync.kinds import same_id

    def named() -> Iterator[tuple[str, str]]:
        for one in opened:
            for name, id in (one.project.users if one.project else {}).items():
                yield same_id(id), name

    return dict(named())


def _show(settings: Settings, found: Comparison, people: dict[str, str]) -> None:
    from cwsync.report.compare import comparison_json, comparison_text

    if settings.format == "json":
        settings.show(comparison_json(found))
        return
    how = {"color": settings.color, "verbose": settings.verbose, "quiet": settings.quiet}
    settings.show(comparison_text(found, people, **how))
