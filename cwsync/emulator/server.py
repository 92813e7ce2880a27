"""The emulator behind waitress, a threaded WSGI server that is still maintained."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

# Enough for a client that sends twenty at a time while latency holds every reply back.
_THREADS = 48


def run(app: WSGIApplication, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve until interrupted. Raises OSError where the address cannot be had."""
    from waitress.server import create_server  # type: ignore[import-untyped]  # it ships no types

    # A dropped connection and a busy moment are what this server is for, not news.
    logging.getLogger("waitress").setLevel(logging.ERROR)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Bound here: where waitress cannot bind it leaves its threads behind.
    with socket.create_server((host, port), family=family) as listening:
        server = create_server(
            app,
            sockets=[listening],
            threads=_THREADS,
            connection_limit=1000,
            ident="cwsync-emulator",
            max_request_body_size=10_000_000,
        )
        shown = f"[{host}]" if ":" in host else host
        ready(f"http://{shown}:{listening.getsockname()[1]}")
        server.run()
