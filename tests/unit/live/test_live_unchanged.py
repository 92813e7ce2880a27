"""Which modification dates tell the version that was read from every later one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cwsync.live.wire import version_of

NOON = datetime(2026, 3, 18, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "date",
    [
        "2026-03-18T11:59:59.000Z",
        "2026-03-18T11:59:59.000+0000",
        "2026-03-18T12:59:59.000+01:00",
        "2026-03-18T11:59:59.999Z",
        "2020-09-29T01:31:16.000Z",
    ],
)
def test_a_date_that_a_later_change_cannot_have_tells_the_version(date: str) -> None:
    assert version_of(date, NOON) == date


@pytest.mark.parametrize(
    ("date", "why"),
    [
        ("2026-03-18T12:00:00.000Z", "a change in the same second would keep it"),
        ("2026-03-18T12:00:05.000Z", "the service's clocks disagree"),
        ("2026-03-18T11:59:59", "which zone it is in is not told"),
        ("yesterday", "it is no date"),
        (None, "there is none"),
    ],
)
def test_any_other_date_tells_nothing(date: str | None, why: str) -> None:
    assert version_of(date, NOON) is None, why


def test_nothing_is_known_before_the_service_has_told_its_time() -> None:
    assert version_of("2020-09-29T01:31:16.000Z", None) is None
