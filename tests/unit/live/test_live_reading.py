"""Reading a tenant: what is asked for, how many at once, and what is said of what could not be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Barrier, Lock
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from unit.apply.rig import Manifest, Rig, everything, process, s3

from cwsync.api import Basic, ServiceError
from cwsync.kinds import Snapshot
from cwsync.live import Look, Reads, read_tenant, reads_for, sweep
from cwsync.state import State

PATIENCE = 20  # seconds until a test that would hang fails instead
CONNECTIONS, INTEGRATIONS = "/2/0/integrations/connections", "/2/0/integration[s]"
FLOWS, DETAIL, NOTIFICATION = "/2/0/integrationflow[s]", "/2/0/integrations/" + "?" * 32, "*/notification/*"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """All kinds are managed, and thirty of other people's integrations, five connections and two flows are there."""
    rig = Rig(tmp_path)
    assert rig.apply(everything()).codes == []
    for n in range(30):
        rig.tenant.edit("create", "integration", body={"name": f"Theirs {n}", "processId": "1"})
    for n in range(5):
        rig.tenant.edit("create", "connection", body={"body": {"name": f"Theirs {n}"}})
    for n in range(2):
        rig.tenant.edit("create", "flow", body={"name": f"Theirs {n}", "steps": []})
    yield rig
    rig.close()


def reads(rig: Rig, work: Callable[[], object]) -> list[str]:
    """What the work asks CloudWorks for, without the parameters and with ids as N."""
    before = len(rig.tenant.requests())
    work()
    ids = {one["integrationId"] for one in rig.tenant.snapshot()["integrations"]}
    ids |= {one["id"] for one in rig.tenant.snapshot()["flows"]}
    ids |= {one["notificationId"] for one in rig.tenant.snapshot()["notifications"]}
    asked = [each["path"].partition("?")[0] for each in rig.tenant.requests()[before:]]
    paths = [path for path in asked if path.startswith("/2/0/")]
    plain = ["/".join("N" if part in ids else part for part in path.split("/")[3:]) for path in paths]
    return sorted(plain)


def read(rig: Rig, manifest: Manifest | None = None, *, parallelism: int = 1) -> Snapshot:
    desired = rig.desired(everything() if manifest is None else manifest)
    return read_tenant(rig.client(parallelism), reads_for(desired.values(), rig.state))


def test_lists_once_and_the_details_of_what_is_managed(rig: Rig) -> None:
    snapshots: list[Snapshot] = []
    assert reads(rig, lambda: snapshots.append(read(rig))) == [
        "integrationflows",
        "integrationflows/N",
        "integrations",
        "integrations/N",
        "integrations/N",
        "integrations/connections",
        "integrations/notification/N",
    ]
    (seen,) = snapshots
    assert (seen.calls, seen.unread, seen.today) == (7, {}, "2026-11-21")
    assert (seen.used, seen.allowed) == (35, 1000)
    counts = {kind: len(found) for kind, found in seen.objects.items()}
    assert counts == {"connection": 7, "integration": 32, "schedule": 1, "notification": 1, "flow": 3}
    in_full = [one.name for one in seen.objects["integration"].values() if one.fields is not None]
    assert sorted(in_full) == ["Accounts", "Close"]


def test_nothing_is_read_of_what_is_neither_managed_nor_declared(rig: Rig) -> None:
    client, empty = rig.client(), State.new()
    only = rig.desired({"connections": {"sales": s3()}})
    assert reads(rig, lambda: read_tenant(client, reads_for(only.values(), empty))) == [
        "integrations/connections"
    ]
    flows = rig.desired(
        {
            "flows": {
                "f": {"steps": [{"integration": {"name": "Theirs 1"}}, {"integration": {"name": "Theirs 2"}}]}
            }
        }
    )
    assert reads(rig, lambda: read_tenant(client, reads_for(flows.values(), empty))) == [
        "integrationflows",
        "integrations",
    ]
    assert reads(rig, lambda: read_tenant(client, reads_for((), empty))) == []


def test_many_pages_are_one_list(rig: Rig) -> None:
    edits = [
        {"action": "create", "kind": "connection", "body": {"body": {"name": f"N {n}"}}} for n in range(250)
    ]
    rig.tenant._post("edit", {"by": "Grace Hopper", "edits": edits})
    found = read_tenant(rig.client(), Reads(frozenset({"connection"}), {}))
    assert len(found.objects["connection"]) == 257
    assert found.calls == 2
    rig.tenant.fault("status", "GET", CONNECTIONS, nth=2, status=403)
    assert set(read_tenant(rig.client(), Reads(frozenset({"connection"}), {})).unread) == {"connection"}


def test_details_are_read_side_by_side_within_bounds(rig: Rig) -> None:
    ids = frozenset(one["integrationId"] for one in rig.tenant.snapshot()["integrations"][:30])
    together, lock = Barrier(3), Lock()
    now, most = 0, 0

    class Counting(httpx.BaseTransport):
        """Lets nobody pass until three are there."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal now, most
            detail = len(request.url.path) > 40
            with lock:
                now += 1
                most = max(most, now)
            if detail:
                together.wait(PATIENCE)
            try:
                return inner.handle_request(request)
            finally:
                with lock:
                    now -= 1

    inner = httpx.WSGITransport(rig.app)
    client = rig.client(3, transport=Counting())
    seen = read_tenant(client, Reads(frozenset({"integration"}), {"integration": ids}))
    assert sum(one.fields is not None for one in seen.objects["integration"].values()) == 30
    assert most == 3


REFUSED = {"do": "status", "status": 403}
GONE = {"do": "status", "status": 404, "message": "Resource not found"}
WITH_PARTS = {"integration", "schedule", "notification"}
FAILURES: dict[str, tuple[dict[str, Any], str, set[str], str]] = {
    "a list may not be read": (REFUSED, CONNECTIONS, {"connection"}, "status 403"),
    "a list with its parts": (REFUSED, INTEGRATIONS, WITH_PARTS, "status 403"),
    "a wrong count": ({"do": "miscount"}, FLOWS, {"flow"}, "could not be read completely"),
    "a page of a gateway": ({"do": "html", "status": 200}, FLOWS, {"flow"}, "a web page"),
    "an unknown path": ({"do": "html", "status": 404}, CONNECTIONS, {"connection"}, "status 404"),
    "a service that fails": ({"do": "status"}, FLOWS, {"flow"}, "Internal server error"),
    "a broken reply": ({"do": "status", "status": 502}, CONNECTIONS, {"connection"}, "status 502"),
    "a detail may not be read": (REFUSED, DETAIL, WITH_PARTS, "status 403"),
    "a detail that is gone": (GONE, DETAIL, WITH_PARTS, "Resource not found"),
    "a detail without content": ({"do": "status", "status": 200}, DETAIL, WITH_PARTS, "has no integration"),
    "a notification may not be read": (REFUSED, NOTIFICATION, {"notification"}, "status 403"),
    "a pointer that leads nowhere": (GONE, NOTIFICATION, set(), ""),
}  # fmt: skip


@pytest.mark.parametrize("failure", FAILURES)
def test_what_cannot_be_read_is_said_and_the_rest_is_read(rig: Rig, failure: str) -> None:
    fault, path, unread, why = FAILURES[failure]
    rig.tenant.fault(**fault, method="GET", path=path)
    seen = read(rig)
    assert set(seen.unread) == unread
    assert all(why in reason for reason in seen.unread.values())
    for kind in {"connection", "integration", "schedule", "flow"} - unread:
        assert seen.objects[kind]
    if failure == "a pointer that leads nowhere":
        assert seen.objects["notification"] == {}


@pytest.mark.parametrize(
    ("kind", "path", "item"),
    [
        ("flow", "integrationflows", {"id": "1"}),
        ("integration", "integrations", {"integrationId": "1", "name": None, "schedule": 7}),
        ("connection", "connections", {"connectionId": "1", "body": 7}),
    ],
)
def test_an_object_in_an_unknown_form_is_no_crash(
    rig: Rig, kind: str, path: str, item: dict[str, Any]
) -> None:
    inner = httpx.WSGITransport(rig.app)
    key = {"flow": "integrationFlows"}.get(kind, f"{kind}s")

    def strange(request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith(path):
            return inner.handle_request(request)
        return httpx.Response(200, json={key: [item], "meta": {"paging": {"totalSize": 1}}})

    kinds = frozenset({"flow", "integration", "connection"})
    seen = read_tenant(rig.client(transport=httpx.MockTransport(strange)), Reads(kinds, {}))
    assert set(seen.unread) - {"schedule", "notification"} == {kind}
    assert "in a form that cwsync does not know" in seen.unread[kind]


def test_credentials_that_are_refused_end_it(tmp_path: Path) -> None:
    rig = Rig(tmp_path, users=[("ci@example.com", "another")])
    client = rig.client()
    with pytest.raises(ServiceError) as raised:
        read_tenant(client, Reads(frozenset({"connection"}), {}))
    assert raised.value.problem.code == "CW302"
    assert "needle" not in str(raised.value)
    assert isinstance(Basic("x", SecretStr("y")), Basic)
    rig.close()


def test_a_service_that_is_not_there_ends_it(rig: Rig) -> None:
    def nobody(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route", request=request)

    with pytest.raises(ServiceError) as raised:
        read_tenant(rig.client(transport=httpx.MockTransport(nobody)), Reads(frozenset({"connection"}), {}))
    assert raised.value.problem.code == "CW301"


def test_a_sweep_adds_the_details_that_are_missing(rig: Rig) -> None:
    seen = read(rig)
    swept: list[Snapshot] = []
    more = reads(rig, lambda: swept.append(sweep(rig.client(), seen, "integration")))
    assert more == ["integrations/N"] * 30
    assert all(one.fields is not None for one in swept[0].objects["integration"].values())
    assert swept[0].calls == seen.calls + 30
    assert {kind: swept[0].objects[kind] for kind in ("flow", "schedule")} == {
        kind: seen.objects[kind] for kind in ("flow", "schedule")
    }


def test_a_sweep_reads_the_list_that_nobody_needed_before(rig: Rig) -> None:
    seen = read_tenant(rig.client(), Reads(frozenset({"connection"}), {}))
    swept: list[Snapshot] = []
    more = reads(rig, lambda: swept.append(sweep(rig.client(), seen, "flow")))
    assert more == ["integrationflows", *["integrationflows/N"] * 3]
    rig.tenant.fault("status", "GET", "/2/0/integrationflows/", status=403, nth=2)
    assert set(sweep(rig.client(), seen, "flow").unread) == {"flow"}


def test_looking_at_one_object_costs_one_request(rig: Rig) -> None:
    ids = {at: entry.id for at, entry in rig.state.resources.items()}
    look = Look(rig.client())
    found: list[Any] = []

    def once_more() -> None:
        found.append(look.by_id("integration", ids["integration.close"]))
        found.append(look.by_id("flow", ids["flow.nightly"]))
        found.append(look.by_id("connection", ids["connection.lake"]))
        found.append(look.by_id("connection", ids["connection.sales"]))

    assert reads(rig, once_more) == ["integrationflows/N", "integrations/N", "integrations/connections"]
    assert [one.name for one in found] == ["Close", "Nightly", "Lake", "Sales"]
    assert all(one.fields for one in found)


def test_looking_for_what_is_not_there(rig: Rig) -> None:
    look = Look(rig.client())
    for kind in ("connection", "integration", "schedule", "flow", "notification"):
        assert look.by_id(kind, "0" * 32) is None
    assert look.named("integration", "Nobody's") == []
    close = rig.state.resources["integration.close"].id
    assert look.part_of("schedule", close) is None
    rig.tenant.edit("delete", "notification", name="Close")
    assert look.part_of("notification", close) is None
    assert look.part_of("notification", "0" * 32) is None


def test_a_look_finds_parts_and_names_in_full(rig: Rig) -> None:
    accounts = rig.state.resources["integration.accounts"].id
    look = Look(rig.client())
    schedule, notification = (look.part_of(kind, accounts) for kind in ("schedule", "notification"))
    assert schedule is not None
    assert notification is not None
    assert schedule.fields is not None
    assert schedule.fields["enabled"] is False
    assert notification.parent == accounts
    rig.tenant.edit("create", "integration", body={**process("Close"), "version": "2.0"})
    assert [bool(one.fields) for one in look.named("integration", "Close")] == [True]
    assert [bool(one.fields) for one in Look(rig.client()).named("integration", "Close")] == [True, True]
