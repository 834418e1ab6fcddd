# ruff: noqa: E501 - what is changed is quoted as it stands in the source
"""Mutants between a real device's payload and its signal. A quick test must catch each."""

from mutation.mutant import Edit, Mutant, Story, Tests

MAPPING = "adapters/alertd_adapters/decoders/mapping"
TESTS = ("tests/adapters/decoders/mapping/test_mapping.py",)
SPARKPLUG_TESTS = ("tests/adapters/decoders/sparkplug/test_sparkplug.py",)

DECODING = (
    Mutant(
        name="z-wave: a press is heard by the number of its class only",
        edits=(
            Edit(
                file=f"{MAPPING}/builtin/gateways.toml",
                old="(topic.class == '91' || topic.class == 'central_scene') && topic.property == 'scene'",
                new="topic.class == '91' && topic.property == 'scene'",
            ),
        ),
        by=Tests(paths=("tests/adapters/decoders/mapping/test_zwave.py",), names="a press calls nobody"),
    ),
    Mutant(
        name="z-wave: of a button without a location nothing is heard",
        edits=(
            Edit(
                file=f"{MAPPING}/builtin/gateways.toml",
                old='topic = "{base}/{node}/{class}/{endpoint}/{property}/{key}"',
                new='topic = "{base}/nowhere/{node}/{class}/{endpoint}/{property}/{key}"',
            ),
        ),
        by=Tests(paths=("tests/adapters/decoders/mapping/test_zwave.py",), names="a press calls nobody"),
    ),
    Mutant(
        name="z-wave: the panic key of a keypad is nobody's press",
        edits=(Edit(file=f"{MAPPING}/builtin/gateways.toml", old='18 = "duress"', new='18 = "other"'),),
        by=Tests(paths=("tests/adapters/decoders/mapping/test_zwave.py",), names="a press calls nobody"),
    ),
    Mutant(
        name="codes: what only a topic calls a code is told",
        edits=(
            Edit(
                file=f"{MAPPING}/sources.py",
                old="payload=hidden(chosen.payload)) if message.says(message.hides, root)",
                new="payload=chosen.payload) if message.says(message.hides, root)",
            ),
        ),
        by=Tests(paths=("tests/adapters/decoders/mapping/test_zwave.py",), names="nobody's business"),
    ),
    Mutant(
        name="codes: one in a list or an object is shown with it",
        edits=(
            Edit(
                file=f"{MAPPING}/codes.py",
                old="    def __repr__(self) -> str:\n        return HIDDEN\n",
                new="    __repr__ = str.__repr__\n",
            ),
        ),
        by=Tests(paths=("tests/adapters/decoders/mapping/test_zwave.py",), names="nobody's business"),
    ),
    Mutant(
        name="codes: a word that a keypad says is taken for one",
        edits=(Edit(file=f"{MAPPING}/codes.py", old="name in PERHAPS and _is_digits(value)", new="name in PERHAPS"),),
        by=Tests(
            paths=("tests/adapters/decoders/mapping/test_levels_and_codes.py",),
            names="a word is taken for a code, and its press is lost",
        ),
    ),
    Mutant(
        name="codes: digits under a topic that is called code are told",
        edits=(
            Edit(
                file=f"{MAPPING}/sources.py",
                old="named(topic, message.payload(payload))",
                new="message.payload(payload)",
            ),
        ),
        by=Tests(
            paths=("tests/adapters/decoders/mapping/test_no_code_is_told.py",),
            names="what was typed is nobody's business",
        ),
    ),
    Mutant(
        name="devices test: a device that speaks and does not press has a dead battery",
        edits=(Edit(file="alertd/console/trying/cli.py", old="    if has_spoken:\n", new="    if False:\n"),),
        by=Tests(paths=("tests/cli/test_devices_test.py",), names="the button is well"),
    ),
    Mutant(
        name="profiles: Brave's fourth call for help is no call",
        edits=(Edit(file=f"{MAPPING}/builtin/gateways.toml", old='4 = "duress", C =', new='4 = "other", C ='),),
        by=Tests(paths=("tests/adapters/decoders/mapping/test_words.py",), names="means something else"),
    ),
    Mutant(
        name="profiles: a Shelly's button that is let go is a press",
        edits=(Edit(file=f"{MAPPING}/builtin/wifi.toml", old='btn_up = "release"', new='btn_up = "press"'),),
        by=Tests(paths=("tests/fuzz/test_fuzz.py",), names="a true message that is no press calls somebody"),
    ),
    Mutant(
        name="downlinks: ChirpStack is not told when what a badge shows is worthless",
        edits=(Edit(file=f"{MAPPING}/builtin/network-servers.toml", old=', "expiresAt": "{expires}"}', new="}"),),
        by=Tests(paths=("tests/adapters/mqtt/test_feedback.py",), names="hours later it answers a press"),
    ),
    Mutant(
        name="profiles: each expression leaves a circle to the cycle collector",
        edits=(
            Edit(
                file=f"{MAPPING}/expressions.py",
                old="            return _INTERPRETER.visit(parsed, document)",
                new="            return visitor.TreeInterpreter(_INTERPRETER._options).visit(parsed, document)",
            ),
        ),
        by=Tests(paths=("tests/adapters/decoders/mapping/test_decode_time.py",), names="the cycle collector has work"),
    ),
    Mutant(
        name="profiles: a format that does not fit leaves a circle to the cycle collector",
        edits=(
            Edit(
                file=f"{MAPPING}/sources.py", old="            wrong = None  # as in", new="            pass  # as in"
            ),
        ),
        by=Tests(paths=("tests/adapters/decoders/mapping/test_decode_time.py",), names="the cycle collector has work"),
    ),
    Mutant(
        name="profiles: an object that no rule knows hides the press in the bytes",
        edits=(
            Edit(
                file=f"{MAPPING}/devices.py",
                old="        if _is_settled(matches) or self.codec is None or data is None:",
                new='        if _is_settled(matches) or self.codec is None or data is None or root["object"] is not None:',
            ),
        ),
        by=Tests(paths=TESTS, names="promise 2"),
    ),
    Mutant(
        name="profiles: a text in double quotes is taken for a key",
        edits=(Edit(file=f"{MAPPING}/expressions.py", old="    _check_quotes(text)\n", new=""),),
        by=Tests(paths=("tests/adapters/decoders/mapping/test_expressions.py",), names="Regex pattern did not match"),
    ),
    Mutant(
        name="profiles: bytes that the codec cannot read are dropped in silence",
        edits=(
            Edit(
                file=f"{MAPPING}/devices.py",
                old="            if UNREAD in decoded:\n",
                new="            if UNREAD in decoded and matches:\n",
            ),
        ),
        by=Tests(paths=TESTS, names="examples say"),
    ),
    Mutant(
        name="profiles: nonsense from a registered device is counted as a stranger's",
        edits=(
            Edit(
                file=f"{MAPPING}/decoder.py",
                old="            if bound is not None:\n                return bound.never_presses\n",
                new="",
            ),
        ),
        by=Tests(paths=TESTS, names="promise 2"),
    ),
    Mutant(
        name="profiles: half of an identity tells presses apart",
        edits=(
            Edit(
                file=f"{MAPPING}/decoder.py",
                old="            if whole and len(whole) == len(found) and not self._is_no_time(whole):",
                new="            if whole:",
            ),
        ),
        by=Tests(paths=TESTS, names="each copy is a press of its own"),
    ),
    Mutant(
        name="profiles: a clock that was never set is an identity",
        edits=(Edit(file=f"{MAPPING}/decoder.py", old=" and not self._is_no_time(whole):", new=":"),),
        by=Tests(paths=TESTS, names="promise 2"),
    ),
    Mutant(
        name="profiles: who heard a stored report hears it now",
        edits=(Edit(file=f"{MAPPING}/decoder.py", old="bound.wanders and not is_late and", new="bound.wanders and"),),
        by=Tests(paths=TESTS, names="promise 6"),
    ),
    Mutant(
        name="profiles: one and true are the same",
        edits=(
            Edit(
                file=f"{MAPPING}/quick.py",
                old="    if (a is True or a is False) != (b is True or b is False) and a in (0, 1) and b in (0, 1):\n        return False\n",
                new="",
            ),
        ),
        by=Tests(paths=("tests/adapters/decoders/mapping/test_expressions.py",), names="what the library means"),
    ),
    Mutant(
        name="profiles: what its source calls late is fresh",
        edits=(Edit(file="alertd/engine/routing.py", old="    if signal.late:", new="    if False:"),),
        by=Tests(paths=("tests/adapters/mqtt/test_mapped_presses.py",), names="late however wrong the clock"),
    ),
    Mutant(
        name="profiles: what cannot be read takes the same device's press with it",
        edits=(
            Edit(
                file=f"{MAPPING}/decoder.py",
                old="                if not any(reading.is_signal for reading in readings):\n                    raise wrong\n",
                new="                raise wrong\n",
            ),
        ),
        by=Tests(
            paths=("tests/adapters/decoders/mapping/test_several_parts.py",),
            names="a press was lost to what the same device said beside it",
        ),
    ),
    Mutant(
        name="sparkplug: a number of before its node's birth is believed",
        edits=(
            Edit(
                file="adapters/alertd_adapters/decoders/sparkplug/nodes.py",
                old="            device.aliases, device.doubted = {}, True\n        return _birth",
                new="            device.doubted = True\n        return _birth",
            ),
        ),
        by=Tests(
            paths=("tests/adapters/decoders/sparkplug/test_sparkplug.py",),
            names="the new session may have given the number to something else",
        ),
    ),
    Mutant(
        name="sparkplug: a node that died unread is not asked when it speaks again",
        edits=(
            Edit(
                file="adapters/alertd_adapters/decoders/sparkplug/nodes.py",
                old="node.born, node.unread = False, 0",
                new="node.born = False",
            ),
        ),
        by=Tests(
            paths=("tests/adapters/decoders/sparkplug/test_sparkplug.py",),
            names="asked again only after twenty presses",
        ),
    ),
    Mutant(
        name="sparkplug: a metric's own type is passed over",
        edits=(
            Edit(
                file="adapters/alertd_adapters/decoders/sparkplug/nodes.py",
                old="        datatype = datatype if datatype is not None else known\n",
                new="        datatype = known\n",
            ),
        ),
        by=Tests(paths=("tests/adapters/decoders/sparkplug/test_sparkplug.py",), names="read by another type"),
    ),
    Mutant(
        name="check: a button whose profile shows no strange frame is no doubt",
        edits=(
            Edit(
                file=f"{MAPPING}/checking.py",
                old="    return bool(profile.examples and events & PRESSES) and all(",
                new="    return not profile.examples and all(",
            ),
        ),
        by=Tests(
            paths=("tests/config/test_profiles.py",), names="a press that its profile cannot read would tell nobody"
        ),
    ),
    Mutant(
        name="decode: a sensor's new word asks whether it was a press",
        edits=(
            Edit(
                file="alertd/console/devices/decoding.py",
                old="_of_a_report if device.kind is DeviceKind.SENSOR else _of_a_human",
                new="_of_a_human",
            ),
        ),
        by=Tests(
            paths=("tests/cli/test_devices_decode.py",), names="req 70: a sensor was taken for somebody who presses"
        ),
    ),
    Mutant(
        name="sparkplug: what a birth tells of is as old as can be believed",
        edits=(
            Edit(
                file="adapters/alertd_adapters/decoders/mapping/sparkplug.py",
                old="replace(each, at_most_us=opened.at_most_us) if each.late",
                new="replace(each, at_most_us=None) if each.late",
            ),
        ),
        by=Tests(paths=SPARKPLUG_TESTS, names="the strip was let go 14 s ago, and that was heard"),
    ),
    Mutant(
        name="sparkplug: what came after something was lost vouches for what was before it",
        edits=(
            Edit(
                file="adapters/alertd_adapters/decoders/sparkplug/nodes.py",
                old="    if not device.doubted and payload.seq is not None:",
                new="    if payload.seq is not None:",
            ),
        ),
        by=Tests(paths=SPARKPLUG_TESTS, names="older than its device's last word"),
    ),
    Mutant(
        name="sparkplug: of two clocks the one that stood still is believed",
        edits=(
            Edit(
                file="adapters/alertd_adapters/decoders/sparkplug/nodes.py",
                old="        return max(later.heard_us - self.heard_us,",
                new="        return min(later.heard_us - self.heard_us,",
            ),
        ),
        by=Tests(paths=SPARKPLUG_TESTS, names="the one that saw more time pass"),
    ),
    Mutant(
        name="presses: what its source calls stored is blamed on the device's clock",
        edits=(Edit(file="alertd/engine/presses.py", old="    if event.signal.late:\n", new="    if False:\n"),),
        by=Tests(paths=("tests/engine/test_presses.py",), names="it says nothing of its clock, and that may be right"),
    ),
    Mutant(
        name="presses: dispatch waits for what was let go seconds before",
        edits=(Edit(file="alertd/engine/routing.py", old="if signal.at_most_us is None else", new="if True else"),),
        by=Tests(paths=("tests/engine/test_presses.py",), names="dispatch waits for what cannot be older than 14 s"),
    ),
    Mutant(
        name="conformance: a plain device's signs of life are presses that nobody can read",
        edits=(
            Edit(
                file="simulator/alertd_simulator/conformance/evidence.py",
                old="    is_telemetry = line.topic.startswith(TELEMETRY)\n",
                new="    is_telemetry = False\n",
            ),
        ),
        by=Tests(
            paths=("tests/simulator/conformance/test_conformance.py",),
            names="it is where docs/devices.md has it say so",
        ),
    ),
    Mutant(
        name="conformance: a device is judged by a profile that there is not",
        edits=(
            Edit(
                file="simulator/alertd_simulator/conformance/evidence.py",
                old="    if subject.profile and subject.profile not in (",
                new="    if False and subject.profile not in (",
            ),
        ),
        by=Tests(
            paths=("tests/simulator/conformance/test_conformance.py",),
            names="a device was judged by a profile that there is not",
        ),
    ),
    Mutant(
        name="decode: what comes as telemetry is never heard",
        edits=(
            Edit(
                file="alertd/console/devices/decoding.py",
                old='(("triggers", TRIGGER), ("telemetry", "telemetry"))',
                new='(("triggers", TRIGGER),)',
            ),
        ),
        by=Tests(paths=("tests/cli/test_devices_decode.py",), names="it is heard, and said not to be"),
    ),
    Mutant(
        name="decode: a second trigger is advised for what one hears already",
        edits=(
            Edit(
                file="alertd/console/devices/decoding.py",
                old="if not _reads(entry, source, topic):",
                new="if True:",
            ),
        ),
        by=Tests(
            paths=("tests/cli/test_devices_decode.py",),
            names="each press comes twice, and two of them lock a school down",
        ),
    ),
    Mutant(
        name="decode: a second trigger is advised under the base of one that hears it already",
        edits=(
            Edit(
                file="alertd/console/devices/decoding.py",
                old="if not found and (base := _base(entry)) and",
                new="if not found and (base := _base(entry)) and not",
            ),
        ),
        by=Tests(
            paths=("tests/cli/test_devices_decode.py",),
            names="each press comes twice, and two of them lock a school down",
        ),
    ),
    Mutant(
        name="telemetry: what makes no sense is dropped, and nothing counts it",
        edits=(
            Edit(
                file="adapters/alertd_adapters/decoders/press_json.py",
                old='unread=_unread(device_id, fields) if self._heartbeats else "",',
                new='unread="",',
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_telemetry.py",), names="dropped, and nobody can see it"),
    ),
    Mutant(
        name="telemetry: what makes no sense beside a press refuses it",
        edits=(
            Edit(
                file="adapters/alertd_adapters/decoders/press_json.py",
                old='unread=_unread(device_id, fields) if self._heartbeats else "",',
                new="unread=_unread(device_id, fields),",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_telemetry.py",), names="promise 2"),
    ),
    Mutant(
        name="press: a number beside a time in whole seconds is an identity for an hour",
        edits=(
            Edit(
                file="adapters/alertd_adapters/decoders/press_json.py",
                old=", 0 if is_fine else COPIES_S\n",
                new=", 0\n",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_decoders.py",), names="pressed again, it is known already"),
    ),
    Mutant(
        name="press: a growing count under one time is known already",
        edits=(
            Edit(
                file="adapters/alertd_adapters/decoders/press_json.py",
                old='derive("at", at_us, seq, action, count)',
                new='derive("at", at_us, seq)',
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_decoders.py",), names="are known already"),
    ),
    Mutant(
        name="press: a number beside a clock that nobody set is an identity",
        edits=(
            Edit(
                file="adapters/alertd_adapters/decoders/press_json.py",
                old="                needs_clock=same_s > 0,\n",
                new="",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_decoders.py",), names="its clock was never set"),
    ),
    Mutant(
        name="press: a number beside a time in whole seconds is no identity",
        edits=(
            Edit(
                file="adapters/alertd_adapters/decoders/press_json.py",
                old="    if at_us is not None and (is_fine or seq is not None):\n",
                new="    if at_us is not None and is_fine:\n",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_decoders.py",), names="one press was counted twice"),
    ),
    Mutant(
        name="press: what clears a retained message may have been one",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/decoding.py",
                old="        if decoded.refused and not payload:  #",
                new="        if False:  #",
            ),
        ),
        by=Story(name="retained_message_is_cleared"),
    ),
    Mutant(
        name="press: what clears a retained message is a sign of life",
        edits=(
            Edit(
                file="adapters/alertd_adapters/decoders/zigbee2mqtt.py",
                old="        if device_id is None or not payload.strip():\n",
                new="        if device_id is None:\n",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_decoders.py",), names="somebody's hand was taken for the device"),
    ),
    Mutant(
        name="test site: a wearable of two schools is said to be broken",
        edits=(
            Edit(
                file="alertd/console/site_test.py",
                old="        event = route(registry, arrival)[0]  #",
                new="        (event,) = route(registry, arrival)  #",
            ),
        ),
        by=Tests(paths=("tests/cli/test_drills.py",), names="a good device is said to be broken"),
    ),
    Mutant(
        name="gestures: a word that is to be ignored is no incident class",
        edits=(
            Edit(
                file="alertd/config/devices.py",
                old='_classes(table.table("actions"), IGNORED)',
                new='_classes(table.table("actions"))',
            ),
        ),
        by=Tests(paths=("tests/config/test_ignored_words.py",), names="what the manual says cannot be written"),
    ),
    Mutant(
        name="gestures: a word that is to be ignored wants a policy",
        edits=(Edit(file="alertd/lint/findings.py", old=" if each != IGNORED)", new=")"),),
        by=Tests(paths=("tests/config/test_ignored_words.py",), names="what the manual says cannot be written"),
    ),
    Mutant(
        name="gestures: a button whose presses call nobody is well",
        edits=(
            Edit(
                file="alertd/lint/devices.py",
                old="    if not classes_of(device):\n",
                new="    if not (gestures.presses or gestures.actions):\n",
            ),
        ),
        by=Tests(paths=("tests/config/test_ignored_words.py",), names="presses call nobody"),
    ),
    Mutant(
        name="gestures: presses that are ignored beside their own meaning are well",
        edits=(
            Edit(
                file="alertd/lint/devices.py",
                old="    elif gestures.presses and gestures.actions.get(PRESS) == IGNORED:\n",
                new="    elif not gestures:\n",
            ),
        ),
        by=Tests(paths=("tests/config/test_ignored_words.py",), names="presses call nobody"),
    ),
    Mutant(
        name="gestures: a sensor's text that no sensor raises is measured by a badge",
        edits=(
            Edit(
                file="alertd/lint/longest.py",
                old="    return device.kind is DeviceKind.SENSOR or (is_panic(incident_class) and device.kind is not DeviceKind.GATEWAY)",
                new="    return device.kind is not DeviceKind.GATEWAY",
            ),
        ),
        by=Tests(paths=("tests/config/test_longest.py",), names="is refused as a whole"),
    ),
    Mutant(
        name="codes: a duress code whose word is ignored is taken",
        edits=(
            Edit(
                file="alertd/config/devices.py",
                old="    if written and gestures.actions.get(POLICE, IGNORED) == IGNORED:",
                new="    if written and POLICE not in gestures.actions:",
            ),
        ),
        by=Tests(paths=("tests/config/test_ignored_words.py",), names="typed under threat calls nobody"),
    ),
    Mutant(
        name="codes: a duress code that no trigger reads is taken",
        edits=(
            Edit(
                file="alertd/lint/words.py",
                old="        return not self._is_all or any(map(self._reads_codes, self._over(device)))",
                new="        return not self._is_all or bool(self._over(device))",
            ),
        ),
        by=Tests(paths=("tests/config/test_words.py",), names="typed under threat calls nobody"),
    ),
    Mutant(
        name="words: a panic button whose one word no gesture knows is well",
        edits=(
            Edit(
                file="alertd/lint/words.py",
                old="    missing = unknown or calls if is_mute else [word for word in unknown if word in CALLS]\n",
                new="    missing = [word for word in unknown if word not in CALLS]\n",
            ),
        ),
        by=Tests(paths=("tests/config/test_words.py",), names="a panic button pages nobody"),
    ),
    Mutant(
        name="words: a word that its profile renames is said to call as written",
        edits=(
            Edit(
                file="alertd/lint/words.py",
                old="named == IGNORED or event in missing or _alone(event, rules) == named:",
                new="named == IGNORED or event in missing or is_known(event, rules):",
            ),
        ),
        by=Tests(paths=("tests/config/test_words.py",), names="an emergency key calls for less"),
    ),
    Mutant(
        name="words: the example's badges do not know an SOS",
        edits=(
            Edit(file="config/gestures.toml", old='hold = "lockdown", duress = "duress" }', new='hold = "lockdown" }'),
        ),
        by=Tests(paths=("tests/config/test_words.py",), names="panic buttons that page nobody"),
    ),
    Mutant(
        name="words: a panic button at the AED of a first district calls people against another person",
        edits=(
            Edit(
                file="alertd/exports/starter/gestures.toml",
                old='actions = { duress = "medical" }',
                new='actions = { duress = "duress" }',
            ),
        ),
        by=Tests(paths=("tests/config/test_words.py",), names="does not call the nurse"),
    ),
    Mutant(
        name="words: the remedy is the usual class, though the gestures call for one other alone",
        edits=(
            Edit(
                file="alertd/lint/words.py",
                old="        if len(classes) == 1 and not is_rash:\n            usual = classes[0]\n",
                new="",
            ),
        ),
        by=Tests(paths=("tests/config/test_words.py",), names="a heart that stands still"),
    ),
    Mutant(
        name="words: the remedy for a press is a lockdown",
        edits=(
            Edit(
                file="alertd/lint/words.py",
                old="(IncidentClass.LOCKDOWN in classes and word != DURESS)",
                new="not usual",
            ),
        ),
        by=Tests(paths=("tests/config/test_words.py",), names="one press locks a school down"),
    ),
    Mutant(
        name="words: the remedy for an alarm of burglars is a call for help",
        edits=(Edit(file="alertd/lint/words.py", old="        is_rash = word == ALARM or ", new="        is_rash = "),),
        by=Tests(paths=("tests/config/test_words.py",), names="each burglar calls for as much"),
    ),
    Mutant(
        name="words: a keypad says nothing of the codes that are typed",
        edits=(
            Edit(
                file="alertd/lint/words.py",
                old="replace(says, words=says.words | {POLICE}) if says is not None and device.duress_codes else says",
                new="says",
            ),
        ),
        by=Tests(paths=("tests/config/test_words.py",), names="calls a keypad whose codes page a dead one"),
    ),
    Mutant(
        name="words: a button whose profile knows no call is well",
        edits=(Edit(file="alertd/lint/words.py", old="    elif is_mute:\n", new="    elif is_mute and calls:\n"),),
        by=Tests(paths=("tests/config/test_words.py",), names="whoever presses it calls nobody"),
    ),
    Mutant(
        name="words: whoever obeys is warned of the other words that the profile renames",
        edits=(Edit(file="alertd/lint/words.py", old=' if rivals else "")\n', new=' if not rivals else "")\n'),),
        by=Tests(paths=("tests/config/test_words.py",), names="is warned of sos and panic"),
    ),
    Mutant(
        name="twice: both forms in which Zigbee2MQTT says a press are read",
        edits=(
            Edit(
                file="alertd/lint/twice.py",
                old="            _check_forms(judge, bridge, devices)\n",
                new="            continue\n",
            ),
        ),
        by=Tests(paths=("tests/config/test_sources.py",), names="two presses lock the school down"),
    ),
    Mutant(
        name="twice: a button that is on no Zigbee is said to come twice there",
        edits=(Edit(file="alertd/lint/twice.py", old="if device.profile in of_others:", new="if False:"),),
        by=Tests(paths=("tests/config/test_sources.py",), names="it is on no Zigbee"),
    ),
    Mutant(
        name="twice: a shared subscription beside a plain one",
        edits=(
            Edit(
                file="alertd/lint/twice.py",
                old="        if _group(each) == _group(topic) and covers(each, topic):\n",
                new="        if covers(each, topic):\n",
            ),
        ),
        by=Tests(paths=("tests/config/test_sources.py",), names="each press is counted twice"),
    ),
    Mutant(
        name="twice: two triggers that only cross",
        edits=(
            Edit(
                file="alertd/lint/twice.py",
                old="        not meets(first.topic, second.topic) or _reader(first) != _reader(second)\n",
                new="        True\n",
            ),
        ),
        by=Tests(paths=("tests/config/test_sources.py",), names="each press is counted twice"),
    ),
    Mutant(
        name="twice: it is said of each trigger of a subscription",
        edits=(Edit(file="alertd/lint/twice.py", old="(one, other))) in said:", new="(one, other))) in ():"),),
        by=Tests(paths=("tests/config/test_sources.py",), names="one finding comes thrice"),
    ),
    Mutant(
        name="twice: two filters of one session are both subscribed to",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/decoding.py",
                old="return tuple(f for f in self._written if not any(is_within(f, wider) for wider in self._written if wider != f))",
                new="return self._written",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_presses.py",), names="what the wider covers is asked for once"),
    ),
    Mutant(
        name="filters: what a refused one would have covered is not asked for",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/trigger_session.py",
                old="if more := self._triggers.instead(refused):",
                new="if more := self._triggers.instead(()):",
            ),
        ),
        by=Tests(
            paths=("tests/adapters/mqtt/test_presses.py",), names="promise 1: presses that the broker would have sent"
        ),
    ),
    Mutant(
        name="filters: a level may be wider than a wildcard",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/settings.py",
                old='if level in (None, "#") or other',
                new="if level is None or other",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_settings.py",), names="promise 1: the press comes through neither"),
    ),
    Mutant(
        name="filters: what left the configuration goes before what came is there",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/trigger_session.py",
                old="""        granted = await connection.subscribe([(topic_filter, 1) for topic_filter in wanted])
""",
                new="""        if connection.session_present and (old := [f for f in self._memory.values.filters if f not in wanted]):
            await connection.unsubscribe(old)
            self._memory.values.filters = wanted
        granted = await connection.subscribe([(topic_filter, 1) for topic_filter in wanted])
""",
            ),
        ),
        by=Tests(
            paths=("tests/adapters/mqtt/test_presses.py",), names="promise 1: nobody hears a press made in between"
        ),
    ),
    Mutant(
        name="words: the remedy asks one school alone whether it has a policy",
        edits=(
            Edit(
                file="alertd/lint/words.py",
                old="for each in devices for site_id in reaches(each)]",
                new="for each in devices[:1] for site_id in reaches(each)[:1]]",
            ),
        ),
        by=Tests(paths=("tests/config/test_words.py",), names="refuses its configuration"),
    ),
    Mutant(
        name="words: a profile of the district's own is read over a network server alone",
        edits=(
            Edit(
                file="alertd/lint/words.py",
                old="(not own or profile in self._districts)",
                new="not own",
            ),
        ),
        by=Tests(paths=("tests/config/test_words.py",), names="a pull cord pages nobody"),
    ),
    Mutant(
        name="test site: a device is pressed for the least that it can say",
        edits=(
            Edit(
                file="alertd/console/site_test.py",
                old="    grave = max((a for",
                new="    grave = min((a for",
            ),
        ),
        by=Tests(paths=("tests/cli/test_drills.py",), names="whether a threat would page anybody"),
    ),
    Mutant(
        name="test site: a device is pressed by a word that it can never say",
        edits=(
            Edit(
                file="alertd/console/site_test.py",
                old="    can = {PRESS, *rules.actions} if words is None else words\n",
                new="    can = {PRESS, *rules.actions}\n",
            ),
        ),
        by=Tests(paths=("tests/cli/test_drills.py",), names="it is called well"),
    ),
    Mutant(
        name="devices test: the one word of a panic button is graver than what is tried out",
        edits=(
            Edit(
                file="alertd/console/trying/orders.py",
                old="    least = next((each for each in classes if each.value in can), classes[0])\n",
                new="    least = classes[0]\n",
            ),
        ),
        by=Tests(paths=("tests/console/test_trying.py",), names="each of its presses is real"),
    ),
    Mutant(
        name="devices test: a word that its gestures do not know is blamed on the battery",
        edits=(
            Edit(
                file="alertd/console/trying/cli.py",
                old='    if unknown := next((line["unknown"] for line in reversed(found) if line.get("unknown")), ""):\n',
                new="    if unknown := deaf:\n",
            ),
            Edit(
                file="alertd/console/trying/cli.py",
                old='    if any(line["action"] for line in found):\n',
                new="    if False:\n",
            ),
        ),
        by=Tests(paths=("tests/cli/test_devices_test.py",), names="the button is well"),
    ),
    Mutant(
        name="devices test: an SOS key that is graver than what is tried out is asked of nobody",
        edits=(Edit(file="alertd/console/trying/orders.py", old="    if graver:\n", new="    if False:\n"),),
        by=Tests(paths=("tests/console/test_trying.py",), names="its one key pages the school"),
    ),
    Mutant(
        name="devices test: a key that is held by another word than its gestures name is no question",
        edits=(
            Edit(
                file="alertd/console/trying/orders.py",
                old="    named = {word: named_by(word, rules) for word in",
                new="    named = {word: rules.actions.get(word) for word in",
            ),
        ),
        by=Tests(paths=("tests/console/test_trying.py",), names="a second too long locks the school down"),
    ),
    Mutant(
        name="devices test: who presses twice for more has a finger that stays too long",
        edits=(
            Edit(
                file="alertd/console/trying/orders.py",
                old=" for word in sorted(words) if COUNTED.get(word, 1) == 1}",
                new=" for word in sorted(words)}",
            ),
        ),
        by=Tests(paths=("tests/console/test_trying.py",), names="what no single touch says"),
    ),
    Mutant(
        name="devices test: up to less than the device can say",
        edits=(
            Edit(
                file="alertd/console/trying/orders.py",
                old="        if wanted in classes and SEVERITY[wanted] < SEVERITY[least]:\n",
                new="        if False:\n",
            ),
        ),
        by=Tests(paths=("tests/console/test_trying.py",), names="each of its presses is real"),
    ),
    Mutant(
        name="devices test: whoever has paged the school is told that no gesture was heard",
        edits=(
            Edit(
                file="alertd/console/trying/orders.py",
                old="if entry.incident_id and line.at_us in over_us]",
                new="if False]",
            ),
        ),
        by=Tests(paths=("tests/console/test_trying.py",), names="who tried it out is not told whom it paged"),
    ),
    Mutant(
        name="devices test: what others have pressed for is taken back",
        edits=(
            Edit(
                file="alertd/console/trying/cli.py",
                old='        if any(press["device"] != device for press in each["presses"]):\n',
                new="        if False:\n",
            ),
        ),
        by=Tests(paths=("tests/cli/test_devices_test.py",), names="what others pressed for is called a mistake"),
    ),
    Mutant(
        name="learn: that strangers were dropped is not said",
        edits=(Edit(file="alertd/console/learning/cli.py", old=">= STRANGERS_MAX]", new="> STRANGERS_MAX]"),),
        by=Tests(paths=("tests/cli/test_devices_learn.py",), names="others were dropped, and nobody says so"),
    ),
    Mutant(
        name="import: what a spreadsheet rounded is only said to be no id",
        edits=(Edit(file="alertd/config/csv_files.py", old="if not _ROUNDED.fullmatch(value):", new="if value:"),),
        by=Tests(paths=("tests/exports/test_importing.py",), names="its digits are gone, and nobody says so"),
    ),
)
