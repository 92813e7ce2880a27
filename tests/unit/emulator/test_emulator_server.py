"""The emulator as it is used outside of tests: on a port, in a file, by several threads and processes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from unit.emulator.service import BODIES, Service, process

from cwsync.emulator import EmulatorUnusable, application, serve

SERVER = """
import sys
from pathlib import Path
from cwsync.emulator import application, serve
serve(application(Path(sys.argv[1])), "127.0.0.1", 0, lambda url: print(url, flush=True))
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("emulator") / "tenant.db"


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[httpx.Client]:
    """A signed-in client of an emulator in a process of its own."""
    command = [sys.executable, "-c", SERVER, str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        url = running.stdout.readline().strip()
        with httpx.Client(base_url=url, timeout=10) as http:
            token = http.post("/token/authenticate", auth=("ci@example.com", "x")).json()["tokenInfo"][
                "tokenValue"
            ]
            http.headers["Authorization"] = f"AnaplanAuthToken {token}"
            yield http
        running.terminate()
        rest, errors = running.communicate(timeout=10)
    assert (rest, errors) == ("", "")


def names(http: httpx.Client) -> list[str]:
    return [each["name"] for each in http.get("/_emulator/snapshot").json()["integrations"]]


def test_many_at_once(server: httpx.Client) -> None:
    server.post("/_emulator/reset")
    with ThreadPoolExecutor(16) as pool:
        made = pool.map(lambda n: server.post("/2/0/integrations", json=process(f"Number {n:02}")), range(40))
    assert {reply.status_code for reply in made} == {200}
    assert names(server) == [f"Number {number:02}" for number in range(40)]
    reply = server.get("/2/0/integrations")
    assert len(reply.headers.get_list("Date")) == 1


@pytest.mark.parametrize(
    ("do", "made"),
    [("drop-before", []), ("drop-after", ["Close"]), ("truncate", ["Close"]), ("late", ["Close"])],
)
def test_connections_are_really_dropped(server: httpx.Client, do: str, made: list[str]) -> None:
    server.post("/_emulator/reset")
    server.post("/_emulator/faults", json={"match": {"path": "/2/0/"}, "do": do, "delayMs": 1})
    with pytest.raises(httpx.RemoteProtocolError):
        server.post("/2/0/integrations", json=process())
    assert names(server) == made
    assert server.delete("/_emulator/faults").status_code == 200


def test_a_reply_in_drips_arrives_piece_by_piece(server: httpx.Client) -> None:
    server.post("/_emulator/reset")
    server.post(
        "/_emulator/faults", json={"match": {"path": "/2/0/"}, "do": "drip", "delayMs": 1, "bytes": 40}
    )
    with server.stream("GET", "/2/0/integrations") as reply:
        assert len([*reply.iter_raw()]) > 1
    assert server.delete("/_emulator/faults").status_code == 200


def test_a_second_process_finds_the_tenant_and_the_token(server: httpx.Client, data: Path) -> None:
    server.post("/_emulator/reset")
    server.post("/2/0/integrations", json=process("Kept"))
    beside = Service(data=data, clock=time.time)
    beside.http.headers["Authorization"] = server.headers["Authorization"]
    assert [each["name"] for each in beside.ok("GET", "/integrations")["integrations"]] == ["Kept"]
    beside.integration("Added")
    beside.close()
    assert names(server) == ["Added", "Kept"]


def test_no_secret_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "tenant.db"
    service = Service(data=path).sign_in()
    for kind in BODIES:
        service.connection(kind, kind, **({"roleArn": "arn:needle"} if kind == "AmazonS3" else {}))
    token = service.http.headers["Authorization"].split()[1]
    service.http.get("/2/0/integrations", headers={"Authorization": "Bearer needle"})
    written = b"".join(each.read_bytes() for each in path.parent.iterdir())
    assert path.stat().st_mode & 0o777 == 0o600
    service.close()
    written += path.read_bytes()
    assert b"landing" in written
    for secret in (b"needle", b"NEEDLE", token.encode()):
        assert secret not in written


def test_what_cannot_be_used_is_said(tmp_path: Path, server: httpx.Client) -> None:
    (tmp_path / "notes.txt").write_text("this is no database, but a page of notes\n" * 100)
    with pytest.raises(EmulatorUnusable, match=r"notes\.txt"):
        application(tmp_path / "notes.txt")
    with pytest.raises(EmulatorUnusable, match="certificate"):
        application(trust=[tmp_path / "notes.txt"])
    with pytest.raises(EmulatorUnusable, match="observed"):
        application(profile="imagined")
    with application() as app, pytest.raises(EmulatorUnusable, match="cannot be listened on"):
        serve(app, "127.0.0.1", server.base_url.port or 0)


def test_importing_it_loads_no_library_and_starting_it_no_cryptography() -> None:
    program = (
        "import sys; from cwsync.emulator import application\n"
        "assert not {'falcon', 'waitress', 'cryptography', 'httpx', 'sqlite3'} & sys.modules.keys()\n"
        "application().close()\n"
        "assert 'falcon' in sys.modules and not {'cryptography', 'httpx', 'waitress', 'pydantic'} & sys.modules.keys()"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
