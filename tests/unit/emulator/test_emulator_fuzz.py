"""Whatever is asked of the emulator, it answers as it says it will: no status and no error of the server
that its description does not have.

CWSYNC_FUZZ=1000 makes a thousand tenants in each profile rather than a few, each asked twenty times.
"""

from __future__ import annotations

import json
import os
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from unit.emulator.generated import Ids, request
from unit.emulator.service import Service, import_job

TENANTS = int(os.environ.get("CWSYNC_FUZZ", "5"))
REQUESTS = 20


def peopled(profile: str) -> tuple[Service, Ids]:
    """A tenant with something of everything, and the ids of it all by the word in its address."""
    service = Service(profile=profile).sign_in()
    service.http.headers["Content-Type"] = "application/json"
    connections = [service.connection(kind, kind) for kind in ("AmazonS3", "AzureBlob", "GoogleBigQuery")]
    one = service.integration("One", jobs=[import_job(connections[0])])
    two, three = service.integration("Two"), service.integration("Three")
    flow = service.flow("Nightly", one, two)
    pointer = service.edit(action="create", kind="notification", id=three)
    run = service.ok("POST", f"/integrations/{three}/run")["run"]["id"]
    service.clock.now += 60
    return service, {
        "connections": connections,
        "integrations": [one, two, three],
        "integrationflows": [flow],
        "notification": [pointer],
        "run": [run],
        "runerror": [run],
    }


@pytest.mark.parametrize("profile", ["observed", "documented"])
def test_every_answer_is_one_that_is_described(profile: str) -> None:
    with_all, _ = peopled(profile)
    document = with_all.http.get("/openapi.json").json()
    with_all.close()

    @settings(
        max_examples=TENANTS,
        deadline=None,
        database=None,
        derandomize=TENANTS < 100,
        suppress_health_check=[*HealthCheck],
        phases=[Phase.generate],  # making twenty requests smaller takes minutes, and shows no more
    )
    @given(st.data())
    def ask(data: st.DataObject) -> None:
        service, ids = peopled(profile)
        try:
            for _ in range(REQUESTS):
                method, path, query, body = request(data.draw, document, ids)
                content = None if body is None else json.dumps(body)
                reply = service.http.request(method, quote(path), params=query, content=content)
                service.described.check(reply)
                service.clock.now += 5
            for path in ("/integrations", "/integrations/connections", "/integrationflows"):
                for item in service.ok("GET", f"{path}?limit=250")[
                    path.rpartition("/")[2].replace("flows", "Flows")
                ]:
                    identifier = item.get("integrationId") or item.get("id")
                    if identifier:
                        service.ok("GET", f"{path}/{identifier}")
        finally:
            service.close()

    ask()
