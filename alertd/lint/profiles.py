"""Profiles: would every device be understood? A district's own are run on their examples; names must be there.

What a profile means is the decoders' business; they are found by entry point, as any plugin.
"""

from collections.abc import Container, Mapping, Sequence

from alertd.config import Section, Thing
from alertd.config.problems import did_you_mean
from alertd.config.toml_files import key_text
from alertd.lint.findings import Judge
from alertd.lint.sources import meets, triggers_of
from alertd.model.ids import DeviceId, spelled_alike
from alertd.model.site import Device
from alertd.plugins import PluginError, find_profiles
from alertd.ports import Reads

DECODER = "profiles"
OURS = ("press_json", "zigbee2mqtt")
"""Decoders that read by no profile. Of a third party's nobody knows it."""


def check_profiles(judge: Judge) -> None:
    _check_spelled_alike(judge)
    _check_topics(judge)
    named = [device for device in judge.registry.devices.values() if device.profile]
    files = {each.file: each for each in judge.loaded.profiles}
    if not named and not files:
        return
    own = judge.loaded.profile_tables
    try:
        profiles = find_profiles()
        known, wrong = profiles.names(own), profiles.check(own)
    except PluginError as error:
        judge.error(Thing.DEVICE, "", "profile", str(error), error.remedy)
        return
    for problem in wrong:
        line = files[problem.file].line_of(problem.path)
        say = judge.error_at if problem.is_error else judge.warn_at
        say(problem.file, line, key_text(problem.path), problem.message, problem.remedy)
    for device in named:
        if device.profile not in known:
            message = f'there is no profile "{device.profile}"'
            judge.error(Thing.DEVICE, device.id, "profile", message, did_you_mean(device.profile, known))
    if not judge.unread(Thing.SOURCE):
        _check_read(judge, named, profiles.reads(own), builtin=profiles.reads({}))


def _check_topics(judge: Judge) -> None:
    """A trigger on topics that its source never speaks on hears nothing, and nobody else would say so."""
    if judge.unread(Thing.SOURCE):
        return
    try:
        reads = find_profiles().reads(judge.loaded.profile_tables)
    except PluginError:  # said of whatever names a profile, and of the trigger
        return
    for section in _sources(judge):
        for index, trigger in enumerate(triggers_of(section.settings)):
            name = trigger.source if trigger.decoder == DECODER else trigger.decoder
            topics = _topics(reads[name], trigger.base) if trigger.decoder in (DECODER, *OURS) and name in reads else ()
            if topics and not any(meets(trigger.topic, each) for each in topics):
                key = f"triggers[{index}].topic"
                message = f'source {name} never speaks on "{trigger.topic}": nothing is heard over it'
                remedy = did_you_mean(trigger.topic, topics)
                judge.warn_at(section.file, section.line_of(key), f"sources.{section.name}.{key}", message, remedy)


def _topics(known: Reads, base: str) -> tuple[str, ...]:
    return tuple(each.replace("{base}", base or known.base, 1) for each in known.topics)


def _check_read(judge: Judge, named: Sequence[Device], reads: Mapping[str, Reads], builtin: Container[str]) -> None:
    """Once for each source that alone reads the profile of a row, and that no trigger names. What the district's own
    sources and a third party's decoders read, they know."""
    triggers = [trigger for section in _sources(judge) for trigger in triggers_of(section.settings)]
    decoders = {trigger.decoder for trigger in triggers}
    sources = {trigger.source for trigger in triggers if trigger.decoder == DECODER}
    may_read_any = bool(sources) and (not decoders <= {DECODER, *OURS} or any(each not in builtin for each in sources))
    missing: dict[str, Device] = {}
    for device in named:
        theirs = [name for name, each in reads.items() if each.profile == device.profile]
        is_read = may_read_any or device.profile in decoders or (sources.intersection(theirs) if theirs else sources)
        if not is_read:
            missing.setdefault(theirs[0] if theirs else "", device)
    for source, device in missing.items():
        message = f"it names a profile, and no trigger of any source has the decoder {DECODER}"
        message += f' with source = "{source}"' if source else ""
        topics = _topics(reads[source], "") if source else ()
        topic = topics[0] if len(topics) == 1 else "…"
        options = f'decoder = "{DECODER}", options = {{ source = "{source or "…"}" }}'
        remedy = f'write one in channels.toml: {{ topic = "{topic}", {options} }}'
        judge.warn(Thing.DEVICE, device.id, "profile", message, remedy)


def _check_spelled_alike(judge: Judge) -> None:
    """Two rows of one radio: which of them would it be?"""
    seen: dict[str, DeviceId] = {}
    for device_id in judge.registry.devices:
        other = seen.setdefault(spelled_alike(device_id), device_id)
        if other != device_id:
            message = f"is the same address as {other}, spelled differently"
            judge.error(Thing.DEVICE, device_id, "id", message, "remove one of the two rows")


def _sources(judge: Judge) -> list[Section]:
    return [section for section in judge.loaded.sections if section.table == "sources"]
