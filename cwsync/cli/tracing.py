"""OpenTelemetry: spans of a command, where its SDK is installed and the environment says where they go.

All of it is after the run's own work: whatever goes wrong here is not told, and takes no time to speak of.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from threading import Thread
from typing import TYPE_CHECKING

from cwsync.cli.outside import Outside
from cwsync.errors import CwsyncError, Exit, exit_status
from cwsync.telemetry import NO_SPANS, NONE, Attributes, Span, Spans

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider as Provider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span as TheirSpan
    from opentelemetry.trace import TracerProvider

# Any of these says where spans go; OTEL_SERVICE_NAME and the like are set for others as well.
CONFIGURED = ("OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
# For what is not sent yet when a command ends. A collector that takes longer goes without the rest.
LAST_SECONDS = 2.0
# Statuses that are an answer, and no failure.
_ANSWERS = (Exit.OK, Exit.CHANGES)


def in_span(
    outside: Outside, name: str, environ: Mapping[str, str], command: Callable[[Outside], int]
) -> int:
    """Run a command as a span of its own, which continues the trace of TRACEPARENT."""
    with _spans(outside, environ) as spans, spans.span(name, {"cwsync.command": name}) as span:
        try:
            status = Exit(command(replace(outside, spans=spans)) or Exit.OK)
        except CwsyncError as error:
            span.tell({"process.exit.code": int(exit_status(error.problems, Exit.ERROR))})
            raise
        span.tell({"process.exit.code": int(status)})
        if status not in _ANSWERS:
            span.fail(status.name.lower())
        return status


@contextmanager
def _spans(outside: Outside, environ: Mapping[str, str]) -> Iterator[Spans]:
    given = outside.spans is not NO_SPANS
    provider = None if given else _provider(environ)
    if provider is None and not given:
        yield NO_SPANS
        return
    try:
        with _continued(environ):
            yield outside.spans if provider is None else OpenTelemetry(provider)
    finally:  # the spans of a command that fails are those that are looked for
        if provider is not None:
            last = Thread(target=provider.shutdown, name="cwsync-telemetry", daemon=True)
            last.start()
            last.join(LAST_SECONDS)


@contextmanager
def _continued(environ: Mapping[str, str]) -> Iterator[None]:
    """The trace of the pipeline that started us (W3C Trace Context, in the variables that CI systems set)."""
    from opentelemetry import context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    given = {name.lower(): environ[name] for name in ("TRACEPARENT", "TRACESTATE") if environ.get(name)}
    token = context.attach(TraceContextTextMapPropagator().extract(given))
    try:
        yield
    finally:
        context.detach(token)


class OpenTelemetry:
    """Our spans as OpenTelemetry's. Exceptions are not recorded: their texts are for the user alone."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("cwsync")

    @contextmanager
    def span(self, name: str, attributes: Attributes = NONE, *, client: bool = False) -> Iterator[Span]:
        from opentelemetry.trace import SpanKind

        with self._tracer.start_as_current_span(
            name,
            kind=SpanKind.CLIENT if client else SpanKind.INTERNAL,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as theirs:
            span = _Span(theirs)
            try:
                yield span
            except CwsyncError as error:
                span.fail(error.problems[0].code)
                raise
            except BaseException as error:
                span.fail(type(error).__name__)
                raise


class _Span:
    def __init__(self, theirs: TheirSpan) -> None:
        self._theirs = theirs

    def tell(self, attributes: Attributes) -> None:
        self._theirs.set_attributes(attributes)

    def fail(self, kind: str) -> None:
        from opentelemetry.trace import StatusCode

        self._theirs.set_attribute("error.type", kind)
        self._theirs.set_status(StatusCode.ERROR)


def _provider(environ: Mapping[str, str]) -> Provider | None:
    """The SDK as its own variables configure it; None where it is not asked for, not installed, or misled."""
    disabled = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if disabled or not any(environ.get(name) for name in CONFIGURED):
        return None
    with suppress(Exception):
        exporters = list(_exporters(environ))
        return _sending(exporters) if exporters else None
    return None


def _sending(exporters: list[SpanExporter]) -> Provider:
    import logging

    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    # A collector that is down must not fill the output of a run.
    logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
    logging.getLogger("opentelemetry").propagate = False
    resource = Resource.create()
    if str(resource.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: "cwsync"}))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    for exporter in exporters:
        provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _exporters(environ: Mapping[str, str]) -> Iterator[SpanExporter]:
    """Those that OTEL_TRACES_EXPORTER names, by the names under which they are installed; without it, OTLP."""
    from importlib.metadata import entry_points

    from opentelemetry.sdk.trace.export import ConsoleSpanExporter

    for name in (environ.get("OTEL_TRACES_EXPORTER") or "otlp").split(","):
        if name.strip() == "console":
            yield ConsoleSpanExporter(out=sys.stderr)  # stdout is for results
        elif name.strip() != "none":
            installed = _otlp(environ) if name.strip() == "otlp" else name.strip()
            (found,) = entry_points(group="opentelemetry_traces_exporter", name=installed)
            exporter: SpanExporter = found.load()()
            yield exporter


def _otlp(environ: Mapping[str, str]) -> str:
    own, common = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"
    protocol = environ.get(own) or environ.get(common) or "http/protobuf"
    return "otlp_proto_grpc" if protocol == "grpc" else "otlp_proto_http"
