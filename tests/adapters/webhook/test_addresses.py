"""The rule about private addresses: refused unless it is said that they are meant."""

import asyncio

import pytest

from alertd.model.outcome import Delivered, Failed
from alertd.ports import HttpResponse
from alertd.testing.channel_contract import claim_for
from alertd_adapters.webhook.addresses import why_private
from tests.adapters.webhook.test_send import channel_to

PRIVATE = [
    "127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",  # noqa: S104 - to be refused

    "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:0001::1", "localhost", "dispatch.localhost",
]  # fmt: skip


def ok(request):
    return HttpResponse(status=204)


@pytest.mark.parametrize("host", PRIVATE)
def test_private_hosts_are_known(host):
    assert why_private(host) is not None


@pytest.mark.parametrize("host", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "dispatch.example"])
def test_public_ones_and_names_pass(host):
    assert why_private(host) is None


@pytest.mark.parametrize("address", [a for a in PRIVATE if "localhost" not in a])
async def test_a_name_that_leads_into_the_house_is_not_called(address):
    async def resolve(host, port):
        return ("93.184.215.14", address)  # one of several is enough

    channel, http = channel_to(ok, resolve=resolve)
    outcome = await channel.send(claim_for(channel, "county"))

    assert isinstance(outcome, Failed)
    assert outcome.permanent
    assert outcome.code == "private_address"
    assert "private_addresses" in outcome.detail, "the remedy"
    assert not http.requests


async def test_where_it_is_meant_the_name_is_not_even_asked_for():
    async def resolve(host, port):
        raise AssertionError("asked")

    channel, http = channel_to(ok, resolve=resolve, url="https://10.0.0.7/alerts", private_addresses="allow")

    assert isinstance(await channel.send(claim_for(channel, "county")), Delivered)
    assert len(http.requests) == 1


async def test_a_name_without_an_address_may_have_one_later():
    async def resolve(host, port):
        raise OSError("Name or service not known")

    channel, http = channel_to(ok, resolve=resolve)
    outcome = await channel.send(claim_for(channel, "county"))

    assert isinstance(outcome, Failed)
    assert not outcome.permanent
    assert "dispatch.example" in outcome.detail
    assert not http.requests


async def test_a_silent_name_server_does_not_eat_the_deadline():
    async def resolve(host, port):
        await asyncio.Event().wait()

    channel, _ = channel_to(ok, resolve=resolve, deadline_s=0.1)
    async with asyncio.timeout(0.3):
        outcome = await channel.send(claim_for(channel, "county"))

    assert isinstance(outcome, Failed)
    assert not outcome.permanent


async def test_the_systems_resolver_knows_this_machine():
    from alertd_adapters.webhook.addresses import resolve_by_system

    assert "127.0.0.1" in await resolve_by_system("127.0.0.1", 443)
