"""What the tenant changed behind our back, for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cwsync.report.changes import field_line
from cwsync.report.notes import unseen
from cwsync.report.problems import problems_text
from cwsync.report.screen import Paint, counted, safe
from cwsync.report.values import Values, leaves

if TYPE_CHECKING:
    from cwsync.plan import Drift, DriftField, DriftResult


def drift_text(result: DriftResult, *, color: bool, verbose: bool = False, quiet: bool = False) -> str:
    """Every object that differs, with its fields, and by whom and when it was changed."""
    paint = Paint(color)
    values = Values(result.labels, full=verbose)
    blocks = [] if quiet else [drift_block(drift, values, paint) for drift in result.drifted]
    blocks.append(_summary(result, paint))
    if not quiet:
        blocks.append("\n".join(_notes(result, verbose)))
    blocks.append(problems_text(result.problems, color))
    return "\n\n".join(block for block in blocks if block)


def drift_block(drift: Drift, values: Values, paint: Paint) -> str:
    """One object that is no longer as it was last applied."""
    fate = "was deleted" if drift.status == "deleted" else "was changed"
    lines = [paint("bold", f"  # {safe(drift.address)} {fate} outside cwsync")]
    about = [f'"{safe(drift.name)}"'] if drift.name else []
    about += [f"by {safe(drift.modified_by)}"] if drift.modified_by else []
    about += [f"at {safe(drift.modified_at)}"] if drift.modified_at else []
    if about:
        lines.append(paint("faint", f"  # ({', '.join(about)})"))
    for field in drift.fields:
        lines += [field_line(sign, text, "", paint) for sign, text in _field(field, values)]
    return "\n".join(lines)


def _field(field: DriftField, values: Values) -> Iterator[tuple[str, str]]:
    if field.known is None or field.observed is None:
        sign, there = ("+", field.observed) if field.known is None else ("-", field.known)
        for path, value in leaves(field.path, there):
            yield sign, f"{safe(path)}: {values.text(value)}"
    else:
        yield "~", f"{safe(field.path)}: {values.pair(field.known, field.observed)}"


def _summary(result: DriftResult, paint: Paint) -> str:
    managed = counted(result.managed, "managed object")
    if result.drifted:
        return f"{paint('bold', 'Drift:')} {len(result.drifted)} of {managed} changed outside cwsync."
    if any(problem.severity == "error" for problem in result.problems):
        return ""  # what could not be read may have drifted
    return f"{paint('bold', 'No drift.')} Looked at {managed}."


def _notes(result: DriftResult, verbose: bool) -> Iterator[str]:
    yield from unseen(result.unmanaged, result.unverifiable, verbose)
    if verbose:
        yield f"Read in {counted(result.read_calls, 'call')}, {result.read_seconds:.1f} s."
