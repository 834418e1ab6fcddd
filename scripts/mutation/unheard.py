"""Mutants of how alertd learns that a press would not be heard, and of messages that only a part of can be read."""

from mutation.mutant import Edit, Mutant, Story, Tests

CANARIES = "adapters/alertd_adapters/mqtt/canaries.py"
MAPPING = "adapters/alertd_adapters/decoders/mapping"
TESTS = ("tests/adapters/mqtt/test_canaries.py",)
PARTS = ("tests/adapters/decoders/mapping/test_several_parts.py",)

UNHEARD = (
    Mutant(
        name="canary: what a broker keeps from us is never missed",
        edits=(Edit(file=CANARIES, old="        deaf = sorted(missed & self._missed)", new="        deaf = []"),),
        by=Story(name="broker_keeps_presses_from_us"),
    ),
    Mutant(
        name="canary: taken by the broker is heard",
        edits=(
            Edit(
                file=CANARIES,
                old="        self._hung_up.pop(topic, None)\n        return True",
                new="        self._hung_up.pop(topic, None)\n        self._heard.add(topic)\n        return True",
            ),
        ),
        by=Tests(paths=TESTS, names="presses do not reach us, and nobody is told"),
    ),
    Mutant(
        name="broker away: that presses do not arrive stands at the end, which a text loses",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/trigger_session.py",
                old='f"Presses do NOT arrive: no connection',
                new='f"No connection',
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_troubles.py",), names="what it means is cut off in a text"),
    ),
    Mutant(
        name="device test: who is at a button is not told that alertd has no session",
        edits=(
            Edit(
                file="alertd/console/client.py",
                old='each["name"].startswith("broker") and not each["alive"]',
                new='each["name"] == "broker" and not each["alive"]',
            ),
        ),
        by=Tests(
            paths=("tests/cli/test_devices_test.py", "tests/cli/test_devices_learn.py"),
            names="nothing of what is pressed now is heard",
        ),
    ),
    Mutant(
        name="device learn: who asks for one device is not told that alertd has no session",
        edits=(
            Edit(
                file="alertd/console/learning/cli.py",
                old='fail(f"{vain} alertd hears NO device over {deaf}." if deaf else vain, Exit.FAILED)',
                new="fail(vain, Exit.FAILED)",
            ),
        ),
        by=Tests(paths=("tests/cli/test_devices_learn.py",), names="its battery would be looked for"),
    ),
    Mutant(
        name="malformed: of a long topic the end is lost, which names the device",
        edits=(
            Edit(
                file="alertd/engine/decide.py",
                old='f"{topic[:13]}...{topic[16 - TOPIC_SHOWN :]}"',
                new="topic[:TOPIC_SHOWN]",
            ),
        ),
        by=Tests(paths=("tests/engine/test_trouble_words.py",), names="nobody knows which device to look at"),
    ),
    Mutant(
        name="several parts: what cannot be read beside a press is dropped",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/decoding.py",
                old="            refused=understood.unread[:REFUSAL_MAX],\n",
                new="",
            ),
        ),
        by=Tests(paths=PARTS, names="raised no trouble"),
    ),
)
