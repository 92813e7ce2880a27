"""README.md says what the code says."""

from __future__ import annotations

import re
from typing import get_args

from tools.readme import README, TABLES, refreshed

from cwsync.errors import CODES, Exit
from cwsync.project.models import Region

TEXT = README.read_text(encoding="utf-8")


def test_its_tables_are_those_of_the_code() -> None:
    assert refreshed(TEXT) == TEXT, "run `make readme`"
    for table in TABLES:
        assert f": {table} -->" in TEXT


def test_a_stale_table_would_be_noticed() -> None:
    assert refreshed(TEXT.replace("| CW101 | 1 |", "| CW101 | 2 |")) == TEXT


def test_every_error_code_has_a_line() -> None:
    lines = re.findall(r"^\| (CW\d+) \| (\d+) \| .+ \|$", TEXT, re.MULTILINE)
    assert {code: int(status) for code, status in lines} == {
        code: status.value for code, (status, _) in CODES.items()
    }


def test_every_exit_status_is_explained() -> None:
    listed = re.findall(r"^\| \*\*(\d+)\*\* \|", TEXT, re.MULTILINE)
    assert sorted(map(int, listed)) == sorted(status.value for status in Exit)


def test_every_region_is_named() -> None:
    (line,) = re.findall(r"^Regions: (.+)\.$", TEXT, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", line)) == set(get_args(Region))
