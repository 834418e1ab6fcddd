# ruff: noqa: E501 - what is changed is quoted as it stands in the source
"""Mutants in what may, and what certainly does, belong to a gesture or a state: doubt, copies, drills, ends."""

from mutation.mutant import Edit, Mutant, Story, Tests

LEVELS = "alertd/engine/levels.py"
GESTURES = "alertd/engine/gestures.py"
TIMES = "alertd/engine/press_times.py"
PRESSES = "alertd/engine/presses.py"
DEVICE_TESTS = "alertd/engine/device_tests.py"
IN_BESIDE = ("tests/engine/test_gestures_beside.py",)
IN_DOUBT = ("tests/engine/test_doubt.py",)
IN_LEVELS = ("tests/engine/test_levels.py",)
IN_CORROBORATION = ("tests/engine/test_corroboration.py",)
INCIDENTS = "alertd/engine/incidents.py"
ROUTING = "alertd/engine/routing.py"
SPELLING = "alertd/engine/spelling.py"
INTAKE = "alertd/daemon/intake.py"
FEEDBACK = "adapters/alertd_adapters/mqtt/feedback.py"
IN_SPELLINGS = ("tests/daemon/test_spellings.py",)
IN_FEEDBACK = ("tests/adapters/mqtt/test_feedback.py",)
IN_RINGING = ("tests/engine/test_ringing.py",)
WHERE = "alertd/engine/places.py"
IN_WHERE = ("tests/engine/test_where_to_look.py",)
IN_NEVER_PRESS = ("tests/adapters/mqtt/test_never_press.py",)
IN_HEARING = ("tests/engine/test_hearing.py",)
IN_BUNDLES = ("tests/engine/test_bundled_presses.py",)
PUT_TOGETHER = "promise 2: presses that the device put together paged nobody"
IN_OVERHEARING = ("tests/engine/test_overhearing.py",)
IN_NUMBERS = ("tests/engine/test_press_numbers.py",)
IN_ASKED = ("tests/engine/test_asked_for.py",)
ANSWERS = "alertd/engine/answers.py"
TOO_MANY = "people read of more presses than somebody made"


def _mutant(name: str, file: str, old: str, new: str, says: str, paths: tuple[str, ...]) -> Mutant:
    return Mutant(name=name, edits=(Edit(file=file, old=old, new=new),), by=Tests(paths=paths, names=says))


UPGRADES = "what only may belong to a gesture upgrades nothing"
NOBODY = "promise 2: presses of one gesture paged nobody"
COPY = "a copy of the same press is no other press"
ENDS_NOTHING = "what is older than the call ends nothing"

DOUBTING = (
    _mutant("numbers: each repeat is a press more", GESTURES, "        is_more=bool(certainly) and sure > _sure(certain[:-1]),\n", "", TOO_MANY, IN_NUMBERS),
    _mutant("numbers: people read of what is in doubt", GESTURES, "told=sure if certainly else 1", "told=sure if certainly else count", TOO_MANY, IN_NUMBERS),
    Mutant(
        name="numbers: of a button that is held people read each time that it says so",
        edits=(Edit(file=INCIDENTS, old="known.count + is_more", new="known.count + 1"),),
        by=Story(name="button_is_held"),
    ),
    Mutant(
        name="gestures: what is held on after the end is told to nobody, all day long",
        edits=(Edit(file=PRESSES, old="        called_for = None\n        _held_on(d, event, device)\n", new="        called_for = None\n"),),
        by=Story(name="button_is_held_on_after_the_end", trips=("acknowledged press", "arrived press")),
    ),
    _mutant("numbers: what goes on in doubt is a press more", GESTURES, "is_more=bool(certainly) and sure", "is_more=sure", TOO_MANY, IN_NUMBERS),
    _mutant("numbers: a button that is held, and means something, is pressed again and again", GESTURES, "        is_more = signal.action not in HELD or signal.lasting is not None\n", "        is_more = True\n", TOO_MANY, IN_NUMBERS),
    _mutant("asked: what somebody asks for is a press of the badge", ANSWERS, 'device_id=DeviceId("")', "device_id=first.device_id", "promise 2: somebody calls for help, and nobody is told", IN_ASKED),
    _mutant("asked: a 9 after a correction is an echo", INCIDENTS, "        return press.asked or not 0 <=", "        return not 0 <=", "promise 2: a 9 was taken for what was said before the correction", IN_ASKED),
    _mutant("asked: a badge after a 9 and a correction is an echo of the 9", INCIDENTS, "        begun, *others = _of_now(incident.presses, press)\n", "        begun, *others = (p.heard_again(press) for p in _of_now(incident.presses, press))\n", "promise 2: a press is taken for what somebody had asked for", IN_ASKED),
    _mutant("asked: a sensor is a human once somebody asks for a lockdown", INCIDENTS, "if begun.asked else begun, *others)\n", "if begun.asked else replace(begun, by_sensor=False), *others)\n", "nobody has pressed", IN_ASKED),
    _mutant("asked: dispatch reads that only a sensor says so", "alertd/engine/dispatch_body.py", " and not incident.asked_us\n", "\n", "a human asked for it", IN_ASKED),
    _mutant("asked: a shot moments after a 9 is a question", "alertd/engine/corroboration.py", "(lockdown.asked_us, lockdown.asked_us)", "(0, 0)", "who has just asked for a lockdown is asked whether there was a shot", IN_ASKED),
    _mutant("asked: a place of which nobody has read adds nothing", INCIDENTS, "    here = [p for p in incident.presses if p.location.zone_id == press.location.zone_id]\n", "    here = [p for p in incident.presses if press.asked or p.location.zone_id == press.location.zone_id]\n", "nobody hears where more is asked for", IN_ASKED),
    _mutant("states: a press after the end is an echo of a state that was said again", INCIDENTS, "(known.cried_us or known.last_us)", "known.last_us", "promise 2: a press a minute after the end is taken for an echo", IN_ASKED),
    _mutant("states: what came late is no press for the next one's echo", INCIDENTS, "(known.cried_us or known.last_us)", "(known.said_us or (0, known.last_us))[1]", "after each correction the school is locked down again", IN_ASKED),
    _mutant("asked: what is pressed for a lockdown after a 9 stays what it was", INCIDENTS, "        incident_class=max(known.incident_class, press.incident_class, key=SEVERITY.__getitem__),\n", "", "eight presses read as a staff assist", IN_ASKED),
    _mutant("numbers: who asks for more has pressed", INCIDENTS, "    if press.asked:\n        return _is_on(d, incident, press)\n", "", TOO_MANY, IN_NUMBERS),
    _mutant("states: a first press that is said again quickly counts by itself", LEVELS, "    if count not in (None, 1):", "    if count is not None:", "one press that is said again pages nobody", IN_LEVELS),
    _mutant("doubt: what nobody knows the time of followed whatever was before it", GESTURES, "                found = _grown(presses, [i, last], window_us, gaps_us)\n", "                found = best\n", NOBODY, IN_DOUBT),
    _mutant("states: what called is as high as what was counted last", LEVELS, "        reached=event.signal.count or 1,\n", "", "what was pressed in a drill and is still said pages nobody", IN_BESIDE),
    _mutant("gestures: what may be of one that has called is held on", GESTURES, "called=any(each.called for each in certain))", "called=any(each.called for each in possible))", "promise 2: in doubt somebody is called", IN_BESIDE),
    _mutant("fence: each copy that another school hears is kept", PRESSES, " or _was_overheard(d, event, device)\n", "\n", "promise 2: three presses, and nobody of either school is called", IN_BESIDE),
    _mutant("fence: what another school heard is a copy for ever", PRESSES, "    return any(abs(gestures.silent_us(d, event, each)) <= _same_us(event) for each in copies)\n", "    return any(copies)\n", "promise 2: a press is taken for a copy of one that is long ago", IN_BESIDE),
    _mutant("fence: what another school hears between ties nothing", GESTURES, "if not presses[i].tested]", "if not presses[i].tested and not presses[i].overheard]", "promise 2: it has heard eight presses of one gesture", IN_BESIDE),
    _mutant("device tests: a device counts on from what was pressed in one", "alertd/engine/device_tests.py", "presses=(*before, *last)", "presses=tuple(before)", "presses after a test page people", IN_BESIDE),
    _mutant("device tests: what is said at once after one certainly goes on from it", DEVICE_TESTS, "counts_on=_counts_on(said)", "counts_on=True", "presses that are said in one message, after a test", IN_BESIDE),
    _mutant("device tests: nobody knows whether what was said one by one goes on after one", DEVICE_TESTS, ", counts_on=_counts_on(said)", "", "presses after a test page people", IN_BESIDE),
    _mutant("device tests: a button that is held says how far its device had counted", DEVICE_TESTS, "    said = [each for each in tried if each.total is not None or not each.doubtful]\n", "    said = tried\n", "one press after a test pages people", IN_BESIDE),
    _mutant("a correction: the end of the gesture that it spoke of is another one", INCIDENTS, "ENDED_S = 10\n", "ENDED_S = 0\n", "the end of a gesture is told as one more", ("tests/engine/test_hard_days.py",)),
    _mutant("device tests: a device that begins anew after one counts on", GESTURES, "            tested = 0  # it began anew\n", "            pass\n", "promise 2: what was pressed after the test", IN_BESIDE),
    _mutant("device tests: what was pressed in one began a gesture of the next", GESTURES, "for each in _live(possible) if each", "for each in possible if each", "presses after two tests page people", IN_BESIDE),
    _mutant("drills: what waited is as many presses as are certain", GESTURES, "        count=count,\n", "        count=sure if certainly else count,\n", "promise 2: two gestures of which one may be real", IN_BESIDE),
    _mutant("drills: a repeat in doubt makes a drilled gesture real", GESTURES, " and not press.doubtful else", " else", "one press after a drill locks the school down", IN_BESIDE),
    _mutant("gestures: what was stored without a time is always of now", GESTURES, "if not e.is_timeless and abs", "if abs", "whatever a gateway delivers at once ends no gesture", IN_BESIDE),
    _mutant("gestures: what was heard by a clock that was ahead is of now", GESTURES, "abs(press_times.since_us(e, press)) <=", "press_times.since_us(e, press) <=", "one press pages", IN_BESIDE),
    _mutant("gestures: each growth compares them anew", GESTURES, "            if one not in gaps_us:\n                gaps_us[one]", "            if True:\n                gaps_us[one]", "a flood of what was stored holds up the next press", IN_BESIDE),
    _mutant("device tests: what arrives in one was pressed in it", "alertd/engine/device_tests.py", "if each.oldest_us >= test.began_us]", "if each.received_us >= test.began_us]", "promise 2: what was pressed before the test", IN_BESIDE),
    _mutant("doubt: it upgrades", GESTURES, "if threshold <= sure]", "]", UPGRADES, IN_DOUBT),
    _mutant("counts: what is overtaken is one press more", GESTURES, "_number(press_times.as_made(possible) if possible == certain else possible))\n", "_number(possible))\n", "two presses, by their own times", IN_DOUBT),
    _mutant("counts: what is heard over two gateways came in the order of their clocks", GESTURES, "    return min(_number(presses)[0], _number(press_times.as_made(presses))[0])\n", "    return _number(press_times.as_made(presses))[0]\n", UPGRADES, IN_DOUBT),
    _mutant("doubt: what was stored without a time was pressed when it arrived", TIMES, "    if event.signal.late and event.signal.pressed_us is None:\n        return event.oldest_us\n", "", NOBODY, IN_DOUBT),
    _mutant("fence: a school counts only what it hears", ROUTING, "            if spot.site_id not in told:\n", "            if False:\n", "promise 2: three presses, and nobody of either school is called", IN_OVERHEARING),
    _mutant("fence: what another school hears calls this one", "alertd/engine/decide.py", "            presses.on_overheard(d, event.press)\n", "            presses.on_press(d, event.press)\n", "promise 6: a school that has heard nothing of it is called", IN_OVERHEARING),
    _mutant("fence: what another school hears is certain", GESTURES, "    counted(d, event, device, doubtful=True, overheard=True)\n", "    counted(d, event, device, doubtful=False, overheard=True)\n", "in doubt nobody locks a school down", IN_OVERHEARING),
    _mutant("fence: a copy that this school hears is one more press", GESTURES, "replace(each, number=0) if", "each if", "one press over two gateways is counted as two", IN_OVERHEARING),
    _mutant("fence: what this school has heard counts again where another hears it", PRESSES, "is_known = _is_copy(d, event) or", "is_known =", "one press over two gateways is counted as two", IN_OVERHEARING),
    _mutant("fence: what another school heard is known here", PRESSES, "        gestures.overhear(", "        d.cause = event.cause\n        gestures.overhear(", "both heard eight presses", IN_OVERHEARING),
    _mutant("fence: what another school heard is known here if the engine failed on it", "alertd/engine/fallback.py", "isinstance(event, Overheard) or getattr", "getattr", "promise 1: Elm's own copy of it is taken for known", IN_OVERHEARING),
    _mutant("fence: a state that is said again counts next door", ROUTING, " or signal.standing or signal.lasting is not None:", " or signal.standing:", "it is counted where nobody heard it", IN_OVERHEARING),
    _mutant("fence: of what waits twice each counts", "alertd/daemon/waiting.py", "    here = [event for event in events if not isinstance(event, Overheard)]\n", "    here = list(events)\n", "a badge at a fence fills the queue", ("tests/daemon/test_waiting.py",)),
    _mutant("wearables: what waited without a time was heard just now", "alertd/engine/places.py", "    waited = event.oldest_us < event.received_us\n", "    waited = event.signal.pressed_us is not None\n", "req 5: nobody knows when it was heard there", IN_HEARING),
    _mutant("wearables: who was there when nobody knows is there", "alertd/engine/places.py", "unsure=event.unsure or may_have_gone", "unsure=event.unsure", "req 5: nobody knows when it was heard there", IN_HEARING),
    _mutant("doubt: the silence after what may belong does not start anew", GESTURES, "        new = [-min(able)[1]]\n        found += new\n", "        return [*found, *(-i for _, i in able)]\n", NOBODY, IN_DOUBT),
    _mutant("doubt: a chain is as long as its gestures, not as its presses", GESTURES, "        lasts_us = window_us * _most(presses, found)\n", "        lasts_us = window_us\n", NOBODY, IN_DOUBT),
    _mutant("doubt: a chain has no end", GESTURES, " and far_us[i] <= lasts_us]\n", "]\n", "an hour lies between them", IN_DOUBT),
    _mutant("doubt: whatever was before is of the chain", GESTURES, "if near_us[i] <= window_us and far_us", "if far_us", "seconds lie between them", IN_DOUBT),
    _mutant("doubt: it counts nothing", GESTURES, "    possible = (*tried, *_perhaps_with(_live((*before, press)), certain, rules))\n", "    possible = certain\n", NOBODY, IN_DOUBT),
    _mutant("doubt: what is said again is certain", GESTURES, "sure + each.number * (not each.doubtful), in_doubt", "sure + each.number, in_doubt", UPGRADES, IN_DOUBT),
    _mutant("doubt: what waited without a time certainly belongs to what was heard", TIMES, "    if before.is_timeless or press.is_timeless:\n        return False\n", "", UPGRADES, IN_DOUBT),
    _mutant("doubt: clocks of two nodes agree", TIMES, " or before.boot_id != press.boot_id\n    return min", "\n    return min", NOBODY, IN_DOUBT),
    _mutant("doubt: the arrival of what waited is the time of what it began", TIMES, "is_believed and (press.waited or by_own_clock):", "is_believed and by_own_clock:", "two presses of before, and one", IN_DOUBT),
    _mutant("doubt: what a gateway kept has arrived now", GESTURES, "        waited=event.backlog or signal.late,\n", "        waited=event.backlog,\n", "two presses of before, and one", IN_DOUBT),
    _mutant("gestures: what a device has counted by itself is added up", GESTURES, "            sure, in_doubt = each.total - tested, max(0, in_doubt - (each.total - tested - sure))\n", "            sure += each.total\n", "two presses", IN_DOUBT),
    _mutant("gestures: two are under way at once", GESTURES, "not in recent][-PRESSES_MAX:]", "not in recent][-PRESSES_MAX // 2 :]", "promise 2: eight presses are eight presses", IN_DOUBT),
    _mutant("gestures: by a wall clock that went back presses are near each other", TIMES, "        return press.boot_us - before.boot_us\n", "        return press.received_us - before.received_us\n", "boot time knows better", IN_DOUBT),
    _mutant("doubt: what waited over a lost line was pressed when it arrived", TIMES, "    return arrived_us - press.absent_us, arrived_us\n", "    return arrived_us, arrived_us\n", NOBODY, IN_DOUBT),
    _mutant("doubt: what waited for hours may belong to whatever was before", TIMES, "    return arrived_us - press.absent_us, arrived_us\n", "    return arrived_us - 2 * press.absent_us, arrived_us\n", "a minute lies between them, at least", IN_DOUBT),
    _mutant("doubt: gateways whose clocks are apart hold nothing up", TIMES, "may_be_apart = before.says_when or press.says_when or before", "may_be_apart = before", NOBODY, IN_DOUBT),
    _mutant("doubt: how old a device calls its press is how long the line was gone", TIMES, "    return event.oldest_us if event.backlog_since_us is None else event.backlog_since_us\n", "    return event.oldest_us\n", "an hour lies between them, whatever its clock says", IN_DOUBT),
    _mutant("doubt: another node compares the device's clock with its own", TIMES, "    return press.received_us - before.received_us\n", "    return press.received_us - (before.at_us or before.received_us)\n", NOBODY, IN_DOUBT),
    _mutant("gestures: what came last is kept, whether or not it can go on", GESTURES, "    others = [each for each in before if each not in recent][-PRESSES_MAX:]\n    return tuple(each for each in before if each in recent or each in others)\n", "    return before[-PRESSES_MAX:]\n", NOBODY, IN_DOUBT),
    _mutant("gestures: what a device has counted itself is added up in doubt", GESTURES, "    count = sum(_number(press_times.as_made(possible) if possible == certain else possible))\n", "    count = sure + sum(_number(tuple(each for each in possible if each not in certain)))\n", "the device has counted its presses itself", IN_DOUBT),
    Mutant(
        name="gestures: presses that a device put together are one",
        edits=(
            Edit(
                file="alertd/engine/gestures.py",
                old="        number=COUNTED[signal.action],\n",
                new="        number=1,\n",
            ),
        ),
        by=Story(name="presses_put_together"),
    ),
    _mutant("gestures: presses that a device put together are a count of its own", GESTURES, "    return (signal.count or 1) > COUNTED[signal.action]\n", "    return (signal.count or COUNTED[signal.action]) > 1\n", "four and four of them", IN_BUNDLES),
    _mutant("gestures: a count that its word says already replaces what was counted", GESTURES, "    return (signal.count or 1) > COUNTED[signal.action]\n", "    return (signal.count or 1) > 1\n", "four and four of them", IN_BUNDLES),
    _mutant("gestures: what was put together and waited may be of several gestures", GESTURES, "    sure = _sure(certain)\n", "    sure = 0 if press.is_timeless else _sure(certain)\n", "the device itself says that they belong together", IN_BUNDLES),
    _mutant("gestures: a button that is held is no press", GESTURES, "    | dict.fromkeys(HELD, 1)\n", "", "promise 2: a finger on the button", IN_BUNDLES),
    _mutant("gestures: a button that is held is pressed again and again", GESTURES, "doubtful=doubtful or is_held, overheard", "doubtful=doubtful, overheard", "it is held, and says so again and again", IN_BUNDLES),
    _mutant("gestures: nobody asks whether a button that was held was meant", GESTURES, "reason=Reason.UNMAPPED_ACTION if is_held else None", "reason=None", "whether it was meant, nobody knows", IN_BUNDLES),
    _mutant("gestures: a button that is held opens again what a human has closed", GESTURES, "        held_on=is_held and press.called,\n", "", "one finger, or a bag, on the button", IN_BUNDLES),
    _mutant("gestures: that it has called is forgotten with the next press", GESTURES, ", called=any(each.called for each in certain))", ")", "one finger, or a bag, on the button", IN_BUNDLES),
    _mutant("gestures: after what was held a press is no press, either", GESTURES, "        held_on=is_held and press.called,\n", "        held_on=press.called,\n", "promise 2: a press is a press", IN_BUNDLES),
    _mutant("gestures: what was held and is closed is told to nobody", "alertd/engine/presses.py", "        called_for = None\n        _held_on(d, event, device)\n", "        called_for = None\n", "it is held, and nobody is told", IN_BUNDLES),
    _mutant("gestures: they are counted by when they are decided on", TIMES, "    return d.now.boot_us if event.boot_us is None else event.boot_us\n", "    return d.now.boot_us\n", NOBODY, IN_DOUBT),
    _mutant("gestures: the door does not note when a press came", "alertd/daemon/intake.py", "as_registered(self.registry, replace(arrival, boot_us=boot_us))", "as_registered(self.registry, arrival)", "promise 2: gestures count what was pressed when it was pressed", ("tests/daemon/test_promises.py",)),
    Mutant(
        name="gestures: a disk that is slower than one parts it",
        edits=(
            Edit(
                file="alertd/engine/press_times.py",
                old="    return d.now.boot_us if event.boot_us is None else event.boot_us\n",
                new="    return d.now.boot_us\n",
            ),
        ),
        by=Story(name="disk_slower_than_a_gesture"),
    ),
    _mutant("drills: a slow disk makes a gesture real", "alertd/engine/drills/presses.py", "press_times.arrived_us(d, event) - (before.boot_us or 0)", "d.now.boot_us - (before.boot_us or 0)", "promise 3: a drill never reaches dispatch", ("tests/engine/test_drill_gestures.py",)),
    _mutant("states: a slow disk makes a silence longer", LEVELS, "        heard_us = press_times.arrived_us(d, event)\n", "        heard_us = d.now.boot_us\n", "promise 2: after a longer silence it is another call", IN_LEVELS),
    _mutant("copies: a slow disk makes a press of one", PRESSES, " + d.now.boot_us - press_times.arrived_us(d, event)\n", "\n", "a copy is one although", ("tests/engine/test_presses.py",)),
    _mutant("doubt: what was stored without a time is certain", GESTURES, "        waited=event.backlog or signal.late,\n", "        waited=event.backlog or (signal.late and signal.pressed_us is not None),\n", UPGRADES, IN_DOUBT),
    _mutant("doubt: what comes at once was pressed at once", TIMES, "    return event.oldest_us if event.oldest_us < event.received_us else None\n", "    return None\n", UPGRADES, IN_DOUBT),
    _mutant("counts: one that is said again is no press", GESTURES, "            in_doubt += each.total\n", "            pass\n", NOBODY, IN_DOUBT),
    _mutant("counts: that of a state is pressed again", GESTURES, "        elif not each.doubtful:  # and", "        else:  # and", "two presses, by its own count", IN_DOUBT),
    _mutant("states: doubt opens what a human has closed", LEVELS, "    return has_called or _is_quick(event, device)\n", "    return _is_quick(event, device)\n", "doubt does not open again what a human has closed", IN_LEVELS),
    _mutant("states: what paged nobody takes the place of what called", LEVELS, "a.what == what and a.called and a.last_us", "a.what == what and a.last_us", "doubt does not open again what a human has closed", IN_LEVELS),
    _mutant("states: what was stored takes the place of what lasts", LEVELS, "    if press_times.waited(event) and any(newer):\n", "    if False:\n", "the call of two minutes ago lasts", IN_LEVELS),
    _mutant("doubt: a clock that went back over a power cut ends no gesture", TIMES, "    return max(one[0] - other[1], other[0] - one[1], 0)\n", "    return max(one[0] - other[1], 0)\n", "the machine has started between them", IN_DOUBT),
    _mutant("doubt: clocks of two boots that contradict each other make it certain", TIMES, "    if before.boot_id != press.boot_id and passed_us(before, press) < 0:\n        return False\n", "", UPGRADES, IN_DOUBT),
    _mutant("doubt: a clock that went back over a power cut knows how long it was", TIMES, "        return 0  # the wall clock went back over a reboot, and nobody knows how long it was\n", "        pass\n", NOBODY, IN_DOUBT),
    _mutant("states: times of two boots are compared", LEVELS, " and before.boot_id == d.now.boot_id:\n        return press_times.arrived_us(d, event)", ":\n        return press_times.arrived_us(d, event)", "promise 2: two hours have passed", IN_LEVELS),
    _mutant("states: a clock that went back makes no silence", LEVELS, "abs(silent_us) > ", "silent_us > ", "promise 2: by the only clock there is", IN_LEVELS),
    _mutant("states: what was said late is what was said last", LEVELS, "    if event.oldest_us <= activation.last_us:\n        return activation\n", "", "it was said 400 s ago", IN_LEVELS),
    _mutant("states: a slow clock makes every repeat an old one", LEVELS, "event.oldest_us - before.last_us if press_times.waited(event) else", "event.oldest_us - before.last_us if event.signal.pressed_us else", "it is said every minute", IN_LEVELS),
    _mutant("states: there is no end of them", LEVELS, "others[1 - STATES_MAX :]", "others", "the row grows without an end", IN_LEVELS),
    _mutant("states: a moment forgets the other words", LEVELS, " or (lasting is None and a.state != begun.state)]", "]", "the state of a moment that was told", IN_LEVELS),
    _mutant("states: a number is forgotten in the night", LEVELS, "(lasting.state or not fell_silent(d, event, found))", "not fell_silent(d, event, found)", "the number of a press that was heard", IN_LEVELS),
    _mutant("states: a number that may be another press is no trouble", PRESSES, "        if not was_silent:\n            return", "        if True:\n            return", "and nobody looks", IN_LEVELS),
    _mutant("rings: what may be pressed again is told once", "alertd/engine/troubles.py", "    if standing is not None and standing.rings and not _was_quiet(standing, d.now, QUIET_US):\n", "    if standing is not None and standing.rings:\n", "and nobody is rung", IN_LEVELS),
    _mutant("rings: each press of a gesture does", "alertd/engine/troubles.py", "    if standing is not None and standing.rings and not _was_quiet(standing, d.now, QUIET_US):\n", "    if False:\n", "and rings once", IN_LEVELS),
    _mutant("rings: a clock that is set ends no silence", "alertd/engine/troubles.py", "now.boot_us - before.boot_us if before.boot_id == now.boot_id else now.wall_us", "now.wall_us", "a minute has passed all the same", IN_RINGING),
    _mutant("rings: a broker's memory does at each connection", "alertd/engine/troubles.py", "    if standing is not None and said and said in standing.members:\n", "    if False:\n", "once is enough", IN_RINGING),
    _mutant("rings: what a broker remembers is the same whatever its number", ROUTING, "{signal.cause or signal.action} {signal", "{signal.action} {signal", "another than before", IN_RINGING),
    _mutant("rings: what a broker remembers is the same whatever its time", ROUTING, " {signal.pressed_us or ''}", "", "its own time says that it is another", IN_RINGING),
    _mutant("rings: a birth of today is another strip that is pulled", ROUTING, "signal.action if signal.standing else f", "f", "its gateway comes and goes", IN_RINGING),
    _mutant("rings: what a broker remembers of a stranger does at each connection", "alertd/engine/decide.py", "        said=event.kept,\n    )\n\n\ndef _malformed", "    )\n\n\ndef _malformed", "no number tells it, and no time", IN_RINGING),
    _mutant("rings: what a broker keeps and nobody understands does at each connection", "alertd/engine/decide.py", "        said=event.kept,\n        alike=", "        alike=", "at each connection; it is the same", IN_RINGING),
    _mutant("rings: what nobody understands is told once", "alertd/engine/decide.py", '    troubles.ring(\n        d,\n        f"malformed', '    (lambda *said_of, said, alike: troubles.raise_(*said_of))(\n        d,\n        f"malformed', "and nobody is rung", IN_RINGING),
    _mutant("rings: what somebody has looked at does with each message", "alertd/engine/troubles.py", "    if standing is not None and is_looked_after and", "    if False and", "cannot mend it with each message", IN_RINGING),
    _mutant("rings: what nobody has looked at does once an hour", "alertd/engine/troubles.py", "standing is not None and standing.acknowledged_by and alike in known", "standing is not None and alike in known", "and nobody is rung", IN_RINGING),
    _mutant("rings: what is not understood is all alike", "alertd/engine/decide.py", 'derive("alike", event.topic, event.why, event.size)', 'derive("alike", event.topic)', "another may be a press", IN_RINGING),
    _mutant("rings: a sensor that nobody understands", "alertd/engine/decide.py", "    if event.never_press:\n", "    if False:\n", "a sensor never presses", IN_RINGING),
    _mutant("rings: what a device of another kind says is a sensor's", "adapters/alertd_adapters/decoders/mapping/decoder.py", "error.never_press = bound.never_presses", "error.never_press = True", "assert", ("tests/adapters/decoders/mapping/test_sensors.py",)),
    _mutant("rings: a sensor whose topic alone can be read", "adapters/alertd_adapters/decoders/mapping/decoder.py", "            error.never_press = self._of_a_sensor(topic)\n", "            self._of_a_sensor(topic)\n", "a sensor's nonsense is told as what may be a press", IN_NEVER_PRESS),
    _mutant("rings: a sensor's nonsense first hides a button's", "adapters/alertd_adapters/decoders/mapping/decoder.py", " or bool(than.never_press and not error.never_press)", "", "a button's, and it rings nobody", ("tests/adapters/decoders/mapping/test_several_parts.py",)),
    _mutant("rings: what nobody knows first hides what a button's may be", "adapters/alertd_adapters/decoders/mapping/decoder.py", "    return isinstance(than, UncoveredError) or bool(", "    return bool(", "what may have been k1's press is counted", ("tests/adapters/decoders/mapping/test_several_parts.py",)),
    _mutant("addresses: what Zigbee2MQTT calls a device is another", "alertd/model/ids.py", 'r"(?:0x)?([', 'r"([', "promise 2: it pages nobody", ("tests/engine/test_presses.py", "tests/adapters/decoders/mapping/test_mapping.py")),
    _mutant("addresses: only profiles know them by another spelling", SPELLING, "        device_id=registry.spelled(said.device_id),\n", "        device_id=said.device_id,\n", "promise 2: it pages nobody", ("tests/engine/test_presses.py",)),
    _mutant("addresses: who heard a badge is known by the registry's spelling only", SPELLING, "(gateway_id := _spelled(registry, each.gateway_id))", "(gateway_id := each.gateway_id)", "its home is paged, and nobody where it is", IN_SPELLINGS),
    _mutant("addresses: who carries is known by the registry's spelling only", SPELLING, "heard_by=_spelled(registry, said.heard_by)", "heard_by=said.heard_by", "it carries, and is told as silent", ("tests/daemon/test_gateways.py",)),
    _mutant("addresses: a gateway that is no text loses the press", SPELLING, "if isinstance(name, str) else", "if name is not None else", "promise 2: it pages nobody", IN_SPELLINGS),
    _mutant("addresses: the door lets presses in as they are spelled", INTAKE, "as_registered(self.registry, replace(arrival, boot_us=boot_us))", "replace(arrival, boot_us=boot_us)", "its home is paged, and nobody where it is", IN_SPELLINGS),
    _mutant("addresses: the door lets signs of life in as they are spelled", INTAKE, "        check_ins = [named(self.registry, check_in) for check_in in check_ins]\n", "", "who heard its beacon is not known", IN_SPELLINGS),
    _mutant("addresses: the presser is told by the registry's spelling", FEEDBACK, "self._spoken.get(confirmation.device_id, confirmation.device_id)", "confirmation.device_id", "it waits for its feedback in vain", IN_FEEDBACK),
    _mutant("addresses: the presser is told by the name of an earlier press", FEEDBACK, "                self._spoken.pop(registered, None)\n", "                pass\n", "it waits for its feedback in vain", IN_FEEDBACK),
    _mutant("rings: nobody for what is too large", "adapters/alertd_adapters/mqtt/decoding.py", "            return Decoded(refused=why, never_press=trigger.never_press)\n", "            return Decoded(refused=why, never_press=True)\n", "it may be a press, and rings nobody", ("tests/adapters/mqtt/test_decoders.py",)),
    _mutant("rings: nobody where a decoder failed", "adapters/alertd_adapters/mqtt/decoding.py", 'failed with {type(error).__name__}"\n            return Decoded(refused=why, never_press=never_press)\n', 'failed with {type(error).__name__}"\n            return Decoded(refused=why, never_press=True)\n', "it may be a press, and rings nobody", ("tests/adapters/mqtt/test_decoders.py",)),
    _mutant("rings: what follows what somebody has looked at is known to them", "alertd/engine/troubles.py", "**({} if standing.acknowledged_by else pressed)", "**pressed", "was said three times, and rang nobody", IN_RINGING),
    _mutant("rings: a word that goes on is known to who has looked before", "alertd/engine/troubles.py", "**({} if standing.acknowledged_by else pressed)", "**({} if standing.acknowledged_by and new else pressed)", "five times in four minutes it may have been a press", IN_RINGING),
    _mutant("rings: a word that goes on does each minute", "alertd/engine/troubles.py", "**({} if standing.acknowledged_by else pressed)", "", "not each minute", IN_RINGING),
    _mutant("rings: what somebody has looked at holds up the next", "alertd/engine/troubles.py", "LOOKED_AFTER_US):\n        _count(d, replace(standing, summary=summary))\n", "LOOKED_AFTER_US):\n        _count(d, replace(standing, summary=summary, **pressed))\n", "was said three times, and rang nobody", IN_RINGING),
    _mutant("rings: what another device says is the same", "alertd/engine/decide.py", 'derive("alike", event.topic, event.why, event.size)', 'derive("alike", event.why, event.size)', "another device's, and nobody was rung", IN_RINGING),
    _mutant("rings: what may be a press waits as what is none", "alertd/daemon/waiting.py", '"sensor" if event.never_press else "malformed"', '"malformed"', "it would ring nobody", ("tests/daemon/test_waiting.py",)),
    Mutant(
        name="rings: a word that gestures do not know is told once",
        edits=(Edit(file=PRESSES, old='        troubles.ring(\n            d,\n            f"unmapped', new='        troubles.raise_(\n            d,\n            f"unmapped'),),
        by=Story(name="unknown_word_each_time"),
    ),
    _mutant("places: what may have been a press names no room", WHERE, "    if zone is not None and zone.short not in called:\n", "    if False:\n", "nobody knows in which room to look", IN_WHERE),
    _mutant("places: two buttons of one label are one", WHERE, 'called if device.id in called else f"{called} ({device.id})"', "called", "nobody knows in which room to look", IN_WHERE),
    _mutant("places: a badge that may have been pressed is anywhere", WHERE, 'return called if place.source == "fixed" else', "return called if True else", "req 5: who heard it", IN_WHERE),
    _mutant("places: what a broker remembers of a badge is where it is now", WHERE, " or may_have_gone or event.retained,", " or may_have_gone,", "it says nothing of now", IN_WHERE),
    _mutant("places: what a broker remembers of a badge was heard just now", WHERE, "    if event.retained:\n", "    if False:\n", "it says nothing of now", IN_WHERE),
    _mutant("places: what nobody understands is nobody's", "alertd/engine/decide.py", "next((device for device in named if", "next((device for device in () if", "nobody knows where to look", IN_WHERE),
    _mutant("places: a press as telemetry names no room", "alertd/engine/troubles.py", "{event.about[:40] if device is None else", "{event.about[:40] if True else", "nobody knows where it hangs", IN_WHERE),
    _mutant("places: a stranger is looked for in the whole district", ROUTING, "        heard_by=nearest(registry, signal, arrival.received_us),\n", "", "req 5: who heard it", IN_WHERE),
    _mutant("places: the longest word leaves no room for the question", PRESSES, "SHOWN_LETTERS = 24", "SHOWN_LETTERS = 80", "it does not say what to do", IN_WHERE),
    _mutant("places: a press that the engine cannot handle was made nowhere", "alertd/engine/fallback.py", "if zone is not None or near is None or near", "if zone is not None or True or near", "req 5: who heard it", IN_WHERE),
    _mutant("rings: what was reset stands as before", PRESSES, '    troubles.forget_said(d, f"retained:{device.id}")\n', "", "it was reset, so it was pulled since", IN_RINGING),
    _mutant("rings: a redelivery of what was nobody's press", "alertd/engine/decide.py", "    if seen_us is not None and abs(d.now.wall_us - seen_us) <= same_s * 1_000_000:\n", "    if False:\n", "a redelivery is no other press", IN_RINGING),
    _mutant("copies: a number that is used again is the press of before", PRESSES, " if is_used_again else event.cause", " if False else event.cause", "promise 2: the number of another press hid", ("tests/engine/test_presses.py",)),
    _mutant("copies: of nobody's press they are known", "alertd/engine/routing.py", 'cause=CauseId(derive("unregistered", press))', "cause=press", "promise 2: a copy that was nobody's press", IN_RINGING),
    Mutant(
        name="copies: of a number that is used again they are presses",
        edits=(Edit(file="alertd/store/sql.py", old="UPSERT_CAUSE = _upsert(schema.cause)\n", new="UPSERT_CAUSE = _insert_once(schema.cause)\n"),),
        by=Story(name="counter_used_again_and_copied"),
    ),
    Mutant(
        name="copies: of a number that is used again on a full disk they are presses",
        edits=(
            Edit(file="alertd/store/transfer.py", old="schema.drill, schema.cause, schema.broken_channel,\n", new="schema.drill, schema.broken_channel,\n"),
            Edit(file="alertd/store/transfer.py", old="_ADDED = (schema.policy, ", new="_ADDED = (schema.policy, schema.cause, "),
        ),
        by=Tests(paths=("tests/store/test_fallback.py",), names="each copy of one press"),
    ),
    _mutant("copies: of a state they are presses", "alertd/engine/routing.py", "    if signal.cause is not None and not (", "    if signal.cause is not None and signal.lasting is None and not (", COPY, IN_LEVELS),
    _mutant("copies: a number is one also beside a clock that nobody set", ROUTING, " and not (signal.needs_clock and _was_never_set(arrival, signal)):", ":", "promise 2: three presses", ("tests/engine/test_presses.py",)),
    _mutant("copies: what is delivered again late is another press", ROUTING, "    if signal.same_s and arrival.again_after_us:", "    if False:", "one press counts twice", ("tests/engine/test_presses.py",)),
    _mutant("copies: what is delivered again is one of an hour", ROUTING, "same_s=signal.same_s + arrival.again_after_us // 1_000_000", "same_s=0", "or another one not at all", ("tests/engine/test_presses.py",)),
    _mutant("copies: the end has the number of its call", "alertd/engine/routing.py", '"end" if signal.ends else "press"', '"press"', "promise 2: it was ended, and pressed again", IN_LEVELS),
    _mutant("copies: of a repeat they are unknown", PRESSES, "        _still_on(d, event, device, activation)\n        return\n", "        _still_on(d, event, device, activation)\n        d.cause = None\n        return\n", COPY, IN_LEVELS),
    _mutant("copies: what was seen hours from now is one", PRESSES, "    return -same_us <= known_for_us <= ", "    return known_for_us <= ", "promise 2: doubt pages", ("tests/engine/test_presses.py",)),
    _mutant("copies: they say nothing of what lasts", PRESSES, "        levels.copied(d, event, device)\n", "", "also when the same message is too old to be a copy", IN_LEVELS),
    _mutant("copies: what the broker remembers lasts", LEVELS, " and not event.signal.ends and not event.retained:", " and not event.signal.ends:", "promise 2: it was silent for longer than it ever is", IN_LEVELS),
    _mutant("copies: the identity of a state is thrown away", "adapters/alertd_adapters/decoders/mapping/decoder.py", "            identity=self._identity,\n", "            identity=() if lasting is not None else self._identity,\n", "a copy over a second gateway is known as one", ("tests/adapters/decoders/mapping/test_levels_and_codes.py",)),
    _mutant("ends: what the broker remembers ends a call", PRESSES, "    if event.retained:  # its cause", "    if event.retained and not event.signal.ends:  # its cause", "RETAINED", IN_LEVELS),
    _mutant("ends: one from before the call ends it", LEVELS, "if _is_older(d, event, a))", "if False)", "STILL_ON", IN_LEVELS),
    _mutant("ends: one over a gateway whose clock is behind is old", LEVELS, "said_us - press_times.CLOCKS_APART_S * 1_000_000", "said_us", "promise 2: it was reset, and pressed again", IN_LEVELS),
    _mutant("ends: one that was not held up may be old", LEVELS, "    if not press_times.waited(event) or ended_us is None", "    if ended_us is None", "promise 2: it was reset, and pressed again", IN_LEVELS),
    _mutant("ends: a clock that was set back makes them old", LEVELS, " + min(stepped_us, 0)", "", "promise 2: it was reset, and pressed again", IN_LEVELS),
    _mutant("ends: clocks of two nodes are one", LEVELS, " or activation.boot_id != d.now.boot_id:\n        return None", ":\n        return None", "promise 2: it was reset, and pressed again", IN_LEVELS),
    _mutant("ends: what ended a call is unknown when it comes again", PRESSES, "    if over or later:\n        d.cause = event.cause\n", "", "what ended the call before ends no later one", IN_LEVELS),
    _mutant("ends: what does not last leaves a line with each report", "alertd/engine/decide.py", "    is_over = isinstance(event, TroubleCleared) or (isinstance(event, Pressed) and event.signal.ends)\n", "    is_over = isinstance(event, TroubleCleared)\n", "it would fill any disk", IN_LEVELS),
    _mutant("sensors: that nothing is the matter holds an alarm back", "alertd/daemon/readings.py", "    if event.signal.ends and spoken.over:\n", "    if False:\n", "an alarm waits behind what says nothing", ("tests/daemon/test_readings.py",)),
    _mutant("sensors: an end that an alarm was in the way of was heard", "alertd/daemon/readings.py", "                spoken.last, spoken.over = event, event.signal.ends\n            return None\n", "                spoken.last = event\n            spoken.over = event.signal.ends\n            return None\n", "the end of it is never heard", ("tests/daemon/test_readings.py",)),
    _mutant("gestures: a clock that is set makes a line that was lost longer", "adapters/alertd_adapters/mqtt/session_memory.py", "if self.connected_us is not None and self.boot_id and", "if self.connected_us is None and self.boot_id and", "the line was lost ten minutes ago", ("tests/adapters/mqtt/test_presses.py",)),
    Mutant(
        name="states: one that is carried begins anew what a human has ended",
        edits=(Edit(file=INCIDENTS, old="    if incident.escalation is not EscalationState.STOPPED:\n        return news(d, incident, press)\n", new="    if press.carried:\n        return news(d, incident, press)\n"),),
        cheap=True,
        by=Story(name="carried_while_rooms_are_released", trips=("lasting states",)),
    ),
    Mutant(
        name="states: one that is carried after its end is told to nobody",
        edits=(Edit(file=INCIDENTS, old="    tell_told(d, incident, moved, words=RESPONDERS)\n", new=""),),
        by=Story(name="carried_while_rooms_are_released", trips=("further room",)),
    ),
    Mutant(
        name="states: a repeat is somebody's press, and bears a shot out",
        edits=(Edit(file=PRESSES, old="    newer = replace(before, last_us=press.received_us, ", new="    newer = replace(before.heard_again(press), "),),
        by=Story(name="still_on_bears_out_nothing"),
    ),
    _mutant("states: one that is carried is somebody's press, and bears a shot out", PRESSES, "replace(press, said_us=mine[-1].said_us, cried_us=mine[-1].cried_us, carried=True)", "replace(press, carried=True)", "req 70: one sensor alone locked the school down", IN_CORROBORATION),
    _mutant("states: one that is carried after its end is told to all", INCIDENTS, "    tell_told(d, incident, moved, words=RESPONDERS)\n", "    tell_told(d, incident, moved)\n", "those who go about, and nobody else", IN_LEVELS),
    _mutant("states: one that is carried was pressed, people read", "alertd/engine/wording.py", " or last.carried else", " else", "nobody pressed", IN_LEVELS),
    _mutant("states: one that is carried was pressed, dispatch reads", "alertd/engine/dispatch_body.py", "sum(not press.carried for press in incident.presses)", "len(incident.presses)", "pressed once", IN_LEVELS),
    _mutant("states: what was only heard there is never pressed there", "alertd/model/incident.py", "last_us=newer.received_us, cried_us=newer.received_us, carried=False)", "last_us=newer.received_us)", "it was pressed there, too", IN_LEVELS),
    _mutant("states: a repeat sounds while rooms are released", "alertd/engine/dispatch_hold.py", " or press.late or incident.state is IncidentState.RELEASING:", " or press.late:", "a lockdown sounds while rooms are released", IN_LEVELS),
    _mutant("states: a row of before hides a call", "alertd/model/device_memory.py", '    called: bool = False\n    """It was taken up', '    called: bool = True\n    """It was taken up', "promise 2: doubt pages", IN_LEVELS),
    _mutant("drills: each latched button pages after them", PRESSES, "        mode = _raise(d, event, device, called_for, gesture)\n", "        mode = _raise(d, event, device, called_for, gesture)\n        called_for = called_for if mode is Mode.LIVE else None\n", "each latched button would page for real", IN_LEVELS),
    Mutant(
        name="drills: who is still in alarm stays a drill while something real is open",
        edits=(Edit(file=LEVELS, old="    if found.mode is not Mode.LIVE and _is_as_grave_open(d, event, device):\n", new="    if False:\n"),),
        by=Story(name="drill_leaves_a_button_on", trips=("lasting states",)),
    ),
    Mutant(
        name="drills: nobody is rung for a button that is still in alarm",
        edits=(Edit(file=PRESSES, old="rings=activation.mode is Mode.DRILL)\n", new="rings=False)\n"),),
        by=Tests(paths=IN_LEVELS, names="nobody would hear a real press of it"),
    ),
)  # fmt: skip
