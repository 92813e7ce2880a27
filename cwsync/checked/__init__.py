"""Between located values and pydantic: the types of fields, and pydantic's complaints as problems.

Located scalars are text, so the field's type says what a text means: `Text`, `Id`, `Flag`, `Whole`.
`problems_from` turns a ValidationError into problems with places, plain words and "did you mean". No
value of a field that holds a secret is ever part of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pydantic import ValidationError

from cwsync.checked.findings import Codes, Finding, follows
from cwsync.checked.mending import Mending, touches
from cwsync.checked.types import Flag, Id, Text, Whole, wrong
from cwsync.errors import Place, Problem
from cwsync.located import Path, Root, at, problem

__all__ = ["Codes", "Flag", "Id", "Mending", "Text", "Whole", "problems_from", "touches", "wrong"]


def problems_from(
    error: ValidationError,
    root: Root,
    shape: object,
    *,
    path: Path = (),
    codes: Codes = Codes(),  # noqa: B008 - a frozen value
    address: str | None = None,
) -> list[Problem]:
    """Everything that pydantic found wrong, in the order of the file.

    `root` and `path` name the located value that was validated; `shape` is what it was validated as: a
    model, or a (discriminated) union of models. An error that a validator raised with `wrong`, or with a
    code of ours as its type, keeps that code; literal secrets become CW121.
    """
    start = at(root, path)
    details = [detail for detail in error.errors(include_url=False) if not follows(detail)]
    found = [Finding(detail, start, shape, codes) for detail in details]
    problems = {_problem(one, root, path, address): one.secret for one in found}
    return _without_secret_lines(problems)


def _problem(found: Finding, root: Root, path: Path, address: str | None) -> Problem:
    made = problem(
        found.code,
        found.message,
        root,
        path + found.path,
        key=found.at_key,
        hint=found.hint,
        address=address,
        hide=found.secret,
    )
    if found.at_key and made.source and made.place:
        # nobody knows what a field that does not exist holds: its value is not shown
        end = made.source.find(":", made.place.column - 1) + 1
        if end and made.source[end:].strip():
            return replace(made, source=f"{made.source[:end]} …")
    return made


def _without_secret_lines(problems: Mapping[Problem, bool]) -> list[Problem]:
    """Other problems of a line that holds a secret do not show it either."""
    lines = {(p.place.file, p.place.line) for p, secret in problems.items() if secret and p.place}
    cleared = [
        replace(p, source=None) if p.place and (p.place.file, p.place.line) in lines else p for p in problems
    ]
    return sorted(cleared, key=lambda p: p.place or Place(""))
