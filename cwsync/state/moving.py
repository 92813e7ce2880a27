"""Moving the state to another store, so that at no moment it can be worked with in both.

1. The target gets a copy that is `arriving`: nobody can work with it yet. What the target cannot do shows here.
2. Under its lock, the document that is left behind gets `movedTo`: whoever still has it can write nothing more.
3. The copy has arrived.

Cut off after 1, the state goes on where it was; after 2, it waits until the move is taken up again.
"""

from __future__ import annotations

from dataclasses import replace

from cwsync.errors import fail
from cwsync.state.document import State
from cwsync.state.lock import Held
from cwsync.state.reading import from_json
from cwsync.state.store import Store, opened


def found_at(store: Store) -> State | None:
    """The document as it is, also where it has moved or is arriving."""
    data = store.raw()
    return None if data is None else from_json(data, store.describe())


def claimed(state: State, target: Store) -> State | None:
    """What is in the way at the target and may be replaced: what this state has left behind there, or a copy
    that never arrived. Raises CW408 for anything else."""
    there = found_at(target)
    if there is not None and there.lineage != state.lineage:
        raise fail(
            "CW408",
            f"{target.describe()} is another state (lineage {there.lineage}) than the one that would move there "
            f"(lineage {state.lineage})",
            hint="nothing was changed; choose another place",
        )
    if there is not None and there.movedTo is None and not there.arriving:
        raise fail(
            "CW408",
            f"{target.describe()} is there already, as a copy of this state with serial {there.serial}",
            hint="nothing was changed; choose another place, or move that copy away if nobody works with it",
        )
    return there


def send(held: Held, target: Store, place: str) -> None:
    """Steps 1 and 2. `place` is the target as cwsync.yaml would name it."""
    there = claimed(held.state, target)
    target.commit(there, replace(held.state, lock=None, movedTo=None, arriving=True))
    held.update(lambda state: replace(state, movedTo=place))


def arrive(left: State, target: Store) -> State:
    """Step 3, with what was left behind. Where it was done before, nothing is changed."""
    there = found_at(target)
    if there is not None and there.lineage == left.lineage and not there.arriving:
        return opened(target.raw() or b"", target.describe())
    if there is not None and there.lineage != left.lineage:
        claimed(left, target)
    return target.commit(there, replace(left, lock=None, movedTo=None, arriving=False))
