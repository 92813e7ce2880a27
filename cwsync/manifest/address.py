"""Keys and addresses (`kind.key`), and what was probably meant by a text that is neither."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from cwsync.checked import wrong
from cwsync.errors import suggest
from cwsync.kinds import KINDS
from cwsync.kinds.base import short

KEY = re.compile(r"[a-z0-9][a-z0-9_-]*")
KEY_RULE = "a key has lower-case letters, digits, - and _, and no - or _ in front"


def key_like(text: str) -> str:
    """The key that comes nearest to a text; empty where nothing of the text can stand in a key."""
    return re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_")


def kind_of(address: str) -> str:
    """The kind that an address names."""
    return address.partition(".")[0]


def _checked(text: str) -> str:
    kind, _, key = text.partition(".")
    if not kind or not key:
        example = (
            f"{kind}.accounts"
            if kind in KINDS
            else f"integration.{text if KEY.fullmatch(text) else 'accounts'}"
        )
        hint = f"an address is a kind and a key, such as {short(example)}"
        raise wrong("CW203", f"'{short(text)}' is not an address", hint=hint)
    if kind not in KINDS:
        meant = suggest(kind, KINDS)  # also for a section's name: `connections.lake` is written easily
        hint = f"did you mean {meant}.{short(key)}?" if meant else f"the kinds are {', '.join(KINDS)}"
        raise wrong("CW203", f"'{short(kind)}' is not a kind of resource", hint=hint)
    if not KEY.fullmatch(key):
        near = key_like(key)
        hint = f"did you mean {kind}.{short(near)}?" if near else ""
        raise wrong("CW206", f"'{short(key)}' cannot be a key: {KEY_RULE}", hint=hint)
    return text


Address = Annotated[
    str,
    AfterValidator(_checked),
    Field(json_schema_extra={"pattern": rf"^({'|'.join(KINDS)})\.{KEY.pattern}$"}),
]
"""The address of a resource. A malformed one is CW203, or CW206 where only its key is wrong."""
