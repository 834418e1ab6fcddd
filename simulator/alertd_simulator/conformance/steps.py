"""The checklist: what somebody does with the device, in order, and what each step is for."""

from msgspec import Struct


class Step(Struct, frozen=True, kw_only=True):
    id: str
    do: str
    """For whoever holds the device."""
    lasts_s: int
    """So long the kit listens, or until somebody says that it is done."""


STEPS = (
    Step(id="idle", do="Touch nothing. The kit listens to what the device says while nothing happens.", lasts_s=30),
    Step(id="press_once", do="Press the button once, as a teacher would for help.", lasts_s=20),
    Step(id="press_twice", do="Press it twice, two or three seconds apart.", lasts_s=25),
    Step(
        id="hold", do="Hold it for three seconds, then let go. If holding means nothing to it, skip this.", lasts_s=25
    ),
    Step(
        id="broker_away",
        do="Stop the broker. Press once. Half a minute later bring it back.",
        lasts_s=150,
    ),
    Step(
        id="repeat",
        do="Press once more. The kit keeps silent for 15 s and says “received” then: a device that can, repeats until "
        "it hears that.",
        lasts_s=40,
    ),
    Step(id="battery", do="Make it report its battery: wait for a report, or take the battery out and in.", lasts_s=60),
    Step(
        id="will",
        do="Pull the power of the device, or of its gateway or bridge, without switching it off.",
        lasts_s=150,
    ),
)
RECEIVED_AFTER_S = 15.0
"""In the step `repeat`: when the kit says "received"."""


def step_of(id_: str) -> Step | None:
    return next((step for step in STEPS if step.id == id_), None)
