"""Logging in and signing up, as DataHub's front end and its authentication service do it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dataspoke.local_hub.access.door import SESSION_COOKIE, Access
from dataspoke.local_hub.access.tokens import SESSION_MILLIS
from dataspoke.local_hub.errors import BadRequest, Forbidden
from dataspoke.local_hub.http import actor_of, answer, in_thread
from dataspoke.local_hub.proposals import read_json

_USER = "urn:li:corpuser:"
# (field, what is said when it is empty)
_SIGN_UP = (
    ("fullName", "Full name must not be empty."),
    ("email", "Email must not be empty."),
    ("password", "Password must not be empty."),
    ("title", "Title must not be empty."),
    ("inviteToken", "Invite token must not be empty."),
)
_RESET = (
    ("email", "Email must not be empty."),
    ("password", "Password must not be empty."),
    ("resetToken", "Reset token must not be empty."),
)


def access_of(request: Request) -> Access:
    """Everything about access to the hub of this request."""
    return cast(Access, request.app.state.access)


async def _log_in(request: Request) -> Response:
    body, access = await _object(request), access_of(request)
    name, password = body.get("username"), body.get("password")
    if not isinstance(name, str) or not name.strip():
        return _refused("User name must not be empty.")
    urn = f"{_USER}{name}"
    known = isinstance(password, str) and await in_thread(
        lambda: access.knows_password(urn, password)
    )
    if not known or access.users.barred(urn):
        return _refused("Invalid Credentials")
    return _session(access, urn)


async def _log_out(_: Request) -> Response:
    response = answer({})
    for cookie in (SESSION_COOKIE, "actor"):
        response.delete_cookie(cookie)
    return response


async def _sign_up(request: Request) -> Response:
    body, access = await _object(request), access_of(request)
    missing = _missing(body, _SIGN_UP)
    if missing:
        return _refused(missing)
    urn = f"{_USER}{body['email'].strip()}"
    await in_thread(lambda: _create(access, urn, body))
    return _session(access, urn)


async def _reset_password(request: Request) -> Response:
    body, access = await _object(request), access_of(request)
    missing = _missing(body, _RESET)
    if missing:
        return _refused(missing)
    urn = f"{_USER}{body['email'].strip()}"
    await in_thread(lambda: access.users.reset(urn, body["password"], body["resetToken"]))
    return _session(access, urn)


async def _service_session(request: Request) -> Response:
    body, access = await _service_body(request), access_of(request)
    urn = f"{_USER}{_field(body, 'userId')}"
    if access.users.barred(urn):
        raise Forbidden(f"{urn} may not log in")
    return answer({"accessToken": access.tokens.session(urn)})


async def _service_sign_up(request: Request) -> Response:
    body, access = await _service_body(request), access_of(request)
    for name in ("userUrn", "fullName", "email", "password", "inviteToken"):
        _field(body, name)
    await in_thread(lambda: _create(access, body["userUrn"], body))
    return answer({"isNativeUserCreated": True})


async def _service_verify(request: Request) -> Response:
    body, access = await _service_body(request), access_of(request)
    urn, password = _field(body, "userUrn"), _field(body, "password")
    matches = await in_thread(lambda: access.users.matches(urn, password))
    return answer({"doesPasswordMatch": matches})


async def _service_reset(request: Request) -> Response:
    body, access = await _service_body(request), access_of(request)
    urn, password = _field(body, "userUrn"), _field(body, "password")
    token = _field(body, "resetToken")
    await in_thread(lambda: access.users.reset(urn, password, token))
    return answer({"areNativeUserCredentialsReset": True})


async def _who(request: Request) -> Response:
    return answer({"urn": actor_of(request)})


def _create(access: Access, urn: str, body: Mapping[str, Any]) -> None:
    access.users.invited_role(body["inviteToken"])
    access.users.create(
        urn,
        full_name=body["fullName"],
        email=body["email"].strip(),
        title=body.get("title"),
        password=body["password"],
    )


def _session(access: Access, urn: str) -> Response:
    """An empty answer that leaves the session with the client."""
    response = Response(status_code=200)
    seconds = SESSION_MILLIS // 1000
    token = access.tokens.session(urn)
    response.set_cookie(SESSION_COOKIE, token, max_age=seconds, httponly=True, samesite="lax")
    response.set_cookie("actor", urn, max_age=seconds, samesite="lax")
    return response


def _refused(message: str) -> Response:
    return answer({"message": message}, status=400)


def _missing(body: Mapping[str, Any], fields: tuple[tuple[str, str], ...]) -> str | None:
    for name, message in fields:
        value = body.get(name)
        if not isinstance(value, str) or not value.strip():
            return message
    return None


def _field(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise BadRequest(f"Parameter {name} is required and must be a string")
    return value


async def _service_body(request: Request) -> Mapping[str, Any]:
    """The request of the front end, which speaks for the system."""
    actor = actor_of(request)
    if access_of(request).authorizer.restricts(actor):
        raise Forbidden(f"{actor} unauthorized to perform this action.")
    return await _object(request)


async def _object(request: Request) -> Mapping[str, Any]:
    body = read_json(await request.body() or b"{}")
    if not isinstance(body, Mapping):
        raise BadRequest("Cannot parse the request: it is no JSON object")
    return body


routes = [
    Route("/logIn", _log_in, methods=["POST"]),
    Route("/logOut", _log_out, methods=["GET", "POST"]),
    Route("/signUp", _sign_up, methods=["POST"]),
    Route("/resetNativeUserCredentials", _reset_password, methods=["POST"]),
    Route("/auth/generateSessionTokenForUser", _service_session, methods=["POST"]),
    Route("/auth/signUp", _service_sign_up, methods=["POST"]),
    Route("/auth/verifyNativeUserCredentials", _service_verify, methods=["POST"]),
    Route("/auth/resetNativeUserCredentials", _service_reset, methods=["POST"]),
    Route("/openapi/operations/identity/user/urn", _who, methods=["GET"]),
]
