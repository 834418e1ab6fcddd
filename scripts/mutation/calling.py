# ruff: noqa: E501 - what is changed is quoted as it stands in the source
"""Mutants of calls: who is rung, how often, and what counts as an answer. Caught by quick tests, and on simulated days."""

from mutation.mutant import Edit, Mutant, Seeds, Story, Tests

TEXTS_BACK = "alertd/engine/texts_back.py"
CALLS = "alertd/engine/calls.py"
OUTCOMES = "alertd/engine/outcomes.py"
TAKEN = "    if n.kind is Kind.PAGE:\n        announcing.was_taken(d, n, incident)\n"
"""After a carrier's word was taken up, and before anything follows from it."""
ON_A_MACHINE = '    if outcome.detail.startswith("voicemail") and incident is not None:\n'
BY_TEST = ("tests/engine/test_calls.py",)
KEYS = ("tests/engine/test_keys.py",)
PASSED = Edit(
    file="alertd/daemon/lines.py",
    old="        return n.endpoint.address not in line.held()\n",
    new="        return False\n",
)
"""What repeats does not stand back for a first call to the same phone."""

CALLING = (
    Mutant(
        name="ack on voicemail",
        edits=(
            Edit(
                file=OUTCOMES,
                old=TAKEN,
                new=TAKEN
                + ON_A_MACHINE
                + "        owner = d.facts.registry.by_address[n.endpoint.key]\n"
                + "        from alertd.engine import answers\n"
                + '        answers.take(d, incident, owner, answers.AnswerKind.GOING, via="voicemail", covers=len(incident.presses))\n',
            ),
        ),
        by=Seeds(trips=("acknowledgement",)),
    ),
    Mutant(
        name="a machine undoes a key",
        edits=(
            Edit(
                file=OUTCOMES,
                old=TAKEN,
                new=TAKEN
                + ON_A_MACHINE
                + "        kept = tuple(a for a in incident.answers if a.via != n.endpoint.channel)\n"
                + '        d.put(__import__("msgspec").structs.replace(incident, answers=kept))\n',
            ),
        ),
        by=Seeds(trips=("carrier undoes nothing",)),
    ),
    Mutant(
        name="responders are texted and not called",
        edits=(
            Edit(
                file="alertd/engine/telling.py",
                old="calls.quiet(d, channels) if hides else channels",
                new="calls.quiet(d, channels)",
            ),
        ),
        by=Seeds(trips=("responders are called",)),
    ),
    Mutant(
        name="a phone that hides rings although another text reaches it",
        edits=(Edit(file="alertd/engine/audience.py", old="    if hides:", new="    if False:"),),
        cheap=True,
        by=Tests(paths=BY_TEST, names="their phone rings where people hide"),
    ),
    Mutant(
        name="calls are said to be placed, and are not",
        edits=(
            Edit(
                file="adapters/alertd_adapters/twilio/voice.py",
                old="            response = await self._switchboard.place(self._form(n, script))\n",
                new='            response = HttpResponse(status=201, body=b\'{"sid": "CA1", "status": "queued"}\')\n',
            ),
        ),
        by=Seeds(trips=("deliveries",)),
    ),
    Mutant(
        name="a phone that nobody takes rings for ever",
        edits=(Edit(file=CALLS, old="REDIALS_MAX = 2\n", new="REDIALS_MAX = 2_000\n"),),
        cheap=True,
        by=Tests(paths=BY_TEST, names="at most three times"),
    ),
    Mutant(
        name="phones ring again though somebody goes",
        edits=(Edit(file=CALLS, old="    if not _is_looking(incident):\n", new="    if False:\n"),),
        cheap=True,
        by=Tests(paths=BY_TEST, names="somebody goes already"),
    ),
    Mutant(
        name="the presser's own phone rings",
        edits=(
            Edit(
                file=CALLS,
                old="    if any(press.assigned_to == person.id for press in incident.presses):\n",
                new="    if False:\n",
            ),
            Edit(  # the second guard, in the transaction that claims the call
                file="alertd/model/notification.py",
                old="recipient_pressed=person_id is not None and any(p.assigned_to == person_id for p in incident.presses),",
                new="recipient_pressed=False,",
            ),
        ),
        by=Seeds(trips=("no needless calls", "responders are called")),
    ),
    Mutant(
        name="a key covers rooms that the call did not speak of",
        edits=(
            Edit(
                file="alertd/engine/keys.py",
                old="max(1, min(event.presses, len(incident.presses)))",
                new="len(incident.presses)",
            ),
        ),
        cheap=True,
        by=Tests(paths=BY_TEST, names="the second room is covered by nobody"),
    ),
    Mutant(
        name="phones ring on after the end",
        edits=(
            Edit(
                file="alertd/daemon/recall.py",
                old="        abilities = self._abilities()\n",
                new="        abilities: dict[str, Recalling] = {}\n",
            ),
        ),
        by=Seeds(trips=("phones fall silent",)),
    ),
    Mutant(
        name="whoever listens to what says that a drill begins hears it to its end",
        edits=(
            Edit(
                file="alertd/daemon/recall.py",
                old="        return [r for r in rows if r.state is NotificationState.DELIVERED and r.notification.mode is Mode.DRILL]\n",
                new="        return [r for r in rows if r.state is NotificationState.DELIVERED and r.notification.incident_id]\n",
            ),
        ),
        by=Tests(paths=("tests/daemon/test_recall.py",), names="a voice goes on saying that a drill begins"),
    ),
    Mutant(
        name="a drill's call keeps the line from a real one",
        edits=(
            Edit(
                file="adapters/alertd_adapters/twilio/voice.py",
                old="        if not held.drill or n.mode is not Mode.LIVE:\n",
                new="        if True:\n",
            ),
        ),
        cheap=True,
        by=Tests(paths=("tests/adapters/twilio/test_voice_recall.py",), names="it waits for a drill"),
    ),
    Mutant(
        name="a line is held for minutes after its call",
        edits=(
            Edit(
                file="adapters/alertd_adapters/twilio/voice_poller.py",
                old="        for held in holding:\n",
                new="        for held in ():\n",
            ),
        ),
        cheap=True,
        by=Tests(
            paths=("tests/adapters/twilio/test_voice_lines.py",), names="the line is held for a call that is over"
        ),
    ),
    Mutant(
        name="calls that repeat go before first calls",
        edits=(Edit(file=CALLS, old="lane=Lane.NEXT if rang else n.lane", new="lane=n.lane"),),
        by=Story(name="second_school_is_called_first", trips=("first calls first",)),
    ),
    Mutant(
        name="a phone that is held uses up the rate",
        edits=(
            Edit(
                file="alertd/daemon/dispatch.py",
                old="            if isinstance(outcome, Failed) and outcome.not_tried:\n                desk.bucket.give_back()\n",
                new="            if False:\n                desk.bucket.give_back()\n",
            ),
        ),
        cheap=True,
        by=Tests(paths=("tests/daemon/test_dispatch.py",), names="waits for those who cannot"),
    ),
    Mutant(
        name="a repeat is born claimed while first calls wait",
        edits=(
            Edit(
                file="alertd/daemon/dispatch.py",
                old="        if not self._starved:\n            return room\n",
                new="        return room\n",
            ),
        ),
        cheap=True,
        by=Tests(paths=("tests/daemon/test_dispatch.py",), names="a repeat passes first calls that wait"),
    ),
    Mutant(
        name="a phone that is free rings for whoever happens to try next",
        edits=(
            Edit(
                file="alertd/daemon/lines.py",
                old="            if keys := self._held_up.get(name, set()) - held:\n",
                new="            if keys := set[str]():\n",
            ),
            PASSED,
        ),
        by=Story(name="held_phone_hears_the_new_school_first", trips=("first calls first",)),
    ),
    Mutant(
        name="what was claimed before the phone was free passes a first call",
        edits=(PASSED,),
        cheap=True,
        by=Tests(paths=("tests/daemon/test_lines.py",), names="it waits for a call that repeats it"),
    ),
    Mutant(
        name="while a first call is let go, what repeats passes it",
        edits=(
            Edit(
                file="alertd/daemon/lines.py",
                old="                self._first_let_go |= self._first & keys\n",
                new="",
            ),
        ),
        cheap=True,
        by=Tests(paths=("tests/daemon/test_lines.py",), names="it waits for a call that repeats it"),
    ),
    Mutant(
        name="while it is written down that a first call found its phone held, what repeats passes it",
        edits=(
            Edit(
                file="alertd/daemon/lines.py",
                old="            self._found_held[n.id] = n.endpoint.key\n",
                new="            self._first.add(n.endpoint.key)\n",
            ),
        ),
        cheap=True,
        by=Tests(paths=("tests/daemon/test_lines.py",), names="it waits for a call that repeats it"),
    ),
    Mutant(
        name="a start forgets which phones our calls have",
        edits=(
            Edit(
                file="adapters/alertd_adapters/twilio/voice_calls.py",
                old="        for row in rows:\n            self._hold(",
                new="        for row in ():\n            self._hold(",
            ),
        ),
        by=Story(name="restart_knows_which_phones_ring", trips=("one call a phone",)),
    ),
    Mutant(
        name="a call that only its callback names has no phone",
        edits=(
            Edit(
                file="adapters/alertd_adapters/twilio/voice_calls.py",
                old="        if held is not None and not held.sid and sid not in self._over:",
                new="        if False:",
            ),
        ),
        cheap=True,
        by=Tests(paths=("tests/adapters/twilio/test_voice_lines.py",), names="our own call is found busy"),
    ),
    Mutant(
        name="phones that say this is real ring on after a correction",
        edits=(
            Edit(
                file="alertd/model/notification.py",
                old="    if n.kind is Kind.DRILL_STOPPED and n.body:",
                new="    if False:",
            ),
        ),
        by=Story(name="corrected_before_anyone_hears_this_is_real", trips=("phones fall silent",)),
    ),
    Mutant(
        name="to find our own call on the phone uses up the tries",
        edits=(
            Edit(file=OUTCOMES, old="    if failed.not_tried:\n", new="    if False:\n"),
            Edit(file=OUTCOMES, old="ATTEMPTS_ROUTINE = 4\n", new="ATTEMPTS_ROUTINE = 2\n"),
        ),
        by=Story(name="vape_waits_for_a_held_phone", trips=("tried before giving up",)),
    ),
    Mutant(
        name="the line of a call that was taken back stays held",
        edits=(
            Edit(
                file="adapters/alertd_adapters/twilio/voice.py",
                old="            self._lines.ended(sid)\n        return call, cut_off\n",
                new="            pass\n        return call, cut_off\n",
            ),
        ),
        cheap=True,
        by=Tests(
            paths=("tests/adapters/twilio/test_voice_recall.py",), names="the line is held for a call that is over"
        ),
    ),
    Mutant(
        name="old words ring after new ones",
        edits=(
            Edit(
                file="alertd/model/notification.py",
                old="    if life.overtaken:",
                new="    if False:",
            ),
        ),
        by=Story(name="words_that_are_overtaken", trips=("fresh words",)),
    ),
    Mutant(
        name="key 8 locks the school down",
        edits=(
            Edit(
                file="alertd/engine/keys.py",
                old='answers.escalate_by_human(d, event.cause, person, incident, event.digit, by="key")',
                new='answers.escalate_by_human(d, event.cause, person, incident, 9, by="key")',
            ),
        ),
        cheap=True,
        by=Tests(paths=KEYS, names="key 8 asks for Hold and for nothing more"),
    ),
    Mutant(
        name="a second 4 in one call is taken for the first",
        edits=(
            Edit(
                file="adapters/alertd_adapters/twilio/voice_callbacks.py",
                old="{asked.sid}:{asked.turn}:{key}",
                new="{asked.sid}:{key}",
            ),
        ),
        cheap=True,
        by=Tests(paths=("tests/adapters/twilio/test_voice_answers.py",), names="the second room is answered by nobody"),
    ),
    Mutant(
        name="answers wait behind the staff's texts",
        edits=(
            Edit(
                file=TEXTS_BACK,
                old="    return Lane.ANSWER if is_news else Lane.NEXT\n",
                new="    return Lane.NEXT\n",
            ),
        ),
        cheap=True,
        by=Tests(paths=("tests/engine/test_replies.py",), names="an answer waits for thirty rooms"),
    ),
    Mutant(
        name="a code texted a thousand times goes before the staff's texts",
        edits=(
            Edit(
                file=TEXTS_BACK,
                old="    return Lane.ANSWER if is_news else Lane.NEXT\n",
                new="    return Lane.ANSWER\n",
            ),
        ),
        cheap=True,
        by=Tests(paths=("tests/engine/test_replies.py",), names="somebody holds up a school"),
    ),
)
