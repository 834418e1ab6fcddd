"""What somebody asks for in an answer (8, 9) is a press of no device: no cry is lost in it, no name is taken by it."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from alertd.model.events import Lasting, ResolveOrdered
from alertd.model.ids import CauseId, DeviceId, PersonId
from alertd.model.incident import DispatchState, EscalationState, Incident, IncidentClass, IncidentState
from alertd.model.notification import Kind, NotificationState
from alertd.model.registry import Registry
from alertd.model.site import DeviceKind, Gestures
from tests.engine import test_calls as phones
from tests.engine.play import Play
from tests.engine.school import device, registry
from tests.engine.test_sensors import play as beside_sensors

LATCHED = Lasting(repeats_s=60)


def resolve(p: Play, incident: Incident) -> None:
    p.do(ResolveOrdered(site_id=p.state.site_id, cause=CauseId(incident.id), incident_id=incident.id, by="Ruiz"))


def held(p: Play) -> None:
    """The badge calls for assistance, somebody asks for a hold, and the assist is closed."""
    p.press("badge-204", 3)
    p.wait(10)
    assist = p.incident
    p.reply("Chen", f"8{assist.token}")
    p.wait(5)
    resolve(p, assist)


def with_words(name: str, **words: str) -> Registry:
    """The school, where a device has further words of its own."""
    known = registry()
    plain = known.devices[DeviceId(name)]
    spoken = replace(plain, gestures=replace(plain.gestures, actions={**plain.gestures.actions, **words}))
    return replace(known, devices=known.devices | {plain.id: spoken})


def only_called(name: str) -> Registry:
    """The school, where somebody can be called, and not be texted."""
    known = phones.school()
    person = known.people[PersonId(name.lower())]
    phone = replace(person, endpoints=tuple(e for e in person.endpoints if e.channel == "voice"))
    return replace(known, people=known.people | {person.id: phone})


def of_class(p: Play, wanted: str) -> Incident:
    return next(i for i in p.state.incidents.values() if i.incident_class == wanted)


def to_dispatch(p: Play) -> list[dict[str, Any]]:
    rows = (row.notification for row in p.rows.values())
    return [json.loads(n.body) for n in rows if n.kind.value.startswith("dispatch")]


@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize("waited_s", [30, 300, 900])
def test_a_badge_that_calls_beside_a_hold_that_somebody_asked_for_is_heard(answered: bool, waited_s: int) -> None:
    p = Play()
    held(p)
    if answered:
        p.reply("Ruiz", f"4{p.incident.token}")
    p.wait(waited_s)
    p.news()
    p.press("badge-204", 3)

    told = {(n.recipient, n.kind) for n in p.news() if "STAFF ASSIST" in n.text}
    assert ("Ruiz", Kind.ALERT) in told, "promise 2: somebody calls for help, and nobody is told"


@pytest.mark.parametrize("digit", [8, 9])
@pytest.mark.parametrize("resolved", [False, True])
def test_a_badge_calls_beside_what_a_nurse_has_asked_for(digit: int, resolved: bool) -> None:
    known = registry()
    badge = known.devices[DeviceId("badge-204")]
    ill = replace(badge, gestures=replace(badge.gestures, actions={**badge.gestures.actions, "ill": "medical"}))
    p = Play(replace(known, devices={**known.devices, badge.id: ill}))
    p.arrive("badge-204", "ill")
    medical = p.incident
    p.reply("Nurse", f"{digit}{medical.token}")
    p.wait(5)
    if resolved:
        resolve(p, medical)
    p.wait(20)
    p.news()
    p.press("badge-204", 3)

    assert "Ruiz" in {n.recipient for n in p.news()}, "promise 2: a first cry for help is taken for what a nurse asked"


@pytest.mark.parametrize("latched", [False, True])
@pytest.mark.parametrize("end", ["correct", "resolve"])
def test_a_9_after_a_lockdown_was_ended_locks_down_beside_a_button_that_still_says_so(end: str, latched: bool) -> None:
    p = Play()
    p.arrive("badge-204", "hold", lasting=LATCHED if latched else None)
    for _ in range(24):
        p.wait(5)
        if latched:
            p.arrive("badge-204", "hold", lasting=LATCHED)
    getattr(p, end)()
    p.wait(5)
    if latched:
        p.arrive("badge-204", "hold", lasting=LATCHED)
    p.wait(3)
    p.news()
    p.reply("Ruiz", f"9{p.incident.token}")

    assert ("Okafor", "also") in p.said(), "promise 2: whoever asked reads that it is on, and nobody is locked in"
    assert (p.incident.state, p.incident.correction) == (IncidentState.ACTIVE, None)


@pytest.mark.parametrize("waited_s", [1, 40])
def test_a_9_a_moment_after_another_and_a_correction_locks_down(waited_s: int) -> None:
    p = Play()
    p.press("badge-204", 8)
    p.wait(waited_s)
    p.reply("Ruiz", f"9{p.incident.token}")
    p.wait(3)
    p.correct()
    p.wait(4)
    p.news()
    p.reply("Chen", f"9{p.incident.token}")
    p.reply("Chen", f"9{p.incident.token}")

    assert p.said().count(("Okafor", "also")) == 1, "promise 2: a 9 was taken for what was said before the correction"
    assert p.incident.escalation is EscalationState.RUNNING


def test_a_badge_pressed_after_a_9_and_a_correction_is_no_echo_of_the_9() -> None:
    p = Play()
    p.press("badge-204", 3)
    p.wait(60)
    p.reply("Ruiz", f"9{p.incident.token}")
    p.wait(3)
    p.correct()
    p.wait(4)
    p.news()
    p.press("badge-204", 8)

    assert ("Okafor", "also") in p.said(), "promise 2: a press is taken for what somebody had asked for"


@pytest.mark.parametrize("end", ["correct", "resolve"])
def test_the_moment_of_a_press_is_no_echo_of_a_state_that_is_said_again(end: str) -> None:
    p = Play()
    p.arrive("badge-204", "hold")
    for _ in range(24):
        p.wait(5)
        p.arrive("badge-204", "hold", lasting=LATCHED)
    getattr(p, end)()
    for _ in range(16):
        p.wait(5)
        p.arrive("badge-204", "hold", lasting=LATCHED)
    p.wait(3)
    p.news()
    p.arrive("badge-204", "hold")

    assert ("Okafor", "also") in p.said(), "promise 2: a press a minute after the end is taken for an echo"


def test_who_pressed_on_to_a_lockdown_after_a_hold_that_somebody_asked_for_is_the_badge() -> None:
    p = Play()
    held(p)
    p.wait(60)
    p.news()
    p.press("badge-204", 8)

    (first,) = {n.text for n in p.news() if n.recipient == "Ruiz" and "LOCKDOWN" in n.text}
    assert "Okafor badge, 8 presses" in first, "who goes reads that somebody else pressed"
    (press,) = to_dispatch(p)[-1]["presses"]
    assert (press["device"], press["assigned_to"], press["count"]) == ("badge-204", "okafor", 8)


def test_the_wearers_phone_stays_silent_after_a_hold_that_somebody_asked_for() -> None:
    p = Play(phones.school(people={"Okafor": ("first",)}))
    held(p)
    p.wait(60)
    p.press("badge-204", 8)

    lockdown = of_class(p, "lockdown")
    rung = [r for r in phones.calls(p, None) if r.notification.incident_id == lockdown.id]
    standing = {r.notification.recipient: r.state for r in rung}
    assert standing["Okafor"] is NotificationState.SUPPRESSED, "a phone rings in the hand that hides"
    assert standing["Chen"] is NotificationState.QUEUED, "who asked for the hold is asked to come now"


def test_what_somebody_asked_for_is_no_devices_for_dispatch_and_on_the_phone() -> None:
    p = Play(phones.school())
    p.arrive("wall-gym")
    p.reply("Nurse", f"9{p.incident.token}")

    (press,) = to_dispatch(p)[-1]["presses"]
    assert (press["device"], press["assigned_to"], press["may_not_be_wearer"]) == (None, "nurse", False)
    said = [r.notification.text for r in phones.calls(p) if "Lockdown" in r.notification.text]
    assert said
    assert all("Phone pressed" in text for text in said), "nobody pressed the button in the gym for it"
    p.reply("Ruiz", f"4{of_class(p, 'lockdown').token}")
    assert "" not in {c.device_id for c in p.confirmations}


def test_who_pressed_for_more_than_a_hold_stands_before_who_asked_for_it() -> None:
    known = registry()
    buttons = Gestures(id="wall", actions={"press": "medical", "halls": "hold", "threat": "lockdown"})
    wall = device("wall-gym", DeviceKind.BUTTON, buttons, zone_id="gym", label="wall button")
    p = Play(replace(known, devices=known.devices | {wall.id: wall}))
    p.arrive("wall-gym")
    medical = p.incident
    p.reply("Nurse", f"8{medical.token}")
    resolve(p, medical)
    p.wait(20)
    p.arrive("wall-gym", "halls")
    p.wait(20)
    p.news()
    p.arrive("wall-gym", "threat")

    (first,) = {n.text for n in p.news() if n.recipient == "Ruiz" and "LOCKDOWN" in n.text}
    assert "wall button" in first, "who goes reads that somebody else pressed"


def test_who_asks_for_more_than_a_hold_is_named() -> None:
    p = Play()
    held(p)
    p.reply("Ruiz", f"9{p.incident.token}")

    assert p.incident.incident_class is IncidentClass.LOCKDOWN
    assert [press.device_label for press in p.incident.presses] == ["Ruiz by text"]


def test_a_further_place_by_an_answer_is_asked_not_pressed() -> None:
    p = Play()
    p.press("badge-204", 8)
    p.press("badge-118", 3)
    p.news()
    p.reply("Chen", f"9{of_class(p, 'staff_assist').token}")

    also = [n.text for n in p.news() if n.kind is Kind.ALSO and n.recipient == "Ruiz"]
    assert len(also) == 1, "nobody hears where more is asked for"
    assert "Rm 118" in also[0]
    assert "ALSO asked" in also[0], "nobody has pressed there"
    p.press("badge-118", 8)
    assert any("ALSO pressed" in n.text and "badge" in n.text for n in p.news()), "promise 2: a press was taken for it"


def test_reports_of_a_sensor_are_no_presses_once_somebody_asked_for_a_lockdown() -> None:
    """docs/devices.md: never of more than somebody made."""
    p = beside_sensors()
    p.arrive("ears-118", "gunshot")
    p.wait(5)
    p.reply("Ruiz", f"9{p.incident.token}")
    for _ in range(3):
        p.wait(6)
        p.arrive("ears-118", "gunshot")
    p.wait(20)
    p.reply("Chen", f"4{p.incident.token}")

    said = [entry.text for entry in p.entries] + [n.notification.text for n in p.rows.values()]
    assert not [text for text in said if "sensor, 4 presses" in text], "nobody has pressed"
    bodies = to_dispatch(p)
    assert {press["kind"] for body in bodies for press in body["presses"]} == {"gunshot_sensor"}
    states = {body["verification"]["state"] for body in bodies}
    assert not states & {"sensor_only", "repeat_press"}, "a human asked for it, and nobody pressed twice"


def test_a_shot_moments_after_a_9_is_part_of_the_lockdown() -> None:
    p = beside_sensors()
    p.press("badge-204", 8)
    p.wait(600)
    p.reply("Ruiz", f"9{p.incident.token}")
    p.wait(20)
    p.news()
    p.arrive("ears-118", "gunshot")

    assert ("Okafor", "also") in p.said(), "who has just asked for a lockdown is asked whether there was a shot"


def test_a_button_that_was_covered_is_not_pressed_by_who_asks_for_a_lockdown() -> None:
    known = beside_sensors().registry
    buttons = Gestures(id="wall", actions={"covered": "masking"})
    wall = device("wall-gym", DeviceKind.BUTTON, buttons, zone_id="gym")
    p = Play(replace(known, devices=known.devices | {wall.id: wall}))
    p.arrive("wall-gym", "covered")
    p.reply("Ruiz", f"9{p.incident.token}")

    (press,) = to_dispatch(p)[-1]["presses"]
    assert (p.incident.incident_class, press["kind"]) == (IncidentClass.LOCKDOWN, "masking")


def test_a_late_lockdown_is_of_now_once_somebody_asks_for_it() -> None:
    p = Play()
    p.press("badge-204", 8, pressed_us=p.now_us - 600_000_000)
    assert not to_dispatch(p)
    p.news()
    p.reply("Ruiz", f"9{p.incident.token}")

    assert ("psap", "dispatch_new") in p.said(), "a human's word is waited for, and came"


def test_a_9_says_nothing_of_another_room_that_was_heard_late() -> None:
    p = Play()
    for badge in ("badge-204", "badge-118"):
        p.press(badge, 8, pressed_us=p.now_us - 600_000_000)
    p.reply("Ruiz", f"9{p.incident.token}")

    late = {press["device"]: press["late"] for press in to_dispatch(p)[-1]["presses"]}
    assert late == {"badge-204": False, "badge-118": True}, "what was pressed there ten minutes ago reads as of now"


def test_dispatch_reads_that_a_human_asked_for_what_is_on() -> None:
    p = Play()
    p.press("badge-204", 8)
    p.wait(20)
    p.news()
    p.reply("Chen", f"9{p.incident.token}")
    p.wait(20)

    assert ("psap", "dispatch_update") in p.said(), "911 reads nowhere that a second human asked for it"


@pytest.mark.parametrize("silent_s", [8, 40])
def test_a_finger_that_goes_on_after_a_correction_locks_down_no_more_by_another_gateway(silent_s: int) -> None:
    known = registry()
    gym = device("gw-gym", DeviceKind.GATEWAY, Gestures(id="gateway"), zone_id="gym")
    p = Play(replace(known, devices=known.devices | {gym.id: gym}))
    for gateway in ("gw-oak", "gw-gym", "gw-oak", "gw-oak", "gw-oak"):
        p.arrive("walker", "hold", heard_by=DeviceId(gateway))
        p.wait(8)
    p.correct()
    p.wait(silent_s - 8)
    p.news()
    p.arrive("walker", "hold", heard_by=gym.id)

    locks_down = ("Okafor", "also") in p.said()
    assert locks_down == (silent_s > 10), "one hurried finger, and the school is locked down again"


@pytest.mark.parametrize("again_at", ["gw-gym", "gw-204"])
def test_promise_2_a_press_in_another_room_moments_after_a_correction_is_told(again_at: str) -> None:
    """Half an hour ago they called from the gym; now from elsewhere, which was corrected. Nothing echoes in the gym."""
    rooms = [(f"gw-{zone}", zone) for zone in ("gym", "118", "204")]
    gateways = [device(name, DeviceKind.GATEWAY, Gestures(id="gateway"), zone_id=zone) for name, zone in rooms]
    known = registry()
    p = Play(replace(known, devices=known.devices | {gateway.id: gateway for gateway in gateways}))
    p.arrive("walker", "hold", heard_by=DeviceId("gw-gym"))
    p.wait(1800)
    p.arrive("walker", "hold", heard_by=DeviceId("gw-118"))
    p.wait(4)
    p.correct()
    p.wait(5)
    p.news()
    p.arrive("walker", "hold", heard_by=DeviceId(again_at))

    assert ("Okafor", "also") in p.said(), "promise 2: a press of another room is taken for an echo"


@pytest.mark.parametrize("back_s", [0, 3600])
def test_a_press_after_a_correction_is_no_echo_though_the_clock_was_set_back(back_s: int) -> None:
    p = Play()
    p.press("badge-204", 8)
    p.wait(60)
    p.correct()
    p.wait(30)
    p.news()
    p.stepped_us = -back_s * 1_000_000
    p.press("badge-204", 8)

    assert ("Okafor", "also") in p.said(), "promise 2: a press half a minute after a correction locks nobody down"


def test_dispatch_reads_as_a_lockdown_what_is_pressed_for_one_after_a_9():
    p = Play()
    p.press("badge-204", 3)
    p.wait(10)
    p.reply("Chen", f"9{p.incident.token}")
    p.wait(20)
    p.press("badge-204", 8)
    p.wait(15)

    bodies = [json.loads(row.notification.body) for row in p.rows.values() if row.notification.endpoint.dispatch]
    ((press,),) = [bodies[-1]["presses"]]
    assert (press["count"], press["kind"]) == (8, "lockdown"), "eight presses read as a staff assist"


@pytest.mark.parametrize("slow_us", [0, 180_000_000])
def test_a_button_whose_messages_come_late_locks_down_no_more_after_a_correction(slow_us: int):
    """Also each further press of theirs was in the air by then."""
    p = Play()
    for _ in range(24):
        p.arrive("badge-204", "hold", pressed_us=p.now_us - slow_us)
        p.wait(5)
    p.correct()
    p.news()
    p.arrive("badge-204", "hold", pressed_us=p.now_us - slow_us)

    assert p.news() == [], "after each correction the school is locked down again"
    assert p.incident.state is IncidentState.RELEASING


@pytest.mark.parametrize("wanted", ["lockdown", "hold"])
@pytest.mark.parametrize("kind", [4, 5])
def test_who_asks_for_what_is_on_sends_nobody_anew_while_somebody_goes(kind: int, wanted: str) -> None:
    p = Play()
    if wanted == "lockdown":
        p.press("badge-204", 8)
    else:
        held(p)
    p.reply("Ruiz", f"{kind}{p.incident.token}")
    for asks in ("Chen", "Nurse"):
        p.wait(70)
        p.news()
        p.reply(asks, f"{9 if wanted == 'lockdown' else 8}{p.incident.token}")

        news = p.news()
        assert {(n.recipient, n.kind) for n in news if not n.endpoint.dispatch} == {(asks, Kind.ANSWER)}, (
            "everybody is told again of what is on, and who goes is asked again"
        )
        assert "is on, as you asked" in news[-1].text
        assert {n.kind for n in news if n.endpoint.dispatch} <= {Kind.DISPATCH_UPDATE}
        assert p.incident.escalation is EscalationState.PAUSED
    p.wait(3)
    p.press("badge-204", 8)
    assert ("Ruiz", "also" if wanted == "lockdown" else "alert") in p.said(), "promise 2: a press is taken for a 9"


def test_a_center_that_has_closed_its_call_hears_who_asks_for_the_lockdown_that_is_on() -> None:
    p = Play()
    p.press("badge-204", 8)
    p.center(DispatchState.ACCEPTED)
    p.reply("Ruiz", f"5{p.incident.token}")
    p.center(DispatchState.CLOSED)
    p.wait(600)
    p.news()
    p.reply("Chen", f"9{p.incident.token}")
    p.reply("Nurse", f"9{p.incident.token}")

    told = [kind for recipient, kind in p.said() if recipient == "psap"]
    assert told == ["dispatch_new"], "somebody asks for a lockdown, and an update goes to a call that is closed"


def test_an_8_to_a_hold_of_which_nobody_knows_the_place_is_about_that_hold() -> None:
    p = Play(with_words("walker", halls="hold"))
    p.arrive("walker", "halls")
    p.wait(20)
    p.news()
    p.reply("Ruiz", f"8{p.incident.token}")

    assert len(p.state.incidents) == 1, "everybody is told of a second hold, with a code of its own"
    assert p.said() == [("Ruiz", "answer")]


def test_an_8_to_what_is_no_hold_opens_one_beside_a_hold_of_which_nobody_knows_the_place() -> None:
    p = Play(with_words("walker", halls="hold"))
    p.arrive("walker", "halls")
    p.press("badge-118", 3)
    p.news()
    p.reply("Ruiz", f"8{of_class(p, 'staff_assist').token}")

    assert ("Okafor", "alert") in p.said(), "nobody clears the halls by Rm 118"


def test_a_call_says_of_a_further_place_who_asked_as_a_text_does() -> None:
    p = Play(only_called("Ruiz"))
    p.press("badge-204", 8)
    p.press("badge-118", 3)
    p.news()
    p.reply("Chen", f"9{of_class(p, 'staff_assist').token}")

    (said,) = [n.text for n in p.news() if n.endpoint.channel == "voice" and n.recipient == "Ruiz"]
    assert "Rm 118, 1st fl West has also asked, at" in said, "nobody has pressed there for a lockdown"


def test_a_key_says_of_a_further_place_who_asked() -> None:
    p = Play(phones.school())
    p.press("badge-204", 8)
    call = phones.calls(p)[0]
    p.press("badge-118", 3)
    p.wait(5)
    p.reply("Chen", f"9{of_class(p, 'staff_assist').token}")

    assert "Rm 118, 1st fl West has also asked, at" in p.key(call, 4).text


def test_a_call_says_where_a_badge_that_is_carried_was_heard() -> None:
    known = only_called("Ruiz")
    gym = device("gw-gym", DeviceKind.GATEWAY, Gestures(id="none"), zone_id="gym")
    p = Play(replace(known, devices=known.devices | {gym.id: gym}))
    for place in ("gw-oak", "gw-gym"):
        p.news()
        p.arrive("walker", "hold", lasting=LATCHED, heard_by=DeviceId(place))
        p.wait(5)

    (said,) = [n.text for n in p.news() if n.endpoint.channel == "voice" and n.recipient == "Ruiz"]
    assert "Near Gym, north wall, heard there just now was also heard, at" in said, "nobody has pressed there"


def test_what_nobody_pressed_for_was_not_pressed_by_mistake() -> None:
    p = Play(only_called("Chen"))
    p.arrive("wall-gym")
    p.reply("Nurse", f"9{p.incident.token}")
    resolve(p, of_class(p, "medical"))
    p.news()
    p.correct()

    said = {n.text for n in p.news() if n.kind is Kind.CORRECTION and n.recipient in ("Ruiz", "Chen")}
    assert len(said) == 2
    assert all("was a mistake, says" in text for text in said), "it says that the button was pressed for it"


@pytest.mark.parametrize("then", ["pressed on", "asked on"])
def test_what_somebody_pressed_for_too_was_pressed_by_mistake(then: str) -> None:
    p = Play()
    p.press("badge-204", 3)
    p.wait(20)
    p.reply("Ruiz", f"9{p.incident.token}")
    if then == "pressed on":
        p.press("badge-204", 8)
    p.correct()

    (said,) = [n.text for n in p.news() if n.kind is Kind.CORRECTION and n.recipient == "Ruiz"]
    assert ("was pressed by mistake, says" in said) is (then == "pressed on")
