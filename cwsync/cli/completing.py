"""What a shell completes: addresses and environments, from the files of the project, offline.

Whatever is wrong with the project is said when the command runs. Here it only means that nothing is offered.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from cwsync.project import Project

Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def addresses(*kinds: str) -> Complete:
    """For `shell_complete` of an option or an argument: the addresses that are declared or managed, of these kinds
    or of all."""

    def complete(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
        def found() -> Iterator[str]:
            project = _project(context)
            for address in (*_declared(project), *_managed(project)):
                if not kinds or address.partition(".")[0] in kinds:
                    yield address

        return _offered(found, incomplete)

    return complete


def environments(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """For `shell_complete` of -e."""
    return _offered(lambda: _environments(context), incomplete)


def _offered(find: Callable[[], Iterable[str]], incomplete: str) -> list[str]:
    try:
        return sorted({one for one in find() if one.startswith(incomplete)})
    except Exception:  # noqa: BLE001 - the person is typing a command: a message would stand in its midst
        return []


def _environments(context: click.Context) -> Iterable[str]:
    """Read from the file as it is, for no environment need be chosen yet."""
    from cwsync.located import Map, at, read
    from cwsync.project import find_project

    (document,) = read(find_project(_folder(context)), "cwsync.yaml")
    found = at(document, ("environments",))
    return found if isinstance(found, Map) else ()


def _project(context: click.Context) -> Project:
    """The project of -C and -e as typed so far."""
    from cwsync.project import load_project

    return load_project(_folder(context), _given(context, "environment"), {}, os.environ)


def _folder(context: click.Context) -> Path:
    return Path(_given(context, "directory") or ".")


def _given(context: click.Context, name: str) -> Any:
    value = context.params.get(name)
    return value or (_given(context.parent, name) if context.parent else None)


def _declared(project: Project) -> Iterator[str]:
    """From each manifest that is YAML, although it may be wrong otherwise: it is being worked on."""
    from cwsync.errors import CwsyncError
    from cwsync.kinds import KINDS
    from cwsync.located import Map, at, read
    from cwsync.project import manifest_files

    for file in manifest_files(project):
        try:
            documents = read(file, file.name)
        except CwsyncError:
            continue
        for document in documents:
            for kind in KINDS.values():
                section = at(document, (kind.section,))
                yield from (f"{kind.name}.{key}" for key in (section if isinstance(section, Map) else ()))


def _managed(project: Project) -> Iterator[str]:
    """From a state in a file. To one in a bucket it is too far for a keystroke, and an encrypted one stays closed."""
    import json

    place = project.environment.state
    if "://" not in place and (project.root / place).is_file():
        yield from json.loads((project.root / place).read_bytes()).get("resources", ())
