"""`make bench`: the floor that it holds an apply against, and where it writes."""

from __future__ import annotations

import pytest
from benchmarks.requests import LATENCY_MS, PARALLELISM, floor_of_apply
from benchmarks.runs import Json
from tools.readme import replaced


def asked(method: str, path: str, times: int = 1) -> list[Json]:
    return [{"method": method, "path": path}] * times


def test_the_floor_of_an_apply_is_in_whole_rounds_of_what_waits_for_one_another() -> None:
    log = [
        *asked("POST", "/token/authenticate"),
        *asked("GET", "/token/validate"),
        *asked("GET", "/2/0/integrations?limit=250&offset=0", 3),
        *asked("POST", "/2/0/integrations/connections", PARALLELISM + 1),
        *asked("POST", "/2/0/integrations", PARALLELISM),
        *asked("GET", "/2/0/integrations/notification/1", 5),
        *asked("POST", "/2/0/integrations/1/schedule", 5),
        *asked("GET", "/2/0/integrations/1", 2 * PARALLELISM),
    ]
    signing_in, lists, connections, integrations, parts, reading_again = 2, 1, 2, 1, 1, 2
    rounds = signing_in + lists + connections + integrations + parts + reading_again
    assert floor_of_apply(log) == pytest.approx(rounds * LATENCY_MS / 1000)


def test_it_writes_its_own_tables_and_nothing_else() -> None:
    region = "<!-- `make {}` writes this: {} -->\nbefore\n<!-- end -->\n"
    text = region.format("bench", "start") + region.format("bench", "scale") + region.format("proof", "start")
    changed = replaced(text, "make bench", {"start": ["| new |"]})
    assert changed == text.replace("before", "| new |", 1)
