"""Trying one device out over the API: what begins, what is heard, what is refused, and that it ends."""

from typing import Any

import pytest

from tests.console.asgi import ask
from tests.console.fake_daemon import FakeDaemon

SIGNED = {"by": "ruiz"}


@pytest.fixture
def daemon():
    daemon = FakeDaemon()

    def journalled(event, do=daemon.oak.do):
        decision = do(event)
        for entry in decision.entries:
            daemon.keep(entry)
        return decision

    oak: Any = daemon.oak
    oak.do = journalled
    return daemon


async def test_a_press_is_shown_with_its_rule_and_gesture_and_pages_nobody(app, daemon):
    begun = await ask(app, "POST", "/v1/device-tests", {**SIGNED, "device": "badge-204"})
    assert begun.status == 200
    assert begun.json["runs"]
    assert "up to staff_assist" in begun.json["words"]
    assert "every other device, is LIVE" in begun.json["words"]

    daemon.oak.arrive("badge-204", "press", count=3, read_by="profile p, rule 1", heard_by="gw-oak", battery_pct=80)
    heard = (await ask(app, "GET", "/v1/device-tests?device=badge-204")).json["heard"]
    assert [line["gesture"] for line in heard] == ["", "staff_assist"]
    assert (heard[0]["rule"], heard[0]["gateway"], heard[0]["battery"]) == ("profile p, rule 1", "gw-oak", 80)
    assert not daemon.oak.rows

    after = f"oak:{heard[-1]['number']}"
    assert (await ask(app, "GET", f"/v1/device-tests?device=badge-204&after={after}")).json["heard"] == []


async def test_it_ends_when_it_is_told_to(app, daemon):
    await ask(app, "POST", "/v1/device-tests", {**SIGNED, "device": "badge-204"})
    ended = await ask(app, "POST", "/v1/device-tests/end", {**SIGNED, "device": "badge-204"})

    assert not ended.json["runs"]
    assert "LIVE" in ended.json["words"]
    assert ended.json["heard"][-1]["is_over"]
    daemon.oak.press("badge-204", 3)
    assert daemon.oak.rows


@pytest.mark.parametrize(
    ("order", "why"),
    [
        ({"device": "gw-oak"}, "gateway"),
        ({"device": "badge-204", "class": "medical"}, "has no gesture for medical; it has: staff_assist, lockdown"),
        ({"device": "badge-999"}, "no device"),
    ],
)
async def test_what_cannot_be_tried_out_says_why(app, order, why):
    refused = await ask(app, "POST", "/v1/device-tests", {**SIGNED, **order})

    assert refused.status in (404, 409)
    assert why in refused.json["error"]


async def test_nothing_is_tried_out_while_something_real_is_open(app, daemon):
    daemon.oak.press("badge-118", 8)
    refused = await ask(app, "POST", "/v1/device-tests", {**SIGNED, "device": "badge-204"})

    assert refused.status == 409
    assert "LOCKDOWN" in refused.json["error"]
    assert "the device is live" in refused.json["remedy"]
