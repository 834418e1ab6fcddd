"""Words: does every text fit one message, say what it must, and never ask for a word that a carrier takes for itself?

The rules are those of the messages chapter in docs/configuration.md; the longest case is rendered by the engine.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from string import Formatter

from alertd.config import Thing
from alertd.config.problems import did_you_mean, quoted
from alertd.engine import wording
from alertd.engine.drill_templates import DRILL_TEMPLATES, REAL_TEMPLATES
from alertd.engine.fixed_policy import FIXED_POLICY
from alertd.engine.gsm7 import foreign, septets, to_gsm7
from alertd.lint.findings import TROUBLE, Judge
from alertd.lint.longest import longest_params
from alertd.model.incident import VERIFY_FIRST, IncidentClass, is_panic
from alertd.model.policy import Policy
from alertd.model.site import Site

_OUT = ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT")
_IN = ("START", "YES", "UNSTOP", "HELP", "INFO")
RESERVED = (*_OUT, *_IN)
"""Carriers act on these themselves: STOP and its kin opt the sender out for good (req 55)."""

CODES = "45689"
"""Digits that a reply may begin with: going, arrived, cannot go, Hold, lock down."""

RAISED_BY_REPLY = {"8": IncidentClass.HOLD, "9": IncidentClass.LOCKDOWN}
"""Codes that turn an incident into another: the site needs a policy for that one, too."""

DRILL = "THIS IS A DRILL"
ABOUT_DRILLS = "drill."
"""Templates of this beginning are said in drills only; the marks around them need not be written."""
REAL = "real."
"""The first words of what was real in a drill."""

_SHOUTED = re.compile(rf"\b({'|'.join(RESERVED)})\b")
_ASKED_FOR = re.compile(rf"\b(?:reply|text|answer|send|write)\s+(?:with\s+)?\W?({'|'.join(RESERVED)})\b", re.IGNORECASE)
_PERSON_PRESSED = re.compile(r"\{(?:who|also_who|name|by)\}\W{0,2}(?:has\s+|was\s+)?press", re.IGNORECASE)
_CODE = re.compile(r"(.?)\{token\}")
COMFORT = re.compile(r"\ball[ -]clear\b|\bfalse alarm\b|\bsafe\b", re.IGNORECASE)

CALL = "call."
_FIGURES = re.compile(r"(?<![\w{])[0-9]{2,}")
"""A voice reads 911 as nine hundred and eleven. A single figure is a key."""

_WORDED = ("alert", "also", "upgrade", "late", "reminder", "exhausted", "not_arrived", "correction", "closing", "note")
_TROUBLE_TEMPLATES = ("trouble.responder", "trouble_cleared.responder")
KNOWN = frozenset(
    (
        *FIXED_POLICY.templates,
        *(f"{REAL}{words}" for words in ("responder", "staff")),
        *(f"{name}.{words}" for name in (*_WORDED, "correction.locked") for words in ("responder", "staff")),
        *(f"{CALL}{name}{words}" for name in (*_WORDED, "correction.locked") for words in ("", ".staff")),
    )
)
"""Every name that the engine asks for; "drill." may stand before each."""
KNOWN_IN_DRILLS = KNOWN | {name.removeprefix(ABOUT_DRILLS) for name in DRILL_TEMPLATES}


def check_templates(judge: Judge) -> None:
    for policy in judge.registry.policies.values():
        if not judge.unread(Thing.TEMPLATE):
            _check_complete(judge, policy)
        for name, text in sorted(policy.templates.items()):
            where = _Where(judge, policy, name)
            if _relevant(policy, name) and _check_form(where, text):
                _check_words(where, policy, name, text)
                if name.startswith(CALL):
                    _check_call(where, name, text)
    if judge.unread(Thing.SITE, Thing.ZONE, Thing.DEVICE, Thing.GESTURES, Thing.DISTRICT):  # whose names are measured
        return
    for policy in judge.registry.policies.values():
        _check_lengths(judge, policy)


class _Where:
    """One template: places its problems at the file that wrote it, the policy's own or the common one."""

    def __init__(self, judge: Judge, policy: Policy, name: str) -> None:
        own = f"{policy.id}/{name}"
        is_own = (Thing.TEMPLATE, own) in judge.loaded.places
        self.judge = judge
        self._name = own if is_own else f"common/{name}"
        self._template = name

    def error(self, message: str, remedy: str) -> None:
        self.judge.error(Thing.TEMPLATE, self._name, self._key(), message, remedy)

    def warn(self, message: str, remedy: str) -> None:
        self.judge.warn(Thing.TEMPLATE, self._name, self._key(), message, remedy)

    def _key(self) -> str:
        return f"templates.{quoted(self._template)}"


def _relevant(policy: Policy, name: str) -> bool:
    """The common words reach every policy; a trouble uses few of them, an incident none of the troubles'."""
    plain = name.removeprefix(CALL)
    is_trouble = plain.startswith(("trouble", "supervisory"))
    return is_trouble or plain.startswith("test") if policy.incident_class == TROUBLE else not is_trouble


def _check_complete(judge: Judge, policy: Policy) -> None:
    """The engine has plain words for everything else; what opens an incident, people must have written."""
    words = {target.words for step in policy.steps for target in step.targets} or {"responder"}
    needed = (
        _TROUBLE_TEMPLATES if policy.incident_class == TROUBLE else tuple(f"alert.{each}" for each in sorted(words))
    )
    for name in needed:
        if name not in policy.templates:
            remedy = f'add "{name}" = "…" under [templates]'
            judge.error(Thing.POLICY, policy.id, "templates", f"has no words for {quoted(name)}", remedy)


def _check_form(where: _Where, text: str) -> bool:
    """Can it be filled at all? Placeholders are checked once there are values to check against."""
    try:
        fields = list(Formatter().parse(text))
    except ValueError as error:
        where.error(f"cannot be filled: {error}", "write {{ and }} for braces, {name} for a placeholder")
        return False
    for _, name, specification, conversion in fields:
        if name is not None and (specification or conversion):
            where.error(f"{{{name}}} has a format of its own", f"write {{{name}}} alone")
            return False
    return True


def _check_words(where: _Where, policy: Policy, name: str, text: str) -> None:
    base = name.removeprefix(ABOUT_DRILLS)
    known = KNOWN if base == name else KNOWN_IN_DRILLS
    if base not in known:
        where.error("nothing uses a template of this name", did_you_mean(base, known))
    if reserved := _reserved_in(text):
        where.error(f"{quoted(reserved)} is a word that carriers take for themselves", "use numeric codes only")
    if _names_who_pressed(text):
        where.error("says that a person pressed; a substitute may wear the badge", 'write "{who}": it names the badge')
    for match in _CODE.finditer(text):
        digit = match.group(1)
        if digit in RAISED_BY_REPLY:
            _check_raised(where, policy, RAISED_BY_REPLY[digit])
        if not digit or digit not in CODES:
            where.error(
                "{token} without its digit is no code", "write 4{token} going, 5{token} arrived, 6{token} cannot go"
            )
    if characters := foreign(text):
        shown = ", ".join(f"{quoted(c)} as {quoted(to_gsm7(c))}" for c in characters[:5])
        where.warn(
            f"has characters that no plain text message can carry; sends {shown}", "write them like that yourself"
        )
    comfort = COMFORT.search(text)
    if comfort and base.startswith("correction") and policy.incident_class == IncidentClass.LOCKDOWN:
        where.error(f"says {quoted(comfort[0])} to locked rooms", "say what is known, never that it is over")
    if name in ("alert.responder", "late.responder", "upgrade.responder"):
        _check_alert(where, base, text)
    _check_drill(where, name, text)


@lru_cache(maxsize=1024)  # the common words stand in every policy
def _reserved_in(text: str) -> str | None:
    found = _ASKED_FOR.search(text) or _SHOUTED.search(text)
    return found.group(1) if found else None


@lru_cache(maxsize=1024)
def _names_who_pressed(text: str) -> bool:
    return _PERSON_PRESSED.search(text) is not None


def _check_raised(where: _Where, policy: Policy, incident_class: IncidentClass) -> None:
    if where.judge.unread(Thing.POLICY):
        return
    for site in where.judge.sites_of(policy.id):
        if incident_class not in site.policies:
            message = f"offers a reply that raises {incident_class}, for which {site.id} has no policy"
            where.error(message, f'add {incident_class} = "…" under [policies] of sites/{site.id}.toml')


def _check_alert(where: _Where, base: str, text: str) -> None:
    """Source, hazard, location, guidance, time (req 48), location first, and a way to answer."""
    time = "{between}" if base == "late.responder" else "{time}"
    for placeholders, what in (
        (("{site}",), "the site"),
        (("{where}", "{short_where}"), "the place"),
        ((time, "{time}"), "the time"),
        (("{who}",), "which device it was"),
        (("4{token}",), "how to answer"),
    ):
        if not any(placeholder in text for placeholder in placeholders):
            where.error(f"does not say {what}", f"add {placeholders[0]}")


def _check_call(where: _Where, base: str, text: str) -> None:
    """Where to go is heard within a second of taking the call, and no figure is read as a sum."""
    if figure := _FIGURES.search(text):
        where.error(f"a voice reads {quoted(figure[0])} as one number", 'write every figure as a word: "nine one one"')
    if "{token}" in text:
        where.error("a voice reads {token} as one number", "write {spoken_token}")
    if base not in ("call.alert", "call.late", "call.upgrade"):
        return
    for placeholder, what in (("{spoken_where}", "the place"), ("{spoken_what}", "what it is")):
        if placeholder not in text:
            where.error(f"does not say {what}", f"add {placeholder}")
    if text.find("{spoken_where}") > text.find("{spoken_what}") > -1:
        where.error("says what it is before the place", "put {spoken_where} first: a call may be cut short")


def _check_drill(where: _Where, name: str, text: str) -> None:
    upper = text.upper()
    if not name.startswith(ABOUT_DRILLS):
        if DRILL in upper:
            where.error("a live text would say that it is a drill", f'name it "drill.{name}"')
        return
    if "NOT A DRILL" in upper:
        where.error('a drill would say "not a drill"', "remove it")


def _check_lengths(judge: Judge, policy: Policy) -> None:
    limits = [rules.text_limit for rules in judge.registry.channels.values() if rules.text_limit]
    limit = min(limits, default=wording.SEGMENT)
    sites = judge.sites_of(policy.id)
    params = [(site, longest_params(judge, site, policy.incident_class)) for site in sites]
    for name, text in sorted(policy.templates.items()):
        if not _relevant(policy, name):
            continue
        where = _Where(judge, policy, name)
        known = params[0][1] if params else {}
        if any(placeholder not in known for placeholder in _placeholders(text)) and params:
            for placeholder in _placeholders(text):
                if placeholder not in known:
                    where.error(f"{{{placeholder}}} is no placeholder", did_you_mean(placeholder, known))
            continue
        size, site, rendered = _longest(name, text, params)
        if size > limit and site is not None and not _is_spoken(name):
            message = f"can take {size} of {limit} characters at {site.id}: {rendered}"
            where.error(message, f"shorten it, or the names of places and badges, by {size - limit}")
    if policy.incident_class in tuple(IncidentClass) and is_panic(IncidentClass(policy.incident_class)):
        _check_built_in(judge, policy, limit, params)
        _check_real(judge, policy, limit, params)
    if policy.incident_class in VERIFY_FIRST:
        _check_beside_drill(judge, policy, limit, params)


def _check_built_in(judge: Judge, policy: Policy, limit: int, params: list[tuple[Site, dict[str, str]]]) -> None:
    """The words of drills that alertd has itself: with their marks around them they must fit, too, once names of places
    and badges have given way as far as they may."""
    params = [(site, values | wording.shortest(values)) for site, values in params]
    for name, text in (DRILL_TEMPLATES | REAL_TEMPLATES).items():
        if name in policy.templates or _is_spoken(name):
            continue
        size, site, rendered = _longest(name, text, params)
        if size > limit and site is not None:
            message = f"alertd's own {quoted(name)} can take {size} of {limit} characters at {site.id}: {rendered}"
            judge.warn(Thing.POLICY, policy.id, "templates", message, f'add {quoted(name)} = "…" under [templates]')


def _check_real(judge: Judge, policy: Policy, limit: int, params: list[tuple[Site, dict[str, str]]]) -> None:
    """What opens an incident is read in a drill that became real, too, behind the mark that says so."""
    short = [(site, values | {"where": values["short_where"], "who": values["device"]}) for site, values in params]
    short = [(site, values | wording.shortest(values)) for site, values in short]
    for name in ("alert.responder", "alert.staff", "upgrade.responder", "upgrade.staff"):
        own = f"{REAL}{name.rpartition('.')[2]}"
        text = policy.templates.get(name)
        if text is None or own in policy.templates:
            continue
        size, site, rendered = _longest(f"{REAL}{name}", text, short)
        if size > limit and site is not None:
            message = f"can take {size} of {limit} characters at {site.id} when a drill becomes real: {rendered}"
            remedy = f'add {quoted(own)} = "…" under [templates], with fewer words, or it goes out in two parts'
            _Where(judge, policy, name).warn(message, remedy)


def _check_beside_drill(judge: Judge, policy: Policy, limit: int, params: list[tuple[Site, dict[str, str]]]) -> None:
    """What a sensor asks is read in the middle of a drill, too, behind the mark that says that it is no part of it."""
    text = policy.templates.get("alert.responder", "")
    for site, values in params:
        short = values | {"where": values["short_where"], "who": values["device"]}
        rendered = wording.marked(text, short | wording.shortest(short), 0, before=wording.NOT_A_DRILL)
        size = septets(rendered) or len(rendered)
        if size > limit:
            message = f"can take {size} of {limit} characters at {site.id} when it is heard in a drill: {rendered}"
            remedy = f"shorten it by {size - limit}, or it goes out in two parts"
            _Where(judge, policy, "alert.responder").warn(message, remedy)
            return


def _is_spoken(name: str) -> bool:
    return name.removeprefix(ABOUT_DRILLS).startswith(CALL)


def _longest(name: str, text: str, params: list[tuple[Site, dict[str, str]]]) -> tuple[int, Site | None, str]:
    longest: tuple[int, Site | None, str] = (0, None, "")
    for site, values in params:
        rendered = _as_said(name, text, values)
        size = septets(rendered) or len(rendered)
        if size > longest[0]:
            longest = (size, site, rendered)
    return longest


def _as_said(name: str, text: str, values: dict[str, str]) -> str:
    """With the marks that the engine puts around it."""
    if name.startswith(ABOUT_DRILLS):
        drilled = values | {"what": f"{values['what']} DRILL"}
        return wording.marked(text, drilled, 0, before=wording.DRILL, after=wording.DRILL)
    if name.startswith(REAL):
        return wording.marked(text, values, 0, before=wording.REAL)
    return wording.render(text, values, 0)


def _placeholders(text: str) -> Iterator[str]:
    try:
        names = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    except ValueError:  # reported with its form
        return
    yield from dict.fromkeys(names)
