from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from unit.emulator.service import Json, Service

COMMON = {"name": "every so often", "startDate": "2026-12-01", "timezone": "Europe/Paris"}
SCHEDULES: dict[str, Json] = {
    "daily": {"time": "11:55"},
    "weekly": {"time": "12:45", "daysOfWeek": [0, 6]},
    "hourly": {"repeatEvery": 2, "fromTime": "20:00", "toTime": "23:20", "daysOfWeek": [0, 6]},
    "monthly_specific_day": {"dayOfMonth": 12, "time": "22:00"},
    "monthly_relative_weekday": {"repeatEvery": 2, "dayOfWeek": 3, "time": "12:45"},
}
INVALID = (400, "Invalid Schedule")


def schedule(kind: str = "daily", **more: object) -> Json:
    return {"type": kind, **COMMON, **SCHEDULES[kind], **more}


def body(integration: str, schedule: object) -> Json:
    return {"integrationId": integration, "schedule": schedule}


@pytest.mark.parametrize("kind", SCHEDULES)
def test_reads_back_in_the_list_with_a_status(service: Service, kind: str) -> None:
    identifier = service.integration()
    path = f"/integrations/{identifier}/schedule"
    created = service.ok("POST", path, body(identifier, schedule(kind, endDate="2026-12-31")))
    assert list(created) == ["scheduledIntegration"]
    assert service.listed(identifier)["schedule"] == schedule(kind, endDate="2026-12-31") | {
        "status": "Active"
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {key: value for key, value in schedule(kind).items() if key != missing}
        for kind in SCHEDULES
        for missing in schedule(kind)
    ],
    ids=lambda wrong: f"{wrong.get('type')}-{len(wrong)}",
)
def test_every_type_needs_each_of_its_fields(service: Service, wrong: Json) -> None:
    identifier = service.integration()
    assert service.refused("POST", f"/integrations/{identifier}/schedule", body(identifier, wrong)) == INVALID


@pytest.mark.parametrize(
    "wrong",
    [
        schedule("daily", dayOfMonth=3),
        schedule("weekly", repeatEvery=1),
        schedule("hourly", time="10:00"),
        schedule("monthly_specific_day", daysOfWeek=[1]),
        schedule("monthly_relative_weekday", dayOfMonth=1),
        schedule("daily", status="Active"),
        schedule("daily", name="x" * 129),
        schedule("daily", time="24:00"),
        schedule("daily", time="9:05"),
        schedule("daily", time=765),
        schedule("daily", startDate="2027-02-30"),
        schedule("daily", startDate="1 December"),
        schedule("daily", startDate="2026-11-22"),
        schedule("daily", endDate="2026-11-30"),
        schedule("daily", timezone="Europe/Atlantis"),
        schedule("daily", timezone="Europe"),
        schedule("daily", timezone="../etc/passwd"),
        schedule("weekly", daysOfWeek=[]),
        schedule("weekly", daysOfWeek=[7]),
        schedule("weekly", daysOfWeek=[1, 1]),
        schedule("weekly", daysOfWeek=[True]),
        schedule("weekly", daysOfWeek="sun"),
        schedule("monthly_specific_day", dayOfMonth=0),
        schedule("monthly_specific_day", dayOfMonth=32),
        schedule("monthly_relative_weekday", repeatEvery=6),
        schedule("monthly_relative_weekday", dayOfWeek=[3]),
        schedule("daily") | {"type": "yearly"},
        schedule("daily") | {"type": ["daily"]},
    ],
)
def test_every_type_takes_no_more_and_nothing_else(service: Service, wrong: Json) -> None:
    identifier = service.integration()
    assert service.refused("POST", f"/integrations/{identifier}/schedule", body(identifier, wrong)) == INVALID
    assert "schedule" not in service.listed(identifier)


@pytest.mark.parametrize(
    ("zone", "time", "status"),
    [
        ("Greenwich", "12:01", 200),
        ("Greenwich", "12:00", 400),
        ("America/New_York", "07:30", 200),
        ("Asia/Kolkata", "17:00", 400),
    ],
)
def test_today_is_allowed_while_its_time_is_to_come_there(
    service: Service, zone: str, time: str, status: int
) -> None:
    identifier = service.integration()
    today = datetime.fromtimestamp(service.clock.now, ZoneInfo(zone)).date().isoformat()
    path = f"/integrations/{identifier}/schedule"
    sent = body(identifier, schedule("daily", startDate=today, time=time, timezone=zone))
    assert service.call("POST", path, sent).status_code == status


def test_the_body_repeats_the_integrations_id(service: Service) -> None:
    identifier, other = service.integration("One"), service.integration("Two")
    path = f"/integrations/{identifier}/schedule"
    wrong = (400, "Invalid value for integration_id")
    service.ok("POST", path, body(identifier, schedule()))
    for method in ("POST", "PUT"):
        assert service.refused(method, path, {"schedule": schedule()}) == wrong
        assert service.refused(method, path, body(other, schedule())) == wrong
        assert service.refused(method, path, schedule()) == (400, "Invalid request body")
        assert service.refused(method, path, body(identifier, None)) == (400, "Invalid request body")


def test_there_is_one_schedule_which_put_replaces(service: Service) -> None:
    identifier = service.integration()
    path = f"/integrations/{identifier}/schedule"
    assert service.refused("PUT", path, body(identifier, schedule())) == (404, "Resource not found")
    service.ok("POST", path, body(identifier, schedule()))
    single = (400, "Only a single schedule is supported per integration")
    assert service.refused("POST", path, body(identifier, schedule("weekly"))) == single
    service.ok("PUT", path, body(identifier, schedule("weekly")))
    assert service.listed(identifier)["schedule"]["type"] == "weekly"
    assert service.listed(identifier)["modifiedBy"] is None


def test_status_is_set_by_words_and_read_as_others(service: Service) -> None:
    identifier = service.integration()
    path = f"/integrations/{identifier}/schedule"
    assert service.refused("POST", f"{path}/status/disabled") == (404, "Resource not found")
    service.ok("POST", path, body(identifier, schedule()))
    service.ok("POST", f"{path}/status/disabled")
    assert service.listed(identifier)["schedule"]["status"] == "Inactive"
    service.ok("PUT", path, body(identifier, schedule("weekly")))
    assert service.listed(identifier)["schedule"]["status"] == "Inactive"
    service.ok("POST", f"{path}/status/enabled")
    assert service.listed(identifier)["schedule"]["status"] == "Active"
    assert service.refused("POST", f"{path}/status/Inactive") == (400, "Invalid value for status")


def test_a_deleted_schedule_is_gone(service: Service) -> None:
    identifier = service.integration()
    path = f"/integrations/{identifier}/schedule"
    service.ok("POST", path, body(identifier, schedule()))
    service.ok("DELETE", path)
    assert "schedule" not in service.listed(identifier)
    assert service.refused("DELETE", path) == (404, "Resource not found")


def test_editing_the_integration_keeps_its_schedule(service: Service) -> None:
    identifier = service.integration("Close")
    service.ok("POST", f"/integrations/{identifier}/schedule", body(identifier, schedule()))
    detail = service.ok("GET", f"/integrations/{identifier}")["integration"]
    changed = {key: detail[key] for key in ("version", "workspaceId", "modelId", "processId")} | {
        "name": "Renamed"
    }
    service.ok("PUT", f"/integrations/{identifier}", changed)
    assert service.listed(identifier)["schedule"]["type"] == "daily"
