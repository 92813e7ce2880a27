"""What a field means, what may be written there, and how it is compared with the tenant."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from cwsync.errors import fail, suggest
from cwsync.kinds import KINDS, Behaviour, Kind, Rule
from cwsync.manifest.lists import LISTS
from cwsync.manifest.schema import manifest_schema

Schema = Mapping[str, Any]

_COMPARED: Mapping[Behaviour, str] = {
    Behaviour.WRITE_ONLY: "It is sent and never shown again, so a change that somebody else makes is not seen. "
    "A keyed fingerprint tells whether the value here is the one that was last applied.",
    Behaviour.NOT_READ_BACK: "Where the tenant doesn't show it, it is taken to be as it was last applied, "
    "and plan and drift name it as unverifiable.",
    Behaviour.IMMUTABLE: "It cannot be changed: another value makes a new object in the place of the old one.",
    Behaviour.SETS_FORM: "Adding or removing it makes a new object in the place of the old one.",
    Behaviour.UNORDERED: "The order of its values means nothing.",
    Behaviour.DEFAULT: "Where the tenant leaves it out, the default is meant.",
    Behaviour.PAST_DATE: "Two dates in the past count as equal.",
    Behaviour.OWN_CALL: "It is set by a call of its own.",
}


_AS_IT_IS = "As it is: the tenant shows it, and any difference is a change or drift."
_OURS = "It is not: the tenant knows nothing of it. It only says how cwsync treats the object."
_LISTED = "It is not: a change list only changes what cwsync knows, in the state."


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is explained: a kind, or a change list, which has one form and no rules."""

    name: str
    stands: str
    summary: str
    forms: tuple[tuple[str, str], ...]
    """For each form its definition in the schema, and its name where there are several."""
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of one form of a kind: `form` is that form's name where the kind has several."""

    form: str
    schema: Schema
    required: bool


def explain(name: str, path: tuple[str, ...]) -> str:
    """A kind, a change list, or one of its fields. Raises CW901 for what does not exist, with the nearest that does."""
    if name not in KINDS and name not in LISTS:
        raise _unknown(f"there is no kind {name}", name, [*KINDS, *LISTS])
    subject = _of_kind(KINDS[name]) if name in KINDS else _of_list(name)
    definitions = _definitions()
    found = [_Field(form, definitions[model], required=True) for model, form in subject.forms]
    for depth, step in enumerate(path):
        below = [_Field(one.form, *child) for one in found for child in _child(one.schema, step)]
        if not below:
            known = sorted({name for one in found for name in _properties(one.schema)})
            where = ".".join((name, *path[:depth]))
            raise _unknown(f"{where} has no field {step}", step, known)
        found = below
    return "\n".join(_overview(subject, found) if not path else _field(subject, path, found))


def _of_kind(kind: Kind) -> _Subject:
    names = [model.__name__ for model in kind.models]
    forms = tuple((name, name if len(names) > 1 else "") for name in names)
    return _Subject(kind.name, f"section {kind.section}", kind.summary, forms, kind.rules)


def _of_list(name: str) -> _Subject:
    entry, example = LISTS[name]
    return _Subject(name, "a change list", f"{entry.__doc__} Such as: {example}", ((entry.__name__, ""),))


def _unknown(message: str, word: str, known: list[str]) -> Exception:
    close = suggest(word, known)
    return fail(
        "CW901", message, hint=f"did you mean {close}?" if close else f"there are: {', '.join(known)}"
    )


def _definitions() -> Schema:
    definitions: Schema = manifest_schema()["$defs"]
    return definitions


def _open(schema: Schema) -> Iterator[Schema]:
    """The alternatives of a schema, references followed, lists and maps taken for what is in them."""
    if "$ref" in schema:
        yield from _open(_definitions()[str(schema["$ref"]).rpartition("/")[2]])
    for key in ("anyOf", "oneOf"):
        for option in schema.get(key, ()):
            yield from _open(option)
    if isinstance(schema.get("items"), Mapping):
        yield from _open(schema["items"])
    if "properties" in schema:
        yield schema


def _properties(schema: Schema) -> dict[str, tuple[Schema, bool]]:
    return {
        name: (field, name in one.get("required", ()))
        for one in _open(schema)
        for name, field in one["properties"].items()
    }


def _child(schema: Schema, step: str) -> list[tuple[Schema, bool]]:
    found = _properties(schema)
    return [found[step]] if step in found else []


def _overview(subject: _Subject, forms: list[_Field]) -> Iterator[str]:
    yield f"{subject.name} ({subject.stands})"
    yield from _text(subject.summary)
    for one in forms:
        yield ""
        if one.form:
            yield f"  {one.form}: {one.schema.get('description', '')}"
        properties = _properties(one.schema)
        width = max(map(len, properties))
        for name, (field, _) in properties.items():
            yield f"  {name:<{width}}  {_description(field)}"
    yield ""
    yield f"More of one of them: cwsync explain {subject.name}.FIELD"


def _field(subject: _Subject, path: tuple[str, ...], found: list[_Field]) -> Iterator[str]:
    first = found[0].schema
    yield ".".join((subject.name, *path))
    yield from _text(_description(first))
    forms = [one.form for one in found if one.form]
    if forms and len(forms) < len(subject.forms):
        yield from _text(f"Only for {', '.join(forms)}.")
    yield ""
    yield f"  takes:    {_takes(one.schema for one in found)}"
    if "default" in first:
        yield f"  default:  {json.dumps(first['default'])}"
    for example in first.get("examples", ())[:2]:
        yield f"  example:  {path[-1]}: {json.dumps(example)}"
    inside = sorted(_properties(first))
    if inside:
        yield f"  fields:   {', '.join(inside)}"
    yield ""
    yield "How it is compared with the tenant:"
    for line in _compared(subject, path):
        yield from _text(line)


def _compared(subject: _Subject, path: tuple[str, ...]) -> Iterator[str]:
    """By the rules of the field, or of the nearest that it is a part of."""
    if subject.name in LISTS:
        yield _LISTED
        return
    if path[0] == "lifecycle":
        yield _OURS
        return
    for whole in (path[:length] for length in range(len(path), 0, -1)):
        rules = [
            rule for rule in subject.rules if tuple(s for s in rule.path.split(".") if s != "*") == whole
        ]
        if rules:
            part = "" if whole == path else f"As a part of {'.'.join(whole)}. "
            for rule in rules:
                # a row of our notes is something that a reader doesn't have
                reason = re.sub(r" \(facts [^)]*\)", "", rule.reason)
                yield f"{part}{_COMPARED[rule.behaviour]} Why: {reason}."
            return
    yield _AS_IT_IS


def _description(schema: Schema) -> str:
    return str(schema.get("description", ""))


def _takes(schemas: Iterable[Schema]) -> str:
    """The values that may be written, in words."""
    options = [one for s in schemas for one in s.get("anyOf") or s.get("oneOf") or [s]]
    words = [word for option in options if (word := _word(option))]
    return " or ".join(dict.fromkeys(words)) or "a mapping"


def _word(schema: Schema) -> str:
    if "const" in schema:
        return str(schema["const"])
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return {"SecretSource": "{fromEnv: …}, {fromFile: …} or {fromCommand: […]}"}.get(name, "a mapping")
    if schema.get("pattern", "").startswith(r"\$"):
        return "${var.name}"
    kind = schema.get("type")
    kinds = [kind] if isinstance(kind, str) else list(kind or ())
    named = {
        "boolean": "true or false",
        "integer": "a whole number",
        "array": "a list",
        "object": "a mapping",
    }
    if "string" in kinds:
        return "text"
    return " or ".join(named.get(one, one) for one in kinds)


def _text(text: str) -> list[str]:
    return wrap(text, 96, initial_indent="  ", subsequent_indent="  ")
