"""What a run that was cut off left open, for people and as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from cwsync.report.changes import field_line
from cwsync.report.document import to_json
from cwsync.report.screen import Paint, counted, pad, safe
from cwsync.report.values import Values

if TYPE_CHECKING:
    from cwsync.kinds import Observed
    from cwsync.plan import Evidence, Pending

_HOLDS = {True: "holds", False: "does not hold", None: "not known"}
_BY_ITSELF = {
    "done": "it was done, and the next apply records it",
    "not done": "it was not done, and the next apply plans it anew",
}


def recover_text(
    operations: Sequence[Pending], command: Sequence[str], *, color: bool, verbose: bool = False
) -> str:
    """Every operation with what is known of it, and the decisions as commands to copy. `command` is how cwsync
    is called for this state."""
    paint = Paint(color)
    blocks = ["\n".join(_operation(one, command, paint, verbose)) for one in operations]
    return "\n\n".join([*blocks, _summary(operations, paint)])


def _operation(one: Pending, command: Sequence[str], paint: Paint, verbose: bool) -> Iterator[str]:
    intent = one.intent
    yield paint("bold", f"  # {safe(intent.address)}: {safe(intent.action)}")
    named = f'"{safe(intent.name)}", ' if intent.name else ""  # a notification has none
    about = f"{named}sent by the run {safe(intent.run[:8])} at {safe(intent.serverTime or '?')}"
    yield paint("faint", f"  # ({about})")
    if not one.ways:
        yield f"      {_BY_ITSELF.get(one.verdict, one.verdict)}"
        if not verbose:
            return
    else:
        yield f"      {paint('!', 'needs a person:')} {safe(one.why)}"
    yield from _objects(one)
    if one.evidence:
        yield "      Evidence:"
        yield from map(_evidence, one.evidence)
    yield from _differences(one, paint, verbose)
    if one.ways:
        yield "      Decide by one of:"
    for way in one.ways:
        if way.possible:
            yield f"        {safe(shlex.join([*command, 'recover', intent.address, way.flag]))}"
            yield f"            {safe(way.does)}"
        else:
            yield f"        ({way.flag}: {safe(way.does)})"


def _objects(one: Pending) -> Iterator[str]:
    there = one.others or ((one.object,) if one.object else ())
    if not there:
        yield "      The tenant shows nothing of it."
    for found in there:
        yield f'      The tenant shows "{safe(found.name)}" (id {safe(found.id)}):'
        yield f"        created {_by(found.created_by, found.created_at)}"
        yield f"        changed {_by(found.modified_by, found.modified_at)}"


def _by(who: str | None, when: str | None) -> str:
    return f"by {safe(who or 'nobody known')} at {safe(when or 'a time not told')}"


def _evidence(one: Evidence) -> str:
    return f"        {pad(one.name, 6)}  {pad(_HOLDS[one.holds], 13)}  {safe(one.said)}"


def _differences(one: Pending, paint: Paint, verbose: bool) -> Iterator[str]:
    if one.differences is None:
        return
    if not one.differences:
        yield "      It is as the manifest says, as far as it shows."
        return
    yield "      It is not as the manifest says (tenant -> manifest):"
    values = Values({}, full=verbose)
    for path, tenant, manifest in one.differences:
        yield f"    {field_line('~', f'{safe(path)}: {values.pair(tenant, manifest)}', '', paint)}"


def _summary(operations: Sequence[Pending], paint: Paint) -> str:
    if not operations:
        return "Nothing is pending."
    doubtful = sum(bool(one.ways) for one in operations)
    rest = len(operations) - doubtful
    if not doubtful:
        return f"{counted(rest, 'operation')} pending, and none needs a person: the next apply resolves all."
    more = f" The next apply resolves {rest} more by itself." if rest else ""
    return f"{paint('bold', counted(doubtful, 'operation'))} {'needs' if doubtful == 1 else 'need'} a decision.{more}"


def recover_json(operations: Sequence[Pending], command: Sequence[str]) -> str:
    """The same as one document."""
    return to_json({"operations": [_document(one, command) for one in operations]})


def _document(one: Pending, command: Sequence[str]) -> dict[str, Any]:
    intent = one.intent
    differences = one.differences
    return {
        "op": intent.op,
        "address": intent.address,
        "kind": intent.kind,
        "name": intent.name,
        "action": intent.action,
        "run": intent.run,
        "serverTime": intent.serverTime,
        "verdict": one.verdict,
        "why": one.why,
        "object": _object(one.object) if one.object else None,
        "others": [_object(found) for found in one.others],
        "evidence": [{"name": row.name, "holds": row.holds, "said": row.said} for row in one.evidence],
        "differences": None
        if differences is None
        else [
            {"path": path, "tenant": tenant, "manifest": manifest} for path, tenant, manifest in differences
        ],
        "decisions": [
            {
                "flag": way.flag,
                "possible": way.possible,
                "does": way.does,
                "command": shlex.join([*command, "recover", intent.address, way.flag]),
            }
            for way in one.ways
        ],
    }


def _object(found: Observed) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "createdBy": found.created_by,
        "createdAt": found.created_at,
        "modifiedBy": found.modified_by,
        "modifiedAt": found.modified_at,
    }
