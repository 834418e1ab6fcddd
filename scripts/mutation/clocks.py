# ruff: noqa: E501 - what is changed is quoted as it stands in the source
"""Mutants in what outlives a clock that is set, and a reboot after it: ends of messages, ages of presses, last-seen."""

from mutation.mutant import Edit, Mutant, Story, Tests

NOTIFICATION = "alertd/model/notification.py"
ROWS = "alertd/store/rows.py"
ANCHOR = "alertd/model/anchor.py"
STAMPS = ("tests/engine/test_clocks.py",)
ANSWER_LOST = "promise 5: whoever goes was not heard"
RECORDS = "alertd/daemon/device_records.py"
SUPERVISION = ("tests/daemon/test_check_ins.py",)
TRANSFER = "alertd/store/transfer.py"
BOOT_TIME = "alertd/store/migrations/versions/0004_boot_time.py"
MIGRATIONS = ("tests/store/test_migrations.py",)
UNREAD = ("tests/store/test_unread_disk.py",)
EARLIER = "alertd/store/earlier_boots.py"
READING = "alertd/store/reading.py"
STORE = ("tests/store/test_sqlite_contract.py",)
TOKENS = "alertd/store/tokens.py"
CODES = ("tests/store/test_tokens.py",)
PRESS_LOST = "promise 2 broken: a press was taken for a copy of one that is long ago"

CLOCKS = (
    Mutant(
        name="clocks: what waits ends by the boot time of another boot",
        edits=(
            Edit(
                file=NOTIFICATION,
                old="    if notification.expires_boot_us is not None and notification.boot_id == now.boot_id:\n",
                new="    if notification.expires_boot_us is not None:\n",
            ),
        ),
        cheap=True,
        by=Tests(paths=STORE, names="what is not true any more was sent"),
    ),
    Mutant(
        name="clocks: what waits does not move with a step",
        edits=(Edit(file=ROWS, old="for statement in sql.RESTAMP]", new="for statement in sql.RESTAMP[:2]]"),),
        cheap=True,
        by=Story(name="clock_set_and_then_the_power_goes", trips=("expiry",)),
    ),
    Mutant(
        name="clocks: who looks an incident up by its device finds the stamps of before",
        edits=(Edit(file="alertd/engine/clocks.py", old="    if moved:", new="    if False:"),),
        cheap=True,
        by=Tests(paths=STAMPS, names="R47: a school that hides hears it once"),
    ),
    Mutant(
        name="clocks: a press is as long ago as the wall says",
        edits=(Edit(file=ROWS, old="moment.boot_us - boot_us if boot_id == moment.boot_id else moment.wall_us - at_us\n", new="moment.wall_us - at_us\n"),),
        cheap=True,
        by=Tests(paths=STORE, names=PRESS_LOST),
    ),
    Mutant(
        name="clocks: what was over a minute ago is long over to its phone once a clock is set",
        edits=(Edit(file="alertd/store/transaction.py", old="if row[0] in young or not rows", new="if not rows"),),
        by=Tests(paths=STORE, names="a human answers what is just over, and nothing is said of it"),
    ),
    Mutant(
        name="clocks: what is long over is known to its phone as long as it is among the newest",
        edits=(Edit(file=ROWS, old=" for incident_id, written in left if age_us(written, now) <= now.wall_us - since_us}", new=" for incident_id, written in left}"),),
        by=Tests(paths=STORE, names="a code that may soon be another's names what is long over"),
    ),
    Mutant(
        name="clocks: of one code the incident counts that a clock years ahead calls the newest",
        edits=(Edit(file="alertd/store/sql.py", old="ELSE 1 END, i.seq DESC, i.opened_us DESC, i.id LIMIT", new="ELSE 1 END, i.opened_us DESC, i.id LIMIT"),),
        by=Tests(paths=STORE, names="promise 5: the answer to what is over counts for another incident"),
    ),
    Mutant(
        name="clocks: known presses do not move with a step",
        edits=(Edit(file="alertd/store/sql.py", old='    "UPDATE cause SET at_us = boot_us + ? WHERE boot_id = ?",\n', new=""),),
        by=Tests(paths=STORE, names=PRESS_LOST),
    ),
    Mutant(
        name="clocks: a small counter is a copy for ever",
        edits=(Edit(file=ROWS, old="    return now.wall_us - ago_us\n", new="    return now.wall_us + 0 * ago_us\n"),),
        by=Story(name="counter_used_again_after_a_clock_change"),
    ),
    Mutant(
        name="clocks: one that is set while alertd is down moves nothing",
        edits=(Edit(file=EARLIER, old="        session.run(statement, shown)\n", new="        pass\n"),),
        by=Tests(paths=STORE, names="a text that waits was thrown away unsent"),
    ),
    Mutant(
        name="clocks: a step that nobody was there to see moves no stamp",
        edits=(Edit(file=ANCHOR, old="        return now.wall_us - now.boot_us - known.ahead_us\n", new="        return 0\n"),),
        cheap=True,
        by=Tests(paths=STAMPS, names=ANSWER_LOST),
    ),
    Mutant(
        name="clocks: a machine that starts slow moves no stamp",
        edits=(Edit(file=ANCHOR, old="    return min(0, now.wall_us - newest_us)\n", new="    return 0\n"),),
        cheap=True,
        by=Tests(paths=STAMPS, names=ANSWER_LOST),
    ),
    Mutant(
        name="clocks: a step is noticed only by who was there",
        edits=(Edit(file="alertd/daemon/timers.py", old="        self._offset_us = self._measure() - activity.stepped_us\n", new="        self._offset_us = self._measure()\n"),),
        by=Tests(paths=("tests/daemon/test_timers.py",), names="nobody is told that the clock was set"),
    ),
    Mutant(
        name="clocks: the clock says which words came before an upgrade",
        edits=(Edit(file="alertd/model/incident.py", old="    if upgrades is None:\n", new="    if True:\n"),),
        by=Tests(paths=STAMPS, names="promise 2: phones that were to ring do not"),
    ),
    Mutant(
        name="clocks: a machine that starts slow knows no copy",
        edits=(Edit(file=EARLIER, old="AND newest_us > :wall_us", new="AND newest_us < 0"),),
        by=Tests(paths=("tests/store/test_sqlite.py",), names="delivered again, it pages twice"),
    ),
    Mutant(
        name="clocks: a lost answer is looked for by the clock of then",
        edits=(Edit(file="adapters/alertd_adapters/twilio/channel.py", old="    if known_us is None:\n", new="    if True:\n"),),
        by=Tests(paths=("tests/adapters/twilio/test_look_up.py",), names="it was sent twice without need"),
    ),
    Mutant(
        name="a nuisance that a clock ahead of its time wrote is not found after a reboot",
        edits=(
            Edit(
                file="adapters/alertd_adapters/twilio/channel.py",
                old="        if notification.resend_unknown or written_us(notification, now) is not None:\n",
                new="        if True:\n",
            ),
        ),
        by=Tests(paths=("tests/adapters/twilio/test_look_up.py",), names="a nuisance was sent twice"),
    ),
    Mutant(
        name="an answer typed long before an upgrade counts for it",
        edits=(
            Edit(
                file="alertd/engine/texts.py",
                old="    if incident.upgraded_us and at_us < incident.upgraded_us + READ_US:\n",
                new="    if incident.upgraded_us and _precedes(at_us, incident.upgraded_us + READ_US):\n",
            ),
        ),
        by=Tests(paths=("tests/engine/test_escalation.py",), names="an answer to an assist silenced a lockdown"),
    ),
    Mutant(
        name="other news has the id of what memory lost, and dispatch ignores it",
        edits=(
            Edit(
                file="alertd/engine/dispatch_centers.py",
                old="    when = () if sequence == 1 else (d.now.wall_us,)\n",
                new="    when = ()\n",
            ),
        ),
        by=Tests(
            paths=("tests/engine/test_hard_days.py",),
            names="the centre takes what is new for what it has been told",
        ),
    ),
    Mutant(
        name="clocks: a call is as old as the wall says",
        edits=(Edit(file=NOTIFICATION, old="    return now.wall_us - (notification.created_us if known_us is None else known_us)\n", new="    return now.wall_us - notification.created_us + 0 * (known_us or 0)\n"),),
        by=Tests(paths=("tests/adapters/twilio/test_voice.py",), names="nobody asked: the phone never rings again"),
    ),
    Mutant(
        name="clocks: phones that ring are forgotten over a step",
        edits=(Edit(file=READING, old="        young.append(and_(of_this_boot, table.expires_boot_us >= now.boot_us - within_us))\n", new=""),),
        by=Story(name="restart_after_a_step_knows_which_phones_ring"),
    ),
    Mutant(
        name="clocks: phones that ring are forgotten over a power cut",
        edits=(Edit(file=READING, old="        if now.boot_us < within_us:\n", new="        if False:\n"),),
        by=Story(name="power_cut_and_a_wrong_clock_know_which_phones_ring", trips=("one call a phone",)),
    ),
    Mutant(
        name="clocks: whatever rang before the power went is taken for under way",
        edits=(Edit(file=READING, old="        if now.boot_us < within_us:\n", new="        if True:\n"),),
        by=Tests(paths=STORE, names="this boot is older than that"),
    ),
    Mutant(
        name="clocks: phones ring on once the clock is set right",
        edits=(Edit(file="alertd/store/sql.py", old="AND expires_boot_id = ? AND expires_boot_us >= ?)\n", new="AND expires_boot_id = ? AND expires_boot_us >= ? AND 1 = 0)\n"),),
        by=Story(name="clock_set_right_and_phones_fall_silent", trips=("phones fall silent",)),
    ),
    Mutant(
        name="clocks: what is long over is taken for under way",
        edits=(Edit(file=READING, old="or age_us(row.notification, now) <= within_us\n", new="or age_us(row.notification, now) <= 1e18 * within_us\n"),),
        by=Tests(paths=STORE, names="what is long over is asked for"),
    ),
    Mutant(
        name="clocks: after a reboot the last calls hold their phones, however old",
        edits=(Edit(file=READING, old="now.wall_us - AHEAD_US", new="0"),),
        by=Tests(paths=STORE, names="three weeks old calls hold phones"),
    ),
    Mutant(
        name="clocks: what a wrong clock wrote of devices is the newest",
        edits=(Edit(file="alertd/store/sqlstore.py", old="            session.run(sql.DOUBT_STAMPS, (ahead_us, session.listed([each.device_id for each in seen])))\n", new=""),),
        by=Tests(paths=STORE, names="a device that died looks alive until that date"),
    ),
    Mutant(
        name="clocks: what a wrong clock wrote of devices is believed",
        edits=(Edit(file=RECORDS, old="        self.seen_wall_us = min(kept.seen_us, now.wall_us)  #", new="        self.seen_wall_us = kept.seen_us  #"),),
        by=Tests(paths=SUPERVISION, names="ninety hours without a word, and nobody was told"),
    ),
    Mutant(
        name="clocks: when devices were heard does not move with a step",
        edits=(Edit(file=RECORDS, old="            self.seen_wall_us = now.wall_us - (now.boot_us - self.last_us)\n", new="            pass\n"),),
        by=Tests(paths=SUPERVISION, names="heard two hours ago"),
    ),
    Mutant(
        name="clocks: messages of the release before end by the wall",
        edits=(Edit(file=ROWS, old="    if content.expires_boot_us is None and content.boot_id:\n", new="    if content.expires_boot_us is None and not content.boot_id:\n"),),
        cheap=True,
        by=Tests(paths=MIGRATIONS, names="the upgrade threw a text away"),
    ),
    Mutant(
        name="clocks: messages of the release before do not move with a step",
        edits=(Edit(file=BOOT_TIME, old="        WHERE {_MATTERS} AND", new="        WHERE 1 = 0 AND {_MATTERS} AND"),),
        by=Tests(paths=MIGRATIONS, names="after the next reboot it is thrown away"),
    ),
    Mutant(
        name="full disk: a start begins with nothing after a clean stop",
        edits=(Edit(file="alertd/store/without_room.py", old="            if not _is_written(log):", new="            if False and not _is_written(log):"),),
        by=Tests(paths=UNREAD, names="an open incident was forgotten"),
    ),
    Mutant(
        name="full disk: a start begins with nothing where the log has no index",
        edits=(Edit(file="alertd/store/without_room.py", old="            elif _is_copied(disk, copy):", new="            elif False and _is_copied(disk, copy):"),),
        by=Tests(paths=UNREAD, names="an open incident was forgotten"),
    ),
    Mutant(
        name="full disk: a start begins with nothing before the upgrade",
        edits=(Edit(file=TRANSFER, old="for name in sql.columns(table) if name in there)", new="for name in sql.columns(table))"),),
        by=Tests(paths=UNREAD, names="an open incident was forgotten"),
    ),
    Mutant(
        name="full disk: what memory began anew takes the disk's back",
        edits=(Edit(file=TRANSFER, old="        union.write(disk)\n", new=""),),
        cheap=True,
        by=Tests(paths=UNREAD, names="a press that came again took its incident back to its beginning"),
    ),
    Mutant(
        name="full disk: what was closed without knowing a room stays closed",
        edits=(Edit(file="alertd/store/uniting.py", old="    is_over = not one.is_open and not _missing(other, one)\n", new="    is_over = not one.is_open\n"),),
        by=Tests(paths=UNREAD, names="a second room called, and whoever closed it never knew"),
    ),
    Mutant(
        name="full disk: a drill that memory did not know goes on over what is real",
        edits=(Edit(file="alertd/store/uniting.py", old="for drill in (*self._over, *before)])", new="for drill in before])"),),
        by=Tests(paths=UNREAD, names="promise 3: who presses in a lockdown takes part in a drill"),
    ),
    Mutant(
        name="clocks: a start does not know whose codes were used last",
        edits=(Edit(file="alertd/store/sql.py", old="ORDER BY seq DESC LIMIT ?) newest)", new="WHERE 1 = 0 LIMIT ?) newest)"),),
        cheap=True,
        by=Story(name="code_after_a_wrong_clock"),
    ),
    Mutant(
        name="clocks: a clock makes the order of codes",
        edits=(Edit(file=TOKENS, old="for _, token in sorted(rested):", new="for _, token in rested:"),),
        cheap=True,
        by=Tests(paths=CODES, names="the order is that of clocks"),
    ),
    Mutant(
        name="clocks: codes rest by a clock that is wrong",
        edits=(Edit(file=TOKENS, old=" if left <= DOUBTED else last_us))", new=" if False else last_us))"),),
        cheap=True,
        by=Tests(paths=CODES, names="an age is believed that a wrong clock says"),
    ),
    Mutant(
        name="clocks: a code rests from the beginning of what is over",
        edits=(Edit(file="alertd/store/sql.py", old="CASE WHEN incident.state = 'open' THEN", new="CASE WHEN 1 = 0 THEN"),),
        by=Tests(paths=STORE, names="promise 5: the answer to what is over counts for another incident"),
    ),
    Mutant(
        name="clocks: what is erased counts as what was used last",
        edits=(Edit(file="alertd/store/sql.py", old="CASE WHEN incident.state = 'open' THEN", new="CASE WHEN 1 = 1 THEN"),),
        by=Tests(paths=STORE, names="what was erased counts as what was used last"),
    ),
    Mutant(
        name="clocks: incidents of before are ordered by a clock",
        edits=(Edit(file="alertd/store/migrations/versions/0007_incident_order.py", old="SET seq = rowid WHERE", new="SET seq = opened_us WHERE"),),
        by=Tests(paths=MIGRATIONS, names="a clock made the order"),
    ),
    Mutant(
        name="full disk: what memory closed counts as older than all of the disk",
        edits=(Edit(file=TRANSFER, old='_AFTER if name == "seq" else name for', new="name for"),),
        by=Tests(paths=("tests/store/test_fallback.py",), names="the code of what was over last comes again first"),
    ),
    Mutant(
        name="full disk: memory gives out the codes of the disk",
        edits=(Edit(file="alertd/store/transaction.py", old="self._moment.boot_id if self._scope.is_spare else None", new="None"),),
        by=Story(name="code_of_lost_memory"),
    ),
    Mutant(
        name="full disk: memory gives out the same codes in each boot",
        edits=(Edit(file="alertd/store/tokens.py", old="place = 0 if self._lost_with is None else", new="place = 0 if True else"),),
        by=Tests(paths=("tests/store/test_fallback.py",), names="promise 5: the answer to a lost incident counts for another"),
    ),
    Mutant(
        name="full disk: the first press that it does not take has a code of the disk",
        edits=(Edit(file="alertd/store/fallback.py", old="            if gives_tokens and not self._unread:\n", new="            if False:\n"),),
        by=Tests(paths=("tests/store/test_fallback.py",), names="which gives it out after a power cut"),
    ),
    Mutant(
        name="full disk: what finds it full is not decided once more",
        edits=(Edit(file="alertd/daemon/intake.py", old="            return self._decide_and_commit(events, registry, room)\n\n    def _decide", new="            raise\n\n    def _decide"),),
        by=Tests(paths=("tests/daemon/test_promises.py",), names="promise 2: the disk was found full, and a press was lost"),
    ),
    Mutant(
        name="full disk: when devices were heard is lost",
        edits=(Edit(file="alertd/daemon/last_seen.py", old="                self._check_ins.take_back(changed)\n", new=""),),
        by=Tests(paths=("tests/daemon/test_last_seen.py",), names="a device that was heard is missed after the next start"),
    ),
    Mutant(
        name="supervision: what earlier lives listened counts once more with each start",
        edits=(Edit(file="alertd/daemon/ears.py", old="            if record.spoke and record.source == name:\n", new="            if record.source == name:\n"),),
        by=Tests(paths=SUPERVISION, names="ninety hours without a word, and nobody was told"),
    ),
    Mutant(
        name="clock: what was written first is what shows the earliest time",
        edits=(Edit(file="alertd/store/rows.py", old="key=lambda each: age_us(each, now))", new="key=lambda each: -each.created_us)"),),
        by=Tests(paths=("tests/store/test_sqlite_contract.py",), names="an answer is refused, because a clock was set"),
    ),
    Mutant(
        name="clock: what is held over a reboot is held by the clock of before it was set",
        edits=(Edit(file="alertd/store/sql.py", old="WHERE state = 'queued' AND not_before_us > 0 AND boot_id = ?", new="WHERE state = 'claimed' AND not_before_us > 0 AND boot_id = ?"),),
        by=Tests(paths=("tests/store/test_sqlite_contract.py",), names="it was to wait for ninety seconds more"),
    ),
    Mutant(
        name="clocks: an old incident that is written again ends the rest of a code",
        edits=(
            Edit(
                file="alertd/store/tokens.py",
                old="max(last_us + RESERVED_US, self._rests_until_us.get(token, last_us))",
                new="last_us + RESERVED_US",
            ),
        ),
        by=Tests(paths=("tests/store/test_sqlite_contract.py",), names="counts for another incident"),
    ),
    Mutant(
        name="clocks: since when a press may have waited is read off a clock that was set since",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/trigger_session.py",
                old="self._before.connected_at(now)",
                new="self._before.connected_us",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_presses.py",), names="by the clock as it is now"),
    ),
    Mutant(
        name="clocks: a clock that is slow after a boot has nothing wait",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/session_memory.py",
                old="return None if self.connected_us is None or self.connected_us > now.wall_us else self.connected_us",
                new="return None if self.connected_us is None else min(self.connected_us, now.wall_us)",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_presses.py",), names="by a clock that is right"),
    ),
    Mutant(
        name="clocks: since when a press may have waited over a boot is read off the clock of the connection",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/trigger_session.py",
                old="            self._before = copy(self._memory.values)\n",
                new="            self._before = copy(self._memory.values)\n"
                "            self._before.connected_us = self._before.connected_at(now)\n"
                "            self._before.boot_id, self._before.connected_boot_us = now.boot_id, now.boot_us\n"
                "            self._before.connected_boot_us -= now.wall_us - (self._before.connected_us or 0)\n",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_presses.py",), names="by a clock that is right"),
    ),
)  # fmt: skip
