"""policies: in cwsync.yaml: what they may say, and every mistake at its place."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from cwsync.errors import CwsyncError, Problem
from cwsync.kinds import KINDS
from cwsync.kinds.schedule import DAYS
from cwsync.project import Day, Policy, load_project
from cwsync.project.policies import Section

HEAD = """\
users: {alice: 2c9ba1b6729b7fd80172c3f635db40f7}
environments: {dev: {api: emulator}, prod: {api: emulator}}
environment: dev
policies:
"""


def loaded(folder: Path, text: str, environment: str = "dev") -> tuple[Policy, ...]:
    (folder / "cwsync.yaml").write_text(HEAD + text)
    return load_project(folder, environment).policies


def problems(folder: Path, text: str) -> list[Problem]:
    with pytest.raises(CwsyncError) as raised:
        loaded(folder, text)
    return list(raised.value.problems)


def test_only_those_of_the_environment_hold(tmp_path: Path) -> None:
    text = "  - {name: everywhere, owners: required}\n  - {name: prod-only, owners: required, environments: [prod]}\n"
    assert [one.name for one in loaded(tmp_path, text)] == ["everywhere"]
    assert [one.name for one in loaded(tmp_path, text, "prod")] == ["everywhere", "prod-only"]


def test_variables_are_filled_in(tmp_path: Path) -> None:
    text = "  - {name: zone, schedules: {timezones: ['${var.zone}']}}\nvariables: {zone: Europe/Paris}\n"
    (policy,) = loaded(tmp_path, text)
    assert policy.schedules is not None
    assert policy.schedules.timezones == ("Europe/Paris",)


@pytest.mark.parametrize(
    ("policy", "place", "message", "hint"),
    [
        ("{names: x}", "5:5", "'name' is required", "for example name: connections-stay"),
        ("{name: No Spaces, names: x}", "5:12", "'name' has a form that is not allowed here", None),
        ("{name: p}", "5:5", "the policy asks for nothing", "write one of forbid, names, schedules, owners"),
        (
            "{name: p, names: x, owners: required}",
            "5:25",
            "a policy asks for one thing, and this has names and owners",
            "make several policies of it",
        ),
        ("{name: p, forbit: [delete]}", "5:15", "'forbit' is not a field here", "did you mean 'forbid'?"),
        ("{name: p, forbid: [delet]}", "5:24", "item 1 of 'forbid' cannot be 'delet'", "did you mean 'delete'?"),
        ("{name: p, forbid: []}", "5:23", "'forbid' must not be empty", None),
        ("{name: p, forbid: [delete], kinds: [connection]}", "5:41",
         "item 1 of 'kinds' cannot be 'connection'", "did you mean 'connections'?"),
        ("{name: p, forbid: [delete], environments: [pord]}", "5:48",
         "there is no environment 'pord'", "did you mean 'prod'?"),
        ("{name: p, forbid: [delete], addresses: [integrations.fin-*]}", "5:45",
         "'integrations.fin-*' names no kind of resource", "did you mean 'integration.fin-*'?"),
        ("{name: p, forbid: [delete], addresses: ['integration.[a-z]']}", "5:45",
         "'integration.[a-z]' is no pattern of addresses", None),
        ("{name: p, forbid: [delete], allow: {users: [alise]}}", "5:49", "'alise' is no user",
         "did you mean 'alice'?"),
        ("{name: p, forbid: [delete], allow: {label: [ok]}}", "5:41", "'label' is not a field here",
         "did you mean 'labels'?"),
        ("{name: p, forbid: [delete], allow: {labels: ['a,b']}}", "5:50",
         "a label has no comma and no spaces around it", None),
        ("{name: p, names: '('}", "5:22", "the pattern cannot be used: unclosed group", None),
        ("{name: p, names: '(?=x)y'}", "5:22", "the pattern cannot be used: look-around", None),
        ("{name: p, names: 'a)|(b'}", "5:22", "the pattern cannot be used: unopened group", None),
        ("{name: p, names: '(x{1000}){1000}'}", "5:22", "the pattern cannot be used", None),
        ("{name: p, owners: wanted}", "5:23", "'owners' cannot be 'wanted'", "one of required"),
        ("{name: p, schedules: {}}", "5:26", "'schedules' asks for nothing", "write hours, days or timezones"),
        ("{name: p, schedules: {hours: 20-06}}", "5:34", "'20-06' are no hours", "such as 20:00-06:00"),
        ("{name: p, schedules: {hours: '20:00-24:00'}}", "5:34", "'20:00-24:00' are no hours", None),
        ("{name: p, schedules: {days: [monday]}}", "5:34", "item 1 of 'days' cannot be 'monday'",
         "did you mean 'mon'?"),
        ("{name: p, schedules: {timezones: [Europe/Pari]}}", "5:39", "'Europe/Pari' is not a time zone",
         "did you mean 'Europe/Paris'?"),
        ("{name: p, schedules: {days: [mon]}, kinds: [flows]}", "5:41",
         "only schedules fire, so this policy needs no 'kinds'", "leave it out"),
    ],
)  # fmt: skip
def test_every_mistake_has_its_place_and_a_way_out(
    tmp_path: Path, policy: str, place: str, message: str, hint: str | None
) -> None:
    (problem,) = problems(tmp_path, f"  - {policy}\n")
    assert problem.code == "CW111"
    assert problem.message.startswith(message)
    assert problem.place is not None
    assert f"{problem.place.line}:{problem.place.column}" == place
    assert hint is None or problem.hint == hint


def test_a_name_twice(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "  - {name: p, owners: required}\n  - {name: p, names: x}\n")
    assert (problem.message, str(problem.place).partition(":")[2]) == (
        "there is a policy 'p' already",
        "6:12",
    )


def test_several_mistakes_are_told_at_once(tmp_path: Path) -> None:
    found = problems(tmp_path, "  - {name: p, forbid: [delet], environments: [pord]}\n  - {name: q}\n")
    assert len(found) == 3


def test_users_are_known_by_name_by_address_and_by_id(tmp_path: Path) -> None:
    users = "[alice, ci@acme.com, emulator, 8A80DB4C-7A3C-1F61-017A-4E2F0D3B5A19]"
    assert loaded(tmp_path, f"  - {{name: p, forbid: [delete], allow: {{users: {users}}}}}\n")


def test_it_knows_every_kind_and_every_day() -> None:
    assert set(get_args(Section)) == {kind.section for kind in KINDS.values()}
    assert get_args(Day) == DAYS
