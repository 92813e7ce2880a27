"""Runs the tests of a state in a bucket against real S3 servers: `python tests/tools/remote.py FOLDER_OF_PROGRAMS`."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from support.s3 import BUCKET, KEY, SECRET  # noqa: E402 - it is found through the line above

MAKE_BUCKET = f"""
import boto3, sys
boto3.client("s3", endpoint_url=sys.argv[1], aws_access_key_id={KEY!r}, aws_secret_access_key={SECRET!r},
             region_name="us-east-1").create_bucket(Bucket={BUCKET!r})
"""
PATIENCE = 60


def main(programs: Path) -> int:
    with ExitStack() as open_, TemporaryDirectory() as folder:
        servers = {
            "moto": open_.enter_context(moto(programs)),
            "SeaweedFS": open_.enter_context(seaweed(programs, Path(folder))),
        }
        for name, url in servers.items():
            make_bucket(programs, url)
            print(f"{name} is at {url}")
        environ = {**os.environ, "CWSYNC_S3": " ".join(servers.values())}
        module = "tests/unit/state/test_state_object_server.py"
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-v", module], env=environ, cwd=TESTS.parent, check=False
        ).returncode


@contextmanager
def running(*command: str | Path) -> Iterator[None]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            yield
        finally:
            server.terminate()
            try:
                server.wait(5)
            except subprocess.TimeoutExpired:
                server.kill()


@contextmanager
def moto(programs: Path) -> Iterator[str]:
    (port,) = ports(1)
    with running(programs / "moto_server", "-H", "127.0.0.1", "-p", str(port)):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def seaweed(programs: Path, folder: Path) -> Iterator[str]:
    """It checks signatures, and keeps what it is given on the disk."""
    who = {"name": "cwsync", "credentials": [{"accessKey": KEY, "secretKey": SECRET}], "actions": ["Admin"]}
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [who]}))
    master, volume, filer, s3, iceberg, lance = ports(6)
    with running(
        programs / "weed", "server", f"-dir={folder}", "-ip=127.0.0.1", "-s3", f"-s3.config={config}",
        f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}", f"-s3.port={s3}",
        f"-s3.port.iceberg={iceberg}", f"-s3.port.lance={lance}", "-volume.max=100", "-master.volumeSizeLimitMB=32",
    ):  # fmt: skip
        yield f"http://127.0.0.1:{s3}"
    for port in (master, volume, filer, s3):  # it leaves its sockets behind
        for name in (port, port + 10_000):
            for left in Path("/tmp").glob(f"seaweedfs-*-{name}.sock"):
                left.unlink()


def ports(number: int) -> list[int]:
    """Free ones, that are also free 10000 above: SeaweedFS takes those as well."""
    found: list[int] = []
    while len(found) < number:
        port = random.randint(20_000, 50_000)
        with closing(socket.socket()) as one, closing(socket.socket()) as other:
            try:
                one.bind(("127.0.0.1", port))
                other.bind(("127.0.0.1", port + 10_000))
            except OSError:
                continue
        found.append(port)
    return found


def make_bucket(programs: Path, url: str) -> None:
    """Made as soon as the server answers."""
    command = [str(programs / "python"), "-c", MAKE_BUCKET, url]
    deadline = time.monotonic() + PATIENCE
    while (done := subprocess.run(command, capture_output=True, text=True, check=False)).returncode:
        if time.monotonic() > deadline:
            sys.exit(f"{url} does not answer:\n{done.stderr}")
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).absolute()))
