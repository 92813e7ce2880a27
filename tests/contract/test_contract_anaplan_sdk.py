"""Other people's client, which its makers run against the real service, agrees with the emulator.

One script for both of its clients: what the synchronous one returns is used as it is, what the other
one returns is awaited.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from anaplan_sdk import AsyncClient, Client  # type: ignore[import-untyped]  # it ships no types
from anaplan_sdk.exceptions import AnaplanException  # type: ignore[import-untyped]  # it ships no types
from anaplan_sdk.models.cloud_works import (  # type: ignore[import-untyped]  # it ships no types
    ConnectionInput,
    GoogleBigQueryConnectionInput,
)
from support.sdk_transport import AsyncHere, Here

Json = dict[str, Any]
Script = Callable[["Sdk"], Any]

WORKSPACE, MODEL = "8a81b09d5e8c6f27015ece3402487d33", "35A6EF893D7F47EEA5A554D5CC7DC330"
ALICE = "2c9ba1b6729b7fd80172c3f635db40f7"
PLACE = {"version": "2.0", "workspaceId": WORKSPACE, "modelId": MODEL}
KEY = ["project_id", "private_key_id", "private_key", "client_email", "client_id", "auth_uri", "token_uri"]
KEY += ["auth_provider_x509_cert_url", "client_x509_cert_url"]
CONNECTIONS: dict[str, Json] = {
    "AmazonS3": {"accessKeyId": "AKIA", "secretAccessKey": "s", "bucketName": "landing"},
    "AzureBlob": {"storageAccountName": "lake", "sasToken": "sv=1", "containerName": "raw"},
    "GoogleBigQuery": {
        "dataset": "dev_us_west",
        # The client sends Google's own file, under its own name for it.
        "service_account_json": {"type": "service_account", **dict.fromkeys(KEY, "x")},
    },
}
DAILY = {"name": "daily", "type": "daily", "time": "09:00", "timezone": "Europe/Paris"}


async def got(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


@dataclass
class Sdk:
    """One of the clients, and what a script needs to set the stage."""

    client: Any
    url: str

    @property
    def cw(self) -> Any:
        return self.client.cw

    async def connection(self, kind: str, name: str) -> str:
        body = {"type": kind, "body": {"name": name, **CONNECTIONS[kind]}}
        if kind == "GoogleBigQuery":
            inner = GoogleBigQueryConnectionInput(name=name, **CONNECTIONS[kind])
            return str(await got(self.cw.create_connection(ConnectionInput(type=kind, body=inner))))
        return str(await got(self.cw.create_connection(body)))

    async def process(self, name: str) -> str:
        body = {"name": name, "processId": 118000000001, **PLACE}
        return str(await got(self.cw.create_integration(body)))

    def edit(self, **edit: Any) -> None:
        httpx.post(f"{self.url}/_emulator/edit", json={"by": "Grace Hopper", **edit}).raise_for_status()


@pytest.fixture(params=["sync", "async"])
def play(request: pytest.FixtureRequest, emulator: str) -> Callable[[Script], None]:
    """Runs a script with one of the clients, against an empty tenant.

    The client begins with a token that has ended, so that it signs in the way it does in real life.
    """
    httpx.post(f"{emulator}/_emulator/reset").raise_for_status()
    who: Json = {"token": "ended", "user_email": "sdk@example.com", "password": "right", "retry_count": 1}

    async def synchronous(script: Script) -> None:
        with Here(emulator) as transport:
            await script(Sdk(Client(**who, transport=transport), emulator))

    async def asynchronous(script: Script) -> None:
        async with AsyncHere(emulator) as transport:
            await script(Sdk(AsyncClient(**who, transport=transport), emulator))

    run = synchronous if request.param == "sync" else asynchronous
    return lambda script: asyncio.run(run(script))


def test_connections(play: Callable[[Script], None]) -> None:
    async def script(sdk: Sdk) -> None:
        made = {kind: await sdk.connection(kind, f"First {kind}") for kind in CONNECTIONS}
        for kind, identifier in made.items():
            body = {"name": f"Second {kind}", **CONNECTIONS[kind]}
            if kind != "GoogleBigQuery":
                await got(sdk.cw.update_connection(identifier, body))
            await got(sdk.cw.patch_connection(identifier, {"name": f"Third {kind}"}))
        listed = await got(sdk.cw.get_connections())
        assert [(each.id, each.connection_type, each.body.name) for each in listed] == [
            (identifier, kind, f"Third {kind}") for kind, identifier in made.items()
        ]
        with pytest.raises(AnaplanException):
            await sdk.connection("AmazonS3", "Third AmazonS3")
        for identifier in made.values():
            await got(sdk.cw.delete_connection(identifier))
        assert await got(sdk.cw.get_connections()) == []

    play(script)


def _import(connection: str, kind: str) -> Json:
    place = "table" if kind == "GoogleBigQuery" else "file"
    return {
        "type": f"{kind}ToAnaplan",
        "sources": [{"type": kind, "connectionId": connection, place: "Accounts"}],
        "targets": [{"type": "Anaplan", "actionId": 112000000005, "fileId": 113000000000}],
    }


def _export(connection: str, kind: str) -> Json:
    place = "table" if kind == "GoogleBigQuery" else "file"
    job: Json = {
        "type": f"AnaplanTo{kind}",
        "sources": [{"type": "Anaplan", "actionId": 116000000053}],
        "targets": [{"type": kind, "connectionId": connection, place: "exports/", "overwrite": True}],
    }
    return job | ({"mapping": {"Size": "Size"}} if place == "table" else {})


def test_integrations_of_all_six_job_types(play: Callable[[Script], None]) -> None:
    async def script(sdk: Sdk) -> None:
        connections = {kind: await sdk.connection(kind, kind) for kind in CONNECTIONS}
        made = {}
        for kind, connection in connections.items():
            for job in (_import(connection, kind), _export(connection, kind)):
                body = {"name": job["type"], **PLACE, "jobs": [job]}
                made[job["type"]] = await got(sdk.cw.create_integration(body))
        listed = await got(sdk.cw.get_integrations(sort_by="name", descending=True))
        assert [each.name for each in listed] == sorted(made, reverse=True)
        assert {each.integration_type for each in listed} == {"Import", "Export"}
        for kind, identifier in made.items():
            detail = await got(sdk.cw.get_integration(identifier))
            assert [job.type for job in detail.jobs] == [kind]
        body = {"name": "Renamed", **PLACE, "jobs": [_import(connections["AmazonS3"], "AmazonS3")]}
        await got(sdk.cw.update_integration(made["AnaplanToAzureBlob"], body))
        assert (await got(sdk.cw.get_integration(made["AnaplanToAzureBlob"]))).name == "Renamed"
        process = await sdk.process("Close")
        assert (await got(sdk.cw.get_integration(process))).process_id == 118000000001
        with pytest.raises(AnaplanException):
            await got(sdk.cw.delete_connection(connections["AmazonS3"]))
        for identifier in (*made.values(), process):
            await got(sdk.cw.delete_integration(identifier))
        assert await got(sdk.cw.get_integrations()) == []

    play(script)


def test_a_list_of_more_than_one_page(play: Callable[[Script], None]) -> None:
    async def script(sdk: Sdk) -> None:
        body = {**PLACE, "processId": "118000000001"}
        names = [f"Number {number:03}" for number in range(301)]
        edits = [
            {"action": "create", "kind": "integration", "body": {"name": name, **body}} for name in names
        ]
        sdk.edit(edits=edits)
        assert [each.name for each in await got(sdk.cw.get_integrations())] == names

    play(script)


def test_schedules(play: Callable[[Script], None]) -> None:
    async def script(sdk: Sdk) -> None:
        identifier = await sdk.process("Close")

        async def read() -> Any:
            (item,) = await got(sdk.cw.get_integrations())
            return item.schedule

        daily = {**DAILY, "daysOfWeek": [0, 2], "startDate": "2099-01-05"}
        await got(sdk.cw.create_schedule(identifier, daily))
        assert ((await read()).type, (await read()).days_of_week) == ("daily", [0, 2])
        hourly = {key: value for key, value in daily.items() if key != "time"} | {"type": "hourly"}
        with pytest.raises(AnaplanException):  # without repeatEvery, which this client cannot send
            await got(sdk.cw.update_schedule(identifier, hourly | {"fromTime": "08:00", "toTime": "18:00"}))
        weekly = {**daily, "type": "weekly", "endDate": "2099-12-31"}
        await got(sdk.cw.update_schedule(identifier, weekly))
        await got(sdk.cw.set_schedule_status(identifier, "disabled"))
        assert ((await read()).type, (await read()).status) == ("weekly", "Inactive")
        await got(sdk.cw.delete_schedule(identifier))
        assert await read() is None

    play(script)


def test_notifications(play: Callable[[Script], None]) -> None:
    async def script(sdk: Sdk) -> None:
        identifier = await sdk.process("Close")
        pointer = (await got(sdk.cw.get_integration(identifier))).notification_id
        config = {
            "integrationIds": [identifier],
            "channels": ["email", "in_app"],
            "notifications": {"config": [{"type": "success", "users": [ALICE]}]},
        }
        with pytest.raises(AnaplanException):
            await got(sdk.cw.create_notification_config(config))
        await got(sdk.cw.update_notification_config(pointer, config))
        read = await got(sdk.cw.get_notification_config(integration_id=identifier))
        assert {each.type for each in read.notifications.config} == {"success", "full_failure"}
        await got(sdk.cw.delete_notification_config(pointer))
        made = await got(sdk.cw.create_notification_config(config))
        read = await got(sdk.cw.get_notification_config(notification_id=made))
        assert [user.user_guid for each in read.notifications.config for user in each.users] == [ALICE]

    play(script)


def test_runs(play: Callable[[Script], None]) -> None:
    async def script(sdk: Sdk) -> None:
        connection = await sdk.connection("AmazonS3", "Sales")
        body = {"name": "Accounts", **PLACE, "jobs": [_import(connection, "AmazonS3")]}
        identifier = await got(sdk.cw.create_integration(body))
        assert await got(sdk.cw.get_run_history(identifier)) == []
        runs = []
        for outcome in ("success", "failure"):
            sdk.edit(action="update", kind="outcome", id=identifier, body={"outcome": outcome, "seconds": 0})
            runs.append(await got(sdk.cw.run_integration(identifier)))
        well, badly = runs
        assert (await got(sdk.cw.get_run_status(well))).message == "Success"
        assert await got(sdk.cw.get_run_error(well)) is None
        errors = await got(sdk.cw.get_run_error(badly))
        assert [each.action_id for each in errors.error_messages] == ["112000000005"]
        history = await got(sdk.cw.get_run_history(identifier))
        assert [(each.id, each.success) for each in history] == [(badly, False), (well, True)]
        (item,) = await got(sdk.cw.get_integrations())
        assert item.latest_run.execution_error_code == 12

    play(script)


def test_flows(play: Callable[[Script], None]) -> None:
    async def script(sdk: Sdk) -> None:
        flows = sdk.cw.flows
        one, two = await sdk.process("One"), await sdk.process("Two")
        for each in (one, two):
            sdk.edit(action="update", kind="outcome", id=each, body={"seconds": 0})
        body = {"name": "Nightly", "steps": [{"referrer": one}, {"referrer": two, "dependsOn": [one]}]}
        identifier = await got(flows.create_flow(body))
        (item,) = await got(flows.get_flows(current_user_only=True))
        assert (item.id, item.name, item.steps_count) == (identifier, "Nightly", 2)
        await got(flows.update_flow(identifier, {**body, "name": "Daily"}))
        read = await got(flows.get_flow(identifier))
        assert (read.name, [step.depends_on for step in read.steps]) == ("Daily", [[], [one]])
        run = await got(flows.run_flow(identifier))
        assert (await got(sdk.cw.get_run_status(run))).message == "Success"
        await got(flows.run_flow(identifier, only_steps=[two]))
        assert len(await got(sdk.cw.get_run_history(two))) == 2
        with pytest.raises(AnaplanException):
            await got(sdk.cw.delete_integration(one))
        await got(flows.delete_flow(identifier))
        assert await got(flows.get_flows()) == []

    play(script)
