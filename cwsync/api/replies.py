"""From what came back to what it means: by the service's message first, by the status after it.

Facts D and B37 to B39; which outcomes leave the tenant untouched is rule R3 of the engine protocol.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from cwsync.api.errors import (
    Ambiguous,
    Busy,
    Duplicate,
    Forbidden,
    NotFound,
    Referenced,
    Rejected,
    ServiceError,
)
from cwsync.api.transport import Answer, NoAnswer
from cwsync.audit import Purpose
from cwsync.errors import Problem

QUOTED_CHARACTERS = 300
# A shorter line of a secret says nothing by itself, and may stand in any message.
SHORTEST_PART = 8

Again = Literal["never", "reads", "always"]


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful reply: the parsed JSON object, empty where the service sent no content; the `text` of a
    call that asked for text."""

    body: dict[str, Any] = field(repr=False)
    status: int
    server_time: datetime | None = None
    text: str = field(default="", repr=False)
    id: str | None = None
    """Of what was made, as `Client.send`'s `made` read it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Anything but success. `again` tells which calls may be repeated: none, reads, or mutations as well."""

    kind: type[ServiceError]
    problem: Problem
    status: int | None = None
    message: str | None = None
    again: Again = "never"
    retry_after: float | None = None
    server_time: datetime | None = None

    def error(self) -> ServiceError:
        return self.kind(self.problem, status=self.status, message=self.message)


def nothing() -> None:
    """Nobody objects."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request of the service, without the token. `secrets` are kept out of quoted messages; a success
    of a `text` call is text rather than JSON; `before` and `wanted` are those of `Client.send`; `purpose` is
    what a mutation is for."""

    method: str
    path: str
    content: bytes | None = field(default=None, repr=False)
    secrets: Sequence[str] = field(default=(), repr=False)
    mutates: bool = False
    text: bool = False
    before: Callable[[], None] = nothing
    wanted: Callable[[], None] | None = None
    purpose: Purpose | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class _Rule:
    code: str
    kind: type[ServiceError]
    hint: str | None = None
    again: Again = "never"


_STORAGE = "check the credentials, bucket, container or dataset of the connection: the service tries them"
_IDS = "check workspaceId, modelId and the action ids, and that the user has access to the model"
_ACCESS = "an Anaplan administrator must give the user the CloudWorks role and access to the workspace"
_UNCERTAIN = "run plan again: it reads what the tenant holds now"
_LATER = "try again later; if it stays so, contact Anaplan support"

_TAKEN = _Rule("CW307", Duplicate, "names are unique in a tenant: use another, or import that object")
_BUSY = _Rule("CW306", Busy, "wait for the end of the run, or cancel it")
_IN_USE = _Rule("CW308", Referenced, "remove what refers to it first")
_FULL = _Rule("CW314", Rejected, "delete integrations or flows that are no longer used")
_UNKNOWN_IDS = _Rule("CW304", Rejected, _IDS)
_BAD_STORAGE = _Rule("CW305", Rejected, _STORAGE)

# Part of the message, in small letters -> what it means, whatever the status (facts D).
_BY_MESSAGE: tuple[tuple[str, _Rule], ...] = (
    ("duplicate resource name", _TAKEN),
    ("is not in running state", _Rule("CW305", Rejected, "the run has ended, or has not begun yet")),
    ("is already running", _BUSY),
    ("running integration cannot be deleted", _BUSY),
    ("resource is being referenced", _IN_USE),
    ("integrations exceeded the limit", _FULL),
    ("only a single job", _Rule("CW305", Rejected, "an import or export has exactly one job")),
    ("model not found error", _UNKNOWN_IDS),
    ("invalid workspace or model", _UNKNOWN_IDS),
    ("are not defined in your anaplan model", _Rule("CW305", Rejected, _IDS)),
    ("does not have access to", _Rule("CW303", Forbidden, _IDS)),
    ("tenant not entitled", _Rule("CW303", Forbidden, _ACCESS)),
    ("unable to retrieve s3 files", _Rule("CW305", Rejected, "the bucket holds too many files")),
    ("credentials are invalid", _BAD_STORAGE),
    ("role arn is invalid", _BAD_STORAGE),
    ("bucket name is invalid", _BAD_STORAGE),
    ("bucket access denied", _BAD_STORAGE),
    ("invalid dataset", _BAD_STORAGE),
    ("dataset access denied", _BAD_STORAGE),
    ("invalid schedule", _Rule("CW305", Rejected, "a start in the past, or an end before it, is refused")),
    ("only a single schedule", _Rule("CW305", Rejected, "it has a schedule already: run plan again")),
    ("api version is not supported", _Rule("CW305", Rejected, "the `api` address should end in /2/0")),
)

_BY_STATUS: dict[int, _Rule] = {
    401: _Rule("CW302", Rejected, "the token is not valid, or has expired"),
    403: _Rule("CW303", Forbidden, _ACCESS),
    404: _Rule("CW304", NotFound, "it may have been deleted: run plan again"),
    408: _Rule("CW310", Ambiguous, _UNCERTAIN, "reads"),
    409: _Rule("CW305", Ambiguous, _UNCERTAIN),
    429: _Rule("CW309", Rejected, "set `requests.perSecond` lower, or try again later", "always"),
    452: _Rule("CW303", Forbidden, _ACCESS),
}

# The service says only that it failed; anything more exact would fail again (facts D, retry rule).
_GENERIC = ("internal server error", "anaplan connection error", "integration trigger error")
_GATEWAY = (502, 504)
# What these say is true of a mutation without the service's own words too: the caller was turned away, or the
# path leads to no service (facts A, B41). 408 and 409 are ambiguous in any form.
_PLAIN = (401, 403, 404, 408, 409, 429)

_NO_ANSWER: dict[str, tuple[str, str]] = {
    "connect": (
        "cannot connect to {host}",
        "check the network, HTTPS_PROXY and NO_PROXY, and the environment's region or api",
    ),
    "certificate": (
        "the certificate of {host} cannot be verified",
        "behind an inspecting proxy, let SSL_CERT_FILE name your company's certificate authorities",
    ),
    "proxy": ("the proxy refuses to connect", "check HTTPS_PROXY and its user name and password"),
    "request": ("the request cannot be sent", "check the environment's region or api"),
    "timeout": ("no reply in time", _LATER),
    "cut off": ("the connection broke off before the reply was complete", _LATER),
    "garbled": ("the reply is damaged", _LATER),
    "size": ("the reply is larger than cwsync reads", "look at it in CloudWorks itself"),
}


def interpret(call: Call, outcome: Answer | NoAnswer) -> Reply | Failure:
    """What an outcome means for this call."""
    if isinstance(outcome, NoAnswer):
        return _without_answer(call, outcome)
    document = _parse(outcome.content)
    if 200 <= outcome.status < 300:
        if call.text and not _is_page(outcome.content) and not _denies_success(document or {}):
            return Reply({}, outcome.status, outcome.server_time, _decode(outcome))
        if document is None and not (outcome.status == 204 and not outcome.content):
            return _unreadable(call, outcome)
        if not _denies_success(document or {}):
            return Reply(document or {}, outcome.status, outcome.server_time)
    if call.mutates and document is None and 400 <= outcome.status < 500 and outcome.status not in _PLAIN:
        return _unreadable(call, outcome)  # a gateway's page does not say what the service did
    message = _quotable(_message(document), call.secrets)
    rule = _rule(outcome.status, message, is_json=document is not None)
    said = f'the service says "{message}"' if message else "the service gives no reason"
    wait = "" if outcome.retry_after is None else f", to be tried again in {outcome.retry_after:.0f} s"
    return _failure(call, outcome, rule, f"{said} (status {outcome.status}{wait})", message)


def _without_answer(call: Call, outcome: NoAnswer) -> Failure:
    text, hint = _NO_ANSWER[outcome.reason]
    text = text.format(host=outcome.host or "the server")
    again: Again
    if not outcome.sent:
        again = "always" if outcome.reason == "connect" else "never"
        return Failure(Rejected, Problem("CW301", f"{call}: {text}", hint=hint), again=again)
    if call.mutates:
        text = f"{call}: {text}, so whether it was done is not known"
        return Failure(Ambiguous, Problem("CW313", text, hint=_UNCERTAIN))
    again = "never" if outcome.reason == "size" else "reads"
    return Failure(ServiceError, Problem("CW301", f"{call}: {text}", hint=hint), again=again)


def _unreadable(call: Call, answer: Answer) -> Failure:
    form = (
        "a web page"
        if answer.content.lstrip()[:1] == b"<"
        else "not a JSON object"
        if answer.content
        else "empty"
    )
    rule = _Rule(
        "CW311", Ambiguous, "check the environment's region or api, and any proxy in between", "reads"
    )
    return _failure(call, answer, rule, f"the reply is {form} (status {answer.status})", None)


def _rule(status: int, message: str | None, *, is_json: bool) -> _Rule:
    lower = (message or "").casefold()
    # These three speak of the caller, not of the request, whatever else is written beside them.
    if status not in {401, 403, 429}:
        for part, rule in _BY_MESSAGE:
            if part in lower:
                return rule
    if status == 404 and not is_json:
        return _Rule("CW311", Rejected, "the `api` address is not that of CloudWorks: check region or api")
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status < 400:
        return _Rule(
            "CW311", Ambiguous, "check the environment's region or api; redirections are not followed"
        )
    if status < 500:
        return _Rule("CW305", Rejected)
    passing = status in _GATEWAY or (status in {500, 503} and (not lower or lower in _GENERIC))
    return _Rule("CW310", Ambiguous, _LATER, "reads" if passing else "never")


def _failure(call: Call, answer: Answer, rule: _Rule, text: str, message: str | None) -> Failure:
    kind, hint = rule.kind, rule.hint
    if kind is Ambiguous:
        kind, hint = (Ambiguous, _UNCERTAIN) if call.mutates else (ServiceError, hint)
    problem = Problem(rule.code, f"{call}: {text}", hint=hint)
    return Failure(kind, problem, answer.status, message, rule.again, answer.retry_after, answer.server_time)


def _parse(content: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _is_page(content: bytes) -> bool:
    return content.lstrip()[:5].lower() in (b"<html", b"<!doc")


def _decode(answer: Answer) -> str:
    """The text in the charset that its header names, else as UTF-8; what cannot be read is marked."""
    try:
        return answer.content.decode(answer.charset or "utf-8-sig", "replace")
    except (LookupError, ValueError):  # no such charset, or none that is for texts
        return answer.content.decode("utf-8-sig", "replace")


def _denies_success(document: dict[str, Any]) -> bool:
    status = document.get("status")
    if isinstance(status, dict):
        code = status.get("code")
        return isinstance(code, int) and code >= 400
    return isinstance(status, str) and status.startswith("FAILURE")


def _message(document: dict[str, Any] | None) -> str | None:
    """The text of CloudWorks' envelope, of the sign-in service's, or of a gateway's."""
    if document is None:
        return None
    status = document.get("status")
    texts = (status.get("message") if isinstance(status, dict) else None, document.get("statusMessage"))
    candidates = (*texts, document.get("message"), document.get("error"))
    return next((text for text in candidates if isinstance(text, str) and text.strip()), None)


def _spellings(secret: str) -> set[str]:
    """A secret as a service may repeat it: as it is, inside JSON, inside an address, or a part of its lines."""
    lines = {line for line in secret.splitlines() if len(line) >= SHORTEST_PART}
    plain = {secret, *lines}
    escaped = {json.dumps(one, ensure_ascii=ascii_)[1:-1] for one in plain for ascii_ in (True, False)}
    return {one for one in plain | escaped | {quote(one, safe="") for one in plain} if one}


def _quotable(text: str | None, secrets: Sequence[str]) -> str | None:
    """One printable line of bounded length, in which no secret of the request is repeated."""
    if text is None:
        return None
    spellings = {spelling for secret in secrets for spelling in _spellings(secret)}
    for spelling in sorted(spellings, key=len, reverse=True):
        text = text.replace(spelling, "***")
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= QUOTED_CHARACTERS else f"{line[: QUOTED_CHARACTERS - 1]}…"
