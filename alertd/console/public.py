"""What the outside may reach over TCP: provider callbacks, a health that says yes or no, and, for who asks directly and
not through a proxy from the Internet, the numbers that Prometheus collects. Nothing else, ever.

A callback's URL is built from `public_base_url`, because the provider signs that one; the request's own Host header is
never believed. Whether a callback is genuine, the channel decides.
"""

from typing import Annotated
from urllib.parse import urlsplit

import msgspec
import structlog
from fastapi import APIRouter, Depends, FastAPI, Request, Response

from alertd.console.backend import Backend
from alertd.console.failures import catch_failures
from alertd.console.http_limits import BodyLimit
from alertd.console.refusals import unknown
from alertd.ports import HttpRequest

CALLBACK_BYTES_MAX = 64 * 1024
"""Providers send a few hundred bytes."""

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FORWARDED = frozenset({"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"})
"""Headers by which proxies say for whom they ask."""

log = structlog.get_logger(__name__)
router = APIRouter(prefix="/v1")
metrics_router = APIRouter()


def public_app(backend: Backend, public_base_url: str | None) -> FastAPI:
    app = FastAPI(title="alertd", version="1", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.backend = backend
    app.state.public_base_url = public_base_url
    app.include_router(router)
    app.include_router(metrics_router)
    catch_failures(app)
    app.add_middleware(BodyLimit, bytes_max=CALLBACK_BYTES_MAX)
    return app


def _backend(request: Request) -> Backend:
    backend: Backend = request.app.state.backend
    return backend


@router.get("/health")
async def health(backend: Annotated[Backend, Depends(_backend)]) -> Response:
    """For a load balancer or an outside watchdog: no words, because anybody can ask."""
    alive = backend.health().alive
    body = msgspec.json.encode({"alive": alive})
    return Response(body, status_code=200 if alive else 503, media_type="application/json")


@metrics_router.get("/metrics")
async def metrics(request: Request, backend: Annotated[Backend, Depends(_backend)]) -> Response:
    """How many incidents are open is nobody's business outside: what a proxy passes on is not answered."""
    base = urlsplit(request.app.state.public_base_url or "").netloc
    if FORWARDED & set(request.headers.keys()) or (base and request.headers.get("host") == base):
        raise unknown("page", "metrics", "path", ())
    return Response(await backend.metrics(), media_type=METRICS_TYPE)


@router.api_route("/callbacks/{name}", methods=["GET", "POST"])
async def callback(request: Request, name: str, backend: Annotated[Backend, Depends(_backend)]) -> Response:
    taker = backend.callbacks().get(name)
    base: str | None = request.app.state.public_base_url
    if taker is None or base is None:
        backend.door.observe("console", "callback_unknown")
        raise unknown("callback", name, "path", ())
    query = f"?{request.url.query}" if request.url.query else ""
    answer = await taker.callback(
        HttpRequest(
            method=request.method,
            url=f"{base.rstrip('/')}/v1/callbacks/{name}{query}",
            headers={key.lower(): value for key, value in request.headers.items()},
            body=await request.body(),
        ),
        backend.door,
    )
    return Response(answer.body, status_code=answer.status, headers=dict(answer.headers))
