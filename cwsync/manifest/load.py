"""From files to desired resources: sections, variables, defaults, models, and each kind's own rules."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from operator import or_
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from cwsync.checked import Codes, Mending, problems_from
from cwsync.errors import CwsyncError, Place, Problem, suggest
from cwsync.kinds import SECTIONS, ChangeLists, Desired, Kind
from cwsync.kinds.base import Finding, short
from cwsync.located import Document, Map, overlay, place, problem, read
from cwsync.located import Path as Steps
from cwsync.manifest.address import KEY, KEY_RULE, key_like
from cwsync.manifest.lists import LISTS, Listed, contradictions
from cwsync.manifest.rules import cross_check
from cwsync.variables import Variables

# How often what was mended is mended again.
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that the manifests declare, by address, and what deserves a second look."""

    resources: Mapping[str, Desired]
    warnings: tuple[Problem, ...] = ()
    lists: ChangeLists = field(default_factory=ChangeLists)


def load_manifests(
    files: Iterable[tuple[Path, str]],
    *,
    defaults: Mapping[str, Map],
    users: Mapping[str, str],
    variables: Variables,
) -> Manifest:
    """Read the files (each with the name that messages use) and check everything offline.

    `defaults` holds, by section, what lies under every resource of a kind. Raises `CwsyncError` with
    every problem of every file. Reading them needs no secret.
    """
    loading = _Loading(defaults, users, variables)
    for path, shown_as in files:
        loading.file(path, shown_as)
    lists = loading.listed.values()
    loading.problems += cross_check(
        loading.resources | loading.mended, loading.bodies, users, lists, loading.doubtful
    )
    if not loading.resources and not loading.problems:
        loading.problems.append(
            Problem(
                "CW115",
                "the manifests declare nothing, and an empty project would mean to delete everything",
                hint="declare something, or use `cwsync destroy` to remove all that is managed",
            )
        )
    else:
        loading.problems += contradictions(loading.listed, loading.places)
    errors = [one for one in loading.problems if one.severity == "error"]
    warnings = [one for one in loading.problems if one.severity == "warning"] + variables.unused()
    if errors:
        raise CwsyncError(*_sorted(errors), *_sorted(warnings))
    return Manifest(dict(sorted(loading.resources.items())), tuple(_sorted(warnings)), lists)


def _sorted(problems: Iterable[Problem]) -> list[Problem]:
    # What is wrong with a default is wrong with every resource that it lies under, and is said once; and what
    # an unknown variable leaves behind is no value to judge.
    unique = {(one.code, one.message, one.place): one for one in reversed([*problems])}
    unset = {one.place for one in unique.values() if one.code == "CW113"}
    said = [one for one in unique.values() if one.code == "CW113" or one.place not in unset]
    return sorted(said, key=lambda one: (one.place is None, one.place or Place(""), one.code, one.message))


class _Loading:
    """What was read so far. `bodies` are the resources' own located mappings, for places; `mended` is what is wrong by
    itself, without what is wrong, and `doubtful` says where: so that all else about it can be checked."""

    def __init__(self, defaults: Mapping[str, Map], users: Mapping[str, str], variables: Variables) -> None:
        self.problems: list[Problem] = []
        self.resources: dict[str, Desired] = {}
        self.mended: dict[str, Desired] = {}
        self.doubtful: dict[str, Collection[Steps]] = {}
        self.bodies: dict[str, Map] = {}
        self.places: dict[str, Place] = {}
        self.listed = Listed()
        self._users = users
        self._variables = variables
        self._fields = {section: _fields_of(kind) for section, kind in SECTIONS.items()}
        self._known = {section: frozenset().union(*forms.values()) for section, forms in self._fields.items()}
        self._defaults = {
            section: variables.fill(value, self.problems) for section, value in defaults.items()
        }

    def file(self, path: Path, shown_as: str) -> None:
        try:
            documents = read(path, shown_as)
        except CwsyncError as error:
            self.problems += error.problems
            return
        for document in documents:
            self._document(document)

    def _document(self, document: Document) -> None:
        if not isinstance(document.value, Map):
            choices = ", ".join((*SECTIONS, *LISTS))
            self.problems.append(
                problem("CW203", f"a manifest is a mapping with the sections {choices}", document)
            )
            return
        for section, resources in document.value.items():
            if section in LISTS:
                self.problems += self.listed.read(section, document, self._variables)
            elif section not in SECTIONS:
                self.problems.append(_unknown_section(document, section))
            elif isinstance(resources, Map):
                self._section(SECTIONS[section], resources)
            elif resources is not None:
                message = f"{section} is a mapping from keys to resources"
                self.problems.append(problem("CW203", message, document, (section,)))

    def _section(self, kind: Kind, resources: Map) -> None:
        for key in resources:
            address = f"{kind.name}.{key}"
            at = place(resources, (key,), key=True)
            if not KEY.fullmatch(key):
                self.problems.append(_bad_key(resources, key))
            elif address in self.places:
                message = f"{address} is declared already, at {self.places[address]}"
                self.problems.append(problem("CW205", message, resources, (key,), key=True, address=address))
            else:
                self.places[address] = at
                self._resource(kind, key, address, resources, at)

    def _resource(self, kind: Kind, key: str, address: str, resources: Map, at: Place) -> None:
        body = resources[key]
        if not isinstance(body, Map):
            message = f"{address} is a mapping of fields"
            self.problems.append(problem("CW203", message, resources, (key,), address=address))
            return
        body = self._variables.fill(body, self.problems)
        if kind.section in self._defaults:
            body = overlay(self._applicable_defaults(kind, body), body)
        self.bodies[address] = body
        mending: Mending | None = None
        try:
            model = kind.model.validate_python(body)
        except ValidationError as error:
            shape = reduce(or_, kind.models)
            codes = Codes(misplaced=kind.misplaced)
            self.problems += problems_from(error, body, shape, codes=codes, address=address)
            mending = Mending(body, shape)
            model = _mended(kind, mending, error)
            if model is None:
                return
        found = [*kind.check(model, key), *_unknown_ignored(model, address)]
        if mending is not None:
            found = [one for one in found if not any(map(mending.made, (one.path, *one.beside)))]
        self.problems += [_located(one, body, resources, key, address) for one in found]
        content = kind.content(model, key, self._users)
        desired = Desired(
            address=address,
            kind=kind.name,
            key=key,
            name=content.name,
            fields=content.fields,
            secrets=content.secrets,
            parent=content.parent,
            protect=model.lifecycle.preventDestroy,
            ignore=frozenset(model.lifecycle.ignoreChanges),
            owner=model.lifecycle.owner,
            place=at,
            locate=partial(place, body),
        )
        if mending is not None:
            self.mended[address], self.doubtful[address] = desired, mending.doubtful
        else:
            self.resources[address] = desired

    def _applicable_defaults(self, kind: Kind, body: Map) -> Map:
        """The defaults that this form of the kind has a field for: others are for other forms of it."""
        below, fields = self._defaults[kind.section], self._fields[kind.section]
        form = fields.get(str(body.get("type", below.get("type"))), frozenset())
        everywhere = self._known[kind.section]
        result = Map(below.source, below.start)
        for key, value in below.items():
            if key in form or key not in everywhere or len(fields) == 1:
                result.put(key, value, below.key_at(key), below.value_at(key))
        return result


def _fields_of(kind: Kind) -> dict[str, frozenset[str]]:
    """The fields of each form of a kind, by the value of its `type`."""
    forms = {}
    for model in kind.models:
        tag = model.model_fields.get("type")
        forms[get_args(tag.annotation)[0] if tag else ""] = frozenset(model.model_fields)
    return forms


def _unknown_section(document: Document, section: str) -> Problem:
    sections = (*SECTIONS, *LISTS)
    close = suggest(section, sections)
    hint = f"did you mean {close}?" if close else f"the sections are {', '.join(sections)}"
    return problem("CW201", f"unknown section {short(section)}", document, (section,), key=True, hint=hint)


def _located(finding: Finding, body: Map, resources: Map, key: str, address: str) -> Problem:
    """A finding at its field, or at the resource's key where the field is not written."""
    written = not finding.path or finding.path[0] in body
    root, where = (body, finding.path) if written else (resources, (key,))
    found = problem(
        finding.code, finding.message, root, where, key=not written, hint=finding.hint, address=address
    )
    return replace(found, severity=finding.severity)


def _bad_key(resources: Map, key: str) -> Problem:
    near = key_like(key)
    return problem(
        "CW206",
        f"'{short(key)}' cannot be a key: {KEY_RULE}",
        resources,
        (key,),
        key=True,
        hint=f"write {short(near)}, and the name as `name: {short(key)}`" if near else None,
    )


def _mended(kind: Kind, mending: Mending, error: ValidationError) -> Any:
    """The model of what is mended; None where that is not to be had. What is mended may show more that is wrong,
    as a secret without its wrong field does."""
    for _ in range(_ROUNDS):
        if not mending.mend(error):
            return None
        try:
            return kind.model.validate_python(mending.value)
        except ValidationError as another:
            error = another
    return None


def _unknown_ignored(model: Any, address: str) -> Iterator[Finding]:
    """What a resource is, and of what it is a part, cannot be ignored: a body could not be made without it."""
    ignored = model.lifecycle.ignoreChanges
    known = sorted({*type(model).model_fields} - {"lifecycle", "type", "integration"}) if ignored else []
    for index, name in enumerate(ignored):
        if name not in known:
            close = suggest(name, known)
            yield Finding(
                "CW201",
                f"{address} has no field {short(name)} whose changes could be ignored",
                ("lifecycle", "ignoreChanges", index),
                hint=f"did you mean {close}?" if close else f"the fields are {', '.join(known)}",
            )
