"""Profiles: would every device be understood? A district's own are run on their examples; names must be there.

What a profile means is the decoders' business; they are found by entry point, as any plugin.
"""

from alertd.config import Section, Thing
from alertd.config.problems import did_you_mean
from alertd.config.toml_files import key_text
from alertd.lint.findings import Judge
from alertd.model.ids import DeviceId, spelled_alike
from alertd.plugins import PluginError, find_profiles

DECODER = "profiles"


def check_profiles(judge: Judge) -> None:
    _check_spelled_alike(judge)
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
    if named and not judge.unread(Thing.SOURCE) and not any(map(_is_mapped, judge.loaded.sections)):
        message = f"it names a profile, and no trigger of any source has the decoder {DECODER}"
        remedy = f'write one in channels.toml: {{ topic = "…", decoder = "{DECODER}", options = {{ source = "…" }} }}'
        judge.warn(Thing.DEVICE, named[0].id, "profile", message, remedy)


def _check_spelled_alike(judge: Judge) -> None:
    """Two rows of one radio: which of them would it be?"""
    seen: dict[str, DeviceId] = {}
    for device_id in judge.registry.devices:
        other = seen.setdefault(spelled_alike(device_id), device_id)
        if other != device_id:
            message = f"is the same address as {other}, spelled differently"
            judge.error(Thing.DEVICE, device_id, "id", message, "remove one of the two rows")


def _is_mapped(section: Section) -> bool:
    triggers = section.settings.get("triggers")
    each = triggers if isinstance(triggers, list) else ()
    return any(isinstance(trigger, dict) and trigger.get("decoder") == DECODER for trigger in each)
