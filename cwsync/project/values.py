"""The project as the other rooms see it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cwsync.located import Document, Map
from cwsync.project.encryption import Encryption
from cwsync.project.models import Authenticate, Guards, Requests
from cwsync.project.policies import Policy
from cwsync.variables import Variables


@dataclass(frozen=True, slots=True)
class Environment:
    """The chosen environment. `api` is "emulator", an address, or None where `region` is given."""

    name: str
    state: str
    """The state's file, from the project's root, or its address in a bucket or database."""
    api: str | None = None
    region: str | None = None
    auth: str | None = None
    authenticate: Authenticate | None = None
    encryption: Encryption | None = None
    guards: Guards = field(default_factory=Guards)
    requests: Requests = field(default_factory=Requests)
    audit: str | None = None
    """The audit trail's file, from the project's root, or "stderr"."""
    variables: Variables = field(default_factory=Variables)
    """Merged: the project's < the environment's < CWSYNC_VAR_name < --var."""

    @property
    def emulated(self) -> bool:
        return self.api == "emulator"


@dataclass(frozen=True, slots=True)
class Project:
    """cwsync.yaml, checked, for one environment."""

    root: Path
    path: Path
    document: Document = field(repr=False)
    manifests: tuple[str, ...]
    environment: Environment
    environments: tuple[str, ...]
    users: Mapping[str, str]
    defaults: Mapping[str, Map]
    """By section (`integrations`): located, with their variables filled in."""
    policies: tuple[Policy, ...] = ()
    """Those that hold in the chosen environment."""

    @property
    def file(self) -> str:
        """cwsync.yaml as messages call it."""
        return self.document.file


def shown(path: Path) -> str:
    """A file as messages call it: from the working folder, so that editors and CI find it."""
    try:
        return Path(os.path.relpath(path)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()
