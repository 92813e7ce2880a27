"""Schedules that the list of integrations does not show: where they are asked for, and how often."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.program import cwsync
from support.tenant import served

PROCESS = (
    "{processId: 118000000001, workspaceId: 8a81b09d5e8c6f27015ece3402487d33, "
    "modelId: 35A6EF893D7F47EEA5A554D5CC7DC330}"
)
WEEKLY = "{type: weekly, time: 12:45, daysOfWeek: [sun], startDate: 2030-01-07, timezone: Greenwich}"


def project(folder: Path, base: str, count: int) -> None:
    lines = "\n".join(f"  i{n}: {PROCESS}" for n in range(count))
    schedules = "\n".join(f"  i{n}: {WEEKLY}" for n in range(count))
    (folder / "manifests").mkdir()
    (folder / "manifests" / "all.yaml").write_text(f"integrations:\n{lines}\nschedules:\n{schedules}\n")
    (folder / "cwsync.yaml").write_text(
        f"version: 1\nenvironments:\n  remote:\n    api: {base}/2/0\n    auth: {base}\n"
        "    authenticate: {basic: {username: ci@example.com, password: {fromFile: pw}}}\n"
        "    requests: {perSecond: 1000}\n"
    )
    (folder / "pw").write_text("a password\n")


def asked(tenant: Any, since: int) -> list[str]:
    kept = ("anaplanModels", "runs")
    paths = [one["path"].partition("?")[0].split("/") for one in tenant.requests()[since:]]
    return sorted(part for path in paths for part in path if part in kept)


@pytest.mark.parametrize(
    ("profile", "count", "expected"),
    [
        ("documented", 1, ["runs"]),
        ("documented", 3, ["anaplanModels"]),
        ("observed", 3, []),
    ],
)
def test_a_plan_asks_as_little_as_it_can(
    profile: str, count: int, expected: list[str], tmp_path: Path
) -> None:
    with served(profile=profile) as tenant:
        project(tmp_path, tenant.url, count)
        assert cwsync("apply", "--auto-approve", folder=tmp_path).status == 0
        before = len(tenant.requests())
        assert cwsync("plan", "--detailed-exitcode", folder=tmp_path).status == 0
        assert asked(tenant, before) == expected


def test_a_tenant_without_the_models_list_is_asked_for_each(tmp_path: Path) -> None:
    """Live tenants don't show a schedule that is gone, and answer the model's list with a gateway's 404."""
    with served() as tenant:
        project(tmp_path, tenant.url, 2)
        assert cwsync("apply", "--auto-approve", folder=tmp_path).status == 0
        for name in ("i0", "i1"):
            tenant.edit("delete", "schedule", name=name)
        before = len(tenant.requests())
        ran = cwsync("drift", folder=tmp_path)
        assert ran.status == 2
        assert "schedule.i0" in ran.out
        assert asked(tenant, before) == ["anaplanModels", "runs", "runs"]
