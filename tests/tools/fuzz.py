"""Let schemathesis loose on the emulator, in both of its profiles. Used by `make fuzz`.

    python tests/tools/fuzz.py PATH_OF_SCHEMATHESIS [examples for each operation]

It fails on a status, a content type or a body that /openapi.json does not describe, so on every error of
the server but those that the service documents; on requests that are wrong by the description and are
taken; and on fewer than 5,000 requests.

Left out are the checks that want what the service does not do: that a request which fits the description
is never refused (names can be taken), that a missing token is a 401 (the page says 403), and that there
is no error of the server at all (the page has some).
"""

from __future__ import annotations

import re
import subprocess
import sys

import httpx

SERVER = """
import sys
from cwsync.emulator import application, serve
serve(application(profile=sys.argv[1]), "127.0.0.1", 0, lambda url: print(url, flush=True))
"""
CHECKS = "status_code_conformance,content_type_conformance,response_headers_conformance"
CHECKS += ",response_schema_conformance,negative_data_rejection,unsupported_method,allow_header_conformance"
LEAST = 5_000


def fuzz(program: str, profile: str, examples: str) -> bool:
    """Whether the emulator of this profile came through."""
    command = [sys.executable, "-c", SERVER, profile]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        url = running.stdout.readline().strip()
        signed_in = httpx.post(f"{url}/token/authenticate", auth=("fuzz@example.com", "x")).json()
        headers = {
            "Authorization": f"AnaplanAuthToken {signed_in['tokenInfo']['tokenValue']}",
            "Content-Type": "application/json",
        }
        options = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
        # The token that all requests have must not end among them.
        options += ["--exclude-path-regex", "/token/(authenticate|refresh|logout)"]
        options += ["--phases", "coverage,fuzzing", "-n", examples, "--checks", CHECKS]
        options += [
            "--continue-on-failure",
            "--warnings",
            "off",
            "--no-color",
            "--generation-database",
            "none",
        ]
        done = subprocess.run(
            [program, "run", f"{url}/openapi.json", *options], capture_output=True, text=True, check=False
        )
        running.terminate()
    made = re.search(r"(\d+) generated", done.stdout)
    number = int(made[1]) if made else 0
    well = done.returncode == 0 and number >= LEAST
    print(f"{profile}: {number} requests, {'all answered as described' if well else 'not all well:'}")
    if not well:
        print(done.stdout, done.stderr)
    return well


if __name__ == "__main__":
    results = [fuzz(sys.argv[1], profile, (*sys.argv, "40")[2]) for profile in ("observed", "documented")]
    sys.exit(not all(results))
