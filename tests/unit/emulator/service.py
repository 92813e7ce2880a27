"""A client of the emulator for its own tests: plain HTTP, and bodies that the service takes."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import httpx
from unit.emulator.described import description

from cwsync.emulator import application
from cwsync.emulator.wire.front import Emulator

Json = dict[str, Any]
# A Monday, at noon, UTC.
NOON = 1_795_435_200.0

S3 = {"accessKeyId": "AKIANEEDLE", "secretAccessKey": "needle-secret", "bucketName": "landing"}
AZURE = {"storageAccountName": "lake", "sasToken": "sv=needle-sas", "containerName": "raw"}
KEY_FIELDS = ["projectId", "privateKeyId", "privateKey", "clientEmail", "clientId", "authUri", "tokenUri"]
KEY_FIELDS += ["authProviderX509CertUrl", "clientX509CertUrl"]
BIGQUERY = {
    "dataset": "dev_us_west",
    "serviceAccountKey": {"type": "service_account", **dict.fromkeys(KEY_FIELDS, "needle-key")},
}
BODIES: Mapping[str, Json] = {"AmazonS3": S3, "AzureBlob": AZURE, "GoogleBigQuery": BIGQUERY}


class Clock:
    """The time of the emulator under test; it moves when a test moves it."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Service:
    """A signed-in client of an emulator in this process, and what a test needs to make objects with it."""

    def __init__(self, **options: Any) -> None:
        self.clock = Clock()
        self.described = description(options.get("profile", "observed"))
        self.spoiled = False  # whether faults are set, which nothing describes
        self.app: Emulator = application(**{"clock": self.clock, **options})
        self.http = httpx.Client(transport=httpx.WSGITransport(self.app), base_url="http://emulator")

    def sign_in(self, login: str = "ada.lovelace@example.com") -> Service:
        reply = self.http.post("/token/authenticate", auth=(login, "needle-password"))
        self.http.headers["Authorization"] = f"AnaplanAuthToken {reply.json()['tokenInfo']['tokenValue']}"
        return self

    def close(self) -> None:
        self.http.close()
        self.app.close()

    def call(self, method: str, path: str, body: object = None, *, version: str = "2") -> httpx.Response:
        reply = self.http.request(method, f"/{version}/0{path}", json=body)
        if not self.spoiled:
            self.described.check(reply)
        return reply

    def ok(self, method: str, path: str, body: object = None, *, version: str = "2") -> Json:
        reply = self.call(method, path, body, version=version)
        assert reply.status_code == 200, reply.text
        document: Json = reply.json()
        assert document.pop("status") == {"code": 200, "message": "Success"}
        return document

    def refused(self, method: str, path: str, body: object = None, *, version: str = "2") -> tuple[int, str]:
        reply = self.call(method, path, body, version=version)
        document = reply.json()
        assert document["status"]["code"] == reply.status_code
        assert document["path"] == f"/{version}/0{path}".partition("?")[0]
        assert document["timestamp"]
        return reply.status_code, document["status"]["message"]

    def edit(self, **edit: Any) -> str:
        reply = self.http.post("/_emulator/edit", json={"by": "Grace Hopper", **edit})
        assert reply.status_code == 200, reply.text
        identifier: str = reply.json()["ids"][0]
        return identifier

    def connection(self, name: str = "Sales", kind: str = "AmazonS3", **more: Any) -> str:
        body = {"type": kind, "body": {"name": name, **BODIES[kind], **more}}
        identifier: str = self.ok("POST", "/integrations/connections", body)["connections"]["connectionId"]
        return identifier

    def integration(self, name: str = "Accounts", **more: Any) -> str:
        """A process without jobs, unless `more` says otherwise."""
        identifier: str = self.ok("POST", "/integrations", process(name) | more)["integration"][
            "integrationId"
        ]
        return identifier

    def flow(self, name: str, *referrers: str) -> str:
        body = flow(name, *referrers)
        identifier: str = self.ok("POST", "/integrationflows", body)["integrationFlow"]["integrationFlowId"]
        return identifier

    def listed(self, identifier: str) -> Json:
        """The integration as the list shows it."""
        every = self.ok("GET", "/integrations?limit=250")["integrations"]
        return next(each for each in every if each["integrationId"] == identifier)


def process(name: str = "Close") -> Json:
    return {**envelope(name), "processId": "118000000001"}


def envelope(name: str = "Accounts") -> Json:
    return {
        "name": name,
        "version": "2.0",
        "workspaceId": "8a81b09d5e8c6f27015ece3402487d33",
        "modelId": "35A6EF",
    }


def import_job(connection: str, kind: str = "AmazonS3") -> Json:
    place = "table" if kind == "GoogleBigQuery" else "file"
    source = {"type": kind, "connectionId": connection, place: "Accounts"}
    target = {"type": "Anaplan", "actionId": "112000000005", "fileId": "113000000000"}
    return {"type": f"{kind}ToAnaplan", "sources": [source], "targets": [target]}


def export_job(connection: str, kind: str = "AmazonS3") -> Json:
    place = "table" if kind == "GoogleBigQuery" else "file"
    target = {"type": kind, "connectionId": connection, place: "exports/", "overwrite": True}
    job: Json = {
        "type": f"AnaplanTo{kind}",
        "sources": [{"type": "Anaplan", "actionId": "116000000053"}],
        "targets": [target],
    }
    return job | ({"mapping": [{"sourceName": "Size", "targetName": "Size"}]} if place == "table" else {})


def step(referrer: str, *depends_on: str, **more: Any) -> Json:
    behavior = [{"type": "failure", "strategy": "stop"}, {"type": "partial_success", "strategy": "continue"}]
    plain = {"type": "Integration", "referrer": referrer, "isSkipped": False, "exceptionBehavior": behavior}
    return plain | ({"dependsOn": list(depends_on)} if depends_on else {}) | more


def flow(name: str, *referrers: str) -> Json:
    """A chain: every step depends on the one before."""
    first = [step(referrers[0])] if referrers else []
    rest = [step(after, before) for before, after in pairwise(referrers)]
    return {"name": name, "version": "2.0", "type": "IntegrationFlow", "steps": first + rest}


def notification(integration: str, **users: list[str]) -> Json:
    config = [{"type": kind, "users": guids} for kind, guids in users.items()]
    return {
        "integrationIds": [integration],
        "channels": ["email", "in_app"],
        "notifications": {"config": config},
    }


def dashed(identifier: str) -> str:
    """The other spelling of an id, which the vendor's page has here and there."""
    return "-".join((identifier[:8], identifier[8:12], identifier[12:16], identifier[16:20], identifier[20:]))
