"""What somebody else did in between: nothing foreign is taken, changed or deleted, and a person is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from unit.apply.rig import MODEL, Killed, Manifest, Rig, Run, Seen, flow, nothing, once, process, s3

from cwsync.errors import Exit, exit_status

CLOSE: Manifest = {"integrations": {"close": process()}}
OTHERWISE: Manifest = {"integrations": {"close": process(nuxVisible=True)}}
TWIN = {"name": "Close", **MODEL, "version": "2.0", "processId": "118000000001", "nuxVisible": False}
LIST = "/2/0/integration[s]"


def with_open(manifest: Manifest) -> Manifest:
    """And another integration, to which nothing happens."""
    return {**manifest, "integrations": {**manifest["integrations"], "open": process("Open")}}


def needs_a_person(run: Run, why: str) -> None:
    problems = (*run.recovered.problems, *run.result.problems)
    assert exit_status(problems) is Exit.NEEDS_PERSON
    assert [problem.code for problem in problems] == ["CW605"]
    assert why in problems[0].message
    assert problems[0].hint


def took_the_name(rig: Rig) -> None:
    rig.tenant.edit("create", "integration", body={**TWIN, "processId": "118000000009"})


def took_the_name_earlier(rig: Rig) -> None:
    """As far as its date says; to us it was not shown."""
    rig.now -= 60
    rig.tenant.edit("create", "integration", body=TWIN)
    rig.now += 60


def took_the_name_twice(rig: Rig) -> None:
    took_the_name(rig)
    took_the_name(rig)


def gave_ours_the_name(rig: Rig) -> None:
    rig.tenant.edit("update", "integration", name="Open", body={"name": "Close"})


def made_a_twin(rig: Rig) -> None:
    rig.tenant.edit("create", "integration", body=TWIN)


@pytest.mark.parametrize(
    ("somebody", "why"),
    [
        (took_the_name, "not what was sent"),
        (took_the_name_earlier, "before the request was sent"),
        (took_the_name_twice, "2 objects named"),
        (gave_ours_the_name, "belongs to another address"),
        (made_a_twin, "Grace Hopper created it"),
    ],
)
def test_a_foreign_object_of_the_name_is_never_taken(
    rig: Rig, somebody: Callable[[Rig], None], why: str
) -> None:
    rig.apply({"integrations": {"open": process("Open")}})
    rig.before = once(lambda: somebody(rig))
    run = rig.apply(with_open(CLOSE))
    theirs = rig.tenant.snapshot()
    assert "integration.close" not in rig.state.resources
    assert [one.address for one in rig.state.pending.values()] == ["integration.close"]
    if somebody is made_a_twin or somebody is took_the_name_earlier:
        assert why in run.result.problems[0].message
    needs_a_person(run, why)
    if somebody is not gave_ours_the_name:  # which is drift as well, and repaired
        needs_a_person(rig.apply(with_open(CLOSE)), why)
        assert rig.tenant.snapshot() == theirs


def test_what_waits_for_a_person_holds_back_only_what_needs_it(rig: Rig) -> None:
    rig.before = once(lambda: took_the_name(rig))
    manifest: Manifest = {
        "integrations": {"close": process(), "open": process("Open"), "third": process("Third")},
        "flows": {"nightly": flow("close", "open"), "other": flow("open", "third", name="Other")},
    }
    run = rig.apply(manifest)
    assert [one.address for one in run.result.applied] == [
        "integration.open",
        "integration.third",
        "flow.other",
    ]
    assert [one.address for one in run.result.failed] == ["integration.close"]
    assert [(one.address, one.blocked_by) for one in run.result.skipped] == [
        ("flow.nightly", "integration.close")
    ]
    manifest["integrations"]["fourth"] = process("Fourth")
    again = rig.apply(manifest)
    needs_a_person(again, "not what was sent")
    assert [one.address for one in again.result.applied] == ["integration.fourth"]
    skipped = {one.address: one.blocked_by for one in again.result.skipped}
    assert skipped == {"integration.close": None, "flow.nightly": "integration.close"}
    rig.tenant.edit("delete", "integration", name="Close")  # the person's decision
    assert rig.apply(manifest).codes == []
    assert rig.mutations_of(lambda: rig.apply(manifest)) == []
    assert rig.state.pending == {}


def test_ours_is_not_ours_any_more_once_somebody_has_changed_it(rig: Rig) -> None:
    """The reply is lost, and before anybody looks, the new object is edited."""
    rig.tenant.fault("drop-after", "POST", LIST, nth=1)

    edit = once(lambda: rig.tenant.edit("update", "integration", name="Close", body={"nuxVisible": True}))
    rig.before_any = lambda request: edit(request) if rig.tenant.names("integrations") else None
    needs_a_person(rig.apply(CLOSE), "Grace Hopper has changed it since")
    assert rig.tenant.snapshot()["integrations"][0]["nuxVisible"] is True


def test_a_name_that_is_taken_by_something_nobody_shows_us(rig: Rig) -> None:
    rig.tenant.fault("status", "POST", LIST, status=400, message="Duplicate resource name not allowed")
    run = rig.apply(CLOSE)
    needs_a_person(run, "shows this user nothing of that name")
    rig.tenant.mend()
    assert rig.apply(CLOSE).codes == []


def test_a_rename_to_a_taken_name_is_refused_and_asks_nobody(rig: Rig) -> None:
    rig.apply(CLOSE)
    rig.before = once(lambda: rig.tenant.edit("create", "integration", body={"name": "Renamed"}))
    run = rig.apply({"integrations": {"close": process("Renamed")}})
    assert (run.codes, rig.state.pending, len(run.result.calls)) == (["CW307"], {}, 1)


@pytest.mark.parametrize("after", [OTHERWISE, {}])
def test_a_third_state_stays_as_somebody_made_it(rig: Rig, after: Manifest) -> None:
    """A change and a deletion whose replies are lost, while somebody edits the object."""
    rig.apply(with_open(CLOSE))
    edited = {"processId": "118000000009"}
    rig.before = once(lambda: rig.tenant.edit("update", "integration", name="Close", body=edited))
    for method in ("PUT", "DELETE"):
        rig.tenant.fault("drop-before", method, "/2/0/integrations/", nth=1)
    goal = with_open(after) if after else {"integrations": {"open": process("Open")}}
    needs_a_person(rig.apply(goal), "neither as it was before nor as it should be now")
    for _ in range(2):
        assert rig.mutations_of(lambda: needs_a_person(rig.apply(goal), "neither as it was")) == []
    close = next(one for one in rig.tenant.snapshot()["integrations"] if one["name"] == "Close")
    assert close["processId"] == "118000000009"
    rig.tenant.edit("update", "integration", name="Close", body={"processId": "118000000001"})
    assert rig.apply(goal).codes == []
    assert rig.mutations_of(lambda: rig.apply(goal)) == []


def test_what_waits_for_a_person_is_not_forgotten_meanwhile(rig: Rig) -> None:
    """The object is gone, and so is its declaration; what the lost request did to it is still open."""
    rig.apply(with_open(CLOSE))
    rig.before = once(lambda: rig.tenant.edit("delete", "integration", name="Close"))
    rig.tenant.fault("drop-before", "PUT", "/2/0/integrations/", nth=1)
    needs_a_person(rig.apply(with_open(OTHERWISE)), "is gone")
    needs_a_person(rig.apply({"integrations": {"open": process("Open")}}), "is gone")
    assert set(rig.state.resources) == {"integration.close", "integration.open"}


@pytest.mark.parametrize("after", [OTHERWISE, {"integrations": {"open": process("Open")}}])
def test_what_was_changed_since_it_was_read_is_not_overwritten(rig: Rig, after: Manifest) -> None:
    rig.apply(with_open(CLOSE))
    rig.before_any = _when_begun(rig, "Close", {"processId": "118000000009"})
    goal = with_open(after) if after is OTHERWISE else after
    run = rig.apply(goal)
    assert (run.codes, run.result.calls, rig.state.pending) == (["CW513"], (), {})
    assert "changed by Grace Hopper since" in run.result.problems[0].message
    assert rig.apply(goal).codes == []


def _when_begun(rig: Rig, name: str, body: dict[str, Any]) -> Seen:
    """Edit an object as soon as the intent to touch it is in the store."""
    edit = once(lambda: rig.tenant.edit("update", "integration", name=name, body=body))
    return lambda request: edit(request) if rig.store.read() and rig.state.pending else None


def test_what_is_gone_already_needs_no_deletion(rig: Rig) -> None:
    rig.apply(with_open(CLOSE))
    gone = once(lambda: rig.tenant.edit("delete", "integration", name="Close"))
    rig.before_any = lambda request: gone(request) if rig.state.pending else None
    run = rig.apply({"integrations": {"open": process("Open")}})
    assert (run.codes, run.result.calls) == ([], ())
    assert set(rig.state.resources) == {"integration.open"}


def test_who_we_are_is_told_by_what_we_made_of_another_kind(rig: Rig) -> None:
    """The first integration of all is made by somebody else, as we would have made it (E3)."""
    rig.apply({"connections": {"sales": s3()}})
    rig.before = once(lambda: made_a_twin(rig))
    run = rig.apply({"connections": {"sales": s3()}, "integrations": {"close": process()}})
    assert run.codes == ["CW605"]
    assert "Grace Hopper created it" in run.result.problems[0].message
    assert "integration.close" not in rig.state.resources


def test_what_was_set_aside_and_is_in_doubt_is_not_deleted(rig: Rig) -> None:
    """Its deletion was cut off, and a person has renamed it since: then it may be of use to somebody."""
    two = with_open(CLOSE)
    rig.apply({"flows": {"old": flow("close", "open")}, **two})

    def killed(request: httpx.Request) -> None:
        if request.method == "DELETE":
            raise Killed

    rig.before = killed
    with pytest.raises(Killed):
        rig.apply({"flows": {"new": flow("close", "open")}, **two})
    rig.before = nothing
    (aside,) = rig.state.deposed
    rig.tenant.edit("update", "flow", id=aside.id, body={"name": "Keep this"})
    assert rig.apply({"flows": {"new": flow("close", "open")}, **two}).codes == ["CW605"]
    assert "Keep this" in rig.tenant.names("flows")
