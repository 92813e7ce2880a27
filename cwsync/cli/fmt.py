"""fmt: one layout for cwsync.yaml and the manifests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from cwsync.cli.settings import Settings, with_settings
from cwsync.errors import CwsyncError, Exit, Problem, exit_status, fail


@click.command("fmt")
@with_settings("text", "json")
@click.option("--check", is_flag=True, help="Write nothing; list what would change, and exit with 1.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH...]")
def fmt_command(settings: Settings, check: bool, paths: tuple[Path, ...]) -> int:
    """Lay out YAML files alike; without PATH, cwsync.yaml and all manifests.

    Only indentation, spaces and empty lines change. Comments, quotes, anchors and the order of everything stay,
    and what a file says is compared before it is written.
    """
    from cwsync.cli.plan import tell_problems

    changed: list[str] = []
    problems: list[Problem] = []
    files = _files(settings, paths)
    for path, name in files.items():
        try:
            if _format(settings, path, name, check=check):
                changed.append(name)
        except CwsyncError as error:
            problems += error.problems
    if check and changed:
        message = f"{len(changed)} of {len(files)} files are not formatted"
        problems.append(Problem("CW106", message, hint="cwsync fmt formats them"))
    _show(settings, changed, len(files), problems, check=check)
    tell_problems(settings, tuple(problems))
    return exit_status(problems, Exit.OK)


def _files(settings: Settings, paths: tuple[Path, ...]) -> dict[Path, str]:
    """What is to be formatted, each file once, and how messages call it."""
    from cwsync.project import shown

    found = list(_named(paths)) if paths else list(_of_project(settings))
    unique = {path.resolve(): path for path in reversed(found)}
    return {path: shown(path) for path in sorted(unique.values())}


def _of_project(settings: Settings) -> Iterator[Path]:
    from cwsync.cli.workspace import open_project
    from cwsync.project import manifest_files

    project = open_project(settings)
    yield project.path
    yield from manifest_files(project)


def _named(paths: tuple[Path, ...]) -> Iterator[Path]:
    from cwsync.project.files import SUFFIXES

    for path in paths:
        if not path.is_dir():
            yield path
            continue
        below = [
            file
            for file in sorted(path.rglob("*"))
            if file.suffix.lower() in SUFFIXES
            and file.is_file()
            and not any(part.startswith(".") for part in file.relative_to(path).parts)
        ]
        if not below:
            raise fail("CW115", f"there is no *.yaml, *.yml or *.json in {path}")
        yield from below


def _format(settings: Settings, path: Path, name: str, *, check: bool) -> bool:
    """Whether the file is, or with `check` would be, another one now."""
    from cwsync.authoring.fmt import formatted
    from cwsync.authoring.writing import put_in_place, text_of_file
    from cwsync.state.files import Files

    text = text_of_file(path, name)
    made = formatted(text, name)
    if made == text:
        return False
    if not check:
        put_in_place(settings.outside.files or Files(), path, text, made, name)
    return True


def _show(
    settings: Settings, changed: list[str], count: int, problems: list[Problem], *, check: bool
) -> None:
    from cwsync.report.document import problem_list, to_json
    from cwsync.report.screen import counted, safe

    if settings.format == "json":
        document = {"changed": changed, "files": count, "written": not check}
        settings.show(to_json({**document, "problems": problem_list(problems)}))
        return
    if changed:
        settings.show("\n".join(map(safe, changed)))
    if not check and not problems:
        rest = counted(count - len(changed), "file")
        settings.say(
            f"Formatted {len(changed)}; {rest} stayed as {'it was' if rest == '1 file' else 'they were'}."
        )
