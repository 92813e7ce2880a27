"""What a tenant of `everything()` is asked to become, by more than one module of tests."""

from __future__ import annotations

from unit.apply.rig import ALICE, BOB, Manifest, daily, flow, imports, notify, process, s3


def changed() -> Manifest:
    """Everything otherwise: changes, renames, a status, a new connection for what is in use, deletions, additions."""
    return {
        "connections": {"sales": s3("Sales", bucketName="other"), "third": s3("Third")},
        "integrations": {
            "accounts": imports("third", "Accounts load"),
            "close": process("Close"),
            "more": imports("third", "More"),
        },
        "schedules": {"accounts": daily(time="13:00", startDate="2020-01-01"), "more": daily(enabled=False)},
        "notifications": {"accounts": notify(full_failure=[ALICE, BOB])},
        "flows": {"nightly": flow("close", "more")},
    }
