"""One call of CloudWorks, as people make it from a script where there is no provider:

    python cloudworks.py URL create connection NAME
    python cloudworks.py URL create integration NAME CONNECTION
    python cloudworks.py URL delete connection|integration NAME

Only the standard library is used, because Terraform starts it once for every object.
"""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from typing import Any

Json = dict[str, Any]
PATHS = {"connection": "/integrations/connections", "integration": "/integrations"}


class CloudWorks:
    def __init__(self, url: str) -> None:
        self._url = url
        login = b64encode(b"ci@example.com:made-up-password").decode()
        signed_in = self._call("POST", "/token/authenticate", {}, f"Basic {login}")
        self._token = f"AnaplanAuthToken {signed_in['tokenInfo']['tokenValue']}"

    def _call(self, method: str, path: str, body: Json | None = None, sign: str = "") -> Json:
        request = urllib.request.Request(
            self._url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": sign or self._token, "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as reply:
            found: Json = json.load(reply)
            return found

    def create(self, kind: str, name: str, connection: str = "") -> None:
        body = (
            _connection(name)
            if kind == "connection"
            else _integration(name, self.id("connection", connection))
        )
        self._call("POST", f"/2/0{PATHS[kind]}", body)

    def delete(self, kind: str, name: str) -> None:
        self._call("DELETE", f"/2/0{PATHS[kind]}/{self.id(kind, name)}")

    def id(self, kind: str, name: str) -> str:
        found = self._call("GET", f"/2/0{PATHS[kind]}?limit=250&offset=0")[f"{kind}s"]
        (id,) = (one[f"{kind}Id"] for one in found if (one.get("body") or one)["name"] == name)
        return str(id)


def _connection(name: str) -> Json:
    secrets = {"accessKeyId": "made-up", "secretAccessKey": "made-up"}
    return {"type": "AmazonS3", "body": {"name": name, "bucketName": "landing", **secrets}}


def _integration(name: str, connection: str) -> Json:
    job = {
        "type": "AmazonS3ToAnaplan",
        "sources": [{"type": "AmazonS3", "connectionId": connection, "file": "a.csv"}],
        "targets": [{"type": "Anaplan", "actionId": "112000000005", "fileId": "113000000000"}],
    }
    model = {"workspaceId": "8a81b09d5e8c6f27015ece3402487d33", "modelId": "35A6EF893D7F47EEA5A554D5CC7DC330"}
    return {"name": name, "version": "2.0", "nuxVisible": False, **model, "jobs": [job]}


def main(url: str, action: str, kind: str, *names: str) -> int:
    try:
        cloudworks = CloudWorks(url)
        cloudworks.create(kind, *names) if action == "create" else cloudworks.delete(kind, *names)
    except urllib.error.HTTPError as error:
        print(f"{error.code}: {error.read().decode()}", file=sys.stderr)
        return 1
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
