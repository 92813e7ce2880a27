"""Projects for tests: copies of the examples, and a small one of a tenant's."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from support.program import Ran, cwsync, cwsync_process
from support.tenant import Tenant

from cwsync.cli.outside import Outside

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

SETTINGS = """\
version: 1
environment: test
users: {{alice: 2c9ba1b6729b7fd80172c3f635db40f7}}
defaults:
  integrations: {{workspaceId: 8a81b09d5e8c6f27015ece3402487d33, modelId: 35A6EF893D7F47EEA5A554D5CC7DC330}}
environments:
  test:
    api: {url}/2/0
    auth: {url}
    authenticate: {{basic: {{username: ci@example.com, password: {{fromFile: secrets/password}}}}}}
    requests: {{parallelism: 8, perSecond: 1000}}
"""
SALES = """\
connections:
  sales:
    type: AmazonS3
    name: Sales S3
    bucketName: landing
    accessKeyId: {fromFile: secrets/key}
    secretAccessKey: {fromFile: secrets/secret}
integrations:
  accounts:
    name: Accounts import
    jobs:
      - import: {connection: sales, file: Accounts.csv, actionId: 112000000005, fileId: 113000000000}
schedules:
  accounts: {type: daily, time: 12:45, startDate: 2030-01-07, timezone: Greenwich}
notifications:
  accounts: {channels: [email], notify: {full_failure: [alice]}}
"""
CLOSE = """\
integrations:
  close: {name: Month close, processId: 118000000001}
"""
NIGHTLY = """\
flows:
  nightly: {name: Nightly load, steps: [{integration: accounts}, {integration: close}]}
"""
SECRETS = {"password": "made-up-password", "key": "made-up-key-id", "secret": "made-up-secret-key"}


@dataclass(frozen=True)
class Project:
    """A project in a folder, and the commands run in it. `outside` is what those in this process meet there."""

    root: Path
    outside: Outside | None = None

    def run(self, *arguments: str) -> Ran:
        return cwsync(*arguments, folder=self.root, outside=self.outside)

    def process(self, *arguments: str) -> Ran:
        return cwsync_process(*arguments, folder=self.root)

    def applied(self) -> Project:
        """The same, with everything applied."""
        done = self.run("apply", "--auto-approve")
        assert done.status == 0, done.all
        return self

    def write(self, file: str, text: str) -> None:
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def read(self, file: str) -> str:
        return (self.root / file).read_text(encoding="utf-8")

    def replace(self, file: str, before: str, after: str) -> None:
        """Change the one place in a file."""
        text = self.read(file)
        assert text.count(before) == 1, f"{file} has {before!r} {text.count(before)} times"
        self.write(file, text.replace(before, after))

    def remove(self, file: str) -> None:
        (self.root / file).unlink()


def example(name: str, folder: Path) -> Project:
    """A copy of one of the examples."""
    return Project(Path(shutil.copytree(EXAMPLES / name, folder / name, ignore=lambda *_: {".cwsync"})))


def small(tenant: Tenant, folder: Path, outside: Outside | None = None) -> Project:
    """Six resources of all kinds, in `tenant`: manifests/sales.yaml, close.yaml and nightly.yaml."""
    project = Project(folder / "project", outside)
    project.write("cwsync.yaml", SETTINGS.format(url=tenant.url))
    for name, text in {"sales": SALES, "close": CLOSE, "nightly": NIGHTLY}.items():
        project.write(f"manifests/{name}.yaml", text)
    for name, text in SECRETS.items():
        project.write(f"secrets/{name}", text)
    return project
