"""Z-Wave JS UI: the same press in every topic that its gateway settings make of it, and codes that only a topic names.

Topics: `valueTopic` in api/lib/Gateway.ts of zwave-js-ui; keys: EntryControlEventTypes of zwave-js.
"""

import json
from typing import Any

import pytest

from alertd.model.duress_code import hashed
from alertd.model.events import Signal
from alertd.ports import DecodeError, UncoveredError
from alertd_adapters.decoders.mapping.checking import registry_of
from alertd_adapters.decoders.mapping.codes import HIDDEN
from alertd_adapters.decoders.mapping.explaining import explain
from tests.adapters.decoders.mapping.test_learning import fitting
from tests.adapters.decoders.mapping.test_levels_and_codes import SALT, all_that_is_said, decoder, keypad

AT = 1_788_187_327_310
PLACES = {"Office:strip": "zwave/Office/strip", "strip": "zwave/strip"}
SPELLINGS = {"by number": ("91/0", "113/0", "111/0"), "by name": ("central_scene/endpoint_0", "notification/endpoint_0",
             "unknownClass_111/endpoint_0")}  # fmt: skip
SCENE, ALARM, KEYS = range(3)
PRESSES: dict[str, tuple[int, str, dict[str, Any], str]] = {
    "scene": (SCENE, "scene/001", {"value": 0}, "press"),
    "scene twice": (SCENE, "scene/001", {"value": 3}, "double_press"),
    "panic button": (ALARM, "Emergency_Alarm/unknown", {"value": 4}, "duress"),
    "contact police": (ALARM, "Emergency_Alarm/Contact_police", {}, "duress"),
    "contact medical": (ALARM, "Emergency_Alarm/Contact_medical_service", {"value": None}, "medical"),
    "fire key": (KEYS, "16/0", {}, "fire"),
    "police key": (KEYS, "17/0", {}, "police"),
    "panic key": (KEYS, "18/0", {}, "duress"),
    "medical key": (KEYS, "19/2", {"value": "4711"}, "medical"),
}
SECRET = "what was typed at a keypad is nobody's business"
CODE = "80915"
TYPED = [
    f"{place}/{tail}"
    for place in PLACES.values()
    for tail in (
        "111/0/2/2", "111/0/1/2", "unknownClass_111/endpoint_0/2/2", "entry_control/endpoint_0/0/2",
        "99/0/userCode/1", "user_code/endpoint_0/userCode/1", "99/0/adminCode", "user_code/endpoint_0/adminCode",
        "131/0/credential/65537", "unknownClass_131/endpoint_0/credential/65537",
    )
]  # fmt: skip


def said(device: str, topic: str, body: Any) -> list[Signal]:
    return list(decoder("zwave-js-ui", registry_of([device], "")).decode(topic, json.dumps(body).encode()))


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("device", PLACES)
@pytest.mark.parametrize("press", PRESSES)
def test_a_press_is_heard_however_the_gateway_spells_its_topic(device, spelling, press):
    kind, tail, body, action = PRESSES[press]
    topic = f"{PLACES[device]}/{SPELLINGS[spelling][kind]}/{tail}"
    told = explain(decoder("zwave-js-ui", registry_of([device], "")), topic, json.dumps({"time": AT, **body}).encode())

    assert told.signals, "a press calls nobody"
    (signal,) = told.signals
    assert (signal.device_id, signal.action, signal.pressed_us) == (device, action, AT * 1_000)


@pytest.mark.parametrize(
    ("topic", "device", "action"),
    [
        ("zwave/Office/strip/central_scene/scene/001", "Office:strip", "press"),
        ("zwave/Office/strip/notification/Emergency_Alarm/unknown", "Office:strip", "duress"),
        ("zwave/strip/central_scene/scene/001", "strip", "press"),
        ("zwave/strip/notification/Emergency_Alarm/unknown", "strip", "duress"),
        ("zwave/strip/notification/Contact_police", "strip", "duress"),
    ],
)
def test_an_older_gateway_names_no_endpoint(topic, device, action):
    (signal,) = said(device, topic, {"time": AT, "value": 0 if action == "press" else 4})
    assert (signal.device_id, signal.action) == (device, action)


def test_the_whole_value_id_as_payload_is_a_press_with_its_time():
    body = {"id": "7-91-0-scene-001", "propertyKey": "001", "value": 0, "lastUpdate": AT}
    (signal,) = said("Office:strip", "zwave/Office/strip/91/0/scene/001", body)
    assert (signal.action, signal.pressed_us) == ("press", AT * 1_000)


@pytest.mark.parametrize("spelling", ["91/0", "central_scene/endpoint_0"])
def test_a_bare_value_is_refused_for_it_may_be_a_press(spelling):
    with pytest.raises(DecodeError, match="JSON Time-Value") as refused:
        said("Office:strip", f"zwave/Office/strip/{spelling}/scene/001", 0)
    assert not isinstance(refused.value, UncoveredError), "it is counted, and nobody looks"
    door = spelling.replace("91", "113").replace("central_scene", "notification")
    assert said("Office:strip", f"zwave/Office/strip/{door}/Access_Control/Door_state", 22) == [], (
        "a door rings all day"
    )


@pytest.mark.parametrize(
    "tail",
    ["128/0/level", "battery/endpoint_0/level", "37/0/currentValue", "switch_binary/endpoint_0/currentValue",
     "49/0/Air_temperature", "112/2/40/1", "configuration/endpoint_2/40/1",
     "unknownClass_106/endpoint_0/currentValue/13",
     "37/0/targetValue/set", "91/0/slowRefresh", "111/0/keyCacheSize", "111/0/2/2", "lastActive"],
)  # fmt: skip
@pytest.mark.parametrize("device", PLACES)
def test_what_a_lamp_says_all_day_rings_nobody_and_says_that_it_lives(device, tail):
    known = registry_of([device], "")
    body = {"time": AT, "value": 99}
    understood = decoder("zwave-js-ui", known).understand(f"{PLACES[device]}/{tail}", json.dumps(body).encode())

    assert not understood.signals
    assert [sign.device_id for sign in understood.check_ins] == [device]


@pytest.mark.parametrize("tail", ["unknownClass_170/endpoint_0/panic", "170/0/panic/1"])
def test_a_class_that_is_newer_than_the_profile_is_the_word_that_rings(tail):
    (signal,) = said("Office:strip", f"zwave/Office/strip/{tail}", {"time": AT, "value": 1})
    assert signal.action in ("unknownClass_170", "170")


@pytest.mark.parametrize("tail", ["panic", "a/b/c/d/e/f", "never_heard_of/endpoint_0/x/1"])
def test_a_topic_of_the_owners_own_is_never_certainly_no_press(tail):
    told = explain(
        decoder("zwave-js-ui", registry_of(["Office:strip"], "")), f"zwave/Office/strip/{tail}", b'{"value": 1}'
    )
    assert told.uncovered, "it is called certainly no press"


def test_two_presses_are_two_and_a_copy_is_none():
    def identity(tail: str, at: int, **more: Any) -> str | None:
        (signal,) = said("Office:strip", f"zwave/Office/strip/{tail}", {"time": at, **more})
        return signal.cause

    said_twice: tuple[tuple[str, dict[str, Any]], ...] = (
        ("91/0/scene/001", {"value": 0}),
        ("111/0/18/0", {}),
        ("113/0/Emergency_Alarm/unknown", {"value": 4}),
    )
    for tail, more in said_twice:
        assert identity(tail, AT, **more) == identity(tail, AT, **more) is not None
        assert identity(tail, AT, **more) != identity(tail, AT + 1, **more)
    assert identity("111/0/16/0", AT) != identity("111/0/18/0", AT), "two keys are two calls"


# --- codes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [CODE, int(CODE), {"deep": [CODE]}], ids=["text", "number", "object"])
@pytest.mark.parametrize("is_bare", [False, True], ids=["json", "bare"])
@pytest.mark.parametrize("topic", TYPED)
def test_what_is_typed_at_a_keypad_or_kept_by_a_lock_is_in_nothing_that_is_said(topic, is_bare, value):
    payload = json.dumps(value if is_bare else {"time": AT, "value": value}).encode()
    for device in PLACES:
        assert CODE not in all_that_is_said("zwave-js-ui", keypad(device), topic, payload), SECRET
        assert CODE not in repr(fitting("zwave-js-ui", device, (topic, payload))), SECRET


def test_learn_says_that_there_is_something_and_not_what():
    payload = json.dumps({"time": AT, "value": CODE}).encode()
    found = {
        fit.profile: fit
        for fit in fitting("zwave-js-ui", "Office:lock", ("zwave/Office/lock/99/0/userCode/1", payload))
    }
    assert HIDDEN in found["fixed-code-433"].why[0]


@pytest.mark.parametrize("spelling", ["111/0", "unknownClass_111/endpoint_0"])
def test_a_duress_code_at_a_keypad_is_the_word_police_and_in_the_list_of_a_lock_it_is_nothing(spelling):
    mapped = decoder("zwave-js-ui", keypad("Office:keypad", codes=(hashed("9911", SALT),)))
    payload = json.dumps({"time": AT, "value": "9911"}).encode()

    (signal,) = mapped.decode(f"zwave/Office/keypad/{spelling}/2/2", payload)
    assert signal.action == "police"
    assert mapped.decode("zwave/Office/keypad/99/0/userCode/1", payload) == (), "nobody typed it"
