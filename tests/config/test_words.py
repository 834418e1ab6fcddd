"""Words: a button whose gestures do not know what its profile makes of a press, said before anybody presses it."""

import tomllib
from pathlib import Path

import pytest

from alertd import lint
from alertd.engine.routing import CRIES
from alertd.lint.words import SENSED
from alertd.model.duress_code import hashed
from alertd.model.ids import DeviceId
from alertd.model.incident import VERIFY_FIRST

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE, STARTER = ROOT / "config", ROOT / "alertd" / "exports" / "starter"

PLAIN = '{ topic = "zigbee2mqtt/+", decoder = "zigbee2mqtt" },'
SERVER = '{ topic = "application/+/device/+/event/+", decoder = "profiles", options = { source = "chirpstack-v4" } },'
ZIGBEE = '{ topic = "zigbee2mqtt/+", decoder = "profiles", options = { source = "zigbee2mqtt" } },'
FINCH, ABEEWAY = "647fda0000000801", "20635f0000000a01"
OLD_BUTTON = """
[old-button]
presses = { 1 = "staff_assist", 4 = "lockdown" }
actions = { hold = "lockdown", emergency = "lockdown" }
"""
PULL_CORD = """
[profile.our-cord]
about = "our pull cord"
rules = [{ value = "object.action", map = { on = "WORD", off = "release" } }, { event = "heartbeat" }]
[[profile.our-cord.examples]]
source = "zigbee2mqtt"
topic = "zigbee2mqtt/cord"
payload = '{"action": "on"}'
expect = [{ event = "WORD", device = "cord" }]
"""


@pytest.fixture
def wired(school):
    """The example, with gestures of its own from before, a network server and a bridge whose devices have profiles."""
    school.replace("channels.toml", PLAIN, f"{SERVER} {ZIGBEE}")
    school.replace("devices.csv", "assigned_to,roaming_sites\n", "assigned_to,roaming_sites,profile,duress_codes\n")
    school.append("gestures.toml", OLD_BUTTON)
    return school


def doubts(school):
    """Of gestures; errors are none."""
    problems = school.problems()
    assert not any(problem.is_error for problem in problems), "an existing district must still start"
    return [(problem.file, problem.message, problem.remedy) for problem in problems if problem.key == "gestures"]


def give_profile(school, word):
    """One of the district's own, whose cord says this when somebody pulls it."""
    (school.directory / "profiles").mkdir()
    school.write("profiles/ours.toml", PULL_CORD.replace("WORD", word))


def test_a_panic_button_whose_one_word_no_gesture_knows_is_said_to_call_nobody(wired):
    wired.append("devices.csv", f"{FINCH},button,oak,rm-204,old-button,finch,,,tektelic-finch,\n")
    wired.append("devices.csv", "647fda0000000802,button,oak,office,old-button,finch,,,tektelic-finch,\n")
    found = doubts(wired)

    assert len(found) == 1, "check is content, and a panic button pages nobody"
    file, message, remedy = found[0]
    assert file == "devices.csv"
    assert message == (
        f'{FINCH} (and 1 more like it) can only say "duress" (profile tektelic-finch), which "old-button" does not '
        "know: whoever presses it calls NOBODY"
    )
    assert remedy == 'write duress = "duress" in actions of [old-button] in gestures.toml; "ignore" what it never says'


HALO = '{ topic = "halo/+/event", decoder = "profiles", options = { source = "halo" }, kinds = ["sensor"] },'
IN_THE_WC = "b0c5ca00000{},sensor,oak,wc-112,{},HALO,,,halo,\n"


def test_an_alarm_that_a_sensor_can_say_and_its_gestures_do_not_know_is_said_to_call_nobody(wired):
    wired.replace("channels.toml", SERVER, f"{SERVER} {HALO}")
    actions = 'vape = "vape", masking = "masking", thc = "ignore"'
    wired.append("gestures.toml", f"\n[old-sensor]\nactions = {{ {actions} }}\n")
    wired.append("devices.csv", "".join(IN_THE_WC.format(n, "old-sensor") for n in (101, 102)))
    found = doubts(wired)

    assert found, "check is content, and a shot that a sensor hears calls nobody"
    ((file, message, remedy),) = found
    assert file == "devices.csv"
    assert message == (
        'b0c5ca00000101 (and 1 more like it) can say "aggression", "duress", "gunshot", "keyword", "smoking" (profile '
        'halo), which "old-sensor" does not know: that calls NOBODY'
    )
    assert remedy == (
        'write aggression = "noise", duress = "keyword_sensor", gunshot = "gunshot_sensor", '
        'keyword = "keyword_sensor", smoking = "vape" in actions of [old-sensor] in gestures.toml; '
        '"ignore" what nobody is to hear of; first give '
        "each school of theirs a policy for noise, keyword_sensor, gunshot_sensor (docs/sensors.md)"
    )


def test_a_sensor_whose_gestures_know_or_ignore_all_that_it_says_is_well(wired):
    wired.replace("channels.toml", SERVER, f"{SERVER} {HALO}")
    ignored = ", ".join(f'{word} = "ignore"' for word in ("aggression", "duress", "gunshot", "keyword"))
    known = 'vape = "vape", thc = "vape", smoking = "vape", masking = "masking"'
    wired.append("gestures.toml", f"\n[smells]\nactions = {{ {known}, {ignored} }}\n")
    wired.append("devices.csv", IN_THE_WC.format(101, "smells"))
    assert doubts(wired) == [], "tamper needs no gesture, and the rest is known"


@pytest.mark.parametrize(
    "row",
    [
        f"{FINCH},button,oak,rm-204,wall-button,finch,,,tektelic-finch,",
        f"{ABEEWAY},wearable,oak,,badge,tracker,,,abeeway-at2,",
        f"{FINCH},button,oak,gym,medical-button,AED,,,tektelic-finch,",
    ],
)
def test_what_ships_knows_what_a_panic_button_says(wired, row):
    wired.append("devices.csv", row + "\n")
    assert doubts(wired) == [], "whoever copies the example has panic buttons that page nobody"


@pytest.mark.parametrize("folder", [EXAMPLE, STARTER], ids=["example", "init"])
def test_a_panic_button_at_the_aed_calls_the_nurse(folder):
    gestures = tomllib.loads((folder / "gestures.toml").read_text())["medical-button"]
    assert gestures.get("actions") == {"duress": "medical"}, "a panic button at the AED does not call the nurse"


def test_where_all_gestures_call_for_one_thing_the_remedy_is_that(wired):
    wired.append("gestures.toml", '\n[aed]\npresses = { 1 = "medical" }\n')
    wired.append("devices.csv", f"{FINCH},button,oak,gym,aed,AED,,,tektelic-finch,\n")
    ((_, _, remedy),) = doubts(wired)

    assert remedy.startswith('write duress = "medical" in actions of [aed]'), (
        "go in pairs, to a heart that stands still"
    )


def test_one_press_that_locks_a_school_down_is_never_the_remedy(wired):
    wired.append("gestures.toml", '\n[held]\nactions = { hold = "lockdown" }\n')
    give_profile(wired, "press")
    wired.append("devices.csv", "cord,button,oak,rm-204,held,cord,,,our-cord,\n")
    ((_, _, remedy),) = doubts(wired)

    assert remedy.startswith('write press = "staff_assist" in actions of [held]'), "one press locks a school down"


def test_a_nurse_is_called_by_no_lockdown(wired):
    wired.append("gestures.toml", '\n[held]\nactions = { hold = "lockdown" }\n')
    give_profile(wired, "medical")
    wired.append("devices.csv", "cord,button,oak,rm-204,held,cord,,,our-cord,\n")
    ((_, _, remedy),) = doubts(wired)

    assert remedy.startswith('write medical = "medical" in actions of [held]'), "who is ill locks a school down"


@pytest.mark.parametrize(
    "other", ["elm-cord,button,elm,office,old-button,cord,,,,", "w,wearable,oak,,old-button,w,,elm,,"]
)
def test_the_remedy_is_taken_in_every_school_that_has_these_gestures(wired, other):
    wired.replace("sites/elm.toml", 'fire = "fire"\n', "")
    give_profile(wired, "fire")
    wired.append("devices.csv", f"cord,button,oak,rm-204,old-button,cord,,,our-cord,\n{other}\n")
    (remedy,) = [remedy for _, message, remedy in doubts(wired) if '"fire"' in message]

    assert remedy.startswith('write fire = "staff_assist" in'), (
        "whoever obeys has a daemon that refuses its configuration"
    )


def test_a_profile_of_ones_own_is_read_over_a_bridge_that_has_one(wired):
    wired.replace("channels.toml", f"{SERVER} {ZIGBEE}", ZIGBEE)
    give_profile(wired, "duress")
    wired.append("devices.csv", "cord,button,oak,rm-204,old-button,cord,,,our-cord,\n")
    found = doubts(wired)

    assert found, "check is content, and a pull cord pages nobody"
    ((_, message, _),) = found
    assert 'cord can only say "duress" (profile our-cord)' in message
    assert lint.words(wired.load())[DeviceId("cord")] == {"duress"}


@pytest.mark.slow
@pytest.mark.parametrize("word", ["emergency", "panic", "sos", "duress"])
def test_a_wall_button_that_ships_pages_by_every_word_for_help(school, word):
    rules = school.load().registry.devices[DeviceId("button-204")].gestures
    assert rules.actions.get(word) in ("lockdown", "duress"), "a panic button pages nobody"


def test_a_word_that_the_profile_renames_calls_nobody_and_the_remedy_is_what_it_called_for(wired):
    wired.append("devices.csv", "sos 204,button,oak,rm-204,old-button,sos,,,zigbee2mqtt,\n")
    ((_, message, remedy),) = doubts(wired)

    assert message.startswith('sos 204 can say "duress" (profile zigbee2mqtt), which "old-button" does not know')
    assert 'write duress = "lockdown"' in remedy


def test_a_renamed_word_that_now_calls_for_less_is_said(wired):
    wired.append("devices.csv", "sos 204,button,oak,rm-204,wall-button,sos,,,zigbee2mqtt,\n")
    found = doubts(wired)

    assert found, "check is content, and an emergency key calls for less than is written"
    ((_, message, remedy),) = found
    assert '"emergency" of "wall-button" is never heard of sos 204' in message
    assert 'makes "duress" of it, which calls duress, not lockdown' in message
    assert remedy == (
        'give it gestures of its own, without emergency, or with duress = "lockdown" and without panic, sos'
    ), "whoever obeys takes the word from the other wall-buttons, or is warned of sos and panic"


PRESSES = '{ topic = "alertd/press/+", decoder = "press_json", kinds = ["button", "wearable"] },'
OBEYED = (
    ('emergency = "lockdown", ', ""),
    ('panic = "duress", sos = "duress", duress = "duress"', 'duress = "lockdown"'),
)


@pytest.mark.parametrize("obeyed", OBEYED, ids=["remove", "write"])
def test_whoever_obeys_is_not_warned_again(wired, obeyed):
    """The example's gestures with nothing but what the docs write for keypads: all by one profile."""
    wired.replace("channels.toml", f"{SERVER} {ZIGBEE}", ZIGBEE)
    wired.replace("channels.toml", PRESSES, "")
    ((_, message, remedy),) = doubts(wired)

    assert '"emergency" of "wall-button" is never heard' in message
    assert remedy == 'in its actions remove emergency, or write duress = "lockdown" and remove panic, sos'
    wired.replace("gestures.toml", *obeyed)
    assert doubts(wired) == []


def test_of_several_words_for_one_the_gravest_is_the_remedy_and_an_ignored_one_is_none(wired):
    wired.replace(
        "gestures.toml", 'emergency = "lockdown" }', 'panic = "ignore", sos = "duress", emergency = "lockdown" }'
    )
    wired.append("devices.csv", "sos 204,button,oak,rm-204,old-button,sos,,,zigbee2mqtt,\n")
    (remedy,) = [remedy for _, message, remedy in doubts(wired) if "does not know" in message]

    assert remedy.startswith('write duress = "lockdown" in actions'), "an emergency key calls for less, or for nobody"


@pytest.mark.parametrize(
    ("gestures", "row", "key", "says"),
    [
        (
            "badge",
            "000db50000000f01,wearable,oak,,badge,tracker,,,globalsat-lt501,",
            "profile",
            "can say nothing that calls",
        ),
        (
            "wall-button",
            "desk,button,oak,rm-204,wall-button,desk,,,homie-alert,",
            "profile",
            "can say nothing that calls",
        ),
        ("deaf", f"{FINCH},button,oak,rm-204,deaf,finch,,,tektelic-finch,", "gestures", 'only say "duress"'),
    ],
)
def test_a_button_that_can_call_nobody_is_said_whatever_the_reason(wired, gestures, row, key, says):
    wired.append("gestures.toml", '\n[deaf]\npresses = { 1 = "staff_assist" }\nactions = { duress = "ignore" }\n')
    wired.append("devices.csv", f"{row}\n")
    found = [each for each in wired.problems() if each.key == key]

    assert [each.is_error for each in found] == [False], "check is content, and whoever presses it calls nobody"
    assert says in found[0].message and "NOBODY" in found[0].message  # noqa: PT018


@pytest.mark.slow
def test_without_a_profile_in_its_row_it_is_said_of_what_the_source_renames(wired):
    """It may speak over either trigger; this word is lost if it is the bridge's."""
    wired.append("devices.csv", "sos 204,button,oak,rm-204,old-button,sos,,,,\n")
    ((_, message, remedy),) = doubts(wired)

    assert message.startswith('"emergency" of "old-button" calls nobody where sos 204 or its like is read by profile')
    assert 'write duress = "lockdown"' in remedy


@pytest.mark.slow
def test_the_panic_key_of_a_keypad_with_codes_is_missed(wired):
    """Whoever has codes is read where codes are."""
    wired.append("gestures.toml", '\n[keypad]\nactions = { police = "police_duress", panic = "lockdown" }\n')
    wired.append("devices.csv", f"keypad,button,oak,rm-204,keypad,keypad,,,,{hashed('9911', b'twelve bytes')}\n")
    ((_, message, remedy),) = doubts(wired)

    assert 'keypad can say "duress" (profile zigbee2mqtt), which "keypad" does not know' in message
    assert 'write duress = "lockdown"' in remedy


ALARMO = '{ topic = "alarmo/+", decoder = "profiles", options = { source = "alarmo" } },'


def with_a_keypad(wired, actions, codes=True):
    """Alarmo's panel; its profile knows alarms of burglars alone, its source reads codes."""
    wired.replace("channels.toml", f"{SERVER} {ZIGBEE}", f"{SERVER} {ZIGBEE} {ALARMO}")
    wired.append("gestures.toml", f"\n[keypad]\nactions = {{ {actions} }}\n")
    hashes = hashed("9911", b"twelve bytes") if codes else ""
    wired.append("devices.csv", f"alarmo,button,oak,rm-204,keypad,keypad,,,alarmo,{hashes}\n")


def test_a_keypad_says_police_by_its_codes(wired):
    with_a_keypad(wired, 'police = "police_duress", alarm = "ignore"')

    assert lint.words(wired.load())[DeviceId("alarmo")] == {"alarm", "police"}, (
        "test site presses what it can say, and calls a keypad whose codes page a dead one"
    )
    assert doubts(wired) == []


def test_one_without_codes_can_say_no_police(wired):
    """In the same gestures, and read by the same profile as one that can."""
    with_a_keypad(wired, 'police = "police_duress", alarm = "ignore"')
    wired.append("devices.csv", "alarmo2,button,oak,rm-204,keypad,keypad,,,alarmo,\n")
    ((_, message, _),) = doubts(wired)

    assert message.startswith('alarmo2 can only say "alarm" (profile alarmo), which "keypad" ignores')


@pytest.mark.parametrize("more", ["", ', duress = "lockdown"', ', duress = "duress"'])
def test_no_burglar_locks_a_school_down_or_is_answered_as_a_person_under_threat(wired, more):
    with_a_keypad(wired, f'police = "police_duress"{more}')
    ((_, message, remedy),) = doubts(wired)

    assert message == 'alarmo can say "alarm" (profile alarmo), which "keypad" does not know: that calls NOBODY'
    assert remedy == (
        'write alarm = "staff_assist" in actions of [keypad] in gestures.toml; '
        '"ignore" what it never says, or says of burglars alone'
    ), "each burglar calls for as much as a person under threat"


def test_codes_that_no_trigger_of_the_keypad_reads_are_refused(wired):
    """The docs' keypad under the example's own trigger: its duress code arrives as `disarm`."""
    wired.replace("channels.toml", f"{SERVER} {ZIGBEE}", PLAIN)
    wired.append("gestures.toml", '\n[keypad]\nactions = { police = "police_duress", duress = "lockdown" }\n')
    wired.append("devices.csv", f"keypad,button,oak,rm-204,keypad,keypad,,,,{hashed('9911', b'twelve bytes')}\n")
    found = [problem for problem in wired.problems() if problem.key == "duress_codes"]

    assert [problem.is_error for problem in found] == [True], "a code that is typed under threat calls nobody"
    assert "are read by no trigger that carries it" in found[0].message
    assert found[0].remedy == (
        'give its trigger in channels.toml decoder = "profiles", and options whose source is "alarmo" or '
        '"zigbee2mqtt" or "zwave-js-ui"'
    )


@pytest.mark.slow
def test_a_button_that_no_profile_reads_is_not_judged(wired):
    """A profile may be named for its check-in window alone."""
    wired.replace("channels.toml", ZIGBEE, PLAIN)
    wired.append("devices.csv", "sos 204,button,oak,rm-204,old-button,sos,,,zigbee2mqtt,\n")
    assert doubts(wired) == []


@pytest.mark.slow
def test_what_a_device_can_say_is_known_by_its_profile(wired):
    wired.append("devices.csv", f"{FINCH},button,oak,rm-204,old-button,finch,,,tektelic-finch,\n")
    wired.append("devices.csv", "sos 204,button,oak,rm-204,old-button,sos,,,zigbee2mqtt,\n")
    words = lint.words(wired.load())

    assert words[DeviceId(FINCH)] == {"duress"}
    assert {"duress", "press", "hold"} <= words[DeviceId("sos 204")]
    assert "emergency" not in words[DeviceId("sos 204")]
    assert DeviceId("button-204") not in words


@pytest.mark.parametrize(
    ("profile", "speaks_over"), [("milesight-ws101", "application/"), ("zigbee2mqtt", "zigbee2mqtt/+")]
)
@pytest.mark.parametrize("kinds", ['["sensor"]', '["gateway", "sensor"]', '["sensor", "button"]', "[]"])
def test_a_button_that_can_come_only_over_a_trigger_where_nobody_presses_is_said(wired, profile, speaks_over, kinds):
    """Its press would page nobody: kinds keep a sensor's password from pressing, and a button put there, too."""
    wired.append("devices.csv", f"desk-9,button,oak,rm-204,wall-button,desk,,,{profile},\n")
    for trigger in (SERVER, ZIGBEE):
        wired.replace(
            "channels.toml", trigger, trigger.replace(" },", f", kinds = {kinds} }},").replace("} },", "} },")
        )
    found = [problem for problem in wired.problems() if problem.key == "profile" and "desk-9" in problem.message]

    assert len(found) == (kinds not in ('["sensor", "button"]', "[]")), "its press calls nobody, and check is content"
    for problem in found:
        assert not problem.is_error
        assert problem.message.startswith(f"desk-9 speaks over {speaks_over}")
        assert "whoever presses it calls NOBODY" in problem.message
        assert '"button"' in problem.remedy


@pytest.mark.parametrize(
    ("profile", "trigger", "over"),
    [
        ("zigbee2mqtt", PLAIN, "speaks over zigbee2mqtt/+ (profile zigbee2mqtt), whose"),
        ("", PLAIN, "can be heard only over alertd/press/+, alertd/sensor/+, zigbee2mqtt/+, whose"),
        ("", '{ topic = "up/+" },', "can be heard only over alertd/press/+, alertd/sensor/+, up/+, whose"),
    ],
)
@pytest.mark.parametrize(("kinds", "shut"), [('["gateway"]', True), ('["gateway", "button"]', False), ("[]", False)])
def test_a_button_that_only_a_shut_bridge_carries_is_said(wired, profile, trigger, over, kinds, shut):
    """A bridge is what speaks there, one thinks; and over a network server nobody is read whose row says nothing."""
    first = "badge-okafor,wearable,"
    wired.replace("devices.csv", first, f"desk-9,button,oak,rm-204,wall-button,desk,,,{profile},\n{first}")
    wired.replace("channels.toml", ZIGBEE, trigger.replace(" },", f", kinds = {kinds} }},"))
    wired.replace("channels.toml", PRESSES, PRESSES.replace('["button", "wearable"]', '["sensor"]'))
    found = [problem for problem in wired.problems() if problem.key == "profile" and "desk-9" in problem.message]

    assert len(found) == shut, "its press calls nobody, and check is content"
    for problem in found:
        assert not problem.is_error
        others = "" if profile else ", button-204, button-118 and 21 more"
        said = f"desk-9{others} {over} kinds have no button: whoever presses it calls NOBODY"
        assert problem.message.startswith(said)
        assert '"button"' in problem.remedy
        assert problem.remedy.endswith("name its profile in its row") == (profile == "")


@pytest.mark.parametrize("profile", ["", "zigbee2mqtt"])
def test_a_button_that_may_come_over_an_open_trigger_is_not_said_to_be_shut_out(wired, profile):
    """Of one without a profile, the bridge with its own may be it."""
    wired.append("devices.csv", f"desk-9,button,oak,rm-204,wall-button,desk,,,{profile},\n")
    wired.replace("channels.toml", PRESSES, PRESSES.replace('["button", "wearable"]', '["sensor"]'))

    assert not [p for p in wired.problems() if p.key == "profile" and "desk-9" in p.message]


def shut_out(school):
    return [each for each in school.problems() if "shut out" in each.message]


IEEE = "0x00158d000000{}"
SHUT = PLAIN.replace(" },", ', kinds = ["sensor"] },')
SHUT_EAST = SHUT.replace("zigbee2mqtt/+", "east/+").replace("kinds", 'options = { base_topic = "east" }, kinds')
TELE = '{ topic = "tele/+/SENSOR", decoder = "profiles", options = { source = "tasmota" }, kinds = ["sensor"] },'


@pytest.mark.parametrize("kinds", ['["gateway"]', '["sensor", "gateway"]'])
@pytest.mark.parametrize("trigger", [PLAIN, ZIGBEE])
def test_buttons_of_zigbee_by_their_ids_are_said_behind_a_shut_bridge_though_others_press_elsewhere(
    school, trigger, kinds
):
    """Each district has alertd/press/+, over which any id may come; such an address no button gives itself."""
    rows = [f"{IEEE.format(f'0a0{n}')},button,oak,rm-204,wall-button,desk,,\n" for n in range(1, 6)]
    school.append("devices.csv", f"{IEEE.format('0a09').upper()},wearable,oak,,badge,badge,,\n{''.join(rows)}")
    shut = trigger.replace(" },", f", kinds = {kinds} }},").replace("} },", "} },")
    line = school.replace("channels.toml", PLAIN, shut)
    found = shut_out(school)

    assert len(found) == 1, "its press calls nobody, and check is content"
    (problem,) = found
    assert not problem.is_error
    assert (problem.file, problem.line, problem.key) == ("channels.toml", line, "sources.broker.triggers[2].kinds")
    first = ", ".join(IEEE.format(f"0a0{n}") for n in (1, 2, 3))
    assert problem.message.startswith(f"kinds of zigbee2mqtt/+ shut out {first} and 3 more, Zigbee by their ids, if ")
    assert problem.remedy == (
        "name the profile zigbee2mqtt in the rows of what comes over it, sensors or buttons; "
        'if the buttons publish there, add "button", "wearable" to its kinds'
    ), "whoever takes the first remedy opens a sensors' trigger to presses"


@pytest.mark.parametrize(("name", "shut"), [("hall/door", True), ("hall-door", False)])
@pytest.mark.parametrize("kinds", ['["sensor"]', '["sensor", "button"]'])
def test_a_button_whose_name_has_a_slash_is_said_behind_a_shut_bridge_though_others_press_elsewhere(
    wired, name, kinds, shut
):
    """Over alertd/press/+ no such name can come; any other may."""
    wired.append("devices.csv", f"{name},button,oak,rm-204,wall-button,door,,,,\n")
    halls = PLAIN.replace("/+", "/hall/+").replace(" },", f", kinds = {kinds} }},")
    wired.replace("channels.toml", ZIGBEE, f"{SHUT} {halls}")
    found = [each.message for each in wired.problems() if "calls NOBODY" in each.message]

    said = "hall/door can be heard only over zigbee2mqtt/hall/+, whose kinds have no button: whoever presses it calls"
    assert [each.startswith(said) for each in found] == [True] * (shut and "button" not in kinds), (
        "its press calls nobody, and check is content"
    )


@pytest.mark.parametrize("trigger", [PLAIN, ZIGBEE])
def test_a_button_of_zigbee_by_its_row_is_said_behind_a_shut_bridge_though_others_press_elsewhere(wired, trigger):
    wired.append("devices.csv", "desk-9,button,oak,rm-204,wall-button,desk,,,zigbee2mqtt,\n")
    shut = trigger.replace(" },", ', kinds = ["sensor"] },').replace("} },", "} },")
    wired.replace("channels.toml", ZIGBEE, shut)
    found = [each.message for each in wired.problems() if "desk-9" in each.message]

    assert ["calls NOBODY" in each for each in found] == [True], "its press calls nobody, and check is content"
    assert not shut_out(wired), "buttons that come over alertd/press/+ are warned of beside it"


def test_whoever_names_the_profile_of_the_sensors_behind_a_shut_bridge_is_not_warned_again(wired):
    wired.replace("channels.toml", ZIGBEE, SHUT)
    wired.append("devices.csv", f"{IEEE.format('0a01')},button,oak,rm-204,wall-button,desk,,,,\n")
    assert len(shut_out(wired)) == 1, "its press calls nobody, and check is content"

    wired.append("devices.csv", f"{IEEE.format('0b01')},sensor,oak,wc-112,vape-sensor,leak,,,zigbee2mqtt,\n")
    assert not shut_out(wired), "whoever names the profile of the sensors is warned all the same"


@pytest.mark.parametrize("kinds", ['["button", "wearable"]', None], ids=["for buttons", "for all"])
def test_a_plain_district_with_sensors_beside_its_buttons_is_not_warned(school, kinds):
    """Buttons over alertd/press/+ as shipped, without a profile; sensors each over a trigger for sensors alone."""
    triggers = f"{HALO} {SHUT} {TELE}"
    school.replace("channels.toml", PLAIN, triggers)
    if kinds is None:
        school.replace("channels.toml", PRESSES, '{ topic = "alertd/press/+" },')
    school.append("devices.csv", "H10,sensor,oak,wc-112,vape-sensor,HALO,,\n")

    assert not shut_out(school), "a button that comes over alertd/press/+ is said to be shut out by sensors' triggers"


@pytest.mark.parametrize("device", ["b0c5ca00000101", IEEE.format("0a01")])
def test_a_source_that_reads_no_button_shuts_none_out(school, device):
    school.replace("channels.toml", PLAIN, f"{HALO} {TELE}")
    school.append("devices.csv", f"{device},button,oak,rm-204,wall-button,desk,,\n")

    assert not shut_out(school), "a button is said to be shut out by a trigger over which none can come"


@pytest.mark.parametrize(
    "triggers",
    [
        PLAIN,
        f"{PLAIN} {SHUT_EAST}",
        f'{PLAIN} {{ topic = "up/#", decoder = "profiles", options = {{ source = "tts-v3" }}, kinds = ["sensor"] }},',
        f'{ZIGBEE} {{ topic = "out/#", decoder = "third", kinds = ["sensor"] }},',
    ],
    ids=["the sensors of the example", "a bridge for sensors", "a network server", "a third party's"],
)
def test_triggers_for_sensors_beside_one_of_the_same_for_buttons_are_well(school, triggers):
    school.append("devices.csv", f"{IEEE.format('0a01')},button,oak,rm-204,wall-button,desk,,\n")
    school.replace("channels.toml", PLAIN, triggers)
    assert not shut_out(school), "whoever does as the manual says is warned"


def test_what_is_told_each_time_of_an_unregistered_sensor_is_what_people_are_asked_to_look_into():
    asked = {word for word, mostly in SENSED.items() if mostly in VERIFY_FIRST}
    assert asked == CRIES, "a shot of a sensor that nobody registered is told as any vape"
