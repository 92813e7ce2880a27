"""The work of checking manifests grows with them, and not faster; nor is it done twice."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from benchmarks.sizes import manifest, of_resources
from support.counting import LINEAR, growth, steps

from cwsync.errors import CwsyncError
from cwsync.located import Map, load
from cwsync.manifest import load_manifests
from cwsync.variables import Variables

DEFAULTS = """\
integrations: {workspaceId: "${var.workspace}", modelId: 35A6EF893D7F47EEA5A554D5CC7DC330}
schedules: {timezone: Greenwich}
"""
VARIABLES = Variables({"workspace": "8a81b09d5e8c6f27015ece3402487d33", "day": "2030-01-07"})


def check(file: Path) -> None:
    (document,) = load(DEFAULTS, "cwsync.yaml")
    assert isinstance(document.value, Map)
    defaults = {section: one for section, one in document.value.items() if isinstance(one, Map)}
    users = {"alice": "2c9ba1b6729b7fd80172c3f635db40f7"}
    load_manifests([(file, file.name)], defaults=defaults, users=users, variables=VARIABLES)


def refused(file: Path) -> None:
    with pytest.raises(CwsyncError):
        check(file)


def written(folder: Path, text: str) -> Path:
    file = folder / "all.yaml"
    file.write_text(text)
    return file


def right(count: int) -> str:
    return manifest(of_resources(count))


def with_variables(count: int) -> str:
    return right(count).replace("startDate: 2030-01-07", 'startDate: "${var.day}"')


def with_unknown_fields(count: int) -> str:
    return right(count).replace("actionId", "actionID")


def with_wrong_references(count: int) -> str:
    return right(count).replace("connection: store", "connection: shop")


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        (right, check),
        (with_variables, check),
        (with_unknown_fields, refused),
        (with_wrong_references, refused),
    ],
    ids=lambda one: str(one.__name__),
)
def test_four_times_as_much_is_four_times_the_work(
    text: Callable[[int], str], outcome: Callable[[Path], None], tmp_path: Path
) -> None:
    assert growth(lambda count: partial(outcome, written(tmp_path, text(count))), 50) <= LINEAR


def test_a_file_without_variables_is_not_searched_for_them(tmp_path: Path) -> None:
    taken = []
    for text in (right(50), right(50) + "# $\n"):
        file = written(tmp_path, text)
        check(file)
        taken.append(steps(partial(check, file)))
    assert taken[0] < 0.95 * taken[1]


def test_an_escape_hides_no_variable(tmp_path: Path) -> None:
    file = written(tmp_path, right(10).replace("startDate: 2030-01-07", r'startDate: "\x24{var.dya}"'))
    with pytest.raises(CwsyncError) as caught:
        check(file)
    assert {one.code for one in caught.value.problems} == {"CW113"}
