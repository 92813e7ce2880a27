"""Every reply of the emulator under test is held to the description that the emulator publishes."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import httpx
from jsonschema import Draft202012Validator

from cwsync.emulator import application

Json = dict[str, Any]


class Description:
    """An /openapi.json, and whether replies are as it says."""

    def __init__(self, document: Json) -> None:
        self._document = document
        # What is spelled out goes before what a parameter stands for: /runs/{id} before /{id}/run.
        paths = sorted(document["paths"], key=lambda path: (path.count("{"), path))
        self._validators: dict[tuple[str, str, int], Draft202012Validator] = {}
        self._paths = [(re.compile(re.sub(r"{\w+}", "[^/]+", path)), path) for path in paths]

    def check(self, reply: httpx.Response) -> None:
        """Raises where it is not; a page of the proxy is nothing that anybody describes."""
        path = next((path for fits, path in self._paths if fits.fullmatch(reply.request.url.path)), None)
        if reply.headers.get("content-type") == "text/html" or path is None:
            return
        operation = self._document["paths"][path].get(reply.request.method.lower())
        if operation is None:
            assert reply.status_code == 405
            return
        said = operation["responses"].get(str(reply.status_code))
        assert said is not None, f"{reply.request.method} {path}: {reply.status_code} {reply.text}"
        if "$ref" in said:
            said = self._document["components"]["responses"][said["$ref"].rpartition("/")[2]]
        ((content_type, content),) = said["content"].items()
        assert reply.headers["content-type"] == content_type
        if content_type == "application/json":
            self._validator(path, reply, content["schema"]).validate(reply.json())

    def _validator(self, path: str, reply: httpx.Response, schema: Json) -> Draft202012Validator:
        key = (path, reply.request.method, reply.status_code)
        if key not in self._validators:
            Draft202012Validator.check_schema(schema)
            self._validators[key] = Draft202012Validator(schema)
        return self._validators[key]


@cache
def description(profile: str) -> Description:
    with application(profile=profile) as app, httpx.Client(transport=httpx.WSGITransport(app)) as http:
        return Description(http.get("http://emulator/openapi.json").json())
