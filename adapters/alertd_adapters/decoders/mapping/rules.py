"""Rules: what a message of a device is. First match counts; what no rule matches is unknown, never guessed."""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from alertd.ports import DecodeError
from alertd_adapters.decoders.json_payload import word
from alertd_adapters.decoders.mapping import written
from alertd_adapters.decoders.mapping.codes import is_code
from alertd_adapters.decoders.mapping.events import ALL, OWN_WORD, SENSED
from alertd_adapters.decoders.mapping.expressions import ExpressionError, expression, predicate
from alertd_adapters.decoders.mapping.quick import Evaluate, is_true

ELEMENTS_MAX = 1_000
"""Elements of one list. A longer one is refused as a whole: what is beyond must not be lost in silence."""


NUMBER_MAX = 1_000_000
"""No sensor measures more, in whatever unit."""
WORD_MAX = 200
"""Characters of a value, a button, a part of an identity."""


class KeyWrongError(ValueError):
    """A key of a profile is wrong. `path` says where, below the profile."""

    def __init__(self, path: tuple[str | int, ...], message: str, remedy: str) -> None:
        super().__init__(message)
        self.path = path
        self.remedy = remedy


class Match(Struct, frozen=True, kw_only=True):
    """What a rule made of a message."""

    event: str
    value: object
    button: str | None
    ignored: bool
    rule: int
    """Which of the rules, counted from 1."""
    level: bool = False
    """It says a state that lasts."""
    state: str = ""
    reads: tuple[tuple[str, float], ...] = ()
    """Numbers that a sensor measured."""
    why: str


class Rule:
    """One rule, ready to run."""

    def __init__(self, rule: written.Rule, number: int, path: tuple[str | int, ...]) -> None:
        _check(rule, path)
        self.continues = rule.continues
        self._rule = rule
        self._number = number
        self._when = read_predicate(rule.when, (*path, "when"))
        self._each = read(rule.each, (*path, "each"))
        self._value = read(rule.value, (*path, "value"))
        self._button = read(rule.button, (*path, "button"))
        self._state = read(rule.state, (*path, "state"))
        found = ((action, read(text, (*path, "reads", action))) for action, text in rule.reads.items())
        self._reads = tuple((action, number) for action, number in found if number is not None)

    def matches(self, root: dict[str, Any]) -> Iterator[Match]:
        if self._each is None:
            found = self._match(root)
            if found is not None:
                yield found
            return
        for element in elements_of(self._each(root)):
            found = self._match({**root, "item": element})
            if found is not None:
                yield found

    def _match(self, root: dict[str, Any]) -> Match | None:
        if self._when is not None and not is_true(self._when(root)):
            return None
        event, value = self._rule.event, None
        if self._value is not None:
            value = self._value(root)
            if value is None:
                return None
            event = self._rule.map.get(_compared(value) or "", event)
        if event is None:
            return None
        button = as_word(self._button(root)) if self._button is not None else None
        return Match(
            event=event,
            value=value,
            button=button,
            ignored=self._rule.ignored,
            rule=self._number,
            level=self._rule.level,
            state=(as_word(self._state(root)) or "") if self._state is not None else "",
            reads=tuple(self._numbers(root)) if self._reads else (),
            why=self._rule.why,
        )

    def _numbers(self, root: dict[str, Any]) -> Iterator[tuple[str, float]]:
        """What was measured; what is no number, or none that a sensor measures, says nothing."""
        for action, number in self._reads:
            found = number(root)
            if isinstance(found, int | float) and not isinstance(found, bool) and abs(found) <= NUMBER_MAX:
                yield action, float(found)


class Rules:
    def __init__(self, rules: Sequence[written.Rule], path: tuple[str | int, ...] = ("rules",)) -> None:
        self._rules = tuple(Rule(rule, number + 1, (*path, number)) for number, rule in enumerate(rules))

    def matches(self, root: dict[str, Any]) -> list[Match]:
        found: list[Match] = []
        for rule in self._rules:
            mine = list(rule.matches(root))
            found += mine
            if mine and not rule.continues:
                break
        return found


def elements_of(found: object) -> list[Any]:
    """The elements of a list; of anything else there are none. Raises `DecodeError`."""
    elements = found if isinstance(found, list) else []
    if len(elements) > ELEMENTS_MAX:
        raise DecodeError(f"the payload holds a list of {len(elements)}, more than {ELEMENTS_MAX}")
    return elements


def _check(rule: written.Rule, path: tuple[str | int, ...]) -> None:
    if rule.event is None and not rule.map:
        raise KeyWrongError(path, "says neither event nor map", 'write event = "press", or value and map')
    if rule.map and rule.value is None:
        raise KeyWrongError((*path, "map"), "maps nothing", 'write value = "object.button"')
    for action in rule.reads:
        if action not in SENSED:
            known = ", ".join(sorted(SENSED))
            raise KeyWrongError((*path, "reads", action), "is nothing that sensors measure", f"use one of: {known}")
    if rule.state is not None and not rule.level:
        raise KeyWrongError((*path, "state"), "is for levels only", "write level = true, or remove it")
    if rule.event == OWN_WORD and rule.value is None:
        raise KeyWrongError((*path, "event"), "needs a value, which is the word", 'write value = "object.action"')
    named = [(("map", word), event) for word, event in rule.map.items()]
    if rule.event is not None:
        named.append((("event",), rule.event))  # type: ignore[arg-type]
    for below, event in named:
        if event not in ALL:
            known = ", ".join(sorted(ALL))
            raise KeyWrongError((*path, *below), f'"{event}" is no event', f"use one of: {known}")


def as_word(value: object) -> str | None:
    """A value as the keys of a map are written: 1 and 1.0 are "1", true is "true". A list is no word, nor is a text
    that is longer than any, or not printable: JSON can hold half a character, which nothing can write down. Nor is a
    code that somebody typed, which nobody may write down."""
    return None if is_code(value) else _compared(value)


def _compared(value: object) -> str | None:
    """For the keys of a map, which the profile's author has written: a code, too."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return str(int(value)) if value.is_integer() else str(value)
        case str():
            return word(value, WORD_MAX)
        case _:
            return None


def read(text: str | None, path: tuple[str | int, ...]) -> Evaluate | None:
    """Raises `KeyWrongError`."""
    return _read(text, path, check=False)


def read_predicate(text: str | None, path: tuple[str | int, ...]) -> Evaluate | None:
    """Raises `KeyWrongError`."""
    return _read(text, path, check=True)


def _read(text: str | None, path: tuple[str | int, ...], *, check: bool) -> Evaluate | None:
    if text is None:
        return None
    try:
        return predicate(text) if check else expression(text)
    except ExpressionError as error:
        raise KeyWrongError(path, str(error), "see the expressions in docs/devices.md") from None
