"""Objects of a tenant as resources of a manifest: what a user would write for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import get_args

from pydantic import BaseModel

from cwsync.authoring.emit import writable
from cwsync.authoring.names import Called, Names, Which
from cwsync.kinds import KINDS, Desired, Kind, Observed, Snapshot, Written, same_id
from cwsync.located import Map

LIFTED = {"integrations": ("workspaceId", "modelId"), "schedules": ("timezone",)}
"""By section, the fields that all resources must have and most share: they can stand under `defaults` without
changing what is declared elsewhere, which has them already."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An object that is to be declared, under its address; `written` is its text as values, once it has one."""

    address: str
    observed: Observed
    written: Mapping[str, Written] = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        return KINDS[self.observed.kind]

    @property
    def key(self) -> str:
        return self.address.partition(".")[2]

    @property
    def which(self) -> Which:
        return self.observed.kind, same_id(self.observed.id)


def obstacles(
    objects: Iterable[Observed], snapshot: Snapshot, declared: Iterable[Desired]
) -> dict[Which, str]:
    """What cannot be declared whatever is written, and why."""
    names = Counter(
        (kind, one.name.casefold())
        for kind, of in snapshot.objects.items()
        for one in of.values()
        if KINDS[kind].listing is not None
    )
    taken = {(one.kind, one.name.casefold()): one.address for one in declared if one.parent is None}
    found: dict[Which, str] = {}
    for one in objects:
        which, name = (one.kind, same_id(one.id)), (one.kind, one.name.casefold())
        if one.foreign is not None:
            found[which] = one.foreign
        elif names[name] > 1:
            found[which] = (
                f"the tenant has {names[name]} {one.kind}s of this name, and names tell them apart: "
                "rename one in CloudWorks"
            )
        elif name in taken:
            found[which] = f"{taken[name]} is declared with this name, and is not this object as it is"
    return found


def write_down(draft: Draft, names: Names) -> tuple[dict[str, Written], str | None]:
    """The resource as a user would write it; or why a manifest cannot hold it."""
    names.missing.clear()
    written = draft.kind.to_manifest(draft.observed.fields or {}, Called(names, draft.key))
    if names.missing:
        kind, id = names.missing[0]
        if reason := names.snapshot.unread.get(kind):
            return {}, f"the {kind}s could not be read: {reason}"
        return {}, f"it refers to the {kind} {id}, which was deleted, or is not shown to this user"
    if not writable(written):
        return {}, "it holds a character that no file can hold"
    return written, None


def shared(
    drafts: Iterable[Draft], defaults: Mapping[str, Mapping[str, object]]
) -> dict[str, dict[str, Written]]:
    """By section, what more than half of the new resources have, and no default says yet."""
    found: dict[str, dict[str, Written]] = {}
    by_section: dict[str, list[Draft]] = {}
    for draft in drafts:
        by_section.setdefault(draft.kind.section, []).append(draft)
    for section, fields in LIFTED.items():
        of = by_section.get(section, [])
        for name in fields:
            counts = Counter(str(one.written[name]) for one in of if name in one.written)
            value, count = min(counts.items(), key=lambda each: (-each[1], each[0]), default=("", 0))
            if count > 1 and count * 2 > len(of) and name not in defaults.get(section, {}):
                found.setdefault(section, {})[name] = value
    return found


def above(draft: Draft, defaults: Mapping[str, Map]) -> dict[str, Written]:
    """The resource without what the defaults say already, and with what they would say wrongly."""
    written = dict(draft.written)
    model = _model(draft.kind, str(written.get("type", "")))
    for name, below in defaults.get(draft.kind.section, {}).items():
        if name not in model.model_fields or name == "lifecycle":
            continue
        if name not in written:
            standard = model.model_fields[name].get_default()
            written[name] = standard if isinstance(standard, bool) else None
        elif _text(written[name]) == _text(below):
            del written[name]
    return written


def _model(kind: Kind, form: str) -> type[BaseModel]:
    """The form of the kind that `type` says; the only one, where there is one."""
    for model in kind.models:
        tag = model.model_fields.get("type")
        if tag is None or form in get_args(tag.annotation):
            return model
    return kind.models[0]


def _text(value: object) -> object:
    """A value as located text has it."""
    if isinstance(value, Mapping):
        return {key: _text(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [*map(_text, value)]
    return str(value).lower() if isinstance(value, bool) else value if value is None else str(value)


def parts_of(left: Iterable[Which], drafts: Sequence[Draft]) -> dict[Which, str]:
    """The schedules and notifications of integrations that are left out: they go with them."""
    gone = {id for kind, id in left if kind == "integration"}
    return {
        one.which: "its integration is left out"
        for one in drafts
        if one.kind.listing is None and same_id(one.observed.parent or "") in gone
    }


def variables_of(drafts: Iterable[Draft]) -> dict[str, str]:
    """The environment variables that secrets are found in, and of which field each is: `ADDR.FIELD`."""
    return {
        str(value["fromEnv"]): f"{draft.address}.{name}"
        for draft in drafts
        for name, value in draft.written.items()
        if isinstance(value, dict) and "fromEnv" in value
    }
