"""A saved plan: what was reviewed, and what must still be true for exactly that to be applied.

The planner is pure, so a plan is applied by making it again from what is there now: if the second one is
the same to the byte, nothing has moved. Whatever has is named.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError

from cwsync.errors import CwsyncError, Problem, fail
from cwsync.kinds import ChangeLists, Desired
from cwsync.plan.diff import shown
from cwsync.plan.values import Change, Plan, Selection, canonical_json
from cwsync.state import Fingerprint, State

FORMAT = "cwsync-plan"
VERSION = 2
LIFETIME = timedelta(days=7)

Marks = Mapping[str, Mapping[str, str]]
"""A hash of each field, by resource: enough to say what has changed since, and nothing of what it was."""


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """The content of a plan file. It holds no secrets: `secrets` are keyed fingerprints.

    `lineage` and `serial` tell the state that it was made from (None and 0: there was none); `declared` and
    `known` are what the manifests and that state said.
    """

    plan: Plan
    digest: str
    created: datetime
    declared: Marks
    known: Marks
    lineage: str | None
    serial: int
    destroy: bool = False
    selection: Selection = field(default_factory=Selection)
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Mapping[str, Fingerprint]] = field(default_factory=dict)

    def to_text(self) -> str:
        """The file's text: JSON, the same bytes for the same plan."""
        content = _adapter().dump_python(self, mode="json")
        return json.dumps({"format": FORMAT, "version": VERSION, **content}, indent=2, sort_keys=True) + "\n"


def _adapter() -> TypeAdapter[SavedPlan]:
    return TypeAdapter(SavedPlan)


def from_text(text: str, file: str) -> SavedPlan:
    """Read a plan file. Raises CW510 for anything else."""
    hint = "make it again with cwsync plan --out"
    try:
        content = json.loads(text)
    except ValueError:
        raise fail("CW510", f"{file} is not a plan file: it is not JSON", hint=hint) from None
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise fail("CW510", f"{file} is not a plan file that cwsync wrote", hint=hint)
    if (version := content.pop("version", None)) != VERSION:
        raise fail(
            "CW510", f"{file} is a plan file of version {version}; this cwsync reads {VERSION}", hint=hint
        )
    try:
        saved = _adapter().validate_python(content)
    except ValidationError:
        raise fail("CW510", f"{file} is damaged: it lacks parts of a plan", hint=hint) from None
    if saved.plan.digest != saved.digest:
        raise fail("CW510", f"{file} was changed after it was written", hint=hint)
    return saved


def marks_of_manifests(desired: Mapping[str, Desired], lists: ChangeLists) -> Marks:
    """Everything that the manifests mean, variables and defaults included."""
    found = {address: _marks(_declared(one)) for address, one in desired.items()}
    found["import"] = _marks({one.to: [one.id, one.name] for one in lists.imports})
    found["moved"] = _marks({one.target: one.source for one in lists.moved})
    found["removed"] = _marks({one.address: True for one in lists.removed})
    return found


def _declared(one: Desired) -> dict[str, Any]:
    sources = {field: source.model_dump_json() for field, source in one.secrets.items()}
    lifecycle = [one.protect, sorted(one.ignore), one.owner]
    return {**shown(one.fields), **sources, "name": one.name, "lifecycle": lifecycle}


def marks_of_state(state: State | None) -> Marks:
    """Everything that is known of what is managed."""
    entries = state.resources.items() if state else ()
    return {
        address: _marks({**entry.applied, **entry.secrets, "id": entry.id, "protect": entry.protect})
        for address, entry in entries
    }


def _marks(content: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: hashlib.sha256(canonical_json(value).encode()).hexdigest()[:16]
        for name, value in content.items()
    }


def _changed(before: Marks, now: Marks) -> list[str]:
    """`ADDRESS (FIELD, FIELD)` of all that is not as it was."""
    found = []
    for address in sorted({*before, *now}):
        old, new = before.get(address, {}), now.get(address, {})
        fields = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
        if fields:
            what = "new" if address not in before else "gone" if address not in now else ", ".join(fields)
            found.append(f"{address} ({what})")
    return found


def check_before(saved: SavedPlan, desired: Mapping[str, Desired], lists: ChangeLists, now: datetime) -> None:
    """What can be known before the state is locked. Raises CW514 and CW512."""
    if now - saved.created > LIFETIME:
        raise fail(
            "CW514",
            f"the plan was made at {saved.created:%Y-%m-%d %H:%M} UTC, and is good for {LIFETIME.days} days",
            hint=_AGAIN,
        )
    moved = [] if saved.destroy else _changed(saved.declared, marks_of_manifests(desired, lists))
    if moved:
        raise CwsyncError(
            *(_stale("CW512", f"{one} is declared otherwise than in the plan") for one in moved)
        )


def check_state(saved: SavedPlan, found: State | None) -> None:
    """Whether the state is the one that the plan was made from. Raises CW511 and CW515."""
    lineage, serial = (found.lineage, found.serial) if found else (None, 0)
    if found is not None and found.pending:
        raise fail("CW515", "a run since then was cut off, and what it left is not resolved yet", hint=_AGAIN)
    if (lineage, serial) != (saved.lineage, saved.serial):
        was = f"serial {saved.serial}" if saved.lineage else "no state"
        moved = _changed(saved.known, marks_of_state(found))
        where = f" in {', '.join(moved)}" if moved else ""
        what = f"the state has changed{where} since the plan was made: it is at serial {serial}, and was at {was}"
        raise CwsyncError(_stale("CW511", what))


def check_same(saved: SavedPlan, now: Plan) -> None:
    """Whether the plan made again is the plan that was reviewed. Raises CW513, naming what has moved or has come
    in its way, CW312 where the tenant can't be read, for then nobody can tell, and CW530 where a policy of today
    forbids it, or forbids it to whoever applies it."""
    if unread := [problem for problem in now.problems if problem.code == "CW312"]:
        raise CwsyncError(*unread)
    if now.digest != saved.digest:
        moved = list(_moved(saved.plan, now)) or ["the tenant"]
        raise CwsyncError(*(_stale("CW513", f"{what} has changed since the plan was made") for what in moved))
    wrong = [problem for problem in now.problems if problem.severity == "error"]
    if refused := [problem for problem in wrong if problem.code == "CW530"]:
        raise CwsyncError(*refused)
    if wrong:
        raise CwsyncError(*(_stale("CW513", f"since the plan was made: {one.message}") for one in wrong))


def _stale(code: str, message: str) -> Problem:
    return Problem(code, message, hint=_AGAIN)


_AGAIN = "nothing was changed; make the plan again with cwsync plan --out, and have it reviewed again"


def _moved(before: Plan, now: Plan) -> Iterator[str]:
    then = {change.address: change for change in before.changes}
    for change in now.changes:
        old = then.pop(change.address, None)
        if old is None or asdict(old) != asdict(change):
            yield f"{change.address}{_fields(old, change)}"
    yield from then


def _fields(old: Change | None, new: Change) -> str:
    if old is None:
        return ""
    before, after = old.before or {}, new.before or {}
    names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    if not names and [f.path for f in old.fields if f.sensitive] != [
        f.path for f in new.fields if f.sensitive
    ]:
        return " (a secret)"
    return f" ({', '.join(names)})" if names else ""
