"""Projects of any size, for measuring: every integration with a schedule and a notification, and flows over them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from support.projects import SECRETS

_SETTINGS = """\
version: 1
environment: bench
users: {{alice: 2c9ba1b6729b7fd80172c3f635db40f7}}
defaults:
  integrations: {{workspaceId: 8a81b09d5e8c6f27015ece3402487d33, modelId: 35A6EF893D7F47EEA5A554D5CC7DC330}}
environments:
  bench:
    api: {url}/2/0
    auth: {url}
    authenticate: {{basic: {{username: ci@example.com, password: {{fromFile: secrets/password}}}}}}
    requests: {{parallelism: {parallelism}, perSecond: 1000}}
"""


@dataclass(frozen=True)
class Size:
    """How many of each kind."""

    connections: int = 0
    integrations: int = 0
    schedules: int = 0
    notifications: int = 0
    flows: int = 0

    @property
    def resources(self) -> int:
        return self.connections + self.integrations + self.schedules + self.notifications + self.flows

    @property
    def reads(self) -> int:
        """What reading it in full takes, 250 to a page: the lists, and what has details."""
        lists = sum(-(-count // 250) for count in (self.connections, self.integrations, self.flows))
        return lists + self.integrations + self.flows + self.notifications


def of_resources(count: int) -> Size:
    """So many resources, mixed as in a tenant: many integrations, most of them with a schedule."""
    tenth = count // 10
    return Size(tenth, count - 6 * tenth, 3 * tenth, tenth, tenth)


def manifest(size: Size, mark: str = "") -> str:
    """All of it in one text; with `mark` in all names."""
    sections = {
        "connections": [_connection(mark, n) for n in range(size.connections)],
        "integrations": [_integration(mark, n, size) for n in range(size.integrations)],
        "schedules": [_schedule(mark, n) for n in range(size.schedules)],
        "notifications": [_notification(mark, n) for n in range(size.notifications)],
        "flows": [_flow(mark, n, size) for n in range(size.flows)],
    }
    return "".join(f"{kind}:\n{''.join(resources)}" for kind, resources in sections.items() if resources)


def _connection(mark: str, n: int) -> str:
    return f"""\
  {mark}store-{n}:
    type: AmazonS3
    bucketName: landing-{n}
    accessKeyId: {{fromFile: secrets/key}}
    secretAccessKey: {{fromFile: secrets/secret}}
"""


def _integration(mark: str, n: int, size: Size) -> str:
    does = "processId: 118000000001"
    if size.connections:
        end = f"connection: {mark}store-{n % size.connections}, file: source/Load-{n}.csv"
        does = f"jobs: [{{import: {{{end}, actionId: 112000000005, fileId: 113000000000}}}}]"
    return f"  {mark}load-{n}:\n    name: {mark}Load {n}\n    {does}\n"


def _schedule(mark: str, n: int) -> str:
    when = f"time: 04:{n % 60:02}, startDate: 2030-01-07, timezone: Europe/Paris"
    return f"  {mark}load-{n}: {{type: daily, {when}}}\n"


def _notification(mark: str, n: int) -> str:
    return f"  {mark}load-{n}: {{channels: [email], notify: {{full_failure: [alice]}}}}\n"


def _flow(mark: str, n: int, size: Size) -> str:
    steps = (f"{{integration: {mark}load-{each % size.integrations}}}" for each in (2 * n, 2 * n + 1))
    return f"  {mark}chain-{n}: {{steps: [{', '.join(steps)}]}}\n"


def write_project(root: Path, url: str, size: Size, parallelism: int = 16, *, mark: str = "") -> None:
    """A project with all of it in one manifest, for the tenant behind `url`."""
    (root / "manifests").mkdir(parents=True)
    (root / "secrets").mkdir()
    (root / "cwsync.yaml").write_text(_SETTINGS.format(url=url, parallelism=parallelism))
    (root / "manifests" / "all.yaml").write_text(manifest(size, mark))
    for name, text in SECRETS.items():
        (root / "secrets" / name).write_text(text)
