"""The programs that secrets come from: each is run once for each plan, however often that is made anew."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import pytest
from support.projects import Project
from support.tenant import Tenant

SCRIPT = """\
from pathlib import Path
with Path("asked.txt").open("a") as asked:
    asked.write("once\\n")
print("made-up-secret-key")
"""


@pytest.fixture
def commanded(project: Project) -> Project:
    """Everything is applied, and a script tells the secret of the connection."""
    project.write("secret.py", SCRIPT)
    project.replace(
        "manifests/sales.yaml",
        "secretAccessKey: {fromFile: secrets/secret}",
        f"secretAccessKey: {{fromCommand: {json.dumps([sys.executable, 'secret.py'])}}}",
    )
    return project.applied()


def asked(project: Project, *arguments: str) -> int:
    """How often the script is run by a command."""
    project.write("asked.txt", "")
    ran = project.run(*arguments)
    assert ran.status == 0, ran.all
    return project.read("asked.txt").count("once")


def change_nothing(project: Project) -> None:
    """All is as it was applied."""


def change_an_integration(project: Project) -> None:
    project.replace("manifests/close.yaml", "118000000001", "118000000002")


def delete_a_flow(project: Project) -> None:
    project.remove("manifests/nightly.yaml")


def both(project: Project) -> None:
    change_an_integration(project)
    delete_a_flow(project)


@pytest.mark.parametrize("edit", [change_nothing, change_an_integration, delete_a_flow, both])
@pytest.mark.parametrize("refresh", ["fast", "full"])
def test_a_plan_asks_once(commanded: Project, refresh: str, edit: Callable[[Project], None]) -> None:
    edit(commanded)
    assert asked(commanded, "plan", "--refresh", refresh) == 1


def test_drift_asks_once(commanded: Project) -> None:
    assert asked(commanded, "drift") == 1


def test_accepting_drift_asks_once_whatever_is_tried(commanded: Project, tenant: Tenant) -> None:
    tenant.edit("update", "integration", name="Month close", body={"processId": "118000000009"})
    tenant.edit("update", "connection", name="Sales S3", body={"bucketName": "other"})
    accept = ("--accept", "integration.close", "--accept", "connection.sales")
    assert asked(commanded, "drift", *accept) == 1
