"""The line between "certainly not sent" and "may have been acted on", against real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from alertd.daemon.http_client import ANSWER_BYTES_MAX, HttpClient
from alertd.ports import HttpNoAnswerError, HttpNotSentError, HttpRequest


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    client = HttpClient()
    yield client
    await client.close()


class Site:
    """A server that behaves as its path says."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, bytes]] = []
        app = web.Application()
        app.router.add_route("*", "/{what:.*}", self.answer)
        self.server = TestServer(app)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.raw_path, await request.read()))
        match request.match_info["what"]:
            case "moved":
                raise web.HTTPFound("/ok")
            case "big":
                return web.Response(body=b"x" * (ANSWER_BYTES_MAX + 1))
            case "hangs":
                await asyncio.sleep(5)
            case "resets":
                assert request.transport is not None
                request.transport.abort()
            case _:
                pass
        return web.Response(text="fine", headers={"X-Mixed-Case": "Yes"})


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    await site.server.start_server()
    yield site
    await site.server.close()


def get(site: Site, path: str, method: str = "POST") -> HttpRequest:
    return HttpRequest(method=method, url=str(site.server.make_url("/")) + path, body=b"{}")


async def test_an_answer_comes_back_whole(client: HttpClient, site: Site):
    response = await client.send(get(site, "ok?a=%2B1"), timeout_s=2)

    assert (response.status, response.body, response.headers["x-mixed-case"]) == (200, b"fine", "Yes")
    assert site.requests == [("POST", "/ok?a=%2B1", b"{}")], "the URL was rewritten on its way"


async def test_a_redirect_is_not_followed(client: HttpClient, site: Site):
    response = await client.send(get(site, "moved"), timeout_s=2)

    assert response.status == 302
    assert len(site.requests) == 1


async def test_a_refused_connection_was_certainly_not_sent(client: HttpClient):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(HttpNotSentError):
            await client.send(HttpRequest(method="POST", url=f"http://127.0.0.1:{port}/"), timeout_s=2)


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://127.0.0.1/", "http://"])
async def test_a_url_that_is_none_was_certainly_not_sent(client: HttpClient, url: str):
    with pytest.raises(HttpNotSentError):
        await client.send(HttpRequest(method="POST", url=url), timeout_s=2)


async def test_a_header_that_would_smuggle_is_not_sent(client: HttpClient, site: Site):
    request = HttpRequest(method="POST", url=str(site.server.make_url("/ok")), headers={"X-A": "1\r\nX-B: 2"})
    with pytest.raises(HttpNotSentError):
        await client.send(request, timeout_s=2)

    assert site.requests == []


@pytest.mark.parametrize("path", ["hangs", "resets", "big"])
async def test_no_whole_answer_after_it_left_means_nobody_knows(client: HttpClient, site: Site, path: str):
    with pytest.raises(HttpNoAnswerError):
        await client.send(get(site, path), timeout_s=0.3)

    assert len(site.requests) == 1, "a POST was repeated"


async def test_a_server_that_never_finishes_the_handshake_was_not_reached(client: HttpClient):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(HttpNotSentError):
            await client.send(HttpRequest(method="POST", url=url), timeout_s=0.3)
