"""What differs between two environments, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cwsync.report.changes import field_line
from cwsync.report.document import to_json
from cwsync.report.screen import Paint, counted, pad, safe, width
from cwsync.report.values import Values, leaves

if TYPE_CHECKING:
    from cwsync.plan.compare import Comparison, Difference, FieldDifference


def comparison_text(
    found: Comparison, labels: Mapping[str, str], *, color: bool, verbose: bool = False, quiet: bool = False
) -> str:
    """The variables with other values, then each resource that differs: `the first's -> the second's`.

    `labels` names users by their ids; `quiet` leaves the summary.
    """
    paint, values = Paint(color), Values(labels, full=verbose)
    blocks: list[str] = []
    if not quiet and found.variables:
        blocks.append("\n".join(_variables(found, values, paint)))
    if not quiet:
        blocks += (_block(one, found.environments, values, paint) for one in found.differences)
    return "\n\n".join((*blocks, _summary(found, paint)))


def comparison_json(found: Comparison) -> str:
    """The same as a document; each pair of values is in the order of the environments, null for absent."""
    return to_json(
        {
            "environments": found.environments,
            "variables": [{"name": one.name, "values": one.values} for one in found.variables],
            "differences": [_difference(one) for one in found.differences],
        }
    )


def _difference(one: Difference) -> dict[str, Any]:
    only = {"only_in": one.only_in} if one.only_in else {}
    fields = [{"path": field.path, "values": field.values} for field in one.fields]
    return {"address": one.address, "kind": one.kind, "fields": fields, **only}


def _variables(found: Comparison, values: Values, paint: Paint) -> Iterator[str]:
    first, second = map(safe, found.environments)
    yield paint("bold", f"Variables, {first} -> {second}:")
    widest = max(width(safe(one.name)) for one in found.variables)
    for one in found.variables:
        before, after = ("(not set)" if value is None else values.text(value) for value in one.values)
        yield field_line("~", f"{pad(f'{safe(one.name)}:', widest + 1)} {before} -> {after}", "", paint)


def _block(one: Difference, environments: tuple[str, str], values: Values, paint: Paint) -> str:
    first, second = environments
    names = dict.fromkeys(f'"{safe(name)}"' for name in one.names if name)
    fate = f"is only in {safe(one.only_in)}" if one.only_in else f"differs, {safe(first)} -> {safe(second)}"
    lines = [paint("bold", f"  # {safe(one.address)} {fate}")]
    if names:
        lines.append(paint("faint", f"  # ({' -> '.join(names)})"))
    for field in one.fields:
        lines += [field_line(sign, text, _note(field), paint) for sign, text in _field(field, values)]
    return "\n".join(lines)


def _field(field: FieldDifference, values: Values) -> Iterator[tuple[str, str]]:
    before, after = field.values
    if before is None or after is None:
        sign, there = ("+", after) if before is None else ("-", before)
        for path, value in leaves(field.path, there):
            if value is not None:
                yield sign, f"{safe(path)}: {values.text(value)}"
    else:
        yield "~", f"{safe(field.path)}: {values.pair(before, after)}"


def _note(field: FieldDifference) -> str:
    unshown = ["its other arguments, which are not shown"] if field.unshown else []
    return ", ".join([*unshown, *(f"var.{name}" for name in field.because)])


def _summary(found: Comparison, paint: Paint) -> str:
    first, second = map(safe, found.environments)
    if not found.differences:
        same = f"{first} and {second} declare the same {counted(found.resources, 'resource')}."
        return f"{paint('bold', 'No differences.')} {same}"
    changed = sum(one.only_in is None for one in found.differences)
    parts = [
        f"{changed:,} of {counted(found.resources, 'resource')} {'differs' if changed == 1 else 'differ'}"
    ]
    for shown, name in ((first, found.environments[0]), (second, found.environments[1])):
        if alone := sum(one.only_in == name for one in found.differences):
            parts.append(f"{alone:,} {'is' if alone == 1 else 'are'} only in {shown}")
    return f"{paint('bold', f'{first} -> {second}:')} {', '.join(parts)}."
