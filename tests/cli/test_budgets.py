"""How many calls a command makes of the service, counted where they arrive: no more than what is managed asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import reduce
from pathlib import Path

import httpx
import pytest
from benchmarks.sizes import Size, write_project
from support.clocks import Skipping
from support.program import Ran, cwsync
from support.tenant import Tenant

from cwsync.cli.outside import Outside
from cwsync.emulator import application

PAGE = 250
SOME = Size(4, 8, 8, 8, 4)
SIZES = [
    Size(connections=1),
    Size(integrations=PAGE),
    Size(connections=PAGE + 1, integrations=1),
    Size(3, 7, 4, 2, 2),
    Size(2, PAGE + 1, 3, 5, 4),
]
KINDS = ("connection", "integration", "schedule", "notification", "flow")
LISTS = {"GET /integrations/connections": 1, "GET /integrations": 1, "GET /integrationflows": 1}
SIGN_IN = {"POST /token/authenticate": 1, "GET /token/validate": 1}
# How often an object is read for a call to it, beside the lists of the plan and the lists afterwards: right before it
# is touched, where somebody may have changed it, and once more when it is over. What has no read of its own is in a
# list. A notification is found by its integration.
READS = {
    "create": {"integration": 1, "flow": 1, "notification": 3},
    "update": {"connection": 1, "integration": 2, "schedule": 1, "flow": 2, "notification": 3},
    "delete": {"connection": 1, "integration": 1, "schedule": 1, "flow": 1, "notification": 1},
}


@dataclass
class Calls:
    """What a command has asked of the service: each call without ids, and how often."""

    made: Counter[str] = field(default_factory=Counter)

    @property
    def sign_in(self) -> Mapping[str, int]:
        return {call: count for call, count in self.made.items() if "/token/" in call}

    @property
    def reads(self) -> int:
        return sum(self._of(reading=True).values())

    @property
    def lists(self) -> Mapping[str, int]:
        return {call: count for call, count in self._of(reading=True).items() if "ID" not in call}

    @property
    def mutations(self) -> int:
        return sum(self._of(reading=False).values())

    def _of(self, *, reading: bool) -> Mapping[str, int]:
        return {
            call: count
            for call, count in self.made.items()
            if "/token/" not in call and call.startswith("GET ") is reading
        }


class Place:
    """A tenant without a network or a latency, and the projects in it."""

    def __init__(self, tenant: Tenant, outside: Outside, folder: Path) -> None:
        self._tenant, self._outside, self._folder = tenant, outside, folder

    def project(self, size: Size, mark: str = "") -> Path:
        root = self._folder / f"project-{mark}{size.resources}"
        write_project(root, self._tenant.url, size, 8, mark=mark)
        return root

    def run(self, root: Path, *arguments: str) -> tuple[Ran, Calls]:
        before = len(self._tenant.requests())
        ran = cwsync(*arguments, folder=root, outside=self._outside)
        assert ran.status == 0, ran.all
        asked = self._tenant.requests()[before:]
        return ran, Calls(Counter(f"{one['method']} {_plain(one['path'])}" for one in asked))

    def calls(self, root: Path, *arguments: str) -> Calls:
        return self.run(root, *arguments)[1]

    def apply(self, root: Path) -> Calls:
        return self.calls(root, "apply", "--auto-approve")


def _plain(path: str) -> str:
    path = path.removeprefix("/2/0").partition("?")[0]
    return "/".join("ID" if len(part) == 32 else part for part in path.split("/"))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    time = Skipping()
    with application(clock=time.seconds) as app:
        way = httpx.WSGITransport(app)
        with httpx.Client(transport=way, base_url="http://emulator") as http:
            yield Place(Tenant(http), Outside(clock=time.clock, transport=way), tmp_path)


def budget(size: Size, what: str) -> int:
    """The reads of an apply that does the same to all, each kind on one page: lists, then each object's."""
    counts = {kind: getattr(size, f"{kind}s") for kind in KINDS}
    return sum(counts[kind] * each for kind, each in READS[what].items())


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_full_plan_and_drift_read_what_is_managed(place: Place, size: Size) -> None:
    root = place.project(size)
    place.apply(root)

    for command in (("plan", "--refresh", "full"), ("drift",)):
        calls = place.calls(root, *command)
        assert (calls.reads, calls.mutations, calls.sign_in) == (size.reads, 0, SIGN_IN)


def test_what_is_not_managed_costs_the_pages_of_its_list(place: Place) -> None:
    place.apply(place.project(Size(6, PAGE, 6, 6, 6), mark="theirs-"))
    ours = place.project(SOME)
    place.apply(ours)

    for command in (("plan", "--refresh", "full"), ("drift",)):
        calls = place.calls(ours, *command)
        assert calls.lists == {**LISTS, "GET /integrations": 2}
        assert calls.reads == size_of_details(SOME) + 4


def size_of_details(size: Size) -> int:
    return size.integrations + size.flows + size.notifications


def test_a_kind_that_nothing_is_declared_of_costs_nothing(place: Place) -> None:
    place.apply(place.project(SOME, mark="theirs-"))
    ours = place.project(Size(connections=2))
    place.apply(ours)

    for command in (("plan", "--refresh", "full"), ("plan", "--refresh", "fast"), ("drift",)):
        calls = place.calls(ours, *command)
        assert (calls.lists, calls.reads) == ({"GET /integrations/connections": 1}, 1)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_creating_reads_the_lists_and_what_was_made(place: Place, size: Size) -> None:
    """The lists once before, when they are empty and a page each, and of what is in lists alone once after."""
    made = place.apply(place.project(size))

    kinds = [size.connections, size.integrations, size.flows]
    after = -(-size.connections // PAGE) + (-(-size.integrations // PAGE) if size.schedules else 0)
    assert made.mutations == size.resources
    assert made.reads <= sum(map(bool, kinds)) + budget(size, "create") + after
    assert made.sign_in == SIGN_IN


def test_changing_looks_at_what_it_changes_and_reads_it_again(place: Place) -> None:
    root = place.project(SOME)
    place.apply(root)
    file = root / "manifests/all.yaml"
    changes = {
        "landing-": "other-",
        "04:": "05:",
        "source/": "src/",
        "[email]": "[email, in_app]",
        "chain-": "chain-",
    }
    file.write_text(reduce(lambda text, pair: text.replace(*pair), changes.items(), file.read_text()))

    changed = place.apply(root)

    assert changed.made["PUT /integrations/ID"] == SOME.integrations
    # Of a schedule that is disabled while its integration changes, there are three calls and one look.
    assert changed.mutations == SOME.resources - SOME.flows + 2 * SOME.schedules
    assert changed.reads <= SOME.reads + budget(replace(SOME, flows=0), "update") + 2
    assert changed.sign_in == SIGN_IN


def test_an_apply_of_nothing_is_a_plan(place: Place) -> None:
    root = place.project(SOME)
    place.apply(root)

    again = place.apply(root)

    assert (again.reads, again.mutations, again.sign_in) == (SOME.reads, 0, SIGN_IN)


def test_deleting_looks_once_at_each(place: Place) -> None:
    root = place.project(SOME)
    place.apply(root)

    gone = place.calls(root, "destroy", "--auto-approve")

    assert gone.mutations == SOME.resources
    assert gone.reads <= SOME.reads + budget(SOME, "delete") + len(LISTS)
    assert gone.sign_in == SIGN_IN


def test_twice_as_many_objects_are_at_most_twice_as_many_calls(place: Place) -> None:
    twice = Size(*(2 * getattr(SOME, each.name) for each in fields(SOME)))

    def calls(size: Size, mark: str) -> list[int]:
        root = place.project(size, mark)
        return [
            place.calls(root, *command).made.total()
            for command in (
                ("apply", "--auto-approve"),
                ("plan", "--refresh", "full"),
                ("drift",),
                ("destroy", "--auto-approve"),
            )
        ]

    assert all(more <= 2 * few for more, few in zip(calls(twice, "b-"), calls(SOME, "a-"), strict=True))
