"""Whatever is declared: one apply makes it so, a second does nothing, and destroy leaves no trace."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import given
from property.settings import THOROUGH
from property.worlds import (
    MODEL,
    WORKSPACE,
    Json,
    Resources,
    edits,
    exchanged,
    projects,
    without_ids,
    write_project,
)
from support.program import Ran, cwsync
from support.tenant import Tenant, embedded

DATA = Path(".cwsync") / "local.emulator.db"


def _apply(root: Path) -> Ran:
    return cwsync("apply", "--auto-approve", folder=root)


def _assert_settled(root: Path) -> None:
    planned = cwsync("plan", "--detailed-exitcode", folder=root)
    assert planned.status == 0, planned.all
    assert "No changes." in planned.out


def _snapshot(root: Path) -> dict[str, list[dict[str, object]]]:
    with embedded(root / DATA) as tenant:
        return tenant.snapshot()


@THOROUGH
@given(projects())
def test_after_an_apply_there_is_nothing_to_do(resources: Resources) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = write_project(Path(folder), resources)
        applied = _apply(root)
        assert applied.status == 0, applied.all
        assert "warning" not in applied.all
        with embedded(root / DATA) as tenant:
            before = tenant.mutations()
        _assert_settled(root)
        again = _apply(root)
        assert again.status == 0, again.all
        with embedded(root / DATA) as tenant:
            assert tenant.mutations() == before
        drifted = cwsync("drift", folder=root)
        assert drifted.status == 0, drifted.all


@THOROUGH
@given(edits())
def test_any_project_leads_to_any_other(edit: tuple[Resources, Resources]) -> None:
    _assert_leads_to(*edit)


@THOROUGH
@given(projects().filter(lambda one: max(len(one["connections"]), len(one["integrations"])) > 1))
def test_names_may_go_round(resources: Resources) -> None:
    _assert_leads_to(resources, exchanged(resources))


def _assert_leads_to(first: Resources, second: Resources) -> None:
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as fresh:
        root = write_project(Path(folder), first)
        assert _apply(root).status == 0
        write_project(root, second)
        changed = _apply(root)
        assert changed.status == 0, changed.all
        assert "warning" not in changed.all.replace("CW516 warning", "")
        _assert_settled(root)
        new = write_project(Path(fresh), second)
        assert _apply(new).status == 0
        assert without_ids(_snapshot(root), second) == without_ids(_snapshot(new), second)


@THOROUGH
@given(edits())
def test_destroy_leaves_the_tenant_as_it_was(edit: tuple[Resources, Resources]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = write_project(Path(folder), edit[0])
        (root / DATA).parent.mkdir()
        with embedded(root / DATA) as tenant:
            _colleagues(tenant)
            before = tenant.snapshot()
        for resources in edit:
            write_project(root, resources)
            applied = _apply(root)
            assert applied.status == 0, applied.all
        destroyed = cwsync("destroy", "--auto-approve", folder=root)
        assert destroyed.status == 0, destroyed.all
        assert _snapshot(root) == before
        state = json.loads((root / ".cwsync" / "local.state.json").read_text())
        assert (state["resources"], state["deposed"], state["pending"]) == ({}, [], {})


def _colleagues(tenant: Tenant) -> None:
    """Objects of every kind that nobody here manages."""
    where = {"workspaceId": WORKSPACE, "modelId": MODEL, "version": "2.0"}
    for kind in ("AmazonS3", "AzureBlob"):
        connection = {"type": kind, "body": {"name": f"Unmanaged {kind}", "bucketName": "theirs"}}
        tenant.edit("create", "connection", body=connection)
    for number in (1, 2):
        body: Json = {"name": f"Unmanaged {number}", "processId": "118000000009", "jobs": [], **where}
        tenant.edit("create", "integration", body=body)
    calendar = {
        "name": "s",
        "type": "daily",
        "time": "10:00",
        "startDate": "2099-01-01",
        "timezone": "Greenwich",
    }
    tenant.edit("create", "schedule", name="Unmanaged 1", body=calendar)
    ids = [one["integrationId"] for one in tenant.snapshot()["integrations"]]
    steps = [
        {"referrer": id, "isSkipped": False, "exceptionBehavior": [{"type": "failure", "strategy": "stop"}]}
        for id in ids
    ]
    tenant.edit("create", "flow", body={"name": "Unmanaged", "steps": steps})
