"""The loudspeakers by order: words, and quiet. What is refused, what is committed, and what is never claimed."""

import pytest

from alertd.model.decision import SiteState
from alertd.model.incident import EscalationState
from alertd.model.notification import Kind, NotificationState
from alertd.model.outcome import Sent
from tests.console.asgi import ask
from tests.console.fake_daemon import FakeDaemon
from tests.engine.play import Play
from tests.engine.test_announcing import school

SIGNED = {"by": "ruiz"}


@pytest.fixture
def daemon():
    daemon = FakeDaemon()
    daemon.school = school()
    daemon.sites = {site_id: Play(daemon.school, site_id) for site_id in daemon.school.sites}
    return daemon


def pages(daemon):
    return [row for row in daemon.oak.rows.values() if row.notification.kind is Kind.PAGE]


async def test_words_are_written_for_those_whom_they_are_meant_for(app, daemon):
    order = {**SIGNED, "words": "Practice is over.", "zones": ["gym"]}
    answer = await ask(app, "POST", "/v1/sites/oak/say", order)

    assert answer.status == 200
    (written,) = answer.json["notifications"]
    assert (written["who"], written["address"], written["known"]) == (
        "loudspeakers gym",
        "oak-gym",
        "written down, waiting to be sent",
    )
    assert [row.notification.text for row in pages(daemon)] == ["Practice is over."]


async def test_the_same_key_is_said_once(app, daemon):
    for _ in range(2):
        answer = await ask(
            app, "POST", "/v1/sites/oak/say", {**SIGNED, "words": "Buses are late."}, {"Idempotency-Key": "k1"}
        )

    assert (answer.status, answer.json["changed"]) == (200, False)
    assert len(pages(daemon)) == 1


async def test_nobody_chats_over_a_lockdown(app, daemon):
    daemon.oak.press()
    refusal = await ask(app, "POST", "/v1/sites/oak/say", {**SIGNED, "words": "Buses are late."})
    done = await ask(app, "POST", "/v1/sites/oak/say", {**SIGNED, "words": "Stay down.", "emergency": True})

    assert refusal.status == 409
    assert "OAK ELEM Rm 204 LOCKDOWN 10:42 is open" in refusal.json["error"]
    assert "--emergency" in refusal.json["remedy"]
    assert done.status == 200
    assert [row.notification.text for row in pages(daemon)][1:] == ["Stay down."]


async def test_a_lockdown_that_comes_between_look_and_commit_wins(app, daemon):
    daemon.before_commit = lambda: daemon.oak.press() if not daemon.oak.state.incidents else None
    answer = await ask(app, "POST", "/v1/sites/oak/say", {**SIGNED, "words": "Buses are late."})

    assert answer.status == 409
    assert "Buses are late." not in [row.notification.text for row in pages(daemon)]


@pytest.mark.parametrize(
    ("path", "order", "status", "says"),
    [
        ("/v1/sites/oka/say", {"words": "x"}, 404, 'did you mean "oak"?'),
        ("/v1/sites/oak/say", {"words": "x", "zones": ["gim"]}, 404, 'did you mean "gym"?'),
        ("/v1/sites/district/silence", {}, 409, "use one of"),
        ("/v1/sites/oak/say", {"words": "x" * 201}, 422, ""),
        ("/v1/sites/oak/say", {"words": "bell\u0007"}, 422, ""),
        ("/v1/sites/oak/say", {"words": " "}, 422, ""),
    ],
)
async def test_what_cannot_be_said_is_refused_with_what_can(app, daemon, path, order, status, says):
    answer = await ask(app, "POST", path, {**SIGNED, **order})

    assert answer.status == status
    assert says in answer.json["remedy"]
    assert daemon.events == []


async def test_quiet_takes_back_what_waits_and_changes_nothing_else(app, daemon):
    daemon.oak.press()
    answer = await ask(app, "POST", "/v1/sites/oak/silence", SIGNED)

    assert answer.status == 200
    assert "people are still called" in answer.json["words"]
    assert [n["who"] for n in answer.json["notifications"]] == ["loudspeakers all", "loudspeakers gym"]
    assert pages(daemon)[0].state is NotificationState.WITHDRAWN
    assert daemon.oak.incident.escalation is EscalationState.RUNNING


async def test_quiet_ordered_twice_with_one_key_does_not_silence_what_came_between(app, daemon):
    key = {"Idempotency-Key": "k1"}
    await ask(app, "POST", "/v1/sites/oak/silence", SIGNED, key)
    daemon.oak.press()
    await ask(app, "POST", "/v1/sites/oak/silence", SIGNED, key)

    assert isinstance(daemon.oak.state, SiteState)
    (announced,) = [row for row in pages(daemon) if row.notification.incident_id]
    assert announced.state is NotificationState.QUEUED


async def test_what_left_is_not_called_heard(app, daemon):
    """Promise 5: multicast is blind."""
    daemon.oak.press()
    (row,) = pages(daemon)
    daemon.oak.outcome(daemon.oak.claim(row), Sent(ref="pa-1"))
    (shown,) = [
        n
        for n in (await ask(app, "GET", f"/v1/incidents/{daemon.oak.incident.id}")).json["notifications"]
        if n["kind"] == "loudspeakers"
    ]

    assert shown["known"] == "its first packet has left for the loudspeakers"
    assert shown["not_known"] == "whether a loudspeaker was on, and anybody there to hear it"


async def test_quiet_is_not_told_as_a_packet_that_left(app, daemon):
    key = {"Idempotency-Key": "k1"}
    await ask(app, "POST", "/v1/sites/oak/silence", SIGNED, key)
    for row in pages(daemon):
        daemon.oak.outcome(daemon.oak.claim(row), Sent(ref="pa-1", detail="the zone is silent"))
    shown = (await ask(app, "POST", "/v1/sites/oak/silence", SIGNED, key)).json["notifications"]

    assert {each["known"] for each in shown} == {"nothing is sent to the loudspeakers any more"}
    assert {each["not_known"] for each in shown} == {"whether another system speaks over them"}
