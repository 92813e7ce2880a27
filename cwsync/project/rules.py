"""What the fields of an environment ask of each other. Looks at the file's values, so that these problems
are reported together with those of single fields."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from cwsync.errors import Problem
from cwsync.located import Map, Path, problem
from cwsync.project.places import wrong_state


def environment_problems(root: Map, path: Path, environment: Map) -> Iterator[Problem]:
    """All that is wrong between the fields of the environment at `path`."""
    yield from _reached(root, path, environment)
    yield from _signed_in(root, path, environment)
    for name in ("api", "auth"):
        url = environment.get(name)
        if (
            isinstance(url, str)
            and (name, url) != ("api", "emulator")
            and "${" not in url
            and (wrong := _wrong_url(url))
        ):
            message, hint = wrong
            yield problem("CW111", f"'{name}' {message}", root, (*path, name), hint=hint)
    state = environment.get("state")
    if isinstance(state, str) and (unfit := wrong_state(state)):
        yield problem(unfit.code, f"'state' {unfit.message}", root, (*path, "state"), hint=unfit.hint)


def _reached(root: Map, path: Path, environment: Map) -> Iterator[Problem]:
    given = [name for name in ("api", "region") if environment.get(name) is not None]
    if not given:
        hint = "for example region: eu1, or api: emulator for the one inside cwsync"
        yield problem(
            "CW111", "this environment needs a 'region' or an 'api'", root, path, key=True, hint=hint
        )
    if len(given) == 2:
        yield problem("CW111", "give 'region' or 'api', not both", root, (*path, "region"), key=True)
    if environment.get("auth") is not None and (given == ["region"] or environment.get("api") == "emulator"):
        message = "'auth' belongs beside an address in 'api' only"
        yield problem("CW111", message, root, (*path, "auth"), key=True, hint="leave it out")


def _signed_in(root: Map, path: Path, environment: Map) -> Iterator[Problem]:
    authenticate, api = environment.get("authenticate"), environment.get("api")
    if api == "emulator":
        if authenticate is not None:
            message = "the emulator inside cwsync needs no 'authenticate'"
            yield problem("CW111", message, root, (*path, "authenticate"), key=True, hint="leave it out")
        return
    if authenticate is None:
        hint = "write basic, certificate or token below it"
        yield problem("CW111", "'authenticate' is required", root, path, key=True, hint=hint)
        return
    if not isinstance(authenticate, Map):
        return
    ways = [way for way in ("basic", "certificate", "token") if authenticate.get(way) is not None]
    if len(ways) != 1:
        message = "'authenticate' takes exactly one of basic, certificate and token"
        yield problem("CW111", message, root, (*path, "authenticate"), key=True)
    if api is not None and environment.get("auth") is None and ways != ["token"]:
        message = "'auth' is required: the address where to sign in for this 'api'"
        yield problem("CW111", message, root, (*path, "api"), key=True)


def _wrong_url(url: str) -> tuple[str, str | None] | None:
    """What is wrong with an address, and a way out."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not a web address", None
    if "@" in parts.netloc:
        return "holds a user name or password", "put them below 'authenticate'"
    if parts.scheme not in ("http", "https") or not host:
        return "must be an address of the form https://HOST/PATH", "or 'emulator'"
    if parts.query or parts.fragment:
        return "must be an address without '?' and '#'", None
    if parts.scheme == "http" and not _local(host):
        hint = "use https; http is for a server on this machine or a container beside it"
        return "would send credentials unprotected", hint
    return None


def _local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return "." not in host or host == "localhost"
