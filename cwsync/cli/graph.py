"""graph: the dependencies of what the manifests declare."""

from __future__ import annotations

import click

from cwsync.cli.settings import Settings, with_settings
from cwsync.errors import Exit


@click.command("graph")
@with_settings("mermaid", "dot")
def graph_command(settings: Settings) -> int:
    """Print who depends on whom, as Mermaid or DOT: an arrow goes to what is needed."""
    from cwsync.cli.workspace import Workspace
    from cwsync.report.graph import graph_dot, graph_mermaid

    desired = Workspace.open(settings).desired
    edges = [(address, str(ref)) for address, one in desired.items() for ref in one.references()]
    render = graph_mermaid if settings.format == "mermaid" else graph_dot
    settings.show(render(list(desired), edges))
    return Exit.OK
