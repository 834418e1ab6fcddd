"""The canary: alertd's own word on a topic below each filter of presses. If it is not heard there, no press would be.

A broker may grant a subscription and deliver nothing of it: mosquitto asks its access list again at each delivery, and
answers "success" to the button all the same. Owns where the word is said and how it is told from a press.
"""

CANARY = "alertd-canary"
"""Stands in the place of a device's name."""
CANARY_WORD = b"alertd canary, no press: "
"""Begins each; who said it follows."""


def canary_topic(topic_filter: str) -> str | None:
    """A topic that the filter matches and no device speaks on. `None`: there is none (no wildcard), or who of several
    gets it is the broker's choice (`$share`)."""
    levels = topic_filter.split("/")
    if topic_filter.startswith("$") or not {"+", "#"}.intersection(levels):
        return None
    return "/".join(CANARY if level in ("+", "#") else level for level in levels)


def is_canary(payload: bytes) -> bool:
    """Certainly no press, whoever of us said it and wherever: the daemon, another one on the same broker, or `alertd
    doctor`, which also tries what must be refused."""
    return payload.startswith(CANARY_WORD)
