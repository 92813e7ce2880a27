"""The options that choose a part of the work: --target, --exclude, --replace, --adopt; and --label."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from cwsync.cli.completing import addresses

F = TypeVar("F", bound=Callable[..., Any])


def _addresses(name: str, about: str) -> Callable[[F], F]:
    return click.option(
        f"--{name}",
        name,
        multiple=True,
        metavar="ADDR",
        shell_complete=addresses(),
        help=f"{about} Repeatable.",
    )


_PART = (
    _addresses("target", "Only this address and what it needs. A deletion must be named so."),
    _addresses(
        "exclude", "All but this address and what needs it; nothing is deleted that --target does not name."
    ),
)
_LABEL = click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="NAME",
    help="A label that policies may ask for; CWSYNC_LABELS has more, with commas between. Repeatable.",
)
_WHOLE = (
    *_PART,
    _addresses("replace", "Make this one anew, although nothing asks for it."),
    click.option(
        "--adopt", is_flag=True, help="Take over what has the name of something declared and is not managed."
    ),
)


def with_selection(*, destroy: bool = False) -> Callable[[F], F]:
    """Give a command these options; it gets a `Selection`. `destroy` leaves out those that make something."""

    def decorate(command: F) -> F:
        @wraps(command)
        def run(*arguments: Any, **given: Any) -> Any:
            from cwsync.plan import Selection

            selection = Selection(
                targets=given.pop("target"),
                excludes=given.pop("exclude"),
                replace=given.pop("replace", ()),
                adopt=given.pop("adopt", False),
                labels=given.pop("labels"),
            )
            return command(*arguments, selection=selection, **given)

        for option in reversed((*(_PART if destroy else _WHOLE), _LABEL)):
            run = option(run)
        return run  # type: ignore[return-value] # click's decorators keep what they are given

    return decorate
