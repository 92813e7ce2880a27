"""emulator: a CloudWorks on this machine, as an HTTP server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from cwsync.cli.settings import Settings, with_settings
from cwsync.errors import Exit, fail


def _rate(_context: click.Context, _option: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(?:/s)?", value)
    if match is None or not float(match[1]):
        raise click.BadParameter(f"{value!r} is not a number of requests a second, such as 10/s")
    return float(match[1])


def _users(
    _context: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> list[tuple[str, str]]:
    users = []
    for value in values:
        name, colon, password = value.partition(":")
        if not name or not colon:
            raise click.BadParameter("give NAME:PASSWORD")
        users.append((name, password))
    return users


@click.command("emulator")
@with_settings("text")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8100, show_default=True, help="0 takes a free one."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--data", type=click.Path(path_type=Path), metavar="FILE", help="Keep the tenant in this file.")
@click.option("--profile", default="observed", show_default=True, help="How it behaves.")
@click.option(
    "--latency", type=click.FloatRange(min=0), default=0, metavar="MS", help="Milliseconds before a reply."
)
@click.option("--rate", callback=_rate, metavar="N/s", help="Refuse more requests a second than this.")
@click.option(
    "--token-ttl", type=click.FloatRange(min=0), default=2100, metavar="S", help="Seconds a token lives."
)
@click.option(
    "--user", "users", multiple=True, callback=_users, metavar="NAME:PASSWORD", help="Accept only these."
)
@click.option(
    "--trust", multiple=True, type=click.Path(path_type=Path), metavar="CERT.pem", help="Trust these."
)
def emulator_command(settings: Settings, host: str, port: int, data: Path | None, **how: Any) -> int:
    """Run a CloudWorks and its sign-in service on this machine, until interrupted."""
    from cwsync.emulator import EmulatorMissing, EmulatorUnusable, application, serve

    def ready(url: str) -> None:
        settings.show(
            f"CloudWorks emulator ({how['profile']}) at {url}/2/0, sign-in at {url}. Ctrl-C ends it."
        )

    try:
        with application(data, latency_ms=how.pop("latency"), **how) as app:
            serve(app, host, port, ready)
    except EmulatorMissing as error:
        raise fail("CW701", str(error)) from None
    except EmulatorUnusable as error:
        raise fail("CW702", str(error)) from None
    return Exit.OK
