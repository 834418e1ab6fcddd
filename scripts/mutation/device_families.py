# ruff: noqa: E501 - what is changed is quoted as it stands in the source
"""Mutants in what device families need beyond their tables: births and numbers, copies, late and retained news."""

from mutation.mutant import Edit, Mutant, Seeds, Tests

MAPPING = "adapters/alertd_adapters/decoders/mapping"
SPARKPLUG = "adapters/alertd_adapters/decoders/sparkplug"
SPARKPLUG_TESTS = ("tests/adapters/decoders/sparkplug/test_sparkplug.py",)

DEVICE_FAMILIES = (
    Mutant(
        name="sparkplug: what came before its birth is forgotten",
        edits=(
            Edit(
                file=f"{SPARKPLUG}/nodes.py",
                old="    device.waiting = [*device.waiting, *unread][-WAITING_MAX:]",
                new="    device.waiting = []",
            ),
        ),
        by=Tests(paths=SPARKPLUG_TESTS, names="a press that came before its birth is lost"),
    ),
    Mutant(
        name="sparkplug: a number that nobody has named is no press",
        edits=(
            Edit(
                file=f"{MAPPING}/sparkplug.py",
                old="        if opened.unnamed and not any(reading.is_signal for reading in readings):",
                new="        if False:",
            ),
        ),
        by=Tests(paths=SPARKPLUG_TESTS, names="it may be a press, and no trouble says so"),
    ),
    Mutant(
        name="sparkplug: a will of another session kills",
        edits=(
            Edit(
                file=f"{SPARKPLUG}/nodes.py",
                old="        return Opened(stale=True)",
                new="        pass",
            ),
        ),
        by=Tests(paths=SPARKPLUG_TESTS, names="a will of another session killed the node"),
    ),
    Mutant(
        name="sparkplug: a birth is a press",
        edits=(
            Edit(
                file=f"{SPARKPLUG}/nodes.py",
                old="device.states.get(each.name, each.value) is not each.value:",
                new="each.value:",
            ),
        ),
        by=Tests(paths=SPARKPLUG_TESTS, names="a birth is a state, and no press"),
    ),
    Mutant(
        name="a badge's long press is read as a short one",
        edits=(
            Edit(
                file=f"{MAPPING}/builtin/milesight.toml",
                old='[profile.milesight-ws101.rules.map]\nshort = "press"\n"short press" = "press"\nlong = "long_press"\n',
                new='[profile.milesight-ws101.rules.map]\nshort = "press"\n"short press" = "press"\nlong = "press"\n',
            ),
        ),
        by=Seeds(trips=("acknowledged press",)),
    ),
    Mutant(
        name="a button's next count is the state that is known",
        edits=(
            Edit(
                file=f"{MAPPING}/builtin/wifi.toml",
                old='begins again at 9999 and with each restart\nstate = "object.event_cnt"\n',
                new="begins again at 9999 and with each restart\n",
            ),
        ),
        by=Seeds(trips=("acknowledged press",)),
    ),
)
