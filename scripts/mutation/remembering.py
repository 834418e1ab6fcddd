# ruff: noqa: E501 - what is changed is quoted as it stands in the source
"""Mutants in what is remembered of devices: states that last, tests of single devices, who heard a badge, typed codes."""

from mutation.mutant import Edit, Mutant, Story, Tests

LEVELS = "alertd/engine/levels.py"
GESTURES = "alertd/engine/gestures.py"
NODES = "adapters/alertd_adapters/decoders/sparkplug/nodes.py"
IN_LEVELS = ("tests/engine/test_levels.py",)
IN_TESTS = ("tests/engine/test_device_tests.py",)
WITH_CLOCKS = ("tests/engine/test_device_tests_and_clocks.py",)
DEVICE_TESTS = "alertd/engine/device_tests.py"
PRESSES = "alertd/engine/presses.py"
HEARING = "alertd/engine/hearing.py"
IN_HEARING = ("tests/engine/test_hearing.py",)
MAPPING = "adapters/alertd_adapters/decoders/mapping"
CODES = ("tests/adapters/decoders/mapping/test_levels_and_codes.py",)

REMEMBERING = (
    Mutant(
        name="states: each repeat is a press",
        edits=(
            Edit(
                file=PRESSES,
                old="    if (activation := levels.known(d, event, device)) is not None:\n",
                new="    if (activation := None) is not None:\n",
            ),
        ),
        cheap=True,
        by=Story(name="state_that_lasts", trips=("lasting states",)),
    ),
    Mutant(
        name="states: what the device ended goes on",
        edits=(
            Edit(
                file=LEVELS,
                old="    over = tuple(a for a in meant if a not in later)\n",
                new="    over = ()\n",
            ),
        ),
        by=Story(name="state_that_lasts", trips=("lasting states",)),
    ),
    Mutant(
        name="states: one that was silent for an hour is still the same",
        edits=(
            Edit(
                file=LEVELS,
                old="    return lasting is not None and abs(silent_us) > lasting.repeats_s * 1_000_000\n",
                new="    return False\n",
            ),
        ),
        by=Tests(paths=("tests/engine/test_levels.py",), names="doubt pages"),
    ),
    Mutant(
        name="states: forgotten by a restart",
        edits=(
            Edit(
                file="alertd/store/rows.py",
                old="    return _decode(GestureCount, schema, blob)\n",
                new="    return msgspec.structs.replace(_decode(GestureCount, schema, blob), lasting=())\n",
            ),
        ),
        by=Story(name="state_that_outlives_a_crash"),
    ),
    Mutant(
        name="ends: the door holds back what it has heard before",
        edits=(
            Edit(
                file="alertd/daemon/intake.py",
                old="        events = self.readings.sift(events, self.registry)\n",
                new="""        events = self.readings.sift(events, self.registry)
        ended = self.__dict__.setdefault("ended", set())
        for signal in arrival.signals:
            if not signal.ends:
                ended.discard(signal.device_id)
            elif signal.device_id in ended:
                return _nothing_to_do()
            else:
                ended.add(signal.device_id)
""",
            ),
        ),
        by=Tests(paths=("tests/daemon/test_device_memory.py",), names="promise 2: it was reset, and pressed again"),
    ),
    Mutant(
        name="device tests: a graver gesture is a test, too",
        edits=(
            Edit(
                file=DEVICE_TESTS,
                old="    if SEVERITY[incident_class] > SEVERITY[test.incident_class]:\n",
                new="    if False:\n",
            ),
        ),
        by=Story(name="device_test_becomes_real", trips=("only what is tried",)),
    ),
    Mutant(
        name="device tests: they outlive a start",
        edits=(
            Edit(
                file="alertd/daemon/tests_over.py",
                old="            for site_id, memory in self._left\n",
                new="            for site_id, memory in ()\n",
            ),
        ),
        by=Story(name="device_test_ends_with_a_crash", trips=("only what is tried",)),
    ),
    Mutant(
        name="device tests: they have no end",
        edits=(
            Edit(
                file=DEVICE_TESTS,
                old="    return min(test.ends_us, test.watched_us + UNWATCHED_S * 1_000_000)\n",
                new="    return test.watched_us + UNWATCHED_S * 1_000_000\n",
            ),
        ),
        by=Tests(paths=IN_TESTS, names="promise 2"),
    ),
    Mutant(
        name="device tests: they go on when nobody watches",
        edits=(
            Edit(
                file=DEVICE_TESTS,
                old="    return min(test.ends_us, test.watched_us + UNWATCHED_S * 1_000_000)\n",
                new="    return test.ends_us\n",
            ),
        ),
        by=Story(name="device_test_nobody_watches", trips=("only what is tried",)),
    ),
    Mutant(
        name="device tests: they go on when the clock is set",
        edits=(
            Edit(
                file=DEVICE_TESTS,
                old="    if clock is not None and clock.boot_id == d.now.boot_id and not is_of(clock, d.now):\n",
                new="    if False:\n",
            ),
        ),
        by=Story(name="device_test_and_the_clock_is_set", trips=("only what is tried",)),
    ),
    Mutant(
        name="device tests: one begins in a gesture that another node has heard",
        edits=(
            Edit(
                file=DEVICE_TESTS,
                old="    under_way = gestures.going_on(d, pressed_now, device)\n",
                new="    under_way = [e for e in gestures.going_on(d, pressed_now, device) if e.boot_id == d.now.boot_id]\n",
            ),
        ),
        by=Tests(paths=WITH_CLOCKS, names="somebody presses it"),
    ),
    Mutant(
        name="device tests: who comes back goes on with one that is over",
        edits=(
            Edit(
                file=DEVICE_TESTS,
                old="    if test is None or d.now.wall_us >= over_us(test):\n",
                new="    if test is None:\n",
            ),
        ),
        by=Tests(paths=IN_TESTS, names="promise 2"),
    ),
    Mutant(
        name="device tests: one whose timer is late goes on",
        edits=(
            Edit(
                file=DEVICE_TESTS,
                old="    if began_us < test.began_us or d.now.wall_us >= over_us(test):\n",
                new="    if began_us < test.began_us:\n",
            ),
        ),
        by=Tests(paths=IN_TESTS, names="promise 2"),
    ),
    Mutant(
        name="device tests: a press of before is part of it",
        edits=(Edit(file=DEVICE_TESTS, old="    if began_us < test.began_us or ", new="    if "),),
        by=Tests(paths=IN_TESTS, names="promise 2"),
    ),
    Mutant(
        name="device tests: only its last press says when a gesture began",
        edits=(
            Edit(
                file=DEVICE_TESTS,
                old="    began_us = event.oldest_us if first_us is None else min(event.oldest_us, first_us)\n",
                new="    began_us = event.oldest_us\n",
            ),
        ),
        by=Tests(paths=IN_TESTS, names="promise 2"),
    ),
    Mutant(
        name="device tests: only the press before says when a gesture began",
        edits=(
            Edit(
                file=DEVICE_TESTS,
                old="    began_us = event.oldest_us if first_us is None else min(event.oldest_us, first_us)\n",
                new="    began_us = event.oldest_us if first_us is None else first_us\n",
            ),
        ),
        by=Tests(paths=IN_TESTS, names="promise 2"),
    ),
    Mutant(
        name="device tests: one begins in the middle of a gesture",
        edits=(Edit(file=DEVICE_TESTS, old="    return _in_a_gesture(d, order, device)\n", new='    return ""\n'),),
        by=Tests(paths=IN_TESTS, names="somebody presses it"),
    ),
    Mutant(
        name="device tests: what was pressed before is forgotten at the end",
        edits=(
            Edit(
                file="alertd/engine/device_tests.py",
                old="    before = (each for each in memory.presses if each not in tried)\n",
                new="    before = ()\n",
            ),
        ),
        by=Tests(paths=IN_TESTS, names="promise 2"),
    ),
    Mutant(
        name="device tests: a button left on is pressed again and again",
        edits=(Edit(file=LEVELS, old="before.called or before.mode is Mode.TEST\n", new="before.called\n"),),
        by=Story(name="latched_in_a_test_and_somebody_falls"),
    ),
    Mutant(
        name="device tests: a button left on calls nobody in a lockdown",
        edits=(
            Edit(file=LEVELS, old="if found.mode is not Mode.LIVE and _is", new="if found.mode is Mode.DRILL and _is"),
        ),
        by=Tests(paths=IN_TESTS, names="promise 2: room 204 calls, too"),
    ),
    Mutant(
        name="device tests: a button left on hides a call while their timer is late",
        edits=(
            Edit(
                file=DEVICE_TESTS,
                old="    return test is not None and d.now.wall_us < over_us(test)\n",
                new="    return test is not None\n",
            ),
        ),
        by=Tests(paths=IN_TESTS, names="promise 2: nothing silences a first panic"),
    ),
    Mutant(
        name="device tests: what was tried out hides a call after a graver one",
        edits=(
            Edit(
                file=LEVELS,
                old="    if found.mode is Mode.TEST and not device_tests.is_on(d, device.id):\n",
                new="    if False:\n",
            ),
        ),
        by=Tests(paths=IN_TESTS, names="promise 2: nothing silences a first panic"),
    ),
    Mutant(
        name="device tests: whoever has called in one has to be reset",
        edits=(
            Edit(file=LEVELS, old="calls_for is not None and mode is not Mode.TEST,\n", new="calls_for is not None,\n"),
        ),
        by=Tests(paths=IN_TESTS, names="nobody has to reset it yet"),
    ),
    Mutant(
        name="device tests: no list shows them",
        edits=(
            Edit(
                file="alertd/console/devices/listing.py",
                old="    tests = {each.device: each.words for each in await every_test(backend)}\n",
                new="    tests: dict[str, str] = {}\n",
            ),
        ),
        by=Tests(paths=("tests/cli/test_devices_list.py",), names="nothing shows that its presses page nobody"),
    ),
    Mutant(
        name="device tests: at the other school of a badge it is real",
        edits=(
            Edit(
                file="alertd/console/trying/orders.py",
                old="    return tuple(dict.fromkeys((device.site_id, *device.roaming_sites)))\n",
                new="    return (device.site_id,)\n",
            ),
        ),
        by=Tests(paths=("tests/console/test_trying.py",), names="R65: it is real at the other school"),
    ),
    Mutant(
        name="device tests: whoever watches is not noted",
        edits=(
            Edit(
                file="alertd/console/trying/orders.py",
                old="        if memory.test is not None and abs(now_us - memory.test.watched_us) >= NOTED_EVERY_US:\n",
                new="        if memory.test is None:\n",
            ),
        ),
        by=Tests(paths=("tests/console/test_trying.py",), names="while somebody watched it"),
    ),
    Mutant(
        name="wearables: only one of two schools is told",
        edits=(Edit(file=HEARING, old="(ear is best or _rivals(best, ear))", new="ear is best"),),
        by=Story(name="badge_between_two_schools"),
    ),
    Mutant(
        name="wearables: of schools that do not say how well they heard it one is told",
        edits=(
            Edit(
                file=HEARING,
                old="        return (one.heard_us is None) == (other.heard_us is None)\n",
                new="        return False\n",
            ),
        ),
        by=Tests(paths=IN_HEARING, names="nobody knows which school is nearer"),
    ),
    Mutant(
        name="wearables: of schools that heard it a while ago one is told",
        edits=(
            Edit(
                file=HEARING,
                old="    if abs(one.age_us - other.age_us) > RECENT_US:\n",
                new="    if max(one.age_us, other.age_us) > RECENT_US:\n",
            ),
        ),
        by=Tests(paths=IN_HEARING, names="promise 2: one of two schools that heard it is not told"),
    ),
    Mutant(
        name="wearables: where it was a while ago it is",
        edits=(
            Edit(
                file=HEARING, old="    may_be_home = here[0].age_us > SURE_US and ", new="    may_be_home = False and "
            ),
        ),
        by=Story(name="badge_heard_elsewhere_before"),
    ),
    Mutant(
        name="wearables: home is told whatever was heard elsewhere",
        edits=(Edit(file=HEARING, old="    may_be_home = here[0].age_us > SURE_US and ", new="    may_be_home = "),),
        by=Tests(paths=IN_HEARING, names="home is told though it is elsewhere"),
    ),
    Mutant(
        name="wearables: the short words of a place have no age",
        edits=(
            Edit(
                file="alertd/engine/wording.py",
                old='        return where, f"{_near(location)} {location.short} ({age})"\n',
                new='        return where, f"NEAR {location.short}"\n',
            ),
        ),
        by=Story(name="badge_heard_before_and_nobody_answers"),
    ),
    Mutant(
        name="wearables: the age of a place is cut off",
        edits=(
            Edit(
                file="alertd/engine/wording.py",
                old="    for shortened, name in product((_tersely, _cut, _barely), SHORTENED):\n",
                new="    for shortened, name in product((_barely,), SHORTENED):\n",
            ),
        ),
        by=Tests(paths=("tests/engine/test_wording.py",), names="NEAR? Gym"),
    ),
    Mutant(
        name="wearables: whoever brings the message is where it was",
        edits=(
            Edit(
                file=HEARING,
                old="        return is_older, ear.age_us if is_older else -ear.strength, ear.gateway.id\n",
                new="        return is_older, ear.age_us, ear.gateway.id\n",
            ),
        ),
        by=Tests(paths=("tests/engine/test_hearing.py",), names="gw-gym"),
    ),
    Mutant(
        name="wearables: nobody remembers who heard it",
        edits=(
            Edit(
                file="alertd/daemon/hearings.py",
                old="        return replace(signal, heard=(*now, *remembered)) if remembered else signal\n",
                new="        return signal\n",
            ),
        ),
        by=Story(name="badge_heard_before"),
    ),
    Mutant(
        name="codes: a typed code is a word like any other",
        edits=(
            Edit(
                file=f"{MAPPING}/rules.py",
                old="    return None if is_code(value) else _compared(value)\n",
                new="    return _compared(value)\n",
            ),
        ),
        by=Tests(paths=CODES, names="a code is nobody's business"),
    ),
    Mutant(
        name="codes: an explanation shows them",
        edits=(
            Edit(
                file=f"{MAPPING}/explaining.py",
                old="HIDDEN if is_code(reading.value) else str(reading.value)",
                new="str(reading.value)",
            ),
        ),
        by=Tests(paths=CODES, names="a code is nobody's business"),
    ),
    Mutant(
        name="codes: the keypad shows that the police were called",
        edits=(
            Edit(
                file=PRESSES,
                old="    if gestures.named_by(event.signal.action, device.gestures) != IncidentClass.POLICE_DURESS:\n",
                new="    if True:\n",
            ),
        ),
        by=Tests(paths=("tests/engine/test_duress_codes.py",), names="silent"),
    ),
    Mutant(
        name="states: nobody is rung for what may be pressed again",
        edits=(Edit(file=PRESSES, old="    if was_silent or may_call:\n", new="    if was_silent:\n"),),
        by=Tests(paths=IN_LEVELS, names="promise 2: three presses, and all of them"),
    ),
    Mutant(
        name="states: a repeat begins no gesture",
        edits=(
            Edit(
                file=LEVELS,
                old="gestures.counted(d, event, device, doubtful=True).incident_class is not None\n",
                new="False\n",
            ),
        ),
        by=Tests(paths=IN_LEVELS, names="promise 2: three presses within the window"),
    ),
    Mutant(
        name="states: what paged nobody has repeats",
        edits=(
            Edit(
                file=LEVELS,
                old="        return has_called\n",
                new="        return True\n",
            ),
            Edit(file=LEVELS, old=" and before is None and not _counts(event, device):\n", new=" and False:\n"),
        ),
        by=Tests(paths=IN_LEVELS, names="promise 2: the first call that means something"),
    ),
    Mutant(
        name="states: a higher count is a repeat",
        edits=(
            Edit(
                file="alertd/engine/levels.py",
                old="        return has_called and count <= (of_before if before.reached is None else before.reached)\n",
                new="        return has_called\n",
            ),
        ),
        by=Tests(paths=IN_LEVELS, names="promise 2: gestures count upward"),
    ),
    Mutant(
        name="states: a silence is as long as the wall clock says",
        edits=(
            Edit(
                file="alertd/engine/levels.py",
                old="    if before.last_boot_us is not None and before.boot_id == d.now.boot_id:\n",
                new="    if False:\n",
            ),
        ),
        by=Tests(paths=IN_LEVELS, names="promise 2: a first panic after a step of the clock pages"),
    ),
    Mutant(
        name="device tests: a state of before hides what is tried",
        edits=(
            Edit(
                file=DEVICE_TESTS,
                old="    d.remember(_without_states(replace(_without_test(d.memory(event.device_id)), test=test)))\n",
                new="    d.remember(replace(_without_test(d.memory(event.device_id)), test=test))\n",
            ),
        ),
        by=Tests(paths=IN_TESTS, names="whoever tries it sees it"),
    ),
    Mutant(
        name="device tests: their presses count in real gestures",
        edits=(
            Edit(
                file="alertd/engine/device_tests.py",
                old="    return _without_states(replace(memory, presses=(*before, *last)))\n",
                new="    return _without_states(memory)\n",
            ),
        ),
        by=Tests(paths=IN_TESTS, names="one press, and two that were tried out"),
    ),
    Mutant(
        name="device tests: the number of a press is forgotten with them",
        edits=(
            Edit(
                file=DEVICE_TESTS,
                old="lasting=tuple(each for each in memory.lasting if each.numbered))\n",
                new="lasting=())\n",
            ),
        ),
        by=Tests(paths=IN_TESTS, names="assert not {"),
    ),
    Mutant(
        name="presses: what was kept for days is fresh",
        edits=(
            Edit(
                file="alertd/engine/routing.py",
                old="        waited_since = min(waited_since, signal.pressed_us)\n",
                new="        pass\n",
            ),
        ),
        by=Tests(paths=("tests/engine/test_presses.py",), names="a press of days ago sends the police"),
    ),
    Mutant(
        name="presses: a clock that was never set makes each of them late",
        edits=(
            Edit(
                file="alertd/engine/routing.py",
                old="signal.pressed_us >= arrival.received_us - OLD_NEWS_US:\n",
                new="signal.pressed_us >= 0:\n",
            ),
        ),
        by=Tests(paths=("tests/engine/test_presses.py",), names="promise 2: a fresh press waits for a human"),
    ),
    Mutant(
        name="Sparkplug: a birth that no commit took is known",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/trigger_session.py",
                old="        for unlearn in reversed(self._unlearn.values()):  # it",
                new="        for unlearn in ():  # it",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_mapped_presses.py",), names="promise 1"),
    ),
    Mutant(
        name="Sparkplug: what waited for a birth waits for one only",
        edits=(
            Edit(
                file=NODES,
                old="            node = self._nodes[last.address] = last.before\n",
                new="            node = self._nodes[last.address]\n",
            ),
        ),
        by=Tests(paths=("tests/adapters/decoders/sparkplug/test_sparkplug.py",), names="promise 1"),
    ),
    Mutant(
        name="gestures: presses that overtake each other are two gestures",
        edits=(
            Edit(
                file="alertd/engine/gestures.py",
                old="    while near := [i for i in left if any(press_times.are_near(*_pair(presses, i, one), window_us) for one in ties)]:\n        found, left = [*found, *near], [i for i in left if i not in near]\n        ties = [i for i in near if not presses[i].tested]\n",
                new="    found += [i for i in left if press_times.are_near(presses[i], presses[last], window_us)][-1:]\n",
            ),
        ),
        by=Tests(paths=("tests/engine/test_doubt.py",), names="promise 2: eight presses are eight presses"),
    ),
    Mutant(
        name="gestures: what waited for a lost line is another gesture",
        edits=(
            Edit(
                file="alertd/engine/press_times.py",
                old="    return min(_gaps_us(before, press)) - _CLOCKS_APART_US * may_be_apart\n",
                new="    return min(_gaps_us(before, press)) - _CLOCKS_APART_US * may_be_apart + 3600_000_000 * press.is_timeless\n",
            ),
        ),
        by=Tests(paths=("tests/engine/test_presses.py",), names="around a lost line paged nobody"),
    ),
    Mutant(
        name="tests: a sensor's real alarm is a repeat of the one that was tried",
        edits=(
            Edit(
                file="alertd/daemon/readings.py",
                old="            if (memory.test is not None) != (memory.device_id in self._tried):\n",
                new="            if memory.test is not None and not memory.count and memory.device_id is None:\n",
            ),
        ),
        by=Tests(paths=("tests/daemon/test_readings.py",), names="the flood behind a test was gathered"),
    ),
    Mutant(
        name="tests: a closed terminal leaves the button in test",
        edits=(
            Edit(
                file="alertd/console/trying/cli.py",
                old="        raise KeyboardInterrupt\n",
                new="        raise SystemExit(1)\n",
            ),
        ),
        by=Tests(paths=("tests/cli/test_devices_test.py",), names="taken for a part of it"),
    ),
    Mutant(
        name="device tests: while a shot is asked about a press for help is a test",
        edits=(
            Edit(
                file=DEVICE_TESTS,
                old="    grave = _open_grave(d, asked=is_panic(incident_class))\n",
                new="    grave = _open_grave(d, asked=False)\n",
            ),
        ),
        by=Story(name="shot_while_a_badge_is_tried_out", trips=("only what is tried",)),
    ),
    Mutant(
        name="device tests: one begins while a shot is asked about",
        edits=(
            Edit(
                file=DEVICE_TESTS,
                old="    if grave := _open_grave(d):\n",
                new="    if grave := _open_grave(d, asked=False):\n",
            ),
        ),
        by=Tests(paths=IN_TESTS, names="whoever presses it may press for help"),
    ),
    Mutant(
        name="device tests: the bang of a test bears out what the sensor next to it heard",
        edits=(
            Edit(
                file=DEVICE_TESTS,
                old="    grave = _open_grave(d, asked=is_panic(incident_class))\n",
                new="    grave = _open_grave(d)\n",
            ),
        ),
        by=Story(name="sensor_tried_out_beside_another"),
    ),
    Mutant(
        name="device tests: a school at which it may not press takes the order",
        edits=(
            Edit(
                file=DEVICE_TESTS,
                old="    if order.site_id not in (device.site_id, *device.roaming_sites):\n",
                new="    if False:\n",
            ),
        ),
        by=Tests(paths=IN_TESTS, names="a school in which it may not press"),
    ),
    Mutant(
        name="device tests: what ends it at one school leaves it in test at the other",
        edits=(
            Edit(
                file="alertd/console/trying/orders.py",
                old="    if not view.runs or not any(line.is_over for line in view.heard):\n",
                new="    if True:\n",
            ),
        ),
        by=Tests(paths=("tests/console/test_trying.py",), names="in test at the other school"),
    ),
)
