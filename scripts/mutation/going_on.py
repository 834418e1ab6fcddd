# ruff: noqa: E501 - what is changed is quoted as it stands in the source
"""Mutants in what goes on until somebody goes: steps, news, timers, answers, ends. Caught in simulated days."""

from alertd_simulator.world.plan import ClockStep, Gesture, Press, Reply
from mutation.mutant import Edit, Mutant, Seeds, Story, Tests

PRESSES = "alertd/engine/presses.py"
INCIDENTS = "alertd/engine/incidents.py"
ESCALATION = "alertd/engine/escalation.py"
ANSWERS = "alertd/engine/answers.py"
TEXTS = "alertd/engine/texts.py"
TEXTS_BACK = "alertd/engine/texts_back.py"
REPLIES = "alertd/engine/replies.py"
SQLITE = "alertd/store/sqlite.py"
EARLIER = "alertd/store/earlier_boots.py"

GRAVER_MEANWHILE = (
    Press(at_s=2.0, name="assist", device="button-office", gesture=Gesture.THREE),
    Press(at_s=5.0, name="lockdown", device="button-office", gesture=Gesture.EIGHT),
    *(
        Reply(at_s=round(4.6 + number * 0.1, 2), person=person, body="4{token}", about="STAFF ASSIST")
        for number, person in enumerate(("chen", "patel", "gray") * 4)
    ),
)
"""People answer an assist while it becomes a lockdown. It befalls few answers of a stated day."""

CLOCK_SET_FORWARD = tuple(ClockStep(at_s=at_s, by_s=100.0) for at_s in (90.0, 170.0, 250.0, 330.0))
"""A step shows early timers only while some run, and before alertd has noticed it."""

GOING_ON = (
    Mutant(
        name="second room merged silently",
        edits=(
            Edit(
                file=INCIDENTS,
                old="    if known is None or _cries_again(incident, known, press):\n        return news(d, incident, press)\n",
                new="    if known is None:\n        known = incident.presses[0]\n"
                "    if _cries_again(incident, known, press):\n        return news(d, incident, press)\n",
            ),
        ),
        cheap=True,
        by=Seeds(trips=("further room",)),
    ),
    Mutant(
        name="a second room stands in the incident, and nobody is told",
        edits=(
            Edit(
                file=INCIDENTS,
                old="    tell_told(\n        d,\n        incident,\n"
                '        Message(kind=Kind.ALSO, template="also", reason=Reason.NEWS, occasion=f"also/{press.id}"),\n    )\n',
                new="",
            ),
        ),
        cheap=True,
        by=Seeds(trips=("further room",)),
    ),
    Mutant(
        name="late press to dispatch without a human",
        edits=(
            Edit(
                file="alertd/engine/dispatch_hold.py",
                old="    if press.late:\n        return Reason.LATE_HOLD\n",
                new="",
            ),
        ),
        cheap=True,
        by=Seeds(needs=("crash:night",), trips=("late waits",)),
    ),
    Mutant(
        name="a press of the night passes for one of now",
        edits=(
            Edit(
                file="alertd/engine/routing.py",
                old="        oldest_us=pressed_us if pressed_us is not None else min(waited_since, arrival.received_us),\n",
                new="        oldest_us=arrival.received_us,\n",
            ),
        ),
        cheap=True,
        by=Seeds(needs=("crash:night",), trips=("late waits",)),
    ),
    Mutant(
        name="a late press does not say when it was made",
        edits=(
            Edit(
                file="alertd/engine/escalation.py",
                old="    if not press.late:\n        return Call(",
                new="    if True:\n        return Call(",
            ),
        ),
        cheap=True,
        by=Story(name="late_press"),
    ),
    Mutant(
        name="every press has a cancel window",
        edits=(
            Edit(
                file=INCIDENTS,
                old="    if incident_class is IncidentClass.STAFF_ASSIST and policy.cancel_window_s > 0 and not press.late:\n",
                new="    if not press.late:\n",
            ),
            Edit(
                file=INCIDENTS,
                old="        d.timer(TimerKind.CANCEL_WINDOW, policy.cancel_window_s, incident)\n",
                new="        d.timer(TimerKind.CANCEL_WINDOW, 20, incident)\n",
            ),
        ),
        cheap=True,
        by=Seeds(trips=("first text",)),
    ),
    Mutant(
        name="exhausted goes quiet",
        edits=(
            Edit(
                file=ESCALATION,
                old='reaches nobody at all", rings=True)\n    d.timer(TimerKind.WIDEN, WIDEN_S, incident, number=incident.round)\n',
                new='reaches nobody at all", rings=True)\n',
            ),
        ),
        by=Seeds(trips=("never silent",)),
    ),
    Mutant(
        name="exhausted is an end",
        edits=(
            Edit(
                file=ESCALATION,
                old="    if not is_panic(incident.incident_class):\n        d.entry(EntryKind.ESCALATION, Reason.EXHAUSTED_SITE,",
                new="    if incident.told:\n        d.entry(EntryKind.ESCALATION, Reason.EXHAUSTED_SITE,",
            ),
        ),
        by=Seeds(trips=("only humans end",)),
    ),
    Mutant(
        name="a step is skipped",
        edits=(
            Edit(
                file=ESCALATION,
                old="    begin(d, incident, number + 1, call_for(",
                new="    begin(d, incident, number + 2, call_for(",
            ),
        ),
        cheap=True,
        by=Seeds(trips=("whole step",)),
    ),
    Mutant(
        name="of each step only the first person is asked",
        edits=(
            Edit(
                file=ESCALATION,
                old="    people = people_of(registry, incident.site_id, _of_site(d, incident, step.targets), d.now.wall_us)\n",
                new="    people = people_of(registry, incident.site_id, _of_site(d, incident, step.targets), d.now.wall_us)[:1]\n",
            ),
        ),
        cheap=True,
        by=Seeds(trips=("whole step",)),
    ),
    Mutant(
        name="whoever goes and never arrives is believed",
        edits=(
            Edit(
                file=ANSWERS,
                old="    if stale or arrived or incident.state is not IncidentState.ACTIVE:\n",
                new="    if stale or since or incident.state is not IncidentState.ACTIVE:\n",
            ),
        ),
        by=Seeds(trips=("everybody was asked",)),
    ),
    Mutant(
        name="timer lost on restart",
        edits=(
            Edit(
                file=EARLIER,
                old="    for statement in REANCHOR_SQLITE:\n",
                new='    for statement in ("DELETE FROM timer", *REANCHOR_SQLITE):\n',
            ),
        ),
        by=Seeds(needs=("crash",), trips=("punctual timers",)),
    ),
    Mutant(
        name="timers of before a power cut are forgotten",
        edits=(
            Edit(
                file=EARLIER,
                old="    for statement in REANCHOR_SQLITE:\n",
                new="    for statement in REANCHOR_SQLITE[1:]:\n",
            ),
        ),
        by=Seeds(needs=("crash:power",), trips=("nothing overdue",)),
    ),
    Mutant(
        name="clock step fires all timers",
        edits=(
            Edit(
                file="alertd/store/sql.py",
                old='timer WHERE boot_id = ? AND due_boot_us <= ? ORDER BY due_boot_us, id LIMIT ?"',
                new='timer WHERE boot_id = ? AND due_wall_us <= ? ORDER BY due_boot_us, id LIMIT ?"',
            ),
            Edit(
                file=SQLITE,
                old="sql.READ_DUE_TIMERS, (self._opened_clock.boot_id, now.boot_us, limit)",
                new="sql.READ_DUE_TIMERS, (self._opened_clock.boot_id, now.wall_us, limit)",
            ),
        ),
        by=Seeds(plus=CLOCK_SET_FORWARD, trips=("punctual timers",)),
    ),
    Mutant(
        name="a clock that is set ahead throws away what waits",
        edits=(
            Edit(
                file="alertd/model/notification.py",
                old="    if notification.expires_boot_us is not None and notification.boot_id == now.boot_id:\n",
                new="    if notification.expires_boot_us is not None and not now.wall_us:\n",
            ),
            Edit(
                file="alertd/store/sql.py",
                old="UPDATE notification SET expires_us = expires_boot_us + ? WHERE",
                new="UPDATE notification SET expires_us = expires_us + 0 * ? WHERE",
            ),
        ),
        cheap=True,
        by=Story(name="clock_set_forward_while_texts_wait", trips=("expiry",)),
    ),
    Mutant(
        name="troubles are never cleared",
        edits=(
            Edit(
                file="alertd/engine/troubles.py",
                old="    if trouble is None:\n        return\n    now_us = d.now.wall_us\n",
                new="    if trouble is None or not trouble.acknowledged_by:\n        return\n    now_us = d.now.wall_us\n",
            ),
        ),
        by=Seeds(needs=("disk_full", "broker_down", "clock_step"), trips=("troubles clear",)),
    ),
    Mutant(
        name="a step waits as long as the step before it",
        edits=(
            Edit(
                file=ESCALATION,
                old="            d.timer(TimerKind.STEP, step.wait_s, incident, number=index)\n",
                new="            d.timer(TimerKind.STEP, policy.steps[max(0, index - 1)].wait_s, incident, number=index)\n",
            ),
        ),
        cheap=True,
        by=Seeds(trips=("steps in time",)),
    ),
    Mutant(
        name="a step's timer of before a pause still counts",
        edits=(
            Edit(
                file=ESCALATION,
                old="    stale = incident.step != number or str(incident.generation) != generation\n    if stale or incident.escalation is not EscalationState.RUNNING",
                new="    stale = incident.step != number\n    if stale or incident.escalation is not EscalationState.RUNNING",
            ),
        ),
        by=Seeds(trips=("steps in time",)),
    ),
    Mutant(
        name="an answer that lapsed counts when somebody else cannot go",
        edits=(
            Edit(
                file=ANSWERS,
                old="    incident = d.put(replace(incident, counted_from=len(incident.answers)))\n    incident = escalation.restart",
                new="    incident = escalation.restart",
            ),
        ),
        cheap=True,
        by=Story(name="lapsed_and_cannot_go", trips=("acknowledgement",)),
    ),
    Mutant(
        name="who cannot go confirms a late press to dispatch",
        edits=(
            Edit(
                file=ANSWERS,
                old="incident.dispatch_hold is None or kind is AnswerKind.CANNOT_GO or not _confirms",
                new="incident.dispatch_hold is None or not _confirms",
            ),
        ),
        cheap=True,
        by=Story(name="late_press_cannot_go", trips=("late waits",)),
    ),
    Mutant(
        name="a reaction in another language is passed on as somebody's words",
        edits=(
            Edit(
                file="alertd/engine/replies.py",
                old="eply [0-9]{3,} ",
                new="eply [0-9]{33,} ",
            ),
        ),
        cheap=True,
        by=Tests(paths=("tests/engine/test_replies.py",), names="everybody reads it as what an eyewitness says"),
    ),
    Mutant(
        name="what an eyewitness writes below a text of ours is taken for a reaction",
        edits=(
            Edit(
                file="alertd/engine/replies.py",
                old='[^\\"”»]*[\\"“”»]"',
                new='.*"',
            ),
        ),
        by=Tests(paths=("tests/engine/test_replies.py",), names="what an eyewitness says reaches nobody"),
    ),
    Mutant(
        name="ack by tapback",
        edits=(
            Edit(
                file=REPLIES,
                old="        return Reply(meaning=Meaning.REACTION, incident=about)\n",
                new="        return Reply(meaning=Meaning.CODE, digit=4, incident=about)\n",
            ),
        ),
        by=Seeds(trips=("acknowledgement",)),
    ),
    Mutant(
        name="ack by auto-reply",
        edits=(
            Edit(
                file=REPLIES,
                old="        return Reply(meaning=Meaning.AUTOMATIC, incident=about)\n",
                new="        return Reply(meaning=Meaning.CODE, digit=4, incident=about)\n",
            ),
        ),
        by=Seeds(trips=("acknowledgement",)),
    ),
    Mutant(
        name="ack on delivery",
        edits=(
            Edit(
                file="alertd/engine/outcomes.py",
                old="    if not isinstance(outcome, Delivered):\n        return\n",
                new="    if not isinstance(outcome, Delivered):\n        return\n"
                "    person = d.facts.registry.by_address.get(n.endpoint.key)\n"
                "    if incident is not None and person is not None:\n"
                "        from alertd.engine import answers\n"
                "        kind = answers.DIGITS[4]\n"
                "        answers.take(d, incident, person, kind, via=n.endpoint.channel, covers=len(incident.presses))\n",
            ),
        ),
        cheap=True,
        by=Seeds(trips=("acknowledgement",)),
    ),
    Mutant(
        name="the code of another incident counts",
        edits=(
            Edit(
                file=REPLIES,
                old="    spoken_of = next((p for p in known if p.token == token), None)\n",
                new="    spoken_of = known[0] if known else None\n",
            ),
        ),
        cheap=True,
        by=Seeds(trips=("acknowledgement",)),
    ),
    Mutant(
        name="an answer covers presses that came after it",
        edits=(
            Edit(
                file=TEXTS,
                old="covers=_known_at(incident, event.at_us))",
                new="covers=len(incident.presses))",
            ),
        ),
        by=Seeds(trips=("acknowledgement",)),
    ),
    Mutant(
        name="an answer covers what the incident has become since",
        edits=(
            Edit(
                file=TEXTS,
                old="    if incident.upgraded_us and at_us < incident.upgraded_us + READ_US:\n",
                new="    if False:\n",
            ),
        ),
        by=Seeds(plus=GRAVER_MEANWHILE, trips=("acknowledgement",)),
    ),
    Mutant(
        name="a text that is read twice is answered twice",
        edits=(
            Edit(
                file=TEXTS,
                old='    if d.facts.seen_us is not None:\n        d.entry(EntryKind.ANSWER, Reason.DUPLICATE, "this',
                new='    if False:\n        d.entry(EntryKind.ANSWER, Reason.DUPLICATE, "this',
            ),
            Edit(
                file=TEXTS_BACK,
                old="id=answer_id(event.cause),\n",
                new='id=answer_id(type(event.cause)(f"{event.cause}/{d.now.boot_us}")),\n',
            ),
        ),
        by=Seeds(trips=("one reply, one answer",)),
    ),
    Mutant(
        name="a bare 2xx of dispatch counts as accepted",
        edits=(
            Edit(
                file="alertd/engine/dispatch_answers.py",
                old="        said = DispatchState.RECEIVED\n",
                new="        said = DispatchState.ACCEPTED\n",
            ),
        ),
        by=Seeds(trips=("dispatch's word",)),
    ),
    Mutant(
        name="the presser is shown that somebody comes before anybody has said so",
        edits=(
            Edit(
                file=PRESSES,
                old="        d.confirm(device.id, FeedbackState.RECEIVED)\n",
                new="        d.confirm(device.id, FeedbackState.RESPONDER_ACCEPTED)\n",
            ),
        ),
        cheap=True,
        by=Seeds(trips=("honest feedback",)),
    ),
)
