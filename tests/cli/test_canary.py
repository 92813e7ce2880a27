"""A needle in every secret: no file, output, log or traceback may hold one, in whatever disguise."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote, quote_plus

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import PrivateFormat
from support.program import Ran
from support.projects import Project
from support.tenant import Tenant, served
from unit.api.keys import KEY, issue, pem

# What JSON and URLs escape, and what base64 shifts.
NEEDLES = {
    name: f'needle-{number}-{name} "\\/+%&=é'
    for number, name in enumerate(
        ["accessKeyId", "secretAccessKey", "sasToken", "privateKey", "password"], 11
    )
}
PASSPHRASE = 'needle-17-passphrase "\\/+%&='

SETTINGS = """\
version: 1
environment: basic
defaults:
  integrations: {{workspaceId: 8a81b09d5e8c6f27015ece3402487d33, modelId: 35A6EF893D7F47EEA5A554D5CC7DC330}}
environments:
  basic: &basic
    api: {url}/2/0
    auth: {url}
    state: .cwsync/one.state.json
    requests: {{perSecond: 1000}}
    authenticate: {{basic: {{username: ci@example.com, password: {{fromEnv: password}}}}}}
  token:
    <<: *basic
    authenticate: {{token: {{fromEnv: token}}}}
  certificate:
    <<: *basic
    authenticate:
      certificate:
        certificate: {{fromFile: ../secrets/certificate.pem}}
        privateKey: {{fromFile: ../secrets/key.pem}}
        passphrase: {{fromEnv: passphrase}}
"""
MANIFEST = """\
connections:
  sales:
    type: AmazonS3
    bucketName: landing
    accessKeyId: {fromCommand: [printenv, accessKeyId]}
    secretAccessKey: {fromFile: ../secrets/secretAccessKey}
  lake: {type: AzureBlob, storageAccountName: lake, containerName: raw, sasToken: {fromEnv: sasToken}}
  warehouse: {type: GoogleBigQuery, dataset: sales, serviceAccountKey: {fromFile: ../secrets/bigquery.json}}
integrations:
  accounts:
    jobs:
      - import: {connection: sales, file: a.csv, actionId: 112000000005, fileId: 113000000000}
"""


@dataclass
class Scene:
    """A project with needles, its tenant, and all that has been printed so far."""

    project: Project
    tenant: Tenant
    needles: dict[str, str]
    sent: list[bytes]
    printed: str = ""

    def run(self, *arguments: str, status: int) -> Ran:
        ran = self.project.run(*arguments)
        self.printed += ran.all
        assert ran.status == status, ran.all
        return ran

    def found(self, log: str) -> list[str]:
        """Where needles are: in files, in what was printed, in the log."""
        texts = {str(path): path.read_bytes() for path in self.project.root.rglob("*") if path.is_file()}
        texts |= {"the outputs": self.printed.encode(), "the log": log.encode()}
        return [
            f"{name} is in {where}"
            for where, text in texts.items()
            for name, needle in self.needles.items()
            if any(form in text for form in disguises(needle))
        ]


def disguises(needle: str) -> Iterator[bytes]:
    """The needle as it is, escaped, quoted, hashed, and inside base64 at each of the three offsets."""
    raw = needle.encode()
    yield raw
    yield json.dumps(needle)[1:-1].encode()
    yield json.dumps(needle, ensure_ascii=False)[1:-1].encode()
    yield repr(needle)[1:-1].encode()
    yield quote(needle).encode()
    yield quote(needle, safe="").encode()
    yield quote_plus(needle).encode()
    yield raw.hex().encode()
    yield sha256(raw).hexdigest().encode()
    for offset in range(3):
        # what stands before and behind the needle decides the outermost letters
        inside = base64.b64encode(bytes(offset) + raw)[4 if offset else 0 : -4]
        yield inside
        yield inside.replace(b"+", b"-").replace(b"/", b"_")


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    for name, needle in NEEDLES.items():
        monkeypatch.setenv(name, needle)
    monkeypatch.setenv("passphrase", PASSPHRASE)
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "secretAccessKey").write_text(NEEDLES["secretAccessKey"] + "\n", encoding="utf-8")
    (secrets / "bigquery.json").write_text(service_account(), encoding="utf-8")
    key = pem(KEY, PrivateFormat.PKCS8, PASSPHRASE.encode()).get_secret_value()
    (secrets / "key.pem").write_text(key, encoding="utf-8")
    (secrets / "certificate.pem").write_bytes(issue(KEY, 4_000_000_000))
    project, sent = Project(tmp_path / "project"), list[bytes]()
    with served(sent, data=tmp_path / "tenant.db") as tenant:
        token = sign_in(tenant)
        monkeypatch.setenv("token", token)
        project.write("cwsync.yaml", SETTINGS.format(url=tenant.url))
        project.write("manifests/all.yaml", MANIFEST)
        needles = {**NEEDLES, "passphrase": PASSPHRASE, "token": token, "key": key.splitlines()[5]}
        yield Scene(project, tenant, needles, sent)


def service_account() -> str:
    names = ["project_id", "private_key_id", "client_email", "client_id", "auth_uri", "token_uri"]
    names += ["auth_provider_x509_cert_url", "client_x509_cert_url"]
    key = f"-----BEGIN PRIVATE KEY-----\n{NEEDLES['privateKey']}\n-----END PRIVATE KEY-----\n"
    return json.dumps({"type": "service_account", **dict.fromkeys(names, "plain"), "private_key": key})


def sign_in(tenant: Tenant) -> str:
    reply = httpx.post(f"{tenant.url}/token/authenticate", auth=("ci@example.com", "other"))
    token: str = reply.json()["tokenInfo"]["tokenValue"]
    return token


def test_a_needle_would_be_found(scene: Scene) -> None:
    for name, needle in scene.needles.items():
        for hidden in (
            needle,
            json.dumps([needle]),
            quote(needle),
            f"{base64.b64encode(f'ci:{needle}'.encode())!r}",
        ):
            scene.printed = f"... {hidden} ..."
            assert scene.found("") == [f"{name} is in the outputs"]
    scene.printed = ""
    scene.project.write("deep/in/a.file", scene.needles["token"])
    assert len(scene.found(scene.needles["password"])) == 2


def test_every_command_keeps_the_secrets(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    scene.run("validate", "-v", status=0)
    scene.run("plan", "-v", status=0)
    scene.run("plan", "--format", "json", "-e", "token", "--detailed-exitcode", status=2)
    scene.run("plan", "--out", "a.plan", "-e", "certificate", status=0)
    scene.run("show", "a.plan", "-v", status=0)
    scene.run("show", "a.plan", "--format", "json", status=0)
    scene.run("apply", "a.plan", "-v", "--audit", "audit.jsonl", status=0)
    assert "connection.sales" in scene.project.read("audit.jsonl")
    for environment in ("basic", "token", "certificate"):
        scene.run("auth", "check", "-v", "-e", environment, status=0)
        scene.run("drift", "-v", "-e", environment, status=0)
    scene.run("auth", "payload", "-e", "certificate", status=0)
    scene.run("auth", "payload", "-e", "certificate", "--header", status=0)
    scene.tenant.edit("update", "connection", name="sales", body={"bucketName": "elsewhere"})
    scene.run("drift", "--format", "json", status=2)
    scene.run("apply", "--auto-approve", "--format", "json", "-v", status=0)
    scene.run("state", "list", "-v", status=0)
    scene.run("state", "show", status=0)
    scene.run("graph", status=0)
    scene.run("destroy", "--auto-approve", "-v", status=0)
    for name in ("accessKeyId", "secretAccessKey", "sasToken", "privateKey"):
        assert any(json.dumps(NEEDLES[name])[1:-1].encode() in sent for sent in scene.sent), name
    assert any(next(iter(disguises(scene.needles["token"]))) in sent for sent in scene.sent)
    assert caplog.text
    assert scene.found(caplog.text) == []
    kept = b"".join(path.read_bytes() for path in scene.project.root.parent.glob("tenant.db*"))
    assert b"landing" in kept
    assert not any(form in kept for needle in NEEDLES.values() for form in disguises(needle))
    assert scene.needles["token"].encode() not in kept


FAULTS = [
    {"do": "status", "status": 400, "message": "Credentials are invalid: {}"},
    {"do": "status", "status": 500, "message": "cannot read {}", "effect": True},
    {"do": "truncate"},
    {"do": "html"},
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.get("status", fault["do"])))
def test_failing_applies_keep_the_secrets(
    scene: Scene, fault: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Also where the service repeats what it was sent."""
    caplog.set_level(logging.DEBUG)
    scene.project.replace("cwsync.yaml", "perSecond: 1000", "perSecond: 1000, parallelism: 1")
    # One at a time, in the order of the plan: lake, sales.
    for number, names in enumerate([["sasToken"], ["accessKeyId", "secretAccessKey"]], 1):
        told = " ".join(scene.needles[name] for name in [*names, "token"])
        more = {name: value.format(told) if name == "message" else value for name, value in fault.items()}
        path = "/2/0/integrations/connections"
        scene.tenant.fault(more.pop("do"), "POST", path, nth=number, **more)
    ran = scene.project.run("apply", "--auto-approve", "-v", "-e", "token", "--audit", "audit.jsonl")
    scene.printed += ran.all
    assert "connection.sales" in scene.project.read("audit.jsonl")
    assert "integration.accounts" in ran.out
    assert "Traceback" not in ran.all
    assert ("***" in ran.out) == ("message" in fault)
    scene.run("state", "show", status=0)
    assert scene.found(caplog.text) == []


def test_secrets_that_cannot_be_used_are_not_shown(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = scene.project.root.parent / "secrets"
    (secrets / "bigquery.json").write_text(NEEDLES["privateKey"], encoding="utf-8")
    said = scene.run("apply", "--auto-approve", "-v", status=1)
    assert "CW120" in said.err
    monkeypatch.setenv("passphrase", f"wrong {PASSPHRASE}")
    assert "CW122" in scene.run("plan", "-e", "certificate", "-v", status=1).err
    monkeypatch.setenv("token", f"{scene.needles['token']}-old")
    assert "CW302" in scene.run("plan", "-e", "token", "-v", status=1).err
    monkeypatch.setenv("token", f"{scene.needles['token']}\né")
    assert "CW302" in scene.run("plan", "-e", "token", "-v", status=1).err
    assert scene.found("") == []


def test_a_literal_secret_is_refused_and_not_repeated(scene: Scene) -> None:
    scene.project.replace("manifests/all.yaml", "{fromEnv: sasToken}", json.dumps(NEEDLES["sasToken"]))
    for form in ("text", "json", "github", "sarif"):
        assert "CW121" in scene.run("validate", "--format", form, status=1).all
    scene.run("plan", status=1)
    scene.project.remove("manifests/all.yaml")
    assert scene.found("") == []
