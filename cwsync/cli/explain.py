"""explain: what a kind, a change list or a field means."""

from __future__ import annotations

import click

from cwsync.cli.settings import Settings, with_settings
from cwsync.errors import Exit


@click.command("explain")
@with_settings("text")
@click.argument("what", metavar="KIND[.FIELD]")
def explain_command(settings: Settings, what: str) -> int:
    """Say what a kind or a field means, what it takes, and how it is compared with the tenant.

    KIND is also one of the change lists: import, moved, removed.
    """
    from cwsync.report.explain import explain

    kind, *path = what.split(".")
    settings.show(explain(kind, tuple(path)))
    return Exit.OK
