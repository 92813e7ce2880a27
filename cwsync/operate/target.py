"""What is to be run: a managed integration or flow, and of a flow perhaps only some steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cwsync.errors import fail, suggest
from cwsync.kinds import same_id
from cwsync.kinds.runs import FlowRuns
from cwsync.state import State

RUNNABLE = ("integration", "flow")


@dataclass(frozen=True, slots=True)
class Target:
    """An integration or a flow that the state knows."""

    address: str
    kind: str
    id: str
    name: str


def find_target(state: State, address: str) -> Target:
    """What an address means. CW507 where nothing of the kind is managed under it."""
    entry = state.resources.get(address)
    if entry is not None and entry.kind in RUNNABLE:
        return Target(address, entry.kind, entry.id, entry.name)
    if entry is not None:
        raise fail(
            "CW507", f"{address} is a {entry.kind}, and only integrations and flows run", hint=_near(state, address)
        )  # fmt: skip
    raise fail("CW507", f"{address} is not managed", hint=_near(state, address))


def _near(state: State, address: str) -> str:
    kind, _, key = address.rpartition(".")
    runnable = [known for known, entry in state.resources.items() if entry.kind in RUNNABLE]
    # By key alone, for the kind would make all addresses alike; of two with one key that of this kind wins.
    by_key = {
        known.partition(".")[2]: known for known in sorted(runnable, key=lambda one: one.startswith(kind))
    }
    close = suggest(key, by_key)
    if close:
        return f"did you mean {by_key[close]}?"
    return "cwsync state list shows what is managed; what is only declared is made by cwsync apply"


def labels(state: State) -> dict[str, str]:
    """The addresses of the managed integrations, by their ids as ids compare."""
    return {
        same_id(entry.id): address
        for address, entry in state.resources.items()
        if entry.kind == "integration"
    }


def chosen_steps(
    target: Target, flow: FlowRuns, words: Iterable[str], known: Mapping[str, str]
) -> tuple[str, ...]:
    """The ids of the steps that `--step` names: by key or address, an unmanaged one by its name.

    Each once, in the flow's order. CW507 for what is no step, CW901 for a step that is skipped.
    """
    by_word: dict[str, str] = {}
    for step in flow.steps:
        address = known.get(same_id(step.id))
        for word in (address, address.partition(".")[2]) if address else (step.name,):
            by_word[word] = step.id
    chosen = set()
    for word in words:
        if word not in by_word:
            close = suggest(word, by_word)
            steps = ", ".join(known.get(same_id(step.id), step.name) for step in flow.steps)
            hint = f"did you mean {close}?" if close else f"its steps are {steps}"
            raise fail("CW507", f"{word} is not a step of {target.address}", hint=hint)
        chosen.add(by_word[word])
    for step in flow.steps:
        if step.skipped and step.id in chosen:
            label = known.get(same_id(step.id), step.name)
            raise fail(
                "CW901", f"{label} is skipped in {target.address}: the flow does not run it",
                hint="run it alone, or set its `skip: false` in the manifest and apply",
            )  # fmt: skip
    return tuple(step.id for step in flow.steps if step.id in chosen)
