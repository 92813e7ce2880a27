"""The client of a command: to the service of an environment, or to the emulator in this process."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from cwsync.errors import fail

if TYPE_CHECKING:
    from cwsync.api import Client, Endpoint
    from cwsync.audit import Trail
    from cwsync.cli.outside import Outside
    from cwsync.project import Environment, Project


def endpoint(environment: Environment) -> Endpoint:
    """Where the environment's service is."""
    from cwsync.api import Endpoint, region_endpoint

    if environment.region is not None:
        return region_endpoint(environment.region)
    assert environment.api is not None
    return Endpoint(environment.api, environment.auth or _auth_beside(environment.api))


def _auth_beside(api: str) -> str:
    """Without `auth`, the sign-in service is on the same host: as the emulator has it."""
    from urllib.parse import urlsplit

    parts = urlsplit(api)
    return f"{parts.scheme}://{parts.netloc}"


def emulator_data(environment: Environment) -> Path:
    """Where the emulator in this process keeps its tenant, within the project."""
    return Path(".cwsync") / f"{environment.name}.emulator.db"


def connect(project: Project, outside: Outside, trail: Trail, until: ExitStack) -> Client:
    """The environment's client, open for as long as `until` is."""
    from cwsync.api import Client
    from cwsync.cli.credentials import read_credentials

    if project.environment.emulated:
        return until.enter_context(_emulated(project, outside, trail, until))
    requests = project.environment.requests
    return until.enter_context(
        Client(
            endpoint(project.environment),
            read_credentials(project),
            transport=outside.transport,
            clock=outside.api_clock,
            parallelism=requests.parallelism,
            per_second=requests.perSecond,
            trail=trail,
            spans=outside.spans,
        )
    )


def _emulated(project: Project, outside: Outside, trail: Trail, until: ExitStack) -> Client:
    """The emulator in this process: its own application behind httpx's WSGI transport."""
    from pydantic import SecretStr

    from cwsync.api import Basic, Client, Endpoint
    from cwsync.emulator import EmulatorMissing, EmulatorUnusable, application

    data = project.root / emulator_data(project.environment)
    data.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        app = until.enter_context(application(data))
    except EmulatorMissing as error:
        raise fail("CW701", str(error)) from None
    except EmulatorUnusable as error:
        raise fail("CW702", str(error)) from None
    from httpx import WSGITransport

    # A WSGI application is called by worker threads, and the limiter is for the real service.
    return Client(
        Endpoint("http://emulator/2/0", "http://emulator"),
        Basic("emulator", SecretStr("emulator")),
        transport=WSGITransport(app),
        parallelism=project.environment.requests.parallelism,
        per_second=None,
        trail=trail,
        spans=outside.spans,
    )
