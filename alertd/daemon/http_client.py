"""`ports.Http` on aiohttp: the one way out over HTTP.

Owns: connections, the total deadline, and the line between "certainly not sent" and "may have been acted on".
Must never: retry, follow a redirect, keep a cookie, read an endless answer, or log a URL, header or body.
"""

import asyncio
from contextvars import ContextVar

import aiohttp
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from msgspec import Struct
from yarl import URL

from alertd.ports import HttpNoAnswerError, HttpNotSentError, HttpRequest, HttpResponse

ANSWER_BYTES_MAX = 1024 * 1024
KEEP_ALIVE_S = 4.0
"""Shorter than common servers' 5 s: a request on a connection that the server is just closing has an unknown fate."""
CHUNK_BYTES = 64 * 1024


class Progress(Struct, kw_only=True):
    """How far a request has come. From the moment a connection stands, bytes may have left."""

    connected: bool = False


_progress: ContextVar[Progress] = ContextVar("_progress")
"""Of the request that this task makes."""


class _Connector(aiohttp.TCPConnector):
    """Notes when a request gets its connection. aiohttp's tracing would say so as well, but slows each request down by
    a tenth."""

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's signature
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        _progress.get().connected = True
        return connection


class HttpClient:
    """Keep-alive connections to any number of servers. Bounded by those who send: each channel has its own limit."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpResponse:
        progress = Progress()
        _progress.set(progress)
        try:
            async with asyncio.timeout(timeout_s):
                return await self._exchange(request)
        except TimeoutError as error:
            raise _failure(progress, f"no answer within {timeout_s:g} s") from error
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, ValueError) as error:
            raise HttpNotSentError("the URL or a header is not valid") from error
        except aiohttp.ClientConnectorError as error:
            raise HttpNotSentError(f"no connection: {type(error).__name__}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise _failure(progress, type(error).__name__) from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _exchange(self, request: HttpRequest) -> HttpResponse:
        async with self._open_session().request(
            request.method,
            URL(request.url, encoded=True),  # signed URLs must leave as they were written
            headers={"Accept-Encoding": "identity", **request.headers},
            data=request.body or None,
            allow_redirects=False,
        ) as response:
            body = bytearray()
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                body += chunk
                if len(body) > ANSWER_BYTES_MAX:
                    raise HttpNoAnswerError(f"the answer is larger than {ANSWER_BYTES_MAX} bytes")
            headers = {name.lower(): value for name, value in response.headers.items()}
            return HttpResponse(status=response.status, headers=headers, body=bytes(body))

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:  # only now there is a running loop
            self._session = aiohttp.ClientSession(
                connector=_Connector(limit=0, keepalive_timeout=KEEP_ALIVE_S),
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session


def _failure(progress: Progress, what: str) -> HttpNoAnswerError | HttpNotSentError:
    return HttpNoAnswerError(what) if progress.connected else HttpNotSentError(what)
