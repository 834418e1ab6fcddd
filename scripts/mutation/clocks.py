# ruff: noqa: E501 - what is changed is quoted as it stands in the source
"""Mutants in what outlives a clock that is set, and a reboot after it: ends of messages, ages of presses, last-seen."""

from mutation.mutant import Edit, Mutant, Story, Tests

NOTIFICATION = "alertd/model/notification.py"
ROWS = "alertd/store/rows.py"
RECORDS = "alertd/daemon/device_records.py"
SUPERVISION = ("tests/daemon/test_check_ins.py",)
STORE = ("tests/store/test_sqlite_contract.py",)
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
        edits=(Edit(file=ROWS, old="        *((statement, [known]) for statement in sql.RESTAMP_KNOWN),\n", new=""),),
        cheap=True,
        by=Story(name="clock_set_and_then_the_power_goes", trips=("expiry",)),
    ),
    Mutant(
        name="clocks: a press is as long ago as the wall says",
        edits=(Edit(file=ROWS, old="now.boot_us - boot_us if boot_id == now.boot_id else now.wall_us - at_us\n", new="now.wall_us - at_us\n"),),
        cheap=True,
        by=Tests(paths=STORE, names=PRESS_LOST),
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
        edits=(Edit(file="alertd/store/sqlite.py", old="            session.run(statement, shown)\n", new="            pass\n"),),
        by=Tests(paths=STORE, names="a text that waits was thrown away unsent"),
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
        name="supervision: what earlier lives listened counts once more with each start",
        edits=(Edit(file="alertd/daemon/ears.py", old="            if record.spoke and record.source == name:\n", new="            if record.source == name:\n"),),
        by=Tests(paths=SUPERVISION, names="ninety hours without a word, and nobody was told"),
    ),
)  # fmt: skip
