# ruff: noqa: E501 - what is changed is quoted as it stands in the source
"""Mutants that a quick test must catch, by an assertion that names the promise."""

from mutation.mutant import Edit, Mutant, Tests

QUICK = (
    Mutant(
        name="init leaves no room for where a badge was last heard",
        edits=(
            Edit(
                file="alertd/exports/first_files.py",
                old='    if any(row.cells["kind"] == "wearable" for row in district.devices):\n',
                new="    if not district.devices:\n",
            ),
        ),
        by=Tests(
            paths=("tests/exports/test_starting.py",), names="what check asked for made it refuse what init had written"
        ),
    ),
    Mutant(
        name="a phone that nobody takes is taken for a broken channel",
        edits=(
            Edit(
                file="alertd/daemon/channel_states.py",
                old=" or entry.reason is Reason.UNANSWERED:",
                new=":",
            ),
        ),
        by=Tests(paths=("tests/daemon/test_channel_states.py",), names="no broken channel"),
    ),
    Mutant(
        name="/metrics shows a drill as real",
        edits=(Edit(file="alertd/daemon/metrics.py", old="i.mode.value)", new='"live")'),),
        by=Tests(paths=("tests/daemon/test_metrics.py",), names="promise 3"),
    ),
    Mutant(
        name="the demo plays beside a live account",
        edits=(
            Edit(
                file="simulator/alertd_simulator/demo.py",
                old="        refuse_live(read_wiring(example), os.environ)\n",
                new='        print("played")\n        return EXIT_OK\n',
            ),
        ),
        by=Tests(paths=("tests/simulator/test_rehearsing.py",), names="live account"),
    ),
    Mutant(
        name="PUBACK before commit (MQTT source)",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/trigger_session.py",
                old="arrival: Arrival, committed: Awaitable[None]\n    ) -> None:\n",
                new="arrival: Arrival, committed: Awaitable[None]\n    ) -> None:\n        self._ack(connection, message)\n",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_presses.py",), names="promise 1"),
    ),
    Mutant(
        name="a deaf session stays as it is",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/trigger_session.py",
                old="        if not is_deaf or (",
                new="        if sign.topic or (",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_troubles.py",), names="promise 1"),
    ),
    Mutant(
        name="what waits behind a deaf session passes for one of now",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/trigger_session.py",
                old="        if not sign.topic:\n            self._memory.values.connected(",
                new="        if True:\n            self._memory.values.connected(",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_presses.py",), names="passes for one of now"),
    ),
    Mutant(
        name="where our sign of life cannot come back nothing proves a session",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/trigger_session.py",
                old="        if message.qos and not sign.arrived():\n",
                new="        if False:\n",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_presses.py",), names="a canary comes every minute"),
    ),
    Mutant(
        name="what a deaf session kept longest passes for one of now",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/sign_of_life.py",
                old="            if self.is_deaf and self.heard_nothing:\n",
                new="            if False:\n",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_presses.py",), names="it passes for one of now"),
    ),
    Mutant(
        name="what comes at QoS 0 proves a deaf session",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/trigger_session.py",
                old="        if message.qos and not sign.arrived():\n",
                new="        if not sign.arrived():\n",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_presses.py",), names="proves no session of presses"),
    ),
    Mutant(
        name="what waited proves the session, and makes the rest young",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/trigger_session.py",
                old="        if message.qos and not sign.arrived():\n",
                new="        if message.qos:\n",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_presses.py",), names="pressed before, it passes for young"),
    ),
    Mutant(
        name="nobody knows how long ago it came that is delivered again",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/redelivery.py",
                old="else (digest, fresh_id, now_us)\n        self._unacked[message.mid] = known\n        return known[1:]\n",
                new="else (digest, fresh_id, now_us)\n        self._unacked[message.mid] = known\n        return known[1], now_us\n",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_presses.py",), names="its copy is taken for another press"),
    ),
    Mutant(
        name="a deaf session is hidden by what comes at QoS 0",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/sign_of_life.py",
                old="        if qos:\n",
                new="        if True:\n",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_troubles.py",), names="promise 1"),
    ),
    Mutant(
        name="a deaf session of months ago counts as tried",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/trigger_session.py",
                old="                self._opened_anew_at = None\n",
                new="                pass\n",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_troubles.py",), names="not yet tried to open it anew"),
    ),
    Mutant(
        name="a broker that keeps only our sign of life is called deaf",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/canaries.py",
                old="            if not may_be_asked():",
                new="            if not listens():",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_troubles.py",), names="our canaries come"),
    ),
    Mutant(
        name="canaries prove nothing without a sign of life",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/canaries.py",
                old="            if listens() or self._heard:",
                new="            if listens():",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_canaries.py",), names="presses in the gym page nobody"),
    ),
    Mutant(
        name="a command knows an address only as it is registered",
        edits=(
            Edit(
                file="alertd/console/naming.py",
                old="if spelled_alike(_plain(d.id)) == said)",
                new="if _plain(d.id) == _plain(name))",
            ),
        ),
        by=Tests(paths=("tests/console/test_naming.py",), names="it is registered, and is not known"),
    ),
    Mutant(
        name="NOTHING comes, and something came through the new session",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/trigger_session.py",
                old="is_deaf and sign.heard_nothing and",
                new="is_deaf and",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_troubles.py",), names="and a press came"),
    ),
    Mutant(
        name="a silence that a press ended is told as before",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/trigger_session.py",
                old="        self._only_sign_fails |= was_silent and message.qos > 0\n",
                new="",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_troubles.py",), names="it rang once"),
    ),
    Mutant(
        name="a disk that stalls is called a broker that delivers nothing",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/trigger_session.py",
                old="        elif self._slots.locked():  #",
                new="        elif False:  #",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_troubles.py",), names="wait for the disk"),
    ),
    Mutant(
        name="a PUBACK over a lost connection counts as sent",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/trigger_session.py",
                old="message.qos > 0 and connection.ack(message)\n",
                new="message.qos > 0\n        if has_left:\n            connection.ack(message)\n",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_presses.py",), names="one press is taken for two"),
    ),
    Mutant(
        name="a PUBACK over a socket that was hung up counts as sent",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/paho_connection.py",
                old="        if self.client.write_error is not None or _polled(sock, HUNG_UP):\n            return False",
                new="        if self.client.write_error is not None:\n            return False",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_paho_connection.py",), names="one press is taken for two"),
    ),
    Mutant(
        name="a PUBACK after a failed write counts as sent",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/paho_connection.py",
                old="        if self.client.write_error is not None or _polled(sock, HUNG_UP):\n            return False",
                new="        if _polled(sock, HUNG_UP):\n            return False",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_paho_connection.py",), names="one press is taken for two"),
    ),
    Mutant(
        name="each message leaves a circle to the cycle collector (broker connection)",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/paho_connection.py",
                old="        self._on_message_filtered = _NoCallbacks()",
                new="        _NoCallbacks()",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_paho_connection.py",), names="the cycle collector has work"),
    ),
    Mutant(
        name="PUBACK before commit (intake)",
        edits=(
            Edit(
                file="alertd/daemon/intake.py",
                old="                settled = await self._committer.run(",
                new="                for submission in batch:\n                    submission.succeed()\n                settled = await self._committer.run(",
            ),
        ),
        by=Tests(paths=("tests/daemon/test_promises.py",), names="promise 1"),
    ),
    Mutant(
        name="drill/live mode check removed (claiming transaction)",
        edits=(
            Edit(
                file="alertd/model/notification.py",
                old="    if mode_forbids(notification, now.incident_mode):",
                new="    if False:",
            ),
        ),
        by=Tests(paths=("tests/store/test_sqlite_contract.py",), names="promise 3"),
    ),
    Mutant(
        name="drill/live mode check removed (webhook)",
        edits=(
            Edit(
                file="adapters/alertd_adapters/webhook/channel.py",
                old="        if notification.mode is Mode.DRILL and",
                new="        if False and",
            ),
        ),
        by=Tests(paths=("tests/adapters/webhook/test_send.py",), names="promise 3"),
    ),
    Mutant(
        name="lease check removed (dispatch sends on a lease that ends)",
        edits=(
            Edit(
                file="alertd/daemon/dispatch.py",
                old="        if self._clock.now().boot_us > ends_us:",
                new="        if False:",
            ),
        ),
        by=Tests(paths=("tests/daemon/test_dispatch.py",), names="lease"),
    ),
    Mutant(
        name="lease check removed (a claimed row is claimed again)",
        edits=(
            Edit(
                file="alertd/store/sql.py",
                old="    WHERE state = 'queued' AND channel = ? AND lane <= ?",
                new="    WHERE state IN ('queued', 'claimed') AND channel = ? AND lane <= ?",
            ),
        ),
        by=Tests(paths=("tests/store/test_sqlite_contract.py",), names="lease"),
    ),
    Mutant(
        name="lease check removed (a row is abandoned before its lease ends)",
        edits=(
            Edit(
                file="alertd/store/sql.py",
                old="        AND (lease_until_us <= ? OR leased_by <> ?) ORDER BY",
                new="        AND (lease_until_us <= ? OR leased_by <> ? OR 1 = 1) ORDER BY",
            ),
        ),
        by=Tests(paths=("tests/store/test_sqlite_contract.py",), names="lease"),
    ),
    Mutant(
        name="fencing removed (an outcome of an older claim counts)",
        edits=(
            Edit(
                file="alertd/engine/outcomes.py",
                old="        return event.epoch != row.epoch",
                new="        return False",
            ),
        ),
        by=Tests(paths=("tests/engine/test_outcomes.py",), names="lease"),
    ),
    Mutant(
        name="blast radius: a fixed device presses where it was heard",
        edits=(
            Edit(
                file="alertd/engine/hearing.py",
                old="    if device.zone_id is not None and not device.roaming_sites:\n",
                new="    if signal.heard_by is not None and not device.roaming_sites:\n        return (Spot(site_id=registry.devices[signal.heard_by].site_id, gateway_id=signal.heard_by),)\n    if device.zone_id is not None and not device.roaming_sites:\n",
            ),
        ),
        by=Tests(paths=("tests/engine/test_presses.py",), names="promise 6"),
    ),
    Mutant(
        name="blast radius: a fixed device may be refused by where it was heard",
        edits=(
            Edit(
                file="alertd/engine/hearing.py",
                old="    if device.zone_id is not None and not device.roaming_sites:\n",
                new="    if False:\n",
            ),
            Edit(
                file="alertd/engine/hearing.py",
                old="        is_outside = device.roaming_sites and any(",
                new="        is_outside = any(",
            ),
        ),
        by=Tests(paths=("tests/engine/test_presses.py",), names="promise 6"),
    ),
    Mutant(
        name="blast radius: a roaming device presses anywhere",
        edits=(
            Edit(
                file="alertd/engine/hearing.py",
                old="    here = [ear for ear in ears if ear.gateway.site_id in allowed]\n",
                new="    here = [ear for ear in ears if allowed]\n",
            ),
        ),
        by=Tests(paths=("tests/engine/test_presses.py",), names="promise 6"),
    ),
    Mutant(
        name="emergency block removed (everywhere)",
        edits=(
            Edit(
                file="alertd/model/blocked_numbers.py",
                old="def blocked(address: str) -> str | None:",
                new="def blocked(address: str) -> str | None:\n    return None\n\n\ndef _blocked(address: str) -> str | None:",
            ),
        ),
        by=Tests(paths=("tests/model",), names="emergency"),
    ),
    Mutant(
        name="emergency block removed (dispatch)",
        edits=(
            Edit(
                file="alertd/daemon/dispatch.py",
                old="        if channel.kind not in NOT_DIALLED and",
                new="        if False and",
            ),
        ),
        by=Tests(paths=("tests/daemon/test_dispatch.py",), names="emergency"),
    ),
    Mutant(
        name="emergency block removed (Twilio)",
        edits=(
            Edit(
                file="adapters/alertd_adapters/twilio/channel.py",
                old="    if why := blocked(address):",
                new="    if (why := blocked(address)) and False:",
            ),
        ),
        by=Tests(paths=("tests/adapters/twilio",), names="emergency"),
    ),
    Mutant(
        name="whoever goes confirms where those in charge must",
        edits=(
            Edit(
                file="alertd/engine/answers.py",
                old='d.site.rules.confirm_before_dispatch != "required":',
                new='d.site.rules.confirm_before_dispatch != "asked":',
            ),
        ),
        by=Tests(paths=("tests/engine/test_presses.py",), names="req 14"),
    ),
    Mutant(
        name="lease counted from when its claim was kept, not from when it was made",
        edits=(
            Edit(
                file="alertd/daemon/dispatch.py",
                old="        self.take(claims, claimed_us)\n",
                new="        self.take(claims, self._clock.now().boot_us)\n",
            ),
        ),
        by=Tests(paths=("tests/daemon/test_dispatch.py",), names="lease"),
    ),
    Mutant(
        name="the people of another site's schedule are told",
        edits=(
            Edit(
                file="alertd/engine/audience.py",
                old="            if target.kind is TargetKind.DISTRICT or site_id == DISTRICT",
                new="            if target.kind in (TargetKind.DISTRICT, TargetKind.SCHEDULE) or site_id == DISTRICT",
            ),
        ),
        by=Tests(paths=("tests/engine/test_escalation.py",), names="promise 6"),
    ),
    Mutant(
        name="a status of an earlier attempt is believed of the last one",
        edits=(
            Edit(
                file="alertd/engine/outcomes.py",
                old="    return bool(row.ref and (under_way or (ref and ref != row.ref)))",
                new="    return bool(row.ref and under_way and ref == row.ref)",
            ),
        ),
        by=Tests(paths=("tests/engine/test_outcomes.py",), names="promise 5"),
    ),
    Mutant(
        name="a redelivery is known by its packet id and the DUP flag alone",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/redelivery.py",
                old="before is not None and before[0] == digest else",
                new="before is not None else",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_redelivery.py",), names="promise 1"),
    ),
    Mutant(
        name="whoever was told before an upgrade is told nothing more",
        edits=(
            Edit(
                file="alertd/engine/incidents.py",
                old="    return d.put(replace(incident, told=(*incident.told, *left_out)))",
                new="    return incident",
            ),
        ),
        by=Tests(paths=("tests/engine/test_presses.py",), names="second room is told to everybody"),
    ),
    Mutant(
        name="the timer loop is woken by later timers only",
        edits=(
            Edit(
                file="alertd/daemon/timers.py",
                old="            if self._next_us is None or due_us < self._next_us:",
                new="            if self._next_us is None or due_us > self._next_us:",
            ),
        ),
        by=Tests(paths=("tests/daemon/test_timers.py",), names="req 99"),
    ),
)
