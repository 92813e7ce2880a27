"""A CloudWorks on your machine: the tenant, its authentication service, and faults to rehearse with.

The emulator imports nothing else of cwsync, so that it cannot share a mistake with the client.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cwsync.emulator.wire.front import Emulator


class EmulatorMissing(ImportError):  # noqa: N818 - it reads as what it says
    """The packages that only the emulator needs are not installed."""


class EmulatorUnusable(Exception):  # noqa: N818 - it reads as what it says
    """The emulator cannot start as it is asked to; the text says why."""


def application(
    data: Path | None = None,
    *,
    profile: str = "observed",
    latency_ms: float = 0,
    rate: float | None = None,
    token_ttl: float = 2100,
    users: Sequence[tuple[str, str]] | Mapping[str, str] = (),
    trust: Sequence[Path] = (),
    clock: Callable[[], float] = time.time,
) -> Emulator:
    """The emulator as a WSGI application, its tenant in the file `data` or, without one, in memory.

    `users` are pairs of name and password, `trust` certificate files; while both are empty any well-formed
    credentials are accepted. `rate` is in requests a second, `token_ttl` in seconds. Raises EmulatorMissing
    and EmulatorUnusable.
    """
    import sqlite3

    from cwsync.emulator import certificates
    from cwsync.emulator.auth import AuthService
    from cwsync.emulator.faults import Faults
    from cwsync.emulator.profile import PROFILES
    from cwsync.emulator.store import Store
    from cwsync.emulator.tenant import Tenant

    try:
        from cwsync.emulator.wire import app
        from cwsync.emulator.wire.front import Emulator
    except ImportError as error:
        raise _missing(error) from error
    if profile not in PROFILES:
        known = ", ".join(PROFILES)
        raise EmulatorUnusable(f"this emulator has no profile {profile!r}; it has: {known}")
    try:
        trusted = [certificates.load(path) for path in trust]
    except (OSError, ValueError) as error:
        raise EmulatorUnusable(f"a certificate to trust cannot be read: {error}") from None
    try:
        store = Store(data)
    except (OSError, sqlite3.Error) as error:
        raise EmulatorUnusable(f"{data} cannot be used as the emulator's data file: {error}") from None
    tenant = Tenant(store, PROFILES[profile], clock)
    auth = AuthService(tenant.world, token_ttl=token_ttl, users=dict(users), trust=trusted)
    faults = Faults(store)
    routes = app.build(tenant, auth, faults)
    return Emulator(routes, store, faults, clock, latency_ms=latency_ms, rate=rate)


def serve(app: Emulator, host: str, port: int, ready: Callable[[str], None] = lambda _: None) -> None:
    """Serve until interrupted. Port 0 takes a free one; `ready` is called with the URL once it listens.

    Raises EmulatorMissing and EmulatorUnusable.
    """
    try:
        import waitress  # type: ignore[import-untyped]  # noqa: F401 - it ships no types; here it is only looked for
    except ImportError as error:
        raise _missing(error) from error
    from cwsync.emulator import server

    try:
        server.run(app, host, port, ready)
    except OSError as error:
        raise EmulatorUnusable(f"{host}:{port} cannot be listened on: {error.strerror or error}") from None


def _missing(error: ImportError) -> EmulatorMissing:
    return EmulatorMissing(
        f"the emulator needs {error.name}, which is not installed: pip install 'cwsync[emulator]'"
    )
