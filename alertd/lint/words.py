"""Words: do the gestures of a device know what it says? A panic button whose one word they do not know pages nobody.

What a device can say, its profile knows; where none reads it, nobody does. All of it is doubt and no error: a daemon
that does not start over one mute button would make every other one mute. Only duress codes that nothing reads are
refused, as are those of which no gesture says whom they call.
"""

from collections.abc import Iterator, Mapping, Sequence

from alertd.config import Loaded, Thing
from alertd.engine.gestures import COUNTED, IGNORED, is_counted, is_known, meant
from alertd.lint.devices import PRESSED
from alertd.lint.findings import Judge, classes_of, reaches
from alertd.lint.sources import Trigger, triggers_of
from alertd.model.ids import DeviceId
from alertd.model.incident import IncidentClass
from alertd.model.site import Device, Gestures
from alertd.plugins import PluginError, find_profiles
from alertd.ports import Says

MAPPED = "profiles"
READ_NO_CODE = ("press_json", "zigbee2mqtt")
"""Decoders that leave alone what was typed at a keypad."""
CALLS = {
    "duress": IncidentClass.DURESS,
    "alarm": IncidentClass.DURESS,
    "medical": IncidentClass.MEDICAL,
    "fire": IncidentClass.FIRE,
    "police": IncidentClass.POLICE_DURESS,
}
"""What profiles make of a call for help -> what that mostly is."""


def check_words(judge: Judge) -> None:
    if judge.unread(Thing.DEVICE, Thing.GESTURES, Thing.SOURCE, Thing.SITE):
        return
    pressed = [d for d in judge.registry.devices.values() if d.kind in PRESSED]
    hearing = _Hearing(judge.loaded)
    for device in judge.registry.devices.values():
        if device.duress_codes and not hearing.reads_codes_of(device):
            message = "are read by no trigger that carries it: whoever types one under threat would call nobody"
            sources = " or ".join(f'"{name}"' for name in hearing.reading_codes)
            remedy = f'give its trigger in channels.toml decoder = "{MAPPED}", and options whose source is {sources}'
            judge.error(Thing.DEVICE, device.id, "duress_codes", message, remedy)
    alike: dict[tuple[str, str, bool], list[Device]] = {}
    for device in pressed:
        for profile, is_certain in hearing.profiles_of(device):
            alike.setdefault((device.gestures.id, profile, is_certain), []).append(device)
    for (_, profile, is_certain), devices in alike.items():
        says = hearing.says.get(profile)
        if says is not None and classes_of(devices[0]):
            _check(judge, devices, profile, says) if is_certain else _check_perhaps(judge, devices[0], profile, says)


def words(loaded: Loaded) -> dict[DeviceId, frozenset[str]]:
    """What each device can say that its gestures may know; of others nobody knows it."""
    hearing = _Hearing(loaded)
    return {
        device.id: sayable(says, device.gestures)
        for device in loaded.registry.devices.values()
        for profile, is_certain in hearing.profiles_of(device)
        if is_certain and (says := hearing.says.get(profile)) is not None
    }


def sayable(says: Says, rules: Gestures) -> frozenset[str]:
    """Of what is a device's own word, only the words of its gestures are any of our business."""
    return says.words | (rules.actions.keys() - says.renamed.keys() if says.any_word else frozenset())


class _Hearing:
    """Who reads which device, as far as the configuration tells."""

    def __init__(self, loaded: Loaded) -> None:
        sources = [section for section in loaded.sections if section.table == "sources"]
        self.triggers = [trigger for section in sources for trigger in triggers_of(section.settings)]
        self._is_all = all(section.plugin == "mqtt" for section in sources)
        self.says: Mapping[str, Says] = {}
        self._districts: frozenset[str] = frozenset()
        """Profiles that the district wrote itself."""
        try:
            found = find_profiles()
            self._reads = found.reads(loaded.profile_tables)
            if any(trigger.decoder == MAPPED for trigger in self.triggers):
                self.says = found.says(loaded.profile_tables)
                self._districts = frozenset(self.says) - frozenset(found.says({}))
        except PluginError:  # said by `check_profiles`
            self._reads = {}
        self.reading_codes = sorted(name for name, each in self._reads.items() if each.codes)

    def profiles_of(self, device: Device) -> Iterator[tuple[str, bool]]:
        """Profiles by which it is read: certainly, or perhaps."""
        if not self.says:
            return
        if device.profile:
            if any(self._fits(trigger, device.profile) for trigger in self._over(device)):
                yield device.profile, True
            return
        over = self._over(device)
        if device.duress_codes:
            over = [trigger for trigger in over if self._reads_codes(trigger)]
        theirs = dict.fromkeys(self._own(trigger) for trigger in over)
        for profile in filter(None, theirs):
            yield profile, len(theirs) == 1 and self._is_all

    def reads_codes_of(self, device: Device) -> bool:
        return not self._is_all or any(map(self._reads_codes, self._over(device)))

    def _over(self, device: Device) -> Sequence[Trigger]:
        return [trigger for trigger in self.triggers if trigger.carries(device.id, device.kind)]

    def _own(self, trigger: Trigger) -> str:
        """The profile that its source has for whatever names none."""
        known = self._reads.get(trigger.source) if trigger.decoder == MAPPED else None
        return known.profile if known is not None else ""

    def _fits(self, trigger: Trigger, profile: str) -> bool:
        """One of a source that has its own profile comes over that; any other of ours over a network server, and the
        district knows over what it wrote its own for."""
        own = self._own(trigger)
        of_another = any(each.profile == profile for each in self._reads.values())
        return trigger.decoder == MAPPED and (
            own == profile or (not of_another and (not own or profile in self._districts))
        )

    def _reads_codes(self, trigger: Trigger) -> bool:
        known = self._reads.get(trigger.source)
        return trigger.decoder not in READ_NO_CODE and (trigger.decoder != MAPPED or known is None or known.codes)


def _check(judge: Judge, devices: Sequence[Device], profile: str, says: Says) -> None:
    """Of devices that certainly are read by this profile, and have the same gestures."""
    device, rules = devices[0], devices[0].gestures
    unknown = [w for w in sorted(says.words & {*CALLS, *COUNTED}) if not is_known(w, rules)]
    is_mute = not any(meant(word, rules) for word in sayable(says, rules))
    missing = unknown if is_mute else [word for word in unknown if word in CALLS]
    others = f" (and {len(devices) - 1} more like it)" if len(devices) > 1 else ""
    if missing:
        listed = ", ".join(f'"{word}"' for word in missing)
        message = f"{device.id}{others} can {'only ' if is_mute else ''}say {listed} (profile {profile}), which "
        message += f'"{rules.id}" does not know: {"whoever presses it" if is_mute else "that"} calls NOBODY'
        judge.warn(Thing.DEVICE, device.id, "gestures", message, _remedy(judge, device, says, missing))
    for word, named in rules.actions.items():
        event = says.renamed.get(word)
        if event is None or named == IGNORED or event in missing or _alone(event, rules) == named:
            continue
        message = f'"{word}" of "{rules.id}" is never heard of {device.id}{others}: profile {profile} makes "{event}" '
        message += f"of it, which calls {_alone(event, rules) or 'nobody'}, not {named}"
        remedy = f'write {event} = "{named}" in its actions, or remove {word}'
        if event not in says.words:
            remedy = f"remove {word}: the profile knows that it is no call"
        judge.warn(Thing.DEVICE, device.id, "gestures", message, remedy)


def _check_perhaps(judge: Judge, device: Device, profile: str, says: Says) -> None:
    """Of one that may be read by this profile: only what its gestures name, and it renames."""
    rules = device.gestures
    made = {word: says.renamed[word] for word in rules.actions if word in says.renamed}
    lost = {w: event for w, event in made.items() if event in says.words and not is_known(event, rules)}
    for word, event in lost.items():
        message = f'"{word}" of "{rules.id}" calls nobody where {device.id} or its like is read by profile {profile}: '
        message += f'that makes "{event}" of it, which "{rules.id}" does not know'
        judge.warn(Thing.DEVICE, device.id, "gestures", message, _remedy(judge, device, says, [event]))


def _alone(word: str, rules: Gestures) -> str:
    """What it calls for, said once."""
    if is_counted(word, rules):
        return next((rules.presses[n] for n in sorted(rules.presses, reverse=True) if n <= COUNTED[word]), "")
    return next(iter(meant(word, rules)), "")


def _remedy(judge: Judge, device: Device, says: Says, missing: Sequence[str]) -> str:
    """As these gestures name the device's own word for it, if they do; else what all of them call for, or what the word
    mostly is, where every school that has these gestures has a policy for it."""
    devices = [each for each in judge.registry.devices.values() if each.gestures.id == device.gestures.id]
    sites = [judge.registry.sites.get(site_id) for each in devices for site_id in reaches(each)]
    classes = classes_of(device)
    written = []
    for word in missing:
        before = (name for own, name in device.gestures.actions.items() if says.renamed.get(own) == word)
        usual: str = classes[0] if len(classes) == 1 else CALLS.get(word, IncidentClass.STAFF_ASSIST)
        is_rash = usual == IncidentClass.LOCKDOWN and word not in CALLS  # one press would lock a school down
        is_had = all(site is not None and usual in site.policies for site in sites)
        known = usual if is_had and not is_rash else IncidentClass.STAFF_ASSIST
        written.append(f'{word} = "{next(before, known)}"')
    where = f"in actions of [{device.gestures.id}] in gestures.toml"
    return f'write {", ".join(written)} {where}; "ignore" what it never says'
