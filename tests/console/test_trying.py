"""Trying one device out over the API: what begins, what is heard, what is refused, and that it ends."""

from typing import Any

import pytest

from alertd.engine.routing import route
from alertd.model.events import Arrival, DeviceTestWatched, Signal
from alertd.model.ids import DeviceId
from alertd.model.incident import IncidentClass
from alertd.model.reason import Reason
from alertd.model.site import Gestures
from tests.console.asgi import ask
from tests.console.fake_daemon import FakeDaemon
from tests.engine.school import ELM, OAK

SIGNED = {"by": "ruiz"}
OF_ZIGBEE = frozenset({"press", "double_press", "triple_press", "long_press", "hold", "duress", "tamper"})
PRESSES = frozenset({"press"})
"""A key that says nothing else when it is held."""
WALL_BUTTON = Gestures(
    id="wall-button",
    presses={1: "staff_assist", 4: "lockdown"},
    actions={"hold": "lockdown", "release": "ignore", "emergency": "lockdown", "sos": "medical", "duress": "medical"},
)
"""As they ship, but for the class of a duress: this school has no policy for that."""


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
    daemon.says = dict.fromkeys(("badge-204", "walker", "gw-oak"), PRESSES)
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


async def test_a_press_that_is_refused_for_its_trigger_is_shown_in_the_test_in_which_it_was_made(app, daemon):
    def refused(device_id, arrival_id):
        signal = Signal(device_id=device_id, action="press")
        now_us = daemon.now().wall_us
        arrival = Arrival(
            source="halos", topic="t", signals=(signal,), received_us=now_us, arrival_id=arrival_id, never_press=True
        )
        for event in route(daemon.school, arrival):
            daemon.do(event)

    refused(DeviceId("badge-204"), "before")
    await ask(app, "POST", "/v1/device-tests", {**SIGNED, "device": "badge-204"})
    refused(DeviceId("badge-204"), "in it")
    refused(DeviceId("walker"), "of another")
    heard = (await ask(app, "GET", "/v1/device-tests?device=badge-204")).json["heard"]
    assert [line["action"] for line in heard] == ["press"], "what it said before, or another, is shown"
    line = heard[0]
    assert not line["gesture"]
    assert 'add "button" to its kinds in sources.halos.triggers' in line["refused"], "it is heard, and nobody knows why"

    after = f"{line['site']}:{line['number']}"
    assert (await ask(app, "GET", f"/v1/device-tests?device=badge-204&after={after}")).json["heard"] == []


async def test_what_a_device_can_say_is_tried_out_and_not_only_what_it_cannot(app, daemon):
    """Of a button that can only be held, a test "up to staff_assist" would be none: its one word is a real page."""
    daemon.says = {"badge-204": frozenset({"hold"})}
    begun = await ask(app, "POST", "/v1/device-tests", {**SIGNED, "device": "badge-204"})
    assert "up to lockdown" in begun.json["words"], "who tries out its one word would page the school"

    daemon.oak.arrive("badge-204", "hold")
    heard = (await ask(app, "GET", "/v1/device-tests?device=badge-204")).json["heard"]
    assert [line["gesture"] for line in heard] == ["", "lockdown"]
    assert not daemon.oak.rows, "promise: who tries a device out pages nobody"


async def begin(app, **more):
    return await ask(app, "POST", "/v1/device-tests", {**SIGNED, "device": "badge-204", **more})


@pytest.mark.parametrize("says", [None, OF_ZIGBEE], ids=["nobody knows", "its profile knows"])
async def test_of_a_key_that_may_be_graver_than_the_test_whoever_presses_it_has_to_say_how_far_it_goes(
    app, daemon, says
):
    """An SOS button over Zigbee2MQTT: its profile knows a plain press, too, and it only ever says "duress"."""
    daemon.has_gestures("badge-204", WALL_BUTTON)
    daemon.says = {} if says is None else {"badge-204": says}
    asked = await begin(app)

    assert asked.status == 409, "its one key pages the school"
    assert 'one touch of badge-204 may call for more than staff_assist: "duress" for medical' in asked.json["error"]
    assert ('"emergency" for lockdown' in asked.json["error"]) is (says is None)
    assert '"hold" for lockdown' in asked.json["error"]
    assert "--class lockdown, and none of these pages anybody in it" in asked.json["remedy"]
    assert "or --class staff_assist, if it will say none of these: what is graver is REAL" in asked.json["remedy"]
    assert daemon.read_device_tests() == ()

    assert "up to lockdown" in (await begin(app, **{"class": "lockdown"})).json["words"]
    daemon.oak.arrive("badge-204", "duress")
    assert not daemon.oak.rows


async def test_a_button_without_such_a_key_is_tried_out_without_a_question(app, daemon):
    daemon.has_gestures("badge-204", WALL_BUTTON)
    daemon.says = {"badge-204": frozenset({"press", "double_press", "many"})}

    assert "up to staff_assist" in (await begin(app)).json["words"]


async def test_of_a_key_that_calls_for_more_when_it_is_held_too(app, daemon):
    """A WS101: whoever presses it a second too long has held it, by whichever word."""
    daemon.has_gestures("badge-204", WALL_BUTTON)
    daemon.says = {"badge-204": frozenset({"press", "double_press", "long_press"})}
    asked = await begin(app)

    assert asked.status == 409, "a finger that stays a second too long locks the school down"
    assert 'may call for more than staff_assist: "long_press" for lockdown' in asked.json["error"]
    await begin(app, **{"class": "lockdown"})
    daemon.oak.arrive("badge-204", "long_press")
    assert not daemon.oak.rows


async def test_of_a_key_that_counts_when_it_is_held_nothing_is_asked(app, daemon):
    counts = Gestures(id="wall-button", presses={1: "staff_assist", 4: "lockdown"})
    daemon.has_gestures("badge-204", counts)
    daemon.says = {"badge-204": frozenset({"press", "long_press"})}

    assert "up to staff_assist" in (await begin(app)).json["words"]


async def test_of_what_takes_several_presses_nothing_is_asked(app, daemon):
    """Who presses twice does so on purpose: no finger says it that stays too long."""
    twice = Gestures(id="desk", presses={1: "staff_assist"}, actions={"double_press": "lockdown"})
    daemon.has_gestures("badge-204", twice)
    daemon.says = {"badge-204": frozenset({"press", "double_press"})}
    begun = await begin(app)

    assert begun.status == 200, "whoever tries a button out is asked about what no single touch says"
    assert "up to staff_assist" in begun.json["words"]


async def test_less_than_the_least_that_it_can_say_is_no_test(app, daemon):
    daemon.has_gestures("badge-204", WALL_BUTTON)
    daemon.says = {"badge-204": frozenset({"duress"})}
    refused = await begin(app, **{"class": "staff_assist"})

    assert refused.status == 409, "each of its presses is real"
    assert "can say nothing less grave than medical" in refused.json["error"]
    assert "--class medical" in refused.json["remedy"]
    assert daemon.read_device_tests() == ()


async def test_a_real_press_that_ends_it_is_shown_with_its_incident_and_what_comes_later_is_not(app, daemon):
    await begin(app)
    daemon.oak.press("badge-204", 8)
    daemon.oak.wait(70)
    daemon.oak.press("badge-204", 8)
    daemon.oak.press("badge-118", 3)
    heard = (await ask(app, "GET", "/v1/device-tests?device=badge-204")).json["heard"]

    opened = next(i for i in daemon.oak.state.incidents.values() if i.incident_class is IncidentClass.LOCKDOWN)
    assert [line["incident"] for line in heard] == ["", "", opened.id], "who tried it out is not told whom it paged"
    assert heard[1]["is_over"]


async def test_the_id_may_be_typed_as_a_label_prints_it(app, daemon):
    begun = await ask(app, "POST", "/v1/device-tests", {**SIGNED, "device": "BADGE-204"})
    assert (begun.json["runs"], begun.json["device"]) == (True, "badge-204")
    await ask(app, "POST", "/v1/device-tests/end", {**SIGNED, "device": "Badge-204"})

    pressed = await ask(app, "POST", "/v1/press", {"device_id": "BADGE-204", "count": 3})
    assert pressed.status == 200
    assert (await ask(app, "GET", "/v1/devices/BADGE-204")).json["id"] == "badge-204"


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


async def test_nothing_is_tried_out_while_somebody_presses_it(app, daemon):
    daemon.oak.press("badge-204", 1)
    refused = await ask(app, "POST", "/v1/device-tests", {**SIGNED, "device": "badge-204"})

    assert refused.status == 409
    assert "badge-204 was pressed 0 s ago: wait" in refused.json["error"]


async def test_whoever_asks_keeps_it_going_and_nobody_else(app, daemon):
    await ask(app, "POST", "/v1/device-tests", {**SIGNED, "device": "badge-204"})
    for _ in range(9):
        daemon.oak.wait(20)
        now = (await ask(app, "GET", "/v1/device-tests?device=badge-204")).json
        assert now["runs"], "it ended while somebody watched it"
    for _ in range(4):
        daemon.oak.wait(10)
        listed = (await ask(app, "GET", "/v1/device-tests")).json["in_test"]
    assert listed == [], "who lists tests does not watch them"
    daemon.oak.press("badge-204", 3)
    assert daemon.oak.rows, "promise 2: nobody watched it any more"


@pytest.mark.parametrize("minutes", [-20, 20])
async def test_whoever_watches_is_told_at_once_that_it_ended_because_the_clock_was_set(app, daemon, minutes):
    await ask(app, "POST", "/v1/device-tests", {**SIGNED, "device": "badge-204"})
    daemon.oak.wait(12)
    daemon.oak.stepped_us = minutes * 60_000_000
    now = (await ask(app, "GET", "/v1/device-tests?device=badge-204")).json

    assert not now["runs"], "somebody presses a live button to try it out"
    assert now["heard"][-1]["is_over"]
    assert now["heard"][-1]["words"].endswith("badge-204 is live again: the server's clock was set")


async def test_that_somebody_watches_is_not_written_down_at_each_look(app, daemon):
    await ask(app, "POST", "/v1/device-tests", {**SIGNED, "device": "badge-204"})
    for _ in range(40):
        daemon.oak.wait(0.5)
        await ask(app, "GET", "/v1/device-tests?device=badge-204")

    assert sum(isinstance(event, DeviceTestWatched) for event in daemon.events) == 2


@pytest.mark.parametrize("path", ["/v1/device-tests", "/v1/troubles"])
async def test_what_is_in_test_is_shown_where_somebody_looks_whether_all_is_well(app, daemon, path):
    await ask(app, "POST", "/v1/device-tests", {**SIGNED, "device": "badge-204"})
    (shown,) = (await ask(app, "GET", path)).json["in_test"]

    assert shown["device"] == "badge-204"
    assert "in TEST by Ruiz, until" in shown["words"]
    await ask(app, "POST", "/v1/device-tests/end", {**SIGNED, "device": "badge-204"})
    assert (await ask(app, "GET", path)).json["in_test"] == []


async def test_it_is_in_test_at_every_school_at_which_it_may_press(app, daemon):
    """Of three presses the school that hears the third is called, whoever heard the first two."""
    begun = await ask(app, "POST", "/v1/device-tests", {**SIGNED, "device": "walker"})

    assert begun.status == 200
    assert {site for site, _ in daemon.read_device_tests()} == {OAK, ELM}, "R65: it is real at the other school"


async def test_refused_at_one_of_its_schools_it_is_live_at_all_of_them(app, daemon):
    daemon.sites[ELM].press("badge-elm", 8)
    refused = await ask(app, "POST", "/v1/device-tests", {**SIGNED, "device": "walker"})

    assert refused.status == 409
    assert "LOCKDOWN" in refused.json["error"]
    assert daemon.read_device_tests() == (), "it is in test at the other school"


async def test_ordered_again_with_its_key_it_is_the_same_test(app, daemon):
    order = {**SIGNED, "device": "badge-204"}
    begun = [await ask(app, "POST", "/v1/device-tests", order, headers={"Idempotency-Key": "k-1"}) for _ in range(2)]

    assert [each.status for each in begun] == [200, 200]
    assert sum(line.entry.reason is Reason.TRYING_OUT for line in daemon.journal if line.entry) == 2, "kept twice here"


async def test_a_look_at_a_test_reads_no_more_than_the_test(app, daemon, monkeypatch):
    """Twice a second, where much is pressed: the store hands out the oldest lines first, and only so many."""
    daemon.oak.wait(7000)
    await ask(app, "POST", "/v1/device-tests", {**SIGNED, "device": "badge-204"})
    began = daemon.oak.now_us
    asked: list[int] = []
    reading = daemon.read_journal

    def read_journal(site_id, *, since_us, **more):
        asked.append(since_us)
        return reading(site_id, since_us=since_us, **more)

    monkeypatch.setattr(daemon, "read_journal", read_journal)
    daemon.oak.press("badge-204", 3)
    heard = (await ask(app, "GET", "/v1/device-tests?device=badge-204")).json["heard"]

    assert [line["gesture"] for line in heard] == ["", "staff_assist"]
    assert min(asked) >= began - 61_000_000


async def test_what_ends_it_at_one_of_its_schools_ends_it_at_all_of_them_before_whoever_watches_is_told(app, daemon):
    """Who reads "LIVE again" walks off, and the next presses are for help, wherever they are heard."""
    await ask(app, "POST", "/v1/device-tests", {**SIGNED, "device": "walker"})
    daemon.oak.arrive("walker", "hold")
    now = (await ask(app, "GET", "/v1/device-tests?device=walker")).json

    assert any(line["is_over"] for line in now["heard"])
    assert not now["runs"], "R65: it is told that it is live, and in test at the other school"
    assert all(memory.test is None for _, memory in daemon.read_device_tests()), "its presses there page nobody"
