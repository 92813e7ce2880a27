"""Where the observed service and the documented one part: one switch a difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Profile:
    """The switches that the tenant, the authentication service and the wire consult.

    Each names the row of the facts that it comes from.
    """

    name: str
    duplicate_status: int  # B37
    notifications_auto_created: bool  # A5
    max_integrations: int  # B40
    unauthenticated_status: Literal[401, 403]  # B39
    put_keeps_schedule_status: bool  # F8: nobody knows; the profiles differ so that a client copes with both
    refresh_issues_new_token: bool  # A7


OBSERVED = Profile(
    name="observed",
    duplicate_status=400,
    notifications_auto_created=True,
    max_integrations=1000,  # a live tenant holds 589
    unauthenticated_status=401,
    put_keeps_schedule_status=True,
    refresh_issues_new_token=False,
)

PROFILES = {profile.name: profile for profile in (OBSERVED,)}
