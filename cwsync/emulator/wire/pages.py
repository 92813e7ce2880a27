"""Lists that are not what they should be: pages that move, repeat or miscount (faults of reads)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from cwsync.emulator.wire.replies import Reply

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment


def moved(environ: WSGIEnvironment, by: int) -> WSGIEnvironment | None:
    """The request for a page that begins `by` entries further on; None where it asks for no later page."""
    query = dict(parse_qsl(environ.get("QUERY_STRING", "")))
    offset = query.get("offset", "")
    if not (offset.isascii() and offset.isdigit() and int(offset[:12])):
        return None
    query["offset"] = str(max(0, int(offset[:12]) + by))
    return {**environ, "QUERY_STRING": urlencode(query)}


def recounted(reply: Reply, by: int, environ: WSGIEnvironment) -> Reply:
    """The page with another `totalSize`, and with the offset that was asked for."""
    try:
        document = json.loads(reply.body)
        paging = document["meta"]["paging"]
    except (ValueError, LookupError, TypeError):
        return reply
    asked = dict(parse_qsl(environ.get("QUERY_STRING", ""))).get("offset", "0")
    paging |= {"totalSize": max(0, paging["totalSize"] + by), "offset": int(asked)}
    reply.body = json.dumps(document, ensure_ascii=False).encode()
    return reply
