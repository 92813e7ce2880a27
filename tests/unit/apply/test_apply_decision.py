"""A person's decision about what is not certain: the state changes, the tenant never, and the next run converges."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from unit.apply.rig import Killed, Manifest, Rig, daily, nothing, once, process, s3

from cwsync.apply import decided, pending, recover
from cwsync.errors import CwsyncError
from cwsync.plan import Pending

CLOSE: Manifest = {"integrations": {"close": process()}}
SCHEDULED: Manifest = {**CLOSE, "schedules": {"close": daily()}}
SALES: Manifest = {"connections": {"sales": s3()}}
MOVED: Manifest = {"connections": {"sales": s3(workspaceId="8a81b09d5e8c6f27015ece3402487d33")}}
BUCKET = {"bucketName": "theirs"}


def killed_before(rig: Rig, manifest: Manifest, method: str, then: Callable[[], object]) -> None:
    """The run is killed before its first such request leaves, and then somebody does something."""

    def kill(request: object) -> None:
        if getattr(request, "method", "") == method:
            raise Killed

    rig.before = kill
    with pytest.raises(Killed):
        rig.apply(manifest)
    rig.before = nothing
    then()


def look(rig: Rig, manifest: Manifest) -> Pending:
    client = rig.client()
    (one,) = pending(client, rig.state, rig.desired(manifest), rig.sleep)
    assert one.verdict == "needs a person"
    return one


def decide(rig: Rig, way: str) -> None:
    """As the command does it: nothing is sent, and nothing stays pending."""
    client, held = rig.client(), rig.acquire()
    before = rig.tenant.mutations()
    ((intent, found),) = recover(client, held, rig.sleep).doubtful
    for _ in range(2):  # the same change may be given again
        held.update(lambda state: decided(state, intent, found, way))
    held.release()
    assert rig.tenant.mutations() == before
    assert rig.state.pending == {}


def converges(rig: Rig, manifest: Manifest) -> None:
    assert rig.apply(manifest).codes == []
    assert rig.mutations_of(lambda: rig.apply(manifest)) == []
    assert rig.state.deposed == ()


def theirs(rig: Rig) -> None:
    rig.tenant.edit("create", "schedule", name="Close", body={**daily(), "time": "10:00"})


@pytest.mark.parametrize("way", ["--adopt", "--not-ours", "--retry"])
def test_a_schedule_in_the_place_of_the_one_that_was_sent(rig: Rig, way: str) -> None:
    rig.apply(CLOSE)
    killed_before(rig, SCHEDULED, "POST", lambda: theirs(rig))
    one = look(rig, SCHEDULED)
    assert one.why == "its integration has a schedule, and not the one that was sent"
    assert one.differences is not None
    assert "time" in {path for path, _, _ in one.differences}
    decide(rig, way)
    if way == "--adopt":
        assert rig.state.resources["schedule.close"].parent == "integration.close"
        converges(rig, SCHEDULED)
    else:
        assert rig.apply(SCHEDULED).codes == ["CW501"]


def edit(rig: Rig, name: str) -> None:
    rig.tenant.edit("update", "connection", name=name, body=BUCKET)


@pytest.mark.parametrize("way", ["--adopt", "--retry"])
@pytest.mark.parametrize("arrived", [False, True])
def test_what_was_to_be_set_aside_and_is_a_third_thing(rig: Rig, way: str, arrived: bool) -> None:
    """Judged by what is there: under the name that it was to have, it has made room."""
    rig.apply(SALES)
    if arrived:
        rig.after = once(lambda: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            rig.apply(MOVED)
        rig.after = nothing
        edit(rig, rig.tenant.names("connections")[0])
    else:
        killed_before(rig, MOVED, "PATCH", lambda: edit(rig, "Sales"))
    one = look(rig, MOVED)
    assert one.intent.action == "set aside"
    assert ("made room" in one.ways[0].does) is arrived
    decide(rig, way)
    assert bool(rig.state.deposed) is (arrived and way == "--adopt")
    converges(rig, MOVED)
    assert rig.tenant.names("connections") == ["Sales"]


@pytest.mark.parametrize("way", ["--adopt", "--not-ours", "--retry"])
def test_what_was_replaced_and_was_changed_before_it_could_go(rig: Rig, way: str) -> None:
    rig.apply(SALES)
    killed_before(rig, MOVED, "DELETE", lambda: edit(rig, rig.state.deposed[0].name))
    look(rig, MOVED)
    decide(rig, way)
    assert "connection.sales" in rig.state.resources
    assert len(rig.state.deposed) == (way != "--not-ours")
    converges(rig, MOVED)
    assert len(rig.tenant.names("connections")) == (2 if way == "--not-ours" else 1)


@pytest.mark.parametrize("way", ["--not-ours", "--retry"])
def test_what_is_gone_cannot_be_adopted(rig: Rig, way: str) -> None:
    rig.apply(CLOSE)
    after: Manifest = {"integrations": {"close": process(nuxVisible=True)}}
    killed_before(rig, after, "PUT", lambda: rig.tenant.edit("delete", "integration", name="Close"))
    one = look(rig, after)
    assert (one.object, one.ways[0].possible) == (None, False)
    with pytest.raises(CwsyncError) as refused:
        decide(rig, "--adopt")
    assert refused.value.problems[0].code == "CW606"
    assert rig.held is not None
    rig.held.release()
    assert len(rig.state.pending) == 1
    decide(rig, way)
    converges(rig, after)


def test_an_update_that_sent_secrets_sends_them_again_once_it_is_adopted(rig: Rig) -> None:
    rig.apply(SALES)
    after: Manifest = {"connections": {"sales": s3(bucketName="other")}}
    killed_before(rig, after, "PUT", lambda: edit(rig, "Sales"))
    rig.tenant.edit("update", "connection", name="Sales", body={"bucketName": "third"})
    assert look(rig, after).differences == (("bucketName", "third", "other"),)
    decide(rig, "--adopt")
    assert {mark.fingerprint for mark in rig.state.resources["connection.sales"].secrets.values()} == {""}
    converges(rig, after)
