"""Where a state can be kept: what is wrong with a place, as `state` in cwsync.yaml names it."""

from __future__ import annotations

import re
from typing import NamedTuple

from cwsync.secret import SECRET_SETTINGS

_REMOTE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://(.*)", re.DOTALL)
_BUCKETS = ("s3", "gs", "az")
_DATABASES = ("postgresql", "postgres")
_FORM = "s3://BUCKET/PATH, gs://BUCKET/PATH, az://CONTAINER/PATH, postgresql://USER@HOST/DATABASE, or a file's path"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")


class Wrong(NamedTuple):
    """The code, what is wrong (to be put after the field's name), and a way out. Nothing of it is secret."""

    code: str
    message: str
    hint: str


def wrong_state(place: str) -> Wrong | None:
    """What is wrong with a place for the state."""
    remote = _REMOTE.fullmatch(place)
    if remote is None:
        return None
    scheme, rest = remote.groups()
    if scheme in _DATABASES:
        return _wrong_database(rest)
    if scheme not in _BUCKETS:
        return Wrong("CW111", f"cannot be kept at {scheme}://", f"give {_FORM}")
    if re.search(r"[@?#\\\s]", rest):
        hint = "give the bucket and the path alone; credentials are found in the environment"
        return Wrong("CW111", "has a character that its address cannot have", hint)
    parts = rest.split("/")
    if len(parts) < 2 or {"", ".", ".."} & {*parts}:
        return Wrong("CW111", "needs a bucket and the path of an object in it", f"give {_FORM}")
    return None


def _wrong_database(rest: str) -> Wrong | None:
    # A password may hold a / or a ? that should have been escaped: all up to the last @ may be one.
    user, _, _ = rest.rpartition("@")
    settings = [one.partition("=") for one in rest.partition("?")[2].split("&") if one]
    if user.partition(":")[2] or any(name in SECRET_SETTINGS and value for name, _, value in settings):
        hint = (
            "take it out of the address, and give it as PGPASSWORD, in ~/.pgpass, or in a service file; "
            "an @ after the server's name is written %40"
        )
        return Wrong("CW121", "holds a password, and a secret is never written out in a file", hint)
    if re.search(r"[#\\\s]", rest):
        hint = "write it as postgresql://USER@HOST:PORT/DATABASE?state=NAME"
        return Wrong("CW111", "has a character that its address cannot have", hint)
    names = [value for name, _, value in settings if name == "state"]
    if len(names) > 1 or not all(map(_NAME.fullmatch, names)):
        hint = "letters, digits and . _ - / make a name, once: ?state=acme-prod"
        return Wrong("CW111", "has no name for the state that can be used", hint)
    return None
