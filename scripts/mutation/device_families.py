# ruff: noqa: E501 - what is changed is quoted as it stands in the source
"""Mutants in what device families need beyond their tables: births and numbers, copies, late and retained news."""

from alertd_simulator.world.plan import Gesture, Order, Press
from mutation.mutant import Edit, Mutant, Seeds, Tests

MAPPING = "adapters/alertd_adapters/decoders/mapping"
SPARKPLUG = "adapters/alertd_adapters/decoders/sparkplug"
SPARKPLUG_TESTS = ("tests/adapters/decoders/sparkplug/test_sparkplug.py",)
WORDS_TESTS = ("tests/adapters/decoders/mapping/test_unknown_words.py",)

PRESSED_AFTER_THE_END = (
    Press(at_s=420, name="before the end", device="timeless-oak-1", gesture=Gesture.ONCE),
    *(Order(at_s=440 + 5 * times, what="resolve_rooms_released") for times in range(8)),
    Press(at_s=500, name="after the end", device="timeless-oak-1", gesture=Gesture.ONCE),
)
"""By a button with a small counter; meanwhile whatever is open is ended."""

DEVICE_FAMILIES = (
    Mutant(
        name="sparkplug: what came before its birth is forgotten",
        edits=(
            Edit(
                file=f"{SPARKPLUG}/nodes.py",
                old="    device.waiting = [*device.waiting, *unread][-WAITING_MAX:]",
                new="    device.waiting = []",
            ),
        ),
        by=Tests(paths=SPARKPLUG_TESTS, names="a press that came before its birth is lost"),
    ),
    Mutant(
        name="sparkplug: a number that nobody has named is no press",
        edits=(
            Edit(
                file=f"{MAPPING}/sparkplug.py",
                old="            if not any(reading.is_signal for reading in readings):\n                raise DecodeError(why)\n",
                new="            if not readings:\n                return []\n",
            ),
        ),
        by=Tests(paths=SPARKPLUG_TESTS, names="it may be a press, and no trouble says so"),
    ),
    Mutant(
        name="sparkplug: a will of another session kills",
        edits=(
            Edit(
                file=f"{SPARKPLUG}/nodes.py",
                old="        return Opened(stale=True)",
                new="        pass",
            ),
        ),
        by=Tests(paths=SPARKPLUG_TESTS, names="a will of another session killed the node"),
    ),
    Mutant(
        name="sparkplug: a birth is a press",
        edits=(
            Edit(
                file=f"{SPARKPLUG}/nodes.py",
                old="            standing.append(replace(each, timestamp=None))\n",
                new="            news.append(replace(each, timestamp=None, historical=True))\n",
            ),
        ),
        by=Tests(paths=SPARKPLUG_TESTS, names="a birth is a state, and no press"),
    ),
    Mutant(
        name="sparkplug: nobody looks at what stood so when it was first heard of",
        edits=(
            Edit(
                file=f"{SPARKPLUG}/nodes.py",
                old="        if before is None and each.value is True:\n",
                new="        if before is None and each.value == 2:\n",
            ),
        ),
        cheap=True,
        by=Tests(paths=SPARKPLUG_TESTS, names="promise 2: it was pressed while nobody heard"),
    ),
    Mutant(
        name="sparkplug: what stood so when it was first heard of calls a school",
        edits=(
            Edit(
                file="alertd/engine/routing.py",
                old="        retained=arrival.retained or signal.standing,\n",
                new="        retained=arrival.retained,\n",
            ),
        ),
        by=Tests(paths=("tests/engine/test_presses.py",), names="a strip that hangs called a school"),
    ),
    Mutant(
        name="sparkplug: after a gap, true is what was true before",
        edits=(Edit(file=f"{SPARKPLUG}/nodes.py", old="        if lost:\n            _doubt(node)\n", new=""),),
        by=Tests(paths=SPARKPLUG_TESTS, names="promise 2: it was pressed while nobody heard"),
    ),
    Mutant(
        name="sparkplug: what was stored is how it stands",
        edits=(
            Edit(
                file=f"{SPARKPLUG}/nodes.py",
                old="    for each in found:\n        if not each.historical:\n",
                new="    for each in found:\n        if True:\n",
            ),
        ),
        by=Tests(paths=SPARKPLUG_TESTS, names="was taken for the one that was stored"),
    ),
    Mutant(
        name="sparkplug: a number that was given to something else keeps its name",
        edits=(
            Edit(
                file=f"{SPARKPLUG}/nodes.py",
                old="    return declared is None or (declared == BOOLEAN) is is_boolean\n",
                new="    return declared is None or is_boolean or not is_boolean\n",
            ),
        ),
        by=Tests(paths=SPARKPLUG_TESTS, names="its number was given to something else"),
    ),
    Mutant(
        name="sparkplug: what came after a message that is forgotten is forgotten, too",
        edits=(
            Edit(
                file=f"{SPARKPLUG}/nodes.py",
                old="            for each in later:\n",
                new="            for each in later[:0]:\n",
            ),
        ),
        by=Tests(paths=SPARKPLUG_TESTS, names="promise 1: its birth was forgotten"),
    ),
    Mutant(
        name="sparkplug: what is too long ago is believed",
        edits=(
            Edit(
                file=f"{SPARKPLUG}/nodes.py",
                old="                del self._nodes[last.address]\n",
                new="                pass\n",
            ),
        ),
        by=Tests(paths=SPARKPLUG_TESTS, names="a name that no commit took is believed"),
    ),
    Mutant(
        name="profiles: what a wired switch says of itself is nothing",
        edits=(
            Edit(
                file=f"{MAPPING}/builtin/wifi.toml",
                old="when = \"match(item.key, '(Button|Switch)[0-9]+') != `null`\" # a timer has an Action, too",
                new="when = \"match(item.key, 'Button[0-9]+') != `null`\"",
            ),
        ),
        by=Tests(paths=WORDS_TESTS, names="what devices say today is no press"),
    ),
    Mutant(
        name="profiles: a word that is not known yet is nothing",
        edits=(
            Edit(
                file=f"{MAPPING}/builtin/milesight.toml",
                old='value = "object.button_event.status || object.press || object.button"\nevent = "own_word"\n',
                new='value = "object.button_event.status || object.press || object.button"\n',
            ),
        ),
        cheap=True,
        by=Tests(paths=WORDS_TESTS, names="nobody knows yet is silence"),
    ),
    Mutant(
        name="profiles: a state that is not known yet is the end of a call",
        edits=(
            Edit(
                file=f"{MAPPING}/builtin/panels.toml",
                old='map = { all-clear = "alarm_clear", entry-delay = "alarm_clear", "" = "alarm_clear" }\nevent = "own_word"\n',
                new='event = "alarm_clear"\n',
            ),
        ),
        by=Tests(paths=WORDS_TESTS, names="nobody knows yet is silence"),
    ),
    Mutant(
        name="profiles: whatever any part of a device says is a key's word",
        edits=(
            Edit(
                file=f"{MAPPING}/builtin/wifi.toml",
                old="when = \"match(item.component, '(input|button|bthome[a-z]+):.*') != `null` || match(",
                new='when = "item.component != `null` || match(',
            ),
        ),
        by=Tests(paths=WORDS_TESTS, names="says so every day"),
    ),
    Mutant(
        name="profiles: an unknown word of the server hides the press in the bytes",
        edits=(
            Edit(
                file=f"{MAPPING}/devices.py",
                old="        if _is_settled(matches) or self.codec",
                new="        if matches or self.codec",
            ),
        ),
        by=Tests(paths=WORDS_TESTS, names="a press is only rung for"),
    ),
    Mutant(
        name="profiles: a quiet word of the server hides the press in the bytes",
        edits=(
            Edit(
                file=f"{MAPPING}/devices.py",
                old="    return any(match.event in SETTLED for match in matches)\n",
                new="    return any(match.event != OWN_WORD for match in matches)\n",
            ),
        ),
        by=Tests(paths=WORDS_TESTS, names="the press is in its bytes, and nobody is told"),
    ),
    Mutant(
        name="profiles: a Tasmota switch that may have been let go is a press",
        edits=(Edit(file=f"{MAPPING}/builtin/wifi.toml", old='TOGGLE = "press_or_release"', new='TOGGLE = "press"'),),
        by=Tests(paths=WORDS_TESTS, names="two touches of SwitchMode 0 lock a school down"),
    ),
    Mutant(
        name="profiles: a Tasmota switch whose push-button says TOGGLE calls nobody",
        edits=(
            Edit(file=f"{MAPPING}/builtin/wifi.toml", old='TOGGLE = "press_or_release"', new='TOGGLE = "unreadable"'),
        ),
        by=Tests(paths=WORDS_TESTS, names="a touch that says TOGGLE calls nobody"),
    ),
    Mutant(
        name="profiles: what may be a release is a press to the core",
        edits=(
            Edit(
                file=f"{MAPPING}/reading.py",
                old="            doubtful=self.event == PRESS_OR_RELEASE,\n",
                new="",
            ),
        ),
        by=Tests(paths=WORDS_TESTS, names="two touches of SwitchMode 0 lock a school down"),
    ),
    Mutant(
        name="profiles: a HALO's text shouts, or is no shot",
        edits=(Edit(file=f"{MAPPING}/builtin/panels.toml", old='GUNSHOT = "gunshot"\nGunshot', new="GUNSHOT"),),
        by=Tests(paths=("tests/adapters/decoders/mapping/test_words.py",), names="means something else"),
    ),
    Mutant(
        name="profiles: the bytes hide what stands beside a call of the server",
        edits=(
            Edit(
                file=f"{MAPPING}/devices.py",
                old="    return any(match.event in SETTLED for match in matches)\n",
                new="    return bool(matches) and all(match.event in SETTLED for match in matches)\n",
            ),
        ),
        by=Tests(paths=WORDS_TESTS, names="what stands beside a call is lost"),
    ),
    Mutant(
        name="profiles: bytes that say nothing of it hide the word of the server",
        edits=(
            Edit(
                file=f"{MAPPING}/devices.py",
                old="            if matches:  # its server's word stands\n                return matches, root\n",
                new="",
            ),
        ),
        by=Tests(paths=WORDS_TESTS, names="does not read what it said"),
    ),
    Mutant(
        name="a button that knows no percent has no battery",
        edits=(
            Edit(
                file=f"{MAPPING}/builtin/zigbee2mqtt.toml",
                old='battery = "payload.battery_low" # alone where a device knows no percent, as IAS buttons do\n',
                new='battery = "payload.battery"\n',
            ),
        ),
        by=Tests(
            paths=("tests/adapters/decoders/mapping/test_signs.py",), names="nobody is told that its battery is low"
        ),
    ),
    Mutant(
        name="a badge's long press is read as a short one",
        edits=(
            Edit(
                file=f"{MAPPING}/builtin/milesight.toml",
                old='[profile.milesight-ws101.rules.map]\nshort = "press"\n"short press" = "press"\nlong = "long_press"\n',
                new='[profile.milesight-ws101.rules.map]\nshort = "press"\n"short press" = "press"\nlong = "press"\n',
            ),
        ),
        by=Seeds(trips=("acknowledged press",)),
    ),
    Mutant(
        name="a button's next count is the state that is known",
        edits=(
            Edit(
                file=f"{MAPPING}/builtin/wifi.toml",
                old='begins again at 9999 and with each restart\nstate = "object.event_cnt"\n',
                new="begins again at 9999 and with each restart\n",
            ),
        ),
        by=Seeds(plus=PRESSED_AFTER_THE_END, trips=("acknowledged press",)),
    ),
    Mutant(
        name="The Things Stack: the session without the counter tells presses apart",
        edits=(
            Edit(
                file=f"{MAPPING}/builtin/network-servers.toml",
                old='identity = ["payload.uplink_message.session_key_id", "payload.uplink_message.f_cnt || `0`"]',
                new='identity = ["payload.uplink_message.session_key_id"]',
            ),
        ),
        by=Seeds(trips=("arrived press",)),
    ),
)
