"""schema: JSON Schemas, so that an editor completes and documents every field."""

from __future__ import annotations

import click

from cwsync.cli.settings import Settings, with_settings
from cwsync.errors import Exit


@click.command("schema")
@with_settings("json")
@click.argument("name", type=click.Choice(["manifest", "project", "plan"]))
def schema_command(settings: Settings, name: str) -> int:
    """Print the JSON Schema of manifests, of cwsync.yaml, or of what plan --format json prints."""
    import json

    from cwsync.manifest.schema import manifest_schema
    from cwsync.project import project_schema
    from cwsync.report.shape import plan_schema

    schemas = {"manifest": manifest_schema, "project": project_schema, "plan": plan_schema}
    settings.show(json.dumps(schemas[name](), indent=2, ensure_ascii=False))
    return Exit.OK
