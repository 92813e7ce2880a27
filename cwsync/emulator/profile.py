"""Where the service as live clients saw it and as the vendor's page describes it part: a switch a difference."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from cwsync.emulator import documented, refusal
from cwsync.emulator.refusal import Refusal
from cwsync.emulator.store import Document


@dataclass(frozen=True, slots=True)
class Profile:
    """The switches that the tenant, the authentication service and the wire consult.

    Each names the row of the facts that it comes from; "page" is the vendor's page, read to the letter.
    Where nobody knows what the service does (facts F), the two differ so that a client copes with both.
    """

    name: str
    # What is refused, and in which words.
    duplicate: Refusal  # B37
    deleting_what_runs: Refusal  # B38
    no_token: Refusal  # B39
    no_role: Refusal  # B39
    no_role_for_schedules_and_dumps: Refusal  # B39
    bad_parameter: Callable[[str], str]  # D: what is said of a parameter or a header, by its name
    # What is asked of a request.
    content_type_always: bool  # page: a required header of every call, GET and DELETE among them
    history_needs_paging: bool  # page: offset and limit are required there
    connections_paged: bool  # A1; page: no parameters
    largest_page: int | None  # A2
    plain_id: Callable[[str], str]  # B25: an id of a path or a body, as it is kept
    azure_put_needs_method: bool  # B2
    bigquery_edits: bool  # E1: whether BigQuery connections take PUT, and PATCH of more than the name
    partial_success: tuple[str, ...]  # B11: the words to write; the first one is read
    later_steps_say_what_they_wait_for: bool  # B14
    text_for_flags: bool  # B15
    weekday_in_a_list_will_do: bool  # B18, B19
    # What is done.
    notifications_auto_created: bool  # A5
    put_merges_notification: bool  # F6: unknown
    put_keeps_schedule_status: bool  # F8: unknown
    refresh_issues_new_token: bool  # A7
    max_integrations: int  # B40
    flows_count: bool  # B40: whether flows count as integrations do
    # What is told.
    serves_model_list: bool  # B41
    tells_quota: bool  # A2
    decorates_jobs: bool  # A2
    spaced_step_dates: bool  # B17
    errors_in_a_list: bool  # B29
    confirms_cancel: bool  # B42
    show: Callable[[str, Document], Document]  # which fields of a reply are told, and in which form


def _observed_parameter(name: str) -> str:
    """The service names the parameter in its own spelling: `integration_id` (facts B20)."""
    own = name if "-" in name else re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()
    return f"Invalid value for {own}"


OBSERVED = Profile(
    name="observed",
    duplicate=refusal.DUPLICATE,
    deleting_what_runs=refusal.RUNNING,
    no_token=refusal.UNAUTHENTICATED,
    no_role=refusal.NOT_PERMITTED,
    no_role_for_schedules_and_dumps=refusal.NOT_ENTITLED,
    bad_parameter=_observed_parameter,
    content_type_always=False,
    history_needs_paging=False,
    connections_paged=True,
    largest_page=250,  # larger limits are cut silently
    plain_id=lambda given: given,
    azure_put_needs_method=True,
    bigquery_edits=True,
    partial_success=("partial_success",),
    later_steps_say_what_they_wait_for=False,
    text_for_flags=False,
    weekday_in_a_list_will_do=False,
    notifications_auto_created=True,
    put_merges_notification=True,
    put_keeps_schedule_status=True,
    refresh_issues_new_token=False,
    max_integrations=1000,  # a live tenant holds 589
    flows_count=True,
    serves_model_list=False,
    tells_quota=True,
    decorates_jobs=True,
    spaced_step_dates=True,
    errors_in_a_list=False,
    confirms_cancel=False,
    show=lambda _view, item: item,
)

DOCUMENTED = Profile(
    name="documented",
    duplicate=refusal.DUPLICATE._replace(status=500),
    deleting_what_runs=refusal.RUNNING_DELETE,
    no_token=refusal.NOT_AUTHORIZED,
    no_role=refusal.NOT_AUTHORIZED,  # the page's table has neither "Not Permitted" nor a 452
    no_role_for_schedules_and_dumps=refusal.NOT_AUTHORIZED,
    bad_parameter=lambda name: name,  # the table's "{request parameter name}" and "{header name}"
    content_type_always=True,
    history_needs_paging=True,
    connections_paged=False,
    largest_page=None,
    plain_id=documented.plain_id,
    azure_put_needs_method=False,
    bigquery_edits=True,  # the page edits "a connection" of any type, though its tables show two
    partial_success=("partial_succes", "partial_success"),
    later_steps_say_what_they_wait_for=True,
    text_for_flags=True,
    weekday_in_a_list_will_do=True,
    notifications_auto_created=False,
    put_merges_notification=False,
    put_keeps_schedule_status=False,
    refresh_issues_new_token=True,
    max_integrations=500,
    flows_count=False,
    serves_model_list=True,
    tells_quota=False,
    decorates_jobs=False,
    spaced_step_dates=False,
    errors_in_a_list=True,
    confirms_cancel=True,
    show=documented.show,
)

PROFILES = {profile.name: profile for profile in (OBSERVED, DOCUMENTED)}
