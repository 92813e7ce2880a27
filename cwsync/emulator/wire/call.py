"""One request of CloudWorks, as its handler needs it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from cwsync.emulator import refusal
from cwsync.emulator.profile import Profile
from cwsync.emulator.refusal import Refusal, Refused
from cwsync.emulator.tenant.world import Page, Person


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks for what, and how; each reading of it refuses what does not fit."""

    profile: Profile
    by: Person
    args: Mapping[str, str]
    query: Mapping[str, Any]
    content_type: str
    raw: bytes

    @property
    def id(self) -> str:
        return self.profile.plain_id(self.args["id"])

    def json(self) -> Any:
        """The body. What is not JSON, or does not say that it is, is refused."""
        self.check_content_type()
        try:
            return json.loads(self.raw, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise refusal.INVALID_BODY() from None

    def check_content_type(self) -> None:
        if not self.content_type.lower().startswith("application/json"):
            raise self.bad("Content-Type")

    def bad(self, name: str) -> Refused:
        return Refusal(400, self.profile.bad_parameter(name))()

    def json_or_none(self) -> Any:
        return self.json() if self.raw.strip() else None

    def page(self) -> Page:
        """Which part of a list is asked for: 25 by default, cut at 250 (facts A2)."""
        order = self.query.get("sortBy", "")
        if "sortBy" in self.query and order not in ("name", "-name"):
            raise self.bad("sortBy")
        mine = self.query.get("myIntegrations", "0")
        if mine not in ("0", "1"):
            raise self.bad("myIntegrations")
        return Page(
            self._number("offset", 0, least=0), self._number("limit", 25, least=1), order, mine == "1"
        )

    def page_of_history(self) -> Page:
        """The same; the page requires both of its parameters."""
        for name in ("offset", "limit") if self.profile.history_needs_paging else ():
            if name not in self.query:
                raise self.bad(name)
        return self.page()

    def _number(self, name: str, default: int, least: int) -> int:
        given = self.query.get(name, str(default))
        if not isinstance(given, str) or re.fullmatch("[0-9]{1,12}", given) is None or int(given) < least:
            raise self.bad(name)
        return int(given)


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")
