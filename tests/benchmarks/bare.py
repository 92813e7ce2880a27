"""Threads with a socket each, which ask for given paths and look at no reply: what the service and the machine alone
take. Only the standard library, so that it starts at once.

    python -m benchmarks.bare URL PARALLELISM FILE-WITH-PATHS
"""

from __future__ import annotations

import http.client
import json
import sys
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import local
from urllib.parse import urlsplit


def main(url: str, parallelism: str, file: str) -> None:
    at, own = urlsplit(url).netloc, local()
    first = http.client.HTTPConnection(at)
    login = b64encode(b"ci@example.com:made-up-password").decode()
    first.request("POST", "/token/authenticate", headers={"Authorization": f"Basic {login}"})
    token = json.load(first.getresponse())["tokenInfo"]["tokenValue"]
    headers = {"Authorization": f"AnaplanAuthToken {token}", "Content-Type": "application/json"}

    def ask(path: str) -> None:
        if not hasattr(own, "http"):
            own.http = http.client.HTTPConnection(at)
        own.http.request("GET", path, headers=headers)
        own.http.getresponse().read()

    with ThreadPoolExecutor(int(parallelism)) as pool:
        list(pool.map(ask, Path(file).read_text().split()))


if __name__ == "__main__":
    main(*sys.argv[1:])
