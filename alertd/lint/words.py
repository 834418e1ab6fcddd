"""Words: do the gestures of a device know what it says? A panic button whose one word they do not know pages nobody.

What a device can say, its profile knows; where none reads it, nobody does. All of it is doubt and no error: a daemon
that does not start over one mute button would make every other one mute. Only duress codes that nothing reads are
refused, as are those of which no gesture says whom they call.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from alertd.config import Loaded, Thing
from alertd.config.devices import POLICE
from alertd.engine.gestures import COUNTED, IGNORED, is_counted, is_known, meant
from alertd.lint.devices import PRESSED
from alertd.lint.findings import Judge, classes_of, reaches
from alertd.lint.sources import Trigger, triggers_of
from alertd.model.ids import DeviceId
from alertd.model.incident import SEVERITY, IncidentClass
from alertd.model.site import Device, DeviceKind, Gestures
from alertd.plugins import PluginError, find_profiles
from alertd.ports import Says

MAPPED = "profiles"
ZIGBEE = "zigbee2mqtt"
"""A decoder, and the profile of what it reads."""
IEEE = re.compile(r"0x[0-9a-f]{16}", re.IGNORECASE)
"""As Zigbee2MQTT calls a device that nobody has named, and nothing else does."""
PLAIN = "press_json"
"""The decoder of plain JSON, which is no profile."""
READ_NO_CODE = (PLAIN, ZIGBEE)
"""Decoders that leave alone what was typed at a keypad."""
NAMED_MAX = 3
DURESS, ALARM = "duress", "alarm"
CALLS = {
    DURESS: IncidentClass.DURESS,
    ALARM: IncidentClass.STAFF_ASSIST,
    "medical": IncidentClass.MEDICAL,
    "fire": IncidentClass.FIRE,
    POLICE: IncidentClass.POLICE_DURESS,
}
"""What profiles make of a call for help -> what that mostly is. Of an alarm only the site knows it: mostly burglars."""
SENSED = {
    "gunshot": IncidentClass.GUNSHOT_SENSOR,
    "keyword": IncidentClass.KEYWORD_SENSOR,
    DURESS: IncidentClass.KEYWORD_SENSOR,
    "vape": IncidentClass.VAPE,
    "thc": IncidentClass.VAPE,
    "smoking": IncidentClass.VAPE,
    "masking": IncidentClass.MASKING,
    "aggression": IncidentClass.NOISE,
    "fire": IncidentClass.ENVIRONMENTAL,
    ALARM: IncidentClass.ENVIRONMENTAL,
}
"""What profiles make of an alarm of a sensor -> what that mostly is: no panic, whatever it says. That it was opened is
told without a gesture."""


def check_words(judge: Judge) -> None:
    if judge.unread(Thing.DEVICE, Thing.GESTURES, Thing.SOURCE, Thing.SITE):
        return
    hearing = _Hearing(judge.loaded)
    for device in judge.registry.devices.values():
        if device.duress_codes and not hearing.reads_codes_of(device):
            message = "are read by no trigger that carries it: whoever types one under threat would call nobody"
            sources = " or ".join(f'"{name}"' for name in hearing.reading_codes)
            remedy = f'give its trigger in channels.toml decoder = "{MAPPED}", and options whose source is {sources}'
            judge.error(Thing.DEVICE, device.id, "duress_codes", message, remedy)
    _check_shut(judge, hearing)
    for devices, profile, says, is_certain in _alike(hearing, judge.registry.devices.values()):
        if devices[0].kind not in PRESSED:
            if is_certain:
                _check_sensed(judge, devices, profile, says)
        elif classes_of(devices[0]):
            if is_certain:
                _check(judge, devices, profile, says, hearing)
            else:
                _check_perhaps(judge, devices[0], profile, says)


def _alike(hearing: "_Hearing", devices: Iterable[Device]) -> Iterator[tuple[Sequence[Device], str, Says, bool]]:
    """Buttons, or sensors, with the same gestures that are read by one profile, certainly or perhaps."""
    alike: dict[tuple[str, str, bool, bool, bool], list[Device]] = {}
    for device in devices:
        if device.kind in (*PRESSED, DeviceKind.SENSOR):
            for profile, is_certain in hearing.profiles_of(device):
                key = (device.gestures.id, profile, device.kind in PRESSED, bool(device.duress_codes), is_certain)
                alike.setdefault(key, []).append(device)
    for (_, profile, _, _, is_certain), found in alike.items():
        if (says := hearing.says_of(found[0], profile)) is not None:
            yield found, profile, says, is_certain


def words(loaded: Loaded) -> dict[DeviceId, frozenset[str]]:
    """What each device can say that its gestures may know; of others nobody knows it."""
    return dict(_words(_Hearing(loaded), loaded.registry.devices.values()))


def _words(hearing: "_Hearing", devices: Iterable[Device]) -> Iterator[tuple[DeviceId, frozenset[str]]]:
    for device in devices:
        for profile, is_certain in hearing.profiles_of(device):
            if is_certain and (says := hearing.says_of(device, profile)) is not None:
                yield device.id, sayable(says, device.gestures)


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

    def says_of(self, device: Device, profile: str) -> Says | None:
        """What it can say by that; one with duress codes says that somebody typed one, too."""
        says = self.says.get(profile)
        return replace(says, words=says.words | {POLICE}) if says is not None and device.duress_codes else says

    def is_carried(self, device: Device) -> bool:
        """If not, that is an error already."""
        return bool(self._over(device))

    def reads_codes_of(self, device: Device) -> bool:
        return not self._is_all or any(map(self._reads_codes, self._over(device)))

    def shut_to(self, device: Device) -> str:
        """The triggers over which alone it can come, and on which nobody presses; empty: it is heard."""
        fitting = [trigger for trigger in self.triggers if self._may_bring(trigger, device)]
        others = [t for t in self.triggers if t.decoder not in (MAPPED, *READ_NO_CODE)]
        is_heard = not self._is_all or not all(trigger.never_press for trigger in (*fitting, *others))
        return "" if is_heard else ", ".join(trigger.topic for trigger in fitting)

    def may_shut_out(self, trigger: Trigger, device: Device) -> bool:
        """Of a trigger on which nobody presses, and a device without a profile that is heard over another: is it one of
        Zigbee2MQTT by its id, and this the only one to read that? Any other id may be its own where presses are heard.
        """
        if device.profile or not self._is_all or not IEEE.fullmatch(device.id):
            return False
        bridges = [each for each in self.triggers if self._is_zigbee(each) and self._may_bring(each, device)]
        return trigger in bridges and all(each.never_press for each in bridges)

    def _is_zigbee(self, trigger: Trigger) -> bool:
        return ZIGBEE in (trigger.decoder, self._own(trigger))

    def _may_bring(self, trigger: Trigger, device: Device) -> bool:
        """Whatever its kinds: would a decoder of ours read a press of it here? One without a profile, by that of the
        source. Plain JSON names no device with a slash."""
        if trigger.decoder == PLAIN and "/" in device.id:
            return False
        if trigger.decoder in READ_NO_CODE:
            return device.profile in ("", trigger.decoder) and trigger.finds(device.id)
        if device.profile:
            return self._fits(trigger, device.profile)
        return trigger.decoder == MAPPED and (trigger.source not in self._reads or bool(self._own(trigger)))

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


def _check_shut(judge: Judge, hearing: _Hearing) -> None:
    """Once for all that are shut out alike."""
    known = judge.registry.devices.values()
    pressed = [each for each in known if each.kind in PRESSED and hearing.is_carried(each)]
    alike: dict[tuple[str, str, DeviceKind], list[Device]] = {}
    heard = []
    for device in pressed:
        if shut := hearing.shut_to(device):
            alike.setdefault((shut, device.profile, device.kind), []).append(device)
        else:
            heard.append(device)
    for (shut, profile, kind), devices in alike.items():
        by = f" (profile {profile})" if profile else ""
        speaks = f"speak{'s' * (len(devices) == 1)}" if by else "can be heard only"
        message = f"{_first(devices)} {speaks} over {shut}{by}, whose kinds have no {kind}: "
        message += "whoever presses it calls NOBODY, only those on duty are rung"
        remedy = f'add "{kind}" to the kinds of its trigger in channels.toml, or give it one of its own'
        remedy += "" if by else "; if it comes over another, name its profile in its row"
        judge.warn(Thing.DEVICE, devices[0].id, "profile", message, remedy)
    for section in judge.loaded.sections:
        for index, trigger in enumerate(triggers_of(section.settings) if section.table == "sources" else ()):
            perhaps = [each for each in heard if trigger.never_press and hearing.may_shut_out(trigger, each)]
            is_of_others = any(each.profile == ZIGBEE for each in known if each.kind in trigger.kinds)
            if perhaps and not is_of_others:
                key, said = f"triggers[{index}].kinds", _perhaps(trigger, perhaps)
                judge.warn_at(section.file, section.line_of(key), f"sources.{section.name}.{key}", *said)


def _perhaps(trigger: Trigger, devices: Sequence[Device]) -> tuple[str, str]:
    """What is said, and the remedy, of those without a profile whose id is of Zigbee2MQTT."""
    buttons_first = sorted(devices, key=lambda each: PRESSED.index(each.kind))
    kinds = ", ".join(f'"{kind}"' for kind in dict.fromkeys(each.kind for each in buttons_first))
    message = f"kinds of {trigger.topic} shut out {_first(buttons_first)}, Zigbee by their ids, if they come over it: "
    message += "whoever presses one calls NOBODY then, only those on duty are rung"
    remedy = f"name the profile {ZIGBEE} in the rows of what comes over it, sensors or buttons; "
    return message, f"{remedy}if the buttons publish there, add {kinds} to its kinds"


def _first(devices: Sequence[Device]) -> str:
    more = f" and {len(devices) - NAMED_MAX} more" if len(devices) > NAMED_MAX else ""
    return ", ".join(each.id for each in devices[:NAMED_MAX]) + more


def _check(judge: Judge, devices: Sequence[Device], profile: str, says: Says, hearing: _Hearing) -> None:
    """Of devices that certainly are read by this profile, and have the same gestures."""
    device, rules = devices[0], devices[0].gestures
    calls = sorted(says.words & {*CALLS, *COUNTED})
    unknown = [word for word in calls if not is_known(word, rules)]
    is_mute = not any(meant(word, rules) for word in sayable(says, rules))
    missing = unknown or calls if is_mute else [word for word in unknown if word in CALLS]
    others = f" (and {len(devices) - 1} more like it)" if len(devices) > 1 else ""
    if missing:
        listed = ", ".join(f'"{word}"' for word in missing)
        message = f"{device.id}{others} can {'only ' if is_mute else ''}say {listed} (profile {profile}), which "
        message += f'"{rules.id}" {"does not know" if unknown else "ignores"}: '
        message += f"{'whoever presses it' if is_mute else 'that'} calls NOBODY"
        judge.warn(Thing.DEVICE, device.id, "gestures", message, _remedy(judge, device, says, missing))
    elif is_mute:
        message = f"{device.id}{others} can say nothing that calls (profile {profile}): whoever presses it calls NOBODY"
        remedy = "write the profile of what it is into its row, or one of your own (docs/devices.md)"
        judge.warn(Thing.DEVICE, device.id, "profile", message, remedy)
    for word, named in rules.actions.items():
        event = says.renamed.get(word)
        if event is None or named == IGNORED or event in missing or _alone(event, rules) == named:
            continue
        message = f'"{word}" of "{rules.id}" is never heard of {device.id}{others}: profile {profile} makes "{event}" '
        message += f"of it, which calls {_alone(event, rules) or 'nobody'}, not {named}"
        alike = [each for each in judge.registry.devices.values() if each.gestures.id == rules.id]
        remedy = _renaming(rules, says, word, [dict(_words(hearing, [each])).get(each.id) for each in alike])
        judge.warn(Thing.DEVICE, device.id, "gestures", message, remedy)


def _check_sensed(judge: Judge, devices: Sequence[Device], profile: str, says: Says) -> None:
    """Of sensors: what their profile can say is an alarm, and their gestures do not know."""
    device, rules = devices[0], devices[0].gestures
    missing = sorted((says.words & SENSED.keys()) - rules.actions.keys())
    if not missing:
        return
    others = f" (and {len(devices) - 1} more like it)" if len(devices) > 1 else ""
    listed = ", ".join(f'"{word}"' for word in missing)
    message = f"{device.id}{others} can say {listed} (profile {profile}), which "
    message += f'"{rules.id}" does not know: that calls NOBODY'
    written = ", ".join(f'{word} = "{SENSED[word]}"' for word in missing)
    remedy = f'write {written} in actions of [{rules.id}] in gestures.toml; "ignore" what nobody is to hear of'
    theirs = {each.site_id for each in judge.registry.devices.values() if each.gestures.id == rules.id}
    sites = [site for site in judge.registry.sites.values() if site.id in theirs]
    without = dict.fromkeys(SENSED[w] for w in missing if any(SENSED[w] not in site.policies for site in sites))
    if without:
        remedy += f"; first give each school of theirs a policy for {', '.join(without)} (docs/sensors.md)"
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


def _renaming(rules: Gestures, says: Says, word: str, others: Iterable[frozenset[str] | None]) -> str:
    """Leave out the word, which nobody hears, or let what the profile makes of it mean that, and leave out what the
    profile makes the same of and what means something else. `others`: what all that have these gestures can say."""
    event, named = says.renamed[word], rules.actions[word]
    rivals = [w for w, name in rules.actions.items() if says.renamed.get(w) == event and name not in {named, IGNORED}]
    is_said = any(can is None or not can.isdisjoint((word, *rivals)) for can in others)
    where, write, leave = "in its actions", "write", "remove"
    if is_said:
        where, write, leave = "give it gestures of its own,", "with", "without"
    if event not in says.words:
        return f"{where} {leave} {word}: the profile knows that it is no call"
    instead = f'{write} {event} = "{named}"' + (f" and {leave} {', '.join(rivals)}" if rivals else "")
    return f"{where} {leave} {word}, or {instead}" if _alone(event, rules) else f"{where} {instead}"


def _remedy(judge: Judge, device: Device, says: Says, missing: Sequence[str]) -> str:
    """As these gestures name the device's own word for it, if they do; else what all of them call for, or what the word
    mostly is, where every school that has these gestures has a policy for it. A typed code says nothing of other words.
    """
    devices = [each for each in judge.registry.devices.values() if each.gestures.id == device.gestures.id]
    sites = [judge.registry.sites.get(site_id) for each in devices for site_id in reaches(each)]
    actions = device.gestures.actions
    classes = [each for each in classes_of(device) if each != actions.get(POLICE)]
    written = []
    for word in missing:
        before = [name for own, name in actions.items() if says.renamed.get(own) == word and name != IGNORED]
        usual: str = CALLS.get(word, IncidentClass.STAFF_ASSIST)
        is_rash = word == ALARM or (IncidentClass.LOCKDOWN in classes and word != DURESS)  # nothing less locks down
        if len(classes) == 1 and not is_rash:
            usual = classes[0]
        is_had = all(site is not None and usual in site.policies for site in sites)
        known = usual if is_had else IncidentClass.STAFF_ASSIST
        gravest = max(before, key=lambda name: SEVERITY[IncidentClass(name)], default=known)
        written.append(f'{word} = "{gravest}"')
    where = f"in actions of [{device.gestures.id}] in gestures.toml"
    of_burglars = ", or says of burglars alone" * (ALARM in missing)
    return f'write {", ".join(written)} {where}; "ignore" what it never says{of_burglars}'
