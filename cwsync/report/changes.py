"""One resource of a plan: its heading, and a line for each field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
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


@dataclass(frozen=True, slots=True)
class Row:
    """One field of a change as people read it: None for a side that isn't there. All of it is `safe`."""

    sign: str
    path: str
    before: str | None
    after: str | None
    note: str = ""

    @property
    def text(self) -> str:
        sides = dict.fromkeys(side for side in (self.before, self.after) if side is not None)
        return f"{self.path}: {' -> '.join(sides)}"


def change_text(change: Change, values: Values, paint: Paint) -> str:
    """The block of one changed resource."""
    lines = [paint("bold", f"  # {heading(change)}")]
    lines += [paint("faint", f"  # ({line})") for line in about(change)]
    lines += [field_line(row.sign, row.text, row.note, paint) for row in rows(change, values)]
    return "\n".join(lines)


def heading(change: Change) -> str:
    """What happens to it, in the words that tools look for."""
    if change.action == "move":
        return f"{safe(change.previous_address or '')} has moved to {safe(change.address)}"
    return f"{safe(change.address)} {_HEADINGS[change.action]}"


def field_line(sign: str, text: str, note: str, paint: Paint) -> str:
    """One field, its sign in front; what is to be known about it stands behind."""
    return f"{paint(sign, f'{sign:>7}')} {text}{paint('faint', f'  # {note}') if note else ''}"


def about(change: Change) -> Iterator[str]:
    """What it is and why it changes, a sentence each. tfcmt looks for a former address right below the heading."""
    if change.previous_address and change.action != "move":
        yield f"moved from {safe(change.previous_address)}"
    parts = [f'"{safe(change.name)}"'] if change.name else []
    parts += [f"id {safe(change.id)}"] if change.id else []
    if change.where:
        parts.append(f"declared at {safe(change.where.rpartition(':')[0])}")
    parts += [f"owner {safe(change.owner)}"] if change.owner else []
    if parts:
        yield ", ".join(parts)
    if change.reason:
        yield f"because {safe(change.reason)}"


def rows(change: Change, values: Values) -> Iterator[Row]:
    """A row for each field, down to plain values where a side is missing."""
    values = replace(values, unknown=frozenset(unknown_paths(change.after_unknown)))
    if change.action == "delete":
        for path, value in leaves("", dict(change.before or {})):
            yield Row("-", safe(path), values.text(value), None)
        for name in change.sensitive:
            yield Row("-", safe(name), _SECRET, None)
        return
    forcing = _forcing(change)
    for field in change.fields:
        note = _note(field, values)
        if field.path in forcing:
            sides = values.sides(field.before, field.after, field.path)
            yield Row("-/+", safe(field.path), *sides, f"forces the replacement: {note}")
        else:
            yield from _field(field, values, note)


def _field(field: FieldChange, values: Values, note: str) -> Iterator[Row]:
    new = field.cause == "new"
    if field.sensitive:
        yield Row("+" if new else "~", safe(field.path), None if new else _SECRET, _SECRET, note)
    elif new or field.before is None:
        for path, value in leaves(field.path, field.after):
            yield Row("+", safe(path), None, values.text(value, path), note)
    elif field.after is None:
        for path, value in leaves(field.path, field.before):
            yield Row("-", safe(path), values.text(value), None, note)
    else:
        yield Row("~", safe(field.path), *values.sides(field.before, field.after, field.path), note)


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
