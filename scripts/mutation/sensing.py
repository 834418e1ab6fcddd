# ruff: noqa: E501 - what is changed is quoted as it stands in the source
"""Mutants of what follows from a sensor's report: how often, to whom, over which sender, and what it may become."""

from mutation.mutant import Edit, Mutant, Story, Tests

SENSORS = "alertd/engine/sensors.py"
STORMS = "alertd/engine/sensor_storms.py"
CORROBORATION = "alertd/engine/corroboration.py"
AUDIENCE = "alertd/engine/audience.py"
READINGS = "alertd/daemon/readings.py"
ENGINE_TESTS = ("tests/engine/test_sensors.py",)
READING_TESTS = ("tests/daemon/test_readings.py",)

SENSING = (
    Mutant(
        name="what a sensor says again is told again",
        edits=(Edit(file=SENSORS, old="    return cooling and 0 <= event", new="    return False and 0 <= event"),),
        by=Story(name="vape_again_after_the_cool_down"),
    ),
    Mutant(
        name="a storm of a sensor is no storm",
        edits=(
            Edit(
                file=STORMS,
                old="    if alarms <= most:\n        return None\n    zone",
                new="    return None\n    zone",
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
                old="    if any(abs(press.received_us - p.last_us) <= within_us for p in others):\n",
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
                old="        if began is None or since_us is None or self._clock.now().boot_us - since_us < limits.for_s * 1_000_000:\n",
                new="        if began is None or since_us is None:\n",
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
                old="        if number < limits.trigger or now_us - spoken.on_us < AGAIN_S * 1_000_000:\n",
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
                old="        spoken.passed_us = spoken.on_us = None\n",
                new="        spoken.passed_us = None\n",
            ),
        ),
        by=Tests(paths=READING_TESTS, names="an alarm that was in vain was never said again"),
    ),
    Mutant(
        name="a press of a drill bears a shot out",
        edits=(
            Edit(
                file=CORROBORATION,
                old="        if known.mode is not Mode.LIVE or apart:\n",
                new="        if apart:\n",
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
)
