"""One resource of a plan: its heading, and a line for each field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from cwsync.report.screen import Paint, safe
from cwsync.report.values import Values, leaves, unknown_paths

if TYPE_CHECKING:
    from cwsync.plan import Change, FieldChange

# Tools find these by their line's end (tfcmt does), so nothing else stands on the line.
_HEADINGS = {
    "create": "will be created",
    "update": "will be updated in-place",
    "replace": "must be replaced",
    "delete": "will be destroyed",
    "import": "will be imported",
    "forget": "will no longer be managed",
}
_SECRET = "(secret)"  # noqa: S105 - what stands in a secret's place
_CAUSES = {
    "manifest": "manifest",
    "drift": "drift",
    "both": "manifest and drift",
    "secret": "its value changed",
}


def change_text(change: Change, values: Values, paint: Paint) -> str:
    """The block of one changed resource."""
    values = replace(values, unknown=frozenset(unknown_paths(change.after_unknown)))
    lines = [paint("bold", f"  # {_heading(change)}")]
    lines += [paint("faint", f"  # ({about})") for about in _about(change)]
    lines += [field_line(sign, text, note, paint) for sign, text, note in _fields(change, values)]
    return "\n".join(lines)


def _heading(change: Change) -> str:
    if change.action == "move":
        return f"{safe(change.previous_address or '')} has moved to {safe(change.address)}"
    return f"{safe(change.address)} {_HEADINGS[change.action]}"


def field_line(sign: str, text: str, note: str, paint: Paint) -> str:
    """One field, its sign in front; what is to be known about it stands behind."""
    return f"{paint(sign, f'{sign:>7}')} {text}{paint('faint', f'  # {note}') if note else ''}"


def _about(change: Change) -> Iterator[str]:
    parts = [f'"{safe(change.name)}"'] if change.name else []
    parts += [f"id {safe(change.id)}"] if change.id else []
    if change.where:
        parts.append(f"declared at {safe(change.where.rpartition(':')[0])}")
    if parts:
        yield ", ".join(parts)
    if change.previous_address and change.action != "move":
        yield f"moved from {safe(change.previous_address)}"
    if change.reason:
        yield f"because {safe(change.reason)}"


def _fields(change: Change, values: Values) -> Iterator[tuple[str, str, str]]:
    """A sign, the field with its values, and a note, for each line."""
    if change.action == "delete":
        for path, value in leaves("", dict(change.before or {})):
            yield "-", f"{safe(path)}: {values.text(value)}", ""
        for name in change.sensitive:
            yield "-", f"{safe(name)}: {_SECRET}", ""
        return
    forcing = _forcing(change)
    for field in change.fields:
        note = _note(field, values)
        if field.path in forcing:
            text = f"{safe(field.path)}: {values.pair(field.before, field.after, field.path)}"
            yield "-/+", text, f"forces the replacement: {note}"
        else:
            yield from ((sign, text, note) for sign, text in _field(field, values, new=field.cause == "new"))


def _field(field: FieldChange, values: Values, *, new: bool) -> Iterator[tuple[str, str]]:
    if field.sensitive:
        yield "+" if new else "~", f"{safe(field.path)}: {_SECRET}"
    elif new or field.before is None:
        for path, value in leaves(field.path, field.after):
            yield "+", f"{safe(path)}: {values.text(value, path)}"
    elif field.after is None:
        for path, value in leaves(field.path, field.before):
            yield "-", f"{safe(path)}: {values.text(value)}"
    else:
        yield "~", f"{safe(field.path)}: {values.pair(field.before, field.after, field.path)}"


def _note(field: FieldChange, values: Values) -> str:
    cause = _CAUSES.get(field.cause, "")
    where = safe(field.where) if field.where and values.full else ""
    return ", ".join(part for part in (cause, where) if part)


def _forcing(change: Change) -> tuple[str, ...]:
    """The fields that no call changes, and those that decide what the object is."""
    if change.action != "replace":
        return ()
    from cwsync.kinds import KINDS, Behaviour

    kind = KINDS[change.kind]
    return kind.paths_that(Behaviour.IMMUTABLE) + kind.paths_that(Behaviour.SETS_FORM)
