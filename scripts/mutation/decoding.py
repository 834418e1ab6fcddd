# ruff: noqa: E501 - what is changed is quoted as it stands in the source
"""Mutants between a real device's payload and its signal. A quick test must catch each."""

from mutation.mutant import Edit, Mutant, Story, Tests

MAPPING = "adapters/alertd_adapters/decoders/mapping"
TESTS = ("tests/adapters/decoders/mapping/test_mapping.py",)

DECODING = (
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
                old="        if matches or self.codec is None or data is None:",
                new='        if matches or self.codec is None or data is None or root["object"] is not None:',
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
                old="        if UNREAD in decoded and not any(",
                new="        if UNREAD in decoded and any(",
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
                old="            device.aliases = {}\n        return _birth",
                new="            pass\n        return _birth",
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
                old="    missing = unknown if is_mute else [word for word in unknown if word in CALLS]\n",
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
                old="classes[0] if len(classes) == 1 else CALLS.get(word, IncidentClass.STAFF_ASSIST)",
                new="CALLS.get(word, IncidentClass.STAFF_ASSIST)",
            ),
        ),
        by=Tests(paths=("tests/config/test_words.py",), names="a heart that stands still"),
    ),
    Mutant(
        name="words: the remedy for a press is a lockdown",
        edits=(
            Edit(
                file="alertd/lint/words.py",
                old="usual == IncidentClass.LOCKDOWN and word not in CALLS ",
                new="not usual ",
            ),
        ),
        by=Tests(paths=("tests/config/test_words.py",), names="one press locks a school down"),
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
                old="    return next((each for each in classes if each.value in said), classes[0])",
                new="    return classes[0]",
            ),
        ),
        by=Tests(paths=("tests/console/test_trying.py",), names="would page the school"),
    ),
    Mutant(
        name="devices test: a word that its gestures do not know is blamed on the battery",
        edits=(
            Edit(
                file="alertd/console/trying/cli.py",
                old="    if not gestures and unknown:\n",
                new="    if not gestures and deaf:\n",
            ),
        ),
        by=Tests(paths=("tests/cli/test_devices_test.py",), names="the button is well"),
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
