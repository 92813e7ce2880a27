"""Where the service lives: the vendor's regions, and addresses given in full (facts A)."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import ip_address
from urllib.parse import urlsplit

from cwsync.errors import fail


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return "." not in host


def _checked(url: str, what: str) -> str:
    """The address without its last slash; CW111 where a token must not be sent there."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise fail("CW111", f"the {what} address is not a web address") from None
    if parts.username is not None or parts.password is not None:
        raise fail("CW111", f"the {what} address holds a user name", hint="put it under `authenticate`")
    if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment:
        raise fail("CW111", f"the {what} address is not of the form https://HOST/PATH")
    if parts.scheme == "http" and not _is_local(host):
        raise fail(
            "CW111",
            f"the {what} address '{url}' would send credentials unprotected",
            hint="use https; http is for an emulator on this machine or a container beside it",
        )
    return url.rstrip("/")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The base addresses of CloudWorks (with its version, `…/2/0`) and of the sign-in service.

    Raises CW111 where one is not an address, or would send credentials unprotected.
    """

    api: str
    auth: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "api", _checked(self.api, "CloudWorks"))
        object.__setattr__(self, "auth", _checked(self.auth, "sign-in"))


_SHARED = ("us1", "us2", "us5", "us7", "eu1", "eu2", "eu4", "ap1")
_OWN_HOST = {name: name for name in ("us9", "eu3", "eu5", "gb1", "ae1", "in1", "id1", "me1", "sg1")}
_OWN_HOST["ca1"] = "ca1a"

REGIONS: dict[str, Endpoint] = {
    **{
        name: Endpoint("https://api.cloudworks.anaplan.com/2/0", "https://auth.anaplan.com")
        for name in _SHARED
    },
    **{
        name: Endpoint(f"https://{host}.api.anaplan.com/cloudworks/2/0", f"https://{host}.auth.anaplan.com")
        for name, host in _OWN_HOST.items()
    },
    "au1": Endpoint("https://api.cloudworks.au1a.app2.anaplan.com/2/0", "https://au1a.app2.anaplan.com"),
}
"""The vendor's table of May 2026 (facts A)."""


def region_endpoint(region: str) -> Endpoint:
    """The addresses of a region; CW111 with a suggestion where there is no such region."""
    if region in REGIONS:
        return REGIONS[region]
    close = get_close_matches(region.strip().lower(), REGIONS, n=1, cutoff=0.5)
    guess = f"did you mean '{close[0]}'? " if close else ""
    raise fail("CW111", f"unknown region '{region}'", hint=f"{guess}regions: {', '.join(sorted(REGIONS))}")
