"""The service over HTTP: endpoints, credentials, sign-in, reading, and single-shot mutations.

Everything is loaded on first use: importing this package loads neither httpx nor cryptography.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cwsync.api.auth import Identity
    from cwsync.api.certificate import authorization, payload_json
    from cwsync.api.client import Client, quote_id
    from cwsync.api.clock import Clock
    from cwsync.api.credentials import Basic, Certificate, Credentials, Token
    from cwsync.api.errors import (
        Ambiguous,
        Busy,
        Duplicate,
        Forbidden,
        Incomplete,
        NotFound,
        Referenced,
        Rejected,
        ServiceError,
    )
    from cwsync.api.paging import Listing
    from cwsync.api.regions import REGIONS, Endpoint, region_endpoint
    from cwsync.api.replies import Reply
    from cwsync.api.stats import Stats

_HOMES = {
    "auth": ("Identity",),
    "certificate": ("authorization", "payload_json"),
    "client": ("Client", "quote_id"),
    "clock": ("Clock",),
    "credentials": ("Basic", "Certificate", "Credentials", "Token"),
    "errors": (
        "Ambiguous",
        "Busy",
        "Duplicate",
        "Forbidden",
        "Incomplete",
        "NotFound",
        "Referenced",
        "Rejected",
        "ServiceError",
    ),
    "paging": ("Listing",),
    "regions": ("REGIONS", "Endpoint", "region_endpoint"),
    "replies": ("Reply",),
    "stats": ("Stats",),
}

__all__ = [
    "REGIONS",
    "Ambiguous",
    "Basic",
    "Busy",
    "Certificate",
    "Client",
    "Clock",
    "Credentials",
    "Duplicate",
    "Endpoint",
    "Forbidden",
    "Identity",
    "Incomplete",
    "Listing",
    "NotFound",
    "Referenced",
    "Rejected",
    "Reply",
    "ServiceError",
    "Stats",
    "Token",
    "authorization",
    "payload_json",
    "quote_id",
    "region_endpoint",
]


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"cwsync.api.{home}"), name)
    raise AttributeError(name)
