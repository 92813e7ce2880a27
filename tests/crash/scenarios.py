"""What is applied while things go wrong: each a tenant as it was, and manifests that ask for something else."""

from __future__ import annotations

from dataclasses import dataclass

from unit.apply.manifests import changed
from unit.apply.rig import (
    ALICE,
    BOB,
    MODEL,
    Manifest,
    azure,
    daily,
    everything,
    flow,
    imports,
    notify,
    process,
    s3,
)


@dataclass(frozen=True)
class Scenario:
    name: str
    before: Manifest
    after: Manifest

    @property
    def declared(self) -> list[str]:
        return [f"{section[:-1]}.{key}" for section, keys in self.after.items() for key in keys]


def _replaced() -> Manifest:
    """The connection in use moves to another workspace, which only a new one can; a process becomes an import."""
    manifest = everything()
    manifest["connections"]["sales"] = s3(workspaceId=MODEL["workspaceId"])
    manifest["integrations"]["close"] = imports("sales", "Close")
    return manifest


def _rekeyed() -> Manifest:
    """The keys of a connection in use, of its integration and of a flow are others; their names stay."""
    return {
        "connections": {"landing": s3(), "lake": azure()},
        "integrations": {"ledger": imports("landing"), "close": process()},
        "schedules": {"ledger": daily(enabled=False)},
        "notifications": {"ledger": notify(success=[ALICE])},
        "flows": {"evening": flow("ledger", "close")},
    }


def _mixed_before() -> Manifest:
    return {
        "connections": {"sales": s3(), "lake": azure(), "old": s3("Old")},
        "integrations": {"accounts": imports("sales"), "close": process(), "gone": imports("old", "Gone")},
        "schedules": {"accounts": daily()},
        "flows": {"nightly": flow("accounts", "close")},
    }


def _mixed_after() -> Manifest:
    """Something of everything: created, changed, renamed, replaced, deleted."""
    return {
        "connections": {
            "sales": s3("Sales", bucketName="other"),
            "lake": azure("Lake two"),
            "new": s3("New"),
        },
        "integrations": {"accounts": imports("new"), "close": imports("sales", "Close")},
        "schedules": {"accounts": daily(enabled=False), "close": daily()},
        "notifications": {"accounts": notify(success=[BOB])},
        "flows": {"nightly": flow("close", "accounts")},
    }


def _swap(first: str, second: str) -> Manifest:
    """Two connections, two integrations, and two flows of them; whatever names they have."""
    return {
        "connections": {"sales": s3(first), "lake": s3(second, bucketName="other")},
        "integrations": {"accounts": imports("sales", f"{first} load"), "close": process(f"{second} load")},
        "flows": {
            "nightly": flow("accounts", "close", name=first),
            "other": flow("close", "accounts", name=second),
        },
    }


def _scheduled(name: str, file: str, time: str, process_id: str) -> Manifest:
    """Integrations whose schedules are active, so that they must not fire while they are half changed."""
    return {
        "connections": {"sales": s3()},
        "integrations": {
            "accounts": imports("sales", name, file=file),
            "close": process(processId=process_id),
        },
        "schedules": {"accounts": daily(time=time), "close": daily()},
        "notifications": {"accounts": notify(success=[ALICE])},
        "flows": {"nightly": flow("accounts", "close")},
    }


SCENARIOS = {
    one.name: one
    for one in (
        Scenario("create", {}, everything()),
        Scenario("change", everything(), changed()),
        Scenario("replace", everything(), _replaced()),
        Scenario("destroy", everything(), {}),
        Scenario("rekey", everything(), _rekeyed()),
        Scenario("mixed", _mixed_before(), _mixed_after()),
        Scenario("swap", _swap("Sales", "Lake"), _swap("Lake", "Sales")),
        Scenario(
            "schedules",
            _scheduled("Accounts", "a.csv", "12:45", "1"),
            _scheduled("Ledger", "b.csv", "13:00", "2"),
        ),
    )
}
