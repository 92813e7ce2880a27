"""Drift as Markdown, for an issue or a comment on a pull request.

What comes from a tenant is text in a cell and nothing else: whatever Markdown or HTML would take for its own is
written as a character reference, so no name makes a link, an image, a mention, another cell or another row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cwsync.report.screen import counted, safe
from cwsync.report.values import Values, leaves

if TYPE_CHECKING:
    from cwsync.plan import Drift, DriftField, DriftResult

# GitHub takes 65,536 characters for a comment; a reader takes fewer. The notes need the rest.
LARGEST = 50_000
_MOST_NOTED = 50
# Letters, digits and what stands harmlessly between them: not a dot, which makes a link of `www.example.com`.
_NOT_PLAIN = re.compile(r"[^\w ,;/+='\"%{}-]|_")
# Forges look for these once more in what was rendered: a word joiner keeps them from the name behind.
_JOINED = "@#"


def cell(text: str) -> str:
    """The text as the content of a cell, which shows it as it is."""
    return _NOT_PLAIN.sub(lambda found: _reference(found[0]), safe(text))


def code(text: str) -> str:
    """The text as code, where forges look for no links and no mentions. What would end the code is escaped instead."""
    shown = safe(text)
    return cell(shown) if "`" in shown or "|" in shown or not shown.strip() else f"`{shown}`"


def _reference(character: str) -> str:
    return f"&#{ord(character)};{'&#8288;' if character in _JOINED else ''}"


def drift_markdown(result: DriftResult, *, unmanaged: bool = False) -> str:
    """A heading with the counts, a table for each object that drifted, and notes; at most some 60,000 characters."""
    values = Values(result.labels)
    blocks = [f"## {_heading(result)}", f"Environment {cell(result.environment)}, {_counts(result)}."]
    blocks += [f"**{problem.code}** {cell(problem.message)}" for problem in result.problems[:_MOST_NOTED]]
    size, shown = sum(map(len, blocks)), 0
    for drift in result.drifted:
        table = "\n".join(_table(drift, values))
        if size + len(table) > LARGEST:
            break
        blocks.append(table)
        size, shown = size + len(table) + 2, shown + 1
    if left := len(result.drifted) - shown:
        blocks.append(
            f"Left out here, for want of space: {counted(left, 'more object')}. `cwsync drift` shows them."
        )
    blocks += _notes(result, unmanaged)
    return "\n\n".join(blocks)


def _heading(result: DriftResult) -> str:
    if not result.drifted:
        return "The tenant could not be read completely" if result.problems else "No drift"
    deleted = sum(one.status == "deleted" for one in result.drifted)
    changed = len(result.drifted) - deleted
    parts = [f"{number} {fate}" for number, fate in ((changed, "changed"), (deleted, "deleted")) if number]
    return f"Drift: {', '.join(parts)} outside cwsync"


def _counts(result: DriftResult) -> str:
    return (
        f"{counted(result.managed, 'managed object')}, {len(result.unmanaged)} not managed, "
        f"{counted(len(result.unverifiable), 'field')} that cannot be looked at"
    )


def _table(drift: Drift, values: Values) -> Iterator[str]:
    name = f" ({cell(drift.name)})" if drift.name else ""
    yield f"### {cell(drift.address)}{name}"
    yield ""
    if drift.status == "deleted":
        yield "It was deleted outside cwsync."
        return
    yield "| field | known | now | who | when |"
    yield "|---|---|---|---|---|"
    who = cell(drift.modified_by or "")
    when = cell(drift.modified_at or "")
    for field in drift.fields:
        for path, known, now in _rows(field, values):
            yield f"| {cell(path)} | {cell(known)} | {cell(now)} | {who} | {when} |"


def _rows(field: DriftField, values: Values) -> Iterator[tuple[str, str, str]]:
    if field.known is None:
        yield from ((path, "", values.text(value)) for path, value in leaves(field.path, field.observed))
    elif field.observed is None:
        yield from ((path, values.text(value), "") for path, value in leaves(field.path, field.known))
    else:
        yield (field.path, *values.sides(field.known, field.observed))


def _notes(result: DriftResult, unmanaged: bool) -> Iterator[str]:
    if result.unverifiable:
        heading = "Never shown by the service, so taken to be as last applied:"
        yield "\n".join(_listed(heading, [cell(one) for one in result.unverifiable]))
    if unmanaged and result.strangers:
        lines = [f"{one.kind} {cell(one.name)} ({cell(one.id)})" for one in result.strangers]
        yield "\n".join(_listed("Declared by nobody:", lines))


def _listed(heading: str, lines: list[str]) -> Iterator[str]:
    """A list that stays short; each line is escaped already."""
    yield heading
    yield ""
    yield from (f"- {line}" for line in lines[:_MOST_NOTED])
    if len(lines) > _MOST_NOTED:
        yield f"- and {len(lines) - _MOST_NOTED:,} more"
