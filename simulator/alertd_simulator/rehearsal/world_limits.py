"""What of a configuration the simulated world cannot play. Said before anything is believed.

Owns the list of plugins that have an actor, and whether simulated people can read how to answer. A third party's
channel, or a district's own words, may be perfectly good; nobody here can answer for them.
"""

from collections.abc import Iterator

from alertd.config import Loaded
from alertd.model.policy import Policy
from alertd_simulator.loudspeakers import PA_PLUGINS
from alertd_simulator.people import OFFER

PLAYED = {"sources": frozenset({"mqtt"}), "channels": frozenset({"sms_twilio", "voice_twilio", "webhook", *PA_PLUGINS})}


def not_simulated(loaded: Loaded) -> Iterator[str]:
    """One sentence a section."""
    for section in loaded.sections:
        if section.plugin not in PLAYED[section.table]:
            yield (
                f"{section.file}:{section.line}: {section.table}.{section.name}: plugin {section.plugin} has no actor "
                "in the simulated world → rehearse a copy of the configuration without it"
            )


def is_readable(policy: Policy) -> bool:
    """Do simulated people see in its alert which code says that they go? They know the example's words only."""
    words = {target.words for step in policy.steps for target in step.targets}
    alert = policy.templates.get("alert.responder", "").replace("{token}", "17")
    return "responder" not in words or OFFER.search(alert) is not None
