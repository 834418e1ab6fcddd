# ruff: noqa: E501 - what is changed is quoted as it stands in the source
"""Mutants of what `alertd broker config` writes: who may press, and what waits. A quick test must catch each."""

from mutation.mutant import Edit, Mutant, Tests

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
)
