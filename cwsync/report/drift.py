"""What the tenant changed behind our back, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from cwsync.errors import Place, Problem
from cwsync.report.changes import Row, field_line
from cwsync.report.document import drift_field_list, to_json
from cwsync.report.notes import listed, unseen
from cwsync.report.problems import problems_text
from cwsync.report.screen import Paint, counted, safe
from cwsync.report.values import Values, leaves

if TYPE_CHECKING:
    from cwsync.plan import Accepted, Drift, DriftResult

# Nobody has looked at these: so many are named, more are counted.
_NAMED = 20


def drift_text(
    result: DriftResult, *, color: bool, verbose: bool = False, quiet: bool = False, unmanaged: bool = False
) -> str:
    """Every object that differs, with its fields, and by whom and when it was changed; with `unmanaged` also
    what nobody declares."""
    paint = Paint(color)
    values = Values(result.labels, full=verbose)
    blocks = [] if quiet else [drift_block(drift, values, paint) for drift in result.drifted]
    blocks.append(_summary(result, paint))
    if not quiet:
        blocks.append("\n".join(_notes(result, verbose, unmanaged)))
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
    lines += [field_line(row.sign, row.text, "", paint) for row in drift_rows(drift, values)]
    return "\n".join(lines)


def drift_rows(drift: Drift, values: Values) -> Iterator[Row]:
    """A row for each field, as it was last applied and as it is."""
    for field in drift.fields:
        if field.known is None:
            for path, value in leaves(field.path, field.observed):
                yield Row("+", safe(path), None, values.text(value))
        elif field.observed is None:
            for path, value in leaves(field.path, field.known):
                yield Row("-", safe(path), values.text(value), None)
        else:
            yield Row("~", safe(field.path), *values.sides(field.known, field.observed))


def drift_problems(result: DriftResult, places: Mapping[str, Place | None]) -> tuple[Problem, ...]:
    """The drift as warnings at the declarations, for what shows problems beside the lines of a file; behind what
    could not be read. What is declared no longer has no place."""
    values = Values(result.labels)
    return result.problems + tuple(
        _problem(drift, values, places.get(drift.address)) for drift in result.drifted
    )


def _problem(drift: Drift, values: Values, place: Place | None) -> Problem:
    deleted = drift.status == "deleted"
    who = f" by {drift.modified_by}" if drift.modified_by else ""
    when = f" at {drift.modified_at}" if drift.modified_at else ""
    named = f' "{drift.name}"' if drift.name else ""
    hint = "cwsync apply puts it back"
    if not deleted and place is not None:
        hint += f"; cwsync drift --accept {drift.address} writes the tenant's values into the manifests"
    return Problem(
        "CW521",
        f"{drift.address}{named} was {'deleted' if deleted else 'changed'} outside cwsync{who}{when}",
        place,
        hint,
        severity="warning",
        address=drift.address,
        details=tuple(row.text for row in drift_rows(drift, values)),
    )


def _summary(result: DriftResult, paint: Paint) -> str:
    managed = counted(result.managed, "managed object")
    if result.drifted:
        return f"{paint('bold', 'Drift:')} {len(result.drifted)} of {managed} changed outside cwsync."
    if any(problem.severity == "error" for problem in result.problems):
        return ""  # what could not be read may have drifted
    return f"{paint('bold', 'No drift.')} Looked at {managed}."


def _notes(result: DriftResult, verbose: bool, unmanaged: bool) -> Iterator[str]:
    if unmanaged:
        strangers = [f'{one.kind} "{one.name}" ({one.id})' for one in result.strangers]
        heading = f"Declared by nobody: {counted(len(strangers), 'object')}"
        yield from listed(heading, strangers, named=True) if strangers else ("Everything is managed.",)
    yield from unseen(() if unmanaged else result.unmanaged, (), verbose)
    yield from unseen((), result.unverifiable, verbose or len(result.unverifiable) <= _NAMED)
    if verbose:
        yield f"Read in {counted(result.read_calls, 'call')}, {result.read_seconds:.1f} s."


def accepted_text(taken: Sequence[Accepted], *, quiet: bool = False) -> str:
    """What was accepted, address by address."""
    lines: list[str] = []
    for one in taken:
        fields = ", ".join(safe(field.path) for field in one.fields)
        if not one.fields:
            lines.append(f"{safe(one.address)} is as it was last applied: there is nothing to accept.")
        elif one.written:
            lines.append(f"{safe(one.address)} at {safe(one.where)} has the tenant's values now: {fields}.")
        else:
            lines.append(
                f"{safe(one.address)} at {safe(one.where)} had the tenant's values already: {fields}."
            )
        if one.unshown and not quiet:
            names = ", ".join(map(safe, one.unshown))
            lines.append(f"  The service never shows these, so they were not looked at: {names}.")
    if any(one.fields for one in taken) and not quiet:
        lines.append("No call changed the tenant. Look through the files and commit them.")
    return "\n".join(lines)


def accepted_json(environment: str, taken: Sequence[Accepted]) -> str:
    """The same as a document."""
    accepted = [
        {
            "address": one.address,
            "place": one.where,
            "written": one.written,
            "fields": drift_field_list(one.fields),
            "unverifiable": one.unshown,
        }
        for one in taken
    ]
    return to_json({"environment": environment, "accepted": accepted})
