"""Turns whatever goes wrong in a route into one shape, `Refusal`, with the right status. Shared by both HTTP apps.

Never shows a stack, a secret or the text of a request: a bug is logged, and the caller is told where to look.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alertd.console.refusals import Refusal, RefusedError
from alertd.ports import NotCommittedError, StoreError

log = structlog.get_logger(__name__)

REMEDIES = {"body.told": "call your dispatch centre, then say whom you told"}
"""Where the API's page is no help to somebody who types a command."""


def respond(status: int, refusal: Refusal) -> Response:
    return Response(msgspec.json.encode(refusal), status_code=status, media_type="application/json")


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    return respond(error.status, error.refusal)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    problems = tuple(f"{'.'.join(map(str, e['loc']))}: {_said(e)}" for e in error.errors()[:20])
    remedy = REMEDIES.get(where, "see docs/api.md or /v1/openapi.json for what belongs there")
    return respond(422, Refusal(error=_said(first), where=where, remedy=remedy, problems=problems))


def _said(error: Mapping[str, Any]) -> str:
    """A finding of pydantic's, as somebody would say it who is not a programmer."""
    if error["type"] == "string_too_short" and error["ctx"]["min_length"] == 1:
        return "it is empty"
    if error["type"] == "string_pattern_mismatch" and not str(error["input"]).strip():
        return "it is empty"
    return str(error["msg"])


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    place = f"{request.method} {request.url.path[:200]}"
    match error.status_code:
        case 404:
            refusal = Refusal(error="there is nothing here", where=place, remedy="see docs/api.md for the routes")
        case 405:
            allowed = (error.headers or {}).get("allow", "another method")
            refusal = Refusal(error="this method is not taken here", where=place, remedy=f"use {allowed}")
        case _:
            refusal = Refusal(error=str(error.detail), where=place, remedy="see docs/api.md")
    return respond(error.status_code, refusal)


async def _not_committed(request: Request, _: Exception) -> Response:
    refusal = Refusal(
        error="not committed: nothing happened, and nobody was told",
        where=f"{request.method} {request.url.path[:200]}",
        remedy="look at the disk (`alertd doctor`), then give the order again; in an emergency call 911",
    )
    return respond(503, refusal)


async def _store_failed(_: Request, error: Exception) -> Response:
    remedy = "look at the disk or the database (`alertd doctor`), then ask again"
    return respond(503, Refusal(error=str(error), where="store", remedy=remedy))


class CatchBugs:
    """Answers 500 and logs once. Starlette's own would answer, then raise again for the server to log it again."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            place = f"{scope.get('method', '')} {scope.get('path', '')[:200]}".strip()
            log.exception("console.bug", place=place)
            if begun:
                raise  # half an answer is out: the server must cut the connection
            refusal = Refusal(
                error=f"alertd could not work this out ({type(error).__name__}); presses are not affected",
                where=place,
                remedy="the daemon's log has the details: please report it",
            )
            await respond(500, refusal)(scope, receive, send)


def catch_failures(app: FastAPI) -> None:
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(NotCommittedError, _not_committed)
    app.add_exception_handler(StoreError, _store_failed)
    app.add_middleware(CatchBugs)
