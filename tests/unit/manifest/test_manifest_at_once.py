"""Everything wrong is told at once: one mistake neither hides another nor makes one up.

Each kind has a resource that is right, with each field on a line of its own, and mistakes in each field. What is said
of two mistakes must be what is said of the first and of the second, each alone. Fields that a rule holds against each
other are not tried together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations

import pytest
from unit.manifest.writing import BIGQUERY, MODEL, PROCESS, S3, WORKSPACE, said

LONG = "n" * 129
NEVER: frozenset[frozenset[str]] = frozenset()


@dataclass(frozen=True)
class Story:
    """`lines` by field, each to be filled with the field's value; `mistakes` are values in their place, None for no
    line at all. `beside` is what else there is; `related` are the fields that are held against each other."""

    start: str
    lines: dict[str, str]
    right: dict[str, str]
    mistakes: dict[str, list[str | None]]
    beside: str
    related: frozenset[frozenset[str]] = field(default=NEVER)

    def text(self, *mistakes: tuple[str, str | None]) -> str:
        values: dict[str, str | None] = {**self.right, **dict(mistakes)}
        # A line that is left out leaves an empty one, so that all others stay where they are.
        made = (
            line.format(value) if (value := values[name]) is not None else ""
            for name, line in self.lines.items()
        )
        return "\n".join([self.start, *made, self.beside])

    def alone(self) -> Iterator[tuple[str, str | None]]:
        for name, values in self.mistakes.items():
            for value in values:
                yield name, value


def named(*more: str) -> dict[str, str]:
    return {name: f"    {name}: {{}}" for name in more}


NAMES: list[str | None] = [LONG, "a.b", "''"]
# Fields that do not exist; some are nearly those that do.
OTHERS = dict.fromkeys(("unknown", "nearly"), "{}")
NO_OTHERS = dict.fromkeys(OTHERS, "")


def others(*nearly: str) -> dict[str, list[str | None]]:
    return {"unknown": ["    bogus: 1", "    zzz: [a]"], "nearly": [f"    {name}: 1" for name in nearly]}


def related(*groups: set[str]) -> frozenset[frozenset[str]]:
    return frozenset(frozenset(pair) for group in groups for pair in combinations(sorted(group), 2))


STORIES = {
    "connection": Story(
        "connections:\n  c:\n    type: AmazonS3",
        {
            **named("name", "bucketName", "accessKeyId", "secretAccessKey", "roleArn", "workspaceId", "lifecycle"),
            **OTHERS,
        },
        {
            "name": "C",
            "bucketName": "b",
            "accessKeyId": "{fromEnv: A}",
            "secretAccessKey": "{fromEnv: B}",
            "roleArn": "arn:aws:iam::123475742:role/sampleReadOnly",
            "workspaceId": WORKSPACE,
            "lifecycle": "{preventDestroy: true}",
            **NO_OTHERS,
        },
        {
            "name": NAMES,
            "bucketName": [None, "''", "[a]"],
            "accessKeyId": [None, "abc", "{fromEnv: A, fromFile: b}"],
            "secretAccessKey": ["{fromEnvv: A}", "{}"],
            "workspaceId": ["xyz", "''"],
            "lifecycle": ["{preventDestroy: yes}", "{ignoreChanges: [bucket]}", "[]", "{owner: ''}"],
            **others("bucketname", "roleArn2", "dataset"),
        },
        f"integrations: {{a: {PROCESS}}}",
    ),
    "integration": Story(
        "integrations:\n  i:",
        {
            **named("name", "workspaceId", "modelId", "nuxVisible"),
            "jobs": "    jobs:\n      - import:",
            **{name: f"          {name}: {{}}" for name in ("connection", "file", "actionId", "fileId")},
            "in the job": "{}",
            **OTHERS,
        },
        {
            "name": "I",
            "workspaceId": WORKSPACE,
            "modelId": MODEL,
            "nuxVisible": "true",
            "jobs": "",
            "connection": "s",
            "file": "f",
            "actionId": "112",
            "fileId": "113",
            "in the job": "",
            **NO_OTHERS,
        },
        {
            "name": NAMES,
            "workspaceId": [None, "''", "xyz"],
            "modelId": [None, "[a]"],
            "nuxVisible": ["maybe"],
            "connection": [None, "nobody", "{name: N, id: x}", "w", "[a]"],
            "file": [None, "''", "{a: b}"],
            "actionId": [None, "x"],
            "fileId": [None, "{}"],
            "in the job": ["          bogus: 1", "          tabel: t", "          fil: f"],
            **others("jobss", "processid", "procesId"),
        },
        f"connections: {{s: {{{S3}}}, w: {{{BIGQUERY}}}}}",
        related({"connection", "file"}, {"file", "in the job"}, {"connection", "in the job"}),
    ),
    "schedule": Story(
        "schedules:\n  i:\n    type: hourly",
        {
            **named("integration", "repeatEvery", "fromTime", "toTime", "daysOfWeek", "startDate", "endDate"),
            **named("timezone", "enabled", "name"),
            **OTHERS,
        },
        {
            "integration": "i",
            "repeatEvery": "2",
            "fromTime": "08:00",
            "toTime": "18:00",
            "daysOfWeek": "[1]",
            "startDate": "2030-01-07",
            "endDate": "2030-02-07",
            "timezone": "Greenwich",
            "enabled": "true",
            "name": "S",
            **NO_OTHERS,
        },
        {
            "integration": ["nobody", "[i]", "{name: N, id: x}"],
            "repeatEvery": [None, "0", "30", "x"],
            "fromTime": [None, "25:00", "19:00"],
            "toTime": ["7:61", "07:00"],
            "daysOfWeek": [None, "[]", "[foo]", "[1, 7]"],
            "startDate": [None, "2030-02-30", "2031-01-01"],
            "endDate": ["x", "2029-01-01"],
            "timezone": [None, "Europe/Pariss"],
            "enabled": ["yes"],
            "name": NAMES,
            **others("timezon", "endDat", "time"),
        },
        f"integrations: {{i: {PROCESS}, j: {PROCESS}}}",
        related({"fromTime", "toTime"}, {"startDate", "endDate"}),
    ),
    "notification": Story(
        "notifications:\n  i:",
        {
            **named("integration", "channels"),
            "notify": "    notify:",
            **{name: f"      {name}: {{}}" for name in ("success", "partial_failure", "full_failure")},
            "in notify": "{}",
            **OTHERS,
        },
        {
            "integration": "i",
            "channels": "[email]",
            "notify": "",
            "success": "[alice]",
            "partial_failure": "[alice]",
            "full_failure": "[bob]",
            "in notify": "",
            **NO_OTHERS,
        },
        {
            "integration": ["nobody", "{id: ''}"],
            "channels": [None, "[sms]", "[]"],
            "success": ["[nobody]", "[]", "bob", "[alice, alice]"],
            "partial_failure": ["[alise]", "['']"],
            "full_failure": ["[a, b, c, d, e, f]", "{}"],
            "in notify": ["      sucess: [alice]", "      bogus: [alice]"],
            **others("chanels", "name"),
        },
        f"integrations: {{i: {PROCESS}}}",
        NEVER,
    ),
    "flow": Story(
        "flows:\n  f:",
        {
            **named("name", "lifecycle"),
            "steps": "    steps:",
            "first": "      - integration: {}",
            "second": "      - integration: {}",
            "waits": "        dependsOn: {}",
            "fails": "        onFailure: {}",
            "third": "      - integration: {}",
            "skipped": "        skip: {}",
            "in a step": "{}",
            **OTHERS,
        },
        {
            "name": "F",
            "lifecycle": "{owner: team}",
            "steps": "",
            "first": "a",
            "second": "b",
            "waits": "[a]",
            "fails": "stop",
            "third": "c",
            "skipped": "false",
            "in a step": "",
            **NO_OTHERS,
        },
        {
            "name": NAMES,
            "lifecycle": ["{ignoreChanges: [stepz, name]}", "{preventDestroy: 1}"],
            "first": ["nobody", "[a]", "''"],
            "second": ["a", "somebody"],
            "waits": ["[c]", "[a, a]", "a", "[]"],
            "fails": ["halt", "[]"],
            "third": ["nowhere", "{id: x, name: y}"],
            "skipped": ["maybe"],
            "in a step": ["        bogus: 1", "        dependson: [a]"],
            **others("step", "nam"),
        },
        f"integrations: {{a: {PROCESS}, b: {PROCESS}, c: {PROCESS}}}",
        related({"first", "second", "waits", "third", "in a step"}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", STORIES)
def test_what_is_right_is_right(kind: str) -> None:
    assert said(STORIES[kind].text()) == []


@pytest.mark.parametrize("kind", STORIES)
def test_each_mistake_is_one(kind: str) -> None:
    story = STORIES[kind]
    for mistake in story.alone():
        assert said(story.text(mistake)), mistake


@pytest.mark.parametrize("kind", STORIES)
def test_two_mistakes_are_told_as_each_alone(kind: str) -> None:
    story = STORIES[kind]
    alone = {mistake: {*said(story.text(mistake))} for mistake in story.alone()}
    for one, other in combinations(alone, 2):
        if one[0] != other[0] and frozenset((one[0], other[0])) not in story.related:
            assert {*said(story.text(one, other))} == alone[one] | alone[other], (one, other)


@pytest.mark.parametrize("kind", STORIES)
def test_a_mistake_in_every_field_is_told_in_every_field(kind: str) -> None:
    story = STORIES[kind]
    chosen: list[tuple[str, str | None]] = []
    for name, values in story.mistakes.items():
        if not any(frozenset((name, other)) in story.related for other, _ in chosen):
            chosen.append((name, values[-1]))
    alone = [{*said(story.text(mistake))} for mistake in chosen]
    assert {*said(story.text(*chosen))} == set().union(*alone)
