"""A saved plan that becomes stale between its check and its calls: what was edited meanwhile is left alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.program import Ran
from support.projects import Project, small
from support.tenant import Tenant, served

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

LISTED = "/2/0/integrations/connections"


@contextmanager
def edited(
    at: int, edit: Callable[[Tenant], object], folder: Path
) -> Iterator[tuple[Project, Tenant, list[int]]]:
    """Somebody edits just before the connections are listed for the `at`th time, once `armed` has a number."""
    armed: list[int] = []

    def around(app: WSGIApplication) -> WSGIApplication:
        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            if armed and (environ["REQUEST_METHOD"], environ["PATH_INFO"]) == ("GET", LISTED):
                armed[0] += 1
                if armed[0] == at:
                    edit(tenant)
            return app(environ, start_response)

        return answer

    with served(around=around) as tenant:
        yield small(tenant, folder).applied(), tenant, armed


def third(tenant: Tenant) -> None:
    tenant.edit("update", "connection", name="Sales S3", body={"bucketName": "a third"})


def saved_and_applied(project: Project, armed: list[int]) -> tuple[Ran, dict[str, Any]]:
    project.replace("manifests/sales.yaml", "bucketName: landing", "bucketName: other")
    assert project.run("plan", "--out", "a.plan").status == 0
    armed.append(0)
    ran = project.run("apply", "a.plan", "--format", "json")
    return ran, json.loads(ran.out)


def test_where_nothing_was_applied_the_plan_is_stale(tmp_path: Path) -> None:
    with edited(2, third, tmp_path) as (project, tenant, armed):
        before = len(tenant.mutations())
        ran, told = saved_and_applied(project, armed)
        assert (ran.status, [one["code"] for one in told["problems"]]) == (3, ["CW513"])
        assert (told["applied"], told["calls"]) == ([], [])
        assert len(tenant.mutations()) == before
        assert tenant.snapshot()["connections"][0]["body"]["bucketName"] == "a third"
        assert json.loads(project.read(".cwsync/test.state.json"))["pending"] == {}


def test_where_something_was_applied_it_is_applied_partly(tmp_path: Path) -> None:
    with edited(2, third, tmp_path) as (project, tenant, armed):
        project.replace("manifests/close.yaml", "Month close", "Months close")
        ran, told = saved_and_applied(project, armed)
        assert (ran.status, sorted(one["code"] for one in told["problems"])) == (6, ["CW513", "CW601"])
        assert [one["address"] for one in told["applied"]] == ["integration.close"]
        assert tenant.snapshot()["connections"][0]["body"]["bucketName"] == "a third"
