"""JSON Schemas as an editor wants them: what may be written, without what pydantic adds for itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_VARIABLE = {"type": "string", "pattern": r"\$\{"}


def tidy(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema without generated titles and nulls, in which every plain value may also hold a `${var.name}`."""
    return {key: _tidy(value, named=key in ("properties", "$defs")) for key, value in schema.items()}


def _tidy(value: Any, *, named: bool = False) -> Any:
    if isinstance(value, list):
        return [_tidy(item) for item in value]
    if not isinstance(value, dict):
        return value
    if named:
        return {name: _tidy(item) for name, item in value.items()}
    if (only := _not_null(value)) is not None:
        return _tidy(only)
    kept = {
        k: _tidy(v, named=k in ("properties", "$defs"))
        for k, v in value.items()
        if "properties" in value or not _noise(k, v)
    }
    return _or_variable(kept)


def _not_null(value: Mapping[str, Any]) -> dict[str, Any] | None:
    """An optional value is one that may be left out; nobody writes null."""
    options = value.get("anyOf", [])
    rest = [option for option in options if option != {"type": "null"}]
    if len(rest) == 1 and len(rest) < len(options):
        return {**{k: v for k, v in value.items() if k != "anyOf"}, **rest[0]}
    return None


def _noise(key: str, value: Any) -> bool:
    return (key == "title" and isinstance(value, str)) or (key == "default" and value in (None, [], {}))


def _or_variable(schema: dict[str, Any]) -> dict[str, Any]:
    rules = ("type", "enum", "pattern", "format", "minimum", "maximum", "minLength", "anyOf")
    own = {key: schema[key] for key in rules if key in schema}
    plain = own.get("type") in ("boolean", "integer") or bool(own.keys() & {"enum", "pattern", "format"})
    if not plain or "const" in schema or "properties" in schema:
        return schema
    rest = {key: value for key, value in schema.items() if key not in own}
    return {**rest, "anyOf": [own, _VARIABLE]}
