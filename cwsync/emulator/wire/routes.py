"""The calls of CloudWorks: which address and method leads to which desk of the tenant (facts A)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cwsync.emulator.shapes import Shape
from cwsync.emulator.store import Document
from cwsync.emulator.tenant import Tenant, integrations, notifications, runs
from cwsync.emulator.wire.answers import Answers
from cwsync.emulator.wire.call import Call

LIST = ("offset", "limit", "sortBy", "myIntegrations")
HISTORY = ("offset", "limit")


@dataclass(frozen=True, slots=True)
class Route:
    """What answers a call, what its reply holds (None: text), and what it takes."""

    handle: Callable[[Call], Document | str]
    answer: Shape | None
    body: Shape | None = None
    query: tuple[str, ...] = ()


Table = dict[str, dict[str, Route]]


def routes(tenant: Tenant) -> Iterator[tuple[str, dict[str, Route]]]:
    """Every address with its methods. What is not among them is the proxy's 404."""
    answers = Answers(tenant.world.profile)
    for version in ("2.0", "1.0"):
        table = {
            **_connections(tenant, answers),
            **_integrations(tenant, answers, version),
            **_schedules(tenant, answers),
            **_runs(tenant, answers),
            **_notifications(tenant, answers),
            **(_flows(tenant, answers) if version == "2.0" else {}),
        }
        for path, by_method in table.items():
            yield f"/{version[0]}/0{path}", by_method


def _connections(tenant: Tenant, answers: Answers) -> Table:
    desk = tenant.connections
    query = LIST if tenant.world.profile.connections_paged else ()
    return {
        "/integrations/connections": {
            "GET": Route(
                lambda call: desk.listing(call.page(), call.by),
                answers.listing("connections", "connection"),
                query=query,
            ),
            "POST": Route(
                lambda call: desk.create(call.json(), call.by),
                answers.made("connections", "connectionId"),
                desk.created_by,
            ),
        },
        "/integrations/connections/{id}": {
            "PUT": Route(
                lambda call: desk.replace(call.id, call.json(), call.by), answers.done, desk.replaced_by
            ),
            "PATCH": Route(
                lambda call: desk.patch(call.id, call.json(), call.by), answers.done, desk.patched_by
            ),
            "DELETE": Route(lambda call: desk.delete(call.id), answers.done),
        },
    }


def _integrations(tenant: Tenant, answers: Answers, version: str) -> Table:
    desk, body = tenant.integrations, integrations.BODY[version]
    table = {
        "/integrations": {
            "GET": Route(
                lambda call: desk.listing(call.page(), call.by, version),
                answers.listing("integrations", "integration", quota=True),
                query=LIST,
            ),
            "POST": Route(
                lambda call: desk.create(call.json(), call.by, version),
                answers.made("integration", "integrationId"),
                body,
            ),
        },
        "/integrations/{id}": {
            "GET": Route(
                lambda call: desk.detail(call.id, version), answers.one("integration", "integration detail")
            ),
            "PUT": Route(
                lambda call: desk.replace(call.id, call.json(), call.by, version), answers.done, body
            ),
            "DELETE": Route(lambda call: desk.delete(call.id), answers.done),
        },
    }
    # The vendor documents it, and nobody has found it alive (facts B41).
    if tenant.world.profile.serves_model_list:
        table["/integrations/anaplanModels/{model}"] = {
            "GET": Route(
                lambda call: desk.of_model(call.args["model"], version),
                answers.listing("integrations", "integration of a model"),
            )
        }
    return table


def _schedules(tenant: Tenant, answers: Answers) -> Table:
    desk = tenant.schedules
    return {
        "/integrations/{id}/schedule": {
            "POST": Route(
                lambda call: desk.create(call.id, call.json()),
                answers.made("scheduledIntegration", "id"),
                desk.body,
            ),
            "PUT": Route(lambda call: desk.replace(call.id, call.json()), answers.done, desk.body),
            "DELETE": Route(lambda call: desk.delete(call.id), answers.done),
        },
        "/integrations/{id}/schedule/status/{status}": {
            "POST": Route(lambda call: desk.set_status(call.id, call.args["status"]), answers.done),
        },
    }


def _runs(tenant: Tenant, answers: Answers) -> Table:
    of_integration, of_run = "/integrations/{id}", "/integrations/run/{id}"
    return {
        f"{of_integration}/run": {
            "POST": Route(lambda call: tenant.run(call.id, call.by), answers.made("run", "id"))
        },
        f"{of_integration}/cancel": {"POST": Route(lambda call: tenant.cancel(call.id), answers.cancelled)},
        "/integrations/runs/{id}": {
            "GET": Route(
                lambda call: tenant.history(call.id, call.page_of_history()),
                answers.one("history_of_runs", "history"),
                query=HISTORY,
            )
        },
        of_run: {"GET": Route(lambda call: tenant.run_status(call.id), answers.one("run", "run"))},
        "/integrations/runerror/{id}": {
            "GET": Route(lambda call: tenant.run_errors(call.id), answers.run_errors)
        },
        f"{of_run}/dumps": {"GET": Route(lambda call: tenant.dump(call.id), None)},
        f"{of_run}/process/import/{{action}}/dumps": {
            "GET": Route(lambda call: tenant.dump(call.id, call.args["action"]), None)
        },
    }


def _notifications(tenant: Tenant, answers: Answers) -> Table:
    desk = tenant.notifications
    return {
        "/integrations/notification": {
            "POST": Route(
                lambda call: desk.create(call.json()),
                answers.made("notification", "notificationId"),
                notifications.BODY,
            ),
        },
        "/integrations/notification/{id}": {
            "GET": Route(lambda call: desk.detail(call.id), answers.one("notifications", "notification")),
            "PUT": Route(lambda call: desk.replace(call.id, call.json()), answers.done, notifications.BODY),
            "DELETE": Route(lambda call: desk.delete(call.id), answers.done),
        },
    }


def _flows(tenant: Tenant, answers: Answers) -> Table:
    desk = tenant.flows
    return {
        "/integrationflows": {
            "GET": Route(
                lambda call: desk.listing(call.page(), call.by),
                answers.listing("integrationFlows", "flow"),
                query=LIST,
            ),
            "POST": Route(
                lambda call: desk.create(call.json(), call.by),
                answers.made("integrationFlow", "integrationFlowId"),
                desk.body,
            ),
        },
        "/integrationflows/{id}": {
            "GET": Route(lambda call: desk.detail(call.id), answers.one("integrationFlow", "flow detail")),
            "PUT": Route(lambda call: desk.replace(call.id, call.json(), call.by), answers.done, desk.body),
            "DELETE": Route(lambda call: desk.delete(call.id), answers.done),
        },
        "/integrationflows/{id}/run": {
            "POST": Route(
                lambda call: tenant.run_flow(call.id, call.json_or_none(), call.by),
                answers.made("run", "id"),
                runs.FLOW_BODY,
            ),
        },
    }
