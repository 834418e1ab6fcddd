"""What a rehearsal takes for granted of people, phones and carriers. Assumptions, not measurements: the report prints
every one of them, and a TOML file replaces any.

Owns the figures and where they come from.
"""

import re
import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from random import Random
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from alertd_simulator.people import Habit

Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]


class AssumptionsError(Exception):
    """The file cannot be used. The message says why."""


class Hours(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How people are at one time of the day. Shares of all people; who is none of these answers "going"."""

    phone_off: Share = 0.03
    asleep: Share = 0.0
    """The phone rings, and nobody wakes."""
    silent: Share = 0.25
    """It rings in a bag or a drawer, or its owner has a class to look after."""
    cannot_go: Share = 0.10
    words: Share = 0.05
    """Answers in words instead of the code, which does not count as an answer."""
    tapback: Share = 0.03
    driving: Share = 0.02
    """An automatic reply, which does not count either."""
    wrong_code: Share = 0.02
    answer_median_s: Seconds = 25.0
    """From the ring to the reply. Lognormal: most are quick, some take minutes."""
    answer_spread: Annotated[float, Meta(ge=0, le=3)] = 0.8
    """Sigma of its logarithm: 0.8 puts 95 of 100 below 3.7 times the median."""


DUTY = Hours()
EVENING = Hours(silent=0.30, cannot_go=0.30, driving=0.05, answer_median_s=40.0)
NIGHT = Hours(phone_off=0.08, asleep=0.75, silent=0.05, cannot_go=0.05, answer_median_s=90.0)


class Assumptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    duty: Hours = DUTY
    """School days, 07:30 to 16:00, in the site's own time."""
    evening: Hours = EVENING
    """Other waking hours, and weekends."""
    night: Hours = NIGHT
    """22:00 to 06:00."""
    share_in_duty_hours: Share = 0.6
    """Of the rehearsed presses; the rest is divided between evenings, nights and weekends."""
    delivery_median_s: Seconds = 3.0
    """From the carrier to the phone."""
    delivery_spread: Annotated[float, Meta(ge=0, le=3)] = 0.7
    texts_per_s: Annotated[float, Meta(ge=0, le=1_000)] = 1.0
    """Of one of our numbers; 0 = without limit."""
    days_with_429: Share = 0.10
    """The carrier turns half of our requests away for a minute."""
    days_with_channel_down: Share = 0.05
    """One channel answers 503 for two minutes, beginning before the press."""
    days_with_broker_trouble: Share = 0.05
    """The broker cuts its connections three times around the press."""


SOURCES = (
    (
        "Texts per second and number: a US long code carries one segment a second (Twilio, error 30001, "
        "https://www.twilio.com/docs/api/errors/30001). Toll-free numbers and short codes carry more: set texts_per_s."
    ),
    (
        "From carrier to phone: assumed. Carriers publish no figure, and none was measured here. A text can be minutes "
        "late, and some never arrive."
    ),
    (
        "What people do with a text (answer, sleep, ignore, answer in words): assumed, not measured. A drill with your "
        "own staff gives your own figures."
    ),
)


def read_assumptions(path: Path) -> Assumptions:
    """As written in a TOML file; what it leaves out stays as it is. Raises `AssumptionsError`."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise AssumptionsError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise AssumptionsError(f"{path}: this is no text in UTF-8: save the file as plain text") from error
    except tomllib.TOMLDecodeError as error:
        raise AssumptionsError(f"{path}: this is no TOML (key = value): {error}") from error
    defaults = msgspec.to_builtins(Assumptions())
    for name, given in document.items():
        default = defaults.get(name)
        merges = isinstance(given, dict) and isinstance(default, dict)
        defaults[name] = {**default, **given} if merges else given
    for key, value in _leaves(defaults):
        if isinstance(value, float) and not isfinite(value):
            raise AssumptionsError(f"{path}: {key}: write a number, not {value}")
    try:
        assumptions = msgspec.convert(defaults, Assumptions)
    except msgspec.ValidationError as error:
        raise AssumptionsError(f"{path}: {_in_words(str(error), defaults)}") from error
    for name in ("duty", "evening", "night"):
        if sum(share for _, share in shares(getattr(assumptions, name))) > 1:
            raise AssumptionsError(f"{path}: {name}: the shares of people add up to more than 1")
    return assumptions


def _leaves(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


_AT = re.compile(r" - at `\$\.?(?P<key>[\w.]*)`$")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`$")
_BOUND = re.compile(r"Expected `\w+` (?P<which>[<>]=) (?P<bound>[\d.]+)$")
_TYPE = re.compile(r"Expected `(?P<wanted>\w+)`, got `(?P<given>\w+)`$")
_CALLED = {"float": "a number", "int": "a number", "str": "a text", "bool": "true or false", "object": "a table",
           "array": "a list"}  # fmt: skip


def _in_words(message: str, document: dict[str, Any]) -> str:
    """What msgspec says of a value, for who wrote it: the key as in the file, and what may stand there."""
    at = _AT.search(message)
    key, what = (at["key"], message[: at.start()]) if at else ("", message)
    if unknown := _UNKNOWN.match(what):
        holder = document.get(key, {}) if key else document
        near = get_close_matches(unknown["name"], [name for name in holder if name != unknown["name"]], n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        return f"{key + '.' if key else ''}{unknown['name']}: there is no such assumption{meant}"
    if bound := _BOUND.match(what):
        return f"{key}: must be at {'least' if bound['which'] == '>=' else 'most'} {float(bound['bound']):g}"
    if kind := _TYPE.match(what):
        wanted, given = (_CALLED.get(kind[which], kind[which]) for which in ("wanted", "given"))
        return f"{key}: write {wanted}, not {given}"
    return f"{key}: {what}" if key else what


def shares(hours: Hours) -> tuple[tuple[str, float], ...]:
    """What is not "going", in the order in which it is drawn. The phone that is off is drawn apart."""
    return (
        (Habit.SILENT, hours.asleep + hours.silent),
        (Habit.CANNOT_GO, hours.cannot_go),
        (Habit.WORDS, hours.words),
        (Habit.TAPBACK, hours.tapback),
        (Habit.DRIVING, hours.driving),
        (Habit.WRONG_CODE, hours.wrong_code),
    )


def draw_habit(random: Random, hours: Hours) -> str:
    at = random.random()
    for habit, share in shares(hours):
        if at < share:
            return habit
        at -= share
    return Habit.GOES_AND_ARRIVES


def draw_delay(random: Random, median_s: float, spread: float) -> float:
    """Lognormal, in seconds."""
    return round(median_s * random.lognormvariate(0.0, spread), 3)
