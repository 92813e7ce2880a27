"""The emulator's description of what it serves: OpenAPI 3.1, made from the routes and their shapes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from cwsync.emulator import refusal
from cwsync.emulator.profile import PROFILES, Profile
from cwsync.emulator.refusal import Refusal
from cwsync.emulator.shapes import Shape, matching, one_of, record, string, text, whole
from cwsync.emulator.wire.replies import reason
from cwsync.emulator.wire.routes import HISTORY, Route

Json = dict[str, Any]

_BASE64 = matching(r"[A-Za-z0-9+/]+={0,2}")
_CERTIFICATE = record(
    {"encodedData": _BASE64, "encodedSignedData": _BASE64}, {"encodedDataFormat": one_of("v1", "v2")}
)
_META = {"meta": record({"validationUrl": text}), "status": one_of("SUCCESS"), "statusMessage": text}
_MOMENT = whole(0, 10**16)
_GRANTED = record(
    {
        **_META,
        "tokenInfo": record(
            {"expiresAt": _MOMENT, "tokenId": text, "tokenValue": text, "refreshTokenId": text}
        ),
    }
)
_VALID = record(
    {
        **_META,
        "tokenInfo": record({"expiresAt": _MOMENT, "tokenId": text}),
        "userInfo": record(dict.fromkeys(("userGuid", "userId", "customerGuid"), text)),
    }
)
_SIGN_IN_REFUSED = record(
    {"status": one_of("FAILURE_BAD_HEADER", "FAILURE_BAD_CREDENTIAL"), "statusMessage": text}
)
# The calls of facts A7: method, status, what it takes, what it answers, who is asked to say who he is.
_SIGN_IN: Mapping[str, tuple[str, int, Shape | None, Shape | None, str]] = {
    "/token/authenticate": ("POST", 201, _CERTIFICATE, _GRANTED, "basic"),
    "/token/refresh": ("POST", 200, None, _GRANTED, "token"),
    "/token/validate": ("GET", 200, None, _VALID, "token"),
    "/token/logout": ("POST", 204, None, None, "token"),
}
_QUERY: Mapping[str, tuple[str, Json]] = {
    "offset": ("How many entries to skip.", {"type": "integer", "minimum": 0, "maximum": 10**12 - 1}),
    "limit": (
        "How many entries to tell, 25 by default.",
        {"type": "integer", "minimum": 1, "maximum": 10**12 - 1},
    ),
    "sortBy": ("By name, ascending or descending.", {"enum": ["name", "-name"]}),
    "myIntegrations": ("1: those of the current user.", {"enum": ["0", "1"]}),
}


def describe(profile: Profile, table: Mapping[str, Mapping[str, Route]]) -> Json:
    """The document. Its schemas of requests say all that a request must be to be looked at in earnest;
    names that are taken or ids that lead nowhere are refused all the same."""
    paths: dict[str, Json] = {
        path: {
            method.lower(): _operation(profile, path, method, route) for method, route in by_method.items()
        }
        for path, by_method in table.items()
    }
    paths |= {path: _sign_in(path) for path in _SIGN_IN}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"CloudWorks, as the emulator of cwsync serves it ({profile.name})",
            "version": "2.0",
            "description": "An emulator for tests and rehearsals. Its vendor is not the service's.",
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "AnaplanAuthToken and the token",
                },
                "basic": {"type": "http", "scheme": "basic"},
            },
            "responses": _refusals(profile),
        },
    }


def _operation(profile: Profile, path: str, method: str, route: Route) -> Json:
    answer = (
        {"text/csv": {"schema": {"type": "string"}}}
        if route.answer is None
        else {"application/json": {"schema": route.answer.schema}}
    )
    refused = {str(status): {"$ref": f"#/components/responses/{status}"} for status in _by_status(profile)}
    paged = profile.history_needs_paging and route.query == HISTORY
    operation: Json = {
        "operationId": f"{method.lower()}{re.sub('[^A-Za-z0-9]+', '_', path).rstrip('_')}",
        "tags": [path.split("/")[3]],
        "security": [{"token": []}],
        "parameters": [*_in_path(path), *(_in_query(name, required=paged) for name in route.query)],
        "responses": {"200": {"description": "Success", "content": answer}, **refused},
    }
    if route.body is not None:
        operation["requestBody"] = {
            "required": not route.body(None),
            "content": {"application/json": {"schema": route.body.schema}},
        }
    return operation


def _in_path(path: str) -> list[Json]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _in_query(name: str, *, required: bool) -> Json:
    description, schema = _QUERY[name]
    return {"name": name, "in": "query", "required": required, "description": description, "schema": schema}


def _sign_in(path: str) -> Json:
    method, status, body, answer, who = _SIGN_IN[path]
    success: Json = {"description": reason(status)}
    if answer is not None:
        success["content"] = {"application/json": {"schema": answer.schema}}
    refused = {
        "description": "Refused",
        "content": {"application/json": {"schema": _SIGN_IN_REFUSED.schema}},
    }
    operation: Json = {
        "operationId": f"{method.lower()}{path.replace('/', '_')}",
        "tags": ["token"],
        "security": [{who: []}],
        "responses": {str(status): success, "400": refused, "401": refused},
    }
    if body is not None:
        operation["requestBody"] = {"content": {"application/json": {"schema": body.schema}}}
    return {method.lower(): operation}


def _by_status(profile: Profile) -> dict[int, list[str]]:
    """What is ever refused in this profile: by status, the messages."""
    every = {value for value in vars(refusal).values() if isinstance(value, Refusal)}
    of_profiles = {value for each in PROFILES.values() for value in _refusals_of(each)}
    here = {*_refusals_of(profile)}
    messages = defaultdict(set)
    for each in (every - of_profiles) | here:
        messages[each.status].add(each.message)
    return {status: sorted(messages[status]) for status in sorted(messages)}


def _refusals_of(profile: Profile) -> list[Refusal]:
    """Those that are the profile's own choice."""
    values = (getattr(profile, field.name) for field in fields(profile))
    return [value for value in values if isinstance(value, Refusal)]


def _refusals(profile: Profile) -> Json:
    """Of a 4xx any words may be said, for they name fields and ids; of a 5xx only these."""
    return {str(status): _refused(status, messages) for status, messages in _by_status(profile).items()}


def _refused(status: int, messages: list[str]) -> Json:
    said = one_of(*messages) if status >= 500 else text
    envelope = record(
        {
            "status": record({"code": whole(status, status), "message": said}),
            "path": string,
            "timestamp": text,
        }
    )
    return {
        "description": "; ".join(messages),
        "content": {"application/json": {"schema": envelope.schema}},
    }
