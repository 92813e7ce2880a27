"""The falcon application: CloudWorks, the authentication service and the emulator's own calls."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

import falcon

from cwsync.emulator.auth import AuthService, SignInRefused
from cwsync.emulator.edits import EditError, Edits
from cwsync.emulator.faults import Faults
from cwsync.emulator.refusal import Refused
from cwsync.emulator.store import Document
from cwsync.emulator.tenant import Tenant
from cwsync.emulator.tenant.world import Person
from cwsync.emulator.wire import openapi, replies
from cwsync.emulator.wire.call import Call
from cwsync.emulator.wire.replies import Reply
from cwsync.emulator.wire.routes import Route, routes

_log = logging.getLogger(__name__)

Responder = Callable[..., None]


class _Resource:
    """What falcon wants behind an address: one `on_<method>` for each method."""

    def __init__(self, responders: Mapping[str, Responder]) -> None:
        for method, responder in responders.items():
            setattr(self, f"on_{method.lower()}", responder)


def build(tenant: Tenant, auth: AuthService, faults: Faults) -> falcon.App[falcon.Request, falcon.Response]:
    app = falcon.App()
    cloudworks = _CloudWorks(tenant, auth)
    table = dict(routes(tenant))
    for path, by_method in table.items():
        app.add_route(
            path, _Resource({method: cloudworks.responder(route) for method, route in by_method.items()})
        )
    sign_in = _SignIn(tenant, auth)
    for path, responders in sign_in.responders().items():
        app.add_route(path, _Resource(responders))
    for path, responders in _Control(tenant, faults).responders().items():
        app.add_route(path, _Resource(responders))
    app.add_route("/openapi.json", _Resource({"GET": _description(tenant, table)}))
    _set_error_handlers(app, tenant)
    return app


def _description(tenant: Tenant, table: Mapping[str, Mapping[str, Route]]) -> Responder:
    def respond(_req: falcon.Request, resp: falcon.Response) -> None:
        _send(resp, replies.as_json(200, openapi.describe(tenant.world.profile, table)))

    return respond


def _set_error_handlers(app: falcon.App[falcon.Request, falcon.Response], tenant: Tenant) -> None:
    def unrouted(_req: falcon.Request, resp: falcon.Response, _error: Exception, _params: object) -> None:
        _send(resp, replies.page(404))

    def refused(req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError, _params: object) -> None:
        _send(resp, _error(tenant, req, error.status_code, replies.reason(error.status_code)))
        resp.set_headers(error.headers or {})  # a 405 says what is allowed

    def failed(req: falcon.Request, resp: falcon.Response, error: Exception, _params: object) -> None:
        _log.error("a defect in the emulator", exc_info=error)
        _send(resp, _error(tenant, req, 500, "Internal server error"))

    app.add_error_handler(Exception, failed)
    app.add_error_handler(falcon.HTTPError, refused)
    app.add_error_handler(falcon.HTTPRouteNotFound, unrouted)


class _CloudWorks:
    """Turns a handler of the tenant into a responder: token, role, transaction, envelope."""

    def __init__(self, tenant: Tenant, auth: AuthService) -> None:
        self._tenant = tenant
        self._auth = auth

    def responder(self, route: Route) -> Responder:
        def respond(req: falcon.Request, resp: falcon.Response, **args: str) -> None:
            raw = req.bounded_stream.read()
            try:
                with self._tenant.world.store.transaction(write=req.method != "GET"):
                    answer = route.handle(self._call(req, args, raw))
            except Refused as refused:
                _send(resp, _error(self._tenant, req, refused.status, refused.message))
            else:
                _send(resp, _answer(answer))

        return respond

    def _call(self, req: falcon.Request, args: Mapping[str, str], raw: bytes) -> Call:
        profile, who = self._tenant.world.profile, self._caller(req)
        call = Call(profile, who, args, req.params, req.content_type or "", raw)
        if profile.content_type_always:
            call.check_content_type()
        return call

    def _caller(self, req: falcon.Request) -> Person:
        profile = self._tenant.world.profile
        who = self._auth.holder(req.get_header("Authorization"))
        if who is None:
            raise profile.no_token()
        if who.role == "none":
            apart = "/schedule" in req.path or req.path.endswith("/dumps")
            raise (profile.no_role_for_schedules_and_dumps if apart else profile.no_role)()
        return who


class _SignIn:
    """The calls of facts A7, with the statuses that each has of its own."""

    def __init__(self, tenant: Tenant, auth: AuthService) -> None:
        self._store = tenant.world.store
        self._auth = auth

    def responders(self) -> dict[str, dict[str, Responder]]:
        auth = self._auth

        def log_out(header: str | None, _body: bytes) -> None:
            auth.logout(header)

        return {
            "/token/authenticate": {"POST": self._responder(auth.authenticate, 201)},
            "/token/refresh": {"POST": self._responder(lambda header, _: auth.refresh(header), 200)},
            "/token/validate": {"GET": self._responder(lambda header, _: auth.validate(header), 200)},
            "/token/logout": {"POST": self._responder(log_out, 204)},
        }

    def _responder(self, act: Callable[[str | None, bytes], Document | None], status: int) -> Responder:
        def respond(req: falcon.Request, resp: falcon.Response) -> None:
            body = req.bounded_stream.read()
            try:
                with self._store.transaction():
                    document = act(req.get_header("Authorization"), body)
            except SignInRefused as refused:
                _send(resp, replies.as_json(refused.status, refused.body))
                return
            if document is None:
                resp.status = status
                return
            meta = {"validationUrl": f"{req.prefix}/token/validate"}
            _send(resp, replies.as_json(status, {"meta": meta, **document}))

        return respond


class _Control:
    """The calls under /_emulator/ (CONTRACT section 6). They ask for no token and appear in no log."""

    def __init__(self, tenant: Tenant, faults: Faults) -> None:
        self._tenant = tenant
        self._store = tenant.world.store
        self._faults = faults
        self._edits = Edits(tenant)

    def responders(self) -> dict[str, dict[str, Responder]]:
        return {
            "/_emulator/requests": {"GET": self._responder(lambda _: {"requests": self._store.logged()})},
            "/_emulator/snapshot": {"GET": self._responder(lambda _: self._tenant.snapshot())},
            "/_emulator/edit": {"POST": self._responder(lambda body: {"ids": self._edits.apply(body)})},
            "/_emulator/faults": {
                "POST": self._responder(self._add_fault),
                "DELETE": self._responder(self._clear_faults),
            },
            "/_emulator/reset": {"POST": self._responder(self._reset)},
        }

    def _add_fault(self, body: Any) -> Document:
        if not self._faults.add(body):
            raise EditError(
                "not a fault: give do, and match {method, path, nth}, times, status, retryAfter, delayMs,"
                " message, effect, bytes, by"
            )
        return {}

    def _clear_faults(self, _body: Any) -> Document:
        self._faults.clear()
        return {}

    def _reset(self, _body: Any) -> Document:
        """An empty tenant again. Who is signed in stays so."""
        self._store.clear(keep=("token", "payload", "user", "key"))
        for user in self._store.page("user"):
            self._store.rewrite("user", user["guid"], {**user, "role": "integrator"})
        return {}

    def _responder(self, act: Callable[[Any], Document]) -> Responder:
        def respond(req: falcon.Request, resp: falcon.Response) -> None:
            raw = req.bounded_stream.read()
            try:
                with self._store.transaction(write=req.method != "GET"):
                    document = act(json.loads(raw) if raw.strip() else {})
            except (EditError, ValueError) as error:
                _send(resp, replies.as_json(400, {"error": str(error)}))
            else:
                _send(resp, replies.as_json(200, document))

        return respond


def _answer(answer: Document | str) -> Reply:
    if isinstance(answer, str):
        return Reply(200, answer.encode(), "text/csv")
    # The one reply that the page shows without a status is that of a cancelled run (facts B42).
    return replies.as_json(200, answer) if "success" in answer else replies.success(answer)


def _error(tenant: Tenant, req: falcon.Request, status: int, message: str) -> Reply:
    return replies.error(status, message, req.path, tenant.world.stamp())


def _send(resp: falcon.Response, reply: Reply) -> None:
    resp.status = f"{reply.status} {replies.reason(reply.status)}"
    resp.content_type = reply.content_type
    resp.data = reply.body
