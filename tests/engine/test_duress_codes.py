"""A code typed under threat: people are told, and nothing near the keypad shows it."""

from msgspec.structs import replace

from alertd.model.incident import IncidentClass
from alertd.model.registry import Registry
from alertd.model.site import Gestures
from tests.engine.play import Play
from tests.engine.school import LOCKDOWN, policy, registry

SILENT = "promise 2 and a life: it must be silent"


def school() -> Registry:
    one = registry(policy("police_duress", *LOCKDOWN.steps))
    keypad = Gestures(id="keypad", actions={"police": "police_duress", "panic": "lockdown"})
    badge = next(device for device in one.devices.values() if device.id == "badge-204")
    return replace(one, devices=one.devices | {badge.id: replace(badge, gestures=keypad)})


def test_it_tells_people_and_not_the_keypad():
    play = Play(school())
    play.arrive("badge-204", "police", cause="once")
    play.arrive("badge-204", "police", cause="once")
    (incident,) = play.state.incidents.values()
    assert incident.incident_class is IncidentClass.POLICE_DURESS
    assert play.texts_to("Ruiz")

    play.answer("Ruiz")
    assert play.confirmations == [], SILENT


def test_a_panic_key_of_the_same_keypad_is_confirmed_as_ever():
    play = Play(school())
    play.arrive("badge-204", "panic")

    assert [c.device_id for c in play.confirmations] == ["badge-204"]
