"""Edits of the state by hand: another address, forgetting, a copy that is put back. No call is made for any.

Pure functions from one state to the next. What is pending is never discarded, moved or replaced: only
reading the tenant can tell what became of it (engine protocol R4).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from cwsync.errors import CwsyncError, fail, suggest
from cwsync.state.document import Deposed, Intent, State
from cwsync.state.reading import from_json


@dataclass(frozen=True)
class Forgotten:
    """A state, and what is no longer in it: `parts` are the schedules and notifications of what was named."""

    state: State
    addresses: tuple[str, ...]
    parts: tuple[str, ...] = ()
    deposed: tuple[Deposed, ...] = ()


def move(state: State, source: str, target: str) -> State:
    """The state with what is known at `source` under `target`, which must be an address of the same kind.

    Raises CW507 where nothing is managed there, CW509 where it cannot be moved, CW407 where an operation on
    either address is pending.
    """
    entry = state.resources.get(source)
    if entry is None:
        raise not_managed(source, state.resources)
    kind = target.partition(".")[0]
    if kind != entry.kind:
        hint = f"the new address begins with {entry.kind}. as well"
        raise fail("CW509", f"{source} cannot move to {target}: what it is stays the same", hint=hint)
    if target in state.resources:
        hint = "choose another address, or let that one go first, with cwsync state rm"
        raise fail("CW509", f"{source} cannot move to {target}: both are managed", hint=hint)
    _refuse_pending(intent for intent in state.pending.values() if intent.address in (source, target))
    return state.moved(source, target)


def forget(state: State, named: Collection[str]) -> Forgotten:
    """The state without these addresses: their objects stay in the tenant, and are nobody's.

    Raises CW507 where one of them is not managed, CW407 where an operation on one of them is pending.
    """
    managed = {*state.resources, *(one.address for one in state.deposed)}
    for address in named:
        if address not in managed:
            raise not_managed(address, managed)
    parts = {at for at, entry in state.resources.items() if entry.parent in named} - set(named)
    gone = {*named, *parts}
    ids = {_plain(state.resources[at].id) for at in named if at in state.resources}
    _refuse_pending(
        one
        for one in state.pending.values()
        if one.address in gone or (one.parent and _plain(one.parent) in ids)
    )
    return Forgotten(
        replace(
            state,
            resources={at: entry for at, entry in state.resources.items() if at not in gone},
            deposed=tuple(one for one in state.deposed if one.address not in gone),
        ),
        tuple(sorted(set(named))),
        tuple(sorted(parts)),
        tuple(one for one in state.deposed if one.address in gone),
    )


def parsed(data: bytes, where: str) -> State:
    """A document that somebody gives. Raises CW401 where it is none, and CW402 where a newer cwsync wrote it."""
    try:
        return from_json(data, where)
    except CwsyncError as error:
        (problem,) = error.problems
        if problem.code == "CW401":
            problem = replace(
                problem, hint="nothing was changed; give a copy that cwsync state pull has printed"
            )
        raise CwsyncError(problem) from None


def put_back(stored: State, copy: State, *, force: bool = False) -> State:
    """What the copy knows, as the successor of what is stored (its lock, and its counting, go on).

    Raises CW408 where the copy is of another state, or older and not `force`; CW403 where it is another
    tenant's; CW407 where something is pending that the copy does not have.
    """
    if copy.lineage != stored.lineage:
        raise fail(
            "CW408",
            f"the file is a copy of another state (lineage {copy.lineage}) than the one that is stored "
            f"(lineage {stored.lineage})",
            hint="choose the environment that the copy belongs to, with -e; only where nothing is stored yet "
            "does any state fit",
        )
    if stored.tenant is not None and copy.tenant != stored.tenant:
        raise fail(
            "CW403",
            f"the file belongs to {copy.tenant or 'no tenant'}, and the state that is stored to {stored.tenant}",
            hint="choose the environment that the copy belongs to, with -e",
        )
    _refuse_pending(one for op, one in stored.pending.items() if copy.pending.get(op) != one)
    if copy.serial < stored.serial and not force:
        raise fail(
            "CW408",
            f"the file has serial {copy.serial}, and the state that is stored has {stored.serial}: what was "
            "changed between them would be forgotten",
            hint="objects that were created since would be nobody's (CW501 names them), and those that were "
            "deleted would seem to be gone without cwsync; with --force it is put back all the same",
        )
    return succeeding(stored, copy)


def put_over(stored: State, copy: State, newest: int, *, force: bool = False) -> State:
    """What the copy knows, in the place of a state that is not to be trusted: it is older than was seen, or in clear.

    `newest` is the highest serial that was seen of the copy's lineage. A copy that is at least as new replaces
    whatever there is. Raises CW408 where it is older and not `force`; with it, as `put_back`.
    """
    if 0 < newest <= copy.serial:
        return succeeding(stored, copy)
    if not force:
        raise fail(
            "CW408",
            f"the file has serial {copy.serial}, and this machine has seen "
            f"{f'serial {newest}' if newest else 'another state'}: what was changed since would be forgotten",
            hint="put back a newer copy, if there is one; with --force it is put back all the same, as far as it is "
            "of the state that is stored",
        )
    return put_back(stored, copy, force=True)


def succeeding(stored: State, copy: State) -> State:
    """The copy in the place of what is stored. How often the lock was taken, and by whom, is the store's."""
    return replace(
        copy, epoch=max(stored.epoch, copy.epoch), lock=stored.lock, settling=stored.settling,
        writerNonce=stored.writerNonce, movedTo=None, arriving=False,
    )  # fmt: skip


def not_managed(address: str, managed: Iterable[str]) -> CwsyncError:
    close = suggest(address, managed)
    hint = f"did you mean {close}?" if close else "cwsync state list shows what is managed"
    return fail("CW507", f"{address} is not managed", hint=hint)


def _plain(id: str) -> str:
    """The service spells one id with dashes and without (facts B25)."""
    return id.replace("-", "").lower()


def _refuse_pending(intents: Iterable[Intent]) -> None:
    """Raise CW407 where there are any."""
    found = sorted(f"the {one.action} of {one.address}" for one in intents)
    if found:
        raise fail(
            "CW407",
            f"it is not known yet what became of {', '.join(found)}: until then the state stays as it is there",
            hint="the next cwsync apply finds it out by reading the tenant; cwsync recover shows what needs a person",
        )
