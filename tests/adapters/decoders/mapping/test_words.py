"""Every word of every built-in profile is said by an example or a line of the project's own, and means what it says."""

from collections.abc import Iterator

from msgspec.structs import replace

from alertd_adapters.decoders.mapping.checking import run
from alertd_adapters.decoders.mapping.devices import Profile
from alertd_adapters.decoders.mapping.events import TRIGGERS, UNREADABLE
from alertd_adapters.decoders.mapping.library import PROFILE, SOURCE, Library, built_in
from alertd_adapters.decoders.mapping.written import DeviceProfile, Example, Rule, SourceProfile
from tests.adapters.decoders.mapping.words import messages

UNREACHED = {"minew-gateway", "chirpstack-gateway"}
"""Their sources say what each message of a gateway is; the profile is for its check-in, and must have a rule."""
Said = tuple[str, str, Example]
"""Kind and name of the profile whose example it is."""


def said() -> dict[str, list[Said]]:
    """Device profile -> what there is to try it on."""
    found: dict[str, list[Said]] = {}
    for (kind, name), entry in built_in().entries.items():
        profile = entry.written
        if isinstance(profile, SourceProfile):
            read_by = {profile.profile, *(message.profile for message in profile.messages)}
        else:
            read_by = {name}
        for each in read_by:
            found.setdefault(each, []).extend((kind, name, example) for example in profile.examples)
    for message in messages():
        found.setdefault(message.profile, []).extend((PROFILE, message.profile, each) for each in message.examples())
    return found


def wrong(library: Library, tries: list[Said]) -> Iterator[str]:
    for kind, name, example in tries:
        if found := run(library, kind, name, example):
            yield f"{name}: {example.payload}: {found}"


def test_every_word_means_what_its_line_says():
    changed = [each for tries in said().values() for each in wrong(built_in(), tries)]
    assert changed == [], "a word of a device means something else than its line says"
    assert {message.profile for message in messages()} <= set(built_in().profiles)
    assert {message.source for message in messages()} <= {n for k, n in built_in().entries if k == SOURCE}


def test_no_word_of_a_profile_can_change_its_meaning_unnoticed():
    """One at a time: what calls becomes "other", and what does not becomes a press."""
    tries = said()
    unnoticed = [
        f"{name}, rule {number + 1}: {what}"
        for name, profile in _profiles()
        for number, rule in enumerate(profile.rules)
        for what, changed in _changed(rule)
        if not any(wrong(_with(name, profile, number, changed), tries[name]))
    ]
    assert unnoticed == [], "a word without a sample; add a line to words.toml, or remove it from the profile"


def _profiles() -> Iterator[tuple[str, DeviceProfile]]:
    for (_, name), entry in built_in().entries.items():
        if isinstance(entry.written, DeviceProfile) and name not in UNREACHED:
            yield name, entry.written


def _changed(rule: Rule) -> Iterator[tuple[str, Rule]]:
    for word, event in rule.map.items():
        yield f"{word} = {event}", replace(rule, map={**rule.map, word: _other(event)})
    if rule.event is not None:
        yield f"event = {rule.event}", replace(rule, event=_other(rule.event))


def _other(event: str) -> str:
    return "other" if event in TRIGGERS or event == UNREADABLE else "press"


def _with(name: str, profile: DeviceProfile, number: int, rule: Rule) -> Library:
    rules = [rule if index == number else each for index, each in enumerate(profile.rules)]
    changed = Profile(name, replace(profile, rules=rules))
    return replace(built_in(), profiles={**built_in().profiles, name: changed})
