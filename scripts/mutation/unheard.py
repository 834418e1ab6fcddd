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
