"""Files that mean harm, or are no manifests at all: a located error, after a bounded amount of work."""

from __future__ import annotations

import cProfile
import pstats
from pathlib import Path

import pytest
from unit.manifest.writing import DAILY, PROCESS, WHERE, loaded, only, problems

from cwsync.errors import CwsyncError
from cwsync.manifest import load_manifests
from cwsync.variables import Variables

_LEVELS = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 12))
HOSTILE: dict[str, tuple[str | bytes, str]] = {
    "alias bomb": (f"l0: &l0 [x, x]\n{_LEVELS}\nflows: *l11\n", "CW104"),
    "alias bomb of merges": (
        "l0: &l0 {a: {a: 1}}\n"
        + "\n".join(
            f"l{n}: &l{n} {{{', '.join(f'k{m}: *l{n - 1}' for m in range(9))}}}" for n in range(1, 9)
        ),
        "CW104",
    ),
    "deep list": ("flows: " + "[" * 5000, "CW104"),
    "deep mapping": ("flows: " + "{a: " * 5000, "CW104"),
    "deep indentation": ("\n".join(" " * n + "a:" for n in range(500)), "CW104"),
    "huge scalar": (f"flows: {'x' * 1_000_001}", "CW104"),
    "tag": ("flows: !!python/object/apply:os.system [id]", "CW105"),
    "recursion": ("flows: &a {f: *a}", "CW105"),
    "key that is a mapping": ("? {a: b}\n: c\n", "CW105"),
    "unknown alias": ("flows: *nothing", "CW102"),
    "NUL byte": (b"flows: {f: \0}", "CW101"),
    "escape character": (b"flows: {f: \x1b[31m}", "CW101"),
    "no UTF-8": (b"flows: {f: \xff}", "CW101"),
    "UTF-16": ("flows: {}".encode("utf-16"), "CW101"),
    "key twice": ("flows: {}\nflows: {}", "CW103"),
    "key twice in a resource": (f"integrations:\n  i: {{{WHERE}, processId: 1, processId: 2}}", "CW103"),
    "tab": ("flows:\n\tf: {}", "CW102"),
    "unclosed quotation": ('flows: {f: "x', "CW102"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_it_is_refused_with_its_place(case: str) -> None:
    text, code = HOSTILE[case]
    found = problems(text)
    assert {one.code for one in found} == {code}
    assert all(one.place is not None and one.place.file == "1.yaml" for one in found)
    assert all(len(one.message) < 300 and len(one.source or "") < 600 for one in found)


@pytest.mark.parametrize("what", ["folder", "missing", "dangling link"])
def test_what_is_no_file_is_said(what: str, tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    if what == "folder":
        path.mkdir()
    elif what == "dangling link":
        path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(CwsyncError) as raised:
        load_manifests([(path, "m.yaml")], defaults={}, users={}, variables=Variables())
    (problem,) = raised.value.problems
    assert (problem.code, str(problem.place)) == ("CW101", "m.yaml:1:1")


def test_one_bad_file_does_not_hide_the_others() -> None:
    found = problems(b"\xff", "flows: {f: x}", "connection: {}")
    assert [(str(one.place), one.code) for one in found] == [
        ("1.yaml:1:1", "CW101"),
        ("2.yaml:1:12", "CW203"),
        ("3.yaml:1:1", "CW201"),
    ]


HUGE = "x" * 100_000
LONG = {
    "section": f"? {HUGE}\n: {{}}\n",
    "key": f"flows:\n  ? {HUGE.upper()}\n  : {{}}\n",
    "field": f"integrations:\n  i:\n    ? {HUGE}\n    : 1\n",
    "value": f"schedules: {{i: {{type: {HUGE}}}}}",
    "name": f"integrations: {{i: {{{WHERE}, processId: 1, name: {HUGE}}}}}",
    "reference": f"flows: {{f: {{steps: [{{integration: {HUGE}}}, {{integration: x}}]}}}}",
    "time": f"schedules: {{i: {{integration: {{id: x}}, {DAILY.replace('12:45', HUGE)}}}}}",
    "zone": f"schedules: {{i: {{integration: {{id: x}}, {DAILY.replace('Greenwich', HUGE)}}}}}",
    "user": f"notifications: {{i: {{integration: {{id: x}}, channels: [email], notify: {{success: [{HUGE}]}}}}}}",
    "ignored": f"integrations: {{i: {{{WHERE}, processId: 1, lifecycle: {{ignoreChanges: [{HUGE}]}}}}}}",
    "number": f"integrations: {{i: {{{WHERE}, processId: {HUGE}}}}}",
    "variable": f"integrations: {{i: {{{WHERE}, processId: '${{var.{HUGE}}}'}}}}",
    "workspace": f"integrations: {{i: {{workspaceId: {HUGE}, modelId: x, processId: 1, y: z}}}}",
}


@pytest.mark.parametrize("where", LONG)
def test_no_message_is_as_long_as_what_it_is_about(where: str) -> None:
    found = problems(LONG[where])
    assert found
    for one in found:
        assert len(one.message) + len(one.hint or "") + len(one.source or "") < 1000, one.message[:200]


def _calls(text: str) -> int:
    """How many functions are called to find what is wrong: a measure of work that no machine changes."""
    profile = cProfile.Profile()
    profile.runcall(problems, text)
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined] # it is there


def _missing(count: int) -> str:
    many = ", ".join(f"k{number}: {PROCESS}" for number in range(count))
    steps = "\n".join(
        f"  f{n}: {{steps: [{{integration: x{n}}}, {{integration: y{n}}}]}}" for n in range(count)
    )
    return f"integrations: {{{many}}}\nflows:\n{steps}\n"


def _long_flow(count: int) -> str:
    steps = ", ".join(f"{{integration: k{number}}}" for number in range(count))
    return f"flows: {{f: {{steps: [{steps}]}}}}"


def _doubtful(count: int) -> str:
    many = "\n".join(f"  k{n}: {{workspaceId: a, modelId: b, processId: 1}}" for n in range(count))
    return f"integrations:\n{many}\n"


def _zones(count: int) -> str:
    zone = DAILY.replace("Greenwich", "Erope/Pris")
    return "schedules:\n" + "\n".join(f"  k{n}: {{integration: {{id: x{n}}}, {zone}}}" for n in range(count))


def _same_names(count: int) -> str:
    return "integrations:\n" + "\n".join(f"  k{n}: {{{WHERE}, processId: 1, name: x}}" for n in range(count))


@pytest.mark.parametrize("make", [_missing, _long_flow, _doubtful, _zones, _same_names])
def test_work_grows_with_the_file_and_no_faster(make: object) -> None:
    assert callable(make)
    few, many = _calls(make(300)), _calls(make(1200))
    assert many < 6 * few


def test_looking_for_what_was_meant_ends() -> None:
    """Suggestions for thousands of wrong references would cost the square of them."""
    found = [one for one in problems(_missing(1500)) if one.code == "CW204"]
    suggested = [one for one in found if (one.hint or "").startswith("did you mean")]
    assert len(found) == 3000
    assert 0 < len(suggested) < 100


def test_the_work_for_an_alias_bomb_is_bounded() -> None:
    text, _ = HOSTILE["alias bomb"]
    assert isinstance(text, str)
    assert _calls(text) < 20_000


def test_what_an_alias_repeats_within_the_bound_is_fine() -> None:
    text = f"integrations:\n  k: &k {PROCESS}\n" + "".join(f"  k{n}: *k\n" for n in range(200))
    assert len(loaded(text).resources) == 201


def test_a_text_that_yaml_would_misread_is_kept() -> None:
    assert (
        loaded(f"integrations: {{i: {{{WHERE}, processId: 1, name: on}}}}").resources["integration.i"].name
        == "on"
    )
    assert only("integrations: {1.5: {}}").code == "CW206"
