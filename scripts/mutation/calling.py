# ruff: noqa: E501 - what is changed is quoted as it stands in the source
"""Mutants of calls: who is rung, how often, and what counts as an answer. Caught by quick tests, and on simulated days."""

from mutation.mutant import Edit, Mutant, Seeds, Tests

CALLS = "alertd/engine/calls.py"
OUTCOMES = "alertd/engine/outcomes.py"
TAKEN = "    if n.kind is Kind.PAGE:\n        announcing.was_taken(d, n, incident)\n"
"""After a carrier's word was taken up, and before anything follows from it."""
ON_A_MACHINE = '    if outcome.detail.startswith("voicemail") and incident is not None:\n'
BY_TEST = ("tests/engine/test_calls.py",)

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
                old='channels if addressee.words == "responder" else calls.quiet(d, channels)',
                new="calls.quiet(d, channels)",
            ),
        ),
        by=Seeds(trips=("responders are called",)),
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
)
