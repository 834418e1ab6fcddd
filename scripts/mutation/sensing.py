# ruff: noqa: E501 - what is changed is quoted as it stands in the source
"""Mutants of what follows from a sensor's report: how often, to whom, over which sender, and what it may become."""

from mutation.mutant import Edit, Mutant, Story, Tests

SENSORS = "alertd/engine/sensors.py"
STORMS = "alertd/engine/sensor_storms.py"
CORROBORATION = "alertd/engine/corroboration.py"
AUDIENCE = "alertd/engine/audience.py"
READINGS = "alertd/daemon/readings.py"
ENDS = "alertd/engine/sensor_ends.py"
ROUTING = "alertd/engine/routing.py"
CORROBORATION_TESTS = ("tests/engine/test_corroboration.py",)
ENGINE_TESTS = ("tests/engine/test_sensors.py",)
ENDS_TESTS = ("tests/engine/test_sensor_ends.py",)
READING_TESTS = ("tests/daemon/test_readings.py",)

SENSING = (
    Mutant(
        name="what a sensor says again is told again",
        edits=(Edit(file=SENSORS, old="    return cooling and _told_lately", new="    return False and _told_lately"),),
        by=Story(name="vape_again_after_the_cool_down"),
    ),
    Mutant(
        name="a storm of a sensor is no storm",
        edits=(
            Edit(
                file=STORMS,
                old="    if alarms <= most:\n        return None\n    what",
                new="    return None\n    what",
            ),
        ),
        by=Story(name="vape_storm_and_a_panic"),
    ),
    Mutant(
        name="a storm of vape hides that the sensor is covered",
        edits=(
            Edit(
                file=STORMS,
                old='    key = f"{FAMILY}:{device.id}:{incident_class}"\n    alarms = ',
                new='    key = f"{FAMILY}:{device.id}:vape"\n    alarms = ',
            ),
        ),
        by=Story(name="covered_in_a_storm"),
    ),
    Mutant(
        name="a sensor that says hold locks the school down",
        edits=(
            Edit(
                file=SENSORS,
                old="    elif is_panic(IncidentClass(named)):\n        _refuse(d, event, device, named)\n",
                new="",
            ),
        ),
        by=Tests(paths=ENGINE_TESTS, names="a sensor sounded a panic by itself"),
    ),
    Mutant(
        name="one sensor that hears two shots bears itself out",
        edits=(
            Edit(
                file=CORROBORATION,
                old="    others = [p for p in incident.presses if p.device_id != press.device_id]\n",
                new="    others = list(incident.presses)\n",
            ),
        ),
        by=Story(name="lone_shot", trips=("lone sensor",)),
    ),
    Mutant(
        name="a second sensor bears nothing out",
        edits=(
            Edit(
                file=CORROBORATION,
                old="    if is_borne_out:\n",
                new="    if False:\n",
            ),
        ),
        by=Story(name="two_shots"),
    ),
    Mutant(
        name="a human's press bears nothing out",
        edits=(
            Edit(
                file="alertd/engine/decide.py",
                old="            corroboration.after_press(d, event)\n",
                new="",
            ),
        ),
        by=Story(name="shot_and_a_press"),
    ),
    Mutant(
        name="what only a sensor says is told to everybody and to dispatch",
        edits=(
            Edit(
                file="alertd/engine/escalation.py",
                old="    if not is_panic(incident.incident_class):\n        few = ",
                new="    if False:\n        few = ",
            ),
            Edit(
                file="alertd/engine/dispatch_centers.py",
                old="        if destination.endpoint.dispatch and not is_panic(incident.incident_class):\n",
                new="        if False:\n",
            ),
        ),
        by=Tests(paths=ENGINE_TESTS, names="what only a sensor says was told to everybody"),
    ),
    Mutant(
        name="a nuisance that nobody answers is told to everybody",
        edits=(
            Edit(
                file="alertd/engine/escalation.py",
                old="    if not is_panic(incident.incident_class):\n        d.entry(",
                new="    if False:\n        d.entry(",
            ),
            Edit(
                file="alertd/engine/escalation.py",
                old="    if not is_panic(incident.incident_class):\n        few = ",
                new="    if False:\n        few = ",
            ),
        ),
        by=Story(name="vape_again_after_the_cool_down", trips=("sensors stay quiet",)),
    ),
    Mutant(
        name="a vape notice leaves from the numbers of lockdowns",
        edits=(
            Edit(
                file=AUDIENCE,
                old="    if is_nuisance(incident_class):\n        return Notice.ONLY\n",
                new="    if is_nuisance(incident_class):\n        return Notice.NEVER\n",
            ),
        ),
        by=Story(name="stop_to_a_vape_notice", trips=("own sender",)),
    ),
    Mutant(
        name="whoever stopped notices gets them from the numbers of lockdowns",
        edits=(
            Edit(
                file=AUDIENCE,
                old="    endpoints = (*over_notices, *calls) if notice is Notice.ONLY else (*over_notices, *rest)\n",
                new="    endpoints = (*over_notices, *rest)\n",
            ),
        ),
        by=Story(name="stop_to_a_vape_notice"),
    ),
    Mutant(
        name="a peak is an alarm",
        edits=(
            Edit(
                file=READINGS,
                old="        if began is None or due_us is None or self._clock.now().boot_us < due_us:\n",
                new="        if began is None or due_us is None:\n",
            ),
        ),
        by=Story(name="sensor_measures"),
    ),
    Mutant(
        name="what a sensor said first is held back like its repeats",
        edits=(
            Edit(
                file=READINGS,
                old="        self.passed_us: int | None = None\n",
                new="        self.passed_us: int | None = 2**62\n",
            ),
        ),
        by=Story(name="vape_is_quiet", trips=("sensor heard",)),
    ),
    Mutant(
        name="every message of a sensor is a commit",
        edits=(
            Edit(
                file=READINGS,
                old="        if spoken.passed_us is not None and now_us - spoken.passed_us < gather_us:\n",
                new="        if False:\n",
            ),
        ),
        by=Tests(paths=READING_TESTS, names="one of the sensor, one of the badge"),
    ),
    Mutant(
        name="retention takes the names out of a panic",
        edits=(
            Edit(
                file="alertd/engine/retention.py",
                old="    is_sensors = not is_panic(incident.incident_class) and not any(is_panic(p.incident_class) for p in incident.presses)\n",
                new="    is_sensors = True\n",
            ),
        ),
        by=Tests(paths=("tests/engine/test_retention.py",), names="names went out of what was a panic"),
    ),
    Mutant(
        name="a shot waits behind notices of vape",
        edits=(
            Edit(
                file="alertd/engine/draft.py",
                old="    if incident.incident_class in VERIFY_FIRST:\n        return Lane.NEXT\n",
                new="",
            ),
        ),
        by=Story(name="shot_before_notices"),
    ),
    Mutant(
        name="each sensor of a site's storm is told of",
        edits=(
            Edit(
                file=STORMS,
                old="    if SEVERITY[incident_class] is Severity.NUISANCE:  # covering",
                new="    if _of_sensor(d, event, device, incident_class) is None:  # covering",
            ),
        ),
        by=Tests(paths=ENGINE_TESTS, names="too many storms are told"),
    ),
    Mutant(
        name="a number whose end was lost is an alarm for ever",
        edits=(
            Edit(
                file=READINGS,
                old="        if number < limits.trigger or quiet_us < _goes_on_s(device) * 1_000_000:\n",
                new="        if True:\n",
            ),
        ),
        by=Tests(paths=READING_TESTS, names="an alarm whose end was lost hid the next day's"),
    ),
    Mutant(
        name="a number whose alarm was not committed is an alarm already",
        edits=(
            Edit(
                file=READINGS,
                old="            if spoken.on_us is not None and not passed.signal.ends:\n",
                new="            if False:\n",
            ),
        ),
        by=Tests(paths=READING_TESTS, names="an alarm that was in vain was never said again"),
    ),
    Mutant(
        name="a press of a drill bears a shot out",
        edits=(
            Edit(
                file=CORROBORATION,
                old="        if known.mode is not Mode.LIVE or apart or",
                new="        if apart or",
            ),
        ),
        by=Tests(paths=ENGINE_TESTS, names="an exercise made a lockdown of what one sensor heard"),
    ),
    Mutant(
        name="a shot that is borne out is still told as unconfirmed",
        edits=(
            Edit(
                file=CORROBORATION,
                old="    d.withdraw(incident, Reason.SUPERSEDED, kind=Kind.ALERT)",
                new="    assert Kind.ALERT",
            ),
        ),
        by=Tests(paths=ENGINE_TESTS, names="a shot that is borne out is still called unconfirmed"),
    ),
    Mutant(
        name="a lone shot is evidence in any lockdown, however old",
        edits=(
            Edit(
                file=CORROBORATION,
                old="    return _is_within(_said_us(press), said, within)\n",
                new="    return True\n",
            ),
        ),
        by=Story(name="lone_shot_while_rooms_are_released", trips=("lone sensor",)),
    ),
    Mutant(
        name="what comes together was said together",
        edits=(
            Edit(
                file=CORROBORATION,
                old="    return press.said_us or (press.last_us, press.last_us)\n",
                new="    return press.last_us, press.last_us\n",
            ),
        ),
        by=Story(name="two_bangs_hours_apart"),
    ),
    Mutant(
        name="what waited at the broker was said when it came",
        edits=(
            Edit(
                file="alertd/engine/presses.py",
                old="    return earliest_us, event.oldest_us if of_own_clock else event.received_us\n",
                new="    return event.received_us, event.received_us\n",
            ),
        ),
        by=Story(name="shot_and_press_hours_apart"),
    ),
    Mutant(
        name="what a gateway kept was said when it came",
        edits=(
            Edit(
                file="alertd/engine/presses.py",
                old="    earliest_us = event.oldest_us if event.backlog or is_late(event) else event.received_us\n",
                new="    earliest_us = event.oldest_us if event.backlog else event.received_us\n",
            ),
        ),
        by=Tests(paths=CORROBORATION_TESTS, names="a shot of the night and a press made a lockdown"),
    ),
    Mutant(
        name="two shots: who is locked down is asked whether to lock down",
        edits=(
            Edit(
                file="alertd/engine/corroboration.py",
                old="    if is_borne_out and is_new and within.raises:  #",
                new="    if False:  #",
            ),
        ),
        by=Story(name="two_shots"),
    ),
    Mutant(
        name="two shots: nobody reads where the second was heard",
        edits=(
            Edit(
                file="alertd/engine/corroboration.py",
                old="        if raised is not None and is_new:\n",
                new="        if False:\n",
            ),
        ),
        by=Story(name="two_shots"),
    ),
    Mutant(
        name="a clock that is a minute slow parts two shots",
        edits=(
            Edit(
                file="alertd/engine/presses.py",
                old="    earliest_us = event.oldest_us if event.backlog or is_late(event) else event.received_us\n",
                new="    earliest_us = event.oldest_us\n",
            ),
        ),
        by=Tests(paths=CORROBORATION_TESTS, names="parted two shots of one moment"),
    ),
    Mutant(
        name="the clocks of two sensors prove nothing",
        edits=(
            Edit(
                file="alertd/engine/presses.py",
                old="    of_own_clock = event.backlog and event.signal.pressed_us is not None\n",
                new="    of_own_clock = False\n",
            ),
        ),
        by=Tests(paths=CORROBORATION_TESTS, names="two sensors heard it within seconds, by their own clocks"),
    ),
    Mutant(
        name="a clock that is an hour slow proves an hour",
        edits=(
            Edit(
                file="alertd/engine/presses.py",
                old="    of_own_clock = event.backlog and event.signal.pressed_us is not None\n",
                new="    of_own_clock = event.signal.pressed_us is not None and is_late(event)\n",
            ),
        ),
        by=Tests(paths=CORROBORATION_TESTS, names="was taken for a witness of an older press"),
    ),
    Mutant(
        name="a late repeat takes away what was heard just now",
        edits=(
            Edit(
                file="alertd/model/incident.py",
                old="        return pressed if newer.late else replace(",
                new="        return replace(",
            ),
        ),
        by=Tests(paths=CORROBORATION_TESTS, names="a shot and a press within seconds, and no lockdown"),
    ),
    Mutant(
        name="a report of the night makes an older one new",
        edits=(
            Edit(
                file="alertd/model/incident.py",
                old="        return pressed if newer.late else replace(pressed, said_us=newer.said_us)\n",
                new="        at_us = (newer.received_us, newer.received_us)\n"
                "        return replace(pressed, said_us=at_us if newer.late else newer.said_us)\n",
            ),
        ),
        by=Tests(paths=CORROBORATION_TESTS, names="a press of hours ago and a shot made a lockdown"),
    ),
    Mutant(
        name="a shot again beside a press is only counted",
        edits=(
            Edit(
                file=CORROBORATION,
                old="    _borne_out_by(d, event, incident)\n    return True\n",
                new="    return True\n",
            ),
        ),
        by=Tests(paths=CORROBORATION_TESTS, names="a shot within seconds of a press was only counted"),
    ),
    Mutant(
        name="no sensor is part of a lockdown while rooms are released",
        edits=(
            Edit(
                file=CORROBORATION,
                old="    if lockdown.state is IncidentState.RELEASING and is_counted:\n",
                new="    if lockdown.state is IncidentState.RELEASING:\n",
            ),
        ),
        by=Tests(paths=CORROBORATION_TESTS, names="a sensor that nobody had heard yet was no part of the lockdown"),
    ),
    Mutant(
        name="a press ends the question beside a lockdown that is released",
        edits=(
            Edit(
                file=CORROBORATION,
                old="    if not within.raises and lockdown is not None and lockdown.state is IncidentState.ACTIVE:\n",
                new="    if not within.raises and lockdown is not None:\n",
            ),
        ),
        by=Tests(paths=CORROBORATION_TESTS, names="nobody is asked to look at the shot any more"),
    ),
    Mutant(
        name="a short cool-down ends what may still be borne out",
        edits=(
            Edit(
                file=ENDS,
                old="    return round(max(rules.cool_down_s, within_s) * SECOND_US)\n",
                new="    return round(rules.cool_down_s * SECOND_US)\n",
            ),
        ),
        by=Tests(paths=CORROBORATION_TESTS, names="the first was forgotten"),
    ),
    Mutant(
        name="a sensor that is in a lockdown is only counted while rooms are released",
        edits=(
            Edit(
                file=CORROBORATION,
                old="    if lockdown.state is IncidentState.RELEASING and is_counted:\n",
                new="    if False:\n",
            ),
        ),
        by=Tests(paths=CORROBORATION_TESTS, names="who opens doors does not know of the shot"),
    ),
    Mutant(
        name="two sensors are taken for a human who pressed",
        edits=(
            Edit(
                file=CORROBORATION,
                old="            if is_cry and not is_sensors and _is_within(",
                new="            if is_cry and _is_within(",
            ),
        ),
        by=Tests(paths=CORROBORATION_TESTS, names="two sensors were taken for a human who pressed"),
    ),
    Mutant(
        name="a report on which the engine fails pages everybody, as a press does",
        edits=(
            Edit(
                file="alertd/engine/fallback.py",
                old="    if device is not None and device.kind is DeviceKind.SENSOR:\n",
                new="    if False:\n",
            ),
        ),
        by=Story(name="sensor_that_the_engine_cannot_handle", trips=("sensors stay quiet",)),
    ),
    Mutant(
        name="a shot on which the engine fails is told only to who is on duty",
        edits=(
            Edit(
                file="alertd/engine/fallback.py",
                old=" for t in though_off_duty(registry, target))\n",
                new=" for t in (target,))\n",
            ),
        ),
        by=Tests(paths=ENGINE_TESTS, names="a shot goes to those whom its policy names"),
    ),
    Mutant(
        name="a shot that is heard on ends by itself",
        edits=(
            Edit(file="alertd/engine/escalation.py", old=" or _is_heard_still(d, incident, policy)):\n", new="):\n"),
        ),
        by=Tests(paths=CORROBORATION_TESTS, names="it ended in the middle of a shooting"),
    ),
    Mutant(
        name="a lockdown that was a mistake takes in a lone shot",
        edits=(Edit(file=CORROBORATION, old="    if lockdown.correction is not None:\n", new="    if False:\n"),),
        by=Tests(paths=CORROBORATION_TESTS, names="a mistake and one sensor sounded a lockdown again"),
    ),
    Mutant(
        name="a press that was a mistake bears out a lone shot",
        edits=(
            Edit(
                file=CORROBORATION,
                old="is not Mode.LIVE or apart or known.correction is not None:\n",
                new="is not Mode.LIVE or apart:\n",
            ),
        ),
        by=Tests(paths=CORROBORATION_TESTS, names="a mistake and one sensor sounded a lockdown again"),
    ),
    Mutant(
        name="a cry and a shot bear each other out",
        edits=(
            Edit(
                file="alertd/engine/incidents.py",
                old="    if incident_class is IncidentClass.LOCKDOWN or incident_class in VERIFY_FIRST:\n        return str(",
                new="    if incident_class in VERIFY_FIRST:\n        return 'heard'\n    if incident_class is IncidentClass.LOCKDOWN:\n        return str(",
            ),
        ),
        by=Tests(paths=CORROBORATION_TESTS, names="a word that another sensor took for a cry"),
    ),
    Mutant(
        name="who asks for a hold has answered whether there was a shot",
        edits=(
            Edit(
                file="alertd/engine/incidents.py",
                old="    if IncidentClass.HOLD in both and not both.isdisjoint(VERIFY_FIRST):\n",
                new="    if False:\n",
            ),
        ),
        by=Story(name="shot_and_a_hold"),
    ),
    Mutant(
        name="a hold that somebody asks for is a press for help",
        edits=(
            Edit(
                file=CORROBORATION,
                old=" and not (press.asked and press.incident_class is IncidentClass.HOLD)\n",
                new="\n",
            ),
        ),
        by=Story(name="hold_for_a_medical_and_a_shot"),
    ),
    Mutant(
        name="a press for a hold is forgotten, or newer, once somebody asks for it",
        edits=(
            Edit(
                file=CORROBORATION,
                old="not (press.asked and press.incident_class is",
                new="not ((press.asked or known.asked_us) and press.incident_class is",
            ),
        ),
        by=Tests(paths=CORROBORATION_TESTS, names="an answer was taken for a press"),
    ),
    Mutant(
        name="who answers 9 beside a lockdown is asked again to look",
        edits=(
            Edit(
                file="alertd/engine/answers.py",
                old="        raised = corroboration.take_in_all(d, raised)\n",
                new="        pass\n",
            ),
        ),
        by=Tests(paths=CORROBORATION_TESTS, names="who answered 9 is asked again to look"),
    ),
    Mutant(
        name="what somebody has looked into stays open and deaf",
        edits=(
            Edit(
                file=ENDS,
                old="    return incident.escalation is EscalationState.PAUSED and not is_same\n",
                new="    return False\n",
            ),
            Edit(
                file="alertd/engine/answers.py",
                old="    if not stale and (is_nuisance(incident.incident_class) or (arrived and not is_panic(incident.incident_class))):\n",
                new="    if False:\n",
            ),
        ),
        by=Story(name="shot_again_after_it_was_looked_into"),
    ),
    Mutant(
        name="an answer covers the alarm after the cool-down",
        edits=(
            Edit(
                file=ENDS,
                old="    return incident.escalation is EscalationState.PAUSED and not is_same\n",
                new="    return False\n",
            ),
        ),
        by=Tests(paths=ENGINE_TESTS, names="an answer covers only what was known when it was given"),
    ),
    Mutant(
        name="a repeat that waited in front of the door is taken for a clock that was set back",
        edits=(
            Edit(
                file=ENDS,
                old="    if at_us < last_us and d.now.wall_us + SET_US < last_us:",
                new="    if at_us < last_us:",
            ),
        ),
        by=Story(name="cloud_in_two_words", trips=("only humans end",)),
    ),
    Mutant(
        name="a clock that was set back keeps open what is answered",
        edits=(
            Edit(
                file=ENDS,
                old="    if at_us < last_us and d.now.wall_us + SET_US < last_us:",
                new="    if False:",
            ),
        ),
        by=Tests(paths=ENDS_TESTS, names="it stays open until the clock has caught up"),
    ),
    Mutant(
        name="a clock that is set back ends what waited in front of the door",
        edits=(
            Edit(
                file=ENDS,
                old="    if at_us < last_us and d.now.wall_us + SET_US < last_us:",
                new="    if d.now.wall_us + SET_US < last_us:",
            ),
        ),
        by=Tests(paths=ENDS_TESTS, names="it was not quiet, and the code that people have is dead"),
    ),
    Mutant(
        name="one sensor of two that is quiet ends what is answered",
        edits=(
            Edit(
                file=ENDS,
                old="    return max(cooling_us - silent_us for",
                new="    return min(cooling_us - silent_us for",
            ),
        ),
        by=Tests(paths=ENDS_TESTS, names="it was not quiet: only one of its sensors was"),
    ),
    Mutant(
        name="going to a shot is arriving there",
        edits=(
            Edit(
                file="alertd/engine/answers.py",
                old="    if not stale and (is_nuisance(incident.incident_class) or (arrived and not is_panic(incident.incident_class))):\n",
                new="    if not stale and not is_panic(incident.incident_class):\n",
            ),
        ),
        by=Story(name="shot_and_nobody_arrives"),
    ),
    Mutant(
        name="who goes to a shot late and never arrives was the last to be asked",
        edits=(
            Edit(
                file="alertd/engine/escalation.py",
                old="    rounds = 0 if incident.incident_class in VERIFY_FIRST else incident.round\n",
                new="    rounds = incident.round\n",
            ),
        ),
        by=Story(name="goes_late_and_never_arrives"),
    ),
    Mutant(
        name="a 9 leaves the other shot a question in the lockdown",
        edits=(
            Edit(
                file=CORROBORATION,
                old="        lockdown = take_in(d, lockdown, waiting)\n",
                new="        lockdown = take_in(d, lockdown, waiting) if waiting.answers else lockdown\n",
            ),
        ),
        by=Tests(paths=CORROBORATION_TESTS, names="who answered 9 is asked again to look"),
    ),
    Mutant(
        name="a 9 that the carrier held back begins a closed lockdown anew",
        edits=(
            Edit(
                file="alertd/engine/texts.py",
                old="        case Meaning.CLOSED if over is not None and",
                new="        case Meaning.CLOSED if False and",
            ),
        ),
        by=Tests(paths=ENDS_TESTS, names="a lockdown that a human has closed begins anew"),
    ),
    Mutant(
        name="notices push a shot out of what a reply can speak about",
        edits=(
            Edit(
                file="alertd/store/rows.py",
                old='        return state != "open", -SEVERITY[',
                new='        return state != "open", 0 * SEVERITY[',
            ),
        ),
        by=Tests(
            paths=("tests/store/test_sqlite_contract.py",),
            names="a human's 9 to a shot is not read, for there were notices",
        ),
    ),
    Mutant(
        name="the end of a drill refuses a 9 to a shot",
        edits=(
            Edit(
                file="alertd/engine/texts.py",
                old=" and known.mode is Mode.LIVE and known.severity",
                new=" and known.severity",
            ),
        ),
        by=Tests(paths=ENDS_TESTS, names="the end of a drill is no human's word about a shot"),
    ),
    Mutant(
        name="a 9 to a shot that ended by itself is refused",
        edits=(
            Edit(
                file="alertd/store/rows.py",
                old="        ended=incident(schema, blob) if closed_by == NOBODY else None,\n",
                new="",
            ),
        ),
        by=Story(name="lock_down_after_a_shot_ended"),
    ),
    Mutant(
        name="key 9 in a call about a shot that ended by itself is refused",
        edits=(
            Edit(
                file="alertd/engine/keys.py",
                old="        incident = known.ended\n",
                new="        incident = None\n",
            ),
        ),
        by=Tests(paths=ENDS_TESTS, names="a human's key was refused"),
    ),
    Mutant(
        name="a 9 opens again what is over",
        edits=(
            Edit(
                file="alertd/engine/answers.py",
                old="    if graver and incident.is_open and incident.mode is mode",
                new="    if graver and incident.mode is mode",
            ),
        ),
        by=Story(name="lock_down_after_a_shot_ended", trips=("only humans end",)),
    ),
    Mutant(
        name="a sensor's trouble goes to everybody where nobody is on duty",
        edits=(
            Edit(
                file="alertd/engine/trouble_audience.py",
                old="    if _is_of_sensors(registry, trouble):\n",
                new="    if False:\n",
            ),
        ),
        by=Tests(paths=ENGINE_TESTS, names="what comes of sensors was told to everybody"),
    ),
    Mutant(
        name="a sensor's new word shares a trouble with what may be a press",
        edits=(
            Edit(
                file="alertd/engine/sensors.py",
                old='    troubles.raise_(d, f"sensor_unmapped:{device.id}", ',
                new='    troubles.raise_(d, f"unmapped:{device.id}", ',
            ),
        ),
        by=Tests(paths=ENGINE_TESTS, names="req 70: a sensor's new word was told to everybody"),
    ),
    Mutant(
        name="a sensor's first new word swallows all later ones",
        edits=(
            Edit(file="alertd/engine/sensors.py", old=", summary, said=_told_apart(event, device))", new=", summary)"),
        ),
        by=Tests(paths=ENGINE_TESTS, names="of another word nobody is told"),
    ),
    Mutant(
        name="an unregistered sensor rings as a press",
        edits=(
            Edit(
                file="alertd/engine/decide.py",
                old="    if event.never_press:\n        _among",
                new="    if False:\n        _among",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_never_press.py",), names="nobody presses there, and it rings"),
    ),
    Mutant(
        name="a sensors' bridge presses in the name of the second that it says",
        edits=(
            Edit(
                file=ROUTING,
                old="    if arrival.never_press and device.kind",
                new="    if arrival.never_press and not index and device.kind",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_never_press.py",), names="pressed a button, or an alarm is lost"),
    ),
    Mutant(
        name="that a button no longer calls is a press where nobody presses",
        edits=(
            Edit(
                file=ROUTING,
                old="is not DeviceKind.SENSOR and not signal.ends:\n",
                new="is not DeviceKind.SENSOR:\n",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_never_press.py",), names="it is lost, or a press"),
    ),
    Mutant(
        name="that a button no longer calls is counted as a press where nobody presses",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/decoding.py",
                old="            calling = {signal.device_id for signal in signals if not signal.ends}\n",
                new="            calling = {signal.device_id for signal in signals}\n",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_never_press.py",), names="its end is taken for a press"),
    ),
    Mutant(
        name="one unregistered sensor of many hides all later ones",
        edits=(
            Edit(
                file="alertd/engine/decide.py",
                old='    troubles.raise_(d, f"{family}:{name}", summary, said=said)\n',
                new='    troubles.raise_(d, f"{family}:{name}", summary)\n',
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_never_press.py",), names="once each"),
    ),
    Mutant(
        name="a shot of an unregistered sensor is one more word of a stranger",
        edits=(
            Edit(
                file=ROUTING,
                old='heard=signal.action if never_press and signal.action in CRIES else "",',
                new='heard="",',
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_never_press.py",), names="a shot, and nobody is told"),
    ),
    Mutant(
        name="a second shot of an unregistered sensor is the first one",
        edits=(Edit(file="alertd/engine/decide.py", old='{name} {event.kept or event.cause}"', new='{name}"'),),
        by=Tests(paths=("tests/adapters/mqtt/test_never_press.py",), names="another shot, and nobody is told"),
    ),
    Mutant(
        name="a shot that a broker has kept is told with each connection",
        edits=(Edit(file="alertd/engine/decide.py", old="{event.kept or event.cause}", new="{event.cause}"),),
        by=Tests(paths=("tests/adapters/mqtt/test_never_press.py",), names="it is told with each connection"),
    ),
    Mutant(
        name="the trouble of an unregistered sensor outlasts its registration",
        edits=(
            Edit(
                file="alertd/daemon/strangers.py",
                old="        if trouble.family in SENSORS_",
                new="        if trouble.key in SENSORS_",
            ),
        ),
        by=Tests(paths=("tests/daemon/test_strangers.py",), names="it goes on though its row stands"),
    ),
    Mutant(
        name="of a shot of an unregistered sensor everybody is told",
        edits=(Edit(file="alertd/engine/trouble_audience.py", old='        "sensor_unheard",\n', new=""),),
        by=Tests(
            paths=("tests/adapters/mqtt/test_never_press.py",), names="what comes of sensors was told to everybody"
        ),
    ),
    Mutant(
        name="a shot of an unregistered sensor waits as any word of it",
        edits=(Edit(file="alertd/daemon/waiting.py", old="event.device_id, event.heard, *", new="event.device_id, *"),),
        by=Tests(paths=("tests/daemon/test_waiting.py",), names="a shot, and nobody would be told"),
    ),
    Mutant(
        name="an alarm by numbers is lost over a disk that fails",
        edits=(
            Edit(
                file=READINGS,
                old="                spoken.on_us, spoken.above_since_us, spoken.pending = None, now_us, passed\n",
                new="                spoken.on_us = None\n",
            ),
        ),
        by=Story(name="number_stands_while_the_disk_fails"),
    ),
    Mutant(
        name="after a restart nobody knows that a cloud goes on",
        edits=(
            Edit(
                file=READINGS,
                old="    return max(GATHER_S, device.gestures.sensor.cool_down_s / 2)\n",
                new="    return AGAIN_S\n",
            ),
        ),
        by=Story(name="cloud_outlasts_a_restart"),
    ),
    Mutant(
        name="a word that nobody knows is kept, and may be what somebody said",
        edits=(
            Edit(
                file=SENSORS,
                old='    return quoted if event.signal.action in device.gestures.actions or quoted in _WORDS else "a word"\n',
                new="    return quoted\n",
            ),
        ),
        by=Tests(paths=ENGINE_TESTS, names="what somebody said was kept"),
    ),
    Mutant(
        name="a sensor that is opened only says a word that nobody knows",
        edits=(Edit(file=SENSORS, old="    if event.signal.action == presses.TAMPER:\n", new="    if False:\n"),),
        by=Story(name="sensor_is_opened"),
    ),
    Mutant(
        name="a covered sensor waits behind troubles",
        edits=(
            Edit(
                file="alertd/engine/draft.py",
                old="        return Lane.ALARM if SEVERITY[incident.incident_class] is Severity.SENSOR else Lane.ROUTINE\n",
                new="        return Lane.ROUTINE\n",
            ),
        ),
        by=Tests(paths=ENGINE_TESTS, names="a covered sensor waits behind troubles"),
    ),
    Mutant(
        name="a clock that leaps erases what is minutes old",
        edits=(
            Edit(
                file="alertd/engine/retention.py",
                old="    return incident.closed_us - known.ahead_us >= event.before_boot_us\n",
                new="    return False\n",
            ),
        ),
        by=Tests(paths=("tests/engine/test_retention.py",), names="minutes old, and erased for good"),
    ),
    Mutant(
        name="a clock that leapt is believed at once",
        edits=(
            Edit(
                file="alertd/daemon/retention.py",
                old="        if ahead_us - self._ahead_us < DAY_US:\n",
                new="        if True:\n",
            ),
        ),
        by=Tests(paths=("tests/daemon/test_retention.py",), names="a clock that leapt was believed at once"),
    ),
    Mutant(
        name="what is texted after a sensor's incident ended is kept for ever",
        edits=(
            Edit(
                file="alertd/engine/texts_back.py",
                old="    return last.incident_id\n",
                new="    return None\n",
            ),
        ),
        by=Tests(paths=("tests/engine/test_retention.py",), names="what was written of a child is kept for ever"),
    ),
    Mutant(
        name="what a sensor can say and its gestures do not know is well",
        edits=(
            Edit(
                file="alertd/lint/words.py",
                old="    missing = sorted((says.words & SENSED.keys()) - rules.actions.keys())\n",
                new="    missing: list[str] = []\n",
            ),
        ),
        by=Tests(paths=("tests/config/test_words.py",), names="a shot that a sensor hears calls nobody"),
    ),
    Mutant(
        name="the sensors of a first district hear no shot",
        edits=(
            Edit(
                file="alertd/exports/starter/gestures.toml",
                old=', gunshot = "gunshot_sensor"',
                new="",
            ),
        ),
        by=Tests(paths=("tests/exports/test_starting.py",), names="that a sensor hears calls nobody"),
    ),
    Mutant(
        name="what profiles make of what a sensor hears is a word like any other",
        edits=(
            Edit(
                file="alertd/engine/sensors.py",
                old="for word in (*IncidentClass, *_HEARD))",
                new="for word in IncidentClass)",
            ),
        ),
        by=Tests(paths=("tests/engine/test_sensors.py",), names="reads that a shot is a word"),
    ),
    Mutant(
        name="a device that hangs in another school now leaves its tamper behind",
        edits=(
            Edit(
                file="alertd/daemon/tampers.py",
                old="            if record is None or record.device.site_id != site_id:\n",
                new="            if record is None:\n",
            ),
        ),
        by=Tests(paths=("tests/daemon/test_tampers.py",), names="it will never say at this school that it is whole"),
    ),
    Mutant(
        name="a sensors' bridge presses in a button's name",
        edits=(
            Edit(
                file="alertd/engine/routing.py",
                old="    if arrival.never_press and device.kind is not DeviceKind.SENSOR and not signal.ends:\n",
                new="    if False:\n",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_never_press.py",), names="a sensor's password pressed a button"),
    ),
    Mutant(
        name="a press over a trigger of the wrong kinds is a stranger's",
        edits=(
            Edit(
                file="alertd/engine/decide.py",
                old="    if event.refused:\n",
                new="    if False:\n",
            ),
        ),
        by=Tests(
            paths=("tests/adapters/mqtt/test_never_press.py",), names="it was understood, and they cannot know whose"
        ),
    ),
    Mutant(
        name="a copy of a press that pages is told as one that nobody took",
        edits=(Edit(file="alertd/daemon/facts.py", old="(seen_us, *map(tx.seen_us, presses))", new="(seen_us,)"),),
        by=Tests(paths=("tests/daemon/test_intake.py",), names="it paged, and people read that it did not"),
    ),
    Mutant(
        name="a copy of a press that pages at another of its schools is told as one that nobody took",
        edits=(
            Edit(
                file="alertd/engine/routing.py",
                old="_cause_at(spot.site_id, device, press) for spot",
                new="press for spot",
            ),
        ),
        by=Tests(paths=("tests/daemon/test_intake.py",), names="it paged, and people read that it did not"),
    ),
    Mutant(
        name="a refused press says that nobody was paged, though another trigger may page a moment later",
        edits=(
            Edit(
                file="alertd/engine/decide.py",
                old="; its sources.{event.source} trigger pages NOBODY: go look. ",
                new=", paged NOBODY: go look. ",
            ),
        ),
        by=Tests(paths=("tests/daemon/test_intake.py",), names="it paged, and people read that it did not"),
    ),
    Mutant(
        name="a refused press that waits behind a copy of one that pages is folded into it",
        edits=(Edit(file="alertd/daemon/waiting.py", old="event.heard, *event.presses)", new="event.heard)"),),
        by=Tests(paths=("tests/daemon/test_intake.py",), names="promise 2: pressed, paged nobody, and nobody is told"),
    ),
    Mutant(
        name="a refused press is like the one that somebody looks after",
        edits=(
            Edit(
                file="alertd/engine/routing.py",
                old="    if lasting is not None and not nobodys.kept:\n        alike = ",
                new="    lasting = lasting or Lasting(repeats_s=0)\n    if not nobodys.kept:\n        alike = ",
            ),
            Edit(
                file="alertd/engine/routing.py", old="import Arrival, Event, ", new="import Arrival, Event, Lasting, "
            ),
        ),
        by=Tests(
            paths=("tests/adapters/mqtt/test_never_press.py",),
            names="a known button was pressed again, and nobody is told",
        ),
    ),
    Mutant(
        name="a state that is refused rings with each of its repeats",
        edits=(
            Edit(file="alertd/engine/decide.py", old=", said=event.kept, alike=event.alike)", new=", said=event.kept)"),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_never_press.py",), names="once an hour, for somebody looks after it"),
    ),
    Mutant(
        name="another state that is refused is like the one that somebody looks after",
        edits=(
            Edit(
                file="alertd/engine/routing.py",
                old="signal.action, lasting.what, lasting.state)",
                new="signal.action)",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_never_press.py",), names="promise 2: another, and nobody is told"),
    ),
    Mutant(
        name="who reads of a refused press is told to let it in, whoever it was",
        edits=(
            Edit(file="alertd/engine/decide.py", old='f\'If real, add "{kind}" to', new='f\'Add "{kind}" to'),
            Edit(file="alertd/engine/troubles.py", old="|If real, add ", new="|Add "),
        ),
        by=Tests(
            paths=("tests/adapters/mqtt/test_never_press.py",),
            names="is let in by who does what the text says",
        ),
    ),
    Mutant(
        name="a sensors' bridge rings in the name of each button",
        edits=(
            Edit(
                file="alertd/engine/troubles.py",
                old='OF_PRESSES = ("unregistered", "refused", ',
                new='OF_PRESSES = ("unregistered", ',
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_never_press.py",), names="three by name, and one of all the others"),
    ),
    Mutant(
        name="what to do about a refused press has no room in a text",
        edits=(
            Edit(
                file="alertd/engine/troubles.py",
                old='|If real, add "\\w+" to its kinds',
                new="",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_never_press.py",), names="it ends before it has said what to do"),
    ),
    Mutant(
        name="a refused press proves that its button works",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/decoding.py",
                old="                check_ins = tuple(map(self._untested, check_ins))\n",
                new="",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_never_press.py",), names="it counts as tested"),
    ),
    Mutant(
        name="a refused press blames the settings of its button",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/decoding.py",
                old="                shut_out = frozenset(filter(self._is_pressed, calling))\n",
                new="",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_never_press.py",), names="the button's settings are blamed"),
    ),
    Mutant(
        name="a badge whose press is refused was heard, and is nowhere",
        edits=(
            Edit(file="alertd/engine/places.py", old="if device.zone_id or near else", new="if device.zone_id else"),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_never_press.py",), names="it is known, and not known"),
    ),
    Mutant(
        name="a registered gateway is to be registered",
        edits=(
            Edit(
                file="alertd/engine/decide.py",
                old='"register it" if device is None else "correct its row in devices.csv"',
                new='"register it"',
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_never_press.py",), names="it is registered"),
    ),
    Mutant(
        name="a test of a button hears no press that is refused",
        edits=(
            Edit(
                file="alertd/console/trying/orders.py",
                old="    if tests:\n        began_us",
                new="    if False:\n        began_us",
            ),
        ),
        by=Tests(paths=("tests/cli/test_devices_test.py",), names="where nobody presses: it calls NOBODY"),
    ),
    Mutant(
        name="a test of a button shows what was refused before it",
        edits=(
            Edit(
                file="alertd/console/trying/orders.py",
                old=" or line.at_us < began_us:\n",
                new=":\n",
            ),
        ),
        by=Tests(paths=("tests/console/test_trying.py",), names="what it said before, or another, is shown"),
    ),
    Mutant(
        name="check: a button may come over a trigger where nobody presses",
        edits=(Edit(file="alertd/lint/words.py", old="    _check_shut(judge, hearing)\n", new=""),),
        by=Tests(paths=("tests/config/test_words.py",), names="its press calls nobody, and check is content"),
    ),
    Mutant(
        name="check: a button may come over a bridge where nobody presses",
        edits=(
            Edit(
                file="alertd/lint/words.py",
                old='            return device.profile in ("", trigger.decoder) and trigger.finds(device.id)\n',
                new="            return False\n",
            ),
        ),
        by=Tests(paths=("tests/config/test_words.py",), names="its press calls nobody, and check is content"),
    ),
    Mutant(
        name="check: a button with a slash in its name may come over a trigger of plain JSON",
        edits=(Edit(file="alertd/lint/words.py", old='== PLAIN and "/" in device.id:', new="== PLAIN and False:"),),
        by=Tests(paths=("tests/config/test_words.py",), names="its press calls nobody, and check is content"),
    ),
    Mutant(
        name="check: whatever presses elsewhere may come over no bridge where nobody presses",
        edits=(
            Edit(
                file="alertd/lint/words.py",
                old="            perhaps = [each for each in heard if ",
                new="            perhaps = [each for each in heard if False and ",
            ),
        ),
        by=Tests(paths=("tests/config/test_words.py",), names="its press calls nobody, and check is content"),
    ),
    Mutant(
        name="check: a trigger for sensors is a doubt beside one of the same for buttons",
        edits=(
            Edit(
                file="alertd/lint/words.py",
                old="        return trigger in bridges and all(each.never_press for each in bridges)\n",
                new="        return trigger in bridges\n",
            ),
        ),
        by=Tests(paths=("tests/config/test_words.py",), names="whoever does as the manual says is warned"),
    ),
    Mutant(
        name="check: any button without a profile is a doubt behind a bridge for sensors",
        edits=(
            Edit(
                file="alertd/lint/words.py",
                old=" or not self._is_all or not IEEE.fullmatch(device.id):\n",
                new=" or not self._is_all:\n",
            ),
        ),
        by=Tests(paths=("tests/config/test_words.py",), names="is said to be shut out by sensors' triggers"),
    ),
    Mutant(
        name="check: a source that reads no button is a doubt for each",
        edits=(
            Edit(
                file="alertd/lint/words.py",
                old="        return trigger in bridges and all(",
                new="        return all(",
            ),
        ),
        by=Tests(paths=("tests/config/test_words.py",), names="by a trigger over which none can come"),
    ),
    Mutant(
        name="check: a trigger for sensors is a doubt though their rows name its profile",
        edits=(
            Edit(
                file="alertd/lint/words.py",
                old="            if perhaps and not is_of_others:\n",
                new="            if perhaps:\n",
            ),
        ),
        by=Tests(paths=("tests/config/test_words.py",), names="is warned all the same"),
    ),
    Mutant(
        name="check: a button that only kinds shut out is said twice",
        edits=(Edit(file="alertd/lint/words.py", old=" and hearing.is_carried(each)]\n", new="]\n"),),
        by=Tests(paths=("tests/config/test_sources.py",), names="it is said twice, and the remedies differ"),
    ),
    Mutant(
        name="check: a trigger for buttons behind one for sensors speaks",
        edits=(Edit(file="alertd/lint/sources.py", old="        _check_order(judge, section)\n", new=""),),
        by=Tests(paths=("tests/config/test_sources.py",), names="each press of it calls nobody, and check is content"),
    ),
    Mutant(
        name="check: a plus covers whatever is below it",
        edits=(Edit(file="alertd/lint/sources.py", old='(level == "+" and each != "#")', new='level == "+"'),),
        by=Tests(paths=("tests/config/test_sources.py",), names="whoever wrote them in the right order is warned"),
    ),
    Mutant(
        name="check: a trigger may stand on topics that its source never speaks on",
        edits=(Edit(file="alertd/lint/profiles.py", old="    _check_topics(judge)\n", new=""),),
        by=Tests(paths=("tests/config/test_profiles.py",), names="nothing is ever heard over it, and check is content"),
    ),
    Mutant(
        name="check: any trigger with profiles reads the profile of a row",
        edits=(
            Edit(
                file="alertd/lint/profiles.py",
                old="(sources.intersection(theirs) if theirs else sources)",
                new="sources",
            ),
        ),
        by=Tests(paths=("tests/config/test_profiles.py",), names="nothing of it is ever heard, and check is content"),
    ),
    Mutant(
        name="a setting that is one of a few words is refused without saying which there are",
        edits=(
            Edit(
                file="alertd/ports/settings.py",
                old="            words += [str(member.value) for member in each.cls]\n",
                new="            continue\n",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_settings.py",), names="it says only: Invalid enum value"),
    ),
)
