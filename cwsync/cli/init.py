"""init: a project that runs as it is, on the emulator inside cwsync."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cwsync.cli.settings import Settings, with_settings
from cwsync.errors import Exit, fail

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


@click.command("init")
@with_settings("text")
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), required=False)
def init_command(settings: Settings, folder: Path | None) -> int:
    """Write a project that runs as it is: cwsync.yaml, manifests, and secrets that git ignores."""
    target = folder or settings.directory
    starter = files("cwsync.cli") / "starter"
    content = dict(_files(starter, Path()))
    there = [path for path in content if (target / path).exists()]
    if there:
        listed = ", ".join(str(target / path) for path in sorted(there))
        raise fail(
            "CW901", f"init overwrites nothing, and these exist: {listed}", hint="choose another folder"
        )
    for path, text in content.items():
        _write(target / path, text)
    at = "" if target == Path() else f" -C {target}"
    settings.show(f"A project is in {target.resolve()}. Now try:")
    for command in ("validate", "plan", "apply", "drift"):
        settings.show(f"  cwsync {command}{at}")
    return Exit.OK


def _files(folder: Traversable, below: Path) -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    for item in sorted(folder.iterdir(), key=lambda one: one.name):
        # A dot in front of a name is for the project: packages and their indexes pass such files over.
        path = (
            below / item.name.replace("dot-", ".", 1) if item.name.startswith("dot-") else below / item.name
        )
        if item.is_dir():
            found += _files(item, path)
        else:
            found.append((path, item.read_text(encoding="utf-8")))
    return found


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        if "secrets" in path.parts:
            path.chmod(0o600)
    except OSError as error:
        raise fail("CW901", f"{path} cannot be written: {error.strerror}") from None
