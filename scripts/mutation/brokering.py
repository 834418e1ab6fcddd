# ruff: noqa: E501 - what is changed is quoted as it stands in the source
"""Mutants of what `alertd broker config` writes: who may press, and what waits. A quick test must catch each."""

from mutation.mutant import Edit, Mutant, Seeds, Story, Tests

WRITTEN = "alertd/exports/broker"
TESTS = ("tests/exports/test_broker_config.py",)

BROKERING = (
    Mutant(
        name="broker config: a sensor speaks on the buttons' topics",
        edits=(
            Edit(
                file=f"{WRITTEN}/clients.py",
                old="            return device.kind in self.kinds",
                new="            return True",
            ),
        ),
        by=Tests(paths=TESTS, names="a sensor may press"),
    ),
    Mutant(
        name="broker config: a gateway speaks for the badges of every school",
        edits=(
            Edit(
                file=f"{WRITTEN}/clients.py",
                old="                if gateway.site_id in (wearable.site_id, *wearable.roaming_sites) and not trigger.voices.is_one:",
                new="                if not trigger.voices.is_one:",
            ),
        ),
        by=Tests(paths=TESTS, names="promise 6"),
    ),
    Mutant(
        name="broker config: a device may not read its own feedback",
        edits=(
            Edit(
                file=f"{WRITTEN}/clients.py",
                old="        draft.hears.update(_feedback(settings, device.id))",
                new="        pass",
            ),
        ),
        by=Tests(paths=TESTS, names="repeats in vain"),
    ),
    Mutant(
        name="broker config: a thousand presses may wait",
        edits=(Edit(file=f"{WRITTEN}/layout.py", old="NO_LIMIT = 1_000_000_000", new="NO_LIMIT = 1_000"),),
        by=Tests(paths=TESTS, names="promise 1"),
    ),
    Mutant(
        name="broker config: a hand-out that was destroyed changes every password",
        edits=(
            Edit(
                file=f"{WRITTEN}/passwords.py",
                old="        if name in renewed or (old is None and said is None):",
                new="        if name in renewed or said is None:",
            ),
        ),
        by=Tests(paths=TESTS, names="locked out"),
    ),
    Mutant(
        name="broker config: alertd's new password is taken by a reload",
        edits=(
            Edit(
                file="alertd/console/brokers/cli.py",
                old="        is_restarted = each.is_new_conf or each.is_alertd_new\n",
                new="        is_restarted = each.is_new_conf\n",
            ),
        ),
        by=Tests(paths=TESTS, names="promise 1: presses are thrown away"),
    ),
    Mutant(
        name="broker config: alertd has another new password at each broker",
        edits=(
            Edit(
                file=f"{WRITTEN}/passwords.py",
                old="            said = renewed.get(name) or made_up()\n",
                new="            said = made_up()\n",
            ),
        ),
        by=Tests(paths=TESTS, names="the broker broker refuses alertd"),
    ),
    Mutant(
        name="broker config: who shares a secret under another name keeps the old password",
        edits=(
            Edit(
                file=f"{WRITTEN}/files.py",
                old="    new |= {user.name: of_secrets[user.secret] for user in users if user.secret in of_secrets}\n",
                new="",
            ),
        ),
        by=Tests(paths=TESTS, names="the broker sensors refuses alertd"),
    ),
    Mutant(
        name="broker config: who left the registry can still press",
        edits=(
            Edit(
                file=f"{WRITTEN}/passwords.py",
                old="    now: dict[str, str] = {}\n",
                new="    now: dict[str, str] = dict(hashes)\n",
            ),
        ),
        by=Tests(paths=TESTS, names="who left can still press"),
    ),
    Mutant(
        name="broker config: everybody may read the passwords",
        edits=(
            Edit(
                file=f"{WRITTEN}/files.py",
                old="FOR_ALL, FOR_THE_GROUP, FOR_ONE, FOLDER = 0o644, 0o640, 0o600, 0o700",
                new="FOR_ALL, FOR_THE_GROUP, FOR_ONE, FOLDER = 0o644, 0o640, 0o644, 0o700",
            ),
        ),
        by=Tests(paths=TESTS, names="others could read"),
    ),
    Mutant(
        name="broker config: a sensor with a broker of its own presses at that of the buttons",
        edits=(
            Edit(
                file=f"{WRITTEN}/clients.py",
                old="            return [trigger for trigger in mine if trigger.kinds]",
                new="            return mine",
            ),
        ),
        by=Tests(paths=TESTS, names="a sensor may press"),
    ),
    Mutant(
        name="broker config: a site's own line becomes another user's right",
        edits=(
            Edit(
                file=f"{WRITTEN}/access.py",
                old='    if word == "topic" and not is_a_users:\n',
                new='    if word == "topic" and is_a_users and not rest:\n',
            ),
        ),
        by=Tests(
            paths=TESTS, names="a broker that does not start takes no press, and a right is given to nobody by mistake"
        ),
    ),
    Mutant(
        name="broker config: everybody presses as anybody",
        edits=(
            Edit(
                file=f"{WRITTEN}/clients.py",
                old="            return device.kind in self.kinds",
                new="            return True",
            ),
            Edit(
                file=f"{WRITTEN}/clients.py",
                old="                draft.says.update(topic.replace(CLIENT, called) for topic in trigger.voices.says)\n",
                new='                draft.says.update(topic.replace(CLIENT, "+") for topic in trigger.voices.says)\n',
            ),
        ),
        by=Story(name="sensor_is_taken_over"),
    ),
    Mutant(
        name="broker config: a wall button may not press",
        edits=(
            Edit(
                file=f"{WRITTEN}/clients.py",
                old="            if _speaks_for_itself(device, trigger):\n                called",
                new="            if _speaks_for_itself(device, trigger) and device.kind is not DeviceKind.BUTTON:\n                called",
            ),
        ),
        cheap=True,
        by=Seeds(trips=("own voice",)),
    ),
    Mutant(
        name="doctor: the certificate that devices see may have ended",
        edits=(
            Edit(
                file="alertd/console/broker_door.py",
                old="        return Finding(level=FAIL, what=what, words=words, remedy=NEW_ONE)",
                new="        return Finding(level=OK, what=what, words=words, remedy=NEW_ONE)",
            ),
        ),
        by=Tests(paths=("tests/console/test_broker_door.py",), names="buttons stop at a door that nobody looked at"),
    ),
    Mutant(
        name="doctor: a broker that saves nothing is well",
        edits=(
            Edit(
                file="alertd/console/broker_written.py",
                old="        yield Finding(level=WARN, what=what, words=words, remedy=REMEDY)\n    unwanted =",
                new="        yield Finding(level=OK, what=what, words=words, remedy=REMEDY)\n    unwanted =",
            ),
        ),
        by=Tests(paths=("tests/console/test_broker_written.py",), names="it loses presses when it is killed"),
    ),
    Mutant(
        name="doctor: what a folder beside mosquitto.conf says is not read",
        edits=(
            Edit(
                file="alertd/console/broker_written.py",
                old="                yield from _lines(each, includes=False)\n",
                new="                continue\n",
            ),
        ),
        by=Tests(paths=("tests/console/test_broker_written.py",), names="all is said, there"),
    ),
    Mutant(
        name="doctor: a broker that saves where it may not write is well",
        edits=(
            Edit(
                file="alertd/console/broker_written.py",
                old='    if not location.startswith("/"):\n',
                new='    if location and not location.startswith("/"):\n',
            ),
        ),
        by=Tests(paths=("tests/console/test_broker_written.py",), names="it loses presses when it is killed"),
    ),
    Mutant(
        name="doctor: a broker that saves in memory is well",
        edits=(
            Edit(
                file="alertd/console/broker_written.py",
                old='    elif f"{location}/".startswith(IN_MEMORY):\n',
                new='    elif f"{location}/" in IN_MEMORY:\n',
            ),
        ),
        by=Tests(paths=("tests/console/test_broker_written.py",), names="it loses presses when it is killed"),
    ),
    Mutant(
        name="doctor: a broker whose file is not there is passed over",
        edits=(
            Edit(
                file="alertd/console/broker_written.py",
                old="            yield Finding(level=WARN, what=what, words=words, remedy=remedy)\n\n\ndef _findings",
                new="            yield Finding(level=OK, what=what, words=words, remedy=remedy)\n\n\ndef _findings",
            ),
        ),
        by=Tests(paths=("tests/console/test_broker_written.py",), names="believes that it was looked at"),
    ),
    Mutant(
        name="doctor: an included file goes on below the listener of the one before it",
        edits=(
            Edit(
                file="alertd/console/broker_written.py",
                old="        lines = list(_lines(path))\n",
                new="""        lines, at = [], ""
        for _, key, value in _lines(path):
            at = value.split()[0] if key == "listener" else at
            lines.append((at, key, value))
""",
            ),
        ),
        by=Tests(paths=("tests/console/test_broker_written.py",), names="a limit of another door"),
    ),
    Mutant(
        name="broker config: alertd may not write where a source tells devices something",
        edits=(
            Edit(
                file="adapters/alertd_adapters/decoders/mapping/sources.py",
                old="enumerate(profile.asked)), *told)",
                new="enumerate(profile.asked)),)",
            ),
        ),
        by=Tests(paths=TESTS, names="feedback never leaves"),
    ),
)
