# ruff: noqa: E501 - what is changed is quoted as it stands in the source
"""Mutants of the loudspeakers: who waits, who hears, when there is quiet. Caught by stories, and on simulated days."""

from alertd_simulator.world.plan import LoudspeakersDown
from mutation.mutant import Edit, Mutant, Seeds, Story, Tests

CLAIM_GATE = "alertd/store/claim_gate.py"
ANNOUNCING = "alertd/engine/announcing.py"
PAGING = "alertd/engine/paging.py"
NOTIFICATION = "alertd/model/notification.py"
PACER = "adapters/alertd_adapters/rtp/pacer.py"
PACER_TESTS = "tests/adapters/rtp/test_pacer_process.py"
SWITCH_DOWN_FOR_A_MINUTE = tuple(
    LoudspeakersDown(at_s=100.0 * number, lasts_s=80.0, mood="switch down") for number in range(1, 6)
)
"""So that many an announcement is too late. On a stated day the loudspeakers seldom fail, and then seldom for long."""

LOUDSPEAKERS = (
    Mutant(
        name="late press to PA",
        edits=(
            Edit(file=ANNOUNCING, old="    if incident.dispatch_hold is Reason.LATE_HOLD:\n", new="    if False:\n"),
        ),
        cheap=True,
        by=Story(name="late_press", trips=("late waits",)),
    ),
    Mutant(
        name="the announcement is repeated after a correction",
        edits=(
            Edit(
                file=ANNOUNCING,
                old="    over = incident.escalation is EscalationState.STOPPED  # corrected, or its rooms are being released\n",
                new="    over = False\n",
            ),
            Edit(
                file=NOTIFICATION,
                old="or (incident_stopped and kind in CALLS)\n",
                new="or (incident_stopped and kind in CALLS - {Kind.PAGE})\n",
            ),
        ),
        cheap=True,
        by=Story(name="correction", trips=("quiet",)),
    ),
    Mutant(
        name="the announcement is repeated for ever",
        edits=(
            Edit(
                file=ANNOUNCING,
                old="    _say(d, incident, running, Saying(repeat=repeat, reason=Reason.ANNOUNCED_AGAIN, suppressed=why_not))\n",
                new="    _say(d, incident, running, Saying(repeat=repeat, reason=Reason.ANNOUNCED_AGAIN, suppressed=why_not))\n"
                "    for more in range(1, 4):\n"
                "        _say(d, incident, running, Saying(repeat=repeat + 10 * more, reason=Reason.ANNOUNCED_AGAIN))\n",
            ),
        ),
        cheap=True,
        by=Story(name="first_press", trips=("announcements",)),
    ),
    Mutant(
        name="the loudspeakers of the other school speak",
        edits=(
            Edit(
                file=ANNOUNCING,
                old="        endpoint = d.site.loudspeakers.get(target.id)\n        if endpoint is None:\n",
                new="        schools = [s for s in d.facts.registry.sites.values() if s.loudspeakers and s.id != d.site.id]\n"
                "        endpoint = schools[0].loudspeakers.get(target.id) if schools else None\n        if endpoint is None:\n",
            ),
        ),
        cheap=True,
        by=Seeds(trips=("loudspeaker words",)),
    ),
    Mutant(
        name="pa stop also stops escalation",
        edits=(
            Edit(
                file=PAGING,
                old="            silenced = d.put(replace(incident, announcing=replace(incident.announcing, ended=True)))\n",
                new="            from alertd.engine.lifecycle import Move\n"
                "            silenced = d.put(replace(incident, announcing=replace(incident.announcing, ended=True)))\n"
                "            silenced = d.escalate(silenced, Move.STOP)\n",
            ),
        ),
        cheap=True,
        by=Story(name="loudspeakers_are_silenced", trips=("quiet",)),
    ),
    Mutant(
        name="pa stop forgets what waits and what comes again",
        edits=(
            Edit(file=PAGING, old="    d.withdraw_pages(Reason.SILENCED)\n", new=""),
            Edit(
                file=PAGING,
                old="        if incident.announcing is not None and not incident.announcing.ended:\n",
                new="        if False:\n",
            ),
        ),
        cheap=True,
        by=Story(name="loudspeakers_are_silenced", trips=("quiet",)),
    ),
    Mutant(
        name="words that pa stop overtook ring the technician",
        edits=(
            Edit(
                file="alertd/engine/outcomes.py",
                old="        why = why or Reason.SILENCED  # nothing else takes back what a loudspeaker was given\n",
                new="        pass\n",
            ),
        ),
        cheap=True,
        by=Story(name="quiet_overtakes_words"),
    ),
    Mutant(
        name="words that pa stop overtook are said all the same",
        edits=(
            Edit(
                file="adapters/alertd_adapters/rtp/pacer_process.py",
                old="        order = self._still_wanted(order)\n        if not order.groups:\n",
                new="        if False:\n",
            ),
        ),
        by=Tests(paths=(PACER_TESTS,), names="said after quiet was ordered"),
    ),
    Mutant(
        name="nobody looks whether the pacer is alive",
        edits=(
            Edit(
                file="adapters/alertd_adapters/rtp/pacer_process.py",
                old="            unanswered = 0 if self._is_heard else unanswered + 1\n",
                new="            unanswered = 0\n",
            ),
        ),
        by=Tests(paths=(PACER_TESTS,), names="nobody noticed that the pacer had stopped"),
    ),
    Mutant(
        name="a pacer that does nothing it is told is kept",
        edits=(
            Edit(
                file="adapters/alertd_adapters/rtp/pacer_process.py",
                old='remedy="it is killed and started again")\n        _kill(self._process)\n',
                new='remedy="it is killed and started again")\n',
            ),
        ),
        by=Tests(paths=(PACER_TESTS,), names="the pacer that does nothing was kept"),
    ),
    Mutant(
        name="an old order for quiet cuts a new lockdown",
        edits=(
            Edit(
                file=CLAIM_GATE,
                old="            return any(not is_quiet(n) for n in found)\n",
                new="            return False\n",
            ),
        ),
        cheap=True,
        by=Story(name="quiet_that_is_too_old", trips=("later cuts earlier",)),
    ),
    Mutant(
        name="an announcement whose fate nobody knows cuts its own repeat",
        edits=(
            Edit(
                file=CLAIM_GATE,
                old="        return of is not None and any(n.incident_id == of and n.endpoint.key == key for n in found)\n",
                new="        return False and of is not None and any(n.endpoint.key == key for n in found)\n",
            ),
        ),
        by=Story(name="announcement_overtakes_itself", trips=("later cuts earlier",)),
    ),
    Mutant(
        name="the pacer waits behind every other program",
        edits=(
            Edit(file=PACER, old="        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))\n", new=""),
        ),
        by=Tests(paths=("tests/adapters/rtp/test_pacer.py",), names="real time is not asked for"),
    ),
    Mutant(
        name="quiet whose fate nobody knows is not ordered again",
        edits=(Edit(file=PAGING, old="        resend_unknown=stop,", new="        resend_unknown=False,"),),
        cheap=True,
        by=Story(name="quiet_over_a_restart"),
    ),
    Mutant(
        name="a drill that was ended speaks on",
        edits=(
            Edit(
                file="alertd/engine/drills/endings.py",
                old="    if said:\n        paging.hush(",
                new="    if False:\n        paging.hush(",
            ),
        ),
        cheap=True,
        by=Story(name="drill_ends_in_mid_word", trips=("later cuts earlier",)),
    ),
    Mutant(
        name="the end of a drill cuts what is real in a part of the school",
        edits=(Edit(file=PACER, old=" or talk.rank > up_to]\n", new="]\n"),),
        by=Tests(paths=("tests/adapters/rtp/test_pacer.py",), names="what is real is cut by the end of a drill"),
    ),
    Mutant(
        name="words that took long to speak cut what was pressed meanwhile",
        edits=(Edit(file=PACER, old=" and t.turn >= turn)", new=' and not order["cuts"])'),),
        by=Tests(paths=(PACER_TESTS,), names="older words cut the lockdown"),
    ),
    Mutant(
        name="an announcement older than its expiry is spoken",
        edits=(Edit(file=ANNOUNCING, old="EXPIRES_S = 30\n", new="EXPIRES_S = 300\n"),),
        by=Seeds(plus=SWITCH_DOWN_FOR_A_MINUTE, trips=("fresh voice",)),
    ),
    Mutant(
        name="a second room starts the announcement anew",
        edits=(Edit(file=ANNOUNCING, old="    if anew:\n", new="    if True:\n"),),
        cheap=True,
        by=Story(name="second_room", trips=("announcements",)),
    ),
    Mutant(
        name="a school whose law wants silence hears it",
        edits=(Edit(file=ANNOUNCING, old="    if not rules.audible:\n", new="    if False:\n"),),
        cheap=True,
        by=Story(name="silent_school", trips=("loudspeaker words",)),
    ),
    Mutant(
        name="in one commit, older words cut newer ones",
        edits=(
            Edit(
                file="alertd/daemon/intake.py",
                old="                now = _later(self._clock.now(), now, decisions)\n",
                new="                now = self._clock.now()\n",
            ),
        ),
        by=Tests(paths=("tests/daemon/test_intake.py",), names="what was decided first is said last"),
    ),
    Mutant(
        name="loudspeakers wait until somebody answers",
        edits=(
            Edit(
                file="alertd/engine/escalation.py",
                old="    incident = announcing.announce(d, incident, incident.step, call.reason)\n",
                new="",
            ),
        ),
        cheap=True,
        by=Story(name="first_press", trips=("announcements",)),
    ),
)
