"""A request as a span: OpenTelemetry's names for what an HTTP client does. No header, no body, no query."""

from __future__ import annotations

from urllib.parse import urlsplit

from cwsync.api.replies import Call
from cwsync.api.transport import Answer, NoAnswer
from cwsync.telemetry import Span


def described(base: str, call: Call) -> dict[str, str | int]:
    """What is known of a request before it leaves."""
    address = urlsplit(base)
    told: dict[str, str | int] = {
        "http.request.method": call.method,
        "url.full": base + call.path,
        "server.address": address.hostname or "",
        "server.port": address.port or (443 if address.scheme == "https" else 80),
    }
    if call.purpose is not None:
        told |= {"cwsync.address": call.purpose.address, "cwsync.action": call.purpose.action}
        if call.purpose.op is not None:
            told["cwsync.op"] = call.purpose.op
    return told


def tell(span: Span, answer: Answer | NoAnswer) -> None:
    """What came back."""
    if isinstance(answer, NoAnswer):
        span.fail(answer.reason)
        return
    span.tell({"http.response.status_code": answer.status})
    if answer.status >= 400:
        span.fail(str(answer.status))
