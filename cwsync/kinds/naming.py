"""From what the tenant has to what a user would write: the names that a manifest gives to ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

Written: TypeAlias = "bool | int | str | list[Written] | dict[str, Written] | None"
"""A part of a manifest, as it is written into YAML."""


class Naming(Protocol):
    """How a resource is called in the manifests, and what it refers to."""

    @property
    def key(self) -> str:
        """The resource's own key."""

    def reference(self, kind: str, id: str) -> Written:
        """A key; or `{name: …}` or `{id: …}` of what no manifest declares."""

    def user(self, guid: str) -> str:
        """The user's name in cwsync.yaml, or else the GUID."""

    def secret(self, field: str) -> Written:
        """Where a secret will be found, which the service never shows."""


def called(fields: Mapping[str, Any], naming: Naming) -> dict[str, Written]:
    """The name, where the key does not say it."""
    return {} if fields["name"] == naming.key else {"name": str(fields["name"])}


def part_of(fields: Mapping[str, Any], naming: Naming) -> dict[str, Written]:
    """The integration of a schedule or a notification, where the key does not say it."""
    parent = naming.reference("integration", str(fields["integration"]))
    return {} if parent == naming.key else {"integration": parent}
