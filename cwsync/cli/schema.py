"""schema: JSON Schemas, so that an editor completes and documents every field."""

from __future__ import annotations

import click

from cwsync.cli.settings import Settings, with_settings
from cwsync.errors import Exit


@click.command("schema")
@with_settings("json")
@click.argument("name", type=click.Choice(["manifest", "project"]))
def schema_command(settings: Settings, name: str) -> int:
    """Print the JSON Schema of manifests or of cwsync.yaml."""
    import json

    from cwsync.manifest.schema import manifest_schema
    from cwsync.project import project_schema

    content = manifest_schema() if name == "manifest" else project_schema()
    settings.show(json.dumps(content, indent=2, ensure_ascii=False))
    return Exit.OK
