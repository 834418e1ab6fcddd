# ruff: noqa: E501 - what is changed is quoted as it stands in the source
"""Mutants of drills: what is no drill and is taken for one, what is not marked, not withdrawn, not ended, not told.

Caught in stories of tests/scenarios/: there a drill is pressed for, stopped, and left to run out on purpose.
"""

from mutation.mutant import Edit, Mutant, Story, Tests

DRILL_ENDINGS = "alertd/engine/drills/endings.py"
DRILL_NOTICES = "alertd/engine/drills/notices.py"
DRILL_ORDERS = "alertd/engine/drills/orders.py"
DRILL_PRESSES = "alertd/engine/drills/presses.py"
DRILL_REAL = "alertd/engine/drills/real.py"
NEWS = "alertd/engine/drills/news.py"
NOTIFICATION = "alertd/model/notification.py"
ONE_GESTURE = ("tests/engine/test_drill_gestures.py",)

DRILLING = (
    Mutant(
        name="a drill reaches dispatch",
        edits=(
            Edit(
                file="alertd/engine/dispatch_centers.py",
                old="        if incident.mode is Mode.DRILL and not destination.endpoint.accepts_exercise:\n",
                new="        if False:\n",
            ),
            Edit(
                file=NOTIFICATION, old="    if mode_forbids(notification, now.incident_mode):\n", new="    if False:\n"
            ),
            Edit(
                file="adapters/alertd_adapters/webhook/channel.py",
                old="        if notification.mode is Mode.DRILL and",
                new="        if False and",
            ),
        ),
        cheap=True,
        by=Story(name="drill", trips=("mode",)),
    ),
    Mutant(
        name="drills: a badge of two schools takes part",
        edits=(
            Edit(
                file=DRILL_ORDERS,
                old="    if real_there := _real_elsewhere(site.id, device):\n",
                new="    if real_there := None:\n",
            ),
        ),
        by=Story(name="drill_with_a_badge_of_two_schools", trips=("only what is drilled",)),
    ),
    Mutant(
        name="drills: a reload gives their badge to another school as well, and they go on",
        edits=(
            Edit(
                file="alertd/daemon/daemon.py",
                old="        await end_unfit(self.intake, self._running_drills, registry)\n",
                new="",
            ),
        ),
        by=Tests(paths=("tests/daemon/test_drills.py",), names="promise 3 broken"),
    ),
    Mutant(
        name="drills: a start gives their badge to another school as well, and they go on",
        edits=(
            Edit(
                file="alertd/daemon/daemon.py",
                old="            await end_unfit(self.intake, self._running_drills, self.intake.registry)\n",
                new="",
            ),
        ),
        by=Tests(paths=("tests/daemon/test_drills.py",), names="promise 3 broken"),
    ),
    Mutant(
        name="the press of a device that takes no part is taken for a drill",
        edits=(Edit(file=DRILL_PRESSES, old="    if device.id not in drill.device_ids:\n", new="    if False:\n"),),
        cheap=True,
        by=Story(name="drill_becomes_real", trips=("only what is drilled",)),
    ),
    Mutant(
        name="a participant who presses again is taken for a drill",
        edits=(
            Edit(
                file=DRILL_PRESSES,
                old="    if before is not None and not _is_same_gesture(d, event, device, gesture, before):\n",
                new="    if False:\n",
            ),
        ),
        by=Story(name="drill_pressed_again", trips=("only what is drilled",)),
    ),
    Mutant(
        name="a graver gesture than is drilled is taken for a drill",
        edits=(
            Edit(
                file=DRILL_PRESSES,
                old="    if not _is_drilled(drill, device, gesture.incident_class):\n",
                new="    if False:\n",
            ),
            Edit(
                file=DRILL_PRESSES,
                old="    if before is not None and not _is_same_gesture(d, event, device, gesture, before):\n",
                new="    if False:\n",
            ),
        ),
        by=Story(name="drill_of_staff_assist_overdone", trips=("only what is drilled",)),
    ),
    Mutant(
        name="texts of a drill are not marked",
        edits=(
            Edit(
                file="alertd/engine/telling.py",
                old="        return partial(wording.marked, template, before=wording.DRILL, after=wording.DRILL)\n",
                new="        return partial(wording.render, template)\n",
            ),
        ),
        cheap=True,
        by=Story(name="drill", trips=("drill marks",)),
    ),
    Mutant(
        name="what a drill had still to say is said after it was real",
        edits=(
            Edit(file=DRILL_ENDINGS, old="    d.withdraw_drill(because)\n", new=""),
            Edit(
                file=NOTIFICATION,
                old="    if notification.mode is Mode.DRILL and not now.drill_running and notification.kind not in OUTLIVES_DRILL:\n",
                new="    if False:\n",
            ),
            Edit(
                file="alertd/daemon/drills_over.py",
                old="        if n.mode is not Mode.DRILL:\n            return False\n",
                new="        if True:\n            return False\n",
            ),
            Edit(
                file=DRILL_ENDINGS,
                old="        if current is not None and current.is_open and current.mode is Mode.DRILL:\n",
                new="        if current is None:\n",
            ),
            Edit(
                file=DRILL_ENDINGS,
                old="    if incident.mode is not Mode.DRILL or d.drill is not None:\n        return False\n",
                new="    return False\n",
            ),
        ),
        by=Story(name="drill_becomes_real", trips=("real after a drill",)),
    ),
    Mutant(
        name="those told of a drill are not told that it was real",
        edits=(
            Edit(
                file="alertd/engine/telling.py",
                old="    ends_drill = d.ends_drill(incident, endpoint)\n",
                new="    ends_drill = None\n",
            ),
        ),
        cheap=True,
        by=Story(name="drill_becomes_real", trips=("real after a drill",)),
    ),
    Mutant(
        name="a drill that survived a restart never ends",
        edits=(
            Edit(
                file=DRILL_ENDINGS,
                old="    if drill is None or drill.id != timer.detail:\n",
                new="    if drill is None or drill.id != timer.detail or drill.restarts:\n",
            ),
        ),
        by=Story(name="drill_survives_a_crash", trips=("drill ends",)),
    ),
    Mutant(
        name="a restart in a drill is silent",
        edits=(Edit(file=DRILL_ENDINGS, old="    tell_told(d, drill, Kind.DRILL_GOES_ON)\n", new=""),),
        cheap=True,
        by=Story(name="drill_survives_a_crash", trips=("drill ends",)),
    ),
    Mutant(
        name="nothing says when alertd was started in a drill",
        edits=(
            Edit(
                file=DRILL_ENDINGS,
                old="    d.entry(EntryKind.DRILL, reason, text, drill=event.drill_id, started_us=str(event.started_us))\n",
                new="    d.entry(EntryKind.DRILL, reason, text, drill=event.drill_id)\n",
            ),
        ),
        cheap=True,
        by=Story(name="drill_with_no_internet_and_no_power", trips=("unmeasured",)),
    ),
    Mutant(
        name="a press that waited at the broker looks as if it had been measured",
        edits=(
            Edit(
                file="alertd/engine/presses.py",
                old="        waited_since_us=event.oldest_us if event.backlog and event.signal.pressed_us is None else None,\n",
                new="",
            ),
        ),
        by=Tests(paths=("tests/engine/test_drills.py",), names="promise 5 broken"),
    ),
    Mutant(
        name="the end of a drill is told to those only who heard of its beginning",
        edits=(Edit(file="alertd/engine/decide.py", old="    drills.keep_told(d)\n", new=""),),
        cheap=True,
        by=Story(name="drill_heard_of_only_in_it", trips=("drill ends",)),
    ),
    Mutant(
        name="who told the carrier to stop in a drill is not told by another way that it is over",
        edits=(
            Edit(
                file=DRILL_NOTICES,
                old="        return person, (*there, *instead_of(d.facts.registry, person, there[0], Notice.LAST, d.facts.opted_out))\n",
                new="        return person, there\n",
            ),
        ),
        by=Tests(paths=("tests/engine/test_drills_over.py",), names="promise 3 broken"),
    ),
    Mutant(
        name="the end of a second drill takes back the end of the first",
        edits=(
            Edit(
                file=DRILL_ENDINGS,
                old="        d.withdraw_drill(because, but=Kind.DRILL_OVER)",
                new="        d.withdraw_drill(because)",
            ),
        ),
        by=Tests(paths=("tests/engine/test_drills_over.py",), names="promise 3 broken"),
    ),
    Mutant(
        name="a second drill forgets who may believe in the first",
        edits=(Edit(file=DRILL_ORDERS, old="            before=news.carried(d),\n", new=""),),
        cheap=True,
        by=Story(name="drill_is_real_after_a_drill", trips=("drill believed",)),
    ),
    Mutant(
        name="nobody hears who was not told that a drill is over",
        edits=(
            Edit(file=DRILL_NOTICES, old="OVER_EXPIRES_S = BELIEVED_US // 1_000_000\n", new="OVER_EXPIRES_S = 300\n"),
            Edit(file=NEWS, old="    troubles.raise_(d, trouble_key(drill), summary)\n", new="    assert summary\n"),
        ),
        by=Story(name="drill_ends_without_internet", trips=("drill believed",)),
    ),
    Mutant(
        name="a press a moment after a drill reads as its last act",
        edits=(
            Edit(
                file=NEWS,
                old="    over = tuple(drill for drill in d.drills_over if not drill.overtaken and drill.real_incident_id is None)\n",
                new="    over = ()\n",
            ),
        ),
        cheap=True,
        by=Story(name="drill_ended_a_moment_before", trips=("drill believed",)),
    ),
    Mutant(
        name="a call that says that the drill is over rings on after something real",
        edits=(Edit(file=NOTIFICATION, old="    if now.drill_overtaken:\n", new="    if False:\n"),),
        by=Tests(paths=("tests/engine/test_drills_over.py",), names="promise 3 broken"),
    ),
    Mutant(
        name="an answer in the thread of notices goes by what another phone of theirs was told of a drill",
        edits=(
            Edit(
                file="alertd/engine/draft.py",
                old="        return here or tuple(told for told in of_person if self._are_texts(told.endpoint_key, endpoint)) or of_person\n",
                new="        return here or of_person\n",
            ),
        ),
        by=Tests(paths=("tests/engine/test_drills_over.py",), names="promise 3 broken"),
    ),
    Mutant(
        name="what overtakes a lost text does not say that it is real",
        edits=(
            Edit(
                file="alertd/engine/draft.py",
                old="for drill in self.drills_over if self._is_believed_there(drill, endpoint)), None)",
                new="for drill in self.drills_over if self.stopped_drill and self._is_believed_there(drill, endpoint)), None)",
            ),
        ),
        by=Tests(paths=("tests/engine/test_drills_over.py",), names="promise 3 broken"),
    ),
    Mutant(
        name="a drill whose time is over goes on after a restart",
        edits=(
            Edit(
                file=DRILL_ENDINGS,
                old="    what, late = news.what(drill), d.now.wall_us >= drill.ends_us\n",
                new="    what, late = news.what(drill), False\n",
            ),
        ),
        by=Tests(paths=("tests/engine/test_drills_over.py",), names="a minute that has passed"),
    ),
    Mutant(
        name="a drill speaks on where what is real is not announced",
        edits=(
            Edit(
                file=DRILL_REAL,
                old="        paging.hush(d, incident.id, Reason.DRILL_IS_REAL, incident=incident, but=d.announced_at(incident))\n",
                new="        if not d.announced_at(incident):\n            paging.hush(d, incident.id, Reason.DRILL_IS_REAL, incident=incident, but=frozenset())\n",
            ),
        ),
        by=Tests(paths=("tests/engine/test_drills_over.py",), names="promise 3 broken: the drill speaks on"),
    ),
    Mutant(
        name="what is real after a drill leaves out what to do",
        edits=(
            Edit(
                file="alertd/engine/telling.py",
                old='        first = template_of(policy, own if own in policy.templates and not name.startswith("late.") else name)\n',
                new='        first = policy.templates.get(own, "{site}: {what} {time} at {short_where}. Do as trained.")\n',
            ),
        ),
        by=Story(name="drill_becomes_real"),
    ),
    Mutant(
        name="what waited in vain until the end of a drill is not called missed",
        edits=(
            Edit(
                file="alertd/console/drilling/lines.py",
                old="        return waited_s is not None and waited_s > LATE_S\n",
                new="        return False\n",
            ),
        ),
        cheap=True,
        by=Tests(paths=("tests/console/test_drill_figures.py",), names="the report calls nothing missed"),
    ),
    Mutant(
        name="a phone that rings after an incident is closed leaves no time",
        edits=(
            Edit(
                file="alertd/engine/outcomes.py",
                old="            incident_id=n.incident_id,\n",
                new="            incident_id=n.incident_id if d.incident(n.incident_id) else None,\n",
            ),
        ),
        cheap=True,
        by=Tests(paths=("tests/console/test_drill_figures.py",), names="its time is lost"),
    ),
    Mutant(
        name="a drill's report times the disk by the decision, which is before its commit",
        edits=(
            Edit(
                file="alertd/console/drilling/incidents.py",
                old="seconds=since(zero_us, times.first_begun_us))\n",
                new="seconds=since(zero_us, decided_us))\n",
            ),
        ),
        cheap=True,
        by=Tests(paths=("tests/console/test_drill_figures.py",), names="timed before the commit"),
    ),
    Mutant(
        name="packets to loudspeakers count as a message that a provider took",
        edits=(
            Edit(
                file="alertd/console/drilling/incidents.py",
                old="    others = [line for row, line in said if row.notification.kind is not Kind.PAGE]\n",
                new="    others = [line for _, line in said]\n",
            ),
        ),
        cheap=True,
        by=Tests(paths=("tests/console/test_drill_figures.py",), names="packets to loudspeakers"),
    ),
    Mutant(
        name="what loudspeakers say in a drill is written down as the live words",
        edits=(
            Edit(
                file="alertd/engine/announcing.py",
                old='    words = rules.announced(target.announcement, incident.mode) if rules else ""\n',
                new='    words = rules.announcements.get(target.announcement, "") if rules else ""\n',
            ),
        ),
        cheap=True,
        by=Story(name="drill"),
    ),
    Mutant(
        name="nobody hears that a drill is over",
        edits=(Edit(file=DRILL_ENDINGS, old="    tell_told(d, drill, Kind.DRILL_OVER, why=words)\n", new=""),),
        cheap=True,
        by=Story(name="drill_runs_out", trips=("drill ends",)),
    ),
    Mutant(
        name="drills: a press that was overtaken by the one that counted is real",
        edits=(
            Edit(
                file=DRILL_PRESSES,
                old="    if abs(since_us) <= longest_us:\n        return True\n",
                new="    if since_us != abs(since_us):\n        return False\n    if since_us <= longest_us:\n        return True\n",
            ),
        ),
        by=Story(name="drill_gesture_overtakes_itself"),
    ),
    Mutant(
        name="drills: two gateways whose clocks are apart make two gestures of one",
        edits=(
            Edit(
                file=DRILL_PRESSES,
                old="    return not press_times.waited(event) and arrived_us <= longest_us and are_clocks_apart\n",
                new="    return False\n",
            ),
        ),
        by=Tests(paths=ONE_GESTURE, names="a drill never reaches dispatch"),
    ),
    Mutant(
        name="drills: what arrives together is one gesture, whatever the device's clock says",
        edits=(
            Edit(
                file=DRILL_PRESSES,
                old="arrived_us <= longest_us and are_clocks_apart\n",
                new="arrived_us <= longest_us\n",
            ),
        ),
        by=Tests(paths=ONE_GESTURE, names="a real press ends a drill"),
    ),
    Mutant(
        name="drills: what waited on its way is one gesture with what arrived with it",
        edits=(
            Edit(
                file=DRILL_PRESSES,
                old="        boot_us=None if press_times.waited(event) else press_times.arrived_us(d, event),\n",
                new="        boot_us=press_times.arrived_us(d, event),\n",
            ),
        ),
        by=Tests(paths=ONE_GESTURE, names="a real press ends a drill"),
    ),
    Mutant(
        name="drills: a clock that is set parts a gesture",
        edits=(
            Edit(
                file=DRILL_PRESSES,
                old="    is_same_boot = before.boot_us is not None and before.boot_id == d.now.boot_id\n",
                new="    is_same_boot = False\n",
            ),
        ),
        by=Tests(paths=ONE_GESTURE, names="a real press ends a drill"),
    ),
    Mutant(
        name="drills: a clock that is set makes a gesture one of before the drill",
        edits=(
            Edit(
                file="alertd/engine/press_times.py",
                old="    return press.received_us - passed_us(before, press) - (before.received_us - before.oldest_us)\n",
                new="    return before.oldest_us\n",
            ),
        ),
        by=Tests(paths=ONE_GESTURE, names="a drill never reaches dispatch"),
    ),
    Mutant(
        name="drills: a gesture begins with the press before the last",
        edits=(
            Edit(
                file="alertd/engine/gestures.py",
                old="    began_us = min((press_times.began_us(each, press) for",
                new="    began_us = max((press_times.began_us(each, press) for",
            ),
        ),
        by=Story(name="drill_after_the_first_press"),
    ),
    Mutant(
        name="drills: what may belong to a gesture does not begin it",
        edits=(
            Edit(
                file="alertd/engine/gestures.py",
                old="for each in _live(possible) if each is not press), default",
                new="for each in certain if each is not press), default",
            ),
        ),
        by=Tests(paths=ONE_GESTURE, names="a real press ends a drill"),
    ),
    Mutant(
        name="drills: what waited since before one begins a gesture when it arrives",
        edits=(
            Edit(
                file="alertd/engine/press_times.py",
                old=" - (before.received_us - before.oldest_us)\n",
                new="\n",
            ),
        ),
        by=Tests(paths=ONE_GESTURE, names="a real press ends a drill"),
    ),
    Mutant(
        name="drills: what was counted in one counts after it",
        edits=(Edit(file=DRILL_ENDINGS, old="    _count_anew(d, drill)\n", new=""),),
        by=Story(name="drill_ends_in_a_gesture"),
    ),
    Mutant(
        name="drills: what was pressed again before the end is forgotten with it",
        edits=(
            Edit(
                file="alertd/engine/gestures.py",
                old="    others = tuple(replace(each, drilled=False) if each in certain and not press.doubtful else each for each in before)\n",
                new="    others = before\n",
            ),
        ),
        by=Tests(paths=ONE_GESTURE, names="a real press ends a drill"),
    ),
    Mutant(
        name="drills: one begins while a shot is asked about",
        edits=(
            Edit(
                file=DRILL_ORDERS,
                old="if not is_nuisance(i.incident_class) and i.is_open",
                new="if is_panic(i.incident_class) and i.is_open",
            ),
        ),
        by=Tests(paths=("tests/engine/test_drills.py",), names="nobody could tell the two apart"),
    ),
    Mutant(
        name="drills: a button that nobody has reset makes a lockdown of an assist",
        edits=(
            Edit(
                file="alertd/engine/levels.py",
                old=" and SEVERITY[x] >= SEVERITY[wanted] for x in real",
                new=" for x in real",
            ),
        ),
        by=Story(name="drill_leaves_a_button_on_and_somebody_falls", trips=("lasting states",)),
    ),
    Mutant(
        name="drills: a button that nobody has reset calls a nurse into a lockdown",
        edits=(
            Edit(
                file="alertd/engine/levels.py",
                old="any(incidents.same_cry(x, wanted) and SEVERITY",
                new="any(SEVERITY",
            ),
        ),
        by=Tests(paths=("tests/engine/test_levels.py",), names="to where nobody has called"),
    ),
    Mutant(
        name="drills: a shot that is heard in one reads like a part of it",
        edits=(
            Edit(
                file="alertd/engine/telling.py",
                old="    if d.goes_on_beside_drill(incident, endpoint):\n",
                new="    if False:\n",
            ),
        ),
        by=Story(name="shot_in_a_drill"),
    ),
    Mutant(
        name="drills: what somebody texts who stands before a gunman is a part of one",
        edits=(
            Edit(
                file="alertd/engine/replies.py",
                old="key=lambda p: (p.mode is not Mode.LIVE, -p.severity)",
                new="key=lambda p: -p.severity",
            ),
        ),
        by=Story(name="seen_in_a_drill"),
    ),
    Mutant(
        name="drills: a call of a shot that is heard in one sounds like a part of it",
        edits=(
            Edit(
                file="alertd/engine/calls.py",
                old="if d.goes_on_beside_drill(incident, n.endpoint) else None",
                new="if False else None",
            ),
        ),
        by=Tests(paths=("tests/engine/test_drills.py",), names="promise 3 broken"),
    ),
    Mutant(
        name="drills: who may not know of the end takes a shot for a part of it",
        edits=(
            Edit(
                file="alertd/engine/draft.py",
                old="for drill in (*running, *self.drills_over))",
                new="for drill in running)",
            ),
        ),
        by=Tests(paths=("tests/engine/test_drills.py",), names="the end is on its way"),
    ),
)
