"""The options of `import` that ask for everything, or for a part of it: --all, --out, and the filters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from cwsync.live import Filters

F = TypeVar("F", bound=Callable[..., Any])

_KINDS = ("connection", "integration", "schedule", "notification", "flow")
_LAYOUTS = ("model", "kind", "single")
_FILTERS = ("kinds", "models", "workspaces", "names")


@dataclass(frozen=True)
class Asked:
    """Where the manifests go, how they are spread over files, and what is asked for."""

    out: Path
    layout: str
    kinds: tuple[str, ...]
    models: tuple[str, ...]
    workspaces: tuple[str, ...]
    names: tuple[str, ...]
    mine: bool

    def filters(self) -> Filters:
        from cwsync.live import Filters

        return Filters(self.kinds, self.models, self.workspaces, self.names, self.mine)


def _repeated(name: str, metavar: str, about: str, choices: tuple[str, ...] = ()) -> Callable[[F], F]:
    of = f"{name}s"
    return click.option(
        f"--{name}",
        of,
        multiple=True,
        metavar=metavar,
        type=click.Choice(choices) if choices else None,
        help=f"{about} Repeatable.",
    )


_OPTIONS = (
    click.option("--all", "all_of_it", is_flag=True, help="Everything that is unmanaged: writes manifests."),
    click.option(
        "--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
        help="The folder for the manifests, which `manifests` of cwsync.yaml covers.",
    ),
    click.option(
        "--layout", type=click.Choice(_LAYOUTS), default="model", show_default=True,
        help="A file for each model and connection type, for each kind, or a single one.",
    ),
    _repeated("kind", "KIND", f"Only this kind: {', '.join(_KINDS)}.", _KINDS),
    _repeated("model", "ID", "Only integrations of this model, and what goes with them."),
    _repeated("workspace", "ID", "Only integrations of this workspace, and what goes with them."),
    _repeated("name", "GLOB", "Only what has such a name; a part has its integration's."),
    click.option("--mine", is_flag=True, help="Only your integrations and flows, and what goes with them."),
)  # fmt: skip


def with_all(command: F) -> F:
    """Give a command these options; it gets an `Asked` as `everything`, None without --all."""

    @wraps(command)
    def run(*arguments: Any, **given: Any) -> Any:
        asked = given.pop("all_of_it")
        out, layout, mine = given.pop("out"), given.pop("layout"), given.pop("mine")
        filters = {name: given.pop(name) for name in _FILTERS}
        if not asked and (out is not None or mine or any(filters.values())):
            raise click.UsageError("--out and the filters go with --all")
        if asked and out is None:
            raise click.UsageError("--all needs --out DIR, the folder for the manifests")
        everything = Asked(out, layout, **filters, mine=mine) if asked else None
        return command(*arguments, everything=everything, **given)

    for option in reversed(_OPTIONS):
        run = option(run)
    return run  # type: ignore[return-value] # click's decorators keep what they are given
