"""The secrets that a plan must send, read once, before anything is changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import SecretStr

from cwsync.errors import CwsyncError, Problem
from cwsync.kinds import KINDS, Action, Desired, Write
from cwsync.plan import Plan

Secrets = Mapping[str, Mapping[str, SecretStr]]
"""By address and field."""


def addresses_to_send(plan: Plan, desired: Mapping[str, Desired]) -> list[str]:
    """The addresses whose secrets the plan sends: a rename, a status and a deletion send none."""
    sending = [call.address for call in plan.calls if call.action in (Action.CREATE, Action.UPDATE)]
    return [address for address in dict.fromkeys(sending) if address in desired and desired[address].secrets]


def read_secrets(addresses: Iterable[str], desired: Mapping[str, Desired], root: Path) -> Secrets:
    """Read them all. Raises every CW120 at once, each naming the field that asks for it."""
    found: dict[str, dict[str, SecretStr]] = {}
    problems: list[Problem] = []
    for address in addresses:
        one = desired[address]
        values: dict[str, SecretStr] = {}
        for field, source in one.secrets.items():
            try:
                values[field] = source.read(root)
            except CwsyncError as error:
                problems += [_located(problem, one, field) for problem in error.problems]
        if len(values) == len(one.secrets):
            problems += _unusable(one, values)
        found[address] = values
    if problems:
        raise CwsyncError(*problems)
    return found


def _unusable(one: Desired, values: Mapping[str, SecretStr]) -> list[Problem]:
    """A key file that isn't one is found now, not when half of the plan is applied."""
    try:
        KINDS[one.kind].to_wire(Write(Action.CREATE, one.fields, values))
    except CwsyncError as error:
        return [_located(problem, one, next(iter(one.secrets))) for problem in error.problems]
    return []


def _located(problem: Problem, one: Desired, field: str) -> Problem:
    return Problem(
        problem.code,
        f"{one.address}.{field}: {problem.message}",
        place=one.locate((field,)),
        hint=problem.hint,
        address=one.address,
    )
