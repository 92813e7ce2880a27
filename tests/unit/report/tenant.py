"""A small tenant and project, from which the real planner makes the plans that are reported."""

from __future__ import annotations

from collections.abc import Mapping

from cwsync.errors import Place
from cwsync.kinds import Desired, Fields, Observed, Ref, Snapshot, TypeOf
from cwsync.plan import Plan, make_plan
from cwsync.project import Guards
from cwsync.secret import SecretSource
from cwsync.state import Entry, State

LAKE_ID, ACCOUNTS_ID, OLD_ID = "1" * 32, "2" * 32, "3" * 32
LAKE: Fields = {
    "type": "AzureBlob",
    "name": "Lake",
    "storageAccountName": "mylake",
    "containerName": "landing",
}
S3: Fields = {"type": "AmazonS3", "name": "Sales S3", "bucketName": "sales-landing"}
OLD: Fields = {"type": "AmazonS3", "name": "Old", "bucketName": "old"}


def ref(address: str) -> Ref:
    return Ref(address.partition(".")[0], address=address)


def accounts(connection: Ref | str, kind: TypeOf | str, **more: bool) -> Fields:
    end: Fields = {"type": kind, "connection": connection, "actionId": "112", "fileId": "113"}
    return {"name": "Accounts", "nuxVisible": False, "jobs": [{"import": {**end}}], **more}


def declared(address: str, fields: Fields, line: int = 3, secrets: tuple[str, ...] = ()) -> Desired:
    kind, _, key = address.partition(".")
    file = f"manifests/{kind}s.yaml"
    return Desired(
        address,
        kind,
        key,
        str(fields.get("name", "")),
        fields,
        secrets={name: SecretSource(fromEnv="NAME") for name in secrets},
        place=Place(file, line, 3),
        locate=lambda _path: Place(file, line + 1, 5),
    )


def observed(address: str, id: str, fields: Fields, by: str | None = None) -> Observed:
    kind = address.partition(".")[0]
    at = "2026-11-03T10:22:31Z" if by else None
    return Observed(
        kind,
        id,
        str(fields["name"]),
        fields,
        type=str(fields.get("type")),
        modified_by=by,
        modified_at=at,
    )


def snapshot(*found: Observed, unread: Mapping[str, str] | None = None) -> Snapshot:
    objects: dict[str, dict[str, Observed]] = {"connection": {}, "integration": {}}
    for one in found:
        objects[one.kind][one.id] = one
    return Snapshot(objects, unread=unread or {}, today="2026-11-21", calls=4, seconds=0.25)


def state(*entries: tuple[str, str, Fields]) -> State:
    made = {
        address: Entry(address.partition(".")[0], id, str(fields["name"]), fields)  # type: ignore[arg-type] # no reference in them
        for address, id, fields in entries
    }
    return State("lineage", tenant="acme", resources=made)


def plan_of(
    desired: tuple[Desired, ...],
    known: State,
    live: Snapshot,
    *,
    secrets: Mapping[str, Mapping[str, str]] | None = None,
    guards: Guards | None = None,
) -> Plan:
    by_address = {one.address: one for one in desired}
    return make_plan(
        by_address,
        known,
        live,
        environment="prod",
        tenant="acme",
        guards=guards or Guards(),
        secrets=secrets,
    )


def busy_plan(guards: Guards | None = None) -> Plan:
    """A creation, two changes (one of them also drifted) and a deletion."""
    s3 = ref("connection.sales-s3")
    return plan_of(
        (
            declared("connection.lake", {**LAKE, "containerName": "landing2"}, secrets=("sasToken",)),
            declared("connection.sales-s3", S3, 8, secrets=("accessKeyId", "secretAccessKey")),
            declared("integration.accounts", accounts(s3, TypeOf(s3))),
        ),
        state(
            ("connection.lake", LAKE_ID, LAKE),
            ("connection.old", OLD_ID, OLD),
            ("integration.accounts", ACCOUNTS_ID, accounts(LAKE_ID, "AzureBlob")),
        ),
        snapshot(
            observed("connection.lake", LAKE_ID, LAKE),
            observed("connection.old", OLD_ID, OLD),
            observed("connection.other", "9" * 32, {**OLD, "name": "Someone's"}),
            observed(
                "integration.accounts",
                ACCOUNTS_ID,
                accounts(LAKE_ID, "AzureBlob", nuxVisible=True),
                by="jane@example.com",
            ),
        ),
        secrets={"connection.lake": {"sasToken": "changed"}},
        guards=guards,
    )


def settled_plan() -> Plan:
    """Nothing to do."""
    return plan_of(
        (declared("connection.lake", LAKE),),
        state(("connection.lake", LAKE_ID, LAKE)),
        snapshot(observed("connection.lake", LAKE_ID, LAKE)),
    )
