"""Mutants in how an unknown device is learnt: nothing may be guessed, taken from a daemon, or kept that is secret."""

from mutation.mutant import Edit, Mutant, Tests

MQTT = "adapters/alertd_adapters/mqtt"
STRANGERS_TESTS = ("tests/adapters/mqtt/test_strangers.py",)
PARTS_TESTS = ("tests/adapters/decoders/mapping/test_learning.py",)
LEARN_TESTS = ("tests/cli/test_devices_learn.py",)

LEARNING = (
    Mutant(
        name="learn: a PIN that somebody typed is kept and shown",
        edits=(
            Edit(
                file=f"{MQTT}/strangers.py",
                old="any(hint in lowered for hint in HINTS) or ",
                new="",
            ),
        ),
        by=Tests(paths=STRANGERS_TESTS, names="what may be a code is not kept"),
        cheap=True,
    ),
    Mutant(
        name="learn: what was typed where only the topic says so is kept",
        edits=(Edit(file=f"{MQTT}/strangers.py", old=" or TYPED.search(message.topic) is not None", new=""),),
        by=Tests(paths=STRANGERS_TESTS, names="what somebody typed is kept"),
        cheap=True,
    ),
    Mutant(
        name="learn: listening joins the daemons' shared group and takes presses from them",
        edits=(
            Edit(
                file=f"{MQTT}/eavesdropper.py",
                old="dict.fromkeys(_bare(each) for triggers",
                new="dict.fromkeys(each for triggers",
            ),
        ),
        by=Tests(paths=STRANGERS_TESTS, names="outside of the shared group, at QoS 0"),
    ),
    Mutant(
        name="learn: of several profiles the first is written into the row",
        edits=(
            Edit(
                file="alertd/console/learning/rows.py",
                old="""return likely[0].profile if len(likely) == 1 else \"\"""",
                new="""return likely[0].profile if likely else \"\"""",
            ),
        ),
        by=Tests(paths=LEARN_TESTS, names="a guess is written into the row"),
    ),
    Mutant(
        name="learn: beside a registered beacon the others of a message are unseen",
        edits=(
            Edit(
                file="adapters/alertd_adapters/decoders/mapping/decoder.py",
                old="        if strangers and readings:",
                new="        if False:",
            ),
        ),
        by=Tests(paths=PARTS_TESTS, names="devices beside a registered one are unseen"),
    ),
)
