"""history and logs: the runs there were, and what went wrong in one."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cwsync.cli.completing import addresses
from cwsync.cli.settings import Settings, put, with_settings
from cwsync.errors import Exit, fail

if TYPE_CHECKING:
    from cwsync.api import Client
    from cwsync.kinds.runs import Dump, Run


@click.command("history")
@with_settings("text", "json")
@click.argument("address", metavar="ADDR", shell_complete=addresses("integration", "flow"))
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Show so many of the latest runs.",
)
def history_command(settings: Settings, address: str, limit: int) -> int:
    """Show the latest runs of a managed integration; of a flow the last one, and its steps'."""
    from cwsync.cli.tenant import opened
    from cwsync.operate import find_target, labels, read_flow, read_history
    from cwsync.report.runs import flow_history_json, flow_history_text, history_json, history_text

    with opened(settings) as (client, state):
        target = find_target(state, address)
        known = labels(state)
        if target.kind == "flow":
            flow = read_flow(client, target.id)
            as_json, text = (
                flow_history_json(address, flow, known),
                flow_history_text(address, flow, known, color=settings.color),
            )
        else:
            history = read_history(client, target.id, limit)
            as_json, text = (
                history_json(address, target.id, history),
                history_text(address, history, color=settings.color),
            )
    settings.show(as_json if settings.format == "json" else text)
    return Exit.OK


@click.command("logs")
@with_settings("text", "json")
@click.argument("run", metavar="RUN")
@click.option("--dump", is_flag=True, help="Print the rows that failed, as the service gives them.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Write those rows to new files in this folder.",
)  # fmt: skip
def logs_command(settings: Settings, run: str, dump: bool, out: Path | None) -> int:
    """Show what went wrong in a run, by its id: cwsync history has the ids."""
    from cwsync.cli.workspace import Workspace
    from cwsync.operate import read_dumps, read_errors
    from cwsync.report.runs import logs_json, logs_text

    with closing(Workspace.open(settings, manifests=False)) as workspace:
        known = _known_run(workspace.client, run)
        errors = read_errors(workspace.client, run)
        dumps = read_dumps(workspace.client, run, errors) if dump or out else None
    files = _write(out, dumps) if out and dumps else []
    if settings.format == "json":
        settings.show(logs_json(known, run, errors, dumps, files))
        return Exit.OK
    text = logs_text(known, run, errors, color=settings.color)
    if dump:  # stdout is then for the rows alone
        settings.say(text)
        _print(dumps or ())
    else:
        settings.show(text)
    if dumps is not None and not dumps:
        settings.say("There are no rows that failed.")
    for file in files:
        settings.say(f"Written: {file}")
    return Exit.OK


def _known_run(client: Client, run_id: str) -> Run | None:
    """What the service says of the run; None where it doesn't, as it may not for a flow's."""
    from cwsync.api import NotFound
    from cwsync.operate import read_run

    try:
        return read_run(client, run_id)
    except NotFound:
        return None


def _print(dumps: Sequence[Dump]) -> None:
    """As they are, but on a terminal, which would obey what may stand in them."""
    from cwsync.report.screen import safe

    for dump in dumps:
        lines = dump.text.splitlines()
        shown = "\n".join(map(safe, lines)) if sys.stdout.isatty() else dump.text
        put(shown)


def _write(folder: Path, dumps: Sequence[Dump]) -> list[str]:
    """One new file for each; what is there is never written over."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / _file_name(dump) for dump in dumps]
        for path, dump in zip(paths, dumps, strict=True):
            with path.open("x", encoding="utf-8", newline="") as file:
                file.write(dump.text)
    except FileExistsError as error:
        raise fail(
            "CW901", f"{error.filename} exists, and is not written over", hint="give --out another folder"
        ) from None
    except OSError as error:
        raise fail("CW901", f"{error.filename or folder} cannot be written: {error.strerror}") from None
    return [str(path) for path in paths]


def _file_name(dump: Dump) -> str:
    """From the ids of the run and the action, which come from outside: nothing in them is a path here."""
    name = "-".join(filter(None, (dump.run, dump.action)))
    return re.sub(r"[^A-Za-z0-9-]", "_", name)[:150] + ".csv"
