# ruff: noqa: E501 - what is changed is quoted as it stands in the source
"""Mutants between the commit and the phone: claims, tries, words, numbers. Caught in simulated days."""

from alertd_simulator.world.plan import CarrierWeather
from mutation.mutant import Edit, Mutant, Seeds, Story, Tests

OUTCOMES = "alertd/engine/outcomes.py"
NOTIFICATION = "alertd/model/notification.py"
TROUBLE_AUDIENCE = "tests/engine/test_trouble_audience.py"
BLOCK_REMOVED = Edit(
    file="alertd/model/blocked_numbers.py",
    old="def blocked(address: str) -> str | None:",
    new="def blocked(address: str) -> str | None:\n    return None\n\n\ndef _blocked(address: str) -> str | None:",
)

ANSWERS_LOST = (CarrierWeather(at_s=30, lasts_s=500, weather="accepts and cuts the connection", share=0.5),)
"""The carrier has the text, and nobody hears of it. On a stated day this seldom befalls the few texts of a nuisance."""

TELLING = (
    Mutant(
        name="claim without lease",
        edits=(
            Edit(
                file="alertd/store/sql.py",
                old="    WHERE state = 'queued' AND channel = ? AND lane <= ?",
                new="    WHERE state IN ('queued', 'claimed') AND channel = ? AND lane <= ?",
            ),
        ),
        cheap=True,
        by=Seeds(trips=("one claim, one try",)),
    ),
    Mutant(
        name="nobody looks after the attempts of a dead owner",
        edits=(
            Edit(
                file="alertd/daemon/recovery.py",
                old="        claimed = [row for row in rows if row.state is NotificationState.CLAIMED]\n",
                new="        claimed: list[NotificationRow] = []\n",
            ),
        ),
        by=Seeds(needs=("crash",), trips=("outbox drains",)),
    ),
    Mutant(
        name="retry forgets the id",
        edits=(
            Edit(
                file=OUTCOMES,
                old="    d.change(\n        NotificationChange(\n            id=n.id,\n            state=NotificationState.QUEUED,\n",
                new="    from msgspec.structs import replace\n    from alertd.model.ids import NotificationId, derive\n"
                '    d.row(replace(n, id=NotificationId(derive("n", n.id, row.attempt))))\n'
                "    d.change(\n        NotificationChange(\n            id=n.id,\n            state=NotificationState.FAILED,\n",
            ),
            Edit(
                file=OUTCOMES,
                old="            not_before_us=d.now.boot_us + int(delay_s * 1_000_000),\n",
                new="",
            ),
        ),
        cheap=True,
        by=Seeds(trips=("one content",)),
    ),
    Mutant(
        name="a nuisance is sent again when nobody knows whether it went out",
        edits=(
            Edit(file=OUTCOMES, old="    if not looked_up:\n", new="    if False:\n"),
            Edit(file=OUTCOMES, old="    elif not n.resend_unknown:\n", new="    elif False:\n"),
        ),
        by=Seeds(plus=ANSWERS_LOST, trips=("once only",)),
    ),
    Mutant(
        name="what was not sent yet leaves after the end",
        edits=(
            Edit(
                file="alertd/engine/draft.py",
                old="        self._withdrawals.append(Withdrawal(incident_id=incident.id, reason=reason, kind=kind))\n",
                new="",
            ),
            Edit(
                file=NOTIFICATION,
                old="    return (not incident_open and kind not in AFTER_CLOSE) or (incident_stopped and kind in CALLS)\n",
                new="    return False\n",
            ),
        ),
        by=Seeds(needs=("carrier_weather", "uplink_cut"), trips=("after the end",)),
    ),
    Mutant(
        name="expired texts are sent",
        edits=(
            Edit(file=NOTIFICATION, old="    if left_us(notification, now) <= 0:\n", new="    if False:\n"),
            Edit(file=OUTCOMES, old="    elif left_us(n, d.now) <= 0:\n", new="    elif False:\n"),
        ),
        by=Seeds(needs=("carrier_weather", "uplink_cut", "dispatch_weather"), trips=("expiry",)),
    ),
    Mutant(
        name="sent counts as delivered",
        edits=(
            Edit(
                file="adapters/alertd_adapters/twilio/statuses.py",
                old='        case "sent" | "partially_delivered":\n            return Sent(ref=message.sid)\n',
                new='        case "sent" | "partially_delivered":\n            return Delivered(ref=message.sid)\n',
            ),
        ),
        cheap=True,
        by=Seeds(trips=("deliveries",)),
    ),
    Mutant(
        name="a late status takes knowledge back",
        edits=(
            Edit(file=OUTCOMES, old="    if _RANK[state] > _RANK.get(row.state, 0):\n", new="    if True:\n"),
            Edit(
                file="adapters/alertd_adapters/twilio/statuses.py",
                old="        return rank(outcome) > known or recanted\n",
                new="        return True\n",
            ),
        ),
        cheap=True,
        by=Seeds(needs=("carrier_tricks",), trips=("life cycle",)),
    ),
    Mutant(
        name="another try that fails takes back what was delivered",
        edits=(
            Edit(
                file=OUTCOMES,
                old='    stands = own and row.state in _RANK and row.ref not in ("", failed.ref)\n',
                new="    stands = False\n",
            ),
        ),
        cheap=True,
        by=Tests(
            paths=("tests/engine/test_outcomes.py",),
            names="promise 5: it went out, and is sent once more, or given up",
        ),
    ),
    Mutant(
        name="exhausted texts 911",
        edits=(
            BLOCK_REMOVED,
            Edit(
                file="alertd/engine/telling.py",
                old="        endpoint=endpoint,\n        reason=message.reason,\n",
                new='        endpoint=replace(endpoint, address="911") if message.kind is Kind.EXHAUSTED else endpoint,\n'
                "        reason=message.reason,\n",
            ),
        ),
        by=Seeds(trips=("emergency number",)),
    ),
    Mutant(
        name="another reason than the one there was",
        edits=(
            Edit(
                file=OUTCOMES,
                old="        _queue(d, row, incident, why, delay_s, f",
                new="        _queue(d, row, incident, n.reason, delay_s, f",
            ),
        ),
        cheap=True,
        by=Seeds(needs=("carrier_weather", "uplink_cut", "dispatch_weather"), trips=("reasons",)),
    ),
    Mutant(
        name="people of the other school are told, too",
        edits=(
            Edit(
                file="alertd/engine/audience.py",
                old=" or site_id == DISTRICT or site_id in person.sites:\n",
                new=" or site_id == DISTRICT or person.sites:\n",
            ),
        ),
        cheap=True,
        by=Seeds(trips=("audience",)),
    ),
    Mutant(
        name="a site that has three incidents is told of no fourth",
        edits=(
            Edit(
                file="alertd/engine/telling.py",
                old="            sent = text(d, incident, message, addressee.person, option.endpoint, suppressed=option.suppressed)\n",
                new="            quota = Reason.CHANNEL_BROKEN if len(d.state.incidents) > 3 else option.suppressed\n"
                "            sent = text(d, incident, message, addressee.person, option.endpoint, suppressed=quota)\n",
            ),
        ),
        by=Seeds(trips=("first text",)),
    ),
    Mutant(
        name="of two texts with the same words, the one that never left takes the other",
        edits=(
            Edit(
                file="adapters/alertd_adapters/twilio/posting.py",
                old="        return _key(notification) in self._under_way\n",
                new="        return False\n",
            ),
        ),
        by=Tests(
            paths=("tests/adapters/twilio/test_look_up.py",),
            names="one text was counted for two, and the other never left",
        ),
    ),
    Mutant(
        name="words: what is too long ends in mid-word",
        edits=(
            Edit(
                file="alertd/engine/wording.py",
                old="        return value[: kept if at_word < 0 else at_word]",
                new="        return value[:kept]",
            ),
        ),
        by=Tests(paths=("tests/engine/test_wording.py",), names="it ends in mid-word"),
    ),
    Mutant(
        name="who goes to the first room is called nobody after the second",
        edits=(
            Edit(
                file="alertd/engine/wording.py",
                old="not 0 < first < len(incident.presses):",
                new="first >= 0:",
            ),
        ),
        by=Tests(paths=("tests/engine/test_escalation.py",), names="somebody goes to Rm 204"),
    ),
    Mutant(
        name="a trouble goes to a technician who told the carrier to stop",
        edits=(
            Edit(
                file="alertd/engine/trouble_audience.py",
                old="    return any(e.key not in d.facts.opted_out for addressee in addressees for e in addressee.person.endpoints)\n",
                new="    return bool(addressees)\n",
            ),
        ),
        by=Tests(paths=(TROUBLE_AUDIENCE,), names="req 56: a trouble was told to nobody"),
    ),
    Mutant(
        name="a trouble of the district ends with its only technician",
        edits=(
            Edit(
                file="alertd/engine/trouble_audience.py",
                old="(staff, district, _responders(registry))",
                new="(staff, district)",
            ),
        ),
        by=Story(name="only_technician_opted_out"),
    ),
    Mutant(
        name="a trouble of one school goes beyond it",
        edits=(
            Edit(
                file="alertd/engine/trouble_audience.py",
                old="        return policy, staff  # a school's own matter",
                new="        staff = district  # a school's own matter",
            ),
        ),
        by=Tests(paths=(TROUBLE_AUDIENCE,), names="promise 6: nobody of another school"),
    ),
    Mutant(
        name="an opt-out is told to who has just opted out",
        edits=(
            Edit(
                file="alertd/engine/draft.py",
                old="        self.facts = replace(self.facts, opted_out=self.facts.opted_out | {endpoint.key})\n",
                new="",
            ),
        ),
        by=Tests(paths=(TROUBLE_AUDIENCE,), names="was told to the technician alone"),
    ),
    Mutant(
        name="a late shot reads as if somebody had pressed",
        edits=(
            Edit(
                file="alertd/engine/wording.py",
                old='"SENSED" if first.by_sensor else "PRESSED"',
                new='"PRESSED"',
            ),
        ),
        by=Tests(paths=("tests/engine/test_sensors.py",), names="says that somebody pressed, and nobody did"),
    ),
    Mutant(
        name="somebody is sent to press a sensor",
        edits=(
            Edit(
                file="alertd/daemon/check_in_words.py",
                old="    return device.kind is DeviceKind.SENSOR\n",
                new="    return False\n",
            ),
        ),
        by=Tests(paths=("tests/daemon/test_tampers.py",), names="Look at it"),
    ),
    Mutant(
        name="dispatch: each message knocks by itself at a centre that takes none",
        edits=(
            Edit(
                file="alertd/engine/outcomes.py",
                old="    if turn is not None and row.attempt >= QUICK_TRIES and",
                new="    if turn is not None and row.attempt >= 999 and",
            ),
        ),
        cheap=True,
        by=Story(name="dispatch_refuses_for_minutes", trips=("one knocks",)),
    ),
    Mutant(
        name="dispatch: what waits its turn waits on when the centre takes another",
        edits=(
            Edit(
                file="alertd/store/transaction.py",
                old="        for endpoint_key in decision.try_now:\n",
                new="        for endpoint_key in ():\n",
            ),
        ),
        by=Story(name="dispatch_refuses_for_minutes", trips=("one knocks",)),
    ),
    Mutant(
        name="dispatch: two messages of one batch get the same turn",
        edits=(
            Edit(
                file="alertd/store/transaction.py",
                old="    def turn(self, site_id: SiteId, endpoint_key: str) -> Turn | None:\n        if self._touched:\n",
                new="    def turn(self, site_id: SiteId, endpoint_key: str) -> Turn | None:\n        if not self._touched:\n",
            ),
        ),
        by=Tests(paths=("tests/store/test_sqlite_contract.py",), names="one batch get one turn"),
    ),
    Mutant(
        name="dispatch: with many waiting, one is put off for ever",
        edits=(
            Edit(
                file="alertd/engine/outcomes.py",
                old="        if turn_s > TURN_LONGEST_S:\n",
                new="        if turn_s < 0:\n",
            ),
        ),
        by=Tests(paths=("tests/engine/test_outcomes.py",), names="put off for longer"),
    ),
    Mutant(
        name="dispatch: when those whose turn it was have expired nobody knocks",
        edits=(
            Edit(
                file="alertd/engine/outcomes.py",
                old="    return n.kind is not Kind.DISPATCH_HEARTBEAT and ends_us >= longest_us\n",
                new="    return False\n",
            ),
        ),
        by=Tests(paths=("tests/engine/test_outcomes.py",), names="a centre that is back waits for news"),
    ),
    Mutant(
        name="dispatch: what opens an incident waits for what a centre refuses for not knowing it",
        edits=(
            Edit(
                file="alertd/engine/outcomes.py",
                old="    if n.kind is Kind.DISPATCH_NEW and ends_us >= opening_us:\n",
                new="    if n.kind is Kind.DISPATCH_NEW and ends_us > longest_us:\n",
            ),
        ),
        by=Tests(paths=("tests/engine/test_outcomes.py",), names="its opening waits for a turn"),
    ),
    Mutant(
        name="dispatch: nobody knows which of those that open an incident is true for longest",
        edits=(
            Edit(
                file="alertd/store/sql.py",
                old="max(CASE WHEN kind = 'dispatch_new' AND expires_boot_id = ? THEN expires_boot_us ELSE 0 END)",
                new="max(CASE WHEN expires_boot_id = ? THEN expires_boot_us ELSE 0 END)",
            ),
        ),
        by=Tests(paths=("tests/store/test_sqlite_contract.py",), names="what opens an incident waits for a turn"),
    ),
    Mutant(
        name="dispatch: each that opens an incident knocks, however many wait",
        edits=(
            Edit(
                file="alertd/store/sql.py",
                old="max(CASE WHEN kind = 'dispatch_new' AND expires_boot_id = ? THEN expires_boot_us ELSE 0 END)",
                new="max(CASE WHEN expires_boot_id = ? THEN 0 ELSE 0 END)",
            ),
        ),
        by=Tests(paths=("tests/store/test_sqlite_contract.py",), names="what opens an incident waits for a turn"),
    ),
    Mutant(
        name="dispatch: after a clock was set the newest room waits for what is old",
        edits=(
            Edit(
                file="alertd/store/sql.py",
                old="max(CASE WHEN kind <> 'dispatch_heartbeat' THEN expires_us ELSE 0 END)",
                new="max(CASE WHEN kind <> 'dispatch_heartbeat' THEN created_us ELSE 0 END)",
            ),
            Edit(
                file="alertd/engine/outcomes.py",
                old="    ends_us, longest_us, opening_us = n.expires_us, turn.ends_us, turn.opening_ends_us\n"
                "    if n.expires_boot_us is not None and n.boot_id == now.boot_id:\n",
                new="    ends_us, longest_us, opening_us = n.created_us, turn.ends_us, turn.opening_ends_us\n    if False:\n",
            ),
        ),
        by=Story(name="room_pressed_when_others_expire_and_the_clock_is_set"),
    ),
    Mutant(
        name="dispatch: who waits since a boot with a wrong clock is true for longest",
        edits=(
            Edit(
                file="alertd/engine/outcomes.py",
                old="    if n.expires_boot_us is not None and n.boot_id == now.boot_id:\n        ends_us, longest",
                new="    if now.boot_us < 0:\n        ends_us, longest",
            ),
        ),
        by=Story(name="room_pressed_when_others_expire_after_a_reboot"),
    ),
)
