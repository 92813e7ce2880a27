"""Every rule that is checked offline: its code, its place, its words, and a way out."""

from __future__ import annotations

import pytest
from unit.manifest.writing import (
    ALICE,
    BIGQUERY,
    DAILY,
    HOURLY,
    PROCESS,
    S3,
    WHERE,
    exports,
    imports,
    loaded,
    only,
    problems,
    said,
)

from cwsync.errors import Problem

BASE = f"connections: {{s: {{{S3}}}, w: {{{BIGQUERY}}}}}\n"


def _connection(fields: str) -> str:
    return f"connections: {{a: {{{fields}}}}}"


def _integration(body: str) -> str:
    return f"{BASE}integrations: {{i: {body}}}"


def _schedule(fields: str) -> str:
    return f"integrations: {{i: {PROCESS}}}\nschedules: {{i: {{{fields}}}}}"


def _notification(fields: str) -> str:
    return f"integrations: {{i: {PROCESS}}}\nnotifications: {{i: {{{fields}}}}}"


def _flow(steps: str) -> str:
    return f"integrations: {{a: {PROCESS}, b: {PROCESS}, c: {PROCESS}}}\nflows: {{f: {{steps: [{steps}]}}}}"


# One fault each: the manifest, what stands where it is, the code, the beginning of the message, a part of the hint.
FAULTS: dict[str, tuple[str, str, str, str, str | None]] = {
    "section": ("integration: {}", "integration: {", "CW201", "unknown section integration", "integrations?"),
    "section of nothing alike": (
        "zzz: {}",
        "zzz: {",
        "CW201",
        "unknown section zzz",
        "connections, integrations",
    ),
    "change list": ("move: []", "move: [", "CW201", "unknown section move", "did you mean moved?"),
    "section that is a list": ("flows: []", "[]", "CW203", "flows is a mapping from keys", None),
    "resource that is a text": ("flows: {f: x}", "x", "CW203", "flow.f is a mapping of fields", None),
    "resource that is nothing": ("flows:\n  f:\n", "", "CW203", "flow.f is a mapping of fields", None),
    "file that is a list": ("- a", "- a", "CW203", "a manifest is a mapping with the sections", None),
    "key": (
        "flows: {A B: {}}",
        "A B: {",
        "CW206",
        "'A B' cannot be a key",
        "write a-b, and the name as `name: A B`",
    ),
    "key that begins with a hyphen": ("flows: {-a: {}}", "-a: {", "CW206", "'-a' cannot be a key", "write a"),
    "field": (
        _connection(f"{S3}, roleARN: x"),
        "roleARN: x",
        "CW201",
        "'roleARN' is not a field here",
        "'roleArn'",
    ),
    "field of another type": (
        _connection(f"{S3}, dataset: x"),
        "dataset: x",
        "CW201",
        "'dataset' is a field of GoogleBigQuery, not of AmazonS3",
        "the fields of AmazonS3 are",
    ),
    "missing field": (
        _connection("type: AmazonS3, accessKeyId: {fromEnv: A}, secretAccessKey: {fromEnv: B}"),
        "{type: AmazonS",
        "CW202",
        "'bucketName' is required",
        "for example bucketName: sales-landing",
    ),
    "missing type": (
        _connection("bucketName: x"),
        "{bucketName: x",
        "CW202",
        "'type' is required",
        "AmazonS3, GoogleBigQuery",
    ),
    "type": (
        _connection("type: AmazonS4"),
        "AmazonS4",
        "CW203",
        "'type' cannot be 'AmazonS4'",
        "did you mean 'AmazonS3'?",
    ),
    "empty text": (
        _connection(S3.replace("bucketName: b", "bucketName: ''")),
        "'', accessKeyI",
        "CW203",
        "'bucketName' must not be empty",
        None,
    ),
    "nothing": (
        _connection(S3.replace("bucketName: b", "bucketName: ")),
        "",
        "CW203",
        "'bucketName' is empty; it must be a text",
        None,
    ),
    "spaces": (
        _connection(S3.replace("bucketName: b", "bucketName: ' b'")),
        "' b', accessKe",
        "CW203",
        "the text begins or ends with a space",
        None,
    ),
    "only spaces": (
        _connection(S3.replace("bucketName: b", "bucketName: ' '")),
        "' ', accessKey",
        "CW203",
        "the text begins or ends with a space",
        None,
    ),
    "control character": (
        _connection(S3.replace("bucketName: b", r'bucketName: "a\x07"')),
        '"a\\x07"',
        "CW203",
        "the text holds a character that cannot be shown, U+0007",
        None,
    ),
    "list for a text": (
        _connection(S3.replace("bucketName: b", "bucketName: [b]")),
        "[b]",
        "CW203",
        "'bucketName' must be a text, not a list",
        None,
    ),
    "text for a flag": (
        _integration(PROCESS.replace("processId", "nuxVisible: yes, processId")),
        "yes",
        "CW203",
        "'nuxVisible' must be true, not 'yes'",
        None,
    ),
    "ignored field": (
        _connection(f"{S3}, lifecycle: {{ignoreChanges: [bucket]}}"),
        "bucket",
        "CW201",
        "connection.a has no field bucket whose changes could be ignored",
        "did you mean bucketName?",
    ),
    "ignored field of another type": (
        _connection(f"{S3}, lifecycle: {{ignoreChanges: [dataset]}}"),
        "dataset",
        "CW201",
        "connection.a has no field dataset",
        "the fields are accessKeyId, bucketName",
    ),
    "ignored type": (
        _connection(f"{S3}, lifecycle: {{ignoreChanges: [type]}}"),
        "type",
        "CW201",
        "connection.a has no field type whose changes could be ignored",
        None,
    ),
    "secret written out": (
        _connection("type: AmazonS3, bucketName: b, accessKeyId: needle, secretAccessKey: {fromEnv: B}"),
        "needle",
        "CW121",
        "'accessKeyId' is a secret, and is written out here",
        "fromEnv",
    ),
    "secret from two places": (
        _connection(
            "type: AzureBlob, storageAccountName: s, containerName: c, sasToken: {fromEnv: A, fromFile: b}"
        ),
        "{fromEnv: A",
        "CW203",
        "'sasToken'",
        None,
    ),
    "long name": (
        _connection(f"{S3}, name: {'x' * 61}"),
        "xxxxxxxxxxxxxx",
        "CW210",
        "the name has 61 characters, and CloudWorks allows 60",
        "shorter",
    ),
    "long key": (
        f"connections: {{{'x' * 61}: {{{S3}}}}}",
        "xxxxxxxxxxxxxx",
        "CW210",
        "the name has 61 characters",
        "shorter",
    ),
    "long schedule name": (
        _schedule(f"{DAILY}, name: {'x' * 129}"),
        "xxxxxxxxxxxxxx",
        "CW210",
        "the name has 129 characters, and CloudWorks allows 128",
        None,
    ),
    "empty name": (_connection(f"{S3}, name: ''"), "''", "CW210", "the name is empty", None),
    "name with spaces around": (
        _connection(f"{S3}, name: ' x '"),
        "' x '",
        "CW210",
        "the name begins or ends with a space",
        None,
    ),
    "name of two lines": (
        _connection(f'{S3}, name: "a\\nb"'),
        '"a\\nb"',
        "CW210",
        "the name holds a character that cannot be shown",
        None,
    ),
    "same name": (
        f"connections: {{a: {{{S3}, name: Sales}}, b: {{{S3}, name: sALES}}}}",
        "sALES",
        "CW211",
        'connection.b has the name "sALES", as connection.a at 1.yaml:1:15 has',
        None,
    ),
    "name like a key": (
        f"connections: {{a: {{{S3}}}, b: {{{S3}, name: A}}}}",
        "A",
        "CW211",
        'connection.b has the name "A"',
        None,
    ),
    "no job": (
        _integration(f"{{{WHERE}}}"),
        "i: {workspaceI",
        "CW220",
        "an import or export integration has exactly one job, and this has none",
        "processId",
    ),
    "two jobs": (
        _integration(
            imports("connection: s, file: f").replace(
                "}}]", "}}, {import: {connection: s, file: f, actionId: 1, fileId: 2}}]"
            )
        ),
        "[{import: {act",
        "CW220",
        "an import or export integration has exactly one job, and this has 2",
        "split it",
    ),
    "empty job": (
        _integration(f"{{{WHERE}, jobs: [{{}}]}}"),
        "{}]}}",
        "CW220",
        "a job is either an import or an export",
        None,
    ),
    "file of a table": (
        _integration(imports("connection: w, file: f")),
        "import: {actio",
        "CW221",
        "connection.w is a connection of type GoogleBigQuery, so the import names a table",
        None,
    ),
    "table of a file": (
        _integration(imports("connection: s, table: t")),
        "import: {actio",
        "CW221",
        "connection.s is a connection of type AmazonS3, so the import names a file",
        None,
    ),
    "file and table": (
        _integration(imports("connection: s, file: f, table: t")),
        "t",
        "CW221",
        "connection.s is a connection of type AmazonS3, so the import has no table",
        None,
    ),
    "no file": (
        _integration(imports("connection: s")),
        "import: {actio",
        "CW221",
        "connection.s is a connection of type AmazonS3, so the import names a file",
        None,
    ),
    "no mapping": (
        _integration(exports("connection: w, table: t")),
        "export: {actio",
        "CW221",
        "connection.w is a connection of type GoogleBigQuery, so the export needs a mapping",
        None,
    ),
    "mapping of a file": (
        _integration(exports("connection: s, file: f, mapping: {a: b}")),
        "{a: b}}}]}}",
        "CW221",
        "connection.s is a connection of type AmazonS3, so the export has no mapping",
        None,
    ),
    "empty mapping": (
        _integration(exports("connection: w, table: t, mapping: {}")),
        "{}}}]}}",
        "CW203",
        "'mapping' must not be empty",
        None,
    ),
    "both for what is not managed": (
        _integration(imports("connection: {name: T}, file: f, table: t")),
        "f",
        "CW221",
        "the import names either a file (S3, Azure) or a table (BigQuery)",
        None,
    ),
    "neither for what is not managed": (
        _integration(imports("connection: {name: T}")),
        "import: {actio",
        "CW221",
        "the import names either a file (S3, Azure) or a table (BigQuery)",
        None,
    ),
    "table without a mapping for what is not managed": (
        _integration(exports("connection: {id: x}, table: t")),
        "export: {actio",
        "CW221",
        "an export into a table, and no other, needs a mapping of columns",
        None,
    ),
    "action that is no number": (
        _integration(imports("connection: s, file: f").replace("112", "Load")),
        "Load",
        "CW203",
        "'Load' is not a number of the model",
        "such as 112000000005",
    ),
    "other workspace": (
        f"connections: {{s: {{{S3}, workspaceId: {'1' * 32}}}}}\n"
        f"integrations: {{i: {imports('connection: s, file: f')}}}",
        "s",
        "CW260",
        f"connection.s is bound to workspace {'1' * 32}, and integration.i is in 8a81b09d",
        None,
    ),
    "reference": (
        _integration(imports("connection: x, file: f")),
        "x",
        "CW204",
        "integration.i refers to connection.x, which no manifest declares",
        "declare it under connections, or write {name: …}",
    ),
    "reference nearly right": (
        f"connections: {{sales-s3: {{{S3}}}}}\nintegrations: {{i: {imports('connection: sales-s4, file: f')}}}",
        "sales-s4",
        "CW204",
        "integration.i refers to connection.sales-s4",
        "did you mean sales-s3?",
    ),
    "reference to another kind": (
        f"integrations: {{i: {imports('connection: load, file: f')}, load: {PROCESS}}}",
        "load",
        "CW204",
        "integration.i refers to connection.load, which no manifest declares",
        "integration.load is declared, and a connection is needed here",
    ),
    "reference by address": (
        _integration(imports("connection: connection.s, file: f")),
        "connection.s",
        "CW204",
        "integration.i refers to connection.connection.s",
        "write the key alone: s",
    ),
    "reference by nothing": (
        _integration(imports("connection: {}, file: f")),
        "{}",
        "CW203",
        "give either name or id of the unmanaged object",
        None,
    ),
    "reference by both": (
        _integration(imports("connection: {name: a, id: b}, file: f")),
        "{name: a",
        "CW203",
        "give either name or id",
        None,
    ),
    "reference by an empty name": (
        _integration(imports("connection: {name: ''}, file: f")),
        "''}, file: f",
        "CW203",
        "'name' must not be empty",
        None,
    ),
    "schedule of nothing": (
        f"schedules: {{x: {{{DAILY}}}}}",
        "x: {type: dail",
        "CW204",
        "schedule.x refers to integration.x, which no manifest declares",
        None,
    ),
    "unknown type": (_schedule("type: monthly"), "monthly", "CW203", "'type' cannot be 'monthly'", "one of"),
    "calendar of another type": (
        _schedule(f"{DAILY}, dayOfMonth: 3"),
        "dayOfMonth: 3",
        "CW230",
        "'dayOfMonth' is a field of monthly_specific_day, not of daily",
        "the fields of daily are name, lifecycle, integration, startDate, endDate, timezone, enabled, type, time, ",
    ),
    "missing calendar": (
        _schedule(DAILY.replace("daily", "weekly")),
        "{type: weekly",
        "CW202",
        "'daysOfWeek' is required",
        None,
    ),
    "time": (
        _schedule(DAILY.replace("12:45", "24:00")),
        "24:00",
        "CW230",
        "24:00 is not a time of day: write HH:MM",
        None,
    ),
    "time of one digit": (
        _schedule(DAILY.replace("12:45", "8:00")),
        "8:00",
        "CW230",
        "8:00 is not a time of day",
        None,
    ),
    "date": (
        _schedule(DAILY.replace("2030-01-07", "2030-02-30")),
        "2030-02-30",
        "CW230",
        "2030-02-30 is not a day of the calendar",
        None,
    ),
    "date of another form": (
        _schedule(DAILY.replace("2030-01-07", "20300107")),
        "20300107",
        "CW230",
        "20300107 is not a day of the calendar",
        None,
    ),
    "weekday": (
        _schedule(f"{DAILY}, daysOfWeek: [mon, tues]"),
        "tues",
        "CW203",
        "not a day of the week: use one of sun, mon",
        None,
    ),
    "weekday number": (
        _schedule(f"{DAILY}, daysOfWeek: [7]"),
        "7",
        "CW203",
        "item 1 of 'daysOfWeek' must be at most 6",
        None,
    ),
    "no weekday": (
        _schedule(f"{DAILY}, daysOfWeek: []"),
        "[]}}",
        "CW203",
        "'daysOfWeek' must not be empty",
        None,
    ),
    "weekday alone": (
        _schedule(f"{DAILY}, daysOfWeek: mon"),
        "mon",
        "CW203",
        "'daysOfWeek' must be a list, not a text",
        None,
    ),
    "day of month": (
        _schedule(DAILY.replace("daily", "monthly_specific_day") + ", dayOfMonth: 32"),
        "32",
        "CW203",
        "'dayOfMonth' must be at most 31",
        None,
    ),
    "fifth week and more": (
        _schedule(DAILY.replace("daily", "monthly_relative_weekday") + ", dayOfWeek: 1, repeatEvery: 6"),
        "6",
        "CW203",
        "'repeatEvery' must be at most 5",
        None,
    ),
    "hours backwards": (
        _schedule(HOURLY.replace("08:00", "18:30")),
        "18:00",
        "CW230",
        "toTime 18:00 is not after fromTime 18:30",
        None,
    ),
    "time zone": (
        _schedule(DAILY.replace("Greenwich", "Europe/Pariss")),
        "Europe/Pariss",
        "CW231",
        "Europe/Pariss is not a time zone",
        "did you mean Europe/Paris?",
    ),
    "time zone of nowhere": (
        _schedule(DAILY.replace("Greenwich", "../etc/passwd")),
        "../etc/passwd",
        "CW231",
        "../etc/passwd is not a time zone",
        "use a name such as Europe/Paris",
    ),
    "end before start": (
        _schedule(f"{DAILY}, endDate: 2030-01-06"),
        "2030-01-06",
        "CW232",
        "it ends on 2030-01-06, before it starts on 2030-01-07",
        None,
    ),
    "second schedule": (
        f"integrations: {{i: {PROCESS}}}\nschedules: {{i: {{{DAILY}}}, j: {{integration: i, {DAILY}}}}}",
        "i",
        "CW233",
        "integration.i has a schedule already: schedule.i at 1.yaml:2:13",
        None,
    ),
    "nobody": (
        _notification("channels: [email], notify: {}"),
        "{}}}",
        "CW240",
        "nobody is notified: name users under success, partial_failure, full_failure",
        None,
    ),
    "no user": (
        _notification("channels: [email], notify: {success: []}"),
        "[]}}}",
        "CW240",
        "success names no users, and CloudWorks takes 1 to 5",
        None,
    ),
    "six users": (
        _notification(
            "channels: [email], notify: {success: [" + ", ".join(f"{n}" * 32 for n in range(6)) + "]}"
        ),
        "[0000000000000",
        "CW240",
        "success names 6 users, and CloudWorks takes 1 to 5",
        None,
    ),
    "user twice": (
        _notification("channels: [email], notify: {success: [alice, alice]}"),
        "alice",
        "CW240",
        "alice is named already",
        None,
    ),
    "user twice by another name": (
        _notification(f"channels: [email], notify: {{success: [alice, {ALICE.upper()}]}}"),
        "2C9BA1B6729B7F",
        "CW240",
        f"{ALICE.upper()} is named already, as alice",
        None,
    ),
    "unknown user": (
        _notification("channels: [email], notify: {success: [alicia]}"),
        "alicia",
        "CW204",
        "alicia is neither a user of cwsync.yaml nor a user's GUID",
        "did you mean alice?",
    ),
    "user alone": (
        _notification("channels: [email], notify: {success: alice}"),
        "alice",
        "CW203",
        "'success' must be a list, not a text",
        None,
    ),
    "outcome": (
        _notification("channels: [email], notify: {partial_success: [bob]}"),
        "partial_succes",
        "CW201",
        "'partial_success' is not a field here",
        None,
    ),
    "channel": (
        _notification("channels: [e-mail], notify: {success: [bob]}"),
        "e-mail",
        "CW203",
        "item 1 of 'channels' cannot be 'e-mail'",
        "did you mean 'email'?",
    ),
    "no channel": (
        _notification("channels: [], notify: {success: [bob]}"),
        "[]",
        "CW203",
        "'channels' must not be empty",
        None,
    ),
    "one step": (
        _flow("{integration: a}"),
        "[{integration:",
        "CW203",
        "'steps' has 1 item; at least 2 are needed",
        None,
    ),
    "one step that runs": (
        _flow("{integration: a}, {integration: b, skip: true}"),
        "[{integration:",
        "CW250",
        "a flow has two steps or more that are not skipped",
        None,
    ),
    "step twice": (
        _flow("{integration: a}, {integration: b}, {integration: a}"),
        "a",
        "CW250",
        "a is a step of this flow already",
        "steps are told apart by it",
    ),
    "later step": (
        _flow("{integration: a, dependsOn: [b]}, {integration: b}"),
        "b",
        "CW250",
        "b is not an earlier step of this flow",
        None,
    ),
    "its own step": (
        _flow("{integration: a}, {integration: b, dependsOn: [b]}"),
        "b",
        "CW250",
        "b is not an earlier step of this flow",
        None,
    ),
    "step of another flow": (
        _flow("{integration: a}, {integration: b, dependsOn: [c]}"),
        "c",
        "CW250",
        "c is not an earlier step of this flow",
        None,
    ),
    "twice before": (
        _flow("{integration: a}, {integration: b, dependsOn: [a, a]}"),
        "a",
        "CW250",
        "a is named twice",
        None,
    ),
    "outcome of a step": (
        _flow("{integration: a, onFailure: halt}, {integration: b}"),
        "halt",
        "CW203",
        "'onFailure' cannot be 'halt'",
        "one of stop, continue",
    ),
}


def _stands_at(text: str, one: Problem) -> str:
    assert one.place is not None
    assert one.place.file == "1.yaml"
    return text.splitlines()[one.place.line - 1][one.place.column - 1 :]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_where_it_is(fault: str) -> None:
    text, place, code, message, hint = FAULTS[fault]
    found = [one for one in problems(text) if one.severity == "error"]
    first = found[0]
    assert {one.code for one in found} == {code}, said(text)
    assert _stands_at(text, first).startswith(place), said(text)
    assert first.message.startswith(message)
    if hint is not None:
        assert hint in (first.hint or "")
    assert "needle" not in repr(found)


WARNINGS = {
    "name with a dot": (
        _connection(f"{S3}, name: a.b"),
        "a.b",
        "CW210",
        "CloudWorks' own screens only allow",
    ),
    "id that is cut off": (
        _integration(PROCESS.replace("8a81b09d5e8c6f27015ece3402487d33", "8a81b09d")),
        "8a81b09d",
        "CW203",
        "workspaceId '8a81b09d' is not an id of 32 hexadecimal digits",
    ),
    "more than a day": (
        _schedule(HOURLY.replace("repeatEvery: 2", "repeatEvery: 25")),
        "25",
        "CW230",
        "every 25 hours is less than once a day",
    ),
    "waiting for none": (
        _flow("{integration: a}, {integration: b, dependsOn: []}"),
        "[]}]}}",
        "CW250",
        "a step that waits for none: CloudWorks takes such a flow",
    ),
}


@pytest.mark.parametrize("doubt", WARNINGS)
def test_what_may_be_meant_is_a_warning(doubt: str) -> None:
    text, place, code, message = WARNINGS[doubt]
    (warning,) = loaded(text).warnings
    assert (warning.severity, warning.code) == ("warning", code)
    assert _stands_at(text, warning).startswith(place)
    assert warning.message.startswith(message)


def test_a_very_long_flow_is_worth_a_look() -> None:
    many = ", ".join(f"i{number}: {PROCESS}" for number in range(101))
    steps = ", ".join(f"{{integration: i{number}}}" for number in range(101))
    warning = only(f"integrations: {{{many}}}\nflows: {{f: {{steps: [{steps}]}}}}")
    assert (warning.code, warning.severity) == ("CW250", "warning")


VALID = {
    "60 characters": _connection(f"{S3}, name: {'x' * 60}"),
    "128 characters": _schedule(f"{DAILY}, name: {'x' * 128}"),
    "a number as a name": _connection(f"{S3}, name: 007"),
    "five users": _notification(
        "channels: [email], notify: {success: [" + ", ".join(f"{n}" * 32 for n in range(5)) + "]}"
    ),
    "a user in two lists": _notification("channels: [email], notify: {success: [bob], full_failure: [bob]}"),
    "a process with jobs": _integration(imports("connection: s, file: f", ", processId: 118")),
    "a leap day": _schedule(DAILY.replace("2030-01-07", "2032-02-29")),
    "a day's full name": _schedule(f"{DAILY}, daysOfWeek: [Sunday, MON, 6]"),
    "one day twice": _schedule(f"{DAILY}, daysOfWeek: [sun, 0]"),
    "the same day": _schedule(f"{DAILY}, endDate: 2030-01-07"),
    "the same workspace in another spelling": (
        f"connections: {{s: {{{S3}, workspaceId: 8A81B09D-5E8C-6F27-015E-CE3402487D33}}}}\n"
        f"integrations: {{i: {imports('connection: s, file: f')}}}"
    ),
    "an unmanaged connection by its name": _integration(imports("connection: {name: Theirs}, file: f")),
    "an unmanaged table by its id": _integration(exports("connection: {id: x}, table: t, mapping: {a: b}")),
    "an unmanaged integration": f"schedules: {{x: {{integration: {{name: T}}, {DAILY}}}}}",
    "names that two kinds share": f"connections: {{x: {{{S3}}}}}\nintegrations: {{x: {PROCESS}}}",
    "names that two schedules share": (
        f"integrations: {{i: {PROCESS}, j: {PROCESS}}}\n"
        f"schedules: {{i: {{{DAILY}, name: x}}, j: {{{DAILY}, name: X}}}}"
    ),
}


@pytest.mark.parametrize("case", VALID)
def test_what_is_allowed_is_not_complained_about(case: str) -> None:
    assert said(VALID[case]) == []
