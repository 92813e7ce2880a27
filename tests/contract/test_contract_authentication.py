"""Signing in as the vendor and its guide describe it: through the command line, against an emulator that verifies."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from contract.keys import FORMS, PASSPHRASE, Pair, pair
from contract.scene import EVERYTHING, PROFILES, Json, Scene, Wire, scene
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.x509 import load_pem_x509_certificate
from pydantic import SecretStr
from support.program import cwsync, cwsync_terminal
from support.tenant import served

from cwsync.api import Basic, Client, Clock, Endpoint
from cwsync.emulator import application
from cwsync.live import Reads, read_tenant

BASIC = "basic: {username: ci@example.com, password: {fromFile: secrets/password}}"
TOKEN_CALLS = ("/token/authenticate", "/token/refresh", "/token/validate", "/token/logout")
ONE = {"integrations": {"tidy": {"processId": 118000000002}}}


@pytest.fixture(scope="module")
def ours() -> Pair:
    return pair("robot@example.com")


@pytest.fixture
def trust(ours: Pair, tmp_path: Path) -> list[Path]:
    ours.write(tmp_path / "trusted")
    return [tmp_path / "trusted/cert.pem"]


@pytest.fixture
def guarded(trust: list[Path], tmp_path: Path) -> Iterator[Scene]:
    """A tenant that takes our certificate and nothing else."""
    with scene("observed", tmp_path, trust=trust) as told:
        yield told


def authenticate_by(
    told: Scene, ours: Pair, more: str = "", form: str = "PKCS#8", secret: str | None = None
) -> None:
    """Let the project sign in with our certificate and its key in this form."""
    ours.write(told.project.root / "secrets", form, secret)
    certificate = "certificate: {fromFile: secrets/cert.pem}, privateKey: {fromFile: secrets/key.pem}"
    told.project.replace("cwsync.yaml", BASIC, f"certificate: {{{certificate}{more}}}")


def signed(ours: Pair, data: bytes, **more: str) -> Json:
    signature = ours.key.sign(data, padding.PKCS1v15(), hashes.SHA512())
    return {**more, "encodedData": _b64(data), "encodedSignedData": _b64(signature)}


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def v2(ours: Pair, seconds: float) -> Json:
    return signed(ours, int(seconds).to_bytes(8, "big") + secrets.token_bytes(92), encodedDataFormat="v2")


def present(told: Scene, certificate: Pair, body: Json) -> int:
    header = {"Authorization": f"CACertificate {_b64(certificate.pem)}"}
    return httpx.post(f"{told.tenant.url}/token/authenticate", headers=header, json=body).status_code


def token_calls(told: Scene) -> list[str]:
    return [each["path"] for each in told.tenant.requests() if each["path"] in TOKEN_CALLS]


def test_the_emulator_takes_what_the_guide_describes_and_nothing_else(guarded: Scene, ours: Pair) -> None:
    now, other = time.time(), pair("somebody@example.com")
    fresh = v2(ours, now)
    random = secrets.token_bytes(100)
    taken = {
        "v2": fresh,
        "v1": signed(ours, random),
        "v1, longer, as other clients have it": signed(ours, secrets.token_bytes(150)),
    }
    assert {name: present(guarded, ours, body) for name, body in taken.items()} == dict.fromkeys(taken, 201)
    refused = {
        "a replay": fresh,
        "v1 too short": signed(ours, random[:99]),
        "v2 too short": signed(ours, fresh_bytes(now)[:99], encodedDataFormat="v2"),
        "v2 too long": signed(ours, fresh_bytes(now) + b"x", encodedDataFormat="v2"),
        "stale": v2(ours, now - 600),
        "from the future": v2(ours, now + 600),
        "in milliseconds": v2(ours, now * 1000),
        "little-endian": signed(ours, int(now).to_bytes(8, "little") + random[:92], encodedDataFormat="v2"),
        "another's signature": v2(other, now),
        "of other data": {**v2(ours, now), "encodedData": v2(ours, now)["encodedData"]},
        "another format": {**v2(ours, now), "encodedDataFormat": "v3"},
    }
    assert {name: present(guarded, ours, body) for name, body in refused.items()} == dict.fromkeys(
        refused, 401
    )
    assert present(guarded, other, v2(other, now)) == 401


def fresh_bytes(now: float) -> bytes:
    return int(now).to_bytes(8, "big") + secrets.token_bytes(92)


@pytest.mark.parametrize("secret", [None, PASSPHRASE], ids=["plain", "encrypted"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_key_signs_in_with_both_formats(
    guarded: Scene, ours: Pair, form: str, secret: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY_PASS", PASSPHRASE)
    guarded.project.write("secrets/pass", f"{PASSPHRASE}\n")
    authenticate_by(guarded, ours, ", format: v2", form, secret)
    before = "format: v2"
    for number, source in enumerate(("fromEnv: KEY_PASS", "fromFile: secrets/pass")):
        for version in ("v2", "v1"):
            passphrase = f", passphrase: {{{source}}}" if secret else ""
            now = f"format: {version}{passphrase}"
            guarded.project.write("cwsync.yaml", guarded.project.read("cwsync.yaml").replace(before, now))
            before = now
            ran = guarded.ok("auth", "check")
            assert "as robot@example.com" in ran.out, number
            assert PASSPHRASE not in ran.all
    assert token_calls(guarded).count("/token/authenticate") == 4


def test_auth_check_in_both_forms_of_the_header(guarded: Scene, ours: Pair) -> None:
    authenticate_by(guarded, ours, ", header: der")
    found = guarded.json("auth", "check")
    assert found["userId"] == "robot@example.com"
    assert len(found["userGuid"]) == 32
    other = pair("somebody@example.com")
    other.write(guarded.project.root / "secrets")
    ran = guarded.ok("auth", "check", status=1)
    assert "CW302" in ran.err
    assert "PRIVATE KEY" not in ran.all


def as_the_guide_has_it(text: str, version: str) -> Json:
    """The guide ends in `json.dumps(data, indent=4)`, `encodedDataFormat` first: exactly that, in a line each."""
    document = json.loads(text)
    keys = ["encodedDataFormat"] if version == "v2" else []
    assert list(document) == [*keys, "encodedData", "encodedSignedData"]
    assert text == json.dumps(document, indent=4) + "\n"
    assert document.get("encodedDataFormat", "v1") == version
    return document


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_auth_payload_is_the_guides_json(guarded: Scene, ours: Pair, version: str, tmp_path: Path) -> None:
    """Without a project: from two files; with one, from what the environment says."""
    ours.write(tmp_path, "traditional", PASSPHRASE)
    (tmp_path / "pass").write_text(PASSPHRASE)
    files = ("--certificate", "cert.pem", "--key", "key.pem", "--passphrase-file", "pass")
    authenticate_by(guarded, ours, f", format: {version}")
    begun = int(time.time())
    for ran in (
        cwsync("auth", "payload", *files, "--format", version, folder=tmp_path),
        guarded.ok("auth", "payload"),
    ):
        assert ran.status == 0, ran.all
        assert ran.err == ""
        body = as_the_guide_has_it(ran.out, version)
        message = base64.b64decode(body["encodedData"])
        assert len(message) == 100
        if version == "v2":
            assert begun <= int.from_bytes(message[:8], "big") <= time.time()
        signature = base64.b64decode(body["encodedSignedData"])
        ours.key.public_key().verify(signature, message, padding.PKCS1v15(), hashes.SHA512())
        assert present(guarded, ours, body) == 201
        assert present(guarded, ours, body) == (401 if version == "v2" else 201)


def test_auth_payload_header_is_the_whole_certificate(ours: Pair, tmp_path: Path) -> None:
    ours.write(tmp_path)
    ran = cwsync(
        "auth", "payload", "--certificate", "cert.pem", "--key", "key.pem", "--header", folder=tmp_path
    )
    assert ran.status == 0, ran.all
    scheme, content = ran.out.split()
    assert scheme == "CACertificate"
    assert base64.b64decode(content) == ours.pem
    assert load_pem_x509_certificate(base64.b64decode(content)) == ours.certificate


def test_auth_payload_asks_for_the_passphrase_at_a_terminal(ours: Pair, tmp_path: Path) -> None:
    ours.write(tmp_path, "PKCS#8", PASSPHRASE)
    files = ("--certificate", "cert.pem", "--key", "key.pem")
    ran = cwsync_terminal(
        *("auth", "payload", *files), folder=tmp_path, keys=f"{PASSPHRASE}\n", after="passphrase: "
    )
    assert ran.status == 0, ran.out
    assert PASSPHRASE not in ran.out
    as_the_guide_has_it(ran.out[ran.out.index("{") :].replace("\r\n", "\n"), "v2")
    unasked = cwsync("auth", "payload", *files, folder=tmp_path)
    assert unasked.status == 1
    assert "CW122" in unasked.err
    assert "encrypted and no passphrase" in unasked.err


def test_auth_payload_takes_the_passphrase_from_a_variable(
    ours: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours.write(tmp_path, "PKCS#8", PASSPHRASE)
    monkeypatch.setenv("KEY_PASS", PASSPHRASE)
    files = ("--certificate", "cert.pem", "--key", "key.pem", "--passphrase-env", "KEY_PASS")
    ran = cwsync("auth", "payload", *files, folder=tmp_path)
    assert ran.status == 0, ran.all
    as_the_guide_has_it(ran.out, "v2")


def ageing(now: list[float], seconds: float) -> Callable[[str, str, Json], None]:
    """The service's time goes on with every call."""

    def age(_method: str, _path: str, _sent: Json) -> None:
        now[0] += seconds

    return age


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("how", ["basic", "certificate"])
def test_tokens_that_end_in_the_middle_of_an_apply_go_unnoticed(
    profile: str, how: str, ours: Pair, trust: list[Path], tmp_path: Path
) -> None:
    """They live for some ten calls, one call after the other, until the apply is through."""
    now = [time.time()]
    options: dict[str, Any] = {"token_ttl": 20, "clock": lambda: now[0]}
    options |= {"trust": trust} if how == "certificate" else {}
    with scene(profile, tmp_path, Wire(ask=ageing(now, 2)), **options) as told:
        told.project.replace("cwsync.yaml", "parallelism: 8", "parallelism: 1")
        if how == "certificate":
            authenticate_by(told, ours)
        told.write(EVERYTHING)
        ran = told.ok("apply", "--auto-approve")
        assert "FAILED" not in ran.all
        assert "CW3" not in ran.all
        # What the service refused was sent again under a new token; nothing else went wrong.
        stale = 401 if profile == "observed" else 403
        assert {each.status for each in told.wire.exchanges} == {200, stale}
        assert token_calls(told).count("/token/authenticate") >= 3
        posts = [each for each in told.wire.exchanges if each.method == "POST" and each.status == 200]
        assert len(posts) == len(EVERYTHING["connections"]) + len(EVERYTHING["integrations"]) + (
            len(EVERYTHING["schedules"]) + 1 + 1 + (1 if profile == "observed" else 2)
        )
        told.ok("plan", "--detailed-exitcode")


@pytest.mark.parametrize("profile", PROFILES)
def test_a_token_that_is_about_to_end_is_refreshed(profile: str) -> None:
    """Be it that the same token gets a later end, or that there is another token."""
    now = [time.time()]
    clock = Clock(monotonic=lambda: now[0], wall=lambda: now[0])
    with application(profile=profile, clock=lambda: now[0]) as app:
        user, transport = Basic("ci@example.com", SecretStr("x")), httpx.WSGITransport(app)
        there = Endpoint("http://e/2/0", "http://e")
        with Client(there, user, transport=transport, clock=clock, per_second=None) as client:
            for _ in range(60):
                read_tenant(client, Reads(frozenset({"connection", "integration"}), {}))
                now[0] += 200
        with httpx.Client(transport=transport, base_url="http://e") as http:
            asked = http.get("/_emulator/requests").json()["requests"]
    assert {each["status"] for each in asked} == {200, 201}
    calls = [each["path"] for each in asked if each["path"] in TOKEN_CALLS]
    assert calls == ["/token/authenticate"] + ["/token/refresh"] * 5


@pytest.mark.parametrize("profile", PROFILES)
def test_no_command_logs_out(profile: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token of ours ends by itself; one that was given to us must go on for whoever gave it."""
    with scene(profile, tmp_path) as told:
        reply = httpx.post(f"{told.tenant.url}/token/authenticate", auth=("ci@example.com", "x")).json()
        token = reply["tokenInfo"]["tokenValue"]
        for authenticate in (BASIC, "token: {fromEnv: READY_TOKEN}"):
            monkeypatch.setenv("READY_TOKEN", token)
            told.project.write("cwsync.yaml", told.project.read("cwsync.yaml").replace(BASIC, authenticate))
            signed_in = token_calls(told).count("/token/authenticate")
            told.settle(ONE)
            told.ok("auth", "check")
            told.ok("history", "integration.tidy")
            told.ok("destroy", "--auto-approve")
            more = token_calls(told).count("/token/authenticate") - signed_in
            assert (more > 0) == (authenticate == BASIC)
        assert "/token/logout" not in token_calls(told)
        held = {"Authorization": f"AnaplanAuthToken {token}"}
        assert httpx.get(f"{told.tenant.url}/token/validate", headers=held).status_code == 200


def test_a_ready_token_that_has_ended_is_said_plainly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene("observed", tmp_path) as told:
        monkeypatch.setenv("READY_TOKEN", "needle-of-a-token")
        told.project.replace("cwsync.yaml", BASIC, "token: {fromEnv: READY_TOKEN}")
        told.write(ONE)
        ran = told.ok("plan", status=1)
        assert "CW302" in ran.err
        assert "obtain a new one" in ran.err
        assert "needle" not in ran.all
        assert token_calls(told) == ["/token/validate"]


def test_only_the_certificate_opens_a_guarded_emulator(guarded: Scene, trust: list[Path]) -> None:
    guarded.write(ONE)
    assert "CW302" in guarded.ok("plan", status=1).err
    with served(trust=trust, users=[("ci@example.com", "made-up-password")]) as tenant:
        settings = guarded.project.read("cwsync.yaml").replace(guarded.tenant.url, tenant.url)
        guarded.project.write("cwsync.yaml", settings)
        guarded.ok("plan")
