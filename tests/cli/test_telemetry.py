"""OpenTelemetry: one trace for a command, with its phases and each request, where the environment asks for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Sent
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from support.program import Ran, command, cwsync, cwsync_process
from support.projects import SECRETS, Project
from support.tenant import Tenant

from cwsync.cli.outside import Outside
from cwsync.cli.tracing import OpenTelemetry

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
APPLY = ("apply", "--auto-approve")
PHASES = ["plan", "apply", "verify"]


class Watched:
    """Commands whose spans are kept in memory."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._kept = InMemorySpanExporter()
        self._provider = TracerProvider(shutdown_on_exit=False)
        self._provider.add_span_processor(SimpleSpanProcessor(self._kept))

    def run(self, *arguments: str) -> tuple[Ran, list[ReadableSpan]]:
        """What came of a command, and its spans in the order of their ends."""
        self._kept.clear()
        outside = Outside(spans=OpenTelemetry(self._provider))
        ran = cwsync(*arguments, folder=self.project.root, outside=outside)
        return ran, list(self._kept.get_finished_spans())


@pytest.fixture
def watched(project: Project) -> Watched:
    return Watched(project)


def about(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def parent(span: ReadableSpan, spans: list[ReadableSpan]) -> ReadableSpan | None:
    return next((one for one in spans if span.parent and one.context.span_id == span.parent.span_id), None)


def requests(spans: list[ReadableSpan]) -> list[ReadableSpan]:
    return [span for span in spans if span.kind is SpanKind.CLIENT]


def test_a_run_is_one_trace(watched: Watched, tenant: Tenant) -> None:
    ran, spans = watched.run(*APPLY)
    assert ran.status == 0
    root = spans[-1]
    assert (root.name, root.parent, about(root)["process.exit.code"]) == ("cwsync apply", None, 0)
    assert {span.context.trace_id for span in spans} == {root.context.trace_id}
    phases = [span for span in spans if parent(span, spans) is root and span.kind is SpanKind.INTERNAL]
    assert [span.name for span in phases] == PHASES
    assert about(phases[1])["cwsync.environment"] == "test"
    assert about(phases[1])["cwsync.plan.digest"].startswith("sha256:")
    assert {span.status.status_code for span in spans} == {StatusCode.UNSET}


def test_each_request_is_a_span_in_its_phase(watched: Watched, tenant: Tenant) -> None:
    """Also those that other threads send: eight of them read and apply here."""
    _, spans = watched.run(*APPLY)
    found = requests(spans)
    seen = [one for one in tenant.requests() if not one["path"].startswith("/_emulator")]
    assert sorted(
        f"{span.name} {about(span)['url.full']} {about(span)['http.response.status_code']}" for span in found
    ) == sorted(
        f"{one['method']} {tenant.url}{one['path'].partition('?')[0]} {one['status']}" for one in seen
    )
    assert {about(span)["server.address"] for span in found} == {"127.0.0.1"}
    sent = [span for span in found if "cwsync.op" in about(span)]
    assert len(sent) == len(tenant.mutations())
    for span in sent:
        above = parent(span, spans)
        assert above is not None
        assert above.name == "apply"
    assert {about(span)["cwsync.address"] for span in sent} >= {"connection.sales", "flow.nightly"}
    reads = [parent(span, spans) for span in found if span.name == "GET"]
    assert {span.name for span in reads if span} >= {"read", "verify"}
    assert None not in reads


def test_what_fails_says_what_it_was(watched: Watched, tenant: Tenant) -> None:
    tenant.fault(
        "status", "POST", "/2/0/integrations/connections", status=400, message="Credentials are invalid"
    )
    tenant.fault("drop-before", "POST", "/2/0/integration[s]", nth=1)
    ran, spans = watched.run(*APPLY)
    assert ran.status == 6
    root = spans[-1]
    assert (about(root)["process.exit.code"], about(root)["error.type"]) == (6, "partly_applied")
    failed = [about(span) for span in requests(spans) if span.status.status_code is StatusCode.ERROR]
    assert {(one["cwsync.address"], one["error.type"]) for one in failed} == {
        ("connection.sales", "400"),
        ("integration.close", "cut off"),
    }


def test_a_command_that_fails_names_its_code(watched: Watched) -> None:
    ran, spans = watched.run("plan", "-e", "nowhere")
    assert ran.status == 1
    (root,) = spans
    assert (root.name, about(root)["error.type"], about(root)["process.exit.code"]) == (
        "cwsync plan",
        "CW112",
        1,
    )
    assert root.events == ()


def test_changes_are_no_failure(watched: Watched) -> None:
    ran, spans = watched.run("plan", "--detailed-exitcode")
    assert (ran.status, about(spans[-1])["process.exit.code"]) == (2, 2)
    assert spans[-1].status.status_code is StatusCode.UNSET


def test_a_pipelines_trace_goes_on(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEPARENT", f"00-{TRACE}-{PARENT}-01")
    _, spans = watched.run("validate")
    root = spans[-1]
    assert root.parent is not None
    assert (f"{root.context.trace_id:032x}", f"{root.parent.span_id:016x}") == (TRACE, PARENT)
    monkeypatch.setenv("TRACEPARENT", "nonsense")
    _, spans = watched.run("validate")
    assert spans[-1].parent is None


def test_no_secret_is_in_a_span(watched: Watched, tenant: Tenant) -> None:
    """Also where the service repeats one."""
    told = f"Credentials are invalid: {' '.join(SECRETS.values())}"
    tenant.fault("status", "POST", "/2/0/integrations/connections", status=400, message=told)
    _, spans = watched.run(*APPLY)
    text = "".join(span.to_json() for span in spans)
    assert "connection.sales" in text
    assert not [secret for secret in SECRETS.values() if secret in text]


@contextmanager
def collector(answers: Event | None = None) -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """What an OTLP collector gets over HTTP. With `answers` it keeps everybody waiting until that is set."""
    got: list[ExportTraceServiceRequest] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if answers is not None:
                answers.wait()
            got.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", got
    finally:
        if answers is not None:
            answers.set()
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_collector_gets_it(project: Project, tenant: Tenant) -> None:
    with collector() as (url, got):
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "TRACEPARENT": f"00-{TRACE}-{PARENT}-01"}
        ran = cwsync_process(*APPLY, folder=project.root, environ=environ)
    assert ran.status == 0, ran.all
    resources = [one for request in got for one in request.resource_spans]
    names = {
        attribute.value.string_value
        for one in resources
        for attribute in one.resource.attributes
        if attribute.key == "service.name"
    }
    assert names == {"cwsync"}
    spans = [span for one in resources for scope in one.scope_spans for span in scope.spans]
    assert {span.trace_id.hex() for span in spans} == {TRACE}
    (root,) = (span for span in spans if span.parent_span_id.hex() == PARENT)
    assert root.name == "cwsync apply"
    assert sum(span.name == "POST" for span in spans) >= sum(
        one.startswith("POST") for one in tenant.mutations()
    )


def roots(got: list[ExportTraceServiceRequest]) -> list[Sent]:
    """The spans that a collector got, of commands."""
    scopes = [scope for one in got for resource in one.resource_spans for scope in resource.scope_spans]
    return [span for scope in scopes for span in scope.spans if not span.parent_span_id]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("state", "show", "nope.x"), "CW507"),
        (("apply",), "CW602"),
        (("plan", "-C", "nowhere"), "CW110"),
    ],
)
def test_a_collector_gets_what_a_command_that_fails_has_done(
    project: Project, arguments: tuple[str, ...], code: str
) -> None:
    (project.root.parent / "nowhere").mkdir()
    project.applied()
    project.replace("manifests/close.yaml", "Month close", "Months close")
    given = tuple(str(project.root.parent / one) if one == "nowhere" else one for one in arguments)
    plain = cwsync_process(*given, folder=project.root)
    assert code in plain.err
    with collector() as (url, got):
        ran = cwsync_process(*given, folder=project.root, environ={"OTEL_EXPORTER_OTLP_ENDPOINT": url})
    assert ran == plain
    (root,) = roots(got)
    told = {one.key: one.value.string_value or one.value.int_value for one in root.attributes}
    assert root.status.code == Status.STATUS_CODE_ERROR
    assert (told["error.type"], told["process.exit.code"]) == (code, ran.status)
    assert (root.status.message, list(root.events)) == ("", [])


def test_no_secret_goes_to_a_collector_where_a_command_fails(project: Project, tenant: Tenant) -> None:
    told = f"Invalid credentials: {' '.join(SECRETS.values())}"
    tenant.fault("status", "POST", "/token/authenticate", status=401, message=told)
    with collector() as (url, got):
        ran = cwsync_process("plan", folder=project.root, environ={"OTEL_EXPORTER_OTLP_ENDPOINT": url})
    assert "CW302" in ran.err
    assert [root.name for root in roots(got)] == ["cwsync plan"]
    sent = b"".join(one.SerializeToString() for one in got)
    assert not [secret for secret in SECRETS.values() if secret.encode() in sent]


def test_a_name_of_ones_own_and_the_console(project: Project) -> None:
    """The console is stderr: stdout is for results."""
    environ = {"OTEL_TRACES_EXPORTER": "console", "OTEL_SERVICE_NAME": "nightly"}
    ran = cwsync_process("validate", folder=project.root, environ=environ)
    assert ran.status == 0
    assert json.loads(ran.err)["resource"]["attributes"]["service.name"] == "nightly"
    assert "cwsync validate" not in ran.out


def test_a_collector_that_is_not_there_disturbs_nobody(project: Project) -> None:
    plain = cwsync_process("validate", folder=project.root)
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    assert cwsync_process("validate", folder=project.root, environ=environ) == plain


def test_a_collector_that_never_answers_holds_nobody(project: Project) -> None:
    """The process ends while the collector still keeps it waiting, and long before the SDK itself gives up."""
    answers = Event()
    with collector(answers) as (url, got):
        environ = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_TIMEOUT": "100"}
        done = subprocess.run(
            command("validate"), cwd=project.root, env=environ, capture_output=True, timeout=25, check=False
        )
        assert (done.returncode, done.stderr, got) == (0, b"", [])


@pytest.mark.parametrize(
    "environ",
    [
        {"OTEL_TRACES_EXPORTER": "nonsense"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "nonsense", "OTEL_BSP_MAX_QUEUE_SIZE": "-1"},
        {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
    ],
)
def test_wrong_settings_disturb_nobody(project: Project, environ: dict[str, str]) -> None:
    plain = cwsync_process("validate", folder=project.root)
    assert cwsync_process("validate", folder=project.root, environ=environ) == plain


PROBE = """
import sys
from cwsync.cli import run
status = run(sys.argv[1:])
sys.exit(status or any(name.partition(".")[0] == "opentelemetry" for name in sys.modules))
"""


@pytest.mark.parametrize(
    ("environ", "loaded"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "x", "TRACEPARENT": f"00-{TRACE}-{PARENT}-01"}, False),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_TRACES_EXPORTER": "console"}, True),
    ],
)
def test_it_costs_nothing_where_nobody_asks(project: Project, environ: dict[str, str], loaded: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, "plan"], cwd=project.root, env={**os.environ, **environ}, capture_output=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == loaded, done.stderr
