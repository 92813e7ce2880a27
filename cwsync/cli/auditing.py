"""The audit trail of a command: where its lines go, and who it is that they are about."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from cwsync.audit import Trail
    from cwsync.cli.outside import Outside
    from cwsync.project import Project

audit_option = click.option(
    "--audit", metavar="FILE", help="Append a line of JSON for each change of the tenant; - is stderr."
)


def open_trail(project: Project, outside: Outside) -> Trail:
    """--audit wins over the environment's `audit`; without both nothing is written."""
    from cwsync.audit import Trail
    from cwsync.state.machine import this_process

    trail = Trail(_place(project, outside.audit), outside.now)
    me = outside.holder or this_process()
    trail.know(
        user={"name": me.user, "host": me.host, "process": me.process}, environment=project.environment.name
    )
    return trail


def _place(project: Project, chosen: str | None) -> Path | Literal["stderr"] | None:
    written = project.environment.audit
    if chosen == "-" or (chosen is None and written == "stderr"):
        return "stderr"
    if chosen is not None:
        return Path(chosen)
    return project.root / written if written is not None else None
