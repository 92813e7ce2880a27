"""Terraform, where it is installed, doing what people do who have no provider: `terraform_data` resources whose
`local-exec` provisioners call the service. It needs no registry, because that resource is built in."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

Json = dict[str, Any]
CALLS = Path(__file__).with_name("cloudworks.py")
_RESOURCE = """\
resource "terraform_data" "{label}" {{
  input = {{ kind = "{kind}", name = "{name}", of = "{of}" }}
{lifecycle}  provisioner "local-exec" {{
    command = "{python} {calls} {url} create ${{self.input.kind}} '${{self.input.name}}' ${{self.input.of}}"
  }}
  provisioner "local-exec" {{
    when    = destroy
    command = "{python} {calls} {url} delete ${{self.input.kind}} '${{self.input.name}}'"
  }}
  triggers_replace = ["{of}"]
{depends}}}
"""
_REMOTE = """\
terraform {{
  backend "http" {{
    address        = "{url}/state"
    lock_address   = "{url}/state"
    unlock_address = "{url}/state"
    lock_method    = "LOCK"
    unlock_method  = "UNLOCK"
  }}
}}
"""


def version() -> str | None:
    """What is installed, as in "1.11.4"; None where it is not."""
    if shutil.which("terraform") is None:
        return None
    said = subprocess.run(
        ["terraform", "version", "-json"], env=_environ(), capture_output=True, check=True, timeout=60
    )
    return str(json.loads(said.stdout)["terraform_version"])


@dataclass(frozen=True)
class Thing:
    """An object to have: a connection, or an integration that uses one."""

    kind: str
    name: str
    of: str = ""
    protect: bool = False

    @property
    def label(self) -> str:
        return self.name.replace(" ", "_")


@dataclass(frozen=True)
class Folder:
    """A configuration, and the commands run in it. With `remote`, its state is kept at that address."""

    path: Path
    url: str
    remote: str | None = None

    def write(self, things: list[Thing]) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        text = "".join(self._resource(thing) for thing in things)
        head = _REMOTE.format(url=self.remote) if self.remote else ""
        (self.path / "main.tf").write_text(head + text)

    def _resource(self, thing: Thing) -> str:
        depends = f"  depends_on = [terraform_data.{thing.of}]\n" if thing.of else ""
        lifecycle = "  lifecycle { prevent_destroy = true }\n" if thing.protect else ""
        return _RESOURCE.format(
            label=thing.label, kind=thing.kind, name=thing.name, of=thing.of, url=self.url, depends=depends,
            lifecycle=lifecycle, python=sys.executable, calls=CALLS,
        )  # fmt: skip

    def begin(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A command in a process group of its own; what it says is kept in a file."""
        with (self.path / f"said-{len(self._all_said()):03}").open("wb") as said:
            return subprocess.Popen(
                ["terraform", *arguments], cwd=self.path, env=_environ(), stdin=subprocess.DEVNULL,
                stdout=said, stderr=said, start_new_session=True,
            )  # fmt: skip

    def run(self, *arguments: str) -> int:
        return self.begin(*arguments).wait(timeout=300)

    @property
    def said(self) -> str:
        """What the latest command said."""
        return self._all_said()[-1].read_text()

    def _all_said(self) -> list[Path]:
        return sorted(self.path.glob("said-*"))

    def init(self) -> None:
        if self.run("init", "-input=false", "-no-color"):
            raise RuntimeError(self.said)

    def lock_id(self) -> str | None:
        """Whose lock the last command met, as `force-unlock` wants it."""
        found = re.search(r"ID:\s+([0-9a-f-]{36})", self.said)
        return found[1] if found else None


def known(state: Json | None) -> Iterator[tuple[str, bool]]:
    """The names that a state has, and whether each was made for all it knows."""
    for resource in (state or {}).get("resources", ()):
        for instance in resource["instances"]:
            yield instance["attributes"]["input"]["value"]["name"], instance.get("status") != "tainted"


def _environ() -> dict[str, str]:
    """Without anybody's settings, and without asking for newer versions."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    return {**mine, "TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}


class RemoteState:
    """What stands behind Terraform's `http` backend: one document, and one lock."""

    def __init__(self) -> None:
        self.document: bytes | None = None
        self.lock: bytes | None = None

    @property
    def state(self) -> Json | None:
        found: Json | None = json.loads(self.document) if self.document else None
        return found

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        status, answer = self._answer(environ["REQUEST_METHOD"], body)
        start_response(status, [("Content-Length", str(len(answer)))])
        return [answer]

    def _answer(self, method: str, body: bytes) -> tuple[str, bytes]:
        if method == "LOCK" and self.lock is not None:
            return "423 Locked", self.lock
        if method == "LOCK":
            self.lock = body
        elif method == "UNLOCK":
            self.lock = None
        elif method == "POST":
            self.document = body
        elif self.document is None:
            return "404 Not Found", b""
        else:
            return "200 OK", self.document
        return "200 OK", b""
