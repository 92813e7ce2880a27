"""Replies as bytes: the envelopes of the service, and the pages of the proxy in front of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus

from cwsync.emulator.store import Document

JSON = "application/json"
_SPECIAL = {452: "Tenant Not Entitled"}


def reason(status: int) -> str:
    """The words after a status code, which HTTP/1.1 asks for."""
    if status in _SPECIAL:
        return _SPECIAL[status]
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


@dataclass(slots=True)
class Reply:
    """A whole reply, before it is sent or spoiled."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: list[tuple[str, str]] = field(default_factory=list)


def as_json(status: int, document: Document) -> Reply:
    return Reply(status, json.dumps(document, ensure_ascii=False).encode())


def success(document: Document) -> Reply:
    return as_json(200, {"status": {"code": 200, "message": "Success"}, **document})


def error(status: int, message: str, path: str, timestamp: str) -> Reply:
    """The error envelope (facts A). What `path` and `timestamp` look like is not recorded."""
    return as_json(
        status, {"status": {"code": status, "message": message}, "path": path, "timestamp": timestamp}
    )


def page(status: int) -> Reply:
    """What nginx says in its own name: to an address that nothing serves, or for a gateway that failed."""
    title = f"{status} {reason(status)}"
    html = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
    return Reply(status, html.encode(), "text/html")
