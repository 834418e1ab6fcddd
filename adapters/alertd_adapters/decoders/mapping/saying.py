"""What devices can say by their profiles, for whoever compares it with gestures.

Read from the rules as they are written, never from what was heard: words that one device of many never says are among
them.
"""

from alertd.ports import Reads, Says
from alertd_adapters.decoders.mapping import written
from alertd_adapters.decoders.mapping.events import OWN_WORD, TRIGGERS, action_of
from alertd_adapters.decoders.mapping.library import Library


def says(library: Library) -> dict[str, Says]:
    """Of every profile of devices."""
    found = ((name, entry.written) for (_, name), entry in library.entries.items())
    return {name: _says(each) for name, each in found if isinstance(each, written.DeviceProfile)}


def _says(profile: written.DeviceProfile) -> Says:
    rules = [rule for rule in profile.rules if not rule.ignored]
    events = {event for rule in rules for event in (rule.event, *rule.map.values()) if event in TRIGGERS}
    words = frozenset(action_of(event) for event in events if event is not None) - {OWN_WORD}
    named = [each for rule in reversed(rules) for each in rule.map.items()]  # the first rule that knows it counts
    renamed = {word: action_of(event) for word, event in named if word not in words and event != OWN_WORD}
    any_word = any(rule.event == OWN_WORD and not rule.map for rule in rules)  # beside a map: of a later firmware
    return Says(words=words, renamed=renamed, any_word=any_word)


def reads(library: Library) -> dict[str, Reads]:
    """Of every source."""
    found = ((name, entry.written) for (_, name), entry in library.entries.items())
    return {
        name: Reads(
            profile=each.profile,
            codes=any(message.code for message in each.messages),
            topics=tuple(dict.fromkeys(_filter(message.topic) for message in each.messages)),
            base=each.base,
        )
        for name, each in found
        if isinstance(each, written.SourceProfile)
    }


def _filter(template: str) -> str:
    """As a trigger names it, but for its base."""
    return "/".join("+" if level.startswith("{") and level != "{base}" else level for level in template.split("/"))
