"""The command line: parse, call, report, exit. A command imports what it needs when it runs."""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import click

from cwsync.cli.outside import Outside
from cwsync.cli.settings import group_options, put
from cwsync.errors import CwsyncError, Exit, Problem, exit_status

COLLECTING = (100_000, 10, 10)
"""How rarely the collector looks, in a process of its own."""

_COMMANDS = {
    "init": "init",
    "validate": "validate",
    "fmt": "fmt",
    "plan": "plan",
    "show": "plan",
    "apply": "apply",
    "destroy": "apply",
    "drift": "drift",
    "diff": "diff",
    "import": "import_",
    "run": "run",
    "cancel": "run",
    "history": "history",
    "logs": "history",
    "state": "state",
    "recover": "recover",
    "unlock": "unlock",
    "graph": "graph",
    "auth": "auth",
    "emulator": "emulator",
    "schema": "schema",
    "explain": "explain",
    "completion": "completion",
}
_SUMMARIES = {
    "init": "Write a project that runs on the embedded emulator.",
    "validate": "Check the manifests, offline.",
    "fmt": "Lay out cwsync.yaml and the manifests alike.",
    "plan": "Read the tenant and show the calls that would make it match.",
    "show": "Show a saved plan.",
    "apply": "Make the calls: of a saved plan exactly those, else plan, ask, apply.",
    "destroy": "Delete all that is managed.",
    "drift": "Say what the tenant changed behind our back.",
    "diff": "Compare what two environments declare, offline.",
    "import": "Take over what is in the tenant already: single things, or with --all everything.",
    "run": "Run an integration or a flow, and follow it with --wait.",
    "cancel": "Cancel the run of an integration.",
    "history": "Show the latest runs of an integration or a flow.",
    "logs": "Show what went wrong in a run, and the rows that failed.",
    "state": "Look at what is known to be managed, and mend it by hand.",
    "recover": "Show operations whose outcome needs a person, and take the decision.",
    "unlock": "Remove a lock that will not heal by itself.",
    "graph": "Print the dependencies as Mermaid or DOT.",
    "auth": "Try the credentials; print a signed certificate payload.",
    "emulator": "Run a CloudWorks on this machine.",
    "schema": "Print a JSON Schema for editors.",
    "explain": "Say what a field means, and how it is compared.",
    "completion": "Print the script that makes a shell complete cwsync's commands.",
}


class _Commands(click.Group):
    """Commands that are imported when they run: `--help` pays for none of them."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        from importlib import import_module

        command: click.Command = getattr(import_module(f"cwsync.cli.{_COMMANDS[name]}"), f"{name}_command")
        return command

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            from cwsync.errors import suggest

            close = suggest(args[0], _COMMANDS)
            raise click.UsageError(
                f"there is no command {args[0]}" + (f": did you mean {close}?" if close else ""), context
            )
        return super().resolve_command(context, args)

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, _SUMMARIES[name]) for name in _COMMANDS])


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name=None, version="0.1.0", prog_name="cwsync", message="%(prog)s %(version)s")
@group_options
def _cli(**_options: object) -> None:
    """Anaplan CloudWorks as code: manifests in git, a plan to review, an apply that follows it.

    Exit status: 0 done or nothing to do, 1 error, 2 changes or drift, 3 the saved plan is stale,
    4 the state is locked, 5 needs a person, 6 applied partly, 7 refused, 130 interrupted.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run cwsync and exit with the status of the contract. No traceback ever reaches a user."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name that the terminal's encoding lacks stops nothing
        sys.stdout.reconfigure(errors="backslashreplace")
    _make_haste()
    status = run(arguments)
    if status == Exit.INTERRUPTED:
        _leave(status)
    gc.freeze()  # what is left goes with the process: it need not be searched for circles once more
    sys.exit(status)


def _make_haste() -> None:
    """What suits a process that is ours alone, and most often a short one."""
    # Values are trees: looking for circles as often as Python does would take half the time of a large plan. What
    # runs for days (`emulator`, `run --wait`) still has them found, with each hundred thousand new objects.
    gc.set_threshold(*COLLECTING)
    # What a manifest means is not for plugins to say that other packages brought along, and to look for them in
    # all that is installed takes longer than to read a manifest.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # httpx loads a command line of its own where rich is installed, and that takes as long as the rest of httpx.
    # It does without where that cannot be imported.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # what Python itself refuses to import


def _leave(status: int) -> None:
    """End the process at once: Python would wait for threads, and they for replies that nobody wants any more."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody reads it, or it is closed
            stream.flush()
    os._exit(status)


def run(arguments: Sequence[str] | None = None, outside: Outside | None = None) -> int:
    """Run cwsync; the exit status. `outside` is what it meets there, where that is not the real thing."""
    try:
        status = _cli.main(args=arguments, prog_name="cwsync", standalone_mode=False, obj=outside)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return Exit.ERROR
    except (click.Abort, KeyboardInterrupt):
        return _failed(CwsyncError(Problem("CW604", "interrupted")))
    except Exception as error:  # noqa: BLE001 - the last resort: a defect of ours is told without a traceback
        return _failed(_as_ours(error))
    return int(status or Exit.OK)


def _as_ours(error: Exception) -> CwsyncError:
    if isinstance(error, CwsyncError):
        return error
    if isinstance(error, click.ClickException):
        context = error.ctx if isinstance(error, click.UsageError) else None
        hint = f"see {context.command_path} --help" if context else None
        return CwsyncError(Problem("CW901", error.format_message(), hint=hint))
    return CwsyncError(_defect(error))


def _failed(error: CwsyncError) -> int:
    from cwsync.report.problems import problems_text

    color = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    put(problems_text(error.problems, color=color), err=True)
    return exit_status(error.problems) or Exit.ERROR


def _defect(error: Exception) -> Problem:
    """Where it happened, and nothing of what was being worked on: that may be a secret."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = ""
    if trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "?")
        where = f" in {module}, line {trace.tb_lineno}"
    return Problem(
        "CW999",
        f"cwsync has a defect: {type(error).__name__}{where}",
        hint="please report this line and the command; what was changed so far is in the state",
    )
