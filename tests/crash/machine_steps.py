"""What the machine may do next, what may go wrong with it, and how often it is tried."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from typing import Any

from crash.enumeration import VARIABLE
from crash.machine_model import IDS, Json
from crash.machine_outside import Trouble
from crash.machine_project import NAMES, edits
from hypothesis import Phase, settings
from hypothesis import strategies as st
from property.settings import QUICK

FAULTS: tuple[tuple[str, Json], ...] = (
    ("drop-after", {}),
    ("drop-before", {}),
    ("status", {"status": 500}),
    ("status", {"status": 500, "effect": True}),
    ("status", {"status": 429, "retryAfter": 1}),
    ("status", {"status": 401}),
    ("truncate", {}),
    ("html", {}),
    ("status", {"status": 500, "effect": True, "times": 9}),
    ("drop-before", {"times": 9}),
    ("blind", {}),
    ("late", {"delayMs": 3_000}),
    ("late", {"delayMs": 40_000}),
)
ENDS = ("kill-before", "kill-after", "kill-before-commit", "kill-after-commit", "interrupt", "store", "twin")
EVENTS = ("edit ours", "be quicker")
Happening = tuple[str, Any, int]
Step = tuple[str, tuple[Any, ...]]


def troubles() -> st.SearchStrategy[list[Trouble]]:
    """None, one, or two of them."""
    at, where = st.sampled_from((1, 1, 1, 2, 2, 3, 4, 6)), st.tuples(st.integers(0, 9), st.integers(0, 5))
    faults = st.builds(lambda at, fault: Trouble(at, fault[0], fault[1]), at, st.sampled_from(FAULTS))
    hows = st.integers(0, 8).map(lambda how: {"how": how})
    ends = st.builds(Trouble, at, st.sampled_from(ENDS), hows)
    events = st.builds(
        lambda at, do, where: Trouble(at, do, {"where": where}), at, st.sampled_from(EVENTS), where
    )
    one = st.one_of(faults, ends, events)
    return st.one_of(
        st.just([]), one.map(lambda trouble: [trouble]), st.tuples(st.one_of(faults, events), ends).map(list)
    )


def happenings() -> st.SearchStrategy[Happening]:
    """What may happen between two commands: to the manifests, the secrets, the time, or in the web interface."""
    number, kinds = st.integers(0, 5), st.sampled_from(tuple(IDS))
    names = st.sampled_from((*NAMES, "a", "b", "Unmanaged 5"))
    manifests = st.tuples(st.just("edit the manifest"), edits(), number)
    return st.one_of(
        manifests,
        manifests,
        manifests,
        st.tuples(st.just("rotate the secrets"), st.none(), number),
        st.tuples(st.just("wait"), st.sampled_from((61, 61, 61, 8 * 24 * 3600)), number),
        st.tuples(st.just("edit ours"), st.integers(0, 9), number),
        st.tuples(st.just("edit ours"), st.integers(0, 9), number),
        st.tuples(st.just("edit theirs"), st.integers(0, 9), number),
        st.tuples(st.just("create"), st.tuples(kinds, names), number),
        st.tuples(st.just("use ours"), st.none(), number),
    )


def steps() -> st.SearchStrategy[Step]:
    seldom, number = st.sampled_from((False, False, False, True)), st.integers(0, 20)
    commands = st.sampled_from(("apply", "apply", "apply", "apply", "destroy"))
    some = st.lists(happenings(), max_size=2)
    rotation = st.tuples(st.just("rotate the secrets"), st.none(), st.integers(0, 5))
    between: st.SearchStrategy[list[Happening]] = st.one_of(
        st.just([]), rotation.map(lambda one: [one]), some
    )
    how: dict[str, st.SearchStrategy[Any]] = {
        "apply": st.tuples(st.lists(happenings(), min_size=1, max_size=3), commands, seldom, troubles()),
        "review and apply": st.tuples(some, seldom, between, seldom, troubles(), st.booleans()),
        "look": st.tuples(st.sampled_from(("plan", "drift"))),
        "forget": st.tuples(number),
        "decide": st.just(()),
        "give another key": st.tuples(number, st.booleans()),
    }
    weights = (*["apply"] * 5, *["review and apply"] * 4, "look", "forget", "decide", "give another key")
    return st.sampled_from(weights).flatmap(lambda what: st.tuples(st.just(what), how[what]))


def wished(store: str) -> bool:
    """Whether CWSYNC_CRASH asks for the full size with the state there."""
    wish = os.environ.get(VARIABLE, "")
    return wish == "full" or fnmatchcase(f"machine/{store}/steps", wish)


def size(store: str, examples: int) -> settings:
    """The quick size finds the same failure again every time; looking for fewer steps takes the full size."""
    if wished(store):
        return settings(QUICK, max_examples=2000, stateful_step_count=20, derandomize=False, print_blob=True)
    quick = (Phase.explicit, Phase.generate)
    return settings(QUICK, max_examples=examples, stateful_step_count=10, phases=quick)
