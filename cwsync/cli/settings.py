"""The options that every command takes, before or after its name."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from cwsync.cli import completing
from cwsync.cli.outside import Outside
from cwsync.cli.tracing import in_span

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Settings:
    """What the options come to. `format` is one of those that the command has."""

    directory: Path
    environment: str | None
    variables: dict[str, str]
    format: str
    color: bool
    verbose: bool
    quiet: bool
    stats: bool = False
    outside: Outside = field(default_factory=Outside)

    def say(self, text: str) -> None:
        """Progress and diagnostics: to stderr, unless quiet."""
        if not self.quiet:
            put(text, err=True)

    def show(self, text: str | bytes) -> None:
        """A result: to stdout. Bytes are printed as they are."""
        put(text, color=self.color)


def put(text: str | bytes, *, err: bool = False, color: bool | None = None) -> None:
    """Print. A reader that has seen enough (`| head`) stops nothing: what is under way goes on to its own end."""
    try:
        if isinstance(text, bytes):
            click.echo(text, nl=False, err=err)
        else:
            click.echo(text.rstrip("\n"), err=err, color=color)
    except BrokenPipeError:
        stream = sys.stderr if err else sys.stdout
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _assignments(
    _context: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    found = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{value!r} is not NAME=VALUE")
        found[name] = text
    return found


def _options(formats: tuple[str, ...], *, environments: bool = False) -> list[Callable[[F], F]]:
    named = click.Choice(formats) if formats else None
    environment = "environments" if environments else "environment"
    return [
        click.option("-C", "directory", metavar="DIR", help="The project's folder, instead of this one."),
        click.option(
            "-e",
            "--environment",
            environment,
            multiple=environments,
            metavar="ENV",
            shell_complete=completing.environments,
            help="An environment of cwsync.yaml. Give it twice."
            if environments
            else "The environment of cwsync.yaml.",
        ),
        click.option(
            "--var",
            "variables",
            multiple=True,
            metavar="NAME=VALUE",
            callback=_assignments,
            help="Set a variable of cwsync.yaml. Repeatable.",
        ),
        click.option("--format", "format", type=named, metavar="FORMAT", help=_how(formats)),
        click.option("--no-color", is_flag=True, help="No colours. NO_COLOR does the same."),
        click.option("-v", "--verbose", is_flag=True, help="Say more."),
        click.option("-q", "--quiet", is_flag=True, help="Say only what is asked for."),
        click.option("--stats", is_flag=True, help="Say at the end what it cost: requests, waits, seconds."),
    ]


def _how(formats: tuple[str, ...]) -> str:
    return f"How to print the result: {', '.join(formats) if formats else 'text, json and others'}."


def with_settings(*formats: str, environments: bool = False) -> Callable[[F], F]:
    """Give a command the common options; it gets a `Settings` as its first argument.

    With `environments` it takes -e several times, and gets them as an argument of that name; those settings
    have an environment only where one was given before the command's name.
    """

    def decorate(command: F) -> F:
        @wraps(command)
        def run(**given: Any) -> Any:
            settings, path = _settings(given, formats), click.get_current_context().command_path
            return in_span(
                settings.outside,
                path,
                os.environ,
                lambda outside: _watched(
                    replace(settings, outside=outside), lambda watched: command(watched, **given)
                ),
            )

        for option in reversed(_options(formats, environments=environments)):
            run = option(run)
        return run  # type: ignore[return-value] # click's decorators keep what they are given

    return decorate


def _watched(settings: Settings, command: Callable[[Settings], Any]) -> Any:
    """Run a command, with its phases timed and its progress shown; tell what it cost, also where it fails."""
    from cwsync.cli.progress import Bar, is_watched
    from cwsync.cli.stats import Watch

    outside = settings.outside
    bar = Bar(outside.monotonic, color=settings.color) if is_watched(quiet=settings.quiet) else None
    watch = Watch(outside.spans, outside.monotonic, bar)
    try:
        return command(replace(settings, outside=replace(outside, spans=watch, watch=watch)))
    finally:
        if settings.stats:
            put(watch.table(), err=True)


def group_options(group: F) -> F:
    """The common options before the command's name, for the program and for a group; those nearest to it win."""
    for option in reversed(_options(())):
        group = option(group)
    return group


def _settings(given: dict[str, Any], formats: tuple[str, ...]) -> Settings:
    """Take the common options out of what a command was given."""
    context = click.get_current_context()
    before = _given_before(context)
    own = {name: given.pop(name, None) for name in ("directory", "environment", "format")}
    flags = {name: given.pop(name) or before.get(name) for name in ("no_color", "verbose", "quiet", "stats")}
    chosen = {name: own[name] or before.get(name) for name in own}
    wanted = chosen["format"] or formats[0]
    if wanted not in formats:
        raise click.UsageError(f"{context.info_name} has no format {wanted}: it has {', '.join(formats)}")
    return Settings(
        directory=Path(chosen["directory"] or "."),
        environment=chosen["environment"],
        variables={**before["variables"], **given.pop("variables")},
        format=wanted,
        color=not flags["no_color"] and not os.environ.get("NO_COLOR") and sys.stdout.isatty(),
        verbose=bool(flags["verbose"]),
        quiet=bool(flags["quiet"]),
        stats=bool(flags["stats"]),
        outside=replace(context.find_object(Outside) or Outside(), audit=given.pop("audit", None)),
    )


def _given_before(context: click.Context) -> dict[str, Any]:
    """The common options of the program and of the groups on the way to a command; the nearest win."""
    if context.parent is None:
        return {}
    outer, own = _given_before(context.parent), context.parent.params
    variables = {**outer.get("variables", {}), **own.get("variables", {})}
    return outer | {name: value for name, value in own.items() if value} | {"variables": variables}
