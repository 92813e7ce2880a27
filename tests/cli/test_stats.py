"""--stats: what a run has cost, phase by phase; and that a run is one client with few connections."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.program import Ran, cwsync
from support.projects import Project, example, small
from support.slow import SlowWay
from support.tenant import Tenant, served

from cwsync.cli.stats import Watch
from cwsync.telemetry import NO_SPANS

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

SECONDS = 0.25


def ran(project: Project, *arguments: str) -> Ran:
    return cwsync(*arguments, folder=project.root, outside=SlowWay(SECONDS).outside)


def table(text: str) -> dict[str, list[float]]:
    """The rows below the head, by their names: calls, reads, changes, retries, refused, waits, seconds."""
    rows = re.findall(r"^(sign in|\w+) +(\d[\d. s]*)$", text, re.MULTILINE)
    return {name: [float(each) for each in values.replace(" s", "").split()] for name, values in rows}


def counted(tenant: Tenant) -> tuple[int, int, int]:
    """What the service saw: token calls, reads, mutations."""
    calls = [(each["method"], each["path"]) for each in tenant.requests()]
    token = [path for _, path in calls if path.startswith("/token/")]
    reads = [path for method, path in calls if method == "GET" and path not in token]
    return len(token), len(reads), len(calls) - len(token) - len(reads)


def test_every_request_of_an_apply_is_in_its_phase(project: Project, tenant: Tenant) -> None:
    done = ran(project, "apply", "--auto-approve", "--stats")
    assert done.status == 0
    rows = table(done.err)
    tokens, reads, mutations = counted(tenant)
    assert list(rows) == ["sign in", "read", "plan", "apply", "verify", "other", "total"]
    assert rows["sign in"][0] == tokens == 2
    assert rows["total"][:3] == [tokens + reads + mutations, reads, mutations]
    assert rows["read"][:3] == [3, 3, 0]
    assert rows["apply"][2] == mutations
    assert rows["plan"][0] == rows["other"][0] == 0
    assert rows["verify"][0] == reads - rows["read"][0] - rows["apply"][1] > 0
    for name in ("sign in", "read", "plan"):
        assert rows[name][-1] == pytest.approx(rows[name][0] * SECONDS, abs=0.02), name
    phases = [row[-1] for name, row in rows.items() if name != "total"]
    assert rows["total"][-1] == pytest.approx(sum(phases), abs=0.05)
    assert not re.search("calls|total", done.out)


def test_what_was_refused_and_waited_for_is_told(project: Project, tenant: Tenant) -> None:
    tenant.fault("status", "GET", "/2/0/integrationflows", nth=1, status=429, retryAfter=3)
    tenant.fault("status", "GET", "/2/0/integrations/connections", nth=1, status=503)
    rows = table(ran(project, "plan", "--stats").err)
    assert rows["read"][:5] == [5, 5, 0, 2, 2]
    paced, paused, seconds = rows["read"][5:]
    assert paused >= 3
    assert seconds >= 3
    assert rows["total"][5:7] == [paced, paused]


def test_what_signing_in_was_refused_and_waited_for_is_told_of_signing_in(
    project: Project, tenant: Tenant
) -> None:
    tenant.fault("status", "POST", "/token/authenticate", nth=1, status=429, retryAfter=3)
    tenant.fault("status", "POST", "/token/authenticate", nth=2, status=503)
    rows = table(ran(project, "plan", "--stats").err)
    assert rows["sign in"][:5] == [4, 0, 0, 2, 2]  # three for a token, and whom it stands for
    paced, paused, seconds = rows["sign in"][5:]
    assert (rows["read"][:5], rows["other"][:5]) == ([3, 3, 0, 0, 0], [0, 0, 0, 0, 0])
    assert rows["read"][6] == rows["other"][6] == rows["other"][7] == 0
    assert paused >= 3
    assert seconds == pytest.approx(4 * SECONDS + paced + paused, abs=0.1)
    assert rows["total"][:5] == [7, 3, 0, 2, 2]
    assert rows["total"][5:7] == [pytest.approx(paced + rows["read"][5], abs=0.05), paused]


def test_a_service_that_cannot_be_reached_costs_signing_in(tmp_path: Path, tenant: Tenant) -> None:
    project = small(tenant, tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        closed = nobody.getsockname()[1]
    project.replace("cwsync.yaml", f"auth: {tenant.url}", f"auth: http://127.0.0.1:{closed}")
    failed = ran(project, "plan", "--stats")
    assert failed.status == 1
    rows = table(failed.err)
    assert rows["sign in"][:5] == [6, 0, 0, 5, 0]
    _, paused, seconds = rows["sign in"][5:]
    assert paused >= 5
    assert seconds == pytest.approx(6 * SECONDS + paused, abs=0.1)
    assert rows["other"] == [0, 0, 0, 0, 0, 0, 0, 0]
    assert rows["total"] == rows["sign in"]


def test_a_deletion_s_further_reads_are_reads(project: Project, tenant: Tenant) -> None:
    project.applied()
    tenant.edit("create", "integration", body={"name": "Theirs", "version": "2.0", "processId": "118"})
    before = sum(counted(tenant))
    rows = table(ran(project, "plan", "--destroy", "--stats").err)
    assert rows["read"][0] + rows["sign in"][0] == sum(counted(tenant)) - before
    assert any(each["path"].endswith(theirs(tenant)) for each in tenant.requests())
    assert rows["plan"][0] == 0


def theirs(tenant: Tenant) -> str:
    found: str = next(
        each["integrationId"] for each in tenant.snapshot()["integrations"] if each["name"] == "Theirs"
    )
    return found


def test_a_phase_within_another_is_counted_for_itself_alone() -> None:
    way = SlowWay(0)
    watch = Watch(NO_SPANS, lambda: way.now)
    way.now += 1
    with watch.span("plan"):
        way.now += 2
        with watch.span("read"), watch.span("GET", client=True):
            way.now += 4
        way.now += 8
    way.now += 16
    seconds = {name: row[-1] for name, row in table(watch.table()).items()}
    assert seconds == {"plan": 10, "read": 4, "other": 17, "total": 31}


def test_a_run_that_fails_tells_its_cost_before_its_error(project: Project, tenant: Tenant) -> None:
    tenant.fault("status", "GET", "/2/0/integration*", status=500)
    failed = ran(project, "--stats", "-q", "plan")
    assert failed.status == 1
    assert table(failed.err)["read"][3] == 15  # five more attempts for each of three lists
    assert failed.err.index("total") < failed.err.index("CW310")
    assert "total" not in ran(project, "plan").all


def test_importing_everything_is_counted(project: Project, tenant: Tenant) -> None:
    project.applied()
    for each in ("sales", "close", "nightly"):
        project.remove(f"manifests/{each}.yaml")
    project.remove(".cwsync/test.state.json")
    before = sum(counted(tenant))
    done = ran(project, "import", "--all", "--out", "manifests", "--stats")
    assert done.status == 0, done.all
    rows = table(done.err)
    assert rows["read"][0] + rows["sign in"][0] == sum(counted(tenant)) - before


def test_what_is_offline_costs_the_service_nothing(tmp_path: Path) -> None:
    rows = table(example("quickstart", tmp_path).run("validate", "--stats").err)
    assert list(rows) == ["other", "total"]
    assert rows["total"][:5] == [0, 0, 0, 0, 0]


def test_a_run_has_one_client_one_tls_context_and_few_connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections: set[str] = set()
    contexts: list[object] = []
    make = ssl.create_default_context

    def making(*given: Any, **more: Any) -> ssl.SSLContext:
        contexts.append(given)
        return make(*given, **more)

    def listening(app: WSGIApplication) -> WSGIApplication:
        def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            if not environ["PATH_INFO"].startswith("/_emulator/"):
                connections.add(environ["REMOTE_PORT"])
            return app(environ, start_response)

        return serve

    # Each proxy is a way of its own for httpx.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(ssl, "create_default_context", making)
    with served(around=listening, latency_ms=5) as tenant:
        project = small(tenant, tmp_path)
        runs: list[Callable[[], Ran]] = [
            lambda: project.run("apply", "--auto-approve"),
            lambda: project.run("plan", "--refresh", "full"),
            lambda: project.run("drift"),
        ]
        for run in runs:
            connections.clear()
            contexts.clear()
            signed_in = counted(tenant)[0]
            assert run().status == 0
            assert len(contexts) == 1
            assert 1 <= len(connections) <= 8 + 1
            assert counted(tenant)[0] - signed_in == 2  # one token, and whom it stands for
        assert counted(tenant)[1] > 3 * len(connections)
