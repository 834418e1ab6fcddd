"""What may have been a press, or what somebody must go and look at, says where: labels are alike in each room."""

from functools import partial

import pytest
from msgspec.structs import replace

from alertd.engine import fallback
from alertd.engine.routing import route
from alertd.engine.troubles import FAMILY_MAX
from alertd.engine.wording import SEGMENT
from alertd.model.anchor import Now
from alertd.model.decision import Facts
from alertd.model.events import Arrival, Heard, Lasting, Pressed, Signal, TroubleRaised
from alertd.model.ids import DISTRICT, DeviceId, SiteId, ZoneId
from alertd.model.registry import Registry
from alertd.model.site import DeviceKind
from tests.engine.play import START_US, Play
from tests.engine.school import ELM, OAK, SENSOR, TROUBLE, WALL, device, registry, zone

MINUTE_US = 60_000_000
WHO_HEARD = "req 5: who heard it knows where it was, and whoever looks for it does not"
TEMPLATE = "alertd SUPERVISORY at OAK ELEM since 10:42: "
"""The longest words that the example puts before a trouble's own."""
SHIPPED = "alertd SUPERVISORY at {site} since {time}: {summary}"


def alike() -> Registry:
    """A wall button and a vape sensor in each of two rooms, by label the same."""
    school = registry()
    twins = (
        device("button-204", DeviceKind.BUTTON, WALL, zone_id="204", label="wall button"),
        device("button-118", DeviceKind.BUTTON, WALL, zone_id="118", label="wall button"),
        device("647fda0000000801", DeviceKind.BUTTON, WALL, zone_id="gym", label="wall button"),
        device("vape-204", DeviceKind.SENSOR, SENSOR, zone_id="204", label="vape sensor"),
    )
    return replace(school, devices=school.devices | {each.id: each for each in twins})


def told(play: Play) -> str:
    """The last trouble, as it stands and as it was texted: what a text loses is no room."""
    trouble = list(play.state.troubles.values())[-1]
    seen = trouble.summary[: SEGMENT - len(TEMPLATE)].strip()
    assert any(seen in text for text in play.texts_to("Ruiz")), trouble.key
    return trouble.summary


def lasts(play: Play, device_id: str, **more: object) -> None:
    play.arrive(device_id, "press", lasting=Lasting(repeats_s=60), **more)


def still_on(play: Play, device_id: str) -> None:
    """It is closed, and the button is not reset."""
    lasts(play, device_id)
    play.resolve()
    play.wait(30)
    lasts(play, device_id)


def on_since_a_drill(play: Play, device_id: str) -> None:
    play.drill(device_id, drilled="medical")
    lasts(play, device_id)
    play.end_drill()
    play.wait(30)
    lasts(play, device_id)


def counted_long_ago(play: Play, device_id: str) -> None:
    lasting = Lasting(repeats_s=60, state="17")
    play.arrive(device_id, "press", lasting=lasting)
    play.resolve()
    play.wait(7_200)
    play.arrive(device_id, "press", lasting=lasting)


SAYS = {
    "a word that its gestures do not know": lambda play, id_: play.arrive(id_, "sos"),
    "a long one": lambda play, id_: play.arrive(id_, "s" * 400),
    "that it was opened": lambda play, id_: play.arrive(id_, "tamper"),
    "what the broker has kept": lambda play, id_: play.arrive(id_, "press", retained=True),
    "how it stands": lambda play, id_: play.arrive(id_, "press", standing=True),
    "a press of long ago": lambda play, id_: play.arrive(id_, "press", pressed_us=play.now_us - 300 * MINUTE_US),
    "the same still": still_on,
    "the same since a drill": on_since_a_drill,
    "the same number after hours": counted_long_ago,
}


@pytest.mark.parametrize("id_", ["button-204", "button-118"])
@pytest.mark.parametrize("says", SAYS)
def test_req_5_what_may_have_been_a_press_of_a_button_says_in_which_room(says: str, id_: str) -> None:
    play = Play(alike())
    SAYS[says](play, id_)

    room = id_.removeprefix("button-")
    assert told(play).startswith(f"Rm {room} wall button ({id_}) "), "nobody knows in which room to look"


@pytest.mark.parametrize("says", [says for says in SAYS if says != "a long one"])
def test_with_the_room_it_still_says_all_in_one_text(says: str) -> None:
    play = Play(alike())
    SAYS[says](play, "button-204")

    assert len(TEMPLATE + told(play)) <= SEGMENT, "the end is lost"


@pytest.mark.parametrize("words", ["alertd trouble at {site}: {summary}", SHIPPED], ids=["plain", "as shipped"])
@pytest.mark.parametrize("device_id", ["647fda0000000801", "647fda0000000802"], ids=["fixed", "worn"])
@pytest.mark.parametrize("says", SAYS)
def test_what_to_do_survives_though_there_are_many_and_their_names_are_long(
    says: str, device_id: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    play = Play(alike())
    gateway = device("gw-long", DeviceKind.GATEWAY, WALL, zone_id="long")
    longest = (
        device("647fda0000000801", DeviceKind.BUTTON, WALL, zone_id="long", label="emergency button 2nd"),
        device("647fda0000000802", DeviceKind.WEARABLE, WALL, label="emergency button 2nd"),
        gateway,
    )
    place = zone("long", OAK, "Boys WC by Rm 112, 1st fl West", "Boys WC by Rm 112")
    texted = replace(TROUBLE, templates={"trouble.responder": words, "supervisory.responder": words})
    play.registry = replace(
        play.registry,
        devices=play.registry.devices | {each.id: each for each in longest},
        zones=play.registry.zones | {place.id: place},
        policies=play.registry.policies | {texted.id: texted},
    )
    for word in range(FAMILY_MAX):
        play.arrive("button-118", f"word-{word}")
    monkeypatch.setattr(play, "arrive", partial(play.arrive, heard_by=gateway.id))
    SAYS[says](play, device_id)

    text = play.texts_to("Ruiz")[-1]
    assert "Boys WC by Rm 112" in text
    assert "emergency button 2nd" in text
    cures = ("Was it a press?", "Was it pressed?", "Look", "reset it", "set its clock")
    assert any(cure in text for cure in cures), f"it does not say what to do: {text}"
    if device_id == "647fda0000000801" and words != SHIPPED:
        assert f"Boys WC by Rm 112 emergency button 2nd ({device_id})" in text, "there is room for its id"


def test_req_5_of_a_badge_it_says_who_heard_it_and_when_and_never_its_home() -> None:
    play = Play(alike())
    play.arrive("walker", "dance", heard_by=DeviceId("gw-oak"))
    assert told(play).startswith("NEAR Rm 118 at 10:42: Walker badge (walker) says 'dance'. Was it a press?"), WHO_HEARD

    play = Play(alike(), site_id=ELM)
    play.arrive("walker", "dance", heard_by=DeviceId("gw-elm"))
    (trouble,) = play.state.troubles.values()
    assert trouble.summary.startswith("NEAR Rm 1 at 10:42: Walker badge (walker) says"), "the school that heard it"

    play = Play(alike())
    play.arrive("walker", "dance")
    assert told(play).startswith("place UNKNOWN: Walker badge (walker) says"), "req 5: never blank"


@pytest.mark.parametrize(
    ("pressed_us", "place"),
    [(START_US - 30 * MINUTE_US, "MAYBE NEAR Rm 118 at 10:12: "), (None, "MAYBE NEAR Rm 118: ")],
    ids=["by its own clock", "without a clock"],
)
def test_req_5_where_a_broker_remembers_that_a_badge_was_is_nowhere_of_now(pressed_us: int | None, place: str) -> None:
    play = Play(alike())
    play.arrive("walker", "hold", heard_by=DeviceId("gw-oak"), retained=True, pressed_us=pressed_us)

    assert told(play).startswith(f"{place}Walker badge (walker) left a stored 'hold'"), "it says nothing of now"


@pytest.mark.parametrize(
    "says",
    [
        {"action": "dance"},
        {"action": "tamper"},
        {"action": "vape", "retained": True},
    ],
    ids=["unmapped", "tamper", "retained"],
)
def test_what_a_sensor_says_names_its_room_and_itself_in_the_same_words(says: dict[str, object]) -> None:
    play = Play(alike())
    play.arrive("vape-204", **says)  # type: ignore[arg-type]

    assert told(play).startswith("Rm 204 vape sensor (vape-204) ")


def test_a_storm_names_the_sensor_in_the_same_words() -> None:
    play = Play(alike())
    for _ in range(22):
        play.arrive("vape-204", "vape")
        play.wait(1)

    assert told(play).startswith("Rm 204 vape sensor (vape-204) needs tuning: ")


@pytest.mark.parametrize(
    ("topic", "who"),
    [
        ("alertd/press/button-204", "OAK ELEM Rm 204 wall button (button-204)"),
        ("zigbee2mqtt/button-204/action", "OAK ELEM Rm 204 wall button (button-204)"),
        ("gateways/gw-oak/64-7F-DA-00-00-00-08-01", "OAK ELEM Gym wall button (647fda0000000801)"),
        ("alertd/press/walker", "Walker badge (walker), place UNKNOWN"),
        ("alertd/press/stranger", ""),
    ],
)
@pytest.mark.parametrize("never_press", [False, True])
def test_what_nobody_understands_says_of_which_device_it_was(topic: str, who: str, never_press: bool) -> None:
    play = Play(alike(), site_id=DISTRICT)
    arrival = Arrival(
        source="mqtt",
        topic=topic,
        signals=(),
        received_us=START_US,
        arrival_id="1",
        refused="its JSON ends in the middle of a word, at byte 17",
        never_press=never_press,
    )
    for event in route(play.registry, arrival):
        play.do(event)

    begins = "Not a press" if never_press else "May have been a press"
    expected = f"{begins} of {who}: its message " if who else f"{begins}: a message on {topic} "
    (trouble,) = play.state.troubles.values()
    assert trouble.summary.startswith(f"{expected}is not understood (its JSON ends"), "nobody knows where to look"


@pytest.mark.parametrize("heard_by", ["gw-oak", None])
def test_a_press_that_paged_nobody_says_where_it_was_heard(heard_by: str | None) -> None:
    play = Play(alike(), site_id=DISTRICT)
    play.arrive("zzz", "hold", heard_by=None if heard_by is None else DeviceId(heard_by))

    (trouble,) = play.state.troubles.values()
    place = " near OAK ELEM Rm 118" if heard_by else ""
    assert trouble.summary.startswith(f"A press that paged NOBODY, go and look{place}: zzz (it is not in"), WHO_HEARD


def test_a_press_that_paged_nobody_is_looked_for_near_the_gateway_that_heard_it_best() -> None:
    play = Play(alike(), site_id=DISTRICT)
    gym = replace(play.registry.devices[DeviceId("gw-oak")], id=DeviceId("gw-gym"), zone_id=ZoneId("gym"))
    play.registry = replace(play.registry, devices=play.registry.devices | {gym.id: gym})
    ears = (Heard(gateway_id=DeviceId("gw-oak"), rssi=-92), Heard(gateway_id=gym.id, rssi=-55))
    play.arrive("zzz", "hold", heard=ears, heard_by=DeviceId("gw-oak"))

    (trouble,) = play.state.troubles.values()
    assert "go and look near OAK ELEM Gym: zzz" in trouble.summary, "somebody runs to the wrong room"


def test_a_badge_that_paged_nobody_is_looked_for_where_it_was_heard_and_by_its_name() -> None:
    play = Play(alike())
    far = device("gw-far", DeviceKind.GATEWAY, WALL, site=SiteId("far"))
    play.registry = replace(play.registry, devices=play.registry.devices | {far.id: far})
    play.arrive("walker", "hold", heard_by=far.id)

    assert told(play).startswith(
        "A press that paged NOBODY, go and look near far gw-far: Walker badge (walker) (heard outside its sites)"
    )


def test_a_press_as_telemetry_says_in_which_room_the_button_hangs() -> None:
    play = Play(alike(), site_id=DISTRICT)
    words = "presses where it pages NOBODY. Was it a press? alertd/telemetry/button-204 is telemetry: name it."
    play.do(
        TroubleRaised(site_id=DISTRICT, key="telemetry_press:button-204", summary=words, about=DeviceId("button-204"))
    )

    (trouble,) = play.state.troubles.values()
    assert trouble.summary == f"OAK ELEM Rm 204 wall button (button-204) {words}", "nobody knows where it hangs"


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"heard_by": DeviceId("gw-oak")}, "OAK ELEM NEAR Rm 118: "),
        ({"heard_by": DeviceId("gw-oak"), "pressed_us": START_US - 300 * MINUTE_US}, "OAK ELEM MAYBE NEAR Rm 118: "),
        ({}, "OAK ELEM place UNKNOWN: "),
    ],
)
def test_req_5_a_badges_press_that_the_engine_cannot_handle_says_who_heard_it(
    more: dict[str, object], place: str
) -> None:
    play = Play(alike())
    signal = Signal(device_id=DeviceId("walker"), action="hold", **more)  # type: ignore[arg-type]
    arrival = Arrival(source="mqtt", topic="t", signals=(signal,), received_us=START_US, arrival_id="1")
    event = next(each for each in route(play.registry, arrival) if each.site_id == OAK)
    now = Now(wall_us=START_US, boot_us=0)
    decision = fallback.page(play.state, Facts(registry=play.registry), event, now, "KeyError")

    assert {row.notification.text.partition("PANIC")[0] for row in decision.notifications} == {place}, WHO_HEARD


def test_what_the_engine_cannot_handle_names_no_room_of_another_school() -> None:
    play = Play(alike())
    signal = Signal(device_id=DeviceId("walker"), action="hold", heard_by=DeviceId("gw-oak"))
    arrival = Arrival(source="mqtt", topic="t", signals=(signal,), received_us=START_US, arrival_id="1")
    event = next(each for each in route(play.registry, arrival) if each.site_id == OAK)
    assert isinstance(event, Pressed)
    event = replace(event, signal=replace(signal, heard_by=DeviceId("gw-elm")))
    now = Now(wall_us=START_US, boot_us=0)
    decision = fallback.page(play.state, Facts(registry=play.registry), event, now, "KeyError")

    texts = {row.notification.text for row in decision.notifications}
    assert texts
    assert all("place UNKNOWN" in text for text in texts), "Oak runs to a room of Elm's"
