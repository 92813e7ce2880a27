"""Edits whose body could not be read back: refused, and nothing is kept of them."""

from __future__ import annotations

from typing import Any

import pytest
from unit.emulator.service import Service, step

BAD: list[tuple[str, Any]] = [
    ("connection", {"name": 7}),
    ("connection", {"body": 5}),
    ("connection", {"body": {"name": []}}),
    ("connection", {"type": {}}),
    ("integration", {"name": None}),
    ("integration", {"integrationId": "mine"}),
    ("integration", {"version": None}),
    ("integration", {"version": "3.0"}),
    ("integration", {"nuxVisible": None}),
    ("integration", {"jobs": 5}),
    ("integration", {"jobs": [5]}),
    ("integration", {"jobs": [{"sources": {}}]}),
    ("integration", {"jobs": [{"sources": [{"connectionId": []}]}]}),
    ("integration", {"creationDate": "2026-13-45T99:99:99.000Z"}),
    ("integration", {"schedule": "daily"}),
    ("schedule", {"status": 1}),
    ("notification", {"channels": 5}),
    ("notification", {"users": ["someone"]}),
    ("notification", {"users": {"success": "someone"}}),
    ("notification", {"users": {"sometimes": ["someone"]}}),
    ("flow", {"id": "mine"}),
    ("flow", {"steps": {}}),
    ("flow", {"steps": [5]}),
    ("flow", {"steps": [{"isSkipped": False}]}),
    ("flow", {"steps": [{"referrer": "x", "dependsOn": None}]}),
    ("flow", {"steps": [{"referrer": "x", "exceptionBehavior": [{"type": "failure"}]}]}),
    ("outcome", {"seconds": "5"}),
    ("outcome", {"seconds": True}),
    ("outcome", {"outcome": "maybe"}),
    ("outcome", {"secs": 5}),
    ("user", {"role": "king"}),
    ("tenant", {"maxAllowed": "many"}),
]


@pytest.fixture
def ids(service: Service) -> dict[str, str]:
    connection, one, two = service.connection("Same"), service.integration("Same"), service.integration("Two")
    flow = service.flow("Same", one, two)
    service.edit(action="create", kind="schedule", id=one, body={"type": "daily"})
    same = dict.fromkeys(("integration", "schedule", "notification", "outcome"), one)
    return {"connection": connection, "flow": flow, "user": "ada@example.com", "tenant": "tenant", **same}


@pytest.mark.parametrize("action", ["create", "update"])
@pytest.mark.parametrize(("kind", "body"), BAD)
def test_a_body_that_could_not_be_read_back_is_refused(
    service: Service, ids: dict[str, str], kind: str, body: Any, action: str
) -> None:
    before = service.http.get("/_emulator/snapshot").json()
    edit = {"by": "Grace Hopper", "action": action, "kind": kind, "id": ids[kind], "body": body}
    reply = service.http.post("/_emulator/edit", json=edit)
    assert reply.status_code == 400
    assert next(iter(body)) in reply.json()["error"]
    assert service.http.get("/_emulator/snapshot").json() == before


def test_odd_states_are_kept_and_read_back(service: Service) -> None:
    job = {"type": "SftpToAnaplan", "sources": [{"type": "Sftp", "host": "x"}], "targets": [{"port": 7}]}
    odd = service.edit(action="create", kind="integration", body={"name": "Odd", "jobs": [job, {}]})
    detail = service.ok("GET", f"/integrations/{odd}")["integration"]
    assert detail["jobs"] == [job, {"sources": [], "targets": []}]
    sftp = service.edit(
        action="create", kind="connection", body={"type": "Sftp", "body": {"name": "S", "port": 7}}
    )
    (item,) = service.ok("GET", "/integrations/connections")["connections"]
    assert item["body"] == {"name": "S", "port": 7}
    assert service.refused("PUT", f"/integrations/connections/{sftp}", {"name": "S"}) == (
        400,
        "Invalid request body",
    )
    two = service.integration("Two")
    body = {"name": "Circle", "steps": [step(odd, two), step(two, odd)]}
    circle = service.edit(action="create", kind="flow", body=body)
    assert service.refused("POST", f"/integrationflows/{circle}/run") == (400, "Integration flow error")
    dangling = service.edit(
        action="create", kind="flow", body={"name": "Dangling", "steps": [step(odd, "0" * 32)]}
    )
    service.ok("POST", f"/integrationflows/{dangling}/run")
    service.clock.now += 60
    run = service.ok("POST", f"/integrations/{odd}/run")["run"]["id"]
    assert service.ok("GET", f"/integrations/runerror/{run}")["runs"] == {}


def test_a_step_whose_predecessor_never_began_does_not_begin(service: Service) -> None:
    one, two, three = (service.integration(name) for name in ("One", "Two", "Three"))
    service.edit(action="update", kind="outcome", id=one, body={"outcome": "failure", "seconds": 1.5})
    service.ok("POST", f"/integrationflows/{service.flow('Chain', one, two, three)}/run")
    service.clock.now += 60
    assert [service.listed(each)["latestRun"].get("message") for each in (one, two, three)] == [
        "Process failed",
        None,
        None,
    ]
