"""The JSON Schema of manifests, from the models: what an editor completes and documents."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from cwsync.checked.schema import DIALECT, tidy
from cwsync.kinds import KINDS
from cwsync.manifest.address import KEY
from cwsync.manifest.lists import LISTS


def manifest_schema() -> dict[str, Any]:
    """One schema for every file of manifests: sections map keys to resources of a kind, change lists have entries."""
    resources = [model for kind in KINDS.values() for model in kind.models]
    models = [(model, "validation") for model in (*resources, *(entry for entry, _ in LISTS.values()))]
    _, schema = models_json_schema(models, ref_template="#/$defs/{model}")  # type: ignore[arg-type] # the mode is a literal
    definitions = tidy(schema)["$defs"]
    for model in resources:
        # What is required may also come from `defaults` in cwsync.yaml, which an editor doesn't see.
        definitions[model.__name__].pop("required", None)
    return {
        "$schema": DIALECT,
        "title": "cwsync manifest",
        "description": "Anaplan CloudWorks resources, by section and key.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            **{kind.section: _section(kind.summary, kind.models) for kind in KINDS.values()},
            **{name: _list(entry) for name, (entry, _) in LISTS.items()},
        },
        "$defs": definitions,
    }


def _section(summary: str, models: tuple[type[BaseModel], ...]) -> dict[str, Any]:
    options = [{"$ref": f"#/$defs/{model.__name__}"} for model in models]
    return {
        "type": ["object", "null"],
        "description": summary,
        "propertyNames": {"pattern": f"^{KEY.pattern}$"},
        "additionalProperties": options[0] if len(options) == 1 else {"anyOf": options},
    }


def _list(entry: type[BaseModel]) -> dict[str, Any]:
    return {
        "type": ["array", "null"],
        "description": entry.__doc__,
        "items": {"$ref": f"#/$defs/{entry.__name__}"},
    }
